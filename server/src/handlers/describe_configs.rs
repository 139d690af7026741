//! DescribeConfigs: every key of a topic or of this broker, with its source and synonyms.

use std::sync::Arc;

use logmill_wire::messages::describe_configs::{
    DescribeConfigsRequest, DescribeConfigsResource, DescribeConfigsResourceResult,
    DescribeConfigsResponse, DescribeConfigsResult, DescribeConfigsSynonym,
};
use logmill_wire::{EncodeError, ErrorCode, Message, Writer};

use crate::config::Dynamic;
use crate::config::describe::{
    Entry, Source, UnknownEntry, broker_entries, client_metrics_entries, cluster_entries,
    group_entries, topic_entries, unknown_entries,
};
use crate::handlers::context::RequestContext;
use crate::metadata::{ConfigResource, ROOT_LEVEL, ROOT_LOGGER, ResourceType, check_topic_name};

/// The message beside no error: empty where others leave it out, as Kafka has it.
const NO_ERROR: Option<&str> = Some("");

/// The type of keys that nobody knows.
const UNKNOWN_TYPE: i8 = 0;

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
    Broker(Vec<Entry>, Vec<UnknownEntry>),
    Other(Vec<Entry>),
    Logger,
    Refused(ErrorCode, String),
}

fn find(ctx: &RequestContext<'_>, resource: &DescribeConfigsResource<'_>) -> Found {
    let name = resource.resource_name;
    let (own, settings) = (ctx.broker.node_id, &ctx.config.settings);
    let kind = ResourceType(resource.resource_type);
    let refuse = |text: String| Found::Refused(ErrorCode::INVALID_REQUEST, text);
    match kind {
        ResourceType::TOPIC => find_topic(ctx, name),
        ResourceType::BROKER if name.is_empty() => {
            let unknown = unknown_entries(&Dynamic::new(), &set_for(ctx, ""));
            Found::Broker(cluster_entries(settings).collect(), unknown)
        }
        ResourceType::BROKER_LOGGER if name.is_empty() => {
            refuse("Broker id must not be empty".to_owned())
        }
        ResourceType::BROKER | ResourceType::BROKER_LOGGER => match name.parse::<i32>() {
            Ok(id) if id == own && kind == ResourceType::BROKER => {
                let unknown = unknown_entries(&set_for(ctx, name), &set_for(ctx, ""));
                Found::Broker(broker_entries(settings, own).collect(), unknown)
            }
            Ok(id) if id == own => Found::Logger,
            Ok(_) if kind == ResourceType::BROKER => refuse(format!(
                "Unexpected broker id, expected {own} or empty string, but received {name}"
            )),
            Ok(_) => refuse(format!(
                "Unexpected broker id, expected {own} but received {name}"
            )),
            Err(_) => refuse(format!("Broker id must be an integer, but it is: {name}")),
        },
        ResourceType::CLIENT_METRICS if name.is_empty() => {
            refuse("Client metrics subscription name must not be empty".to_owned())
        }
        ResourceType::GROUP if name.is_empty() => refuse("Group name must not be empty".to_owned()),
        ResourceType::CLIENT_METRICS | ResourceType::GROUP => {
            let values = ctx.image.config(&ConfigResource {
                kind,
                name: name.to_owned(),
            });
            Found::Other(match kind {
                ResourceType::GROUP => group_entries(settings, &values).collect(),
                _ => client_metrics_entries(&values).collect(),
            })
        }
        ResourceType(kind) => refuse(format!(
            "no resource of the type {kind} has a configuration"
        )),
    }
}

/// What was set for a broker while it ran, or without a name for all of them.
fn set_for(ctx: &RequestContext<'_>, name: &str) -> Arc<Dynamic> {
    ctx.image.config(&ConfigResource {
        kind: ResourceType::BROKER,
        name: name.to_owned(),
    })
}

fn find_topic(ctx: &RequestContext<'_>, name: &str) -> Found {
    if let Err(error) = check_topic_name(name) {
        return Found::Refused(ErrorCode::INVALID_TOPIC_EXCEPTION, error.to_string());
    }
    if ctx.image.topic(name).is_none() {
        let text = format!("The topic '{name}' does not exist.");
        return Found::Refused(ErrorCode::UNKNOWN_TOPIC_OR_PARTITION, text);
    }
    let topic = ctx.image.topic_config(name);
    Found::Other(topic_entries(&ctx.config.settings, &topic).collect())
}

fn result<'a>(
    request: &DescribeConfigsRequest<'a>,
    resource: &DescribeConfigsResource<'a>,
    found: &'a Found,
) -> DescribeConfigsResult<'a> {
    let (code, message, configs) = match found {
        Found::Broker(entries, unknown) => {
            let mut known = configs(request, resource, entries, true);
            known.extend(unknown_configs(request, resource, unknown));
            (ErrorCode::NONE, NO_ERROR, known)
        }
        Found::Other(entries) => (
            ErrorCode::NONE,
            NO_ERROR,
            configs(request, resource, entries, false),
        ),
        Found::Logger => (ErrorCode::NONE, NO_ERROR, vec![root_logger()]),
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
    entries
        .iter()
        .filter(|entry| is_wanted(resource, entry.key.name))
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

/// As for Kafka, no keys are all keys.
fn is_wanted(resource: &DescribeConfigsResource<'_>, name: &str) -> bool {
    match &resource.configuration_keys {
        Some(keys) => keys.is_empty() || keys.iter().any(|key| key == name),
        None => true,
    }
}

/// They stand there as Kafka tells them: of no type, read-only, secret.
fn unknown_configs<'a>(
    request: &DescribeConfigsRequest<'a>,
    resource: &DescribeConfigsResource<'a>,
    entries: &'a [UnknownEntry],
) -> impl Iterator<Item = DescribeConfigsResourceResult<'a>> {
    let wanted = entries
        .iter()
        .filter(|entry| is_wanted(resource, &entry.name));
    wanted.map(|entry| {
        let synonym = |source: &Source| DescribeConfigsSynonym {
            name: &entry.name,
            value: None,
            source: *source as i8,
        };
        let told: &[Source] = match request.include_synonyms {
            true => &entry.sources,
            false => &[],
        };
        DescribeConfigsResourceResult {
            name: &entry.name,
            value: None,
            read_only: true,
            config_source: entry.sources[0] as i8,
            is_sensitive: true,
            synonyms: told.iter().map(synonym).collect::<Vec<_>>().into(),
            config_type: UNKNOWN_TYPE,
            documentation: None,
        }
    })
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

/// There is one level for everything that the broker says, and it stays.
fn root_logger() -> DescribeConfigsResourceResult<'static> {
    DescribeConfigsResourceResult {
        name: ROOT_LOGGER,
        value: Some(ROOT_LEVEL),
        read_only: true,
        config_source: Source::Logger as i8,
        ..DescribeConfigsResourceResult::default()
    }
}
