//! Batches that pass, and each way to be refused.

use super::super::batch::Attributes;
use super::super::builder::BatchBuilder;
use super::*;
use crate::base::{ProducerEpoch, ProducerId};

const NOW: i64 = 1_700_000_000_000;

fn policy() -> ValidationPolicy {
    ValidationPolicy {
        mode: ValidationMode::Auto,
        now_ms: NOW,
        log_append_time: false,
        timestamp_before_max_ms: i64::MAX,
        timestamp_after_max_ms: 3_600_000,
        compacted: false,
        codec: None,
        level: None,
        control_allowed: false,
        decompressed_bytes_max: 1 << 20,
    }
}

fn three() -> BatchBuilder {
    BatchBuilder::new()
        .record(NOW, Some(b"a"), Some(b"1"))
        .record(NOW + 5, None, Some(b"2"))
        .record(NOW + 2, Some(b"c"), None)
}

fn validate(bytes: &[u8], policy: &ValidationPolicy) -> Result<Validated, BatchError> {
    Validator::new().validate(bytes, policy)
}

/// Changes the head of a batch and mends its CRC.
fn with_header(mut bytes: Vec<u8>, change: impl FnOnce(&mut BatchHeader)) -> Vec<u8> {
    let mut header = BatchHeader::parse(&bytes).unwrap();
    change(&mut header);
    seal(&mut header, &mut bytes);
    bytes
}

#[test]
fn good_batches_of_every_codec_pass_unchanged() {
    for codec in Codec::ALL {
        let bytes = three().build(codec).unwrap();
        for mode in [ValidationMode::Auto, ValidationMode::Kafka] {
            let validated = validate(&bytes, &ValidationPolicy { mode, ..policy() }).unwrap();
            assert_eq!(validated.header, BatchHeader::parse(&bytes).unwrap());
            assert_eq!(validated.recompressed, None);
        }
    }
}

#[test]
fn frames_must_be_one_whole_batch() {
    let bytes = three().build(Codec::None).unwrap();
    assert_eq!(validate(&[], &policy()), Err(BatchError::NoBatch));
    assert_eq!(
        validate(&bytes[..bytes.len() - 1], &policy()),
        Err(BatchError::NoBatch)
    );
    let two = [&bytes[..], &bytes].concat();
    assert_eq!(
        validate(&two, &policy()),
        Err(BatchError::SeveralBatches { left: bytes.len() })
    );
    // A relay may send what a fetch gave it, whose last batch is cut off.
    for left in [1, 11, 12, 60, bytes.len() - 1] {
        let cut_off = [&bytes[..], &bytes[..left]].concat();
        let validated = validate(&cut_off, &policy()).unwrap();
        assert_eq!(validated.header.size(), bytes.len(), "{left} bytes behind");
    }
    let mut flipped = bytes.clone();
    *flipped.last_mut().unwrap() ^= 1;
    assert!(matches!(
        validate(&flipped, &policy()),
        Err(BatchError::Crc { .. })
    ));
    let mut old = bytes;
    old[16] = 1;
    assert_eq!(
        validate(&old, &policy()),
        Err(BatchError::Header(HeaderError::Magic { magic: 1 }))
    );
}

#[test]
fn heads_are_checked() {
    let bytes = || three().build(Codec::None).unwrap();
    let changed = |change: fn(&mut BatchHeader)| validate(&with_header(bytes(), change), &policy());
    assert_eq!(
        changed(|h| h.base_offset = crate::base::Offset(5)),
        Err(BatchError::BaseOffset { base_offset: 5 })
    );
    assert_eq!(
        changed(|h| h.record_count = 4),
        Err(BatchError::Count {
            record_count: 4,
            last_offset_delta: 2
        })
    );
    assert!(matches!(
        changed(|h| h.record_count = 0),
        Err(BatchError::Count { .. })
    ));
    assert_eq!(
        changed(|h| (h.record_count, h.last_offset_delta) = (4, 3)),
        Err(BatchError::RecordCount {
            expected: 4,
            found: 3
        })
    );
    assert_eq!(
        changed(|h| h.attributes = Attributes(1 << 5)),
        Err(BatchError::Control)
    );
    assert_eq!(
        changed(|h| h.producer_id = ProducerId(4)),
        Err(BatchError::Sequence {
            producer: 4,
            sequence: -1
        })
    );
    assert_eq!(
        changed(|h| h.attributes = Attributes(6)),
        Err(BatchError::UnknownCodec { id: 6 })
    );
    let idempotent = three().producer(ProducerId(4), ProducerEpoch(0), Sequence(0));
    assert!(validate(&idempotent.build(Codec::Lz4).unwrap(), &policy()).is_ok());
}

