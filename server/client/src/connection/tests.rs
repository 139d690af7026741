//! The connection against a broker of a few lines.

use logmill_wire::messages::api_versions::ApiVersion;
use logmill_wire::messages::metadata::{MetadataRequest, MetadataResponse};
use logmill_wire::messages::produce::{
    PartitionProduceData, ProduceRequest, ProduceResponse, TopicProduceData,
};
use logmill_wire::{Array, Records};
use proptest::prelude::*;

use super::*;

type Client = Connection<Vec<u8>>;

/// Takes everything that the client wants to write, in writes of at most `step` bytes.
fn written(client: &mut Client, step: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    while client.wants_write() {
        let mut slices = [IoSlice::new(&[]); 3];
        let set = client.slices(&mut slices);
        assert!(set > 0);
        let all: Vec<u8> = slices[..set]
            .iter()
            .flat_map(|s| s.iter().copied())
            .collect();
        let count = all.len().min(step);
        bytes.extend_from_slice(&all[..count]);
        client.sent(count);
    }
    bytes
}

/// Splits what was written into frames.
fn frames(mut bytes: &[u8]) -> Vec<Vec<u8>> {
    let mut frames = Vec::new();
    while let Some((size, rest)) = bytes.split_first_chunk::<4>() {
        let (frame, rest) = rest.split_at(i32::from_be_bytes(*size) as usize);
        frames.push(frame.to_vec());
        bytes = rest;
    }
    frames
}

fn feed(client: &mut Client, mut bytes: &[u8]) {
    while !bytes.is_empty() {
        let space = client.space();
        let count = space.len().min(bytes.len());
        space[..count].copy_from_slice(&bytes[..count]);
        client.received(count);
        bytes = &bytes[count..];
    }
}

fn reply<'a>(api: ApiKey, version: i16, correlation_id: i32, body: &impl Message<'a>) -> Vec<u8> {
    let mut writer = Writer::new();
    writer.i32(0);
    let header = ResponseHeader { correlation_id };
    header
        .encode(&mut writer, api.response_header_version(version))
        .unwrap();
    body.encode(&mut writer, version).unwrap();
    let size = (writer.bytes.len() - 4) as i32;
    writer.bytes[..4].copy_from_slice(&size.to_be_bytes());
    writer.bytes
}

fn versions_response(error_code: i16, produce_max: i16) -> ApiVersionsResponse<'static> {
    let range = |api: ApiKey, max_version| ApiVersion {
        api_key: api as i16,
        min_version: 0,
        max_version,
    };
    ApiVersionsResponse {
        error_code,
        api_keys: Array::from(vec![
            range(ApiKey::Metadata, 12),
            range(ApiKey::Produce, produce_max),
            range(ApiKey::ApiVersions, 3),
        ]),
        ..ApiVersionsResponse::default()
    }
}

fn ready(in_flight_max: usize) -> Client {
    let options = Options {
        in_flight_max,
        ..Options::default()
    };
    let mut client = Client::new(options, 0);
    written(&mut client, usize::MAX);
    feed(
        &mut client,
        &reply(ApiKey::ApiVersions, 4, 0, &versions_response(0, 99)),
    );
    assert!(client.poll(0).unwrap().is_none());
    assert!(client.is_ready());
    client
}

fn metadata() -> MetadataRequest<'static> {
    MetadataRequest {
        topics: None,
        ..MetadataRequest::default()
    }
}

fn ask(client: &mut Client, now: u64) -> Result<CorrelationId, SendError> {
    client.send(now, &metadata(), SendOptions::default(), |_| unreachable!())
}

#[test]
fn falls_back_when_the_broker_does_not_know_the_version() {
    let mut client = Client::new(Options::default(), 0);
    let first = frames(&written(&mut client, 7));
    let (header, _) = RequestHeader::decode(&first[0]).unwrap();
    assert_eq!(
        (header.request_api_key, header.request_api_version),
        (18, 4)
    );
    assert_eq!(ask(&mut client, 0), Err(SendError::NotReady));
    // The refusal comes in version 0 and lists 0 to 3.
    let mut refusal = reply(ApiKey::ApiVersions, 0, 0, &versions_response(35, 9));
    feed(&mut client, &std::mem::take(&mut refusal));
    assert!(client.poll(1).unwrap().is_none());
    assert!(!client.is_ready());
    let second = frames(&written(&mut client, usize::MAX));
    let (header, _) = RequestHeader::decode(&second[0]).unwrap();
    assert_eq!((header.request_api_version, header.correlation_id), (3, 1));
    feed(
        &mut client,
        &reply(ApiKey::ApiVersions, 3, 1, &versions_response(0, 9)),
    );
    assert!(client.poll(2).unwrap().is_none());
    assert_eq!(client.version(ApiKey::Produce, i16::MAX), Ok(9));
    assert_eq!(client.version(ApiKey::Produce, 7), Ok(7));
    let missing = client.version(ApiKey::Fetch, i16::MAX);
    assert_eq!(missing, Err(SendError::NoCommonVersion(ApiKey::Fetch)));
}

#[test]
fn a_broker_that_refuses_all_versions_is_left() {
    let mut client = Client::new(Options::default(), 0);
    written(&mut client, usize::MAX);
    feed(
        &mut client,
        &reply(ApiKey::ApiVersions, 4, 0, &versions_response(58, 9)),
    );
    assert_eq!(
        client.poll(0).unwrap_err(),
        ConnectionError::Handshake(ErrorCode(58))
    );
}

