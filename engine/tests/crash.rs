//! Crash enumeration: scripts of appends, rolls, journal turnovers and stops over the memory disk,
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

use logmill_engine::{
    disk::memory::{Crash, MemoryDisk},
    log::{Durability, LogConfig, PartitionState},
    recovery::{Recovered, finish_stop, recover},
    store::{AckLevel, Isolation, PartitionKey, StoreError},
};
use rig::{Random, Rig, TOP, batch, options};

const PARTITIONS: i32 = 3;
const SEEDS: u64 = 700;
const LIVES: usize = 4;

/// What was appended to a partition, and what is known of it.
#[derive(Clone, Debug, Default)]
struct Model {
    /// Values by offset.
    values: Vec<Vec<u8>>,
    /// Records below were acknowledged at a level.
    written: usize,
    synced: usize,
    /// Records below were visible.
    visible: usize,
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
    let seeds = match env("LOGMILL_CRASH_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..env("LOGMILL_CRASH_SEEDS").unwrap_or(SEEDS),
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
            disk: MemoryDisk::new(1),
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
            if recover(&self.disk, [self.boot; 16]).is_ok() && !self.disk.is_off() {
                // It ended before the power did: the next life goes on from its disk.
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
            ..LogConfig::default()
        }
    }

    fn check(&mut self, found: &Recovered) {
        assert!(found.fenced.is_empty(), "{:?}", found.findings);
        for (partition, model) in self.models.iter_mut().enumerate() {
            let is_this = |state: &&PartitionState| state.index.0 as usize == partition;
            let end = found
                .partitions
                .iter()
                .find(is_this)
                .map_or(0, |state| state.end.0 as usize);
            let promised = model.written.max(model.synced);
            assert!(
                end >= promised,
                "partition {partition} ends at {end}, promised {promised}"
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
            (model.written, model.synced, model.visible) = (end, end, end);
        }
    }

    /// One life: appends, then a stop or a crash.
    fn run(&mut self, found: Recovered) {
        let mut options = options(self.random.next());
        options.boot_id = [self.boot; 16];
        let directory = found.directories[0];
        options.eras = vec![directory.era];
        options.journal.first_file_bytes = 32 << 10;
        options.journal.file_bytes = 48 << 10;
        options.journal.frame_bytes_max = 8 << 10;
        options.tail_bytes = 1 << 20;
        options.rescan_bytes_max = [8_000, 60_000, 256 << 20][self.random.below(3) as usize];
        options.bypass_bytes = [0, 0, 1_000, 3_000][self.random.below(4) as usize];
        let disk = std::mem::replace(&mut self.disk, MemoryDisk::new(1));
        let mut rig = Rig::on(
            disk,
            options,
            found.partitions,
            &[directory.next_journal_name],
        );
        let keys: Vec<PartitionKey> = (0..PARTITIONS)
            .map(|index| rig.open(index, Self::config(index)))
            .collect();
        self.check_contents(&mut rig, &keys);
        let steps = 5 + self.random.below(160);
        let power_after = 3 + u64::from(self.random.below(steps * 4));
        let stops = self.random.below(4) == 0;
        if !stops {
            rig.disk.power_off_at(rig.disk.operations() + power_after);
        }
        let mut tokens: Vec<(usize, usize, AckLevel)> = Vec::new();
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
            let _ = finish_stop(&self.disk, states, &[], &[directory.era]);
        }
        self.crash();
    }

    fn step(
        &mut self,
        rig: &mut Rig,
        keys: &[PartitionKey],
        tokens: &mut Vec<(usize, usize, AckLevel)>,
    ) {
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
            match rig.append(keys[partition], &batch(&slices), level, token) {
                Ok(answer) => {
                    let model = &mut self.models[partition];
                    assert_eq!(answer.base_offset.0 as usize, model.values.len());
                    model.values.extend(values);
                    tokens.push((partition, model.values.len(), level));
                }
                Err(StoreError::Append(_)) => {}
                Err(error) => panic!("{error}"),
            }
        }
        rig.turn(self.random.below(5));
        for (partition, key) in keys.iter().enumerate() {
            // A reader saw these.
            let high = rig.store.watermarks(*key).unwrap().high().0 as usize;
            if partition != 2 {
                self.models[partition].visible = high;
            }
        }
    }

    fn take_in(
        &mut self,
        rig: &mut Rig,
        keys: &[PartitionKey],
        tokens: &[(usize, usize, AckLevel)],
    ) {
        rig.collect();
        for (token, result) in &rig.acked {
            let (partition, end, level) = tokens[*token as usize];
            assert!(result.is_ok(), "no disk failed");
            let model = &mut self.models[partition];
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
            model.written = model.written.max(marks.written().0 as usize);
            model.synced = model.synced.max(marks.synced().0 as usize);
        }
    }

    fn check_contents(&mut self, rig: &mut Rig, keys: &[PartitionKey]) {
        for (partition, key) in keys.iter().enumerate() {
            let found = rig.read_all(*key, Isolation::LogEnd);
            let model = &self.models[partition];
            assert_eq!(found.len(), model.values.len(), "partition {partition}");
            for (index, (offset, value)) in found.iter().enumerate() {
                assert_eq!(*offset, index as i64, "partition {partition}: a gap");
                assert_eq!(
                    value, &model.values[index],
                    "partition {partition}, offset {offset}"
                );
            }
        }
        let _ = TOP;
    }
}
