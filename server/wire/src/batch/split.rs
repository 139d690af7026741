//! Batches back to back, as produce requests and fetch responses hold them.

use crate::batch::error::BatchError;
use crate::batch::header::{BatchHeader, Compression, compute_crc};
use crate::batch::record::RecordIter;

/// One batch: its header, and all of its bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Batch<'a> {
    /// What stands before the records.
    pub header: BatchHeader,
    /// The batch from its first byte to its last.
    pub bytes: &'a [u8],
}

impl<'a> Batch<'a> {
    /// The batch that `bytes` begin with.
    ///
    /// # Errors
    /// As [`BatchHeader::parse`], and `Length` if the batch is longer than `bytes`.
    pub fn parse(bytes: &'a [u8]) -> Result<Batch<'a>, BatchError> {
        let header = BatchHeader::parse(bytes)?;
        match bytes.get(..header.total_bytes()) {
            Some(bytes) => Ok(Batch { header, bytes }),
            None => Err(BatchError::Length {
                length: header.length,
                have: bytes.len() - BatchHeader::BYTES_BEFORE_LENGTH,
            }),
        }
    }

    /// Compares the checksum with the bytes.
    ///
    /// # Errors
    /// `Crc`.
    pub fn check_crc(&self) -> Result<(), BatchError> {
        let (stored, computed) = (self.header.crc, compute_crc(self.bytes)?);
        if stored == computed {
            Ok(())
        } else {
            Err(BatchError::Crc { stored, computed })
        }
    }

    /// The records as they are: compressed, if the attributes say so.
    #[must_use]
    pub fn record_bytes(&self) -> &'a [u8] {
        &self.bytes[BatchHeader::BYTES..]
    }

    /// The records, which must not be compressed.
    ///
    /// # Errors
    /// `UnknownCompression` for any codec but none. Records that were decompressed elsewhere go
    /// into [`RecordIter::new`].
    pub fn records(&self) -> Result<RecordIter<'a>, BatchError> {
        match self.header.attributes.compression()? {
            Compression::None => Ok(RecordIter::new(self.record_bytes(), &self.header)),
            codec => Err(BatchError::UnknownCompression(codec as u8)),
        }
    }
}

/// The batches in a slice. A batch that the slice cuts off at its end is left out, as Kafka's
/// consumers do: a fetch may end within one. What is wrong otherwise ends the iteration.
#[derive(Clone, Debug)]
pub struct Batches<'a> {
    rest: &'a [u8],
}

impl<'a> Batches<'a> {
    /// Starts at the first byte.
    #[must_use]
    pub fn new(bytes: &'a [u8]) -> Batches<'a> {
        Batches { rest: bytes }
    }

    /// The bytes behind the batches that were returned.
    #[must_use]
    pub fn rest(&self) -> &'a [u8] {
        self.rest
    }
}

impl<'a> Iterator for Batches<'a> {
    type Item = Result<Batch<'a>, BatchError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.len() < BatchHeader::BYTES {
            return None;
        }
        let header = match BatchHeader::parse(self.rest) {
            Ok(header) => header,
            Err(error) => {
                self.rest = &[];
                return Some(Err(error));
            }
        };
        let (bytes, rest) = self.rest.split_at_checked(header.total_bytes())?;
        self.rest = rest;
        Some(Ok(Batch { header, bytes }))
    }
}