#[test]
fn malformed_records_are_found_where_they_lie_open_or_the_mode_opens_them() {
    let mut bytes = three().build(Codec::None).unwrap();
    bytes.truncate(BatchHeader::SIZE);
    bytes.extend_from_slice(&[12, 0, 0, 0, 98, 1, 0]);
    let bytes = with_header(bytes, |h| (h.record_count, h.last_offset_delta) = (1, 0));
    assert_eq!(
        validate(&bytes, &policy()),
        Err(BatchError::Record {
            index: 0,
            error: RecordError::Length
        })
    );
    let lying = with_header(three().build(Codec::Zstd).unwrap(), |h| {
        (h.record_count, h.last_offset_delta) = (9, 8);
    });
    assert!(
        validate(&lying, &policy()).is_ok(),
        "named in README's limits"
    );
    let strict = ValidationPolicy {
        mode: ValidationMode::Kafka,
        ..policy()
    };
    assert_eq!(
        validate(&lying, &strict),
        Err(BatchError::RecordCount {
            expected: 9,
            found: 3
        })
    );
}

#[test]
fn null_keys_of_compacted_topics_are_named_by_record() {
    let compacted = ValidationPolicy {
        compacted: true,
        ..policy()
    };
    for codec in Codec::ALL {
        let bytes = three().build(codec).unwrap();
        let fault = RecordFault {
            index: 1,
            kind: FaultKind::NullKey,
        };
        assert_eq!(
            validate(&bytes, &compacted),
            Err(BatchError::Faults(vec![fault]))
        );
    }
}

#[test]
fn timestamps_must_be_within_the_bounds() {
    let ahead = 3_600_001;
    let late = BatchBuilder::new()
        .record(NOW - 50, None, None)
        .record(NOW + ahead, None, None)
        .record(-1, None, None);
    let kind = |timestamp, from| FaultKind::Timestamp {
        timestamp,
        from,
        to: NOW + 3_600_000,
    };
    for codec in [Codec::None, Codec::Zstd] {
        let bytes = late.build(codec).unwrap();
        let fault = RecordFault {
            index: 1,
            kind: kind(NOW + ahead, NOW - i64::MAX),
        };
        assert_eq!(
            validate(&bytes, &policy()),
            Err(BatchError::Faults(vec![fault])),
            "{codec}"
        );
        let narrow = ValidationPolicy {
            timestamp_before_max_ms: 40,
            ..policy()
        };
        let Err(BatchError::Faults(faults)) = validate(&bytes, &narrow) else {
            panic!("both ends are out of range");
        };
        assert_eq!(
            faults.iter().map(|fault| fault.index).collect::<Vec<_>>(),
            [0, 1]
        );
        assert!(faults.iter().all(|fault| fault.kind.is_timestamp()));
        let by_broker = ValidationPolicy {
            log_append_time: true,
            ..narrow
        };
        assert!(
            validate(&bytes, &by_broker).is_ok(),
            "the broker's clock replaces them"
        );
    }
}

#[test]
fn a_producer_may_not_claim_the_brokers_clock() {
    let claim = |h: &mut BatchHeader| h.attributes = h.attributes.with_log_append_time(true);
    let bytes = with_header(three().build(Codec::Gzip).unwrap(), claim);
    let by_broker = ValidationPolicy {
        log_append_time: true,
        ..policy()
    };
    let Err(BatchError::Faults(faults)) = validate(&bytes, &by_broker) else {
        panic!("accepted");
    };
    assert!(faults.len() == 3 && faults[0].kind == FaultKind::TimestampType);
    // Kafka's quirk: where the producer's clock counts, the claim is just taken away.
    let validated = validate(&bytes, &policy()).unwrap();
    assert!(!validated.header.attributes.is_log_append_time());
    assert_eq!(
        validated.header.crc,
        validated.header.compute_crc(&bytes[61..])
    );
}

#[test]
fn a_lying_largest_timestamp_is_corrected() {
    let bytes = with_header(three().build(Codec::None).unwrap(), |h| {
        h.max_timestamp = NOW - 9
    });
    let validated = validate(&bytes, &policy()).unwrap();
    assert_eq!(validated.header.max_timestamp, NOW + 5);
    assert_eq!(
        validated.header.crc,
        validated.header.compute_crc(&bytes[61..])
    );
}

