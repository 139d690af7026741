//! Batches as a broker would send them, whole, cut and broken.

use logmill_engine::base::{Offset, ProducerEpoch, ProducerId, Sequence};
use logmill_engine::format::batch::Attributes;
use logmill_engine::format::compression::Compressor;

use super::*;
use crate::payload::{Arena, Filler};
use crate::producer::{Batch, Identity, Record};

/// A batch of `count` records at `base`, by `producer`, transactional or a marker if asked.
fn batch(base: i64, count: u32, producer: i64, attributes: i16, key: &[u8]) -> Vec<u8> {
    let mut made = Batch::default();
    made.reset(0, 0, 1_000);
    for _ in 0..count {
        made.push(
            &Record {
                key: Some(key),
                ..Record::default()
            },
            5,
            0,
        );
    }
    let identity = Identity {
        id: ProducerId(producer),
        epoch: ProducerEpoch(0),
    };
    made.seal(Some((identity, Sequence(0))));
    let bytes = made.share().as_ref().to_vec();
    let mut header = BatchHeader::parse(&bytes).unwrap();
    header.base_offset = Offset(base);
    header.attributes = Attributes(attributes);
    header.crc = header.compute_crc(&bytes[BatchHeader::SIZE..]);
    [&header.to_bytes()[..], &bytes[BatchHeader::SIZE..]].concat()
}

#[derive(Default)]
struct Seen {
    offsets: Vec<i64>,
    broken: Vec<(i64, String)>,
}

impl Sink for Seen {
    fn record(&mut self, _: u32, offset: i64, timestamp_ms: i64, _: &RecordView<'_>) {
        assert_eq!(timestamp_ms, 5);
        self.offsets.push(offset);
    }

    fn broken(&mut self, _: u32, base_offset: i64, reason: String) {
        self.broken.push((base_offset, reason));
    }

    fn watermarks(&mut self, _: u32, _: i64, _: i64) {}
}

/// The lowest and highest level of each codec, and its default.
const LEVELS: [(Codec, &[i32]); 5] = [
    (Codec::None, &[]),
    (Codec::Gzip, &[1, 9]),
    (Codec::Snappy, &[]),
    (Codec::Lz4, &[1, 17]),
    (Codec::Zstd, &[-131_072, 22]),
];

/// A batch of several of a codec's blocks, in which some records compress and some do not.
fn packed(codec: Codec, level: Option<i32>) -> Vec<u8> {
    let arenas = [Filler::Text, Filler::Random].map(|filler| Arena::new(filler, 16));
    let mut made = Batch::default();
    made.reset(0, 0, 1_000);
    for at in 0..PACKED {
        let filler = arenas[at as usize % 2].slice(1, at, 1_000);
        let record = Record {
            key: Some(b"key"),
            value: [&at.to_le_bytes(), filler],
            ..Record::default()
        };
        made.push(&record, 5, 0);
    }
    let mut compressor = Compressor::new(codec, level).unwrap();
    made.compress(codec, &mut compressor, &mut Vec::new());
    made.seal(None);
    made.share().as_ref().to_vec()
}

/// Knows what [`packed`] holds.
struct Expecting {
    arenas: [Arena; 2],
    next: u64,
}

impl Sink for Expecting {
    fn record(&mut self, _: u32, offset: i64, _: i64, record: &RecordView<'_>) {
        assert_eq!(offset as u64, self.next);
        let value = record.value.unwrap();
        assert_eq!(value[..8], self.next.to_le_bytes());
        let filler = self.arenas[self.next as usize % 2].slice(1, self.next, 1_000);
        assert_eq!(&value[8..], filler);
        self.next += 1;
    }

    fn broken(&mut self, _: u32, _: i64, reason: String) {
        panic!("{reason}");
    }

    fn watermarks(&mut self, _: u32, _: i64, _: i64) {}
}

#[test]
fn every_codec_at_its_lowest_and_highest_level_is_read_back() {
    let reading = Reading {
        partition: 0,
        from: 0,
        check_crcs: true,
        unpacked_bytes_max: 1 << 20,
    };
    let mut expecting = Expecting {
        arenas: [Filler::Text, Filler::Random].map(|filler| Arena::new(filler, 16)),
        next: 0,
    };
    // One reader for all: contexts that are kept must not remember.
    let mut reader = BatchReader::default();
    for (codec, levels) in LEVELS {
        let each = levels.iter().copied().map(Some);
        for level in each.chain([None]) {
            let bytes = packed(codec, level);
            assert_eq!(
                BatchHeader::parse(&bytes).unwrap().attributes.codec_id(),
                codec.id()
            );
            expecting.next = 0;
            reader.read(&bytes, reading, &mut Aborted::default(), &mut expecting);
            assert_eq!(expecting.next, PACKED, "{codec} at {level:?}");
        }
    }
}

const PACKED: u64 = 300;

fn read(bytes: &[u8], from: i64, aborted: &[(i64, i64)]) -> Seen {
    let mut seen = Seen::default();
    let reading = Reading {
        partition: 0,
        from,
        check_crcs: true,
        unpacked_bytes_max: 10_000,
    };
    let mut aborted = Aborted::new(aborted.iter().copied());
    BatchReader::default().read(bytes, reading, &mut aborted, &mut seen);
    seen
}

const TRANSACTIONAL: i16 = 1 << 4;
const CONTROL: i16 = 1 << 5;

#[test]
fn reading_begins_within_a_batch_and_ends_before_an_incomplete_one() {
    let whole = [batch(10, 3, -1, 0, b""), batch(13, 2, -1, 0, b"")].concat();
    let cut = &whole[..whole.len() - 1];
    assert_eq!(read(cut, 11, &[]).offsets, [11, 12]);
    assert_eq!(read(&whole, 14, &[]).offsets, [14]);
    let start = Progress {
        next: 11,
        epoch: -1,
    };
    assert_eq!(look_ahead(cut, start).next, 13);
    assert_eq!(look_ahead(&whole, start).next, 15);
    assert_eq!(look_ahead(&[], start), start);
}

#[test]
fn a_broken_batch_is_named_and_the_next_one_read() {
    let mut bytes = [batch(0, 2, -1, 0, b"key"), batch(2, 1, -1, 0, b"key")].concat();
    bytes[70] ^= 1;
    let seen = read(&bytes, 0, &[]);
    assert_eq!(seen.offsets, [2]);
    assert_eq!(seen.broken.len(), 1);
    assert!(seen.broken[0].1.contains("CRC"), "{:?}", seen.broken);
    let unknown_codec = batch(0, 1, -1, 7, b"");
    assert!(read(&unknown_codec, 0, &[]).broken[0].1.contains("codec 7"));
}

#[test]
fn aborted_transactions_and_markers_are_left_out() {
    let marker = |base, kind: u8| batch(base, 1, 9, TRANSACTIONAL | CONTROL, &[0, 0, 0, kind]);
    let log = [
        batch(0, 2, 9, TRANSACTIONAL, b""),
        batch(2, 1, 8, TRANSACTIONAL, b""),
        marker(3, 0),
        batch(4, 1, 9, TRANSACTIONAL, b""),
        marker(5, 1),
    ]
    .concat();
    assert_eq!(read(&log, 0, &[(9, 0)]).offsets, [2, 4]);
    assert_eq!(read(&log, 0, &[]).offsets, [0, 1, 2, 4]);
}
