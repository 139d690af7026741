//! The checker against histories with faults put in.

use proptest::prelude::*;

use super::*;
use crate::payload::{Content, Filler, Stamp};

const LANE: Lane = Lane {
    stream: 9,
    partition: 2,
};

fn stamp(stream: u32, sequence: u64) -> Stamp {
    let content = Content::Filler {
        filler: Filler::Zero,
        arena_bits: 12,
    };
    Stamp {
        content,
        stream,
        sequence,
        intended_ns: 0,
        extent: 32,
    }
}

/// Reads `log` (stream, sequence) as partition 2 from offset 0, acknowledges `acknowledged`.
fn check(
    log: &[(u32, u64)],
    acknowledged: &[(u32, u64, Option<i64>)],
    facts: SenderFacts,
) -> Findings {
    let mut reader = Reader::new(true);
    let mut ledger = Ledger::default();
    for &stream in &[9, 10] {
        ledger.sender(stream, facts);
    }
    for (offset, &(stream, sequence)) in log.iter().enumerate() {
        reader.record(2, offset as i64, &stamp(stream, sequence));
        if offset % 5 == 4 {
            reader
                .take_runs()
                .into_iter()
                .for_each(|run| ledger.seen(run));
        }
    }
    for &(stream, first, offset) in acknowledged {
        let run = Run {
            lane: Lane {
                stream,
                partition: 2,
            },
            first,
            count: 1,
            offset,
        };
        ledger.sent(run, Outcome::Acknowledged);
    }
    reader
        .take_runs()
        .into_iter()
        .for_each(|run| ledger.seen(run));
    reader
        .take_violations()
        .into_iter()
        .for_each(|v| ledger.violation(v));
    ledger.close()
}

fn acks(log: &[(u32, u64)]) -> Vec<(u32, u64, Option<i64>)> {
    let offsets = log.iter().enumerate();
    offsets
        .map(|(at, &(stream, sequence))| (stream, sequence, Some(at as i64)))
        .collect()
}

const PLAIN: SenderFacts = SenderFacts {
    idempotent: false,
    retries: 0,
};
const RETRIED: SenderFacts = SenderFacts {
    idempotent: false,
    retries: 1,
};
const IDEMPOTENT: SenderFacts = SenderFacts {
    idempotent: true,
    retries: 1,
};

fn sample() -> Vec<(u32, u64)> {
    let mut log = Vec::new();
    for turn in 0..10 {
        log.extend((0..7).map(|i| (9, turn * 7 + i)));
        log.extend((0..3).map(|i| (10, turn * 3 + i)));
    }
    log
}

#[test]
fn a_good_history_is_clean() {
    let log = sample();
    let findings = check(&log, &acks(&log), PLAIN);
    assert!(findings.is_clean(), "{:?}", findings.violations);
    assert_eq!(
        (findings.acknowledged, findings.seen, findings.lost),
        (100, 100, 0)
    );
}

#[test]
fn a_lost_record_is_found_wherever_it_was() {
    let log = sample();
    for lost in [0, 42, 99] {
        let mut short = log.clone();
        let (stream, sequence) = short.remove(lost);
        // Acknowledgements without offsets: only the loss itself is wrong.
        let told: Vec<_> = log.iter().map(|&(s, q)| (s, q, None)).collect();
        let findings = check(&short, &told, IDEMPOTENT);
        let lane = Lane {
            stream,
            partition: 2,
        };
        assert_eq!(
            findings.violations,
            [Violation::Lost {
                lane,
                first: sequence,
                count: 1
            }]
        );
        assert_eq!(findings.lost, 1);
    }
}

