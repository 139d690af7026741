//! One script's connection to one broker, and the record of everything that came back.

use std::collections::HashMap;
use std::fmt;
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::ops::RangeInclusive;
use std::thread;
use std::time::Duration;

use logmill_wire::messages::{
    alter_configs, api_versions, create_partitions, create_topics, delete_groups, delete_records,
    delete_topics, describe_cluster, describe_configs, describe_groups, describe_topic_partitions,
    fetch, find_coordinator, heartbeat, incremental_alter_configs, init_producer_id, join_group,
    leave_group, list_config_resources, list_groups, list_offsets, list_partition_reassignments,
    metadata, offset_commit, offset_delete, offset_fetch, offset_for_leader_epoch, produce,
    sasl_handshake, sync_group,
};
use logmill_wire::{
    ApiKey, ErrorCode, Message, Reader, Request, Response, ResponseHeader, Uuid, Writer, frame,
};

use crate::normal::Names;
use crate::tree::Tree;

/// A request and its response.
pub trait Api {
    /// The request at any lifetime.
    type Request<'a>: Request<'a>;
    /// The response at any lifetime.
    type Response<'a>: Response<'a> + fmt::Debug;
    /// Its number.
    const KEY: ApiKey;

    /// The versions to compare: what 4.1.1 serves.
    fn versions() -> RangeInclusive<i16> {
        Self::KEY
            .stable_versions_4_1()
            .expect("an API of the broker")
    }
}

macro_rules! apis {
    ($($name:ident: $request:ty, $response:ty;)*) => {$(
        /// The API of this name.
        pub struct $name;

        impl Api for $name {
            type Request<'a> = $request;
            type Response<'a> = $response;
            const KEY: ApiKey = ApiKey::$name;
        }
    )*};
}

apis! {
    ApiVersions: api_versions::ApiVersionsRequest<'a>, api_versions::ApiVersionsResponse<'a>;
    Metadata: metadata::MetadataRequest<'a>, metadata::MetadataResponse<'a>;
    Produce: produce::ProduceRequest<'a>, produce::ProduceResponse<'a>;
    Fetch: fetch::FetchRequest<'a>, fetch::FetchResponse<'a>;
    ListOffsets: list_offsets::ListOffsetsRequest<'a>, list_offsets::ListOffsetsResponse<'a>;
    OffsetForLeaderEpoch:
        offset_for_leader_epoch::OffsetForLeaderEpochRequest<'a>,
        offset_for_leader_epoch::OffsetForLeaderEpochResponse<'a>;
    InitProducerId:
        init_producer_id::InitProducerIdRequest<'a>,
        init_producer_id::InitProducerIdResponse;
    CreateTopics: create_topics::CreateTopicsRequest<'a>, create_topics::CreateTopicsResponse<'a>;
    DeleteTopics: delete_topics::DeleteTopicsRequest<'a>, delete_topics::DeleteTopicsResponse<'a>;
    DeleteRecords:
        delete_records::DeleteRecordsRequest<'a>,
        delete_records::DeleteRecordsResponse<'a>;
    CreatePartitions:
        create_partitions::CreatePartitionsRequest<'a>,
        create_partitions::CreatePartitionsResponse<'a>;
    DescribeConfigs:
        describe_configs::DescribeConfigsRequest<'a>,
        describe_configs::DescribeConfigsResponse<'a>;
    AlterConfigs: alter_configs::AlterConfigsRequest<'a>, alter_configs::AlterConfigsResponse<'a>;
    IncrementalAlterConfigs:
        incremental_alter_configs::IncrementalAlterConfigsRequest<'a>,
        incremental_alter_configs::IncrementalAlterConfigsResponse<'a>;
    ListConfigResources:
        list_config_resources::ListConfigResourcesRequest<'a>,
        list_config_resources::ListConfigResourcesResponse<'a>;
    DescribeCluster:
        describe_cluster::DescribeClusterRequest,
        describe_cluster::DescribeClusterResponse<'a>;
    DescribeTopicPartitions:
        describe_topic_partitions::DescribeTopicPartitionsRequest<'a>,
        describe_topic_partitions::DescribeTopicPartitionsResponse<'a>;
    ListPartitionReassignments:
        list_partition_reassignments::ListPartitionReassignmentsRequest<'a>,
        list_partition_reassignments::ListPartitionReassignmentsResponse<'a>;
    FindCoordinator:
        find_coordinator::FindCoordinatorRequest<'a>,
        find_coordinator::FindCoordinatorResponse<'a>;
    JoinGroup: join_group::JoinGroupRequest<'a>, join_group::JoinGroupResponse<'a>;
    SyncGroup: sync_group::SyncGroupRequest<'a>, sync_group::SyncGroupResponse<'a>;
    Heartbeat: heartbeat::HeartbeatRequest<'a>, heartbeat::HeartbeatResponse;
    LeaveGroup: leave_group::LeaveGroupRequest<'a>, leave_group::LeaveGroupResponse<'a>;
    OffsetCommit: offset_commit::OffsetCommitRequest<'a>, offset_commit::OffsetCommitResponse<'a>;
    OffsetFetch: offset_fetch::OffsetFetchRequest<'a>, offset_fetch::OffsetFetchResponse<'a>;
    OffsetDelete: offset_delete::OffsetDeleteRequest<'a>, offset_delete::OffsetDeleteResponse<'a>;
    ListGroups: list_groups::ListGroupsRequest<'a>, list_groups::ListGroupsResponse<'a>;
    DescribeGroups:
        describe_groups::DescribeGroupsRequest<'a>,
        describe_groups::DescribeGroupsResponse<'a>;
    DeleteGroups: delete_groups::DeleteGroupsRequest<'a>, delete_groups::DeleteGroupsResponse<'a>;
    SaslHandshake:
        sasl_handshake::SaslHandshakeRequest<'a>,
        sasl_handshake::SaslHandshakeResponse<'a>;
}

