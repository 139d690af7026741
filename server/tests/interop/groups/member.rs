//! One member: a process of its own, and what it tells of itself.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::clients::{Client, Membership, Ready};
use crate::process::{self, Running};

/// A running or ended member.
pub struct Member {
    /// What the play calls it.
    pub name: &'static str,
    client: Client,
    process: Running,
    folder: PathBuf,
    events: PathBuf,
    is_leaving: bool,
}

/// What happened to a member. Times are milliseconds of the machine's clock; kcat tells none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// It has these partitions, and no others.
    Has {
        at: Option<i64>,
        partitions: BTreeSet<i32>,
        /// Whether it got some, or lost some.
        assigned: bool,
    },
    /// It read a record.
    Read {
        partition: i32,
        offset: i64,
        value: String,
    },
    /// The coordinator acknowledged its commit.
    Committed {
        at: Option<i64>,
        partition: i32,
        next: i64,
    },
}

impl Member {
    /// Starts one.
    pub fn start(
        ready: &Ready,
        name: &'static str,
        folder: &Path,
        mut membership: Membership,
    ) -> Result<Member, String> {
        let folder = folder.join(name);
        fs::create_dir_all(&folder).map_err(|e| e.to_string())?;
        membership.events = folder.join("events");
        let mut command = ready.member(&membership);
        let process = process::start(&mut command, &folder).map_err(|e| e.to_string())?;
        Ok(Member {
            name,
            client: ready.client,
            process,
            folder,
            events: membership.events,
            is_leaving: false,
        })
    }

    /// Tells it to leave its group; it may not have done so yet.
    pub fn begin_to_leave(&mut self) {
        // A second signal would end it at once.
        if !std::mem::replace(&mut self.is_leaving, true) {
            self.process.terminate();
        }
    }

    /// Tells it to leave its group, and waits until it has ended by itself: kafka-python first
    /// waits for a record.
    pub fn leave(&mut self) -> Result<(), String> {
        const TIMEOUT: Duration = Duration::from_secs(60);
        self.begin_to_leave();
        let ended = self.process.wait(TIMEOUT);
        match ended {
            // A JVM that SIGTERM ends reports the signal, 143.
            Some(status) if status.success() || status.code() == Some(143) => Ok(()),
            Some(status) => Err(format!(
                "{} ended with {status}: {}",
                self.name,
                self.complaint()
            )),
            None => Err(format!("{} still ran {TIMEOUT:?} after SIGTERM", self.name)),
        }
    }

    /// Ends it as a crash would.
    pub fn kill(&mut self) {
        self.process.kill();
    }

    /// An error if it ended by itself.
    pub fn lives(&mut self) -> Result<(), String> {
        match self.process.ended() {
            Some(status) => Err(format!(
                "{} ended with {status}: {}",
                self.name,
                self.complaint()
            )),
            None => Ok(()),
        }
    }

    /// All that happened to it until now.
    pub fn events(&self) -> Vec<Event> {
        if self.client == Client::Kcat {
            let mut events = kcat_assignments(&text(&self.folder.join("stderr")));
            events.extend(
                text(&self.folder.join("stdout"))
                    .lines()
                    .filter_map(kcat_record),
            );
            return events;
        }
        // The last line may be half written.
        let text = text(&self.events);
        let whole = text.rfind('\n').map_or("", |end| &text[..end]);
        whole.lines().filter_map(event).collect()
    }

    /// The partitions that it has now.
    pub fn partitions(&self) -> BTreeSet<i32> {
        let events = self.events();
        let last = events.iter().rev().find_map(|event| match event {
            Event::Has { partitions, .. } => Some(partitions.clone()),
            _ => None,
        });
        last.unwrap_or_default()
    }

    /// How often it was given partitions.
    pub fn assignments(&self) -> usize {
        let events = self.events();
        let is_assignment = |event: &&Event| matches!(event, Event::Has { assigned: true, .. });
        events.iter().filter(is_assignment).count()
    }

    /// Its name, what it had of late, and the last that it printed of errors: for messages.
    pub fn told(&self) -> (&'static str, Vec<Event>, String) {
        let mut had = self.events();
        had.retain(|event| matches!(event, Event::Has { .. }));
        let had = had.split_off(had.len().saturating_sub(6));
        (self.name, had, self.complaint())
    }

    fn complaint(&self) -> String {
        process::tail(&self.folder.join("stderr"))
    }
}

fn text(path: &Path) -> String {
    String::from_utf8_lossy(&fs::read(path).unwrap_or_default()).into_owned()
}

fn event(line: &str) -> Option<Event> {
    let field: Vec<&str> = line.split('\t').collect();
    let number = |at: usize| field.get(at).and_then(|text| text.parse::<i64>().ok());
    let at = number(0);
    Some(match *field.get(1)? {
        kind @ ("assigned" | "revoked") => Event::Has {
            at,
            partitions: field
                .get(2)?
                .split(',')
                .filter_map(|p| p.parse().ok())
                .collect(),
            assigned: kind == "assigned",
        },
        "record" => Event::Read {
            partition: number(2)? as i32,
            offset: number(3)?,
            value: (*field.get(4)?).to_owned(),
        },
        "committed" => Event::Committed {
            at,
            partition: number(2)? as i32,
            next: number(3)?,
        },
        _ => return None,
    })
}

/// kcat prints `% Group G rebalanced (memberid M): assigned: T [0], T [1]`, with `revoked` for what
/// it lost; or, for what changes under a cooperative assignor, `% Group G rebalanced: incremental
/// assignment of 2 partition(s) (memberid M, COOPERATIVE rebalance protocol): T [0], T [1]`.
fn kcat_assignments(printed: &str) -> Vec<Event> {
    let mut events = Vec::new();
    let mut has = BTreeSet::new();
    for line in printed.lines().filter(|line| line.contains(" rebalanced")) {
        let assigned = line.contains("assigned:") || line.contains(" incremental assign");
        let partitions = line
            .split('[')
            .skip(1)
            .filter_map(|rest| rest.split(']').next()?.parse::<i32>().ok());
        for partition in partitions {
            match assigned {
                true => has.insert(partition),
                false => has.remove(&partition),
            };
        }
        events.push(Event::Has {
            at: None,
            partitions: has.clone(),
            assigned,
        });
    }
    events
}

fn kcat_record(line: &str) -> Option<Event> {
    let field: Vec<&str> = line.split('\t').collect();
    Some(Event::Read {
        partition: field.first()?.parse().ok()?,
        offset: field.get(1)?.parse().ok()?,
        value: (*field.get(2)?).to_owned(),
    })
}