#[test]
fn duplicates_and_order_count_by_what_the_sender_promised() {
    let log: Vec<(u32, u64)> = vec![(9, 0), (9, 1), (9, 1), (9, 2)];
    let told = [(9, 0, None), (9, 1, None), (9, 2, None)];
    for (facts, clean) in [(PLAIN, false), (RETRIED, true), (IDEMPOTENT, false)] {
        let findings = check(&log, &told, facts);
        assert_eq!(
            findings.is_clean(),
            clean,
            "{facts:?}: {:?}",
            findings.violations
        );
    }
    let swapped: Vec<(u32, u64)> = vec![(9, 0), (9, 2), (9, 1)];
    for (facts, clean) in [(PLAIN, false), (RETRIED, true), (IDEMPOTENT, false)] {
        let findings = check(&swapped, &told, facts);
        assert_eq!(
            findings.is_clean(),
            clean,
            "{facts:?}: {:?}",
            findings.violations
        );
        assert_eq!(findings.lost, 0);
    }
}

#[test]
fn a_batch_sent_twice_may_be_acknowledged_at_its_second_copy() {
    let log: Vec<(u32, u64)> = vec![(9, 0), (9, 1), (9, 1), (9, 2)];
    for (offset, facts, clean) in [
        (2, RETRIED, true),
        (2, PLAIN, false),
        (2, IDEMPOTENT, false),
        (0, RETRIED, false),
    ] {
        let told = [(9, 0, Some(0)), (9, 1, Some(offset)), (9, 2, Some(3))];
        let findings = check(&log, &told, facts);
        assert_eq!(
            findings.is_clean(),
            clean,
            "{offset} {facts:?}: {:?}",
            findings.violations
        );
    }
}

#[test]
fn many_records_sent_twice_hide_no_loss_and_make_none() {
    let twice = 3 * Reader::VIOLATIONS_MAX as u64;
    let mut log: Vec<(u32, u64)> = (0..twice).chain(0..twice).map(|n| (9, n)).collect();
    let told: Vec<_> = (0..=twice).map(|n| (9, n, None)).collect();
    let findings = check(&log, &told, RETRIED);
    assert_eq!(findings.violations.len(), 1, "{:?}", findings.violations);
    assert_eq!((findings.lost, findings.not_kept), (1, 0));
    log.push((9, twice));
    assert!(check(&log, &told, RETRIED).is_clean());
    assert!(!check(&log, &told, IDEMPOTENT).is_clean());
}

#[test]
fn an_acknowledgement_at_the_wrong_offset_is_found() {
    let log = sample();
    let mut told = acks(&log);
    told[50].2 = Some(51);
    let findings = check(&log, &told, PLAIN);
    assert_eq!(findings.violations.len(), 1, "{:?}", findings.violations);
    assert!(matches!(
        findings.violations[0],
        Violation::OffsetMismatch {
            acknowledged: 51,
            read: 50,
            ..
        }
    ));
}

#[test]
fn unknown_records_may_be_there_or_not_and_refused_ones_may_not() {
    let mut ledger = Ledger::default();
    ledger.sender(9, IDEMPOTENT);
    let run = |first, count| Run {
        lane: LANE,
        first,
        count,
        offset: None,
    };
    ledger.sent(run(0, 10), Outcome::Acknowledged);
    ledger.sent(run(10, 10), Outcome::Unknown);
    ledger.sent(run(20, 5), Outcome::Refused);
    ledger.seen(run(0, 14));
    let findings = ledger.close();
    assert!(findings.is_clean());
    assert_eq!(
        (findings.unknown, findings.unknown_seen, findings.refused),
        (10, 4, 5)
    );
    ledger.seen(run(22, 1));
    ledger.seen(run(40, 1));
    let phantom = |sequence| Violation::Phantom {
        lane: LANE,
        sequence,
    };
    assert_eq!(ledger.close().violations, [phantom(22), phantom(40)]);
}

