//! Lines for standard error, so many a second and no more: whoever floods the broker must not flood
//! its log as well.

use std::time::{Duration, Instant};

/// A shard's log.
#[derive(Debug)]
pub struct LogLines {
    shard: u16,
    window: Instant,
    written: u32,
    suppressed: u64,
}

impl LogLines {
    /// The log of a shard.
    pub fn new(shard: u16) -> Self {
        Self {
            shard,
            window: Instant::now(),
            written: 0,
            suppressed: 0,
        }
    }

    /// Writes a line, or counts it.
    pub fn line(&mut self, text: &str) {
        if self.window.elapsed() >= WINDOW {
            if self.suppressed > 0 {
                eprintln!(
                    "shard {}: {} more lines like these",
                    self.shard, self.suppressed
                );
            }
            (self.window, self.written, self.suppressed) = (Instant::now(), 0, 0);
        }
        if self.written < LINES_PER_WINDOW_MAX {
            self.written += 1;
            eprintln!("shard {}: {text}", self.shard);
        } else {
            self.suppressed += 1;
        }
    }
}

const WINDOW: Duration = Duration::from_secs(10);
const LINES_PER_WINDOW_MAX: u32 = 20;
