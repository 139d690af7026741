//! The way into a group of one: JoinGroup, SyncGroup, Heartbeat and LeaveGroup, and why they
//! refuse.

use logmill_wire::messages::leave_group::{LeaveGroupRequest, MemberIdentity};

use super::{Case, Member, describe, stable};
use crate::conversation::{Api, Conversation, JoinGroup, LeaveGroup};

/// Every script of this file.
pub const CASES: &[Case] = &[
    ("join-alone", join_alone),
    ("join-refused", join_refused),
    ("join-as-other-than-the-group", join_as_other_than_the_group),
    ("member-ids", member_ids),
    ("sync-refused", sync_refused),
    ("heartbeat-refused", heartbeat_refused),
    ("leave", leave),
    ("leave-several", leave_several),
];

fn join_alone(c: &mut Conversation) {
    for version in JoinGroup::versions() {
        let mut a = Member::new(&c.name(&format!("v{version}")), "a", version);
        a.enter(c, "enters");
        a.heartbeat(c, "before its assignment");
        a.sync(c, "syncs", &[&a.clone()]);
        a.sync(c, "syncs once more", &[]);
        a.heartbeat(c, "with its assignment");
        describe(c, "a group of one", &a.group);
        a.join(c, "again, as the leader that it is");
        a.sync(c, "gives itself nothing", &[]);
        a.leave(c, "leaves");
        a.heartbeat(c, "after it left");
        a.leave(c, "leaves again");
        describe(c, "a group of none", &a.group);
        a.join(c, "with the id that it had");
        a.id.clear();
        a.enter(c, "enters again");
    }
}

fn join_refused(c: &mut Conversation) {
    for version in JoinGroup::versions() {
        let group = c.name(&format!("v{version}"));
        let plain = Member::new(&group, "a", version);
        let mut ask = |what: &str, change: fn(&mut Member)| {
            let mut member = plain.clone();
            change(&mut member);
            member.join(c, what);
        };
        ask("no group", |m| m.group.clear());
        ask("a session too short", |m| m.session_ms = 5_999);
        ask("a session too long", |m| m.session_ms = 1_800_001);
        ask("a session below 0", |m| m.session_ms = -1);
        ask("no type of protocol", |m| m.protocol_type = "");
        ask("no protocols", |m| m.protocols.clear());
        ask("an id that nobody gave", |m| m.id = "a-stranger".to_owned());
        if version >= 5 {
            ask("a fixed member with an id", |m| {
                m.instance = Some("fixed");
                m.id = "a-stranger".to_owned();
            });
        }
    }
}

/// A group keeps to its type of protocol and to protocols that all members have.
fn join_as_other_than_the_group(c: &mut Conversation) {
    for version in JoinGroup::versions() {
        let group = c.name(&format!("v{version}"));
        let mut a = Member::new(&group, "a", version).offering(&["range", "sticky"]);
        stable(c, &mut [&mut a]);
        let mut ask = |what: &str, change: fn(&mut Member)| {
            let mut member = Member::new(&group, "b", version);
            change(&mut member);
            member.join(c, what);
        };
        ask("another type", |m| m.protocol_type = "connect");
        ask("another protocol", |m| m.protocols[0].0 = "uniform");
        ask("an id that nobody gave", |m| m.id = "a-stranger".to_owned());
        ask("no protocols", |m| m.protocols.clear());
        a.heartbeat(c, "was not disturbed");
        // A member's own protocols may change, if it is alone.
        a.protocols[0].0 = "uniform";
        a.protocols.truncate(1);
        a.join(c, "with other protocols");
        a.sync(c, "and goes on", &[&a.clone()]);
        describe(c, "with another protocol", &group);
    }
}

/// A first request for a place gets an id (KIP-394); every such request another one.
fn member_ids(c: &mut Conversation) {
    for version in 4..=*JoinGroup::versions().end() {
        let group = c.name(&format!("v{version}"));
        let mut first = Member::new(&group, "a", version);
        first.join(c, "asks");
        let mut second = Member::new(&group, "a", version);
        second.join(c, "asks again");
        second.heartbeat(c, "before it is in");
        second.sync(c, "before it is in", &[]);
        c.note("another id", first.id != second.id);
        second.leave(c, "leaves before it is in");
        second.join(c, "comes after all");
        first.join(c, "comes in");
        first.sync(c, "syncs", &[&first.clone()]);
    }
}

