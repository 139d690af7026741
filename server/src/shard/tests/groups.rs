//! Consumer groups through requests: coordinators on every shard, asked from any.

use std::collections::BTreeSet;

use logmill_wire::ApiKey;
use logmill_wire::messages::delete_groups::{DeleteGroupsRequest, DeleteGroupsResponse};
use logmill_wire::messages::describe_groups::{DescribeGroupsRequest, DescribeGroupsResponse};
use logmill_wire::messages::find_coordinator::{FindCoordinatorRequest, FindCoordinatorResponse};
use logmill_wire::messages::heartbeat::{HeartbeatRequest, HeartbeatResponse};
use logmill_wire::messages::join_group::{
    JoinGroupRequest, JoinGroupRequestProtocol, JoinGroupResponse,
};
use logmill_wire::messages::list_groups::{ListGroupsRequest, ListGroupsResponse};
use logmill_wire::messages::offset_commit::{
    OffsetCommitRequest, OffsetCommitRequestPartition, OffsetCommitRequestTopic,
    OffsetCommitResponse,
};
use logmill_wire::messages::offset_fetch::{
    OffsetFetchRequest, OffsetFetchRequestGroup, OffsetFetchResponse,
};
use logmill_wire::messages::sync_group::{
    SyncGroupRequest, SyncGroupRequestAssignment, SyncGroupResponse,
};

use super::configs::{TOPIC, alter};
use super::rig::{Client, Rig, decode};

const NOT_COORDINATOR: i16 = 16;
const UNKNOWN_TOPIC_OR_PARTITION: i16 = 3;
const MEMBER_ID_REQUIRED: i16 = 79;
/// `group.initial.rebalance.delay.ms`, and what timers may be late.
const INITIAL_DELAY_MS: u64 = 3_010;

/// Two shards and a topic `t` of two partitions; the topic of offsets is there.
pub(super) fn world() -> (Rig, Client, Client) {
    let mut rig = Rig::new(2);
    rig.create_topic("t", 2);
    let mut client = rig.connect(0);
    let keys = ["any"];
    let request = FindCoordinatorRequest {
        coordinator_keys: (&keys).into(),
        ..FindCoordinatorRequest::default()
    };
    let body = rig.call(&mut client, ApiKey::FindCoordinator, 4, &request);
    let body = body.expect("a reply when the topic is made");
    let response: FindCoordinatorResponse<'_> = decode(&body, 4);
    let found = response.coordinators.first().unwrap();
    assert_eq!((found.error_code, found.node_id), (0, 1));
    let other = rig.connect(1);
    (rig, client, other)
}

fn join<'a>(group: &'a str, member: &'a str) -> JoinGroupRequest<'a> {
    let protocol = JoinGroupRequestProtocol {
        name: "range",
        metadata: b"subscription",
    };
    JoinGroupRequest {
        group_id: group,
        session_timeout_ms: 10_000,
        rebalance_timeout_ms: 60_000,
        member_id: member,
        protocol_type: "consumer",
        protocols: vec![protocol].into(),
        ..JoinGroupRequest::default()
    }
}

/// Joins an empty group: the member's id.
fn join_alone(rig: &mut Rig, client: &mut Client, group: &str) -> String {
    let body = rig
        .call(client, ApiKey::JoinGroup, 9, &join(group, ""))
        .unwrap();
    let response: JoinGroupResponse<'_> = decode(&body, 9);
    assert_eq!(response.error_code, MEMBER_ID_REQUIRED);
    let member = response.member_id.to_owned();
    let waiting = rig.call(client, ApiKey::JoinGroup, 9, &join(group, &member));
    assert_eq!(waiting, None, "others may join");
    rig.advance_ms(INITIAL_DELAY_MS);
    rig.collect(client);
    let (_, body) = client
        .reply(ApiKey::JoinGroup, 9)
        .expect("the delay is over");
    let response: JoinGroupResponse<'_> = decode(&body, 9);
    assert_eq!((response.error_code, response.generation_id), (0, 1));
    assert_eq!((response.leader, response.member_id), (&*member, &*member));
    assert_eq!(response.members.first().unwrap().metadata, b"subscription");
    member
}

