//! Finds the largest thing that a broker takes, then goes on with it and with what is a bit larger.

/// Sizes to try, in bytes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Probe {
    taken: usize,
    refused: usize,
    turn: usize,
}

impl Probe {
    /// Nothing is known but that `bytes_max` is more than anybody should take.
    pub(super) fn new(bytes_max: usize) -> Self {
        Self {
            taken: 0,
            refused: bytes_max,
            turn: 0,
        }
    }

    /// The size to try now: halfway between what was taken and what was refused, while these are
    /// apart; then one after the other.
    pub(super) fn size(&self) -> usize {
        if self.refused - self.taken > STEP_BYTES {
            self.taken.midpoint(self.refused)
        } else if self.turn.is_multiple_of(2) {
            self.taken
        } else {
            self.refused
        }
    }

    /// What became of [`Probe::size`].
    pub(super) fn judged(&mut self, is_taken: bool) {
        let size = self.size();
        if is_taken {
            self.taken = size;
            // A broker that thinks better of it is searched again.
            self.refused = self.refused.max(size + STEP_BYTES);
        } else {
            self.refused = size;
            self.taken = self.taken.min(size.saturating_sub(STEP_BYTES));
        }
        self.turn += 1;
    }
}

/// How exactly the limit is looked for.
const STEP_BYTES: usize = 512;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_closes_in_on_the_limit_and_goes_on_at_both_sides_of_it() {
        let limit = 1_048_000;
        let mut probe = Probe::new(4 << 20);
        for _ in 0..14 {
            probe.judged(probe.size() <= limit);
        }
        let (mut taken, mut refused) = (0, 0);
        for _ in 0..10 {
            let size = probe.size();
            assert!(size.abs_diff(limit) <= 2 * STEP_BYTES, "{size}");
            if size <= limit {
                taken += 1;
            } else {
                refused += 1;
            }
            probe.judged(size <= limit);
        }
        assert_eq!((taken, refused), (5, 5));
    }
}
