//! Producer ids are taken in blocks, so that not every producer costs a metadata record.

use logmill_wire::records::metadata::ProducerIdsRecord;

use crate::metadata::image::MetadataImage;
use crate::metadata::records::encode;

/// Ids that a shard may hand out. An id is never handed out twice: what is left of a block when
/// the process ends is lost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ProducerIdBlock {
    next: i64,
    end: i64,
}

impl ProducerIdBlock {
    /// The `count` ids from `first` on.
    #[must_use]
    pub fn new(first: i64, count: i32) -> Self {
        Self {
            next: first,
            end: first.saturating_add(i64::from(count)),
        }
    }

    /// The next id; `None` when the block is used up.
    pub fn take(&mut self) -> Option<i64> {
        let id = self.next;
        (id < self.end).then(|| {
            self.next += 1;
            id
        })
    }
}

/// The record that gives a block to a broker, the first id in it, and their number.
pub(super) fn allocate(image: &MetadataImage, broker: i32, epoch: i64) -> (Vec<u8>, i64, i32) {
    let first = image.next_producer_id();
    let record = ProducerIdsRecord {
        broker_id: broker,
        broker_epoch: epoch,
        next_producer_id: first.saturating_add(i64::from(BLOCK_SIZE)),
    };
    (encode(record), first, BLOCK_SIZE)
}

/// Ids in a block, as Kafka's controller has it.
const BLOCK_SIZE: i32 = 1000;
