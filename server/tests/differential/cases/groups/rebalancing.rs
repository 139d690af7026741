//! Several members: who hears what of a rebalance, and when.

use super::{Case, Member, await_group, describe, stable};
use crate::conversation::{Api, Conversation, JoinGroup};

/// Every script of this file.
pub const CASES: &[Case] = &[
    ("two-members", two_members),
    ("a-leader-leaves", a_leader_leaves),
    ("votes", votes),
    ("joining-again", joining_again),
    ("late-for-the-leader", late_for_the_leader),
    ("three-members", three_members),
];

fn two_members(c: &mut Conversation) {
    for version in JoinGroup::versions() {
        let group = c.name(&format!("v{version}"));
        let mut a = Member::new(&group, "a", version);
        let mut b = Member::new(&group, "b", version);
        stable(c, &mut [&mut a]);
        b.begin_to_join(c, "asks for its id");
        await_group(c, &group, "PreparingRebalance", 2);
        describe(c, "while they gather", &group);
        a.heartbeat(c, "hears of the rebalance");
        a.sync(c, "too early", &[]);
        a.join(c, "leads again");
        b.hear_of_join(c, "follows");
        describe(c, "before the leader's word", &group);
        a.heartbeat(c, "of the new generation");
        b.ask_to_sync(c, &[]);
        a.sync(c, "gives the partitions out", &[&a, &b]);
        b.hear_of_sync(c, "gets its own");
        describe(c, "two members", &group);
        a.heartbeat(c, "goes on");
        b.heartbeat(c, "goes on");
        b.leave(c, "leaves");
        b.heartbeat(c, "after it left");
        a.heartbeat(c, "hears that it left");
        a.join(c, "is alone");
        a.sync(c, "takes all", &[&a.clone()]);
        describe(c, "one member", &group);
    }
}

/// The next in line leads.
fn a_leader_leaves(c: &mut Conversation) {
    for version in JoinGroup::versions() {
        let group = c.name(&format!("v{version}"));
        let mut a = Member::new(&group, "a", version);
        let mut b = Member::new(&group, "b", version);
        stable(c, &mut [&mut a, &mut b]);
        a.leave(c, "leaves");
        b.heartbeat(c, "hears of it");
        b.join(c, "leads");
        b.sync(c, "takes all", &[&b.clone()]);
    }
}

/// The protocol that most members prefer, of those that all have.
fn votes(c: &mut Conversation) {
    for version in [0, 5, 9] {
        let group = c.name(&format!("v{version}"));
        // Never as many votes for one as for another: then Kafka goes by how names are hashed.
        let mut a = Member::new(&group, "a", version).offering(&["range", "sticky", "uniform"]);
        let mut b = Member::new(&group, "b", version).offering(&["range", "uniform", "sticky"]);
        let mut d = Member::new(&group, "d", version).offering(&["uniform", "sticky"]);
        let mut e = Member::new(&group, "e", version).offering(&["range"]);
        a.enter(c, "alone");
        b.begin_to_join(c, "asks for its id");
        await_group(c, &group, "PreparingRebalance", 2);
        a.join(c, "with one more");
        b.hear_of_join(c, "is in");
        d.begin_to_join(c, "asks for its id");
        await_group(c, &group, "PreparingRebalance", 3);
        a.ask_to_join(c);
        b.ask_to_join(c);
        a.hear_of_join(c, "with two more");
        b.hear_of_join(c, "of three");
        d.hear_of_join(c, "of three");
        e.join(c, "has nothing in common");
        describe(c, "three members", &group);
    }
}

/// A leader that joins again begins a rebalance; another member only when it has something new to
/// say.
fn joining_again(c: &mut Conversation) {
    for version in JoinGroup::versions() {
        let group = c.name(&format!("v{version}"));
        let mut a = Member::new(&group, "a", version);
        let mut b = Member::new(&group, "b", version);
        stable(c, &mut [&mut a, &mut b]);
        b.join(c, "again, the same");
        a.heartbeat(c, "hears nothing of it");
        b.protocols[0].1.push("another-topic".to_owned());
        b.ask_to_join(c);
        await_group(c, &group, "PreparingRebalance", 2);
        a.heartbeat(c, "hears of the change");
        a.join(c, "leads");
        b.hear_of_join(c, "with its change");
        b.join(c, "again, before the leader's word");
        a.join(c, "again, before its word");
        a.sync(c, "gives the partitions out", &[&a, &b]);
        b.sync(c, "gets its own", &[]);
        a.ask_to_join(c);
        await_group(c, &group, "PreparingRebalance", 2);
        b.heartbeat(c, "hears that the leader asks");
        b.join(c, "follows");
        a.hear_of_join(c, "leads");
    }
}

/// Who waits for its assignment hears of the next rebalance instead.
fn late_for_the_leader(c: &mut Conversation) {
    for version in JoinGroup::versions() {
        let group = c.name(&format!("v{version}"));
        let mut a = Member::new(&group, "a", version);
        let mut b = Member::new(&group, "b", version);
        let mut d = Member::new(&group, "d", version);
        stable(c, &mut [&mut a, &mut b]);
        a.ask_to_join(c);
        await_group(c, &group, "PreparingRebalance", 2);
        b.join(c, "follows");
        a.hear_of_join(c, "leads");
        await_group(c, &group, "CompletingRebalance", 2);
        b.ask_to_sync(c, &[]);
        d.begin_to_join(c, "asks for its id");
        b.hear_of_sync(c, "is told to join again");
        await_group(c, &group, "PreparingRebalance", 3);
        a.sync(c, "comes too late", &[&a, &b]);
        a.ask_to_join(c);
        b.ask_to_join(c);
        a.hear_of_join(c, "leads three");
        b.hear_of_join(c, "one of three");
        d.hear_of_join(c, "one of three");
    }
}

fn three_members(c: &mut Conversation) {
    for version in [2, 5, 9] {
        let group = c.name(&format!("v{version}"));
        let mut a = Member::new(&group, "a", version);
        let mut b = Member::new(&group, "b", version);
        let mut d = Member::new(&group, "d", version);
        stable(c, &mut [&mut a, &mut b, &mut d]);
        describe(c, "three members", &group);
        b.leave(c, "leaves");
        a.ask_to_join(c);
        d.join(c, "goes on");
        a.hear_of_join(c, "leads on");
        a.sync(c, "gives its partition to others", &[&a, &d]);
        d.sync(c, "gets some", &[]);
        describe(c, "two members", &group);
    }
}
