//! Groups that ask for much, beside others that ask for little.

use logmill_wire::ApiKey;
use logmill_wire::messages::find_coordinator::FindCoordinatorRequest;
use logmill_wire::messages::offset_commit::{
    OffsetCommitRequest, OffsetCommitRequestPartition, OffsetCommitRequestTopic,
    OffsetCommitResponse,
};
use logmill_wire::messages::offset_fetch::{OffsetFetchRequest, OffsetFetchRequestGroup};

use super::rig::{Client, Rig, decode};
use crate::groups::partition_of;

/// One shard, a topic `t` of many partitions; the topic of offsets is there.
fn world() -> Rig {
    let mut rig = Rig::new(1);
    rig.create_topic("t", PARTITIONS);
    let request = FindCoordinatorRequest {
        coordinator_keys: vec!["any"].into(),
        ..FindCoordinatorRequest::default()
    };
    let mut client = rig.connect(0);
    rig.call(&mut client, ApiKey::FindCoordinator, 4, &request)
        .expect("a reply when the topic is made");
    rig
}

/// Commits so many partitions, each with the same metadata.
fn commit<'a>(group: &'a str, partitions: i32, metadata: &'a str) -> OffsetCommitRequest<'a> {
    let partitions = (0..partitions).map(|partition_index| OffsetCommitRequestPartition {
        partition_index,
        committed_offset: 1,
        committed_metadata: Some(metadata),
        ..OffsetCommitRequestPartition::default()
    });
    let topic = OffsetCommitRequestTopic {
        name: "t",
        partitions: partitions.collect::<Vec<_>>().into(),
        ..OffsetCommitRequestTopic::default()
    };
    OffsetCommitRequest {
        group_id: group,
        generation_id_or_member_epoch: -1,
        topics: vec![topic].into(),
        ..OffsetCommitRequest::default()
    }
}

fn send<'a>(
    rig: &mut Rig,
    client: &mut Client,
    api: ApiKey,
    request: &impl logmill_wire::Message<'a>,
) {
    let frame = client.frame(api, 8, request);
    assert_eq!(rig.deliver(client, &frame), frame.len());
}

/// Turns, a millisecond each, until a commit is answered: how many.
fn turns_until_committed(rig: &mut Rig, client: &mut Client) -> usize {
    for turn in 0..1_000 {
        rig.collect(client);
        if let Some((_, body)) = client.reply(ApiKey::OffsetCommit, 8) {
            let response: OffsetCommitResponse<'_> = decode(&body, 8);
            let topics = response.topics.to_vec();
            let mut partitions = topics.iter().flat_map(|topic| topic.partitions.iter());
            assert!(partitions.all(|it| it.error_code == 0));
            return turn;
        }
        rig.advance_clock_ms(1);
        rig.some_turns(1);
    }
    panic!("no reply to a commit");
}

#[test]
fn a_large_commit_lets_others_pass() {
    let mut rig = world();
    let (mut large, mut small) = (rig.connect(0), rig.connect(0));
    assert_ne!(partition_of("large", 50), partition_of("small", 50));
    let one = commit("small", 1, "");
    send(&mut rig, &mut small, ApiKey::OffsetCommit, &one);
    let alone = turns_until_committed(&mut rig, &mut small);
    let words = "w".repeat(4_096);
    let all = commit("large", PARTITIONS, &words);
    send(&mut rig, &mut large, ApiKey::OffsetCommit, &all);
    send(&mut rig, &mut small, ApiKey::OffsetCommit, &one);
    let beside = turns_until_committed(&mut rig, &mut small);
    let after = turns_until_committed(&mut rig, &mut large);
    // 800 KB, of which 32 KiB may go in a millisecond.
    assert!(beside <= 4 * alone, "{alone} turns, then {beside}");
    assert!(after >= 15, "{alone} turns, {beside}, then {after}");
}

#[test]
fn long_replies_are_written_one_at_a_time() {
    let mut rig = world();
    let words = "w".repeat(4_096);
    let all = commit("large", PARTITIONS, &words);
    let mut client = rig.connect(0);
    send(&mut rig, &mut client, ApiKey::OffsetCommit, &all);
    turns_until_committed(&mut rig, &mut client);
    let group = OffsetFetchRequestGroup {
        group_id: "large",
        topics: None,
        ..OffsetFetchRequestGroup::default()
    };
    let request = OffsetFetchRequest {
        groups: vec![group].into(),
        ..OffsetFetchRequest::default()
    };
    let mut readers: Vec<Client> = (0..4).map(|_| rig.connect(0)).collect();
    for reader in &mut readers {
        send(&mut rig, reader, ApiKey::OffsetFetch, &request);
    }
    let mut written = Vec::new();
    for _ in 0..6 {
        rig.some_turns(1);
        readers.iter_mut().for_each(|reader| rig.collect(reader));
        let replies = readers
            .iter_mut()
            .map(|it| it.reply(ApiKey::OffsetFetch, 8));
        let replies: Vec<_> = replies.flatten().collect();
        assert!(replies.iter().all(|(_, body)| body.len() > 800_000));
        written.push(replies.len());
    }
    assert_eq!(written, [1, 1, 1, 1, 0, 0]);
}

/// With the longest metadata their commits are about the largest that a batch holds.
const PARTITIONS: i32 = 200;
