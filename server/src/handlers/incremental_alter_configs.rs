//! IncrementalAlterConfigs: single values of resources set, deleted, or changed as lists (KIP-339).

use logmill_wire::messages::incremental_alter_configs::{
    AlterConfigsResource, AlterConfigsResourceResponse, IncrementalAlterConfigsRequest,
    IncrementalAlterConfigsResponse,
};
use logmill_wire::{EncodeError, Message, Writer};

use super::alter_configs::{code, message};
use crate::handlers::context::{Planned, RequestContext, Suspended};
use crate::metadata::{
    AlterConfigs, AlteredResource, ConfigOperation, ConfigResource, MetadataCommand, MetadataError,
    OperationKind, ResourceType,
};

/// Asks for the changes.
#[must_use]
pub fn plan(request: &IncrementalAlterConfigsRequest<'_>) -> Planned {
    let resources = request.resources.iter().map(|it| altered(&it)).collect();
    Planned::Command {
        command: MetadataCommand::AlterConfigs(AlterConfigs {
            resources,
            validate_only: request.validate_only,
        }),
        suspended: Suspended::IncrementalAlterConfigs,
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
    let response = IncrementalAlterConfigsResponse {
        responses: responses.into(),
        ..IncrementalAlterConfigsResponse::default()
    };
    response.encode(out, ctx.version)
}

fn altered(resource: &AlterConfigsResource<'_>) -> AlteredResource {
    let operations = resource.configs.iter().map(|config| ConfigOperation {
        name: config.name.to_owned(),
        kind: OperationKind::from_i8(config.config_operation),
        value: config.value.map(str::to_owned),
    });
    AlteredResource {
        resource: ConfigResource {
            kind: ResourceType(resource.resource_type),
            name: resource.resource_name.to_owned(),
        },
        replaces: false,
        operations: operations.collect(),
    }
}
