//! Logs: directories, segments, batches, retention, cleaning.
//!
//! Names, types, defaults and bounds are those of Apache Kafka 4.1.1.

use super::why;
use crate::config::key::{Key, boolean, double, int, list, long, string};

/// One row a key, in the order of Kafka's own areas.
pub const KEYS: &[Key] = &[
    string("log.dir", Some("data")).honoured("Data directory, used where log.dirs is not set."),
    string("log.dirs", None)
        .honoured("Data directories, separated by commas; a journal lives in each."),
    long("log.dir.failure.timeout.ms", Some("30000"))
        .at_least(1)
        .ms()
        .inert(
            why::CONTROLLER,
            "How long a broker waits for the controller to learn of a failed directory.",
        ),
    int("num.partitions", Some("1"))
        .between(1, 100_000)
        .honoured("Partitions of a topic created without a count."),
    int("default.replication.factor", Some("1"))
        .between(1, 32_767)
        .honoured("Replicas of a topic created without a count."),
    boolean("auto.create.topics.enable", Some("true"))
        .honoured("Creates a topic that a client's metadata request names and allows."),
    boolean("delete.topic.enable", Some("true")).honoured("Allows topics to be deleted."),
    int("min.insync.replicas", Some("1"))
        .at_least(1)
        .cluster_wide()
        .honoured(
            "Replicas that must hold a record before acks=all is answered; counts as \
                at most the replicas there are.",
        ),
    int("message.max.bytes", Some("1048588"))
        .at_least(0)
        .bytes()
        .cluster_wide()
        .honoured("Largest record batch, compressed as it arrives."),
    string("compression.type", Some("producer"))
        .one_of(&["uncompressed", "zstd", "lz4", "snappy", "gzip", "producer"])
        .cluster_wide()
        .honoured("Codec of stored batches; producer keeps what the producer chose."),
    int("compression.gzip.level", Some("-1"))
        .between_or_minus_one(1, 9)
        .cluster_wide()
        .honoured("Level used when the broker itself compresses with gzip."),
    int("compression.lz4.level", Some("9"))
        .between(1, 17)
        .cluster_wide()
        .honoured(why::LZ4),
    int("compression.zstd.level", Some("3"))
        .between(-131_072, 22)
        .cluster_wide()
        .honoured("Level used when the broker itself compresses with zstd."),
    int("log.segment.bytes", Some("1073741824"))
        .at_least(1_048_576)
        .bytes()
        .cluster_wide()
        .honoured("Size at which the active segment is closed."),
    long("log.roll.ms", None)
        .at_least(1)
        .ms()
        .cluster_wide()
        .honoured("Age at which the active segment is closed; goes before log.roll.hours."),
    int("log.roll.hours", Some("168"))
        .at_least(1)
        .unit("h")
        .honoured("Age at which the active segment is closed."),
    long("log.roll.jitter.ms", None)
        .at_least(0)
        .ms()
        .cluster_wide()
        .honoured("Random part taken off the roll age, so that segments do not close together."),
    int("log.roll.jitter.hours", Some("0"))
        .at_least(0)
        .unit("h")
        .honoured("The same in hours."),
    int("log.index.interval.bytes", Some("4096"))
        .at_least(0)
        .bytes()
        .cluster_wide()
        .honoured("Bytes of batches between two index entries."),
    int("log.index.size.max.bytes", Some("10485760"))
        .at_least(4)
        .bytes()
        .cluster_wide()
        .honoured("Largest offset index; a full one closes the segment."),
    boolean("log.preallocate", Some("false"))
        .cluster_wide()
        .inert(why::OWN_ALLOCATION, "Allocates a whole segment at once."),
    long("log.flush.interval.messages", Some("9223372036854775807"))
        .at_least(1)
        .cluster_wide()
        .honoured("Records after which a partition is synced; 1 raises every ack to synced."),
    long("log.flush.interval.ms", None)
        .at_least(0)
        .ms()
        .cluster_wide()
        .honoured("Longest time a record may stay unsynced."),
    long(
        "log.flush.scheduler.interval.ms",
        Some("9223372036854775807"),
    )
    .at_least(0)
    .ms()
    .inert(
        why::JOURNAL_SYNC,
        "How often flushes by age are looked for.",
    ),
    int("log.flush.offset.checkpoint.interval.ms", Some("60000"))
        .at_least(0)
        .ms()
        .inert(
            why::JOURNAL_CHECKPOINT,
            "How often recovery points are written down.",
        ),
    int(
        "log.flush.start.offset.checkpoint.interval.ms",
        Some("60000"),
    )
    .at_least(0)
    .ms()
    .inert(
        why::JOURNAL_CHECKPOINT,
        "How often log start offsets are written down.",
    ),
    long("log.initial.task.delay.ms", Some("30000"))
        .at_least(0)
        .ms()
        .internal()
        .honoured("Wait before the first round of log housekeeping."),
    string("log.message.timestamp.type", Some("CreateTime"))
        .one_of(&["CreateTime", "LogAppendTime"])
        .cluster_wide()
        .honoured("Whether a record keeps its producer's time or gets the broker's."),
    long(
        "log.message.timestamp.before.max.ms",
        Some("9223372036854775807"),
    )
    .at_least(0)
    .ms()
    .cluster_wide()
    .honoured("How far a record's time may lie in the past."),
    long("log.message.timestamp.after.max.ms", Some("3600000"))
        .at_least(0)
        .ms()
        .cluster_wide()
        .honoured("How far a record's time may lie in the future."),
    list("log.cleanup.policy", Some("delete"))
        .each_of(&["compact", "delete"])
        .cluster_wide()
        .honoured(why::CLEANUP),
    long("log.retention.bytes", Some("-1"))
        .at_least(-1)
        .bytes()
        .cluster_wide()
        .honoured("Size of a partition above which its oldest segments go; -1 is no limit."),
    long("log.retention.ms", None)
        .between_or_minus_one(1, i64::MAX)
        .ms()
        .cluster_wide()
        .honoured("Age at which segments go; before log.retention.minutes; -1 is never."),
    int("log.retention.minutes", None)
        .between_or_minus_one(1, i64::MAX)
        .unit("min")
        .honoured("Age at which segments go; before log.retention.hours."),
    int("log.retention.hours", Some("168"))
        .between_or_minus_one(1, i64::MAX)
        .unit("h")
        .honoured("Age at which segments go."),
    long("log.retention.check.interval.ms", Some("300000"))
        .at_least(1)
        .ms()
        .honoured("How often segments are looked at for deletion."),
    long("log.segment.delete.delay.ms", Some("60000"))
        .at_least(0)
        .ms()
        .cluster_wide()
        .honoured("Wait between a deletion and the removal of its files."),
    long("log.local.retention.bytes", Some("-2"))
        .at_least(-2)
        .bytes()
        .cluster_wide()
        .inert(why::TIERED, "Size kept locally of a tiered partition."),
    long("log.local.retention.ms", Some("-2"))
        .at_least(-2)
        .ms()
        .cluster_wide()
        .inert(why::TIERED, "Age kept locally of a tiered partition."),
    boolean("log.cleaner.enable", Some("true")).inert(why::NO_COMPACTION, "Runs the log cleaner."),
    int("log.cleaner.threads", Some("1"))
        .at_least(0)
        .cluster_wide()
        .inert(why::NO_COMPACTION, "Threads of the log cleaner."),
    long("log.cleaner.backoff.ms", Some("15000"))
        .at_least(0)
        .ms()
        .cluster_wide()
        .inert(
            why::NO_COMPACTION,
            "Pause of a cleaner that found nothing to do.",
        ),
    long("log.cleaner.dedupe.buffer.size", Some("134217728"))
        .bytes()
        .cluster_wide()
        .inert(why::NO_COMPACTION, "Memory for the cleaner's key table."),
    int("log.cleaner.io.buffer.size", Some("524288"))
        .at_least(0)
        .bytes()
        .cluster_wide()
        .inert(
            why::NO_COMPACTION,
            "Memory for the cleaner's reads and writes.",
        ),
    double("log.cleaner.io.buffer.load.factor", Some("0.9"))
        .cluster_wide()
        .inert(
            why::NO_COMPACTION,
            "How full the cleaner's key table may get.",
        ),
    double(
        "log.cleaner.io.max.bytes.per.second",
        Some("1.7976931348623157E308"),
    )
    .unit("bytes/s")
    .cluster_wide()
    .inert(
        why::NO_COMPACTION,
        "Limit on the cleaner's reads and writes.",
    ),
    long("log.cleaner.delete.retention.ms", Some("86400000"))
        .at_least(0)
        .ms()
        .cluster_wide()
        .inert(
            why::NO_COMPACTION,
            "How long tombstones of compacted topics are kept.",
        ),
    double("log.cleaner.min.cleanable.ratio", Some("0.5"))
        .ratio(0.0, 1.0)
        .cluster_wide()
        .inert(
            why::NO_COMPACTION,
            "Share of uncleaned bytes at which a log is cleaned.",
        ),
    long("log.cleaner.min.compaction.lag.ms", Some("0"))
        .at_least(0)
        .ms()
        .cluster_wide()
        .inert(
            why::NO_COMPACTION,
            "Age below which records are not compacted.",
        ),
    long(
        "log.cleaner.max.compaction.lag.ms",
        Some("9223372036854775807"),
    )
    .at_least(1)
    .ms()
    .cluster_wide()
    .inert(
        why::NO_COMPACTION,
        "Age at which a log is cleaned whatever its ratio.",
    ),
    int("num.recovery.threads.per.data.dir", Some("2"))
        .at_least(1)
        .cluster_wide()
        .inert(
            why::JOURNAL_RECOVERY,
            "Threads that recover a directory at start.",
        ),
    int("num.replica.alter.log.dirs.threads", None).inert(
        why::REPLICATION,
        "Threads that move replicas between directories.",
    ),
];
