//! Control records: what Kafka writes into partitions for itself. The key tells the type, in two
//! 16-bit integers of which the first is the key's version, 0.

use crate::batch::builder::{BatchBuilder, BatchMeta, NewRecord};
use crate::batch::error::BatchError;
use crate::batch::header::BatchHeader;
use crate::error::{DecodeError, EncodeError};
use crate::message::Message;
use crate::reader::Reader;
use crate::records::control::EndTxnMarker;
use crate::records::raft::LeaderChangeMessage;
use crate::writer::Writer;

/// The types of control records (`ControlRecordType.java`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(i16)]
pub enum ControlType {
    /// Ends a transaction: aborted.
    Abort = 0,
    /// Ends a transaction: committed.
    Commit = 1,
    /// A new leader of a Raft quorum.
    LeaderChange = 2,
    /// First in a snapshot.
    SnapshotHeader = 3,
    /// Last in a snapshot.
    SnapshotFooter = 4,
    /// The version of KRaft.
    KRaftVersion = 5,
    /// The voters of a Raft quorum.
    KRaftVoters = 6,
}

/// What a transaction's marker says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TxnMarker {
    /// The transaction's producer.
    pub producer_id: i64,
    /// Its epoch.
    pub producer_epoch: i16,
    /// Whether the transaction is committed, or else aborted.
    pub committed: bool,
    /// The epoch of the transaction coordinator that ordered the marker.
    pub coordinator_epoch: i32,
}

impl ControlType {
    /// Reads the key of a control record. Types to come are an error of their own: a reader
    /// passes over such records.
    ///
    /// # Errors
    /// `ControlKey` if the key is too short or the type is unknown. The key's version is not
    /// asked for, for later ones only append to it.
    pub fn from_key(key: &[u8]) -> Result<ControlType, BatchError> {
        let mut r = Reader::new(key);
        let numbers = r.i16().and_then(|version| Ok((version, r.i16()?)));
        match numbers {
            Ok((0.., number)) => ControlType::from_number(number).ok_or(BatchError::ControlKey),
            _ => Err(BatchError::ControlKey),
        }
    }

    /// The key of such a record.
    #[must_use]
    pub fn key(self) -> [u8; 4] {
        let [high, low] = (self as i16).to_be_bytes();
        [0, 0, high, low]
    }

    fn from_number(number: i16) -> Option<ControlType> {
        Some(match number {
            0 => ControlType::Abort,
            1 => ControlType::Commit,
            2 => ControlType::LeaderChange,
            3 => ControlType::SnapshotHeader,
            4 => ControlType::SnapshotFooter,
            5 => ControlType::KRaftVersion,
            6 => ControlType::KRaftVoters,
            _ => return None,
        })
    }
}

/// Appends the batch that ends a transaction in one partition.
pub fn write_txn_marker(
    builder: &mut BatchBuilder,
    marker: &TxnMarker,
    base_offset: i64,
    leader_epoch: i32,
    timestamp: i64,
    out: &mut Vec<u8>,
) -> BatchHeader {
    let control = if marker.committed {
        ControlType::Commit
    } else {
        ControlType::Abort
    };
    let meta = BatchMeta {
        base_offset,
        leader_epoch,
        producer_id: marker.producer_id,
        producer_epoch: marker.producer_epoch,
        is_transactional: true,
        ..BatchMeta::default()
    };
    // The marker's version, 0, and the coordinator's epoch: schema `EndTxnMarker`.
    let mut value = [0; 6];
    value[2..].copy_from_slice(&marker.coordinator_epoch.to_be_bytes());
    write_control(builder, control, &value, &meta, timestamp, out)
}

/// The coordinator's epoch in the value of a transaction's marker.
///
/// # Errors
/// The value is no marker.
pub fn read_txn_marker(value: &[u8]) -> Result<i32, DecodeError> {
    // Later versions only append: they are read as the first one is.
    let mut r = Reader::new(value);
    r.i16()?;
    Ok(EndTxnMarker::decode(&mut r, 0)?.coordinator_epoch)
}

/// Appends the batch with which a leader of a Raft quorum begins its epoch.
///
/// # Errors
/// The message's `version` is not one of its schema, or cannot hold it.
pub fn write_leader_change(
    builder: &mut BatchBuilder,
    message: &LeaderChangeMessage<'_>,
    base_offset: i64,
    leader_epoch: i32,
    timestamp: i64,
    out: &mut Vec<u8>,
) -> Result<BatchHeader, EncodeError> {
    let mut value = Writer::new();
    message.encode(&mut value, message.version)?;
    let meta = BatchMeta {
        base_offset,
        leader_epoch,
        ..BatchMeta::default()
    };
    let control = ControlType::LeaderChange;
    Ok(write_control(
        builder,
        control,
        &value.bytes,
        &meta,
        timestamp,
        out,
    ))
}

/// Appends a batch of one control record.
///
/// # Panics
/// If the value does not fit a batch, which ends at 2 GiB.
pub fn write_control(
    builder: &mut BatchBuilder,
    control: ControlType,
    value: &[u8],
    meta: &BatchMeta,
    timestamp: i64,
    out: &mut Vec<u8>,
) -> BatchHeader {
    builder.clear();
    let key = control.key();
    let record = NewRecord {
        timestamp,
        key: Some(&key),
        value: Some(value),
        ..NewRecord::default()
    };
    builder.append(&record).expect("control records are small");
    builder.finish(
        &BatchMeta {
            is_control: true,
            ..*meta
        },
        out,
    )
}
