//! What the derived codecs refuse, drop and skip, shown on messages that have a case of it.

use super::*;
use crate::messages::api_versions::{ApiVersionsRequest, ApiVersionsResponse};
use crate::messages::consumer_group_heartbeat::ConsumerGroupHeartbeatResponse;
use crate::messages::fetch::{FetchRequest, ReplicaState};
use crate::messages::join_group::JoinGroupResponse;
use crate::messages::metadata::{MetadataRequest, MetadataRequestTopic};
use crate::{DecodeErrorKind, EncodeErrorKind};

fn encoded<'a>(message: &impl Message<'a>, version: i16) -> Result<Vec<u8>, EncodeError> {
    let mut w = Writer::new();
    message.encode(&mut w, version)?;
    Ok(w.bytes)
}

#[test]
fn a_value_that_a_version_cannot_hold_is_refused() {
    let request = FetchRequest {
        replica_state: ReplicaState {
            replica_id: 1,
            ..ReplicaState::default()
        },
        ..FetchRequest::default()
    };
    assert!(encoded(&request, 15).is_ok());
    let expected = EncodeError {
        field: "FetchRequest.replica_state",
        kind: EncodeErrorKind::NotInVersion { version: 14 },
    };
    assert_eq!(encoded(&request, 14), Err(expected));
    assert_eq!(
        expected.to_string(),
        "FetchRequest.replica_state: has a value that version 14 cannot hold"
    );
    // The other way round: the field that the newer one replaced.
    let request = FetchRequest {
        replica_id: 1,
        ..FetchRequest::default()
    };
    assert!(encoded(&request, 14).is_ok());
    assert_eq!(
        encoded(&request, 15).unwrap_err().field,
        "FetchRequest.replica_id"
    );
}

#[test]
fn a_value_that_may_be_ignored_is_dropped() {
    let without = encoded(&FetchRequest::default(), 10).unwrap();
    let request = FetchRequest {
        rack_id: "rack",
        ..FetchRequest::default()
    };
    assert_eq!(encoded(&request, 10), Ok(without));
    assert_ne!(encoded(&request, 11), encoded(&FetchRequest::default(), 11));
}

#[test]
fn null_needs_a_version_that_has_it() {
    let everything = MetadataRequest {
        topics: None,
        ..MetadataRequest::default()
    };
    assert_eq!(&encoded(&everything, 1).unwrap()[..4], [0xff; 4]);
    assert_eq!(encoded(&everything, 9).unwrap()[0], 0);
    let error = encoded(&everything, 0).unwrap_err();
    assert_eq!(error.field, "MetadataRequest.topics");
    assert_eq!(error.kind, EncodeErrorKind::NullNotInVersion { version: 0 });

    let response = JoinGroupResponse {
        protocol_name: None,
        ..JoinGroupResponse::default()
    };
    assert!(encoded(&response, 7).is_ok());
    assert!(encoded(&response, 6).is_err());

    let mut null = Reader::new(&[0xff; 4]);
    let error = MetadataRequest::decode(&mut null, 0).unwrap_err();
    assert_eq!(
        (error.field, error.kind),
        ("MetadataRequest.topics", DecodeErrorKind::Null)
    );
}

#[test]
fn an_absent_struct_is_one_byte() {
    let response = ConsumerGroupHeartbeatResponse::default();
    let bytes = encoded(&response, 0).unwrap();
    // ... heartbeat interval, no assignment, no tagged fields.
    assert!(bytes.ends_with(&[0, 0, 0, 0, 0xff, 0]), "{bytes:?}");
    assert_eq!(response.assignment, None);
}

#[test]
fn an_error_names_the_innermost_field() {
    let topics = [MetadataRequestTopic {
        name: Some("orders"),
        ..Default::default()
    }];
    let request = MetadataRequest {
        topics: Some((&topics).into()),
        ..Default::default()
    };
    let bytes = encoded(&request, 12).unwrap();
    // Within the name: array count, topic id, length, then letters.
    let error = MetadataRequest::decode(&mut Reader::new(&bytes[..20]), 12).unwrap_err();
    assert_eq!(
        error.to_string(),
        "MetadataRequestTopic.name: needs 6 bytes, 2 are left"
    );
}

#[test]
fn unknown_tagged_fields_are_skipped() {
    // Two empty strings, then tag 5 with three bytes and tag 200 with none.
    let frame = [1, 1, 2, 5, 3, 9, 9, 9, 0xc8, 1, 0];
    let mut r = Reader::new(&frame);
    assert_eq!(
        ApiVersionsRequest::decode(&mut r, 3),
        Ok(ApiVersionsRequest::default())
    );
    r.finish().unwrap();
}

#[test]
fn a_tagged_field_ends_where_its_size_says() {
    let frame = |size: u8| {
        // Error, no APIs, throttle time, one tagged field: 1, the features' epoch.
        let mut frame = vec![0, 0, 1, 0, 0, 0, 0, 1, 1, size];
        frame.extend([0, 0, 0, 0, 0, 0, 0, 7]);
        frame.resize(10 + usize::from(size), 0);
        frame
    };
    let good = frame(8);
    let response = ApiVersionsResponse::decode(&mut Reader::new(&good), 3).unwrap();
    assert_eq!(response.finalized_features_epoch, 7);
    let kind = |size| {
        ApiVersionsResponse::decode(&mut Reader::new(&frame(size)), 3)
            .map(|_| ())
            .unwrap_err()
            .kind
    };
    assert_eq!(kind(9), DecodeErrorKind::Trailing { left: 1 });
    assert_eq!(kind(7), DecodeErrorKind::Truncated { need: 8, left: 7 });
}
