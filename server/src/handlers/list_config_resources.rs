//! ListConfigResources: what has a configuration (KIP-1142).

use logmill_wire::messages::list_config_resources::{
    ConfigResource, ListConfigResourcesRequest, ListConfigResourcesResponse,
};
use logmill_wire::{EncodeError, ErrorCode, Message, Writer};

use crate::handlers::context::RequestContext;
use crate::metadata::{MetadataImage, ResourceType};

/// Answers.
///
/// # Errors
/// An answer that its version cannot hold.
pub fn answer(
    ctx: &RequestContext<'_>,
    request: &ListConfigResourcesRequest<'_>,
    out: &mut Writer,
) -> Result<(), EncodeError> {
    /// Before it, only client metrics were listed.
    const TYPES_SINCE: i16 = 1;
    let mut kinds: Vec<ResourceType> = match ctx.version {
        ..TYPES_SINCE => vec![ResourceType::CLIENT_METRICS],
        _ if request.resource_types.is_empty() => KINDS.to_vec(),
        _ => request.resource_types.iter().map(ResourceType).collect(),
    };
    kinds.sort_unstable();
    kinds.dedup();
    if !kinds.iter().all(|kind| KINDS.contains(kind)) {
        let refusal = ListConfigResourcesResponse {
            error_code: ErrorCode::UNSUPPORTED_VERSION.0,
            ..ListConfigResourcesResponse::default()
        };
        return refusal.encode(out, ctx.version);
    }
    let brokers: Vec<String> = ctx.image.brokers().map(|it| it.id.to_string()).collect();
    let resources: Vec<_> = kinds
        .iter()
        .flat_map(|kind| {
            let named = names(ctx.image, &brokers, *kind);
            named.map(|resource_name| ConfigResource {
                resource_name,
                resource_type: kind.0,
            })
        })
        .collect();
    let response = ListConfigResourcesResponse {
        config_resources: resources.into(),
        ..ListConfigResourcesResponse::default()
    };
    response.encode(out, ctx.version)
}

/// Topics and brokers always have a configuration, others only where they have values.
fn names<'a>(
    image: &'a MetadataImage,
    brokers: &'a [String],
    kind: ResourceType,
) -> Box<dyn Iterator<Item = &'a str> + 'a> {
    match kind {
        ResourceType::TOPIC => Box::new(image.topics().map(|topic| &*topic.name)),
        ResourceType::BROKER | ResourceType::BROKER_LOGGER => {
            Box::new(brokers.iter().map(String::as_str))
        }
        kind => Box::new(image.config_resources(kind).map(|it| it.name.as_str())),
    }
}

const KINDS: [ResourceType; 5] = [
    ResourceType::TOPIC,
    ResourceType::BROKER,
    ResourceType::BROKER_LOGGER,
    ResourceType::CLIENT_METRICS,
    ResourceType::GROUP,
];
