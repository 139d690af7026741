//! Partitions in the store: opened, dropped, appended to, waited for.

use std::sync::Arc;

use super::{
    Ack, AckLevel, AppendAnswer, FetchRead, Isolation, LeaderBatch, PartitionKey, PartitionSpec,
    Role, Store, StoreError, StoreEvent,
    acks::Waiting,
    commit::Line,
    entry::{Entry, Folder, Pending, Waiter},
    ops::Owner,
    stop::StopState,
};
use crate::{
    base::{LeaderEpoch, Micros, Now, Offset, PartitionIndex, TopicId, Watermarks},
    disk::{ControlOp, DiskError, DiskErrorKind},
    format::{batch::BatchHeader, checkpoint, names},
    journal::{Item, ItemKind},
    log::{AppendError, AppendOutcome, Appended, LogConfig, LogIdentity, Origin, PartitionLog},
    replica::EpochEnd,
    sys::region::{RegionClass, Slices},
};

impl Store {
    /// Opens a partition: as recovery found it, or new. A new one's folder is made behind the
    /// scenes; it takes appends at once.
    pub fn open_partition(
        &mut self,
        now: Now,
        spec: PartitionSpec,
    ) -> Result<PartitionKey, StoreError> {
        let identity = (spec.topic_id, spec.index);
        if let Some(key) = self.by_identity.get(&identity).copied() {
            self.set_config(now, key, Arc::clone(&spec.config))?;
            self.set_role(now, key, spec.role)?;
            return Ok(key);
        }
        if self.options.fenced.contains(&identity) {
            return Err(StoreError::Fenced);
        }
        let known = self.recovered.get(&identity);
        let directory = known.map_or(spec.directory, |state| state.directory);
        let line = usize::from(directory.0);
        if line >= self.lines.len() {
            return Err(StoreError::NoDirectory(directory));
        }
        if self.lines[line].journal.is_failed() {
            return Err(StoreError::Fenced);
        }
        let restored = known.map(|state| PartitionLog::restored(state, Arc::clone(&spec.config)));
        let (log, folder) = match restored {
            // A state that contradicts itself does not come out of recovery, which checks it.
            Some(Err(_)) => return Err(StoreError::Fenced),
            Some(Ok(log)) => (log, Folder::Ready),
            None => (self.new_log(&spec), Folder::Creating),
        };
        let name = match folder {
            Folder::Ready => None,
            Folder::Creating => Some(self.packed_name(&spec.topic)?),
        };
        self.recovered.remove(&identity);
        let mut entry = Entry::new(log, line, Role::Offline, folder);
        entry.always_synced = spec.always_synced;
        entry.is_known = folder == Folder::Ready;
        let key = PartitionKey(self.entries.insert(entry));
        self.by_identity.insert(identity, key);
        if let Some(name) = name {
            self.journal_open(key, name);
            self.make_folder(key);
        }
        self.set_role(now, key, spec.role)?;
        self.count_kept(key);
        Ok(key)
    }

    fn new_log(&self, spec: &PartitionSpec) -> PartitionLog {
        let identity = LogIdentity {
            topic_id: spec.topic_id,
            topic: spec.topic.as_str().into(),
            index: spec.index,
            directory: spec.directory,
        };
        PartitionLog::new(identity, Arc::clone(&spec.config), Offset::ZERO)
    }

    /// The topic's name in counted memory, packed with others.
    fn packed_name(&mut self, topic: &str) -> Result<Slices, StoreError> {
        let full = self
            .names
            .as_ref()
            .is_none_or(|region| region.remaining() < topic.len());
        if full {
            let region = self.blocks.take(RegionClass::Page);
            self.names = Some(region.ok_or(AppendError::Backpressure)?);
        }
        let region = self.names.as_mut().expect("made above");
        let from = region.len();
        region.append(topic.as_bytes());
        Ok(Slices::from(region.slice(from..region.len())))
    }

