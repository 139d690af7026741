//! Many members' requests over few sockets, in one event loop.
//!
//! A coordinator answers a connection's requests in order, and a join is answered once everybody
//! has joined: two members that wait for each other must not share a connection. So a member joins
//! and syncs over a connection that is its own for that time, and heartbeats, commits and the rest
//! may go over shared ones.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, HashMap};
use std::io;
use std::net::{SocketAddr, ToSocketAddrs};
use std::time::Duration;

use logmill_client::{CorrelationId, Reply, SendOptions};
use logmill_wire::messages::find_coordinator::{FindCoordinatorRequest, FindCoordinatorResponse};
use logmill_wire::{ApiKey, Array, ErrorCode, Message, Reader};

use super::membership::{Ask, Change, Membership, MembershipConfig};
use super::requests;
use crate::clock::{Clock, until};
use crate::net::{Event, Links, LinksOptions, NoPayload, NodeId, no_payload};
use crate::sys::PollFd;

/// How members share connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lines {
    /// Each has its own, as a consumer has.
    Own,
    /// All share some, and borrow one of some others while they join.
    Shared {
        /// For heartbeats, commits and offsets.
        common: u32,
        /// Members that can join at once.
        joining: u32,
    },
}

/// A member of a [`GroupClient`]; never given twice.
pub type MemberKey = usize;

/// What a [`GroupClient`] did or learned, in the order of time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GroupEvent {
    /// A request went out; commits name their offsets.
    Asked(MemberKey, Ask, Vec<(u32, i64)>),
    /// It was answered after so many ns; commits name their offsets again.
    Answered(MemberKey, Ask, u64, ErrorCode, Vec<(u32, i64)>),
    /// Something is different for the consumer.
    Changed(MemberKey, Change),
}

/// Members of any groups, their coordinators and connections.
#[derive(Debug)]
pub struct GroupClient {
    clock: Clock,
    links: Links<NoPayload>,
    incoming: Vec<Event>,
    bootstrap: Vec<SocketAddr>,
    next_bootstrap: usize,
    lines: Lines,
    /// Where each line goes.
    addresses: HashMap<NodeId, SocketAddr>,
    common: HashMap<(SocketAddr, usize), NodeId>,
    free_joining: Vec<NodeId>,
    joining: u32,
    /// When a member last found no line to join over.
    starved: u64,
    next_line: NodeId,
    groups: BTreeMap<String, Coordinator>,
    members: Vec<Option<Slot>>,
    wakes: BinaryHeap<Reverse<(u64, MemberKey)>>,
    asked: HashMap<(NodeId, CorrelationId), Asked>,
    pauses: HashMap<NodeId, u64>,
    last_error: Option<String>,
}

#[derive(Debug)]
struct Slot {
    membership: Membership,
    /// The line that it has for itself, if it has one now.
    line: Option<NodeId>,
    /// The entry in the queue of wakes that counts; others are stale.
    wake: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Coordinator {
    Unknown { not_before: u64 },
    Asked,
    Known(SocketAddr),
}

#[derive(Debug)]
enum Asked {
    Find(Vec<String>),
    Of {
        member: MemberKey,
        ask: Ask,
        sent_ns: u64,
        offsets: Vec<(u32, i64)>,
    },
}

impl GroupClient {
    /// No members yet.
    pub fn new(lines: Lines, bootstrap: &[SocketAddr], clock: Clock, client_id: &str) -> Self {
        let mut options = LinksOptions::default();
        client_id.clone_into(&mut options.connection.client_id);
        if lines != Lines::Own {
            options.connection.in_flight_max = SHARED_IN_FLIGHT;
        }
        Self {
            clock,
            links: Links::new(options, clock),
            incoming: Vec::new(),
            bootstrap: bootstrap.to_vec(),
            next_bootstrap: 0,
            lines,
            addresses: HashMap::new(),
            common: HashMap::new(),
            free_joining: Vec::new(),
            joining: 0,
            starved: 0,
            next_line: FIRST_LINE,
            groups: BTreeMap::new(),
            members: Vec::new(),
            wakes: BinaryHeap::new(),
            asked: HashMap::new(),
            pauses: HashMap::new(),
            last_error: None,
        }
    }

