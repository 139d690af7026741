//! The broker's typed configuration.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::PathBuf;

use crate::config::error::ConfigError;
use crate::config::listeners::{self, Listener};
use crate::config::settings::{Dynamic, Notice, Settings};
use crate::config::topic::TopicConfig;
use crate::config::value::items;

/// How far produced batches are checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Validation {
    /// Compressed batches are opened only where their topic needs it.
    Auto,
    /// Every record of every batch is read, as Kafka does.
    Kafka,
}

/// How fetched records reach the socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FetchPath {
    /// Memory where the records are there, `sendfile` elsewhere.
    Auto,
    /// Memory always: what is only in segments is read past the page cache first.
    Memory,
    /// `sendfile` from the segment, after its writes are down.
    Sendfile,
    /// `splice` through a pipe.
    Splice,
    /// Copied into one buffer, then sent.
    Copy,
}

/// The broker's configuration, checked. Values of one unit end in it.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// `node.id`.
    pub node_id: i32,
    /// `broker.rack`.
    pub rack: Option<String>,
    /// Where clients are accepted.
    pub listeners: Vec<Listener>,
    /// `log.dirs`, or `log.dir`.
    pub log_dirs: Vec<PathBuf>,
    /// Which of `log_dirs` holds the metadata log.
    pub metadata_log_dir: usize,
    /// `metadata.log.segment.bytes`.
    pub metadata_segment_bytes: u32,
    /// `metadata.log.segment.ms`.
    pub metadata_segment_ms: i64,
    /// `num.partitions`.
    pub num_partitions: i32,
    /// `default.replication.factor`.
    pub default_replication_factor: i16,
    /// `auto.create.topics.enable`.
    pub auto_create_topics: bool,
    /// `delete.topic.enable`.
    pub delete_topics: bool,
    /// What a topic is like that says nothing of its own.
    pub topic_defaults: TopicConfig,
    /// `producer.id.expiration.ms`.
    pub producer_id_expiration_ms: i64,
    /// `log.retention.check.interval.ms`.
    pub retention_check_ms: u64,
    /// `log.initial.task.delay.ms`.
    pub retention_delay_ms: u64,
    /// `unstable.api.versions.enable`.
    pub unstable_api_versions: bool,
    /// Requests and connections.
    pub limits: Limits,
    /// Memory as it was asked for; see [`crate::config::MemoryPlan`] for what comes of it.
    pub memory: MemoryRequest,
    /// Shards asked for; 0 is one a core.
    pub shards: u16,
    /// Whether each shard is pinned to its core.
    pub pin_shards: bool,
    /// How far produced batches are checked.
    pub validation: Validation,
    /// How fetched records reach the socket.
    pub fetch_path: FetchPath,
    /// The journal.
    pub journal: Journal,
    /// Files kept open at once; `None` is what the descriptor limit leaves.
    pub open_files_max: Option<u32>,
    /// The written values behind all this, for DescribeConfigs and for topics.
    pub settings: Settings,
}

/// Bounds on connections and requests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// `max.connections`.
    pub connections: u32,
    /// `max.connections.per.ip`.
    pub connections_per_address: u32,
    /// `max.connections.per.ip.overrides`.
    pub connections_per_address_overrides: BTreeMap<IpAddr, u32>,
    /// `max.connection.creation.rate`: connections accepted in a second.
    pub connection_creation_rate: u32,
    /// `connections.max.idle.ms`; `None` never closes.
    pub idle_ms: Option<u64>,
    /// How long a new connection may take to send its first whole request.
    pub handshake_ms: u64,
    /// How long a begun frame may go without a byte.
    pub frame_ms: u64,
    /// `socket.request.max.bytes`.
    pub frame_bytes: u32,
    /// Requests of one connection in flight.
    pub requests_per_connection: u32,
    /// Replies queued on one connection.
    pub replies_per_connection_bytes: u64,
    /// `fetch.max.bytes`.
    pub fetch_bytes: u32,
    /// `max.incremental.fetch.session.cache.slots`.
    pub fetch_sessions: u32,
    /// `max.request.partition.size.limit`.
    pub partitions_per_description: u32,
    /// `socket.send.buffer.bytes`; `None` leaves the kernel's choice.
    pub socket_send_buffer_bytes: Option<u32>,
    /// `socket.receive.buffer.bytes`; `None` leaves the kernel's choice.
    pub socket_receive_buffer_bytes: Option<u32>,
    /// `socket.listen.backlog.size`.
    pub listen_backlog: u32,
    /// Messages from one shard to another under way.
    pub mailbox_slots: u32,
}

