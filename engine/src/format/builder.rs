//! Making batches: for what the engine writes itself, and for tests and benches.

use super::batch::{Attributes, BatchHeader};
use super::compression::{Codec, CompressionError, Compressor};
use super::records::write_varint;
use crate::base::{LeaderEpoch, Offset, ProducerEpoch, ProducerId, Sequence};

/// Gathers records into one batch.
#[derive(Clone, Debug)]
pub struct BatchBuilder {
    header: BatchHeader,
    records: Vec<u8>,
    body: Vec<u8>,
}

impl BatchBuilder {
    /// A batch as a producer sends it: base offset 0, no leader epoch, no producer id.
    pub fn new() -> Self {
        Self {
            header: BatchHeader {
                base_offset: Offset::ZERO,
                length: 0,
                leader_epoch: LeaderEpoch::NONE,
                crc: 0,
                attributes: Attributes::default(),
                last_offset_delta: -1,
                base_timestamp: -1,
                max_timestamp: -1,
                producer_id: ProducerId::NONE,
                producer_epoch: ProducerEpoch::NONE,
                base_sequence: Sequence::NONE,
                record_count: 0,
            },
            records: Vec::new(),
            body: Vec::new(),
        }
    }

    /// The batch begins at `offset`, stamped with `epoch`: as it stands in a log.
    #[must_use]
    pub fn at(mut self, offset: Offset, epoch: LeaderEpoch) -> Self {
        self.header.base_offset = offset;
        self.header.leader_epoch = epoch;
        self
    }

    /// An idempotent producer's batch.
    #[must_use]
    pub fn producer(mut self, id: ProducerId, epoch: ProducerEpoch, sequence: Sequence) -> Self {
        self.header.producer_id = id;
        self.header.producer_epoch = epoch;
        self.header.base_sequence = sequence;
        self
    }

    /// Attribute bits, other than the codec's, which [`Self::build`] sets.
    #[must_use]
    pub fn attributes(mut self, attributes: Attributes) -> Self {
        self.header.attributes = attributes;
        self
    }

    /// Adds a record with the next offset.
    #[must_use]
    pub fn record(mut self, timestamp: i64, key: Option<&[u8]>, value: Option<&[u8]>) -> Self {
        self.push(timestamp, key, value, &[]);
        self
    }

    /// Adds a record with headers.
    pub fn push(
        &mut self,
        timestamp: i64,
        key: Option<&[u8]>,
        value: Option<&[u8]>,
        headers: &[(&[u8], Option<&[u8]>)],
    ) {
        let header = &mut self.header;
        if header.record_count == 0 {
            header.base_timestamp = timestamp;
            header.max_timestamp = timestamp;
        }
        header.max_timestamp = header.max_timestamp.max(timestamp);
        header.last_offset_delta += 1;
        header.record_count += 1;
        let body = &mut self.body;
        body.clear();
        body.push(0);
        write_varint(timestamp - header.base_timestamp, body);
        write_varint(i64::from(header.last_offset_delta), body);
        write_nullable(key, body);
        write_nullable(value, body);
        write_varint(headers.len() as i64, body);
        for (key, value) in headers {
            write_nullable(Some(key), body);
            write_nullable(*value, body);
        }
        write_varint(body.len() as i64, &mut self.records);
        self.records.extend_from_slice(body);
    }

    /// The finished batch, its records compressed.
    pub fn build(&self, codec: Codec) -> Result<Vec<u8>, CompressionError> {
        let mut bytes = vec![0; BatchHeader::SIZE];
        Compressor::new(codec, None)?.compress(&self.records, &mut bytes)?;
        let mut header = self.header;
        header.attributes = header.attributes.with_codec_id(codec.id());
        seal(&mut header, &mut bytes);
        Ok(bytes)
    }
}

impl Default for BatchBuilder {
    fn default() -> Self {
        Self::new()
    }
}

/// Writes `header` over the first 61 bytes of `bytes`, its length and CRC set for the rest.
pub(super) fn seal(header: &mut BatchHeader, bytes: &mut [u8]) {
    header.length = (bytes.len() - BatchHeader::LOG_OVERHEAD) as i32;
    header.crc = header.compute_crc(&bytes[BatchHeader::SIZE..]);
    bytes[..BatchHeader::SIZE].copy_from_slice(&header.to_bytes());
}

fn write_nullable(bytes: Option<&[u8]>, out: &mut Vec<u8>) {
    match bytes {
        Some(bytes) => {
            write_varint(bytes.len() as i64, out);
            out.extend_from_slice(bytes);
        }
        None => write_varint(-1, out),
    }
}