#[test]
fn replies_match_requests_in_order_and_the_pipeline_is_bounded() {
    let mut client = ready(2);
    let (a, b) = (ask(&mut client, 0).unwrap(), ask(&mut client, 0).unwrap());
    assert_eq!(ask(&mut client, 0), Err(SendError::TooManyInFlight(2)));
    assert!(!client.can_send());
    assert_eq!(frames(&written(&mut client, 5)).len(), 2);
    for correlation in [a, b] {
        let body = MetadataResponse {
            controller_id: 7,
            ..MetadataResponse::default()
        };
        feed(
            &mut client,
            &reply(ApiKey::Metadata, 12, correlation.0, &body),
        );
    }
    for correlation in [a, b] {
        let reply = client.poll(0).unwrap().unwrap();
        assert_eq!((reply.correlation, reply.version), (correlation, 12));
        let body = MetadataResponse::decode(&mut Reader::new(reply.frame.bytes()), 12).unwrap();
        assert_eq!(body.controller_id, 7);
        client.recycle(reply.frame);
    }
    assert!(client.poll(0).unwrap().is_none() && client.can_send());
}

#[test]
fn a_broker_that_breaks_the_order_is_left() {
    let mut client = ready(5);
    let first = ask(&mut client, 0).unwrap().0;
    feed(
        &mut client,
        &reply(
            ApiKey::Metadata,
            12,
            first + 1,
            &MetadataResponse::default(),
        ),
    );
    let error = client.poll(0).unwrap_err();
    assert_eq!(
        error,
        ConnectionError::Order {
            expected: first,
            got: first + 1
        }
    );
    let mut client = ready(5);
    feed(
        &mut client,
        &reply(ApiKey::Metadata, 12, 1, &MetadataResponse::default()),
    );
    assert_eq!(client.poll(0).unwrap_err(), ConnectionError::Unexpected);
    let mut client = ready(5);
    feed(&mut client, &(-2_i32).to_be_bytes());
    assert!(matches!(
        client.poll(0),
        Err(ConnectionError::FrameSize { size: -2, .. })
    ));
}

#[test]
fn deadlines_are_told_and_kept() {
    let mut client = ready(5);
    assert_eq!(client.next_deadline(), None);
    for timeout_ns in [500, 100] {
        let options = SendOptions {
            timeout_ns,
            ..SendOptions::default()
        };
        client
            .send(1_000, &metadata(), options, |_| unreachable!())
            .unwrap();
    }
    assert_eq!(client.next_deadline(), Some(1_100));
    assert_eq!(client.expired(1_099), None);
    assert_eq!(
        client.expired(1_100),
        Some(ConnectionError::TimedOut(ApiKey::Metadata))
    );
    let fresh = Client::new(
        Options {
            handshake_ns: 9,
            ..Options::default()
        },
        1,
    );
    assert_eq!(fresh.next_deadline(), Some(10));
}

#[test]
fn unanswered_requests_do_not_wait() {
    let mut client = ready(1);
    let options = SendOptions {
        answered: false,
        ..SendOptions::default()
    };
    for _ in 0..3 {
        let request = ProduceRequest {
            acks: 0,
            ..ProduceRequest::default()
        };
        client
            .send(0, &request, options, |_| unreachable!())
            .unwrap();
    }
    assert_eq!((client.in_flight(), client.next_deadline()), (0, None));
    assert_eq!(frames(&written(&mut client, usize::MAX)).len(), 3);
    let id = ask(&mut client, 0).unwrap();
    feed(
        &mut client,
        &reply(ApiKey::Metadata, 12, id.0, &MetadataResponse::default()),
    );
    assert_eq!(client.poll(0).unwrap().unwrap().correlation, id);
}

proptest! {
    #[test]
    fn payloads_stand_where_their_records_belong(
        payloads in proptest::collection::vec(
            proptest::collection::vec(any::<u8>(), 0..200), 1..6),
        step in 1_usize..300,
    ) {
        let mut client = ready(5);
        let partitions: Vec<PartitionProduceData<'_>> = payloads
            .iter()
            .enumerate()
            .map(|(id, bytes)| PartitionProduceData {
                index: id as i32,
                records: Some(Records::External { len: bytes.len() as u32, id: id as u32 }),
            })
            .collect();
        let topics = vec![TopicProduceData {
            name: "t",
            partition_data: Array::from(partitions),
            ..TopicProduceData::default()
        }];
        let request = ProduceRequest {
            acks: -1,
            topic_data: Array::from(topics),
            ..ProduceRequest::default()
        };
        let options = SendOptions { version_max: 9, ..SendOptions::default() };
        let id = client.send(0, &request, options, |id| payloads[id as usize].clone()).unwrap();
        let sent = frames(&written(&mut client, step));
        prop_assert_eq!(sent.len(), 1);
        let (header, mut body) = RequestHeader::decode(&sent[0]).unwrap();
        prop_assert_eq!(header.correlation_id, id.0);
        prop_assert_eq!(header.client_id, Some("logmill-client"));
        let decoded = ProduceRequest::decode(&mut body, 9).unwrap();
        prop_assert_eq!(body.remaining(), 0);
        let topic = decoded.topic_data.first().unwrap();
        let got: Vec<Vec<u8>> = topic
            .partition_data
            .iter()
            .map(|p| p.records.and_then(|r| r.bytes().map(<[u8]>::to_vec)).unwrap())
            .collect();
        prop_assert_eq!(got, payloads);
        let answer = reply(ApiKey::Produce, 9, id.0, &ProduceResponse::default());
        feed(&mut client, &answer);
        prop_assert_eq!(client.poll(0).unwrap().unwrap().correlation, id);
    }
}