/// Memory as the configuration asks for it; `None` is derived from the budget.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MemoryRequest {
    /// `logmill.memory.bytes`.
    pub budget: Option<u64>,
    /// `queued.max.request.bytes`.
    pub requests: Option<u64>,
    /// `logmill.log.memory.bytes`.
    pub log: Option<u64>,
    /// `logmill.partitions.max`.
    pub partitions: Option<u64>,
    /// `max.connections`, where it was written down.
    pub connections: Option<u32>,
    /// `socket.request.max.bytes`, where it was written down.
    pub frame: Option<u32>,
}

/// The journal of a shard and directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Journal {
    /// Bytes that produce leaves free in the directory (`logmill.log.min.free.bytes`).
    pub min_free_bytes: u64,
    /// Size of a file.
    pub file_bytes: u64,
    /// Number of files.
    pub files: u32,
    /// Longest time it stays unsynced when nobody waits.
    pub sync_ms: u64,
    /// Most bytes it leaves unsynced when nobody waits.
    pub sync_bytes: u64,
}

/// What reading a configuration gives.
#[derive(Clone, Debug, PartialEq)]
pub struct Loaded {
    /// The configuration.
    pub config: Config,
    /// What the start-up screen says of it.
    pub notices: Vec<Notice>,
}

impl Config {
    /// Reads the text of a properties file and the pairs of `--set`, which win over it.
    ///
    /// # Errors
    /// What is wrong, with the key, the bounds or the nearest name, and the way out.
    pub fn load(file: Option<&str>, sets: &[(String, String)]) -> Result<Loaded, ConfigError> {
        let (settings, mut notices) = Settings::read(file, sets)?;
        check_roles(&settings)?;
        note_lowered_replication(&settings, &mut notices);
        let listeners = listeners::read(&settings, &mut notices)?;
        let log_dirs = log_dirs(&settings)?;
        let config = Self {
            node_id: node_id(&settings)?,
            rack: settings.raw("broker.rack").map(str::to_owned),
            listeners,
            metadata_log_dir: metadata_log_dir(&settings, &log_dirs)?,
            log_dirs,
            metadata_segment_bytes: unsigned(&settings, "metadata.log.segment.bytes"),
            metadata_segment_ms: settings.number("metadata.log.segment.ms"),
            num_partitions: settings.int("num.partitions"),
            default_replication_factor: i16::try_from(
                settings.number("default.replication.factor"),
            )
            .expect("bounded in the table"),
            auto_create_topics: settings.flag("auto.create.topics.enable"),
            delete_topics: settings.flag("delete.topic.enable"),
            topic_defaults: TopicConfig::resolve(&settings, &BTreeMap::new())
                .expect("broker values were checked"),
            producer_id_expiration_ms: settings.number("producer.id.expiration.ms"),
            retention_check_ms: wide(&settings, "log.retention.check.interval.ms"),
            retention_delay_ms: wide(&settings, "log.initial.task.delay.ms"),
            unstable_api_versions: settings.flag("unstable.api.versions.enable"),
            limits: limits(&settings)?,
            memory: memory(&settings),
            shards: u16::try_from(settings.number("logmill.shards")).expect("bounded in the table"),
            pin_shards: settings.flag("logmill.shards.pin"),
            validation: match settings.text("logmill.validation") {
                "kafka" => Validation::Kafka,
                _ => Validation::Auto,
            },
            fetch_path: fetch_path(settings.text("fetch.path")),
            journal: journal(&settings),
            open_files_max: u32::try_from(settings.number("logmill.open.files.max")).ok(),
            settings,
        };
        Ok(Loaded { config, notices })
    }

