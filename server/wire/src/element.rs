//! What a field of a message can be: the primitives of the protocol, and the two traits that the
//! derive macro implements for structs.

use crate::error::{DecodeError, DecodeErrorKind, EncodeError, EncodeErrorKind};
use crate::reader::Reader;
use crate::uuid::Uuid;
use crate::writer::Writer;

/// A value with an encoding in every version: a primitive, an array, a struct.
///
/// `flexible` says which of the two forms of strings, bytes and arrays is in use, and whether
/// structs end with tagged fields (KIP-482).
pub trait Element<'a>: Sized {
    /// Bytes of every value of the type, if they do not depend on value and version.
    const FIXED_BYTES: Option<usize> = None;

    /// Decodes one value.
    ///
    /// # Errors
    /// The bytes are not such a value.
    fn read(r: &mut Reader<'a>, version: i16, flexible: bool) -> Result<Self, DecodeError>;

    /// Encodes the value. On an error the writer holds a part of it.
    ///
    /// # Errors
    /// The version cannot hold the value.
    fn write(&self, w: &mut Writer, version: i16, flexible: bool) -> Result<(), EncodeError>;
}

/// An element that can be null in some versions of some fields.
pub trait Nullable<'a>: Element<'a> {
    /// How null is told.
    const FORM: NullForm;

    /// Decodes one value, or null.
    ///
    /// # Errors
    /// The bytes are neither.
    fn read_nullable(
        r: &mut Reader<'a>,
        version: i16,
        flexible: bool,
    ) -> Result<Option<Self>, DecodeError>;
}

/// How the absence of a value is encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NullForm {
    /// Length -1 in 16 bits, or 0 in compact form.
    String,
    /// Length -1 in 32 bits, or 0 in compact form.
    Length,
    /// A byte before the struct: -1 for null, 1 for a value.
    Struct,
}

/// Encodes an optional value of a field that `may_be_null` at this version.
///
/// # Errors
/// Null where it may not be, and whatever the value's own encoding refuses.
#[inline]
pub fn write_nullable<'a, T: Nullable<'a>>(
    value: Option<&T>,
    w: &mut Writer,
    version: i16,
    flexible: bool,
    may_be_null: bool,
) -> Result<(), EncodeError> {
    match value {
        None if !may_be_null => Err(EncodeErrorKind::NullNotInVersion { version }.into()),
        None => match T::FORM {
            NullForm::String => w.nullable_string(None, flexible),
            NullForm::Length => w.length(None, flexible),
            NullForm::Struct => {
                w.i8(-1);
                Ok(())
            }
        },
        Some(value) => {
            if may_be_null && T::FORM == NullForm::Struct {
                w.i8(1);
            }
            value.write(w, version, flexible)
        }
    }
}

/// [`write_nullable`] within a tagged field, where a struct's null is 0 instead of -1.
///
/// # Errors
/// As [`write_nullable`].
pub fn write_nullable_tagged<'a, T: Nullable<'a>>(
    value: Option<&T>,
    w: &mut Writer,
    version: i16,
    may_be_null: bool,
) -> Result<(), EncodeError> {
    if value.is_none() && may_be_null {
        w.unsigned_varint(0);
        return Ok(());
    }
    write_nullable(value, w, version, true, may_be_null)
}

/// Reads an optional value within a tagged field, where a struct's null is 0 instead of -1.
///
/// # Errors
/// As [`Nullable::read_nullable`].
pub fn read_nullable_tagged<'a, T: Nullable<'a>>(
    r: &mut Reader<'a>,
    version: i16,
) -> Result<Option<T>, DecodeError> {
    if T::FORM != NullForm::Struct {
        return T::read_nullable(r, version, true);
    }
    match r.unsigned_varint()? {
        0 => Ok(None),
        _ => T::read(r, version, true).map(Some),
    }
}

macro_rules! fixed_width {
    ($($ty:ty => $method:ident, $bytes:literal;)*) => {$(
        impl<'a> Element<'a> for $ty {
            const FIXED_BYTES: Option<usize> = Some($bytes);

            #[inline]
            fn read(r: &mut Reader<'a>, _: i16, _: bool) -> Result<Self, DecodeError> {
                r.$method()
            }

            #[inline]
            fn write(&self, w: &mut Writer, _: i16, _: bool) -> Result<(), EncodeError> {
                w.$method(*self);
                Ok(())
            }
        }
    )*};
}

fixed_width! {
    bool => bool, 1;
    i8 => i8, 1;
    i16 => i16, 2;
    i32 => i32, 4;
    i64 => i64, 8;
    u16 => u16, 2;
    u32 => u32, 4;
    f64 => f64, 8;
    Uuid => uuid, 16;
}

impl<'a> Element<'a> for &'a str {
    #[inline]
    fn read(r: &mut Reader<'a>, _: i16, flexible: bool) -> Result<Self, DecodeError> {
        r.nullable_string(flexible)?.ok_or_else(null)
    }

    #[inline]
    fn write(&self, w: &mut Writer, _: i16, flexible: bool) -> Result<(), EncodeError> {
        w.nullable_string(Some(self), flexible)
    }
}

impl<'a> Nullable<'a> for &'a str {
    const FORM: NullForm = NullForm::String;

    #[inline]
    fn read_nullable(
        r: &mut Reader<'a>,
        _: i16,
        flexible: bool,
    ) -> Result<Option<Self>, DecodeError> {
        r.nullable_string(flexible)
    }
}

impl<'a> Element<'a> for &'a [u8] {
    #[inline]
    fn read(r: &mut Reader<'a>, _: i16, flexible: bool) -> Result<Self, DecodeError> {
        r.nullable_bytes(flexible)?.ok_or_else(null)
    }

    #[inline]
    fn write(&self, w: &mut Writer, _: i16, flexible: bool) -> Result<(), EncodeError> {
        w.nullable_bytes(Some(self), flexible)
    }
}

impl<'a> Nullable<'a> for &'a [u8] {
    const FORM: NullForm = NullForm::Length;

    #[inline]
    fn read_nullable(
        r: &mut Reader<'a>,
        _: i16,
        flexible: bool,
    ) -> Result<Option<Self>, DecodeError> {
        r.nullable_bytes(flexible)
    }
}

#[cold]
pub(crate) fn null() -> DecodeError {
    DecodeErrorKind::Null.into()
}