    /// A new member of a group; it joins with the next [`GroupClient::poll`].
    pub fn add(&mut self, config: MembershipConfig, partitions: u32) -> MemberKey {
        let unknown = Coordinator::Unknown { not_before: 0 };
        self.groups.entry(config.group.clone()).or_insert(unknown);
        let membership = Membership::new(config, partitions);
        let slot = Slot {
            membership,
            line: None,
            wake: u64::MAX,
        };
        self.members.push(Some(slot));
        let key = self.members.len() - 1;
        self.wake(key, 0);
        key
    }

    /// The member, unless it is gone.
    pub fn member(&self, key: MemberKey) -> Option<&Membership> {
        Some(&self.members.get(key)?.as_ref()?.membership)
    }

    /// The member commits, leaves, and is gone once [`Change::Left`] tells so.
    pub fn leave(&mut self, key: MemberKey) {
        if let Some(slot) = self.slot(key) {
            slot.membership.leave();
            self.wake(key, 0);
        }
    }

    /// The member is gone without a word, as a process that was killed.
    pub fn kill(&mut self, key: MemberKey) {
        if let Some(line) = self.members[key].take().and_then(|slot| slot.line) {
            self.drop_line(line);
        }
    }

    /// The topic that all members read has so many partitions now.
    pub fn set_partitions(&mut self, partitions: u32) {
        for key in 0..self.members.len() {
            if let Some(slot) = self.slot(key) {
                slot.membership.set_partitions(partitions);
                self.wake(key, 0);
            }
        }
    }

    /// Asks what is due, waits at most `timeout` for answers, and deals with them. `positions`
    /// tells what a member has to commit: partition and next offset.
    pub fn poll(
        &mut self,
        timeout: Duration,
        mut positions: impl FnMut(MemberKey, &Membership) -> Vec<(u32, i64)>,
        events: &mut Vec<GroupEvent>,
    ) -> io::Result<()> {
        self.find_coordinators();
        self.send_due(&mut positions, events);
        let now = self.clock.now();
        let wait = self
            .next_due()
            .map_or(timeout, |due| until(now, due).min(timeout));
        self.links.poll(wait)?;
        let mut incoming = std::mem::take(&mut self.incoming);
        self.links.take_events(&mut incoming);
        for event in incoming.drain(..) {
            match event {
                Event::Ready(_) => {}
                Event::Reply(line, reply) => self.take_reply(line, reply, events),
                Event::Lost(line, error) => {
                    self.last_error = Some(error.to_string());
                    self.lost(line);
                }
            }
        }
        self.incoming = incoming;
        self.close_unused();
        self.find_coordinators();
        self.send_due(&mut positions, events);
        Ok(())
    }

    /// Sockets to be waited for, for a caller that waits for others as well.
    pub fn interests(&self, into: &mut Vec<PollFd>) {
        self.links.interests(into);
    }

    /// When [`GroupClient::poll`] has something to do at the latest.
    pub fn next_due(&self) -> Option<u64> {
        self.wakes.peek().map(|Reverse((due, _))| *due)
    }

    /// The last thing that went wrong with a connection or a coordinator.
    pub fn last_error(&self) -> Option<&str> {
        self.last_error.as_deref()
    }

    /// Connections that are open or being opened.
    pub fn connections(&self) -> usize {
        self.links.len()
    }

    fn slot(&mut self, key: MemberKey) -> Option<&mut Slot> {
        self.members.get_mut(key)?.as_mut()
    }

