//! Where encoded messages go: one growing buffer, and holes for bytes that are sent from
//! elsewhere.

use crate::error::{EncodeError, EncodeErrorKind};
use crate::uuid::Uuid;

/// A buffer to append to, reused from message to message.
///
/// What goes to the socket is `bytes` with each hole's external bytes inserted at its place.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Writer {
    /// The encoded bytes.
    pub bytes: Vec<u8>,
    /// Where bytes of others belong, in ascending order.
    pub holes: Vec<Hole>,
}

/// A place in a [`Writer`] where bytes belong that are not in its buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hole {
    /// Position in [`Writer::bytes`] before which the external bytes are to be sent.
    pub at: usize,
    /// Number of external bytes.
    pub len: u32,
    /// What the caller named them.
    pub id: u32,
}

/// The place of a tagged field's size, which is known once the field is written.
#[derive(Debug)]
#[must_use = "a tagged field that is begun must be ended"]
pub struct TaggedFieldStart(usize);

impl Writer {
    /// An empty writer that allocates when it is first written to.
    #[must_use]
    pub fn new() -> Writer {
        Writer::default()
    }

    /// Forgets the contents and keeps the memory.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.holes.clear();
    }

    /// Appends a signed byte.
    #[inline]
    pub fn i8(&mut self, value: i8) {
        self.bytes.push(value.cast_unsigned());
    }

    /// Appends a 16-bit integer.
    #[inline]
    pub fn i16(&mut self, value: i16) {
        self.raw(&value.to_be_bytes());
    }

    /// Appends a 32-bit integer.
    #[inline]
    pub fn i32(&mut self, value: i32) {
        self.raw(&value.to_be_bytes());
    }

    /// Appends a 64-bit integer.
    #[inline]
    pub fn i64(&mut self, value: i64) {
        self.raw(&value.to_be_bytes());
    }

    /// Appends an unsigned 16-bit integer.
    #[inline]
    pub fn u16(&mut self, value: u16) {
        self.raw(&value.to_be_bytes());
    }

    /// Appends an unsigned 32-bit integer.
    #[inline]
    pub fn u32(&mut self, value: u32) {
        self.raw(&value.to_be_bytes());
    }

    /// Appends a double.
    #[inline]
    pub fn f64(&mut self, value: f64) {
        self.raw(&value.to_be_bytes());
    }

    /// Appends a boolean.
    #[inline]
    pub fn bool(&mut self, value: bool) {
        self.bytes.push(u8::from(value));
    }

    /// Appends a UUID.
    #[inline]
    pub fn uuid(&mut self, value: Uuid) {
        self.raw(&value.0);
    }

    /// Appends bytes as they are, without a length.
    #[inline]
    pub fn raw(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// Appends an unsigned integer in groups of seven bits, the lowest first.
    #[inline]
    pub fn unsigned_varint(&mut self, value: u32) {
        self.unsigned_varlong(u64::from(value));
    }

    /// Appends a signed integer: zigzag over [`unsigned_varint`](Self::unsigned_varint).
    #[inline]
    pub fn varint(&mut self, value: i32) {
        self.unsigned_varint(((value << 1) ^ (value >> 31)).cast_unsigned());
    }

    /// Appends a signed 64-bit integer in zigzag and groups of seven bits.
    #[inline]
    pub fn varlong(&mut self, value: i64) {
        self.unsigned_varlong(((value << 1) ^ (value >> 63)).cast_unsigned());
    }

    /// Appends the length of bytes, records or an array. `None` is null.
    ///
    /// # Errors
    /// `TooLong` for what 32 bits cannot say.
    #[inline]
    pub fn length(&mut self, length: Option<usize>, flexible: bool) -> Result<(), EncodeError> {
        let Some(length) = length else {
            if flexible {
                self.unsigned_varint(0);
            } else {
                self.i32(-1);
            }
            return Ok(());
        };
        let signed = i32::try_from(length).map_err(|_| EncodeErrorKind::TooLong { length })?;
        if flexible {
            self.unsigned_varint(signed.cast_unsigned() + 1);
        } else {
            self.i32(signed);
        }
        Ok(())
    }

    /// Appends a string, compact if `flexible`. `None` is null.
    ///
    /// # Errors
    /// `StringTooLong` beyond 32,767 bytes.
    #[inline]
    pub fn nullable_string(
        &mut self,
        text: Option<&str>,
        flexible: bool,
    ) -> Result<(), EncodeError> {
        let Some(text) = text else {
            if flexible {
                self.unsigned_varint(0);
            } else {
                self.i16(-1);
            }
            return Ok(());
        };
        let length = i16::try_from(text.len())
            .map_err(|_| EncodeErrorKind::StringTooLong { length: text.len() })?;
        if flexible {
            self.unsigned_varint(u32::from(length.cast_unsigned()) + 1);
        } else {
            self.i16(length);
        }
        self.raw(text.as_bytes());
        Ok(())
    }

    /// Appends bytes, compact if `flexible`. `None` is null.
    ///
    /// # Errors
    /// `TooLong` for what 32 bits cannot say.
    #[inline]
    pub fn nullable_bytes(
        &mut self,
        bytes: Option<&[u8]>,
        flexible: bool,
    ) -> Result<(), EncodeError> {
        self.length(bytes.map(<[u8]>::len), flexible)?;
        self.raw(bytes.unwrap_or_default());
        Ok(())
    }

    /// Leaves a place for `len` bytes that are sent from elsewhere, known to the caller as `id`.
    pub fn hole(&mut self, len: u32, id: u32) {
        self.holes.push(Hole {
            at: self.bytes.len(),
            len,
            id,
        });
    }

    /// Begins the tagged field `tag`; what is written until its end is its value.
    pub fn begin_tagged_field(&mut self, tag: u32) -> TaggedFieldStart {
        self.unsigned_varint(tag);
        self.bytes.push(0);
        TaggedFieldStart(self.bytes.len())
    }

    /// Ends a tagged field: puts its size before it. Sizes above 127 need more than the byte that
    /// was left for them, and move the value.
    pub fn end_tagged_field(&mut self, start: TaggedFieldStart) {
        let TaggedFieldStart(start) = start;
        let mut size = self.bytes.len() - start;
        let mut at = start - 1;
        while size >= 0x80 {
            self.bytes.insert(at, (size & 0x7f) as u8 | 0x80);
            at += 1;
            size >>= 7;
        }
        self.bytes[at] = size as u8;
    }

    /// Bytes that will be sent: the buffer's and those of the holes.
    #[must_use]
    pub fn total_len(&self) -> usize {
        self.bytes.len()
            + self
                .holes
                .iter()
                .map(|hole| hole.len as usize)
                .sum::<usize>()
    }

    #[inline]
    fn unsigned_varlong(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.bytes.push((value & 0x7f) as u8 | 0x80);
            value >>= 7;
        }
        self.bytes.push(value as u8);
    }
}

#[cfg(test)]
mod tests;
