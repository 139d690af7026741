//! What can be wrong with bytes that arrive and with values that leave.

use std::ops::RangeInclusive;

/// Bytes that are not the message they claim to be. Holds nothing that was allocated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}{}{kind}", .field, if .field.is_empty() { "" } else { ": " })]
pub struct DecodeError {
    /// The innermost field at fault as `Struct.field`, or nothing outside of any.
    pub field: &'static str,
    /// What is wrong.
    pub kind: DecodeErrorKind,
}

/// The ways to be malformed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeErrorKind {
    /// The frame ends inside a value.
    #[error("needs {need} bytes, {left} are left")]
    Truncated {
        /// Bytes that the value takes.
        need: usize,
        /// Bytes until the end of the frame.
        left: usize,
    },
    /// A variable-length integer that does not end, or has more bits than its type.
    #[error("a variable-length integer of more than {bits} bits")]
    VarintTooLong {
        /// Width of the integer.
        bits: u32,
    },
    /// Null at a version, or in a field, that has none.
    #[error("null where a value is required")]
    Null,
    /// A length below null's -1.
    #[error("negative length {length}")]
    NegativeLength {
        /// The length as it was read.
        length: i32,
    },
    /// A string longer than Kafka allows.
    #[error("string of {length} bytes, at most {} are allowed", i16::MAX)]
    StringTooLong {
        /// The length as it was read.
        length: usize,
    },
    /// A string that is not UTF-8.
    #[error("string is not UTF-8 from byte {valid_up_to} on")]
    NotUtf8 {
        /// Bytes of the string that are.
        valid_up_to: usize,
    },
    /// An array of more elements than bytes are left: each takes one at least.
    #[error("array of {count} elements in {left} bytes")]
    ArrayTooLong {
        /// Elements that the array claims.
        count: usize,
        /// Bytes until the end of the frame.
        left: usize,
    },
    /// Tags must ascend (KIP-482).
    #[error("tag {tag} after tag {previous}")]
    TagOrder {
        /// The tag that came too late.
        tag: u32,
        /// The one before it.
        previous: u32,
    },
    /// Bytes after the end of the message, or of a tagged field.
    #[error("{left} bytes too many")]
    Trailing {
        /// Bytes left over.
        left: usize,
    },
    /// A version that this message does not have.
    #[error("version {version} is not within {first} to {last}")]
    UnsupportedVersion {
        /// The version asked for.
        version: i16,
        /// Oldest version.
        first: i16,
        /// Newest version.
        last: i16,
    },
    /// An API key that no API has.
    #[error("unknown API key {0}")]
    UnknownApiKey(i16),
    /// A frame of the metadata log of another layout (KIP-631 knows 1).
    #[error("metadata frame version {0}, only 1 is known")]
    UnknownFrameVersion(u32),
    /// A record type that the log at hand does not have.
    #[error("unknown record type {0}")]
    UnknownRecordType(i32),
}

impl DecodeError {
    pub(crate) fn new(kind: DecodeErrorKind) -> DecodeError {
        DecodeError { field: "", kind }
    }

    /// Names the field, unless an inner one has been named.
    #[cold]
    #[must_use]
    pub fn within(mut self, field: &'static str) -> DecodeError {
        if self.field.is_empty() {
            self.field = field;
        }
        self
    }

    pub(crate) fn unsupported_version(
        name: &'static str,
        version: i16,
        versions: &RangeInclusive<i16>,
    ) -> DecodeError {
        let (first, last) = (*versions.start(), *versions.end());
        DecodeError {
            field: name,
            kind: DecodeErrorKind::UnsupportedVersion {
                version,
                first,
                last,
            },
        }
    }
}

impl From<DecodeErrorKind> for DecodeError {
    fn from(kind: DecodeErrorKind) -> DecodeError {
        DecodeError::new(kind)
    }
}

/// A value that has no encoding at the version asked for: a mistake of the program, or of a
/// caller that passes a client's value on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}{}{kind}", .field, if .field.is_empty() { "" } else { ": " })]
pub struct EncodeError {
    /// The innermost field at fault as `Struct.field`, or nothing outside of any.
    pub field: &'static str,
    /// What is wrong.
    pub kind: EncodeErrorKind,
}

/// The ways to be impossible to encode.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EncodeErrorKind {
    /// The version lacks the field, the value is not its default, and dropping it is not allowed.
    #[error("has a value that version {version} cannot hold")]
    NotInVersion {
        /// The version asked for.
        version: i16,
    },
    /// Null at a version that has none.
    #[error("is null, which version {version} cannot hold")]
    NullNotInVersion {
        /// The version asked for.
        version: i16,
    },
    /// A string longer than Kafka allows.
    #[error("string of {length} bytes, at most {} are allowed", i16::MAX)]
    StringTooLong {
        /// Bytes of the string.
        length: usize,
    },
    /// Bytes or an array beyond what a 32-bit length says.
    #[error("length {length} is more than {}", i32::MAX)]
    TooLong {
        /// Bytes, or elements.
        length: usize,
    },
    /// A version that this message does not have.
    #[error("version {version} is not within {first} to {last}")]
    UnsupportedVersion {
        /// The version asked for.
        version: i16,
        /// Oldest version.
        first: i16,
        /// Newest version.
        last: i16,
    },
}

impl EncodeError {
    pub(crate) fn new(kind: EncodeErrorKind) -> EncodeError {
        EncodeError { field: "", kind }
    }

    /// The error of a field whose value the version cannot hold.
    #[cold]
    pub(crate) fn not_in_version(field: &'static str, version: i16) -> EncodeError {
        EncodeError {
            field,
            kind: EncodeErrorKind::NotInVersion { version },
        }
    }

    /// Names the field, unless an inner one has been named.
    #[cold]
    #[must_use]
    pub fn within(mut self, field: &'static str) -> EncodeError {
        if self.field.is_empty() {
            self.field = field;
        }
        self
    }

    pub(crate) fn unsupported_version(
        name: &'static str,
        version: i16,
        versions: &RangeInclusive<i16>,
    ) -> EncodeError {
        let (first, last) = (*versions.start(), *versions.end());
        EncodeError {
            field: name,
            kind: EncodeErrorKind::UnsupportedVersion {
                version,
                first,
                last,
            },
        }
    }
}

impl From<EncodeErrorKind> for EncodeError {
    fn from(kind: EncodeErrorKind) -> EncodeError {
        EncodeError::new(kind)
    }
}
