//! DescribeTopicPartitions: topics and partitions in pages (KIP-966).

use std::collections::BTreeSet;
use std::sync::Arc;

use logmill_wire::messages::describe_topic_partitions::{
    Cursor, DescribeTopicPartitionsRequest, DescribeTopicPartitionsResponse,
    DescribeTopicPartitionsResponsePartition, DescribeTopicPartitionsResponseTopic,
};
use logmill_wire::{Array, EncodeError, ErrorCode, Message, Uuid, Writer};

use crate::handlers::authorized;
use crate::handlers::context::RequestContext;
use crate::metadata::{PartitionImage, TopicImage, check_topic_name, is_internal};

/// Answers with one page: topics in the order of their names, from the cursor on.
///
/// # Errors
/// An answer that its version cannot hold.
pub fn answer(
    ctx: &RequestContext<'_>,
    request: &DescribeTopicPartitionsRequest<'_>,
    out: &mut Writer,
) -> Result<(), EncodeError> {
    let cursor = request.cursor.as_ref();
    if cursor.is_some_and(|cursor| !is_possible(cursor, request)) {
        return refuse(ctx, request, out);
    }
    let start = cursor.map_or("", |cursor| cursor.topic_name);
    let configured =
        i32::try_from(ctx.config.limits.partitions_per_description).unwrap_or(i32::MAX);
    let limit = request.response_partition_limit.min(configured).max(1);
    let mut page = Page {
        topics: Vec::new(),
        left: usize::try_from(limit).unwrap_or(1),
        next: None,
    };
    let first_index = |name: &str| match cursor {
        Some(cursor) if cursor.topic_name == name => {
            usize::try_from(cursor.partition_index).unwrap_or_default()
        }
        _ => 0,
    };
    if request.topics.is_empty() {
        for topic in ctx.image.topics_from(start) {
            if !page.add(&topic.name, Some(topic), first_index(&topic.name)) {
                break;
            }
        }
    } else {
        let names: BTreeSet<&str> = request.topics.iter().map(|topic| topic.name).collect();
        for name in names.range(start..) {
            if !page.add(name, ctx.image.topic(name), first_index(name)) {
                break;
            }
        }
    }
    let response = DescribeTopicPartitionsResponse {
        topics: page.topics.into(),
        next_cursor: page.next,
        ..DescribeTopicPartitionsResponse::default()
    };
    response.encode(out, ctx.version)
}

/// A page goes on at a topic that the request names, if it names any, and at one of its partitions.
fn is_possible(cursor: &Cursor<'_>, request: &DescribeTopicPartitionsRequest<'_>) -> bool {
    let mut named = request.topics.iter().map(|topic| topic.name);
    cursor.partition_index >= 0
        && (request.topics.is_empty() || named.any(|name| name == cursor.topic_name))
}

fn refuse(
    ctx: &RequestContext<'_>,
    request: &DescribeTopicPartitionsRequest<'_>,
    out: &mut Writer,
) -> Result<(), EncodeError> {
    let refused = |name| DescribeTopicPartitionsResponseTopic {
        error_code: ErrorCode::INVALID_REQUEST.0,
        name: Some(name),
        ..DescribeTopicPartitionsResponseTopic::default()
    };
    let topics = request.topics.iter().map(|topic| refused(topic.name));
    let response = DescribeTopicPartitionsResponse {
        topics: topics.collect(),
        ..DescribeTopicPartitionsResponse::default()
    };
    response.encode(out, ctx.version)
}

struct Page<'a> {
    topics: Vec<DescribeTopicPartitionsResponseTopic<'a>>,
    /// Partitions that still fit.
    left: usize,
    next: Option<Cursor<'a>>,
}

impl<'a> Page<'a> {
    /// Adds a topic's partitions from `first` on; false when the page is full.
    fn add(&mut self, name: &'a str, topic: Option<&'a Arc<TopicImage>>, first: usize) -> bool {
        if self.left == 0 {
            self.next = Some(Cursor {
                topic_name: name,
                partition_index: 0,
            });
            return false;
        }
        let Some(topic) = topic else {
            self.topics.push(unknown(name));
            return true;
        };
        let rest = topic.partitions.get(first..).unwrap_or_default();
        let taken = &rest[..rest.len().min(self.left)];
        let partitions: Vec<_> = taken.iter().map(partition).collect();
        self.topics.push(DescribeTopicPartitionsResponseTopic {
            error_code: ErrorCode::NONE.0,
            name: Some(name),
            topic_id: Uuid(topic.id.0),
            is_internal: topic.is_internal(),
            partitions: partitions.into(),
            topic_authorized_operations: authorized::TOPIC,
        });
        self.left -= taken.len();
        if taken.len() == rest.len() {
            return true;
        }
        let next = i32::try_from(first + taken.len()).unwrap_or(i32::MAX);
        self.next = Some(Cursor {
            topic_name: name,
            partition_index: next,
        });
        false
    }
}

fn unknown(name: &str) -> DescribeTopicPartitionsResponseTopic<'_> {
    let error = match check_topic_name(name) {
        Ok(()) => ErrorCode::UNKNOWN_TOPIC_OR_PARTITION,
        Err(_) => ErrorCode::INVALID_TOPIC_EXCEPTION,
    };
    DescribeTopicPartitionsResponseTopic {
        error_code: error.0,
        name: Some(name),
        is_internal: is_internal(name),
        // Known or not: nothing is forbidden here.
        topic_authorized_operations: authorized::TOPIC,
        ..DescribeTopicPartitionsResponseTopic::default()
    }
}

fn partition(partition: &PartitionImage) -> DescribeTopicPartitionsResponsePartition<'_> {
    let error = if partition.leader < 0 {
        ErrorCode::LEADER_NOT_AVAILABLE
    } else {
        ErrorCode::NONE
    };
    DescribeTopicPartitionsResponsePartition {
        error_code: error.0,
        partition_index: partition.index.0,
        leader_id: partition.leader,
        leader_epoch: partition.leader_epoch.0,
        replica_nodes: Array::Slice(&partition.replicas),
        isr_nodes: Array::Slice(&partition.isr),
        eligible_leader_replicas: Some(Array::empty()),
        last_known_elr: Some(Array::empty()),
        offline_replicas: Array::empty(),
    }
}
