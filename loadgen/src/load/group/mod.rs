//! Consumers in groups, in a run: many members on one thread, what happens to them, what is
//! measured and judged.

mod check;
mod figures;
mod fleet;
mod plan;
mod watch;

pub use figures::{GroupFigures, Rebalance};
pub(super) use fleet::run_groups;
pub use plan::{GroupPlan, Seen, Step};
