//! A cursor over a frame. It never reads past the end and never believes a length.

use crate::error::{DecodeError, DecodeErrorKind};
use crate::uuid::Uuid;

/// What is left of a frame. Reads take from its front; what they return borrows from the frame.
#[derive(Clone, Debug)]
pub struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    /// Starts at the first byte of `bytes`.
    #[must_use]
    pub fn new(bytes: &'a [u8]) -> Reader<'a> {
        Reader { rest: bytes }
    }

    /// Takes the next `count` bytes.
    ///
    /// # Errors
    /// `Truncated` if fewer are left.
    #[inline]
    pub fn take(&mut self, count: usize) -> Result<&'a [u8], DecodeError> {
        match self.rest.split_at_checked(count) {
            Some((taken, rest)) => {
                self.rest = rest;
                Ok(taken)
            }
            None => Err(truncated(count, self.rest.len())),
        }
    }

    /// Takes the next `N` bytes as an array.
    ///
    /// # Errors
    /// `Truncated` if fewer are left.
    #[inline]
    pub fn take_array<const N: usize>(&mut self) -> Result<[u8; N], DecodeError> {
        match self.rest.split_first_chunk::<N>() {
            Some((taken, rest)) => {
                self.rest = rest;
                Ok(*taken)
            }
            None => Err(truncated(N, self.rest.len())),
        }
    }

    /// Reads a signed byte.
    ///
    /// # Errors
    /// `Truncated`.
    #[inline]
    pub fn i8(&mut self) -> Result<i8, DecodeError> {
        self.take_array().map(i8::from_be_bytes)
    }

    /// Reads a 16-bit integer.
    ///
    /// # Errors
    /// `Truncated`.
    #[inline]
    pub fn i16(&mut self) -> Result<i16, DecodeError> {
        self.take_array().map(i16::from_be_bytes)
    }

    /// Reads a 32-bit integer.
    ///
    /// # Errors
    /// `Truncated`.
    #[inline]
    pub fn i32(&mut self) -> Result<i32, DecodeError> {
        self.take_array().map(i32::from_be_bytes)
    }

    /// Reads a 64-bit integer.
    ///
    /// # Errors
    /// `Truncated`.
    #[inline]
    pub fn i64(&mut self) -> Result<i64, DecodeError> {
        self.take_array().map(i64::from_be_bytes)
    }

    /// Reads an unsigned 16-bit integer.
    ///
    /// # Errors
    /// `Truncated`.
    #[inline]
    pub fn u16(&mut self) -> Result<u16, DecodeError> {
        self.take_array().map(u16::from_be_bytes)
    }

    /// Reads an unsigned 32-bit integer.
    ///
    /// # Errors
    /// `Truncated`.
    #[inline]
    pub fn u32(&mut self) -> Result<u32, DecodeError> {
        self.take_array().map(u32::from_be_bytes)
    }

    /// Reads a double.
    ///
    /// # Errors
    /// `Truncated`.
    #[inline]
    pub fn f64(&mut self) -> Result<f64, DecodeError> {
        self.take_array().map(f64::from_be_bytes)
    }

    /// Reads a boolean; any byte but zero is true, as in Kafka.
    ///
    /// # Errors
    /// `Truncated`.
    #[inline]
    pub fn bool(&mut self) -> Result<bool, DecodeError> {
        self.i8().map(|byte| byte != 0)
    }

    /// Reads 16 bytes as a UUID.
    ///
    /// # Errors
    /// `Truncated`.
    #[inline]
    pub fn uuid(&mut self) -> Result<Uuid, DecodeError> {
        self.take_array().map(Uuid)
    }

    /// Reads an unsigned integer in groups of seven bits, the lowest first.
    ///
    /// # Errors
    /// `Truncated`, or `VarintTooLong` for more than 32 bits.
    #[inline]
    pub fn unsigned_varint(&mut self) -> Result<u32, DecodeError> {
        match self.rest.split_first() {
            Some((&byte, rest)) if byte < 0x80 => {
                self.rest = rest;
                Ok(u32::from(byte))
            }
            _ => {
                let value = self.unsigned_varint_of(32)?;
                Ok(u32::try_from(value).expect("32 bits were asked for"))
            }
        }
    }

    /// Reads a signed integer: zigzag over [`unsigned_varint`](Self::unsigned_varint).
    ///
    /// # Errors
    /// `Truncated`, or `VarintTooLong` for more than 32 bits.
    #[inline]
    pub fn varint(&mut self) -> Result<i32, DecodeError> {
        self.unsigned_varint()
            .map(|raw| (raw >> 1).cast_signed() ^ -(raw & 1).cast_signed())
    }

    /// Reads a signed 64-bit integer in zigzag and groups of seven bits.
    ///
    /// # Errors
    /// `Truncated`, or `VarintTooLong` for more than 64 bits.
    #[inline]
    pub fn varlong(&mut self) -> Result<i64, DecodeError> {
        let raw = self.unsigned_varint_of(64)?;
        Ok((raw >> 1).cast_signed() ^ -(raw & 1).cast_signed())
    }

    /// Reads the length of a string, bytes or records: `None` is null.
    ///
    /// # Errors
    /// `Truncated`, `VarintTooLong` or `NegativeLength`.
    #[inline]
    pub fn length(&mut self, flexible: bool) -> Result<Option<usize>, DecodeError> {
        if flexible {
            // Compact: one more than the length, zero for null.
            return Ok((self.unsigned_varint()? as usize).checked_sub(1));
        }
        match self.i32()? {
            -1 => Ok(None),
            length => usize::try_from(length)
                .map(Some)
                .map_err(|_| DecodeErrorKind::NegativeLength { length }.into()),
        }
    }

    /// Reads a string, compact if `flexible`. `None` is null.
    ///
    /// # Errors
    /// As [`length`](Self::length), and `StringTooLong`, `NotUtf8`.
    #[inline]
    pub fn nullable_string(&mut self, flexible: bool) -> Result<Option<&'a str>, DecodeError> {
        let length =
            if flexible {
                self.length(true)?
            } else {
                match self.i16()? {
                    -1 => None,
                    length => Some(usize::try_from(length).map_err(|_| {
                        DecodeErrorKind::NegativeLength {
                            length: i32::from(length),
                        }
                    })?),
                }
            };
        let Some(length) = length else {
            return Ok(None);
        };
        if length > i16::MAX as usize {
            return Err(DecodeErrorKind::StringTooLong { length }.into());
        }
        match str::from_utf8(self.take(length)?) {
            Ok(text) => Ok(Some(text)),
            Err(error) => Err(DecodeErrorKind::NotUtf8 {
                valid_up_to: error.valid_up_to(),
            }
            .into()),
        }
    }

    /// Reads bytes, compact if `flexible`. `None` is null.
    ///
    /// # Errors
    /// As [`length`](Self::length).
    #[inline]
    pub fn nullable_bytes(&mut self, flexible: bool) -> Result<Option<&'a [u8]>, DecodeError> {
        match self.length(flexible)? {
            Some(length) => self.take(length).map(Some),
            None => Ok(None),
        }
    }

    /// Reads the number of elements of an array. `None` is null.
    ///
    /// # Errors
    /// As [`length`](Self::length), and `ArrayTooLong` if there are more than bytes left.
    #[inline]
    pub fn nullable_count(&mut self, flexible: bool) -> Result<Option<usize>, DecodeError> {
        let count = self.length(flexible)?;
        match count {
            Some(count) if count > self.rest.len() => Err(DecodeErrorKind::ArrayTooLong {
                count,
                left: self.rest.len(),
            }
            .into()),
            count => Ok(count),
        }
    }

    /// Begins the section of tagged fields that ends every flexible struct (KIP-482).
    ///
    /// # Errors
    /// `Truncated` or `VarintTooLong`.
    #[inline]
    pub fn tagged_fields(&mut self) -> Result<TaggedFields, DecodeError> {
        Ok(TaggedFields {
            left: self.unsigned_varint()?,
            previous: None,
        })
    }

    /// Reads over a section of tagged fields of which none is known.
    ///
    /// # Errors
    /// As [`TaggedFields::next_field`].
    #[inline]
    pub fn skip_tagged_fields(&mut self) -> Result<(), DecodeError> {
        let mut section = self.tagged_fields()?;
        while section.next_field(self)?.is_some() {}
        Ok(())
    }

    /// States that everything has been read.
    ///
    /// # Errors
    /// `Trailing` if it has not.
    #[inline]
    pub fn finish(&self) -> Result<(), DecodeError> {
        match self.rest.len() {
            0 => Ok(()),
            left => Err(DecodeErrorKind::Trailing { left }.into()),
        }
    }

    /// Bytes that are left.
    #[inline]
    #[must_use]
    pub fn remaining(&self) -> usize {
        self.rest.len()
    }

    /// The bytes that are left.
    #[inline]
    #[must_use]
    pub fn rest(&self) -> &'a [u8] {
        self.rest
    }

    fn unsigned_varint_of(&mut self, bits: u32) -> Result<u64, DecodeError> {
        let mut value = 0u64;
        let mut shift = 0;
        loop {
            let [byte] = self.take_array()?;
            let group = u64::from(byte & 0x7f);
            if shift >= bits || (bits - shift < 7 && group >> (bits - shift) != 0) {
                return Err(DecodeErrorKind::VarintTooLong { bits }.into());
            }
            value |= group << shift;
            if byte < 0x80 {
                return Ok(value);
            }
            shift += 7;
        }
    }
}

/// The tagged fields of one struct, in ascending order of their tags.
#[derive(Debug)]
pub struct TaggedFields {
    left: u32,
    previous: Option<u32>,
}

impl TaggedFields {
    /// The next field: its tag and a reader over exactly its bytes.
    ///
    /// # Errors
    /// `Truncated`, `VarintTooLong`, or `TagOrder` if the tags do not ascend.
    #[inline]
    pub fn next_field<'a>(
        &mut self,
        r: &mut Reader<'a>,
    ) -> Result<Option<(u32, Reader<'a>)>, DecodeError> {
        if self.left == 0 {
            return Ok(None);
        }
        self.left -= 1;
        let tag = r.unsigned_varint()?;
        if let Some(previous) = self.previous.filter(|previous| *previous >= tag) {
            return Err(DecodeErrorKind::TagOrder { tag, previous }.into());
        }
        self.previous = Some(tag);
        let size = r.unsigned_varint()? as usize;
        Ok(Some((tag, Reader::new(r.take(size)?))))
    }
}

#[cold]
fn truncated(need: usize, left: usize) -> DecodeError {
    DecodeErrorKind::Truncated { need, left }.into()
}

#[cfg(test)]
mod tests;
