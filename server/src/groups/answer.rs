//! What a coordinator answers, in the order of what it was asked.

use std::sync::Arc;

use logmill_wire::ErrorCode;

/// The answer to an [`Ask`](super::Ask) of the same name.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// JoinGroup.
    Join(Box<JoinAnswer>),
    /// SyncGroup.
    Sync(SyncAnswer),
    /// Heartbeat.
    Heartbeat(ErrorCode),
    /// LeaveGroup.
    Leave(LeaveAnswer),
    /// OffsetCommit: the topics and partitions that were asked.
    Commit(Vec<PartitionErrors>),
    /// OffsetFetch.
    FetchOffsets(FetchAnswer),
    /// DescribeGroups: one for each name.
    Describe(Vec<DescribedGroup>),
    /// ListGroups.
    List(ListAnswer),
    /// DeleteGroups: one for each name.
    Delete(Vec<(String, ErrorCode)>),
    /// OffsetDelete.
    DeleteOffsets(DeleteOffsetsAnswer),
    /// The deletion of topics: how many committed offsets went.
    TopicsDeleted(usize),
}

/// The generation that a member is in, or why it is in none.
#[derive(Clone, Debug, PartialEq)]
pub struct JoinAnswer {
    /// None (0) for a member of the generation.
    pub error: ErrorCode,
    /// -1 on an error.
    pub generation: i32,
    /// `None` on most errors. Told from version 7.
    pub protocol_type: Option<String>,
    /// The protocol that was chosen; `None` on an error: null from version 7, empty before.
    pub protocol_name: Option<String>,
    /// The leader's member id; empty on an error.
    pub leader: String,
    /// KIP-814: the leader keeps the assignment as it is. Told from version 9.
    pub skip_assignment: bool,
    /// The member's own id; with error 79 the id to come back with.
    pub member_id: String,
    /// Everybody and their subscriptions, for the leader alone.
    pub members: Vec<JoinedMember>,
}

/// A member as the leader sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JoinedMember {
    /// Its id.
    pub member_id: String,
    /// Static membership. Told from version 5.
    pub group_instance_id: Option<String>,
    /// Its subscription in the terms of the chosen protocol.
    pub metadata: Arc<[u8]>,
}

/// A member's assignment.
#[derive(Clone, Debug, PartialEq)]
pub struct SyncAnswer {
    /// None (0) with an assignment.
    pub error: ErrorCode,
    /// Told from version 5; `None` on an error.
    pub protocol_type: Option<String>,
    /// Told from version 5; `None` on an error.
    pub protocol_name: Option<String>,
    /// Empty on an error, and for a member that the leader gave nothing.
    pub assignment: Arc<[u8]>,
}

/// Who left.
#[derive(Clone, Debug, PartialEq)]
pub struct LeaveAnswer {
    /// The whole request's. Before version 3 the answer is this, or the one member's.
    pub error: ErrorCode,
    /// One for each member that was named; empty when `error` is set.
    pub members: Vec<LeftMember>,
}

/// What became of one leaving member.
#[derive(Clone, Debug, PartialEq)]
pub struct LeftMember {
    /// As it was asked.
    pub member_id: String,
    /// As it was asked.
    pub group_instance_id: Option<String>,
    /// 25 when there is none such, 82 when another holds the instance id.
    pub error: ErrorCode,
}

/// Results of a topic's partitions.
#[derive(Clone, Debug, PartialEq)]
pub struct PartitionErrors {
    /// The topic's name.
    pub topic: String,
    /// `(partition, error)`.
    pub partitions: Vec<(i32, ErrorCode)>,
}

/// Committed offsets of a group.
#[derive(Clone, Debug, PartialEq)]
pub struct FetchAnswer {
    /// The group.
    pub group_id: String,
    /// The whole group's. Before version 2 it is told in each partition.
    pub error: ErrorCode,
    /// In the order asked; by name and number where all were asked. Empty when `error` is set.
    pub topics: Vec<FetchedTopic>,
}

/// Committed offsets of a topic.
#[derive(Clone, Debug, PartialEq)]
pub struct FetchedTopic {
    /// The topic's name.
    pub topic: String,
    /// Its partitions.
    pub partitions: Vec<FetchedPartition>,
}

