//! Random histories, judged against a map from offset to batch.

use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::prelude::*;

use super::kit::{World, batch, config};
use crate::base::{LeaderEpoch, Offset};
use crate::format::batch::{BatchHeader, Batches};
use crate::format::names::FileKind;
use crate::log::*;

#[derive(Clone, Debug)]
enum Step {
    Append {
        count: usize,
        value_bytes: usize,
        timestamp: i64,
    },
    Follow {
        gap: i64,
        new_epoch: bool,
        count: usize,
        value_bytes: usize,
    },
    Sweep {
        full: bool,
        max_bytes: usize,
        behind: i64,
    },
    Complete {
        which: usize,
    },
    Sync,
    Evict {
        bytes: usize,
    },
    Seal {
        release: bool,
    },
    Truncate {
        back: i64,
    },
    Empty,
    LogStart {
        ahead: i64,
    },
    Restart,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => (1..6_usize, prop_oneof![0..100_usize, 100..6_000_usize], 0..1_000_i64).prop_map(
            |(count, value_bytes, timestamp)| Step::Append { count, value_bytes, timestamp }
        ),
        2 => (0..20_i64, any::<bool>(), 1..4_usize, 0..500_usize).prop_map(
            |(gap, new_epoch, count, value_bytes)|
                Step::Follow { gap, new_epoch, count, value_bytes }
        ),
        4 => (any::<bool>(), prop_oneof![Just(usize::MAX), 1..20_000_usize], 0..9_i64).prop_map(
            |(full, max_bytes, behind)| Step::Sweep { full, max_bytes, behind }
        ),
        4 => any::<usize>().prop_map(|which| Step::Complete { which }),
        2 => Just(Step::Sync),
        2 => prop_oneof![Just(usize::MAX), 0..20_000_usize].prop_map(|bytes| Step::Evict { bytes }),
        2 => any::<bool>().prop_map(|release| Step::Seal { release }),
        2 => (0..40_i64).prop_map(|back| Step::Truncate { back }),
        1 => (0..30_i64).prop_map(|ahead| Step::LogStart { ahead }),
        1 => Just(Step::Restart),
        // Rare: it ends whatever history there was.
        1 => (0..8_u8).prop_map(|dice| if dice == 0 { Step::Empty } else { Step::Sync }),
    ]
}

/// The log as it should be: batches by base offset, as their bytes stand in it.
#[derive(Default)]
struct Model {
    batches: BTreeMap<Offset, (Offset, Vec<u8>)>,
    start: Offset,
    end: Offset,
}

impl Model {
    fn append(&mut self, appended: &Appended) {
        assert_eq!(appended.previous_end, self.end);
        let bytes = appended.bytes.to_vec();
        self.batches
            .insert(appended.base_offset, (appended.last_offset, bytes));
        self.end = appended.last_offset.next();
    }

    fn truncate(&mut self, to: Offset) {
        if to < self.end {
            self.batches.retain(|_, (last, _)| *last < to);
            self.end = to;
            self.start = self.start.min(to);
        }
    }

    /// The batches that a read from `from` may see.
    fn visible(&self, from: Offset, limit: Offset) -> Vec<u8> {
        let visible = self
            .batches
            .values()
            .filter(|(last, _)| *last >= from && *last < limit);
        visible
            .flat_map(|(_, bytes)| bytes.iter().copied())
            .collect()
    }
}

struct Run {
    world: World,
    model: Model,
    epoch: i32,
}

impl Run {
    fn apply(&mut self, step: &Step) {
        let world = &mut self.world;
        match *step {
            Step::Append {
                count,
                value_bytes,
                timestamp,
            } => self.append(&batch(count, value_bytes, 1_000 + timestamp)),
            Step::Follow {
                gap,
                new_epoch,
                count,
                value_bytes,
            } => {
                self.epoch += i32::from(new_epoch);
                let offset = self.model.end.0 + gap;
                let bytes = batch(count, value_bytes, 500);
                self.model
                    .append(&world.append_at(offset, self.epoch, &bytes));
            }
            _ => self.apply_effect(step),
        }
    }

    /// What moves bytes to files and away, and what cuts.
    fn apply_effect(&mut self, step: &Step) {
        let world = &mut self.world;
        match *step {
            Step::Sweep {
                full,
                max_bytes,
                behind,
            } => {
                let mode = if full {
                    SweepMode::FullPages
                } else {
                    SweepMode::Partial
                };
                world.sweep(Offset(self.model.end.0 - behind), mode, max_bytes);
            }
            Step::Complete { which } => {
                if !world.pending.is_empty() {
                    world.complete(which % world.pending.len());
                }
            }
            Step::Sync => world.sync(),
            Step::Evict { bytes } => {
                let before = world.log.resident_bytes();
                let freed = world.log.evict_clean(bytes);
                assert_eq!(world.log.resident_bytes() + freed, before);
            }
            Step::Seal { release } => {
                world.seal(false);
                if release {
                    world.log.release_indexes();
                }
            }
            Step::Truncate { back } => {
                self.truncate(Offset((self.model.end.0 - back).max(self.model.start.0)));
            }
            Step::Empty => self.start_anew_at(Offset(self.model.end.0 + 100)),
            Step::LogStart { ahead } => {
                let to = Offset((self.model.start.0 + ahead).min(self.model.end.0));
                world.advance_log_start(to);
                self.model.start = to;
            }
            Step::Restart => world.restart(),
            Step::Append { .. } | Step::Follow { .. } => unreachable!("done before"),
        }
    }

