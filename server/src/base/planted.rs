//! Faults that tests plant, to see that other tests find them. The broker that ships has none of
//! this: there every question is answered no, at compile time.

/// A fault of the groups' coordinators.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Planted {
    /// Answers go before the records that they speak of are durable.
    EarlyAnswer,
    /// Committed offsets are left out when a log is loaded.
    CommitNotReplayed,
    /// Deleted offsets come back when a log is loaded.
    TombstoneNotReplayed,
    /// Members of former generations may commit.
    OldGenerationCommits,
    /// A static member goes on although another one has taken its place.
    OldInstanceServed,
}

/// Whether this fault is planted.
#[cfg(not(test))]
pub const fn is(_: Planted) -> bool {
    false
}

#[cfg(test)]
thread_local! {
    static NOW: std::cell::Cell<Option<Planted>> = const { std::cell::Cell::new(None) };
}

/// Whether this fault is planted in this thread now.
#[cfg(test)]
pub fn is(planted: Planted) -> bool {
    NOW.get() == Some(planted)
}

/// Does something with a fault planted; it is gone afterwards, however that ends.
#[cfg(test)]
pub fn with<R>(planted: Option<Planted>, work: impl FnOnce() -> R) -> R {
    struct Uproot;
    impl Drop for Uproot {
        fn drop(&mut self) {
            NOW.set(None);
        }
    }
    let _uproot = Uproot;
    NOW.set(planted);
    work()
}
