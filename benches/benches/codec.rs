//! Decoding and encoding what every produce, fetch and metadata request is made of.

use std::hint::black_box;

use criterion::{Criterion, Throughput};
use logmill_benches::client::{FETCH_VERSION, PRODUCE_VERSION, fetch_request};
use logmill_benches::{batch, criterion};
use logmill_wire::messages::fetch::{
    FetchRequest, FetchResponse, FetchableTopicResponse, PartitionData,
};
use logmill_wire::messages::metadata::{
    MetadataResponse, MetadataResponseBroker, MetadataResponsePartition, MetadataResponseTopic,
};
use logmill_wire::messages::produce::{
    PartitionProduceData, PartitionProduceResponse, ProduceRequest, ProduceResponse,
    TopicProduceData, TopicProduceResponse,
};
use logmill_wire::{Message, Reader, Writer};

fn main() {
    let mut criterion = criterion();
    produce(&mut criterion);
    fetch(&mut criterion);
    metadata(&mut criterion);
    criterion.final_summary();
}

const PARTITIONS: i32 = 6;

fn produce(criterion: &mut Criterion) {
    let batch = batch(16, 1_024);
    let parts: Vec<_> = (0..PARTITIONS)
        .map(|index| PartitionProduceData {
            index,
            records: Some((&batch[..]).into()),
        })
        .collect();
    let topic = TopicProduceData {
        name: "topic",
        partition_data: parts.into(),
        ..TopicProduceData::default()
    };
    let request = ProduceRequest {
        acks: -1,
        timeout_ms: 30_000,
        topic_data: vec![topic].into(),
        ..ProduceRequest::default()
    };
    let parts: Vec<_> = (0..PARTITIONS)
        .map(|index| PartitionProduceResponse {
            index,
            base_offset: 1 << 40,
            ..PartitionProduceResponse::default()
        })
        .collect();
    let topic = TopicProduceResponse {
        name: "topic",
        partition_responses: parts.into(),
        ..TopicProduceResponse::default()
    };
    let response = ProduceResponse {
        responses: vec![topic].into(),
        ..ProduceResponse::default()
    };
    let bytes = encoded(&request, PRODUCE_VERSION);
    let mut group = criterion.benchmark_group("codec/produce, 6 partitions");
    group.throughput(Throughput::Elements(1));
    group.bench_function("decode request", |bencher| {
        bencher
            .iter(|| ProduceRequest::decode(&mut Reader::new(black_box(&bytes)), PRODUCE_VERSION));
    });
    let mut writer = Writer::new();
    group.bench_function("encode response", |bencher| {
        bencher.iter(|| encode_into(&mut writer, black_box(&response), PRODUCE_VERSION));
    });
    group.finish();
}

fn fetch(criterion: &mut Criterion) {
    let request = fetch_request("topic", 1 << 40, 1 << 20);
    let batch = batch(16, 1_024);
    let parts: Vec<_> = (0..PARTITIONS)
        .map(|partition_index| PartitionData {
            partition_index,
            high_watermark: 1 << 40,
            records: Some((&batch[..]).into()),
            ..PartitionData::default()
        })
        .collect();
    let topic = FetchableTopicResponse {
        topic: "topic",
        partitions: parts.into(),
        ..FetchableTopicResponse::default()
    };
    let response = FetchResponse {
        responses: vec![topic].into(),
        ..FetchResponse::default()
    };
    let asked = encoded(&request, FETCH_VERSION);
    let answered = encoded(&response, FETCH_VERSION);
    let mut group = criterion.benchmark_group("codec/fetch");
    group.throughput(Throughput::Elements(1));
    group.bench_function("decode request", |bencher| {
        bencher.iter(|| FetchRequest::decode(&mut Reader::new(black_box(&asked)), FETCH_VERSION));
    });
    group.bench_function("decode response of 6 partitions", |bencher| {
        bencher
            .iter(|| FetchResponse::decode(&mut Reader::new(black_box(&answered)), FETCH_VERSION));
    });
    let mut writer = Writer::new();
    group.throughput(Throughput::Bytes(answered.len() as u64));
    group.bench_function("encode response of 6 partitions", |bencher| {
        bencher.iter(|| encode_into(&mut writer, black_box(&response), FETCH_VERSION));
    });
    group.finish();
}

fn metadata(criterion: &mut Criterion) {
    let nodes = [1];
    let names: Vec<String> = (0..100).map(|number| format!("topic-{number}")).collect();
    let topics: Vec<_> = names
        .iter()
        .map(|name| MetadataResponseTopic {
            name: Some(name),
            partitions: partitions(&nodes).into(),
            ..MetadataResponseTopic::default()
        })
        .collect();
    let broker = MetadataResponseBroker {
        node_id: 1,
        host: "localhost",
        port: 9092,
        ..MetadataResponseBroker::default()
    };
    let response = MetadataResponse {
        brokers: vec![broker].into(),
        cluster_id: Some("cluster"),
        topics: topics.into(),
        ..MetadataResponse::default()
    };
    let bytes = encoded(&response, METADATA_VERSION);
    let mut group = criterion.benchmark_group("codec/metadata, 100 topics");
    group.throughput(Throughput::Elements(100));
    let mut writer = Writer::new();
    group.bench_function("encode response", |bencher| {
        bencher.iter(|| encode_into(&mut writer, black_box(&response), METADATA_VERSION));
    });
    group.bench_function("decode response", |bencher| {
        bencher.iter(|| {
            MetadataResponse::decode(&mut Reader::new(black_box(&bytes)), METADATA_VERSION)
        });
    });
    group.finish();
}

fn partitions(nodes: &[i32]) -> Vec<MetadataResponsePartition<'_>> {
    (0..PARTITIONS)
        .map(|partition_index| MetadataResponsePartition {
            partition_index,
            leader_id: 1,
            replica_nodes: nodes.into(),
            isr_nodes: nodes.into(),
            ..MetadataResponsePartition::default()
        })
        .collect()
}

fn encoded<'a>(message: &impl Message<'a>, version: i16) -> Vec<u8> {
    let mut writer = Writer::new();
    encode_into(&mut writer, message, version);
    writer.bytes
}

fn encode_into<'a>(writer: &mut Writer, message: &impl Message<'a>, version: i16) {
    writer.bytes.clear();
    message
        .encode(writer, version)
        .expect("a message of its version");
}

const METADATA_VERSION: i16 = 12;
