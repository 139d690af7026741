//! ListGroups, DescribeGroups and DeleteGroups.

use logmill_wire::messages::delete_groups::DeleteGroupsRequest;
use logmill_wire::messages::describe_groups::DescribeGroupsRequest;
use logmill_wire::messages::list_groups::ListGroupsRequest;

use super::commits::Commit;
use super::fetches::fetch_all;
use super::{Case, Member, ONLOOKER, await_group, stable};
use crate::conversation::{Api, Conversation, DeleteGroups, DescribeGroups, ListGroups};

/// Every script of this file.
pub const CASES: &[Case] = &[
    ("list", list),
    ("describe-states", describe_states),
    ("describe-refused", describe_refused),
    ("delete-groups", delete_groups),
];

/// Of all groups that the broker has: this script comes before others that make some.
fn list(c: &mut Conversation) {
    let (topic, _) = c.topic("log", 1, &[]);
    let (stable_one, gathering) = (c.name("stable"), c.name("gathering"));
    Commit::simple(&c.name("offsets-only"), &topic, 3, 9).ask(c, "an offset");
    // Kafka shows a group from its first record on.
    Commit::simple(&gathering, &topic, 3, 9).ask(c, "an offset");
    let mut a = Member::new(&stable_one, "a", 9);
    stable(c, &mut [&mut a]);
    let mut b = Member::new(&gathering, "b", 9);
    b.protocol_type = "connect";
    b.enter(c, "but does not sync");
    let mut gone = Member::new(&c.name("left"), "g", 9);
    stable(c, &mut [&mut gone]);
    gone.leave(c, "leaves");
    c.speak_as(ONLOOKER);
    for version in ListGroups::versions() {
        let mut ask = |what: &str, states: &[&str], types: &[&str]| {
            let request = ListGroupsRequest {
                states_filter: states.to_vec().into(),
                types_filter: types.to_vec().into(),
            };
            c.ask::<ListGroups>(what, version, &request);
        };
        ask("all", &[], &[]);
        if version >= 4 {
            for state in [
                "Stable",
                "Empty",
                "PreparingRebalance",
                "CompletingRebalance",
                "Dead",
            ] {
                ask(state, &[state], &[]);
            }
            ask("two states", &["Stable", "Empty"], &[]);
            ask("in lower case", &["stable"], &[]);
            ask("a state that is none", &["Sleeping"], &[]);
            ask("no name of a state", &[""], &[]);
        }
        if version >= 5 {
            for one in [
                "classic", "consumer", "share", "streams", "Classic", "strange", "",
            ] {
                ask(&format!("type {one:?}"), &[], &[one]);
            }
            ask("two types", &[], &["consumer", "classic"]);
            ask("both filters", &["Stable"], &["classic"]);
        }
    }
}

fn describe_states(c: &mut Conversation) {
    let (topic, _) = c.topic("log", 1, &[]);
    for version in DescribeGroups::versions() {
        let group = c.name(&format!("v{version}"));
        let ask = |c: &mut Conversation, what: &str| {
            c.speak_as(ONLOOKER);
            let groups = [group.as_str()];
            for include_authorized_operations in [false, true] {
                if version >= 3 || !include_authorized_operations {
                    let request = DescribeGroupsRequest {
                        groups: (&groups).into(),
                        include_authorized_operations,
                    };
                    let what = match include_authorized_operations {
                        true => format!("{what}, with what is allowed"),
                        false => what.to_owned(),
                    };
                    c.ask::<DescribeGroups>(&what, version, &request);
                }
            }
        };
        ask(c, "none");
        // Kafka shows a group from its first record on.
        Commit::simple(&group, &topic, 3, 9).ask(c, "an offset");
        ask(c, "offsets only");
        let mut a = Member::new(&group, "a", 9).offering(&["range", "sticky"]);
        a.enter(c, "enters");
        ask(c, "before the leader's word");
        a.sync(c, "syncs", &[&a.clone()]);
        ask(c, "stable");
        let mut b = Member::fixed(&group, "b", "fixed", 9);
        b.ask_to_join(c);
        await_group(c, &group, "PreparingRebalance", 2);
        ask(c, "while members gather");
        a.join(c, "leads");
        b.hear_of_join(c, "follows");
        a.leave(c, "leaves");
        b.leave(c, "leaves");
        ask(c, "empty");
    }
}

fn describe_refused(c: &mut Conversation) {
    let mut a = Member::new(&c.name("group"), "a", 9);
    stable(c, &mut [&mut a]);
    c.speak_as(ONLOOKER);
    for version in DescribeGroups::versions() {
        let mut ask = |what: &str, groups: &[&str]| {
            let request = DescribeGroupsRequest {
                groups: groups.into(),
                include_authorized_operations: false,
            };
            c.ask::<DescribeGroups>(what, version, &request);
        };
        ask("none", &[]);
        ask("no name", &[""]);
        ask("one of three", &["nowhere", &a.group, ""]);
        ask("the same twice", &[&a.group, &a.group]);
    }
}

fn delete_groups(c: &mut Conversation) {
    let (topic, _) = c.topic("log", 1, &[]);
    let busy = c.name("busy");
    let mut a = Member::new(&busy, "a", 9);
    stable(c, &mut [&mut a]);
    for version in DeleteGroups::versions() {
        let with_offsets = c.name(&format!("offsets-{version}"));
        let left = c.name(&format!("left-{version}"));
        Commit::simple(&with_offsets, &topic, 3, 9).ask(c, "an offset");
        let mut b = Member::new(&left, "b", 9);
        stable(c, &mut [&mut b]);
        b.leave(c, "leaves");
        let mut ask = |what: &str, groups: &[&str]| {
            c.speak_as(ONLOOKER);
            let request = DeleteGroupsRequest {
                groups_names: groups.into(),
            };
            c.ask::<DeleteGroups>(what, version, &request);
        };
        ask("none", &[]);
        ask("no name", &[""]);
        ask("no such group", &["nowhere"]);
        ask("one with members", &[&busy]);
        ask("all kinds", &[&busy, "nowhere", &with_offsets, &left]);
        ask("once more", &[&with_offsets, &left]);
        fetch_all(c, "its offsets are gone", &with_offsets);
        Commit::simple(&with_offsets, &topic, 4, 9).ask(c, "an offset again");
        c.speak_as(ONLOOKER);
        let twice = [with_offsets.as_str(), &with_offsets];
        let request = DeleteGroupsRequest {
            groups_names: (&twice).into(),
        };
        c.ask::<DeleteGroups>("twice", version, &request);
        b.heartbeat(c, "its group is gone");
    }
    a.heartbeat(c, "its group is not");
}
