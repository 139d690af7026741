//! Which trouble groups are in.

use std::fmt;
use std::str::FromStr;

/// Groups that make trouble while a load is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TroublePlan {
    /// What they do.
    pub kind: Trouble,
    /// How many groups; poisoned members are in a fifth of them, see [`Trouble::Poisoned`].
    pub groups: u32,
    /// Members of each.
    pub members: u32,
}

/// What groups in trouble do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// Nothing: what the others are compared with.
    Calm,
    /// Members of every group join and leave all the time, each rejoining as the others do.
    Storm,
    /// A fifth of the groups have members that join with subscriptions, and hand out assignments,
    /// that nobody can read. A tenth each as clients of their own: members whose subscription or
    /// assignment is as large as the broker takes, and larger; and committers at full speed, with
    /// metadata as long as Kafka takes, and longer.
    Poisoned,
    /// Half the members of every group join and never sync, the others sync and are not heard of
    /// again until their session is over. As many clients as a fifth of the groups ask for
    /// megabytes of offsets and read nothing.
    Slow,
}

impl FromStr for Trouble {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "calm" => Ok(Self::Calm),
            "storm" => Ok(Self::Storm),
            "poisoned" => Ok(Self::Poisoned),
            "slow" => Ok(Self::Slow),
            _ => Err(format!(
                "'{text}' is no trouble that groups are in; use calm, storm, poisoned, slow"
            )),
        }
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Calm => "calm",
            Self::Storm => "rebalance storm",
            Self::Poisoned => "poisoned members",
            Self::Slow => "slow members",
        })
    }
}
