//! Metadata: brokers, topics, partitions and their leaders; creates topics that are asked about.

use std::collections::BTreeSet;

use logmill_engine::base::TopicId;
use logmill_wire::messages::metadata::{
    MetadataRequest, MetadataResponse, MetadataResponseBroker, MetadataResponsePartition,
    MetadataResponseTopic,
};
use logmill_wire::{Array, EncodeError, ErrorCode, Message, Uuid, Writer};

use crate::error::KafkaError;
use crate::handlers::authorized;
use crate::handlers::context::{Planned, RequestContext, Suspended};
use crate::metadata::{
    MetadataCommand, MetadataError, PartitionImage, TopicImage, check_topic_name, is_internal,
};

/// A request as it waits for topics to be created.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query {
    topics: Topics,
    cluster_operations: bool,
    topic_operations: bool,
}

/// What is asked about.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Topics {
    All,
    Names(BTreeSet<String>),
    Ids(BTreeSet<TopicId>),
    /// Names where only ids may be, or the other way round: refused, name by name.
    Invalid(Vec<(String, TopicId)>),
}

/// Answers, or asks for the topics that are to be created.
///
/// # Errors
/// An answer that its version cannot hold.
pub fn plan(
    ctx: &RequestContext<'_>,
    request: &MetadataRequest<'_>,
    out: &mut Writer,
) -> Result<Planned, EncodeError> {
    let query = Query::new(ctx.version, request);
    let creates = ctx.config.auto_create_topics && request.allow_auto_topic_creation;
    if let (true, Topics::Names(names)) = (creates, &query.topics) {
        let missing: Vec<String> = names
            .iter()
            .filter(|name| ctx.image.topic(name).is_none())
            .filter(|name| check_topic_name(name).is_ok() && !is_internal(name))
            .cloned()
            .collect();
        if !missing.is_empty() {
            return Ok(Planned::Command {
                command: MetadataCommand::AutoCreate(missing),
                suspended: Suspended::Metadata(query),
            });
        }
    }
    reply(ctx, &query, &[], out)?;
    Ok(Planned::Answered)
}

/// Writes the answer; `created` says what became of topics that were to be created.
///
/// # Errors
/// An answer that its version cannot hold.
pub fn reply(
    ctx: &RequestContext<'_>,
    query: &Query,
    created: &[(String, Result<(), MetadataError>)],
    out: &mut Writer,
) -> Result<(), EncodeError> {
    let broker = ctx.broker;
    let brokers = [MetadataResponseBroker {
        node_id: broker.node_id,
        host: &broker.host,
        port: i32::from(broker.port),
        rack: broker.rack.as_deref(),
    }];
    let mut response = MetadataResponse {
        brokers: Array::Slice(&brokers),
        cluster_id: Some(&broker.cluster_id),
        controller_id: broker.node_id,
        topics: topics(ctx, query, created).into(),
        ..MetadataResponse::default()
    };
    if query.cluster_operations {
        response.cluster_authorized_operations = authorized::CLUSTER;
    }
    if let Topics::Invalid(_) = query.topics {
        response = MetadataResponse {
            topics: response.topics,
            ..MetadataResponse::default()
        };
    }
    response.encode(out, ctx.version)
}

impl Query {
    fn new(version: i16, request: &MetadataRequest<'_>) -> Self {
        Self {
            topics: Topics::new(version, request),
            cluster_operations: request.include_cluster_authorized_operations,
            topic_operations: request.include_topic_authorized_operations,
        }
    }
}

