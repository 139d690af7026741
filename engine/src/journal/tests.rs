//! Frames written, scanned, damaged and reclaimed.

use super::*;
use crate::{
    base::{DirectoryIndex, LeaderEpoch, Micros, Offset, PartitionIndex, ShardId, TopicId},
    disk::{FileId, FileName},
    sys::region::{RegionPool, Slices},
};

const GENERATION: Generation = Generation(0x1234_5678_9abc_def0);

fn payload(pool: &mut RegionPool, bytes: &[u8]) -> Slices {
    let mut region = pool.take_for(bytes.len().max(1)).unwrap();
    region.append(bytes);
    Slices::from(region.slice(0..bytes.len()))
}

fn append(pool: &mut RegionPool, partition: i32, base: i64, bytes: &[u8]) -> (Item, Slices) {
    let mut item = Item::new(
        ItemKind::Append,
        TopicId([9; 16]),
        PartitionIndex(partition),
    );
    item.previous_end = Offset(base);
    item.base = Offset(base);
    item.last = Offset(base + 4);
    item.leader_epoch = LeaderEpoch(3);
    item.len = bytes.len() as u32;
    item.framed = item.len;
    (item, payload(pool, bytes))
}

/// A file image with a header, two checkpoint entries and three frames.
fn image(pool: &mut RegionPool) -> (Vec<u8>, FileHeader) {
    let entry = CheckpointEntry {
        topic_id: TopicId([9; 16]),
        partition: PartitionIndex(1),
        leader_epoch: LeaderEpoch(2),
        log_start: Offset(5),
        recovery_point: Offset(77),
        segment_base: Offset(5),
        position: 4242,
        kept: Offset(9_999),
    };
    let entries = [entry.encode(), entry.encode()].concat();
    let header = FileHeader {
        generation: GENERATION,
        number: 4,
        shard: ShardId(1),
        boot_id: [7; 16],
        era: 2,
        oldest: 3,
        sequence_before: 10,
        capacity: 65_536,
        checkpoint_entries: 2,
        checkpoint_crc: GENERATION.crc(&entries),
    };
    let mut bytes = vec![0; 65_536];
    header.encode(&mut bytes[..FileHeader::CHECKPOINT_AT]);
    bytes[FileHeader::CHECKPOINT_AT..][..entries.len()].copy_from_slice(&entries);
    let mut at = header.frames_at() as usize;
    for index in 0..3 {
        let mut items = vec![
            append(pool, 0, index * 5, &[index as u8 + 1; 300]),
            append(pool, 1, index * 5, &[index as u8 + 101; 5000]),
        ];
        let frame = FrameHeader {
            sequence: 11 + index as u64,
            mark: 10 + index as u64,
            oldest: 3,
            position: at as u64,
            len: 0,
            items: 0,
        };
        let mut region = pool.take_for(frame_bytes(2, 5300)).unwrap();
        let slice = build(&mut region, GENERATION, frame, &mut items);
        assert_eq!(slice.len(), frame_bytes(2, 5300));
        bytes[at..at + slice.len()].copy_from_slice(&slice);
        at += slice.len();
    }
    (bytes, header)
}

#[test]
fn what_is_written_is_scanned_back() {
    let mut pool = RegionPool::new(8 << 20);
    let (bytes, header) = image(&mut pool);
    assert_eq!(FileHeader::decode(&bytes), Ok(header));
    let checkpoint = header
        .decode_checkpoint(&bytes[FileHeader::CHECKPOINT_AT..])
        .unwrap();
    assert_eq!(checkpoint.len(), 2);
    assert_eq!(checkpoint[1].position, 4242);
    let scan = scan_frames(&bytes, &header);
    assert_eq!(scan.end_after(10), ScanEnd::End);
    let sequences: Vec<u64> = scan.frames.iter().map(|frame| frame.sequence).collect();
    assert_eq!(sequences, [11, 12, 13]);
    let (item, range) = &scan.frames[2].items[1];
    assert_eq!(
        (item.partition, item.base, item.leader_epoch),
        (PartitionIndex(1), Offset(10), LeaderEpoch(3))
    );
    assert_eq!(&bytes[range.clone().unwrap()], &[103; 5000]);
}

