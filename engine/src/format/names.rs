//! Names of files and folders in a log directory (`LogFileUtils.java`, `LocalLog.java`).

use std::fmt::Write;

use crate::base::{Offset, PartitionIndex, TopicId};

/// What belongs to a segment or to an offset of a partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FileKind {
    /// Batches.
    Log,
    /// The offset index.
    Index,
    /// The time index.
    TimeIndex,
    /// Aborted transactions.
    TransactionIndex,
    /// Producers, as they were at the offset.
    Snapshot,
}

impl FileKind {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Log,
        Self::Index,
        Self::TimeIndex,
        Self::TransactionIndex,
        Self::Snapshot,
    ];

    /// The suffix, with its dot.
    pub fn suffix(self) -> &'static str {
        match self {
            Self::Log => ".log",
            Self::Index => ".index",
            Self::TimeIndex => ".timeindex",
            Self::TransactionIndex => ".txnindex",
            Self::Snapshot => ".snapshot",
        }
    }
}

/// The name of a partition's folder.
pub fn partition_folder(topic: &str, index: PartitionIndex) -> String {
    format!("{topic}-{index}")
}

/// Splits a folder's name into topic and partition; the last dash divides, as in Kafka. `None`
/// for names that are no partition's, those with `-delete`, `-future` and `-stray` among them.
pub fn parse_partition_folder(name: &str) -> Option<(&str, PartitionIndex)> {
    let (topic, index) = name.rsplit_once('-')?;
    let plain = !index.is_empty() && index.bytes().all(|byte| byte.is_ascii_digit());
    let index = index.parse().ok().filter(|_| plain && !topic.is_empty())?;
    Some((topic, PartitionIndex(index)))
}

/// The name that the folder of a deleted partition gets until its files are gone
/// (`LocalLog.logDeleteDirName`). Kafka draws the middle part at random; here it is the topic's id,
/// which no other folder of that name can have.
pub fn deleted_folder(topic: &str, index: PartitionIndex, id: TopicId) -> String {
    folder_with_suffix(topic, index, id, DELETED_FOLDER)
}

/// The name that a folder of an unknown partition gets (`LocalLog.logStrayDirName`).
pub fn stray_folder(topic: &str, index: PartitionIndex, id: TopicId) -> String {
    folder_with_suffix(topic, index, id, STRAY_FOLDER)
}

fn folder_with_suffix(topic: &str, index: PartitionIndex, id: TopicId, what: &str) -> String {
    let mut suffix = format!("-{index}.");
    for byte in id.0 {
        // Writing into a string cannot fail.
        let _ = write!(suffix, "{byte:02x}");
    }
    suffix.push_str(what);
    let kept = topic.len().min(FOLDER_NAME_MAX - suffix.len());
    format!("{}{suffix}", &topic[..kept])
}

/// Whether a folder is a deleted partition's, ours or Kafka's.
pub fn is_deleted_folder(name: &str) -> bool {
    let unique = name
        .strip_suffix(DELETED_FOLDER)
        .and_then(|name| name.rsplit_once('.'));
    unique.is_some_and(|(partition, unique)| !unique.is_empty() && partition.contains('-'))
}

/// What a deleted segment's files are called until they go.
pub const DELETED_FILE: &str = ".deleted";

/// The name of a file that belongs to an offset: 20 digits and the suffix.
pub fn segment_file(base: Offset, kind: FileKind) -> String {
    format!("{:020}{}", base.0, kind.suffix())
}

/// Reads a name that [`segment_file`] made.
pub fn parse_segment_file(name: &str) -> Option<(Offset, FileKind)> {
    let (digits, _) = name.split_once('.')?;
    let kind = FileKind::ALL
        .into_iter()
        .find(|kind| name[digits.len()..] == *kind.suffix())?;
    if digits.len() != 20 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    Some((Offset(digits.parse().ok()?), kind))
}

const DELETED_FOLDER: &str = "-delete";
const STRAY_FOLDER: &str = "-stray";
/// Longer names are refused by common file systems.
const FOLDER_NAME_MAX: usize = 255;

/// The partition's file of leader epochs.
pub const LEADER_EPOCH_CHECKPOINT: &str = "leader-epoch-checkpoint";
/// The partition's file with its topic's id.
pub const PARTITION_METADATA: &str = "partition.metadata";
/// The log directory's identity.
pub const META_PROPERTIES: &str = "meta.properties";
/// Where logs start that do not start with their first segment.
pub const LOG_START_CHECKPOINT: &str = "log-start-offset-checkpoint";
/// Present after a clean stop only.
pub const CLEAN_SHUTDOWN: &str = ".kafka_cleanshutdown";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_round_trip() {
        for kind in FileKind::ALL {
            let name = segment_file(Offset(368_769), kind);
            assert_eq!(parse_segment_file(&name), Some((Offset(368_769), kind)));
        }
        assert_eq!(
            segment_file(Offset(368_769), FileKind::Log),
            "00000000000000368769.log"
        );
        for bad in [
            "1.log",
            "00000000000000368769.log.deleted",
            "0000000000000036876x.log",
            "",
        ] {
            assert_eq!(parse_segment_file(bad), None, "{bad}");
        }
    }

    #[test]
    fn folders_round_trip() {
        assert_eq!(partition_folder("a-b.c", PartitionIndex(12)), "a-b.c-12");
        assert_eq!(
            parse_partition_folder("a-b.c-12"),
            Some(("a-b.c", PartitionIndex(12)))
        );
        let deleted = deleted_folder("a-b.c", PartitionIndex(12), TopicId([0xab; 16]));
        assert_eq!(deleted, format!("a-b.c-12.{}-delete", "ab".repeat(16)));
        assert!(is_deleted_folder(&deleted) && parse_partition_folder(&deleted).is_none());
        let long = deleted_folder(&"t".repeat(249), PartitionIndex(12), TopicId([1; 16]));
        assert!(long.len() == 255 && is_deleted_folder(&long));
        for other in ["a-delete-0", "x-delete", "a.b-delete", "a-0.-delete", "a-0"] {
            assert!(!is_deleted_folder(other), "{other}");
        }
        for bad in ["a", "-1", "a-", "a-+1", "a-0.4f-delete", "a-99999999999"] {
            assert_eq!(parse_partition_folder(bad), None, "{bad}");
        }
    }
}
