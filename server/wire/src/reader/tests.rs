//! The reader on good, short and hostile input.

use super::*;

#[test]
fn unsigned_varints_end_at_their_width() {
    let read = |bytes: &[u8]| {
        Reader::new(bytes)
            .unsigned_varint()
            .map_err(|error| error.kind)
    };
    assert_eq!(read(&[0]), Ok(0));
    assert_eq!(read(&[0x7f]), Ok(127));
    assert_eq!(read(&[0x80, 1]), Ok(128));
    assert_eq!(read(&[0xff, 0xff, 0xff, 0xff, 0x0f]), Ok(u32::MAX));
    let too_long = Err(DecodeErrorKind::VarintTooLong { bits: 32 });
    assert_eq!(read(&[0xff, 0xff, 0xff, 0xff, 0x10]), too_long);
    assert_eq!(read(&[0x80, 0x80, 0x80, 0x80, 0x80, 0]), too_long);
    assert_eq!(
        read(&[0x80]),
        Err(DecodeErrorKind::Truncated { need: 1, left: 0 })
    );
    assert_eq!(
        read(&[]),
        Err(DecodeErrorKind::Truncated { need: 1, left: 0 })
    );
}

#[test]
fn signed_varints_are_zigzag() {
    let read = |bytes: &[u8]| Reader::new(bytes).varint().unwrap();
    assert_eq!(
        [read(&[0]), read(&[1]), read(&[2]), read(&[3])],
        [0, -1, 1, -2]
    );
    assert_eq!(read(&[0xfe, 0xff, 0xff, 0xff, 0x0f]), i32::MAX);
    assert_eq!(read(&[0xff, 0xff, 0xff, 0xff, 0x0f]), i32::MIN);
    let longest = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1];
    assert_eq!(Reader::new(&longest).varlong(), Ok(i64::MIN));
    let too_long = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2];
    let kind = Reader::new(&too_long).varlong().unwrap_err().kind;
    assert_eq!(kind, DecodeErrorKind::VarintTooLong { bits: 64 });
}

#[test]
fn strings_have_two_forms_and_a_limit() {
    let read = |bytes: &'static [u8], flexible| {
        Reader::new(bytes)
            .nullable_string(flexible)
            .map_err(|error| error.kind)
    };
    assert_eq!(read(&[0, 2, b'h', b'i'], false), Ok(Some("hi")));
    assert_eq!(read(&[3, b'h', b'i'], true), Ok(Some("hi")));
    assert_eq!(read(&[0xff, 0xff], false), Ok(None));
    assert_eq!(read(&[0], true), Ok(None));
    let negative = Err(DecodeErrorKind::NegativeLength { length: -2 });
    assert_eq!(read(&[0xff, 0xfe], false), negative);
    let too_long = Err(DecodeErrorKind::StringTooLong { length: 32768 });
    assert_eq!(read(&[0x81, 0x80, 2], true), too_long);
    assert_eq!(
        read(&[3, b'h', 0xff], true),
        Err(DecodeErrorKind::NotUtf8 { valid_up_to: 1 })
    );
    assert_eq!(
        read(&[3, b'h'], true),
        Err(DecodeErrorKind::Truncated { need: 2, left: 1 })
    );
}

#[test]
fn counts_are_held_against_the_bytes_left() {
    let kind = Reader::new(&[0x7f, 0xff, 0xff, 0xff, 0])
        .nullable_count(false)
        .unwrap_err()
        .kind;
    assert_eq!(
        kind,
        DecodeErrorKind::ArrayTooLong {
            count: 0x7fff_ffff,
            left: 1
        }
    );
    assert_eq!(Reader::new(&[2, 9]).nullable_count(true), Ok(Some(1)));
    assert_eq!(Reader::new(&[0, 9]).nullable_count(true), Ok(None));
}

#[test]
fn tags_ascend() {
    let kind = |bytes| Reader::new(bytes).skip_tagged_fields().unwrap_err().kind;
    assert_eq!(
        Reader::new(&[2, 0, 1, 9, 5, 0]).skip_tagged_fields(),
        Ok(())
    );
    assert_eq!(
        kind(&[2, 5, 0, 5, 0]),
        DecodeErrorKind::TagOrder {
            tag: 5,
            previous: 5
        }
    );
    assert_eq!(
        kind(&[2, 5, 0, 4, 0]),
        DecodeErrorKind::TagOrder {
            tag: 4,
            previous: 5
        }
    );
    assert_eq!(
        kind(&[1, 5, 9, 0]),
        DecodeErrorKind::Truncated { need: 9, left: 1 }
    );
    // A count beyond the bytes ends with the bytes.
    assert_eq!(
        kind(&[0x7f, 5, 0]),
        DecodeErrorKind::Truncated { need: 1, left: 0 }
    );
}
