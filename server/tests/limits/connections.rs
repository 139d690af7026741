//! How many connections there may be, how fast they come, and what each of them costs.

use std::io::Write;
use std::time::{Duration, Instant};

use logmill_wire::ApiKey;
use logmill_wire::messages::api_versions::ApiVersionsRequest;
use logmill_wire::messages::incremental_alter_configs::{
    AlterConfigsResource, AlterableConfig, IncrementalAlterConfigsRequest,
    IncrementalAlterConfigsResponse,
};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use super::broker::{Broker, Client, decode};

#[test]
fn an_address_has_a_limit_of_its_own() {
    let broker = Broker::start(&["logmill.shards=2", "max.connections.per.ip=3"]);
    let mut held: Vec<_> = (0..3).map(|_| broker.connect()).collect();
    held.iter_mut().for_each(greet);
    assert!(broker.connect().is_closed());
    broker.wait_for_log("max.connections.per.ip");
    held.iter_mut().for_each(greet);
}

#[test]
fn connections_come_no_faster_than_allowed() {
    let broker = Broker::start(&["logmill.shards=2", "max.connection.creation.rate=5"]);
    let begin = Instant::now();
    let mut clients: Vec<_> = (0..20).map(|_| broker.connect()).collect();
    clients.iter_mut().for_each(greet);
    // Five at once, the others one after the other: none is refused.
    assert!(begin.elapsed() >= Duration::from_millis(2_900));
}

#[test]
fn a_limit_that_is_changed_counts_at_once() {
    let broker = Broker::start(&["logmill.shards=2"]);
    let mut held: Vec<_> = (0..5).map(|_| broker.connect()).collect();
    held.iter_mut().for_each(greet);
    set_of_all_brokers(&mut held[0], "max.connections", "5");
    wait_until(|| broker.connect().is_closed_now());
    broker.wait_for_log("5 connections are open");
    set_of_all_brokers(&mut held[0], "max.connections", "6");
    wait_until(|| !broker.connect().is_closed_now());
    held.iter_mut().for_each(greet);
}

#[test]
fn an_idle_connection_is_closed_at_its_limit() {
    let broker = Broker::start(&["connections.max.idle.ms=1500"]);
    let (mut idle, mut busy) = (broker.connect(), broker.connect());
    greet(&mut idle);
    for _ in 0..8 {
        greet(&mut busy);
        std::thread::sleep(Duration::from_millis(300));
    }
    assert!(idle.is_closed_now());
    greet(&mut busy);
}

#[test]
fn thousands_of_connections_take_little_memory() {
    let descriptors = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: descriptors.maximum,
        ..descriptors
    };
    setrlimit(Resource::Nofile, raised).expect("a soft limit may be raised to the hard one");
    // They come faster than a busy machine may accept them.
    let broker = Broker::start(&["logmill.shards=2", "socket.listen.backlog.size=4096"]);
    greet(&mut broker.connect());
    let before = broker.resident_bytes();
    let greeted = |_| {
        let mut client = broker.connect();
        greet(&mut client);
        client
    };
    let mut held: Vec<_> = (0..CONNECTIONS).map(greeted).collect();
    // Every other one has begun a frame and sent one byte of it more.
    let half = |client: &mut Client| {
        client.stream.write_all(&[0, 0, 4, 0]).unwrap();
        client.stream.write_all(&[0]).unwrap();
    };
    held.iter_mut().step_by(2).for_each(half);
    held.iter_mut().skip(1).step_by(2).for_each(greet);
    let each = (broker.resident_bytes() - before) / CONNECTIONS as u64;
    assert!(each < 16 << 10, "{each} bytes a connection");
}

fn greet(client: &mut Client) {
    client
        .call(ApiKey::ApiVersions, 0, &ApiVersionsRequest::default())
        .expect("an answer");
}

fn set_of_all_brokers(client: &mut Client, name: &str, value: &str) {
    let config = AlterableConfig {
        name,
        config_operation: 0,
        value: Some(value),
    };
    let resource = AlterConfigsResource {
        resource_type: BROKER,
        resource_name: "",
        configs: vec![config].into(),
    };
    let request = IncrementalAlterConfigsRequest {
        resources: vec![resource].into(),
        validate_only: false,
    };
    let body = client
        .call(ApiKey::IncrementalAlterConfigs, 1, &request)
        .expect("an answer");
    let response: IncrementalAlterConfigsResponse<'_> = decode(&body, 1);
    assert_eq!(response.responses.first().unwrap().error_code, 0);
}

fn wait_until(mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !holds() {
        assert!(Instant::now() < deadline, "it never came to be");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// A resource's type.
const BROKER: i8 = 4;
const CONNECTIONS: usize = 5_000;
