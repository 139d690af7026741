//! Writes long replies on a thread of its own: one of many MiB takes longer than others on the
//! shard may wait.

use std::io;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

use super::mailboxes::Bell;
use super::sys;
use crate::shard::out::{LongReply, WrittenReply};

/// A shard's writer of long replies; its thread begins with the first.
pub struct Scribe {
    bell: Arc<Bell>,
    orders: Option<Sender<LongReply>>,
    report: Sender<WrittenReply>,
    written: Receiver<WrittenReply>,
}

impl Scribe {
    /// Rings `bell` when a reply is written.
    pub fn new(bell: Arc<Bell>) -> Self {
        let (report, written) = channel();
        Self {
            bell,
            orders: None,
            report,
            written,
        }
    }

    /// Has a reply written; without a thread, here and now.
    pub fn order(&mut self, reply: LongReply) {
        if self.orders.is_none() {
            self.orders = self.start().ok();
        }
        let refused = match &self.orders {
            Some(orders) => orders.send(reply).err().map(|error| error.0),
            None => Some(reply),
        };
        if let Some(reply) = refused {
            // Our own receiver is there.
            let _ = self.report.send(reply.write());
            self.bell.ring();
        }
    }

    /// The next that is written.
    pub fn next_written(&mut self) -> Option<WrittenReply> {
        self.written.try_recv().ok()
    }

    fn start(&self) -> io::Result<Sender<LongReply>> {
        let (orders, incoming) = channel::<LongReply>();
        let (report, bell) = (self.report.clone(), Arc::clone(&self.bell));
        // It ends with the sender of its orders.
        thread::Builder::new()
            .name("scribe".to_owned())
            .spawn(move || {
                sys::give_way();
                for order in incoming {
                    // The shard may be gone already.
                    let _ = report.send(order.write());
                    bell.ring();
                }
            })?;
        Ok(orders)
    }
}
