//! A batch from its first record until its fate is known.

use std::rc::Rc;

use logmill_engine::base::{LeaderEpoch, Offset, ProducerEpoch, ProducerId, Sequence};
use logmill_engine::format::batch::{Attributes, BatchHeader};
use logmill_engine::format::compression::{Codec, Compressor};

/// A record to be sent. The value is given in pieces, so that a stamp and filler need not be put
/// together first.
#[derive(Clone, Copy, Debug, Default)]
pub struct Record<'a> {
    /// The key, `None` for null.
    pub key: Option<&'a [u8]>,
    /// The value's pieces; null if `null_value`.
    pub value: [&'a [u8]; 2],
    /// True for a null value, whatever `value` holds.
    pub null_value: bool,
    /// At most one header: name and value.
    pub header: Option<(&'a str, &'a [u8])>,
}

impl Record<'_> {
    /// Bytes of key and value.
    pub fn payload_bytes(&self) -> usize {
        self.key.map_or(0, <[u8]>::len) + self.value_bytes()
    }

    /// The most bytes that the record takes in a batch.
    pub fn encoded_bytes_max(&self) -> usize {
        let header = self
            .header
            .map_or(0, |(name, value)| name.len() + value.len() + 10);
        self.payload_bytes() + header + FRAMING_MAX
    }

    fn value_bytes(&self) -> usize {
        if self.null_value {
            0
        } else {
            self.value[0].len() + self.value[1].len()
        }
    }
}

/// The bytes of a closed batch, shared between the batch, which may have to be sent again, and the
/// connection, which lets go of them once they are written.
#[derive(Clone, Debug, Default)]
pub struct SharedBytes(Rc<Vec<u8>>);

impl AsRef<[u8]> for SharedBytes {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

/// An idempotent producer's identity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The producer id that a broker gave.
    pub id: ProducerId,
    /// Its epoch.
    pub epoch: ProducerEpoch,
}

/// Records of one partition that travel together.
#[derive(Debug, Default)]
pub struct Batch {
    bytes: SharedBytes,
    /// The sequence number of the first record in its lane.
    pub first: u64,
    /// Records.
    pub count: u32,
    /// Bytes of keys and values.
    pub payload_bytes: u64,
    /// When the first record came in, ns.
    pub opened_ns: u64,
    /// Not to be sent before this time, ns.
    pub not_before_ns: u64,
    /// How often it was sent.
    pub attempts: u32,
    /// True if it may be in the log although no acknowledgement came.
    pub uncertain: bool,
    /// Intended times of its records, in runs of equal ones.
    pub times: Vec<(u64, u32)>,
    base_ms: i64,
    max_ms: i64,
    attributes: i16,
    stamp: Option<(Identity, Sequence)>,
    /// What it counts against `buffer.memory`.
    pub reserved: usize,
}

impl Batch {
    /// Makes an empty batch out of a used one; keeps its memory.
    pub fn reset(&mut self, first: u64, now: u64, capacity: usize) {
        let bytes = Rc::get_mut(&mut self.bytes.0).expect("a batch is reused by its last owner");
        bytes.clear();
        bytes.reserve(capacity);
        bytes.extend_from_slice(&[0; BatchHeader::SIZE]);
        self.times.clear();
        let (bytes, times) = (
            std::mem::take(&mut self.bytes),
            std::mem::take(&mut self.times),
        );
        *self = Self {
            bytes,
            times,
            first,
            opened_ns: now,
            ..Self::default()
        };
    }

    /// True once nobody else holds the bytes.
    pub fn is_sole_owner(&self) -> bool {
        Rc::strong_count(&self.bytes.0) == 1
    }

    /// Bytes so far, the head included.
    pub fn len(&self) -> usize {
        self.bytes.0.len()
    }

    /// True before the first record.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The finished batch, for sending.
    pub fn share(&self) -> SharedBytes {
        self.bytes.clone()
    }

    /// Adds a record whose time is `timestamp_ms`; `intended_ns` is kept for its latency.
    pub fn push(&mut self, record: &Record<'_>, timestamp_ms: i64, intended_ns: u64) {
        if self.count == 0 {
            (self.base_ms, self.max_ms) = (timestamp_ms, timestamp_ms);
        }
        self.max_ms = self.max_ms.max(timestamp_ms);
        let bytes = Rc::get_mut(&mut self.bytes.0).expect("an open batch is not shared");
        encode(bytes, record, timestamp_ms - self.base_ms, self.count);
        self.count += 1;
        self.payload_bytes += record.payload_bytes() as u64;
        match self.times.last_mut() {
            Some((time, count)) if *time == intended_ns => *count += 1,
            _ => self.times.push((intended_ns, 1)),
        }
    }

