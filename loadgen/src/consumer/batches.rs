//! From fetched bytes to records: batches checked, unpacked and filtered.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashSet};

use logmill_engine::format::batch::{BatchHeader, Batches};
use logmill_engine::format::compression::{Codec, Decompressor};

use super::records::{RecordView, Records};

/// Who is told what a consumer reads.
pub trait Sink {
    /// A record, with its offset and time in ms.
    fn record(&mut self, partition: u32, offset: i64, timestamp_ms: i64, record: &RecordView<'_>);

    /// A batch that cannot be read, and why. Its records are skipped.
    fn broken(&mut self, partition: u32, base_offset: i64, reason: String);

    /// The partition's high watermark and last stable offset, -1 where unknown.
    fn watermarks(&mut self, partition: u32, high: i64, stable: i64);
}

/// Reads batches; keeps the memory and contexts for unpacking.
#[derive(Debug, Default)]
pub(super) struct BatchReader {
    decompressor: Decompressor,
    unpacked: Vec<u8>,
}

/// What a partition's part of a fetch amounts to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Progress {
    /// The offset to fetch from next.
    pub(super) next: i64,
    /// The leader epoch of the last batch, -1 if unknown.
    pub(super) epoch: i32,
}

/// How to read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reading {
    pub(super) partition: u32,
    /// Records below were read before.
    pub(super) from: i64,
    pub(super) check_crcs: bool,
    pub(super) unpacked_bytes_max: usize,
}

/// Where a fetch's batches lead, by their heads alone, so that the next fetch can go out before
/// these records are looked at. Incomplete batches at the end are left out.
pub(super) fn look_ahead(bytes: &[u8], from: Progress) -> Progress {
    let mut progress = from;
    for (header, _) in Batches::new(bytes).map_while(Result::ok) {
        let next = header.last_offset().0.saturating_add(1);
        if next > progress.next {
            progress = Progress {
                next,
                epoch: header.leader_epoch.0,
            };
        }
    }
    progress
}

impl BatchReader {
    /// Tells `sink` every record in `bytes` from `reading.from` on, but for those of `aborted`
    /// transactions (producer id and first offset) and control records.
    pub(super) fn read(
        &mut self,
        bytes: &[u8],
        reading: Reading,
        aborted: &mut Aborted,
        sink: &mut impl Sink,
    ) {
        let partition = reading.partition;
        let mut batches = Batches::new(bytes);
        for entry in batches.by_ref() {
            let (header, batch) = match entry {
                Ok(entry) => entry,
                Err(error) => return sink.broken(partition, reading.from, error.to_string()),
            };
            if header.last_offset().0 < reading.from {
                continue;
            }
            if aborted.hides(&header, batch) || header.attributes.is_control() {
                continue;
            }
            if let Err(reason) = self.batch(&header, batch, reading, sink) {
                sink.broken(partition, header.base_offset.0, reason);
            }
        }
    }

    fn batch(
        &mut self,
        header: &BatchHeader,
        batch: &[u8],
        reading: Reading,
        sink: &mut impl Sink,
    ) -> Result<(), String> {
        let packed = &batch[BatchHeader::SIZE..];
        if reading.check_crcs && crc32c::crc32c(&batch[BatchHeader::CRC_START..]) != header.crc {
            return Err("its CRC-32C does not match".to_owned());
        }
        let codec = Codec::from_id(header.attributes.codec_id())
            .ok_or_else(|| format!("codec {} is unknown", header.attributes.codec_id()))?;
        let records = if codec == Codec::None {
            packed
        } else {
            self.unpacked.clear();
            let limit = reading.unpacked_bytes_max;
            let unpacked = self
                .decompressor
                .decompress(codec, packed, limit, &mut self.unpacked);
            unpacked.map_err(|error| error.to_string())?;
            &self.unpacked
        };
        let count = u32::try_from(header.record_count).map_err(|_| "a negative record count")?;
        for record in Records::new(records, count) {
            let record = record.map_err(|error| error.to_string())?;
            let offset = header.base_offset.0 + record.offset_delta;
            if offset >= reading.from {
                let time = header.base_timestamp + record.timestamp_delta;
                sink.record(reading.partition, offset, time, &record);
            }
        }
        Ok(())
    }
}

/// The aborted transactions that a fetch names for a partition, for read_committed.
#[derive(Debug, Default)]
pub(super) struct Aborted {
    /// By first offset.
    to_come: BinaryHeap<Reverse<(i64, i64)>>,
    producers: HashSet<i64>,
}

impl Aborted {
    /// `transactions`: producer id and first offset.
    pub(super) fn new(transactions: impl Iterator<Item = (i64, i64)>) -> Self {
        let to_come = transactions
            .map(|(id, first)| Reverse((first, id)))
            .collect();
        Self {
            to_come,
            producers: HashSet::new(),
        }
    }

    /// True if the batch belongs to an aborted transaction. Takes note of abort markers.
    fn hides(&mut self, header: &BatchHeader, batch: &[u8]) -> bool {
        let last = header.last_offset().0;
        while self
            .to_come
            .peek()
            .is_some_and(|Reverse((first, _))| *first <= last)
        {
            let Some(Reverse((_, id))) = self.to_come.pop() else {
                break;
            };
            self.producers.insert(id);
        }
        let id = header.producer_id.0;
        if header.attributes.is_control() {
            if is_abort_marker(batch) {
                self.producers.remove(&id);
            }
            return false;
        }
        header.attributes.is_transactional() && self.producers.contains(&id)
    }
}

/// A control record's key is version i16 and type i16; type 0 is an abort (KIP-98).
fn is_abort_marker(batch: &[u8]) -> bool {
    let first = Records::new(&batch[BatchHeader::SIZE..], 1).next();
    first
        .and_then(Result::ok)
        .and_then(|record| record.key)
        .is_some_and(|key| key.get(2..4) == Some(&[0, 0]))
}

#[cfg(test)]
mod tests;
