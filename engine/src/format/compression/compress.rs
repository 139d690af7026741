//! Compressing, with contexts that are kept.

use std::fmt;
use std::io::{self, Cursor, Write};

use flate2::write::GzEncoder;
use lz4_flex::frame::{BlockMode, BlockSize, FrameEncoder, FrameInfo};
use zstd::zstd_safe::{self, CCtx, CParameter};

use super::{Codec, CompressionError, snappy};

/// Compresses with one codec and level, again and again.
pub struct Compressor(Kind);

enum Kind {
    None,
    Gzip(flate2::Compression),
    Snappy(Box<snap::raw::Encoder>),
    Lz4,
    /// The slower method, at its level.
    Lz4High(u32),
    Zstd(CCtx<'static>),
}

impl Compressor {
    /// A compressor; `None` is the codec's default level, as in Kafka's `compression.*.level`:
    /// gzip 1 to 9 (6), lz4 1 to 17 (9, which stands for its fast method as it does for Kafka; the
    /// others are those of the slower one, all alike from 12 on), zstd up to 22 (3), negative for
    /// faster ones.
    pub fn new(codec: Codec, level: Option<i32>) -> Result<Self, CompressionError> {
        let refuse = |allowed| {
            let level = level.unwrap_or_default();
            Err(CompressionError::Level {
                codec,
                level,
                allowed,
            })
        };
        Ok(Self(match (codec, level) {
            (Codec::None | Codec::Snappy, Some(_)) => return refuse("it has no levels"),
            (Codec::None, None) => Kind::None,
            (Codec::Snappy, None) => Kind::Snappy(Box::new(snap::raw::Encoder::new())),
            (Codec::Gzip, None | Some(-1)) => Kind::Gzip(flate2::Compression::default()),
            (Codec::Gzip, Some(level @ 1..=9)) => {
                Kind::Gzip(flate2::Compression::new(level.unsigned_abs()))
            }
            (Codec::Gzip, Some(_)) => return refuse("it has 1 to 9, and -1 for the default"),
            (Codec::Lz4, None | Some(LZ4_FAST)) => Kind::Lz4,
            (Codec::Lz4, Some(level @ 1..=17)) => Kind::Lz4High(level.unsigned_abs()),
            (Codec::Lz4, Some(_)) => return refuse("it has 1 to 17"),
            (Codec::Zstd, level) => {
                let level = level.unwrap_or(zstd::DEFAULT_COMPRESSION_LEVEL);
                if !zstd::compression_level_range().contains(&level) {
                    return refuse("it has -131072 to 22");
                }
                let mut context = CCtx::create();
                context
                    .set_parameter(CParameter::CompressionLevel(level))
                    .map_err(zstd_error)?;
                Kind::Zstd(context)
            }
        }))
    }

    /// Appends `input`, compressed, to `out`.
    pub fn compress(&mut self, input: &[u8], out: &mut Vec<u8>) -> Result<(), CompressionError> {
        match &mut self.0 {
            Kind::None => {
                out.extend_from_slice(input);
                Ok(())
            }
            Kind::Gzip(level) => {
                let mut encoder = GzEncoder::new(out, *level);
                let written = encoder.write_all(input).and_then(|()| encoder.finish());
                written
                    .map(drop)
                    .map_err(|error| corrupt(Codec::Gzip, &error))
            }
            Kind::Snappy(encoder) => snappy::compress(encoder, input, out),
            Kind::Lz4 => {
                // Java's reader refuses linked blocks; 64 KiB is what its writer uses.
                let frame = FrameInfo::new()
                    .block_mode(BlockMode::Independent)
                    .block_size(BlockSize::Max64KB);
                let mut encoder = FrameEncoder::with_frame_info(frame, out);
                encoder
                    .write_all(input)
                    .map_err(|error| corrupt(Codec::Lz4, &error))?;
                encoder
                    .finish()
                    .map(drop)
                    .map_err(|error| corrupt(Codec::Lz4, &error))
            }
            Kind::Lz4High(level) => {
                lz4_high(*level, input, out).map_err(|error| corrupt(Codec::Lz4, &error))
            }
            Kind::Zstd(context) => zstd_compress(context, input, out),
        }
    }
}

impl fmt::Debug for Compressor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Kind::None => "Compressor(none)",
            Kind::Gzip(_) => "Compressor(gzip)",
            Kind::Snappy(_) => "Compressor(snappy)",
            Kind::Lz4 | Kind::Lz4High(_) => "Compressor(lz4)",
            Kind::Zstd(_) => "Compressor(zstd)",
        })
    }
}

/// A frame of the same form as the fast method's.
fn lz4_high(level: u32, input: &[u8], out: &mut Vec<u8>) -> io::Result<()> {
    let mut encoder = lz4::EncoderBuilder::new()
        .block_mode(lz4::BlockMode::Independent)
        .block_size(lz4::BlockSize::Max64KB)
        .block_checksum(lz4::liblz4::BlockChecksum::NoBlockChecksum)
        .checksum(lz4::ContentChecksum::NoChecksum)
        .level(level)
        .build(out)?;
    encoder.write_all(input)?;
    encoder.finish().1
}

fn zstd_compress(
    context: &mut CCtx<'static>,
    input: &[u8],
    out: &mut Vec<u8>,
) -> Result<(), CompressionError> {
    let start = out.len();
    out.reserve(zstd_safe::compress_bound(input.len()));
    // The cursor makes zstd write behind what stands in the vector already.
    let mut cursor = Cursor::new(std::mem::take(out));
    cursor.set_position(start as u64);
    let compressed = context.compress2(&mut cursor, input);
    *out = cursor.into_inner();
    compressed.map(drop).map_err(zstd_error)
}

fn corrupt(codec: Codec, error: &dyn fmt::Display) -> CompressionError {
    CompressionError::Corrupt {
        codec,
        reason: error.to_string(),
    }
}

fn zstd_error(code: usize) -> CompressionError {
    let reason = zstd_safe::get_error_name(code).to_owned();
    CompressionError::Corrupt {
        codec: Codec::Zstd,
        reason,
    }
}

/// The level at which Kafka compresses with the fast method.
const LZ4_FAST: i32 = 9;
