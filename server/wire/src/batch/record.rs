//! Single records: length, attributes, timestamp, offset, key, value, headers, nearly all of them
//! varints (`DefaultRecord.java`).

use crate::batch::error::BatchError;
use crate::batch::header::BatchHeader;
use crate::error::{DecodeError, DecodeErrorKind};
use crate::reader::Reader;

/// A record of a batch, with offset and timestamp made absolute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record<'a> {
    /// Its offset in the partition.
    pub offset: i64,
    /// Milliseconds since 1970: the producer's, or the time of the append.
    pub timestamp: i64,
    /// The key, or none.
    pub key: Option<&'a [u8]>,
    /// The value; none is a tombstone.
    pub value: Option<&'a [u8]>,
    /// The headers, decoded when they are iterated.
    pub headers: Headers<'a>,
}

/// One header of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecordHeader<'a> {
    /// The key: text by intention, but no broker checks.
    pub key: &'a [u8],
    /// The value, or none.
    pub value: Option<&'a [u8]>,
}

/// The headers of a record: a view that was checked when the record was decoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Headers<'a> {
    bytes: &'a [u8],
    count: u32,
}

impl<'a> Headers<'a> {
    /// Number of headers.
    #[must_use]
    pub fn len(&self) -> usize {
        self.count as usize
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The headers in their order.
    pub fn iter(&self) -> impl Iterator<Item = RecordHeader<'a>> + use<'a> {
        let mut r = Reader::new(self.bytes);
        (0..self.count).map_while(move |_| read_header(&mut r).ok())
    }

    fn read(r: &mut Reader<'a>) -> Result<Headers<'a>, DecodeError> {
        let length = r.varint()?;
        let count =
            u32::try_from(length).map_err(|_| DecodeErrorKind::NegativeLength { length })?;
        // A header takes two bytes at least.
        if count as usize > r.remaining() / 2 {
            let left = r.remaining();
            return Err(DecodeErrorKind::ArrayTooLong {
                count: count as usize,
                left,
            }
            .into());
        }
        let start = r.rest();
        for _ in 0..count {
            read_header(r)?;
        }
        Ok(Headers {
            bytes: &start[..start.len() - r.remaining()],
            count,
        })
    }
}

/// Walks the records of a batch that are not, or no longer, compressed. After the last it reports
/// bytes that are left over; after an error it ends.
#[derive(Clone, Debug)]
pub struct RecordIter<'a> {
    r: Reader<'a>,
    index: u32,
    count: u32,
    base_offset: i64,
    base_timestamp: i64,
    append_time: Option<i64>,
}

impl<'a> RecordIter<'a> {
    /// Walks `records`, the decompressed records of the batch with this header.
    #[must_use]
    pub fn new(records: &'a [u8], header: &BatchHeader) -> RecordIter<'a> {
        let append_time = header
            .attributes
            .is_log_append_time()
            .then_some(header.max_timestamp);
        RecordIter {
            r: Reader::new(records),
            index: 0,
            count: u32::try_from(header.record_count).unwrap_or_default(),
            base_offset: header.base_offset,
            base_timestamp: header.base_timestamp,
            append_time,
        }
    }

    fn read(&mut self) -> Result<Record<'a>, DecodeError> {
        let length = self.r.varint()?;
        let size =
            usize::try_from(length).map_err(|_| DecodeErrorKind::NegativeLength { length })?;
        let mut r = Reader::new(self.r.take(size)?);
        let _attributes = r.i8()?;
        let timestamp_delta = r.varlong()?;
        let offset_delta = r.varint()?;
        let record = Record {
            offset: self.base_offset.wrapping_add(i64::from(offset_delta)),
            timestamp: self
                .append_time
                .unwrap_or_else(|| self.base_timestamp.wrapping_add(timestamp_delta)),
            key: read_bytes(&mut r)?,
            value: read_bytes(&mut r)?,
            headers: Headers::read(&mut r)?,
        };
        r.finish()?;
        Ok(record)
    }
}

impl<'a> Iterator for RecordIter<'a> {
    type Item = Result<Record<'a>, BatchError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.index == self.count {
            let left = self.r.remaining();
            self.r = Reader::new(&[]);
            return (left > 0).then_some(Err(BatchError::Trailing { left }));
        }
        let index = self.index;
        match self.read() {
            Ok(record) => {
                self.index += 1;
                Some(Ok(record))
            }
            Err(error) => {
                (self.r, self.index) = (Reader::new(&[]), self.count);
                Some(Err(BatchError::Record { index, error }))
            }
        }
    }
}

fn read_header<'a>(r: &mut Reader<'a>) -> Result<RecordHeader<'a>, DecodeError> {
    let key = read_bytes(r)?.ok_or(DecodeErrorKind::Null)?;
    Ok(RecordHeader {
        key,
        value: read_bytes(r)?,
    })
}

/// Bytes with a signed varint before them; any negative length is null, as in Kafka.
fn read_bytes<'a>(r: &mut Reader<'a>) -> Result<Option<&'a [u8]>, DecodeError> {
    match usize::try_from(r.varint()?) {
        Ok(length) => r.take(length).map(Some),
        Err(_) => Ok(None),
    }
}