    fn journal_open(&mut self, key: PartitionKey, name: Slices) {
        let Some(entry) = self.entries.get_mut(key.0) else {
            return;
        };
        let line = &mut self.lines[entry.line];
        let item = Item {
            base: entry.log.end(),
            previous_end: entry.log.log_start(),
            len: name.len() as u32,
            framed: name.len() as u32,
            ..entry.item(ItemKind::Open)
        };
        let first_append = line.appends + 1;
        line.queue(
            key,
            entry,
            Pending {
                item,
                payload: name,
                first_append,
            },
        );
    }

    fn make_folder(&mut self, key: PartitionKey) {
        let Some(entry) = self.entries.get_mut(key.0) else {
            return;
        };
        entry.in_flight += 1;
        self.lines[entry.line].to_make.push(key);
    }

    /// Makes the folders of new partitions: few durably one by one, many with one sync of all.
    pub(super) fn pump_folders(&mut self, now: Now, index: usize) {
        let line = &mut self.lines[index];
        let is_early = line.make_retry.is_some_and(|at| at > now.monotonic);
        if line.to_make.is_empty() || is_early {
            return;
        }
        line.make_tries += u32::from(line.make_retry.take().is_some());
        let directory = line.journal.directory();
        let mut keys = std::mem::take(&mut line.to_make);
        // Those deleted meanwhile would only stand in the way of their namesakes.
        keys.retain(|key| !self.is_dropped_unmade(*key));
        let is_durable = keys.len() < FOLDERS_ONE_BY_ONE;
        for key in keys {
            let Some(entry) = self.entries.get(key.0) else {
                continue;
            };
            let identity = entry.log.identity();
            let metadata = checkpoint::encode_partition_metadata(identity.topic_id).into_bytes();
            let claim = ControlOp::ClaimFolder {
                directory,
                path: identity.folder(),
                sign: (names::PARTITION_METADATA, metadata),
            };
            let top = ControlOp::SyncDirectory {
                directory,
                path: String::new(),
            };
            let steps = match is_durable {
                true => ControlOp::Sequence(vec![claim, top]),
                false => ControlOp::Unsynced(vec![claim]),
            };
            self.lines[index].claims += 1;
            self.ops.control(Owner::Claim { key, is_durable }, steps);
        }
    }

    /// Whether a partition that waits for its folder was deleted; it does not wait any more.
    fn is_dropped_unmade(&mut self, key: PartitionKey) -> bool {
        let entry = self.entries.get_mut(key.0);
        let Some(entry) = entry.filter(|entry| entry.dropped) else {
            return false;
        };
        entry.in_flight -= 1;
        self.end_sweep(key);
        true
    }

    /// A folder is claimed, or is another's still.
    pub(super) fn folder_claimed(
        &mut self,
        now: Now,
        key: PartitionKey,
        is_durable: bool,
        result: Result<(), DiskError>,
    ) {
        let Some(entry) = self.entries.get(key.0) else {
            return;
        };
        let index = entry.line;
        let line = &mut self.lines[index];
        line.claims -= 1;
        let comes_again = |error: &DiskError| match error.kind {
            // Deleted, and not gone yet: a topic was made anew under its old name.
            DiskErrorKind::Taken => line.make_tries < TRIES_MAX,
            DiskErrorKind::NoSpace => matches!(self.stop, StopState::Running),
            _ => false,
        };
        match result {
            Err(error) if comes_again(&error) => {
                line.make_retry = Some(now.monotonic.saturating_add(TAKEN_RETRY));
                line.to_make.push(key);
            }
            Ok(()) if !is_durable => line.claimed.push(key),
            result => self.folder_made(key, &result),
        }
        let line = &mut self.lines[index];
        if line.claims > 0 {
            return;
        }
        if line.to_make.is_empty() {
            line.make_tries = 0;
        }
        let keys = std::mem::take(&mut line.claimed);
        if !keys.is_empty() {
            let directory = line.journal.directory();
            line.makes += 1;
            let owner = Owner::Folders { line: index, keys };
            self.ops.control(owner, ControlOp::SyncAll { directory });
        }
    }

    /// Folders that were claimed are durable.
    pub(super) fn folders_synced(
        &mut self,
        index: usize,
        keys: &[PartitionKey],
        result: &Result<(), DiskError>,
    ) {
        self.lines[index].makes -= 1;
        for key in keys {
            self.folder_made(*key, result);
        }
    }

