//! The start-up screen: one page that says what runs, on what, within which bounds, and what is
//! to be mended.

use std::fmt::{self, Write};

use logmill_tuning::doctor::{Finding, Severity};
use logmill_tuning::host::Host;
use logmill_tuning::volume::Volume;

use crate::config::Notice;
use crate::config::memory::in_words;
use crate::start::prepared::Prepared;

/// Everything that the screen shows. Printing it is one write.
pub(super) struct Screen<'a> {
    pub prepared: &'a Prepared,
    pub host: &'a Host,
    pub volumes: &'a [Volume],
    pub findings: &'a [Finding],
    pub notices: &'a [Notice],
    /// What recovery did, line by line.
    pub recovery: &'a [String],
}

impl fmt::Display for Screen<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let prepared = self.prepared;
        let version = env!("CARGO_PKG_VERSION");
        writeln!(
            f,
            "Logmill {version}, speaks the protocol of Apache Kafka 4.1"
        )?;
        row(f, "host", &self.host.to_string())?;
        row(f, "shards", &shards(&prepared.cores))?;
        for volume in self.volumes {
            row(f, "data", &volume.to_string())?;
        }
        for listener in &prepared.listeners {
            row(f, "listener", &listener_words(listener))?;
        }
        let identity = &prepared.listeners[0].identity;
        row(
            f,
            "cluster",
            &format!("{}, node {}", identity.cluster_id, identity.node_id),
        )?;
        let image = &prepared.image;
        let (topics, partitions) = (image.topic_count(), image.partition_count());
        row(
            f,
            "topics",
            &format!("{topics} with {partitions} partitions"),
        )?;
        row(f, "memory", &self.memory())?;
        row(f, "limits", &self.limits())?;
        for line in self.recovery {
            row(f, "recovery", line)?;
        }
        for notice in self.notices {
            writeln!(f, "note: {}: {}", notice.keys.join(", "), notice.text)?;
        }
        for lowered in &prepared.memory.lowered {
            writeln!(f, "note: lowered {lowered}")?;
        }
        for finding in self
            .findings
            .iter()
            .filter(|one| one.severity >= Severity::Warning)
        {
            writeln!(f, "{finding}")?;
        }
        Ok(())
    }
}

impl Screen<'_> {
    fn memory(&self) -> String {
        let plan = &self.prepared.memory;
        let mut text = format!(
            "{} at worst of {} allowed:",
            in_words(plan.worst_bytes()),
            in_words(plan.budget_bytes)
        );
        for (at, row) in plan.rows.iter().take(ROWS_SHOWN).enumerate() {
            let comma = if at == 0 { "" } else { "," };
            let _ = write!(text, "{comma} {} {}", row.part, in_words(row.bytes));
        }
        text
    }

    fn limits(&self) -> String {
        let prepared = self.prepared;
        format!(
            "{} connections, {} open files, {} partitions, requests of {}",
            prepared.descriptors.connections,
            prepared.descriptors.files,
            prepared.memory.partitions_max,
            in_words(u64::from(prepared.memory.frame_max_bytes)),
        )
    }
}

fn listener_words(listener: &super::listen::BoundListener) -> String {
    let bound = listener.address.to_string();
    let told = format!("{}:{}", listener.identity.host, listener.identity.port);
    if bound == told {
        format!("{} {bound}", listener.name)
    } else {
        format!("{} {bound}, told to clients as {told}", listener.name)
    }
}

fn shards(cores: &[u32]) -> String {
    let count = cores.len();
    let names: Vec<String> = cores.iter().take(16).map(u32::to_string).collect();
    let more = if count > names.len() { ", ..." } else { "" };
    let s = if count == 1 { "" } else { "s" };
    format!("{count}, on core{s} {}{more}", names.join(", "))
}

fn row(f: &mut fmt::Formatter<'_>, name: &str, text: &str) -> fmt::Result {
    writeln!(f, "  {name:<9} {text}")
}

/// Parts of memory that are named; the rest is in the sum.
const ROWS_SHOWN: usize = 5;