fn sync(rig: &mut Rig, client: &mut Client, group: &str, member: &str) {
    let assignment = SyncGroupRequestAssignment {
        member_id: member,
        assignment: b"everything",
    };
    let request = SyncGroupRequest {
        group_id: group,
        generation_id: 1,
        member_id: member,
        assignments: vec![assignment].into(),
        ..SyncGroupRequest::default()
    };
    let body = rig.call(client, ApiKey::SyncGroup, 5, &request).unwrap();
    let response: SyncGroupResponse<'_> = decode(&body, 5);
    assert_eq!(
        (response.error_code, response.assignment),
        (0, &b"everything"[..])
    );
}

pub(super) fn commit<'a>(
    group: &'a str,
    generation: i32,
    member: &'a str,
    offset: i64,
) -> OffsetCommitRequest<'a> {
    let partition = |partition_index| OffsetCommitRequestPartition {
        partition_index,
        committed_offset: offset,
        committed_metadata: Some("words"),
        ..OffsetCommitRequestPartition::default()
    };
    let topic = OffsetCommitRequestTopic {
        name: "t",
        partitions: vec![partition(0), partition(7)].into(),
        ..OffsetCommitRequestTopic::default()
    };
    OffsetCommitRequest {
        group_id: group,
        generation_id_or_member_epoch: generation,
        member_id: member,
        topics: vec![topic].into(),
        ..OffsetCommitRequest::default()
    }
}

/// Error codes by partition.
pub(super) fn codes(body: &[u8]) -> Vec<(i32, i16)> {
    let response: OffsetCommitResponse<'_> = decode(body, 9);
    let topics = response.topics.to_vec();
    let partitions = topics.iter().flat_map(|topic| topic.partitions.to_vec());
    let mut codes: Vec<_> = partitions
        .map(|it| (it.partition_index, it.error_code))
        .collect();
    codes.sort_unstable();
    codes
}

/// Everything that groups have committed: group, partition and offset.
pub(super) fn committed(
    rig: &mut Rig,
    client: &mut Client,
    groups: &[&str],
) -> Vec<(String, i32, i64)> {
    let asked: Vec<_> = groups
        .iter()
        .map(|&group_id| OffsetFetchRequestGroup {
            group_id,
            topics: None,
            ..OffsetFetchRequestGroup::default()
        })
        .collect();
    let request = OffsetFetchRequest {
        groups: asked.into(),
        ..OffsetFetchRequest::default()
    };
    let body = rig.call(client, ApiKey::OffsetFetch, 9, &request).unwrap();
    let response: OffsetFetchResponse<'_> = decode(&body, 9);
    let mut all = Vec::new();
    for group in response.groups.iter() {
        assert_eq!(group.error_code, 0);
        for topic in group.topics.iter() {
            let of =
                |it: &logmill_wire::messages::offset_fetch::OffsetFetchResponsePartitions<'_>| {
                    assert_eq!((it.error_code, it.metadata), (0, Some("words")));
                    (
                        group.group_id.to_owned(),
                        it.partition_index,
                        it.committed_offset,
                    )
                };
            all.extend(topic.partitions.to_vec().iter().map(of));
        }
    }
    all
}

