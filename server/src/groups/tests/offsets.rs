//! Offsets: who may commit them, how they are told, how they are deleted.

use logmill_wire::ErrorCode;

use super::fixture::*;
use crate::groups::*;

#[test]
fn anybody_commits_to_a_group_without_members() {
    let mut world = World::new();
    assert_eq!(world.commit("events", 7, |_| {}), ErrorCode::NONE);
    assert_eq!(world.offsets(), ["events-0: 7"]);
    let listed = world.describe();
    assert_eq!((listed.state, &*listed.protocol_type), ("Empty", ""));
    assert_eq!(world.log.len(), 1, "offsets alone make the group");
    let fetched = world.ask(Ask::FetchOffsets(fetch_ask(Some(vec![FetchTopic {
        topic: "events".to_owned(),
        partitions: vec![1, 0],
    }]))));
    let Answer::FetchOffsets(answer) = world.answer(fetched) else {
        panic!("another answer");
    };
    assert_eq!(world.when(fetched), When::Synced);
    let partitions = &answer.topics[0].partitions;
    assert_eq!((partitions[0].offset, partitions[0].leader_epoch), (-1, -1));
    assert_eq!((partitions[1].offset, partitions[1].leader_epoch), (7, 3));
    assert_eq!(&*partitions[1].metadata, "m");
}

#[test]
fn members_commit_in_their_generation() {
    let mut world = World::new();
    let members = world.stable_group(1);
    let id = members[0].member_id.clone();
    let by = |world: &mut World, id: &str, generation: i32| {
        world.commit("events", 1, |ask| {
            ask.member_id = id.to_owned();
            ask.generation = generation;
        })
    };
    assert_eq!(by(&mut world, &id, 1), ErrorCode::NONE);
    assert_eq!(by(&mut world, &id, 0), ErrorCode::ILLEGAL_GENERATION);
    assert_eq!(by(&mut world, "who", 1), ErrorCode::UNKNOWN_MEMBER_ID);
    assert_eq!(by(&mut world, "", -1), ErrorCode::UNKNOWN_MEMBER_ID);
    // While others join it may still commit; while the assignment is awaited it may not.
    let new = world.join(|_| {});
    assert_eq!(by(&mut world, &id, 1), ErrorCode::NONE);
    let own = world.join(|ask| ask.member_id = id.clone());
    assert_eq!(world.joined(own).generation, 2);
    assert_eq!(by(&mut world, &id, 2), ErrorCode::REBALANCE_IN_PROGRESS);
    world.stabilize(&[own, new]);
    assert_eq!(by(&mut world, &id, 2), ErrorCode::NONE);
}

#[test]
fn a_commit_counts_as_a_heartbeat() {
    let mut world = World::new();
    let members = world.stable_group(1);
    for offset in 0..5 {
        world.pass(8_000);
        let error = world.commit("events", offset, |ask| {
            ask.member_id = members[0].member_id.clone();
            ask.generation = 1;
        });
        assert_eq!(error, ErrorCode::NONE);
    }
}

#[test]
fn members_of_groups_that_do_not_exist_are_told_as_they_know() {
    let mut world = World::new();
    let error = world.commit("events", 1, |ask| ask.generation = 1);
    assert_eq!(error, ErrorCode::GROUP_ID_NOT_FOUND);
    let error = world.commit("events", 1, |ask| {
        ask.generation = 1;
        ask.knows_group_not_found = false;
    });
    assert_eq!(error, ErrorCode::ILLEGAL_GENERATION);
    assert_eq!(world.coordinator.counts(), Counts::default());
}

#[test]
fn words_with_an_offset_have_a_greatest_length_in_java_s_characters() {
    let mut world = World::new();
    let words =
        |text: String| move |ask: &mut OffsetCommit| ask.topics[0].partitions[0].metadata = text;
    assert_eq!(
        world.commit("events", 1, words("é".repeat(4_096))),
        ErrorCode::NONE
    );
    let error = world.commit("events", 2, words("é".repeat(4_097)));
    assert_eq!(error, ErrorCode::OFFSET_METADATA_TOO_LARGE);
    // Beyond the first plane a character counts twice.
    let error = world.commit("events", 2, words("😀".repeat(2_049)));
    assert_eq!(error, ErrorCode::OFFSET_METADATA_TOO_LARGE);
    assert_eq!(world.offsets(), ["events-0: 1"]);
}

