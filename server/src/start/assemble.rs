//! From what start-up has prepared to shards that can run: who gets which partition, how much
//! memory, which bounds.

use std::sync::Arc;

use logmill_engine::base::{LeaderEpoch, Micros, Now, Offset, PartitionIndex, ShardId, TopicId};
use logmill_engine::disk::DirectoryPath;
use logmill_engine::io::RingOptions;
use logmill_engine::journal::JournalOptions;
use logmill_engine::log::{LogConfig, PartitionState, RetentionConfig};
use logmill_engine::store::{PartitionSpec, Role, Store, StoreOptions};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use crate::config::Settings;
use crate::config::{Config, MemoryPlan, Validation};
use crate::connection::ConnectionLimits;
use crate::groups::Options as GroupOptions;
use crate::handlers::BrokerIdentity;
use crate::partitions::options::ShardOptions;
use crate::partitions::placement::placement;
use crate::runtime::{GatePlan, Plan, Ready, ShardSeed, SocketOptions};
use crate::shard::Shard;
use crate::shard::coordinators::Coordinators;
use crate::shard::metadata::{METADATA_SHARD, Metadata, MetadataLog};
use crate::start::prepared::Prepared;

/// What recovery found, for the stores.
#[derive(Debug, Default)]
pub struct RecoveredStores {
    /// Every partition.
    pub partitions: Vec<PartitionState>,
    /// The era that each log directory is in.
    pub eras: Vec<u64>,
    /// The first number that a new journal file may have, by shard and directory.
    pub next_names: Vec<Vec<u64>>,
    /// Partitions that must not be opened.
    pub fenced: Vec<(TopicId, PartitionIndex)>,
    /// Folders of deleted partitions, to be removed by the first shard.
    pub deleted: Vec<DirectoryPath>,
    /// Log directories that cannot be used, by index.
    pub failed: Vec<bool>,
    /// The running boot of the kernel, see [`super::resources::boot_id`].
    pub boot_id: [u8; 16],
}

/// Turns what start-up prepared into what runs. `ready` is called when every shard accepts.
pub fn plan(prepared: Prepared, recovered: RecoveredStores, ready: Ready) -> Plan {
    let shards = u16::try_from(prepared.cores.len()).unwrap_or(u16::MAX);
    let prepared = Arc::new(prepared);
    let mut rng = StdRng::from_os_rng();
    let mut states = spread(recovered.partitions, shards);
    let mut deleted = recovered.deleted;
    let mut seeds: Vec<ShardSeed> = Vec::with_capacity(usize::from(shards));
    for id in (0..shards).map(ShardId) {
        let own = usize::from(id.0);
        let options = ShardSetup {
            id,
            shards,
            states: std::mem::take(&mut states[own]),
            eras: recovered.eras.clone(),
            next_names: recovered.next_names.get(own).cloned().unwrap_or_default(),
            seed: rng.random(),
            fenced: recovered.fenced.clone(),
            deleted: std::mem::take(&mut deleted),
            failed: recovered.failed.clone(),
            boot_id: recovered.boot_id,
            prepared: Arc::clone(&prepared),
        };
        seeds.push(Box::new(move |now| options.build(now)));
    }
    let config = &prepared.config;
    let limits = &config.limits;
    Plan {
        shards: seeds,
        directories: prepared.directories.log.clone(),
        ring: RingOptions {
            descriptors_max: (prepared.descriptors.files / u32::from(shards)).max(16) as usize,
            ..RingOptions::default()
        },
        listeners: prepared
            .listeners
            .iter()
            .map(|listener| listener.address)
            .collect(),
        gate: GatePlan {
            start: Arc::clone(config),
            connections: prepared.descriptors.connections,
            connections_max: prepared.descriptors.connections_max,
        },
        sockets: SocketOptions {
            send_buffer: limits.socket_send_buffer_bytes,
            receive_buffer: limits.socket_receive_buffer_bytes,
            backlog: limits.listen_backlog,
            fetch_path: config.fetch_path,
        },
        cores: config.pin_shards.then(|| prepared.cores.clone()),
        ready,
        keep: Box::new(prepared),
    }
}

