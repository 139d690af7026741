//! Decoding allocates nothing, however large the message and however wrong.

use allocation_counter::measure;
use logmill_wire::messages::fetch::{FetchPartition, FetchRequest, FetchTopic};
use logmill_wire::messages::metadata::{
    MetadataResponse, MetadataResponseBroker, MetadataResponsePartition, MetadataResponseTopic,
};
use logmill_wire::messages::produce::{PartitionProduceData, ProduceRequest, TopicProduceData};
use logmill_wire::{Array, Message, Reader, Records, RequestHeader, Writer, frame};

#[test]
fn requests_are_decoded_and_walked_without_allocating() {
    let produce = produce_request();
    let fetch = fetch_request();
    let mut records = 0;
    let mut partitions = 0;
    let allocated = measure(|| {
        let (header, mut r) = RequestHeader::decode(&produce.bytes[4..]).unwrap();
        assert_eq!(header.client_id, Some("producer-1"));
        let request = ProduceRequest::decode(&mut r, header.request_api_version).unwrap();
        for topic in &request.topic_data {
            for partition in &topic.partition_data {
                records += partition.records.map_or(0, |records| records.len());
            }
        }
        let (header, mut r) = RequestHeader::decode(&fetch.bytes[4..]).unwrap();
        let request = FetchRequest::decode(&mut r, header.request_api_version).unwrap();
        for topic in &request.topics {
            partitions += topic
                .partitions
                .iter()
                .filter(|p| p.fetch_offset == 5)
                .count();
        }
    });
    assert_eq!((records, partitions), (50 * 20 * 100, 1000));
    assert_eq!(allocated.count_total, 0, "{allocated:?}");
}

#[test]
fn refusing_a_frame_does_not_allocate() {
    let produce = produce_request();
    let allocated = measure(|| {
        for cut in (0..produce.bytes.len() - 4).step_by(97) {
            let frame = &produce.bytes[4..][..cut];
            if let Ok((header, mut r)) = RequestHeader::decode(frame) {
                assert!(ProduceRequest::decode(&mut r, header.request_api_version).is_err());
            }
        }
        // Two thousand million topics, it says.
        let mut r = Reader::new(&[0xff, 0xff, 0, 1, 0, 0, 0, 9, 0x7f, 0xff, 0xff, 0xff]);
        assert!(ProduceRequest::decode(&mut r, 3).is_err());
    });
    assert_eq!(allocated.count_total, 0, "{allocated:?}");
}

#[test]
fn a_response_is_encoded_into_memory_that_is_there() {
    let replicas = [1, 2, 3];
    let partitions: Vec<_> = (0..100)
        .map(|partition_index| MetadataResponsePartition {
            partition_index,
            leader_id: 1,
            replica_nodes: (&replicas).into(),
            isr_nodes: (&replicas).into(),
            ..Default::default()
        })
        .collect();
    let topics: Vec<_> = (0..10)
        .map(|_| MetadataResponseTopic {
            name: Some("orders"),
            partitions: Array::from(&partitions[..]),
            ..Default::default()
        })
        .collect();
    let brokers = [MetadataResponseBroker {
        node_id: 1,
        host: "a",
        port: 9092,
        rack: None,
    }];
    let response = MetadataResponse {
        brokers: (&brokers).into(),
        topics: Array::from(&topics[..]),
        ..Default::default()
    };
    let mut w = Writer::new();
    frame::write_response(&mut w, 12, 1, &response).unwrap();
    let first = w.bytes.clone();
    w.clear();
    let allocated = measure(|| frame::write_response(&mut w, 12, 1, &response).unwrap());
    assert_eq!(w.bytes, first);
    assert_eq!(allocated.count_total, 0, "{allocated:?}");
}

fn produce_request() -> Writer {
    let batch = [7; 100];
    let partitions: Vec<_> = (0..20)
        .map(|index| PartitionProduceData {
            index,
            records: Some(Records::Bytes(&batch)),
        })
        .collect();
    let topics: Vec<_> = (0..50)
        .map(|_| TopicProduceData {
            name: "a-topic",
            partition_data: Array::from(&partitions[..]),
            ..Default::default()
        })
        .collect();
    let request = ProduceRequest {
        acks: -1,
        timeout_ms: 30_000,
        topic_data: Array::from(&topics[..]),
        ..Default::default()
    };
    let mut w = Writer::new();
    frame::write_request(&mut w, 9, 1, Some("producer-1"), &request).unwrap();
    w
}

fn fetch_request() -> Writer {
    let partitions: Vec<_> = (0..20)
        .map(|partition| FetchPartition {
            partition,
            fetch_offset: 5,
            ..Default::default()
        })
        .collect();
    let topics: Vec<_> = (0..50)
        .map(|_| FetchTopic {
            topic: "a-topic",
            partitions: Array::from(&partitions[..]),
            ..Default::default()
        })
        .collect();
    let request = FetchRequest {
        topics: Array::from(&topics[..]),
        ..Default::default()
    };
    let mut w = Writer::new();
    frame::write_request(&mut w, 12, 2, Some("consumer-1"), &request).unwrap();
    w
}
