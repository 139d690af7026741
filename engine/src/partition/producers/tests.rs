//! Sequences, duplicates and epochs of producers.

use super::*;
use crate::base::LeaderEpoch;
use crate::format::batch::Attributes;

fn batch(producer: i64, epoch: i16, sequence: i32, count: i32, offset: i64) -> BatchHeader {
    BatchHeader {
        base_offset: Offset(offset),
        length: 49,
        leader_epoch: LeaderEpoch(0),
        crc: 0,
        attributes: Attributes(0),
        last_offset_delta: count - 1,
        base_timestamp: 0,
        max_timestamp: 1_000 + offset,
        producer_id: ProducerId(producer),
        producer_epoch: ProducerEpoch(epoch),
        base_sequence: Sequence(sequence),
        record_count: count,
    }
}

fn table(batches: &[BatchHeader]) -> ProducerTable {
    let mut table = ProducerTable::default();
    for header in batches {
        assert_eq!(table.check(header), Ok(SequenceCheck::New));
        table.record(header, None);
    }
    table
}

#[test]
fn the_last_five_batches_are_recognised() {
    let batches: Vec<_> = (0..7)
        .map(|at| batch(1, 0, at * 10, 10, i64::from(at) * 10))
        .collect();
    let table = table(&batches);
    for original in &batches[2..] {
        let mut again = *original;
        again.base_offset = Offset(0);
        let Ok(SequenceCheck::Duplicate(found)) = table.check(&again) else {
            panic!("{:?} was not recognised", original.base_sequence);
        };
        assert_eq!(found.last_offset, original.last_offset());
        assert_eq!(found.timestamp, original.max_timestamp);
    }
    let last = Sequence(69);
    assert_eq!(
        table.check(&batches[1]),
        Err(SequenceError::OutOfOrder { last })
    );
    let other_length = batch(1, 0, 60, 5, 0);
    assert_eq!(
        table.check(&other_length),
        Err(SequenceError::OutOfOrder { last })
    );
    let gap = batch(1, 0, 71, 1, 0);
    assert_eq!(table.check(&gap), Err(SequenceError::OutOfOrder { last }));
}

#[test]
fn sequences_wrap() {
    let before = batch(1, 0, i32::MAX - 1, 3, 0);
    let table = table(&[before, batch(1, 0, 1, 1, 3)]);
    assert!(matches!(
        table.check(&before),
        Ok(SequenceCheck::Duplicate(_))
    ));
    assert_eq!(table.check(&batch(1, 0, 2, 1, 4)), Ok(SequenceCheck::New));
}

#[test]
fn a_sequence_ending_at_the_largest_is_followed_by_zero() {
    let table = table(&[batch(1, 0, i32::MAX, 1, 0)]);
    assert_eq!(table.check(&batch(1, 0, 0, 1, 1)), Ok(SequenceCheck::New));
}

#[test]
fn an_unknown_producer_begins_anywhere() {
    assert_eq!(
        ProducerTable::default().check(&batch(9, 3, 77, 1, 0)),
        Ok(SequenceCheck::New)
    );
}

#[test]
fn epochs_fence_and_begin_at_zero() {
    let mut table = table(&[batch(1, 5, 0, 1, 0)]);
    let latest = ProducerEpoch(5);
    assert_eq!(
        table.check(&batch(1, 4, 1, 1, 1)),
        Err(SequenceError::Fenced { latest })
    );
    assert_eq!(
        table.check(&batch(1, 6, 1, 1, 1)),
        Err(SequenceError::OutOfOrder {
            last: Sequence::NONE
        })
    );
    let next = batch(1, 6, 0, 1, 1);
    assert_eq!(table.check(&next), Ok(SequenceCheck::New));
    table.record(&next, None);
    let latest = ProducerEpoch(6);
    assert_eq!(
        table.check(&batch(1, 5, 0, 1, 0)),
        Err(SequenceError::Fenced { latest })
    );
    assert_eq!(
        table.check_epoch(&batch(1, 5, 0, 1, 0)),
        Err(SequenceError::Fenced { latest })
    );
}

#[test]
fn snapshots_keep_the_last_batch_and_states_all() {
    let table = table(&[
        batch(1, 0, 0, 2, 0),
        batch(1, 0, 2, 2, 2),
        batch(4, 1, 0, 1, 4),
    ]);
    assert_eq!(ProducerTable::restored(&table.states()), table);
    let thin = ProducerTable::from_snapshot(&table.snapshot()).unwrap();
    assert!(matches!(
        thin.check(&batch(1, 0, 2, 2, 0)),
        Ok(SequenceCheck::Duplicate(_))
    ));
    assert!(
        thin.check(&batch(1, 0, 0, 2, 0)).is_err(),
        "older ones are not in the file"
    );
    assert_eq!(thin.check(&batch(1, 0, 4, 1, 0)), Ok(SequenceCheck::New));
}

#[test]
fn transactions_hold_their_first_offset_until_a_marker() {
    let mut data = batch(1, 0, 0, 1, 10);
    data.attributes = Attributes(1 << 4);
    let mut table = table(&[data]);
    assert_eq!(table.first_open_transaction(), Some(Offset(10)));
    let mut marker = batch(1, 0, -1, 1, 11);
    marker.attributes = Attributes(1 << 4 | 1 << 5);
    table.record(&marker, Some(8));
    assert_eq!(table.first_open_transaction(), None);
    let state = &table.states()[0];
    assert_eq!((state.coordinator_epoch, state.batches.len()), (8, 1));
    // The marker took no sequence.
    assert_eq!(table.check(&batch(1, 0, 1, 1, 12)), Ok(SequenceCheck::New));
}

#[test]
fn expiry_bounds_the_table() {
    let batches: Vec<_> = (0..100).map(|id| batch(id, 0, 0, 1, id)).collect();
    let mut table = table(&batches);
    // Timestamps are 1,000 and on.
    table.expire(1_060, 50, 1_000);
    assert_eq!(
        table.states().first().map(|state| state.id),
        Some(ProducerId(11))
    );
    table.expire(1_060, 1_000, 40);
    assert_eq!(table.len(), 35, "an eighth below the bound");
    assert_eq!(
        table.states().first().map(|state| state.id),
        Some(ProducerId(65))
    );
}

#[test]
fn a_cut_takes_batches_back() {
    let mut table = table(&[
        batch(1, 0, 0, 5, 0),
        batch(1, 0, 5, 5, 5),
        batch(2, 0, 0, 1, 10),
    ]);
    table.truncate(Offset(5));
    assert_eq!(table.len(), 1);
    assert_eq!(table.check(&batch(1, 0, 5, 5, 5)), Ok(SequenceCheck::New));
}
