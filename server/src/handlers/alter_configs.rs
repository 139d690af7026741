//! AlterConfigs: all values of resources, in place of those they had; and what it shares with
//! IncrementalAlterConfigs.

use logmill_wire::messages::alter_configs::{
    AlterConfigsRequest, AlterConfigsResourceResponse, AlterConfigsResponse,
};
use logmill_wire::{EncodeError, Message, Writer};

use crate::error::{code_of, message_of};
use crate::handlers::context::{Planned, RequestContext, Suspended};
use crate::metadata::{
    AlterConfigs, AlteredResource, ConfigOperation, ConfigResource, MetadataCommand, MetadataError,
    OperationKind, ResourceType,
};

/// What came of each resource.
pub type Results = [(ConfigResource, Result<(), MetadataError>)];

/// Asks for the values.
#[must_use]
pub fn plan(request: &AlterConfigsRequest<'_>) -> Planned {
    let resources = request.resources.iter().map(|resource| AlteredResource {
        resource: named(resource.resource_type, resource.resource_name),
        replaces: true,
        operations: resource
            .configs
            .iter()
            .map(|config| operation(config.name, OperationKind::Set, config.value))
            .collect(),
    });
    command(
        resources.collect(),
        request.validate_only,
        Suspended::AlterConfigs,
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
    let response = AlterConfigsResponse {
        responses: rows.collect::<Vec<_>>().into(),
        ..AlterConfigsResponse::default()
    };
    response.encode(out, ctx.version)
}

/// What a resource is answered.
pub(super) struct Answer<'a> {
    pub resource: &'a ConfigResource,
    pub error_code: i16,
    pub message: Option<String>,
}

pub(super) fn answers(results: &Results) -> Vec<Answer<'_>> {
    let results = results.iter();
    let answers = results.map(|(resource, result)| Answer {
        resource,
        error_code: code_of(result).0,
        message: message_of(result),
    });
    answers.collect()
}

pub(super) fn command(
    resources: Vec<AlteredResource>,
    validate_only: bool,
    suspended: Suspended,
) -> Planned {
    Planned::Command {
        command: MetadataCommand::AlterConfigs(AlterConfigs {
            resources,
            validate_only,
        }),
        suspended,
    }
}

pub(super) fn named(kind: i8, name: &str) -> ConfigResource {
    ConfigResource {
        kind: ResourceType(kind),
        name: name.to_owned(),
    }
}

pub(super) fn operation(name: &str, kind: OperationKind, value: Option<&str>) -> ConfigOperation {
    ConfigOperation {
        name: name.to_owned(),
        kind,
        value: value.map(str::to_owned),
    }
}