    /// Compresses the records (into `scratch`, whose memory is kept) if that is asked for.
    pub fn compress(&mut self, codec: Codec, compressor: &mut Compressor, scratch: &mut Vec<u8>) {
        if codec == Codec::None {
            return;
        }
        scratch.clear();
        scratch.extend_from_slice(&[0; BatchHeader::SIZE]);
        let records = &self.bytes.0[BatchHeader::SIZE..];
        compressor
            .compress(records, scratch)
            .expect("compressing into memory fails only for lack of it");
        self.attributes = i16::from(codec.id());
        let bytes = Rc::get_mut(&mut self.bytes.0).expect("an open batch is not shared");
        bytes.clear();
        bytes.extend_from_slice(scratch);
    }

    /// Writes the head with the identity and sequence, if any, and the CRC. Can be done again.
    pub fn seal(&mut self, stamp: Option<(Identity, Sequence)>) {
        self.stamp = stamp;
        let (identity, base_sequence) = stamp.unwrap_or((NO_IDENTITY, Sequence(-1)));
        let bytes = Rc::get_mut(&mut self.bytes.0).expect("a batch is sealed before it is shared");
        let mut header = BatchHeader {
            base_offset: Offset(0),
            length: (bytes.len() - BatchHeader::LOG_OVERHEAD) as i32,
            leader_epoch: LeaderEpoch(-1),
            crc: 0,
            attributes: Attributes(self.attributes),
            last_offset_delta: self.count as i32 - 1,
            base_timestamp: self.base_ms,
            max_timestamp: self.max_ms,
            producer_id: identity.id,
            producer_epoch: identity.epoch,
            base_sequence,
            record_count: self.count as i32,
        };
        header.crc = header.compute_crc(&bytes[BatchHeader::SIZE..]);
        bytes[..BatchHeader::SIZE].copy_from_slice(&header.to_bytes());
    }

    /// The identity and sequence it carries.
    pub fn stamp(&self) -> Option<(Identity, Sequence)> {
        self.stamp
    }
}

/// Appends a record in the form of magic 2 (KIP-98).
fn encode(out: &mut Vec<u8>, record: &Record<'_>, timestamp_delta: i64, offset_delta: u32) {
    let value = (!record.null_value).then(|| record.value_bytes());
    let header_bytes = record.header.map_or(0, |(name, value)| {
        length_bytes(name.len()) + name.len() + length_bytes(value.len()) + value.len()
    });
    let total = ATTRIBUTES_BYTES
        + varint_bytes(timestamp_delta)
        + varint_bytes(i64::from(offset_delta))
        + record.key.map_or(1, |key| length_bytes(key.len()))
        + value.map_or(1, length_bytes)
        + record.payload_bytes()
        + HEADER_COUNT_BYTES
        + header_bytes;
    out.reserve(record.encoded_bytes_max());
    put_varint(out, total as i64);
    out.push(0); // attributes
    put_varint(out, timestamp_delta);
    put_varint(out, i64::from(offset_delta));
    put_length(out, record.key.map(<[u8]>::len));
    put_bytes(out, record.key.unwrap_or_default());
    put_length(out, value);
    if !record.null_value {
        record.value.iter().for_each(|piece| put_bytes(out, piece));
    }
    put_varint(out, i64::from(record.header.is_some()));
    if let Some((name, value)) = record.header {
        put_length(out, Some(name.len()));
        put_bytes(out, name.as_bytes());
        put_length(out, Some(value.len()));
        put_bytes(out, value);
    }
}

/// Short pieces, such as stamps, go in words: see [`crate::payload::StampBytes`].
#[inline]
fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    if bytes.len() > SHORT_BYTES {
        return out.extend_from_slice(bytes);
    }
    let (words, rest) = bytes.as_chunks::<8>();
    words.iter().for_each(|word| out.extend_from_slice(word));
    out.extend_from_slice(rest);
}

/// Zigzag in groups of seven bits.
#[inline]
fn put_varint(out: &mut Vec<u8>, value: i64) {
    let mut rest = zigzag(value);
    while rest >= 0x80 {
        out.push((rest & 0x7F) as u8 | 0x80);
        rest >>= 7;
    }
    out.push(rest as u8);
}

#[inline]
fn put_length(out: &mut Vec<u8>, length: Option<usize>) {
    put_varint(out, length.map_or(-1, |length| length as i64));
}

/// Bytes that [`put_varint`] takes.
#[inline]
fn varint_bytes(value: i64) -> usize {
    let bits = u64::BITS - (zigzag(value) | 1).leading_zeros();
    bits.div_ceil(7) as usize
}

#[inline]
fn length_bytes(length: usize) -> usize {
    varint_bytes(length as i64)
}

#[inline]
fn zigzag(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)).cast_unsigned()
}

const NO_IDENTITY: Identity = Identity {
    id: ProducerId::NONE,
    epoch: ProducerEpoch::NONE,
};
/// Size, attributes, deltas and lengths at their longest.
const FRAMING_MAX: usize = 40;
const ATTRIBUTES_BYTES: usize = 1;
/// A record has one header or none.
const HEADER_COUNT_BYTES: usize = 1;
const SHORT_BYTES: usize = 64;

#[cfg(test)]
mod tests;
