//! Tests of the module above.

use std::io::IoSlice;

use super::*;
use crate::connection::outgoing::Next;

fn sent(outgoing: &mut Outgoing) -> (Vec<u8>, u64) {
    let mut parts = [IoSlice::new(&[]); 64];
    let bytes = match outgoing.next(&mut parts) {
        Next::Memory(count) => parts[..count]
            .iter()
            .flat_map(|part| part.to_vec())
            .collect(),
        _ => Vec::new(),
    };
    let free = outgoing.advance(bytes.len());
    (bytes, free)
}

#[test]
fn replies_keep_the_order_of_requests() {
    let (mut replies, mut outgoing) = (Replies::default(), Outgoing::default());
    let numbers: Vec<_> = (0..4).map(|_| replies.begin(10)).collect();
    replies.finish(
        numbers[2],
        &mut b"two".to_vec(),
        &mut Vec::new(),
        &mut outgoing,
    );
    replies.finish(
        numbers[1],
        &mut b"one".to_vec(),
        &mut Vec::new(),
        &mut outgoing,
    );
    assert!(outgoing.is_empty());
    assert_eq!(replies.in_flight(), 4);
    replies.finish(
        numbers[0],
        &mut b"zero".to_vec(),
        &mut Vec::new(),
        &mut outgoing,
    );
    assert_eq!(sent(&mut outgoing), (b"zeroonetwo".to_vec(), 30));
    replies.finish(
        numbers[3],
        &mut b"three".to_vec(),
        &mut Vec::new(),
        &mut outgoing,
    );
    assert_eq!(sent(&mut outgoing), (b"three".to_vec(), 10));
    assert_eq!(replies.in_flight(), 0);
}

#[test]
fn a_silent_request_leaves_no_reply_and_returns_its_bytes() {
    let (mut replies, mut outgoing) = (Replies::default(), Outgoing::default());
    let (first, silent, last) = (replies.begin(1), replies.begin(2), replies.begin(4));
    replies.finish_silently(silent, &mut outgoing);
    replies.finish(last, &mut b"last".to_vec(), &mut Vec::new(), &mut outgoing);
    replies.finish(
        first,
        &mut b"first".to_vec(),
        &mut Vec::new(),
        &mut outgoing,
    );
    assert_eq!(sent(&mut outgoing), (b"firstlast".to_vec(), 7));
}

#[test]
fn a_reply_is_finished_once() {
    let (mut replies, mut outgoing) = (Replies::default(), Outgoing::default());
    let first = replies.begin(1);
    replies.finish(first, &mut b"a".to_vec(), &mut Vec::new(), &mut outgoing);
    replies.finish(first, &mut b"b".to_vec(), &mut Vec::new(), &mut outgoing);
    assert_eq!(sent(&mut outgoing).0, b"a");
    let abandoned = replies.begin(5);
    assert_eq!(replies.abandon(), 5);
    replies.finish(
        abandoned,
        &mut b"c".to_vec(),
        &mut Vec::new(),
        &mut outgoing,
    );
    assert!(outgoing.is_empty());
}
