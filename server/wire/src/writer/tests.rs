//! The writer, its holes, and what the reader makes of it.

use super::*;
use crate::Reader;

#[test]
fn varints_read_back() {
    let mut w = Writer::new();
    for value in [0, 1, 127, 128, 16_383, 16_384, u32::MAX] {
        w.clear();
        w.unsigned_varint(value);
        assert_eq!(Reader::new(&w.bytes).unsigned_varint(), Ok(value));
    }
    for value in [0, 1, -1, i32::MAX, i32::MIN] {
        w.clear();
        w.varint(value);
        assert_eq!(Reader::new(&w.bytes).varint(), Ok(value));
    }
    for value in [0, 1, -1, i64::MAX, i64::MIN] {
        w.clear();
        w.varlong(value);
        assert_eq!(Reader::new(&w.bytes).varlong(), Ok(value));
    }
}

#[test]
fn tagged_fields_of_every_size_have_it_before_them() {
    for size in [0, 1, 127, 128, 16_383, 16_384, 70_000] {
        let mut w = Writer::new();
        w.raw(b"head");
        let start = w.begin_tagged_field(300);
        w.raw(&vec![7; size]);
        w.end_tagged_field(start);
        let mut r = Reader::new(&w.bytes[4..]);
        assert_eq!(r.unsigned_varint(), Ok(300));
        assert_eq!(r.unsigned_varint(), Ok(size as u32));
        assert_eq!(r.rest(), vec![7; size]);
    }
}

#[test]
fn strings_beyond_the_limit_are_refused() {
    let mut w = Writer::new();
    let longest = "x".repeat(32_767);
    assert!(w.nullable_string(Some(&longest), true).is_ok());
    let kind = w
        .nullable_string(Some(&format!("{longest}x")), true)
        .unwrap_err()
        .kind;
    assert_eq!(kind, EncodeErrorKind::StringTooLong { length: 32_768 });
}

#[test]
fn holes_count_into_the_total() {
    let mut w = Writer::new();
    w.i32(1);
    w.hole(100, 8);
    w.i8(2);
    assert_eq!(
        w.holes,
        [Hole {
            at: 4,
            len: 100,
            id: 8
        }]
    );
    assert_eq!(w.total_len(), 105);
    w.clear();
    assert_eq!(w.total_len(), 0);
}
