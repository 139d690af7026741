//! What a program is made of.

use logmill_engine::store::AckLevel;
use proptest::prelude::*;

/// Partitions that programs speak of. The second one lives in another log directory.
pub const SLOTS: usize = 3;

/// What the store is opened with.
#[derive(Clone, Copy, Debug)]
pub struct Knobs {
    pub bypass_bytes: usize,
    pub rescan_bytes_max: u64,
    pub tail_bytes: usize,
}

pub fn knobs() -> impl Strategy<Value = Knobs> {
    let bypass = prop_oneof![Just(0_usize), Just(1_000), Just(3_000)];
    let rescan = prop_oneof![Just(8_000_u64), Just(60_000), Just(256 << 20)];
    let tail = prop_oneof![Just(128_usize << 10), Just(1 << 20)];
    (bypass, rescan, tail).prop_map(|(bypass_bytes, rescan_bytes_max, tail_bytes)| Knobs {
        bypass_bytes,
        rescan_bytes_max,
        tail_bytes,
    })
}

/// An append to one partition.
#[derive(Clone, Debug)]
pub struct Append {
    pub slot: usize,
    pub level: AckLevel,
    pub records: usize,
    pub value_bytes: usize,
    /// Against the broker's clock.
    pub age_ms: i64,
    /// From the partition's idempotent producer.
    pub idempotent: bool,
}

#[derive(Clone, Debug)]
pub enum Step {
    /// Appends of one turn, which completes some operations; followers take theirs with a gap.
    Appends {
        appends: Vec<Append>,
        gap: i64,
        completions: u32,
    },
    /// A known batch comes again: the newest, or one before.
    Again {
        slot: usize,
        back: usize,
    },
    Turn {
        completions: u32,
    },
    Settle,
    /// The clock goes on, and retention looks.
    Time {
        ms: i64,
    },
    /// The role changes, in a new term.
    Lead {
        slot: usize,
    },
    Follow {
        slot: usize,
    },
    /// A follower's cut, that many records from the end.
    Cut {
        slot: usize,
        back: i64,
    },
    /// A follower's new beginning, that far behind the end.
    StartAt {
        slot: usize,
        ahead: i64,
    },
    DeleteRecords {
        slot: usize,
        ahead: i64,
    },
    /// A read at a place, in parts of the log's length.
    Read {
        slot: usize,
        at: u8,
        max_bytes: usize,
        whole_first_batch: bool,
    },
    /// Which offset has this age.
    Lookup {
        slot: usize,
        age_ms: i64,
    },
    /// The partition goes; it is made anew with another id, at once or with the next step that
    /// speaks of it.
    Recreate {
        slot: usize,
        at_once: bool,
    },
    Restart,
    Crash {
        power: bool,
    },
}

pub fn step() -> impl Strategy<Value = Step> {
    let slot = 0..SLOTS;
    prop_oneof![
        12 => (prop::collection::vec(append(), 1..6), 0..5_i64, 0..6_u32).prop_map(
            |(appends, gap, completions)| Step::Appends { appends, gap, completions }
        ),
        2 => (slot.clone(), 0..6_usize).prop_map(|(slot, back)| Step::Again { slot, back }),
        3 => (0..12_u32).prop_map(|completions| Step::Turn { completions }),
        2 => Just(Step::Settle),
        3 => (0..1_500_i64).prop_map(|ms| Step::Time { ms }),
        2 => slot.clone().prop_map(|slot| Step::Lead { slot }),
        1 => slot.clone().prop_map(|slot| Step::Follow { slot }),
        2 => (slot.clone(), 0..40_i64).prop_map(|(slot, back)| Step::Cut { slot, back }),
        1 => (slot.clone(), -3..9_i64).prop_map(|(slot, ahead)| Step::StartAt { slot, ahead }),
        2 => (slot.clone(), 0..30_i64)
            .prop_map(|(slot, ahead)| Step::DeleteRecords { slot, ahead }),
        4 => (slot.clone(), any::<u8>(), 1..20_000_usize, any::<bool>()).prop_map(
            |(slot, at, max_bytes, whole_first_batch)| {
                Step::Read { slot, at, max_bytes, whole_first_batch }
            }
        ),
        2 => (slot.clone(), -900..4_000_i64)
            .prop_map(|(slot, age_ms)| Step::Lookup { slot, age_ms }),
        1 => (slot, any::<bool>()).prop_map(|(slot, at_once)| Step::Recreate { slot, at_once }),
        1 => Just(Step::Restart),
        1 => any::<bool>().prop_map(|power| Step::Crash { power }),
    ]
}

fn append() -> impl Strategy<Value = Append> {
    let level = prop_oneof![
        Just(AckLevel::None),
        Just(AckLevel::Written),
        Just(AckLevel::Synced)
    ];
    let value_bytes = prop_oneof![4 => 0..60_usize, 2 => 60..2_000_usize, 1 => 2_000..9_000_usize];
    let shape = (1..4_usize, value_bytes, -800..800_i64, any::<bool>());
    (0..SLOTS, level, shape).prop_map(
        |(slot, level, (records, value_bytes, age_ms, idempotent))| Append {
            slot,
            level,
            records,
            value_bytes,
            age_ms,
            idempotent,
        },
    )
}
