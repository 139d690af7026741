//! Kafka's wire protocol as borrowed, bounded Rust structs: every message of Apache Kafka 4.2 in
//! every version, the records of its internal topics, and record batches.
//!
//! The struct is the schema: each message is a struct whose fields carry their version ranges as
//! attributes, from which a derive macro writes the decoder and the encoder.
//!
//! - [`messages`]: requests and responses, a module per API; [`records`]: what Kafka keeps in
//!   `__cluster_metadata`, `__consumer_offsets` and `__transaction_state`.
//! - [`Message::decode`] borrows from the frame and allocates nothing: strings, bytes and record
//!   batches are slices of it, an [`Array`] is a checked view whose elements are decoded when it
//!   is iterated. Every length is compared with the bytes in hand before it is believed.
//! - [`Message::encode`] appends to a [`Writer`], which is reused. The bytes of record batches may
//!   stay elsewhere: [`Records::External`] leaves a [`Hole`].
//! - [`frame`] puts headers and sizes around messages; [`batch`] reads and builds record batches.
//!
//! ```
//! use logmill_wire::messages::metadata::{MetadataRequest, MetadataRequestTopic};
//! use logmill_wire::{Message, RequestHeader, Writer, frame};
//!
//! let topics = [MetadataRequestTopic { name: Some("orders"), ..Default::default() }];
//! let request = MetadataRequest { topics: Some((&topics).into()), ..Default::default() };
//! let mut w = Writer::new();
//! frame::write_request(&mut w, 12, 1, Some("me"), &request)?;
//!
//! let frame = &w.bytes[frame::SIZE_BYTES..];
//! let (header, mut body) = RequestHeader::decode(frame)?;
//! let decoded = MetadataRequest::decode(&mut body, header.request_api_version)?;
//! for topic in decoded.topics.iter().flatten() {
//!     assert_eq!(topic.name, Some("orders"));
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Pure: no clock, no I/O, no randomness, no `unsafe`.

#![forbid(unsafe_code)]

mod api_key;
mod array;
#[cfg(test)]
mod conformance;
mod element;
mod error;
mod error_code;
mod header;
mod message;
mod payload;
mod reader;
#[cfg(test)]
mod sample;
mod uuid;
mod writer;

pub mod batch;
pub mod frame;
pub mod messages;
pub mod records;

pub use crate::api_key::ApiKey;
pub use crate::array::{Array, ArrayIter, WireArray};
pub use crate::element::{
    Element, NullForm, Nullable, read_nullable_tagged, write_nullable, write_nullable_tagged,
};
pub use crate::error::{DecodeError, DecodeErrorKind, EncodeError, EncodeErrorKind};
pub use crate::error_code::ErrorCode;
pub use crate::header::{RequestHeader, ResponseHeader};
pub use crate::message::{Message, Record, Request, Response};
pub use crate::payload::Records;
pub use crate::reader::{Reader, TaggedFields};
pub use crate::uuid::{ParseUuidError, Uuid};
pub use crate::writer::{Hole, TaggedFieldStart, Writer};
