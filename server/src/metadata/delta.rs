//! What changed from one image to the next.

use std::sync::Arc;

use logmill_engine::base::{Offset, PartitionIndex};

use crate::metadata::image::{ConfigResource, TopicImage};

/// What changed; each topic stands in at most one of the lists.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MetadataDelta {
    /// The last record that it holds.
    pub offset: Offset,
    /// Topics that are new, as they are.
    pub created: Vec<Arc<TopicImage>>,
    /// Topics that are gone, as they were. One of the same name may be among the created.
    pub deleted: Vec<Arc<TopicImage>>,
    /// Topics with new or changed partitions.
    pub changed: Vec<TopicChange>,
    /// Resources whose configuration changed.
    pub configs: Vec<ConfigResource>,
}

/// New or changed partitions of a topic that was there before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TopicChange {
    /// The topic as it is.
    pub topic: Arc<TopicImage>,
    /// Partitions that are new or differ from what they were.
    pub partitions: Vec<PartitionIndex>,
}

impl MetadataDelta {
    /// Whether anything changed that a shard acts on.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.created.is_empty()
            && self.deleted.is_empty()
            && self.changed.is_empty()
            && self.configs.is_empty()
    }
}