/// One committed offset.
#[derive(Clone, Debug, PartialEq)]
pub struct FetchedPartition {
    /// The partition's number.
    pub partition: i32,
    /// The next offset to read; -1 when nothing is committed.
    pub offset: i64,
    /// -1 when not known.
    pub leader_epoch: i32,
    /// The client's own words.
    pub metadata: Arc<str>,
    /// None (0), or 88 where a transaction is open.
    pub error: ErrorCode,
}

/// A group and its members.
#[derive(Clone, Debug, PartialEq)]
pub struct DescribedGroup {
    /// None (0), or 69 for clients that know it.
    pub error: ErrorCode,
    /// Told from version 6.
    pub error_message: Option<String>,
    /// The group.
    pub group_id: String,
    /// `Empty`, `PreparingRebalance`, `CompletingRebalance`, `Stable` or `Dead`.
    pub state: &'static str,
    /// Empty when there is none.
    pub protocol_type: String,
    /// The chosen protocol; empty unless stable.
    pub protocol_data: String,
    /// Its members.
    pub members: Vec<DescribedMember>,
}

/// A member as tools see it.
#[derive(Clone, Debug, PartialEq)]
pub struct DescribedMember {
    /// Its id.
    pub member_id: String,
    /// Static membership. Told from version 4.
    pub group_instance_id: Option<String>,
    /// What it said in its requests' headers.
    pub client_id: String,
    /// Where it came from.
    pub client_host: String,
    /// Its subscription in the chosen protocol's terms; empty unless stable.
    pub metadata: Arc<[u8]>,
    /// Its assignment; empty unless stable.
    pub assignment: Arc<[u8]>,
}

/// Groups of this coordinator.
#[derive(Clone, Debug, PartialEq)]
pub struct ListAnswer {
    /// None (0), or why the answer is not whole (14 while loading).
    pub error: ErrorCode,
    /// In the order of their names.
    pub groups: Vec<ListedGroup>,
}

/// A group in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedGroup {
    /// The group.
    pub group_id: String,
    /// Empty when it has only offsets.
    pub protocol_type: String,
    /// As in [`DescribedGroup::state`]. Told from version 4.
    pub state: &'static str,
    /// `classic`. Told from version 5.
    pub group_type: &'static str,
}

/// Offsets that went.
#[derive(Clone, Debug, PartialEq)]
pub struct DeleteOffsetsAnswer {
    /// The whole request's: 69 without such a group, 68 for one that is not empty and not a
    /// consumers' group.
    pub error: ErrorCode,
    /// In the order asked, 86 where the group is subscribed. Empty when `error` is set.
    pub topics: Vec<PartitionErrors>,
}

impl Answer {
    /// About how many bytes of a reply it becomes, for those that can be many.
    pub fn reply_bytes(&self) -> usize {
        match self {
            Self::Join(it) => {
                let members = it.members.iter();
                members.map(|it| MEMBER_BYTES + it.metadata.len()).sum()
            }
            Self::Sync(it) => it.assignment.len(),
            Self::FetchOffsets(it) => {
                let offsets = it.topics.iter().flat_map(|topic| &topic.partitions);
                offsets.map(|it| OFFSET_BYTES + it.metadata.len()).sum()
            }
            Self::Describe(groups) => {
                let members = groups.iter().flat_map(|group| &group.members);
                let blobs = members.map(|it| it.metadata.len() + it.assignment.len());
                blobs.map(|blobs| MEMBER_BYTES + blobs).sum()
            }
            _ => 0,
        }
    }
}

impl JoinAnswer {
    /// No generation for the member, because of `error`.
    pub fn failed(error: ErrorCode, member_id: String) -> Self {
        Self {
            error,
            generation: -1,
            protocol_type: None,
            protocol_name: None,
            leader: String::new(),
            skip_assignment: false,
            member_id,
            members: Vec::new(),
        }
    }
}

impl SyncAnswer {
    /// No assignment, because of `error`.
    pub fn failed(error: ErrorCode) -> Self {
        Self {
            error,
            protocol_type: None,
            protocol_name: None,
            assignment: Arc::default(),
        }
    }
}

/// What a reply says of an offset, and of a member, beside what clients put there.
const OFFSET_BYTES: usize = 20;
const MEMBER_BYTES: usize = 100;
