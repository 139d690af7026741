//! Framing: from bytes as they arrive to whole requests, without copying where that can be helped.
//!
//! A frame is a length (`int32`, big endian) and so many bytes. All connections of a shard receive
//! into one shared region; frames that arrive whole are handled where they stand. What is left
//! over, a frame begun or frames that may not be handled yet, moves into a region of the
//! connection's own, which is sized from the frame's length once that is known and checked. An idle
//! connection holds no memory.

use logmill_engine::sys::region::{RegionClass, RegionPool, RegionWriter, Slice};
use thiserror::Error;

use super::budget::ByteBudget;

/// The memory that connections receive into, one per shard.
#[derive(Debug, Default)]
pub struct ReceiveMemory {
    shared: Option<RegionWriter>,
    /// Regions of long frames, kept for the next ones; beyond the pool's classes each would be
    /// allocated and zeroed anew.
    long: Vec<RegionWriter>,
}

/// The receiving side of one connection.
#[derive(Debug, Default)]
pub struct Receiver {
    /// Bytes that are not handled yet.
    own: Option<Own>,
    /// Whether the frame at the front has taken its bytes from the budget.
    charged: bool,
    /// Length of the last whole frame: long ones announce long ones.
    last_frame_len: usize,
    /// The frame at the front waits for memory.
    wants_memory: bool,
}

#[derive(Debug)]
struct Own {
    writer: RegionWriter,
    start: usize,
}

/// Bytes just received, and how far they are handled.
#[derive(Debug, Clone, Copy)]
pub struct Window {
    start: usize,
    end: usize,
    shared: bool,
}

/// What stands at the front of a window.
#[derive(Debug)]
pub enum Framed {
    /// A whole frame without its length field; its length, field included, is charged.
    Frame {
        /// Its bytes.
        bytes: Slice,
        /// What it took from the budget.
        charged: u32,
    },
    /// The next frame is not whole yet.
    Partial,
    /// The budget has no room for the next frame now.
    NoBudget,
}

/// A length field that no frame may have.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum FrameError {
    /// Less than a request header's fixed part.
    #[error("a request of {0} bytes; the shortest has {FRAME_BYTES_MIN}")]
    TooShort(i32),
    /// Above the limit.
    #[error("a request of {len} bytes; socket.request.max.bytes allows {limit}")]
    TooLong {
        /// What the field says.
        len: u32,
        /// The limit.
        limit: u32,
    },
}

impl ReceiveMemory {
    /// Makes sure that there is room to receive into; `false` while the pool's budget is used up.
    fn ensure_shared(&mut self, pool: &mut RegionPool) -> bool {
        if let Some(shared) = &mut self.shared
            && (shared.clear() || shared.remaining() >= SHARED_ROOM_MIN)
        {
            return true;
        }
        if let Some(fresh) = pool.take(RegionClass::Large) {
            self.shared = Some(fresh);
        }
        self.shared
            .as_ref()
            .is_some_and(|shared| shared.remaining() >= SHARED_ROOM_MIN)
    }

    /// The region to take for a frame of `needed` bytes of which `have` are there. A long frame's
    /// region grows with what arrives, or its beginning alone would cost its announced length; one
    /// that is kept costs nothing.
    fn size_for(&mut self, needed: usize, have: usize) -> usize {
        let huge = RegionClass::Huge.bytes();
        let is_kept = self.long.iter().any(|writer| writer.capacity() >= needed);
        if needed <= huge || is_kept {
            needed
        } else {
            have.saturating_mul(LONG_GROWTH).clamp(huge, needed)
        }
    }

    fn take_for(&mut self, len: usize, pool: &mut RegionPool) -> Option<RegionWriter> {
        if len > RegionClass::Huge.bytes() {
            let fits = |writer: &mut RegionWriter| {
                (len..=len.saturating_mul(4)).contains(&writer.capacity()) && writer.clear()
            };
            if let Some(at) = self.long.iter_mut().position(fits) {
                return Some(self.long.swap_remove(at));
            }
            // Rounded up, so that frames of about one size share their regions.
            let rounded = len.checked_next_multiple_of(RegionClass::Huge.bytes())?;
            if let Some(writer) = pool.take_for(rounded) {
                return Some(writer);
            }
            self.long.clear();
        }
        pool.take_for(len)
    }

    fn keep(&mut self, writer: RegionWriter) {
        if writer.capacity() > RegionClass::Huge.bytes() {
            if self.long.len() >= LONG_KEPT_MAX {
                self.long.remove(0);
            }
            self.long.push(writer);
        }
    }