impl Topics {
    fn new(version: i16, request: &MetadataRequest<'_>) -> Self {
        /// Versions 10 and 11 have the field for ids and do not serve it.
        const IDS_SINCE: i16 = 12;
        let Some(topics) = &request.topics else {
            return Self::All;
        };
        if version == 0 && topics.is_empty() {
            return Self::All;
        }
        let bad = |name: Option<&str>, id: Uuid| name.is_none() || !id.is_zero();
        if version < IDS_SINCE && topics.iter().any(|topic| bad(topic.name, topic.topic_id)) {
            let all = topics.iter();
            return Self::Invalid(
                all.map(|topic| {
                    (
                        topic.name.unwrap_or_default().to_owned(),
                        TopicId(topic.topic_id.0),
                    )
                })
                .collect(),
            );
        }
        let ids: BTreeSet<TopicId> = topics
            .iter()
            .filter(|topic| !topic.topic_id.is_zero())
            .map(|topic| TopicId(topic.topic_id.0))
            .collect();
        if ids.is_empty() {
            return Self::Names(
                topics
                    .iter()
                    .filter_map(|t| t.name.map(str::to_owned))
                    .collect(),
            );
        }
        Self::Ids(ids)
    }
}

fn topics<'a>(
    ctx: &RequestContext<'a>,
    query: &'a Query,
    created: &[(String, Result<(), MetadataError>)],
) -> Vec<MetadataResponseTopic<'a>> {
    let operations = query.topic_operations;
    match &query.topics {
        Topics::All => ctx
            .image
            .topics()
            .map(|topic| found(topic, operations))
            .collect(),
        Topics::Names(names) => names
            .iter()
            .map(|name| match ctx.image.topic(name) {
                Some(topic) => found(topic, operations),
                None => not_found(name, created),
            })
            .collect(),
        Topics::Ids(ids) => ids
            .iter()
            .map(|id| match ctx.image.topic_by_id(*id) {
                Some(topic) => found(topic, operations),
                None => MetadataResponseTopic {
                    error_code: ErrorCode::UNKNOWN_TOPIC_ID.0,
                    name: None,
                    topic_id: Uuid(id.0),
                    ..MetadataResponseTopic::default()
                },
            })
            .collect(),
        Topics::Invalid(topics) => topics
            .iter()
            .map(|(name, id)| MetadataResponseTopic {
                error_code: ErrorCode::INVALID_REQUEST.0,
                name: Some(name),
                topic_id: Uuid(id.0),
                ..MetadataResponseTopic::default()
            })
            .collect(),
    }
}

fn found(topic: &TopicImage, operations: bool) -> MetadataResponseTopic<'_> {
    let partitions: Vec<_> = topic.partitions.iter().map(partition).collect();
    let mut answer = MetadataResponseTopic {
        error_code: ErrorCode::NONE.0,
        name: Some(&topic.name),
        topic_id: Uuid(topic.id.0),
        is_internal: topic.is_internal(),
        partitions: partitions.into(),
        ..MetadataResponseTopic::default()
    };
    if operations {
        answer.topic_authorized_operations = authorized::TOPIC;
    }
    answer
}

fn partition(partition: &PartitionImage) -> MetadataResponsePartition<'_> {
    let error = if partition.leader < 0 {
        ErrorCode::LEADER_NOT_AVAILABLE
    } else {
        ErrorCode::NONE
    };
    MetadataResponsePartition {
        error_code: error.0,
        partition_index: partition.index.0,
        leader_id: partition.leader,
        leader_epoch: partition.leader_epoch.0,
        replica_nodes: Array::Slice(&partition.replicas),
        isr_nodes: Array::Slice(&partition.isr),
        offline_replicas: Array::empty(),
    }
}

fn not_found<'a>(
    name: &'a str,
    created: &[(String, Result<(), MetadataError>)],
) -> MetadataResponseTopic<'a> {
    let refused = created.iter().find(|(asked, _)| asked == name);
    let error = match refused {
        Some((_, Err(error))) => error.code(),
        // Created, and deleted again before this answer.
        Some((_, Ok(()))) => ErrorCode::UNKNOWN_TOPIC_OR_PARTITION,
        None if check_topic_name(name).is_err() => ErrorCode::INVALID_TOPIC_EXCEPTION,
        None => ErrorCode::UNKNOWN_TOPIC_OR_PARTITION,
    };
    MetadataResponseTopic {
        error_code: error.0,
        name: Some(name),
        is_internal: is_internal(name),
        ..MetadataResponseTopic::default()
    }
}
