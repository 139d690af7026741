//! Recovery, before any shard starts, and the last step of a clean stop. Blocking.
//!
//! A log directory holds a snapshot of all its partitions, written at each start and each clean
//! stop, and the journals that stand on it. After a clean stop the snapshot is all there is to
//! read. After anything else, what the journals vouch for is put back into the segments, what
//! follows is cut, damage that no crash explains fences its partition, and a new snapshot is
//! written; only then are the old journals removed. So recovery may itself be cut short anywhere
//! and run again.
//!
//! A directory without a snapshot (Kafka's own) is scanned, batch by batch.

mod finding;
mod folders;
mod journals;
mod rebuild;
mod replay;
mod resume;
mod snapshot;
mod stop;
mod windows;

use std::{
    cell::{Cell, OnceCell, RefCell},
    collections::{BTreeMap, BTreeSet},
};

use thiserror::Error;

pub use finding::{Finding, FindingKind};
pub use snapshot::{SNAPSHOT_FILE, Snapshot, SnapshotError};
pub use stop::finish_stop;

use self::{
    journals::{Event, Histories, History, ShardJournal, parse_journal_name, read_journals},
    rebuild::{Folder, Trouble, fact_holds},
    replay::{Point, Replay, replay},
};
use crate::{
    base::{DirectoryIndex, Offset, PartitionIndex, TopicId},
    disk::{BlockingDisk, DirectoryPath, DiskError, Listed},
    format::names,
    journal::CopyName,
    log::{LogIdentity, PartitionState},
};

/// What recovery found, ready to be shared out among shards.
#[derive(Debug, Default)]
pub struct Recovered {
    /// Every partition that may be opened.
    pub partitions: Vec<PartitionState>,
    /// By log directory.
    pub directories: Vec<RecoveredDirectory>,
    /// Partitions that must not be opened: their files are kept as they are.
    pub fenced: Vec<(TopicId, PartitionIndex)>,
    /// Folders of deleted partitions, to be removed when there is time: for one store's
    /// `deleted_folders`.
    pub deleted: Vec<DirectoryPath>,
    /// What is worth saying.
    pub findings: Vec<Finding>,
}

/// One log directory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RecoveredDirectory {
    /// Whether the last stop was clean. If not, leader epochs are to be raised.
    pub clean: bool,
    /// For the journals: the store's `eras` option.
    pub era: u64,
    /// Above the number of every journal file's name: for `Store::open`.
    pub next_journal_name: u64,
    /// It cannot be used: nothing in it was changed, none of its partitions is given.
    pub failed: bool,
}

