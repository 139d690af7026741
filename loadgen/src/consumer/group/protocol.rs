//! What members tell each other through the coordinator, for a group that reads one topic.

use logmill_wire::messages::consumer_protocol::{
    ConsumerProtocolAssignment, ConsumerProtocolSubscription, TopicPartition,
};
use logmill_wire::{Array, DecodeError, Message, Reader, Writer};

/// A member's subscription to `topic`, with what it still has and since which generation.
pub(super) fn subscription(topic: &str, owned: &[u32], generation: i32) -> Vec<u8> {
    let topics = [topic];
    let owned = [partitions(topic, owned)];
    let message = ConsumerProtocolSubscription {
        topics: Array::from(&topics[..]),
        user_data: None,
        owned_partitions: Array::from(&owned[..]),
        generation_id: generation,
        rack_id: None,
    };
    encode(&message)
}

/// The partitions of `topic` that a subscription says its member has, and since when.
pub(super) fn read_subscription(bytes: &[u8], topic: &str) -> Result<(Vec<u32>, i32), DecodeError> {
    let mut reader = Reader::new(bytes);
    let version = reader.i16()?.min(VERSION);
    let message = ConsumerProtocolSubscription::decode(&mut reader, version)?;
    Ok((
        of_topic(&message.owned_partitions, topic),
        message.generation_id,
    ))
}

/// An assignment of partitions of `topic`.
pub(super) fn assignment(topic: &str, assigned: &[u32]) -> Vec<u8> {
    let topics = [partitions(topic, assigned)];
    let message = ConsumerProtocolAssignment {
        assigned_partitions: Array::from(&topics[..]),
        user_data: None,
    };
    encode(&message)
}

/// The partitions of `topic` in an assignment; an empty one holds none.
pub(super) fn read_assignment(bytes: &[u8], topic: &str) -> Result<Vec<u32>, DecodeError> {
    if bytes.is_empty() {
        return Ok(Vec::new());
    }
    let mut reader = Reader::new(bytes);
    let version = reader.i16()?.min(VERSION);
    let message = ConsumerProtocolAssignment::decode(&mut reader, version)?;
    let mut assigned = of_topic(&message.assigned_partitions, topic);
    assigned.sort_unstable();
    Ok(assigned)
}

fn partitions<'a>(topic: &'a str, indexes: &[u32]) -> TopicPartition<'a> {
    let indexes: Vec<i32> = indexes.iter().map(|&index| index as i32).collect();
    TopicPartition {
        topic,
        partitions: Array::from(indexes),
    }
}

fn of_topic(list: &Array<'_, TopicPartition<'_>>, topic: &str) -> Vec<u32> {
    let of_ours = list.iter().filter(|entry| entry.topic == topic);
    of_ours
        .flat_map(|entry| entry.partitions.iter().collect::<Vec<i32>>())
        .filter_map(|index| u32::try_from(index).ok())
        .collect()
}

fn encode<'a>(message: &impl Message<'a>) -> Vec<u8> {
    let mut writer = Writer::new();
    writer.i16(VERSION);
    message
        .encode(&mut writer, VERSION)
        .expect("its fields are within what the version holds");
    writer.bytes
}

/// The newest version; Kafka's clients read newer ones as theirs.
const VERSION: i16 = 3;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_is_understood() {
        let bytes = subscription("t", &[4, 1], 7);
        assert_eq!(read_subscription(&bytes, "t"), Ok((vec![4, 1], 7)));
        assert_eq!(read_subscription(&bytes, "other"), Ok((vec![], 7)));
        let bytes = assignment("t", &[9, 2]);
        assert_eq!(read_assignment(&bytes, "t"), Ok(vec![2, 9]));
        assert_eq!(read_assignment(&[], "t"), Ok(vec![]));
        assert!(read_assignment(&bytes[..bytes.len() - 6], "t").is_err());
    }

    #[test]
    fn a_version_of_the_future_is_read_as_the_newest_known() {
        let mut bytes = subscription("t", &[0], 1);
        bytes[..2].copy_from_slice(&9_i16.to_be_bytes());
        assert_eq!(read_subscription(&bytes, "t"), Ok((vec![0], 1)));
    }
}
