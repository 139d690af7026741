//! The model of one partition: which batches it has, and what was promised of them.

use std::collections::{BTreeMap, VecDeque};

use logmill_engine::{
    base::LeaderEpoch,
    format::batch::BatchHeader,
    log::{Durability, LogConfig, RetentionConfig},
    store::{AckLevel, PartitionKey},
};

/// A batch as it stands in the log.
#[derive(Clone, Debug)]
pub struct Batch {
    pub last: i64,
    pub bytes: Vec<u8>,
    /// Its records' timestamps by offset.
    pub timestamps: Vec<i64>,
}

impl Batch {
    pub fn max_timestamp(&self) -> i64 {
        self.timestamps.iter().copied().max().unwrap_or(-1)
    }
}

/// A cut that was asked for and not reported.
#[derive(Clone, Copy, Debug)]
pub struct Cut {
    pub token: u64,
    pub end: i64,
    pub anew: bool,
}

/// What an ack will promise.
#[derive(Clone, Copy, Debug)]
pub struct Sent {
    pub slot: usize,
    pub last: i64,
    pub level: AckLevel,
    /// What was appended before a cut is promised nothing after it.
    pub life: u64,
}

#[derive(Clone, Debug)]
pub struct Shadow {
    pub slot: usize,
    /// Changes with every re-creation.
    pub topic: u8,
    /// `None` after a deletion, until it is made anew.
    pub key: Option<PartitionKey>,
    pub is_leader: bool,
    pub epoch: i32,
    pub batches: BTreeMap<i64, Batch>,
    /// Where the log begins, and where it begins durably.
    pub start: i64,
    pub start_durable: i64,
    pub end: i64,
    pub written: i64,
    pub synced: i64,
    pub cut: Option<Cut>,
    /// Counts cuts and re-creations.
    pub life: u64,
    /// The idempotent producer: epoch, next sequence, and its newest batches with their bases.
    pub producer: (i16, i32),
    pub recent: VecDeque<(i64, Vec<u8>)>,
    /// The largest timestamp of batches that are gone for good.
    pub max_deleted: i64,
}

impl Shadow {
    pub fn new(slot: usize, topic: u8, life: u64) -> Self {
        Self {
            slot,
            topic,
            key: None,
            is_leader: true,
            epoch: 0,
            batches: BTreeMap::new(),
            start: 0,
            start_durable: 0,
            end: 0,
            written: 0,
            synced: 0,
            cut: None,
            life,
            producer: (0, 0),
            recent: VecDeque::new(),
            max_deleted: -1,
        }
    }

    pub fn config(slot: usize) -> LogConfig {
        let retention = RetentionConfig {
            delete: slot != 1,
            retention_bytes: if slot == 0 { 50_000 } else { -1 },
            retention_ms: if slot == 2 { 1_000 } else { -1 },
            ..RetentionConfig::default()
        };
        LogConfig {
            segment_bytes: 32_000,
            segment_ms: if slot == 1 { 700 } else { i64::MAX },
            index_interval_bytes: 500,
            durability: match slot {
                2 => Durability::Written,
                _ => Durability::Synced,
            },
            file_delete_delay_ms: [0, 3, 60_000][slot],
            retention,
            ..LogConfig::default()
        }
    }

    /// Whether records are shown when they are written.
    pub fn shows_written(&self) -> bool {
        Self::config(self.slot).durability == Durability::Written
    }

    /// A batch was taken: `bytes` with its offset and term.
    pub fn take(&mut self, base: i64, bytes: &[u8]) {
        let mut header = BatchHeader::parse(bytes).unwrap();
        header.base_offset.0 = base;
        header.leader_epoch = LeaderEpoch(self.epoch);
        let mut stamped = header.to_bytes().to_vec();
        stamped.extend_from_slice(&bytes[BatchHeader::SIZE..]);
        let records = logmill_engine::format::records::Records::new(&bytes[BatchHeader::SIZE..]);
        let timestamps = records.map(|it| header.base_timestamp + it.unwrap().timestamp_delta);
        let last = header.last_offset().0;
        let batch = Batch {
            last,
            bytes: stamped,
            timestamps: timestamps.collect(),
        };
        assert!(base >= self.end);
        self.batches.insert(base, batch);
        self.end = last + 1;
    }

