//! The APIs of the protocol: keys, names, versions, headers, listeners.

use std::fmt;
use std::ops::RangeInclusive;

macro_rules! api_keys {
    ($($name:ident = $key:literal => $facts:expr,)*) => {
        /// An API, by the key that requests carry.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(i16)]
        #[expect(missing_docs, reason = "the variants are named as in the protocol")]
        pub enum ApiKey {
            $($name = $key,)*
        }

        impl ApiKey {
            /// All keys, ascending.
            pub const ALL: &'static [ApiKey] = &[$(ApiKey::$name,)*];

            /// The API of a key.
            #[must_use]
            pub const fn from_i16(key: i16) -> Option<ApiKey> {
                match key {
                    $($key => Some(ApiKey::$name),)*
                    _ => None,
                }
            }

            /// The protocol's name.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(ApiKey::$name => stringify!($name),)*
                }
            }

            const fn facts(self) -> &'static Facts {
                match self {
                    $(ApiKey::$name => const { &$facts },)*
                }
            }
        }
    };
}

impl ApiKey {
    /// The number on the wire.
    #[must_use]
    pub const fn as_i16(self) -> i16 {
        self as i16
    }

    /// The versions that this crate encodes and decodes: those of 4.2, unstable ones included.
    /// Empty for an API that was removed.
    #[must_use]
    pub fn valid_versions(self) -> RangeInclusive<i16> {
        self.facts().versions.clone()
    }

    /// The versions that 4.1.1 serves by default, those that were unstable then left out. `None`
    /// if that leaves nothing. Whether a listener has the API at all is another question:
    /// [`on_broker_listener`](Self::on_broker_listener).
    #[must_use]
    pub fn stable_versions_4_1(self) -> Option<RangeInclusive<i16>> {
        self.facts().in_4_1.clone()
    }

    /// What an `ApiVersions` response of 4.1.1 says of this API. It is what is served, but for
    /// Produce, whose range is told from 0 on: librdkafka before 2.11 takes a broker without the
    /// old versions for one that knows no compression (KAFKA-18659).
    #[must_use]
    pub fn advertised_versions_4_1(self) -> Option<RangeInclusive<i16>> {
        let served = self.stable_versions_4_1()?;
        Some(if self == ApiKey::Produce {
            0..=*served.end()
        } else {
            served
        })
    }

    /// Whether messages of this version have compact strings and tagged fields (KIP-482).
    #[must_use]
    pub const fn is_flexible(self, version: i16) -> bool {
        match self.facts().flexible_from {
            Some(first) => version >= first,
            None => false,
        }
    }

    /// The version of the header before a request, also of a version beyond the valid ones.
    #[must_use]
    pub const fn request_header_version(self, version: i16) -> i16 {
        if self.is_flexible(version) { 2 } else { 1 }
    }

    /// The version of the header before a response. `ApiVersions` always answers in version 0,
    /// for the client may know nothing newer.
    #[must_use]
    pub const fn response_header_version(self, version: i16) -> i16 {
        match self {
            ApiKey::ApiVersions => 0,
            _ if self.is_flexible(version) => 1,
            _ => 0,
        }
    }

    /// Whether brokers serve it to clients and to each other.
    #[must_use]
    pub const fn on_broker_listener(self) -> bool {
        matches!(self.facts().listeners, Listeners::Broker | Listeners::Both)
    }

    /// Whether controllers serve it.
    #[must_use]
    pub const fn on_controller_listener(self) -> bool {
        matches!(
            self.facts().listeners,
            Listeners::Controller | Listeners::Both
        )
    }
}

impl fmt::Display for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// What the schemas say of an API.
struct Facts {
    versions: RangeInclusive<i16>,
    flexible_from: Option<i16>,
    in_4_1: Option<RangeInclusive<i16>>,
    listeners: Listeners,
}

enum Listeners {
    None,
    Broker,
    Controller,
    Both,
}

/// A row is written as its differences from an API that is never flexible, was the same in 4.1,
/// and is served by brokers only.
impl Facts {
    const fn of(versions: RangeInclusive<i16>) -> Facts {
        let in_4_1 = Some(RangeInclusive::new(*versions.start(), *versions.end()));
        Facts {
            versions,
            flexible_from: None,
            in_4_1,
            listeners: Listeners::Broker,
        }
    }

    /// Without any version.
    const fn removed() -> Facts {
        let versions = RangeInclusive::new(0, -1);
        Facts {
            versions,
            flexible_from: None,
            in_4_1: None,
            listeners: Listeners::None,
        }
    }

