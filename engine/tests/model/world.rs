//! The store, its disk and the model, side by side.

use std::{collections::HashMap, sync::Arc};

use logmill_engine::{
    base::{DirectoryIndex, LeaderEpoch, Micros, Offset, PartitionIndex, TopicId},
    disk::memory::{Crash, MemoryDisk},
    format::{batch::BatchHeader, builder::BatchBuilder, compression::Codec},
    log::PartitionState,
    recovery::{Recovered, finish_stop, recover},
    store::{AckLevel, AppendAnswer, PartitionKey, PartitionSpec, Role, StoreError},
};

use super::{
    program::{Append, Knobs, SLOTS, Step},
    rig::{Random, Rig, options},
    shadow::{Cut, Sent, Shadow},
};

pub struct World {
    pub rig: Rig,
    pub shadows: Vec<Shadow>,
    knobs: Knobs,
    random: Random,
    sent: HashMap<u64, Sent>,
    next_token: u64,
    next_topic: u8,
    next_life: u64,
    boot: u8,
    eras: Vec<u64>,
    /// Partitions whose deletion a crash may have undone.
    dropped: Vec<(u8, usize)>,
    pub wall_ms: i64,
}

impl World {
    pub fn new(knobs: Knobs, seed: u64) -> Self {
        let disk = MemoryDisk::new(DIRECTORIES);
        let mut world = Self {
            rig: Rig::new(seed),
            shadows: (0..SLOTS)
                .map(|slot| Shadow::new(slot, slot as u8, slot as u64))
                .collect(),
            knobs,
            random: Random(seed),
            sent: HashMap::new(),
            next_token: 0,
            next_topic: SLOTS as u8,
            next_life: SLOTS as u64,
            boot: 1,
            eras: Vec::new(),
            dropped: Vec::new(),
            wall_ms: 1_000_000,
        };
        let found = recover(&disk, [1; 16]).unwrap();
        world.open(disk, found);
        world
    }

    pub fn apply(&mut self, step: &Step) {
        match *step {
            Step::Appends {
                ref appends,
                gap,
                completions,
            } => {
                for append in appends {
                    self.append(append, gap);
                }
                self.turn(completions);
            }
            Step::Again { slot, back } => self.again(slot, back),
            Step::Turn { completions } => self.turn(completions),
            Step::Settle => self.settle(),
            Step::Time { ms } => {
                self.wall_ms += ms;
                self.rig.now.wall_ms = self.wall_ms;
                self.settle();
                self.check_retention_is_done();
            }
            Step::Lead { slot } => self.lead(slot),
            Step::Follow { slot } => self.follow(slot),
            Step::Cut { slot, back } => self.cut(slot, back, false),
            Step::StartAt { slot, ahead } => self.cut(slot, -ahead, true),
            Step::DeleteRecords { slot, ahead } => self.delete_records(slot, ahead),
            Step::Read {
                slot,
                at,
                max_bytes,
                whole_first_batch,
            } => self.check_read(slot, at, max_bytes, whole_first_batch),
            Step::Lookup { slot, age_ms } => self.check_lookup(slot, age_ms),
            Step::Recreate { slot, at_once } => self.recreate(slot, at_once),
            Step::Restart => self.restart(),
            Step::Crash { power } => self.crash(power),
        }
    }

    pub fn turn(&mut self, completions: u32) {
        self.rig.turn(completions);
        self.take_in();
    }

    fn settle(&mut self) {
        self.rig.settle_for(SETTLED);
        self.take_in();
    }

    pub fn token(&mut self) -> u64 {
        self.next_token += 1;
        self.next_token
    }

    /// The partition's key; made anew if it was deleted.
    pub fn key(&mut self, slot: usize) -> PartitionKey {
        match self.shadows[slot].key {
            Some(key) => key,
            None => self.open_slot(slot),
        }
    }

