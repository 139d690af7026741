//! What recovery has to say.

use std::fmt;

use crate::base::DirectoryIndex;

/// Something that recovery found and the operator should know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What kind of thing.
    pub kind: FindingKind,
    /// In which log directory.
    pub directory: DirectoryIndex,
    /// In which file or folder of it.
    pub path: String,
    /// What exactly.
    pub reason: String,
}

/// Kinds of findings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FindingKind {
    /// A partition lost unsynced records in a crash of the machine, and was cut.
    Cut,
    /// Unsynced frames of a journal were lost in a crash of the machine.
    FramesLost,
    /// A partition is damaged in a way that no crash explains: it is not opened, nothing of it was
    /// changed.
    Fenced,
    /// A log directory cannot be used: its partitions are not opened.
    DirectoryFailed,
    /// A partition was read from its segments, since the snapshot did not fit them.
    Scanned,
    /// A folder looks like a partition's, and does not say whose, or says one that is not known.
    Stray,
    /// A journal file could not be read and was not needed.
    JournalSkipped,
    /// The snapshot could not be read; the segments were.
    SnapshotSkipped,
}

impl Finding {
    pub(super) fn of(
        kind: FindingKind,
        directory: DirectoryIndex,
        path: &str,
        reason: String,
    ) -> Self {
        Self {
            kind,
            directory,
            path: path.to_owned(),
            reason,
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.kind {
            FindingKind::Cut => "cut after a crash",
            FindingKind::FramesLost => "unsynced writes were lost",
            FindingKind::Fenced => "damaged, not opened",
            FindingKind::DirectoryFailed => "THE DIRECTORY IS NOT USED",
            FindingKind::Scanned => "read from its segments",
            FindingKind::Stray => "stray folder",
            FindingKind::JournalSkipped => "journal file skipped",
            FindingKind::SnapshotSkipped => "snapshot skipped",
        };
        let (directory, reason) = (self.directory, &self.reason);
        match self.path.as_str() {
            "" => write!(formatter, "log directory {directory}: {kind}: {reason}"),
            path => write!(
                formatter,
                "log directory {directory}, {path}: {kind}: {reason}"
            ),
        }
    }
}
