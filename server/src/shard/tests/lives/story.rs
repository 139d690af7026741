//! What has happened, and what therefore must never happen.

use std::collections::{BTreeMap, BTreeSet};

/// All that clients were told.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Story {
    pub groups: Vec<GroupStory>,
    /// Records below were acknowledged to their producer.
    written: BTreeMap<i32, i64>,
    /// Counts what happened, in order.
    pub hash: u64,
}

/// Offsets and owners by partition, in one group's eyes.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct GroupStory {
    /// Who owns each partition in each generation whose assignment was given out.
    owners: BTreeMap<i32, BTreeMap<i32, String>>,
    /// The latest of these generations.
    generation: i32,
    /// The latest member id of each static member, where that is certain, and how often one was
    /// given an assignment.
    static_ids: BTreeMap<String, (u64, Option<String>)>,
    /// Commits that were acknowledged, or read: none may be lost or go back.
    committed: BTreeMap<i32, i64>,
    /// The highest offset that anybody ever asked to commit.
    asked: BTreeMap<i32, i64>,
    /// Records below were given to somebody, each partition without a gap.
    read: BTreeMap<i32, i64>,
    /// How often somebody asked to delete the group, or was answered: what was known before says
    /// nothing about what is found after.
    deletions: u64,
    /// Such a request is under way.
    is_deleting: bool,
    /// Generations that gave out assignments.
    generations: usize,
    hash: u64,
}

/// What was known when a request was sent.
#[derive(Clone, Debug, Default)]
pub struct Then {
    generation: i32,
    static_id: (u64, Option<String>),
    committed: BTreeMap<i32, i64>,
    deletions: u64,
}

impl Story {
    /// Nothing happened yet to so many groups.
    pub fn new(groups: usize) -> Self {
        Self {
            groups: (0..groups).map(|_| GroupStory::default()).collect(),
            ..Self::default()
        }
    }

    pub fn note(&mut self, what: u64) {
        self.hash = mixed(self.hash, what);
    }

    /// A producer's records below `end` are acknowledged.
    pub fn written(&mut self, spot: i32, end: i64) {
        self.written.insert(spot, end);
        self.note(end as u64);
    }

    /// Where the log of a partition ends, as its producer knows.
    pub fn end(&self, spot: i32) -> i64 {
        self.written.get(&spot).copied().unwrap_or_default()
    }

    /// How many generations gave out assignments.
    pub fn generations(&self) -> usize {
        self.groups.iter().map(|group| group.generations).sum()
    }

    /// Records acknowledged in all.
    pub fn records(&self) -> i64 {
        self.written.values().sum()
    }
}

impl GroupStory {
    /// Remembers the present for a request that is sent now.
    pub fn now(&self, instance: Option<&str>) -> Then {
        Then {
            generation: self.generation,
            static_id: instance
                .and_then(|it| self.static_ids.get(it).cloned())
                .unwrap_or_default(),
            committed: self.committed.clone(),
            deletions: self.deletions,
        }
    }

    /// Somebody asks to delete the group, which goes if it has no members.
    pub fn asks_to_delete(&mut self) {
        self.is_deleting = true;
        self.deletions += 1;
    }

    /// It was not deleted: it has members.
    pub fn not_deleted(&mut self) {
        self.is_deleting = false;
        self.deletions += 1;
    }

    /// It was deleted, or nobody will ever know.
    pub fn maybe_deleted(&mut self) {
        self.not_deleted();
        self.owners.clear();
        self.generation = 0;
        self.static_ids.clear();
        self.committed.clear();
    }

    /// Whether what was known then tells nothing about what is found now.
    fn is_void(&self, then: &Then) -> bool {
        self.is_deleting || then.deletions != self.deletions
    }

    fn note(&mut self, what: u64) {
        self.hash = mixed(self.hash, what);
    }

