//! How a load is made: schedules, and the threads that follow them.

mod schedule;

pub use schedule::{Arrivals, Schedule};
