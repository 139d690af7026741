//! Records of Kafka's own topics and files.
//!
//! [`metadata`] records are framed as KIP-631 says. The coordinators' topics ([`group`],
//! [`transaction`], [`share`]) have keys that begin with the record type and values that begin
//! with their version, 16 bits each: [`write_key`], [`read_key_type`], [`write_value`],
//! [`read_value`].

#![expect(
    missing_docs,
    reason = "the fields are named, and explained, by the published schemas"
)]

use crate::error::{DecodeError, EncodeError};
use crate::message::{Message, Record};
use crate::reader::Reader;
use crate::writer::Writer;

pub mod control;
pub mod group;
pub mod metadata;
pub mod raft;
pub mod remote;
pub mod share;
pub mod storage;
pub mod transaction;

/// Appends the key of a coordinator's record: its type, then the key.
///
/// # Errors
/// A string in the key is too long.
pub fn write_key<'a, K: Record<'a>>(w: &mut Writer, key: &K) -> Result<(), EncodeError> {
    let start = w.bytes.len();
    w.i16(K::RECORD_TYPE);
    // Keys have one version; the type stands where it would be told.
    key.encode(w, *K::VERSIONS.end())
        .inspect_err(|_| w.bytes.truncate(start))
}

/// Reads the type at the front of a coordinator's key and returns it with a reader over the rest.
///
/// # Errors
/// The key is shorter than that.
pub fn read_key_type(key: &[u8]) -> Result<(i16, Reader<'_>), DecodeError> {
    let mut r = Reader::new(key);
    Ok((r.i16()?, r))
}

/// Decodes the key of a coordinator's record behind its type. Bytes behind it are passed over, as
/// Kafka's own readers do.
///
/// # Errors
/// The bytes are malformed.
pub fn read_key<'a, K: Record<'a>>(mut r: Reader<'a>) -> Result<K, DecodeError> {
    K::decode(&mut r, *K::VERSIONS.end())
}

/// Appends the value of a coordinator's record: its version, then the value.
///
/// # Errors
/// The version does not exist or cannot hold the value.
pub fn write_value<'a, V: Message<'a>>(
    w: &mut Writer,
    value: &V,
    version: i16,
) -> Result<(), EncodeError> {
    let start = w.bytes.len();
    w.i16(version);
    value
        .encode(w, version)
        .inspect_err(|_| w.bytes.truncate(start))
}

/// Decodes the value of a coordinator's record, its version first. Bytes behind it are passed
/// over, as Kafka's own readers do.
///
/// # Errors
/// The version is unknown or the bytes are malformed.
pub fn read_value<'a, V: Message<'a>>(value: &'a [u8]) -> Result<V, DecodeError> {
    let mut r = Reader::new(value);
    let version = r.i16()?;
    V::decode(&mut r, version)
}
