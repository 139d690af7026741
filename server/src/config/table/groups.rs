//! The keys of a group, with the broker key that each takes its default from, and those of a
//! subscription to client metrics.
//!
//! Names, types, defaults and bounds are those of Apache Kafka 4.1.1.

use super::why;
use crate::config::key::{Key, int, list, string};

/// Keys of a group.
pub const KEYS: &[Key] = &[
    int("consumer.session.timeout.ms", Some("45000"))
        .at_least(1)
        .ms()
        .synonym("group.consumer.session.timeout.ms")
        .inert(
            why::NO_GROUPS,
            "Silence after which a member of the consumer group is taken for dead.",
        ),
    int("consumer.heartbeat.interval.ms", Some("5000"))
        .at_least(1)
        .ms()
        .synonym("group.consumer.heartbeat.interval.ms")
        .inert(
            why::NO_GROUPS,
            "Heartbeat interval given to members of the consumer group.",
        ),
    int("share.session.timeout.ms", Some("45000"))
        .at_least(1)
        .ms()
        .synonym("group.share.session.timeout.ms")
        .inert(
            why::NO_SHARE,
            "Session time-out of the share group's members.",
        ),
    int("share.heartbeat.interval.ms", Some("5000"))
        .at_least(1)
        .ms()
        .synonym("group.share.heartbeat.interval.ms")
        .inert(
            why::NO_SHARE,
            "Heartbeat interval given to the share group's members.",
        ),
    int("share.record.lock.duration.ms", Some("30000"))
        .at_least(1000)
        .ms()
        .synonym("group.share.record.lock.duration.ms")
        .inert(
            why::NO_SHARE,
            "How long a delivered record stays locked to its consumer.",
        ),
    string("share.auto.offset.reset", Some("latest"))
        .offset_reset()
        .inert(
            why::NO_SHARE,
            "Where the share group begins in a partition.",
        ),
    string("share.isolation.level", Some("read_uncommitted"))
        .one_of(&["read_committed", "read_uncommitted"])
        .inert(
            why::NO_SHARE,
            "Whether the share group sees records of open transactions.",
        ),
    int("streams.session.timeout.ms", Some("45000"))
        .at_least(1)
        .ms()
        .synonym("group.streams.session.timeout.ms")
        .inert(
            why::NO_STREAMS,
            "Session time-out of the streams group's members.",
        ),
    int("streams.heartbeat.interval.ms", Some("5000"))
        .at_least(1)
        .ms()
        .synonym("group.streams.heartbeat.interval.ms")
        .inert(
            why::NO_STREAMS,
            "Heartbeat interval given to the streams group's members.",
        ),
    int("streams.num.standby.replicas", Some("0"))
        .at_least(0)
        .synonym("group.streams.num.standby.replicas")
        .inert(why::NO_STREAMS, "Standby tasks of the streams group."),
];

/// Keys of a subscription to client metrics (KIP-714).
pub const CLIENT_METRICS_KEYS: &[Key] = &[
    int("interval.ms", Some("300000")).ms().inert(
        why::NO_TELEMETRY,
        "How often a client that matches sends its metrics.",
    ),
    list("metrics", Some("")).inert(
        why::NO_TELEMETRY,
        "Beginnings of the names of the metrics that are asked for; * is all.",
    ),
    list("match", Some("")).inert(
        why::NO_TELEMETRY,
        "Which clients are asked, as attribute=pattern; none is all.",
    ),
];
