//! Remote storage.
//!
//! Names, types, defaults and bounds are those of Apache Kafka 4.1.1.

use super::why;
use crate::config::key::{Key, boolean, double, int, long, string};

/// One row a key, in the order of Kafka's own areas.
pub const KEYS: &[Key] = &[
    int("remote.fetch.max.wait.ms", Some("500"))
        .at_least(1)
        .ms()
        .cluster_wide()
        .inert(why::TIERED, "How long a fetch waits for the remote store."),
    long("remote.list.offsets.request.timeout.ms", Some("30000"))
        .at_least(1)
        .ms()
        .cluster_wide()
        .inert(
            why::TIERED,
            "How long a look-up by time waits for the remote store.",
        ),
    long(
        "remote.log.index.file.cache.total.size.bytes",
        Some("1073741824"),
    )
    .at_least(1)
    .bytes()
    .cluster_wide()
    .inert(why::TIERED, "Disk for cached indexes of remote segments."),
    int("remote.log.manager.copier.thread.pool.size", Some("10"))
        .at_least(1)
        .cluster_wide()
        .inert(why::TIERED, "Threads that copy segments away."),
    long(
        "remote.log.manager.copy.max.bytes.per.second",
        Some("9223372036854775807"),
    )
    .at_least(1)
    .unit("bytes/s")
    .cluster_wide()
    .inert(why::TIERED, "Limit on copying segments away."),
    int("remote.log.manager.copy.quota.window.num", Some("11"))
        .at_least(1)
        .inert(why::TIERED, "Samples kept for the copy limit."),
    int(
        "remote.log.manager.copy.quota.window.size.seconds",
        Some("1"),
    )
    .at_least(1)
    .unit("s")
    .inert(why::TIERED, "Length of a sample for the copy limit."),
    int("remote.log.manager.expiration.thread.pool.size", Some("10"))
        .at_least(1)
        .cluster_wide()
        .inert(why::TIERED, "Threads that remove expired remote segments."),
    long(
        "remote.log.manager.fetch.max.bytes.per.second",
        Some("9223372036854775807"),
    )
    .at_least(1)
    .unit("bytes/s")
    .cluster_wide()
    .inert(why::TIERED, "Limit on reading from the remote store."),
    int("remote.log.manager.fetch.quota.window.num", Some("11"))
        .at_least(1)
        .inert(why::TIERED, "Samples kept for the read limit."),
    int(
        "remote.log.manager.fetch.quota.window.size.seconds",
        Some("1"),
    )
    .at_least(1)
    .unit("s")
    .inert(why::TIERED, "Length of a sample for the read limit."),
    long("remote.log.manager.task.interval.ms", Some("30000"))
        .at_least(1)
        .ms()
        .inert(why::TIERED, "How often remote housekeeping runs."),
    long("remote.log.manager.task.retry.backoff.ms", Some("500"))
        .at_least(1)
        .ms()
        .internal()
        .inert(why::TIERED, "First pause after a failed remote task."),
    long(
        "remote.log.manager.task.retry.backoff.max.ms",
        Some("30000"),
    )
    .at_least(1)
    .ms()
    .internal()
    .inert(why::TIERED, "Longest pause after a failed remote task."),
    double("remote.log.manager.task.retry.jitter", Some("0.2"))
        .ratio(0.0, 0.5)
        .internal()
        .inert(
            why::TIERED,
            "Random share of the pause after a failed remote task.",
        ),
    int("remote.log.manager.thread.pool.size", Some("2"))
        .at_least(1)
        .inert(why::TIERED, "Threads for remote housekeeping."),
    int("remote.log.metadata.custom.metadata.max.bytes", Some("128"))
        .at_least(0)
        .bytes()
        .inert(
            why::TIERED,
            "Largest metadata a remote store may attach to a segment.",
        ),
    string(
        "remote.log.metadata.manager.class.name",
        Some(METADATA_MANAGER),
    )
    .not_empty()
    .inert(why::TIERED, "Class that keeps metadata of remote segments."),
    string("remote.log.metadata.manager.class.path", None)
        .inert(why::TIERED, "Where that class is found."),
    string(
        "remote.log.metadata.manager.impl.prefix",
        Some("rlmm.config."),
    )
    .not_empty()
    .inert(why::TIERED, "Prefix of that class's own keys."),
    string("remote.log.metadata.manager.listener.name", None)
        .not_empty()
        .inert(why::TIERED, "Listener that class connects to."),
    int("remote.log.reader.max.pending.tasks", Some("100"))
        .at_least(1)
        .inert(why::TIERED, "Remote reads that may wait."),
    int("remote.log.reader.threads", Some("10"))
        .at_least(1)
        .cluster_wide()
        .inert(why::TIERED, "Threads that read from the remote store."),
    string("remote.log.storage.manager.class.name", None)
        .not_empty()
        .inert(why::TIERED, "Class of the remote store."),
    string("remote.log.storage.manager.class.path", None)
        .inert(why::TIERED, "Where that class is found."),
    string(
        "remote.log.storage.manager.impl.prefix",
        Some("rsm.config."),
    )
    .not_empty()
    .inert(why::TIERED, "Prefix of that class's own keys."),
    boolean("remote.log.storage.system.enable", Some("false"))
        .refused(why::TIERED, "Keeps older segments in a remote store."),
];

/// Kafka's own, which keeps the metadata in a topic.
const METADATA_MANAGER: &str =
    "org.apache.kafka.server.log.remote.metadata.storage.TopicBasedRemoteLogMetadataManager";
