//! Which protocols the members of a group speak, and which one they choose.

use std::collections::BTreeMap;

use super::ask::Protocol;

/// How many members speak each protocol.
#[derive(Debug, Default)]
pub(super) struct Votes {
    counts: BTreeMap<String, usize>,
}

impl Votes {
    /// A member speaks these.
    pub fn add(&mut self, protocols: &[Protocol]) {
        for protocol in protocols {
            match self.counts.get_mut(&protocol.name) {
                Some(count) => *count += 1,
                None => {
                    self.counts.insert(protocol.name.clone(), 1);
                }
            }
        }
    }

    /// A member that spoke these is gone, or speaks others.
    pub fn remove(&mut self, protocols: &[Protocol]) {
        for protocol in protocols {
            let count = self.counts.get_mut(&protocol.name);
            let count = count.expect("what is taken back was counted");
            *count -= 1;
            if *count == 0 {
                self.counts.remove(&protocol.name);
            }
        }
    }

    /// Whether all of `member_count` members speak one of `protocols`.
    pub fn accept(&self, protocols: &[Protocol], member_count: usize) -> bool {
        let mut names = protocols.iter().map(|protocol| &protocol.name);
        names.any(|name| self.is_common(name, member_count))
    }

    /// The protocol that most members like best among those that all of them speak. Between equals
    /// it is the one that comes first in `preferences`, where the leader's stand first.
    pub fn choose<'a>(
        &self,
        member_count: usize,
        preferences: impl Iterator<Item = &'a [Protocol]>,
    ) -> Option<&'a str> {
        let mut votes: Vec<(&'a str, usize)> = Vec::new();
        for protocols in preferences {
            let mut names = protocols.iter().map(|protocol| protocol.name.as_str());
            let Some(vote) = names.find(|name| self.is_common(name, member_count)) else {
                continue;
            };
            match votes.iter_mut().find(|(name, _)| *name == vote) {
                Some((_, count)) => *count += 1,
                None => votes.push((vote, 1)),
            }
        }
        let mut best: Option<(&str, usize)> = None;
        for (name, count) in votes {
            if best.is_none_or(|(_, most)| count > most) {
                best = Some((name, count));
            }
        }
        best.map(|(name, _)| name)
    }

    fn is_common(&self, name: &str, member_count: usize) -> bool {
        self.counts.get(name).copied().unwrap_or(0) == member_count
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn protocols(names: &[&str]) -> Vec<Protocol> {
        let protocol = |name: &&str| Protocol {
            name: (*name).to_owned(),
            metadata: [].into(),
        };
        names.iter().map(protocol).collect()
    }

    fn choice(members: &[&[&str]]) -> Option<String> {
        let members: Vec<Vec<Protocol>> = members.iter().map(|names| protocols(names)).collect();
        let mut votes = Votes::default();
        for member in &members {
            votes.add(member);
        }
        let preferences = members.iter().map(Vec::as_slice);
        votes.choose(members.len(), preferences).map(str::to_owned)
    }

    #[test]
    fn the_most_liked_among_the_common_ones_is_chosen() {
        let range_first: &[&str] = &["range", "sticky"];
        let sticky_first: &[&str] = &["sticky", "range"];
        let chosen = choice(&[range_first, sticky_first, sticky_first]);
        assert_eq!(chosen.as_deref(), Some("sticky"));
        // What not all speak gets no vote, however well it is liked.
        let chosen = choice(&[&["new", "range"], &["new", "range"], &["range"]]);
        assert_eq!(chosen.as_deref(), Some("range"));
        // Between equals the leader's word counts.
        let chosen = choice(&[range_first, sticky_first]);
        assert_eq!(chosen.as_deref(), Some("range"));
        assert_eq!(choice(&[&["range"], &["sticky"]]), None);
    }

    #[test]
    fn members_that_leave_take_their_protocols_along() {
        let (both, range) = (protocols(&["range", "sticky"]), protocols(&["range"]));
        let mut votes = Votes::default();
        votes.add(&both);
        votes.add(&range);
        assert!(!votes.accept(&protocols(&["sticky"]), 2));
        votes.remove(&range);
        assert!(votes.accept(&protocols(&["sticky"]), 1));
        votes.remove(&both);
        assert!(votes.accept(&protocols(&["anything"]), 0));
    }
}