    /// Gives kept memory back, when the shard runs short.
    pub fn shrink(&mut self) {
        self.long.clear();
    }
}

impl Receiver {
    /// Where to receive the next bytes; `None` if there is no memory for them now. `is_tight`:
    /// others wait for budget, so no more than the beginning of a frame is received on trust.
    pub fn target<'a>(
        &'a mut self,
        memory: &'a mut ReceiveMemory,
        pool: &mut RegionPool,
        is_tight: bool,
    ) -> Option<&'a mut [u8]> {
        if self.wants_memory && !self.grow(memory, pool) {
            return None;
        }
        let wanted = self.frame_remaining();
        if let Some(own) = &mut self.own {
            let room = own.writer.spare();
            // A long frame is received to its end and no further: what follows it would have to
            // move. Behind a short one more of its kind may come.
            let room_max = wanted
                .filter(|&left| left > OWN_EXACT_MIN)
                .unwrap_or(room.len());
            let room_max = room_max.min(room.len());
            return Some(&mut room[..room_max]);
        }
        if !memory.ensure_shared(pool) {
            return None;
        }
        let room = memory.shared.as_mut()?.spare();
        let room_max = if is_tight || self.last_frame_len > LONG_FRAME_MIN {
            FIRST_BYTES
        } else {
            room.len()
        };
        let room_max = room_max.min(room.len());
        Some(&mut room[..room_max])
    }

    /// `count` bytes were received into the target.
    pub fn received(&mut self, count: usize, memory: &mut ReceiveMemory) -> Window {
        if let Some(own) = &mut self.own {
            own.writer.advance(count);
            return Window {
                start: own.start,
                end: own.writer.len(),
                shared: false,
            };
        }
        let shared = memory.shared.as_mut().expect("a target was given");
        let start = shared.len();
        shared.advance(count);
        Window {
            start,
            end: shared.len(),
            shared: true,
        }
    }

    /// The bytes that were kept earlier, to go on with them.
    pub fn kept(&self) -> Option<Window> {
        let own = self.own.as_ref()?;
        Some(Window {
            start: own.start,
            end: own.writer.len(),
            shared: false,
        })
    }

    /// Takes the next whole frame off the window.
    pub fn next_frame(
        &mut self,
        window: &mut Window,
        memory: &mut ReceiveMemory,
        frame_bytes_max: u32,
        budget: &mut ByteBudget,
    ) -> Result<Framed, FrameError> {
        let writer = self.writer(window.shared, memory);
        let bytes = &writer.bytes()[window.start..window.end];
        let Some((field, rest)) = bytes.split_first_chunk::<LENGTH_FIELD>() else {
            return Ok(Framed::Partial);
        };
        let len = frame_len(*field, frame_bytes_max)?;
        let whole = rest.len() >= len;
        let charge = (LENGTH_FIELD + len) as u32;
        if !self.charged && !budget.take(u64::from(charge)) {
            return Ok(Framed::NoBudget);
        }
        self.charged = !whole;
        if !whole {
            return Ok(Framed::Partial);
        }
        let start = window.start + LENGTH_FIELD;
        let bytes = self.writer(window.shared, memory).slice(start..start + len);
        window.start = start + len;
        self.last_frame_len = len;
        Ok(Framed::Frame {
            bytes,
            charged: charge,
        })
    }

    /// Keeps what is left of the window for later.
    pub fn keep(&mut self, window: Window, memory: &mut ReceiveMemory, pool: &mut RegionPool) {
        self.wants_memory = false;
        if window.start == window.end {
            if !window.shared
                && let Some(own) = self.own.take()
            {
                memory.keep(own.writer);
            }
            return;
        }
        if let Some(own) = &mut self.own {
            own.start = window.start;
            self.grow(memory, pool);
            return;
        }
        let shared = memory.shared.take().expect("the window lies in it");
        let bytes = &shared.bytes()[window.start..window.end];
        let size = memory.size_for(self.needed(bytes), bytes.len());
        match memory.take_for(size, pool) {
            Some(mut writer) => {
                writer.append(bytes);
                memory.shared = Some(shared);
                self.own = Some(Own { writer, start: 0 });
            }
            // No memory: the connection keeps the shared region itself, the shard takes another
            // when it can. Nothing that was received is lost.
            None => {
                self.own = Some(Own {
                    writer: shared,
                    start: window.start,
                });
                self.grow(memory, pool);
            }
        }
    }

    /// What the frame at the front would take from the budget, if its length is there.
    pub fn front_charge(&self) -> Option<u64> {
        Some((LENGTH_FIELD + self.front_len()?) as u64)
    }

    /// Forgets everything. Returns the bytes that a begun frame has taken from the budget.
    pub fn abandon(&mut self) -> u64 {
        let charged = if self.charged { self.front_len() } else { None };
        *self = Self::default();
        charged.map_or(0, |len| (LENGTH_FIELD + len) as u64)
    }

    /// Whether the beginning of a frame is there and its end is not.
    pub fn is_amid_frame(&self) -> bool {
        self.own
            .as_ref()
            .is_some_and(|own| own.writer.len() > own.start)
    }

    /// Makes room for the frame at the front; `false` while there is no memory.
    fn grow(&mut self, memory: &mut ReceiveMemory, pool: &mut RegionPool) -> bool {
        let Some(own) = &self.own else { return true };
        let bytes = &own.writer.bytes()[own.start..];
        let needed = self.needed(bytes);
        let size = memory.size_for(needed, bytes.len());
        let Some(own) = &mut self.own else {
            return true;
        };
        let is_long = needed > RegionClass::Huge.bytes();
        let fits = own.start + needed <= own.writer.capacity();
        let grows_later = is_long
            && own.writer.remaining() > 0
            && own.writer.capacity() >= RegionClass::Huge.bytes();
        if fits || grows_later {
            self.wants_memory = false;
            return true;
        }
        let Some(mut writer) = memory.take_for(size, pool) else {
            self.wants_memory = true;
            return false;
        };
        writer.append(&own.writer.bytes()[own.start..]);
        let old = std::mem::replace(own, Own { writer, start: 0 });
        memory.keep(old.writer);
        self.wants_memory = false;
        true
    }

    /// How much memory the bytes at the front ask for: the frame's whole length once that was
    /// checked and charged, room for more of it before.
    fn needed(&self, bytes: &[u8]) -> usize {
        let len = bytes.first_chunk::<LENGTH_FIELD>().filter(|_| self.charged);
        let len = len.map_or(0, |field| i32::from_be_bytes(*field).max(0) as usize);
        (LENGTH_FIELD + len).max(bytes.len() + 1)
    }

    /// How many bytes of the frame at the front are still to come.
    fn frame_remaining(&self) -> Option<usize> {
        if !self.charged {
            return None;
        }
        let own = self.own.as_ref()?;
        let have = own.writer.len() - own.start;
        (LENGTH_FIELD + self.front_len()?).checked_sub(have)
    }

    fn front_len(&self) -> Option<usize> {
        let own = self.own.as_ref()?;
        let field = own.writer.bytes()[own.start..].first_chunk::<LENGTH_FIELD>()?;
        usize::try_from(i32::from_be_bytes(*field)).ok()
    }

    fn writer<'a>(
        &'a mut self,
        shared: bool,
        memory: &'a mut ReceiveMemory,
    ) -> &'a mut RegionWriter {
        let own = self.own.as_mut().map(|own| &mut own.writer);
        let writer = if shared { memory.shared.as_mut() } else { own };
        writer.expect("the window lies in it")
    }
}

