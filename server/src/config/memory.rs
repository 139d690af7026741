//! The memory budget: what each part may take at worst, and that the sum stays inside.
//!
//! Nothing here allocates. Parts take memory as they need it, up to their row; idle parts take
//! little. The plan is printed at start, and a plan over its budget is refused there.

use crate::config::broker::Config;

/// A part of the broker and the most it may take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemoryRow {
    /// What takes it, in words.
    pub part: &'static str,
    /// The key that bounds it.
    pub key: &'static str,
    /// The bound, over all shards.
    pub bytes: u64,
}

/// What every part may take. Byte counts are over all shards; see [`MemoryPlan::per_shard`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemoryPlan {
    /// The whole budget.
    pub budget_bytes: u64,
    /// Shards that share it.
    pub shards: u16,
    /// Requests received and not yet answered.
    pub requests_bytes: u64,
    /// Unwritten tails and recent batches.
    pub log_bytes: u64,
    /// Replies that have not left their sockets.
    pub replies_bytes: u64,
    /// Offset and time indexes.
    pub indexes_bytes: u64,
    /// States of idempotent producers.
    pub producers_bytes: u64,
    /// Incremental fetch sessions.
    pub fetch_sessions_bytes: u64,
    /// Group coordinators.
    pub groups_bytes: u64,
    /// Partitions this broker may hold.
    pub partitions_max: u32,
    /// Connections it may hold.
    pub connections_max: u32,
    /// Largest request frame it takes.
    pub frame_max_bytes: u32,
    /// The parts, largest first; their sum is the worst case.
    pub rows: Vec<MemoryRow>,
    /// What was lowered to fit, in words for the start-up screen.
    pub lowered: Vec<String>,
}

/// A plan whose worst case does not fit.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum MemoryError {
    /// The sum of all parts is over the budget.
    #[error(
        "the worst case of memory is {} and logmill.memory.bytes allows {}: lower {key} \
         (now {}), or allow at least {worst}",
        in_words(*.worst), in_words(*.budget), in_words(*.part)
    )]
    OverBudget {
        /// The sum of all parts, in bytes.
        worst: u64,
        /// The budget, in bytes.
        budget: u64,
        /// The key of the largest part.
        key: &'static str,
        /// That part, in bytes.
        part: u64,
    },
    /// A part cannot hold one of what it is for.
    #[error(
        "{key} leaves {} for {what}: it needs at least {}",
        in_words(*.bytes), in_words(*.least)
    )]
    TooSmall {
        /// The key to raise.
        key: &'static str,
        /// What does not fit.
        what: &'static str,
        /// What it has.
        bytes: u64,
        /// What it needs.
        least: u64,
    },
}

impl MemoryPlan {
    /// Plans for a host that lets this process have `host_bytes`, over `shards` shards.
    ///
    /// # Errors
    /// When the parts do not fit the budget, or one of them cannot work.
    pub fn new(config: &Config, host_bytes: u64, shards: u16) -> Result<Self, MemoryError> {
        let asked = &config.memory;
        let budget = asked.budget.unwrap_or(host_bytes / 4).max(BUDGET_MIN_BYTES);
        let share = |asked: Option<u64>, percent: u64| asked.unwrap_or(budget / 100 * percent);
        let mut plan = Self {
            budget_bytes: budget,
            shards,
            requests_bytes: share(asked.requests, 25),
            log_bytes: share(asked.log, 40),
            replies_bytes: share(None, 8),
            indexes_bytes: share(None, 8),
            producers_bytes: share(None, 4),
            fetch_sessions_bytes: share(None, 3),
            groups_bytes: share(None, 2),
            partitions_max: 0,
            connections_max: 0,
            frame_max_bytes: 0,
            rows: Vec::new(),
            lowered: Vec::new(),
        };
        plan.size_partitions(asked.partitions);
        plan.size_connections(config.limits.connections, asked.connections.is_some());
        plan.size_frames(config.limits.frame_bytes, asked.frame.is_some())?;
        plan.sum(config)?;
        Ok(plan)
    }

    /// The worst case: the sum of all rows.
    #[must_use]
    pub fn worst_bytes(&self) -> u64 {
        self.rows.iter().map(|row| row.bytes).sum()
    }

    /// The part of `bytes` that one shard may take.
    #[must_use]
    pub fn per_shard(&self, bytes: u64) -> u64 {
        bytes / u64::from(self.shards.max(1))
    }

    /// Connections that would fit if the budget that is left were theirs.
    #[must_use]
    pub fn connections_fit(&self) -> u32 {
        let left = self.budget_bytes - self.worst_bytes();
        let more = u32::try_from(left / CONNECTION_BYTES).unwrap_or(u32::MAX);
        self.connections_max.saturating_add(more)
    }

