//! Batches that Apache Kafka 4.2's `MemoryRecords` made, and properties of our own.

use proptest::prelude::*;

use super::control::{self, ControlType, TxnMarker};
use super::*;
use crate::records::raft::{LeaderChangeMessage, Voter};

/// Three records of an idempotent producer: with headers, without a key, a tombstone.
const IDEMPOTENT: &str = "0000000000000000000000620000000502ed13f6510000000000020000018bcfe56800\
    0000018bcfe568fa0000000000000fa0000300000011000000032e000000066b65790a76616c756504046831027804\
    6832011a00f40302010c7365636f6e64001400130408676f6e650100";
const COMMIT: &str = "000000000000002a000000420000000702ba87d8fd0030000000000000018bcfe56be800000\
    18bcfe56be80000000000000fa00003ffffffff000000012000000008000000010c00000000000900";
const ABORT: &str = "000000000000002b0000004200000007024eb90eb50030000000000000018bcfe56be8000001\
    8bcfe56be80000000000000fa00003ffffffff000000012000000008000000000c00000000000900";
const LEADER_CHANGE: &str = "00000000000000640000004f0000000802e708ee100020000000000000018bcfe56f\
    d00000018bcfe56fd0ffffffffffffffffffffffffffff000000013a000000080000000226000000000bb80200000b\
    b8000200000bb8000000";

#[test]
fn a_producers_batch_has_kafkas_bytes() {
    let headers = [
        RecordHeader {
            key: b"h1",
            value: Some(b"x"),
        },
        RecordHeader {
            key: b"h2",
            value: None,
        },
    ];
    let records = [
        NewRecord {
            timestamp: 1_700_000_000_000,
            key: Some(b"key"),
            value: Some(b"value"),
            headers: &headers,
        },
        NewRecord {
            timestamp: 1_700_000_000_250,
            value: Some(b"second"),
            ..NewRecord::default()
        },
        NewRecord {
            timestamp: 1_699_999_999_990,
            key: Some(b"gone"),
            ..NewRecord::default()
        },
    ];
    let meta = BatchMeta {
        leader_epoch: 5,
        producer_id: 4000,
        producer_epoch: 3,
        base_sequence: 17,
        ..BatchMeta::default()
    };
    let mut builder = BatchBuilder::new();
    for record in &records {
        builder.append(record).unwrap();
    }
    let bytes = builder.uncompressed_bytes();
    let mut out = Vec::new();
    let header = builder.finish(&meta, &mut out);
    assert_eq!(hex(&out), IDEMPOTENT);
    assert_eq!(out.len(), bytes);
    assert_eq!(BatchHeader::parse(&out), Ok(header));

    let batch = Batch::parse(&out).unwrap();
    batch.check_crc().unwrap();
    let read: Vec<Record<'_>> = batch.records().unwrap().map(Result::unwrap).collect();
    assert_eq!(
        read.iter().map(|record| record.offset).collect::<Vec<_>>(),
        [0, 1, 2]
    );
    for (read, record) in read.iter().zip(&records) {
        assert_eq!(
            (read.timestamp, read.key, read.value),
            (record.timestamp, record.key, record.value)
        );
        assert_eq!(read.headers.iter().collect::<Vec<_>>(), record.headers);
    }
}

#[test]
fn transaction_markers_have_kafkas_bytes() {
    for (committed, offset, golden) in [(true, 42, COMMIT), (false, 43, ABORT)] {
        let marker = TxnMarker {
            producer_id: 4000,
            producer_epoch: 3,
            committed,
            coordinator_epoch: 9,
        };
        let mut out = Vec::new();
        let mut builder = BatchBuilder::new();
        control::write_txn_marker(
            &mut builder,
            &marker,
            offset,
            7,
            1_700_000_001_000,
            &mut out,
        );
        assert_eq!(hex(&out), golden);

        let batch = Batch::parse(&out).unwrap();
        assert!(batch.header.attributes.is_control() && batch.header.attributes.is_transactional());
        let record = batch.records().unwrap().next().unwrap().unwrap();
        let control = ControlType::from_key(record.key.unwrap());
        assert_eq!(control == Ok(ControlType::Commit), committed);
        assert_eq!(control::read_txn_marker(record.value.unwrap()), Ok(9));
    }
}

