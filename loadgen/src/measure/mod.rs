//! What is measured: latency distributions, rates over time, CPU time.

mod cpu;
mod latency;
mod timeline;

pub use cpu::{CpuMeter, CpuUse};
pub use latency::{Latency, Percentile, Summary, supported};
pub use timeline::{Second, Timeline};
