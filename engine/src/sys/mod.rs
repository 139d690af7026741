//! The only `unsafe` of the crate: memory that the kernel and several shards see, and system calls.
#![allow(unsafe_code)]

#[cfg(feature = "io")]
pub mod file;
pub mod region;
#[cfg(feature = "io")]
pub mod ring;
