//! Round trips through every codec, and hostile input.

use proptest::prelude::*;

use super::*;

fn text(len: usize) -> Vec<u8> {
    b"the quick brown fox jumps over the lazy dog. "
        .iter()
        .copied()
        .cycle()
        .take(len)
        .collect()
}

#[test]
fn every_codec_round_trips_behind_what_stands_there() {
    for codec in Codec::ALL {
        for len in [0, 1, 100, 32 * 1024, 32 * 1024 + 1, 300_000] {
            let input = text(len);
            let mut packed = b"head".to_vec();
            compress(codec, None, &input, &mut packed).unwrap();
            assert_eq!(&packed[..4], b"head");
            let mut unpacked = b"front".to_vec();
            decompress(codec, &packed[4..], len, &mut unpacked).unwrap();
            assert_eq!(&unpacked[..5], b"front");
            assert!(unpacked[5..] == input, "{codec} of {len} bytes");
        }
    }
}

#[test]
fn the_limit_is_kept_to_the_byte() {
    let input = text(100_000);
    for codec in Codec::ALL {
        let mut packed = Vec::new();
        compress(codec, None, &input, &mut packed).unwrap();
        let mut out = Vec::new();
        assert_eq!(
            decompress(codec, &packed, 99_999, &mut out),
            Err(CompressionError::TooLarge {
                codec,
                limit: 99_999
            })
        );
        assert!(
            out.capacity() < 400_000,
            "{codec} grew to {}",
            out.capacity()
        );
    }
}

#[test]
fn a_zstd_bomb_stops_at_the_limit() {
    let mut packed = Vec::new();
    compress(Codec::Zstd, Some(19), &vec![0; 64 << 20], &mut packed).unwrap();
    assert!(packed.len() < 10_000);
    let mut out = Vec::new();
    let refused = decompress(Codec::Zstd, &packed, 1 << 20, &mut out);
    assert_eq!(
        refused,
        Err(CompressionError::TooLarge {
            codec: Codec::Zstd,
            limit: 1 << 20
        })
    );
    assert!(out.capacity() <= 2 << 20);
}

#[test]
fn zstd_without_a_content_size_is_read() {
    use std::io::Write;
    let input = text(3_000_000);
    let mut encoder = zstd::stream::write::Encoder::new(Vec::new(), 3).unwrap();
    encoder.include_contentsize(false).unwrap();
    encoder.write_all(&input).unwrap();
    let packed = encoder.finish().unwrap();
    let mut out = Vec::new();
    decompress(Codec::Zstd, &packed, 4_000_000, &mut out).unwrap();
    assert!(out == input);
}

#[test]
fn bare_snappy_blocks_are_read() {
    let input = text(70_000);
    let packed = snap::raw::Encoder::new().compress_vec(&input).unwrap();
    let mut out = Vec::new();
    decompress(Codec::Snappy, &packed, 70_000, &mut out).unwrap();
    assert!(out == input);
}

#[test]
fn a_snappy_block_that_claims_too_much_is_refused_before_memory_is_taken() {
    // A length of 1 GiB in seven bytes.
    let lie = [0x80, 0x80, 0x80, 0x80, 0x04, 0, 0];
    let mut out = Vec::new();
    assert!(matches!(
        decompress(Codec::Snappy, &lie, usize::MAX, &mut out),
        Err(CompressionError::Corrupt { .. })
    ));
    assert_eq!(out.capacity(), 0);
}

#[test]
fn golden_frames_of_other_writers() {
    // snappy-java's stream of "hello": head, length 7, raw block.
    let xerial = b"\x82SNAPPY\0\0\0\0\x01\0\0\0\x01\0\0\0\x07\x05\x10hello";
    // An LZ4 frame of the reference tool with block and content checksums off: stored block.
    let lz4 = b"\x04\x22\x4d\x18\x60\x40\x82\x05\0\0\x80hello\0\0\0\0";
    for (codec, bytes) in [(Codec::Snappy, &xerial[..]), (Codec::Lz4, &lz4[..])] {
        let mut out = Vec::new();
        decompress(codec, bytes, 100, &mut out).unwrap();
        assert_eq!(out, b"hello");
    }
    let mut ours = Vec::new();
    compress(Codec::Snappy, None, b"hello", &mut ours).unwrap();
    assert_eq!(ours, xerial);
    let mut ours = Vec::new();
    compress(Codec::Lz4, None, b"hello", &mut ours).unwrap();
    assert_eq!(
        ours[..7],
        lz4[..7],
        "independent blocks of 64 KiB, no checksums"
    );
}

