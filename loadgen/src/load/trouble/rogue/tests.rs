//! What clients that misbehave ask, one after the other.

use super::*;

const MS: u64 = 1_000_000;

fn answer(error: ErrorCode) -> Answer {
    Answer {
        error,
        member_id: "me".to_owned(),
        generation: 3,
        members: vec!["me".to_owned()],
    }
}

fn ask(rogue: &mut Rogue, now: u64) -> Option<Ask> {
    let ask = rogue.wants(now)?;
    rogue.asked(now, ask);
    Some(ask)
}

#[test]
fn a_member_asks_for_its_id_joins_syncs_and_joins_again() {
    let mut rogue = Rogue::new(Habit::Garbles, "g".to_owned());
    assert_eq!(ask(&mut rogue, 0), Some(Ask::Join));
    assert_eq!((ask(&mut rogue, 0), rogue.next_due()), (None, None));
    rogue.take(0, Ask::Join, answer(ErrorCode::MEMBER_ID_REQUIRED));
    assert_eq!(rogue.member_id, "me");
    assert_eq!(ask(&mut rogue, 0), Some(Ask::Join));
    rogue.take(0, Ask::Join, answer(ErrorCode::NONE));
    assert_eq!(ask(&mut rogue, 0), Some(Ask::Sync));
    rogue.take(0, Ask::Sync, answer(ErrorCode::NONE));
    assert!(rogue.is_going && rogue.next_due() == Some(20 * MS));
    assert_eq!(ask(&mut rogue, 19 * MS), None);
    assert_eq!(ask(&mut rogue, 20 * MS), Some(Ask::Join));
    rogue.take(0, Ask::Join, answer(ErrorCode::UNKNOWN_MEMBER_ID));
    assert!(rogue.member_id.is_empty());
}

#[test]
fn who_dawdles_never_syncs_and_who_falls_silent_outstays_its_session() {
    let mut rogue = Rogue::new(Habit::Dawdles, "g".to_owned());
    ask(&mut rogue, 0);
    rogue.take(0, Ask::Join, answer(ErrorCode::NONE));
    assert_eq!(ask(&mut rogue, 2_500 * MS), Some(Ask::Join));
    let mut rogue = Rogue::new(Habit::FallsSilent, "g".to_owned());
    ask(&mut rogue, 0);
    rogue.take(0, Ask::Join, answer(ErrorCode::NONE));
    ask(&mut rogue, 0);
    rogue.take(0, Ask::Sync, answer(ErrorCode::NONE));
    assert_eq!(rogue.next_due(), Some(7_000 * MS));
}

#[test]
fn sizes_are_searched_by_what_joins_and_syncs_say() {
    let mut rogue = Rogue::new(Habit::Bloats, "g".to_owned());
    let first = rogue.subscription_bytes();
    assert_eq!(rogue.assignment_bytes(), 0);
    ask(&mut rogue, 0);
    rogue.take(0, Ask::Join, answer(ErrorCode::INVALID_REQUEST));
    assert_eq!(
        rogue.subscription_bytes(),
        0,
        "now it is the assignment's turn"
    );
    assert_eq!(rogue.assignment_bytes(), first);
    ask(&mut rogue, 100 * MS);
    rogue.take(0, Ask::Join, answer(ErrorCode::NONE));
    ask(&mut rogue, 0);
    rogue.take(0, Ask::Sync, answer(ErrorCode::UNKNOWN_SERVER_ERROR));
    assert!(rogue.subscription_bytes() < first);
    rogue.round += 1;
    assert!(rogue.assignment_bytes() < first);
}

#[test]
fn commits_are_pipelined_and_the_deaf_ask_much_and_hang_up() {
    let mut rogue = Rogue::new(Habit::Babbles, "g".to_owned());
    let asks = std::iter::from_fn(|| ask(&mut rogue, 0)).count();
    assert_eq!(asks, COMMITS_IN_FLIGHT);
    let mut rogue = Rogue::new(Habit::IsDeaf, "g".to_owned());
    assert_eq!(ask(&mut rogue, 0), Some(Ask::Commit));
    rogue.take(0, Ask::Commit, answer(ErrorCode::NONE));
    assert!(rogue.is_deaf() && rogue.is_going);
    let asks = std::iter::from_fn(|| ask(&mut rogue, 0)).count();
    assert_eq!(asks, UNREAD_MAX);
    assert!(!rogue.hangs_up(2_999 * MS) && rogue.hangs_up(3_000 * MS));
    rogue.lost(0);
    assert_eq!((rogue.is_deaf(), rogue.next_due()), (false, Some(200 * MS)));
}