#[test]
fn unanswered_losses_are_counted_and_break_no_promise() {
    let mut ledger = Ledger::default();
    ledger.sender(9, PLAIN);
    let run = |first, count| Run {
        lane: LANE,
        first,
        count,
        offset: None,
    };
    ledger.sent(run(0, 10), Outcome::Unanswered);
    ledger.seen(run(0, 8));
    let findings = ledger.close();
    assert!(findings.is_clean());
    assert_eq!((findings.unanswered, findings.unanswered_lost), (10, 2));
}

#[test]
fn watermarks_and_offsets_go_forward() {
    let mut reader = Reader::new(true);
    reader.watermarks(2, 10, 10);
    reader.watermarks(2, -1, -1);
    reader.watermarks(2, 9, 11);
    reader.watermarks(2, 11, 12);
    reader.watermarks(2, 11, 11);
    reader.record(2, 5, &stamp(9, 0));
    reader.record(2, 4, &stamp(9, 1));
    let found = reader.take_violations();
    assert_eq!(
        found,
        [
            Violation::HighWatermarkBackwards {
                partition: 2,
                from: 10,
                to: 9
            },
            Violation::StableAboveHigh {
                partition: 2,
                stable: 12,
                high: 11
            },
            Violation::OffsetBackwards {
                partition: 2,
                expected: 6,
                got: 4
            },
        ]
    );
    assert!(found.iter().all(|v| v.to_string().contains("partition 2")));
}

#[test]
fn a_reader_that_starts_late_misses_nothing() {
    let mut reader = Reader::new(false);
    reader.record(2, 500, &stamp(9, 77));
    reader.record(2, 501, &stamp(9, 78));
    assert_eq!(reader.take_violations(), []);
    let runs = reader.take_runs();
    assert_eq!(
        runs,
        [Run {
            lane: LANE,
            first: 77,
            count: 2,
            offset: Some(500)
        }]
    );
    reader.record(2, 503, &stamp(9, 79));
    assert_eq!(
        reader.take_runs()[0].offset,
        Some(503),
        "a gap in offsets begins a new run"
    );
}

proptest! {
    /// One fault of any kind, anywhere, in an idempotent history, and the checker speaks.
    #[test]
    fn no_single_fault_goes_unseen(kind in 0..4, at in 0_usize..100, to in 0_usize..100) {
        let log = sample();
        let told: Vec<_> = log.iter().map(|&(s, q)| (s, q, None)).collect();
        let mut broken = log.clone();
        match kind {
            0 => drop(broken.remove(at)),
            1 => broken.insert(to, log[at]),
            2 => {
                let moved = broken.remove(at);
                broken.insert(to, moved);
            }
            _ => broken.insert(to, (9, 1_000)),
        }
        let lanes = |log: &[(u32, u64)], stream| -> Vec<u64> {
            log.iter().filter(|r| r.0 == stream).map(|r| r.1).collect()
        };
        let same = [9, 10].iter().all(|&s| lanes(&log, s) == lanes(&broken, s));
        prop_assert_eq!(check(&broken, &told, IDEMPOTENT).is_clean(), same);
    }
}

#[test]
fn who_takes_a_partition_over_may_read_again_and_is_judged_afresh() {
    let mut reader = Reader::new(true);
    let mut ledger = Ledger::default();
    let facts = SenderFacts {
        idempotent: true,
        retries: 0,
    };
    ledger.sender(9, facts);
    for sequence in 0..10 {
        reader.record(2, sequence as i64, &stamp(9, sequence));
    }
    reader.restart(2, 6);
    for sequence in 6..15 {
        reader.record(2, sequence as i64, &stamp(9, sequence));
    }
    // The next one leaves some out, which nobody has read.
    reader.restart(2, 17);
    reader.record(2, 17, &stamp(9, 17));
    reader.record(2, 16, &stamp(9, 16));
    let runs = reader.take_runs();
    runs.into_iter().for_each(|run| ledger.seen(run));
    let violations = reader.take_violations();
    assert_eq!(
        violations[0],
        Violation::OffsetBackwards {
            partition: 2,
            expected: 18,
            got: 16
        }
    );
    let run = Run {
        lane: LANE,
        first: 0,
        count: 18,
        offset: Some(0),
    };
    ledger.sent(run, Outcome::Acknowledged);
    let findings = ledger.close();
    assert_eq!((findings.seen, findings.lost), (17, 1));
}

