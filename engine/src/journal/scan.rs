//! Reading a journal file's frames back, and saying where it breaks.

use super::{frame::Frame, header::FileHeader, item::Item};

/// A frame whose header and directory are sound.
#[derive(Clone, Debug)]
pub struct ScannedFrame {
    /// Its sequence number.
    pub sequence: u64,
    /// The highest sequence known synced when it was built.
    pub mark: u64,
    /// The oldest file needed once it is durable.
    pub oldest: u64,
    /// Where it stands in its file.
    pub position: u64,
    /// Its items; for those with bytes, the range of the framed ones in the file, `None` if
    /// they do not match their CRC (a fact's are not checked).
    pub items: Vec<(Item, Option<std::ops::Range<usize>>)>,
}

/// What ended a run of frames.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScanEnd {
    /// No sound frame follows.
    End,
    /// Frames were skipped: the next sound one does not continue the run.
    Gap,
}

/// All that a file holds.
#[derive(Clone, Debug, Default)]
pub struct Scan {
    /// Sound frames in the order of their positions; sequences rise.
    pub frames: Vec<ScannedFrame>,
}

/// Scans the frames of a file, given whole. Damaged frames are skipped: the sequence numbers of
/// those found tell what is missing. Linear in the file's length, allocates in proportion to what
/// is found.
pub fn scan_frames(file: &[u8], header: &FileHeader) -> Scan {
    let mut frames: Vec<ScannedFrame> = Vec::new();
    let mut position = header.frames_at() as usize;
    while position + 4096 <= file.len() {
        let parsed = Frame::parse(&file[position..], header.generation, position as u64);
        let newest = frames
            .last()
            .map_or(header.sequence_before, |frame| frame.sequence);
        match parsed.filter(|frame| frame.header.sequence > newest) {
            Some(frame) => {
                frames.push(scanned(&frame, position));
                position += frame.header.len as usize;
            }
            None => position += 4096,
        }
    }
    Scan { frames }
}

impl Scan {
    /// How the run that starts behind `sequence_before` ends: whether sequences are missing.
    pub fn end_after(&self, sequence_before: u64) -> ScanEnd {
        let expected = sequence_before + 1..;
        if expected
            .zip(&self.frames)
            .all(|(expected, frame)| frame.sequence == expected)
        {
            ScanEnd::End
        } else {
            ScanEnd::Gap
        }
    }
}

fn scanned(frame: &Frame<'_>, position: usize) -> ScannedFrame {
    let items = frame.items().map(|item| {
        let start = position + item.payload_at as usize;
        let range = start..start + item.framed as usize;
        let sound = item.has_bytes() && frame.payload(&item).is_some();
        (item, sound.then_some(range))
    });
    ScannedFrame {
        sequence: frame.header.sequence,
        mark: frame.header.mark,
        oldest: frame.header.oldest,
        position: frame.header.position,
        items: items.collect(),
    }
}
