//! IncrementalAlterConfigs: single values of resources set, deleted, or changed as lists (KIP-339).

use logmill_wire::messages::incremental_alter_configs::{
    AlterConfigsResourceResponse, IncrementalAlterConfigsRequest, IncrementalAlterConfigsResponse,
};
use logmill_wire::{EncodeError, Message, Writer};

use super::alter_configs::{Results, answers, command, named, operation};
use crate::handlers::context::{Planned, RequestContext, Suspended};
use crate::metadata::{AlteredResource, OperationKind};

/// Asks for the changes.
#[must_use]
pub fn plan(request: &IncrementalAlterConfigsRequest<'_>) -> Planned {
    let resources = request.resources.iter().map(|resource| AlteredResource {
        resource: named(resource.resource_type, resource.resource_name),
        replaces: false,
        operations: resource
            .configs
            .iter()
            .map(|config| {
                let kind = OperationKind::from_i8(config.config_operation);
                operation(config.name, kind, config.value)
            })
            .collect(),
    });
    command(
        resources.collect(),
        request.validate_only,
        Suspended::IncrementalAlterConfigs,
    )
}

/// Writes the answer.
///
/// # Errors
/// An answer that its version cannot hold.
pub fn reply(
    ctx: &RequestContext<'_>,
    results: &Results,
    out: &mut Writer,
) -> Result<(), EncodeError> {
    let answers = answers(results);
    let rows = answers.iter().map(|answer| AlterConfigsResourceResponse {
        error_code: answer.error_code,
        error_message: answer.message.as_deref(),
        resource_type: answer.resource.kind.0,
        resource_name: &answer.resource.name,
    });
    let response = IncrementalAlterConfigsResponse {
        responses: rows.collect::<Vec<_>>().into(),
        ..IncrementalAlterConfigsResponse::default()
    };
    response.encode(out, ctx.version)
}
