//! What is found after the process died or the power went.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Choose, Entry, MemoryDisk, Node, State, apply_names, joined, key_of, node};
use crate::disk::DiskOp;

/// How it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Crash {
    /// SIGKILL: completed operations stay; those in flight happened, or not, or in part.
    Process,
    /// Power cut: what was not synced may be lost in any part, too.
    Power,
}

impl MemoryDisk {
    /// The disk that a new process finds. Choices come from `choose`; the same choices give the
    /// same disk.
    pub fn crash(&self, crash: Crash, choose: Choose<'_>) -> Self {
        let state = self.state.borrow();
        let mut nodes: Vec<Arc<Vec<u8>>> = Vec::with_capacity(state.nodes.len());
        for node in &state.nodes {
            nodes.push(match crash {
                Crash::Process => node.after_kill(),
                Crash::Power => node.after_power_cut(choose),
            });
        }
        state.add_in_flight(&mut nodes, choose);
        let names = match crash {
            Crash::Process => state.names.clone(),
            Crash::Power => state.names_after_power_cut(choose),
        };
        let found = State {
            directory_count: state.directory_count,
            nodes: nodes.into_iter().map(Node::of).collect(),
            durable_names: names.clone(),
            names,
            ..State::default()
        };
        Self {
            state: found.into(),
        }
    }
}

impl State {
    fn add_in_flight(&self, nodes: &mut [Arc<Vec<u8>>], choose: Choose<'_>) {
        for flight in &self.in_flight {
            let DiskOp::Write {
                file,
                position,
                parts,
            } = &flight.op
            else {
                continue;
            };
            let key = key_of(file.directory(), file.path());
            if let Some(Entry::File(node)) = self.names.get(&key) {
                let bytes = Arc::make_mut(&mut nodes[*node]);
                node::apply_in_flight(bytes, *position, joined(parts), choose);
            }
        }
    }

    /// Name changes reach the disk in order up to some point (as a journalling file system
    /// commits them), or each on its own.
    fn names_after_power_cut(&self, choose: Choose<'_>) -> BTreeMap<super::Path, Entry> {
        let mut names = self.durable_names.clone();
        let changes = &self.unsynced_names;
        let in_order = choose(2) == 0;
        let cut = choose(changes.len() as u32 + 1) as usize;
        for (index, change) in changes.iter().enumerate() {
            let kept = if in_order {
                index < cut
            } else {
                choose(2) == 0
            };
            if kept {
                apply_names(&mut names, change);
            }
        }
        drop_orphans(names)
    }
}

/// A name whose directory was lost is lost with it.
fn drop_orphans(names: BTreeMap<super::Path, Entry>) -> BTreeMap<super::Path, Entry> {
    let has_parent = |path: &super::Path| {
        let parent = crate::disk::parent_of(&path.1);
        parent.is_empty() || names.contains_key(&(path.0, parent.to_owned()))
    };
    let kept: Vec<_> = names
        .keys()
        .filter(|path| has_parent(path))
        .cloned()
        .collect();
    kept.into_iter()
        .map(|path| (path.clone(), names[&path]))
        .collect()
}
