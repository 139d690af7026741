//! Every partition of every topic, by one number.

use std::collections::BTreeMap;

/// How many partitions there are.
pub const SPOTS: i32 = 6;
/// Topics, and how many partitions each has.
pub const TOPICS: [(&str, i32); 2] = [("t", 4), ("u", 2)];

/// Topic and partition of a number.
pub fn place(spot: i32) -> (&'static str, i32) {
    let [(first, count), (second, _)] = TOPICS;
    match spot < count {
        true => (first, spot),
        false => (second, spot - count),
    }
}

/// The number of a partition.
pub fn spot(topic: &str, partition: i32) -> i32 {
    let [(first, count), (second, _)] = TOPICS;
    match topic == first {
        true => partition,
        false if topic == second => count + partition,
        false => panic!("nobody made {topic}"),
    }
}

/// What is said of each, by topic and partition.
pub fn by_topic<V>(of: impl IntoIterator<Item = (i32, V)>) -> Vec<(&'static str, Vec<(i32, V)>)> {
    let mut topics: BTreeMap<&'static str, Vec<(i32, V)>> = BTreeMap::new();
    for (number, value) in of {
        let (topic, partition) = place(number);
        topics.entry(topic).or_default().push((partition, value));
    }
    topics.into_iter().collect()
}

/// What a commit of an offset says beside it.
pub fn note(offset: i64) -> String {
    match offset % 3 {
        0 | -1 => String::new(),
        _ => format!("read up to {offset}"),
    }
}
