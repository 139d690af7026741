//! Which partition a record goes to.

use std::str::FromStr;

/// How partitions are chosen for records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PartitionPlan {
    /// As Kafka's Java producer: by the key's murmur2 hash; without a key, stay on one partition
    /// until a batch's worth of bytes has gone there, then move on (KIP-794).
    Default,
    /// One partition after the other, whatever the key.
    RoundRobin,
    /// Sticky for every record, whatever the key.
    Sticky,
    /// Always this partition.
    Explicit(u32),
}

impl FromStr for PartitionPlan {
    type Err = String;

    /// `default`, `round-robin`, `sticky`, or a partition's number.
    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "default" | "murmur2" => Ok(Self::Default),
            "round-robin" => Ok(Self::RoundRobin),
            "sticky" => Ok(Self::Sticky),
            _ => text.parse().map(Self::Explicit).map_err(|_| {
                format!("'{text}' is no partitioner; use default, round-robin, sticky or a number")
            }),
        }
    }
}

/// Chooses partitions by a plan; keeps the place of the sticky and round-robin ones.
#[derive(Clone, Debug)]
pub struct Partitioner {
    plan: PartitionPlan,
    partitions: u32,
    current: u32,
    stuck_bytes: usize,
    sticky_bytes: usize,
}

impl Partitioner {
    /// A partitioner over `partitions` (at least 1) that moves a sticky choice on after
    /// `sticky_bytes`. `start` spreads several producers over the partitions.
    pub fn new(plan: PartitionPlan, partitions: u32, sticky_bytes: usize, start: u32) -> Self {
        assert!(partitions > 0, "a topic has at least one partition");
        Self {
            plan,
            partitions,
            current: start % partitions,
            stuck_bytes: 0,
            sticky_bytes,
        }
    }

    /// The topic has another number of partitions now (at least 1).
    pub fn set_partitions(&mut self, partitions: u32) {
        assert!(partitions > 0, "a topic has at least one partition");
        self.partitions = partitions;
        self.current %= partitions;
    }

    /// The partition for a record of `bytes` with this key.
    pub fn choose(&mut self, key: Option<&[u8]>, bytes: usize) -> u32 {
        match (self.plan, key) {
            (PartitionPlan::Explicit(index), _) => index,
            (PartitionPlan::Default, Some(key)) => by_key(key, self.partitions),
            (PartitionPlan::RoundRobin, _) => {
                let chosen = self.current;
                self.current = (chosen + 1) % self.partitions;
                chosen
            }
            (PartitionPlan::Default | PartitionPlan::Sticky, _) => self.stick(bytes),
        }
    }

    fn stick(&mut self, bytes: usize) -> u32 {
        if self.stuck_bytes >= self.sticky_bytes {
            self.stuck_bytes = 0;
            self.current = (self.current + 1) % self.partitions;
        }
        self.stuck_bytes += bytes;
        self.current
    }
}

/// The partition that Kafka's default partitioner gives a key: murmur2 made positive, modulo.
pub fn by_key(key: &[u8], partitions: u32) -> u32 {
    (murmur2(key) & 0x7FFF_FFFF) % partitions
}

/// MurmurHash2 (Appleby), 32 bits, with the seed that Kafka's clients use.
pub fn murmur2(data: &[u8]) -> u32 {
    const SEED: u32 = 0x9747_B28C;
    const M: u32 = 0x5BD1_E995;
    let mut hash = SEED ^ data.len() as u32;
    let mut words = data.chunks_exact(4);
    for word in &mut words {
        let mut k = u32::from_le_bytes(word.try_into().expect("chunks of four")).wrapping_mul(M);
        k ^= k >> 24;
        hash = hash.wrapping_mul(M) ^ k.wrapping_mul(M);
    }
    let rest = words.remainder();
    for (i, &byte) in rest.iter().enumerate() {
        hash ^= u32::from(byte) << (8 * i);
    }
    if !rest.is_empty() {
        hash = hash.wrapping_mul(M);
    }
    hash ^= hash >> 13;
    hash = hash.wrapping_mul(M);
    hash ^ (hash >> 15)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn murmur2_gives_the_values_of_kafkas_own_tests() {
        let known: [(&[u8], i32); 7] = [
            (b"21", -973_932_308),
            (b"foobar", -790_332_482),
            (b"a-little-bit-long-string", -985_981_536),
            (b"a-little-bit-longer-string", -1_486_304_829),
            (
                b"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8",
                -58_897_971,
            ),
            (b"abc", 479_470_107),
            (b"", 275_646_681),
        ];
        for (key, hash) in known {
            assert_eq!(
                murmur2(key) as i32,
                hash,
                "{}",
                String::from_utf8_lossy(key)
            );
        }
    }

    #[test]
    fn sticky_moves_on_by_bytes_and_round_robin_by_records() {
        let mut sticky = Partitioner::new(PartitionPlan::Sticky, 3, 200, 0);
        let chosen: Vec<u32> = (0..7).map(|_| sticky.choose(Some(b"k"), 100)).collect();
        assert_eq!(chosen, [0, 0, 1, 1, 2, 2, 0]);
        let mut robin = Partitioner::new(PartitionPlan::RoundRobin, 3, 200, 4);
        let chosen: Vec<u32> = (0..4).map(|_| robin.choose(None, 1)).collect();
        assert_eq!(chosen, [1, 2, 0, 1]);
    }

    #[test]
    fn added_partitions_are_chosen_and_removed_ones_are_not() {
        let mut robin = Partitioner::new(PartitionPlan::RoundRobin, 2, 200, 1);
        robin.set_partitions(4);
        let chosen: Vec<u32> = (0..4).map(|_| robin.choose(None, 1)).collect();
        assert_eq!(chosen, [1, 2, 3, 0]);
        robin.choose(None, 1);
        robin.choose(None, 1);
        robin.set_partitions(2);
        assert!((0..4).all(|_| robin.choose(None, 1) < 2));
    }

    #[test]
    fn keys_keep_their_partition() {
        let mut default = Partitioner::new(PartitionPlan::Default, 6, 1, 0);
        let first = default.choose(Some(b"foobar"), 1_000);
        assert_eq!(first, (-790_332_482_i32 as u32 & 0x7FFF_FFFF) % 6);
        assert_eq!(default.choose(Some(b"foobar"), 1_000), first);
        let mut fixed = Partitioner::new(PartitionPlan::Explicit(4), 6, 1, 0);
        assert_eq!(fixed.choose(Some(b"foobar"), 1), 4);
    }
}
