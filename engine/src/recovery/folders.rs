//! Whose folders are whose: topics come and go under the same names, and folders of deleted
//! partitions stay for a while.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    DirectoryJob, Finding, FindingKind, Recovered, RecoveryError, SNAPSHOT_BYTES_MAX, identity_of,
};
use crate::{
    base::{Offset, PartitionIndex, TopicId},
    disk::{DirectoryPath, DiskError, Listed},
    format::{
        checkpoint,
        names::{self, FileKind},
    },
    log::{LogIdentity, PartitionState},
};

impl DirectoryJob<'_> {
    /// Folders of partitions that were deleted, and whose time to go had not come. They may hold
    /// much, and nobody waits for them to go: a store removes them.
    pub(super) fn take_deleted(&mut self, deleted: &mut Vec<DirectoryPath>) {
        let directory = self.directory;
        let is_deleted =
            |entry: &mut Listed| entry.is_directory && names::is_deleted_folder(&entry.name);
        let folders = self.listed.extract_if(.., is_deleted);
        deleted.extend(folders.map(|entry| DirectoryPath {
            directory,
            path: entry.name,
        }));
    }

    /// Takes segments off a log that hold nothing at or behind its start, from the oldest on. They
    /// were on their way out, and a power cut may have left some of their files without the others.
    pub(super) fn drop_expired(&self, state: &mut PartitionState) -> Result<(), DiskError> {
        let identity = identity_of(state);
        while let Some(first) = state.segments.first() {
            let next = state.segments.get(1).map_or(state.end, |next| next.base);
            // Should this recovery be cut short, the next one knows from there what producers did.
            let snapshot = identity.file(next, FileKind::Snapshot);
            let is_expired = first.end <= state.log_start && next <= state.end;
            if !is_expired || self.disk.len(self.directory, &snapshot)?.is_none() {
                break;
            }
            self.changed.set(true);
            for kind in FileKind::ALL {
                let file = identity.file(first.base, kind);
                self.disk.remove(self.directory, &file)?;
            }
            state.segments.remove(0);
        }
        Ok(())
    }

    /// Where logs start, by folder, as `log-start-offset-checkpoint` says; it is only a hint.
    pub(super) fn log_starts(&self) -> Result<&BTreeMap<String, Offset>, DiskError> {
        if let Some(known) = self.log_starts.get() {
            return Ok(known);
        }
        let name = names::LOG_START_CHECKPOINT;
        let bytes = self
            .disk
            .read_whole(self.directory, name, SNAPSHOT_BYTES_MAX)?;
        let text = String::from_utf8(bytes.unwrap_or_default()).unwrap_or_default();
        let lines = checkpoint::decode_offsets(&text).unwrap_or_default();
        let by_folder = |(topic, index, start): (String, PartitionIndex, Offset)| {
            (names::partition_folder(&topic, index), start)
        };
        Ok(self
            .log_starts
            .get_or_init(|| lines.into_iter().map(by_folder).collect()))
    }

    /// Discards the folder of a dropped partition, unless its topic's name was taken anew.
    pub(super) fn discard_dropped(
        &self,
        id: TopicId,
        folder: &str,
        recovered: &mut Recovered,
    ) -> Result<(), DiskError> {
        match self.owner_of(folder)? {
            Some(owner) if owner != id => Ok(()),
            Some(owner) => self.discard(owner, folder, recovered),
            None => self.disk.remove_tree(self.directory, folder),
        }
    }

    /// Renames a deleted partition's folder, as a store does; its files may be large, and go when
    /// there is time.
    fn discard(
        &self,
        owner: TopicId,
        folder: &str,
        recovered: &mut Recovered,
    ) -> Result<(), DiskError> {
        self.changed.set(true);
        let Some((topic, index)) = names::parse_partition_folder(folder) else {
            return self.disk.remove_tree(self.directory, folder);
        };
        let path = names::deleted_folder(topic, index, owner);
        self.disk.remove_tree(self.directory, &path)?;
        self.disk.rename(self.directory, folder, &path)?;
        self.discarded.borrow_mut().insert(folder.to_owned());
        let directory = self.directory;
        let deleted = &mut recovered.deleted;
        deleted.retain(|it| it.directory != directory || it.path != path);
        deleted.push(DirectoryPath { directory, path });
        Ok(())
    }

    /// Prepares the folder of a partition that the era saw open: its name may have been another's,
    /// which was dropped, though no journal may say so yet. Whoever was recovered into it is gone.
    pub(super) fn take_over(
        &self,
        id: TopicId,
        folder: &str,
        recovered: &mut Recovered,
    ) -> Result<(), DiskError> {
        let Some(owner) = self.owner_of(folder)?.filter(|owner| *owner != id) else {
            return Ok(());
        };
        self.discard(owner, folder, recovered)?;
        self.taken_over.borrow_mut().insert(folder.to_owned());
        let is_here = |state: &PartitionState| {
            state.directory == self.directory && identity_of(state).folder() == folder
        };
        recovered.partitions.retain(|state| !is_here(state));
        Ok(())
    }

    /// Takes folders out of the way of namesakes that were made for partitions of whose beginning
    /// the journal does not know: nothing in them was acknowledged. Those that hold records are
    /// renamed, as Kafka renames strays, and said.
    pub(super) fn clear_unborn(
        &self,
        folders: &BTreeSet<String>,
        recovered: &mut Recovered,
    ) -> Result<(), RecoveryError> {
        let here = recovered.partitions.iter().map(identity_of);
        let here = here.filter(|identity| identity.directory == self.directory);
        let lived_in: BTreeSet<String> = here.map(|identity| identity.folder()).collect();
        for folder in folders.difference(&lived_in) {
            let Some((topic, index)) = names::parse_partition_folder(folder) else {
                continue;
            };
            let Some(owner) = self.owner_of(folder)? else {
                continue;
            };
            let id = (owner, index);
            if self.fenced.contains(&id) || recovered.fenced.contains(&id) {
                continue;
            }
            let inside = self.disk.list(self.directory, folder)?;
            self.changed.set(true);
            if inside.iter().all(|it| it.name == names::PARTITION_METADATA) {
                self.disk.remove_tree(self.directory, folder)?;
                continue;
            }
            let to = names::stray_folder(topic, index, owner);
            self.disk.rename(self.directory, folder, &to)?;
            let reason = format!("no journal knows of its partition; it is called {to} now");
            let stray = Finding::of(FindingKind::Stray, self.directory, folder, reason);
            recovered.findings.push(stray);
        }
        Ok(())
    }

    /// The topic that a folder says it belongs to.
    pub(super) fn owner_of(&self, folder: &str) -> Result<Option<TopicId>, DiskError> {
        let path = format!("{folder}/{}", names::PARTITION_METADATA);
        let text = self.disk.read_whole(self.directory, &path, 4096)?;
        let text = text.unwrap_or_default();
        Ok(checkpoint::decode_partition_metadata(&String::from_utf8_lossy(&text)).ok())
    }

    /// Whether a partition's name was taken anew, so that it must have been dropped.
    pub(super) fn is_taken_over(&self, identity: &LogIdentity) -> bool {
        let taken = self.taken_over.borrow();
        !taken.is_empty() && taken.contains(&identity.folder())
    }

    /// A partition whose `Open` item is gone with its journal file: its folder says who it is.
    pub(super) fn find_by_id(
        &self,
        key: (TopicId, PartitionIndex),
        folders: &BTreeSet<String>,
    ) -> Result<Option<LogIdentity>, DiskError> {
        for folder in folders {
            let Some((topic, index)) = names::parse_partition_folder(folder) else {
                continue;
            };
            if index != key.1 {
                continue;
            }
            if self.owner_of(folder)? == Some(key.0) {
                let (topic_id, topic) = (key.0, topic.into());
                let directory = self.directory;
                return Ok(Some(LogIdentity {
                    topic_id,
                    topic,
                    index,
                    directory,
                }));
            }
        }
        Ok(None)
    }
}
