//! Mailboxes that are full.

use std::collections::BTreeSet;

use logmill_engine::base::Offset;
use logmill_engine::store::{FetchRead, Isolation, ReadData};
use logmill_wire::ApiKey;
use logmill_wire::batch::Batches;
use logmill_wire::messages::find_coordinator::FindCoordinatorRequest;
use logmill_wire::records::group::OffsetCommitValue;
use logmill_wire::records::read_value;

use super::groups::{codes, commit};
use super::rig::Rig;
use crate::groups::partition_of;

/// What a coordinator has recorded for partition 0: the offsets, in the order of the log.
fn recorded(rig: &mut Rig, index: i32) -> Vec<i64> {
    let (shard, key) = rig.offsets_log(index);
    let request = FetchRead {
        offset: Offset(0),
        max_bytes: 1 << 20,
        whole_first_batch: true,
        isolation: Isolation::LogEnd,
        token: u64::MAX,
    };
    let now = rig.now;
    let read = rig.shards[shard].core().store.read(now, key, &request);
    let ReadData::Memory(parts) = read.unwrap().data else {
        panic!("it was just written");
    };
    let bytes = parts.to_vec();
    let mut offsets = Vec::new();
    for batch in Batches::new(&bytes) {
        for record in batch.unwrap().records().unwrap() {
            let value: OffsetCommitValue<'_> = read_value(record.unwrap().value.unwrap()).unwrap();
            offsets.push(value.offset);
        }
    }
    offsets
}

#[test]
fn what_finds_a_mailbox_full_goes_later_and_in_order() {
    const COMMITS: i64 = 150;
    let mut rig = Rig::with(2, |options| options.mail_credits = 2);
    rig.create_topic("t", 1);
    let mut clients: Vec<_> = (0..4).map(|_| rig.connect(0)).collect();
    let request = FindCoordinatorRequest {
        coordinator_keys: vec!["any"].into(),
        ..FindCoordinatorRequest::default()
    };
    rig.call(&mut clients[0], ApiKey::FindCoordinator, 4, &request)
        .expect("a reply when the topic is made");
    // Groups of different partitions, all at the other shard.
    let mut taken = BTreeSet::new();
    let groups: Vec<String> = (0..)
        .map(|number: i32| format!("g{number}"))
        .filter(|name| {
            let index = partition_of(name, 50);
            rig.offsets_log(index).0 == 1 && taken.insert(index)
        })
        .take(clients.len())
        .collect();
    let requests: Vec<Vec<u8>> = (0..clients.len())
        .map(|at| {
            let frames = (0..COMMITS).map(|offset| {
                let request = commit(&groups[at], -1, "", offset);
                clients[at].frame(ApiKey::OffsetCommit, 9, &request)
            });
            frames.collect::<Vec<_>>().concat()
        })
        .collect();
    rig.disk_dice = Some(0x9E37_79B9);
    let (mut sent, mut answered) = (vec![0; clients.len()], vec![0; clients.len()]);
    let mut was_short = 0;
    for _ in 0..100_000 {
        for (at, client) in clients.iter_mut().enumerate() {
            sent[at] += rig.deliver(client, &requests[at][sent[at]..]);
            was_short += u32::from(rig.shards[0].core().outboxes[1].is_short());
            rig.collect(client);
            while let Some((correlation, body)) = client.reply(ApiKey::OffsetCommit, 9) {
                let before = i32::from(at == 0);
                let expected = before + answered[at] + 1;
                assert_eq!(correlation, expected, "replies keep their order");
                answered[at] += 1;
                assert_eq!(codes(&body)[0], (0, 0));
            }
        }
        rig.some_turns(1);
        rig.advance_clock_ms(1);
        if answered.iter().all(|&count| i64::from(count) == COMMITS) {
            break;
        }
    }
    assert_eq!(answered, vec![COMMITS as i32; clients.len()]);
    assert!(was_short > 100, "the mailbox was full {was_short} times");
    rig.disk_dice = None;
    rig.settle();
    let expected: Vec<i64> = (0..COMMITS).collect();
    for group in &groups {
        let log = recorded(&mut rig, partition_of(group, 50));
        assert_eq!(log, expected, "each once, in the order of its connection");
    }
    assert!(!rig.shards[0].core().outboxes[1].is_short());
}
