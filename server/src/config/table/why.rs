//! Reasons for which a key is inert or refused, each said once.

pub(super) const THREADS: &str =
    "shards, one a core, take the place of thread pools: logmill.shards";
pub(super) const REPLICATION: &str = "one broker has no others to replicate with";
pub(super) const CONTROLLER: &str = "this process writes its own metadata log, without a quorum";
pub(super) const SHARDS_ACCEPT: &str = "all listeners open together, when every shard is ready";
pub(super) const NO_SNAPSHOT: &str =
    "the metadata log is kept whole: snapshots of it are not built yet";
pub(super) const NO_PURGATORY: &str = "waiting requests are woken directly, there is no purgatory";
pub(super) const NO_QUOTAS: &str = "client quotas are not built yet";
pub(super) const NO_JMX: &str = "there is no Java metrics reporter here";
pub(super) const NO_TELEMETRY: &str = "client telemetry is not offered";
pub(super) const NO_PLUGINS: &str = "Java classes cannot be loaded";
pub(super) const NO_AUTHORIZER: &str =
    "authorization is not built yet: every client may do everything";
pub(super) const NO_TOKENS: &str = "delegation tokens are not built yet";
pub(super) const FAST_START: &str = "a start takes as long as recovery needs, and says so";
pub(super) const OWN_ALLOCATION: &str =
    "space is allocated in steps that follow the partition's rate";
pub(super) const JOURNAL_SYNC: &str = "the journal syncs by its own rule, see flush.ms";
pub(super) const JOURNAL_CHECKPOINT: &str = "recovery points live in the journal's checkpoint";
pub(super) const JOURNAL_RECOVERY: &str = "recovery reads the journal, not every segment";
/// What is said of both keys of the clean-up policy, which is kept in part.
pub(super) const CLEANUP: &str =
    "What happens to old segments: delete; compact, which is not built yet, keeps every record.";
pub(super) const NO_COMPACTION: &str = "compaction is not built yet: every record is kept";
pub(super) const NO_GROUPS: &str = "groups of the consumer protocol (KIP-848) are not built yet";
pub(super) const COMMIT_IS_LOCAL: &str = "a commit waits for the disk, never for other brokers";
pub(super) const LOAD_IS_BOUNDED: &str = "committed offsets are loaded in pieces of 256 KiB";
pub(super) const OFFSETS_PLAIN: &str = "committed offsets are small and written uncompressed";
pub(super) const NO_SHARE: &str = "share groups are not built yet";
pub(super) const NO_STREAMS: &str = "streams groups are not built yet";
pub(super) const NO_TRANSACTIONS: &str = "transactions are not built yet";
pub(super) const TIERED: &str = "tiered storage is not built yet";
pub(super) const TLS: &str = "TLS is not built yet: a listener that asks for it is refused";
pub(super) const SASL: &str = "SASL is not built yet: a listener that asks for it is refused";
/// What is said of both keys of lz4's level.
pub(super) const LZ4: &str =
    "Level used when the broker itself compresses with lz4; 9 is the fast method, as for Kafka.";
pub(super) const EXPIRED_IN_PASSING: &str =
    "idle producers are looked for with old segments, see log.retention.check.interval.ms";
