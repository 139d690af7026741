//! The real driver: one glommio executor per core, its sockets, the disk's ring, signals.
//!
//! Everything that names an executor, a descriptor or a system call in the server is here; what
//! happens to bytes is decided in [`crate::shard`].

mod driver;
mod egress;
mod gate;
mod log_lines;
mod mailboxes;
mod scribe;
mod signals;
mod sockets;
mod sys;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::time::Instant;

use glommio::{ExecutorJoinHandle, LocalExecutorBuilder, Placement};
use logmill_engine::base::{Now, ShardId};
use logmill_engine::io::{LogDirectories, Ring, RingOptions};
use logmill_engine::log::PartitionState;

use self::driver::{Common, Driver};
use self::gate::Gate;
use self::mailboxes::Mailboxes;
use crate::config::{Config, FetchPath};
use crate::shard::Shard;

use self::gate::GateLimits;

/// Builds a shard on its own thread.
pub type ShardSeed = Box<dyn FnOnce(Now) -> Result<Shard, String> + Send>;

/// Told the addresses, once, when every shard accepts.
pub type Ready = Box<dyn FnOnce(&[SocketAddr]) + Send>;

/// What the shards run with.
pub struct Plan {
    /// The shards, in their order.
    pub shards: Vec<ShardSeed>,
    /// Where the shards' files are.
    pub directories: LogDirectories,
    /// Sizes of each shard's ring.
    pub ring: RingOptions,
    /// Addresses to accept on; a port of 0 is chosen by the kernel.
    pub listeners: Vec<SocketAddr>,
    /// How many connections there may be.
    pub gate: GatePlan,
    /// What sockets are like.
    pub sockets: SocketOptions,
    /// The core of each shard, if they are pinned.
    pub cores: Option<Vec<u32>>,
    /// Called once, when every shard accepts, with the addresses.
    pub ready: Ready,
    /// Dropped when all shards have ended: the locks of the data directories, for one.
    pub keep: Box<dyn std::any::Any>,
}

/// How many connections there may be, now and with another configuration.
#[derive(Clone, Debug)]
pub struct GatePlan {
    /// The configuration that the broker starts with.
    pub start: Arc<Config>,
    /// Connections in all, of that which the start allows.
    pub connections: u32,
    /// Connections that there is room for, whatever the configuration says.
    pub connections_max: u32,
}

impl GatePlan {
    fn limits(&self, config: &Config) -> GateLimits {
        let limits = &config.limits;
        let connections = match limits.connections == self.start.limits.connections {
            true => self.connections,
            false => limits.connections.min(self.connections_max),
        };
        GateLimits {
            connections,
            per_address: limits.connections_per_address,
            overrides: limits.connections_per_address_overrides.clone(),
            per_second: limits.connection_creation_rate,
        }
    }
}

/// What sockets are like.
#[derive(Clone, Copy, Debug)]
pub struct SocketOptions {
    /// `socket.send.buffer.bytes`; `None` leaves the kernel's choice.
    pub send_buffer: Option<u32>,
    /// `socket.receive.buffer.bytes`; `None` leaves the kernel's choice.
    pub receive_buffer: Option<u32>,
    /// `socket.listen.backlog.size`.
    pub backlog: u32,
    /// `fetch.path`.
    pub fetch_path: FetchPath,
}

/// Why the shards cannot run.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// An address cannot be listened on.
    #[error("cannot listen on {address}: {error}; choose another with --set listeners=...")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why.
        error: io::Error,
    },
    /// Too little lockable memory for the rings.
    #[error(
        "each shard needs {MEMLOCK_BYTES_MIN} bytes of lockable memory for its rings, the limit is \
         {limit}; raise it with `ulimit -l unlimited`, or LimitMEMLOCK=infinity in the unit file"
    )]
    Memlock {
        /// The limit.
        limit: u64,
    },
    /// A system call failed.
    #[error("{what}: {error}")]
    System {
        /// What was tried.
        what: &'static str,
        /// Why it failed.
        error: io::Error,
    },
    /// A shard's executor failed to start.
    #[error("shard {shard} cannot start: {reason}")]
    Start {
        /// Which.
        shard: u16,
        /// Why.
        reason: String,
    },
    /// A shard ended while it ran.
    #[error("shard {shard} failed: {reason}")]
    Shard {
        /// Which.
        shard: u16,
        /// Why.
        reason: String,
    },
}

