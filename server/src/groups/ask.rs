//! What a coordinator is asked: owned plain data, since it travels between shards by mail.
//!
//! Versions of requests do not appear here. What they change is said in words: a flag, or a value
//! that the handler fills in for clients that cannot send it.

use std::sync::Arc;

/// One question to the coordinator of the groups that it names.
#[derive(Clone, Debug, PartialEq)]
pub enum Ask {
    /// JoinGroup.
    Join(Box<JoinGroup>),
    /// SyncGroup.
    Sync(Box<SyncGroup>),
    /// Heartbeat.
    Heartbeat(Heartbeat),
    /// LeaveGroup.
    Leave(LeaveGroup),
    /// OffsetCommit.
    Commit(OffsetCommit),
    /// OffsetFetch.
    FetchOffsets(OffsetFetch),
    /// DescribeGroups.
    Describe(DescribeGroups),
    /// ListGroups.
    List(ListGroups),
    /// DeleteGroups.
    Delete(DeleteGroups),
    /// OffsetDelete.
    DeleteOffsets(OffsetDelete),
    /// Topics were deleted: their committed offsets go. Not a client's question.
    TopicsDeleted(Vec<String>),
}

/// A member wants to be in the next generation.
#[derive(Clone, Debug, PartialEq)]
pub struct JoinGroup {
    /// The group, made when it does not exist and the member is new.
    pub group_id: String,
    /// Empty for a member that has no id yet.
    pub member_id: String,
    /// Static membership (KIP-345).
    pub group_instance_id: Option<String>,
    /// The request header's; a new member's id begins with it. Empty when null.
    pub client_id: String,
    /// As Kafka writes it: `/127.0.0.1`.
    pub client_host: String,
    /// What the group is for: `consumer`, `connect`.
    pub protocol_type: String,
    /// What the member speaks, the best first.
    pub protocols: Vec<Protocol>,
    /// Without a heartbeat for so long, the member is gone.
    pub session_timeout_ms: i32,
    /// How long a rebalance waits for the member. Version 0 has none: the session time-out.
    pub rebalance_timeout_ms: i32,
    /// Whether a new dynamic member must come back with the id that it is given (KIP-394): from
    /// version 4.
    pub must_know_member_id: bool,
    /// Whether the leader can be told to skip the assignment (KIP-814): from version 9.
    pub can_skip_assignment: bool,
}

/// A protocol (an assignor) and the member's subscription in its terms.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Protocol {
    /// `range`, `cooperative-sticky`.
    pub name: String,
    /// Opaque to the coordinator, but for a consumer's topics.
    pub metadata: Arc<[u8]>,
}

/// A member wants its assignment; the leader brings everybody's.
#[derive(Clone, Debug, PartialEq)]
pub struct SyncGroup {
    /// The group.
    pub group_id: String,
    /// The generation that the join was answered with.
    pub generation: i32,
    /// The member.
    pub member_id: String,
    /// Static membership (KIP-345).
    pub group_instance_id: Option<String>,
    /// From version 5: checked against the group's when present.
    pub protocol_type: Option<String>,
    /// From version 5: checked against the group's when present.
    pub protocol_name: Option<String>,
    /// `(member id, assignment)`, from the leader.
    pub assignments: Vec<(String, Arc<[u8]>)>,
}

/// A member is alive.
#[derive(Clone, Debug, PartialEq)]
pub struct Heartbeat {
    /// The group.
    pub group_id: String,
    /// The member's generation.
    pub generation: i32,
    /// The member.
    pub member_id: String,
    /// Static membership (KIP-345).
    pub group_instance_id: Option<String>,
}

/// Members go.
#[derive(Clone, Debug, PartialEq)]
pub struct LeaveGroup {
    /// The group.
    pub group_id: String,
    /// Who goes; before version 3 the one member of the request.
    pub members: Vec<LeavingMember>,
}

/// Who leaves: by member id, by instance id, or both.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeavingMember {
    /// Empty where an administrator removes a static member by its instance id.
    pub member_id: String,
    /// Static membership (KIP-345).
    pub group_instance_id: Option<String>,
}

/// Offsets to be kept. The handler has taken out topics and partitions that do not exist.
#[derive(Clone, Debug, PartialEq)]
pub struct OffsetCommit {
    /// The group, made when it does not exist and the generation is negative.
    pub group_id: String,
    /// The member's generation; negative without membership.
    pub generation: i32,
    /// The member; empty without membership.
    pub member_id: String,
    /// Static membership (KIP-345).
    pub group_instance_id: Option<String>,
    /// Whether the client knows error 69 (from version 9) where a member's group does not exist;
    /// others are told 22.
    pub knows_group_not_found: bool,
    /// Versions 2 to 4: how long to keep the offsets. `None` for the broker's retention (-1).
    pub retention_ms: Option<i64>,
    /// What to keep.
    pub topics: Vec<CommitTopic>,
}

/// The partitions of a topic in a commit.
#[derive(Clone, Debug, PartialEq)]
pub struct CommitTopic {
    /// The topic's name.
    pub topic: String,
    /// What to keep.
    pub partitions: Vec<CommitPartition>,
}

/// One committed offset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommitPartition {
    /// The partition's number.
    pub partition: i32,
    /// The next offset to read.
    pub offset: i64,
    /// The epoch of the last record that was read; -1 when not told (before version 6).
    pub leader_epoch: i32,
    /// The client's own words; at most `offset.metadata.max.bytes`. Empty when null.
    pub metadata: String,
}

/// Committed offsets of one group. A request for several groups is one ask each.
#[derive(Clone, Debug, PartialEq)]
pub struct OffsetFetch {
    /// The group.
    pub group_id: String,
    /// From version 9: the member, checked when it or the epoch is present.
    pub member_id: Option<String>,
    /// From version 9: the member's epoch; -1 otherwise.
    pub member_epoch: i32,
    /// Which; `None` for all that the group has.
    pub topics: Option<Vec<FetchTopic>>,
    /// KIP-447: offsets that an open transaction may change are error 88.
    pub require_stable: bool,
}

/// The partitions of a topic whose offsets are wanted, or are to be deleted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FetchTopic {
    /// The topic's name.
    pub topic: String,
    /// Which.
    pub partitions: Vec<i32>,
}

/// The state of groups and their members.
#[derive(Clone, Debug, PartialEq)]
pub struct DescribeGroups {
    /// Which.
    pub groups: Vec<String>,
    /// From version 6 a group that does not exist is error 69; before that its state is `Dead`.
    pub missing_is_error: bool,
}

/// The groups of this coordinator.
#[derive(Clone, Debug, PartialEq)]
pub struct ListGroups {
    /// Only these states, letter case ignored; all when empty.
    pub states: Vec<String>,
    /// Only these types (`classic`), letter case ignored; all when empty.
    pub types: Vec<String>,
}

/// Groups without members are to go, offsets and all.
#[derive(Clone, Debug, PartialEq)]
pub struct DeleteGroups {
    /// Which.
    pub groups: Vec<String>,
}

/// Some offsets of a group are to go.
#[derive(Clone, Debug, PartialEq)]
pub struct OffsetDelete {
    /// The group.
    pub group_id: String,
    /// Which; the handler has taken out topics and partitions that do not exist.
    pub topics: Vec<FetchTopic>,
}