    fn append(&mut self, append: &Append, gap: i64) {
        let (slot, key) = (append.slot, self.key(append.slot));
        let first_stamp = self.wall_ms - append.age_ms;
        let shadow = &self.shadows[slot];
        let is_leader = shadow.is_leader;
        let mut builder = BatchBuilder::new();
        if append.idempotent && is_leader {
            let (epoch, sequence) = shadow.producer;
            builder = producer_of(slot, epoch, sequence, builder);
        }
        let token = self.token();
        for record in 0..append.records {
            let mut value = token.to_le_bytes().to_vec();
            value.resize(8 + append.value_bytes, token as u8);
            let stamp = first_stamp + (record as i64 * 37) % 50;
            builder = builder.record(stamp, None, Some(&value));
        }
        if !is_leader {
            return self.append_as_follower(slot, key, builder, gap);
        }
        let bytes = builder.build(Codec::None).unwrap();
        let shadow = &mut self.shadows[slot];
        match self.rig.append(key, &bytes, append.level, token) {
            Ok(answer) => {
                assert!(!answer.duplicate);
                assert_eq!(answer.base_offset.0, shadow.end, "slot {slot}");
                shadow.take(answer.base_offset.0, &bytes);
                assert_eq!(answer.last_offset.0, shadow.end - 1);
                if append.idempotent {
                    shadow.producer.1 += append.records as i32;
                    shadow.recent.push_back((answer.base_offset.0, bytes));
                    if shadow.recent.len() > KNOWN_BATCHES {
                        shadow.recent.pop_front();
                    }
                }
                self.expect_ack(slot, append.level, token, &answer);
            }
            Err(error) => self.refused(slot, &error),
        }
    }

    fn append_as_follower(
        &mut self,
        slot: usize,
        key: PartitionKey,
        builder: BatchBuilder,
        gap: i64,
    ) {
        let shadow = &mut self.shadows[slot];
        let base = shadow.end + gap;
        let builder = builder.at(Offset(base), LeaderEpoch(shadow.epoch));
        let bytes = builder.build(Codec::None).unwrap();
        let header = BatchHeader::parse(&bytes).unwrap();
        let store = &mut self.rig.store;
        match store.append_as_follower(self.rig.now, key, &header, &bytes) {
            Ok(last) => {
                shadow.take(base, &bytes);
                assert_eq!(last.0, shadow.end - 1);
            }
            Err(error) => self.refused(slot, &error),
        }
    }

    fn refused(&self, slot: usize, error: &StoreError) {
        let is_cutting = self.shadows[slot].cut.is_some();
        match error {
            // No memory, or the journal is full, at this moment.
            StoreError::Append(logmill_engine::log::AppendError::Backpressure) => {}
            StoreError::Cutting if is_cutting => {}
            other => panic!("slot {slot}: {other}"),
        }
    }

    fn expect_ack(&mut self, slot: usize, level: AckLevel, token: u64, answer: &AppendAnswer) {
        if level != AckLevel::None {
            let life = self.shadows[slot].life;
            let last = answer.last_offset.0;
            self.sent.insert(
                token,
                Sent {
                    slot,
                    last,
                    level,
                    life,
                },
            );
        }
    }

    /// A batch that the producer sent before is known, up to five back.
    fn again(&mut self, slot: usize, back: usize) {
        let key = self.key(slot);
        let shadow = &self.shadows[slot];
        if !shadow.is_leader || shadow.cut.is_some() || shadow.recent.is_empty() {
            return;
        }
        let at = shadow.recent.len() - 1 - back % shadow.recent.len();
        let (base, bytes) = shadow.recent[at].clone();
        let token = self.token();
        let answer = self
            .rig
            .append(key, &bytes, AckLevel::Synced, token)
            .unwrap();
        assert!(answer.duplicate, "offset {base} was taken twice");
        assert_eq!(answer.base_offset.0, base);
        self.expect_ack(slot, AckLevel::Synced, token, &answer);
    }

    fn set_role(&mut self, slot: usize, is_leader: bool) {
        let key = self.key(slot);
        let shadow = &mut self.shadows[slot];
        shadow.epoch += 1;
        shadow.is_leader = is_leader;
        let epoch = LeaderEpoch(shadow.epoch);
        let role = match is_leader {
            true => Role::Leader(epoch),
            false => Role::Follower(epoch),
        };
        self.rig.store.set_role(self.rig.now, key, role).unwrap();
    }

    fn lead(&mut self, slot: usize) {
        // A broker is made leader when its log is whole.
        self.key(slot);
        while self.shadows[slot].cut.is_some() {
            self.settle();
        }
        self.set_role(slot, true);
    }

    fn follow(&mut self, slot: usize) {
        self.set_role(slot, false);
    }