#[test]
fn a_fact_frames_only_its_last_bytes_and_its_checksum_covers_all() {
    let mut pool = RegionPool::new(1 << 20);
    let bytes: Vec<u8> = (0..10_000u32).map(|at| ((at * 7) >> 3) as u8).collect();
    let (mut fact, payload) = append(&mut pool, 0, 0, &bytes);
    (fact.kind, fact.framed) = (ItemKind::Fact, 1_808);
    let other = append(&mut pool, 1, 0, &[5; 100]);
    let frame = FrameHeader {
        sequence: 1,
        mark: 0,
        oldest: 1,
        position: 0,
        len: 0,
        items: 0,
    };
    let mut region = pool.take_for(frame_bytes(2, 1_908)).unwrap();
    let slice = build(
        &mut region,
        GENERATION,
        frame,
        &mut [(fact, payload), other],
    );
    assert_eq!(
        slice.len(),
        4096,
        "what stands in the segment takes no room"
    );
    let frame = Frame::parse(&slice, GENERATION, 0).unwrap();
    let items: Vec<Item> = frame.items().collect();
    assert_eq!(frame.payload(&items[0]).unwrap(), &bytes[10_000 - 1_808..]);
    assert_eq!(frame.payload(&items[1]).unwrap(), &[5; 100]);
    assert_eq!(items[0].payload_crc, GENERATION.crc(&bytes));
    let mut odd = [0; Item::BYTES];
    let mut unsound = items[1];
    unsound.framed -= 1;
    unsound.encode(&mut odd);
    assert_eq!(
        Item::decode(&odd),
        None,
        "an append has all its bytes in the frame"
    );
}

#[test]
fn no_flipped_bit_of_header_directory_or_payload_passes() {
    let mut pool = RegionPool::new(8 << 20);
    let (clean, header) = image(&mut pool);
    let frames_at = header.frames_at() as usize;
    let facts = |bytes: &[u8]| {
        let scan = scan_frames(bytes, &header);
        let mut facts = Vec::new();
        for frame in &scan.frames {
            for (item, range) in &frame.items {
                if let Some(range) = range {
                    facts.push((
                        frame.sequence,
                        frame.mark,
                        *item,
                        bytes[range.clone()].to_vec(),
                    ));
                }
            }
        }
        facts
    };
    let truth = facts(&clean);
    assert_eq!(truth.len(), 6);
    // Every bit of the first frame, every 7th of the rest: each keeps a subset of the truth.
    let first_end = frames_at + frame_bytes(2, 5300);
    for bit in (frames_at * 8..first_end * 8).chain((first_end * 8..clean.len() * 8).step_by(77)) {
        let mut bytes = clean.clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        let found = facts(&bytes);
        assert!(found.len() >= 4, "bit {bit} cost {} items", 6 - found.len());
        assert!(
            found.iter().all(|fact| truth.contains(fact)),
            "bit {bit} passed for truth"
        );
    }
}