    fn find_coordinators(&mut self) {
        let now = self.clock.now();
        let due = |coordinator: &Coordinator| match *coordinator {
            Coordinator::Unknown { not_before } => not_before <= now,
            Coordinator::Asked | Coordinator::Known(_) => false,
        };
        let groups = self.groups.iter().filter(|(_, state)| due(state));
        let mut groups: Vec<String> = groups.map(|(name, _)| name.clone()).collect();
        if groups.is_empty() {
            return;
        }
        let at = self.next_bootstrap % self.bootstrap.len();
        let line = -1 - at as NodeId;
        let address = self.bootstrap[at];
        if !self.open(line, address, now) {
            return;
        }
        let connection = self.links.ready(line).expect("it is open and ready");
        let version = connection.version(ApiKey::FindCoordinator, i16::MAX);
        let many = version.is_ok_and(|version| version >= 4);
        while !groups.is_empty() {
            let Some(connection) = self.links.ready(line).filter(|c| c.can_send()) else {
                break;
            };
            let count = if many { groups.len().min(KEYS_MAX) } else { 1 };
            let asked: Vec<String> = groups.drain(..count).collect();
            let names: Vec<&str> = asked.iter().map(String::as_str).collect();
            let (key, keys) = if many {
                ("", Array::from(names))
            } else {
                (asked[0].as_str(), Array::default())
            };
            let request = FindCoordinatorRequest {
                key,
                key_type: GROUP,
                coordinator_keys: keys,
            };
            let sent = connection.send(now, &request, SendOptions::default(), no_payload);
            let Ok(correlation) = sent else { break };
            for name in &asked {
                self.groups.insert(name.clone(), Coordinator::Asked);
            }
            self.asked.insert((line, correlation), Asked::Find(asked));
        }
        self.links.flush(line);
    }

    /// True if the line is ready; opens it if it is not open.
    fn open(&mut self, line: NodeId, address: SocketAddr, now: u64) -> bool {
        if self.addresses.get(&line).is_some_and(|old| *old != address) {
            self.links.close(line);
            self.lost(line);
        }
        if !self.links.is_open(line) {
            let paused = self.pauses.get(&line).is_some_and(|&end| end > now);
            if !paused {
                self.addresses.insert(line, address);
                self.links.open(line, address);
            }
            return false;
        }
        self.links.ready(line).is_some_and(|c| c.can_send())
    }

    fn send_due(
        &mut self,
        positions: &mut impl FnMut(MemberKey, &Membership) -> Vec<(u32, i64)>,
        events: &mut Vec<GroupEvent>,
    ) {
        let now = self.clock.now();
        let mut touched = Vec::new();
        while let Some(&Reverse((due, key))) = self.wakes.peek()
            && due <= now
        {
            self.wakes.pop();
            match self.slot(key) {
                Some(slot) if slot.wake == due => slot.wake = u64::MAX,
                _ => continue,
            }
            self.send(key, now, positions, events, &mut touched);
        }
        touched.sort_unstable();
        touched.dedup();
        for line in touched {
            self.links.flush(line);
        }
    }

    /// Asks all that the member wants to ask now.
    fn send(
        &mut self,
        key: MemberKey,
        now: u64,
        positions: &mut impl FnMut(MemberKey, &Membership) -> Vec<(u32, i64)>,
        events: &mut Vec<GroupEvent>,
        touched: &mut Vec<NodeId>,
    ) {
        while let Some(ask) = self.member(key).and_then(|member| member.wants(now)) {
            let Some(line) = self.line(key, ask, now) else {
                return;
            };
            let slot = self.members[key].as_mut().expect("looked at just above");
            let offsets = if ask == Ask::Commit {
                positions(key, &slot.membership)
            } else {
                Vec::new()
            };
            let connection = self.links.ready(line).expect("the line is ready");
            let sent = requests::send(connection, now, &slot.membership, ask, &offsets);
            let correlation = match sent {
                Ok(correlation) => correlation,
                Err(error) => {
                    self.last_error = Some(error.to_string());
                    self.wake(key, now + PAUSE_NS);
                    return;
                }
            };
            slot.membership.asked(ask);
            let asked = Asked::Of {
                member: key,
                ask,
                sent_ns: now,
                offsets: offsets.clone(),
            };
            self.asked.insert((line, correlation), asked);
            events.push(GroupEvent::Asked(key, ask, offsets));
            self.take_changes(key, events);
            touched.push(line);
        }
        self.schedule(key);
    }