impl Window {
    /// Whether all is handled.
    pub fn is_empty(&self) -> bool {
        self.start == self.end
    }
}

fn frame_len(field: [u8; LENGTH_FIELD], frame_bytes_max: u32) -> Result<usize, FrameError> {
    let len = i32::from_be_bytes(field);
    if len < FRAME_BYTES_MIN {
        return Err(FrameError::TooShort(len));
    }
    let len = len as u32;
    if len > frame_bytes_max {
        return Err(FrameError::TooLong {
            len,
            limit: frame_bytes_max,
        });
    }
    Ok(len as usize)
}

const LENGTH_FIELD: usize = 4;
/// API key, version and correlation id: what every request header begins with.
const FRAME_BYTES_MIN: i32 = 8;
/// The shared region is replaced when it has less room than this and views of it still exist.
const SHARED_ROOM_MIN: usize = 64 << 10;
/// Frames above this length are received without what follows them.
const OWN_EXACT_MIN: usize = 64 << 10;
/// After a frame above this length the next receive takes only its first bytes, so that the rest
/// can go where it will stay.
const LONG_FRAME_MIN: usize = 128 << 10;
const FIRST_BYTES: usize = 4 << 10;
/// Regions of long frames that are kept: their sum counts in the pool's budget.
const LONG_KEPT_MAX: usize = 4;
/// By how much the region of a long frame grows when it is full.
const LONG_GROWTH: usize = 4;