#[test]
fn a_leader_change_has_kafkas_bytes() {
    let voters = [Voter {
        voter_id: 3000,
        ..Voter::default()
    }];
    let message = LeaderChangeMessage {
        version: 0,
        leader_id: 3000,
        voters: (&voters).into(),
        granting_voters: (&voters).into(),
    };
    let mut out = Vec::new();
    let mut builder = BatchBuilder::new();
    let time = 1_700_000_002_000;
    control::write_leader_change(&mut builder, &message, 100, 8, time, &mut out).unwrap();
    assert_eq!(hex(&out), LEADER_CHANGE);
}

#[test]
fn keys_of_control_records() {
    assert_eq!(
        ControlType::from_key(&[0, 0, 0, 6]),
        Ok(ControlType::KRaftVoters)
    );
    assert_eq!(
        ControlType::from_key(&[0, 1, 0, 0, 9]),
        Ok(ControlType::Abort)
    );
    for wrong in [&[0, 0, 0, 7][..], &[0, 0, 0], &[0xff, 0xff, 0, 0], &[]] {
        assert_eq!(ControlType::from_key(wrong), Err(BatchError::ControlKey));
    }
}

#[test]
fn offset_and_epoch_stand_outside_of_the_checksum() {
    let mut batch = unhex(IDEMPOTENT);
    set_base_offset(&mut batch, 1 << 40).unwrap();
    set_leader_epoch(&mut batch, 77).unwrap();
    let batch = Batch::parse(&batch).unwrap();
    batch.check_crc().unwrap();
    assert_eq!(
        (batch.header.base_offset, batch.header.leader_epoch),
        (1 << 40, 77)
    );
    assert_eq!(batch.header.last_offset(), (1 << 40) + 2);
    assert_eq!(
        set_base_offset(&mut [0; 60], 1),
        Err(BatchError::Short { have: 60 })
    );
}

#[test]
fn a_slice_is_split_at_batch_ends() {
    let mut bytes = [unhex(IDEMPOTENT), unhex(COMMIT)].concat();
    let whole = bytes.len();
    bytes.extend(&unhex(ABORT)[..70]);
    let mut batches = Batches::new(&bytes);
    let offsets: Vec<i64> = batches
        .by_ref()
        .map(|batch| batch.unwrap().header.base_offset)
        .collect();
    assert_eq!(offsets, [0, 42]);
    assert_eq!(batches.rest(), &bytes[whole..]);
}

#[test]
fn what_is_no_batch_is_named() {
    let good = unhex(COMMIT);
    let with = |at: usize, byte: u8| {
        let mut batch = good.clone();
        batch[at] = byte;
        Batch::parse(&batch).map(|batch| batch.check_crc())
    };
    assert_eq!(with(16, 1), Err(BatchError::Magic { magic: 1 }));
    assert_eq!(
        with(11, 48),
        Err(BatchError::Length {
            length: 48,
            have: 66
        })
    );
    assert_eq!(
        with(10, 1),
        Err(BatchError::Length {
            length: 0x142,
            have: 66
        })
    );
    assert_eq!(
        with(8, 0xff),
        Err(BatchError::Length {
            length: 0xff00_0042u32 as i32,
            have: 66
        })
    );
    assert_eq!(with(57, 0x80), Err(BatchError::RecordCount(i32::MIN + 1)));
    assert!(matches!(with(70, 0xff), Ok(Err(BatchError::Crc { .. }))));
    assert_eq!(
        Batch::parse(&good[..60]),
        Err(BatchError::Short { have: 60 })
    );
    assert_eq!(
        compute_crc(&good[..60]),
        Err(BatchError::Short { have: 60 })
    );
}

#[test]
fn a_batch_says_when_records_are_too_few_or_too_many() {
    let batch = unhex(IDEMPOTENT);
    let mut header = BatchHeader::parse(&batch).unwrap();
    let records = &batch[BatchHeader::BYTES..];
    header.record_count = 2;
    assert_eq!(
        RecordIter::new(records, &header).last(),
        Some(Err(BatchError::Trailing { left: 11 }))
    );
    header.record_count = 4;
    let last = RecordIter::new(records, &header).last();
    assert!(
        matches!(last, Some(Err(BatchError::Record { index: 3, .. }))),
        "{last:?}"
    );
    header.record_count = i32::MAX;
    assert_eq!(RecordIter::new(records, &header).count(), 4);
}

