//! What the journal adds to a partition: which bytes belong where, and up to where to trust it.

use super::journals::{Event, History, ShardJournal};
use crate::{
    base::{LeaderEpoch, Offset},
    disk::DiskError,
    journal::ItemKind,
    replica::EpochState,
};

/// The outcome for one partition.
#[derive(Debug, Default)]
pub(super) struct Replay<'a> {
    /// Its topic's name, where the journal saw it open.
    pub(super) topic: Option<String>,
    /// It was deleted.
    pub(super) dropped: bool,
    /// Below it records are durable in segments.
    pub(super) recovery: Point,
    /// Bytes to be put in place, in order; they continue one another from the recovery point.
    pub(super) writes: Vec<Put<'a>>,
    /// The log's end after them.
    pub(super) end: Offset,
    /// The log starts here at least.
    pub(super) log_start: Offset,
    /// The log was cut to end here, last of all its cuts, and went on; files may not be cut yet.
    pub(super) cut_at: Option<Offset>,
    /// That cut left nothing: the log began anew, with this segment.
    pub(super) anew_from: Option<Offset>,
    /// What was known when the era began holds below it.
    pub(super) kept: Offset,
    /// Terms that began.
    pub(super) epochs: Vec<EpochState>,
    /// Damage that no crash explains: what it is.
    pub(super) corrupt: Option<String>,
    /// Items that followed a loss: none of them was ever acknowledged as synced.
    pub(super) set_aside: Vec<Event<'a>>,
}

/// A place in a log's segments.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Point {
    pub(super) offset: Offset,
    pub(super) segment_base: Offset,
    pub(super) position: u64,
}

/// Bytes of batches and their place.
#[derive(Clone, Copy, Debug)]
pub(super) struct Put<'a> {
    pub(super) event: Event<'a>,
    /// The last bytes, which the journal has; those before them stand in the segment.
    pub(super) bytes: &'a [u8],
}

/// Says whether a fact's bytes, in the segment and the frame, are as it says.
pub(super) type Vouch<'v> = &'v dyn Fn(&Event<'_>) -> Result<bool, DiskError>;

impl Put<'_> {
    /// Where the log ends behind it.
    pub(super) fn point(&self) -> Point {
        let item = self.event.item;
        Point {
            offset: item.end(),
            segment_base: item.segment_base,
            position: item.position + u64::from(item.len),
        }
    }
}

/// Folds a partition's history over `known`, where its segments were durable when the era began.
pub(super) fn replay<'a>(
    known: Option<Point>,
    history: &History<'a>,
    journal: &ShardJournal,
    vouch: Vouch<'_>,
) -> Result<Replay<'a>, DiskError> {
    // What came before a deletion is of no interest, and the journal need not have all of it.
    let is = |kind| move |event: &Event<'_>| event.item.kind == kind;
    let lives =
        |event: &Event<'_>| matches!(event.item.kind, ItemKind::Open | ItemKind::Checkpoint);
    let damage = history.damage.clone();
    let (history, known) = match history.events.iter().rposition(is(ItemKind::Drop)) {
        Some(at) if !history.events[at..].iter().any(lives) => {
            return Ok(Replay {
                dropped: true,
                ..Replay::default()
            });
        }
        Some(at) => (&history.events[at + 1..], None),
        None => (&history.events[..], known),
    };
    let mut replay = Replay {
        recovery: known.unwrap_or_default(),
        kept: Offset::MAX,
        corrupt: damage,
        ..Replay::default()
    };
    if replay.corrupt.is_some() {
        return Ok(replay);
    }
    // A cut says where its log ended, durably in segments: nothing before it is needed.
    let first = history
        .iter()
        .rposition(is(ItemKind::Truncate))
        .unwrap_or(0);
    let (before, events) = history.split_at(first);
    for event in before {
        replay.take_before_cut(event);
    }
    // Checkpoints first: they say from where on the journal's bytes are needed.
    for event in events {
        let item = event.item;
        match item.kind {
            ItemKind::Checkpoint => {
                replay.checkpoint(item.base, item.segment_base, item.position);
                replay.kept = replay.kept.min(item.last);
                replay.log_start = replay.log_start.max(item.previous_end);
            }
            ItemKind::Truncate => replay.cut(event),
            _ => {}
        }
    }
    replay.end = replay.recovery.offset;
    for event in events {
        replay.take(*event, journal, vouch)?;
        if replay.corrupt.is_some() {
            break;
        }
    }
    Ok(replay)
}

