//! ShareFetch (API key 78): records that a share group's member acquires.

use logmill_wire_derive::{Element, Message};

use crate::{Array, Records, Uuid};

/// The request, versions 1 to 2. Schema `ShareFetchRequest`.
#[derive(Clone, Debug, PartialEq, Message)]
#[wire(request = ShareFetch, versions = "1-2", flexible = "0+")]
pub struct ShareFetchRequest<'a> {
    #[wire(nullable, default = None)]
    pub group_id: Option<&'a str>,
    #[wire(nullable)]
    pub member_id: Option<&'a str>,
    pub share_session_epoch: i32,
    pub max_wait_ms: i32,
    pub min_bytes: i32,
    #[wire(default = i32::MAX)]
    pub max_bytes: i32,
    pub max_records: i32,
    pub batch_size: i32,
    #[wire(versions = "2+", ignorable)]
    pub share_acquire_mode: i8,
    #[wire(versions = "2+")]
    pub is_renew_ack: bool,
    pub topics: Array<'a, FetchTopic<'a>>,
    pub forgotten_topics_data: Array<'a, ForgottenTopic<'a>>,
}

/// An element of [`ShareFetchRequest::topics`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct FetchTopic<'a> {
    pub topic_id: Uuid,
    pub partitions: Array<'a, FetchPartition<'a>>,
}

/// An element of [`FetchTopic::partitions`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct FetchPartition<'a> {
    pub partition_index: i32,
    pub acknowledgement_batches: Array<'a, AcknowledgementBatch<'a>>,
}

/// An element of [`FetchPartition::acknowledgement_batches`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct AcknowledgementBatch<'a> {
    pub first_offset: i64,
    pub last_offset: i64,
    pub acknowledge_types: Array<'a, i8>,
}

/// An element of [`ShareFetchRequest::forgotten_topics_data`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct ForgottenTopic<'a> {
    pub topic_id: Uuid,
    pub partitions: Array<'a, i32>,
}

/// The response, versions 1 to 2. Schema `ShareFetchResponse`.
#[derive(Clone, Debug, PartialEq, Message)]
#[wire(response = ShareFetch, versions = "1-2", flexible = "0+")]
pub struct ShareFetchResponse<'a> {
    pub throttle_time_ms: i32,
    pub error_code: i16,
    #[wire(nullable, default = None)]
    pub error_message: Option<&'a str>,
    pub acquisition_lock_timeout_ms: i32,
    pub responses: Array<'a, ShareFetchableTopicResponse<'a>>,
    pub node_endpoints: Array<'a, NodeEndpoint<'a>>,
}

/// An element of [`ShareFetchResponse::responses`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct ShareFetchableTopicResponse<'a> {
    pub topic_id: Uuid,
    pub partitions: Array<'a, PartitionData<'a>>,
}

/// An element of [`ShareFetchableTopicResponse::partitions`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct PartitionData<'a> {
    pub partition_index: i32,
    pub error_code: i16,
    #[wire(nullable, default = None)]
    pub error_message: Option<&'a str>,
    pub acknowledge_error_code: i16,
    #[wire(nullable, default = None)]
    pub acknowledge_error_message: Option<&'a str>,
    pub current_leader: LeaderIdAndEpoch,
    pub records: Records<'a>,
    pub acquired_records: Array<'a, AcquiredRecords>,
}

/// The struct in [`PartitionData::current_leader`].
#[derive(Clone, Copy, Debug, PartialEq, Element)]
pub struct LeaderIdAndEpoch {
    pub leader_id: i32,
    pub leader_epoch: i32,
}

/// An element of [`PartitionData::acquired_records`].
#[derive(Clone, Copy, Debug, PartialEq, Element)]
pub struct AcquiredRecords {
    pub first_offset: i64,
    pub last_offset: i64,
    pub delivery_count: i16,
}

/// An element of [`ShareFetchResponse::node_endpoints`].
#[derive(Clone, Debug, PartialEq, Element)]
pub struct NodeEndpoint<'a> {
    pub node_id: i32,
    pub host: &'a str,
    pub port: i32,
    #[wire(nullable, default = None)]
    pub rack: Option<&'a str>,
}
