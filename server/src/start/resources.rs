//! What the system gives this process: descriptors, cores, a name.

use std::{fs, io};

use logmill_tuning::host::Host;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::config::{Config, MemoryPlan};
use crate::start::error::StartError;

/// How descriptors are shared out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Descriptors {
    /// Files that may be kept open.
    pub files: u32,
    /// Connections that may be held.
    pub connections: u32,
    /// Connections that there is room for, in descriptors and in memory.
    pub connections_max: u32,
    /// What the process may have in all.
    pub allowed: u64,
}

/// The name of this machine, for listeners that are bound to every address.
#[must_use]
pub fn host_name() -> String {
    rustix::system::uname()
        .nodename()
        .to_string_lossy()
        .into_owned()
}

/// The running boot of the kernel: what was written in it and completed was not lost since.
///
/// # Errors
/// A kernel that does not tell.
pub fn boot_id() -> Result<[u8; 16], StartError> {
    const PATH: &str = "/proc/sys/kernel/random/boot_id";
    let failed = |source| StartError::Kernel { path: PATH, source };
    let text = fs::read_to_string(PATH).map_err(failed)?;
    let id = uuid::Uuid::parse_str(text.trim())
        .map_err(|error| failed(io::Error::new(io::ErrorKind::InvalidData, error)))?;
    Ok(id.into_bytes())
}

/// Cores for the shards: as many as were asked for, or all that may be used. More shards than
/// cores share them.
#[must_use]
pub fn cores(host: &Host, shards: u16) -> Vec<u32> {
    let count = if shards == 0 {
        host.cores_usable()
    } else {
        usize::from(shards)
    };
    host.processors
        .iter()
        .copied()
        .cycle()
        .take(count.min(usize::from(u16::MAX)))
        .collect()
}

/// Raises the limit on descriptors as far as this process may, and returns it.
#[must_use]
pub fn raise_descriptor_limit() -> u64 {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: limit.maximum,
        maximum: limit.maximum,
    };
    // A refusal leaves the limit that there is.
    let _ = setrlimit(Resource::Nofile, raised);
    getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX)
}

/// Shares `allowed` descriptors between files and connections. A number of connections that was
/// written down is kept or refused, the default is lowered.
///
/// # Errors
/// When what was asked for does not fit.
pub fn share_descriptors(
    config: &Config,
    plan: &MemoryPlan,
    allowed: u64,
) -> Result<Descriptors, StartError> {
    let own = OWN + OWN_PER_SHARD * u64::from(plan.shards);
    let files = config
        .open_files_max
        .map_or(FILES_DEFAULT.min(allowed / 8), u64::from);
    let needed = own + files + u64::from(plan.connections_max);
    let connections = if needed <= allowed {
        u64::from(plan.connections_max)
    } else if config.memory.connections.is_some() || own + files + CONNECTIONS_MIN > allowed {
        return Err(StartError::Descriptors { needed, allowed });
    } else {
        allowed - own - files
    };
    let narrow = |count: u64| u32::try_from(count).unwrap_or(u32::MAX);
    Ok(Descriptors {
        files: narrow(files),
        connections: narrow(connections),
        connections_max: narrow(allowed - own - files).min(plan.connections_fit()),
        allowed,
    })
}

/// Locks, standard streams, signals.
const OWN: u64 = 64;
/// Ring, eventfd, executor, listeners and journals of a shard.
const OWN_PER_SHARD: u64 = 32;
/// Files kept open where nothing is set and descriptors are plenty.
const FILES_DEFAULT: u64 = 2048;
/// A broker that cannot hold so many is of no use.
const CONNECTIONS_MIN: u64 = 16;

#[cfg(test)]
mod tests {
    use super::*;

    fn share(text: &str, allowed: u64) -> Result<Descriptors, StartError> {
        let config = Config::load(Some(text), &[]).unwrap().config;
        let plan = MemoryPlan::new(&config, 24 << 30, 2).unwrap();
        share_descriptors(&config, &plan, allowed)
    }

    #[test]
    fn default_connections_are_lowered_to_what_fits() {
        let plenty = share("", 20_000).unwrap();
        assert_eq!((plenty.files, plenty.connections), (2048, 16_384));
        let few = share("", 1024).unwrap();
        assert_eq!((few.files, few.connections), (128, 768));
    }

    #[test]
    fn what_was_asked_for_is_kept_or_refused() {
        assert_eq!(share("max.connections=500", 1024).unwrap().connections, 500);
        let error = share("max.connections=5000", 1024).unwrap_err().to_string();
        assert!(error.contains("ulimit -n 5256"), "{error}");
        assert!(share("logmill.open.files.max=2000", 1024).is_err());
    }
}
