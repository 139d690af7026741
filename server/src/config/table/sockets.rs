//! Listeners, connections, requests, quotas and metrics.
//!
//! Names, types, defaults and bounds are those of Apache Kafka 4.1.1.

use super::why;
use crate::config::key::{Key, boolean, class, int, list, long, string};

/// One row a key, in the order of Kafka's own areas.
pub const KEYS: &[Key] = &[
    string("listeners", Some("PLAINTEXT://127.0.0.1:9092"))
        .per_broker()
        .honoured(
            "Addresses to accept clients on, as NAME://host:port, separated by commas; \
                an empty host is every interface.",
        ),
    string("advertised.listeners", None)
        .honoured("Addresses handed to clients in metadata, where they differ from listeners."),
    string("listener.security.protocol.map", Some(PROTOCOL_MAP))
        .per_broker()
        .honoured("Security protocol of each listener name; only PLAINTEXT is served."),
    string("inter.broker.listener.name", None).inert(
        why::REPLICATION,
        "Name of the listener that brokers use among themselves.",
    ),
    string("security.inter.broker.protocol", Some("PLAINTEXT"))
        .one_of(&["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"])
        .inert(
            why::REPLICATION,
            "Protocol that brokers use among themselves when no listener is named for it.",
        ),
    string("early.start.listeners", None).inert(
        why::SHARDS_ACCEPT,
        "Listeners that open before the broker is unfenced.",
    ),
    int("socket.send.buffer.bytes", Some("102400"))
        .at_least(-1)
        .bytes()
        .honoured("SO_SNDBUF of each connection; -1 leaves the kernel's choice."),
    int("socket.receive.buffer.bytes", Some("102400"))
        .at_least(-1)
        .bytes()
        .honoured("SO_RCVBUF of each connection; -1 leaves the kernel's choice."),
    int("socket.request.max.bytes", Some("104857600"))
        .at_least(1)
        .bytes()
        .honoured("Largest request frame taken; a longer one closes the connection."),
    int("socket.listen.backlog.size", Some("50"))
        .at_least(1)
        .honoured("Connections the kernel may queue for accept on each listener."),
    long("socket.connection.setup.timeout.ms", Some("10000"))
        .ms()
        .inert(
            why::REPLICATION,
            "How long an outgoing connection may take to be set up.",
        ),
    long("socket.connection.setup.timeout.max.ms", Some("30000"))
        .ms()
        .inert(
            why::REPLICATION,
            "Upper end of the growing time-out for outgoing connections.",
        ),
    long("connections.max.idle.ms", Some("600000"))
        .at_least(-1)
        .ms()
        .honoured("A connection that carries nothing for so long is closed."),
    long("connections.max.reauth.ms", Some("0")).ms().inert(
        why::SASL,
        "How long a SASL session lasts before it must authenticate again.",
    ),
    int("connection.failed.authentication.delay.ms", Some("100"))
        .at_least(0)
        .ms()
        .inert(
            why::SASL,
            "Pause before the answer to a failed authentication.",
        ),
    int("max.connections", Some("16384"))
        .at_least(0)
        .cluster_wide()
        .honoured("Connections held at once, over all shards."),
    int("max.connections.per.ip", Some("2147483647"))
        .at_least(0)
        .cluster_wide()
        .honoured("Connections held at once from one address."),
    string("max.connections.per.ip.overrides", Some(""))
        .cluster_wide()
        .honoured("Exceptions to max.connections.per.ip, as address:count, separated by commas."),
    int("max.connection.creation.rate", Some("2147483647"))
        .at_least(0)
        .unit("per s")
        .cluster_wide()
        .honoured("New connections accepted per second; more wait."),
    int("queued.max.requests", Some("500")).at_least(1).inert(
        why::THREADS,
        "Length of the queue between network and I/O threads.",
    ),
    long("queued.max.request.bytes", Some("-1"))
        .at_least(-1)
        .bytes()
        .honoured(
            "Memory for requests received and not yet answered, over all shards; -1 is \
                a quarter of the budget.",
        ),
    int("request.timeout.ms", Some("30000")).ms().inert(
        why::REPLICATION,
        "How long this broker waits for answers of other brokers.",
    ),
    int("max.request.partition.size.limit", Some("2000"))
        .at_least(1)
        .honoured("Partitions in one answer of DescribeTopicPartitions."),
    int("num.network.threads", Some("3"))
        .at_least(1)
        .cluster_wide()
        .inert(why::THREADS, "Threads that read and write sockets."),
    int("num.io.threads", Some("8"))
        .at_least(1)
        .cluster_wide()
        .inert(why::THREADS, "Threads that carry out requests."),
    int("background.threads", Some("10"))
        .at_least(1)
        .cluster_wide()
        .inert(why::THREADS, "Threads for housekeeping."),
    int("fetch.max.bytes", Some("57671680"))
        .at_least(1024)
        .bytes()
        .honoured("Upper bound on the records in one fetch answer, whatever the client asks."),
    int("max.incremental.fetch.session.cache.slots", Some("1000"))
        .at_least(0)
        .honoured(
            "Incremental fetch sessions kept; past them clients fall back to full \
                fetches.",
        ),
    int("fetch.purgatory.purge.interval.requests", Some("1000")).inert(
        why::NO_PURGATORY,
        "When finished entries leave the fetch purgatory.",
    ),
    int("producer.purgatory.purge.interval.requests", Some("1000")).inert(
        why::NO_PURGATORY,
        "When finished entries leave the produce purgatory.",
    ),
    int(
        "delete.records.purgatory.purge.interval.requests",
        Some("1"),
    )
    .inert(
        why::NO_PURGATORY,
        "When finished entries leave the purgatory of DeleteRecords.",
    ),
    int("quota.window.num", Some("11"))
        .at_least(1)
        .inert(why::NO_QUOTAS, "Samples kept for client quotas."),
    int("quota.window.size.seconds", Some("1"))
        .at_least(1)
        .unit("s")
        .inert(why::NO_QUOTAS, "Length of a sample for client quotas."),
    int("controller.quota.window.num", Some("11"))
        .at_least(1)
        .inert(
            why::NO_QUOTAS,
            "Samples kept for the quota of metadata changes.",
        ),
    int("controller.quota.window.size.seconds", Some("1"))
        .at_least(1)
        .unit("s")
        .inert(
            why::NO_QUOTAS,
            "Length of a sample for the quota of metadata changes.",
        ),
    class("client.quota.callback.class", None)
        .refused(why::NO_PLUGINS, "Class that decides client quotas."),
    list(
        "metric.reporters",
        Some("org.apache.kafka.common.metrics.JmxReporter"),
    )
    .cluster_wide()
    .inert(why::NO_JMX, "Classes that report metrics."),
    int("metrics.num.samples", Some("2"))
        .at_least(1)
        .inert(why::NO_JMX, "Samples kept for each metric."),
    string("metrics.recording.level", Some("INFO"))
        .inert(why::NO_JMX, "How detailed the recorded metrics are."),
    long("metrics.sample.window.ms", Some("30000"))
        .at_least(1)
        .ms()
        .inert(why::NO_JMX, "Length of a metrics sample."),
    list("kafka.metrics.reporters", Some("")).inert(
        why::NO_JMX,
        "Classes that report metrics of the older kind.",
    ),
    int("kafka.metrics.polling.interval.secs", Some("10"))
        .at_least(1)
        .unit("s")
        .inert(why::NO_JMX, "How often the older reporters are asked."),
    int("telemetry.max.bytes", Some("1048576"))
        .at_least(1)
        .bytes()
        .inert(
            why::NO_TELEMETRY,
            "Largest telemetry that a client may push.",
        ),
    boolean("unstable.api.versions.enable", Some("false"))
        .internal()
        .honoured("Advertises API versions that Kafka 4.1 holds back as unstable."),
    boolean("unstable.feature.versions.enable", Some("false"))
        .internal()
        .inert(why::CONTROLLER, "Allows feature levels that are not final."),
    long("server.max.startup.time.ms", Some("9223372036854775807"))
        .at_least(0)
        .ms()
        .internal()
        .inert(why::FAST_START, "How long a start may take."),
];

/// Kafka's own map: a listener's name is the name of its protocol.
const PROTOCOL_MAP: &str =
    "SASL_SSL:SASL_SSL,PLAINTEXT:PLAINTEXT,SSL:SSL,SASL_PLAINTEXT:SASL_PLAINTEXT";
