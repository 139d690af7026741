//! The way of letters between shards' threads: bounded channels of batches, and a bell that is only
//! rung for sleepers.
//!
//! A channel carries whole batches; emptied ones travel back, so that in steady state no memory is
//! allocated. A full channel leaves the batch where it is: the shard goes on adding to it, and what
//! it can hold is bounded by the shards' credits.

use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering, fence};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};

use logmill_engine::base::ShardId;
use logmill_engine::sys::file::signal;

use crate::partitions::mail::Mail;

/// A shard's end of all its channels.
pub struct Mailboxes {
    peers: Vec<Option<Peer>>,
    /// This shard's own.
    bell: Arc<Bell>,
}

/// Wakes a shard that sleeps.
#[derive(Debug)]
pub struct Bell {
    is_asleep: AtomicBool,
    event: std::sync::OnceLock<OwnedFd>,
}

struct Peer {
    out: SyncSender<Vec<Mail>>,
    emptied_theirs: Receiver<Vec<Mail>>,
    inbox: Receiver<Vec<Mail>>,
    emptied_ours: SyncSender<Vec<Mail>>,
    bell: Arc<Bell>,
}

impl Mailboxes {
    /// The ends for `shards` shards, in their order.
    pub fn between(shards: usize) -> Vec<Self> {
        let bells: Vec<_> = (0..shards).map(|_| Arc::new(Bell::new())).collect();
        let mut ends: Vec<Self> = bells
            .iter()
            .map(|bell| Self {
                peers: (0..shards).map(|_| None).collect(),
                bell: Arc::clone(bell),
            })
            .collect();
        for low in 0..shards {
            for high in low + 1..shards {
                let (to_high, from_low) = sync_channel(BATCHES_MAX);
                let (to_low, from_high) = sync_channel(BATCHES_MAX);
                let (back_to_high, emptied_of_high) = sync_channel(BATCHES_MAX);
                let (back_to_low, emptied_of_low) = sync_channel(BATCHES_MAX);
                ends[low].peers[high] = Some(Peer {
                    out: to_high,
                    emptied_theirs: emptied_of_low,
                    inbox: from_high,
                    emptied_ours: back_to_high,
                    bell: Arc::clone(&bells[high]),
                });
                ends[high].peers[low] = Some(Peer {
                    out: to_low,
                    emptied_theirs: emptied_of_high,
                    inbox: from_low,
                    emptied_ours: back_to_low,
                    bell: Arc::clone(&bells[low]),
                });
            }
        }
        ends
    }

    /// Sends a batch if the channel has room; `staged` is then another, empty one. Says whether it
    /// went.
    pub fn send(&mut self, to: ShardId, staged: &mut Vec<Mail>) -> bool {
        let Some(peer) = &self.peers[usize::from(to.0)] else {
            return false;
        };
        let empty = peer.emptied_theirs.try_recv().unwrap_or_default();
        match peer.out.try_send(std::mem::replace(staged, empty)) {
            Ok(()) => {
                peer.bell.ring_if_asleep();
                true
            }
            Err(TrySendError::Full(batch) | TrySendError::Disconnected(batch)) => {
                *staged = batch;
                false
            }
        }
    }

    /// Takes the next batch of a peer; give it back with [`Self::emptied`].
    pub fn receive(&mut self, from: ShardId) -> Option<Vec<Mail>> {
        self.peers[usize::from(from.0)]
            .as_ref()?
            .inbox
            .try_recv()
            .ok()
    }

    /// Gives an emptied batch back for reuse.
    pub fn emptied(&mut self, from: ShardId, batch: Vec<Mail>) {
        if let Some(peer) = &self.peers[usize::from(from.0)] {
            // Without room it is freed.
            let _ = peer.emptied_ours.try_send(batch);
        }
    }

    /// This shard's bell.
    pub fn bell(&self) -> &Arc<Bell> {
        &self.bell
    }
}

impl Bell {
    fn new() -> Self {
        Self {
            is_asleep: AtomicBool::new(false),
            event: std::sync::OnceLock::new(),
        }
    }

    /// Says which eventfd the shard sleeps on.
    pub fn hang(&self, event: OwnedFd) {
        // The shard hangs its bell once, at its start.
        let _ = self.event.set(event);
    }

    /// The shard is about to sleep: it must look at all its inboxes once more after this.
    pub fn fall_asleep(&self) {
        self.is_asleep.store(true, Ordering::Relaxed);
        // Pairs with the fence of `ring_if_asleep`: either the shard sees what was sent before, or
        // the sender sees that it sleeps.
        fence(Ordering::SeqCst);
    }

    /// The shard is awake.
    pub fn wake_up(&self) {
        self.is_asleep.store(false, Ordering::Relaxed);
    }

    /// Wakes the shard if it sleeps.
    pub fn ring_if_asleep(&self) {
        fence(Ordering::SeqCst);
        if self.is_asleep.load(Ordering::Relaxed) {
            self.ring();
        }
    }

    /// Wakes the shard in any case.
    pub fn ring(&self) {
        if let Some(event) = self.event.get() {
            signal(event.as_fd());
        }
    }
}

/// Batches under way in one direction.
const BATCHES_MAX: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::work::WorkTable;
    use crate::partitions::mail::Reply;

    #[test]
    fn a_full_channel_leaves_the_batch() {
        let mut ends = Mailboxes::between(3);
        let token = WorkTable::<()>::new().reserve().unwrap();
        let letter = || Mail::Reply(token, Reply::Done);
        for _ in 0..BATCHES_MAX {
            let mut batch = vec![letter()];
            assert!(ends[0].send(ShardId(2), &mut batch));
            assert!(batch.is_empty());
        }
        let mut batch = vec![letter()];
        assert!(!ends[0].send(ShardId(2), &mut batch));
        assert_eq!(batch.len(), 1);
        assert!(ends[2].receive(ShardId(1)).is_none());
        let mut received = ends[2].receive(ShardId(0)).unwrap();
        received.clear();
        received.reserve(100);
        ends[2].emptied(ShardId(0), received);
        assert!(ends[0].send(ShardId(2), &mut batch));
        assert!(batch.capacity() >= 100, "the emptied batch came back");
    }
}
