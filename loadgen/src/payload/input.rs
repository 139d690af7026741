//! A file whose lines become records: plain, gzip, zstd or lz4, told apart by their first bytes.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};

use thiserror::Error;

/// The lines of a file, held in memory (bounded by [`Input::BYTES_MAX`] unpacked).
#[derive(Debug)]
pub struct Input {
    bytes: Vec<u8>,
    ends: Vec<u32>,
}

/// Why a file cannot be used.
#[derive(Debug, Error)]
pub enum InputError {
    /// It cannot be read or unpacked.
    #[error("cannot read {path}: {source}")]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// It holds nothing.
    #[error("{0} holds no line")]
    Empty(PathBuf),
    /// It is larger than is held in memory.
    #[error("{path} unpacks to more than {max} bytes; cut it, for example with head -c")]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// The bound.
        max: usize,
    },
}

impl Input {
    /// The most that a file may unpack to: 1 GiB.
    pub const BYTES_MAX: usize = 1 << 30;

    /// Reads and unpacks a file. Lines end with `\n`, which is not part of the record; the last
    /// line need not end; empty lines are records with an empty value.
    pub fn open(path: &Path) -> Result<Self, InputError> {
        let failed = |source| InputError::Read {
            path: path.to_owned(),
            source,
        };
        let mut file = BufReader::new(File::open(path).map_err(failed)?);
        let mut magic = [0; 4];
        let got = read_up_to(&mut file, &mut magic).map_err(failed)?;
        let whole = std::io::Cursor::new(magic[..got].to_vec()).chain(file);
        let limit = Self::BYTES_MAX as u64 + 1;
        let mut bytes = Vec::new();
        match magic {
            [0x1F, 0x8B, ..] => flate2::read::MultiGzDecoder::new(whole)
                .take(limit)
                .read_to_end(&mut bytes),
            [0x28, 0xB5, 0x2F, 0xFD] => zstd::stream::read::Decoder::new(whole)
                .and_then(|decoder| decoder.take(limit).read_to_end(&mut bytes)),
            [0x04, 0x22, 0x4D, 0x18] => lz4_flex::frame::FrameDecoder::new(whole)
                .take(limit)
                .read_to_end(&mut bytes),
            _ => whole.take(limit).read_to_end(&mut bytes),
        }
        .map_err(failed)?;
        if bytes.len() > Self::BYTES_MAX {
            return Err(InputError::TooLarge {
                path: path.to_owned(),
                max: Self::BYTES_MAX,
            });
        }
        Self::from_bytes(bytes).ok_or_else(|| InputError::Empty(path.to_owned()))
    }

    fn from_bytes(bytes: Vec<u8>) -> Option<Self> {
        let mut ends: Vec<u32> = Vec::new();
        for (at, &byte) in bytes.iter().enumerate() {
            if byte == b'\n' {
                ends.push(at as u32);
            }
        }
        if bytes.last().is_some_and(|&last| last != b'\n') {
            ends.push(bytes.len() as u32);
        }
        (!ends.is_empty()).then_some(Self { bytes, ends })
    }

    /// The number of lines, at least 1.
    #[expect(clippy::len_without_is_empty)] // an input without lines is refused when it is opened
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// The line at `index`, without its end; `index` is below [`Input::len`].
    pub fn line(&self, index: usize) -> &[u8] {
        let start = if index == 0 {
            0
        } else {
            self.ends[index - 1] as usize + 1
        };
        &self.bytes[start..self.ends[index] as usize]
    }

    /// The mean length of a line, in bytes.
    pub fn mean_bytes(&self) -> usize {
        self.bytes.len() / self.ends.len()
    }

    /// The length of the longest line, in bytes.
    pub fn longest_bytes(&self) -> usize {
        (0..self.len())
            .map(|i| self.line(i).len())
            .max()
            .unwrap_or(0)
    }
}

fn read_up_to(file: &mut impl Read, buffer: &mut [u8]) -> std::io::Result<usize> {
    let mut got = 0;
    while got < buffer.len() {
        match file.read(&mut buffer[got..])? {
            0 => break,
            n => got += n,
        }
    }
    Ok(got)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn open(bytes: &[u8]) -> Result<Input, InputError> {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(bytes).unwrap();
        Input::open(file.path())
    }

    fn lines(input: &Input) -> Vec<&[u8]> {
        (0..input.len()).map(|i| input.line(i)).collect()
    }

    #[test]
    fn plain_gzip_zstd_and_lz4_hold_the_same_lines() {
        let text = b"one\n\nthree\nfour without end";
        let expected: Vec<&[u8]> = vec![b"one", b"", b"three", b"four without end"];
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gzip.write_all(text).unwrap();
        let mut lz4 = lz4_flex::frame::FrameEncoder::new(Vec::new());
        lz4.write_all(text).unwrap();
        let packed = [
            gzip.finish().unwrap(),
            lz4.finish().unwrap(),
            zstd::bulk::compress(text, 1).unwrap(),
            text.to_vec(),
        ];
        for bytes in packed {
            let input = open(&bytes).unwrap();
            assert_eq!(lines(&input), expected);
            assert_eq!(input.longest_bytes(), 16);
        }
        assert_eq!(lines(&open(b"a\nb\n").unwrap()), [b"a", b"b"]);
        assert_eq!(lines(&open(b"\n").unwrap()), [b""]);
    }

    #[test]
    fn what_cannot_be_used_is_named() {
        assert!(matches!(open(b""), Err(InputError::Empty(_))));
        assert!(matches!(
            open(b"\x1f\x8b not gzip"),
            Err(InputError::Read { .. })
        ));
        let missing = Input::open(Path::new("/nowhere/at/all"))
            .unwrap_err()
            .to_string();
        assert!(missing.contains("/nowhere/at/all"), "{missing}");
    }
}
