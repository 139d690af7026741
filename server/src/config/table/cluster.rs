//! The node, its metadata, replication and the plug-ins that Kafka allows.
//!
//! Names, types, defaults and bounds are those of Apache Kafka 4.1.1.

use super::why;
use crate::config::key::{Key, boolean, class, int, list, long, password, string};

/// One row a key, in the order of Kafka's own areas.
pub const KEYS: &[Key] = &[
    int("node.id", Some("1"))
        .at_least(0)
        .honoured("Number of this broker in the cluster."),
    int("broker.id", Some("-1"))
        .at_least(-1)
        .honoured("Older name of node.id."),
    string("broker.rack", None).honoured("Rack told to clients in metadata."),
    list("process.roles", Some("broker,controller"))
        .each_of(&["broker", "controller"])
        .inert(
            why::CONTROLLER,
            "Roles of the process; this one is broker and controller in one.",
        ),
    string("controller.listener.names", None)
        .honoured("Listeners for controllers: they are not opened."),
    list("controller.quorum.bootstrap.servers", Some(""))
        .inert(why::CONTROLLER, "Controllers to find the quorum with."),
    list("controller.quorum.voters", Some(""))
        .inert(why::CONTROLLER, "Fixed voters of the quorum."),
    int("controller.quorum.append.linger.ms", Some("25"))
        .at_least(0)
        .ms()
        .inert(
            why::CONTROLLER,
            "How long the quorum's leader gathers records.",
        ),
    int("controller.quorum.election.backoff.max.ms", Some("1000"))
        .at_least(0)
        .ms()
        .inert(why::CONTROLLER, "Longest pause before another election."),
    int("controller.quorum.election.timeout.ms", Some("1000"))
        .at_least(0)
        .ms()
        .inert(why::CONTROLLER, "How long a vote may take."),
    int("controller.quorum.fetch.timeout.ms", Some("2000"))
        .at_least(0)
        .ms()
        .inert(
            why::CONTROLLER,
            "Silence after which a quorum leader is taken for dead.",
        ),
    int("controller.quorum.request.timeout.ms", Some("2000"))
        .at_least(0)
        .ms()
        .inert(
            why::CONTROLLER,
            "How long a request of the quorum may take.",
        ),
    int("controller.quorum.retry.backoff.ms", Some("20"))
        .at_least(0)
        .ms()
        .inert(
            why::CONTROLLER,
            "Pause before a request of the quorum is sent again.",
        ),
    int("controller.socket.timeout.ms", Some("30000"))
        .ms()
        .inert(
            why::CONTROLLER,
            "How long requests to the controller may take.",
        ),
    long(
        "controller.performance.always.log.threshold.ms",
        Some("2000"),
    )
    .at_least(0)
    .ms()
    .internal()
    .inert(
        why::CONTROLLER,
        "Controller events slower than this are logged.",
    ),
    long("controller.performance.sample.period.ms", Some("60000"))
        .at_least(100)
        .ms()
        .internal()
        .inert(why::CONTROLLER, "How often controller timings are logged."),
    boolean("controlled.shutdown.enable", Some("true"))
        .inert(why::REPLICATION, "Hands leadership over before a stop."),
    int("initial.broker.registration.timeout.ms", Some("60000"))
        .ms()
        .inert(
            why::CONTROLLER,
            "How long registration with the controller may take.",
        ),
    int("broker.heartbeat.interval.ms", Some("2000"))
        .ms()
        .inert(
            why::CONTROLLER,
            "How often the controller is told that the broker lives.",
        ),
    int("broker.session.timeout.ms", Some("9000")).ms().inert(
        why::CONTROLLER,
        "Silence after which the controller fences a broker.",
    ),
    string("metadata.log.dir", None)
        .honoured("Directory of the metadata log; the first of log.dirs where not set."),
    long(
        "metadata.log.max.record.bytes.between.snapshots",
        Some("20971520"),
    )
    .at_least(1)
    .bytes()
    .inert(
        why::NO_SNAPSHOT,
        "Metadata written between two snapshots of it.",
    ),
    long("metadata.log.max.snapshot.interval.ms", Some("3600000"))
        .at_least(0)
        .ms()
        .inert(
            why::NO_SNAPSHOT,
            "Longest time between two metadata snapshots.",
        ),
    int("metadata.log.segment.bytes", Some("1073741824"))
        .at_least(8_388_608)
        .bytes()
        .honoured("Segment size of the metadata log."),
    long("metadata.log.segment.ms", Some("604800000"))
        .at_least(1)
        .ms()
        .honoured("Age at which a segment of the metadata log is closed."),
    int("metadata.max.idle.interval.ms", Some("500"))
        .at_least(0)
        .ms()
        .inert(
            why::CONTROLLER,
            "How often an idle controller writes a no-op record.",
        ),
    long("metadata.max.retention.bytes", Some("104857600"))
        .bytes()
        .inert(why::NO_SNAPSHOT, "Size of metadata log and snapshots kept."),
    long("metadata.max.retention.ms", Some("604800000"))
        .ms()
        .inert(why::NO_SNAPSHOT, "Age of metadata log and snapshots kept."),
    long("internal.metadata.delete.delay.millis", Some("60000"))
        .ms()
        .internal()
        .inert(
            why::NO_SNAPSHOT,
            "Wait before files of the metadata log are removed.",
        ),
    int("internal.metadata.log.segment.bytes", None)
        .bytes()
        .internal()
        .inert(
            why::CONTROLLER,
            "Segment size of the metadata log, for tests.",
        ),
    int("internal.metadata.max.batch.size.in.bytes", Some("8388608"))
        .bytes()
        .internal()
        .inert(why::CONTROLLER, "Largest batch of the metadata log."),
    int("internal.metadata.max.fetch.size.in.bytes", Some("8388608"))
        .bytes()
        .internal()
        .inert(why::CONTROLLER, "Largest fetch of the metadata log."),
    boolean("auto.leader.rebalance.enable", Some("true")).inert(
        why::REPLICATION,
        "Moves leadership back to preferred replicas.",
    ),
    long("leader.imbalance.check.interval.seconds", Some("300"))
        .at_least(1)
        .unit("s")
        .inert(
            why::REPLICATION,
            "How often leadership balance is looked at.",
        ),
    boolean("unclean.leader.election.enable", Some("false"))
        .cluster_wide()
        .inert(
            why::REPLICATION,
            "Lets a replica lead that was not in sync.",
        ),
    long("unclean.leader.election.interval.ms", Some("300000"))
        .at_least(1)
        .ms()
        .internal()
        .inert(
            why::REPLICATION,
            "How often unclean elections are looked for.",
        ),
    int("num.replica.fetchers", Some("1"))
        .cluster_wide()
        .inert(why::REPLICATION, "Threads that fetch from each leader."),
    int("replica.fetch.backoff.ms", Some("1000"))
        .at_least(0)
        .ms()
        .inert(why::REPLICATION, "Pause after a failed replica fetch."),
    int("replica.fetch.max.bytes", Some("1048576"))
        .at_least(0)
        .bytes()
        .inert(
            why::REPLICATION,
            "Bytes a replica fetches of one partition.",
        ),
    int("replica.fetch.min.bytes", Some("1"))
        .bytes()
        .inert(why::REPLICATION, "Bytes a replica fetch waits for."),
    int("replica.fetch.response.max.bytes", Some("10485760"))
        .at_least(0)
        .bytes()
        .inert(why::REPLICATION, "Bytes in one answer to a replica."),
    int("replica.fetch.wait.max.ms", Some("500"))
        .ms()
        .inert(why::REPLICATION, "How long a replica fetch may wait."),
    long(
        "replica.high.watermark.checkpoint.interval.ms",
        Some("5000"),
    )
    .ms()
    .inert(
        why::REPLICATION,
        "How often high watermarks are written down.",
    ),
    long("replica.lag.time.max.ms", Some("30000")).ms().inert(
        why::REPLICATION,
        "How long a replica may lag and stay in sync.",
    ),
    string("replica.selector.class", None).refused(
        why::NO_PLUGINS,
        "Class that picks the replica a consumer reads from.",
    ),
    int("replica.socket.receive.buffer.bytes", Some("65536"))
        .bytes()
        .inert(why::REPLICATION, "SO_RCVBUF of replica fetchers."),
    int("replica.socket.timeout.ms", Some("30000"))
        .ms()
        .inert(why::REPLICATION, "How long a replica's request may take."),
    int("replication.quota.window.num", Some("11"))
        .at_least(1)
        .inert(why::REPLICATION, "Samples kept for replication quotas."),
    int("replication.quota.window.size.seconds", Some("1"))
        .at_least(1)
        .unit("s")
        .inert(
            why::REPLICATION,
            "Length of a sample for replication quotas.",
        ),
    int("alter.log.dirs.replication.quota.window.num", Some("11"))
        .at_least(1)
        .inert(
            why::REPLICATION,
            "Samples kept for quotas of moves between directories.",
        ),
    int(
        "alter.log.dirs.replication.quota.window.size.seconds",
        Some("1"),
    )
    .at_least(1)
    .unit("s")
    .inert(
        why::REPLICATION,
        "Length of a sample for quotas of moves between directories.",
    ),
    class("alter.config.policy.class.name", None).refused(
        why::NO_PLUGINS,
        "Class that judges changes of configuration.",
    ),
    class("create.topic.policy.class.name", None)
        .refused(why::NO_PLUGINS, "Class that judges new topics."),
    string("authorizer.class.name", Some(""))
        .refused(why::NO_AUTHORIZER, "Class that decides who may do what."),
    class(
        "principal.builder.class",
        Some("org.apache.kafka.common.security.authenticator.DefaultKafkaPrincipalBuilder"),
    )
    .per_broker()
    .refused(
        why::NO_PLUGINS,
        "Class that names the authenticated principal.",
    ),
    password("delegation.token.secret.key", None)
        .refused(why::NO_TOKENS, "Secret that signs delegation tokens."),
    long("delegation.token.expiry.check.interval.ms", Some("3600000"))
        .at_least(1)
        .ms()
        .inert(
            why::NO_TOKENS,
            "How often expired delegation tokens are removed.",
        ),
    long("delegation.token.expiry.time.ms", Some("86400000"))
        .at_least(1)
        .ms()
        .inert(
            why::NO_TOKENS,
            "How long a delegation token lasts without renewal.",
        ),
    long("delegation.token.max.lifetime.ms", Some("604800000"))
        .at_least(1)
        .ms()
        .inert(
            why::NO_TOKENS,
            "How long a delegation token may last in all.",
        ),
];