    fn folder_made(&mut self, key: PartitionKey, result: &Result<(), DiskError>) {
        let Some(entry) = self.entries.get_mut(key.0) else {
            return;
        };
        entry.in_flight -= 1;
        match result {
            Ok(()) => entry.folder = Folder::Ready,
            Err(error) if !entry.dropped => self.fence(key, error),
            Err(_) => {}
        }
        // A sweep may have been waiting for the folder.
        self.advance_sweep(key);
    }

    /// The key of an open partition.
    pub fn key(&self, topic_id: TopicId, index: PartitionIndex) -> Option<PartitionKey> {
        self.by_identity.get(&(topic_id, index)).copied()
    }

    /// Deletes a partition: its files go once the drop is durable. The key is void at once.
    pub fn drop_partition(&mut self, _now: Now, key: PartitionKey) -> Result<(), StoreError> {
        self.end_cut(key, Err(StoreError::UnknownPartition));
        self.end_advance(key);
        let entry = self.live_mut(key)?;
        entry.dropped = true;
        let rescan_bytes = entry.rescan_bytes;
        let unwritten_bytes = std::mem::take(&mut entry.unwritten_bytes);
        let left = entry.pending_bytes();
        entry.bypass = None;
        entry.pending.clear();
        entry.stashed = None;
        let waiters = std::mem::take(&mut entry.waiters);
        let identity = entry.log.identity();
        let id = (identity.topic_id, identity.index);
        let (index, item) = (entry.line, entry.item(ItemKind::Drop));
        self.unwritten_bytes -= unwritten_bytes;
        self.by_identity.remove(&id);
        let gone = |waiter: Waiter| StoreEvent::Visible {
            token: waiter.token,
        };
        self.events.extend(waiters.into_iter().map(gone));
        let line = &mut self.lines[index];
        line.extra.push_back(item);
        // Durable with the next frame at the latest, or with the one after a frame in flight.
        line.drops.push((line.journal.sequence() + 1, key));
        line.sync_next = true;
        line.pending_bytes -= left;
        if let Some(entry) = self.entries.get_mut(key.0) {
            line.note_checkpointed(entry, rescan_bytes);
        }
        line.bypassing.retain(|other| *other != key);
        if self.entries.get(key.0).is_some_and(|it| it.in_flight == 0) {
            // A sweep that waits for its turn has none any more.
            self.end_sweep(key);
        }
        Ok(())
    }

    /// The partition has a role by metadata. A leader's new term is journaled.
    pub fn set_role(&mut self, _now: Now, key: PartitionKey, role: Role) -> Result<(), StoreError> {
        let entry = self.live_mut(key)?;
        entry.role = role;
        if let Role::Leader(epoch) = role
            && entry.log.start_epoch(epoch)
        {
            let base = entry.log.end();
            let item = Item {
                leader_epoch: epoch,
                base,
                ..entry.item(ItemKind::EpochStart)
            };
            let index = entry.line;
            let line = &mut self.lines[index];
            let first_append = line.appends + 1;
            let pending = Pending {
                item,
                payload: Slices::new(),
                first_append,
            };
            let entry = self.entries.get_mut(key.0).expect("looked up above");
            line.queue(key, entry, pending);
        }
        Ok(())
    }

    /// The topic's settings changed.
    pub fn set_config(
        &mut self,
        _now: Now,
        key: PartitionKey,
        config: Arc<LogConfig>,
    ) -> Result<(), StoreError> {
        self.live_mut(key)?.log.set_config(config);
        Ok(())
    }

