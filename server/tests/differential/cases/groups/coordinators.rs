//! FindCoordinator.

use logmill_wire::messages::describe_groups::DescribeGroupsRequest;
use logmill_wire::messages::find_coordinator::FindCoordinatorRequest;

use super::Case;
use crate::conversation::{Api, Conversation, DescribeGroups, FindCoordinator};

/// Every script of this file.
pub const CASES: &[Case] = &[("coordinators", coordinators)];

/// Kafka makes its topic of offsets at the first question, and asks to be asked again meanwhile.
const COORDINATOR_NOT_AVAILABLE: i16 = 15;

/// Its partitions are read before they are used.
const LOADING: [i16; 3] = [COORDINATOR_NOT_AVAILABLE, 14, 16];

const GROUP: i8 = 0;

/// Waits until the broker coordinates groups.
pub fn await_coordinator(c: &mut Conversation) {
    let first = asked(&["first"], GROUP, 0);
    c.ask_until_aside::<FindCoordinator>(0, &first, |body| {
        body.error_code != COORDINATOR_NOT_AVAILABLE
    });
    let groups = ["first"];
    let request = DescribeGroupsRequest {
        groups: (&groups).into(),
        include_authorized_operations: false,
    };
    c.ask_until_aside::<DescribeGroups>(0, &request, |body| {
        let group = body.groups.first().expect("the one asked for");
        !LOADING.contains(&group.error_code)
    });
}

fn coordinators(c: &mut Conversation) {
    for version in FindCoordinator::versions() {
        let mut ask = |what: &str, keys: &[&str], key_type: i8| {
            c.ask::<FindCoordinator>(what, version, &asked(keys, key_type, version));
        };
        ask("a group", &["group"], GROUP);
        ask("a name of no letters", &["\u{1f980} ü"], GROUP);
        ask("no name", &[""], GROUP);
        if version >= 1 {
            ask("a type that is none", &["group"], 9);
            ask("a type below all", &["group"], -1);
        }
        if version >= 4 {
            ask("three groups", &["one", "two", "three"], GROUP);
            ask("one of three without a name", &["one", "", "three"], GROUP);
            ask("the same twice", &["one", "one"], GROUP);
            ask("no groups", &[], GROUP);
            ask("two of a type that is none", &["one", "two"], 9);
        }
    }
}

fn asked<'a>(keys: &[&'a str], key_type: i8, version: i16) -> FindCoordinatorRequest<'a> {
    let mut request = FindCoordinatorRequest {
        key_type: if version >= 1 { key_type } else { 0 },
        ..Default::default()
    };
    if version >= 4 {
        request.coordinator_keys = keys.to_vec().into();
    } else {
        request.key = keys.first().copied().unwrap_or_default();
    }
    request
}