    const fn flexible(self, first: i16) -> Facts {
        Facts {
            flexible_from: Some(first),
            ..self
        }
    }

    const fn in_4_1(self, versions: RangeInclusive<i16>) -> Facts {
        Facts {
            in_4_1: Some(versions),
            ..self
        }
    }

    const fn not_in_4_1(self) -> Facts {
        Facts {
            in_4_1: None,
            ..self
        }
    }

    const fn controller(self) -> Facts {
        Facts {
            listeners: Listeners::Controller,
            ..self
        }
    }

    const fn both(self) -> Facts {
        Facts {
            listeners: Listeners::Both,
            ..self
        }
    }
}

api_keys! {
    Produce = 0 => Facts::of(3..=13).flexible(9),
    Fetch = 1 => Facts::of(4..=18).flexible(12).both(),
    ListOffsets = 2 => Facts::of(1..=11).flexible(6).in_4_1(1..=10),
    Metadata = 3 => Facts::of(0..=13).flexible(9),
    LeaderAndIsr = 4 => Facts::removed(),
    StopReplica = 5 => Facts::removed(),
    UpdateMetadata = 6 => Facts::removed(),
    ControlledShutdown = 7 => Facts::removed(),
    OffsetCommit = 8 => Facts::of(2..=10).flexible(8).in_4_1(2..=9),
    OffsetFetch = 9 => Facts::of(1..=10).flexible(6).in_4_1(1..=9),
    FindCoordinator = 10 => Facts::of(0..=6).flexible(3),
    JoinGroup = 11 => Facts::of(0..=9).flexible(6),
    Heartbeat = 12 => Facts::of(0..=4).flexible(4),
    LeaveGroup = 13 => Facts::of(0..=5).flexible(4),
    SyncGroup = 14 => Facts::of(0..=5).flexible(4),
    DescribeGroups = 15 => Facts::of(0..=6).flexible(5),
    ListGroups = 16 => Facts::of(0..=5).flexible(3),
    SaslHandshake = 17 => Facts::of(0..=1).both(),
    ApiVersions = 18 => Facts::of(0..=4).flexible(3).both(),
    CreateTopics = 19 => Facts::of(2..=7).flexible(5).both(),
    DeleteTopics = 20 => Facts::of(1..=6).flexible(4).both(),
    DeleteRecords = 21 => Facts::of(0..=2).flexible(2),
    InitProducerId = 22 => Facts::of(0..=6).flexible(2).in_4_1(0..=5),
    OffsetForLeaderEpoch = 23 => Facts::of(2..=4).flexible(4),
    AddPartitionsToTxn = 24 => Facts::of(0..=5).flexible(3),
    AddOffsetsToTxn = 25 => Facts::of(0..=4).flexible(3),
    EndTxn = 26 => Facts::of(0..=5).flexible(3),
    WriteTxnMarkers = 27 => Facts::of(1..=2).flexible(1).in_4_1(1..=1),
    TxnOffsetCommit = 28 => Facts::of(0..=5).flexible(3),
    DescribeAcls = 29 => Facts::of(1..=3).flexible(2).both(),
    CreateAcls = 30 => Facts::of(1..=3).flexible(2).both(),
    DeleteAcls = 31 => Facts::of(1..=3).flexible(2).both(),
    DescribeConfigs = 32 => Facts::of(1..=4).flexible(4).both(),
    AlterConfigs = 33 => Facts::of(0..=2).flexible(2).both(),
    AlterReplicaLogDirs = 34 => Facts::of(1..=2).flexible(2),
    DescribeLogDirs = 35 => Facts::of(1..=4).flexible(2),
    SaslAuthenticate = 36 => Facts::of(0..=2).flexible(2).both(),
    CreatePartitions = 37 => Facts::of(0..=3).flexible(2).both(),
    CreateDelegationToken = 38 => Facts::of(1..=3).flexible(2).both(),
    RenewDelegationToken = 39 => Facts::of(1..=2).flexible(2).both(),
    ExpireDelegationToken = 40 => Facts::of(1..=2).flexible(2).both(),
    DescribeDelegationToken = 41 => Facts::of(1..=3).flexible(2).both(),
    DeleteGroups = 42 => Facts::of(0..=2).flexible(2),
    ElectLeaders = 43 => Facts::of(0..=2).flexible(2).both(),
    IncrementalAlterConfigs = 44 => Facts::of(0..=1).flexible(1).both(),
    AlterPartitionReassignments = 45 => Facts::of(0..=1).flexible(0).both(),
    ListPartitionReassignments = 46 => Facts::of(0..=0).flexible(0).both(),
    OffsetDelete = 47 => Facts::of(0..=0),
    DescribeClientQuotas = 48 => Facts::of(0..=1).flexible(1),
    AlterClientQuotas = 49 => Facts::of(0..=1).flexible(1).both(),
    DescribeUserScramCredentials = 50 => Facts::of(0..=0).flexible(0).both(),
    AlterUserScramCredentials = 51 => Facts::of(0..=0).flexible(0).both(),
    Vote = 52 => Facts::of(0..=2).flexible(0).controller(),
    BeginQuorumEpoch = 53 => Facts::of(0..=1).flexible(1).controller(),
    EndQuorumEpoch = 54 => Facts::of(0..=1).flexible(1).controller(),
    DescribeQuorum = 55 => Facts::of(0..=2).flexible(0).both(),
    AlterPartition = 56 => Facts::of(2..=3).flexible(0).controller(),
    UpdateFeatures = 57 => Facts::of(0..=2).flexible(0).both(),
    Envelope = 58 => Facts::of(0..=0).flexible(0).controller(),
    FetchSnapshot = 59 => Facts::of(0..=1).flexible(0).controller(),
    DescribeCluster = 60 => Facts::of(0..=2).flexible(0).both(),
    DescribeProducers = 61 => Facts::of(0..=0).flexible(0),
    BrokerRegistration = 62 => Facts::of(0..=4).flexible(0).controller(),
    BrokerHeartbeat = 63 => Facts::of(0..=1).flexible(0).controller(),
    UnregisterBroker = 64 => Facts::of(0..=0).flexible(0).both(),
    DescribeTransactions = 65 => Facts::of(0..=0).flexible(0),
    ListTransactions = 66 => Facts::of(0..=2).flexible(0),
    AllocateProducerIds = 67 => Facts::of(0..=0).flexible(0).controller(),
    ConsumerGroupHeartbeat = 68 => Facts::of(0..=1).flexible(0),
    ConsumerGroupDescribe = 69 => Facts::of(0..=1).flexible(0),
    ControllerRegistration = 70 => Facts::of(0..=0).flexible(0).controller(),
    GetTelemetrySubscriptions = 71 => Facts::of(0..=0).flexible(0),
    PushTelemetry = 72 => Facts::of(0..=0).flexible(0),
    AssignReplicasToDirs = 73 => Facts::of(0..=0).flexible(0).controller(),
    ListConfigResources = 74 => Facts::of(0..=1).flexible(0),
    DescribeTopicPartitions = 75 => Facts::of(0..=0).flexible(0),
    ShareGroupHeartbeat = 76 => Facts::of(1..=1).flexible(0),
    ShareGroupDescribe = 77 => Facts::of(1..=1).flexible(0),
    ShareFetch = 78 => Facts::of(1..=2).flexible(0).in_4_1(1..=1),
    ShareAcknowledge = 79 => Facts::of(1..=2).flexible(0).in_4_1(1..=1),
    AddRaftVoter = 80 => Facts::of(0..=1).flexible(0).in_4_1(0..=0).both(),
    RemoveRaftVoter = 81 => Facts::of(0..=0).flexible(0).both(),
    UpdateRaftVoter = 82 => Facts::of(0..=0).flexible(0).controller(),
    InitializeShareGroupState = 83 => Facts::of(0..=0).flexible(0),
    ReadShareGroupState = 84 => Facts::of(0..=0).flexible(0),
    WriteShareGroupState = 85 => Facts::of(0..=1).flexible(0).in_4_1(0..=0),
    DeleteShareGroupState = 86 => Facts::of(0..=0).flexible(0),
    ReadShareGroupStateSummary = 87 => Facts::of(0..=1).flexible(0).in_4_1(0..=0),
    StreamsGroupHeartbeat = 88 => Facts::of(0..=0).flexible(0).not_in_4_1(),
    StreamsGroupDescribe = 89 => Facts::of(0..=0).flexible(0).not_in_4_1(),
    DescribeShareGroupOffsets = 90 => Facts::of(0..=1).flexible(0).in_4_1(0..=0),
    AlterShareGroupOffsets = 91 => Facts::of(0..=0).flexible(0),
    DeleteShareGroupOffsets = 92 => Facts::of(0..=0).flexible(0),
}

#[cfg(test)]
mod tests;
