//! Incremental fetch sessions (KIP-227): the broker remembers what is fetched, a request names
//! only what has changed.

use std::collections::BTreeMap;

/// What a request asks of one partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Wanted {
    pub(super) offset: i64,
    pub(super) leader_epoch: i32,
}

/// The client's side of a session with one broker.
#[derive(Debug, Default)]
pub(super) struct FetchSession {
    id: i32,
    epoch: i32,
    /// What the broker knows.
    told: BTreeMap<u32, Wanted>,
}

/// What to send.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Plan {
    pub(super) session_id: i32,
    pub(super) session_epoch: i32,
    /// New partitions and those whose position has changed; all of them in a full request.
    pub(super) changed: Vec<(u32, Wanted)>,
    /// Partitions that the broker is to forget.
    pub(super) forgotten: Vec<u32>,
}

impl FetchSession {
    /// Plans the next request for `wanted`.
    pub(super) fn plan(&mut self, wanted: &BTreeMap<u32, Wanted>) -> Plan {
        if self.id == 0 {
            self.told.clone_from(wanted);
            let changed = wanted.iter().map(|(&index, &want)| (index, want)).collect();
            return Plan {
                session_id: 0,
                session_epoch: 0,
                changed,
                forgotten: Vec::new(),
            };
        }
        let changed: Vec<_> = wanted
            .iter()
            .filter(|(index, want)| self.told.get(index) != Some(want))
            .map(|(&index, &want)| (index, want))
            .collect();
        let forgotten: Vec<u32> = self
            .told
            .keys()
            .filter(|index| !wanted.contains_key(index))
            .copied()
            .collect();
        for &(index, want) in &changed {
            self.told.insert(index, want);
        }
        for index in &forgotten {
            self.told.remove(index);
        }
        Plan {
            session_id: self.id,
            session_epoch: self.epoch,
            changed,
            forgotten,
        }
    }

    /// The offset that the broker was last asked for in a partition.
    pub(super) fn offset(&self, index: u32) -> Option<i64> {
        self.told.get(&index).map(|want| want.offset)
    }

    /// A request was answered with this session id: 0 means that there is no session.
    pub(super) fn answered(&mut self, session_id: i32) {
        if session_id == 0 {
            self.reset();
        } else if self.id == session_id {
            self.epoch = if self.epoch == i32::MAX {
                1
            } else {
                self.epoch + 1
            };
        } else {
            (self.id, self.epoch) = (session_id, 1);
        }
    }

    /// The session is lost: the next request is a full one.
    pub(super) fn reset(&mut self) {
        (self.id, self.epoch) = (0, 0);
        self.told.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(list: &[(u32, i64)]) -> BTreeMap<u32, Wanted> {
        let want = |&(index, offset)| {
            (
                index,
                Wanted {
                    offset,
                    leader_epoch: 0,
                },
            )
        };
        list.iter().map(want).collect()
    }

    #[test]
    fn only_changes_are_sent_within_a_session() {
        let mut session = FetchSession::default();
        let full = session.plan(&wanted(&[(0, 0), (1, 0)]));
        assert_eq!(
            (full.session_id, full.session_epoch, full.changed.len()),
            (0, 0, 2)
        );
        session.answered(77);
        let next = session.plan(&wanted(&[(0, 5), (1, 0)]));
        assert_eq!((next.session_id, next.session_epoch), (77, 1));
        assert_eq!(next.changed.iter().map(|c| c.0).collect::<Vec<_>>(), [0]);
        session.answered(77);
        let last = session.plan(&wanted(&[(1, 0), (2, 9)]));
        assert_eq!(last.session_epoch, 2);
        assert_eq!((last.changed[0].0, last.forgotten), (2, vec![0]));
        // A broker without room for sessions answers with 0: every request is full.
        session.answered(0);
        assert_eq!(session.plan(&wanted(&[(1, 0)])).session_epoch, 0);
        session.answered(0);
        assert_eq!(session.plan(&wanted(&[(1, 0)])).changed.len(), 1);
    }
}
