//! Snappy as Kafka carries it: snappy-java's stream of blocks, or one bare block.
//!
//! The stream is `82 'S' 'N' 'A' 'P' 'P' 'Y' 00`, version and lowest compatible version as i32,
//! then blocks, each an i32 length and that many bytes of raw snappy. Java writes it; librdkafka
//! and others write the bare block, which Java reads too.

use super::{Codec, CompressionError};

/// Appends `input` as snappy-java's stream.
pub(super) fn compress(
    encoder: &mut snap::raw::Encoder,
    input: &[u8],
    out: &mut Vec<u8>,
) -> Result<(), CompressionError> {
    out.extend_from_slice(&MAGIC);
    out.extend_from_slice(&VERSION.to_be_bytes());
    out.extend_from_slice(&VERSION.to_be_bytes());
    for block in input.chunks(BLOCK_BYTES) {
        let length_at = out.len();
        let block_at = length_at + 4;
        out.resize(block_at + snap::raw::max_compress_len(block.len()), 0);
        let written = encoder
            .compress(block, &mut out[block_at..])
            .map_err(|e| corrupt(&e))?;
        out.truncate(block_at + written);
        out[length_at..block_at].copy_from_slice(&(written as u32).to_be_bytes());
    }
    Ok(())
}

/// Appends what either form holds.
pub(super) fn decompress(
    input: &[u8],
    limit: usize,
    out: &mut Vec<u8>,
) -> Result<(), CompressionError> {
    let limit_end = out.len().saturating_add(limit);
    if !input.starts_with(&MAGIC) {
        return decompress_block(input, limit, limit_end, out);
    }
    let Some(mut rest) = input.get(MAGIC.len() + 8..) else {
        return Err(corrupt(&"the stream's head is cut"));
    };
    while !rest.is_empty() {
        // Streams may follow one another; each begins with the head again.
        if rest.starts_with(&MAGIC) {
            rest = rest.get(MAGIC.len() + 8..).unwrap_or_default();
            continue;
        }
        let Some((length, after)) = rest.split_first_chunk::<4>() else {
            return Err(corrupt(&"a block's length is cut"));
        };
        let length = u32::from_be_bytes(*length) as usize;
        let Some((block, after)) = after.split_at_checked(length) else {
            return Err(corrupt(&"a block is longer than the data"));
        };
        decompress_block(block, limit, limit_end, out)?;
        rest = after;
    }
    Ok(())
}

fn decompress_block(
    block: &[u8],
    limit: usize,
    limit_end: usize,
    out: &mut Vec<u8>,
) -> Result<(), CompressionError> {
    let claimed = snap::raw::decompress_len(block).map_err(|e| corrupt(&e))?;
    if claimed > limit_end - out.len() {
        return Err(CompressionError::TooLarge {
            codec: Codec::Snappy,
            limit,
        });
    }
    if claimed > block.len().saturating_mul(EXPANSION_MAX) {
        return Err(corrupt(&"a block claims more than its bytes can hold"));
    }
    let start = out.len();
    out.resize(start + claimed, 0);
    let written = snap::raw::Decoder::new()
        .decompress(block, &mut out[start..])
        .map_err(|e| corrupt(&e))?;
    out.truncate(start + written);
    Ok(())
}

fn corrupt(reason: &dyn std::fmt::Display) -> CompressionError {
    CompressionError::Corrupt {
        codec: Codec::Snappy,
        reason: reason.to_string(),
    }
}

const MAGIC: [u8; 8] = [0x82, b'S', b'N', b'A', b'P', b'P', b'Y', 0];
const VERSION: i32 = 1;
/// The block size of Kafka's writer.
const BLOCK_BYTES: usize = 32 * 1024;
/// A copy element makes 64 bytes of 2 at the best.
const EXPANSION_MAX: usize = 32;