/// One thing that was asked, and what was answered.
pub struct Step {
    /// Which API, version and question.
    pub what: String,
    /// The answer, normalised.
    pub answer: Tree,
}

/// A script's connections.
pub struct Conversation {
    address: String,
    case: &'static str,
    names: Names,
    steps: Vec<Step>,
    start: i64,
    client_id: &'static str,
    /// The connection in use.
    line: Line,
    /// Those of other clients, by their ids.
    other_lines: HashMap<&'static str, Line>,
}

/// One client's connection.
#[derive(Default)]
struct Line {
    stream: Option<TcpStream>,
    /// Of the last request.
    correlation_id: i32,
}

/// An answer's body, to be decoded again by a script that needs something of it.
pub struct Reply {
    frame: Vec<u8>,
    version: i16,
}

impl Reply {
    /// The answer decoded.
    pub fn body<A: Api>(&self) -> A::Response<'_> {
        decode::<A>(&self.frame, self.version)
            .expect("it was decoded before")
            .1
    }
}

impl Conversation {
    /// A conversation for the script `case` with the broker at `address`; its records begin at the
    /// time `start`.
    pub fn new(address: &str, case: &'static str, start: i64) -> Conversation {
        let port = address.rsplit(':').next().unwrap_or_default();
        Conversation {
            address: address.to_owned(),
            case,
            names: Names::new(port),
            steps: Vec::new(),
            start,
            client_id: "script",
            line: Line::default(),
            other_lines: HashMap::new(),
        }
    }

    /// What was said.
    pub fn into_steps(self) -> Vec<Step> {
        self.steps
    }

    /// A timestamp, `after` ms into the script.
    pub fn time(&self, after: i64) -> i64 {
        self.start + after
    }

    /// A topic name of this script's own.
    pub fn name(&self, topic: &str) -> String {
        format!("{}-{topic}", self.case)
    }

    /// Asks, and notes the answer.
    pub fn ask<A: Api>(
        &mut self,
        what: &str,
        version: i16,
        request: &A::Request<'_>,
    ) -> Option<Reply> {
        let what = format!("{:?} v{version}: {what}", A::KEY);
        self.send::<A>(version, request);
        self.receive::<A>(what, version)
    }