impl<'a> Replay<'a> {
    fn checkpoint(&mut self, offset: Offset, segment_base: Offset, position: u64) {
        self.recovery = Point {
            offset,
            segment_base,
            position,
        };
    }

    fn take(
        &mut self,
        event: Event<'a>,
        journal: &ShardJournal,
        vouch: Vouch<'_>,
    ) -> Result<(), DiskError> {
        let item = event.item;
        match item.kind {
            ItemKind::Append | ItemKind::Fact => self.append(event, journal, vouch)?,
            ItemKind::LogStart => {
                self.log_start = self.log_start.max(item.base);
                // A log start moves only when the files are as an earlier cut left them.
                self.cut_at = None;
            }
            ItemKind::EpochStart => self.epoch(item.leader_epoch, item.base),
            ItemKind::Open => self.open(event, journal),
            ItemKind::Checkpoint | ItemKind::Truncate | ItemKind::Drop | ItemKind::Mark => {}
        }
        Ok(())
    }

    fn open(&mut self, event: Event<'a>, journal: &ShardJournal) {
        match event.payload {
            Some(name) => self.topic = Some(String::from_utf8_lossy(name).into_owned()),
            None => self.damaged(event, journal, "its name"),
        }
    }

    fn append(
        &mut self,
        event: Event<'a>,
        journal: &ShardJournal,
        vouch: Vouch<'_>,
    ) -> Result<(), DiskError> {
        let item = event.item;
        if item.end() <= self.recovery.offset {
            return Ok(());
        }
        if !self.set_aside.is_empty() {
            self.set_aside.push(event);
            return Ok(());
        }
        if item.previous_end != self.end {
            // A frame between was lost, or this is damage.
            let explained = journal
                .missing
                .iter()
                .any(|missing| *missing < event.sequence);
            if explained {
                self.set_aside.push(event);
            } else {
                let (found, end) = (item.previous_end, self.end);
                self.corrupt = Some(format!(
                    "the journal goes on at {found}, the log ends at {end}"
                ));
            }
            return Ok(());
        }
        let holds = item.kind == ItemKind::Append || vouch(&event)?;
        match event.payload.filter(|_| holds) {
            Some(bytes) => {
                self.epoch(item.leader_epoch, item.base);
                self.writes.push(Put { event, bytes });
                self.end = item.end();
            }
            None => self.damaged(event, journal, "its records"),
        }
        Ok(())
    }

    /// An item's payload does not match its CRC.
    fn damaged(&mut self, event: Event<'a>, journal: &ShardJournal, what: &str) {
        if journal.is_corruption(event.sequence) {
            let (base, last) = (event.item.base, event.item.last);
            self.corrupt = Some(format!(
                "frame {} is damaged: {what}, offsets {base} to {last}",
                event.sequence
            ));
        } else {
            self.set_aside.push(event);
        }
    }

    /// What an event before the last cut still says: everything but which bytes are where.
    fn take_before_cut(&mut self, event: &Event<'a>) {
        let item = event.item;
        match item.kind {
            ItemKind::Append | ItemKind::Fact | ItemKind::EpochStart => {
                self.epoch(item.leader_epoch, item.base);
            }
            ItemKind::Open => {
                let name = event.payload.map(|name| String::from_utf8_lossy(name));
                self.topic = name.map(std::borrow::Cow::into_owned);
            }
            ItemKind::Truncate => {
                self.kept = self.kept.min(item.cut_kept());
                self.epochs.retain(|line| line.start < item.base);
            }
            ItemKind::Checkpoint => self.kept = self.kept.min(item.last),
            ItemKind::LogStart | ItemKind::Drop | ItemKind::Mark => {}
        }
    }

    fn cut(&mut self, event: &Event<'a>) {
        let item = event.item;
        self.checkpoint(item.base, item.segment_base, item.position);
        self.epochs.retain(|line| line.start < item.base);
        self.log_start = item.previous_end;
        self.cut_at = Some(item.base);
        self.anew_from = (item.cut_kept() == Offset::ZERO).then_some(item.segment_base);
        self.kept = self.kept.min(item.cut_kept());
    }

    fn epoch(&mut self, epoch: LeaderEpoch, start: Offset) {
        if self.epochs.last().is_none_or(|last| last.epoch < epoch) {
            self.epochs.push(EpochState { epoch, start });
        }
    }
}