#[test]
fn the_topics_codec_wins() {
    for (from, to) in [(Codec::None, Codec::Zstd), (Codec::Gzip, Codec::None)] {
        let bytes = three().build(from).unwrap();
        let policy = ValidationPolicy {
            codec: Some(to),
            ..policy()
        };
        let validated = validate(&bytes, &policy).unwrap();
        let rewritten = validated.recompressed.expect("another codec");
        assert_eq!(BatchHeader::parse(&rewritten), Ok(validated.header));
        assert_eq!(rewritten, three().build(to).unwrap());
        let again = validate(&rewritten, &policy).unwrap();
        assert_eq!(again.recompressed, None);
    }
}

#[test]
fn the_topics_level_is_used_for_its_codec() {
    let text: Vec<u8> = (0..40_000u32)
        .flat_map(|at| (at * at / 7).to_string().into_bytes())
        .collect();
    let bytes = BatchBuilder::new()
        .record(NOW, None, Some(&text))
        .build(Codec::None)
        .unwrap();
    for (codec, low, high) in [(Codec::Gzip, 1, 9), (Codec::Zstd, -20, 15)] {
        let size = |level| {
            let codec = Some(codec);
            let policy = ValidationPolicy {
                codec,
                level,
                ..policy()
            };
            let validated = validate(&bytes, &policy).unwrap();
            validated.recompressed.unwrap().len()
        };
        let sizes = [size(Some(low)), size(None), size(Some(high))];
        assert_ne!(
            sizes[2], sizes[0],
            "{codec:?}: the level tells in {sizes:?}"
        );
    }
}

#[test]
fn bombs_are_bounded() {
    let bomb = BatchBuilder::new().record(NOW, None, Some(&vec![0; 2 << 20]));
    let strict = ValidationPolicy {
        mode: ValidationMode::Kafka,
        ..policy()
    };
    for codec in [Codec::Gzip, Codec::Snappy, Codec::Lz4, Codec::Zstd] {
        let bytes = bomb.build(codec).unwrap();
        assert_eq!(
            validate(&bytes, &strict),
            Err(BatchError::Compression(CompressionError::TooLarge {
                codec,
                limit: 1 << 20
            }))
        );
    }
}

#[test]
fn faults_are_bounded() {
    let mut builder = BatchBuilder::new();
    for _ in 0..2_000 {
        builder.push(NOW, None, None, &[]);
    }
    let compacted = ValidationPolicy {
        compacted: true,
        ..policy()
    };
    let Err(BatchError::Faults(faults)) =
        validate(&builder.build(Codec::None).unwrap(), &compacted)
    else {
        panic!("accepted");
    };
    assert_eq!(faults.len(), FAULTS_MAX);
}

/// A batch byte for byte: Kafka's own tools read it with its CRC, keys, values and headers.
#[test]
fn a_golden_batch() {
    let mut builder = BatchBuilder::new()
        .at(crate::base::Offset(7), crate::base::LeaderEpoch(2))
        .producer(ProducerId(9), ProducerEpoch(1), Sequence(4))
        .record(1_000, Some(b"k"), Some(b"v"));
    builder.push(1_010, None, None, &[(b"h", None)]);
    let bytes = builder.build(Codec::None).unwrap();
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(hex, GOLDEN);
}

const GOLDEN: &str = concat!(
    "000000000000000700000044000000020261d9d5b200000000000100000000000003e80000000000",
    "0003f2000000000000000900010000000400000002",
    "10000000026b02760012001402010102026801",
);

proptest::proptest! {
    #[test]
    fn garbage_is_refused_without_a_panic(
        bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..300),
        magic in proptest::bool::ANY,
    ) {
        let mut bytes = bytes;
        if magic && bytes.len() > 61 {
            // As far as the records: a sound head over garbage.
            let mut header = BatchHeader::parse(&three().build(Codec::None).unwrap()).unwrap();
            header.attributes = Attributes(i16::from(bytes[22] & 7));
            seal(&mut header, &mut bytes);
        }
        let strict = ValidationPolicy { mode: ValidationMode::Kafka, ..policy() };
        proptest::prop_assert!(validate(&bytes, &strict).is_err());
    }

    #[test]
    fn every_flipped_bit_is_found(at in 0_usize..10_000, bit in 0..8_u8, codec in 0_u8..5) {
        let mut bytes = three().build(Codec::from_id(codec).unwrap()).unwrap();
        let at = at % bytes.len();
        bytes[at] ^= 1_u8 << bit;
        // The leader's own fields, offset aside, stand outside the CRC.
        let outside = (12..16).contains(&at);
        proptest::prop_assert_eq!(validate(&bytes, &policy()).is_ok(), outside);
    }
}