/// Why recovery cannot go on.
#[derive(Debug, Error)]
pub enum RecoveryError {
    /// The disk failed.
    #[error(transparent)]
    Disk(#[from] DiskError),
    /// A snapshot could not be written.
    #[error(transparent)]
    Snapshot(#[from] SnapshotError),
    /// A log directory cannot be trusted: nothing in it was changed.
    #[error("{path}: {reason}; restore the directory, or move it away to go on without it")]
    Damaged {
        /// The file.
        path: String,
        /// What is wrong with it.
        reason: String,
    },
}

/// Recovers every log directory of `disk`. `boot_id` is the running kernel's: in the boot that
/// wrote a journal nothing that completed can be lost.
///
/// A directory that cannot be trusted or read is set aside, with a finding, as long as another one
/// can be used.
///
/// # Errors
/// What is wrong with the first directory, if none can be used.
pub fn recover(disk: &dyn BlockingDisk, boot_id: [u8; 16]) -> Result<Recovered, RecoveryError> {
    let mut recovered = Recovered::default();
    let mut first_error = None;
    for index in 0..disk.directory_count() {
        let directory = DirectoryIndex(index as u16);
        let mut found = Recovered::default();
        let job = DirectoryJob::look(disk, directory, boot_id);
        match job.and_then(|mut job| job.run(&mut found)) {
            Ok(()) => recovered.add(found),
            Err(error) => {
                recovered.set_aside(directory, &error);
                first_error.get_or_insert(error);
            }
        }
    }
    match first_error {
        Some(error) if recovered.directories.iter().all(|it| it.failed) => Err(error),
        _ => Ok(recovered),
    }
}

impl Recovered {
    fn add(&mut self, other: Self) {
        self.partitions.extend(other.partitions);
        self.directories.extend(other.directories);
        self.fenced.extend(other.fenced);
        self.deleted.extend(other.deleted);
        self.findings.extend(other.findings);
    }

    fn set_aside(&mut self, directory: DirectoryIndex, error: &RecoveryError) {
        self.directories.push(RecoveredDirectory {
            failed: true,
            ..RecoveredDirectory::default()
        });
        let (kind, reason) = (FindingKind::DirectoryFailed, error.to_string());
        self.findings.push(Finding::of(kind, directory, "", reason));
    }
}

/// One log directory being recovered.
struct DirectoryJob<'d> {
    disk: &'d dyn BlockingDisk,
    directory: DirectoryIndex,
    boot_id: [u8; 16],
    listed: Vec<Listed>,
    known: Option<Snapshot>,
    has_marker: bool,
    /// Partitions that an earlier recovery fenced.
    fenced: BTreeSet<(TopicId, PartitionIndex)>,
    /// Files were changed and not yet synced.
    changed: Cell<bool>,
    log_starts: OnceCell<BTreeMap<String, Offset>>,
    /// What may still be read to fill producers' windows.
    read_back_left: Cell<u64>,
    /// Folders that others had when the era began.
    taken_over: RefCell<BTreeSet<String>>,
    /// Names whose folders have another one now, not durably.
    discarded: RefCell<BTreeSet<String>>,
}

impl<'d> DirectoryJob<'d> {
    fn look(
        disk: &'d dyn BlockingDisk,
        directory: DirectoryIndex,
        boot_id: [u8; 16],
    ) -> Result<Self, RecoveryError> {
        let listed = disk.list(directory, "")?;
        let has_marker = listed
            .iter()
            .any(|entry| entry.name == names::CLEAN_SHUTDOWN);
        Ok(Self {
            disk,
            directory,
            boot_id,
            listed,
            known: None,
            has_marker,
            fenced: BTreeSet::new(),
            changed: Cell::new(false),
            log_starts: OnceCell::new(),
            read_back_left: Cell::new(windows::READ_BACK_ALL),
            taken_over: RefCell::default(),
            discarded: RefCell::default(),
        })
    }

    fn run(&mut self, recovered: &mut Recovered) -> Result<(), RecoveryError> {
        let snapshot = self.read_snapshot(&mut recovered.findings)?;
        let clean = snapshot.as_ref().is_some_and(|snapshot| snapshot.clean) && self.has_marker;
        let era = snapshot.as_ref().map_or(0, |snapshot| snapshot.era);
        // A marker without a clean snapshot: Kafka used the directory since, journals are stale.
        let foreign = snapshot.is_none() || self.has_marker && !clean;
        self.fenced = snapshot
            .iter()
            .flat_map(|snapshot| &snapshot.fenced)
            .copied()
            .collect();
        self.release_fenced(&mut recovered.findings)?;
        self.take_deleted(&mut recovered.deleted);
        recovered.fenced.extend(&self.fenced);
        let first_new_fence = recovered.fenced.len();
        self.known = snapshot.filter(|_| !foreign);
        let first_partition = recovered.partitions.len();
        if clean {
            self.trust(recovered)?;
        } else if foreign {
            self.adopt_all(recovered)?;
        } else {
            self.replay_all(era, recovered)?;
        }
        for state in &mut recovered.partitions[first_partition..] {
            self.drop_expired(state)?;
        }
        if self.changed.get() {
            // What was put in place, trimmed and made, all at once.
            self.disk.sync_all(self.directory)?;
        }
        let partitions = recovered.partitions[first_partition..].to_vec();
        let any_fenced = recovered.fenced.len() > first_new_fence;
        self.fenced.extend(&recovered.fenced[first_new_fence..]);
        let next_journal_name = self.begin_era(era + 1, partitions, any_fenced)?;
        recovered.directories.push(RecoveredDirectory {
            // A new directory has nothing to be unclean about.
            clean: clean || foreign && recovered.partitions.len() == first_partition,
            era: era + 1,
            next_journal_name,
            failed: false,
        });
        Ok(())
    }

    /// Partitions that an earlier start found damaged stay fenced, and are spoken of each time,
    /// until someone moves their folders away.
    fn release_fenced(&mut self, findings: &mut Vec<Finding>) -> Result<(), RecoveryError> {
        let folders = self.folders();
        for key in std::mem::take(&mut self.fenced) {
            let Some(identity) = self.find_by_id(key, &folders)? else {
                continue;
            };
            let reason = "it was found damaged at an earlier start; restore the folder from a \
                          copy, or move it away to begin the partition anew";
            let (kind, folder) = (FindingKind::Fenced, identity.folder());
            findings.push(Finding::of(
                kind,
                self.directory,
                &folder,
                reason.to_owned(),
            ));
            self.fenced.insert(key);
        }
        Ok(())
    }

