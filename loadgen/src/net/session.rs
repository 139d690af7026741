//! A client's links together with what it knows of the cluster: opens links where leaders are,
//! refreshes metadata when it is told that it is stale, and leaves every other answer to its owner.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use logmill_client::{Connection, CorrelationId, SendOptions};
use logmill_wire::messages::metadata::{MetadataRequest, MetadataRequestTopic, MetadataResponse};
use logmill_wire::{Array, Message, Reader};

use super::cluster::{Cluster, NodeId};
use super::links::{Event, LinkProgress, Links, LinksOptions};
use crate::clock::{Clock, nanos, until};
use crate::sys::PollFd;

/// How a session behaves.
#[derive(Clone, Debug)]
pub struct SessionOptions {
    /// The links' own options.
    pub links: LinksOptions,
    /// Pause before a broker is tried again, doubled at each failure up to `backoff_max`.
    pub backoff: Duration,
    /// The longest pause.
    pub backoff_max: Duration,
    /// Metadata is asked for again when it is this old.
    pub metadata_max_age: Duration,
}

impl Default for SessionOptions {
    fn default() -> Self {
        Self {
            links: LinksOptions::default(),
            backoff: Duration::from_millis(50),
            backoff_max: Duration::from_secs(1),
            metadata_max_age: Duration::from_secs(300),
        }
    }
}

/// Links, metadata and the clock of one client.
#[derive(Debug)]
pub struct Session<P> {
    options: SessionOptions,
    clock: Clock,
    links: Links<P>,
    cluster: Cluster,
    metadata: Refresh,
    pauses: Vec<Pause>,
    incoming: Vec<Event>,
    last_error: Option<String>,
}

/// Where the refreshing of metadata stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Refresh {
    /// Known; due again at this time.
    Fresh { due: u64 },
    /// To be asked, not before this time.
    Stale { not_before: u64 },
    /// Asked.
    Asked {
        node: NodeId,
        correlation: CorrelationId,
    },
}

#[derive(Clone, Debug)]
struct Pause {
    node: NodeId,
    failures: u32,
    until: u64,
    reason: String,
}

impl<P: AsRef<[u8]>> Session<P> {
    /// A session that knows only where to begin.
    pub fn new(options: SessionOptions, cluster: Cluster, clock: Clock) -> Self {
        let links = Links::new(options.links.clone(), clock);
        Self {
            options,
            clock,
            links,
            cluster,
            metadata: Refresh::Stale { not_before: 0 },
            pauses: Vec::new(),
            incoming: Vec::new(),
            last_error: None,
        }
    }

    /// Nanoseconds since the epoch, now.
    pub fn now(&self) -> u64 {
        self.clock.now()
    }

    /// What is known of the cluster.
    pub fn cluster(&self) -> &Cluster {
        &self.cluster
    }

    /// The last thing that went wrong with a link, for error texts.
    pub fn last_error(&self) -> Option<&str> {
        self.last_error.as_deref()
    }

    /// What is in the way of each of the first addresses, for error texts; those in whose way
    /// there is nothing are left out.
    pub fn obstacles(&self) -> impl Iterator<Item = (SocketAddr, &str)> {
        self.cluster.bootstrap().filter_map(|(node, address)| {
            let failed = self.pauses.iter().find(|pause| pause.node == node);
            let failed = failed.map(|pause| pause.reason.as_str());
            let obstacle = match self.links.progress(node) {
                Some(LinkProgress::Ready) => None,
                Some(LinkProgress::Negotiating) => Some(failed.unwrap_or(SILENT)),
                Some(LinkProgress::Connecting) | None => Some(failed.unwrap_or(CONNECTING)),
            };
            Some((address, obstacle?))
        })
    }

    /// True while metadata is not known to be good.
    pub fn is_stale(&self) -> bool {
        !matches!(self.metadata, Refresh::Fresh { .. })
    }

    /// Metadata turned out to be wrong: ask again soon.
    pub fn set_stale(&mut self) {
        if let Refresh::Fresh { .. } = self.metadata {
            self.metadata = Refresh::Stale { not_before: 0 };
        }
    }

    /// The connection to `node`, if it is ready.
    pub fn ready(&mut self, node: NodeId) -> Option<&mut Connection<P>> {
        self.links.ready(node)
    }

    /// A broker that takes requests now, a leader if there is one.
    pub fn any_ready(&self) -> Option<NodeId> {
        self.links
            .any_ready(|node| node >= 0)
            .or_else(|| self.links.any_ready(|_| true))
    }

    /// Writes what was queued for `node` at once.
    pub fn flush(&mut self, node: NodeId) {
        self.links.flush(node);
    }

    /// Closes the link to `node`; it is opened again when it is needed.
    pub fn close(&mut self, node: NodeId) {
        self.links.close(node);
    }

    /// Sockets to be waited for, for a caller that waits for others as well and polls then.
    pub fn interests(&self, into: &mut Vec<PollFd>) {
        self.links.interests(into);
    }

    /// Opens links that are missing, asks for metadata if that is due, waits at most `timeout` for
    /// something to happen, and appends what is not the session's own business to `events`.
    pub fn poll(&mut self, timeout: Duration, events: &mut Vec<Event>) -> io::Result<()> {
        let now = self.clock.now();
        self.open_links(now);
        self.ask_metadata(now);
        let wake = self
            .next_wake(now)
            .map_or(timeout, |wake| timeout.min(until(now, wake)));
        self.links.poll(wake)?;
        let mut incoming = std::mem::take(&mut self.incoming);
        self.links.take_events(&mut incoming);
        let now = self.clock.now();
        for event in incoming.drain(..) {
            self.take(event, now, events);
        }
        self.incoming = incoming;
        Ok(())
    }