/// What a shard leaves behind after a clean stop.
#[derive(Debug)]
pub struct StoppedShard {
    /// Its partitions, as they stand in their segments.
    pub partitions: Vec<PartitionState>,
    /// Of which log directories all of them do, so that the stop counts as clean there.
    pub level: Vec<bool>,
}

/// Runs the shards until a signal asks for the end; gives what each leaves behind.
///
/// # Errors
/// Shards that cannot start, or one that failed while it ran.
pub fn run(plan: Plan) -> Result<Vec<StoppedShard>, RunError> {
    check_memlock()?;
    let count = plan.shards.len();
    let common = Arc::new(Common {
        stop: AtomicBool::new(false),
        open: AtomicBool::new(false),
        drained: AtomicUsize::new(0),
        shards: count,
        gate: Gate::new(plan.gate.limits(&plan.gate.start), Instant::now()),
        gate_plan: plan.gate,
        origin: Instant::now(),
    });
    let (addresses, mut listeners) = listen(&plan.listeners, count, plan.sockets.backlog)?;
    let mut mailboxes = Mailboxes::between(count);
    let bells: Vec<_> = mailboxes.iter().map(|end| Arc::clone(end.bell())).collect();
    signals::watch(Arc::clone(&common), bells.clone()).map_err(|error| RunError::System {
        what: "cannot watch for signals",
        error,
    })?;
    let (started, starts) = channel();
    let mut handles = Vec::with_capacity(count);
    for (number, seed) in plan.shards.into_iter().enumerate() {
        let id = ShardId(number as u16);
        let core = plan.cores.as_ref().and_then(|cores| cores.get(number));
        let placement = core.map_or(Placement::Unbound, |&core| Placement::Fixed(core as usize));
        let own = ShardPlan {
            id,
            seed,
            directories: plan.directories.clone(),
            ring: plan.ring,
            listeners: std::mem::take(&mut listeners[number]),
            mailboxes: mailboxes.remove(0),
            common: Arc::clone(&common),
            sockets: plan.sockets,
            started: started.clone(),
        };
        handles.push((id.0, spawn(own, placement)?));
    }
    drop(started);
    // A shard that cannot start ends, and says why when it is joined.
    if starts.iter().take(count).count() == count && !common.stop.load(Ordering::SeqCst) {
        common.open.store(true, Ordering::SeqCst);
        bells.iter().for_each(|bell| bell.ring());
        (plan.ready)(&addresses);
    }
    let stopped = join(handles);
    drop(plan.keep);
    stopped
}

/// What one shard's thread is given.
struct ShardPlan {
    id: ShardId,
    seed: ShardSeed,
    directories: LogDirectories,
    ring: RingOptions,
    listeners: Vec<std::net::TcpListener>,
    mailboxes: Mailboxes,
    common: Arc<Common>,
    sockets: SocketOptions,
    started: Sender<()>,
}

type Handle = ExecutorJoinHandle<Result<StoppedShard, String>>;

fn spawn(plan: ShardPlan, placement: Placement) -> Result<Handle, RunError> {
    let shard = plan.id.0;
    LocalExecutorBuilder::new(placement)
        .name(&format!("shard-{shard}"))
        .io_memory(EXECUTOR_IO_BYTES)
        .ring_depth(EXECUTOR_RING_DEPTH)
        .spawn(move || async move {
            let common = Arc::clone(&plan.common);
            let _whole = AbortOnPanic;
            let result = drive(plan);
            if result.is_err() {
                // One shard less is no broker: the others finish what they can.
                common.stop.store(true, Ordering::SeqCst);
                common.drained.fetch_add(1, Ordering::SeqCst);
            }
            result
        })
        .map_err(|error| RunError::Start {
            shard,
            reason: error.to_string(),
        })
}

