//! Record batches for the scripts: whole ones, broken ones, and what is told of those that come
//! back.

use logmill_engine::format::compression::{self, Codec};
use logmill_wire::batch::{
    BatchBuilder, BatchHeader, BatchMeta, Batches, Compression, NewRecord, compute_crc,
};

use crate::tree::Tree;

/// A record's key, value and timestamp.
pub type KeyValueTime = (Option<Vec<u8>>, Option<Vec<u8>>, i64);

/// A batch to be made.
#[derive(Clone)]
pub struct Spec {
    /// Its records.
    pub records: Vec<KeyValueTime>,
    /// Its codec.
    pub codec: Compression,
    /// Producer id, epoch and first sequence number; -1 each without idempotence.
    pub producer: (i64, i16, i32),
}

impl Spec {
    /// `count` small records with keys, a millisecond apart from `start`.
    pub fn small(count: i64, start: i64) -> Spec {
        let record = |i: i64| {
            let (key, value) = (format!("key {i}"), format!("value {i} ").repeat(8));
            (Some(key.into_bytes()), Some(value.into_bytes()), start + i)
        };
        let records = (0..count).map(record).collect();
        Spec {
            records,
            codec: Compression::None,
            producer: (-1, -1, -1),
        }
    }

    /// One record of `bytes` zeros.
    pub fn of_size(bytes: usize, start: i64) -> Spec {
        let records = vec![(None, Some(vec![0; bytes]), start)];
        Spec {
            records,
            codec: Compression::None,
            producer: (-1, -1, -1),
        }
    }

    /// The same, of an idempotent producer.
    pub fn by(mut self, id: i64, epoch: i16, sequence: i32) -> Spec {
        self.producer = (id, epoch, sequence);
        self
    }

    /// The same in another codec.
    pub fn packed(mut self, codec: Compression) -> Spec {
        self.codec = codec;
        self
    }

    /// The batch's bytes.
    pub fn bytes(&self) -> Vec<u8> {
        let mut builder = BatchBuilder::new();
        for (key, value, timestamp) in &self.records {
            let record = NewRecord {
                timestamp: *timestamp,
                key: key.as_deref(),
                value: value.as_deref(),
                headers: &[],
            };
            builder.append(&record).expect("a small batch");
        }
        let (producer_id, producer_epoch, base_sequence) = self.producer;
        let meta = BatchMeta {
            producer_id,
            producer_epoch,
            base_sequence,
            ..BatchMeta::default()
        };
        let mut bytes = Vec::new();
        let codec = Codec::from_id(self.codec as u8).expect("the same five codecs");
        let pack = |records: &[u8], out: &mut Vec<u8>| match codec {
            Codec::None => {
                out.extend_from_slice(records);
                Ok(())
            }
            codec => compression::compress(codec, None, records, out),
        };
        builder
            .finish_compressed(&meta, self.codec, pack, &mut bytes)
            .expect("it compresses");
        bytes
    }
}

/// Puts the right checksum on a batch whose header was changed.
pub fn seal(mut batch: Vec<u8>) -> Vec<u8> {
    let crc = compute_crc(&batch).expect("it has a header");
    batch[17..21].copy_from_slice(&crc.to_be_bytes());
    batch
}

/// `batch` with `bytes` at `at`, sealed again.
pub fn with(mut batch: Vec<u8>, at: usize, bytes: &[u8]) -> Vec<u8> {
    batch[at..at + bytes.len()].copy_from_slice(bytes);
    seal(batch)
}

/// Offsets of header fields within a batch.
pub mod field {
    /// The base offset.
    pub const BASE_OFFSET: usize = 0;
    /// The bytes that follow this field.
    pub const LENGTH: usize = 8;
    /// The format.
    pub const MAGIC: usize = 16;
    /// The CRC-32C.
    pub const CRC: usize = 17;
    /// Codec, kind of timestamp, transactional, control.
    pub const ATTRIBUTES: usize = 21;
    /// The last record's offset, less the first's.
    pub const LAST_OFFSET_DELTA: usize = 23;
    /// How many records there are.
    pub const RECORD_COUNT: usize = 57;
}

/// Batches that were fetched, field by field, their records by checksum.
pub fn describe(bytes: &[u8]) -> Tree {
    let mut batches: Vec<Tree> = Batches::new(bytes)
        .map(|batch| match batch {
            Ok(batch) => describe_batch(
                &batch.header,
                batch.check_crc().is_ok(),
                batch.record_bytes(),
            ),
            Err(error) => Tree::leaf(format!("<no batch: {error}>")),
        })
        .collect();
    let mut whole = Batches::new(bytes);
    while whole.next().is_some() {}
    if !whole.rest().is_empty() {
        batches.push(Tree::leaf("<cut off>"));
    }
    Tree::List(batches)
}

fn describe_batch(header: &BatchHeader, crc_holds: bool, records: &[u8]) -> Tree {
    let mut crc = flate2::Crc::new();
    crc.update(records);
    // The broker's clock; everything else of a batch is the producer's.
    let by_broker = header.attributes.is_log_append_time();
    let latest = if by_broker {
        "<time>".to_owned()
    } else {
        header.max_timestamp.to_string()
    };
    let fields = [
        ("base_offset", header.base_offset.to_string()),
        ("leader_epoch", header.leader_epoch.to_string()),
        ("crc_holds", crc_holds.to_string()),
        ("attributes", header.attributes.0.to_string()),
        ("last_offset_delta", header.last_offset_delta.to_string()),
        ("base_timestamp", header.base_timestamp.to_string()),
        ("max_timestamp", latest),
        ("producer_id", header.producer_id.to_string()),
        ("producer_epoch", header.producer_epoch.to_string()),
        ("base_sequence", header.base_sequence.to_string()),
        ("record_count", header.record_count.to_string()),
        (
            "records",
            format!("{} bytes {:08x}", records.len(), crc.sum()),
        ),
    ];
    Tree::Struct(
        fields
            .map(|(name, value)| (name.to_owned(), Tree::Leaf(value)))
            .to_vec(),
    )
}