    /// As [`Conversation::ask`], but asks again while the answer does not satisfy `done`.
    pub fn ask_until<A: Api>(
        &mut self,
        what: &str,
        version: i16,
        request: &A::Request<'_>,
        done: impl Fn(&A::Response<'_>) -> bool,
    ) -> Reply {
        for _ in 0..1500 {
            let reply = self.ask::<A>(what, version, request);
            let reply = reply.unwrap_or_else(|| panic!("{}: {what}: no answer", self.case));
            if done(&reply.body::<A>()) {
                return reply;
            }
            self.steps.pop();
            thread::sleep(Duration::from_millis(20));
        }
        panic!("{}: {what}: no final answer in 30 s", self.case);
    }

    /// As [`Conversation::ask_until`], but the answer is not for comparison.
    pub fn ask_until_aside<A: Api>(
        &mut self,
        version: i16,
        request: &A::Request<'_>,
        done: impl Fn(&A::Response<'_>) -> bool,
    ) {
        self.ask_until::<A>("aside", version, request, done);
        self.steps.pop();
    }

    /// As [`Conversation::ask`], but the answer is not for comparison.
    pub fn ask_aside<A: Api>(&mut self, version: i16, request: &A::Request<'_>) -> Option<Reply> {
        let reply = self.ask::<A>("aside", version, request);
        self.steps.pop();
        reply
    }

    /// Sends a request without waiting for its answer; answers the correlation id.
    pub fn send<A: Api>(&mut self, version: i16, request: &A::Request<'_>) -> i32 {
        self.line.correlation_id += 1;
        let mut writer = Writer::default();
        let written = frame::write_request(
            &mut writer,
            version,
            self.line.correlation_id,
            Some(self.client_id),
            request,
        );
        written.unwrap_or_else(|e| panic!("{}: {:?} v{version}: {e}", self.case, A::KEY));
        assert!(writer.holes.is_empty(), "scripts hold their records");
        self.send_bytes(&writer.bytes);
        self.line.correlation_id
    }

    /// Sends whatever bytes; a broken connection shows when the answer is awaited.
    pub fn send_bytes(&mut self, bytes: &[u8]) {
        if self.line.stream.is_none() {
            let stream = TcpStream::connect(&self.address).expect("the broker listens");
            stream.set_nodelay(true).expect("a TCP socket");
            stream
                .set_read_timeout(Some(ANSWER_TIMEOUT))
                .expect("a timeout above zero");
            self.line.stream = Some(stream);
        }
        let stream = self.line.stream.as_mut().expect("connected above");
        let _ = stream.write_all(bytes);
    }

    /// Awaits an answer and notes it.
    pub fn receive<A: Api>(&mut self, what: String, version: i16) -> Option<Reply> {
        let frame = match self.receive_frame() {
            Ok(frame) => frame,
            Err(ended) => {
                self.steps.push(Step {
                    what,
                    answer: Tree::leaf(ended),
                });
                return None;
            }
        };
        let mut answer = match decode::<A>(&frame, version) {
            Ok((correlation_id, body)) if correlation_id == self.line.correlation_id => {
                Tree::parse(&format!("{body:#?}"))
            }
            Ok((other, _)) => Tree::leaf(format!(
                "<answers {other}, not {}>",
                self.line.correlation_id
            )),
            Err(error) => Tree::leaf(format!("<undecodable: {error}>")),
        };
        let decodes = !matches!(answer, Tree::Leaf(_));
        self.names.normalise(&mut answer);
        self.steps.push(Step { what, answer });
        decodes.then_some(Reply { frame, version })
    }

    /// The next frame, without its size; or how the connection ended.
    pub fn receive_frame(&mut self) -> Result<Vec<u8>, &'static str> {
        let Some(stream) = &mut self.line.stream else {
            return Err("<not connected>");
        };
        let received = read_frame(stream);
        received.map_err(|error| {
            self.line.stream = None;
            match error.kind() {
                io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => "<no answer in time>",
                _ => "<connection closed>",
            }
        })
    }

    /// Goes on as another client, on a connection of its own, which it keeps when others speak.
    pub fn speak_as(&mut self, client_id: &'static str) {
        if client_id == self.client_id {
            return;
        }
        let line = self.other_lines.remove(client_id).unwrap_or_default();
        let silent = std::mem::replace(&mut self.line, line);
        self.other_lines.insert(self.client_id, silent);
        self.client_id = client_id;
    }

    /// Names the client otherwise from here on.
    pub fn call_itself(&mut self, client_id: &'static str) {
        self.client_id = client_id;
    }

    /// From here on texts of errors are compared too, or no longer: where they are Kafka's own.
    pub fn compare_texts(&mut self, compare: bool) {
        self.names.keeps_texts = compare;
    }

    /// Begins a new connection with the next request.
    pub fn reconnect(&mut self) {
        self.line.stream = None;
    }

    /// Notes a fact of the script's own.
    pub fn note(&mut self, what: &str, fact: impl fmt::Display) {
        self.steps.push(Step {
            what: what.to_owned(),
            answer: Tree::leaf(fact.to_string()),
        });
    }

    /// Makes a topic of this script's own and waits until it can be used; answers its whole name
    /// and its id.
    pub fn topic(
        &mut self,
        topic: &str,
        partitions: i32,
        configs: &[(&str, &str)],
    ) -> (String, Uuid) {
        let name = self.create(topic, partitions, configs);
        let id = self.await_topic(&name, partitions);
        (name, id)
    }

    /// The same with as many partitions as the broker gives by default, which is four here.
    pub fn topic_of_defaults(&mut self, topic: &str) -> (String, Uuid) {
        let name = self.create(topic, -1, &[]);
        let id = self.await_topic(&name, 4);
        (name, id)
    }

    fn create(&mut self, topic: &str, partitions: i32, configs: &[(&str, &str)]) -> String {
        use create_topics::{CreatableTopic, CreatableTopicConfig, CreateTopicsRequest};
        let name = self.name(topic);
        let configs: Vec<CreatableTopicConfig> = configs
            .iter()
            .map(|(name, value)| CreatableTopicConfig {
                name,
                value: Some(value),
            })
            .collect();
        let topics = [CreatableTopic {
            name: &name,
            num_partitions: partitions,
            replication_factor: 1,
            configs: configs.into(),
            ..Default::default()
        }];
        let request = CreateTopicsRequest {
            topics: (&topics).into(),
            ..Default::default()
        };
        let reply = self
            .ask_aside::<CreateTopics>(7, &request)
            .expect("topics can be made");
        let error = reply
            .body::<CreateTopics>()
            .topics
            .first()
            .map(|topic| topic.error_code);
        assert_eq!(error, Some(0), "{name} can be made");
        name
    }

    /// Waits until `name` has `partitions` with leaders that answer; its id.
    pub fn await_topic(&mut self, name: &str, partitions: i32) -> Uuid {
        for _ in 0..3000 {
            let reply = self
                .ask_aside::<Metadata>(12, &metadata_of(name))
                .expect("metadata");
            let body = reply.body::<Metadata>();
            let topic = body.topics.first().expect("the one asked for");
            let led = topic
                .partitions
                .iter()
                .filter(|p| p.error_code == 0 && p.leader_id >= 0);
            if led.count() == partitions as usize && self.partitions_answer(name, partitions) {
                self.names.learn_topic(topic.topic_id.to_string(), name);
                return topic.topic_id;
            }
            thread::sleep(Duration::from_millis(20));
        }
        panic!("{name} is not ready in 60 s");
    }

    /// Waits until metadata knows no topic `name`.
    pub fn await_gone(&mut self, name: &str) {
        let is_gone = |body: &metadata::MetadataResponse<'_>| {
            let topic = body.topics.first().expect("the one asked for");
            topic.error_code == ErrorCode::UNKNOWN_TOPIC_OR_PARTITION.0
        };
        self.ask_until_aside::<Metadata>(12, &metadata_of(name), is_gone);
    }

