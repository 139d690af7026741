//! One group's life: members come, leave, are killed and come back, while a producer runs.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

use super::feed::{self, Feed};
use super::member::Member;
use super::verdict;
use crate::clients::{Membership, Ready};
use crate::frames::Frames;

const PARTITIONS: i32 = 6;

/// The longest that members may take to share the partitions out: a session's end, a rebalance and
/// a process's start, on a busy machine.
const SHARE_TIMEOUT: Duration = Duration::from_secs(60);
const READ_TIMEOUT: Duration = Duration::from_secs(60);

/// A rebalance shows at the next heartbeats.
const HEARTBEATS: Duration = Duration::from_millis(1_500);

/// Commits follow what was read after at most that time.
const COMMIT_TIME: Duration = Duration::from_millis(500);

/// Kafka's least `group.min.session.timeout.ms`; a killed member is missed after that.
const SESSION_MS: u32 = 6_000;

/// Long enough for a static member's process to come back in it, on a busy machine.
const STATIC_SESSION_MS: u32 = 20_000;

/// One client's group, by one of its assignors.
pub struct Play<'a> {
    pub ready: &'a Ready,
    pub assignor: &'static str,
    pub bootstrap: &'a str,
    pub folder: PathBuf,
    /// The topic, and the group of the same name.
    pub topic: String,
}

impl Play<'_> {
    /// Members come and go; answers the generations that this took.
    pub fn churn(&self) -> Result<i32, String> {
        let (mut frames, written) = self.begin()?;
        let feed = Feed::start(self.bootstrap, &self.topic, written);
        let mut members = vec![self.start("a")?, self.start("b")?];
        share_out(&mut members, &[0, 1])?;
        members.push(self.start("c")?);
        share_out(&mut members, &[0, 1, 2])?;
        if self.ready.client.drops_what_comes_as_it_ends() {
            feed.pause(true);
            thread::sleep(COMMIT_TIME);
        }
        members[1].leave()?;
        feed.pause(false);
        share_out(&mut members, &[0, 2])?;
        members[2].kill();
        share_out(&mut members, &[0])?;
        members.push(self.start("d")?);
        share_out(&mut members, &[0, 3])?;
        let mut written = feed.stop()?;
        all_read(&written, &members)?;
        // Commits follow what was read.
        thread::sleep(COMMIT_TIME);
        members[3].begin_to_leave();
        members[0].leave()?;
        members[3].leave()?;
        let ends = written.clone();
        feed::write(&mut frames, &self.topic, &mut written)?;
        members.push(self.start("e")?);
        all_read(&written, &members)?;
        verdict::began_at(&members[4], &ends)?;
        members[4].leave()?;
        verdict::order_kept(&members)?;
        verdict::commits_resumed(&members)?;
        frames.next_generation(&self.topic, self.assignor)
    }

    /// Static members keep what they had across a restart: nobody else notices.
    pub fn restart_of_static_members(&self) -> Result<(), String> {
        let (mut frames, mut written) = self.begin()?;
        let mut members = vec![
            self.start_static("a", "one")?,
            self.start_static("b", "two")?,
        ];
        share_out(&mut members, &[0, 1])?;
        all_read(&written, &members)?;
        // A cooperative assignor may have another generation to come, whose assignment is the same.
        come_to_rest(&members[..2])?;
        let (had, noticed) = (members[0].partitions(), members[1].assignments());
        members[0].kill();
        members.push(self.start_static("a-again", "one")?);
        share_out(&mut members, &[2, 1])?;
        feed::write(&mut frames, &self.topic, &mut written)?;
        all_read(&written, &members)?;
        thread::sleep(HEARTBEATS);
        let (has, notices) = (members[2].partitions(), members[1].assignments());
        let told = members[1].told();
        members[2].leave()?;
        members[1].leave()?;
        if had != has {
            return Err(format!(
                "the member that came back has {has:?}, before it had {had:?}"
            ));
        }
        if noticed != notices {
            return Err(format!(
                "the other one was assigned {notices} times, before {noticed}: {told:?}"
            ));
        }
        verdict::order_kept(&members)
    }

    /// Makes the topic, and writes to each of its partitions.
    fn begin(&self) -> Result<(Frames, Vec<i64>), String> {
        let mut frames = Frames::connect(self.bootstrap)?;
        frames.create_topics_of(PARTITIONS, std::slice::from_ref(&self.topic), &[])?;
        let mut written = vec![0; PARTITIONS as usize];
        let until = Instant::now() + READ_TIMEOUT;
        while written.contains(&0) {
            if Instant::now() > until {
                return Err(format!(
                    "{} is not ready after {READ_TIMEOUT:?}",
                    self.topic
                ));
            }
            feed::write(&mut frames, &self.topic, &mut written)?;
        }
        Ok((frames, written))
    }

    fn start(&self, name: &'static str) -> Result<Member, String> {
        self.start_with(name, None, SESSION_MS)
    }

    fn start_static(&self, name: &'static str, instance: &'static str) -> Result<Member, String> {
        self.start_with(name, Some(instance), STATIC_SESSION_MS)
    }

    fn start_with(
        &self,
        name: &'static str,
        instance: Option<&'static str>,
        session_ms: u32,
    ) -> Result<Member, String> {
        let membership = Membership {
            topic: self.topic.clone(),
            group: self.topic.clone(),
            assignor: self.assignor,
            instance,
            events: PathBuf::new(),
            session_ms,
        };
        Member::start(self.ready, name, &self.folder, membership)
    }
}

