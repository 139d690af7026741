//! Kafka's small text files: checkpoints and `partition.metadata`
//! (`CheckpointFile.java`, `PartitionMetadataFile.java`).
//!
//! A checkpoint is `0` (its version), the number of lines, then the lines: `epoch offset` in
//! `leader-epoch-checkpoint`, `topic partition offset` in the others.

use std::fmt::Write;

use crate::base::{LeaderEpoch, Offset, PartitionIndex, TopicId};

/// Why a text is not what it should be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CheckpointError {
    /// The first line is missing or another version.
    #[error("version line {found:?}, not \"{expected}\"")]
    Version {
        /// What stands there.
        found: String,
        /// What should.
        expected: &'static str,
    },
    /// The count is no number or not that of the lines that follow.
    #[error("count line {found:?} and {lines} lines")]
    Count {
        /// What stands there.
        found: String,
        /// How many lines follow.
        lines: usize,
    },
    /// A line cannot be read.
    #[error("line {line:?} cannot be read")]
    Line {
        /// The line.
        line: String,
    },
}

/// `leader-epoch-checkpoint`: each term and its first offset.
pub fn encode_epochs(starts: impl ExactSizeIterator<Item = (LeaderEpoch, Offset)>) -> String {
    let mut text = format!("0\n{}\n", starts.len());
    for (epoch, start) in starts {
        // Writing into a string cannot fail.
        let _ = writeln!(text, "{epoch} {start}");
    }
    text
}

/// Reads what [`encode_epochs`] wrote, or Kafka.
pub fn decode_epochs(text: &str) -> Result<Vec<(LeaderEpoch, Offset)>, CheckpointError> {
    lines(text, |line| {
        let (epoch, start) = line.split_once(' ')?;
        Some((LeaderEpoch(number(epoch)?), Offset(number(start)?)))
    })
}

/// `recovery-point-offset-checkpoint` and its kin: an offset per partition.
pub fn encode_offsets<'a>(
    offsets: impl ExactSizeIterator<Item = (&'a str, PartitionIndex, Offset)>,
) -> String {
    let mut text = format!("0\n{}\n", offsets.len());
    for (topic, index, offset) in offsets {
        let _ = writeln!(text, "{topic} {index} {offset}");
    }
    text
}

/// Reads what [`encode_offsets`] wrote, or Kafka.
pub fn decode_offsets(
    text: &str,
) -> Result<Vec<(String, PartitionIndex, Offset)>, CheckpointError> {
    lines(text, |line| {
        let mut words = line.split(' ');
        let topic = words.next().filter(|topic| !topic.is_empty())?.to_owned();
        let index = PartitionIndex(number(words.next()?)?);
        let offset = Offset(number(words.next()?)?);
        words.next().is_none().then_some((topic, index, offset))
    })
}

/// `partition.metadata`.
pub fn encode_partition_metadata(topic_id: TopicId) -> String {
    format!("{METADATA_VERSION}\ntopic_id: {topic_id}\n")
}

/// Reads what [`encode_partition_metadata`] wrote, or Kafka.
pub fn decode_partition_metadata(text: &str) -> Result<TopicId, CheckpointError> {
    let (version, rest) = text.split_once('\n').unwrap_or((text, ""));
    if version.trim_end() != METADATA_VERSION {
        let found = version.to_owned();
        return Err(CheckpointError::Version {
            found,
            expected: METADATA_VERSION,
        });
    }
    let line = rest.trim_end();
    let id = line.strip_prefix("topic_id: ").and_then(TopicId::parse);
    id.filter(|id| *id != TopicId::ZERO)
        .ok_or_else(|| CheckpointError::Line {
            line: line.to_owned(),
        })
}

fn lines<T>(text: &str, parse: impl Fn(&str) -> Option<T>) -> Result<Vec<T>, CheckpointError> {
    let mut all = text.lines();
    let version = all.next().unwrap_or_default();
    if version != "0" {
        let found = version.to_owned();
        return Err(CheckpointError::Version {
            found,
            expected: "0",
        });
    }
    let count = all.next().unwrap_or_default();
    let rest = all.clone().count();
    if count.parse() != Ok(rest) {
        return Err(CheckpointError::Count {
            found: count.to_owned(),
            lines: rest,
        });
    }
    let line = |line: &str| {
        parse(line).ok_or_else(|| CheckpointError::Line {
            line: line.to_owned(),
        })
    };
    all.map(line).collect()
}

/// A number that is not negative: offsets and epochs on disk never are.
fn number<T: std::str::FromStr + PartialOrd + Default>(word: &str) -> Option<T> {
    word.parse().ok().filter(|number| *number >= T::default())
}

const METADATA_VERSION: &str = "version: 0";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn epochs_round_trip() {
        let starts = [(LeaderEpoch(0), Offset(0)), (LeaderEpoch(4), Offset(1_000))];
        let text = encode_epochs(starts.into_iter());
        assert_eq!(text, "0\n2\n0 0\n4 1000\n");
        assert_eq!(decode_epochs(&text), Ok(starts.to_vec()));
        assert_eq!(decode_epochs("0\n0\n"), Ok(Vec::new()));
    }

    #[test]
    fn offsets_round_trip() {
        let text = encode_offsets([("a-b", PartitionIndex(2), Offset(7))].into_iter());
        assert_eq!(text, "0\n1\na-b 2 7\n");
        assert_eq!(
            decode_offsets(&text),
            Ok(vec![("a-b".to_owned(), PartitionIndex(2), Offset(7))])
        );
    }

    #[test]
    fn partition_metadata_round_trips() {
        let id = TopicId([9; 16]);
        let text = encode_partition_metadata(id);
        assert_eq!(text, "version: 0\ntopic_id: CQkJCQkJCQkJCQkJCQkJCQ\n");
        assert_eq!(decode_partition_metadata(&text), Ok(id));
        for bad in [
            "",
            "version: 1\n",
            "version: 0\n",
            "version: 0\ntopic_id: x",
        ] {
            assert!(decode_partition_metadata(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn damage_is_named() {
        assert!(matches!(
            decode_epochs(""),
            Err(CheckpointError::Version { .. })
        ));
        assert!(matches!(
            decode_epochs("1\n0\n"),
            Err(CheckpointError::Version { .. })
        ));
        assert!(matches!(
            decode_epochs("0\n2\n0 0\n"),
            Err(CheckpointError::Count { .. })
        ));
        assert!(matches!(
            decode_epochs("0\n1\n0 -5\n"),
            Err(CheckpointError::Line { .. })
        ));
        assert!(matches!(
            decode_offsets("0\n1\na b 1\n"),
            Err(CheckpointError::Line { .. })
        ));
        assert!(matches!(
            decode_offsets("0\n1\na 1 1 1\n"),
            Err(CheckpointError::Line { .. })
        ));
    }
}
