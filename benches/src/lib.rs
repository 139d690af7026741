//! What the micro-benches share.
