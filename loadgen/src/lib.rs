//! The load generator of Logmill, as a library.
//!
//! It drives any broker that speaks Kafka's protocol: a producer with the batching, retries and
//! idempotence of Kafka's own, a consumer with incremental fetch sessions, open-loop schedules with
//! latency taken from the intended time, checks of every record that is read, and reports.

pub mod broker;
pub mod cli;
pub mod clock;
pub mod consumer;
pub mod history;
pub mod load;
pub mod measure;
pub mod net;
pub mod payload;
pub mod producer;
pub mod quantity;
pub mod report;
pub mod sys;