    /// Kafka's brokers become leaders a moment after metadata says so.
    fn partitions_answer(&mut self, name: &str, partitions: i32) -> bool {
        use list_offsets::{ListOffsetsPartition, ListOffsetsRequest, ListOffsetsTopic};
        let asked: Vec<ListOffsetsPartition> = (0..partitions)
            .map(|partition_index| ListOffsetsPartition {
                partition_index,
                timestamp: -1,
                current_leader_epoch: -1,
            })
            .collect();
        let topics = [ListOffsetsTopic {
            name,
            partitions: asked.into(),
        }];
        let request = ListOffsetsRequest {
            replica_id: -1,
            topics: (&topics).into(),
            ..Default::default()
        };
        let reply = self.ask_aside::<ListOffsets>(4, &request).expect("offsets");
        let body = reply.body::<ListOffsets>();
        body.topics
            .iter()
            .all(|topic| topic.partitions.iter().all(|p| p.error_code == 0))
    }
}

fn decode<A: Api>(
    frame: &[u8],
    version: i16,
) -> Result<(i32, A::Response<'_>), logmill_wire::DecodeError> {
    let (header, mut reader): (ResponseHeader, Reader<'_>) =
        ResponseHeader::decode(frame, A::KEY, version)?;
    let body = <A::Response<'_> as Message>::decode(&mut reader, version)?;
    reader.finish()?;
    Ok((header.correlation_id, body))
}

fn read_frame(stream: &mut TcpStream) -> io::Result<Vec<u8>> {
    let mut size = [0; 4];
    stream.read_exact(&mut size)?;
    let mut frame = vec![0; u32::from_be_bytes(size) as usize];
    stream.read_exact(&mut frame)?;
    Ok(frame)
}

/// Far beyond what any of the scripts should wait for.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);

/// Asks about one topic, without making it.
fn metadata_of(name: &str) -> metadata::MetadataRequest<'_> {
    let topic = metadata::MetadataRequestTopic {
        name: Some(name),
        ..Default::default()
    };
    metadata::MetadataRequest {
        topics: Some(vec![topic].into()),
        allow_auto_topic_creation: false,
        ..Default::default()
    }
}
