//! Calls that wait for their answer: topics made and deleted, end offsets asked.

use std::net::{SocketAddr, ToSocketAddrs};
use std::time::Duration;

use logmill_client::{SendError, SendOptions};
use logmill_wire::messages::create_partitions::{
    CreatePartitionsRequest, CreatePartitionsResponse, CreatePartitionsTopic,
};
use logmill_wire::messages::create_topics::{
    CreatableTopic, CreatableTopicConfig, CreateTopicsRequest, CreateTopicsResponse,
};
use logmill_wire::messages::delete_topics::{
    DeleteTopicState, DeleteTopicsRequest, DeleteTopicsResponse,
};
use logmill_wire::messages::find_coordinator::{FindCoordinatorRequest, FindCoordinatorResponse};
use logmill_wire::messages::list_offsets::{
    ListOffsetsPartition, ListOffsetsRequest, ListOffsetsResponse, ListOffsetsTopic,
};
use logmill_wire::{Array, DecodeError, ErrorCode, Message, Reader, Request};
use thiserror::Error;

use super::NoPayload;
use super::cluster::{Cluster, NodeId};
use super::links::Event;
use super::session::{Session, SessionOptions, no_payload};
use crate::clock::{Clock, nanos};

/// A topic to be made.
#[derive(Clone, Debug)]
pub struct TopicPlan {
    /// Its name.
    pub name: String,
    /// How many partitions it has.
    pub partitions: u32,
    /// How many replicas each has.
    pub replication_factor: i16,
    /// Its settings.
    pub configs: Vec<(String, String)>,
}

