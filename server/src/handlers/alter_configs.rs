//! AlterConfigs: all values of resources, in place of those they had.

use logmill_wire::messages::alter_configs::{
    AlterConfigsRequest, AlterConfigsResource, AlterConfigsResourceResponse, AlterConfigsResponse,
};
use logmill_wire::{EncodeError, ErrorCode, Message, Writer};

use crate::error::KafkaError;
use crate::handlers::context::{Planned, RequestContext, Suspended};
use crate::metadata::{
    AlterConfigs, AlteredResource, ConfigOperation, ConfigResource, MetadataCommand, MetadataError,
    OperationKind, ResourceType,
};

/// Asks for the values.
#[must_use]
pub fn plan(request: &AlterConfigsRequest<'_>) -> Planned {
    let resources = request.resources.iter().map(|it| altered(&it)).collect();
    Planned::Command {
        command: MetadataCommand::AlterConfigs(AlterConfigs {
            resources,
            validate_only: request.validate_only,
        }),
        suspended: Suspended::AlterConfigs,
    }
}

/// Writes the answer.
///
/// # Errors
/// An answer that its version cannot hold.
pub fn reply(
    ctx: &RequestContext<'_>,
    resources: &[(ConfigResource, Result<(), MetadataError>)],
    out: &mut Writer,
) -> Result<(), EncodeError> {
    let messages: Vec<Option<String>> = resources.iter().map(|(_, it)| message(it)).collect();
    let responses: Vec<_> = resources
        .iter()
        .zip(&messages)
        .map(
            |((resource, result), message)| AlterConfigsResourceResponse {
                error_code: code(result).0,
                error_message: message.as_deref(),
                resource_type: resource.kind.0,
                resource_name: &resource.name,
            },
        )
        .collect();
    let response = AlterConfigsResponse {
        responses: responses.into(),
        ..AlterConfigsResponse::default()
    };
    response.encode(out, ctx.version)
}

/// What is wrong, in words.
pub(super) fn message(result: &Result<(), MetadataError>) -> Option<String> {
    result.as_ref().err().map(ToString::to_string)
}

/// What is wrong, by its code.
pub(super) fn code(result: &Result<(), MetadataError>) -> ErrorCode {
    let error = result.as_ref().err();
    error.map_or(ErrorCode::NONE, KafkaError::code)
}

fn altered(resource: &AlterConfigsResource<'_>) -> AlteredResource {
    let operations = resource.configs.iter().map(|config| ConfigOperation {
        name: config.name.to_owned(),
        kind: OperationKind::Set,
        value: config.value.map(str::to_owned),
    });
    AlteredResource {
        resource: ConfigResource {
            kind: ResourceType(resource.resource_type),
            name: resource.resource_name.to_owned(),
        },
        replaces: true,
        operations: operations.collect(),
    }
}
