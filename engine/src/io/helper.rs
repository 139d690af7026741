//! The helper thread of a shard: names, lengths, directories, cold reads.

use std::{
    io,
    os::{
        fd::{AsFd, OwnedFd},
        unix::fs::FileExt,
    },
    sync::{
        Arc,
        mpsc::{self, Receiver, Sender},
    },
    thread::{self, JoinHandle},
};

use super::{
    directory::{LogDirectories, failed},
    files::Files,
};
use crate::{
    disk::{BlockingDisk, ControlOp, DiskError, DiskErrorKind, FileName, OpKey, parent_of},
    sys,
};

/// Work that may block, with its key.
pub(super) enum Job {
    Control(OpKey, ControlOp),
    /// A file whose name is not in memory is opened.
    Open {
        key: OpKey,
        file: FileName,
        direct: bool,
    },
    ReadAhead {
        key: OpKey,
        file: Arc<OwnedFd>,
        path: String,
        position: u64,
        len: u64,
    },
}

/// The end of a job; a descriptor if it was to open one.
pub(super) type Done = (OpKey, Result<Option<OwnedFd>, DiskError>);

/// A thread that runs jobs in the order they come and rings a bell after each. Dropping it
/// lets queued jobs finish.
pub(super) struct Helper {
    jobs: Option<Sender<Job>>,
    done: Receiver<Done>,
    thread: Option<JoinHandle<()>>,
}

impl Helper {
    pub(super) fn start(directories: LogDirectories, bell: Arc<OwnedFd>) -> io::Result<Self> {
        let (jobs, incoming) = mpsc::channel();
        let (report, done) = mpsc::channel();
        let files = Files::new(directories);
        let thread = thread::Builder::new()
            .name("disk-helper".to_owned())
            .spawn(move || {
                for job in incoming {
                    let answer = run(&files, job);
                    // The shard may be gone already; the work itself is done.
                    let _ = report.send(answer);
                    sys::file::signal(bell.as_fd());
                }
            })?;
        Ok(Self {
            jobs: Some(jobs),
            done,
            thread: Some(thread),
        })
    }

    pub(super) fn send(&self, job: Job) {
        let jobs = self
            .jobs
            .as_ref()
            .expect("the helper runs until it is dropped");
        jobs.send(job)
            .expect("the helper's thread ends only with its sender");
    }

    pub(super) fn next_done(&self) -> Option<Done> {
        self.done.try_recv().ok()
    }
}

impl Drop for Helper {
    fn drop(&mut self) {
        self.jobs = None;
        if let Some(thread) = self.thread.take() {
            // A panic of the helper was reported by its own thread.
            let _ = thread.join();
        }
    }
}

fn run(files: &Files, job: Job) -> Done {
    match job {
        Job::Control(key, op) => (key, control(files, op, true).map(|()| None)),
        Job::Open { key, file, direct } => {
            let directories = files.directories();
            let opened = directories.open(file.directory(), file.path(), direct);
            (key, opened.map(|opened| Some(OwnedFd::from(opened))))
        }
        Job::ReadAhead {
            key,
            file,
            path,
            position,
            len,
        } => (
            key,
            read_ahead(&file, position, len)
                .map(|()| None)
                .map_err(|e| failed(&e, "read ahead", &path)),
        ),
    }
}

/// Carries a control operation out; durably, as it says, unless `is_durable` forbids that.
fn control(files: &Files, op: ControlOp, is_durable: bool) -> Result<(), DiskError> {
    let sync = |directory, path: &str| match is_durable {
        true => files.sync(directory, path),
        false => Ok(()),
    };
    match op {
        ControlOp::CreateDirectory { directory, path } => files.create_directory(directory, &path),
        ControlOp::ClaimFolder {
            directory,
            path,
            sign,
        } => files.claim_folder(directory, &path, (sign.0, &sign.1), is_durable),
        ControlOp::CreateFile { file } => files.create_file(file.directory(), file.path()),
        ControlOp::CreateZeroed { file, len } => {
            let (directory, path) = (file.directory(), file.path());
            files.create_file(directory, path)?;
            let opened = files.directories().open(directory, path, false)?;
            zero(&opened, len).map_err(|error| failed(&error, "zero", path))?;
            files.sync_directory(directory, parent_of(path))
        }
        ControlOp::Truncate { file, len } => {
            files.truncate(file.directory(), file.path(), len)?;
            sync(file.directory(), file.path())
        }
        ControlOp::Rename {
            directory,
            from,
            to,
        } => match files.rename(directory, &from, &to) {
            Err(error) if error.kind == DiskErrorKind::NotFound => Ok(()),
            result => result,
        },
        ControlOp::Remove { file } => files.remove(file.directory(), file.path()),
        ControlOp::RemoveTree { directory, path } => files.remove_tree(directory, &path),
        ControlOp::SyncDirectory { directory, path } if is_durable => {
            files.sync_directory(directory, &path)
        }
        ControlOp::SyncDirectory { .. } => Ok(()),
        ControlOp::SyncAll { directory } => files.sync_all(directory),
        ControlOp::WriteWhole {
            directory,
            path,
            bytes,
        } if is_durable => files.write_whole(directory, &path, &bytes),
        ControlOp::WriteWhole {
            directory,
            path,
            bytes,
        } => files.write_whole_unsynced(directory, &path, &bytes),
        ControlOp::Patch {
            file,
            position,
            bytes,
            len,
        } => {
            let (directory, path) = (file.directory(), file.path());
            files.patch(directory, path, position, &bytes, len)?;
            sync(directory, path)
        }
        ControlOp::Work(work) => work.run(files),
        ControlOp::Unsynced(ops) => ops.into_iter().try_for_each(|op| control(files, op, false)),
        ControlOp::Sequence(ops) => ops
            .into_iter()
            .try_for_each(|op| control(files, op, is_durable)),
    }
}

/// Fills a file with zeros: written, so that later writes change no metadata, and synced step by
/// step, because whoever syncs another file meanwhile waits for all that is dirty (ext4's ordered
/// data).
fn zero(file: &std::fs::File, len: u64) -> io::Result<()> {
    let zeros = vec![0; ZERO_STEP];
    let mut position = 0;
    while position < len {
        let step = (len - position).min(ZERO_STEP as u64) as usize;
        file.write_all_at(&zeros[..step], position)?;
        file.sync_data()?;
        position += step as u64;
    }
    file.set_len(len)?;
    file.sync_all()
}

/// Starts the reads of a range, then waits for its ends and some bytes between.
fn read_ahead(file: &Arc<OwnedFd>, position: u64, len: u64) -> io::Result<()> {
    sys::file::will_need(file.as_fd(), position, len);
    let file = std::fs::File::from(file.try_clone()?);
    let mut byte = [0];
    let mut at = position;
    while at < position + len {
        file.read_at(&mut byte, at)?;
        at += READ_AHEAD_STEP;
    }
    file.read_at(&mut byte, (position + len).saturating_sub(1))
        .map(drop)
}

const ZERO_STEP: usize = 256 << 10;
const READ_AHEAD_STEP: u64 = 64 * 1024;
