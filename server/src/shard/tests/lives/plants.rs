//! Faults planted in the broker, to see that its lives show them.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::{World, live};
use crate::base::planted::{Planted, with};

#[test]
fn an_answer_before_its_record_is_durable_is_found() {
    assert_found(Some(Planted::EarlyAnswer), |_| {});
}

#[test]
fn a_commit_that_is_not_replayed_is_found() {
    assert_found(Some(Planted::CommitNotReplayed), |_| {});
}

#[test]
fn a_commit_of_a_generation_that_is_over_is_found() {
    assert_found(Some(Planted::OldGenerationCommits), |_| {});
}

#[test]
fn a_static_member_that_was_replaced_and_goes_on_is_found() {
    assert_found(Some(Planted::OldInstanceServed), |_| {});
}

#[test]
fn a_tombstone_that_is_not_replayed_is_found() {
    assert_found(Some(Planted::TombstoneNotReplayed), |_| {});
}

#[test]
fn a_disk_that_lies_about_syncs_is_found() {
    assert_found(None, |world| world.broker.syncs_lie = true);
}

fn assert_found(planted: Option<Planted>, plant: fn(&mut World)) {
    let holds = |seed: &u64| {
        let lived = || with(planted, || live(*seed, plant));
        catch_unwind(AssertUnwindSafe(lived)).is_ok()
    };
    let found = (1..=SEEDS).find(|seed| !holds(seed));
    println!("{planted:?} is found by seed {found:?}");
    assert!(found.is_some(), "{planted:?} is not found by {SEEDS} seeds");
}

/// So many seeds find every one of them.
const SEEDS: u64 = 400;
