//! What replication needs of a log.
