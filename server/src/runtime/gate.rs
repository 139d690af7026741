//! How many connections there may be, in all and from one address, over all shards, and how fast
//! they may come.

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Bounds on connections.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GateLimits {
    /// In all (`max.connections`).
    pub connections: u32,
    /// From one address (`max.connections.per.ip`).
    pub per_address: u32,
    /// The same for single addresses (`max.connections.per.ip.overrides`).
    pub overrides: BTreeMap<IpAddr, u32>,
    /// In a second (`max.connection.creation.rate`).
    pub per_second: u32,
}

/// Counts connections. Asked once when a connection comes and once when it goes, never in between.
#[derive(Debug)]
pub struct Gate {
    open: AtomicU32,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    limits: GateLimits,
    by_address: HashMap<IpAddr, u32>,
    /// Connections that may come at once, and when that was reckoned.
    turns: f64,
    at: Instant,
}

/// Why a connection is not let in.
#[derive(Clone, Copy, Debug, thiserror::Error, PartialEq, Eq)]
pub enum GateError {
    /// There are too many.
    #[error("{limit} connections are open; max.connections allows no more")]
    Full {
        /// The bound.
        limit: u32,
    },
    /// There are too many from its address.
    #[error("{limit} connections from {address} are open; max.connections.per.ip allows no more")]
    AddressFull {
        /// The address.
        address: IpAddr,
        /// The bound.
        limit: u32,
    },
}

impl Gate {
    /// A gate that lets in what `limits` allow.
    pub fn new(limits: GateLimits, now: Instant) -> Self {
        let turns = f64::from(limits.per_second);
        let state = State {
            limits,
            by_address: HashMap::new(),
            turns,
            at: now,
        };
        Self {
            open: AtomicU32::new(0),
            state: Mutex::new(state),
        }
    }

    /// Other limits from here on. Connections that are open stay.
    pub fn limit(&self, limits: GateLimits) {
        let mut state = self.state();
        state.turns = state.turns.min(f64::from(limits.per_second));
        state.limits = limits;
    }

    /// Takes a connection's turn; or says how long it is until there is one. A burst is at most
    /// what comes together in a second.
    pub fn take_turn(&self, now: Instant) -> Result<(), Duration> {
        let mut state = self.state();
        if state.limits.per_second == u32::MAX {
            return Ok(());
        }
        let per_second = f64::from(state.limits.per_second);
        let gathered = now.saturating_duration_since(state.at).as_secs_f64() * per_second;
        state.turns = (state.turns + gathered).min(per_second.max(1.0));
        state.at = now;
        if state.turns >= 1.0 {
            state.turns -= 1.0;
            return Ok(());
        }
        let wait = (1.0 - state.turns) / per_second.max(1.0 / TURN_WAIT_MAX.as_secs_f64());
        Err(Duration::from_secs_f64(wait).min(TURN_WAIT_MAX))
    }

    /// Nobody came to use the turn.
    pub fn return_turn(&self) {
        self.state().turns += 1.0;
    }

    /// Lets a connection in; [`Self::leave`] must follow.
    pub fn enter(&self, address: IpAddr) -> Result<(), GateError> {
        let mut state = self.state();
        let limit = state.limits.connections;
        if self.open.load(Ordering::Relaxed) >= limit {
            return Err(GateError::Full { limit });
        }
        let limits = &state.limits;
        let limit = limits.overrides.get(&address).copied();
        let limit = limit.unwrap_or(limits.per_address);
        let count = state.by_address.get(&address).copied().unwrap_or_default();
        if count >= limit {
            return Err(GateError::AddressFull { address, limit });
        }
        state.by_address.insert(address, count + 1);
        self.open.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }

    /// A connection that was let in is gone.
    pub fn leave(&self, address: IpAddr) {
        let mut state = self.state();
        self.open.fetch_sub(1, Ordering::Relaxed);
        if let Some(count) = state.by_address.get_mut(&address) {
            *count -= 1;
            if *count == 0 {
                state.by_address.remove(&address);
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Limits may have changed when so much time has passed.
const TURN_WAIT_MAX: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests;
