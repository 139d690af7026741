//! Static members (KIP-345): those whose place outlives their process.

use super::{Case, Member, await_group, describe, stable};
use crate::conversation::{Api, Conversation, JoinGroup};

/// Every script of this file.
pub const CASES: &[Case] = &[
    ("static-alone", static_alone),
    ("static-follower-restarts", static_follower_restarts),
    ("static-leader-restarts", static_leader_restarts),
    ("static-restarts-with-news", static_restarts_with_news),
    (
        "static-restarts-in-a-rebalance",
        static_restarts_in_a_rebalance,
    ),
    ("static-leaves", static_leaves),
];

/// From this version of JoinGroup on there are instance ids.
const FIRST: i16 = 5;

fn static_alone(c: &mut Conversation) {
    for version in FIRST..=*JoinGroup::versions().end() {
        let group = c.name(&format!("v{version}"));
        let mut a = Member::fixed(&group, "a", "one", version);
        stable(c, &mut [&mut a]);
        describe(c, "a static member", &group);
        for older in [3, 4] {
            let told = Member {
                version: older,
                ..a.clone()
            };
            told.heartbeat(c, "in an older version");
            told.sync(c, "in an older version", &[]);
        }
        let mut ask = |what: &str, change: fn(&mut Member)| {
            let mut member = a.clone();
            change(&mut member);
            member.heartbeat(c, &format!("heartbeat: {what}"));
            member.sync(c, &format!("sync: {what}"), &[]);
        };
        ask("another id", |m| m.id = "a-stranger".to_owned());
        ask("another instance", |m| m.instance = Some("two"));
        ask("no instance", |m| m.instance = None);
        ask("no id", |m| m.id.clear());
        let mut other = Member {
            id: "a-stranger".to_owned(),
            ..a.clone()
        };
        other.join(c, "with another id");
        let mut other = Member {
            instance: Some("two"),
            ..a.clone()
        };
        other.join(c, "its id with another instance");
        a.join(c, "again, as it is");
        a.sync(c, "goes on", &[&a.clone()]);
        // Kafka takes an empty name for a name.
        let mut nameless =
            Member::fixed(&c.name(&format!("nameless-v{version}")), "a", "", version);
        nameless.join(c, "without a name");
        nameless.sync(c, "without a name", &[&nameless]);
        nameless.heartbeat(c, "without a name");
    }
}

fn static_follower_restarts(c: &mut Conversation) {
    for version in FIRST..=*JoinGroup::versions().end() {
        let group = c.name(&format!("v{version}"));
        let mut a = Member::fixed(&group, "a", "one", version);
        let mut b = Member::fixed(&group, "b", "two", version);
        stable(c, &mut [&mut a, &mut b]);
        let before = b.clone();
        b.id.clear();
        b.join(c, "comes back");
        c.note("a new id", before.id != b.id);
        b.sync(c, "has what it had", &[]);
        a.heartbeat(c, "notices nothing");
        before.heartbeat(c, "its former life");
        before.sync(c, "its former life", &[]);
        before.clone().join(c, "its former life");
        before.leave(c, "its former life leaves");
        b.heartbeat(c, "lives on");
        describe(c, "both", &group);
    }
}

/// A leader that comes back is told not to assign anything (version 9), or told of no members.
fn static_leader_restarts(c: &mut Conversation) {
    for version in FIRST..=*JoinGroup::versions().end() {
        let group = c.name(&format!("v{version}"));
        let mut a = Member::fixed(&group, "a", "one", version);
        let mut b = Member::fixed(&group, "b", "two", version);
        stable(c, &mut [&mut a, &mut b]);
        let before = a.clone();
        a.id.clear();
        a.join(c, "comes back");
        a.sync(c, "has what it had", &[]);
        b.heartbeat(c, "notices nothing");
        before.heartbeat(c, "its former life");
        describe(c, "both", &group);
        a.ask_to_join(c);
        await_group(c, &group, "PreparingRebalance", 2);
        b.join(
            c,
            "joins the rebalance that the leader's second request began",
        );
        a.hear_of_join(c, "leads on");
    }
}

/// Another subscription is worth a rebalance.
fn static_restarts_with_news(c: &mut Conversation) {
    for version in FIRST..=*JoinGroup::versions().end() {
        let group = c.name(&format!("v{version}"));
        let mut a = Member::fixed(&group, "a", "one", version);
        let mut b = Member::fixed(&group, "b", "two", version);
        stable(c, &mut [&mut a, &mut b]);
        b.id.clear();
        b.protocols[0].1.push("another-topic".to_owned());
        b.ask_to_join(c);
        // Kafka compares what came of the choice of a protocol, not what the members subscribe to:
        // with the same protocol nobody is disturbed.
        b.hear_of_join(c, "comes back with another topic");
        b.sync(c, "comes back with another topic", &[]);
        a.heartbeat(c, "hears of it, or not");
        b.id.clear();
        b.protocols = vec![("range", vec!["a-topic".to_owned()])];
        b = b.offering(&["sticky", "range"]);
        b.join(c, "comes back with another protocol");
        describe(c, "in the end", &group);
    }
}

fn static_restarts_in_a_rebalance(c: &mut Conversation) {
    for version in FIRST..=*JoinGroup::versions().end() {
        let group = c.name(&format!("v{version}"));
        let mut a = Member::fixed(&group, "a", "one", version);
        let mut b = Member::fixed(&group, "b", "two", version);
        let mut d = Member::fixed(&group, "d", "three", version);
        stable(c, &mut [&mut a, &mut b]);
        d.ask_to_join(c);
        await_group(c, &group, "PreparingRebalance", 3);
        a.ask_to_join(c);
        // The member that waits is told that another took its place, and that one waits in turn.
        let before = d.clone();
        d.client = "d-again";
        d.ask_to_join(c);
        before.clone().hear_of_join(c, "its place is taken");
        b.join(c, "goes on");
        a.hear_of_join(c, "leads");
        d.hear_of_join(c, "came back meanwhile");
        let waiting = b.clone();
        waiting.ask_to_sync(c, &[]);
        b.client = "b-again";
        b.id.clear();
        b.ask_to_join(c);
        waiting.hear_of_sync(c, "its place is taken");
        await_group(c, &group, "PreparingRebalance", 3);
        describe(c, "which began again", &group);
        d.ask_to_join(c);
        a.join(c, "leads again");
        b.hear_of_join(c, "follows");
        d.hear_of_join(c, "follows");
    }
}

fn static_leaves(c: &mut Conversation) {
    for version in FIRST..=*JoinGroup::versions().end() {
        let group = c.name(&format!("v{version}"));
        let mut a = Member::fixed(&group, "a", "one", version);
        let mut b = Member::fixed(&group, "b", "two", version);
        stable(c, &mut [&mut a, &mut b]);
        let wrong = Member {
            id: "a-stranger".to_owned(),
            ..b.clone()
        };
        wrong.leave(c, "with a wrong id");
        let nameless = Member {
            id: String::new(),
            ..b.clone()
        };
        nameless.leave(c, "by its instance");
        a.heartbeat(c, "hears of it");
        b.heartbeat(c, "is out");
        a.join(c, "is alone");
        a.leave(c, "by both");
        describe(c, "nobody", &group);
    }
}