    fn size_partitions(&mut self, asked: Option<u64>) {
        let fits = self.budget_bytes / 100 * 4 / PARTITION_BYTES;
        let partitions = asked.unwrap_or(fits.min(PARTITIONS_DEFAULT));
        self.partitions_max = u32::try_from(partitions).unwrap_or(u32::MAX);
    }

    fn size_connections(&mut self, configured: u32, written: bool) {
        let fits =
            u32::try_from(self.budget_bytes / 100 * 5 / CONNECTION_BYTES).unwrap_or(u32::MAX);
        self.connections_max = configured;
        if !written && configured > fits {
            self.connections_max = fits;
            self.lowered.push(format!(
                "max.connections to {fits}, which the budget allows"
            ));
        }
    }

    /// A shard takes a frame whole, so the largest one must fit its part of request memory.
    fn size_frames(&mut self, configured: u32, written: bool) -> Result<(), MemoryError> {
        let fits = self.per_shard(self.requests_bytes);
        self.frame_max_bytes = configured;
        if u64::from(configured) <= fits {
            return Ok(());
        }
        if written || fits < FRAME_MIN_BYTES {
            return Err(MemoryError::TooSmall {
                key: "queued.max.request.bytes",
                what: "one request of a shard (socket.request.max.bytes)",
                bytes: fits,
                least: u64::from(configured),
            });
        }
        self.frame_max_bytes = u32::try_from(fits).unwrap_or(u32::MAX);
        let shown = in_words(fits);
        self.lowered.push(format!(
            "socket.request.max.bytes to {shown}, a shard's request memory"
        ));
        Ok(())
    }

    fn sum(&mut self, config: &Config) -> Result<(), MemoryError> {
        let pairs = u64::from(self.shards) * u64::from(self.shards.saturating_sub(1));
        let mailboxes = pairs * u64::from(config.limits.mailbox_slots) * MAIL_BYTES;
        let row = |part, key, bytes| MemoryRow { part, key, bytes };
        self.rows = vec![
            row(
                "tails and recent batches",
                "logmill.log.memory.bytes",
                self.log_bytes,
            ),
            row("requests", "queued.max.request.bytes", self.requests_bytes),
            row("replies", "logmill.memory.bytes", self.replies_bytes),
            row("indexes", "logmill.memory.bytes", self.indexes_bytes),
            row("producers", "logmill.memory.bytes", self.producers_bytes),
            row(
                "fetch sessions",
                "logmill.memory.bytes",
                self.fetch_sessions_bytes,
            ),
            row(
                "group coordinators",
                "logmill.memory.bytes",
                self.groups_bytes,
            ),
            row(
                "partitions",
                "logmill.partitions.max",
                u64::from(self.partitions_max) * PARTITION_BYTES,
            ),
            row(
                "connections",
                "max.connections",
                u64::from(self.connections_max) * CONNECTION_BYTES,
            ),
            row("mailboxes", "logmill.mailbox.slots", mailboxes),
        ];
        self.rows.sort_by_key(|row| std::cmp::Reverse(row.bytes));
        let worst = self.worst_bytes();
        if worst <= self.budget_bytes {
            return Ok(());
        }
        let largest = &self.rows[0];
        Err(MemoryError::OverBudget {
            worst,
            budget: self.budget_bytes,
            key: largest.key,
            part: largest.bytes,
        })
    }
}

/// A byte count for people: `1.5 GiB`.
#[must_use]
pub fn in_words(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["B", "KiB", "MiB", "GiB", "TiB"];
    let mut scaled = bytes;
    let mut rest = 0;
    let mut unit = 0;
    while scaled >= 1024 && unit < UNITS.len() - 1 {
        rest = scaled % 1024;
        scaled /= 1024;
        unit += 1;
    }
    let tenths = rest * 10 / 1024;
    if tenths == 0 || scaled >= 100 {
        return format!("{scaled} {}", UNITS[unit]);
    }
    format!("{scaled}.{tenths} {}", UNITS[unit])
}

/// State of one connection without its queued bytes.
const CONNECTION_BYTES: u64 = 16 * 1024;
/// State of one idle partition: log, image, journal entry.
const PARTITION_BYTES: u64 = 2 * 1024;
/// One message between two shards.
const MAIL_BYTES: u64 = 128;
/// Partitions where nothing is set and memory is plenty.
const PARTITIONS_DEFAULT: u64 = 100_000;
/// Below this nothing useful fits.
const BUDGET_MIN_BYTES: u64 = 64 * 1024 * 1024;
/// A frame limit is never lowered below this.
const FRAME_MIN_BYTES: u64 = 2 * 1024 * 1024;
