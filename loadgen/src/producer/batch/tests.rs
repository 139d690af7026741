//! Batches as a reader finds them.

use super::*;
use crate::consumer::Records;

fn open(first: u64) -> Batch {
    let mut batch = Batch::default();
    batch.reset(first, 5, 1_000);
    batch
}

#[test]
fn what_is_pushed_is_read_back() {
    for codec in Codec::ALL {
        let mut batch = open(0);
        let header = Some(("name", b"header value".as_slice()));
        let plain = Record {
            key: None,
            value: [b"ab", b"cd"],
            ..Record::default()
        };
        let full = Record {
            key: Some(b"key"),
            header,
            ..plain
        };
        let null = Record {
            key: Some(b""),
            null_value: true,
            ..Record::default()
        };
        for (at, record) in [plain, full, null].iter().enumerate() {
            batch.push(record, 1_000 - at as i64 * 7, 1 + at as u64 / 2);
        }
        assert_eq!(batch.times, [(1, 2), (2, 1)]);
        let mut compressor = Compressor::new(codec, None).unwrap();
        batch.compress(codec, &mut compressor, &mut Vec::new());
        let identity = Identity {
            id: ProducerId(4),
            epoch: ProducerEpoch(2),
        };
        batch.seal(Some((identity, Sequence(77))));
        let bytes = batch.share();
        let head = BatchHeader::parse(bytes.as_ref()).unwrap();
        assert_eq!(head.size(), bytes.as_ref().len());
        assert_eq!(
            head.compute_crc(&bytes.as_ref()[BatchHeader::SIZE..]),
            head.crc
        );
        assert_eq!((head.record_count, head.base_sequence), (3, Sequence(77)));
        assert_eq!((head.base_timestamp, head.max_timestamp), (1_000, 1_000));
        let mut records = Vec::new();
        logmill_engine::format::compression::decompress(
            codec,
            &bytes.as_ref()[BatchHeader::SIZE..],
            1_000,
            &mut records,
        )
        .unwrap();
        let read: Vec<_> = Records::new(&records, 3).map(Result::unwrap).collect();
        assert_eq!(read[0].value, Some(b"abcd".as_slice()));
        assert_eq!(
            (read[1].key, read[1].timestamp_delta),
            (Some(b"key".as_slice()), -7)
        );
        assert_eq!(read[1].header("name"), Some(b"header value".as_slice()));
        assert_eq!((read[2].key, read[2].value), (Some(b"".as_slice()), None));
        assert_eq!(read[2].offset_delta, 2);
    }
}

#[test]
fn a_batch_in_the_connections_hands_is_not_reused() {
    let mut batch = open(0);
    batch.push(&Record::default(), 1, 1);
    batch.seal(None);
    let shared = batch.share();
    assert!(!batch.is_sole_owner());
    drop(shared);
    assert!(batch.is_sole_owner());
    batch.reset(9, 6, 10);
    assert_eq!((batch.first, batch.len(), batch.is_empty()), (9, 61, true));
}

#[test]
fn the_bound_on_a_records_size_holds() {
    let value = vec![7; 70_000];
    let record = Record {
        key: Some(&value[..300]),
        value: [&value, &value],
        header: Some(("h", &value[..200])),
        ..Record::default()
    };
    let mut out = Vec::new();
    encode(&mut out, &record, i64::MIN / 4, u32::MAX);
    assert!(out.len() <= record.encoded_bytes_max());
}