    /// Appends a validated batch as the partition's leader. The ack comes as
    /// [`StoreEvent::Acked`] when the records are as durable as asked. After an error nothing
    /// changed.
    pub fn append_as_leader(
        &mut self,
        now: Now,
        key: PartitionKey,
        batch: &LeaderBatch<'_>,
        ack: Ack,
    ) -> Result<AppendAnswer, StoreError> {
        let epoch = self.leader_epoch_for_append(key, batch.expected_epoch)?;
        let entry = self
            .entries
            .get(key.0)
            .ok_or(StoreError::UnknownPartition)?;
        if batch.origin == Origin::Client {
            let line = entry.line;
            self.check_room(line)?;
        }
        let outcome = match self.try_append(now, key, epoch, batch) {
            Err(AppendError::Backpressure) if self.make_room(batch.bytes.len()) => {
                self.try_append(now, key, epoch, batch)?
            }
            other => other?,
        };
        match outcome {
            AppendOutcome::Appended(appended) => Ok(self.appended(now, key, appended, ack)),
            AppendOutcome::Duplicate {
                base_offset,
                last_offset,
                timestamp,
            } => {
                self.await_ack(key, last_offset, ack);
                let append_time = timestamp;
                let entry = self.live_mut(key)?;
                let log_start = entry.log.log_start();
                let duplicate = true;
                Ok(AppendAnswer {
                    base_offset,
                    last_offset,
                    append_time,
                    log_start,
                    duplicate,
                })
            }
        }
    }

    /// Appends one batch as a follower: offsets and epoch stay as the leader gave them, gaps are
    /// allowed. No ack: the caller looks at [`Store::watermarks`].
    pub fn append_as_follower(
        &mut self,
        now: Now,
        key: PartitionKey,
        header: &BatchHeader,
        bytes: &[u8],
    ) -> Result<Offset, StoreError> {
        self.check_running()?;
        let entry = self.live(key)?;
        let line = entry.line;
        if entry.fenced || self.lines[line].journal.is_failed() {
            return Err(StoreError::Fenced);
        }
        let entry = self.live(key)?;
        if entry.cut.is_some() {
            return Err(StoreError::Cutting);
        }
        if matches!(entry.role, Role::Leader(_)) {
            return Err(StoreError::NotLeader);
        }
        let Self { entries, tails, .. } = self;
        let entry = entries.get_mut(key.0).ok_or(StoreError::UnknownPartition)?;
        let appended = match entry.log.append_as_follower(now, tails, header, bytes) {
            Err(AppendError::Backpressure) if self.make_room(bytes.len()) => {
                let Self { entries, tails, .. } = self;
                let entry = entries.get_mut(key.0).ok_or(StoreError::UnknownPartition)?;
                entry.log.append_as_follower(now, tails, header, bytes)?
            }
            other => other?,
        };
        let ack = Ack {
            level: AckLevel::None,
            token: 0,
        };
        Ok(self.appended(now, key, appended, ack).last_offset)
    }

    fn leader_epoch_for_append(
        &self,
        key: PartitionKey,
        expected: Option<LeaderEpoch>,
    ) -> Result<LeaderEpoch, StoreError> {
        let entry = self.live(key)?;
        if !matches!(self.stop, StopState::Running) {
            return Err(StoreError::Stopping);
        }
        if entry.fenced || self.lines[entry.line].journal.is_failed() {
            return Err(StoreError::Fenced);
        }
        if entry.cut.is_some() {
            return Err(StoreError::Cutting);
        }
        let Role::Leader(current) = entry.role else {
            return Err(StoreError::NotLeader);
        };
        match expected {
            Some(asked) if asked < current => Err(StoreError::FencedEpoch { asked, current }),
            Some(asked) if asked > current => Err(StoreError::UnknownEpoch { asked, current }),
            _ => Ok(current),
        }
    }

    fn try_append(
        &mut self,
        now: Now,
        key: PartitionKey,
        epoch: LeaderEpoch,
        batch: &LeaderBatch<'_>,
    ) -> Result<AppendOutcome, AppendError> {
        let Self { entries, tails, .. } = self;
        let entry = entries.get_mut(key.0).expect("looked up by the caller");
        entry
            .log
            .append_as_leader(now, tails, epoch, &batch.header, batch.bytes, batch.origin)
    }