/// What one shard is built from, on its own thread.
struct ShardSetup {
    id: ShardId,
    shards: u16,
    states: Vec<PartitionState>,
    eras: Vec<u64>,
    next_names: Vec<u64>,
    seed: u64,
    fenced: Vec<(TopicId, PartitionIndex)>,
    deleted: Vec<DirectoryPath>,
    failed: Vec<bool>,
    boot_id: [u8; 16],
    prepared: Arc<Prepared>,
}

impl ShardSetup {
    fn build(self, now: Now) -> Result<Shard, String> {
        let prepared = &self.prepared;
        let config = &prepared.config;
        let options = shard_options(config, &prepared.memory, self.id, self.shards);
        let brokers: Vec<BrokerIdentity> = prepared
            .listeners
            .iter()
            .map(|listener| listener.identity.clone())
            .collect();
        let eras = match self.eras.is_empty() {
            true => vec![0; prepared.directories.paths.len()],
            false => self.eras.clone(),
        };
        let mut store_options = StoreOptions::new(self.id, eras, self.boot_id, self.seed);
        let memory = &prepared.memory;
        store_options.tail_bytes = memory.per_shard(memory.log_bytes) as usize;
        store_options.tail_bytes -= store_options.frame_bytes.min(store_options.tail_bytes / 2);
        store_options.index_bytes = memory.per_shard(memory.indexes_bytes) as usize;
        store_options.producers_max =
            memory.per_shard(memory.producers_bytes) as usize / PRODUCER_BYTES;
        store_options.fenced = self.fenced;
        store_options.deleted_folders = self.deleted;
        store_options.failed_directories = self.failed;
        store_options.journal = journal_options(config);
        store_options.reserve_bytes = config.journal.min_free_bytes;
        store_options.retention_check = Some(Micros::from_millis(config.retention_check_ms));
        store_options.retention_delay = Micros::from_millis(config.retention_delay_ms);
        let mut store = Store::open(store_options, self.states, &self.next_names);
        let log = match self.id == METADATA_SHARD {
            true => Some(open_metadata_log(now, prepared, &mut store, self.seed)?),
            false => None,
        };
        let metadata = Metadata::new(
            Arc::clone(config),
            brokers,
            prepared.directories.ids.clone(),
        );
        let groups_bytes = memory.per_shard(memory.groups_bytes) as usize;
        let coordinators = Coordinators::new(
            group_options(&config.settings, groups_bytes),
            Box::new(|| Box::new(StdRng::from_os_rng())),
        );
        let mut shard = Shard::new(now, options, store, metadata, coordinators);
        let records = prepared.startup_records.iter().map(Vec::as_slice);
        let base = Offset(prepared.image.offset.0 + 1);
        let (image, _) = prepared
            .image
            .apply(base, records)
            .map_err(|it| it.to_string())?;
        shard.load_image(now, Arc::new(image));
        if let Some(log) = log {
            shard.own_metadata_log(log);
            shard.append_startup_records(now, &prepared.startup_records)?;
        }
        Ok(shard)
    }
}

fn open_metadata_log(
    now: Now,
    prepared: &Prepared,
    store: &mut Store,
    seed: u64,
) -> Result<MetadataLog, String> {
    let config = LogConfig {
        segment_bytes: prepared.config.metadata_segment_bytes,
        segment_ms: prepared.config.metadata_segment_ms,
        // It holds what no snapshot holds.
        retention: RetentionConfig {
            delete: false,
            ..RetentionConfig::default()
        },
        ..LogConfig::default()
    };
    let spec = PartitionSpec {
        topic_id: METADATA_TOPIC_ID,
        topic: METADATA_TOPIC.to_owned(),
        index: PartitionIndex(0),
        directory: prepared.metadata_directory,
        config: Arc::new(config),
        role: Role::Leader(LeaderEpoch(prepared.metadata_epoch.0)),
        always_synced: true,
    };
    let key = store
        .open_partition(now, spec)
        .map_err(|error| format!("the metadata log cannot be opened: {error}"))?;
    let rng = StdRng::seed_from_u64(seed.rotate_left(32));
    Ok(MetadataLog::new(
        prepared.controller.clone(),
        key,
        Box::new(rng),
    ))
}