#[test]
fn what_is_found_so_far_is_judged_by_what_its_sender_has_done() {
    let mut ledger = Ledger::default();
    ledger.violation(Violation::Duplicate {
        lane: LANE,
        sequence: 3,
        offset: 8,
    });
    for (facts, violations) in [(PLAIN, 1), (RETRIED, 0), (IDEMPOTENT, 1)] {
        ledger.sender(LANE.stream, facts);
        assert_eq!(ledger.violations(), violations, "{facts:?}");
        assert_eq!(ledger.close().violations.len() as u64, violations);
    }
    ledger.sender(LANE.stream, RETRIED);
    ledger.violation(Violation::HighWatermarkBackwards {
        partition: 2,
        from: 5,
        to: 4,
    });
    assert_eq!(ledger.violations(), 1);
}

fn run(first: u64, count: u64, partition: u32) -> Run {
    let lane = Lane { partition, ..LANE };
    Run {
        lane,
        first,
        count,
        offset: None,
    }
}

/// Reading ends early: what is certain is told as ever, the rest as unchecked and never as lost.
#[test]
fn a_run_that_fails_tells_what_is_lost_from_what_was_not_checked() {
    let books = |facts: SenderFacts| {
        let mut ledger = Ledger::default();
        ledger.sender(LANE.stream, facts);
        // Of partition 2, 10 to 19 are missing below what was read, and 30 to 49 above.
        ledger.sent(run(0, 50, 2), Outcome::Acknowledged);
        ledger.seen(run(0, 10, 2));
        ledger.seen(run(20, 10, 2));
        // Of partition 3, nothing was read; partition 4 was read to its end.
        ledger.sent(run(0, 7, 3), Outcome::Acknowledged);
        ledger.sent(run(0, 5, 4), Outcome::Acknowledged);
        ledger.seen(run(0, 2, 4));
        ledger
    };
    let ledger = books(SenderFacts::default());
    let findings = ledger.close_partial(|partition| partition == 4, true);
    assert_eq!((findings.lost, findings.unchecked), (10 + 3, 20 + 7));
    assert_eq!(findings.violations.len(), 2, "{:?}", findings.violations);
    assert_eq!((findings.acknowledged, findings.seen), (62, 22));
    // Batches that were sent again may yet come behind what was read.
    let retried = books(SenderFacts {
        idempotent: false,
        retries: 1,
    });
    let findings = retried.close_partial(|partition| partition == 4, true);
    assert_eq!((findings.lost, findings.unchecked), (3, 30 + 7));
    // The same books, closed as those of a run that was read to its end.
    assert_eq!((ledger.close().lost, ledger.close().unchecked), (40, 0));
}

#[test]
fn a_record_that_nobody_sent_counts_once_all_senders_have_spoken() {
    let mut ledger = Ledger::default();
    ledger.sender(LANE.stream, SenderFacts::default());
    ledger.seen(run(0, 1, 2));
    assert!(ledger.close_partial(|_| false, false).is_clean());
    assert!(!ledger.close_partial(|_| false, true).is_clean());
}

#[test]
fn without_acknowledgements_nothing_unread_is_told_as_lost() {
    let mut ledger = Ledger::default();
    ledger.sender(LANE.stream, SenderFacts::default());
    ledger.sent(run(0, 4, 2), Outcome::Unanswered);
    let findings = ledger.close_partial(|_| false, true);
    assert_eq!((findings.unanswered_lost, findings.unchecked), (0, 4));
    let findings = ledger.close_partial(|_| true, true);
    assert_eq!((findings.unanswered_lost, findings.unchecked), (4, 0));
}
