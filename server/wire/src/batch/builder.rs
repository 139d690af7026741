//! Makes batches.

use std::convert::Infallible;

use crate::batch::error::BatchError;
use crate::batch::header::{Attributes, BatchHeader, Compression, compute_crc};
use crate::batch::record::RecordHeader;
use crate::writer::Writer;

/// Collects records and makes batches of them; reused from batch to batch, it keeps its memory.
#[derive(Clone, Debug, Default)]
pub struct BatchBuilder {
    records: Writer,
    count: i32,
    base_timestamp: i64,
    max_timestamp: i64,
}

/// A record to append.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NewRecord<'a> {
    /// Milliseconds since 1970.
    pub timestamp: i64,
    /// The key, or none.
    pub key: Option<&'a [u8]>,
    /// The value; none is a tombstone.
    pub value: Option<&'a [u8]>,
    /// The headers.
    pub headers: &'a [RecordHeader<'a>],
}

/// What a batch says besides its records. The default is a producer's without idempotence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BatchMeta {
    /// Offset of the first record; 0 from a producer, the broker sets it.
    pub base_offset: i64,
    /// Epoch of the leader that appends the batch; -1 from a producer.
    pub leader_epoch: i32,
    /// The idempotent producer, or -1.
    pub producer_id: i64,
    /// Its epoch, or -1.
    pub producer_epoch: i16,
    /// The sequence number of the first record, or -1.
    pub base_sequence: i32,
    /// Whether the batch is part of a transaction.
    pub is_transactional: bool,
    /// Whether the records are Kafka's own.
    pub is_control: bool,
}

impl Default for BatchMeta {
    fn default() -> Self {
        BatchMeta {
            base_offset: 0,
            leader_epoch: -1,
            producer_id: -1,
            producer_epoch: -1,
            base_sequence: -1,
            is_transactional: false,
            is_control: false,
        }
    }
}

impl BatchBuilder {
    /// A builder without records, and without memory yet.
    #[must_use]
    pub fn new() -> BatchBuilder {
        BatchBuilder::default()
    }

    /// Appends a record at the next offset.
    ///
    /// # Errors
    /// `TooLarge` if the batch would not fit its length field; the record is not in it then.
    pub fn append(&mut self, record: &NewRecord<'_>) -> Result<(), BatchError> {
        let base_timestamp = if self.count == 0 {
            record.timestamp
        } else {
            self.base_timestamp
        };
        let timestamp_delta = record.timestamp.wrapping_sub(base_timestamp);
        let length = record_length(record, timestamp_delta, self.count);
        let bytes = self.uncompressed_bytes() + length + varlong_bytes(length as i64);
        if bytes > i32::MAX as usize || self.count == i32::MAX {
            return Err(BatchError::TooLarge { bytes });
        }
        let w = &mut self.records;
        w.varint(length as i32);
        w.i8(0);
        w.varlong(timestamp_delta);
        w.varint(self.count);
        write_bytes(w, record.key);
        write_bytes(w, record.value);
        w.varint(record.headers.len() as i32);
        for header in record.headers {
            write_bytes(w, Some(header.key));
            write_bytes(w, header.value);
        }
        self.max_timestamp = match self.count {
            0 => record.timestamp,
            _ => self.max_timestamp.max(record.timestamp),
        };
        self.base_timestamp = base_timestamp;
        self.count += 1;
        Ok(())
    }

    /// Appends the batch to `out` without compression, and forgets the records.
    pub fn finish(&mut self, meta: &BatchMeta, out: &mut Vec<u8>) -> BatchHeader {
        let copy = |records: &[u8], out: &mut Vec<u8>| {
            out.extend_from_slice(records);
            Ok::<(), Infallible>(())
        };
        match self.finish_compressed(meta, Compression::None, copy, out) {
            Ok(header) => header,
            Err(never) => match never {},
        }
    }

    /// Appends the batch to `out` and forgets the records. `compress` appends the compressed form
    /// of its first argument to its second.
    ///
    /// # Errors
    /// Those of `compress`; `out` is as it was then, and the records are still here.
    ///
    /// # Panics
    /// If `compress` takes bytes out of `out`, or makes more than 2 GiB of less.
    pub fn finish_compressed<E>(
        &mut self,
        meta: &BatchMeta,
        compression: Compression,
        compress: impl FnOnce(&[u8], &mut Vec<u8>) -> Result<(), E>,
        out: &mut Vec<u8>,
    ) -> Result<BatchHeader, E> {
        let start = out.len();
        out.extend_from_slice(&[0; BatchHeader::BYTES]);
        if let Err(error) = compress(&self.records.bytes, out) {
            out.truncate(start);
            return Err(error);
        }
        let behind_length = out.len() - start - BatchHeader::BYTES_BEFORE_LENGTH;
        let mut header = BatchHeader {
            base_offset: meta.base_offset,
            length: i32::try_from(behind_length).expect("compression does not make 2 GiB of less"),
            leader_epoch: meta.leader_epoch,
            crc: 0,
            attributes: Attributes::of(compression, meta.is_transactional, meta.is_control),
            last_offset_delta: (self.count - 1).max(0),
            base_timestamp: self.base_timestamp,
            max_timestamp: self.max_timestamp,
            producer_id: meta.producer_id,
            producer_epoch: meta.producer_epoch,
            base_sequence: meta.base_sequence,
            record_count: self.count,
        };
        out[start..start + BatchHeader::BYTES].copy_from_slice(&header.to_bytes());
        header.crc = compute_crc(&out[start..]).expect("a header has just been written");
        out[start..start + BatchHeader::BYTES].copy_from_slice(&header.to_bytes());
        self.clear();
        Ok(header)
    }

    /// Forgets the records and keeps the memory.
    pub fn clear(&mut self) {
        self.records.clear();
        (self.count, self.base_timestamp, self.max_timestamp) = (0, 0, 0);
    }

    /// Number of records.
    #[must_use]
    pub fn len(&self) -> usize {
        self.count as usize
    }

    /// Whether there are no records.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Bytes of the batch as it stands, without compression.
    #[must_use]
    pub fn uncompressed_bytes(&self) -> usize {
        BatchHeader::BYTES + self.records.bytes.len()
    }
}

/// What the length before a record says.
fn record_length(record: &NewRecord<'_>, timestamp_delta: i64, offset_delta: i32) -> usize {
    let attributes = 1;
    let headers = record
        .headers
        .iter()
        .map(|header| bytes_with_length(Some(header.key)) + bytes_with_length(header.value));
    attributes
        + varlong_bytes(timestamp_delta)
        + varlong_bytes(i64::from(offset_delta))
        + bytes_with_length(record.key)
        + bytes_with_length(record.value)
        + varlong_bytes(record.headers.len() as i64)
        + headers.sum::<usize>()
}

fn bytes_with_length(bytes: Option<&[u8]>) -> usize {
    match bytes {
        Some(bytes) => varlong_bytes(bytes.len() as i64) + bytes.len(),
        None => varlong_bytes(-1),
    }
}

/// Bytes of a number in zigzag and groups of seven bits.
fn varlong_bytes(value: i64) -> usize {
    let zigzag = ((value << 1) ^ (value >> 63)).cast_unsigned();
    (64 - (zigzag | 1).leading_zeros() as usize).div_ceil(7)
}

fn write_bytes(w: &mut Writer, bytes: Option<&[u8]>) {
    // The batch's size was checked: a part of it fits as well.
    w.varint(bytes.map_or(-1, |bytes| bytes.len() as i32));
    w.raw(bytes.unwrap_or_default());
}
