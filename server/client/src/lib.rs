//! A Kafka client connection without I/O.
