//! Crash enumeration: scripts of appends, rolls, journal turnovers, cuts, deletions of records and
//! segments, and stops over the memory disk,
//! cut short anywhere, by SIGKILL or power loss, recovered by the production code (which is itself
//! cut short), and checked for D1 to D3:
//!
//! - nothing acknowledged is lost (`written` by SIGKILL, `synced` by power loss either), nothing
//!   that was visible is lost by power loss;
//! - what is there is a prefix of what was appended, whole batches, offsets without gaps;
//! - nothing is fenced: no crash looks like corruption.
//!
//! `LOGMILL_CRASH_SEEDS=N` runs more seeds, `LOGMILL_CRASH_SEED=S` replays one.

mod rig;

use std::collections::VecDeque;

use logmill_engine::{
    base::{LeaderEpoch, Micros, Offset},
    disk::memory::{Crash, MemoryDisk},
    log::{Durability, LogConfig, PartitionState, RetentionConfig},
    recovery::{Recovered, finish_stop, recover},
    store::{AckLevel, Isolation, PartitionKey, Role, StoreError},
};
use rig::{Random, Rig, batch_of, options};

const PARTITIONS: i32 = 3;
/// Partition 1 is in the second one.
const DIRECTORIES: usize = 2;
const SEEDS: u64 = 700;
/// Those that failed once: a start in the gap behind a cut; a stop that went on to journal.
const FOUND: [u64; 2] = [7_137, 14_527];
const LIVES: usize = 4;

/// What was appended to a partition, and what is known of it.
#[derive(Clone, Debug, Default)]
struct Model {
    /// Values by offset; none where a cut or a new beginning left a gap.
    values: Vec<Option<Vec<u8>>>,
    /// Where batches begin.
    batches: Vec<usize>,
    /// The sequence of the next record, by its one idempotent producer, and the last batches.
    sequence: i32,
    last_batches: VecDeque<(usize, Vec<u8>)>,
    /// The log's first offset, durably, and how far it was asked to move, or did.
    start: usize,
    asked_start: usize,
    /// A cut that was asked for and not reported, with its token.
    cut: Option<(u64, Cut)>,
    /// The producer's epoch.
    epoch: i16,
    /// Counts cuts: acks of what was appended before one promise nothing any more.
    cuts: u64,
    /// Records below were acknowledged at a level.
    written: usize,
    synced: usize,
    /// Records below were visible.
    visible: usize,
}

/// Where a cut log ends, and whether it begins there too.
#[derive(Clone, Copy, Debug)]
struct Cut {
    end: usize,
    anew: bool,
}

impl Model {
    /// A cut took effect: the batch that held the new end is gone whole.
    fn apply(&mut self, cut: Cut) {
        self.cut = None;
        self.cuts += 1;
        self.last_batches.clear();
        (self.epoch, self.sequence) = (self.epoch + 1, 0);
        let kept = if cut.anew { 0 } else { cut.end };
        let whole = match self.batches.iter().rev().find(|base| **base < kept) {
            Some(&base) if self.batch_end(base) > kept => base,
            _ => kept,
        };
        self.values.truncate(whole);
        self.batches.retain(|base| *base < whole);
        self.values.resize(cut.end, None);
        if cut.anew {
            (self.start, self.asked_start) = (cut.end, cut.end);
        }
        (self.written, self.synced, self.visible) = (cut.end, cut.end, cut.end);
    }

    fn batch_end(&self, base: usize) -> usize {
        let next = self.batches.iter().find(|other| **other > base);
        let next = next.copied().unwrap_or(self.values.len());
        let gap = (base..next).find(|at| self.values[*at].is_none());
        gap.unwrap_or(next)
    }
}

/// An append: what its ack will promise.
#[derive(Clone, Copy, Debug)]
struct Sent {
    partition: usize,
    end: usize,
    level: AckLevel,
    cuts: u64,
}

struct World {
    random: Random,
    disk: MemoryDisk,
    models: Vec<Model>,
    boot: u8,
    next_value: u32,
    seed: u64,
}

