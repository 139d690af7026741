//! The records of a batch, read without copying.

use thiserror::Error;

/// Walks the records of a batch's uncompressed records section.
#[derive(Clone, Debug)]
pub struct Records<'a> {
    rest: &'a [u8],
    left: u32,
}

/// A record as it lies in its batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecordView<'a> {
    /// Its offset, from the batch's base offset.
    pub offset_delta: i64,
    /// Its time in ms, from the batch's base timestamp.
    pub timestamp_delta: i64,
    /// The key, `None` for null.
    pub key: Option<&'a [u8]>,
    /// The value, `None` for null.
    pub value: Option<&'a [u8]>,
    headers: &'a [u8],
    header_count: u32,
}

/// Bytes that are no record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum RecordError {
    /// The batch ends within a record.
    #[error("a record ends beyond its batch")]
    Truncated,
    /// A variable-length integer does not end.
    #[error("a variable-length integer has more than 64 bits")]
    Varint,
    /// A length is negative where it cannot be, or leaves bytes over.
    #[error("a record's lengths do not add up")]
    Lengths,
    /// There are bytes after the last record.
    #[error("{0} bytes follow the last record")]
    Trailing(usize),
}

impl<'a> Records<'a> {
    /// Reads `count` records out of `bytes`, and expects nothing behind them.
    pub fn new(bytes: &'a [u8], count: u32) -> Self {
        Self {
            rest: bytes,
            left: count,
        }
    }

    fn record(&mut self) -> Result<RecordView<'a>, RecordError> {
        let length = varint(&mut self.rest)?;
        let length = usize::try_from(length).map_err(|_| RecordError::Lengths)?;
        let (body, rest) = self
            .rest
            .split_at_checked(length)
            .ok_or(RecordError::Truncated)?;
        self.rest = rest;
        let mut body = body.split_first().ok_or(RecordError::Truncated)?.1;
        let timestamp_delta = varint(&mut body)?;
        let offset_delta = varint(&mut body)?;
        let key = nullable(&mut body)?;
        let value = nullable(&mut body)?;
        let count = varint(&mut body)?;
        let header_count = u32::try_from(count).map_err(|_| RecordError::Lengths)?;
        let headers = body;
        for _ in 0..header_count {
            nullable(&mut body)?.ok_or(RecordError::Lengths)?;
            nullable(&mut body)?;
        }
        if !body.is_empty() {
            return Err(RecordError::Lengths);
        }
        Ok(RecordView {
            offset_delta,
            timestamp_delta,
            key,
            value,
            headers,
            header_count,
        })
    }
}

impl<'a> Iterator for Records<'a> {
    type Item = Result<RecordView<'a>, RecordError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.left == 0 {
            let trailing = std::mem::take(&mut self.rest).len();
            return (trailing > 0).then_some(Err(RecordError::Trailing(trailing)));
        }
        self.left -= 1;
        let record = self.record();
        if record.is_err() {
            (self.left, self.rest) = (0, &[]);
        }
        Some(record)
    }
}

impl<'a> RecordView<'a> {
    /// The value of the first header of this name that is not null.
    pub fn header(&self, name: &str) -> Option<&'a [u8]> {
        let mut rest = self.headers;
        for _ in 0..self.header_count {
            let found = nullable(&mut rest).ok()??;
            let value = nullable(&mut rest).ok()?;
            if found == name.as_bytes() && value.is_some() {
                return value;
            }
        }
        None
    }
}

fn varint(bytes: &mut &[u8]) -> Result<i64, RecordError> {
    let (mut value, mut shift) = (0_u64, 0);
    loop {
        let (&byte, rest) = bytes.split_first().ok_or(RecordError::Truncated)?;
        *bytes = rest;
        value |= u64::from(byte & 0x7F) << shift;
        if byte < 0x80 {
            return Ok((value >> 1).cast_signed() ^ -((value & 1).cast_signed()));
        }
        shift += 7;
        if shift > 63 {
            return Err(RecordError::Varint);
        }
    }
}

fn nullable<'a>(bytes: &mut &'a [u8]) -> Result<Option<&'a [u8]>, RecordError> {
    let length = varint(bytes)?;
    if length == -1 {
        return Ok(None);
    }
    let length = usize::try_from(length).map_err(|_| RecordError::Lengths)?;
    let (taken, rest) = bytes
        .split_at_checked(length)
        .ok_or(RecordError::Truncated)?;
    *bytes = rest;
    Ok(Some(taken))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn garbage_is_an_error_and_never_a_panic(
            bytes in proptest::collection::vec(any::<u8>(), 0..200), count in 0_u32..1_000,
        ) {
            let read: Vec<_> = Records::new(&bytes, count).collect();
            prop_assert!(read.len() <= bytes.len() + 1);
            for record in read.into_iter().flatten() {
                let _ = record.header("x");
            }
        }
    }

    #[test]
    fn trailing_bytes_are_found() {
        let read: Vec<_> = Records::new(&[1, 2], 0).collect();
        assert_eq!(read, [Err(RecordError::Trailing(2))]);
    }
}