    fn read_snapshot(
        &self,
        findings: &mut Vec<Finding>,
    ) -> Result<Option<Snapshot>, RecoveryError> {
        let bytes = self
            .disk
            .read_whole(self.directory, SNAPSHOT_FILE, SNAPSHOT_BYTES_MAX)?;
        let Some(bytes) = bytes else { return Ok(None) };
        match Snapshot::decode(&bytes) {
            Ok(snapshot) => Ok(Some(snapshot)),
            Err(error) if self.has_marker => {
                // Nothing but the snapshot is lost: the segments are complete after a clean stop.
                let kind = FindingKind::SnapshotSkipped;
                findings.push(Finding::of(
                    kind,
                    self.directory,
                    SNAPSHOT_FILE,
                    error.to_string(),
                ));
                Ok(None)
            }
            Err(error) => Err(RecoveryError::Damaged {
                path: SNAPSHOT_FILE.to_owned(),
                reason: error.to_string(),
            }),
        }
    }

    /// After a clean stop: the snapshot's word, checked against the length of one file each.
    fn trust(&mut self, recovered: &mut Recovered) -> Result<(), RecoveryError> {
        let folders = self.folders();
        let known = self.known.take().unwrap_or_default();
        let mut seen = BTreeSet::new();
        for mut state in known.partitions {
            state.directory = self.directory;
            let identity = identity_of(&state);
            seen.insert(identity.folder());
            if self.is_as_known(&state, &identity)? {
                recovered.partitions.push(state);
            } else {
                let reason = "the active segment's length changed since the stop".to_owned();
                let kind = FindingKind::Scanned;
                let folder = identity.folder();
                recovered
                    .findings
                    .push(Finding::of(kind, self.directory, &folder, reason));
                self.adopt(identity, folders.contains(&folder), recovered)?;
            }
        }
        for folder in folders.difference(&seen) {
            self.adopt_folder(folder, recovered)?;
        }
        Ok(())
    }

    fn is_as_known(
        &self,
        state: &PartitionState,
        identity: &LogIdentity,
    ) -> Result<bool, DiskError> {
        let Some(active) = state.segments.last() else {
            return Ok(true);
        };
        let path = identity.file(active.base, names::FileKind::Log);
        Ok(self.disk.len(self.directory, &path)? == Some(u64::from(active.size)))
    }

    /// A directory that comes without a snapshot.
    fn adopt_all(&mut self, recovered: &mut Recovered) -> Result<(), RecoveryError> {
        for folder in self.folders() {
            self.adopt_folder(&folder, recovered)?;
        }
        Ok(())
    }

    fn adopt_folder(&self, folder: &str, recovered: &mut Recovered) -> Result<(), RecoveryError> {
        let Some((topic, index)) = names::parse_partition_folder(folder) else {
            return Ok(());
        };
        let Some(topic_id) = self.owner_of(folder)? else {
            let reason = "no topic id in partition.metadata".to_owned();
            let kind = FindingKind::Stray;
            recovered
                .findings
                .push(Finding::of(kind, self.directory, folder, reason));
            return Ok(());
        };
        let identity = LogIdentity {
            topic_id,
            topic: topic.into(),
            index,
            directory: self.directory,
        };
        self.adopt(identity, true, recovered)
    }

    fn adopt(
        &self,
        identity: LogIdentity,
        exists: bool,
        recovered: &mut Recovered,
    ) -> Result<(), RecoveryError> {
        let key = (identity.topic_id, identity.index);
        if self.fenced.contains(&key) {
            return Ok(());
        }
        let folder = identity.folder();
        self.changed.set(true);
        let starts = self.log_starts()?;
        let start = starts.get(&folder).copied();
        let adopted = Folder::look(self.disk, identity, exists, &self.read_back_left)?.adopt(start);
        match adopted {
            Ok((state, was_cut)) => {
                if was_cut {
                    let reason = format!("cut to end at offset {}", state.end);
                    let kind = FindingKind::Cut;
                    recovered
                        .findings
                        .push(Finding::of(kind, self.directory, &folder, reason));
                }
                recovered.partitions.push(state);
                Ok(())
            }
            Err(trouble) => self.fence(key, &folder, trouble, recovered),
        }
    }

