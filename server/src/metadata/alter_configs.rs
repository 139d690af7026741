//! Changed configurations of topics, brokers, groups and client metrics subscriptions: the checks
//! of Kafka's broker and controller, and the records.

use std::collections::{BTreeMap, BTreeSet};

use crate::config::key::{Key, Kind};
use crate::config::table::{broker_key, topic_key};
use crate::config::{
    BrokerChange, ChangeError, Dynamic, GroupConfig, GroupConfigError, check_client_metrics,
    check_topic, items,
};
use crate::metadata::command::{
    AlterConfigs, AlteredResource, ConfigOperation, MetadataError, MetadataOutcome, OperationKind,
    Submitted,
};
use crate::metadata::controller::LocalController;
use crate::metadata::image::{ConfigResource, MetadataImage, ResourceType};
use crate::metadata::records;
use crate::metadata::topic_name::check_topic_name;

/// Changes configurations; each resource's changes succeed or fail together.
pub(super) fn alter(
    controller: &LocalController,
    image: &MetadataImage,
    command: AlterConfigs,
) -> Submitted {
    let mut times: BTreeMap<&ConfigResource, usize> = BTreeMap::new();
    for altered in &command.resources {
        *times.entry(&altered.resource).or_default() += 1;
    }
    let mut batch = Batch::new(image);
    let mut results = Vec::with_capacity(command.resources.len());
    for altered in &command.resources {
        let result = match times[&altered.resource] {
            1 => batch.add(controller, altered),
            _ => Err(request("Each resource must appear at most once.")),
        };
        results.push(result);
    }
    let records = match command.validate_only {
        true => Vec::new(),
        false => batch.records,
    };
    let resources = command.resources.into_iter().map(|it| it.resource);
    Submitted {
        records,
        outcome: MetadataOutcome::AlterConfigs(resources.zip(results).collect()),
    }
}

/// Resources that one command changes.
struct Batch<'a> {
    image: &'a MetadataImage,
    records: Vec<Vec<u8>>,
    bytes: usize,
    /// Resources that nothing else bounds and that had no configuration before.
    new: usize,
}

impl<'a> Batch<'a> {
    fn new(image: &'a MetadataImage) -> Self {
        Self {
            image,
            records: Vec::new(),
            bytes: 0,
            new: 0,
        }
    }

    fn add(
        &mut self,
        controller: &LocalController,
        altered: &AlteredResource,
    ) -> Result<(), MetadataError> {
        check_operations(&altered.operations)?;
        let resource = &altered.resource;
        if resource.kind == ResourceType::BROKER_LOGGER && !altered.replaces {
            return check_loggers(controller, altered);
        }
        if resource.kind == ResourceType::BROKER {
            check_broker_name(controller, &resource.name)?;
        }
        let before = self.image.config(resource);
        let after = changed(altered, &before)?;
        check(controller, self.image, resource, &before, &after)?;
        let is_new = before.is_empty() && !after.is_empty() && is_free(resource.kind);
        self.check_room(resource.kind, is_new)?;
        let records = differences(resource, &before, &after);
        let bytes = self.bytes + records.iter().map(Vec::len).sum::<usize>();
        if bytes > CHANGE_BYTES_MAX {
            let text = format!("a request may change {CHANGE_BYTES_MAX} bytes of configuration");
            return Err(MetadataError::Limit(text));
        }
        self.bytes = bytes;
        self.new += usize::from(is_new);
        self.records.extend(records);
        Ok(())
    }

    fn check_room(&self, kind: ResourceType, is_new: bool) -> Result<(), MetadataError> {
        if is_new && self.image.config_resources(kind).count() + self.new >= FREE_RESOURCES_MAX {
            let text = format!(
                "{FREE_RESOURCES_MAX} groups, or client metrics subscriptions, may have a \
                 configuration: delete others first"
            );
            return Err(MetadataError::Limit(text));
        }
        Ok(())
    }
}

/// Groups and subscriptions have a configuration whether there are any or not.
fn is_free(kind: ResourceType) -> bool {
    matches!(kind, ResourceType::GROUP | ResourceType::CLIENT_METRICS)
}

fn check_operations(operations: &[ConfigOperation]) -> Result<(), MetadataError> {
    let mut names = BTreeSet::new();
    if !operations.iter().all(|it| names.insert(&it.name)) {
        return Err(request("Error due to duplicate config keys"));
    }
    let nulls: Vec<&str> = operations
        .iter()
        .filter(|it| it.kind != OperationKind::Delete && it.value.is_none())
        .map(|it| it.name.as_str())
        .collect();
    if !nulls.is_empty() {
        let text = format!("Null value not supported for : {}", nulls.join(", "));
        return Err(MetadataError::Request(text));
    }
    for operation in operations {
        if let OperationKind::Unknown(kind) = operation.kind {
            return Err(MetadataError::Request(format!(
                "Unknown operations type {kind}"
            )));
        }
    }
    Ok(())
}

