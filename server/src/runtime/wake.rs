//! Sleeping until the ring's eventfd, or a deadline, wakes the shard.

use std::future::{Future, poll_fn};
use std::io;
use std::os::fd::AsFd;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use glommio::io::BufferedFile;
use glommio::timer::Timer;
use logmill_engine::io::Ring;

use super::sys;

type EventRead = Pin<Box<dyn Future<Output = io::Result<()>>>>;

/// Sleeping on the ring's eventfd: completions, peers' bells and signals end it.
pub(super) struct Wake {
    event: Rc<BufferedFile>,
    /// The read that waits; kept over timed sleeps.
    read: Option<EventRead>,
    alarm: Arc<Alarm>,
}

/// Remembers that the read ended. The executor keeps one waker for every time that a read is
/// polled and looks at none of them until it ends: thousands of timed sleeps over one read would
/// run its counter of wakers over. So a read is polled when it begins and when it has rung.
struct Alarm {
    has_rung: AtomicBool,
    /// The shard's task; the same one for life.
    sleeper: OnceLock<Waker>,
}

impl std::task::Wake for Alarm {
    fn wake(self: Arc<Self>) {
        self.has_rung.store(true, Ordering::Relaxed);
        if let Some(sleeper) = self.sleeper.get() {
            sleeper.wake_by_ref();
        }
    }
}

impl Wake {
    pub(super) fn new(ring: &Ring) -> io::Result<Self> {
        sys::set_blocking(ring.event_fd())?;
        let event = ring.event_fd().as_fd().try_clone_to_owned()?;
        // The executor reads what looks like a file to it; it owns this descriptor from here on.
        let event = sys::as_executor_file(event);
        Ok(Self {
            event: Rc::new(event),
            read: None,
            alarm: Arc::new(Alarm {
                has_rung: AtomicBool::new(false),
                sleeper: OnceLock::new(),
            }),
        })
    }

    /// Sleeps until the eventfd is readable, for `until` at most.
    pub(super) async fn sleep(&mut self, until: Option<Duration>) -> io::Result<()> {
        let mut timer = pin!(until.map(Timer::new));
        poll_fn(|context| {
            if let Poll::Ready(result) = self.poll_read(context) {
                return Poll::Ready(result);
            }
            match timer.as_mut().as_pin_mut().map(|timer| timer.poll(context)) {
                Some(Poll::Ready(_)) => Poll::Ready(Ok(())),
                _ => Poll::Pending,
            }
        })
        .await
    }

    fn poll_read(&mut self, context: &Context<'_>) -> Poll<io::Result<()>> {
        self.alarm.sleeper.get_or_init(|| context.waker().clone());
        let is_new = self.read.is_none();
        if !self.alarm.has_rung.swap(false, Ordering::Relaxed) && !is_new {
            return Poll::Pending;
        }
        let event = &self.event;
        let read = self.read.get_or_insert_with(|| {
            let event = Rc::clone(event);
            Box::pin(async move {
                let woken = event.read_at(0, 8).await;
                woken.map_err(|error| io::Error::other(error.to_string()))?;
                Ok(())
            })
        });
        let waker = Waker::from(Arc::clone(&self.alarm));
        let polled = read.as_mut().poll(&mut Context::from_waker(&waker));
        if polled.is_ready() {
            self.read = None;
        }
        polled
    }
}

#[cfg(test)]
mod tests {
    use glommio::{LocalExecutorBuilder, Placement};
    use logmill_engine::io::{LogDirectories, RingOptions};

    use super::*;

    /// The executor counts wakers in 15 bits.
    const SLEEPS: u32 = 33_000;

    #[test]
    fn any_number_of_timed_sleeps_is_followed_by_waking_up() {
        let folder = tempfile::tempdir().unwrap();
        let directories = LogDirectories::probe(&[folder.path().to_owned()]).unwrap();
        let executor = LocalExecutorBuilder::new(Placement::Unbound);
        let executor = executor.io_memory(64 << 10).ring_depth(128);
        let sleeper = executor.spawn(move || async move {
            let ring = Ring::new(directories, RingOptions::default()).unwrap();
            let mut wake = Wake::new(&ring).unwrap();
            for _ in 0..SLEEPS {
                wake.sleep(Some(Duration::from_micros(1))).await.unwrap();
            }
            sys::signal(&ring.event_fd().try_clone_to_owned().unwrap());
            wake.sleep(None).await.unwrap();
        });
        sleeper.unwrap().join().unwrap();
    }
}
