//! Offsets that producers committed in transactions, from their records to the markers that end
//! these. Only loading meets them: Kafka and its transactional clients wrote them.

use std::collections::BTreeMap;

use super::offsets::Committed;

/// What waits for the ends of transactions.
#[derive(Debug, Default)]
pub(super) struct Pending {
    by_producer: BTreeMap<i64, BTreeMap<Place, Waiting>>,
}

/// Whose offset it is: group, topic and partition.
pub(super) type Place = (String, String, i32);

#[derive(Debug)]
struct Waiting {
    /// Where its record stands in the log.
    position: i64,
    committed: Committed,
}

impl Pending {
    /// An offset counts once the transaction of its producer is committed.
    pub fn put(&mut self, producer: i64, position: i64, place: Place, committed: Committed) {
        let waiting = Waiting {
            position,
            committed,
        };
        let places = self.by_producer.entry(producer).or_default();
        places.insert(place, waiting);
    }

    /// A record outside of transactions decides about a place, for all that came before it.
    pub fn supersede(&mut self, place: impl FnOnce() -> Place) {
        if !self.by_producer.is_empty() {
            self.drop_before(&place(), i64::MAX);
        }
    }

    /// The transaction of a producer is over: what counts from now on, if it was committed.
    pub fn end(&mut self, producer: i64, is_committed: bool) -> Vec<(Place, Committed)> {
        let ended = self.by_producer.remove(&producer).unwrap_or_default();
        if !is_committed {
            return Vec::new();
        }
        let apply = |(place, waiting): (Place, Waiting)| {
            // The later record wins, not the transaction that ends later.
            self.drop_before(&place, waiting.position);
            (place, waiting.committed)
        };
        ended.into_iter().map(apply).collect()
    }

    /// Offsets whose transactions have not ended.
    pub fn len(&self) -> usize {
        self.by_producer.values().map(BTreeMap::len).sum()
    }

    fn drop_before(&mut self, place: &Place, position: i64) {
        for places in self.by_producer.values_mut() {
            if places.get(place).is_some_and(|it| it.position < position) {
                places.remove(place);
            }
        }
    }
}
