//! Who reads which partitions: what the leader of a group works out for all of its members.

use std::collections::BTreeMap;
use std::str::FromStr;

/// A way to share out the partitions of one topic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Assignor {
    /// Consecutive partitions, in the order of the members' names, as Kafka's `range`. Members
    /// give up everything before they join.
    Range,
    /// As few moves as an even share allows, as Kafka's `cooperative-sticky` (KIP-429). Members
    /// keep what they have while they join; what moves is given up first and given out in a
    /// second round.
    CooperativeSticky,
}

/// A member, as the leader knows it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Subscriber {
    /// The name that the coordinator gave it.
    pub member_id: String,
    /// `group.instance.id` of a static member.
    pub instance_id: Option<String>,
    /// What it still has.
    pub owned: Vec<u32>,
    /// The generation that it has it from, -1 if unknown.
    pub generation: i32,
}

impl Assignor {
    /// The name under which Kafka's clients agree on it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Range => "range",
            Self::CooperativeSticky => "cooperative-sticky",
        }
    }

    /// True if members keep partitions over a rebalance (KIP-429).
    pub fn is_cooperative(self) -> bool {
        self == Self::CooperativeSticky
    }

    /// Shares out partitions `0..partitions`: each member's, ascending, in the order of `members`.
    pub fn assign(self, partitions: u32, members: &[Subscriber]) -> Vec<Vec<u32>> {
        match self {
            Self::Range => range(partitions, members),
            Self::CooperativeSticky => withhold_moves(members, sticky(partitions, members)),
        }
    }
}

impl FromStr for Assignor {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "range" => Ok(Self::Range),
            "cooperative-sticky" => Ok(Self::CooperativeSticky),
            _ => Err(format!(
                "'{text}' is no assignor; use range or cooperative-sticky"
            )),
        }
    }
}

/// The first members by name get one more, where it does not come out even.
fn range(partitions: u32, members: &[Subscriber]) -> Vec<Vec<u32>> {
    let mut assigned = vec![Vec::new(); members.len()];
    let mut next = 0;
    for (rank, at) in by_name(members).into_iter().enumerate() {
        let count = share(partitions, members.len(), rank);
        assigned[at] = (next..next + count).collect();
        next += count;
    }
    assigned
}

/// Everybody keeps what is theirs up to an even share; what is left goes to who has least.
fn sticky(partitions: u32, members: &[Subscriber]) -> Vec<Vec<u32>> {
    if members.is_empty() {
        return Vec::new();
    }
    let owners = owners(partitions, members);
    let mut assigned: Vec<Vec<u32>> = vec![Vec::new(); members.len()];
    for (&partition, &owner) in &owners {
        assigned[owner].push(partition);
    }
    let (least, over) = (
        partitions as usize / members.len(),
        partitions as usize % members.len(),
    );
    // Who has most already keeps the odd ones, so that nobody loses one to somebody with as many.
    let mut order: Vec<usize> = by_name(members);
    order.sort_by_key(|&at| std::cmp::Reverse(assigned[at].len()));
    let mut quota = vec![least; members.len()];
    for &at in order.iter().take(over) {
        quota[at] += 1;
    }
    let mut free: Vec<u32> = (0..partitions)
        .filter(|partition| !owners.contains_key(partition))
        .collect();
    for (mine, &quota) in assigned.iter_mut().zip(&quota) {
        if mine.len() > quota {
            free.extend(mine.drain(quota..));
        }
    }
    free.sort_unstable();
    let mut free = free.into_iter();
    for at in by_name(members) {
        let missing = quota[at] - assigned[at].len();
        assigned[at].extend(free.by_ref().take(missing));
        assigned[at].sort_unstable();
    }
    assigned
}

/// Takes from everybody what another member still has: it has to give it up first.
fn withhold_moves(members: &[Subscriber], mut assigned: Vec<Vec<u32>>) -> Vec<Vec<u32>> {
    for (at, mine) in assigned.iter_mut().enumerate() {
        let held_elsewhere = |partition: &u32| {
            let others = members.iter().enumerate().filter(|(other, _)| *other != at);
            others
                .into_iter()
                .any(|(_, other)| other.owned.contains(partition))
        };
        let own = &members[at].owned;
        mine.retain(|partition| own.contains(partition) || !held_elsewhere(partition));
    }
    assigned
}

/// By partition, the member that has it. Where two claim it, the one of the later generation does;
/// in the same generation nobody does.
fn owners(partitions: u32, members: &[Subscriber]) -> BTreeMap<u32, usize> {
    let mut claims: BTreeMap<u32, (i32, Option<usize>)> = BTreeMap::new();
    for (at, member) in members.iter().enumerate() {
        for &partition in member.owned.iter().filter(|&&index| index < partitions) {
            let claim = (member.generation, Some(at));
            claims
                .entry(partition)
                .and_modify(|held| match claim.0.cmp(&held.0) {
                    std::cmp::Ordering::Greater => *held = claim,
                    std::cmp::Ordering::Equal => held.1 = None,
                    std::cmp::Ordering::Less => {}
                })
                .or_insert(claim);
        }
    }
    let held = |(partition, (_, owner)): (u32, (i32, Option<usize>))| Some((partition, owner?));
    claims.into_iter().filter_map(held).collect()
}

/// Static members come first, by their instance id; the others follow by member id.
fn by_name(members: &[Subscriber]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..members.len()).collect();
    order.sort_by_key(|&at| {
        let member = &members[at];
        let name = member.instance_id.as_ref().unwrap_or(&member.member_id);
        (member.instance_id.is_none(), name)
    });
    order
}

fn share(partitions: u32, members: usize, rank: usize) -> u32 {
    let members = members as u32;
    partitions / members + u32::from((rank as u32) < partitions % members)
}

#[cfg(test)]
mod tests;
