//! Data directories: made, locked, and told apart by `meta.properties`.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use logmill_engine::base::DirectoryIndex;
use logmill_engine::disk::BlockingDisk;
use logmill_engine::io::{DirectoryLock, Files, LogDirectories};
use logmill_wire::Uuid;

use crate::start::error::StartError;

/// The directories of this process, locked for as long as `log` or a clone of it lives.
#[derive(Debug)]
pub struct DataDirectories {
    /// Their absolute paths, in the order of `log.dirs`.
    pub paths: Vec<PathBuf>,
    /// What the engine knows of them, and their locks.
    pub log: LogDirectories,
    /// The cluster's id.
    pub cluster_id: Uuid,
    /// The id of each.
    pub ids: Vec<Uuid>,
    /// Whether this start made the cluster.
    pub is_new: bool,
}

impl DataDirectories {
    /// Makes what is missing, locks all, and reads or writes their identity. `new_id` makes ids.
    ///
    /// # Errors
    /// A directory that cannot be used, is another process's, or belongs elsewhere.
    pub fn open(
        configured: &[PathBuf],
        node_id: i32,
        mut new_id: impl FnMut() -> Uuid,
    ) -> Result<Self, StartError> {
        let mut paths = Vec::with_capacity(configured.len());
        let mut locks = Vec::with_capacity(configured.len());
        for path in configured {
            let failed = |source| StartError::Directory {
                path: path.clone(),
                source,
            };
            fs::create_dir_all(path).map_err(failed)?;
            let path = fs::canonicalize(path).map_err(failed)?;
            locks.push(lock(&path)?);
            paths.push(path);
        }
        let log = LogDirectories::probe(&paths).map_err(|source| StartError::Directory {
            path: paths[0].clone(),
            source,
        })?;
        let log = log.with_locks(locks);
        let files = Files::new(log.clone());
        let known: Vec<Option<Identity>> = (0..)
            .zip(&paths)
            .map(|(at, path)| read_identity(&files, DirectoryIndex(at), path, node_id))
            .collect::<Result<_, _>>()?;
        let cluster_id = common_cluster(&paths, &known)?;
        let is_new = cluster_id.is_none();
        let cluster_id = cluster_id.unwrap_or_else(&mut new_id);
        let mut ids: Vec<Uuid> = Vec::with_capacity(paths.len());
        for ((at, path), known) in (0..).zip(&paths).zip(known) {
            let id = match known {
                Some(identity) => identity.directory_id,
                None => {
                    let id = new_id();
                    let text = identity_text(cluster_id, node_id, id);
                    files.write_whole(DirectoryIndex(at), META_PROPERTIES, text.as_bytes())?;
                    id
                }
            };
            if ids.contains(&id) {
                let what = format!("the directory.id {id} is another directory's: a copy?");
                return Err(StartError::Identity {
                    path: path.join(META_PROPERTIES),
                    what,
                });
            }
            ids.push(id);
        }
        Ok(Self {
            paths,
            log,
            cluster_id,
            ids,
            is_new,
        })
    }
}

/// What `meta.properties` says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Identity {
    cluster_id: Uuid,
    directory_id: Uuid,
}

/// The lock is gone when the process is, however it ends, and its last write has ended.
fn lock(path: &Path) -> Result<DirectoryLock, StartError> {
    match DirectoryLock::take(path, LOCK_PATIENCE) {
        Ok(Some(lock)) => Ok(lock),
        Ok(None) => Err(StartError::Locked {
            path: path.to_owned(),
        }),
        Err(source) => Err(StartError::Directory {
            path: path.to_owned(),
            source,
        }),
    }
}

fn read_identity(
    files: &Files,
    at: DirectoryIndex,
    path: &Path,
    node_id: i32,
) -> Result<Option<Identity>, StartError> {
    let Some(bytes) = files.read_whole(at, META_PROPERTIES, META_PROPERTIES_MAX)? else {
        return Ok(None);
    };
    let wrong = |what: String| StartError::Identity {
        path: path.join(META_PROPERTIES),
        what,
    };
    let values = java_properties::read(&bytes[..])
        .map_err(|error| wrong(format!("it cannot be read: {error}")))?;
    let values: BTreeMap<String, String> = values.into_iter().collect();
    let value = |name: &str| {
        values
            .get(name)
            .map(|v| v.trim())
            .ok_or_else(|| wrong(format!("{name} is missing")))
    };
    let id = |name: &str| {
        let text = value(name)?;
        text.parse::<Uuid>()
            .map_err(|_| wrong(format!("{name}={text} is not an id")))
    };
    if value("version")? != "1" {
        return Err(wrong(format!("version {} is not known", value("version")?)));
    }
    let owner = value("node.id")?;
    if owner != node_id.to_string() {
        let what =
            format!("the data belongs to node {owner}: set node.id={owner}, or other log.dirs");
        return Err(wrong(what));
    }
    Ok(Some(Identity {
        cluster_id: id("cluster.id")?,
        directory_id: id("directory.id")?,
    }))
}

fn common_cluster(
    paths: &[PathBuf],
    known: &[Option<Identity>],
) -> Result<Option<Uuid>, StartError> {
    let mut common = None;
    for (path, identity) in paths.iter().zip(known) {
        let Some(identity) = identity else { continue };
        match common {
            Some(cluster) if cluster != identity.cluster_id => {
                let what = format!(
                    "its cluster.id is {} and that of {} is {cluster}: they do not belong together",
                    identity.cluster_id,
                    paths[0].display()
                );
                return Err(StartError::Identity {
                    path: path.join(META_PROPERTIES),
                    what,
                });
            }
            _ => common = Some(identity.cluster_id),
        }
    }
    Ok(common)
}

fn identity_text(cluster: Uuid, node_id: i32, directory: Uuid) -> String {
    format!("version=1\ncluster.id={cluster}\nnode.id={node_id}\ndirectory.id={directory}\n")
}

const META_PROPERTIES: &str = "meta.properties";
/// How long a process that was killed may take to end, and its writes.
const LOCK_PATIENCE: Duration = Duration::from_secs(3);

/// It has four short lines.
const META_PROPERTIES_MAX: u64 = 64 * 1024;

#[cfg(test)]
mod tests;