    fn take(&mut self, event: Event, now: u64, events: &mut Vec<Event>) {
        match event {
            Event::Reply(node, reply) => match self.metadata {
                Refresh::Asked {
                    node: asked,
                    correlation,
                } if asked == node && reply.correlation == correlation => {
                    self.take_metadata(&reply, now);
                    if let Some(connection) = self.links.ready(node) {
                        connection.recycle(reply.frame);
                    }
                }
                _ => events.push(Event::Reply(node, reply)),
            },
            Event::Ready(node) => {
                self.pauses.retain(|pause| pause.node != node);
                events.push(Event::Ready(node));
            }
            Event::Lost(node, error) => {
                let reason = error.to_string();
                self.last_error = Some(match self.cluster.address(node) {
                    Some(address) => format!("{address}: {reason}"),
                    None => reason.clone(),
                });
                self.pause(node, now, reason);
                if matches!(self.metadata, Refresh::Asked { node: asked, .. } if asked == node) {
                    self.metadata = Refresh::Stale { not_before: now };
                }
                self.set_stale();
                events.push(Event::Lost(node, error));
            }
        }
    }

    fn take_metadata(&mut self, reply: &logmill_client::Reply, now: u64) {
        let mut body = Reader::new(reply.frame.bytes());
        let complete = match MetadataResponse::decode(&mut body, reply.version) {
            Ok(response) => self.cluster.update(&response),
            Err(error) => {
                self.last_error = Some(format!("metadata cannot be read: {error}"));
                false
            }
        };
        self.metadata = if complete {
            Refresh::Fresh {
                due: now + nanos(self.options.metadata_max_age),
            }
        } else {
            Refresh::Stale {
                not_before: now + nanos(self.options.backoff),
            }
        };
    }

    fn open_links(&mut self, now: u64) {
        let mut wanted: Vec<_> = self.cluster.leading().collect();
        // The first addresses are asked while no leader is known or none can be reached.
        if self.is_stale() && self.links.any_ready(|_| true).is_none() {
            wanted.extend(self.cluster.bootstrap());
        }
        for (node, address) in wanted {
            let paused = self.pauses.iter().any(|p| p.node == node && p.until > now);
            if !paused && !self.links.is_open(node) {
                self.links.open(node, address);
            }
        }
    }

    fn ask_metadata(&mut self, now: u64) {
        match self.metadata {
            Refresh::Fresh { due } if due <= now => {}
            Refresh::Stale { not_before } if not_before <= now => {}
            _ => return,
        }
        let Some(node) = self.any_ready() else { return };
        let topic = MetadataRequestTopic {
            name: Some(self.cluster.topic()),
            ..MetadataRequestTopic::default()
        };
        let topics = [topic];
        let request = MetadataRequest {
            topics: Some(Array::from(&topics[..])),
            allow_auto_topic_creation: false,
            ..MetadataRequest::default()
        };
        let Some(connection) = self.links.ready(node) else {
            return;
        };
        let sent = connection.send(now, &request, SendOptions::default(), no_payload);
        self.metadata = match sent {
            Ok(correlation) => Refresh::Asked { node, correlation },
            Err(error) => {
                self.last_error = Some(error.to_string());
                Refresh::Stale {
                    not_before: now + nanos(self.options.backoff),
                }
            }
        };
        self.links.flush(node);
    }

    fn next_wake(&self, now: u64) -> Option<u64> {
        let refresh = match self.metadata {
            Refresh::Fresh { due } => Some(due),
            Refresh::Stale { not_before } if not_before > now => Some(not_before),
            _ => None,
        };
        let pauses = self
            .pauses
            .iter()
            .map(|pause| pause.until)
            .filter(|&until| until > now);
        pauses.chain(refresh).min()
    }

    fn pause(&mut self, node: NodeId, now: u64, reason: String) {
        let failures = self
            .pauses
            .iter()
            .find(|p| p.node == node)
            .map_or(0, |p| p.failures);
        self.pauses.retain(|pause| pause.node != node);
        let wait = nanos(self.options.backoff).saturating_mul(1 << failures.min(10));
        let until = now + wait.min(nanos(self.options.backoff_max));
        self.pauses.push(Pause {
            node,
            failures: failures + 1,
            until,
            reason,
        });
    }
}

const CONNECTING: &str = "connecting, no answer yet";
const SILENT: &str = "connected, and not a word: a broker would answer ApiVersions at once";

/// The payload callback of requests that hold no records.
pub(crate) fn no_payload<P>(_: u32) -> P {
    unreachable!("the request holds no records that are kept elsewhere")
}

/// True for errors that say that metadata is out of date.
pub(crate) fn means_stale(error: logmill_wire::ErrorCode) -> bool {
    use logmill_wire::ErrorCode as E;
    [
        E::UNKNOWN_TOPIC_OR_PARTITION,
        E::LEADER_NOT_AVAILABLE,
        E::NOT_LEADER_OR_FOLLOWER,
        E::REPLICA_NOT_AVAILABLE,
        E::KAFKA_STORAGE_ERROR,
        E::FENCED_LEADER_EPOCH,
        E::UNKNOWN_LEADER_EPOCH,
        E::UNKNOWN_TOPIC_ID,
        E::INCONSISTENT_TOPIC_ID,
    ]
    .contains(&error)
}
