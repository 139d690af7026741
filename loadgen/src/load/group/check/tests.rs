//! Commits and assignments that break a promise, and such that do not.

use super::*;

const NONE: ErrorCode = ErrorCode::NONE;

fn found(events: &[GroupEvent]) -> Vec<Violation> {
    let (mut check, mut found) = (GroupCheck::default(), Vec::new());
    for event in events {
        check.take(event, &mut found);
    }
    found
}

fn commit(member: MemberKey, offset: i64) -> [GroupEvent; 2] {
    let offsets = vec![(0, offset)];
    [
        GroupEvent::Asked(member, Ask::Commit, offsets.clone()),
        GroupEvent::Answered(member, Ask::Commit, 1, NONE, offsets),
    ]
}

fn fetch(member: MemberKey, offset: i64) -> [GroupEvent; 2] {
    [
        GroupEvent::Asked(member, Ask::Offsets, Vec::new()),
        GroupEvent::Changed(member, Change::Assigned(vec![(0, offset)])),
    ]
}

#[test]
fn a_forgotten_commit_is_found() {
    assert_eq!(found(&[commit(1, 10), fetch(2, 10)].concat()), []);
    let (partition, from, to) = (0, 10, 9);
    let backwards = Violation::CommittedBackwards {
        partition,
        from,
        to,
    };
    let forgotten = found(&[commit(1, 10), fetch(2, 9)].concat());
    assert_eq!(forgotten, std::slice::from_ref(&backwards));
    assert_eq!(found(&[commit(1, 10), commit(2, 9)].concat()), [backwards]);
}

#[test]
fn what_was_not_acknowledged_when_it_was_asked_may_be_there_or_not() {
    let [asked, answered] = commit(1, 10);
    let [fetch_asked, assigned] = fetch(2, -1);
    let events = [
        asked.clone(),
        fetch_asked.clone(),
        answered.clone(),
        assigned,
    ];
    assert_eq!(found(&events), []);
    let [_, assigned] = fetch(2, 10);
    assert_eq!(found(&[asked, fetch_asked, assigned]), []);
    // A slow answer to an old commit proves nothing.
    let [late, late_answer] = commit(1, 5);
    let [next, next_answer] = commit(2, 8);
    assert_eq!(found(&[late, next, next_answer, late_answer]), []);
}

#[test]
fn an_offset_that_nobody_committed_is_found() {
    let violation = Violation::PhantomCommit {
        partition: 0,
        sent: -1,
        got: 3,
    };
    assert_eq!(found(&fetch(1, 3)), [violation]);
    assert_eq!(found(&fetch(1, -1)), []);
}

#[test]
fn two_owners_of_one_generation_are_found() {
    let joined =
        |member, generation| GroupEvent::Changed(member, Change::Joined(generation, vec![0]));
    assert_eq!(found(&[joined(1, 1), joined(2, 2), joined(1, 3)]), []);
    let violation = Violation::TwoOwners {
        partition: 0,
        generation: 1,
    };
    assert_eq!(found(&[joined(1, 1), joined(2, 1)]), [violation]);
}

#[test]
fn a_static_member_that_came_back_is_no_second_owner() {
    let (mut check, mut found) = (GroupCheck::default(), Vec::new());
    let joined = |member| GroupEvent::Changed(member, Change::Joined(1, vec![0]));
    check.take(&joined(1), &mut found);
    check.killed(1);
    check.take(&joined(2), &mut found);
    assert_eq!(found, []);
}
