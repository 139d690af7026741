//! What the generated records hold, and how a reader tells that it got exactly that.
//!
//! A synthetic record's value is a [`Stamp`] (who sent it, its sequence number, when it was meant
//! to be sent) followed by filler cut out of an [`Arena`] at a place that the stamp determines: the
//! sender copies a slice, the reader compares a slice, and no byte goes unchecked. Records made
//! from a file's lines carry the stamp in a record header instead and leave the line as it is.

mod arena;
mod input;
mod keys;
mod random;
mod sizes;
mod stamp;

use std::collections::HashMap;
use std::sync::Arc;

pub use arena::{Arena, Filler};
pub use input::{Input, InputError};
pub use keys::{KEY_BYTES, KeyPlan, Keys};
pub use random::SplitMix64;
pub use sizes::{SizePlan, Sizes};
pub use stamp::{Content, STAMP_BYTES, Stamp, StampBytes, StampError};

/// The name of the record header that carries the stamp of a record made from a line.
pub const STAMP_HEADER: &str = "logmill-stamp";

/// Where the values of a run come from.
#[derive(Clone, Debug)]
pub enum Source {
    /// A stamp and filler.
    Synthetic(Arc<Arena>),
    /// The lines of a file, in a loop.
    Lines(Arc<Input>),
}

impl Source {
    /// The record of `sequence` on `stream`: its stamp and the bytes that follow it (synthetic) or
    /// make the whole value (lines). `length` is the value's wanted length, used by synthetic
    /// values only; `turn` counts the sender's records and chooses the line.
    #[inline]
    pub fn record(&self, stamp: &Header, length: usize, turn: u64) -> (Stamp, &[u8]) {
        match self {
            Self::Synthetic(arena) => {
                let body = length.max(STAMP_BYTES) - STAMP_BYTES;
                let filler = arena.slice(stamp.stream, stamp.sequence, body);
                let content = Content::Filler {
                    filler: arena.filler(),
                    arena_bits: arena.bits(),
                };
                let total = (body + STAMP_BYTES) as u32;
                (stamp.with(content, total), filler)
            }
            Self::Lines(input) => {
                let index = (turn % input.len() as u64) as u32;
                (stamp.with(Content::Line, index), input.line(index as usize))
            }
        }
    }

    /// True where the stamp travels in a record header instead of the value.
    pub fn stamps_in_header(&self) -> bool {
        matches!(self, Self::Lines(_))
    }
}

/// The part of a stamp that the sender decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// The stream: a sender and run, unique within a topic's checks.
    pub stream: u32,
    /// The record's number in its stream and partition, from 0 without gaps.
    pub sequence: u64,
    /// When it was meant to be sent, nanoseconds since the epoch.
    pub intended_ns: u64,
}

impl Header {
    #[inline]
    fn with(&self, content: Content, extent: u32) -> Stamp {
        Stamp {
            content,
            stream: self.stream,
            sequence: self.sequence,
            intended_ns: self.intended_ns,
            extent,
        }
    }
}

/// What a reader found in a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Made by a load generator, and byte for byte what was sent.
    Intact(Stamp),
    /// Made by a load generator, and not what was sent.
    Corrupt(StampError),
    /// Not made by a load generator.
    Foreign,
}

/// Checks records against what their stamps promise; makes the arenas that it meets.
#[derive(Debug, Default)]
pub struct Inspector {
    arenas: HashMap<(Filler, u8), Arc<Arena>>,
    recent: Option<Arc<Arena>>,
    input: Option<Arc<Input>>,
}

impl Inspector {
    /// An inspector that holds the run's own source, if there is one, so that lines are compared
    /// with the file and the arena is shared.
    pub fn new(source: Option<&Source>) -> Self {
        let mut inspector = Self::default();
        match source {
            Some(Source::Synthetic(arena)) => {
                inspector
                    .arenas
                    .insert((arena.filler(), arena.bits()), Arc::clone(arena));
            }
            Some(Source::Lines(input)) => inspector.input = Some(Arc::clone(input)),
            None => {}
        }
        inspector
    }

    /// Judges one record: key, value and the value of the header [`STAMP_HEADER`], if it has one.
    pub fn inspect(&mut self, key: Option<&[u8]>, value: &[u8], header: Option<&[u8]>) -> Verdict {
        if let Some(bytes) = header {
            return self.line(key, value, bytes);
        }
        let Some((head, body)) = value.split_at_checked(STAMP_BYTES) else {
            return Verdict::Foreign;
        };
        match Stamp::parse(head, key, &[]) {
            Ok(stamp) => self.synthetic(stamp, body),
            Err(StampError::NoStamp) => Verdict::Foreign,
            Err(error) => Verdict::Corrupt(error),
        }
    }