    /// Frees clean record memory, longest unused first; says whether any was freed.
    fn make_room(&mut self, bytes: usize) -> bool {
        let wanted = bytes.max(self.tails.budget_bytes() / 64);
        let mut freed = 0;
        for _ in 0..self.resident.len() {
            if freed >= wanted {
                break;
            }
            let Some(key) = self.resident.pop_front() else {
                break;
            };
            let Some(entry) = self.entries.get_mut(key.0) else {
                continue;
            };
            freed += entry.log.evict_clean(wanted - freed);
            entry.is_resident = entry.log.resident_bytes() > 0;
            if entry.is_resident {
                self.resident.push_back(key);
            }
        }
        self.memory_short = freed == 0;
        freed > 0
    }

    fn appended(
        &mut self,
        now: Now,
        key: PartitionKey,
        appended: Appended,
        ack: Ack,
    ) -> AppendAnswer {
        let entry = self
            .entries
            .get_mut(key.0)
            .expect("looked up by the caller");
        let line = &mut self.lines[entry.line];
        line.appends += 1;
        entry.marks.set_appended(appended.last_offset.next());
        if let Some(rolled) = appended.rolled {
            entry.snapshots.push((rolled.base, rolled.snapshot));
        }
        if !entry.is_resident {
            entry.is_resident = true;
            self.resident.push_back(key);
        }
        let records = appended.last_offset.0 - appended.base_offset.0 + 1;
        entry.unsynced_records += records;
        if entry.unsynced_records >= entry.config().flush_messages {
            line.sync_next = true;
        }
        let flush_ms = entry.config().flush_ms;
        if let Ok(flush_ms) = u64::try_from(flush_ms)
            && flush_ms < FLUSH_MS_WATCHED
        {
            let due = now.monotonic.saturating_add(Micros::from_millis(flush_ms));
            line.sync_by = Some(line.sync_by.map_or(due, |by| by.min(due)));
        }
        let answer = AppendAnswer {
            base_offset: appended.base_offset,
            last_offset: appended.last_offset,
            append_time: appended.append_time,
            log_start: entry.log.log_start(),
            duplicate: false,
        };
        let item = Item {
            leader_epoch: appended.leader_epoch,
            previous_end: appended.previous_end,
            base: appended.base_offset,
            last: appended.last_offset,
            segment_base: appended.segment_base,
            position: appended.position.0,
            len: appended.bytes.len() as u32,
            framed: appended.bytes.len() as u32,
            ..entry.item(ItemKind::Append)
        };
        line.note_appended(key, entry, u64::from(item.len));
        entry.unwritten_bytes += u64::from(item.len);
        self.unwritten_bytes += u64::from(item.len);
        pend_append(line, key, entry, item, appended.bytes);
        self.note_large(key);
        self.count_append(key, item.position, u64::from(item.len));
        self.await_ack(key, answer.last_offset, ack);
        answer
    }

    /// Queues an ack for the newest append of the partition's line, which covers this one's.
    fn await_ack(&mut self, key: PartitionKey, last_offset: Offset, ack: Ack) {
        let Some(entry) = self.entries.get(key.0) else {
            return;
        };
        let synced = match ack.level {
            AckLevel::None => return,
            AckLevel::Written => entry.syncs_always(),
            AckLevel::Synced => !entry.shows_written(),
        };
        let line = &mut self.lines[entry.line];
        let reached = if synced {
            entry.marks.synced()
        } else {
            entry.marks.written()
        };
        if reached > last_offset {
            // A duplicate of something durable already.
            self.events.push(StoreEvent::Acked {
                token: ack.token,
                result: Ok(last_offset),
            });
            return;
        }
        let token = ack.token;
        line.acks.push(Waiting {
            append: line.appends,
            key,
            token,
            last_offset,
            synced,
        });
    }

    /// Waits, once, until a record at `offset` may be read: [`StoreEvent::Visible`]. Comes at once
    /// if that is so already, or if there is no such partition.
    pub fn wait_visible(&mut self, key: PartitionKey, offset: Offset, token: u64) {
        let Some(entry) = self.entries.get_mut(key.0).filter(|entry| !entry.dropped) else {
            self.events.push(StoreEvent::Visible { token });
            return;
        };
        if entry.marks.high() > offset {
            self.events.push(StoreEvent::Visible { token });
            return;
        }
        entry.waiters.push(Waiter { offset, token });
        if entry.marks.appended() > entry.marks.high() {
            // Someone waits for what is not synced yet.
            let line = &mut self.lines[entry.line];
            line.sync_next = true;
            line.journal.want_sync(line.journal.sequence());
        }
    }