    fn append(&mut self, bytes: &[u8]) {
        let world = &mut self.world;
        let header = BatchHeader::parse(bytes).unwrap();
        let appended = world.log.append_as_leader(
            world.now,
            &mut world.pool,
            LeaderEpoch(self.epoch),
            &header,
            bytes,
            Origin::Client,
        );
        let Ok(AppendOutcome::Appended(appended)) = appended else {
            panic!("{appended:?}");
        };
        assert_eq!(appended.bytes.len(), bytes.len());
        self.model.append(&appended);
    }

    fn truncate(&mut self, to: Offset) {
        let world = &mut self.world;
        while !world.pending.is_empty() {
            let step = world.log.truncate_to(to);
            assert!(matches!(step, TruncateStep::Busy | TruncateStep::Unchanged));
            world.complete(0);
        }
        world.truncate(to);
        self.model.truncate(to);
    }

    fn start_anew_at(&mut self, at: Offset) {
        let world = &mut self.world;
        while !world.pending.is_empty() {
            world.complete(0);
        }
        let step = world.log.truncate_fully_and_start_at(at);
        assert!(matches!(step, TruncateStep::Done(_)));
        world.files.clear();
        self.model = Model {
            batches: BTreeMap::new(),
            start: at,
            end: at,
        };
    }

    fn check(&mut self) {
        let (start, end) = (self.model.start, self.model.end);
        let log = &self.world.log;
        assert_eq!((log.log_start(), log.end()), (start, end));
        assert!(log.recovery_point() <= end);
        self.check_durable();
        let middle = Offset((start.0 + end.0) / 2);
        for (from, limit) in [(start, end), (start, middle), (middle, Offset::MAX)] {
            let found = self.world.read_all(from, limit);
            assert!(
                found == self.model.visible(from, limit),
                "from {from} below {limit}"
            );
        }
        for offset in [start, middle, Offset(end.0 - 1)] {
            self.check_small_read(offset.max(start));
        }
        for outside in [Offset(start.0 - 1), end.next()] {
            let request = ReadRequest {
                offset: outside,
                max_bytes: 1,
                limit: end,
                whole_first_batch: true,
            };
            assert!(matches!(
                self.world.read(&request),
                Err(ReadError::OffsetOutOfRange { .. })
            ));
        }
    }

    /// A read smaller than a batch gives it whole, or nothing.
    fn check_small_read(&mut self, offset: Offset) {
        let end = self.model.end;
        let holder = self
            .model
            .batches
            .values()
            .find(|(last, _)| *last >= offset);
        for whole_first_batch in [true, false] {
            let request = ReadRequest {
                offset,
                max_bytes: 61,
                limit: end,
                whole_first_batch,
            };
            let found = self.world.read(&request).unwrap();
            match holder {
                Some((_, bytes)) if whole_first_batch => assert!(found == *bytes),
                _ => assert!(found.is_empty()),
            }
        }
    }

    /// What the recovery point promises stands in the files, byte for byte.
    fn check_durable(&self) {
        let (files, log) = (&self.world.files, &self.world.log);
        let recovered = log.recovery_point();
        let mut in_files = BTreeMap::new();
        for segment in log.segments() {
            let Some(file) = files.get(&(segment.base, FileKind::Log)) else {
                continue;
            };
            let valid = &file[..file.len().min(segment.size as usize)];
            for batch in Batches::new(valid).map_while(Result::ok) {
                in_files.entry(batch.0.base_offset).or_insert(batch.1);
            }
        }
        let lowest = log
            .segments()
            .next()
            .map_or(recovered, |segment| segment.base);
        for (base, (last, bytes)) in &self.model.batches {
            if *last < recovered && *base >= lowest {
                assert!(
                    in_files.get(base) == Some(&&bytes[..]),
                    "batch {base} is durable"
                );
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn random_histories_read_back_what_was_appended(
        steps in prop::collection::vec(step(), 1..60),
        interval in prop_oneof![Just(200_u32), Just(4096)],
        segment_bytes in prop_oneof![Just(40_000_u32), Just(200_000)],
    ) {
        let settings = LogConfig { index_interval_bytes: interval, segment_bytes, ..config() };
        let mut run = Run { world: World::new(settings), model: Model::default(), epoch: 0 };
        for step in &steps {
            run.apply(step);
            run.check();
        }
        run.world.flush();
        run.world.seal(true);
        run.check();
        for segment in run.world.log.segments().collect::<Vec<_>>() {
            run.world.check_files(segment.base);
        }
        // Nothing is left behind but what views hold.
        run.world.log.evict_clean(usize::MAX);
        prop_assert_eq!(run.world.log.resident_bytes(), 0);
        prop_assert_eq!(run.world.pool.lent_bytes(), 0);
        let state = run.world.log.state();
        let config = Arc::clone(run.world.log.config());
        prop_assert_eq!(PartitionLog::restored(&state, config).unwrap().state(), state);
    }
}
