//! DescribeConfigs: every key of a topic or of this broker, with its source and synonyms.

use std::collections::BTreeMap;
use std::sync::Arc;

use logmill_wire::messages::describe_configs::{
    DescribeConfigsRequest, DescribeConfigsResource, DescribeConfigsResourceResult,
    DescribeConfigsResponse, DescribeConfigsResult, DescribeConfigsSynonym,
};
use logmill_wire::{EncodeError, ErrorCode, Message, Writer};

use crate::config::describe::{Entry, Source, broker_entries, cluster_entries, topic_entries};
use crate::config::key::Kind;
use crate::handlers::context::RequestContext;
use crate::metadata::{ConfigResource, ResourceType, check_topic_name};

/// The message beside no error: empty where others leave it out, as Kafka has it.
const NO_ERROR: Option<&str> = Some("");

/// Answers.
///
/// # Errors
/// An answer that its version cannot hold.
pub fn answer(
    ctx: &RequestContext<'_>,
    request: &DescribeConfigsRequest<'_>,
    out: &mut Writer,
) -> Result<(), EncodeError> {
    let resources: Vec<DescribeConfigsResource<'_>> = request.resources.to_vec();
    let found: Vec<Found> = resources
        .iter()
        .map(|resource| find(ctx, resource))
        .collect();
    let results: Vec<_> = resources
        .iter()
        .zip(&found)
        .map(|(resource, found)| result(request, resource, found))
        .collect();
    let response = DescribeConfigsResponse {
        results: results.into(),
        ..DescribeConfigsResponse::default()
    };
    response.encode(out, ctx.version)
}

/// A resource's entries, or why there are none.
enum Found {
    Broker(Vec<Entry>),
    Topic(Vec<Entry>),
    Logger,
    Nothing,
    Refused(ErrorCode, String),
}

fn find(ctx: &RequestContext<'_>, resource: &DescribeConfigsResource<'_>) -> Found {
    let name = resource.resource_name;
    let own_number = ctx.broker.node_id.to_string();
    match ResourceType(resource.resource_type) {
        ResourceType::TOPIC => find_topic(ctx, name),
        ResourceType::BROKER if name.is_empty() => {
            Found::Broker(cluster_entries(&dynamic(ctx, "")).collect())
        }
        ResourceType::BROKER if name == own_number => {
            let (own, all) = (dynamic(ctx, name), dynamic(ctx, ""));
            let settings = &ctx.config.settings;
            Found::Broker(broker_entries(settings, &own, &all, ctx.broker.node_id).collect())
        }
        ResourceType::BROKER_LOGGER if name == own_number => Found::Logger,
        ResourceType::BROKER | ResourceType::BROKER_LOGGER => {
            let text = format!("this is broker {own_number}, not {name:?}");
            Found::Refused(ErrorCode::INVALID_REQUEST, text)
        }
        ResourceType::CLIENT_METRICS if !name.is_empty() => Found::Nothing,
        ResourceType::CLIENT_METRICS | ResourceType::GROUP => {
            let text = "groups and client metrics have no configuration here yet".to_owned();
            Found::Refused(ErrorCode::INVALID_REQUEST, text)
        }
        ResourceType(kind) => {
            let text = format!("no resource of the type {kind} has a configuration");
            Found::Refused(ErrorCode::INVALID_REQUEST, text)
        }
    }
}

fn find_topic(ctx: &RequestContext<'_>, name: &str) -> Found {
    if let Err(error) = check_topic_name(name) {
        return Found::Refused(ErrorCode::INVALID_TOPIC_EXCEPTION, error.to_string());
    }
    if ctx.image.topic(name).is_none() {
        let text = format!("there is no topic {name:?}");
        return Found::Refused(ErrorCode::UNKNOWN_TOPIC_OR_PARTITION, text);
    }
    let topic = ctx.image.topic_config(name);
    let own = dynamic(ctx, &ctx.broker.node_id.to_string());
    let all = dynamic(ctx, "");
    Found::Topic(topic_entries(&ctx.config.settings, &topic, &own, &all).collect())
}

fn dynamic(ctx: &RequestContext<'_>, name: &str) -> Arc<BTreeMap<String, String>> {
    ctx.image.config(&ConfigResource {
        kind: ResourceType::BROKER,
        name: name.to_owned(),
    })
}

fn result<'a>(
    request: &DescribeConfigsRequest<'a>,
    resource: &DescribeConfigsResource<'a>,
    found: &'a Found,
) -> DescribeConfigsResult<'a> {
    let (code, message, configs) = match found {
        Found::Broker(entries) => (
            ErrorCode::NONE,
            NO_ERROR,
            configs(request, resource, entries, true),
        ),
        Found::Topic(entries) => (
            ErrorCode::NONE,
            NO_ERROR,
            configs(request, resource, entries, false),
        ),
        Found::Logger => (ErrorCode::NONE, NO_ERROR, vec![root_logger()]),
        Found::Nothing => (ErrorCode::NONE, NO_ERROR, Vec::new()),
        Found::Refused(code, message) => (*code, Some(message.as_str()), Vec::new()),
    };
    DescribeConfigsResult {
        error_code: code.0,
        error_message: message,
        resource_type: resource.resource_type,
        resource_name: resource.resource_name,
        configs: configs.into(),
    }
}

fn configs<'a>(
    request: &DescribeConfigsRequest<'a>,
    resource: &DescribeConfigsResource<'a>,
    entries: &'a [Entry],
    of_broker: bool,
) -> Vec<DescribeConfigsResourceResult<'a>> {
    // As for Kafka, no keys are all keys.
    let wanted = |name: &str| match &resource.configuration_keys {
        Some(keys) => keys.is_empty() || keys.iter().any(|key| key == name),
        None => true,
    };
    entries
        .iter()
        .filter(|entry| wanted(entry.key.name))
        .map(|entry| DescribeConfigsResourceResult {
            name: entry.key.name,
            value: entry.value.as_deref(),
            read_only: entry.is_read_only(of_broker),
            config_source: entry.source as i8,
            is_sensitive: entry.is_sensitive(),
            synonyms: synonyms(request.include_synonyms, entry).into(),
            config_type: entry.key.kind.code(),
            documentation: request.include_documentation.then_some(entry.key.doc),
        })
        .collect()
}

fn synonyms(included: bool, entry: &Entry) -> Vec<DescribeConfigsSynonym<'_>> {
    if !included {
        return Vec::new();
    }
    entry
        .synonyms
        .iter()
        .map(|synonym| DescribeConfigsSynonym {
            name: synonym.name,
            value: synonym.value.as_deref(),
            source: synonym.source as i8,
        })
        .collect()
}

/// There is one level for everything that the broker says.
fn root_logger() -> DescribeConfigsResourceResult<'static> {
    DescribeConfigsResourceResult {
        name: "root",
        value: Some("INFO"),
        read_only: true,
        config_source: Source::Logger as i8,
        config_type: Kind::String.code(),
        ..DescribeConfigsResourceResult::default()
    }
}