#[test]
fn commits_larger_than_the_topic_takes_are_refused_and_harm_nobody() {
    const UNKNOWN_SERVER_ERROR: i16 = -1;
    let (mut rig, mut client, mut other) = world();
    let offsets = (TOPIC, "__consumer_offsets");
    let name = "max.message.bytes";
    alter(&mut rig, &mut client, offsets, name, Some("1000"));
    let words = "w".repeat(1_000);
    let large = |group| {
        let mut request = commit(group, -1, "", 9);
        let mut topic = request.topics.first().unwrap();
        let mut partition = topic.partitions.first().unwrap();
        partition.committed_metadata = Some(&words);
        topic.partitions = vec![partition].into();
        request.topics = vec![topic].into();
        request
    };
    for group in ["g1", "g2", "g3", "g4"] {
        let small = commit(group, -1, "", 5);
        let body = rig.call(&mut other, ApiKey::OffsetCommit, 9, &small);
        assert_eq!(codes(&body.unwrap())[0], (0, 0));
        let body = rig.call(&mut other, ApiKey::OffsetCommit, 9, &large(group));
        assert_eq!(codes(&body.unwrap()), [(0, UNKNOWN_SERVER_ERROR)]);
        // Nothing was loaded anew for that.
        let expected = [(group.to_owned(), 0, 5)];
        assert_eq!(committed(&mut rig, &mut client, &[group]), expected);
    }
    alter(&mut rig, &mut client, offsets, name, None);
    let body = rig.call(&mut other, ApiKey::OffsetCommit, 9, &large("g1"));
    assert_eq!(codes(&body.unwrap()), [(0, 0)]);
}

#[test]
fn a_member_joins_commits_and_is_seen_from_every_shard() {
    let (mut rig, mut client, mut other) = world();
    // Names that hash to partitions of both shards.
    for group in ["g1", "g2", "g3", "g4"] {
        let member = join_alone(&mut rig, &mut client, group);
        sync(&mut rig, &mut client, group, &member);
        let beat = HeartbeatRequest {
            group_id: group,
            generation_id: 1,
            member_id: &member,
            ..HeartbeatRequest::default()
        };
        let body = rig.call(&mut other, ApiKey::Heartbeat, 4, &beat).unwrap();
        assert_eq!(decode::<HeartbeatResponse>(&body, 4).error_code, 0);
        let request = commit(group, 1, &member, 5);
        let body = rig.call(&mut other, ApiKey::OffsetCommit, 9, &request);
        let refused = (7, UNKNOWN_TOPIC_OR_PARTITION);
        assert_eq!(codes(&body.unwrap()), [(0, 0), refused]);
    }
    let groups = ["g1", "g2", "g3", "g4"];
    let expected = groups.map(|group| (group.to_owned(), 0, 5));
    for client in [&mut client, &mut other] {
        assert_eq!(committed(&mut rig, client, &groups), expected);
    }
    let described = DescribeGroupsRequest {
        groups: (&groups).into(),
        ..DescribeGroupsRequest::default()
    };
    let body = rig.call(&mut client, ApiKey::DescribeGroups, 6, &described);
    let body = body.unwrap();
    let response: DescribeGroupsResponse<'_> = decode(&body, 6);
    for (group, name) in response.groups.iter().zip(groups) {
        assert_eq!((group.group_id, group.group_state), (name, "Stable"));
        let member = group.members.first().unwrap();
        assert_eq!(member.client_host, "/127.0.0.1");
        assert_eq!(member.member_assignment, b"everything");
    }
}

#[test]
fn all_groups_are_listed_and_empty_ones_deleted() {
    let (mut rig, mut client, mut other) = world();
    let names: BTreeSet<String> = (0..60).map(|at| format!("group-{at}")).collect();
    for name in &names {
        let request = commit(name, -1, "", 9);
        let body = rig.call(&mut other, ApiKey::OffsetCommit, 9, &request);
        assert_eq!(codes(&body.unwrap())[0], (0, 0));
    }
    let list = |rig: &mut Rig, client: &mut Client| -> BTreeSet<String> {
        let request = ListGroupsRequest::default();
        let body = rig.call(client, ApiKey::ListGroups, 5, &request).unwrap();
        let response: ListGroupsResponse<'_> = decode(&body, 5);
        assert_eq!(response.error_code, 0);
        let groups = response.groups.to_vec();
        groups
            .iter()
            .map(|group| group.group_id.to_owned())
            .collect()
    };
    assert_eq!(list(&mut rig, &mut client), names);
    let all: Vec<&str> = names.iter().map(String::as_str).collect();
    let request = DeleteGroupsRequest {
        groups_names: all.into(),
    };
    let body = rig
        .call(&mut client, ApiKey::DeleteGroups, 2, &request)
        .unwrap();
    let response: DeleteGroupsResponse<'_> = decode(&body, 2);
    assert_eq!(response.results.len(), 60);
    assert!(response.results.iter().all(|result| result.error_code == 0));
    assert_eq!(list(&mut rig, &mut client), BTreeSet::new());
}

