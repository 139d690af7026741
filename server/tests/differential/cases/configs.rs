//! DescribeConfigs: every key with its value, where that comes from, and its type.

use logmill_wire::messages::describe_configs::{DescribeConfigsRequest, DescribeConfigsResource};

use super::Case;
use crate::conversation::{Api, Conversation, DescribeConfigs};

/// Every script of this file.
pub const CASES: &[Case] = &[
    ("topic-configs", topic_configs),
    ("broker-configs", broker_configs),
    ("config-errors", config_errors),
];

const TOPIC: i8 = 2;
const BROKER: i8 = 4;

fn ask(
    c: &mut Conversation,
    what: &str,
    version: i16,
    kind: i8,
    name: &str,
    keys: Option<&[&str]>,
) {
    let resources = [DescribeConfigsResource {
        resource_type: kind,
        resource_name: name,
        configuration_keys: keys.map(|keys| keys.into()),
    }];
    let request = DescribeConfigsRequest {
        resources: (&resources).into(),
        include_synonyms: what.contains("synonyms"),
        include_documentation: what.contains("documentation"),
    };
    c.ask::<DescribeConfigs>(what, version, &request);
}

fn topic_configs(c: &mut Conversation) {
    let (name, _) = c.topic(
        "topic",
        1,
        &[("retention.ms", "77000"), ("cleanup.policy", "compact")],
    );
    for version in DescribeConfigs::versions() {
        ask(c, "all", version, TOPIC, &name, None);
        ask(c, "all with synonyms", version, TOPIC, &name, None);
        ask(
            c,
            "some",
            version,
            TOPIC,
            &name,
            Some(&["retention.ms", "segment.bytes", "no.such.key"]),
        );
        ask(c, "none", version, TOPIC, &name, Some(&[]));
        if version >= 3 {
            ask(
                c,
                "with documentation",
                version,
                TOPIC,
                &name,
                Some(&["retention.ms"]),
            );
        }
    }
}

fn broker_configs(c: &mut Conversation) {
    for version in DescribeConfigs::versions() {
        ask(c, "all", version, BROKER, "1", None);
        let keys = [
            "log.retention.ms",
            "log.retention.hours",
            "message.max.bytes",
            "num.partitions",
            "node.id",
        ];
        ask(c, "some with synonyms", version, BROKER, "1", Some(&keys));
        ask(c, "defaults of all brokers", version, BROKER, "", None);
    }
}

fn config_errors(c: &mut Conversation) {
    const BROKER_LOGGER: i8 = 8;
    for version in DescribeConfigs::versions() {
        ask(c, "unknown topic", version, TOPIC, "nowhere", None);
        ask(c, "bad topic name", version, TOPIC, "no/slash", None);
        ask(c, "no topic name", version, TOPIC, "", None);
        ask(c, "another broker", version, BROKER, "7", None);
        ask(c, "no broker at all", version, BROKER, "one", None);
        ask(
            c,
            "another broker's loggers",
            version,
            BROKER_LOGGER,
            "7",
            None,
        );
        ask(c, "no such kind", version, 99, "x", None);
    }
}
