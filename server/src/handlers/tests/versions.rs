//! ApiVersions, and the handlers whose answers say that something is not there.

use logmill_wire::messages::api_versions::{ApiVersionsRequest, ApiVersionsResponse};
use logmill_wire::messages::find_coordinator::{FindCoordinatorRequest, FindCoordinatorResponse};
use logmill_wire::messages::init_producer_id::{InitProducerIdRequest, InitProducerIdResponse};
use logmill_wire::messages::list_partition_reassignments::ListPartitionReassignmentsResponse;
use logmill_wire::messages::sasl_authenticate::SaslAuthenticateResponse;
use logmill_wire::messages::sasl_handshake::SaslHandshakeResponse;
use logmill_wire::{ApiKey, ErrorCode, Writer};

use super::{Broker, answer, decoded, encoded};
use crate::handlers::api_versions::{self, SERVED, served_versions};
use crate::handlers::{find_coordinator, init_producer_id, list_partition_reassignments, sasl};

fn api_versions_of(broker: &mut Broker, version: i16, out: &mut Writer) {
    broker.version = version;
    let request = ApiVersionsRequest {
        client_software_name: "logmill-test",
        client_software_version: "1.0",
    };
    let bytes = encoded(&request, version);
    let request: ApiVersionsRequest<'_> = decoded(&bytes, version);
    api_versions::answer(&broker.context(), &request, out).unwrap();
}

#[test]
fn every_version_tells_the_table_of_4_1() {
    for version in 0..=4 {
        let (mut broker, mut out) = (Broker::new(), Writer::new());
        api_versions_of(&mut broker, version, &mut out);
        let response: ApiVersionsResponse<'_> = answer(&out, version);
        assert_eq!(response.error_code, 0);
        assert_eq!(response.api_keys.len(), SERVED.len());
        for told in response.api_keys.iter() {
            let api = ApiKey::from_i16(told.api_key).unwrap();
            let expected = api.advertised_versions_4_1().unwrap();
            assert_eq!(
                told.min_version..=told.max_version,
                expected,
                "{}",
                api.name()
            );
            assert!(api.on_broker_listener());
        }
        let expected: &[(&str, i16)] = if version >= 3 {
            &[("metadata.version", 27)]
        } else {
            &[]
        };
        let finalized: Vec<_> = response
            .finalized_features
            .iter()
            .map(|f| (f.name, f.max_version_level))
            .collect();
        assert_eq!(finalized, expected);
        assert_eq!(response.supported_features.len(), expected.len());
        assert_eq!(
            response.finalized_features_epoch,
            if version >= 3 { 2 } else { -1 }
        );
    }
}

#[test]
fn produce_is_told_from_zero_and_served_from_three() {
    let (mut broker, mut out) = (Broker::new(), Writer::new());
    api_versions_of(&mut broker, 4, &mut out);
    let response: ApiVersionsResponse<'_> = answer(&out, 4);
    let produce = response
        .api_keys
        .iter()
        .find(|told| told.api_key == 0)
        .unwrap();
    assert_eq!((produce.min_version, produce.max_version), (0, 13));
    assert_eq!(served_versions(ApiKey::Produce, false), Some(3..=13));
}

#[test]
fn unstable_versions_need_their_key() {
    assert_eq!(served_versions(ApiKey::InitProducerId, false), Some(0..=5));
    assert_eq!(served_versions(ApiKey::InitProducerId, true), Some(0..=6));
    assert_eq!(served_versions(ApiKey::ConsumerGroupHeartbeat, true), None);
}

#[test]
fn unknown_version_is_answered_in_version_0() {
    let mut out = Writer::new();
    api_versions::answer_unsupported(false, &mut out).unwrap();
    let response: ApiVersionsResponse<'_> = answer(&out, 0);
    assert_eq!(response.error_code, ErrorCode::UNSUPPORTED_VERSION.0);
    let own: Vec<_> = response.api_keys.to_vec();
    assert_eq!((own.len(), own[0].api_key, own[0].max_version), (1, 18, 4));
}

#[test]
fn software_names_are_checked_from_version_3() {
    for (name, version, refused) in [
        ("", 2, false),
        ("", 3, true),
        ("-x", 3, true),
        ("x.", 4, true),
        ("a b", 4, true),
        ("a-b.c", 4, false),
    ] {
        let mut broker = Broker::new();
        broker.version = version;
        let request = ApiVersionsRequest {
            client_software_name: name,
            client_software_version: "1",
        };
        let mut out = Writer::new();
        api_versions::answer(&broker.context(), &request, &mut out).unwrap();
        let response: ApiVersionsResponse<'_> = answer(&out, version);
        let expected = if refused {
            ErrorCode::INVALID_REQUEST.0
        } else {
            0
        };
        assert_eq!(response.error_code, expected, "{name:?} in {version}");
    }
}