    fn cut(&mut self, slot: usize, back: i64, anew: bool) {
        let key = self.key(slot);
        if self.shadows[slot].is_leader {
            self.follow(slot);
        }
        if self.shadows[slot].cut.is_some() {
            return;
        }
        let token = self.token();
        let shadow = &mut self.shadows[slot];
        let end = (shadow.end - back).max(shadow.start);
        let store = &mut self.rig.store;
        let (at, begun) = (Offset(end), anew);
        match begun {
            true => store.truncate_fully_and_start_at(key, at, token).unwrap(),
            false => store.truncate_to(key, at, token).unwrap(),
        }
        shadow.cut = Some(Cut { token, end, anew });
    }

    fn delete_records(&mut self, slot: usize, ahead: i64) {
        let key = self.key(slot);
        let marks = self.rig.store.watermarks(key).unwrap();
        let shadow = &mut self.shadows[slot];
        let to = (shadow.start + ahead).min(marks.high().0);
        if shadow.cut.is_some() {
            return;
        }
        self.next_token += 1;
        let store = &mut self.rig.store;
        let told = store.advance_log_start(key, Offset(to), self.next_token);
        shadow.delete_to(to);
        if let Some(start) = told.unwrap() {
            assert_eq!(start.0, shadow.start);
            shadow.start_is_durable();
        }
    }

    fn recreate(&mut self, slot: usize, at_once: bool) {
        let Some(key) = self.shadows[slot].key else {
            return;
        };
        self.rig.store.drop_partition(self.rig.now, key).unwrap();
        self.rig.collect();
        if let Some(cut) = self.shadows[slot].cut {
            let told = self.rig.truncated.remove(&cut.token);
            assert!(told.is_some(), "who waits for a cut is told");
        }
        self.dropped.push((self.shadows[slot].topic, slot));
        self.next_topic += 1;
        self.next_life += 1 << 32;
        self.shadows[slot] = Shadow::new(slot, self.next_topic, self.next_life);
        if at_once {
            self.open_slot(slot);
        }
    }

    fn open_slot(&mut self, slot: usize) -> PartitionKey {
        let shadow = &self.shadows[slot];
        let epoch = LeaderEpoch(shadow.epoch);
        let role = match shadow.is_leader {
            true => Role::Leader(epoch),
            false => Role::Follower(epoch),
        };
        let spec = spec_of(shadow.topic, slot, role);
        let key = self.rig.store.open_partition(self.rig.now, spec).unwrap();
        self.shadows[slot].key = Some(key);
        key
    }

    fn restart(&mut self) {
        self.rig.stop();
        self.take_in();
        assert!(self.shadows.iter().all(|shadow| shadow.cut.is_none()));
        let disk = std::mem::replace(&mut self.rig, Rig::new(0));
        let Rig { disk, store, .. } = disk;
        assert!(store.is_level());
        let states = store.into_states();
        for shadow in &self.shadows {
            shadow.check_state(state_of(&states, shadow));
        }
        let eras: Vec<_> = self.eras.iter().copied().map(Some).collect();
        finish_stop(&disk, states, &[], &eras).unwrap();
        for shadow in &self.shadows {
            shadow.check_files(&disk);
        }
        let found = recover(&disk, [self.boot; 16]).unwrap();
        assert!(found.directories.iter().all(|it| it.clean));
        for shadow in &mut self.shadows {
            shadow.check_state(state_of(&found.partitions, shadow));
            shadow.start_is_durable();
            (shadow.written, shadow.synced) = (shadow.end, shadow.end);
        }
        self.open(disk, found);
    }

    fn crash(&mut self, power: bool) {
        self.take_in();
        let random = &mut self.random;
        let crash = if power { Crash::Power } else { Crash::Process };
        let disk = self.rig.disk.crash(crash, &mut |bound| random.below(bound));
        self.boot = self.boot.wrapping_add(u8::from(power));
        let found = recover(&disk, [self.boot; 16]).unwrap();
        assert!(found.fenced.is_empty(), "{:?}", found.findings);
        crate::rig::check_files(&disk, &found.partitions);
        for shadow in &mut self.shadows {
            let state = state_of(&found.partitions, shadow);
            let start = state.map_or(0, |state| state.log_start.0);
            let end = state.map_or(0, |state| state.end.0);
            shadow.crashed(start, end, power);
            // So that clients notice offsets that are used again.
            shadow.epoch += 1;
        }
        self.open(disk, found);
    }

