//! Frames cut at every place, budgets, and what an idle connection holds.

use logmill_engine::sys::region::RegionPool;

use super::*;

struct Side {
    receiver: Receiver,
    memory: ReceiveMemory,
    pool: RegionPool,
    budget: ByteBudget,
    frames: Vec<Vec<u8>>,
    charged: u64,
}

impl Side {
    fn new(pool_bytes: usize, budget_bytes: u64) -> Self {
        Self {
            receiver: Receiver::default(),
            memory: ReceiveMemory::default(),
            pool: RegionPool::new(pool_bytes),
            budget: ByteBudget::new(budget_bytes),
            frames: Vec::new(),
            charged: 0,
        }
    }

    /// Receives as much of `bytes` as there is room for.
    fn receive(&mut self, bytes: &[u8]) -> Result<usize, FrameError> {
        let Some(target) = self
            .receiver
            .target(&mut self.memory, &mut self.pool, false)
        else {
            return Ok(0);
        };
        let count = target.len().min(bytes.len());
        target[..count].copy_from_slice(&bytes[..count]);
        let window = self.receiver.received(count, &mut self.memory);
        self.handle(window, usize::MAX)?;
        Ok(count)
    }

    fn handle(&mut self, mut window: Window, count_max: usize) -> Result<(), FrameError> {
        for _ in 0..count_max {
            match self.receiver.next_frame(
                &mut window,
                &mut self.memory,
                FRAME_BYTES_MAX,
                &mut self.budget,
            )? {
                Framed::Frame { bytes, charged } => {
                    self.frames.push(bytes.to_vec());
                    self.charged += u64::from(charged);
                }
                Framed::Partial | Framed::NoBudget => break,
            }
        }
        self.receiver.keep(window, &mut self.memory, &mut self.pool);
        Ok(())
    }

    fn receive_all(&mut self, mut bytes: &[u8], step: usize) {
        while !bytes.is_empty() {
            let count = self.receive(&bytes[..step.min(bytes.len())]).unwrap();
            assert!(count > 0);
            bytes = &bytes[count..];
        }
    }
}

fn stream(lens: &[usize]) -> (Vec<u8>, Vec<Vec<u8>>) {
    let mut bytes = Vec::new();
    let mut frames = Vec::new();
    for (number, &len) in lens.iter().enumerate() {
        let frame: Vec<u8> = (0..len).map(|at| (at * 7 + number) as u8).collect();
        bytes.extend_from_slice(&(len as i32).to_be_bytes());
        bytes.extend_from_slice(&frame);
        frames.push(frame);
    }
    (bytes, frames)
}

#[test]
fn frames_come_out_whole_however_they_are_cut() {
    let (bytes, frames) = stream(&[8, 100, 9, 5_000, 70_000, 8, 1_500_000, 300_000, 10]);
    for step in [1_013, 4_096, 65_536, 1 << 20, usize::MAX] {
        let mut side = Side::new(64 << 20, 64 << 20);
        side.receive_all(&bytes, step);
        assert_eq!(side.frames, frames, "cut every {step} bytes");
        assert_eq!(side.charged, bytes.len() as u64);
    }
}

#[test]
fn small_frames_survive_every_cut() {
    let (bytes, frames) = stream(&[8, 9, 30]);
    for first in 1..bytes.len() {
        for second in first..bytes.len() {
            let mut side = Side::new(1 << 20, 1 << 20);
            for part in [&bytes[..first], &bytes[first..second], &bytes[second..]] {
                if !part.is_empty() {
                    side.receive_all(part, usize::MAX);
                }
            }
            assert_eq!(side.frames, frames, "cut at {first} and {second}");
        }
    }
}

#[test]
fn an_idle_connection_holds_no_memory() {
    let mut side = Side::new(8 << 20, 8 << 20);
    let (bytes, _) = stream(&[100_000, 20]);
    side.receive_all(&bytes, 1_000);
    assert!(side.receiver.kept().is_none());
    assert!(!side.receiver.is_amid_frame());
}

#[test]
fn senseless_lengths_are_refused_before_any_memory_is_taken() {
    let too_short = |len: i32| {
        let mut side = Side::new(1 << 20, 1 << 20);
        side.receive(&len.to_be_bytes())
    };
    assert_eq!(too_short(-1), Err(FrameError::TooShort(-1)));
    assert_eq!(too_short(i32::MIN), Err(FrameError::TooShort(i32::MIN)));
    assert_eq!(too_short(7), Err(FrameError::TooShort(7)));
    let limit = FRAME_BYTES_MAX;
    assert_eq!(
        too_short(i32::MAX),
        Err(FrameError::TooLong {
            len: i32::MAX as u32,
            limit
        })
    );
    let mut side = Side::new(1 << 20, 1 << 20);
    assert!(side.receive(&(limit as i32 + 1).to_be_bytes()).is_err());
    assert_eq!(side.budget.used(), 0);
}

#[test]
fn without_budget_a_frame_waits_and_is_not_lost() {
    let mut side = Side::new(8 << 20, 300);
    let (bytes, frames) = stream(&[200, 150]);
    side.receive_all(&bytes, usize::MAX);
    assert_eq!(
        side.frames.len(),
        1,
        "the second does not fit beside the first"
    );
    side.budget.give_back(204);
    let window = side.receiver.kept().unwrap();
    side.handle(window, usize::MAX).unwrap();
    assert_eq!(side.frames, frames);
    assert_eq!(side.budget.used(), 154);
}

#[test]
fn without_memory_a_frame_waits_and_is_not_lost() {
    // Room for the shared region and little else.
    let mut side = Side::new(320 << 10, 8 << 20);
    let hog = side.pool.take_for(64 << 10).unwrap();
    let (bytes, frames) = stream(&[200_000]);
    let mut at = side.receive(&bytes[..100_000]).unwrap();
    assert_eq!(at, 100_000);
    drop(hog);
    while at < bytes.len() {
        let count = side.receive(&bytes[at..]).unwrap();
        assert!(count > 0, "stuck at {at}");
        at += count;
    }
    assert_eq!(side.frames, frames);
}

#[test]
fn frames_kept_back_are_taken_up_later() {
    let mut side = Side::new(8 << 20, 8 << 20);
    let (bytes, frames) = stream(&[10, 20, 30, 40]);
    let target = side
        .receiver
        .target(&mut side.memory, &mut side.pool, false)
        .unwrap();
    let cut = bytes.len() - 5;
    target[..cut].copy_from_slice(&bytes[..cut]);
    let window = side.receiver.received(cut, &mut side.memory);
    side.handle(window, 1).unwrap();
    assert_eq!(side.frames.len(), 1);
    let window = side.receiver.kept().unwrap();
    side.handle(window, usize::MAX).unwrap();
    side.receive_all(&bytes[cut..], usize::MAX);
    assert_eq!(side.frames, frames);
}

#[test]
fn what_a_begun_frame_took_is_given_back() {
    let mut side = Side::new(8 << 20, 8 << 20);
    let (bytes, _) = stream(&[1_000]);
    side.receive_all(&bytes[..500], usize::MAX);
    assert_eq!(side.budget.used(), 1_004);
    assert_eq!(side.receiver.abandon(), 1_004);
}

const FRAME_BYTES_MAX: u32 = 100 << 20;