#[test]
fn groups_have_a_coordinator_in_every_version_and_transactions_have_none() {
    for version in 0..=6 {
        for key_type in 0..=i8::from(version > 0) {
            let mut broker = Broker::new();
            broker.version = version;
            let keys = ["g1", "g2"];
            let request = FindCoordinatorRequest {
                key: if version < 4 { "g1" } else { "" },
                key_type,
                coordinator_keys: if version < 4 {
                    (&[]).into()
                } else {
                    (&keys).into()
                },
            };
            let bytes = encoded(&request, version);
            let mut out = Writer::new();
            let request = decoded(&bytes, version);
            let planned = find_coordinator::plan(&broker.context(), &request, &mut out).unwrap();
            broker.finish(planned, &mut out);
            let response: FindCoordinatorResponse<'_> = answer(&out, version);
            let expected = match key_type {
                0 => (0, 1, "told.example", 19_092),
                _ => (ErrorCode::COORDINATOR_NOT_AVAILABLE.0, -1, "", -1),
            };
            let found = if version < 4 {
                let it = &response;
                vec![(it.error_code, it.node_id, it.host, it.port)]
            } else {
                let all = response.coordinators.to_vec();
                assert_eq!((all[0].key, all[1].key), ("g1", "g2"));
                all.iter()
                    .map(|it| (it.error_code, it.node_id, it.host, it.port))
                    .collect()
            };
            assert!(found.iter().all(|it| *it == expected), "{found:?}");
        }
    }
}

#[test]
fn coordinators_of_nothing_known_are_refused() {
    let mut broker = Broker::new();
    broker.version = 6;
    let keys = ["x"];
    let request = FindCoordinatorRequest {
        key_type: 9,
        coordinator_keys: (&keys).into(),
        ..FindCoordinatorRequest::default()
    };
    let mut out = Writer::new();
    find_coordinator::plan(&broker.context(), &request, &mut out).unwrap();
    let response: FindCoordinatorResponse<'_> = answer(&out, 6);
    let one = response.coordinators.first().unwrap();
    assert_eq!(one.error_code, ErrorCode::INVALID_REQUEST.0);
}

/// A request without a transactional id, as every idempotent producer makes it.
fn idempotent() -> InitProducerIdRequest<'static> {
    InitProducerIdRequest {
        transactional_id: None,
        ..InitProducerIdRequest::default()
    }
}

fn init(broker: &mut Broker, request: &InitProducerIdRequest<'_>) -> InitProducerIdResponse {
    let bytes = encoded(request, broker.version);
    let request: InitProducerIdRequest<'_> = decoded(&bytes, broker.version);
    let (mut block, mut out) = (broker.block, Writer::new());
    let planned =
        init_producer_id::plan(&broker.context(), &request, &mut block, &mut out).unwrap();
    broker.block = block;
    broker.finish(planned, &mut out);
    answer(&out, broker.version)
}

#[test]
fn producer_ids_rise_in_every_version() {
    let mut broker = Broker::new();
    for version in 0..=5 {
        broker.version = version;
        let response = init(&mut broker, &idempotent());
        assert_eq!((response.error_code, response.producer_epoch), (0, 0));
        assert_eq!(response.producer_id, i64::from(version));
    }
}

#[test]
fn blocks_of_producer_ids_follow_one_another() {
    let mut broker = Broker::new();
    broker.version = 5;
    for expected in 0..2001 {
        assert_eq!(init(&mut broker, &idempotent()).producer_id, expected);
    }
}

#[test]
fn an_id_of_before_gets_a_new_one_without_transactions() {
    let mut broker = Broker::new();
    broker.version = 5;
    let mut request = InitProducerIdRequest {
        producer_id: 77,
        ..idempotent()
    };
    assert_eq!(
        init(&mut broker, &request).error_code,
        ErrorCode::INVALID_REQUEST.0
    );
    request.producer_epoch = 3;
    let response = init(&mut broker, &request);
    assert_eq!(
        (
            response.error_code,
            response.producer_id,
            response.producer_epoch
        ),
        (0, 0, 0)
    );
}

#[test]
fn transactional_ids_are_refused() {
    let mut broker = Broker::new();
    broker.version = 5;
    let mut request = InitProducerIdRequest {
        transactional_id: Some(""),
        ..InitProducerIdRequest::default()
    };
    assert_eq!(
        init(&mut broker, &request).error_code,
        ErrorCode::INVALID_REQUEST.0
    );
    request.transactional_id = Some("t");
    let response = init(&mut broker, &request);
    assert_eq!(response.error_code, ErrorCode::COORDINATOR_NOT_AVAILABLE.0);
    assert_eq!((response.producer_id, response.producer_epoch), (-1, -1));
}

#[test]
fn nothing_is_reassigned() {
    let broker = Broker::new();
    let mut out = Writer::new();
    list_partition_reassignments::answer(&broker.context(), &mut out).unwrap();
    let response: ListPartitionReassignmentsResponse<'_> = answer(&out, 0);
    assert_eq!((response.error_code, response.error_message), (0, None));
    assert!(response.topics.is_empty());
}

#[test]
fn sasl_is_out_of_place() {
    let mut broker = Broker::new();
    for version in 0..=1 {
        broker.version = version;
        let mut out = Writer::new();
        sasl::answer_handshake(&broker.context(), &mut out).unwrap();
        let response: SaslHandshakeResponse<'_> = answer(&out, version);
        assert_eq!(response.error_code, ErrorCode::ILLEGAL_SASL_STATE.0);
        assert!(response.mechanisms.is_empty());
    }
    for version in 0..=2 {
        broker.version = version;
        let mut out = Writer::new();
        sasl::answer_authenticate(&broker.context(), &mut out).unwrap();
        let response: SaslAuthenticateResponse<'_> = answer(&out, version);
        assert_eq!(response.error_code, ErrorCode::ILLEGAL_SASL_STATE.0);
    }
}