/// A shard that panics takes the process along. A broker without one of its shards would keep
/// clients waiting; one that is gone is started again, as after a `kill -9`.
struct AbortOnPanic;

impl Drop for AbortOnPanic {
    fn drop(&mut self) {
        if std::thread::panicking() {
            std::process::abort();
        }
    }
}

fn join(handles: Vec<(u16, Handle)>) -> Result<Vec<StoppedShard>, RunError> {
    let mut stopped = Vec::with_capacity(handles.len());
    let mut result = Ok(());
    for (shard, handle) in handles {
        let ended = match handle.join() {
            Ok(Ok(shard)) => {
                stopped.push(shard);
                Ok(())
            }
            Ok(Err(reason)) => Err(RunError::Shard { shard, reason }),
            Err(error) => Err(RunError::Shard {
                shard,
                reason: error.to_string(),
            }),
        };
        result = result.and(ended);
    }
    result.map(|()| stopped)
}

/// One shard's life: the only task of its executor, which pins the thread. It sleeps in the shard's
/// ring, where one call hands over the turn's work and waits, and never in the executor's: waiting
/// there for an event of this ring takes several calls, and a task that yields under load was seen
/// to be left asleep for good.
fn drive(plan: ShardPlan) -> Result<StoppedShard, String> {
    let now = driver::now(plan.common.origin);
    let text = |what: &'static str| move |error: io::Error| format!("{what}: {error}");
    let ring = Ring::new(plan.directories, plan.ring).map_err(text("io_uring"))?;
    let bell = ring.bell().try_clone_to_owned().map_err(text("eventfd"))?;
    plan.mailboxes.bell().hang(bell);
    let shard = (plan.seed)(now)?;
    let mut driver = Driver::new(
        plan.id,
        shard,
        ring,
        plan.listeners,
        plan.mailboxes,
        plan.common,
        plan.sockets,
    );
    let mut started = Some(plan.started);
    while !driver.is_done() {
        let goes_on = driver.turn().map_err(text("shard loop"))?;
        if driver.is_ready()
            && let Some(started) = started.take()
        {
            // Nobody listens when another shard could not start.
            let _ = started.send(());
        }
        if !goes_on && let Some(sleep) = driver.may_sleep() {
            driver.sleep(sleep).map_err(text("shard loop"))?;
            driver.wake_up();
        }
    }
    Ok(driver.into_stopped())
}

type Listeners = Vec<Vec<std::net::TcpListener>>;

/// Listens on every address once per shard; says which addresses these are.
fn listen(
    wanted: &[SocketAddr],
    shards: usize,
    backlog: u32,
) -> Result<(Vec<SocketAddr>, Listeners), RunError> {
    let mut addresses = Vec::with_capacity(wanted.len());
    let mut listeners: Listeners = (0..shards).map(|_| Vec::new()).collect();
    for &address in wanted {
        let failed = |error| RunError::Listen { address, error };
        // Shared ports are shared with any process of this user: ask without sharing first.
        std::net::TcpListener::bind(address).map_err(failed)?;
        let mut bound = address;
        for own in &mut listeners {
            let listener = sys::listen(bound, backlog).map_err(failed)?;
            bound = listener.local_addr().map_err(failed)?;
            own.push(listener);
        }
        addresses.push(bound);
    }
    Ok((addresses, listeners))
}

fn check_memlock() -> Result<(), RunError> {
    let limit = sys::lockable_bytes().map_err(|error| RunError::System {
        what: "cannot tell the memlock limit",
        error,
    })?;
    match limit {
        Some(limit) if limit < MEMLOCK_BYTES_MIN => Err(RunError::Memlock { limit }),
        _ => Ok(()),
    }
}

/// What the executor's rings lock, per shard.
const MEMLOCK_BYTES_MIN: u64 = 512 << 10;
/// The executor's own buffers; the disk's ring has its own memory.
const EXECUTOR_IO_BYTES: usize = 64 << 10;
const EXECUTOR_RING_DEPTH: usize = 128;