/// A resource's values after the operations.
fn changed(altered: &AlteredResource, before: &Dynamic) -> Result<Dynamic, MetadataError> {
    let mut after = match altered.replaces {
        true => Dynamic::new(),
        false => before.clone(),
    };
    for operation in &altered.operations {
        let name = &operation.name;
        let value = operation.value.clone().unwrap_or_default();
        match operation.kind {
            OperationKind::Set => {
                after.insert(name.clone(), value);
            }
            OperationKind::Delete => {
                after.remove(name);
            }
            OperationKind::Append | OperationKind::Subtract => {
                let list = splice(altered.resource.kind, operation, after.get(name))?;
                after.insert(name.clone(), list);
            }
            OperationKind::Unknown(_) => unreachable!("refused before"),
        }
    }
    Ok(after)
}

/// A list with items more, or less.
fn splice(
    kind: ResourceType,
    operation: &ConfigOperation,
    before: Option<&String>,
) -> Result<String, MetadataError> {
    let name = operation.name.as_str();
    let append = operation.kind == OperationKind::Append;
    let key: Option<&Key> = match kind {
        ResourceType::BROKER => broker_key(name),
        ResourceType::TOPIC => topic_key(name),
        _ => None,
    };
    let Some(key) = key.filter(|key| key.kind == Kind::List) else {
        return Err(MetadataError::Config(no_list(kind, name, append)));
    };
    let before = before.map_or(key.default.unwrap_or_default(), String::as_str);
    let mut list: Vec<&str> = items(before).collect();
    for item in items(operation.value.as_deref().unwrap_or_default()) {
        let at = list.iter().position(|known| *known == item);
        match (append, at) {
            (true, None) => list.push(item),
            (false, Some(at)) => {
                list.remove(at);
            }
            _ => {}
        }
    }
    Ok(list.join(","))
}

fn no_list(kind: ResourceType, name: &str, append: bool) -> String {
    if kind == ResourceType::BROKER {
        let what = if append { "append" } else { "subtract" };
        return format!("Config value {what} is not allowed for config key: {name}");
    }
    let what = if append { "APPEND" } else { "SUBTRACT" };
    format!("Can't {what} to key {name} because its type is not LIST.")
}

/// Judges a resource's values as a whole.
fn check(
    controller: &LocalController,
    image: &MetadataImage,
    resource: &ConfigResource,
    before: &Dynamic,
    after: &Dynamic,
) -> Result<(), MetadataError> {
    let name = resource.name.as_str();
    match resource.kind {
        ResourceType::TOPIC if name.is_empty() => {
            Err(request("Default topic resources are not allowed."))
        }
        ResourceType::TOPIC => {
            check_topic_name(name)?;
            check_topic(after)?;
            match image.topic(name) {
                Some(_) => Ok(()),
                None => Err(MetadataError::UnknownTopic(name.to_owned())),
            }
        }
        ResourceType::BROKER => check_broker(controller, name, before, after),
        ResourceType::GROUP if name.is_empty() => {
            Err(request("Default group resources are not allowed."))
        }
        ResourceType::GROUP => Ok(GroupConfig::check(&controller.settings, after)?),
        ResourceType::CLIENT_METRICS if name.is_empty() => {
            Err(request("Subscription name can't be empty"))
        }
        ResourceType::CLIENT_METRICS => Ok(check_client_metrics(after)?),
        ResourceType(kind) => Err(MetadataError::Request(format!(
            "Unknown resource type {kind}"
        ))),
    }
}

fn check_broker_name(controller: &LocalController, name: &str) -> Result<(), MetadataError> {
    if name.is_empty() {
        return Ok(());
    }
    let own = controller.node_id;
    let text = match name.parse::<i32>() {
        Ok(id) if id == own => return Ok(()),
        Ok(_) => format!("Unexpected broker id, expected {own}, but received {name}"),
        Err(_) => format!("Node id must be an integer, but it is: {name}"),
    };
    Err(MetadataError::Request(text))
}

/// What stood there before was judged when it came; the table may have changed since.
fn check_broker(
    controller: &LocalController,
    name: &str,
    before: &Dynamic,
    after: &Dynamic,
) -> Result<(), MetadataError> {
    let new: Dynamic = after
        .iter()
        .filter(|(name, value)| before.get(*name) != Some(value))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    let change = BrokerChange {
        settings: &controller.settings,
        connections_max: controller.connections_max,
        of_one: !name.is_empty(),
    };
    change.check(&new)?;
    let (held, wanted) = (unknown_bytes(before), unknown_bytes(after));
    if wanted > UNKNOWN_BYTES_MAX && wanted > held {
        let text = format!(
            "keys that this broker does not know, and their values, may take \
             {UNKNOWN_BYTES_MAX} bytes: delete others first"
        );
        return Err(MetadataError::Limit(text));
    }
    Ok(())
}