#[test]
fn slower_levels_of_lz4_take_less_room_in_frames_of_the_same_form() {
    let mut input = Vec::new();
    for number in 0..40_000_u32 {
        let word = number.wrapping_mul(2_654_435_761) >> 22;
        input.extend_from_slice(format!("{word} ").as_bytes());
    }
    let compressed = |level| {
        let mut out = b"before".to_vec();
        compress(Codec::Lz4, level, &input, &mut out).unwrap();
        assert_eq!(&out[..6], b"before");
        let frame = out.split_off(6);
        let mut back = Vec::new();
        decompress(Codec::Lz4, &frame, input.len(), &mut back).unwrap();
        assert!(back == input, "{level:?}");
        frame
    };
    let fast = compressed(None);
    assert!(compressed(Some(9)) == fast, "as for Kafka");
    let (low, high) = (compressed(Some(3)), compressed(Some(12)));
    assert_eq!((&low[..6], &high[..6]), (&fast[..6], &fast[..6]));
    assert!(high.len() < low.len() && low.len() < fast.len());
    assert!(compressed(Some(17)) == high);
    assert!(!compressed(Some(1)).is_empty());
}

#[test]
fn levels_are_checked() {
    for (codec, good, bad) in [
        (Codec::Gzip, &[-1, 1, 9][..], &[0, 10][..]),
        (Codec::Lz4, &[1, 17], &[0, 18]),
        (Codec::Zstd, &[-5, 1, 22], &[23]),
        (Codec::Snappy, &[], &[1]),
        (Codec::None, &[], &[1]),
    ] {
        for &level in good {
            assert!(
                Compressor::new(codec, Some(level)).is_ok(),
                "{codec} {level}"
            );
        }
        for &level in bad {
            assert!(
                Compressor::new(codec, Some(level)).is_err(),
                "{codec} {level}"
            );
        }
    }
}

#[test]
fn names_are_kafkas() {
    for codec in Codec::ALL {
        assert_eq!(codec.name().parse(), Ok(codec));
        assert_eq!(Codec::from_id(codec.id()), Some(codec));
    }
    assert_eq!("uncompressed".parse(), Ok(Codec::None));
    assert!("brotli".parse::<Codec>().is_err());
    assert_eq!(Codec::from_id(5), None);
}

proptest! {
    #[test]
    fn garbage_never_panics_or_grows(
        bytes in prop::collection::vec(any::<u8>(), 0..2_000),
        which in 1_u8..5,
    ) {
        let mut out = Vec::new();
        let codec = Codec::from_id(which).unwrap();
        let _ = decompress(codec, &bytes, 10_000, &mut out);
        prop_assert!(out.len() <= 10_001);
        prop_assert!(out.capacity() <= 1 << 16);
    }

    #[test]
    fn damaged_frames_never_panic_or_grow(
        at in 0_usize..1_000, flip in 1_u8.., which in 1_u8..5, cut in 0_usize..50,
    ) {
        let codec = Codec::from_id(which).unwrap();
        let mut packed = Vec::new();
        compress(codec, None, &text(5_000), &mut packed).unwrap();
        let at = at % packed.len();
        packed[at] ^= flip;
        packed.truncate(packed.len() - cut.min(packed.len()));
        let mut out = Vec::new();
        let _ = decompress(codec, &packed, 10_000, &mut out);
        prop_assert!(out.len() <= 10_001);
        prop_assert!(out.capacity() <= 1 << 16);
    }
}