#[test]
fn no_crash_loses_what_was_promised() {
    let env = |name: &str| {
        std::env::var(name)
            .ok()
            .and_then(|text| text.parse::<u64>().ok())
    };
    let seeds: Vec<u64> = match env("LOGMILL_CRASH_SEED") {
        Some(seed) => vec![seed],
        None => (0..env("LOGMILL_CRASH_SEEDS").unwrap_or(SEEDS))
            .chain(FOUND)
            .collect(),
    };
    let mut crashes = 0;
    for seed in seeds {
        let result = std::panic::catch_unwind(|| World::new(seed).live());
        match result {
            Ok(count) => crashes += count,
            Err(panic) => {
                let replay = "cargo test -p logmill-engine --test crash";
                eprintln!("seed {seed} failed; replay: LOGMILL_CRASH_SEED={seed} {replay}");
                std::panic::resume_unwind(panic);
            }
        }
    }
    println!("{crashes} crash states recovered and checked");
}

impl World {
    fn new(seed: u64) -> Self {
        Self {
            random: Random(seed),
            disk: MemoryDisk::new(DIRECTORIES),
            models: vec![Model::default(); PARTITIONS as usize],
            boot: 1,
            next_value: 0,
            seed,
        }
    }

    /// Several lives of a broker on one disk, each ended by a crash or a stop.
    fn live(mut self) -> u64 {
        let mut crashes = 0;
        for _ in 0..LIVES {
            let found = self.recover(&mut crashes);
            self.check(&found);
            self.run(found);
            crashes += 1;
        }
        let found = self.recover(&mut crashes);
        self.check(&found);
        crashes
    }

    /// Recovers, after crashing the recovery itself up to twice.
    fn recover(&mut self, crashes: &mut u64) -> Recovered {
        for _ in 0..self.random.below(3) {
            let after = u64::from(self.random.below(80)) + 1;
            self.disk.power_off_at(self.disk.operations() + after);
            // It may end before the power does: the next life goes on from its disk.
            if let Ok(found) = recover(&self.disk, [self.boot; 16]) {
                assert!(found.fenced.is_empty(), "{:?}", found.findings);
            }
            self.crash();
            *crashes += 1;
        }
        match recover(&self.disk, [self.boot; 16]) {
            Ok(found) => found,
            Err(error) => panic!("seed {}: recovery failed: {error}", self.seed),
        }
    }

    fn crash(&mut self) {
        let crash = if self.random.below(2) == 0 {
            Crash::Process
        } else {
            Crash::Power
        };
        self.crash_by(crash);
    }

    fn crash_by(&mut self, crash: Crash) {
        let random = &mut self.random;
        self.disk = self.disk.crash(crash, &mut |bound| random.below(bound));
        if crash == Crash::Power {
            self.boot = self.boot.wrapping_add(1);
            for model in &mut self.models {
                model.written = model.synced;
            }
        }
    }

    fn config(partition: i32) -> LogConfig {
        let durability = if partition == 2 {
            Durability::Written
        } else {
            Durability::Synced
        };
        LogConfig {
            segment_bytes: 24_000,
            durability,
            file_delete_delay_ms: [0, 3, 60_000][partition as usize],
            retention: RetentionConfig {
                delete: partition == 0,
                retention_bytes: 50_000,
                ..RetentionConfig::default()
            },
            ..LogConfig::default()
        }
    }

