//! The table of APIs against published facts.

use super::*;

#[test]
fn there_are_93_keys_without_gaps() {
    let keys: Vec<i16> = ApiKey::ALL.iter().map(|api| api.as_i16()).collect();
    assert_eq!(keys, (0..93).collect::<Vec<_>>());
    for api in ApiKey::ALL {
        assert_eq!(ApiKey::from_i16(api.as_i16()), Some(*api));
    }
    assert_eq!(ApiKey::from_i16(93), None);
    assert_eq!(ApiKey::from_i16(-1), None);
}

#[test]
fn four_apis_are_gone() {
    let gone: Vec<&str> = ApiKey::ALL
        .iter()
        .filter(|api| api.valid_versions().is_empty())
        .map(|api| api.name())
        .collect();
    assert_eq!(
        gone,
        [
            "LeaderAndIsr",
            "StopReplica",
            "UpdateMetadata",
            "ControlledShutdown"
        ]
    );
}

#[test]
fn listeners_have_as_many_apis_as_kafka() {
    let on_broker = |last: i16| {
        ApiKey::ALL
            .iter()
            .filter(|api| api.on_broker_listener() && api.as_i16() <= last)
            .count()
    };
    // Kafka 4.0 ended with key 87, 4.1 and 4.2 end with 92.
    assert_eq!(on_broker(87), 72);
    assert_eq!(on_broker(92), 77);
    let on_controller = ApiKey::ALL
        .iter()
        .filter(|api| api.on_controller_listener())
        .count();
    assert_eq!(on_controller, 41);
}

/// What a broker of 4.1.1 with default settings answers to `ApiVersions`, telemetry included.
#[test]
fn advertised_versions_are_those_of_4_1_1() {
    let advertised: Vec<String> = ApiKey::ALL
        .iter()
        .filter(|api| api.on_broker_listener())
        .filter_map(|api| Some((api, api.advertised_versions_4_1()?)))
        .map(|(api, versions)| format!("{}:{}-{}", api.as_i16(), versions.start(), versions.end()))
        .collect();
    let expected = "0:0-13 1:4-18 2:1-10 3:0-13 8:2-9 9:1-9 10:0-6 11:0-9 12:0-4 13:0-5 14:0-5 \
        15:0-6 16:0-5 17:0-1 18:0-4 19:2-7 20:1-6 21:0-2 22:0-5 23:2-4 24:0-5 25:0-4 26:0-5 \
        27:1-1 28:0-5 29:1-3 30:1-3 31:1-3 32:1-4 33:0-2 34:1-2 35:1-4 36:0-2 37:0-3 38:1-3 \
        39:1-2 40:1-2 41:1-3 42:0-2 43:0-2 44:0-1 45:0-1 46:0-0 47:0-0 48:0-1 49:0-1 50:0-0 \
        51:0-0 55:0-2 57:0-2 60:0-2 61:0-0 64:0-0 65:0-0 66:0-2 68:0-1 69:0-1 71:0-0 72:0-0 \
        74:0-1 75:0-0 76:1-1 77:1-1 78:1-1 79:1-1 80:0-0 81:0-0 83:0-0 84:0-0 85:0-0 86:0-0 \
        87:0-0 90:0-0 91:0-0 92:0-0";
    assert_eq!(advertised.join(" "), expected);
}

#[test]
fn header_versions_follow_flexibility() {
    assert_eq!(ApiKey::Produce.request_header_version(8), 1);
    assert_eq!(ApiKey::Produce.request_header_version(9), 2);
    assert_eq!(ApiKey::Produce.response_header_version(8), 0);
    assert_eq!(ApiKey::Produce.response_header_version(9), 1);
    assert_eq!(ApiKey::SaslHandshake.request_header_version(1), 1);
    // A version that is yet to come has the newest request header, and an answer anyone reads.
    assert_eq!(ApiKey::ApiVersions.request_header_version(9), 2);
    for version in 0..=9 {
        assert_eq!(ApiKey::ApiVersions.response_header_version(version), 0);
    }
}

#[test]
fn what_4_1_served_is_held() {
    for api in ApiKey::ALL {
        if let Some(stable) = api.stable_versions_4_1() {
            let held = api.valid_versions();
            assert!(
                held.contains(stable.start()) && held.contains(stable.end()),
                "{api}"
            );
        }
    }
}