    fn synthetic(&mut self, stamp: Stamp, body: &[u8]) -> Verdict {
        let Content::Filler { filler, arena_bits } = stamp.content else {
            return Verdict::Corrupt(StampError::WrongContent);
        };
        if stamp.extent as usize != STAMP_BYTES + body.len() {
            return Verdict::Corrupt(StampError::Length);
        }
        let arena = self.arena(filler, arena_bits);
        if body.len() <= arena.longest()
            && arena.slice(stamp.stream, stamp.sequence, body.len()) == body
        {
            Verdict::Intact(stamp)
        } else {
            Verdict::Corrupt(StampError::Content)
        }
    }

    fn line(&self, key: Option<&[u8]>, value: &[u8], header: &[u8]) -> Verdict {
        match Stamp::parse(header, key, value) {
            Ok(stamp) => {
                let same = self.input.as_ref().is_none_or(|input| {
                    let index = stamp.extent as usize;
                    index < input.len() && input.line(index) == value
                });
                if same {
                    Verdict::Intact(stamp)
                } else {
                    Verdict::Corrupt(StampError::Content)
                }
            }
            Err(error) => Verdict::Corrupt(error),
        }
    }

    fn arena(&mut self, filler: Filler, bits: u8) -> &Arena {
        let known = self
            .recent
            .as_ref()
            .is_some_and(|a| a.filler() == filler && a.bits() == bits);
        if !known {
            let arena = self
                .arenas
                .entry((filler, bits))
                .or_insert_with(|| Arc::new(Arena::new(filler, bits)));
            self.recent = Some(Arc::clone(arena));
        }
        self.recent.as_deref().expect("set just above")
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    const KEY: Option<&[u8]> = Some(b"key-000000000007");

    fn header(sequence: u64) -> Header {
        Header {
            stream: 7,
            sequence,
            intended_ns: 1_234_567_890,
        }
    }

    #[test]
    fn synthetic_records_come_back_intact_or_are_named() {
        let source = Source::Synthetic(Arc::new(Arena::new(Filler::Random, 14)));
        // A reader in another process has no arena and makes its own.
        let mut inspector = Inspector::new(None);
        for sequence in 0..200 {
            let (stamp, filler) = source.record(&header(sequence), 100, sequence);
            let mut value = stamp.bytes(KEY, &[]).to_vec();
            value.extend_from_slice(filler);
            assert_eq!(value.len(), 100);
            assert_eq!(inspector.inspect(KEY, &value, None), Verdict::Intact(stamp));
            for at in [0, 5, 31, 32, 99] {
                value[at] ^= 1;
                assert!(
                    !matches!(inspector.inspect(KEY, &value, None), Verdict::Intact(_)),
                    "{at}"
                );
                value[at] ^= 1;
            }
            let others_key = inspector.inspect(Some(b"key-000000000008"), &value, None);
            assert_eq!(others_key, Verdict::Corrupt(StampError::Checksum));
            assert_eq!(
                inspector.inspect(KEY, &value[..99], None),
                Verdict::Corrupt(StampError::Length)
            );
        }
    }

    #[test]
    fn lines_carry_their_stamp_beside_them() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(b"alpha\n\nbeta gamma\nlast").unwrap();
        let input = Arc::new(Input::open(file.path()).unwrap());
        let source = Source::Lines(input);
        let mut with_file = Inspector::new(Some(&source));
        let mut without = Inspector::new(None);
        for turn in 0..8 {
            let (stamp, line) = source.record(&header(turn), 0, turn);
            let beside = stamp.bytes(None, line);
            assert_eq!(
                with_file.inspect(None, line, Some(&beside)),
                Verdict::Intact(stamp)
            );
            assert_eq!(
                without.inspect(None, line, Some(&beside)),
                Verdict::Intact(stamp)
            );
            let other = b"beta gammb";
            assert!(matches!(
                without.inspect(None, other, Some(&beside)),
                Verdict::Corrupt(_)
            ));
        }
    }

    #[test]
    fn other_peoples_records_are_left_alone() {
        let mut inspector = Inspector::new(None);
        assert_eq!(inspector.inspect(KEY, b"hello", None), Verdict::Foreign);
        assert_eq!(inspector.inspect(None, &[0; 100], None), Verdict::Foreign);
    }
}
