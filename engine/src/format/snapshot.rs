//! `.snapshot` files: the producers of a partition at an offset (`ProducerSnapshot.json` version
//! 1, `ProducerStateManager.java`).
//!
//! `version i16, crc u32, count i32`, then 46 bytes a producer: `id i64, epoch i16, last sequence
//! i32, last offset i64, offset delta i32, timestamp i64, coordinator epoch i32, first offset of
//! the open transaction i64`. The CRC-32C covers everything behind itself. Only a producer's last
//! batch is kept; the others of the window come back when the log behind the snapshot is read.

use crate::base::{Offset, ProducerEpoch, ProducerId, Sequence};

/// One producer of a snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SnapshotEntry {
    /// Its id.
    pub id: ProducerId,
    /// Its epoch.
    pub epoch: ProducerEpoch,
    /// The sequence of its last record; -1 for none.
    pub last_sequence: Sequence,
    /// The offset of its last record; -1 for none.
    pub last_offset: Offset,
    /// The records of its last batch, less one.
    pub offset_delta: i32,
    /// When it was last heard.
    pub timestamp: i64,
    /// The coordinator's epoch of its last marker; -1 for none.
    pub coordinator_epoch: i32,
    /// Where its open transaction began; -1 for none.
    pub transaction_start: Offset,
}

/// The bytes of a snapshot file.
pub fn encode(entries: impl ExactSizeIterator<Item = SnapshotEntry>) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(HEAD_BYTES + entries.len() * ENTRY_BYTES);
    bytes.extend_from_slice(&VERSION.to_be_bytes());
    bytes.extend_from_slice(&[0; 4]);
    bytes.extend_from_slice(&(entries.len() as i32).to_be_bytes());
    for entry in entries {
        bytes.extend_from_slice(&entry.id.0.to_be_bytes());
        bytes.extend_from_slice(&entry.epoch.0.to_be_bytes());
        bytes.extend_from_slice(&entry.last_sequence.0.to_be_bytes());
        bytes.extend_from_slice(&entry.last_offset.0.to_be_bytes());
        bytes.extend_from_slice(&entry.offset_delta.to_be_bytes());
        bytes.extend_from_slice(&entry.timestamp.to_be_bytes());
        bytes.extend_from_slice(&entry.coordinator_epoch.to_be_bytes());
        bytes.extend_from_slice(&entry.transaction_start.0.to_be_bytes());
    }
    let crc = crc32c::crc32c(&bytes[CRC_END..]);
    bytes[2..CRC_END].copy_from_slice(&crc.to_be_bytes());
    bytes
}

/// Reads a snapshot file.
pub fn decode(bytes: &[u8]) -> Result<Vec<SnapshotEntry>, SnapshotError> {
    let short = SnapshotError::Length { have: bytes.len() };
    let head = bytes.first_chunk::<HEAD_BYTES>().ok_or(short)?;
    let version = i16::from_be_bytes([head[0], head[1]]);
    if version != VERSION {
        return Err(SnapshotError::Version { version });
    }
    let stored = u32::from_be_bytes([head[2], head[3], head[4], head[5]]);
    let computed = crc32c::crc32c(&bytes[CRC_END..]);
    if stored != computed {
        return Err(SnapshotError::Crc { stored, computed });
    }
    let count = i32::from_be_bytes([head[6], head[7], head[8], head[9]]);
    let entries = &bytes[HEAD_BYTES..];
    let fits = usize::try_from(count)
        .ok()
        .and_then(|count| count.checked_mul(ENTRY_BYTES));
    if fits != Some(entries.len()) {
        return Err(SnapshotError::Length { have: bytes.len() });
    }
    Ok(entries
        .chunks_exact(ENTRY_BYTES)
        .map(decode_entry)
        .collect())
}

/// Why bytes are no snapshot. A snapshot can always be made again from the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SnapshotError {
    /// Another version.
    #[error("producer snapshot of version {version}; only 1 is known")]
    Version {
        /// What the file says.
        version: i16,
    },
    /// The bytes changed.
    #[error("producer snapshot with CRC {stored:#010x}, computed {computed:#010x}")]
    Crc {
        /// What the file says.
        stored: u32,
        /// What its bytes give.
        computed: u32,
    },
    /// The count and the bytes do not agree.
    #[error("producer snapshot of {have} bytes, which is not what its count says")]
    Length {
        /// Bytes that were there.
        have: usize,
    },
}

fn decode_entry(bytes: &[u8]) -> SnapshotEntry {
    SnapshotEntry {
        id: ProducerId(i64::from_be_bytes(field(bytes, 0))),
        epoch: ProducerEpoch(i16::from_be_bytes(field(bytes, 8))),
        last_sequence: Sequence(i32::from_be_bytes(field(bytes, 10))),
        last_offset: Offset(i64::from_be_bytes(field(bytes, 14))),
        offset_delta: i32::from_be_bytes(field(bytes, 22)),
        timestamp: i64::from_be_bytes(field(bytes, 26)),
        coordinator_epoch: i32::from_be_bytes(field(bytes, 34)),
        transaction_start: Offset(i64::from_be_bytes(field(bytes, 38))),
    }
}

fn field<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    std::array::from_fn(|index| bytes[at + index])
}

const VERSION: i16 = 1;
const CRC_END: usize = 6;
const HEAD_BYTES: usize = 10;
const ENTRY_BYTES: usize = 46;

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(id: i64) -> SnapshotEntry {
        SnapshotEntry {
            id: ProducerId(id),
            epoch: ProducerEpoch(3),
            last_sequence: Sequence(99),
            last_offset: Offset(1_000),
            offset_delta: 9,
            timestamp: 1_700_000_000_000,
            coordinator_epoch: -1,
            transaction_start: Offset(-1),
        }
    }

    #[test]
    fn files_round_trip() {
        let entries = [entry(1), entry(2)];
        let bytes = encode(entries.into_iter());
        assert_eq!(bytes.len(), 10 + 2 * 46);
        assert_eq!(decode(&bytes), Ok(entries.to_vec()));
        assert_eq!(decode(&encode([].into_iter())), Ok(Vec::new()));
    }

    #[test]
    fn damage_is_named() {
        let good = encode([entry(7)].into_iter());
        let mut bad = good.clone();
        bad[30] ^= 1;
        assert!(matches!(decode(&bad), Err(SnapshotError::Crc { .. })));
        bad.clone_from(&good);
        bad[1] = 2;
        assert_eq!(decode(&bad), Err(SnapshotError::Version { version: 2 }));
        assert_eq!(decode(&good[..5]), Err(SnapshotError::Length { have: 5 }));
        let mut short = good[..HEAD_BYTES].to_vec();
        let crc = crc32c::crc32c(&short[CRC_END..]);
        short[2..6].copy_from_slice(&crc.to_be_bytes());
        assert_eq!(decode(&short), Err(SnapshotError::Length { have: 10 }));
    }
}
