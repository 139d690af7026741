//! What happens to members that are slow, silent or too many: on brokers that allow little time.

use super::{Case, Member, await_group, describe, stable};
use crate::conversation::Conversation;

/// What these brokers are started with beside what other scripts want.
pub const SETTINGS: &[(&str, &str)] = &[
    ("group.min.session.timeout.ms", "300"),
    ("group.max.session.timeout.ms", "20000"),
    ("group.max.size", "2"),
    ("group.initial.rebalance.delay.ms", "400"),
    ("offset.metadata.max.bytes", "10"),
];

/// Every script of this file.
pub const CASES: &[Case] = &[
    ("together", together),
    ("session-bounds", session_bounds),
    ("too-many", too_many),
    ("a-silent-member", a_silent_member),
    ("a-silent-static-member", a_silent_static_member),
    ("slow-to-join", slow_to_join),
    ("slow-to-sync", slow_to_sync),
    ("an-id-unused", an_id_unused),
];

/// A session that ends by itself in the script's time, and one that does not.
const SHORT_MS: i32 = 600;
const LONG_MS: i32 = 20_000;

/// Members that come within the initial delay are in the first generation together.
fn together(c: &mut Conversation) {
    for version in [0, 4, 9] {
        let group = c.name(&format!("v{version}"));
        let mut a = Member::new(&group, "a", version);
        let mut b = Member::new(&group, "b", version);
        a.begin_to_join(c, "asks for its id");
        await_group(c, &group, "PreparingRebalance", 1);
        b.begin_to_join(c, "asks for its id");
        a.hear_of_join(c, "leads");
        b.hear_of_join(c, "follows");
        c.note("one generation", (a.generation, b.generation) == (1, 1));
        a.sync(c, "gives the partitions out", &[&a, &b]);
        b.sync(c, "gets its own", &[]);
    }
}

fn session_bounds(c: &mut Conversation) {
    for (what, session_ms) in [
        ("too short", 299),
        ("too long", 20_001),
        ("the longest", 20_000),
    ] {
        let group = c.name(&session_ms.to_string());
        let mut a = Member::new(&group, "a", 3);
        a.session_ms = session_ms;
        a.join(c, what);
    }
}

fn too_many(c: &mut Conversation) {
    for version in [3, 4, 5, 9] {
        let group = c.name(&format!("v{version}"));
        let mut a = Member::new(&group, "a", version);
        let mut b = Member::new(&group, "b", version);
        let mut d = Member::new(&group, "d", version);
        stable(c, &mut [&mut a, &mut b]);
        d.enter(c, "is one too many");
        if version >= 5 {
            d.id.clear();
            d.instance = Some("fixed");
            d.join(c, "is one too many, even as a static member");
        }
        describe(c, "two members", &group);
        b.leave(c, "leaves");
        a.join(c, "goes on");
    }
}

/// Whoever sends nothing in its session's time is out.
fn a_silent_member(c: &mut Conversation) {
    let group = c.name("group");
    let mut a = Member::new(&group, "a", 9);
    let mut b = Member::new(&group, "b", 9);
    (a.session_ms, b.session_ms) = (LONG_MS, SHORT_MS);
    a.begin_to_join(c, "asks for its id");
    await_group(c, &group, "PreparingRebalance", 1);
    b.begin_to_join(c, "asks for its id");
    a.hear_of_join(c, "leads");
    b.hear_of_join(c, "follows");
    a.sync(c, "gives the partitions out", &[&a, &b]);
    b.sync(c, "gets its own", &[]);
    await_group(c, &group, "PreparingRebalance", 1);
    a.heartbeat(c, "hears of it");
    b.heartbeat(c, "comes too late");
    a.join(c, "goes on");
    a.sync(c, "takes all", &[&a.clone()]);
    describe(c, "one member", &group);
}

/// A static member too, though its place outlives its connection.
fn a_silent_static_member(c: &mut Conversation) {
    let group = c.name("group");
    let mut a = Member::fixed(&group, "a", "one", 9);
    a.session_ms = SHORT_MS;
    stable(c, &mut [&mut a]);
    await_group(c, &group, "Empty", 0);
    a.heartbeat(c, "comes too late");
    a.id.clear();
    a.join(c, "comes again");
}

/// A rebalance waits for its members as long as they allow, then goes on without those that lack.
fn slow_to_join(c: &mut Conversation) {
    for version in [3, 9] {
        let group = c.name(&format!("v{version}"));
        let mut a = Member::new(&group, "a", version);
        let mut b = Member::new(&group, "b", version);
        for member in [&mut a, &mut b] {
            (member.session_ms, member.rebalance_ms) = (LONG_MS, 700);
        }
        stable(c, &mut [&mut a]);
        b.begin_to_join(c, "asks for its id");
        b.hear_of_join(c, "leads, since nobody else came");
        a.heartbeat(c, "is out");
        a.join(c, "has lost its place");
        describe(c, "one member", &group);
    }
}

/// Whoever does not ask for its assignment in the time for a rebalance is out.
fn slow_to_sync(c: &mut Conversation) {
    for version in [3, 9] {
        let group = c.name(&format!("v{version}"));
        let mut a = Member::new(&group, "a", version);
        (a.session_ms, a.rebalance_ms) = (LONG_MS, 700);
        a.enter(c, "but does not sync");
        await_group(c, &group, "Empty", 0);
        a.sync(c, "comes too late", &[&a.clone()]);
        a.heartbeat(c, "comes too late");
    }
}

/// An id that nobody comes back with is forgotten after the session's time.
fn an_id_unused(c: &mut Conversation) {
    let group = c.name("group");
    let mut a = Member::new(&group, "a", 9);
    a.session_ms = 300;
    a.join(c, "asks for its id");
    std::thread::sleep(std::time::Duration::from_millis(1_500));
    a.join(c, "comes too late");
}
