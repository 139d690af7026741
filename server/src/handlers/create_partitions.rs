//! CreatePartitions: more partitions for topics that are there.

use logmill_wire::messages::create_partitions::{
    CreatePartitionsRequest, CreatePartitionsResponse, CreatePartitionsTopicResult,
};
use logmill_wire::{EncodeError, Message, Writer};

use crate::error::{code_of, message_of};
use crate::handlers::context::{Planned, RequestContext, Suspended};
use crate::metadata::{CreatePartitions, MetadataCommand, MetadataError, NewPartitions};

/// Asks for the partitions.
#[must_use]
pub fn plan(request: &CreatePartitionsRequest<'_>) -> Planned {
    let topics = request
        .topics
        .iter()
        .map(|topic| NewPartitions {
            name: topic.name.to_owned(),
            count: topic.count,
            assignments: topic.assignments.map(|list| {
                list.iter()
                    .map(|brokers| brokers.broker_ids.to_vec())
                    .collect()
            }),
        })
        .collect();
    Planned::Command {
        command: MetadataCommand::CreatePartitions(CreatePartitions {
            topics,
            validate_only: request.validate_only,
        }),
        suspended: Suspended::CreatePartitions,
    }
}

/// Writes the answer.
///
/// # Errors
/// An answer that its version cannot hold.
pub fn reply(
    ctx: &RequestContext<'_>,
    topics: &[(String, Result<(), MetadataError>)],
    out: &mut Writer,
) -> Result<(), EncodeError> {
    let messages: Vec<Option<String>> = topics
        .iter()
        .map(|(_, result)| message_of(result))
        .collect();
    let results: Vec<_> = topics
        .iter()
        .zip(&messages)
        .map(|((name, result), message)| CreatePartitionsTopicResult {
            name,
            error_code: code_of(result).0,
            error_message: message.as_deref(),
        })
        .collect();
    let response = CreatePartitionsResponse {
        results: results.into(),
        ..CreatePartitionsResponse::default()
    };
    response.encode(out, ctx.version)
}
