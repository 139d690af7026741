//! The tuning binary.

fn main() {}