/// What keys of no table take, nearly.
fn unknown_bytes(values: &Dynamic) -> usize {
    let unknown = values.iter().filter(|(name, _)| broker_key(name).is_none());
    let bytes = unknown.map(|(name, value)| name.len() + value.len() + UNKNOWN_OVERHEAD_BYTES);
    bytes.sum()
}

/// Log levels are the process's own and in no log: there is one logger, whose level stays.
fn check_loggers(
    controller: &LocalController,
    altered: &AlteredResource,
) -> Result<(), MetadataError> {
    let (own, name) = (controller.node_id, altered.resource.name.as_str());
    match name.parse::<i32>() {
        Ok(id) if id == own => {}
        Ok(_) => {
            let text = format!("Unexpected node id. Expected {own}, but received {name}");
            return Err(MetadataError::Request(text));
        }
        Err(_) => {
            let text = format!("Node id must be an integer, but it is: {name}");
            return Err(MetadataError::Request(text));
        }
    }
    altered.operations.iter().try_for_each(check_logger)
}

fn check_logger(operation: &ConfigOperation) -> Result<(), MetadataError> {
    let name = operation.name.as_str();
    let level = operation.value.as_deref().unwrap_or_default();
    let exists = || match name {
        ROOT_LOGGER => Ok(()),
        _ => Err(MetadataError::Config(format!(
            "Logger {name} does not exist!"
        ))),
    };
    match operation.kind {
        OperationKind::Set => {
            exists()?;
            if !LEVELS.contains(&level) {
                return Err(MetadataError::Config(format!(
                    "Cannot set the log level of {name} to {level} as it is not a supported log \
                     level. Valid log levels are {}",
                    LEVELS.join(", ")
                )));
            }
            match level {
                ROOT_LEVEL => Ok(()),
                _ => Err(MetadataError::Config(format!(
                    "the log level of {name} is {ROOT_LEVEL}: this broker has no other"
                ))),
            }
        }
        OperationKind::Delete => {
            exists()?;
            let text = "Removing the log level of the root logger is not allowed";
            Err(request(text))
        }
        OperationKind::Append | OperationKind::Subtract => {
            let what = match operation.kind {
                OperationKind::Append => "APPEND",
                _ => "SUBTRACT",
            };
            Err(MetadataError::Request(format!(
                "{what} operation is not allowed for the BROKER_LOGGER resource"
            )))
        }
        OperationKind::Unknown(_) => unreachable!("refused before"),
    }
}

fn differences(resource: &ConfigResource, before: &Dynamic, after: &Dynamic) -> Vec<Vec<u8>> {
    let gone = before.keys().filter(|name| !after.contains_key(*name));
    let gone = gone.map(|name| records::config(resource, name, None));
    let set = after
        .iter()
        .filter(|(name, value)| before.get(*name) != Some(value))
        .map(|(name, value)| records::config(resource, name, Some(value)));
    gone.chain(set).collect()
}

fn request(text: &str) -> MetadataError {
    MetadataError::Request(text.to_owned())
}

impl From<ChangeError> for MetadataError {
    /// Kafka answers its own refusals of broker values with INVALID_REQUEST.
    fn from(error: ChangeError) -> Self {
        Self::Request(error.to_string())
    }
}

impl From<GroupConfigError> for MetadataError {
    fn from(error: GroupConfigError) -> Self {
        match error {
            GroupConfigError::UnknownMetrics(_) | GroupConfigError::Interval(_) => {
                Self::Request(error.to_string())
            }
            _ => Self::Config(error.to_string()),
        }
    }
}

/// The one logger, and its level.
pub const ROOT_LOGGER: &str = "root";
/// The level of [`ROOT_LOGGER`].
pub const ROOT_LEVEL: &str = "INFO";
const LEVELS: &[&str] = &["DEBUG", "ERROR", "FATAL", "INFO", "TRACE", "WARN"];
/// Records of one command are one batch of the metadata log.
const CHANGE_BYTES_MAX: usize = 512 << 10;
/// Groups with a configuration, and subscriptions: every image holds them.
const FREE_RESOURCES_MAX: usize = 10_000;
/// Keys of no table and their values that a broker, or all of them, may have: every image holds
/// them.
const UNKNOWN_BYTES_MAX: usize = 64 << 10;
/// What one of them takes beside its bytes.
const UNKNOWN_OVERHEAD_BYTES: usize = 64;
