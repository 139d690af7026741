//! What is measured of groups.

use std::time::Duration;

use super::plan::Step;
use crate::measure::Latency;

/// A run's groups in figures.
#[derive(Clone, Debug, Default)]
pub struct GroupFigures {
    /// Members when measuring began, over all groups.
    pub members: u64,
    /// Groups.
    pub groups: u64,
    /// From the first join until every member had its partitions.
    pub formed_after: Duration,
    /// The most connections that were open to coordinators.
    pub connections: u64,
    /// Commits acknowledged while measuring, from the request to its answer.
    pub commits: Latency,
    /// Commits refused, but for those that a rebalance overtook.
    pub commits_refused: u64,
    /// Heartbeats answered while measuring, from the request to its answer.
    pub heartbeats: Latency,
    /// Joins asked for in all.
    pub joins: u64,
    /// Generations that began while measuring, in the group that had the most.
    pub generations: u32,
    /// Times that a group went on without a member that was there.
    pub fenced: u64,
    /// Records delivered again after a rebalance.
    pub redelivered: u64,
    /// What happened to members, and how the group got over it.
    pub rebalances: Vec<Rebalance>,
}

/// How a group got over a change of its members.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rebalance {
    /// What happened.
    pub step: Step,
    /// When, since measuring began.
    pub at: Duration,
    /// Partitions that changed hands.
    pub moved: u32,
    /// Until a member heard of it; `None` if nobody had to.
    pub noticed_after: Option<Duration>,
    /// Until the last partition that changed hands was read again; `None` if none did.
    /// Those that have nothing to read as the load ends are left out.
    pub resumed_after: Option<Duration>,
    /// The longest that any other partition was not read.
    pub longest_pause: Duration,
}