    fn check(&mut self, found: &Recovered) {
        assert!(found.fenced.is_empty(), "{:?}", found.findings);
        for (partition, model) in self.models.iter_mut().enumerate() {
            let is_this = |state: &&PartitionState| state.index.0 as usize == partition;
            let state = found.partitions.iter().find(is_this);
            let end = state.map_or(0, |state| state.end.0 as usize);
            let start = state.map_or(0, |state| state.log_start.0 as usize);
            if let Some((_, cut)) = model.cut.take() {
                let began = if cut.anew {
                    start == cut.end
                } else {
                    (model.start..=model.asked_start).contains(&start)
                };
                if end == cut.end && began {
                    model.apply(cut);
                }
            }
            let (durable, asked) = (model.start, model.asked_start);
            assert!(
                (durable..=asked).contains(&start),
                "partition {partition} begins at {start}, not {durable} to {asked}"
            );
            (model.start, model.asked_start) = (start, start);
            let promised = model.written.max(model.synced);
            assert!(
                end >= promised,
                "partition {partition} ends at {end}, promised {promised}, {asked:?}"
            );
            assert!(
                end >= model.visible,
                "partition {partition}: {end} < {}",
                model.visible
            );
            assert!(
                end <= model.values.len(),
                "partition {partition}: records from nowhere"
            );
            model.values.truncate(end);
            model.batches.retain(|base| *base < end);
            let lost = model
                .last_batches
                .back()
                .is_some_and(|(base, _)| *base >= end);
            if lost || end == 0 {
                model.last_batches.clear();
                // Its producer begins anew: what the log knows of it is the log's affair.
                model.epoch += 1;
                model.sequence = 0;
            }
            (model.written, model.synced, model.visible) = (end, end, end);
        }
    }

    /// One life: appends, then a stop or a crash.
    fn run(&mut self, found: Recovered) {
        let mut options = options(self.random.next());
        options.boot_id = [self.boot; 16];
        options.eras = found.directories.iter().map(|it| it.era).collect();
        let eras: Vec<_> = options.eras.iter().copied().map(Some).collect();
        let names: Vec<u64> = found
            .directories
            .iter()
            .map(|it| it.next_journal_name)
            .collect();
        options.journal.first_file_bytes = 32 << 10;
        options.journal.file_bytes = 48 << 10;
        options.journal.frame_bytes_max = 8 << 10;
        options.tail_bytes = 1 << 20;
        options.rescan_bytes_max = [8_000, 60_000, 256 << 20][self.random.below(3) as usize];
        options.retention_check = Some(Micros::from_millis(2));
        options.retention_delay = Micros::from_millis(2);
        options.bypass_bytes = [0, 0, 1_000, 3_000][self.random.below(4) as usize];
        let disk = std::mem::replace(&mut self.disk, MemoryDisk::new(DIRECTORIES));
        let mut rig = Rig::on(disk, options, found.partitions, &names);
        let keys: Vec<PartitionKey> = (0..PARTITIONS)
            .map(|index| rig.open_in(index as u16 % 2, index, Self::config(index)))
            .collect();
        self.check_contents(&mut rig, &keys);
        self.check_duplicates(&mut rig, &keys);
        // Reading took its time: retention may have moved starts.
        self.take_starts(&mut rig, &keys);
        let steps = 5 + self.random.below(160);
        let power_after = 3 + u64::from(self.random.below(steps * 4));
        let stops = self.random.below(4) == 0;
        if !stops {
            rig.disk.power_off_at(rig.disk.operations() + power_after);
        }
        let mut tokens: Vec<Sent> = Vec::new();
        for _ in 0..steps {
            if rig.disk.is_off() {
                break;
            }
            self.step(&mut rig, &keys, &mut tokens);
        }
        if stops {
            rig.stop();
        }
        self.take_in(&mut rig, &keys, &tokens);
        let Rig { disk, store, .. } = rig;
        self.disk = disk;
        if stops {
            assert!(store.is_level());
            let states = store.into_states();
            let cut = self.random.below(40);
            self.disk
                .power_off_at(self.disk.operations() + u64::from(cut));
            let _ = finish_stop(&self.disk, states, &[], &eras);
        }
        self.crash();
    }

