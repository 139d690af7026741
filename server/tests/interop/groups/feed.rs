//! The records that a group reads, written in the background to all partitions of its topic.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use logmill_wire::batch::{BatchBuilder, BatchMeta, NewRecord};

use crate::frames::Frames;

/// How long a producer rests between two records of a partition.
const REST: Duration = Duration::from_millis(100);

/// A producer that runs until it is told to stop.
pub struct Feed {
    stop: Arc<AtomicBool>,
    pause: Arc<AtomicBool>,
    thread: JoinHandle<Result<Vec<i64>, String>>,
}

impl Feed {
    /// Begins to write `0 from[0]`, `0 from[0]+1` ... to partition 0 and so on; its partitions have
    /// that many records already.
    pub fn start(bootstrap: &str, topic: &str, from: Vec<i64>) -> Feed {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let pause = Arc::new(AtomicBool::new(false));
        let paused = Arc::clone(&pause);
        let (bootstrap, topic) = (bootstrap.to_owned(), topic.to_owned());
        let thread = thread::spawn(move || {
            let mut written = from;
            let mut frames = Frames::connect(&bootstrap)?;
            while !stopped.load(Ordering::Relaxed) {
                if !paused.load(Ordering::Relaxed) {
                    write(&mut frames, &topic, &mut written)?;
                }
                thread::sleep(REST);
            }
            Ok(written)
        });
        Feed {
            stop,
            pause,
            thread,
        }
    }

    /// Rests, or goes on.
    pub fn pause(&self, pause: bool) {
        self.pause.store(pause, Ordering::Relaxed);
    }

    /// Ends it; how many records each partition has.
    pub fn stop(self) -> Result<Vec<i64>, String> {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().expect("no panic in there")
    }
}

/// Writes one record to each partition and counts it once it is acknowledged.
pub fn write(frames: &mut Frames, topic: &str, written: &mut [i64]) -> Result<(), String> {
    let batches: Vec<(i32, Vec<u8>)> = written
        .iter()
        .enumerate()
        .map(|(partition, count)| (partition as i32, batch(&format!("{partition} {count}"))))
        .collect();
    for (partition, error, offset) in frames.produce(topic, &batches)? {
        let count = &mut written[partition as usize];
        // A partition that was made just now may have no leader yet.
        if error == 0 && offset != *count {
            return Err(format!(
                "record {count} of partition {partition} has offset {offset}"
            ));
        }
        *count += i64::from(error == 0);
    }
    Ok(())
}

fn batch(value: &str) -> Vec<u8> {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .expect("it is after 1970");
    let mut builder = BatchBuilder::new();
    let record = NewRecord {
        timestamp: now.as_millis() as i64,
        key: None,
        value: Some(value.as_bytes()),
        headers: &[],
    };
    builder.append(&record).expect("a small record");
    let mut bytes = Vec::new();
    builder.finish(&BatchMeta::default(), &mut bytes);
    bytes
}
