//! CreateTopics: new topics, or only the answer whether they could be.

use logmill_wire::messages::create_topics::{
    CreatableTopic, CreatableTopicConfigs, CreatableTopicResult, CreateTopicsRequest,
    CreateTopicsResponse,
};
use logmill_wire::{EncodeError, Message, Uuid, Writer};

use crate::config::describe::{Entry, topic_entries};
use crate::error::{KafkaError, message_of};
use crate::handlers::context::{Planned, RequestContext, Suspended};
use crate::metadata::{CreateTopics, CreatedTopic, MetadataCommand, MetadataError, NewTopic};

/// Asks for the topics.
#[must_use]
pub fn plan(request: &CreateTopicsRequest<'_>) -> Planned {
    let topics = request
        .topics
        .iter()
        .map(|topic| new_topic(&topic))
        .collect();
    Planned::Command {
        command: MetadataCommand::CreateTopics(CreateTopics {
            topics,
            validate_only: request.validate_only,
        }),
        suspended: Suspended::CreateTopics,
    }
}

/// Writes the answer.
///
/// # Errors
/// An answer that its version cannot hold.
pub fn reply(
    ctx: &RequestContext<'_>,
    topics: &[(String, Result<CreatedTopic, MetadataError>)],
    out: &mut Writer,
) -> Result<(), EncodeError> {
    let messages: Vec<Option<String>> = topics
        .iter()
        .map(|(_, result)| message_of(result))
        .collect();
    let entries: Vec<Vec<Entry>> = topics
        .iter()
        .map(|(_, result)| match result {
            Ok(topic) => configs(ctx, topic),
            Err(_) => Vec::new(),
        })
        .collect();
    let results: Vec<CreatableTopicResult<'_>> = topics
        .iter()
        .zip(messages.iter().zip(&entries))
        .map(|((name, result), (message, entries))| match result {
            Ok(topic) => created(name, topic, entries),
            Err(error) => CreatableTopicResult {
                name,
                error_code: error.code().0,
                error_message: message.as_deref(),
                ..CreatableTopicResult::default()
            },
        })
        .collect();
    let response = CreateTopicsResponse {
        topics: results.into(),
        ..CreateTopicsResponse::default()
    };
    response.encode(out, ctx.version)
}

fn new_topic(topic: &CreatableTopic<'_>) -> NewTopic {
    NewTopic {
        name: topic.name.to_owned(),
        partitions: topic.num_partitions,
        replication_factor: topic.replication_factor,
        assignments: topic
            .assignments
            .iter()
            .map(|assignment| (assignment.partition_index, assignment.broker_ids.to_vec()))
            .collect(),
        configs: topic
            .configs
            .iter()
            .map(|config| (config.name.to_owned(), config.value.map(str::to_owned)))
            .collect(),
    }
}

fn configs(ctx: &RequestContext<'_>, topic: &CreatedTopic) -> Vec<Entry> {
    topic_entries(&ctx.config.settings, &topic.configs).collect()
}

fn created<'a>(
    name: &'a str,
    topic: &CreatedTopic,
    entries: &'a [Entry],
) -> CreatableTopicResult<'a> {
    let configs: Vec<_> = entries
        .iter()
        .map(|entry| CreatableTopicConfigs {
            name: entry.key.name,
            value: entry.value.as_deref(),
            read_only: entry.is_read_only(false),
            config_source: entry.source as i8,
            is_sensitive: entry.is_sensitive(),
        })
        .collect();
    CreatableTopicResult {
        name,
        topic_id: Uuid(topic.id.0),
        error_message: None,
        num_partitions: topic.partitions,
        replication_factor: topic.replication_factor,
        configs: Some(configs.into()),
        ..CreatableTopicResult::default()
    }
}