    /// A ready line for what the member asks, or `None`: then it is woken when there may be one.
    fn line(&mut self, key: MemberKey, ask: Ask, now: u64) -> Option<NodeId> {
        let slot = self.members[key].as_ref()?;
        let group = slot.membership.config().group.as_str();
        let Some(&Coordinator::Known(address)) = self.groups.get(group) else {
            self.wake(key, now + PAUSE_NS / 5);
            return None;
        };
        let own = matches!(ask, Ask::Join | Ask::Sync) || self.lines == Lines::Own;
        let line = match (self.lines, slot.line) {
            (_, Some(line)) if own => line,
            (Lines::Shared { joining, .. }, None) if own => {
                let Some(line) = self.borrow_line(joining) else {
                    self.starved = now;
                    self.wake(key, now + STARVED_NS);
                    return None;
                };
                line
            }
            (Lines::Own, _) => self.new_line(),
            (Lines::Shared { common, .. }, _) => self.common_line(address, key, common),
        };
        if own {
            self.slot(key)?.line = Some(line);
        }
        if self.open(line, address, now) {
            return Some(line);
        }
        self.wake(key, now + LOOK_NS);
        None
    }

    fn new_line(&mut self) -> NodeId {
        self.next_line += 1;
        self.next_line
    }

    fn common_line(&mut self, address: SocketAddr, key: MemberKey, count: u32) -> NodeId {
        let fresh = self.next_line + 1;
        let at = (address, key % count.max(1) as usize);
        let line = *self.common.entry(at).or_insert(fresh);
        self.next_line = self.next_line.max(line);
        line
    }

    fn borrow_line(&mut self, most: u32) -> Option<NodeId> {
        if let Some(line) = self.free_joining.pop() {
            return Some(line);
        }
        if self.joining >= most {
            return None;
        }
        self.joining += 1;
        Some(self.new_line())
    }

    /// A member that has joined lets go of the line that it borrowed.
    fn return_line(&mut self, key: MemberKey) {
        if self.lines == Lines::Own {
            return;
        }
        let Some(line) = self.slot(key).and_then(|slot| slot.line.take()) else {
            return;
        };
        self.free_joining.push(line);
    }

    /// Sockets over which nobody has to join any more are not kept.
    fn close_unused(&mut self) {
        if self.starved + KEEP_NS < self.clock.now() {
            while let Some(line) = self.free_joining.pop() {
                self.joining -= 1;
                self.forget(line);
            }
        }
    }

    fn drop_line(&mut self, line: NodeId) {
        self.forget(line);
        if self.lines != Lines::Own {
            self.joining -= 1;
        }
    }

    /// Closes a line for good.
    fn forget(&mut self, line: NodeId) {
        self.links.close(line);
        self.lost(line);
        self.addresses.remove(&line);
        self.pauses.remove(&line);
    }

    fn take_reply(&mut self, line: NodeId, reply: Reply, events: &mut Vec<GroupEvent>) {
        let now = self.clock.now();
        let good = match self.asked.remove(&(line, reply.correlation)) {
            Some(Asked::Find(groups)) => self.take_coordinators(&groups, &reply, now),
            Some(Asked::Of {
                member,
                ask,
                sent_ns,
                offsets,
            }) => {
                let Some(slot) = self.slot(member) else {
                    return;
                };
                match requests::take(&mut slot.membership, now, ask, &reply) {
                    Ok(error) => {
                        let took = now.saturating_sub(sent_ns);
                        events.push(GroupEvent::Answered(member, ask, took, error, offsets));
                        self.answered(member, error, events);
                        true
                    }
                    Err(error) => {
                        slot.membership.lost(now, ask);
                        self.last_error = Some(error.to_string());
                        self.schedule(member);
                        false
                    }
                }
            }
            None => true,
        };
        if !good {
            self.links.close(line);
            self.lost(line);
        } else if let Some(connection) = self.links.ready(line) {
            connection.recycle(reply.frame);
        }
    }

    fn answered(&mut self, key: MemberKey, error: ErrorCode, events: &mut Vec<GroupEvent>) {
        let moved = [
            ErrorCode::NOT_COORDINATOR,
            ErrorCode::COORDINATOR_NOT_AVAILABLE,
        ];
        if moved.contains(&error)
            && let Some(group) = self.member(key).map(|member| member.config().group.clone())
        {
            let not_before = self.clock.now() + PAUSE_NS;
            self.groups
                .insert(group, Coordinator::Unknown { not_before });
        }
        self.take_changes(key, events);
        if self
            .member(key)
            .is_some_and(|member| !member.needs_own_line())
        {
            self.return_line(key);
        }
        if self.member(key).is_some_and(Membership::is_gone) {
            self.kill(key);
        } else {
            self.schedule(key);
        }
    }

