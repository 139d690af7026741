//! Tests of the module above.

use logmill_engine::base::DirectoryIndex;
use logmill_engine::disk::{FileId, FileName};
use logmill_engine::sys::region::{RegionClass, RegionPool};

use super::*;

fn slice_of(bytes: &[u8]) -> Slice {
    let mut writer = RegionPool::new(1 << 20).take(RegionClass::Page).unwrap();
    writer.append(bytes);
    writer.slice(0..bytes.len())
}

fn file_range(len: u32) -> FileRange {
    let file = FileName::new(FileId(1), DirectoryIndex(0), "t-0/0.log");
    let lease = file.lease();
    FileRange {
        file,
        position: 100,
        len,
        lease,
    }
}

fn send_all(outgoing: &mut Outgoing, step: usize) -> (Vec<u8>, u64) {
    let (mut bytes, mut free) = (Vec::new(), 0);
    loop {
        let mut parts = [IoSlice::new(&[]); 4];
        let taken = match outgoing.next(&mut parts) {
            Next::Nothing => return (bytes, free),
            Next::File(range) => {
                let taken = step.min(range.len as usize);
                bytes.extend((0..taken).map(|at| (range.position + at as u64) as u8));
                taken
            }
            Next::Memory(count) => {
                let all: Vec<u8> = parts[..count]
                    .iter()
                    .flat_map(|part| part.to_vec())
                    .collect();
                let taken = step.min(all.len());
                bytes.extend_from_slice(&all[..taken]);
                taken
            }
        };
        free += outgoing.advance(taken);
    }
}

#[test]
fn sends_in_order_whatever_the_socket_takes() {
    for step in [1, 2, 3, 7, 1_000] {
        let mut outgoing = Outgoing::default();
        outgoing.push_bytes(b"head");
        outgoing.push_slice(slice_of(b"memory"));
        outgoing.push_bytes(b"mid");
        outgoing.push_file(file_range(3));
        outgoing.push_bytes(b"tail");
        outgoing.charge(77);
        assert_eq!(outgoing.len(), 4 + 6 + 3 + 3 + 4);
        let (bytes, free) = send_all(&mut outgoing, step);
        assert_eq!(bytes, b"headmemorymid\x64\x65\x66tail");
        assert_eq!((free, outgoing.len()), (77, 0));
    }
}

#[test]
fn a_charge_returns_with_the_last_byte_of_its_reply() {
    let mut outgoing = Outgoing::default();
    outgoing.push_bytes(b"first");
    outgoing.charge(10);
    outgoing.push_bytes(b"second");
    outgoing.charge(20);
    assert_eq!(outgoing.advance(4), 0);
    assert_eq!(outgoing.advance(2), 10);
    assert_eq!(outgoing.abandon(), 20);
}

#[test]
fn a_lease_outlives_the_send_until_the_peer_has_the_bytes() {
    let mut outgoing = Outgoing::default();
    let range = file_range(10);
    let file = range.file.clone();
    outgoing.push_file(range);
    outgoing.push_bytes(b"after");
    outgoing.advance(15);
    outgoing.drained(6);
    assert!(
        file.is_leased(),
        "one byte of the range is not acknowledged"
    );
    outgoing.drained(5);
    assert!(!file.is_leased() && !outgoing.is_draining());
}

#[test]
fn many_encoded_bytes_stay_where_they_were_written() {
    let mut outgoing = Outgoing::default();
    let mut encoded = vec![7; LARGE_BYTES_MIN];
    let place = encoded.as_ptr();
    outgoing.push_bytes(b"small");
    outgoing.push_encoded(&mut encoded);
    outgoing.push_encoded(&mut b"after".to_vec());
    outgoing.charge(9);
    assert!(encoded.is_empty());
    assert!(outgoing.encoded_bytes() >= LARGE_BYTES_MIN);
    outgoing.advance(5 + 1_000);
    let mut parts = [IoSlice::new(&[]); 4];
    assert!(matches!(outgoing.next(&mut parts), Next::Memory(2)));
    assert_eq!(parts[0].as_ptr(), place.wrapping_add(1_000));
    let (bytes, free) = send_all(&mut outgoing, 10_000);
    assert_eq!(bytes.len(), LARGE_BYTES_MIN - 1_000 + 5);
    assert!(bytes.ends_with(b"\x07after"));
    assert_eq!((free, outgoing.encoded_bytes()), (9, 0));
}

#[test]
fn a_peer_that_reads_little_by_little_moves_little() {
    let mut outgoing = Outgoing::default();
    let reply = [1; 1_000];
    (0..1_000).for_each(|_| outgoing.push_bytes(&reply));
    let mut moves = 0;
    let mut expected = std::ptr::null();
    while !outgoing.is_empty() {
        let mut parts = [IoSlice::new(&[]); 4];
        assert!(matches!(outgoing.next(&mut parts), Next::Memory(1)));
        moves += usize::from(parts[0].as_ptr() != expected);
        expected = parts[0].as_ptr().wrapping_add(5_000);
        outgoing.advance(5_000);
    }
    assert!(moves < 12, "{moves} moves of what is left");
}
