//! The only `unsafe` of the crate: memory that the kernel and several shards see, and system calls.
#![allow(unsafe_code)]

pub mod region;
