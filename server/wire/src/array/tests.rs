//! Arrays from the wire and from memory.

use super::*;

fn wire<'a>(bytes: &'a [u8]) -> Array<'a, &'a str> {
    Array::read(&mut Reader::new(bytes), 0, true).unwrap()
}

#[test]
fn elements_come_out_of_the_frame() {
    let array = wire(&[3, 2, b'a', 3, b'b', b'c']);
    assert_eq!((array.len(), array.first()), (2, Some("a")));
    assert_eq!(array.to_vec(), ["a", "bc"]);
    assert_eq!(array.iter().len(), 2);
    assert!(array.as_slice().is_none());
    assert!(wire(&[1]).is_empty());
}

#[test]
fn equality_does_not_ask_where_the_elements_are() {
    let array = wire(&[3, 2, b'a', 3, b'b', b'c']);
    assert_eq!(array, Array::from(vec!["a", "bc"]));
    assert_eq!(array, Array::Slice(&["a", "bc"]));
    assert_ne!(array, Array::from(vec!["a"]));
    assert_ne!(array, Array::from(vec!["a", "b"]));
    assert_eq!(Array::<&str>::default(), wire(&[1]));
}

#[test]
fn all_elements_are_checked_at_once() {
    let kind = |bytes: &[u8]| {
        Array::<&str>::read(&mut Reader::new(bytes), 0, true)
            .map(|_| ())
            .unwrap_err()
            .kind
    };
    assert_eq!(kind(&[0]), DecodeErrorKind::Null);
    assert_eq!(
        kind(&[3, 2, b'a', 3, b'b']),
        DecodeErrorKind::Truncated { need: 2, left: 1 }
    );
    assert_eq!(
        kind(&[3, 2, b'a', 2, 0xff]),
        DecodeErrorKind::NotUtf8 { valid_up_to: 0 }
    );
    let fixed = Array::<i64>::read(&mut Reader::new(&[2, 0, 0]), 0, true)
        .unwrap_err()
        .kind;
    assert_eq!(fixed, DecodeErrorKind::Truncated { need: 8, left: 2 });
}

#[test]
fn a_view_encodes_in_either_form() {
    let array = wire(&[3, 2, b'a', 3, b'b', b'c']);
    let mut w = Writer::new();
    array.write(&mut w, 0, true).unwrap();
    assert_eq!(w.bytes, [3, 2, b'a', 3, b'b', b'c']);
    w.clear();
    array.write(&mut w, 0, false).unwrap();
    assert_eq!(w.bytes, [0, 0, 0, 2, 0, 1, b'a', 0, 2, b'b', b'c']);
}
