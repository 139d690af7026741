//! How many connections there may be, in all and from one address, over all shards.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};

/// Bounds on connections.
#[derive(Clone, Debug)]
pub struct GateLimits {
    /// In all (`max.connections`).
    pub connections: u32,
    /// From one address (`max.connections.per.ip`).
    pub per_address: u32,
    /// The same for single addresses (`max.connections.per.ip.overrides`).
    pub overrides: HashMap<IpAddr, u32>,
}

/// Counts connections. Asked once when a connection comes and once when it goes, never in between.
#[derive(Debug)]
pub struct Gate {
    limits: GateLimits,
    open: AtomicU32,
    /// Only kept where addresses have bounds.
    by_address: Mutex<HashMap<IpAddr, u32>>,
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
    pub fn new(limits: GateLimits) -> Self {
        Self {
            limits,
            open: AtomicU32::new(0),
            by_address: Mutex::default(),
        }
    }

    /// Lets a connection in; [`Self::leave`] must follow.
    pub fn enter(&self, address: IpAddr) -> Result<(), GateError> {
        let limit = self.limits.connections;
        if self.open.fetch_add(1, Ordering::Relaxed) >= limit {
            self.open.fetch_sub(1, Ordering::Relaxed);
            return Err(GateError::Full { limit });
        }
        let Some(limit) = self.address_limit(address) else {
            return Ok(());
        };
        let mut counts = self
            .by_address
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry(address).or_default();
        if *count >= limit {
            drop(counts);
            self.open.fetch_sub(1, Ordering::Relaxed);
            return Err(GateError::AddressFull { address, limit });
        }
        *count += 1;
        Ok(())
    }

    /// A connection that was let in is gone.
    pub fn leave(&self, address: IpAddr) {
        self.open.fetch_sub(1, Ordering::Relaxed);
        if self.address_limit(address).is_none() {
            return;
        }
        let mut counts = self
            .by_address
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = counts.get_mut(&address) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&address);
            }
        }
    }

    fn address_limit(&self, address: IpAddr) -> Option<u32> {
        let own = self.limits.overrides.get(&address).copied();
        own.or_else(|| (self.limits.per_address < u32::MAX).then_some(self.limits.per_address))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_in_all_and_by_address() {
        let [one, two, free] = [[10, 0, 0, 1], [10, 0, 0, 2], [10, 0, 0, 3]].map(IpAddr::from);
        let gate = Gate::new(GateLimits {
            connections: 4,
            per_address: 1,
            overrides: HashMap::from([(free, 100)]),
        });
        assert_eq!(gate.enter(one), Ok(()));
        assert_eq!(
            gate.enter(one),
            Err(GateError::AddressFull {
                address: one,
                limit: 1
            })
        );
        assert_eq!(gate.enter(two), Ok(()));
        gate.leave(one);
        assert_eq!(gate.enter(one), Ok(()));
        assert_eq!((gate.enter(free), gate.enter(free)), (Ok(()), Ok(())));
        assert_eq!(gate.enter(free), Err(GateError::Full { limit: 4 }));
        assert_eq!(gate.open.load(Ordering::Relaxed), 4);
    }
}
