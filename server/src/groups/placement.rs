//! Which partition of `__consumer_offsets` a group belongs to.

/// The partition of `group_id` among `partition_count`: Java's `String.hashCode`, made positive,
/// modulo the count. Clients and Kafka's tools work it out for themselves.
///
/// # Panics
/// `partition_count` is not positive.
pub fn partition_of(group_id: &str, partition_count: i32) -> i32 {
    assert!(partition_count > 0, "a topic has at least one partition");
    // The one value without a positive counterpart becomes 0.
    java_hash(group_id).checked_abs().unwrap_or(0) % partition_count
}

/// Java hashes UTF-16 code units, not characters and not UTF-8.
fn java_hash(text: &str) -> i32 {
    text.encode_utf16().fold(0i32, |hash, unit| {
        hash.wrapping_mul(31).wrapping_add(i32::from(unit))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Values of Java's `String.hashCode`.
    #[test]
    fn hashes_as_java_does() {
        for (text, hash) in [
            ("", 0),
            ("a", 97),
            ("hello world", 1_794_106_052),
            ("groupe-é", 506_365_602),
            ("グループ", 383_750_870),
            ("group-😀", 508_083_057),
            ("polygenelubricants", i32::MIN),
        ] {
            assert_eq!(java_hash(text), hash, "{text}");
        }
    }

    #[test]
    fn the_smallest_hash_is_partition_zero() {
        assert_eq!(partition_of("polygenelubricants", 50), 0);
        assert_eq!(partition_of("a", 50), 47);
        assert_eq!(partition_of("group-😀", 50), 7);
    }
}