/// Gives every partition's state to the shard that owns it now.
fn spread(partitions: Vec<PartitionState>, shards: u16) -> Vec<Vec<PartitionState>> {
    let mut by_shard: Vec<Vec<PartitionState>> = (0..shards).map(|_| Vec::new()).collect();
    for state in partitions {
        let owner = match state.topic_id == METADATA_TOPIC_ID {
            true => METADATA_SHARD,
            false => placement(state.topic_id, state.index, shards),
        };
        by_shard[usize::from(owner.0)].push(state);
    }
    by_shard
}

fn shard_options(config: &Config, memory: &MemoryPlan, id: ShardId, shards: u16) -> ShardOptions {
    let limits = &config.limits;
    let forever = Micros(u64::MAX / 2);
    ShardOptions {
        node_id: config.node_id,
        connection: ConnectionLimits {
            frame_bytes_max: memory.frame_max_bytes,
            requests_in_flight_max: limits.requests_per_connection,
            queued_reply_bytes_max: limits.replies_per_connection_bytes,
            handshake_timeout: Micros::from_millis(limits.handshake_ms),
            frame_timeout: Micros::from_millis(limits.frame_ms),
            idle_timeout: limits.idle_ms.map_or(forever, Micros::from_millis),
        },
        // The regions that frames are received into are what the request budget counts; the rest
        // is for what one receive brings while the budget is used up.
        receive_bytes: memory.per_shard(memory.requests_bytes) as usize + RECEIVE_EXTRA_BYTES,
        request_bytes: memory.per_shard(memory.requests_bytes),
        reply_bytes: memory.per_shard(memory.replies_bytes) as usize,
        mail_credits: limits.mailbox_slots.max(1) as usize,
        fetch_bytes_max: limits.fetch_bytes as usize,
        fetch_sessions_max: (limits.fetch_sessions as usize).div_ceil(usize::from(shards.max(1))),
        fetch_session_parts_max: memory.per_shard(memory.fetch_sessions_bytes) as usize
            / SESSION_PART_BYTES,
        validate_every_record: config.validation == Validation::Kafka,
        unstable_versions: config.unstable_api_versions,
        ..ShardOptions::new(id, shards)
    }
}

fn group_options(settings: &Settings, memory_bytes_max: usize) -> GroupOptions {
    let size = |name: &str| usize::try_from(settings.number(name)).unwrap_or_default();
    GroupOptions {
        session_timeout_ms_min: settings.int("group.min.session.timeout.ms"),
        session_timeout_ms_max: settings.int("group.max.session.timeout.ms"),
        group_size_max: size("group.max.size"),
        initial_rebalance_delay_ms: settings.int("group.initial.rebalance.delay.ms"),
        offset_metadata_bytes_max: size("offset.metadata.max.bytes"),
        offsets_retention_ms: settings.number("offsets.retention.minutes") * 60_000,
        offsets_retention_check_interval_ms: settings.number("offsets.retention.check.interval.ms"),
        memory_bytes_max,
        ..GroupOptions::default()
    }
}

fn journal_options(config: &Config) -> JournalOptions {
    let journal = &config.journal;
    JournalOptions {
        file_bytes: journal.file_bytes,
        files_max: journal.files as usize,
        sync_bytes_max: journal.sync_bytes,
        sync_age_max: Micros::from_millis(journal.sync_ms),
        ..JournalOptions::default()
    }
}

/// Kafka's name and id for the metadata log (KIP-631).
const METADATA_TOPIC: &str = "__cluster_metadata";
const METADATA_TOPIC_ID: TopicId = TopicId([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]);
const RECEIVE_EXTRA_BYTES: usize = 4 << 20;
/// What a partition remembers of an idempotent producer, with its place in the table.
const PRODUCER_BYTES: usize = 320;
/// What a fetch session remembers of one partition, with its places in two maps.
const SESSION_PART_BYTES: usize = 256;
