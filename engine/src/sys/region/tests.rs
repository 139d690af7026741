//! Regions shared, recycled and bounded.

use std::sync::mpsc;
use std::thread;

use super::*;

#[test]
fn classes_are_powers_of_four_pages() {
    let sizes: Vec<usize> = RegionClass::ALL
        .into_iter()
        .map(RegionClass::bytes)
        .collect();
    assert_eq!(sizes, [4 << 10, 16 << 10, 64 << 10, 256 << 10, 1 << 20]);
    assert_eq!(RegionClass::holding(4096), Some(RegionClass::Page));
    assert_eq!(RegionClass::holding(4097), Some(RegionClass::Small));
    assert_eq!(RegionClass::holding((1 << 20) + 1), None);
}

#[test]
fn regions_are_aligned_and_views_stay_while_the_writer_goes_on() {
    let mut pool = RegionPool::new(1 << 20);
    let mut writer = pool.take(RegionClass::Page).unwrap();
    assert_eq!(writer.bytes().as_ptr().align_offset(REGION_ALIGNMENT), 0);
    assert_eq!(writer.append(b"first"), 5);
    let first = writer.slice(0..5);
    assert_eq!(writer.append(b"second"), 6);
    writer.patch(5, b"S");
    let all = writer.slice(0..11);
    assert_eq!((&*first, &*all), (&b"first"[..], &b"firstSecond"[..]));
    assert_eq!(&*all.slice(5..), b"Second");
    assert_eq!(writer.append(&[7; 5000]), 4096 - 11, "takes what fits");
    assert_eq!(writer.remaining(), 0);
}

#[test]
fn padding_is_zero_in_a_used_region_too() {
    let mut pool = RegionPool::new(4096);
    let mut writer = pool.take(RegionClass::Page).unwrap();
    writer.append(&[0xff; 4096]);
    drop(writer);
    let mut writer = pool.take(RegionClass::Page).unwrap();
    writer.append(b"x");
    writer.pad_to(512);
    let bytes = writer.bytes();
    assert_eq!(bytes.len(), 512);
    assert!(bytes[1..].iter().all(|&byte| byte == 0));
}

#[test]
#[should_panic(expected = "not open to patches")]
fn sliced_bytes_cannot_be_patched() {
    let mut pool = RegionPool::new(4096);
    let mut writer = pool.take(RegionClass::Page).unwrap();
    writer.append(b"sealed");
    let _view = writer.slice(0..3);
    writer.patch(2, b"x");
}

#[test]
#[should_panic(expected = "is not within")]
fn an_unfilled_head_cannot_be_sliced() {
    let mut pool = RegionPool::new(4096);
    let mut writer = pool.take(RegionClass::Page).unwrap();
    writer.reserve_head(10);
    writer.append(b"tail");
    let _view = writer.slice(9..14);
}

#[test]
fn a_head_is_filled_behind_views_of_what_follows() {
    let mut pool = RegionPool::new(4096);
    let mut writer = pool.take(RegionClass::Page).unwrap();
    writer.reserve_head(4);
    writer.append(b"tail");
    let tail = writer.slice(4..8);
    writer.fill_head(b"head");
    assert_eq!(
        (&*writer.slice(0..8), &*tail),
        (&b"headtail"[..], &b"tail"[..])
    );
}

#[test]
fn the_budget_is_kept_and_idle_memory_of_other_sizes_makes_room() {
    let mut pool = RegionPool::new(64 << 10);
    let writers: Vec<_> = (0..4)
        .map(|_| pool.take(RegionClass::Small).unwrap())
        .collect();
    assert!(pool.take(RegionClass::Page).is_none(), "used up");
    assert!(pool.take_for(1 << 21).is_none(), "never fits");
    assert_eq!(pool.lent_bytes(), 64 << 10);
    drop(writers);
    assert_eq!((pool.lent_bytes(), pool.held_bytes()), (0, 64 << 10));
    let medium = pool
        .take(RegionClass::Medium)
        .expect("idle regions were freed");
    assert_eq!(pool.held_bytes(), 64 << 10);
    drop(medium);
    pool.trim(0);
    assert_eq!(pool.held_bytes(), 0);
}

