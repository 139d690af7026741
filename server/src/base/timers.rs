//! The shard's timers: a hierarchical wheel, set and cancelled in constant time.
//!
//! Ticks are 1,024 microseconds. Four levels of 64 places reach about four and a half hours; a
//! later deadline waits in the last level and is placed again when its place comes round. Entries
//! live in one vector that is reused, so a steady flow of timers allocates nothing.
//!
//! A timer fires at the first [`TimerWheel::advance`] at or after its deadline, never before it.

use logmill_engine::base::Micros;

#[cfg(test)]
mod tests;

/// Names a timer that was set; stale after it fired or was cancelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimerKey {
    index: u32,
    generation: u32,
}

/// Timers that carry a `T` each.
#[derive(Debug)]
pub struct TimerWheel<T> {
    /// The tick up to which everything has fired.
    tick: u64,
    levels: [Level; LEVEL_COUNT],
    entries: Vec<Entry<T>>,
    free: u32,
    len: usize,
}

impl<T: Copy> TimerWheel<T> {
    /// A wheel without timers that starts at `now`.
    pub fn new(now: Micros) -> Self {
        Self {
            tick: now.0 >> TICK_SHIFT,
            levels: std::array::from_fn(|_| Level::new()),
            entries: Vec::new(),
            free: NONE,
            len: 0,
        }
    }

    /// Sets a timer. A deadline in the past fires at the next advance.
    pub fn set(&mut self, deadline: Micros, value: T) -> TimerKey {
        // Rounded up: never early.
        let due = deadline.0.saturating_add(TICK_MASK) >> TICK_SHIFT;
        let index = self.take_entry(due, value);
        self.link(index);
        self.len += 1;
        TimerKey {
            index,
            generation: self.entries[index as usize].generation,
        }
    }

    /// Cancels a timer; says whether it was still to come.
    pub fn cancel(&mut self, key: TimerKey) -> bool {
        let live = self
            .entries
            .get(key.index as usize)
            .is_some_and(|entry| entry.generation == key.generation && entry.place != NONE);
        if live {
            self.unlink(key.index);
            self.release(key.index);
        }
        live
    }

    /// Moves on to `now` and hands every timer that is due to `fire`, earlier ticks first.
    pub fn advance(&mut self, now: Micros, mut fire: impl FnMut(T)) {
        let target = now.0 >> TICK_SHIFT;
        while self.tick < target {
            if self.len == 0 {
                self.tick = target;
                return;
            }
            self.tick = self.next_occupied_tick().min(target);
            self.cascade();
            self.fire_current(&mut fire);
        }
        self.fire_current(&mut fire);
    }

    /// The moment by which [`Self::advance`] should be called next, `None` without timers. Never
    /// later than the earliest deadline's tick; may be earlier when a far timer must be placed
    /// anew.
    pub fn next_deadline(&self) -> Option<Micros> {
        if self.len == 0 {
            return None;
        }
        let first = self.levels[0].occupied & (1 << (self.tick & PLACE_MASK)) != 0;
        let tick = if first {
            self.tick
        } else {
            self.next_occupied_tick()
        };
        Some(Micros(tick << TICK_SHIFT))
    }

    /// How many timers are set.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether none is set.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The first tick after the current one at which a place of some level comes round.
    fn next_occupied_tick(&self) -> u64 {
        let mut next = u64::MAX;
        for (number, level) in self.levels.iter().enumerate() {
            if level.occupied == 0 {
                continue;
            }
            let shift = LEVEL_BITS * number as u32;
            let current = self.tick >> shift;
            // Places after the current one in the order in which they come round.
            let rotated = level
                .occupied
                .rotate_right(((current + 1) & PLACE_MASK) as u32);
            let distance = u64::from(rotated.trailing_zeros()) + 1;
            next = next.min((current + distance) << shift);
        }
        next
    }

    /// Places the entries of every higher level whose place begins at the current tick anew.
    fn cascade(&mut self) {
        for number in (1..LEVEL_COUNT).rev() {
            let shift = LEVEL_BITS * number as u32;
            if self.tick & ((1 << shift) - 1) != 0 {
                continue;
            }
            let place = ((self.tick >> shift) & PLACE_MASK) as usize;
            let mut index = self.levels[number].take(place);
            while index != NONE {
                let next = self.entries[index as usize].next;
                self.link(index);
                index = next;
            }
        }
    }