/// A time-out that a machine which stands still takes nothing of: between two looks at it, at most
/// a second counts.
struct Patience {
    left: Duration,
    looked: Instant,
}

impl Patience {
    fn of(left: Duration) -> Patience {
        let looked = Instant::now();
        Patience { left, looked }
    }

    fn is_over(&mut self) -> bool {
        let passed = self.looked.elapsed().min(Duration::from_secs(1));
        self.looked = Instant::now();
        self.left = self.left.saturating_sub(passed);
        self.left.is_zero()
    }
}

/// Waits until these members have all partitions between them, each one some of its own.
fn share_out(members: &mut [Member], who: &[usize]) -> Result<(), String> {
    let mut patience = Patience::of(SHARE_TIMEOUT);
    loop {
        let mut shares = Vec::new();
        for at in who {
            members[*at].lives()?;
            shares.push(members[*at].partitions());
        }
        let all: BTreeSet<i32> = shares.iter().flatten().copied().collect();
        let count: usize = shares.iter().map(BTreeSet::len).sum();
        let none_idle = shares.iter().all(|share| !share.is_empty());
        if none_idle && all.len() == PARTITIONS as usize && count == all.len() {
            return Ok(());
        }
        if patience.is_over() {
            let told: Vec<_> = who.iter().map(|at| members[*at].told()).collect();
            return Err(format!("not shared out after {SHARE_TIMEOUT:?}: {told:?}"));
        }
        thread::sleep(Duration::from_millis(50));
    }
}

/// Waits until nobody has been given partitions for a while, in which the machine did not stand
/// still.
fn come_to_rest(members: &[Member]) -> Result<(), String> {
    let given = || -> usize { members.iter().map(Member::assignments).sum() };
    let mut patience = Patience::of(SHARE_TIMEOUT);
    let (mut seen, mut rest) = (given(), Patience::of(2 * HEARTBEATS));
    while !rest.is_over() {
        if patience.is_over() {
            let told: Vec<_> = members.iter().map(Member::told).collect();
            return Err(format!(
                "still rebalancing after {SHARE_TIMEOUT:?}: {told:?}"
            ));
        }
        thread::sleep(Duration::from_millis(50));
        let now = given();
        if now != seen {
            (seen, rest) = (now, Patience::of(2 * HEARTBEATS));
        }
    }
    Ok(())
}

/// Waits until all that was written was read.
fn all_read(written: &[i64], members: &[Member]) -> Result<(), String> {
    let mut patience = Patience::of(READ_TIMEOUT);
    loop {
        let read = verdict::nothing_lost(written, members);
        if read.is_ok() || patience.is_over() {
            let told: Vec<_> = members.iter().map(Member::told).collect();
            return read.map_err(|why| format!("{why}: {told:?}"));
        }
        thread::sleep(Duration::from_millis(50));
    }
}