#[test]
fn what_a_failed_disk_may_not_have_is_not_told() {
    const EIO: i32 = 5;
    const LOADING: i16 = 14;
    const NOT_COORDINATOR: i16 = 16;
    let (mut rig, mut client, mut other) = world();
    let body = rig.call(
        &mut client,
        ApiKey::OffsetCommit,
        9,
        &commit("g", -1, "", 5),
    );
    assert_eq!(codes(&body.unwrap())[0], (0, 0));
    // The next one is in the log's memory, and in no file for good.
    rig.fail_disks(EIO);
    let body = rig.call(
        &mut client,
        ApiKey::OffsetCommit,
        9,
        &commit("g", -1, "", 9),
    );
    assert_eq!(codes(&body.unwrap())[0], (0, NOT_COORDINATOR));
    // The coordinator is loaded anew from that log, and keeps it to itself.
    let asked = OffsetFetchRequestGroup {
        group_id: "g",
        topics: None,
        ..OffsetFetchRequestGroup::default()
    };
    let request = OffsetFetchRequest {
        groups: vec![asked].into(),
        ..OffsetFetchRequest::default()
    };
    let body = rig.call(&mut other, ApiKey::OffsetFetch, 9, &request);
    let body = body.unwrap();
    let response: OffsetFetchResponse<'_> = decode(&body, 9);
    assert_eq!(response.groups.first().unwrap().error_code, LOADING);
}

#[test]
fn a_commit_waits_for_its_sync() {
    let (mut rig, mut client, mut other) = world();
    rig.disks_work = false;
    let request = commit("g", -1, "", 1);
    assert_eq!(
        rig.call(&mut client, ApiKey::OffsetCommit, 9, &request),
        None
    );
    let asked = OffsetFetchRequestGroup {
        group_id: "g",
        topics: None,
        ..OffsetFetchRequestGroup::default()
    };
    let fetch = OffsetFetchRequest {
        groups: vec![asked].into(),
        ..OffsetFetchRequest::default()
    };
    let early = rig.call(&mut other, ApiKey::OffsetFetch, 9, &fetch);
    assert_eq!(early, None, "nobody reads what a power cut can undo");
    rig.disks_work = true;
    rig.settle();
    rig.collect(&mut client);
    let (_, body) = client.reply(ApiKey::OffsetCommit, 9).expect("it is synced");
    assert_eq!(codes(&body)[0], (0, 0));
    rig.collect(&mut other);
    assert!(other.reply(ApiKey::OffsetFetch, 9).is_some());
}

#[test]
fn without_its_topic_no_group_has_a_coordinator() {
    let mut rig = Rig::new(2);
    rig.create_topic("t", 1);
    let mut client = rig.connect(1);
    let request = commit("g", -1, "", 1);
    let body = rig
        .call(&mut client, ApiKey::OffsetCommit, 9, &request)
        .unwrap();
    assert_eq!(codes(&body)[0], (0, NOT_COORDINATOR));
}

#[test]
fn the_log_of_offsets_stays_small_and_whole() {
    let (mut rig, mut client, _) = world();
    for offset in 0..1_000 {
        let request = commit("g", -1, "", offset);
        let body = rig.call(&mut client, ApiKey::OffsetCommit, 9, &request);
        assert_eq!(codes(&body.unwrap())[0], (0, 0));
    }
    rig.settle();
    let expected = [("g".to_owned(), 0, 999)];
    assert_eq!(committed(&mut rig, &mut client, &["g"]), expected);
    let index = crate::groups::partition_of("g", 50);
    let marks = rig.offsets_marks(index);
    assert!(marks.appended().0 >= 1_000, "{marks:?}");
    assert!(marks.log_start().0 > 700, "{marks:?}");
}
