//! One partition's log, pure.