    fn take_coordinators(&mut self, groups: &[String], reply: &Reply, now: u64) -> bool {
        let mut body = Reader::new(reply.frame.bytes());
        let Ok(response) = FindCoordinatorResponse::decode(&mut body, reply.version) else {
            self.forget_coordinators(groups, now);
            return false;
        };
        let mut found: Vec<(&str, i16, &str, i32)> = response
            .coordinators
            .iter()
            .map(|c| (c.key, c.error_code, c.host, c.port))
            .collect();
        if found.is_empty() {
            let key = groups.first().map_or("", String::as_str);
            found.push((key, response.error_code, response.host, response.port));
        }
        self.forget_coordinators(groups, now);
        for (key, error, host, port) in found {
            let address = u16::try_from(port).ok().and_then(|port| {
                let mut resolved = (host, port).to_socket_addrs().ok()?;
                resolved.next()
            });
            match address {
                Some(address) if error == 0 => {
                    self.groups
                        .insert(key.to_owned(), Coordinator::Known(address));
                }
                _ => {
                    let code = ErrorCode(error);
                    self.last_error = Some(format!("no coordinator for group {key}: {code}"));
                }
            }
        }
        true
    }

    fn forget_coordinators(&mut self, groups: &[String], now: u64) {
        let not_before = now + PAUSE_NS;
        for group in groups {
            self.groups
                .insert(group.clone(), Coordinator::Unknown { not_before });
        }
    }

    /// The line is gone: what was asked over it is asked again; its coordinator may have moved.
    fn lost(&mut self, line: NodeId) {
        let now = self.clock.now();
        self.pauses.insert(line, now + PAUSE_NS);
        if line < 0 {
            self.next_bootstrap += 1;
        }
        let gone: Vec<Asked> = self
            .asked
            .extract_if(|(of, _), _| *of == line)
            .map(|(_, asked)| asked)
            .collect();
        for asked in gone {
            match asked {
                Asked::Find(groups) => self.forget_coordinators(&groups, now),
                Asked::Of { member, ask, .. } => {
                    let Some(slot) = self.slot(member) else {
                        continue;
                    };
                    slot.membership.lost(now, ask);
                    let group = slot.membership.config().group.clone();
                    self.forget_coordinators(&[group], now);
                    self.schedule(member);
                }
            }
        }
    }

    fn take_changes(&mut self, key: MemberKey, events: &mut Vec<GroupEvent>) {
        if let Some(slot) = self.members[key].as_mut() {
            let changes = slot.membership.drain_changes();
            events.extend(changes.map(|change| GroupEvent::Changed(key, change)));
        }
    }

    fn wake(&mut self, key: MemberKey, due: u64) {
        if let Some(slot) = self.slot(key)
            && due < slot.wake
        {
            slot.wake = due;
            self.wakes.push(Reverse((due, key)));
        }
    }

    fn schedule(&mut self, key: MemberKey) {
        if let Some(due) = self.member(key).and_then(Membership::next_due) {
            self.wake(key, due);
        }
    }
}

const GROUP: i8 = 0;
/// Groups asked for in one request.
const KEYS_MAX: usize = 100;
/// Lines are numbered from here; negative ones find coordinators.
const FIRST_LINE: NodeId = 0;
/// Requests that wait on a shared line.
const SHARED_IN_FLIGHT: usize = 1_000;
/// Before a broker is tried again.
const PAUSE_NS: u64 = 50_000_000;
/// Before a line that is being opened, or a coordinator that was asked for, is looked for again.
const LOOK_NS: u64 = 1_000_000;
/// Before a member that found no line to join over looks again.
const STARVED_NS: u64 = 20_000_000;
/// How long lines to join over are kept when nobody wants one.
const KEEP_NS: u64 = 1_000_000_000;
