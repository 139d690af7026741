//! How a load is made: schedules, the threads that follow them, and the books that are kept.

mod consume;
mod group;
mod plan;
mod produce;
mod reread;
mod run;
mod schedule;
mod shared;
mod trouble;

pub use group::{GroupFigures, GroupPlan, Rebalance, Seen, Step};
pub use plan::{LoadPlan, LoadResult, Pace};
pub use reread::{Rereading, reread};
pub use run::{LoadError, Phase, Progress, Steer, run, run_noting};
pub use schedule::{Arrivals, Schedule};
pub use trouble::{Trouble, TroubleFigures, TroublePlan};