    /// A store over what recovery found.
    fn open(&mut self, disk: MemoryDisk, found: Recovered) {
        let mut options = options(self.random.next());
        options.boot_id = [self.boot; 16];
        self.eras = found.directories.iter().map(|it| it.era).collect();
        options.eras.clone_from(&self.eras);
        options.deleted_folders = found.deleted;
        options.journal.first_file_bytes = 32 << 10;
        options.journal.file_bytes = 48 << 10;
        options.journal.frame_bytes_max = 8 << 10;
        options.tail_bytes = self.knobs.tail_bytes;
        options.bypass_bytes = self.knobs.bypass_bytes;
        options.rescan_bytes_max = self.knobs.rescan_bytes_max;
        options.retention_check = Some(RETENTION_CHECK);
        options.retention_delay = RETENTION_CHECK;
        let names = found.directories.iter().map(|it| it.next_journal_name);
        let names: Vec<_> = names.collect();
        // Metadata says that they are deleted.
        let is_back = |(topic, slot): &(u8, usize)| {
            let shadow = Shadow::new(*slot, *topic, 0);
            state_of(&found.partitions, &shadow).is_some()
        };
        self.dropped.retain(is_back);
        let undone = self.dropped.clone();
        self.rig = Rig::on(disk, options, found.partitions, &names);
        self.rig.now.wall_ms = self.wall_ms;
        self.sent.clear();
        for (topic, slot) in undone {
            let spec = spec_of(topic, slot, Role::Offline);
            let key = self.rig.store.open_partition(self.rig.now, spec).unwrap();
            self.rig.store.drop_partition(self.rig.now, key).unwrap();
        }
        for slot in 0..SLOTS {
            if self.shadows[slot].key.take().is_some() || self.next_token == 0 {
                self.open_slot(slot);
            }
        }
    }

    /// What the store told since.
    pub fn take_in(&mut self) {
        self.rig.collect();
        assert_eq!(self.rig.failures, Vec::<String>::new(), "no disk failed");
        for slot in 0..SLOTS {
            self.take_cut(slot);
        }
        for (token, result) in std::mem::take(&mut self.rig.acked) {
            let Some(sent) = self.sent.remove(&token) else {
                panic!("{token} is acknowledged, and was not sent");
            };
            let shadow = &mut self.shadows[sent.slot];
            if shadow.life != sent.life {
                continue;
            }
            assert_eq!(result, Ok(Offset(sent.last)));
            let is_synced = sent.level == AckLevel::Synced && !shadow.shows_written();
            let mark = match is_synced {
                true => &mut shadow.synced,
                false => &mut shadow.written,
            };
            *mark = (sent.last + 1).max(*mark);
        }
        for slot in 0..SLOTS {
            self.take_marks(slot);
        }
    }

    fn take_cut(&mut self, slot: usize) {
        let shadow = &mut self.shadows[slot];
        let Some(cut) = shadow.cut else { return };
        if let Some(result) = self.rig.truncated.remove(&cut.token) {
            let expected = if cut.anew {
                cut.end
            } else {
                cut.end.min(shadow.end)
            };
            assert_eq!(result, Ok(Offset(expected)));
            shadow.apply(cut);
        }
    }
}

/// The state of the model's partition, if it is there.
fn state_of<'a>(states: &'a [PartitionState], shadow: &Shadow) -> Option<&'a PartitionState> {
    let id = topic_id(shadow.topic);
    let is_it = |state: &&PartitionState| {
        (state.topic_id, state.index) == (id, PartitionIndex(shadow.slot as i32))
    };
    states.iter().find(is_it)
}

fn topic_id(topic: u8) -> TopicId {
    TopicId([topic + 1; 16])
}

fn spec_of(topic: u8, slot: usize, role: Role) -> PartitionSpec {
    PartitionSpec {
        topic_id: topic_id(topic),
        topic: "topic".to_owned(),
        index: PartitionIndex(slot as i32),
        directory: DirectoryIndex((slot % DIRECTORIES) as u16),
        config: Arc::new(Shadow::config(slot)),
        role,
        always_synced: false,
    }
}

fn producer_of(slot: usize, epoch: i16, sequence: i32, builder: BatchBuilder) -> BatchBuilder {
    use logmill_engine::base::{ProducerEpoch, ProducerId, Sequence};
    let id = ProducerId(slot as i64);
    builder.producer(id, ProducerEpoch(epoch), Sequence(sequence))
}

const DIRECTORIES: usize = 2;

/// Kafka remembers so many batches of a producer.
const KNOWN_BATCHES: usize = 5;

const RETENTION_CHECK: Micros = Micros::from_millis(25);

/// Long enough for the sync of what nobody waits for, and for retention to look after it.
const SETTLED: Micros = Micros::from_millis(250);
