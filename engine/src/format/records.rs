//! The records within a batch (KIP-98; `DefaultRecord.java`), read from their uncompressed form.
//!
//! A record: length, attributes i8, timestamp delta, offset delta, key, value, headers. Lengths,
//! counts and deltas are zigzag varints; length -1 stands for null.

/// One record, borrowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Record<'a> {
    /// Milliseconds behind the batch's base timestamp.
    pub timestamp_delta: i64,
    /// Offsets behind the batch's base offset.
    pub offset_delta: i32,
    /// The key, or null.
    pub key: Option<&'a [u8]>,
    /// The value, or null.
    pub value: Option<&'a [u8]>,
    /// How many headers.
    pub header_count: u32,
    /// The headers' bytes, checked; see [`Record::headers`].
    headers: &'a [u8],
}

impl<'a> Record<'a> {
    /// The headers in order.
    pub fn headers(&self) -> impl Iterator<Item = (&'a [u8], Option<&'a [u8]>)> {
        let mut reader = Reader { rest: self.headers };
        // They were walked before, so none is missing.
        (0..self.header_count).map_while(move |_| reader.header().ok())
    }
}

/// What is wrong with a record's bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RecordError {
    /// A length, count or delta ends beyond the bytes, or is no varint.
    #[error("a length or number is cut or malformed")]
    Varint,
    /// A key, value, header or the record itself is longer than what is left.
    #[error("a part is longer than the record")]
    Length,
    /// The parts end before the record does.
    #[error("{left} bytes are left over in the record")]
    LeftOver {
        /// How many.
        left: usize,
    },
    /// A header's key is null.
    #[error("a header without a key")]
    NullHeaderKey,
}

/// The records in `bytes`, the uncompressed part of a batch behind its head. Ends behind an error.
#[derive(Clone, Debug)]
pub struct Records<'a> {
    reader: Reader<'a>,
}

impl<'a> Records<'a> {
    /// Walks `bytes` from their beginning.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self {
            reader: Reader { rest: bytes },
        }
    }
}

impl<'a> Iterator for Records<'a> {
    type Item = Result<Record<'a>, RecordError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.reader.rest.is_empty() {
            return None;
        }
        let record = self.reader.record();
        if record.is_err() {
            self.reader.rest = &[];
        }
        Some(record)
    }
}

/// Appends a zigzag varint.
pub fn write_varint(value: i64, out: &mut Vec<u8>) {
    let mut bits = ((value << 1) ^ (value >> 63)) as u64;
    while bits >= 0x80 {
        out.push(bits as u8 | 0x80);
        bits >>= 7;
    }
    out.push(bits as u8);
}

#[derive(Clone, Copy, Debug)]
struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    fn record(&mut self) -> Result<Record<'a>, RecordError> {
        let length = self.varint()?;
        let mut body = Reader {
            rest: self.take(length)?,
        };
        // Attributes: none are in use.
        body.take(1)?;
        let timestamp_delta = body.varint()?;
        let offset_delta = i32::try_from(body.varint()?).map_err(|_| RecordError::Varint)?;
        let key = body.nullable()?;
        let value = body.nullable()?;
        let header_count = body.varint()?;
        // A header takes two bytes at least: this bounds the loop by the bytes in hand.
        let fits = u32::try_from(header_count).ok();
        let header_count = fits
            .filter(|count| *count as usize <= body.rest.len() / 2)
            .ok_or(RecordError::Length)?;
        let headers = body.rest;
        for _ in 0..header_count {
            body.header()?;
        }
        match body.rest.len() {
            0 => Ok(Record {
                timestamp_delta,
                offset_delta,
                key,
                value,
                header_count,
                headers,
            }),
            left => Err(RecordError::LeftOver { left }),
        }
    }

    fn header(&mut self) -> Result<(&'a [u8], Option<&'a [u8]>), RecordError> {
        let key = self.nullable()?.ok_or(RecordError::NullHeaderKey)?;
        Ok((key, self.nullable()?))
    }

    fn nullable(&mut self) -> Result<Option<&'a [u8]>, RecordError> {
        match self.varint()? {
            length if length < 0 => Ok(None),
            length => self.take(length).map(Some),
        }
    }

    fn take(&mut self, length: i64) -> Result<&'a [u8], RecordError> {
        let length = usize::try_from(length).map_err(|_| RecordError::Length)?;
        let (taken, rest) = self
            .rest
            .split_at_checked(length)
            .ok_or(RecordError::Length)?;
        self.rest = rest;
        Ok(taken)
    }

    fn varint(&mut self) -> Result<i64, RecordError> {
        let mut bits = 0_u64;
        for (at, &byte) in self.rest.iter().take(VARINT_BYTES_MAX).enumerate() {
            bits |= u64::from(byte & 0x7f) << (7 * at);
            if byte & 0x80 == 0 {
                self.rest = &self.rest[at + 1..];
                return Ok((bits >> 1) as i64 ^ -((bits & 1) as i64));
            }
        }
        Err(RecordError::Varint)
    }
}

/// 64 bits in groups of seven.
const VARINT_BYTES_MAX: usize = 10;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn varints_are_zigzag() {
        for (value, bytes) in [
            (0, &[0][..]),
            (-1, &[1]),
            (1, &[2]),
            (-64, &[0x7f]),
            (64, &[0x80, 1]),
            (
                i64::MAX,
                &[0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1],
            ),
            (
                i64::MIN,
                &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1],
            ),
        ] {
            let mut out = Vec::new();
            write_varint(value, &mut out);
            assert_eq!(out, bytes);
            assert_eq!(Reader { rest: bytes }.varint(), Ok(value));
        }
        assert_eq!(Reader { rest: &[0x80] }.varint(), Err(RecordError::Varint));
        assert_eq!(
            Reader { rest: &[0x80; 11] }.varint(),
            Err(RecordError::Varint)
        );
    }

    #[test]
    fn a_golden_record_is_read() {
        // length 17; timestamp delta 5; offset delta 1; key "k"; null value; header h -> "v",
        // header n -> null.
        let bytes = [26, 0, 10, 2, 2, b'k', 1, 4, 2, b'h', 2, b'v', 2, b'n', 1];
        let bytes = [&[bytes.len() as u8 * 2 - 2], &bytes[1..]].concat();
        let record = Records::new(&bytes).next().unwrap().unwrap();
        assert_eq!((record.timestamp_delta, record.offset_delta), (5, 1));
        assert_eq!((record.key, record.value), (Some(&b"k"[..]), None));
        let headers: Vec<_> = record.headers().collect();
        assert_eq!(headers, [(&b"h"[..], Some(&b"v"[..])), (&b"n"[..], None)]);
    }

    #[test]
    fn malformed_records_are_named() {
        let error = |bytes: &[u8]| Records::new(bytes).find_map(Result::err).unwrap();
        assert_eq!(error(&[40, 0]), RecordError::Length);
        assert_eq!(
            error(&[14, 0, 0, 0, 1, 1, 0, 9]),
            RecordError::LeftOver { left: 1 }
        );
        assert_eq!(
            error(&[16, 0, 0, 0, 1, 1, 2, 1, 1]),
            RecordError::NullHeaderKey
        );
        assert_eq!(error(&[12, 0, 0, 0, 1, 1, 200]), RecordError::Varint);
        assert_eq!(
            error(&[12, 0, 0, 0, 1, 1, 60]),
            RecordError::Length,
            "30 headers in no bytes"
        );
        assert_eq!(error(&[12, 0, 0, 0, 98, 1, 0]), RecordError::Length);
    }
}