    /// After anything but a clean stop of ours.
    fn replay_all(&mut self, era: u64, recovered: &mut Recovered) -> Result<(), RecoveryError> {
        let folders = self.folders();
        let mut known: BTreeMap<_, PartitionState> = BTreeMap::new();
        for mut state in self.known.take().unwrap_or_default().partitions {
            state.directory = self.directory;
            known.insert((state.topic_id, state.index), state);
        }
        let (disk, directory, boot_id) = (self.disk, self.directory, self.boot_id);
        let listed = std::mem::take(&mut self.listed);
        let mut findings = Vec::new();
        let (this, known_here) = (&*self, &mut known);
        read_journals(
            disk,
            directory,
            &listed,
            era,
            boot_id,
            &mut findings,
            |journal, said| {
                if let Some(sequence) = journal.corrupt_gap() {
                    return Err(RecoveryError::Damaged {
                        path: journal
                            .files
                            .first()
                            .map_or_else(String::new, |f| f.path.clone()),
                        reason: format!("frame {sequence} is missing though it was synced"),
                    });
                }
                let histories = journal.histories();
                this.replay_journal(journal, &histories, known_here, &folders, recovered)?;
                said.extend(lost(journal, directory));
                Ok(())
            },
        )?;
        recovered.findings.append(&mut findings);
        self.listed = listed;
        // Those that no journal speaks of stand as they were when the era began.
        let quiet = History::default();
        let nothing = ShardJournal::silent();
        for (key, state) in known {
            let identity = identity_of(&state);
            if self.is_taken_over(&identity) {
                continue;
            }
            let outcome = replay(Some(point_of(&state)), &quiet, &nothing, &|_| Ok(false))?;
            self.settle(key, identity, Some(&state), &outcome, &folders, recovered)?;
        }
        self.clear_unborn(&folders, recovered)
    }

    fn replay_journal(
        &self,
        journal: &ShardJournal,
        histories: &Histories<'_>,
        known: &mut BTreeMap<(TopicId, PartitionIndex), PartitionState>,
        folders: &BTreeSet<String>,
        recovered: &mut Recovered,
    ) -> Result<(), RecoveryError> {
        for (key, history) in histories {
            let state = known.remove(key);
            let Some(identity) = self.identify(*key, state.as_ref(), history, folders)? else {
                // Opened by a frame that was lost, or dropped before the oldest one.
                continue;
            };
            let vouch = |event: &Event<'_>| fact_holds(self.disk, &identity, event);
            let outcome = replay(state.as_ref().map(point_of), history, journal, &vouch)?;
            if outcome.dropped {
                self.discard_dropped(key.0, &identity.folder(), recovered)?;
                continue;
            }
            match state {
                None => self.take_over(key.0, &identity.folder(), recovered)?,
                Some(_) if self.is_taken_over(&identity) => continue,
                Some(_) => {}
            }
            self.settle(*key, identity, state.as_ref(), &outcome, folders, recovered)?;
        }
        Ok(())
    }

    /// Whose history it is.
    fn identify(
        &self,
        key: (TopicId, PartitionIndex),
        state: Option<&PartitionState>,
        history: &History<'_>,
        folders: &BTreeSet<String>,
    ) -> Result<Option<LogIdentity>, DiskError> {
        if let Some(state) = state {
            return Ok(Some(identity_of(state)));
        }
        match history.topic() {
            Some(topic) => Ok(Some(LogIdentity {
                topic_id: key.0,
                topic: topic.into(),
                index: key.1,
                directory: self.directory,
            })),
            None => self.find_by_id(key, folders),
        }
    }

    fn settle(
        &self,
        key: (TopicId, PartitionIndex),
        identity: LogIdentity,
        known: Option<&PartitionState>,
        outcome: &Replay<'_>,
        folders: &BTreeSet<String>,
        recovered: &mut Recovered,
    ) -> Result<(), RecoveryError> {
        if self.fenced.contains(&key) {
            return Ok(());
        }
        let folder = identity.folder();
        if let Some(reason) = outcome.corrupt.clone() {
            return self.fence(key, &folder, Trouble::Corrupt(reason), recovered);
        }
        if self.discarded.borrow_mut().remove(&folder) {
            // The old one must not come back in place of the new one.
            self.disk.sync_directory(self.directory, "")?;
        }
        let exists = folders.contains(&folder);
        let mut files = Folder::look(self.disk, identity, exists, &self.read_back_left)?;
        let result = files.recover(known, outcome);
        self.changed.set(self.changed.get() || files.is_changed());
        match result {
            Ok(state) => {
                if let Some(first) = outcome.set_aside.first() {
                    let (base, end) = (first.item.base, outcome.end);
                    let count = outcome.set_aside.len();
                    let reason = format!(
                        "{count} journal items from offset {base} on follow a lost write; \
                         the log ends at {end}"
                    );
                    let kind = FindingKind::Cut;
                    recovered
                        .findings
                        .push(Finding::of(kind, self.directory, &folder, reason));
                    self.keep_aside(key, outcome)?;
                }
                recovered.partitions.push(state);
                Ok(())
            }
            Err(trouble) => self.fence(key, &folder, trouble, recovered),
        }
    }

