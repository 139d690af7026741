//! The field of produce and fetch messages that holds record batches.

use crate::element::{Element, NullForm, Nullable, null};
use crate::error::{DecodeError, EncodeError};
use crate::reader::Reader;
use crate::writer::Writer;

/// Record batches, back to back, as one field of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Records<'a> {
    /// The batches themselves. The only form that decoding yields.
    Bytes(&'a [u8]),
    /// Batches that are sent from elsewhere (a cache, a file): only their length is encoded, and
    /// a [`Hole`](crate::Hole) marks their place.
    External {
        /// Bytes of the batches.
        len: u32,
        /// What the caller calls them.
        id: u32,
    },
}

impl<'a> Records<'a> {
    /// Number of bytes.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Records::Bytes(bytes) => bytes.len(),
            Records::External { len, .. } => *len as usize,
        }
    }

    /// Whether there are no bytes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The bytes, if they are here. Always so after decoding.
    #[must_use]
    pub fn bytes(&self) -> Option<&'a [u8]> {
        match self {
            Records::Bytes(bytes) => Some(bytes),
            Records::External { .. } => None,
        }
    }
}

impl Default for Records<'_> {
    fn default() -> Self {
        Records::Bytes(&[])
    }
}

impl<'a> From<&'a [u8]> for Records<'a> {
    fn from(bytes: &'a [u8]) -> Self {
        Records::Bytes(bytes)
    }
}

impl<'a> Element<'a> for Records<'a> {
    #[inline]
    fn read(r: &mut Reader<'a>, _: i16, flexible: bool) -> Result<Self, DecodeError> {
        r.nullable_bytes(flexible)?
            .map(Records::Bytes)
            .ok_or_else(null)
    }

    #[inline]
    fn write(&self, w: &mut Writer, _: i16, flexible: bool) -> Result<(), EncodeError> {
        match *self {
            Records::Bytes(bytes) => w.nullable_bytes(Some(bytes), flexible),
            Records::External { len, id } => {
                w.length(Some(len as usize), flexible)?;
                w.hole(len, id);
                Ok(())
            }
        }
    }
}

impl<'a> Nullable<'a> for Records<'a> {
    const FORM: NullForm = NullForm::Length;

    #[inline]
    fn read_nullable(
        r: &mut Reader<'a>,
        _: i16,
        flexible: bool,
    ) -> Result<Option<Self>, DecodeError> {
        Ok(r.nullable_bytes(flexible)?.map(Records::Bytes))
    }
}