    /// Takes a wait back; nothing happens if it was over.
    pub fn cancel_wait(&mut self, key: PartitionKey, token: u64) {
        if let Some(entry) = self.entries.get_mut(key.0) {
            entry.waiters.retain(|waiter| waiter.token != token);
        }
    }

    /// The partition's marks.
    pub fn watermarks(&self, key: PartitionKey) -> Option<Watermarks> {
        self.live(key).ok().map(|entry| entry.marks)
    }

    /// The partition's role.
    pub fn role(&self, key: PartitionKey) -> Option<Role> {
        self.live(key).ok().map(|entry| entry.role)
    }

    /// Where a leader's term ends, for OffsetForLeaderEpoch.
    pub fn epoch_end(&self, key: PartitionKey, epoch: LeaderEpoch) -> Option<EpochEnd> {
        self.live(key).ok().map(|entry| entry.log.epoch_end(epoch))
    }

    /// Up to where a reader may see.
    pub(super) fn limit(entry: &Entry, read: &FetchRead) -> Offset {
        match read.isolation {
            Isolation::ReadUncommitted => entry.marks.high(),
            Isolation::ReadCommitted => entry.marks.last_stable(),
            Isolation::LogEnd => entry.marks.appended(),
        }
    }

    pub(super) fn live(&self, key: PartitionKey) -> Result<&Entry, StoreError> {
        let entry = self.entries.get(key.0).filter(|entry| !entry.dropped);
        entry.ok_or(StoreError::UnknownPartition)
    }

    pub(super) fn live_mut(&mut self, key: PartitionKey) -> Result<&mut Entry, StoreError> {
        let entry = self.entries.get_mut(key.0).filter(|entry| !entry.dropped);
        entry.ok_or(StoreError::UnknownPartition)
    }
}

/// Joins an append to the newest pending item if it continues that, else queues it by itself.
fn pend_append(line: &mut Line, key: PartitionKey, entry: &mut Entry, item: Item, payload: Slices) {
    // What a bypass is writing becomes a fact of its own.
    let joinable = |last: &&mut Pending| {
        let is_written = entry.bypass.is_some_and(|to| last.item.base < to);
        !is_written && continues(&last.item, &item)
    };
    let newest = entry.pending.back_mut();
    match newest.filter(joinable) {
        Some(last) => {
            if entry.bypass.is_none() {
                line.pending_bytes += payload.len();
            }
            last.item.last = item.last;
            last.item.len += item.len;
            last.item.framed += item.framed;
            last.payload.extend(&payload);
        }
        None => {
            let pending = Pending {
                item,
                payload,
                first_append: line.appends,
            };
            line.queue(key, entry, pending);
        }
    }
}

/// Whether `next` may be joined to `last`: the same segment and term, byte behind byte.
fn continues(last: &Item, next: &Item) -> bool {
    last.kind == ItemKind::Append
        && last.leader_epoch == next.leader_epoch
        && last.segment_base == next.segment_base
        && last.position + u64::from(last.len) == next.position
        && last.end() == next.previous_end
        && next.previous_end == next.base
        && last.len.saturating_add(next.len) <= JOINED_BYTES_MAX
}

/// Appends are joined to items of at most this: one flipped bit costs one item.
const JOINED_BYTES_MAX: u32 = 256 << 10;

/// From this many new partitions a turn on, everything is synced at once.
const FOLDERS_ONE_BY_ONE: usize = 8;

/// How long to wait until a folder of a deleted partition is gone before asking again, and how
/// often: a minute in all.
const TAKEN_RETRY: Micros = Micros::from_millis(20);
const TRIES_MAX: u32 = 3_000;

/// Longer `flush.ms` are met by the journal's own sync age.
const FLUSH_MS_WATCHED: u64 = 1_000;