    /// A member was told what it owns.
    pub fn assigned(
        &mut self,
        then: &Then,
        generation: i32,
        (instance, id): (Option<&str>, &str),
        partitions: &BTreeSet<i32>,
    ) {
        self.note(generation as u64);
        if self.is_void(then) {
            // Whom it replaced, if anybody, is not known.
            let latest = instance.map(|it| self.static_ids.entry(it.to_owned()).or_default());
            if let Some(latest) = latest {
                *latest = (latest.0 + 1, None);
            }
            return;
        }
        let owner = instance.unwrap_or(id);
        self.generations += usize::from(!self.owners.contains_key(&generation));
        self.owners.entry(generation).or_default();
        for &partition in partitions {
            let owners = self.owners.entry(generation).or_default();
            let before = owners.insert(partition, owner.to_owned());
            assert!(
                before.as_deref().is_none_or(|before| before == owner),
                "generation {generation} gives {partition} to {before:?} and to {owner}"
            );
        }
        self.generation = self.generation.max(generation);
        if let Some(instance) = instance {
            // When another one was told meanwhile, either may be the later one.
            let latest = self.static_ids.entry(instance.to_owned()).or_default();
            let is_certain = latest.0 == then.static_id.0;
            *latest = (latest.0 + 1, is_certain.then(|| id.to_owned()));
        }
    }

    /// Somebody asks to commit.
    pub fn asks_to_commit(&mut self, partition: i32, offset: i64) {
        let asked = self.asked.entry(partition).or_default();
        *asked = (*asked).max(offset);
    }

    /// A commit of a member was acknowledged.
    pub fn commit_acknowledged(
        &mut self,
        then: &Then,
        (generation, id): (i32, &str),
        (partition, offset): (i32, i64),
    ) {
        self.note(offset as u64);
        if self.is_void(then) {
            return;
        }
        let known = then.committed.get(&partition).copied().unwrap_or(-1);
        assert!(
            offset >= known,
            "{id} of generation {generation} may commit {offset} for {partition} after {known}"
        );
        assert!(
            generation >= then.generation,
            "a commit of generation {generation} is taken after {} began",
            then.generation
        );
        assert!(
            then.static_id
                .1
                .as_deref()
                .is_none_or(|latest| latest == id),
            "a commit of {id} is taken, who was replaced by {:?}",
            then.static_id.1
        );
        self.has_committed(partition, offset);
    }

    /// A member that begins with a partition was told what is committed; gives where it begins.
    pub fn commit_read(&mut self, then: &Then, partition: i32, offset: i64) -> i64 {
        self.note(offset as u64);
        let known = match self.is_void(then) {
            true => -1,
            false => then.committed.get(&partition).copied().unwrap_or(-1),
        };
        assert!(
            offset >= known,
            "{offset} is committed for {partition}, it was {known} before"
        );
        let asked = self.asked.get(&partition).copied().unwrap_or(-1);
        assert!(
            offset <= asked,
            "{offset} is committed for {partition}, nobody asked for more than {asked}"
        );
        let read = self.read.get(&partition).copied().unwrap_or_default();
        assert!(
            offset <= read,
            "{read}..{offset} of {partition} would be skipped"
        );
        if offset >= 0 && !self.is_void(then) {
            self.has_committed(partition, offset);
        }
        offset.max(0)
    }

    /// A record was read where `offset` was expected.
    pub fn record_read(&mut self, partition: i32, expected: i64, (offset, value): (i64, u64)) {
        assert_eq!(
            (offset, value),
            (expected, expected as u64),
            "the next record of {partition} is another one"
        );
        let read = self.read.entry(partition).or_default();
        *read = (*read).max(offset + 1);
        self.note(offset as u64);
    }

    fn has_committed(&mut self, partition: i32, offset: i64) {
        let committed = self.committed.entry(partition).or_insert(-1);
        *committed = (*committed).max(offset);
    }
}

fn mixed(hash: u64, what: u64) -> u64 {
    (hash.rotate_left(7) ^ what).wrapping_mul(0x100_0000_01b3)
}