#[test]
fn a_commit_that_keeps_nothing_makes_no_group() {
    let mut world = World::new();
    let error = world.commit("events", 1, |ask| {
        ask.topics[0].partitions[0].metadata = "x".repeat(5_000);
    });
    assert_eq!(error, ErrorCode::OFFSET_METADATA_TOO_LARGE);
    assert_eq!(world.coordinator.counts(), Counts::default());
    assert_eq!(world.coordinator.memory_bytes(), 0);
}

#[test]
fn a_commit_too_large_for_a_batch_changes_nothing() {
    let mut world = World::with(Options {
        batch_bytes_max: 2_000,
        ..Options::default()
    });
    let offsets: Vec<(i32, i64)> = (0..100).map(|partition| (partition, 1)).collect();
    let ticket = world.ask(Ask::Commit(commit_ask("events", &offsets)));
    let Answer::Commit(topics) = world.answer(ticket) else {
        panic!("another answer");
    };
    let mut errors = topics[0].partitions.iter().map(|(_, error)| *error);
    assert!(errors.all(|error| error == ErrorCode::UNKNOWN_SERVER_ERROR));
    assert!(world.log.is_empty());
    assert!(world.offsets().is_empty());
}

#[test]
fn subscribed_topics_keep_their_offsets() {
    let mut world = World::new();
    world.commit("events", 1, |_| {});
    world.commit("other", 2, |_| {});
    world.stable_group(1);
    let topics = ["events", "other"].map(|topic| FetchTopic {
        topic: topic.to_owned(),
        partitions: vec![0],
    });
    let ticket = world.ask(Ask::DeleteOffsets(OffsetDelete {
        group_id: GROUP.to_owned(),
        topics: topics.to_vec(),
    }));
    let Answer::DeleteOffsets(answer) = world.answer(ticket) else {
        panic!("another answer");
    };
    assert_eq!(answer.error, ErrorCode::NONE);
    let errors: Vec<ErrorCode> = answer
        .topics
        .iter()
        .map(|topic| topic.partitions[0].1)
        .collect();
    assert_eq!(
        errors,
        [ErrorCode::GROUP_SUBSCRIBED_TO_TOPIC, ErrorCode::NONE]
    );
    assert_eq!(world.offsets(), ["events-0: 1"]);
}

#[test]
fn offsets_of_groups_that_are_no_consumers_stay_while_there_are_members() {
    let mut world = World::new();
    world.commit("events", 1, |_| {});
    let delete = |world: &mut World, group: &str| {
        let ticket = world.ask(Ask::DeleteOffsets(OffsetDelete {
            group_id: group.to_owned(),
            topics: vec![FetchTopic {
                topic: "events".to_owned(),
                partitions: vec![0, 1],
            }],
        }));
        match world.answer(ticket) {
            Answer::DeleteOffsets(answer) => answer.error,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(delete(&mut world, "nobody"), ErrorCode::GROUP_ID_NOT_FOUND);
    assert_eq!(delete(&mut world, ""), ErrorCode::INVALID_GROUP_ID);
    let ticket = world.join(|ask| ask.protocol_type = "connect".to_owned());
    assert_eq!(delete(&mut world, GROUP), ErrorCode::NON_EMPTY_GROUP);
    world.pass(3_010);
    let id = world.joined(ticket).member_id.clone();
    world.leave(&[(&id, None)]);
    assert_eq!(delete(&mut world, GROUP), ErrorCode::NONE);
    assert!(world.offsets().is_empty());
}

#[test]
fn deleted_topics_take_their_offsets_along() {
    let mut world = World::new();
    world.commit("events", 1, |_| {});
    world.commit("other", 2, |ask| ask.group_id = "second".to_owned());
    world.ask(Ask::Commit(commit_ask("other", &[(0, 3), (5, 4)])));
    let ticket = world.ask(Ask::TopicsDeleted(vec!["other".to_owned()]));
    assert_eq!(world.answer(ticket), &Answer::TopicsDeleted(3));
    assert_eq!(world.offsets(), ["events-0: 1"]);
    assert_eq!(
        world.coordinator.counts().groups,
        1,
        "nothing is left of the second"
    );
    world.reload();
    assert_eq!(world.offsets(), ["events-0: 1"]);
    assert_eq!(world.coordinator.counts().groups, 1);
}