    /// The same broker with what was set for it, and for all brokers, while they ran.
    #[must_use]
    pub fn with_dynamic(&self, own: &Dynamic, all: &Dynamic) -> Self {
        let settings = self.settings.with_dynamic(own, all);
        Self {
            topic_defaults: TopicConfig::resolve(&settings, &BTreeMap::new())
                .unwrap_or_else(|_| self.topic_defaults.clone()),
            producer_id_expiration_ms: settings.number("producer.id.expiration.ms"),
            limits: limits(&settings).unwrap_or_else(|_| self.limits.clone()),
            settings,
            ..self.clone()
        }
    }
}

/// A process that is only a broker, or only a controller, belongs to a cluster of several.
fn check_roles(settings: &Settings) -> Result<(), ConfigError> {
    let roles = settings.list("process.roles");
    if roles.iter().any(|r| r == "broker") && roles.iter().any(|r| r == "controller") {
        return Ok(());
    }
    let what = format!(
        "{} alone needs other processes, and joining a cluster is not built yet: \
         set broker,controller",
        roles.join(",")
    );
    Err(ConfigError::Conflict {
        key: "process.roles",
        what,
    })
}

fn note_lowered_replication(settings: &Settings, notices: &mut Vec<Notice>) {
    let keys: Vec<String> = SINGLE_COPY_KEYS
        .iter()
        .filter(|name| settings.explicit(name).is_some_and(|raw| raw != "1"))
        .map(|&name| name.to_owned())
        .collect();
    if !keys.is_empty() {
        notices.push(Notice {
            keys,
            text: "lowered to 1: there is one broker".to_owned(),
        });
    }
}

fn node_id(settings: &Settings) -> Result<i32, ConfigError> {
    let broker = settings
        .explicit("broker.id")
        .map(|_| settings.int("broker.id"));
    let node = settings
        .explicit("node.id")
        .map(|_| settings.int("node.id"));
    match (node, broker.filter(|id| *id >= 0)) {
        (Some(node), Some(broker)) if node != broker => {
            let what = format!("it is {broker} and node.id is {node}: set one of them");
            Err(ConfigError::Conflict {
                key: "broker.id",
                what,
            })
        }
        (Some(node), _) => Ok(node),
        (None, Some(broker)) => Ok(broker),
        (None, None) => Ok(settings.int("node.id")),
    }
}

fn log_dirs(settings: &Settings) -> Result<Vec<PathBuf>, ConfigError> {
    let (key, raw) = match settings.explicit("log.dirs") {
        Some(raw) if !raw.is_empty() => ("log.dirs", raw),
        _ => ("log.dir", settings.text("log.dir")),
    };
    let mut dirs: Vec<PathBuf> = Vec::new();
    for item in raw.split(',').map(str::trim) {
        let what = if item.is_empty() {
            "a directory between two commas has no name".to_owned()
        } else if dirs.iter().any(|dir| dir.as_os_str() == item) {
            format!("{item} is named twice")
        } else {
            dirs.push(PathBuf::from(item));
            continue;
        };
        return Err(ConfigError::Conflict { key, what });
    }
    Ok(dirs)
}

fn metadata_log_dir(settings: &Settings, log_dirs: &[PathBuf]) -> Result<usize, ConfigError> {
    let Some(dir) = settings.raw("metadata.log.dir") else {
        return Ok(0);
    };
    log_dirs
        .iter()
        .position(|known| known.as_os_str() == dir)
        .ok_or_else(|| {
            let what = format!("{dir} is not one of log.dirs: add it there");
            ConfigError::Conflict {
                key: "metadata.log.dir",
                what,
            }
        })
}