    fn step(&mut self, rig: &mut Rig, keys: &[PartitionKey], tokens: &mut Vec<Sent>) {
        for _ in 0..self.random.below(4) {
            let partition = self.random.below(PARTITIONS as u32) as usize;
            let levels = [AckLevel::None, AckLevel::Written, AckLevel::Synced];
            let level = levels[self.random.below(3) as usize];
            let count = 1 + self.random.below(3);
            let size = match self.random.below(8) {
                0 => 9_000,
                1 => 1_500,
                _ => 20,
            };
            let values: Vec<Vec<u8>> = (0..count)
                .map(|_| {
                    self.next_value += 1;
                    let mut value = self.next_value.to_le_bytes().to_vec();
                    value.resize(4 + self.random.below(size) as usize, self.next_value as u8);
                    value
                })
                .collect();
            let slices: Vec<&[u8]> = values.iter().map(|value| &value[..]).collect();
            let token = tokens.len() as u64;
            let model = &mut self.models[partition];
            let bytes = batch_of(partition as i64, model.epoch, model.sequence, &slices);
            match rig.append(keys[partition], &bytes, level, token) {
                Ok(answer) => {
                    assert!(!answer.duplicate, "partition {partition}");
                    model.sequence += slices.len() as i32;
                    model.last_batches.push_back((model.values.len(), bytes));
                    if model.last_batches.len() > 5 {
                        model.last_batches.pop_front();
                    }
                    assert_eq!(answer.base_offset.0 as usize, model.values.len());
                    model.batches.push(model.values.len());
                    model.values.extend(values.into_iter().map(Some));
                    tokens.push(Sent {
                        partition,
                        end: model.values.len(),
                        level,
                        cuts: model.cuts,
                    });
                }
                Err(StoreError::Append(_)) => {}
                Err(StoreError::NotLeader | StoreError::Cutting)
                    if self.models[partition].cut.is_some() => {}
                Err(error) => panic!("{error}"),
            }
        }
        self.cut(rig, keys);
        self.delete_records(rig, keys);
        rig.turn(self.random.below(5));
        self.take_cuts(rig, keys);
        self.take_starts(rig, keys);
        for (partition, key) in keys.iter().enumerate() {
            // A reader saw these.
            let high = rig.store.watermarks(*key).unwrap().high().0 as usize;
            if partition != 2 && self.models[partition].cut.is_none() {
                self.models[partition].visible = high;
            }
        }
    }

    /// The producer sends its last five batches again: those are known that are still there, and
    /// the last one anyway.
    fn check_duplicates(&mut self, rig: &mut Rig, keys: &[PartitionKey]) {
        for (model, key) in self.models.iter().zip(keys) {
            let last = model.last_batches.len().saturating_sub(1);
            for (at, (base, bytes)) in model.last_batches.iter().enumerate() {
                if at < last && *base < model.start {
                    continue;
                }
                let answer = rig.append(*key, bytes, AckLevel::None, 0).unwrap();
                assert!(answer.duplicate, "offset {base} was taken twice");
                assert_eq!(answer.base_offset.0 as usize, *base);
            }
        }
    }

    /// Now and then a partition becomes a follower that must cut its log.
    fn cut(&mut self, rig: &mut Rig, keys: &[PartitionKey]) {
        let partition = self.random.below(PARTITIONS as u32) as usize;
        if self.random.below(24) > 0 || self.models[partition].cut.is_some() {
            return;
        }
        let (store, key) = (&mut rig.store, keys[partition]);
        let model = &mut self.models[partition];
        let follower = Role::Follower(LeaderEpoch(0));
        store.set_role(rig.now, key, follower).unwrap();
        self.next_value += 1;
        let token = u64::from(self.next_value);
        let len = model.values.len();
        let cut = if self.random.below(3) == 0 {
            let end = self.random.below(len as u32 + 10) as usize;
            let end = end.max(model.asked_start);
            store
                .truncate_fully_and_start_at(key, Offset(end as i64), token)
                .unwrap();
            Cut { end, anew: true }
        } else {
            let start = model.asked_start;
            let end = start + self.random.below((len - start) as u32 + 1) as usize;
            store.truncate_to(key, Offset(end as i64), token).unwrap();
            Cut { end, anew: false }
        };
        model.cut = Some((token, cut));
    }

