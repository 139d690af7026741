//! Answers that need no coordinator: it is loading, or elsewhere, or gone.

use logmill_wire::ErrorCode;

use super::answer::{
    Answer, DeleteOffsetsAnswer, DescribedGroup, FetchAnswer, JoinAnswer, LeaveAnswer, ListAnswer,
    PartitionErrors, SyncAnswer,
};
use super::ask::Ask;

impl Ask {
    /// The answer that carries `error` wherever this ask's answer has a place for it.
    pub fn refused(&self, error: ErrorCode) -> Answer {
        match self {
            Self::Join(ask) => {
                Answer::Join(Box::new(JoinAnswer::failed(error, ask.member_id.clone())))
            }
            Self::Sync(_) => Answer::Sync(SyncAnswer::failed(error)),
            // A coordinator that loads does not know better, and members wait for it in peace.
            Self::Heartbeat(_) if error == ErrorCode::COORDINATOR_LOAD_IN_PROGRESS => {
                Answer::Heartbeat(ErrorCode::NONE)
            }
            Self::Heartbeat(_) => Answer::Heartbeat(error),
            Self::Leave(_) => Answer::Leave(LeaveAnswer {
                error,
                members: Vec::new(),
            }),
            Self::Commit(ask) => {
                let topics = ask.topics.iter().map(|topic| PartitionErrors {
                    topic: topic.topic.clone(),
                    partitions: topic
                        .partitions
                        .iter()
                        .map(|partition| (partition.partition, error))
                        .collect(),
                });
                Answer::Commit(topics.collect())
            }
            Self::FetchOffsets(ask) => Answer::FetchOffsets(FetchAnswer {
                group_id: ask.group_id.clone(),
                error,
                topics: Vec::new(),
            }),
            Self::Describe(ask) => {
                let groups = ask.groups.iter();
                Answer::Describe(groups.map(|id| DescribedGroup::failed(error, id)).collect())
            }
            Self::List(_) => Answer::List(ListAnswer {
                error,
                groups: Vec::new(),
            }),
            Self::Delete(ask) => {
                Answer::Delete(ask.groups.iter().map(|id| (id.clone(), error)).collect())
            }
            Self::DeleteOffsets(_) => Answer::DeleteOffsets(DeleteOffsetsAnswer {
                error,
                topics: Vec::new(),
            }),
            Self::TopicsDeleted(_) => Answer::TopicsDeleted(0),
        }
    }
}

impl DescribedGroup {
    /// Nothing is known of the group, because of `error`.
    pub fn failed(error: ErrorCode, group_id: &str) -> Self {
        Self {
            error,
            error_message: None,
            group_id: group_id.to_owned(),
            state: "",
            protocol_type: String::new(),
            protocol_data: String::new(),
            members: Vec::new(),
        }
    }
}
