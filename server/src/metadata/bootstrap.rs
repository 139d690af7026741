//! What a broker writes into its metadata log at start: features of a fresh cluster, its own
//! registration, and raised leader epochs after an unclean stop.

use logmill_engine::base::Offset;
use logmill_wire::records::metadata::{
    BeginTransactionRecord, BrokerEndpoint, BrokerFeature, BrokerRegistrationChangeRecord,
    EndTransactionRecord, FeatureLevelRecord, PartitionChangeRecord, RegisterBrokerRecord,
};
use logmill_wire::{Array, Uuid};

use crate::metadata::image::{Endpoint, MetadataImage};
use crate::metadata::records::encode;

/// A feature and the levels of it that this broker can work at (KIP-584).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SupportedFeature {
    /// Its name.
    pub name: &'static str,
    /// Lowest level.
    pub min: i16,
    /// Highest level.
    pub max: i16,
}

/// Features of this broker. `eligible.leader.replicas.version` is left out: with one replica there
/// is nobody to be eligible. `group.version` and `transaction.version` come with their
/// coordinators.
pub const SUPPORTED_FEATURES: &[SupportedFeature] = &[SupportedFeature {
    name: METADATA_VERSION,
    min: 7,
    max: METADATA_LEVEL,
}];

/// One start of this broker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BrokerRegistration {
    /// `node.id`.
    pub node_id: i32,
    /// New at each start.
    pub incarnation: Uuid,
    /// Where clients reach it.
    pub endpoints: Vec<Endpoint>,
    /// `broker.rack`.
    pub rack: Option<String>,
    /// The ids of its log directories.
    pub directories: Vec<Uuid>,
    /// Whether the last stop left something to recover.
    pub unclean: bool,
}

impl BrokerRegistration {
    /// Records to append, as one batch, before the broker serves.
    #[must_use]
    pub fn records(&self, image: &MetadataImage) -> Vec<Vec<u8>> {
        let mut records = Vec::new();
        if image.feature(METADATA_VERSION) == 0 {
            records.extend(fresh_cluster());
        }
        let epoch = image.offset.0 + 1 + i64::try_from(records.len()).unwrap_or_default();
        records.push(self.registration(Offset(epoch)));
        records.push(encode(BrokerRegistrationChangeRecord {
            broker_id: self.node_id,
            broker_epoch: epoch,
            fenced: -1,
            ..BrokerRegistrationChangeRecord::default()
        }));
        if self.unclean {
            records.extend(self.raised_epochs(image));
        }
        records
    }

    /// A broker's epoch is the offset of its registration.
    fn registration(&self, epoch: Offset) -> Vec<u8> {
        let end_points: Vec<_> = self
            .endpoints
            .iter()
            .map(|endpoint| BrokerEndpoint {
                name: &endpoint.listener,
                host: &endpoint.host,
                port: endpoint.port,
                security_protocol: PLAINTEXT,
            })
            .collect();
        let features: Vec<_> = SUPPORTED_FEATURES
            .iter()
            .map(|feature| BrokerFeature {
                name: feature.name,
                min_supported_version: feature.min,
                max_supported_version: feature.max,
            })
            .collect();
        encode(RegisterBrokerRecord {
            broker_id: self.node_id,
            incarnation_id: self.incarnation,
            broker_epoch: epoch.0,
            end_points: Array::Owned(end_points),
            features: Array::Owned(features),
            rack: self.rack.as_deref(),
            fenced: true,
            log_dirs: Array::Slice(&self.directories),
            ..RegisterBrokerRecord::default()
        })
    }

    /// Offsets that were lost may be given again; a raised epoch lets clients notice (KIP-320).
    fn raised_epochs(&self, image: &MetadataImage) -> Vec<Vec<u8>> {
        image
            .topics()
            .flat_map(|topic| {
                topic
                    .partitions
                    .iter()
                    .map(move |partition| (topic, partition))
            })
            .filter(|(_, partition)| partition.leader == self.node_id)
            .map(|(topic, partition)| {
                encode(PartitionChangeRecord {
                    partition_id: partition.index.0,
                    topic_id: Uuid(topic.id.0),
                    leader: self.node_id,
                    ..PartitionChangeRecord::default()
                })
            })
            .collect()
    }
}

/// What a fresh cluster of Kafka 4.1 begins with, in one transaction.
fn fresh_cluster() -> Vec<Vec<u8>> {
    vec![
        encode(BeginTransactionRecord {
            name: Some("Bootstrap records"),
        }),
        encode(FeatureLevelRecord {
            name: METADATA_VERSION,
            feature_level: METADATA_LEVEL,
        }),
        encode(EndTransactionRecord {}),
    ]
}

const METADATA_VERSION: &str = "metadata.version";
/// 4.1-IV1, the last of Kafka 4.1.
const METADATA_LEVEL: i16 = 27;
/// Kafka's number for the security protocol of a plain listener.
const PLAINTEXT: i16 = 0;
