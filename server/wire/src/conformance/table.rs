//! All messages behind one face, so that a test can walk them.

use std::ops::RangeInclusive;

use crate::sample::{Rng, Sample};
use crate::{DecodeError, Message, Reader, Writer, messages};

/// A message without its type.
pub(super) struct Codec {
    pub(super) name: &'static str,
    pub(super) versions: RangeInclusive<i16>,
    /// Makes a random value and encodes it.
    pub(super) sample: fn(&mut Rng, i16) -> Decoded,
    /// Decodes a whole frame and encodes it again.
    pub(super) decode: fn(&[u8], i16) -> Result<Decoded, DecodeError>,
    /// Decodes a frame, and nothing else.
    pub(super) check: fn(&[u8], i16) -> Result<(), DecodeError>,
}

/// A value, as others can look at it.
#[derive(Debug, PartialEq)]
pub(super) struct Decoded {
    /// All fields by name.
    pub(super) debug: String,
    /// The encoding.
    pub(super) bytes: Vec<u8>,
}

macro_rules! codec {
    ($message:path) => {
        Codec {
            name: <$message as Message>::NAME,
            versions: <$message as Message>::VERSIONS,
            sample: |rng, version| {
                let value = <$message as Sample>::sample(rng, version);
                let mut w = Writer::new();
                value
                    .encode(&mut w, version)
                    .expect("a sample fits its version");
                Decoded {
                    debug: format!("{value:?}"),
                    bytes: w.bytes,
                }
            },
            decode: |frame, version| {
                let mut r = Reader::new(frame);
                let value = <$message as Message>::decode(&mut r, version)?;
                r.finish()?;
                let mut w = Writer::new();
                value
                    .encode(&mut w, version)
                    .expect("what was decoded can be encoded");
                Ok(Decoded {
                    debug: format!("{value:?}"),
                    bytes: w.bytes,
                })
            },
            check: |frame, version| {
                <$message as Message>::decode(&mut Reader::new(frame), version).map(|_| ())
            },
        }
    };
}

macro_rules! apis {
    ($($module:ident: $request:ident, $response:ident;)*) => {
        /// Requests with their responses, one pair per API.
        pub(super) fn apis() -> Vec<(Codec, Codec)> {
            vec![$(
                (codec!(messages::$module::$request), codec!(messages::$module::$response)),
            )*]
        }
    };
}

macro_rules! others {
    ($($($module:ident)::+: $($message:ident),*;)*) => {
        /// Messages that are neither requests nor responses.
        pub(super) fn others() -> Vec<Codec> {
            let mut all = Vec::new();
            $({
                use crate::$($module)::+ as module;
                $(all.push(codec!(module::$message));)*
            })*
            all
        }
    };
}

/// Every message there is.
pub(super) fn all() -> impl Iterator<Item = Codec> {
    let pairs = apis()
        .into_iter()
        .flat_map(|(request, response)| [request, response]);
    pairs.chain(others())
}

