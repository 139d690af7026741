//! Which shard owns a partition.

use logmill_engine::base::{PartitionIndex, ShardId, TopicId};

/// The shard that owns a partition: consecutive partitions of a topic live on consecutive shards,
/// and topics begin at different ones. The same on every start with the same number of shards.
pub fn placement(topic: TopicId, partition: PartitionIndex, shards: u16) -> ShardId {
    let shards = u64::from(shards.max(1));
    // Topic ids are random; folding the halves spreads those that were made by hand as well.
    let [high, low] =
        [0, 8].map(|at| u64::from_le_bytes(std::array::from_fn(|byte| topic.0[at + byte])));
    let first = (high ^ low.rotate_left(32)).wrapping_mul(GOLDEN) >> 32;
    ShardId(((first + u64::from(partition.0.cast_unsigned())) % shards) as u16)
}

/// 2^64 divided by the golden ratio: spreads low bits over high ones.
const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn consecutive_partitions_live_on_consecutive_shards() {
        let topic = TopicId(*b"0123456789abcdef");
        let first = placement(topic, PartitionIndex(0), 4).0;
        for partition in 0..100 {
            let shard = placement(topic, PartitionIndex(partition), 4).0;
            assert_eq!(shard, (first + partition as u16) % 4);
        }
        assert_eq!(placement(topic, PartitionIndex(7), 1), ShardId(0));
    }

    #[test]
    fn topics_begin_on_different_shards() {
        let mut counts = [0; 4];
        for number in 0..400_u64 {
            let mut id = [0; 16];
            id[8..].copy_from_slice(&number.to_be_bytes());
            counts[usize::from(placement(TopicId(id), PartitionIndex(0), 4).0)] += 1;
        }
        assert!(counts.iter().all(|&count| count > 50), "{counts:?}");
    }
}