fn sync_refused(c: &mut Conversation) {
    for version in JoinGroup::versions() {
        let group = c.name(&format!("v{version}"));
        let mut a = Member::new(&group, "a", version);
        a.enter(c, "enters");
        let mut ask = |what: &str, change: fn(&mut Member)| {
            let mut member = a.clone();
            change(&mut member);
            member.sync(c, what, &[]);
        };
        ask("no group", |m| m.group.clear());
        ask("a group that is none", |m| m.group.push_str("-nowhere"));
        ask("an unknown member", |m| m.id = "a-stranger".to_owned());
        ask("no member", |m| m.id.clear());
        ask("a generation to come", |m| m.generation += 1);
        ask("a generation that was", |m| m.generation -= 1);
        ask("no generation", |m| m.generation = -1);
        ask("another type", |m| m.protocol_type = "connect");
        ask("another protocol", |m| m.protocols[0].0 = "uniform");
        a.sync(c, "in the end", &[&a.clone()]);
    }
}

fn heartbeat_refused(c: &mut Conversation) {
    for version in [0, 1, 2, 3, 4] {
        let group = c.name(&format!("v{version}"));
        let mut a = Member::new(&group, "a", version);
        stable(c, &mut [&mut a]);
        let mut ask = |what: &str, change: fn(&mut Member)| {
            let mut member = a.clone();
            change(&mut member);
            member.heartbeat(c, what);
        };
        ask("no group", |m| m.group.clear());
        ask("a group that is none", |m| m.group.push_str("-nowhere"));
        ask("an unknown member", |m| m.id = "a-stranger".to_owned());
        ask("no member", |m| m.id.clear());
        ask("a generation to come", |m| m.generation += 1);
        ask("a generation that was", |m| m.generation -= 1);
        ask("no generation", |m| m.generation = -1);
        ask("an instance that is none", |m| m.instance = Some("nobody"));
        a.heartbeat(c, "is in");
    }
}

fn leave(c: &mut Conversation) {
    for version in LeaveGroup::versions() {
        let group = c.name(&format!("v{version}"));
        let mut a = Member::new(&group, "a", version);
        stable(c, &mut [&mut a]);
        let mut ask = |what: &str, change: fn(&mut Member)| {
            let mut member = a.clone();
            change(&mut member);
            member.leave(c, what);
        };
        ask("no group", |m| m.group.clear());
        ask("a group that is none", |m| m.group.push_str("-nowhere"));
        ask("an unknown member", |m| m.id = "a-stranger".to_owned());
        ask("no member", |m| m.id.clear());
        ask("an instance that is none", |m| m.instance = Some("nobody"));
        ask("an instance that is none, by its name alone", |m| {
            m.instance = Some("nobody");
            m.id.clear();
        });
        a.heartbeat(c, "is in");
        a.leave(c, "leaves");
        describe(c, "empty", &group);
    }
}

/// Several members leave at once, each with its own answer.
fn leave_several(c: &mut Conversation) {
    for version in 3..=*LeaveGroup::versions().end() {
        let group = c.name(&format!("v{version}"));
        let mut a = Member::new(&group, "a", 5);
        let mut b = Member::fixed(&group, "b", "fixed", 5);
        let mut d = Member::new(&group, "d", 5);
        stable(c, &mut [&mut a, &mut b, &mut d]);
        let identity = |member_id, group_instance_id| MemberIdentity {
            member_id,
            group_instance_id,
            reason: None,
        };
        let leaves = |c: &mut Conversation, what: &str, members: Vec<MemberIdentity<'_>>| {
            let request = LeaveGroupRequest {
                group_id: &group,
                members: members.into(),
                ..Default::default()
            };
            c.speak_as("admin");
            c.ask::<LeaveGroup>(what, version, &request);
        };
        leaves(c, "nobody", Vec::new());
        let some = vec![
            identity("", Some("fixed")),
            identity("a-stranger", None),
            identity(&a.id, None),
            identity("", Some("nobody")),
            identity(&a.id, None),
        ];
        leaves(c, "some, and some that are none", some);
        d.heartbeat(c, "is alone");
        d.join(c, "is alone");
        leaves(c, "one", vec![identity(&d.id, None)]);
        describe(c, "empty", &group);
    }
}
