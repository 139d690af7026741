//! A plain client: one request, one answer, bytes counted and not looked at.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

use logmill_wire::messages::fetch::{FetchPartition, FetchRequest, FetchTopic};
use logmill_wire::messages::produce::{
    PartitionProduceData, ProduceRequest, ProduceResponse, TopicProduceData,
};
use logmill_wire::{ApiKey, Message, Reader, RequestHeader, ResponseHeader, Writer};

/// A connection.
pub struct Client {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Client {
    /// Connects.
    pub fn connect(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).expect("the broker accepts");
        stream.set_nodelay(true).expect("a socket");
        Self {
            stream,
            buffer: vec![0; 1 << 20],
        }
    }

    /// Appends a batch with acks=all.
    pub fn produce(&mut self, topic: &str, batch: &[u8]) {
        let part = PartitionProduceData {
            index: 0,
            records: Some(batch.into()),
        };
        let data = TopicProduceData {
            name: topic,
            partition_data: vec![part].into(),
            ..TopicProduceData::default()
        };
        let request = ProduceRequest {
            acks: -1,
            timeout_ms: 20_000,
            topic_data: vec![data].into(),
            ..ProduceRequest::default()
        };
        self.send(ApiKey::Produce, PRODUCE_VERSION, &request);
        let frame = self.receive_whole();
        let (_, reader) = ResponseHeader::decode(&frame, ApiKey::Produce, PRODUCE_VERSION)
            .expect("a response header");
        let response = ProduceResponse::decode(&mut Reader::new(reader.rest()), PRODUCE_VERSION)
            .expect("a produce response");
        let topics = response.responses.first().expect("a topic");
        let part = topics.partition_responses.first().expect("a partition");
        assert_eq!(part.error_code, 0, "the batch is accepted");
    }

    /// Fetches at most `max_bytes` from `offset` and gives the length of the answer. What comes is
    /// not looked at.
    pub fn fetch(&mut self, topic: &str, offset: i64, max_bytes: i32) -> usize {
        let request = fetch_request(topic, offset, max_bytes);
        self.send(ApiKey::Fetch, FETCH_VERSION, &request);
        let mut left = self.receive_length();
        let whole = left;
        while left > 0 {
            let part = left.min(self.buffer.len());
            let count = self.stream.read(&mut self.buffer[..part]);
            let count = count.expect("the broker answers");
            assert!(count > 0, "the broker answers");
            left -= count;
        }
        whole
    }

    fn send<'a>(&mut self, api: ApiKey, version: i16, request: &impl Message<'a>) {
        let mut writer = Writer::new();
        writer.i32(0);
        let header = RequestHeader {
            request_api_key: api as i16,
            request_api_version: version,
            correlation_id: 1,
            client_id: Some("bench"),
        };
        header
            .encode(&mut writer, api.request_header_version(version))
            .expect("a request header");
        request
            .encode(&mut writer, version)
            .expect("a request of its version");
        let len = i32::try_from(writer.bytes.len() - 4).expect("a small request");
        writer.bytes[..4].copy_from_slice(&len.to_be_bytes());
        self.stream
            .write_all(&writer.bytes)
            .expect("the broker reads");
    }

    fn receive_length(&mut self) -> usize {
        let mut field = [0; 4];
        self.stream
            .read_exact(&mut field)
            .expect("the broker answers");
        usize::try_from(i32::from_be_bytes(field)).expect("a length")
    }

    fn receive_whole(&mut self) -> Vec<u8> {
        let mut frame = vec![0; self.receive_length()];
        self.stream
            .read_exact(&mut frame)
            .expect("the broker answers");
        frame
    }
}

/// A fetch of one partition without a session.
pub fn fetch_request(topic: &str, fetch_offset: i64, max_bytes: i32) -> FetchRequest<'_> {
    let part = FetchPartition {
        fetch_offset,
        partition_max_bytes: max_bytes,
        ..FetchPartition::default()
    };
    let topic = FetchTopic {
        topic,
        partitions: vec![part].into(),
        ..FetchTopic::default()
    };
    FetchRequest {
        max_wait_ms: 10_000,
        min_bytes: 1,
        max_bytes,
        topics: vec![topic].into(),
        ..FetchRequest::default()
    }
}

/// The version of produce requests: the last with flexible fields and names instead of ids.
pub const PRODUCE_VERSION: i16 = 12;
/// The version of fetch requests.
pub const FETCH_VERSION: i16 = 12;
