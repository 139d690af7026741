//! Configurations that change while the shards run.

use logmill_wire::messages::incremental_alter_configs::{
    AlterConfigsResource, AlterableConfig, IncrementalAlterConfigsRequest,
    IncrementalAlterConfigsResponse,
};
use logmill_wire::{ApiKey, ErrorCode};

use super::rig::{Client, Rig, decode};

pub(super) const TOPIC: i8 = 2;
const BROKER: i8 = 4;

/// Sets a value, or deletes it.
pub(super) fn alter(
    rig: &mut Rig,
    client: &mut Client,
    (resource_type, resource_name): (i8, &str),
    name: &str,
    value: Option<&str>,
) {
    let configs = [AlterableConfig {
        name,
        config_operation: i8::from(value.is_none()),
        value,
    }];
    let resources = [AlterConfigsResource {
        resource_type,
        resource_name,
        configs: (&configs).into(),
    }];
    let request = IncrementalAlterConfigsRequest {
        resources: (&resources).into(),
        validate_only: false,
    };
    let body = rig.call(client, ApiKey::IncrementalAlterConfigs, 1, &request);
    let body = body.unwrap();
    let response: IncrementalAlterConfigsResponse<'_> = decode(&body, 1);
    let answer = response.responses.first().unwrap();
    assert_eq!(answer.error_code, 0, "{:?}", answer.error_message);
}

#[test]
fn open_partitions_of_every_shard_follow() {
    const TOO_LARGE: (i16, i64) = (ErrorCode::MESSAGE_TOO_LARGE.0, -1);
    let mut rig = Rig::new(2);
    rig.create_topic("plain", 2);
    rig.create_topic("own", 2);
    let mut clients = [rig.connect(0), rig.connect(1)];
    let large = [7; 2000];
    let mut ends = [0; 2];
    // Each value holds for both topics, or for the one that has its own, from every shard.
    let mut expect = |rig: &mut Rig, clients: &mut [Client; 2], plain: bool, own: bool| {
        for (topic, (name, fits)) in [("plain", plain), ("own", own)].into_iter().enumerate() {
            for client in clients.iter_mut() {
                for partition in 0..2 {
                    let got = rig.produce(client, name, partition, &[&large]);
                    let expected = if fits { (0, ends[topic]) } else { TOO_LARGE };
                    assert_eq!(got, expected, "{name}-{partition}");
                }
                ends[topic] += i64::from(fits);
            }
        }
    };
    expect(&mut rig, &mut clients, true, true);
    let [_, second] = &mut clients;
    alter(
        &mut rig,
        second,
        (TOPIC, "own"),
        "max.message.bytes",
        Some("1000"),
    );
    expect(&mut rig, &mut clients, true, false);
    let [first, second] = &mut clients;
    alter(
        &mut rig,
        first,
        (BROKER, ""),
        "message.max.bytes",
        Some("1500"),
    );
    alter(
        &mut rig,
        second,
        (TOPIC, "own"),
        "max.message.bytes",
        Some("9000"),
    );
    expect(&mut rig, &mut clients, false, true);
    let [first, second] = &mut clients;
    alter(
        &mut rig,
        first,
        (BROKER, "1"),
        "message.max.bytes",
        Some("3000"),
    );
    alter(&mut rig, second, (TOPIC, "own"), "max.message.bytes", None);
    expect(&mut rig, &mut clients, true, true);
    rig.create_topic("late", 1);
    let [first, second] = &mut clients;
    alter(&mut rig, second, (BROKER, "1"), "message.max.bytes", None);
    assert_eq!(rig.produce(first, "late", 0, &[&large]), TOO_LARGE);
    expect(&mut rig, &mut clients, false, false);
    let [_, second] = &mut clients;
    alter(&mut rig, second, (BROKER, ""), "message.max.bytes", None);
    expect(&mut rig, &mut clients, true, true);
}

#[test]
fn drivers_are_told() {
    let mut rig = Rig::new(2);
    let mut client = rig.connect(1);
    alter(
        &mut rig,
        &mut client,
        (BROKER, "1"),
        "max.connections",
        Some("7"),
    );
    let told: Vec<u32> = rig.told_configs().map(|it| it.limits.connections).collect();
    assert_eq!(told, [7, 7]);
}
