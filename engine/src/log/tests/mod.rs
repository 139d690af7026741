//! The partition log against the simplest model of one, and its rules one by one.

mod appending;
mod kit;
mod model;
mod timestamps;
mod writing;
