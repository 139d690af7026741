//! The broker.

pub mod config;
pub mod error;
pub mod handlers;
pub mod metadata;
