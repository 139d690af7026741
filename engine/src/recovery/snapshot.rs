//! The snapshot of a log directory: every partition's state, as of a start or a clean stop. Layout
//! in FORMAT.md, "Snapshot".

use thiserror::Error;

use crate::{
    base::{PartitionIndex, TopicId},
    log::PartitionState,
};

/// What a snapshot says.
#[derive(Clone, Debug, Default, PartialEq, rkyv::Archive, rkyv::Serialize, rkyv::Deserialize)]
pub struct Snapshot {
    /// Journals of this era stand on it; those of older eras are retired.
    pub era: u64,
    /// Written by a clean stop.
    pub clean: bool,
    /// The partitions.
    pub partitions: Vec<PartitionState>,
    /// Partitions that are damaged: never opened, until someone puts them right.
    pub fenced: Vec<(TopicId, PartitionIndex)>,
}

/// Why a snapshot cannot be used. The directory is scanned instead.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum SnapshotError {
    /// Something else stands there, or a part of it.
    #[error("not a snapshot")]
    Magic,
    /// Written by a newer Logmill.
    #[error("snapshot version {0} is not known")]
    Version(u32),
    /// Its bytes changed.
    #[error("the snapshot's checksum does not match")]
    Checksum,
    /// Its checksum holds, its structure does not.
    #[error("the snapshot's structure is unsound: {0}")]
    Structure(String),
}

/// The file's name at the top of a log directory.
pub const SNAPSHOT_FILE: &str = "logmill-snapshot";

impl Snapshot {
    /// The file's bytes.
    pub fn encode(&self) -> Result<Vec<u8>, SnapshotError> {
        let body = rkyv::to_bytes::<rkyv::rancor::Error>(self)
            .map_err(|error| SnapshotError::Structure(error.to_string()))?;
        let mut bytes = vec![0; HEAD];
        bytes[..8].copy_from_slice(MAGIC);
        bytes[8..12].copy_from_slice(&VERSION.to_le_bytes());
        bytes[12..16].copy_from_slice(&crc32c::crc32c(&body).to_le_bytes());
        bytes.extend_from_slice(&body);
        Ok(bytes)
    }

    /// Reads a file's bytes: checksum first, then the structure is validated before it is used.
    pub fn decode(bytes: &[u8]) -> Result<Self, SnapshotError> {
        let head = bytes.get(..HEAD).ok_or(SnapshotError::Magic)?;
        let word =
            |at: usize| u32::from_le_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]]);
        if head[..8] != *MAGIC {
            return Err(SnapshotError::Magic);
        }
        if word(8) != VERSION {
            return Err(SnapshotError::Version(word(8)));
        }
        if word(12) != crc32c::crc32c(&bytes[HEAD..]) {
            return Err(SnapshotError::Checksum);
        }
        // The archive wants an aligned beginning, which a vector of bytes does not promise.
        let mut body = rkyv::util::AlignedVec::<16>::with_capacity(bytes.len() - HEAD);
        body.extend_from_slice(&bytes[HEAD..]);
        rkyv::from_bytes::<Self, rkyv::rancor::Error>(&body)
            .map_err(|error| SnapshotError::Structure(error.to_string()))
    }
}

const MAGIC: &[u8; 8] = b"LOGMILLS";
/// Raised with every change of [`Snapshot`] or [`PartitionState`].
const VERSION: u32 = 1;
const HEAD: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Offset;

    #[test]
    fn what_was_saved_is_read_and_no_flipped_bit_passes() {
        let state = PartitionState {
            topic: "t".to_owned(),
            end: Offset(9),
            ..PartitionState::default()
        };
        let snapshot = Snapshot {
            era: 3,
            clean: true,
            partitions: vec![state],
            fenced: Vec::new(),
        };
        let bytes = snapshot.encode().unwrap();
        assert_eq!(Snapshot::decode(&bytes).unwrap(), snapshot);
        for bit in 0..bytes.len() * 8 {
            let mut damaged = bytes.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            assert!(Snapshot::decode(&damaged).is_err(), "bit {bit}");
        }
        assert_eq!(Snapshot::decode(&bytes[..10]), Err(SnapshotError::Magic));
        assert!(Snapshot::decode(&bytes[..bytes.len() - 1]).is_err());
    }
}
