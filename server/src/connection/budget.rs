//! A byte budget: taken when a length is known, given back when the bytes are gone.

/// Bytes that may be held, and how many are. Belongs to one shard.
///
/// An eighth is kept for small requests, so that frames that announce much and bring nothing do not
/// shut out clients that ask for little.
#[derive(Debug)]
pub struct ByteBudget {
    limit: u64,
    used: u64,
}

impl ByteBudget {
    /// A budget of `limit` bytes.
    pub fn new(limit: u64) -> Self {
        Self { limit, used: 0 }
    }

    /// Takes `bytes` if they fit.
    #[must_use]
    pub fn take(&mut self, bytes: u64) -> bool {
        let fits = self.fits(bytes);
        if fits {
            self.used += bytes;
        }
        fits
    }

    /// Whether `bytes` could be taken now. A request larger than the whole budget fits when nothing
    /// else is held, or it could never be served.
    pub fn fits(&self, bytes: u64) -> bool {
        let limit = match bytes {
            ..=SMALL_BYTES_MAX => self.limit,
            _ => self.limit - self.limit / SMALL_SHARE,
        };
        self.used == 0 || self.used.saturating_add(bytes) <= limit
    }

    /// Gives bytes back that [`Self::take`] took.
    pub fn give_back(&mut self, bytes: u64) {
        assert!(
            bytes <= self.used,
            "{bytes} bytes returned, {} held",
            self.used
        );
        self.used -= bytes;
    }

    /// Bytes held now.
    pub fn used(&self) -> u64 {
        self.used
    }

    /// The bound.
    pub fn limit(&self) -> u64 {
        self.limit
    }
}

/// What counts as a small request.
const SMALL_BYTES_MAX: u64 = 64 << 10;
/// One part in so many is for small requests only.
const SMALL_SHARE: u64 = 8;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holds_to_its_limit() {
        let mut budget = ByteBudget::new(100);
        assert!(budget.take(60));
        assert!(!budget.take(41));
        assert!(budget.take(40));
        budget.give_back(60);
        assert_eq!(budget.used(), 40);
    }

    #[test]
    fn an_eighth_is_for_small_requests() {
        let mut budget = ByteBudget::new(8 << 20);
        assert!(budget.take(7 << 20));
        assert!(!budget.take(65 << 10));
        for _ in 0..16 {
            assert!(budget.take(64 << 10));
        }
        assert!(!budget.take(1));
    }

    #[test]
    fn a_request_beyond_the_whole_budget_is_served_alone() {
        let mut budget = ByteBudget::new(100);
        assert!(budget.take(1_000));
        assert!(!budget.take(1));
        budget.give_back(1_000);
        assert!(budget.take(1));
        assert!(!budget.take(1_000));
    }
}
