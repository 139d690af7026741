//! The keys of a topic, with the broker key that each takes its default from.
//!
//! Names, types, defaults and bounds are those of Apache Kafka 4.1.1.

use super::why;
use crate::config::key::{Key, boolean, double, int, list, long, string};

/// One row a key, in the order of Kafka's own areas.
pub const KEYS: &[Key] = &[
    list("cleanup.policy", Some("delete"))
        .each_of(&["compact", "delete"])
        .synonym("log.cleanup.policy")
        .honoured(why::CLEANUP),
    string("compression.type", Some("producer"))
        .one_of(&["uncompressed", "zstd", "lz4", "snappy", "gzip", "producer"])
        .synonym("compression.type")
        .honoured("Codec of stored batches; producer keeps what the producer chose."),
    int("compression.gzip.level", Some("-1"))
        .between_or_minus_one(1, 9)
        .synonym("compression.gzip.level")
        .honoured("Level used when the broker itself compresses with gzip."),
    int("compression.lz4.level", Some("9"))
        .between(1, 17)
        .synonym("compression.lz4.level")
        .honoured(why::LZ4),
    int("compression.zstd.level", Some("3"))
        .between(-131_072, 22)
        .synonym("compression.zstd.level")
        .honoured("Level used when the broker itself compresses with zstd."),
    long("delete.retention.ms", Some("86400000"))
        .at_least(0)
        .ms()
        .synonym("log.cleaner.delete.retention.ms")
        .inert(
            why::NO_COMPACTION,
            "How long tombstones of a compacted topic are kept.",
        ),
    long("file.delete.delay.ms", Some("60000"))
        .at_least(0)
        .ms()
        .synonym("log.segment.delete.delay.ms")
        .honoured("Wait between a deletion and the removal of its files."),
    long("flush.messages", Some("9223372036854775807"))
        .at_least(1)
        .synonym("log.flush.interval.messages")
        .honoured("Records after which a partition is synced; 1 raises every ack to synced."),
    long("flush.ms", Some("9223372036854775807"))
        .at_least(0)
        .ms()
        .synonym("log.flush.interval.ms")
        .honoured("Longest time a record may stay unsynced."),
    list("follower.replication.throttled.replicas", Some(""))
        .replicas()
        .inert(why::REPLICATION, "Replicas whose following is throttled."),
    list("leader.replication.throttled.replicas", Some(""))
        .replicas()
        .inert(why::REPLICATION, "Replicas whose leading is throttled."),
    int("index.interval.bytes", Some("4096"))
        .at_least(0)
        .bytes()
        .synonym("log.index.interval.bytes")
        .honoured("Bytes of batches between two index entries."),
    int("internal.segment.bytes", None)
        .bytes()
        .internal()
        .honoured("Segment size below the usual minimum, for tests."),
    long("local.retention.bytes", Some("-2"))
        .at_least(-2)
        .bytes()
        .synonym("log.local.retention.bytes")
        .inert(why::TIERED, "Size kept locally of a tiered partition."),
    long("local.retention.ms", Some("-2"))
        .at_least(-2)
        .ms()
        .synonym("log.local.retention.ms")
        .inert(why::TIERED, "Age kept locally of a tiered partition."),
    long("max.compaction.lag.ms", Some("9223372036854775807"))
        .at_least(1)
        .ms()
        .synonym("log.cleaner.max.compaction.lag.ms")
        .inert(
            why::NO_COMPACTION,
            "Age at which a log is cleaned whatever its ratio.",
        ),
    long("min.compaction.lag.ms", Some("0"))
        .at_least(0)
        .ms()
        .synonym("log.cleaner.min.compaction.lag.ms")
        .inert(
            why::NO_COMPACTION,
            "Age below which records are not compacted.",
        ),
    double("min.cleanable.dirty.ratio", Some("0.5"))
        .ratio(0.0, 1.0)
        .synonym("log.cleaner.min.cleanable.ratio")
        .inert(
            why::NO_COMPACTION,
            "Share of uncleaned bytes at which a log is cleaned.",
        ),
    int("max.message.bytes", Some("1048588"))
        .at_least(0)
        .bytes()
        .synonym("message.max.bytes")
        .honoured("Largest record batch, compressed as it arrives."),
    string("message.timestamp.type", Some("CreateTime"))
        .one_of(&["CreateTime", "LogAppendTime"])
        .synonym("log.message.timestamp.type")
        .honoured("Whether a record keeps its producer's time or gets the broker's."),
    long(
        "message.timestamp.before.max.ms",
        Some("9223372036854775807"),
    )
    .at_least(0)
    .ms()
    .synonym("log.message.timestamp.before.max.ms")
    .honoured("How far a record's time may lie in the past."),
    long("message.timestamp.after.max.ms", Some("3600000"))
        .at_least(0)
        .ms()
        .synonym("log.message.timestamp.after.max.ms")
        .honoured("How far a record's time may lie in the future."),
    int("min.insync.replicas", Some("1"))
        .at_least(1)
        .synonym("min.insync.replicas")
        .honoured(
            "Replicas that must hold a record before acks=all is answered; counts as \
                at most the replicas there are.",
        ),
    boolean("preallocate", Some("false"))
        .synonym("log.preallocate")
        .inert(why::OWN_ALLOCATION, "Allocates a whole segment at once."),
    boolean("remote.log.copy.disable", Some("false"))
        .inert(why::TIERED, "Stops copying to the remote store."),
    boolean("remote.log.delete.on.disable", Some("false")).inert(
        why::TIERED,
        "Removes remote data when tiering is switched off.",
    ),
    boolean("remote.storage.enable", Some("false"))
        .refused(why::TIERED, "Keeps older segments in a remote store."),
    long("retention.bytes", Some("-1"))
        .bytes()
        .synonym("log.retention.bytes")
        .honoured("Size of a partition above which its oldest segments go; -1 is no limit."),
    long("retention.ms", Some("604800000"))
        .at_least(-1)
        .ms()
        .synonym("log.retention.ms")
        .honoured("Age at which segments go; -1 is never."),
    int("segment.bytes", Some("1073741824"))
        .at_least(1_048_576)
        .bytes()
        .synonym("log.segment.bytes")
        .honoured("Size at which the active segment is closed."),
    int("segment.index.bytes", Some("10485760"))
        .at_least(4)
        .bytes()
        .synonym("log.index.size.max.bytes")
        .honoured("Largest offset index; a full one closes the segment."),
    long("segment.jitter.ms", Some("0"))
        .at_least(0)
        .ms()
        .synonym("log.roll.jitter.ms")
        .honoured("Random part taken off the roll age, so that segments do not close together."),
    long("segment.ms", Some("604800000"))
        .at_least(1)
        .ms()
        .synonym("log.roll.ms")
        .honoured("Age at which the active segment is closed."),
    boolean("unclean.leader.election.enable", Some("false"))
        .synonym("unclean.leader.election.enable")
        .inert(
            why::REPLICATION,
            "Lets a replica lead that was not in sync.",
        ),
];