    /// Records before `to` cannot be read any more; a crash may bring them back until it is
    /// durable.
    pub fn delete_to(&mut self, to: i64) {
        self.start = self.start.max(to);
    }

    /// The log's beginning is durable.
    pub fn start_is_durable(&mut self) {
        self.start_durable = self.start;
        self.max_deleted = self.max_gone();
        let start = self.start;
        self.batches.retain(|_, batch| batch.last >= start);
    }

    /// The largest timestamp before the log's beginning.
    pub fn max_gone(&self) -> i64 {
        let stamped = |(base, batch): (&i64, &Batch)| {
            let offsets = *base..;
            let stamps = batch.timestamps.clone().into_iter().zip(offsets);
            let gone = stamps.filter(|(_, offset)| *offset < self.start);
            gone.map(|(timestamp, _)| timestamp).max()
        };
        let gone = self.batches.iter().filter_map(stamped).max();
        gone.unwrap_or(-1).max(self.max_deleted)
    }

    /// The cut took effect: the batch that held the new end is gone whole.
    pub fn apply(&mut self, cut: Cut) {
        self.cut = None;
        if !cut.anew && cut.end >= self.end {
            return;
        }
        self.life += 1;
        match cut.anew {
            true => {
                self.batches.clear();
                (self.start, self.start_durable) = (cut.end, cut.end);
                self.max_deleted = -1;
            }
            false => self.batches.retain(|_, batch| batch.last < cut.end),
        }
        self.end = cut.end;
        (self.written, self.synced) = (cut.end, cut.end);
        self.renew_producer();
    }

    /// What the log knows of the producer is the log's affair: it goes on in a new epoch.
    pub fn renew_producer(&mut self) {
        self.producer = (self.producer.0 + 1, 0);
        self.recent.clear();
    }

    /// What a crash left: the log from `start` to `end`.
    pub fn crashed(&mut self, start: i64, end: i64, power: bool) {
        if let Some(cut) = self.cut.take() {
            let began = match cut.anew {
                true => start == cut.end,
                false => (self.start_durable..=self.start).contains(&start),
            };
            if end == cut.end && began {
                self.apply(cut);
            }
        }
        let (durable, asked) = (self.start_durable, self.start);
        assert!(
            (durable..=asked).contains(&start),
            "slot {} begins at {start}, not at {durable} to {asked}",
            self.slot
        );
        let promised = match power {
            true => self.synced,
            false => self.synced.max(self.written),
        };
        assert!(end >= promised, "slot {}: {end} < {promised}", self.slot);
        assert!(end <= self.end, "slot {}: records from nowhere", self.slot);
        let before = self.batches.range(..end).next_back();
        let whole = before.is_none_or(|(_, batch)| batch.last < end);
        assert!(whole, "slot {}: a part of a batch", self.slot);
        self.batches.retain(|base, _| *base < end);
        if end < self.end {
            self.renew_producer();
        }
        // Producers come out of Kafka's snapshots, which know the newest batch of each.
        let newest = self.recent.pop_back();
        self.recent.clear();
        self.recent.extend(newest);
        self.start = start;
        self.start_is_durable();
        self.end = end;
        (self.written, self.synced) = (end, end);
    }

    /// Bytes of batches at or behind `from`.
    pub fn bytes_from(&self, from: i64) -> u64 {
        let batches = self.batches.values().filter(|batch| batch.last >= from);
        batches.map(|batch| batch.bytes.len() as u64).sum()
    }
}
