//! What must hold of all that a group's members told.

use std::collections::{BTreeMap, BTreeSet};

use super::member::{Event, Member};

/// Every record that was written was read by some member, and was what was written.
pub fn nothing_lost(written: &[i64], members: &[Member]) -> Result<(), String> {
    let mut read: BTreeMap<i32, BTreeSet<i64>> = BTreeMap::new();
    for member in members {
        for event in member.events() {
            let Event::Read {
                partition,
                offset,
                value,
            } = event
            else {
                continue;
            };
            if value != format!("{partition} {offset}") {
                return Err(format!(
                    "{} read {value:?} at {offset} of partition {partition}",
                    member.name
                ));
            }
            read.entry(partition).or_default().insert(offset);
        }
    }
    for (partition, count) in written.iter().enumerate() {
        let read = read.remove(&(partition as i32)).unwrap_or_default();
        if let Some(missing) = (0..*count).find(|offset| !read.contains(offset)) {
            return Err(format!(
                "nobody read {missing} of partition {partition}: {} of {count} were read",
                read.len()
            ));
        }
    }
    Ok(())
}

/// Each member reads a partition's records one after the other; only with a new assignment it may
/// begin elsewhere.
pub fn order_kept(members: &[Member]) -> Result<(), String> {
    for member in members {
        let mut next: BTreeMap<i32, i64> = BTreeMap::new();
        let mut jumps: BTreeMap<i32, usize> = BTreeMap::new();
        for event in member.events() {
            let Event::Read {
                partition, offset, ..
            } = event
            else {
                continue;
            };
            if next
                .insert(partition, offset + 1)
                .is_some_and(|next| next != offset)
            {
                *jumps.entry(partition).or_default() += 1;
            }
        }
        let assignments = member.assignments();
        if let Some((partition, times)) = jumps.iter().find(|(_, times)| **times >= assignments) {
            return Err(format!(
                "{} read partition {partition} out of order {times} times in {assignments} \
                 assignments",
                member.name
            ));
        }
    }
    Ok(())
}

/// Whoever gets a partition reads it from what was committed before, or later.
pub fn commits_resumed(members: &[Member]) -> Result<(), String> {
    let mut commits: Vec<(i64, i32, i64)> = Vec::new();
    for member in members {
        commits.extend(member.events().into_iter().filter_map(|event| match event {
            Event::Committed {
                at,
                partition,
                next,
            } => Some((at?, partition, next)),
            _ => None,
        }));
    }
    for member in members {
        let mut began: BTreeMap<i32, i64> = BTreeMap::new();
        let mut had: BTreeSet<i32> = BTreeSet::new();
        for event in member.events() {
            match event {
                Event::Has {
                    at: Some(at),
                    partitions,
                    ..
                } => {
                    began.extend(
                        partitions
                            .difference(&had)
                            .map(|partition| (*partition, at)),
                    );
                    had = partitions;
                }
                Event::Read {
                    partition, offset, ..
                } => {
                    let Some(began) = began.remove(&partition) else {
                        continue;
                    };
                    let before =
                        |commit: &&(i64, i32, i64)| commit.1 == partition && commit.0 < began;
                    let committed = commits.iter().filter(before).map(|commit| commit.2).max();
                    if committed.is_some_and(|committed| offset < committed) {
                        return Err(format!(
                            "{} began to read partition {partition} at {offset}, while {} was \
                             committed",
                            member.name,
                            committed.unwrap_or_default()
                        ));
                    }
                }
                _ => {}
            }
        }
    }
    Ok(())
}

/// The offsets at which this member began to read its partitions are these.
pub fn began_at(member: &Member, ends: &[i64]) -> Result<(), String> {
    let mut first: BTreeMap<i32, i64> = BTreeMap::new();
    for event in member.events() {
        if let Event::Read {
            partition, offset, ..
        } = event
        {
            first.entry(partition).or_insert(offset);
        }
    }
    let expected: BTreeMap<i32, i64> = (0..).zip(ends.iter().copied()).collect();
    if first == expected {
        return Ok(());
    }
    Err(format!(
        "{} began at {first:?}, not at {expected:?}",
        member.name
    ))
}
