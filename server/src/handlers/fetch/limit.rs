//! Keeping a response to its size: whole batches while there is room, the first one always.

use logmill_engine::format::batch::BatchHeader;
use logmill_engine::store::ReadData;
use logmill_engine::sys::region::Slices;

/// Cuts `data` to `room` bytes. `is_first`: nothing was given before, so that the first batch
/// is given whatever its size. `asked_max` is the partition's own limit.
pub fn cut(data: ReadData, room: usize, asked_max: usize, is_first: bool) -> ReadData {
    let limit = room.min(asked_max);
    match data {
        ReadData::Empty | ReadData::Loading => ReadData::Empty,
        ReadData::Memory(slices) if slices.len() <= limit => ReadData::Memory(slices),
        ReadData::Memory(slices) => {
            let end = whole_batches(&slices, limit, is_first);
            if end == 0 {
                ReadData::Empty
            } else {
                ReadData::Memory(head(&slices, end))
            }
        }
        ReadData::File(range) if range.len as usize <= limit || is_first => ReadData::File(range),
        // Where a batch ends is not known here. A cut within one is fine for clients as long as
        // a whole one comes before.
        ReadData::File(mut range) if limit >= BATCH_BYTES_LIKELY_MAX => {
            range.len = limit as u32;
            ReadData::File(range)
        }
        ReadData::File(_) => ReadData::Empty,
    }
}

/// Where the last batch ends that lies within `limit`; the first one's end if there is none and
/// it is wanted anyway.
fn whole_batches(slices: &Slices, limit: usize, is_first: bool) -> usize {
    let mut end = 0;
    while let Some(next) = next_end(slices, end) {
        if next > limit && !(is_first && end == 0) {
            break;
        }
        end = next;
    }
    end
}

/// The end of the batch that begins at `start`.
fn next_end(slices: &Slices, start: usize) -> Option<usize> {
    let mut head = [0; BatchHeader::LOG_OVERHEAD];
    let mut filled = 0;
    let mut at = 0;
    for slice in slices.iter() {
        let from = (start + filled).saturating_sub(at);
        if from < slice.len() {
            let count = (slice.len() - from).min(head.len() - filled);
            head[filled..filled + count].copy_from_slice(&slice[from..from + count]);
            filled += count;
        }
        at += slice.len();
        if filled == head.len() {
            break;
        }
    }
    if filled < head.len() {
        return None;
    }
    let length = i32::from_be_bytes([head[8], head[9], head[10], head[11]]);
    let end = start + BatchHeader::LOG_OVERHEAD + usize::try_from(length).ok()?;
    (end <= slices.len()).then_some(end)
}

fn head(slices: &Slices, len: usize) -> Slices {
    let mut head = Slices::new();
    for slice in slices.iter() {
        let count = slice.len().min(len - head.len());
        head.push(slice.slice(0..count));
        if head.len() == len {
            break;
        }
    }
    head
}

/// The default of `max.message.bytes`, rounded up.
const BATCH_BYTES_LIKELY_MAX: usize = 1_100_000;

#[cfg(test)]
mod tests {
    use logmill_engine::sys::region::{RegionClass, RegionPool};

    use super::*;

    /// Batches of these sizes, cut into regions of `step` bytes.
    fn batches(sizes: &[usize], step: usize) -> Slices {
        let mut bytes = Vec::new();
        for &size in sizes {
            let mut batch = vec![7; size];
            let length = (size - BatchHeader::LOG_OVERHEAD) as i32;
            batch[8..12].copy_from_slice(&length.to_be_bytes());
            bytes.extend(batch);
        }
        let mut pool = RegionPool::new(16 << 20);
        let mut slices = Slices::new();
        for part in bytes.chunks(step) {
            let mut writer = pool.take(RegionClass::Page).unwrap();
            writer.append(part);
            slices.push(writer.slice(0..part.len()));
        }
        slices
    }

    fn cut_len(sizes: &[usize], step: usize, room: usize, is_first: bool) -> usize {
        match cut(
            ReadData::Memory(batches(sizes, step)),
            room,
            usize::MAX,
            is_first,
        ) {
            ReadData::Memory(slices) => slices.len(),
            _ => 0,
        }
    }

    #[test]
    fn only_whole_batches_and_always_the_first() {
        for step in [1, 5, 12, 61, 100, 4_096] {
            assert_eq!(cut_len(&[100, 200, 300], step, 600, false), 600);
            assert_eq!(cut_len(&[100, 200, 300], step, 599, false), 300);
            assert_eq!(cut_len(&[100, 200, 300], step, 100, false), 100);
            assert_eq!(cut_len(&[100, 200, 300], step, 99, false), 0);
            assert_eq!(cut_len(&[100, 200, 300], step, 99, true), 100);
            assert_eq!(cut_len(&[100, 200, 300], step, 0, true), 100);
        }
    }
}