    /// Items behind a loss are kept in a file of their own, whatever they are worth.
    fn keep_aside(
        &self,
        key: (TopicId, PartitionIndex),
        outcome: &Replay<'_>,
    ) -> Result<(), DiskError> {
        let payloads = outcome.set_aside.iter().filter_map(|event| event.payload);
        let bytes: Vec<u8> = payloads.flatten().copied().collect();
        let name = format!("logmill-aside-{}-{}-{}", key.0, key.1, outcome.end);
        self.disk.write_whole(self.directory, &name, &bytes)
    }

    fn fence(
        &self,
        key: (TopicId, PartitionIndex),
        folder: &str,
        trouble: Trouble,
        recovered: &mut Recovered,
    ) -> Result<(), RecoveryError> {
        match trouble {
            Trouble::Disk(error) => Err(error.into()),
            Trouble::Corrupt(reason) => {
                let kind = FindingKind::Fenced;
                recovered
                    .findings
                    .push(Finding::of(kind, self.directory, folder, reason));
                recovered.fenced.push(key);
                Ok(())
            }
        }
    }

    /// Writes the new snapshot and retires what came before it. The number for the next journal
    /// file's name.
    fn begin_era(
        &self,
        era: u64,
        partitions: Vec<PartitionState>,
        keep_journals: bool,
    ) -> Result<u64, RecoveryError> {
        let (disk, directory) = (self.disk, self.directory);
        // The clean mark goes first: from here on a crash must lead through recovery.
        if self.has_marker {
            disk.remove(directory, names::CLEAN_SHUTDOWN)?;
            disk.sync_directory(directory, "")?;
        }
        let snapshot = Snapshot {
            era,
            clean: false,
            partitions,
            fenced: self.fenced.iter().copied().collect(),
        };
        disk.write_whole(directory, SNAPSHOT_FILE, &snapshot.encode()?)?;
        let mut next_name = 1;
        for entry in &self.listed {
            match parse_journal_name(&entry.name) {
                Some((_, number)) => next_name = next_name.max(number + 1),
                None if CopyName::is_copy(&entry.name) => {}
                None => continue,
            }
            if keep_journals {
                // Every byte that belongs to a fenced partition stays.
                let kept = format!("logmill-fenced-{era}-{}", entry.name);
                disk.rename(directory, &entry.name, &kept)?;
            } else {
                disk.remove(directory, &entry.name)?;
            }
        }
        disk.sync_directory(directory, "")?;
        Ok(next_name)
    }

    fn folders(&self) -> BTreeSet<String> {
        let folders = self.listed.iter().filter(|entry| entry.is_directory);
        folders.map(|entry| entry.name.clone()).collect()
    }
}

fn lost(journal: &ShardJournal, directory: DirectoryIndex) -> Option<Finding> {
    let first = journal.missing.first()?;
    let count = journal.missing.len();
    let reason = format!("{count} unsynced frames from {first} on were lost");
    let path = journal.files.first().map_or("", |file| &file.path);
    Some(Finding::of(
        FindingKind::FramesLost,
        directory,
        path,
        reason,
    ))
}

fn identity_of(state: &PartitionState) -> LogIdentity {
    LogIdentity {
        topic_id: state.topic_id,
        topic: state.topic.as_str().into(),
        index: state.index,
        directory: state.directory,
    }
}

/// Where a level log ends in its segments.
fn point_of(state: &PartitionState) -> Point {
    let active = state.segments.last();
    Point {
        offset: state.end,
        segment_base: active.map_or(state.end, |segment| segment.base),
        position: active.map_or(0, |segment| u64::from(segment.size)),
    }
}

/// About 300 bytes a partition: three million of them.
const SNAPSHOT_BYTES_MAX: u64 = 1 << 30;
