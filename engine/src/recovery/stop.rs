//! The last step of a clean stop, when all shards have stopped.

use super::{RecoveryError, Snapshot, snapshot::SNAPSHOT_FILE};
use crate::{
    base::{DirectoryIndex, Offset, PartitionIndex, TopicId},
    disk::BlockingDisk,
    format::{checkpoint, names},
    log::PartitionState,
};

/// Writes what the next start, ours or Kafka's, finds after a clean stop: snapshot, Kafka's
/// checkpoints, and last of all the mark. `partitions` are all of every shard, `fenced` and `eras`
/// those that recovery gave; directories without an era did not end level or failed, and are left
/// for recovery. The journals stay until the next start retires them.
pub fn finish_stop(
    disk: &dyn BlockingDisk,
    partitions: Vec<PartitionState>,
    fenced: &[(TopicId, PartitionIndex)],
    eras: &[Option<u64>],
) -> Result<(), RecoveryError> {
    let mut by_directory: Vec<Vec<PartitionState>> = vec![Vec::new(); eras.len()];
    for state in partitions {
        by_directory[usize::from(state.directory.0)].push(state);
    }
    for (index, partitions) in by_directory.into_iter().enumerate() {
        let directory = DirectoryIndex(index as u16);
        let Some(era) = eras[index] else { continue };
        write_checkpoints(disk, directory, &partitions)?;
        // The shards' last writes of indexes and lengths were not synced one by one.
        disk.sync_all(directory)?;
        let snapshot = Snapshot {
            era: era + 1,
            clean: true,
            partitions,
            fenced: fenced.to_vec(),
        };
        disk.write_whole(directory, SNAPSHOT_FILE, &snapshot.encode()?)?;
        disk.write_whole(directory, names::CLEAN_SHUTDOWN, CLEAN_MARK.as_bytes())?;
    }
    Ok(())
}

/// Which of a partition's offsets a checkpoint file holds.
type CheckpointValue = fn(&PartitionState) -> Offset;

fn write_checkpoints(
    disk: &dyn BlockingDisk,
    directory: DirectoryIndex,
    partitions: &[PartitionState],
) -> Result<(), RecoveryError> {
    let files: [(&str, CheckpointValue); 3] = [
        ("recovery-point-offset-checkpoint", |state| state.end),
        (names::LOG_START_CHECKPOINT, |state| state.log_start),
        ("replication-offset-checkpoint", |state| state.end),
    ];
    for (name, value) in files {
        let lines = partitions
            .iter()
            .map(|state| (&*state.topic, state.index, value(state)));
        let text = checkpoint::encode_offsets(lines);
        disk.write_whole(directory, name, text.as_bytes())?;
    }
    Ok(())
}

/// `.kafka_cleanshutdown`, as `CleanShutdownFileHandler` writes it.
const CLEAN_MARK: &str = "{\"version\":0,\"brokerEpoch\":-1}";
