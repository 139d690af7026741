//! Which names a topic may have, and which may not stand beside each other.

use crate::metadata::image::MetadataImage;

/// Why a name is not one for a topic (Kafka's INVALID_TOPIC_EXCEPTION).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TopicNameError {
    /// Nothing.
    #[error("a topic's name must not be empty")]
    Empty,
    /// `.` or `..`, which are directories.
    #[error("{0:?} cannot be a topic's name")]
    Dots(String),
    /// More than 249 characters.
    #[error("a topic's name has at most {NAME_MAX} characters, not {0}")]
    TooLong(usize),
    /// Other characters than letters and digits of ASCII, `.`, `_` and `-`.
    #[error("{0:?} has characters other than ASCII letters and digits, '.', '_' and '-'")]
    Characters(String),
    /// Metric names cannot tell the two apart.
    #[error("{new:?} differs from the topic {existing:?} only in '.' and '_'")]
    Collides {
        /// The name that was asked for.
        new: String,
        /// The topic that is there.
        existing: String,
    },
}

/// Checks a name by itself.
///
/// # Errors
/// What is wrong with it.
pub fn check_topic_name(name: &str) -> Result<(), TopicNameError> {
    let good = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    if name.is_empty() {
        Err(TopicNameError::Empty)
    } else if name == "." || name == ".." {
        Err(TopicNameError::Dots(name.to_owned()))
    } else if name.len() > NAME_MAX {
        Err(TopicNameError::TooLong(name.chars().count()))
    } else if !name.bytes().all(good) {
        Err(TopicNameError::Characters(name.to_owned()))
    } else {
        Ok(())
    }
}

/// Checks a new name beside the topics that are there.
///
/// # Errors
/// The topic that it collides with.
pub(super) fn check_collision(image: &MetadataImage, name: &str) -> Result<(), TopicNameError> {
    if !name.contains(['.', '_']) {
        return Ok(());
    }
    match image.topics().find(|topic| collides(&topic.name, name)) {
        None => Ok(()),
        Some(topic) => Err(TopicNameError::Collides {
            new: name.to_owned(),
            existing: topic.name.to_string(),
        }),
    }
}

/// Whether two different names are one to a metric, where `.` is written as `_`.
pub(super) fn collides(a: &str, b: &str) -> bool {
    let plain = |byte: u8| if byte == b'.' { b'_' } else { byte };
    a != b && a.len() == b.len() && a.bytes().map(plain).eq(b.bytes().map(plain))
}

/// Whether a topic is one of Kafka's own, which only coordinators write to.
#[must_use]
pub fn is_internal(name: &str) -> bool {
    matches!(
        name,
        OFFSETS_TOPIC | "__transaction_state" | "__share_group_state"
    )
}

/// The topic that group coordinators keep their state in.
pub const OFFSETS_TOPIC: &str = "__consumer_offsets";

/// The metadata log's topic, which is none that a client may create.
pub(super) const CLUSTER_METADATA: &str = "__cluster_metadata";

/// Longest name: with the partition's number it has to be a file name.
const NAME_MAX: usize = 249;
