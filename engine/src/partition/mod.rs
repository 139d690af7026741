//! What a partition keeps beside its log.