fn limits(settings: &Settings) -> Result<Limits, ConfigError> {
    Ok(Limits {
        connections: unsigned(settings, "max.connections"),
        connections_per_address: unsigned(settings, "max.connections.per.ip"),
        connections_per_address_overrides: per_address_overrides(
            settings.text(PER_ADDRESS_OVERRIDES),
        )?,
        connection_creation_rate: unsigned(settings, "max.connection.creation.rate"),
        idle_ms: u64::try_from(settings.number("connections.max.idle.ms")).ok(),
        handshake_ms: wide(settings, "logmill.connection.handshake.timeout.ms"),
        frame_ms: wide(settings, "logmill.connection.frame.timeout.ms"),
        frame_bytes: unsigned(settings, "socket.request.max.bytes"),
        requests_per_connection: unsigned(settings, "logmill.connection.requests.max"),
        replies_per_connection_bytes: wide(settings, "logmill.connection.replies.max.bytes"),
        fetch_bytes: unsigned(settings, "fetch.max.bytes"),
        fetch_sessions: unsigned(settings, "max.incremental.fetch.session.cache.slots"),
        partitions_per_description: unsigned(settings, "max.request.partition.size.limit"),
        socket_send_buffer_bytes: u32::try_from(settings.int("socket.send.buffer.bytes")).ok(),
        socket_receive_buffer_bytes: u32::try_from(settings.int("socket.receive.buffer.bytes"))
            .ok(),
        listen_backlog: unsigned(settings, "socket.listen.backlog.size"),
        mailbox_slots: unsigned(settings, "logmill.mailbox.slots"),
    })
}

/// Reads `max.connections.per.ip.overrides`.
pub(super) fn per_address_overrides(raw: &str) -> Result<BTreeMap<IpAddr, u32>, ConfigError> {
    items(raw)
        .map(|item| {
            let parts = item.rsplit_once(':');
            let read = parts.and_then(|(host, count)| {
                let host = host.trim().trim_start_matches('[').trim_end_matches(']');
                Some((host.parse().ok()?, count.trim().parse().ok()?))
            });
            read.ok_or_else(|| ConfigError::Conflict {
                key: PER_ADDRESS_OVERRIDES,
                what: format!("{item:?} is not of the form address:count"),
            })
        })
        .collect()
}

fn memory(settings: &Settings) -> MemoryRequest {
    let bytes = |name: &str| u64::try_from(settings.number(name)).ok();
    let written = |name: &str| settings.explicit(name).map(|_| unsigned(settings, name));
    MemoryRequest {
        budget: bytes("logmill.memory.bytes"),
        requests: bytes("queued.max.request.bytes"),
        log: bytes("logmill.log.memory.bytes"),
        partitions: bytes("logmill.partitions.max"),
        connections: written("max.connections"),
        frame: written("socket.request.max.bytes"),
    }
}

fn journal(settings: &Settings) -> Journal {
    Journal {
        min_free_bytes: wide(settings, "logmill.log.min.free.bytes"),
        file_bytes: wide(settings, "logmill.journal.file.bytes"),
        files: unsigned(settings, "logmill.journal.files"),
        sync_ms: wide(settings, "logmill.journal.sync.max.ms"),
        sync_bytes: wide(settings, "logmill.journal.sync.max.bytes"),
    }
}

fn fetch_path(word: &str) -> FetchPath {
    match word {
        "memory" => FetchPath::Memory,
        "sendfile" => FetchPath::Sendfile,
        "splice" => FetchPath::Splice,
        "copy" => FetchPath::Copy,
        _ => FetchPath::Auto,
    }
}

fn unsigned(settings: &Settings, name: &str) -> u32 {
    u32::try_from(settings.number(name)).expect("bounded below by 0 in the table")
}

fn wide(settings: &Settings, name: &str) -> u64 {
    u64::try_from(settings.number(name)).expect("bounded below by 0 in the table")
}

pub(super) const PER_ADDRESS_OVERRIDES: &str = "max.connections.per.ip.overrides";

/// Replication of internal topics: one broker holds one copy, whatever is asked.
const SINGLE_COPY_KEYS: &[&str] = &[
    "offsets.topic.replication.factor",
    "transaction.state.log.replication.factor",
    "transaction.state.log.min.isr",
    "share.coordinator.state.topic.replication.factor",
    "share.coordinator.state.topic.min.isr",
];
