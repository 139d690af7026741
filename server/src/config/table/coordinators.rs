//! Groups, share groups, streams groups, transactions, producer ids.
//!
//! Names, types, defaults and bounds are those of Apache Kafka 4.1.1.

use super::why;
use crate::config::key::{Key, boolean, int, list, long, short, string};

/// One row a key, in the order of Kafka's own areas.
pub const KEYS: &[Key] = &[
    int("offset.metadata.max.bytes", Some("4096"))
        .bytes()
        .honoured("Largest text stored with a committed offset."),
    int("offsets.commit.timeout.ms", Some("5000"))
        .at_least(1)
        .ms()
        .inert(
            why::COMMIT_IS_LOCAL,
            "How long a commit may wait for replicas.",
        ),
    int("offsets.load.buffer.size", Some("5242880"))
        .at_least(1)
        .bytes()
        .inert(
            why::LOAD_IS_BOUNDED,
            "Size of the reads that load committed offsets.",
        ),
    long("offsets.retention.check.interval.ms", Some("600000"))
        .at_least(1)
        .ms()
        .honoured("How often expired offsets are looked for."),
    int("offsets.retention.minutes", Some("10080"))
        .at_least(1)
        .unit("min")
        .honoured("How long offsets of an empty group are kept."),
    int("offsets.topic.compression.codec", Some("0"))
        .inert(why::OFFSETS_PLAIN, "Codec number of the offsets topic."),
    int("offsets.topic.num.partitions", Some("50"))
        .at_least(1)
        .honoured("Partitions of the offsets topic."),
    short("offsets.topic.replication.factor", Some("1"))
        .at_least(1)
        .honoured("Replicas of the offsets topic; one on a single broker."),
    int("offsets.topic.segment.bytes", Some("104857600"))
        .at_least(1)
        .bytes()
        .honoured("Segment size of the offsets topic."),
    int("group.initial.rebalance.delay.ms", Some("3000"))
        .ms()
        .honoured("How long a new classic group waits for more members."),
    int("group.max.session.timeout.ms", Some("1800000"))
        .ms()
        .honoured("Longest session time-out a classic member may ask."),
    int("group.min.session.timeout.ms", Some("6000"))
        .ms()
        .honoured("Shortest session time-out a classic member may ask."),
    int("group.max.size", Some("2147483647"))
        .at_least(1)
        .honoured("Members of one classic group."),
    int("group.coordinator.append.linger.ms", Some("5"))
        .at_least(0)
        .ms()
        .inert(
            why::NO_GROUPS,
            "How long the group coordinator gathers records before it writes.",
        ),
    list(
        "group.coordinator.rebalance.protocols",
        Some("classic,consumer,streams"),
    )
    .each_of(&["consumer", "classic", "share", "streams"])
    .inert(why::NO_GROUPS, "Group protocols that are offered."),
    int("group.coordinator.threads", Some("4"))
        .at_least(1)
        .inert(why::NO_GROUPS, "Threads of the group coordinator."),
    list("group.consumer.assignors", Some("uniform,range")).inert(
        why::NO_GROUPS,
        "Assignors for consumer groups, the default first.",
    ),
    int("group.consumer.heartbeat.interval.ms", Some("5000"))
        .at_least(1)
        .ms()
        .inert(
            why::NO_GROUPS,
            "Heartbeat interval given to consumer group members.",
        ),
    int("group.consumer.max.heartbeat.interval.ms", Some("15000"))
        .at_least(1)
        .ms()
        .inert(
            why::NO_GROUPS,
            "Longest heartbeat interval a consumer group may set.",
        ),
    int("group.consumer.min.heartbeat.interval.ms", Some("5000"))
        .at_least(1)
        .ms()
        .inert(
            why::NO_GROUPS,
            "Shortest heartbeat interval a consumer group may set.",
        ),
    int("group.consumer.session.timeout.ms", Some("45000"))
        .at_least(1)
        .ms()
        .inert(
            why::NO_GROUPS,
            "Session time-out of consumer group members.",
        ),
    int("group.consumer.max.session.timeout.ms", Some("60000"))
        .at_least(1)
        .ms()
        .inert(
            why::NO_GROUPS,
            "Longest session time-out a consumer group may set.",
        ),
    int("group.consumer.min.session.timeout.ms", Some("45000"))
        .at_least(1)
        .ms()
        .inert(
            why::NO_GROUPS,
            "Shortest session time-out a consumer group may set.",
        ),
    int("group.consumer.max.size", Some("2147483647"))
        .at_least(1)
        .inert(why::NO_GROUPS, "Members of one consumer group."),
    string("group.consumer.migration.policy", Some("bidirectional"))
        .one_of_any_case(&["DISABLED", "DOWNGRADE", "UPGRADE", "BIDIRECTIONAL"])
        .inert(
            why::NO_GROUPS,
            "Whether groups may change between the classic and the consumer protocol.",
        ),
    int("group.consumer.regex.refresh.interval.ms", Some("600000"))
        .at_least(10_000)
        .ms()
        .internal()
        .inert(
            why::NO_GROUPS,
            "How often subscribed patterns are matched again.",
        ),
    boolean("group.share.enable", Some("false"))
        .internal()
        .inert(why::NO_SHARE, "Serves share groups."),
    list("group.share.assignors", Some("simple"))
        .inert(why::NO_SHARE, "Assignors for share groups."),
    int("group.share.delivery.count.limit", Some("5"))
        .between(2, 10)
        .inert(
            why::NO_SHARE,
            "Deliveries of a record before it is given up.",
        ),
    int("group.share.heartbeat.interval.ms", Some("5000"))
        .at_least(1)
        .ms()
        .inert(
            why::NO_SHARE,
            "Heartbeat interval given to share group members.",
        ),
    int("group.share.max.heartbeat.interval.ms", Some("15000"))
        .at_least(1)
        .ms()
        .inert(
            why::NO_SHARE,
            "Longest heartbeat interval a share group may set.",
        ),
    int("group.share.min.heartbeat.interval.ms", Some("5000"))
        .at_least(1)
        .ms()
        .inert(
            why::NO_SHARE,
            "Shortest heartbeat interval a share group may set.",
        ),
    int("group.share.session.timeout.ms", Some("45000"))
        .at_least(1)
        .ms()
        .inert(why::NO_SHARE, "Session time-out of share group members."),
    int("group.share.max.session.timeout.ms", Some("60000"))
        .at_least(1)
        .ms()
        .inert(
            why::NO_SHARE,
            "Longest session time-out a share group may set.",
        ),
    int("group.share.min.session.timeout.ms", Some("45000"))
        .at_least(1)
        .ms()
        .inert(
            why::NO_SHARE,
            "Shortest session time-out a share group may set.",
        ),
    int("group.share.record.lock.duration.ms", Some("30000"))
        .between(1000, 3_600_000)
        .ms()
        .inert(
            why::NO_SHARE,
            "How long a delivered record stays locked to its consumer.",
        ),
    int("group.share.max.record.lock.duration.ms", Some("60000"))
        .between(30_000, 3_600_000)
        .ms()
        .inert(why::NO_SHARE, "Longest record lock a share group may set."),
    int("group.share.min.record.lock.duration.ms", Some("15000"))
        .between(1000, 30_000)
        .ms()
        .inert(why::NO_SHARE, "Shortest record lock a share group may set."),
    int("group.share.partition.max.record.locks", Some("2000"))
        .between(100, 10_000)
        .inert(
            why::NO_SHARE,
            "Records of one partition that may be locked at once.",
        ),
    int("group.share.max.share.sessions", Some("2000"))
        .at_least(1)
        .inert(why::NO_SHARE, "Share sessions kept."),
    int("group.share.max.size", Some("200"))
        .between(1, 1000)
        .inert(why::NO_SHARE, "Members of one share group."),
    string(
        "group.share.persister.class.name",
        Some("org.apache.kafka.server.share.persister.DefaultStatePersister"),
    )
    .internal()
    .inert(why::NO_SHARE, "Class that stores share group state."),
    int("share.coordinator.append.linger.ms", Some("5"))
        .at_least(0)
        .ms()
        .inert(
            why::NO_SHARE,
            "How long the share coordinator gathers records before it writes.",
        ),
    int(
        "share.coordinator.cold.partition.snapshot.interval.ms",
        Some("300000"),
    )
    .at_least(1)
    .ms()
    .internal()
    .inert(why::NO_SHARE, "How often idle share state is written anew."),
    int("share.coordinator.load.buffer.size", Some("5242880"))
        .at_least(1)
        .bytes()
        .inert(why::NO_SHARE, "Size of the reads that load share state."),
    int(
        "share.coordinator.snapshot.update.records.per.snapshot",
        Some("500"),
    )
    .at_least(0)
    .inert(
        why::NO_SHARE,
        "Updates of share state between two snapshots.",
    ),
    int("share.coordinator.state.topic.compression.codec", Some("0"))
        .inert(why::NO_SHARE, "Codec number of the share state topic."),
    short("share.coordinator.state.topic.min.isr", Some("1"))
        .at_least(1)
        .inert(
            why::NO_SHARE,
            "In-sync replicas the share state topic needs; one on a single broker.",
        ),
    int("share.coordinator.state.topic.num.partitions", Some("50"))
        .at_least(1)
        .inert(why::NO_SHARE, "Partitions of the share state topic."),
    int(
        "share.coordinator.state.topic.prune.interval.ms",
        Some("300000"),
    )
    .at_least(1)
    .ms()
    .internal()
    .inert(why::NO_SHARE, "How often old share state is cut off."),
    short(
        "share.coordinator.state.topic.replication.factor",
        Some("1"),
    )
    .at_least(1)
    .inert(
        why::NO_SHARE,
        "Replicas of the share state topic; one on a single broker.",
    ),
    int(
        "share.coordinator.state.topic.segment.bytes",
        Some("104857600"),
    )
    .at_least(1)
    .bytes()
    .inert(why::NO_SHARE, "Segment size of the share state topic."),
    int("share.coordinator.threads", Some("1"))
        .at_least(1)
        .inert(why::NO_SHARE, "Threads of the share coordinator."),
    int("share.coordinator.write.timeout.ms", Some("5000"))
        .at_least(1)
        .ms()
        .inert(
            why::NO_SHARE,
            "How long the share coordinator waits for its writes.",
        ),
    int(
        "share.fetch.purgatory.purge.interval.requests",
        Some("1000"),
    )
    .inert(
        why::NO_SHARE,
        "When finished entries leave the share fetch purgatory.",
    ),
    int("group.streams.heartbeat.interval.ms", Some("5000"))
        .at_least(1)
        .ms()
        .inert(
            why::NO_STREAMS,
            "Heartbeat interval given to streams group members.",
        ),
    int("group.streams.max.heartbeat.interval.ms", Some("15000"))
        .at_least(1)
        .ms()
        .inert(
            why::NO_STREAMS,
            "Longest heartbeat interval a streams group may set.",
        ),
    int("group.streams.min.heartbeat.interval.ms", Some("5000"))
        .at_least(1)
        .ms()
        .inert(
            why::NO_STREAMS,
            "Shortest heartbeat interval a streams group may set.",
        ),
    int("group.streams.session.timeout.ms", Some("45000"))
        .at_least(1)
        .ms()
        .inert(
            why::NO_STREAMS,
            "Session time-out of streams group members.",
        ),
    int("group.streams.max.session.timeout.ms", Some("60000"))
        .at_least(1)
        .ms()
        .inert(
            why::NO_STREAMS,
            "Longest session time-out a streams group may set.",
        ),
    int("group.streams.min.session.timeout.ms", Some("45000"))
        .at_least(1)
        .ms()
        .inert(
            why::NO_STREAMS,
            "Shortest session time-out a streams group may set.",
        ),
    int("group.streams.max.size", Some("2147483647"))
        .at_least(1)
        .inert(why::NO_STREAMS, "Members of one streams group."),
    int("group.streams.num.standby.replicas", Some("0"))
        .at_least(0)
        .inert(why::NO_STREAMS, "Standby tasks of a streams group."),
    int("group.streams.max.standby.replicas", Some("2"))
        .at_least(0)
        .inert(
            why::NO_STREAMS,
            "Most standby tasks a streams group may set.",
        ),
    int("transaction.max.timeout.ms", Some("900000"))
        .at_least(1)
        .ms()
        .inert(
            why::NO_TRANSACTIONS,
            "Longest time-out a transactional producer may ask.",
        ),
    int(
        "transaction.abort.timed.out.transaction.cleanup.interval.ms",
        Some("10000"),
    )
    .at_least(1)
    .ms()
    .inert(
        why::NO_TRANSACTIONS,
        "How often transactions past their time-out are aborted.",
    ),
    int(
        "transaction.remove.expired.transaction.cleanup.interval.ms",
        Some("3600000"),
    )
    .at_least(1)
    .ms()
    .inert(
        why::NO_TRANSACTIONS,
        "How often expired transactional ids are removed.",
    ),
    boolean("transaction.partition.verification.enable", Some("true"))
        .cluster_wide()
        .inert(
            why::NO_TRANSACTIONS,
            "Asks the coordinator whether a partition belongs to its transaction.",
        ),
    int("transaction.state.log.load.buffer.size", Some("5242880"))
        .at_least(1)
        .bytes()
        .inert(
            why::NO_TRANSACTIONS,
            "Size of the reads that load transaction state.",
        ),
    int("transaction.state.log.min.isr", Some("1"))
        .at_least(1)
        .inert(
            why::NO_TRANSACTIONS,
            "In-sync replicas the transaction topic needs; one on a single broker.",
        ),
    int("transaction.state.log.num.partitions", Some("50"))
        .at_least(1)
        .inert(why::NO_TRANSACTIONS, "Partitions of the transaction topic."),
    short("transaction.state.log.replication.factor", Some("1"))
        .at_least(1)
        .inert(
            why::NO_TRANSACTIONS,
            "Replicas of the transaction topic; one on a single broker.",
        ),
    int("transaction.state.log.segment.bytes", Some("104857600"))
        .at_least(1)
        .bytes()
        .inert(
            why::NO_TRANSACTIONS,
            "Segment size of the transaction topic.",
        ),
    boolean("transaction.two.phase.commit.enable", Some("false")).inert(
        why::NO_TRANSACTIONS,
        "Allows transactions that an outer coordinator commits.",
    ),
    int("transactional.id.expiration.ms", Some("604800000"))
        .at_least(1)
        .ms()
        .inert(
            why::NO_TRANSACTIONS,
            "How long an unused transactional id is remembered.",
        ),
    int("add.partitions.to.txn.retry.backoff.ms", Some("20"))
        .at_least(1)
        .ms()
        .inert(
            why::NO_TRANSACTIONS,
            "First pause before a partition is added to a transaction again.",
        ),
    int("add.partitions.to.txn.retry.backoff.max.ms", Some("100"))
        .at_least(0)
        .ms()
        .inert(
            why::NO_TRANSACTIONS,
            "Longest pause before a partition is added to a transaction again.",
        ),
    int("producer.id.expiration.ms", Some("86400000"))
        .at_least(1)
        .ms()
        .cluster_wide()
        .honoured("How long an idle producer id is remembered."),
    int("producer.id.expiration.check.interval.ms", Some("600000"))
        .at_least(1)
        .ms()
        .internal()
        .inert(
            why::EXPIRED_IN_PASSING,
            "How often idle producer ids are looked for.",
        ),
];