#[test]
fn a_view_keeps_its_region_lent() {
    let mut pool = RegionPool::new(4096);
    let mut writer = pool.take(RegionClass::Page).unwrap();
    writer.append(b"kept");
    let view = writer.slice(0..4);
    drop(writer);
    assert!(pool.take(RegionClass::Page).is_none());
    assert_eq!(&*view, b"kept");
    drop(view);
    assert!(pool.take(RegionClass::Page).is_some());
}

#[test]
fn large_regions_are_freed_when_they_come_back() {
    let mut pool = RegionPool::new(8 << 20);
    let writer = pool.take_for((1 << 20) + 1).unwrap();
    assert_eq!(writer.capacity(), (1 << 20) + 4096);
    drop(writer);
    assert_eq!((pool.lent_bytes(), pool.held_bytes()), (0, 0));
}

#[test]
fn a_pool_may_go_before_its_regions() {
    let mut pool = RegionPool::new(1 << 20);
    let mut writer = pool.take(RegionClass::Page).unwrap();
    let idle = pool.take(RegionClass::Page).unwrap();
    drop(idle);
    writer.append(b"survivor");
    let view = writer.slice(0..8);
    drop(pool);
    drop(writer);
    let other = thread::spawn(move || {
        assert_eq!(&*view, b"survivor");
        drop(view);
    });
    other.join().unwrap();
}

#[test]
fn slices_join_neighbours_and_span_regions() {
    let mut pool = RegionPool::new(1 << 20);
    let mut slices = Slices::new();
    let mut expected = Vec::new();
    for round in 0..7_u8 {
        let mut writer = pool.take(RegionClass::Page).unwrap();
        writer.append(&[round; 100]);
        slices.push(writer.slice(0..40));
        slices.push(writer.slice(40..100));
        slices.push(writer.slice(100..100));
        expected.extend_from_slice(&[round; 100]);
    }
    assert_eq!((slices.count(), slices.len()), (7, 700));
    assert_eq!(slices.to_vec(), expected);
    let mut twice = slices.clone();
    twice.extend(&slices);
    assert_eq!((twice.count(), twice.len()), (14, 1400));
    twice.clear();
    assert!(twice.is_empty() && twice.iter().next().is_none());
    assert_eq!(twice, Slices::new());
}

#[test]
fn a_writer_is_cleared_only_when_alone() {
    let mut pool = RegionPool::new(1 << 20);
    let mut writer = pool.take(RegionClass::Page).unwrap();
    writer.append(b"frame");
    let view = writer.slice(0..5);
    assert!(!writer.clear());
    drop(view);
    assert!(writer.clear());
    assert_eq!(writer.len(), 0);
}

/// Regions go round between a writer and three readers; each view must hold its own pattern for
/// as long as it lives, whatever the pool lends meanwhile.
#[test]
fn views_hold_under_threads() {
    const ROUNDS: u32 = 20_000;
    let mut pool = RegionPool::new(48 * RegionClass::Page.bytes());
    let mut senders = Vec::new();
    let readers: Vec<_> = (0..3)
        .map(|_| {
            let (sender, receiver) = mpsc::sync_channel::<(u32, Slice)>(8);
            senders.push(sender);
            thread::spawn(move || {
                let mut held: Vec<(u32, Slice)> = Vec::new();
                let mut seen = 0_u32;
                for (round, view) in receiver {
                    held.push((round, view.slice(1..)));
                    if held.len() > 3 {
                        let (round, view) = held.remove(round as usize % 3);
                        assert!(view.chunks_exact(4).all(|word| word == round.to_le_bytes()));
                        seen += 1;
                    }
                }
                seen + held.len() as u32
            })
        })
        .collect();
    let mut writer = pool.take(RegionClass::Page).unwrap();
    for round in 0..ROUNDS {
        if writer.remaining() < 801 {
            writer = loop {
                match pool.take(RegionClass::Page) {
                    Some(writer) => break writer,
                    None => thread::yield_now(),
                }
            };
        }
        let start = writer.len();
        writer.append(&[0]);
        for _ in 0..200 {
            writer.append(&round.to_le_bytes());
        }
        let view = writer.slice(start..start + 801);
        for sender in &senders {
            sender.send((round, view.clone())).unwrap();
        }
    }
    drop(senders);
    drop(writer);
    for reader in readers {
        assert_eq!(reader.join().unwrap(), ROUNDS);
    }
    assert_eq!(pool.lent_bytes(), 0, "every region came home");
}