apis! {
    produce: ProduceRequest, ProduceResponse;
    fetch: FetchRequest, FetchResponse;
    list_offsets: ListOffsetsRequest, ListOffsetsResponse;
    metadata: MetadataRequest, MetadataResponse;
    offset_commit: OffsetCommitRequest, OffsetCommitResponse;
    offset_fetch: OffsetFetchRequest, OffsetFetchResponse;
    find_coordinator: FindCoordinatorRequest, FindCoordinatorResponse;
    join_group: JoinGroupRequest, JoinGroupResponse;
    heartbeat: HeartbeatRequest, HeartbeatResponse;
    leave_group: LeaveGroupRequest, LeaveGroupResponse;
    sync_group: SyncGroupRequest, SyncGroupResponse;
    describe_groups: DescribeGroupsRequest, DescribeGroupsResponse;
    list_groups: ListGroupsRequest, ListGroupsResponse;
    sasl_handshake: SaslHandshakeRequest, SaslHandshakeResponse;
    api_versions: ApiVersionsRequest, ApiVersionsResponse;
    create_topics: CreateTopicsRequest, CreateTopicsResponse;
    delete_topics: DeleteTopicsRequest, DeleteTopicsResponse;
    delete_records: DeleteRecordsRequest, DeleteRecordsResponse;
    init_producer_id: InitProducerIdRequest, InitProducerIdResponse;
    offset_for_leader_epoch: OffsetForLeaderEpochRequest, OffsetForLeaderEpochResponse;
    add_partitions_to_txn: AddPartitionsToTxnRequest, AddPartitionsToTxnResponse;
    add_offsets_to_txn: AddOffsetsToTxnRequest, AddOffsetsToTxnResponse;
    end_txn: EndTxnRequest, EndTxnResponse;
    write_txn_markers: WriteTxnMarkersRequest, WriteTxnMarkersResponse;
    txn_offset_commit: TxnOffsetCommitRequest, TxnOffsetCommitResponse;
    describe_acls: DescribeAclsRequest, DescribeAclsResponse;
    create_acls: CreateAclsRequest, CreateAclsResponse;
    delete_acls: DeleteAclsRequest, DeleteAclsResponse;
    describe_configs: DescribeConfigsRequest, DescribeConfigsResponse;
    alter_configs: AlterConfigsRequest, AlterConfigsResponse;
    alter_replica_log_dirs: AlterReplicaLogDirsRequest, AlterReplicaLogDirsResponse;
    describe_log_dirs: DescribeLogDirsRequest, DescribeLogDirsResponse;
    sasl_authenticate: SaslAuthenticateRequest, SaslAuthenticateResponse;
    create_partitions: CreatePartitionsRequest, CreatePartitionsResponse;
    create_delegation_token: CreateDelegationTokenRequest, CreateDelegationTokenResponse;
    renew_delegation_token: RenewDelegationTokenRequest, RenewDelegationTokenResponse;
    expire_delegation_token: ExpireDelegationTokenRequest, ExpireDelegationTokenResponse;
    describe_delegation_token: DescribeDelegationTokenRequest, DescribeDelegationTokenResponse;
    delete_groups: DeleteGroupsRequest, DeleteGroupsResponse;
    elect_leaders: ElectLeadersRequest, ElectLeadersResponse;
    incremental_alter_configs: IncrementalAlterConfigsRequest, IncrementalAlterConfigsResponse;
    alter_partition_reassignments:
        AlterPartitionReassignmentsRequest, AlterPartitionReassignmentsResponse;
    list_partition_reassignments:
        ListPartitionReassignmentsRequest, ListPartitionReassignmentsResponse;
    offset_delete: OffsetDeleteRequest, OffsetDeleteResponse;
    describe_client_quotas: DescribeClientQuotasRequest, DescribeClientQuotasResponse;
    alter_client_quotas: AlterClientQuotasRequest, AlterClientQuotasResponse;
    describe_user_scram_credentials:
        DescribeUserScramCredentialsRequest, DescribeUserScramCredentialsResponse;
    alter_user_scram_credentials:
        AlterUserScramCredentialsRequest, AlterUserScramCredentialsResponse;
    vote: VoteRequest, VoteResponse;
    begin_quorum_epoch: BeginQuorumEpochRequest, BeginQuorumEpochResponse;
    end_quorum_epoch: EndQuorumEpochRequest, EndQuorumEpochResponse;
    describe_quorum: DescribeQuorumRequest, DescribeQuorumResponse;
    alter_partition: AlterPartitionRequest, AlterPartitionResponse;
    update_features: UpdateFeaturesRequest, UpdateFeaturesResponse;
    envelope: EnvelopeRequest, EnvelopeResponse;
    fetch_snapshot: FetchSnapshotRequest, FetchSnapshotResponse;
    describe_cluster: DescribeClusterRequest, DescribeClusterResponse;
    describe_producers: DescribeProducersRequest, DescribeProducersResponse;
    broker_registration: BrokerRegistrationRequest, BrokerRegistrationResponse;
    broker_heartbeat: BrokerHeartbeatRequest, BrokerHeartbeatResponse;
    unregister_broker: UnregisterBrokerRequest, UnregisterBrokerResponse;
    describe_transactions: DescribeTransactionsRequest, DescribeTransactionsResponse;
    list_transactions: ListTransactionsRequest, ListTransactionsResponse;
    allocate_producer_ids: AllocateProducerIdsRequest, AllocateProducerIdsResponse;
    consumer_group_heartbeat: ConsumerGroupHeartbeatRequest, ConsumerGroupHeartbeatResponse;
    consumer_group_describe: ConsumerGroupDescribeRequest, ConsumerGroupDescribeResponse;
    controller_registration: ControllerRegistrationRequest, ControllerRegistrationResponse;
    get_telemetry_subscriptions:
        GetTelemetrySubscriptionsRequest, GetTelemetrySubscriptionsResponse;
    push_telemetry: PushTelemetryRequest, PushTelemetryResponse;
    assign_replicas_to_dirs: AssignReplicasToDirsRequest, AssignReplicasToDirsResponse;
    list_config_resources: ListConfigResourcesRequest, ListConfigResourcesResponse;
    describe_topic_partitions: DescribeTopicPartitionsRequest, DescribeTopicPartitionsResponse;
    share_group_heartbeat: ShareGroupHeartbeatRequest, ShareGroupHeartbeatResponse;
    share_group_describe: ShareGroupDescribeRequest, ShareGroupDescribeResponse;
    share_fetch: ShareFetchRequest, ShareFetchResponse;
    share_acknowledge: ShareAcknowledgeRequest, ShareAcknowledgeResponse;
    add_raft_voter: AddRaftVoterRequest, AddRaftVoterResponse;
    remove_raft_voter: RemoveRaftVoterRequest, RemoveRaftVoterResponse;
    update_raft_voter: UpdateRaftVoterRequest, UpdateRaftVoterResponse;
    initialize_share_group_state:
        InitializeShareGroupStateRequest, InitializeShareGroupStateResponse;
    read_share_group_state: ReadShareGroupStateRequest, ReadShareGroupStateResponse;
    write_share_group_state: WriteShareGroupStateRequest, WriteShareGroupStateResponse;
    delete_share_group_state: DeleteShareGroupStateRequest, DeleteShareGroupStateResponse;
    read_share_group_state_summary:
        ReadShareGroupStateSummaryRequest, ReadShareGroupStateSummaryResponse;
    streams_group_heartbeat: StreamsGroupHeartbeatRequest, StreamsGroupHeartbeatResponse;
    streams_group_describe: StreamsGroupDescribeRequest, StreamsGroupDescribeResponse;
    describe_share_group_offsets:
        DescribeShareGroupOffsetsRequest, DescribeShareGroupOffsetsResponse;
    alter_share_group_offsets: AlterShareGroupOffsetsRequest, AlterShareGroupOffsetsResponse;
    delete_share_group_offsets: DeleteShareGroupOffsetsRequest, DeleteShareGroupOffsetsResponse;
}