    fn fire_current(&mut self, fire: &mut impl FnMut(T)) {
        let place = (self.tick & PLACE_MASK) as usize;
        let mut index = self.levels[0].take(place);
        while index != NONE {
            let Entry { next, value, .. } = self.entries[index as usize];
            self.release(index);
            fire(value);
            index = next;
        }
    }

    /// Hangs an entry where it belongs, seen from the current tick.
    fn link(&mut self, index: u32) {
        let due = self.entries[index as usize].due.max(self.tick);
        let distance = due - self.tick;
        let number = (0..LEVEL_COUNT - 1)
            .find(|&number| distance < 1 << (LEVEL_BITS * (number as u32 + 1)))
            .unwrap_or(LEVEL_COUNT - 1);
        let shift = LEVEL_BITS * number as u32;
        // Beyond the last level's reach: its last place before the current one comes round.
        let furthest = (self.tick >> shift) + PLACE_MASK;
        let place = ((due >> shift).min(furthest) & PLACE_MASK) as usize;
        let head = self.levels[number].heads[place];
        let entry = &mut self.entries[index as usize];
        entry.place = (number * PLACE_COUNT + place) as u32;
        entry.previous = NONE;
        entry.next = head;
        if head != NONE {
            self.entries[head as usize].previous = index;
        }
        self.levels[number].heads[place] = index;
        self.levels[number].occupied |= 1 << place;
    }

    fn unlink(&mut self, index: u32) {
        let Entry {
            previous,
            next,
            place,
            ..
        } = self.entries[index as usize];
        let (number, place) = (place as usize / PLACE_COUNT, place as usize % PLACE_COUNT);
        if next != NONE {
            self.entries[next as usize].previous = previous;
        }
        if previous != NONE {
            self.entries[previous as usize].next = next;
            return;
        }
        let level = &mut self.levels[number];
        level.heads[place] = next;
        if next == NONE {
            level.occupied &= !(1 << place);
        }
    }

    fn take_entry(&mut self, due: u64, value: T) -> u32 {
        if self.free == NONE {
            let index = self.entries.len() as u32;
            let entry = Entry {
                due,
                value,
                previous: NONE,
                next: NONE,
                place: NONE,
                generation: 0,
            };
            self.entries.push(entry);
            return index;
        }
        let index = self.free;
        let entry = &mut self.entries[index as usize];
        self.free = entry.next;
        entry.due = due;
        entry.value = value;
        index
    }

    fn release(&mut self, index: u32) {
        let entry = &mut self.entries[index as usize];
        entry.generation = entry.generation.wrapping_add(1);
        entry.place = NONE;
        entry.next = self.free;
        self.free = index;
        self.len -= 1;
    }
}

#[derive(Clone, Copy, Debug)]
struct Entry<T> {
    due: u64,
    value: T,
    previous: u32,
    /// The next entry of the same place, or of the free list.
    next: u32,
    /// Level and place in one number; [`NONE`] while free.
    place: u32,
    generation: u32,
}

#[derive(Debug)]
struct Level {
    /// One bit per place that holds entries.
    occupied: u64,
    heads: [u32; PLACE_COUNT],
}

impl Level {
    fn new() -> Self {
        Self {
            occupied: 0,
            heads: [NONE; PLACE_COUNT],
        }
    }

    /// Empties a place and gives its first entry.
    fn take(&mut self, place: usize) -> u32 {
        self.occupied &= !(1 << place);
        std::mem::replace(&mut self.heads[place], NONE)
    }
}

const TICK_SHIFT: u32 = 10;
const TICK_MASK: u64 = (1 << TICK_SHIFT) - 1;
const LEVEL_BITS: u32 = 6;
const LEVEL_COUNT: usize = 4;
const PLACE_COUNT: usize = 1 << LEVEL_BITS;
const PLACE_MASK: u64 = PLACE_COUNT as u64 - 1;
const NONE: u32 = u32::MAX;
