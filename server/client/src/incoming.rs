//! Bytes from the socket, cut into frames.

/// A whole frame without its size, owned, so that a next request may go out while it is read.
/// Give it back with [`Connection::recycle`](crate::Connection::recycle).
#[derive(Debug, Default)]
pub struct Frame {
    pub(crate) buffer: Vec<u8>,
    pub(crate) start: usize,
    pub(crate) end: usize,
}

impl Frame {
    /// The bytes behind the frame's size and whatever header was taken off.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.buffer[self.start..self.end]
    }
}

/// Collects bytes until frames are whole. A frame that is longer than a chunk is received right
/// where it stays; shorter ones are copied out of the chunk that they came in.
#[derive(Debug)]
pub(crate) struct Incoming {
    buffer: Vec<u8>,
    /// Bytes of `buffer` that came from the socket: `taken..filled` are not handed out yet.
    taken: usize,
    filled: usize,
    frame_bytes_max: usize,
    spare: Vec<Vec<u8>>,
}

/// A frame's size that cannot be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct BadSize(pub(crate) i32);

impl Incoming {
    pub(crate) fn new(frame_bytes_max: usize) -> Self {
        Self {
            buffer: Vec::new(),
            taken: 0,
            filled: 0,
            frame_bytes_max,
            spare: Vec::new(),
        }
    }

    /// Room for what comes next. Never empty.
    pub(crate) fn space(&mut self) -> &mut [u8] {
        self.move_to_front();
        let want = match self.size_at_front() {
            // The rest of a long frame and not a byte more, so that its buffer is its own.
            Some(size) if size > CHUNK => SIZE_BYTES + size,
            _ => CHUNK.max(self.filled + 1),
        };
        if self.buffer.len() < want {
            self.buffer.resize(want, 0);
        }
        &mut self.buffer[self.filled..want]
    }

    /// Takes note that `count` bytes were put at the front of [`Incoming::space`].
    pub(crate) fn received(&mut self, count: usize) {
        self.filled += count;
        assert!(
            self.filled <= self.buffer.len(),
            "no more is received than there is room for"
        );
    }

    /// The next whole frame.
    pub(crate) fn next(&mut self) -> Result<Option<Frame>, BadSize> {
        let Some(raw) = self.raw_size() else {
            return Ok(None);
        };
        let size = usize::try_from(raw).map_err(|_| BadSize(raw))?;
        if size > self.frame_bytes_max {
            return Err(BadSize(raw));
        }
        let (start, end) = (self.taken + SIZE_BYTES, self.taken + SIZE_BYTES + size);
        if self.filled < end {
            return Ok(None);
        }
        let mut other = self.spare.pop().unwrap_or_default();
        if size > CHUNK && self.filled == end {
            std::mem::swap(&mut self.buffer, &mut other);
            (self.taken, self.filled) = (0, 0);
            return Ok(Some(Frame {
                buffer: other,
                start,
                end,
            }));
        }
        if other.len() < size {
            other.resize(size, 0);
        }
        other[..size].copy_from_slice(&self.buffer[start..end]);
        self.taken = end;
        Ok(Some(Frame {
            buffer: other,
            start: 0,
            end: size,
        }))
    }

    /// Takes a frame's memory back.
    pub(crate) fn recycle(&mut self, frame: Frame) {
        if self.spare.len() < SPARE_MAX && !frame.buffer.is_empty() {
            self.spare.push(frame.buffer);
        }
    }

    fn move_to_front(&mut self) {
        if self.taken > 0 {
            self.buffer.copy_within(self.taken..self.filled, 0);
            self.filled -= self.taken;
            self.taken = 0;
        }
    }

    /// The size of the frame that has begun, if it is known and within bounds.
    fn size_at_front(&self) -> Option<usize> {
        usize::try_from(self.raw_size()?)
            .ok()
            .filter(|&size| size <= self.frame_bytes_max)
    }

    fn raw_size(&self) -> Option<i32> {
        let begun = &self.buffer[self.taken..self.filled];
        begun
            .first_chunk::<SIZE_BYTES>()
            .map(|bytes| i32::from_be_bytes(*bytes))
    }
}

const SIZE_BYTES: usize = 4;
/// Read at once when no long frame is under way.
const CHUNK: usize = 16 << 10;
const SPARE_MAX: usize = 8;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn feed(incoming: &mut Incoming, mut bytes: &[u8], step: usize) -> Vec<Vec<u8>> {
        let mut frames = Vec::new();
        while !bytes.is_empty() {
            let space = incoming.space();
            let count = space.len().min(step).min(bytes.len());
            space[..count].copy_from_slice(&bytes[..count]);
            incoming.received(count);
            bytes = &bytes[count..];
            while let Some(frame) = incoming.next().unwrap() {
                frames.push(frame.bytes().to_vec());
                incoming.recycle(frame);
            }
        }
        frames
    }

    proptest! {
        #[test]
        fn frames_survive_any_cutting(
            sizes in proptest::collection::vec(
                prop_oneof![0_usize..300, 16_000_usize..17_000, 60_000_usize..90_000], 1..8),
            step in 1_usize..100_000,
        ) {
            let frames: Vec<Vec<u8>> = sizes
                .iter()
                .enumerate()
                .map(|(i, &size)| (0..size).map(|at| (at * 7 + i) as u8).collect())
                .collect();
            let mut bytes = Vec::new();
            for frame in &frames {
                bytes.extend_from_slice(&(frame.len() as i32).to_be_bytes());
                bytes.extend_from_slice(frame);
            }
            let mut incoming = Incoming::new(100_000);
            prop_assert_eq!(feed(&mut incoming, &bytes, step), frames);
        }
    }

    #[test]
    fn impossible_sizes_are_refused_before_anything_is_reserved() {
        for size in [-1_i32, 1_001, i32::MAX] {
            let mut incoming = Incoming::new(1_000);
            incoming.space()[..4].copy_from_slice(&size.to_be_bytes());
            incoming.received(4);
            assert_eq!(incoming.next().unwrap_err(), BadSize(size));
            assert!(incoming.buffer.len() <= CHUNK);
        }
    }
}