    /// Now and then records are deleted; who asked before asks again.
    fn delete_records(&mut self, rig: &mut Rig, keys: &[PartitionKey]) {
        let partition = self.random.below(PARTITIONS as u32) as usize;
        let model = &mut self.models[partition];
        if self.random.below(10) > 0 || model.cut.is_some() {
            return;
        }
        let high = rig.store.watermarks(keys[partition]).unwrap().high();
        let more = high.0 as usize - model.asked_start;
        let to = match self.random.below(3) {
            0 => model.asked_start,
            1 => high.0 as usize,
            _ => model.asked_start + self.random.below(more as u32 + 1) as usize,
        };
        model.asked_start = to;
        let told = rig
            .store
            .advance_log_start(keys[partition], Offset(to as i64), 0)
            .unwrap();
        if told.is_some() {
            model.start = to;
        }
    }

    /// Where logs begin by now, retention included.
    fn take_starts(&mut self, rig: &mut Rig, keys: &[PartitionKey]) {
        for (model, key) in self.models.iter_mut().zip(keys) {
            if model.cut.is_none() {
                let start = rig.store.watermarks(*key).unwrap().log_start();
                assert!(start.0 as usize >= model.asked_start);
                model.asked_start = start.0 as usize;
            }
        }
    }

    fn take_cuts(&mut self, rig: &mut Rig, keys: &[PartitionKey]) {
        assert_eq!(rig.failures, Vec::<String>::new(), "no disk failed");
        for (model, key) in self.models.iter_mut().zip(keys) {
            let Some((token, cut)) = model.cut else {
                continue;
            };
            if let Some(result) = rig.truncated.remove(&token) {
                assert_eq!(result.unwrap().0 as usize, cut.end, "no disk failed");
                if cut.anew || cut.end < model.values.len() {
                    model.apply(cut);
                }
                model.cut = None;
                let leader = Role::Leader(LeaderEpoch(0));
                rig.store.set_role(rig.now, *key, leader).unwrap();
            }
        }
    }

    fn take_in(&mut self, rig: &mut Rig, keys: &[PartitionKey], tokens: &[Sent]) {
        rig.collect();
        self.take_cuts(rig, keys);
        self.take_starts(rig, keys);
        for (token, result) in &rig.acked {
            let sent = tokens[*token as usize];
            let (partition, end, level) = (sent.partition, sent.end, sent.level);
            assert!(result.is_ok(), "no disk failed");
            let model = &mut self.models[partition];
            if sent.cuts != model.cuts {
                continue;
            }
            let promise = match level {
                // The topic of partition 2 asks for no more than written.
                AckLevel::Synced if partition != 2 => &mut model.synced,
                _ => &mut model.written,
            };
            *promise = end.max(*promise);
            model.written = model.written.max(model.synced);
        }
        for (partition, key) in keys.iter().enumerate() {
            let marks = rig.store.watermarks(*key).unwrap();
            let model = &mut self.models[partition];
            if model.cut.is_some() {
                // In memory it may be cut, on disk perhaps not.
                continue;
            }
            model.written = model.written.max(marks.written().0 as usize);
            model.synced = model.synced.max(marks.synced().0 as usize);
        }
    }

    fn check_contents(&mut self, rig: &mut Rig, keys: &[PartitionKey]) {
        for (partition, key) in keys.iter().enumerate() {
            let mut found = rig.read_all(*key, Isolation::LogEnd);
            let model = &self.models[partition];
            // A batch is read whole.
            found.retain(|(offset, _)| *offset as usize >= model.start);
            let there = model.values.iter().enumerate().skip(model.start);
            let there: Vec<_> = there
                .filter_map(|(index, value)| value.clone().map(|value| (index as i64, value)))
                .collect();
            let offsets = |all: &[(i64, Vec<u8>)]| all.iter().map(|one| one.0).collect::<Vec<_>>();
            assert_eq!(offsets(&found), offsets(&there), "partition {partition}");
            for (found, there) in found.iter().zip(&there) {
                assert_eq!(found, there, "partition {partition}");
            }
        }
    }
}
