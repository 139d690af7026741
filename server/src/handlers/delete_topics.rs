//! DeleteTopics: topics go, by name or, from version 6, by id.

use logmill_engine::base::TopicId;
use logmill_wire::messages::delete_topics::{
    DeletableTopicResult, DeleteTopicsRequest, DeleteTopicsResponse,
};
use logmill_wire::{EncodeError, ErrorCode, Message, Uuid, Writer};

use crate::error::{KafkaError, message_of};
use crate::handlers::context::{Planned, RequestContext, Suspended};
use crate::metadata::{DeleteTopics, MetadataCommand, MetadataError, TopicRef};

/// Asks for the topics to go.
#[must_use]
pub fn plan(ctx: &RequestContext<'_>, request: &DeleteTopicsRequest<'_>) -> Planned {
    const BY_ID_SINCE: i16 = 6;
    let topics = if ctx.version >= BY_ID_SINCE {
        request
            .topics
            .iter()
            .map(|topic| match (topic.name, topic.topic_id) {
                (Some(name), Uuid::ZERO) => TopicRef::Name(name.to_owned()),
                (Some(name), id) => TopicRef::Both(name.to_owned(), TopicId(id.0)),
                (None, Uuid::ZERO) => TopicRef::Neither,
                (None, id) => TopicRef::Id(TopicId(id.0)),
            })
            .collect()
    } else {
        request
            .topic_names
            .iter()
            .map(|name| TopicRef::Name(name.to_owned()))
            .collect()
    };
    Planned::Command {
        command: MetadataCommand::DeleteTopics(DeleteTopics { topics }),
        suspended: Suspended::DeleteTopics,
    }
}

/// Writes the answer.
///
/// # Errors
/// An answer that its version cannot hold.
pub fn reply(
    ctx: &RequestContext<'_>,
    topics: &[(Option<String>, TopicId, Result<(), MetadataError>)],
    out: &mut Writer,
) -> Result<(), EncodeError> {
    let messages: Vec<Option<String>> = topics
        .iter()
        .map(|(_, _, result)| message_of(result))
        .collect();
    let responses: Vec<_> = topics
        .iter()
        .zip(&messages)
        .map(|((name, id, result), message)| DeletableTopicResult {
            name: name.as_deref(),
            topic_id: Uuid(id.0),
            error_code: result
                .as_ref()
                .err()
                .map_or(ErrorCode::NONE, |e| code(ctx, e))
                .0,
            error_message: message.as_deref(),
        })
        .collect();
    let response = DeleteTopicsResponse {
        responses: responses.into(),
        ..DeleteTopicsResponse::default()
    };
    response.encode(out, ctx.version)
}

/// Clients before version 3 do not know of disabled deletion.
fn code(ctx: &RequestContext<'_>, error: &MetadataError) -> ErrorCode {
    const DISABLED_SINCE: i16 = 3;
    match error {
        MetadataError::DeletionDisabled if ctx.version < DISABLED_SINCE => {
            ErrorCode::INVALID_REQUEST
        }
        error => error.code(),
    }
}