#[test]
fn a_header_survives_any_flipped_bit_and_other_damage_is_named() {
    let mut pool = RegionPool::new(8 << 20);
    let (clean, header) = image(&mut pool);
    for bit in 0..FileHeader::BLOCK * 8 {
        let mut bytes = clean[..FileHeader::CHECKPOINT_AT].to_vec();
        bytes[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(FileHeader::decode(&bytes), Ok(header), "bit {bit}");
    }
    assert_eq!(FileHeader::decode(&[0; 8192]), Err(HeaderError::Blank));
    assert_eq!(FileHeader::decode(b"short"), Err(HeaderError::Magic));
    let mut bytes = clean.clone();
    for bit in 0..2 * CheckpointEntry::BYTES * 8 {
        let at = FileHeader::CHECKPOINT_AT + bit / 8;
        bytes[at] ^= 1 << (bit % 8);
        let damaged = header.decode_checkpoint(&bytes[FileHeader::CHECKPOINT_AT..]);
        assert_eq!(damaged, Err(HeaderError::Checkpoint));
        bytes[at] ^= 1 << (bit % 8);
    }
}

#[test]
fn frames_of_an_earlier_life_of_the_file_are_not_seen() {
    let mut pool = RegionPool::new(8 << 20);
    let (bytes, mut header) = image(&mut pool);
    header.generation = Generation(1);
    assert!(scan_frames(&bytes, &header).frames.is_empty());
}

#[test]
fn a_frame_at_another_position_is_not_seen() {
    let mut pool = RegionPool::new(8 << 20);
    let (mut bytes, header) = image(&mut pool);
    let (first, len) = (header.frames_at() as usize, frame_bytes(2, 5300));
    let moved = bytes[first..first + len].to_vec();
    bytes[first + 2 * len..first + 3 * len].copy_from_slice(&moved);
    let scan = scan_frames(&bytes, &header);
    let sequences: Vec<u64> = scan.frames.iter().map(|frame| frame.sequence).collect();
    assert_eq!(sequences, [11, 12]);
}

/// Drives a journal by hand.
struct Rig {
    journal: Journal,
    pool: RegionPool,
    next_file: u64,
}

impl Rig {
    fn new(options: JournalOptions) -> Self {
        let identity = JournalIdentity {
            shard: ShardId(0),
            directory: DirectoryIndex(0),
            boot_id: [1; 16],
            era: 1,
            seed: 7,
        };
        Self {
            journal: Journal::new(identity, options, 1),
            pool: RegionPool::new(16 << 20),
            next_file: 0,
        }
    }

    /// Carries out file steps until there are none; says what they were.
    fn settle(&mut self, bytes: usize) -> Vec<String> {
        let mut seen = Vec::new();
        while let Some(step) = self.journal.next_file_step(bytes, &mut self.pool, |_| {}) {
            seen.push(match step {
                JournalStep::Prepare { len, name_number } => {
                    self.next_file += 1;
                    let path = journal_file_path(ShardId(0), name_number);
                    let name = FileName::new(FileId(self.next_file), DirectoryIndex(0), &path);
                    self.journal.prepared(name, len);
                    format!("prepare {len}")
                }
                JournalStep::Header { file, .. } => {
                    self.journal.header_written();
                    format!("header {}", file.path())
                }
                JournalStep::HeaderSync { .. } => {
                    self.journal.header_synced();
                    "header sync".to_owned()
                }
                JournalStep::Remove { file } => format!("remove {}", file.path()),
                JournalStep::Sync { .. } => unreachable!("file steps never sync frames"),
            });
        }
        seen
    }

    fn frame(&mut self, now: u64, bytes: usize) -> (String, u64) {
        let mut items = vec![append(&mut self.pool, 0, 0, &vec![1; bytes])];
        let mut region = self.pool.take_for(frame_bytes(1, bytes)).unwrap();
        let (file, position, _) = self.journal.build(Micros(now), &mut items, &mut region);
        (file.path().to_owned(), position)
    }
}

fn small() -> JournalOptions {
    JournalOptions {
        first_file_bytes: 32 << 10,
        file_bytes: 64 << 10,
        files_max: 3,
        sync_bytes_max: 1 << 20,
        ..JournalOptions::default()
    }
}

#[test]
fn a_journal_starts_rotates_and_uses_files_again() {
    let mut rig = Rig::new(small());
    let steps = rig.settle(4096);
    assert_eq!(
        steps[..3],
        ["prepare 32768", "header logmill-journal-0-1", "header sync"]
    );
    let mut place = (0, 0);
    for _ in 0..4 {
        assert!(rig.journal.can_write(4096));
        rig.frame(0, 100);
        rig.journal.note_member(42, Offset(5), &mut place);
        rig.journal.frame_written();
    }
    assert_eq!(place, (1, 0));
    assert!(
        rig.journal.must_rotate(4096),
        "8 KiB of head, four frames and the reserve fill 32 KiB"
    );
    assert!(
        rig.settle(4096)
            .iter()
            .all(|step| step.starts_with("prepare"))
    );
    let sync = rig
        .journal
        .next_sync(Micros(0))
        .expect("a rotation asks for a sync");
    assert!(matches!(sync, JournalStep::Sync { sequence: 4, .. }));
    assert_eq!(rig.journal.synced_through(), 4);
    let steps = rig.settle(4096);
    assert_eq!(steps[..2], ["header logmill-journal-0-2", "header sync"]);

    let members = rig
        .journal
        .oldest_members()
        .expect("the first file is no head any more");
    assert_eq!(std::mem::take(members), [(42, Offset(5))]);
    assert!(rig.journal.can_free_oldest());
    rig.journal.free_oldest();
    let (file, _) = rig.frame(0, 100);
    assert_eq!(file, "logmill-journal-0-2");
    rig.journal.frame_written();
    assert!(
        rig.journal.next_sync(Micros(0)).is_some(),
        "freeing wants a sync"
    );
    rig.journal.synced_through();
    // The freed file is the spare now: no third file is prepared.
    assert_eq!(rig.settle(4096), Vec::<String>::new());
}

#[test]
fn nobody_waits_so_age_or_bytes_bring_the_sync_and_quiet_the_mark() {
    let mut rig = Rig::new(small());
    rig.settle(4096);
    rig.frame(1000, 100);
    rig.journal.frame_written();
    assert!(rig.journal.next_sync(Micros(1000)).is_none());
    assert_eq!(rig.journal.next_deadline(), Some(Micros(101_000)));
    assert!(rig.journal.next_sync(Micros(101_000)).is_some());
    rig.journal.synced_through();
    assert_eq!(rig.journal.next_deadline(), Some(Micros(21_000)));
    assert!(rig.journal.mark_due(Micros(101_000)));
    let mut mark = vec![(
        Item::new(ItemKind::Mark, TopicId([0; 16]), PartitionIndex(0)),
        Slices::new(),
    )];
    let mut region = rig.pool.take_for(4096).unwrap();
    rig.journal.build(Micros(101_000), &mut mark, &mut region);
    rig.journal.frame_written();
    assert!(
        !rig.journal.mark_due(Micros(200_000)),
        "a mark is said once"
    );
    assert!(
        rig.journal.next_sync(Micros(300_000)).is_none(),
        "a mark alone needs no sync"
    );
    assert_eq!(rig.journal.next_deadline(), None);
}