#[test]
fn append_time_replaces_the_records_times() {
    let batch = unhex(IDEMPOTENT);
    let mut header = BatchHeader::parse(&batch).unwrap();
    header.attributes.0 |= 8;
    header.max_timestamp = 99;
    let times: Vec<i64> = RecordIter::new(&batch[BatchHeader::BYTES..], &header)
        .map(|record| record.unwrap().timestamp)
        .collect();
    assert_eq!(times, [99, 99, 99]);
}

#[test]
fn a_failing_codec_leaves_everything_as_it_was() {
    let mut builder = BatchBuilder::new();
    builder
        .append(&NewRecord {
            value: Some(b"v"),
            ..NewRecord::default()
        })
        .unwrap();
    let mut out = b"before".to_vec();
    let fail = |_: &[u8], out: &mut Vec<u8>| {
        out.push(1);
        Err("no codec")
    };
    let meta = BatchMeta::default();
    let failed = builder.finish_compressed(&meta, Compression::Zstd, fail, &mut out);
    assert_eq!(failed, Err("no codec"));
    assert_eq!((out.as_slice(), builder.len()), (&b"before"[..], 1));

    let reverse = |records: &[u8], out: &mut Vec<u8>| {
        out.extend(records.iter().rev());
        Ok::<(), ()>(())
    };
    builder
        .finish_compressed(&meta, Compression::Zstd, reverse, &mut out)
        .unwrap();
    let batch = Batch::parse(&out[6..]).unwrap();
    batch.check_crc().unwrap();
    assert_eq!(batch.header.attributes.compression(), Ok(Compression::Zstd));
    assert_eq!(
        batch.records().unwrap_err(),
        BatchError::UnknownCompression(4)
    );
    assert!(builder.is_empty());
}

proptest! {
    #[test]
    fn what_is_built_is_read(
        records in prop::collection::vec(
            (
                any::<i64>(),
                prop::option::of(prop::collection::vec(any::<u8>(), 0..200)),
                prop::option::of(prop::collection::vec(any::<u8>(), 0..200)),
                prop::collection::vec(
                    (
                        prop::collection::vec(any::<u8>(), 0..9),
                        prop::option::of(prop::collection::vec(any::<u8>(), 0..9)),
                    ),
                    0..3,
                ),
            ),
            0..20,
        ),
        base_offset in 0..i64::MAX / 2,
    ) {
        let mut builder = BatchBuilder::new();
        for (timestamp, key, value, headers) in &records {
            let headers: Vec<_> = headers
                .iter()
                .map(|(key, value)| RecordHeader { key, value: value.as_deref() })
                .collect();
            let (key, value) = (key.as_deref(), value.as_deref());
            builder.append(&NewRecord { timestamp: *timestamp, key, value, headers: &headers })?;
        }
        let predicted = builder.uncompressed_bytes();
        let mut out = Vec::new();
        builder.finish(&BatchMeta { base_offset, ..BatchMeta::default() }, &mut out);
        prop_assert_eq!(out.len(), predicted);
        let batch = Batch::parse(&out)?;
        batch.check_crc()?;
        let read: Vec<_> = batch.records()?.collect::<Result<_, _>>()?;
        prop_assert_eq!(read.len(), records.len());
        let pairs = read.iter().zip(&records).enumerate();
        for (index, (read, (timestamp, key, value, headers))) in pairs {
            prop_assert_eq!(read.offset, base_offset + index as i64);
            prop_assert_eq!(read.timestamp, *timestamp);
            prop_assert_eq!(read.key, key.as_deref());
            prop_assert_eq!(read.value, value.as_deref());
            let headers: Vec<_> = headers
                .iter()
                .map(|(key, value)| RecordHeader { key, value: value.as_deref() })
                .collect();
            prop_assert_eq!(read.headers.iter().collect::<Vec<_>>(), headers);
        }
    }

    #[test]
    fn broken_batches_are_errors(mut noise in prop::collection::vec(any::<(u16, u8)>(), 1..6)) {
        let mut bytes = [unhex(IDEMPOTENT), unhex(COMMIT)].concat();
        let length = bytes.len();
        for (at, byte) in noise.drain(..) {
            bytes[usize::from(at) % length] ^= byte;
        }
        for batch in Batches::new(&bytes).flatten() {
            for record in batch.records().into_iter().flatten().flatten() {
                prop_assert!(record.headers.iter().count() == record.headers.len());
                if let Some(key) = record.key {
                    let _ = ControlType::from_key(key);
                }
            }
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Vec<u8> {
    let pairs = text.as_bytes().chunks(2);
    pairs
        .map(|pair| u8::from_str_radix(str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect()
}
