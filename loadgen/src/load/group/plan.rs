//! What a group is to do in a run.

use std::fmt;
use std::str::FromStr;
use std::sync::mpsc::Sender;
use std::time::Duration;

use logmill_wire::ErrorCode;

use crate::consumer::group::{Ask, Assignor, Lines, MemberKey, MembershipConfig};

/// Consumers in groups.
#[derive(Clone, Debug)]
pub struct GroupPlan {
    /// How many groups; more than one only where nothing is read.
    pub groups: u32,
    /// Members of each.
    pub members: u32,
    /// True if members fetch and check; false if they only keep their place.
    pub reading: bool,
    /// How they share out partitions.
    pub assignor: Assignor,
    /// True for static members, with a `group.instance.id`.
    pub is_static: bool,
    /// `session.timeout.ms`.
    pub session_timeout: Duration,
    /// `heartbeat.interval.ms`.
    pub heartbeat_interval: Duration,
    /// `auto.commit.interval.ms`; `None`: nothing is committed.
    pub commit_interval: Option<Duration>,
    /// How members share connections.
    pub lines: Lines,
    /// What happens to members while measuring, spread evenly over the run.
    pub steps: Vec<Step>,
    /// Hears what members ask and are answered, as it happens.
    pub observer: Option<Sender<Seen>>,
}

/// What a [`GroupPlan::observer`] hears.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen {
    /// Who asked.
    pub member: MemberKey,
    /// What.
    pub ask: Ask,
    /// What was answered; `None` when the request has just gone out.
    pub answer: Option<ErrorCode>,
}

/// What happens to a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// One more joins.
    Join,
    /// One leaves in good order.
    Leave,
    /// One is gone without a word.
    Kill,
    /// One is gone without a word and comes back at once, under its name if it is static.
    Restart,
}

impl GroupPlan {
    /// The name of a group of the run.
    pub fn group_name(run: u64, index: u32) -> String {
        format!("loadgen-{run:x}-{index}")
    }

    /// A member's settings; `place` is its place in its group, which names static ones.
    pub fn member(&self, group: &str, topic: &str, place: usize) -> MembershipConfig {
        MembershipConfig {
            group: group.to_owned(),
            topic: topic.to_owned(),
            instance: self.is_static.then(|| format!("{group}-{place:04}")),
            assignor: self.assignor,
            session_timeout: self.session_timeout,
            rebalance_timeout: REBALANCE_TIMEOUT,
            heartbeat_interval: self.heartbeat_interval,
            commit_interval: self.commit_interval,
            retry_backoff: Duration::from_millis(100),
        }
    }
}

impl FromStr for Step {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "join" => Ok(Self::Join),
            "leave" => Ok(Self::Leave),
            "kill" => Ok(Self::Kill),
            "restart" => Ok(Self::Restart),
            _ => Err(format!(
                "'{text}' is nothing that happens to a member; use join, leave, kill, restart"
            )),
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Join => "join",
            Self::Leave => "leave",
            Self::Kill => "kill",
            Self::Restart => "restart",
        })
    }
}

/// `max.poll.interval.ms` of members that never dawdle.
const REBALANCE_TIMEOUT: Duration = Duration::from_secs(60);
