//! Decompressing, bounded, with contexts that are kept.

use std::fmt;
use std::io::{Cursor, Read};

use flate2::read::MultiGzDecoder;
use lz4_flex::frame::FrameDecoder;
use zstd::zstd_safe::{self, DCtx};

use super::{Codec, CompressionError, snappy};

/// Decompresses any codec, again and again. About 200 KiB once it has seen zstd.
#[derive(Default)]
pub struct Decompressor {
    zstd: Option<DCtx<'static>>,
}

impl Decompressor {
    /// A decompressor; contexts are made when first needed.
    pub fn new() -> Self {
        Self::default()
    }

    /// Appends what `input` holds to `out`, at most `limit` bytes. After an error `out` may hold
    /// a part of it.
    pub fn decompress(
        &mut self,
        codec: Codec,
        input: &[u8],
        limit: usize,
        out: &mut Vec<u8>,
    ) -> Result<(), CompressionError> {
        match codec {
            Codec::None if input.len() > limit => Err(CompressionError::TooLarge { codec, limit }),
            Codec::None => {
                out.extend_from_slice(input);
                Ok(())
            }
            Codec::Gzip => read_bounded(codec, MultiGzDecoder::new(input), limit, out),
            Codec::Snappy => snappy::decompress(input, limit, out),
            Codec::Lz4 => read_bounded(codec, FrameDecoder::new(input), limit, out),
            Codec::Zstd => {
                let context = self.zstd.get_or_insert_with(DCtx::create);
                zstd_decompress(context, input, limit, out)
            }
        }
    }
}

impl fmt::Debug for Decompressor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Decompressor")
    }
}

fn read_bounded(
    codec: Codec,
    reader: impl Read,
    limit: usize,
    out: &mut Vec<u8>,
) -> Result<(), CompressionError> {
    // One byte more than allowed tells "too large" from "just fits".
    let mut reader = reader.take(limit as u64 + 1);
    match reader.read_to_end(out) {
        Ok(read) if read > limit => Err(CompressionError::TooLarge { codec, limit }),
        Ok(_) => Ok(()),
        Err(error) => Err(CompressionError::Corrupt {
            codec,
            reason: error.to_string(),
        }),
    }
}

/// Decompresses in one call into room that grows: streaming would first allocate the window that
/// the frame asks for, 128 MiB at level 22. What has to be done again costs as much as the last
/// try, so twice the work at worst.
fn zstd_decompress(
    context: &mut DCtx<'static>,
    input: &[u8],
    limit: usize,
    out: &mut Vec<u8>,
) -> Result<(), CompressionError> {
    let codec = Codec::Zstd;
    let start = out.len();
    let claimed = match zstd_safe::get_frame_content_size(input) {
        Ok(Some(size)) => usize::try_from(size).unwrap_or(usize::MAX),
        Ok(None) => input.len().saturating_mul(4),
        Err(_) => {
            let reason = "no frame".to_owned();
            return Err(CompressionError::Corrupt { codec, reason });
        }
    };
    // A frame may claim anything: begin with no more than 64 times its bytes.
    let mut room = claimed
        .min(input.len().saturating_mul(64))
        .max(256)
        .min(limit);
    loop {
        out.truncate(start);
        out.reserve(room);
        let allowed = out.capacity() - start;
        let mut cursor = Cursor::new(std::mem::take(out));
        cursor.set_position(start as u64);
        let decompressed = context.decompress(&mut cursor, input);
        *out = cursor.into_inner();
        match decompressed {
            Ok(_) if out.len() - start > limit => {
                return Err(CompressionError::TooLarge { codec, limit });
            }
            Ok(_) => return Ok(()),
            Err(code) => {
                let reason = zstd_safe::get_error_name(code);
                if reason != ROOM_TOO_SMALL {
                    return Err(CompressionError::Corrupt {
                        codec,
                        reason: reason.to_owned(),
                    });
                }
            }
        }
        if room >= limit {
            return Err(CompressionError::TooLarge { codec, limit });
        }
        room = allowed.max(room).saturating_mul(2).min(limit);
    }
}

/// zstd's text for `ZSTD_error_dstSize_tooSmall`; a test pins it.
const ROOM_TOO_SMALL: &str = "Destination buffer is too small";