others! {
    header: RequestHeader, ResponseHeader;
    messages::consumer_protocol: ConsumerProtocolSubscription, ConsumerProtocolAssignment;
    messages::default_principal_data: DefaultPrincipalData;
    records::metadata: RegisterBrokerRecord, UnregisterBrokerRecord, FenceBrokerRecord,
        UnfenceBrokerRecord, BrokerRegistrationChangeRecord, RegisterControllerRecord,
        ConfigRecord, ClientQuotaRecord, FeatureLevelRecord, ProducerIdsRecord, NoOpRecord,
        ZkMigrationStateRecord, BeginTransactionRecord, EndTransactionRecord,
        AbortTransactionRecord, DelegationTokenRecord, UserScramCredentialRecord,
        AccessControlEntryRecord, RemoveAccessControlEntryRecord,
        RemoveUserScramCredentialRecord, RemoveDelegationTokenRecord, TopicRecord,
        PartitionRecord, PartitionChangeRecord, RemoveTopicRecord, ClearElrRecord;
    records::group: LegacyOffsetCommitKey, LegacyOffsetCommitValue, OffsetCommitKey,
        OffsetCommitValue, GroupMetadataKey, GroupMetadataValue, ConsumerGroupMetadataKey,
        ConsumerGroupMetadataValue, ConsumerGroupPartitionMetadataKey,
        ConsumerGroupPartitionMetadataValue, ConsumerGroupMemberMetadataKey,
        ConsumerGroupMemberMetadataValue, ConsumerGroupTargetAssignmentMetadataKey,
        ConsumerGroupTargetAssignmentMetadataValue, ConsumerGroupTargetAssignmentMemberKey,
        ConsumerGroupTargetAssignmentMemberValue, ConsumerGroupCurrentMemberAssignmentKey,
        ConsumerGroupCurrentMemberAssignmentValue, ConsumerGroupRegularExpressionKey,
        ConsumerGroupRegularExpressionValue;
    records::group::share: ShareGroupMemberMetadataKey, ShareGroupMemberMetadataValue,
        ShareGroupMetadataKey, ShareGroupMetadataValue, ShareGroupTargetAssignmentMetadataKey,
        ShareGroupTargetAssignmentMetadataValue, ShareGroupTargetAssignmentMemberKey,
        ShareGroupTargetAssignmentMemberValue, ShareGroupCurrentMemberAssignmentKey,
        ShareGroupCurrentMemberAssignmentValue, ShareGroupStatePartitionMetadataKey,
        ShareGroupStatePartitionMetadataValue;
    records::group::streams: StreamsGroupMetadataKey, StreamsGroupMetadataValue,
        StreamsGroupMemberMetadataKey, StreamsGroupMemberMetadataValue,
        StreamsGroupTargetAssignmentMetadataKey, StreamsGroupTargetAssignmentMetadataValue,
        StreamsGroupTargetAssignmentMemberKey, StreamsGroupTargetAssignmentMemberValue,
        StreamsGroupCurrentMemberAssignmentKey, StreamsGroupCurrentMemberAssignmentValue,
        StreamsGroupTopologyKey, StreamsGroupTopologyValue;
    records::transaction: TransactionLogKey, TransactionLogValue;
    records::share: ShareSnapshotKey, ShareSnapshotValue, ShareUpdateKey, ShareUpdateValue;
    records::storage: ProducerSnapshot;
    records::remote: RemoteLogSegmentMetadataRecord, RemoteLogSegmentMetadataUpdateRecord,
        RemotePartitionDeleteMetadataRecord, RemoteLogSegmentMetadataSnapshotRecord;
    records::raft: LeaderChangeMessage, SnapshotHeaderRecord, SnapshotFooterRecord,
        KRaftVersionRecord, VotersRecord;
    records::control: EndTxnMarker;
}