/// Why a call failed.
#[derive(Debug, Error)]
pub enum AdminError {
    /// Nobody answered.
    #[error("no broker at {bootstrap} answered within {seconds} s{last}")]
    Unreachable {
        /// The addresses that were tried.
        bootstrap: String,
        /// How long.
        seconds: u64,
        /// What went wrong last, with a colon before it.
        last: String,
    },
    /// The broker said no.
    #[error("{what}: {code}{message}")]
    Refused {
        /// What was asked.
        what: String,
        /// The broker's code.
        code: ErrorCode,
        /// The broker's words, with a colon before them.
        message: String,
    },
    /// The request cannot be sent to this broker.
    #[error(transparent)]
    Send(#[from] SendError),
    /// The answer cannot be read.
    #[error("an answer cannot be read: {0}")]
    Decode(#[from] DecodeError),
    /// The system failed.
    #[error(transparent)]
    Io(#[from] std::io::Error),
}

/// A client that asks one thing at a time.
#[derive(Debug)]
pub struct Admin {
    session: Session<NoPayload>,
    timeout: Duration,
    bootstrap: String,
}

impl Admin {
    /// A client of the cluster at `bootstrap`, for one topic; every call may take `timeout`.
    pub fn new(bootstrap: &[SocketAddr], topic: &str, timeout: Duration) -> Self {
        let cluster = Cluster::new(bootstrap.to_vec(), topic.to_owned());
        let session = Session::new(SessionOptions::default(), cluster, Clock::start());
        let names: Vec<String> = bootstrap.iter().map(ToString::to_string).collect();
        Self {
            session,
            timeout,
            bootstrap: names.join(","),
        }
    }

    /// Tries the first addresses for at most `span`; true once a broker has answered. Where it is
    /// not, [`Admin::obstacles`] tells why.
    pub fn try_ready(&mut self, span: Duration) -> Result<bool, AdminError> {
        if self.session.any_ready().is_none() {
            self.session.poll(span, &mut Vec::new())?;
        }
        Ok(self.session.any_ready().is_some())
    }

    /// What is in the way of each of the first addresses.
    pub fn obstacles(&self) -> String {
        let obstacles = self.session.obstacles();
        let texts: Vec<String> = obstacles
            .map(|(address, obstacle)| format!("{address}: {obstacle}"))
            .collect();
        texts.join("; ")
    }

    /// Waits until a broker answers at all.
    pub fn wait_ready(&mut self) -> Result<(), AdminError> {
        // Links that broke while nobody looked have to be found out first.
        self.session.poll(Duration::ZERO, &mut Vec::new())?;
        self.wait("", |session| session.any_ready().is_some())
    }

    /// Makes a topic and waits until every partition has a leader. A topic that is there already
    /// is an error.
    pub fn create_topic(&mut self, plan: &TopicPlan) -> Result<(), AdminError> {
        self.wait_ready()?;
        let configs: Vec<CreatableTopicConfig<'_>> = plan
            .configs
            .iter()
            .map(|(name, value)| CreatableTopicConfig {
                name,
                value: Some(value),
            })
            .collect();
        let topics = [CreatableTopic {
            name: &plan.name,
            num_partitions: plan.partitions as i32,
            replication_factor: plan.replication_factor,
            configs: Array::from(configs),
            ..CreatableTopic::default()
        }];
        let request = CreateTopicsRequest {
            topics: Array::from(&topics[..]),
            timeout_ms: self.timeout.as_millis() as i32,
            ..CreateTopicsRequest::default()
        };
        let node = self.session.any_ready().unwrap_or(-1);
        let reply = self.call(node, &request)?;
        let mut body = Reader::new(reply.frame.bytes());
        let response = CreateTopicsResponse::decode(&mut body, reply.version)?;
        for topic in response.topics.iter() {
            let what = format!("creating topic {}", plan.name);
            check(what, topic.error_code, topic.error_message)?;
        }
        self.wait_topic()
    }

    /// True if the broker knows the topic. A name that cannot be one is an error.
    pub fn has_topic(&mut self) -> Result<bool, AdminError> {
        let unknown = ErrorCode::UNKNOWN_TOPIC_OR_PARTITION;
        self.wait_ready()?;
        self.session.set_stale();
        self.wait("Metadata", |session| {
            !session.is_stale() || session.cluster().topic_error() != ErrorCode::NONE
        })?;
        let code = self.session.cluster().topic_error();
        if code != unknown && !code.is_retriable() {
            let name = self.session.cluster().topic();
            check(format!("topic '{name}'"), code.0, None)?;
        }
        Ok(code != unknown)
    }

    /// Waits until the topic is known and every partition has a leader.
    pub fn wait_topic(&mut self) -> Result<(), AdminError> {
        self.session.poll(Duration::ZERO, &mut Vec::new())?;
        self.session.set_stale();
        let what = format!("topic {}", self.session.cluster().topic());
        self.wait(&what, |session| !session.is_stale())
    }

    /// Gives the topic more partitions, `count` in all, and waits until each has a leader.
    pub fn set_partitions(&mut self, count: u32) -> Result<(), AdminError> {
        self.wait_ready()?;
        let name = self.session.cluster().topic().to_owned();
        let topics = [CreatePartitionsTopic {
            name: &name,
            count: count as i32,
            assignments: None,
        }];
        let request = CreatePartitionsRequest {
            topics: Array::from(&topics[..]),
            timeout_ms: self.timeout.as_millis() as i32,
            validate_only: false,
        };
        let node = self.session.any_ready().unwrap_or(-1);
        let reply = self.call(node, &request)?;
        let mut body = Reader::new(reply.frame.bytes());
        let response = CreatePartitionsResponse::decode(&mut body, reply.version)?;
        for topic in response.results.iter() {
            let what = format!("adding partitions to {name}");
            check(what, topic.error_code, topic.error_message)?;
        }
        let what = format!("topic {name}");
        self.session.set_stale();
        self.wait(&what, |session| {
            let complete = !session.is_stale() && session.cluster().partitions() >= count;
            if !complete {
                session.set_stale();
            }
            complete
        })
    }

    /// Deletes the topic.
    pub fn delete_topic(&mut self) -> Result<(), AdminError> {
        self.wait_ready()?;
        let name = self.session.cluster().topic().to_owned();
        let states = [DeleteTopicState {
            name: Some(&name),
            ..DeleteTopicState::default()
        }];
        let names = [name.as_str()];
        let node = self.session.any_ready().unwrap_or(-1);
        let timeout_ms = self.timeout.as_millis() as i32;
        let by_state = self
            .session
            .ready(node)
            .and_then(|c| c.version(logmill_wire::ApiKey::DeleteTopics, i16::MAX).ok())
            .is_some_and(|version| version >= 6);
        let request = if by_state {
            let topics = Array::from(&states[..]);
            DeleteTopicsRequest {
                topics,
                timeout_ms,
                ..DeleteTopicsRequest::default()
            }
        } else {
            let topic_names = Array::from(&names[..]);
            DeleteTopicsRequest {
                topic_names,
                timeout_ms,
                ..DeleteTopicsRequest::default()
            }
        };
        let reply = self.call(node, &request)?;
        let mut body = Reader::new(reply.frame.bytes());
        let response = DeleteTopicsResponse::decode(&mut body, reply.version)?;
        for topic in response.responses.iter() {
            check(
                format!("deleting topic {name}"),
                topic.error_code,
                topic.error_message,
            )?;
        }
        Ok(())
    }

    /// The number of partitions of the topic.
    pub fn partitions(&mut self) -> Result<u32, AdminError> {
        self.wait_topic()?;
        Ok(self.session.cluster().partitions())
    }

    /// The offsets behind the last record that a consumer may read, partition by partition.
    pub fn end_offsets(&mut self) -> Result<Vec<i64>, AdminError> {
        self.offsets(LATEST)
    }

    /// The offsets of the first records, partition by partition.
    pub fn start_offsets(&mut self) -> Result<Vec<i64>, AdminError> {
        self.offsets(EARLIEST)
    }

    fn offsets(&mut self, timestamp: i64) -> Result<Vec<i64>, AdminError> {
        self.wait_topic()?;
        let count = self.session.cluster().partitions();
        (0..count)
            .map(|index| self.offset(index, timestamp))
            .collect()
    }

    fn offset(&mut self, index: u32, timestamp: i64) -> Result<i64, AdminError> {
        let name = self.session.cluster().topic().to_owned();
        let what = format!("asking for the offsets of {name}-{index}");
        let give_up = self.session.now() + nanos(self.timeout);
        loop {
            let leader = self.session.cluster().leader(index).node;
            let node = leader.unwrap_or(-1);
            self.wait(&what, |session| {
                session.ready(node).is_some() || session.is_stale()
            })?;
            let partitions = [ListOffsetsPartition {
                partition_index: index as i32,
                timestamp,
                ..ListOffsetsPartition::default()
            }];
            let topics = [ListOffsetsTopic {
                name: &name,
                partitions: Array::from(&partitions[..]),
            }];
            let request = ListOffsetsRequest {
                replica_id: -1,
                topics: Array::from(&topics[..]),
                ..ListOffsetsRequest::default()
            };
            let answer = self.call(node, &request).and_then(|reply| {
                let mut body = Reader::new(reply.frame.bytes());
                let response = ListOffsetsResponse::decode(&mut body, reply.version)?;
                let found = response
                    .topics
                    .first()
                    .and_then(|topic| topic.partitions.first());
                let code = found
                    .as_ref()
                    .map_or(ErrorCode::UNKNOWN_SERVER_ERROR.0, |f| f.error_code);
                check(what.clone(), code, None)?;
                Ok(found.map_or(0, |f| f.offset))
            });
            match answer {
                Err(AdminError::Refused { code, .. })
                    if code.is_retriable() && self.session.now() < give_up =>
                {
                    self.wait_topic()?;
                    self.rest(Duration::from_millis(50))?;
                }
                other => return other,
            }
        }
    }

    /// Where the group's coordinator is. Waits for one, as the first group of a cluster has to.
    pub fn coordinator(&mut self, group: &str) -> Result<SocketAddr, AdminError> {
        let give_up = self.session.now() + nanos(self.timeout);
        loop {
            self.wait_ready()?;
            let request = FindCoordinatorRequest {
                key: group,
                ..FindCoordinatorRequest::default()
            };
            let node = self.session.any_ready().unwrap_or(-1);
            // From version 4 on the answer is a list, which is not needed here.
            let reply = self.call_version(node, &request, 3)?;
            let mut body = Reader::new(reply.frame.bytes());
            let response = FindCoordinatorResponse::decode(&mut body, reply.version)?;
            let what = format!("asking for the coordinator of group {group}");
            let code = ErrorCode(response.error_code);
            match check(what, response.error_code, response.error_message) {
                Ok(()) => return resolve(response.host, response.port),
                Err(_) if code.is_retriable() && self.session.now() < give_up => {
                    self.rest(Duration::from_millis(50))?;
                }
                Err(error) => return Err(error),
            }
        }
    }

    fn rest(&mut self, span: Duration) -> Result<(), AdminError> {
        let end = self.session.now() + nanos(span);
        let mut events = Vec::new();
        while self.session.now() < end {
            self.session
                .poll(crate::clock::until(self.session.now(), end), &mut events)?;
        }
        Ok(())
    }

    fn wait(
        &mut self,
        what: &str,
        mut done: impl FnMut(&mut Session<NoPayload>) -> bool,
    ) -> Result<(), AdminError> {
        let give_up = self.session.now() + nanos(self.timeout);
        let mut events = Vec::new();
        while !done(&mut self.session) {
            if self.session.now() >= give_up {
                return Err(self.unreachable(what));
            }
            self.session.poll(Duration::from_millis(20), &mut events)?;
        }
        Ok(())
    }

    fn call<'a, R: Request<'a>>(
        &mut self,
        node: NodeId,
        request: &R,
    ) -> Result<logmill_client::Reply, AdminError> {
        self.call_version(node, request, i16::MAX)
    }

    fn call_version<'a, R: Request<'a>>(
        &mut self,
        node: NodeId,
        request: &R,
        version_max: i16,
    ) -> Result<logmill_client::Reply, AdminError> {
        let now = self.session.now();
        let options = SendOptions {
            timeout_ns: nanos(self.timeout),
            version_max,
            ..SendOptions::default()
        };
        let Some(connection) = self.session.ready(node) else {
            return Err(self.unreachable(R::API_KEY.name()));
        };
        let correlation = connection.send(now, request, options, no_payload)?;
        self.session.flush(node);
        let mut events = Vec::new();
        loop {
            self.session.poll(self.timeout, &mut events)?;
            for event in events.drain(..) {
                match event {
                    Event::Reply(from, reply)
                        if from == node && reply.correlation == correlation =>
                    {
                        return Ok(reply);
                    }
                    Event::Lost(from, _) if from == node => {
                        return Err(self.unreachable(R::API_KEY.name()));
                    }
                    _ => {}
                }
            }
        }
    }

    fn unreachable(&self, what: &str) -> AdminError {
        let code = self.session.cluster().topic_error();
        let topic = if what.starts_with("topic") && code != ErrorCode::NONE {
            format!(" ({what}: {code})")
        } else {
            String::new()
        };
        let last = self
            .session
            .last_error()
            .map_or(String::new(), |e| format!(": {e}"));
        AdminError::Unreachable {
            bootstrap: self.bootstrap.clone(),
            seconds: self.timeout.as_secs(),
            last: last + &topic,
        }
    }
}

fn check(what: String, code: i16, message: Option<&str>) -> Result<(), AdminError> {
    if code == ErrorCode::NONE.0 {
        return Ok(());
    }
    let message = message.map_or(String::new(), |text| format!(": {text}"));
    Err(AdminError::Refused {
        what,
        code: ErrorCode(code),
        message,
    })
}

fn resolve(host: &str, port: i32) -> Result<SocketAddr, AdminError> {
    let unusable = || std::io::Error::other(format!("{host}:{port} is no address"));
    let port = u16::try_from(port).map_err(|_| unusable())?;
    let found = (host, port).to_socket_addrs()?.next();
    Ok(found.ok_or_else(unusable)?)
}

const LATEST: i64 = -1;
const EARLIEST: i64 = -2;
