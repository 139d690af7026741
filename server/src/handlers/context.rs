//! What every handler is given, and what a handler that waits leaves behind.

use std::sync::Arc;

use logmill_engine::base::Now;
use logmill_wire::{EncodeError, Writer};

use crate::config::Config;
use crate::handlers::{
    alter_configs, create_partitions, create_topics, delete_topics, find_coordinator,
    incremental_alter_configs, init_producer_id, metadata,
};
use crate::metadata::{MetadataCommand, MetadataImage, MetadataOutcome, ProducerIdBlock};

/// The surroundings of one request.
#[derive(Clone, Copy)]
pub struct RequestContext<'a> {
    /// The newest metadata that this shard has.
    pub image: &'a Arc<MetadataImage>,
    /// The broker's configuration.
    pub config: &'a Config,
    /// The broker as clients of this listener see it.
    pub broker: &'a BrokerIdentity,
    /// The version of the request, and so of its answer.
    pub version: i16,
    /// The client's name for itself.
    pub client_id: Option<&'a str>,
    /// The moment of the request.
    pub now: Now,
}

/// The broker as clients of one listener see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BrokerIdentity {
    /// The cluster's id, as text.
    pub cluster_id: String,
    /// `node.id`.
    pub node_id: i32,
    /// `broker.rack`.
    pub rack: Option<String>,
    /// The advertised host of the listener.
    pub host: String,
    /// The advertised port of the listener.
    pub port: u16,
}

/// What became of a request.
#[derive(Debug)]
pub enum Planned {
    /// Its answer is written.
    Answered,
    /// The metadata's writer has to be asked first; the answer is written by
    /// [`Suspended::reply`], when every shard's image has passed what the command made.
    Command {
        /// What is asked.
        command: MetadataCommand,
        /// What the answer will need.
        suspended: Suspended,
    },
}

/// A request that waits for the metadata's writer. Owned: the request's frame is not kept.
#[derive(Clone, Debug, PartialEq)]
pub enum Suspended {
    /// Metadata, with topics to be created.
    Metadata(metadata::Query),
    /// CreateTopics.
    CreateTopics,
    /// DeleteTopics.
    DeleteTopics,
    /// CreatePartitions.
    CreatePartitions,
    /// InitProducerId.
    InitProducerId,
    /// AlterConfigs.
    AlterConfigs,
    /// IncrementalAlterConfigs.
    IncrementalAlterConfigs,
    /// FindCoordinator, with the topic of offsets to be created.
    FindCoordinator(find_coordinator::Query),
}

impl Suspended {
    /// Writes the answer. `ctx` is the request's again, with the image of now; `block` takes up
    /// producer ids that were allocated.
    ///
    /// # Errors
    /// An answer that its version cannot hold.
    ///
    /// # Panics
    /// When the outcome is not that of the command which was given with it.
    pub fn reply(
        self,
        ctx: &RequestContext<'_>,
        outcome: &MetadataOutcome,
        block: &mut ProducerIdBlock,
        out: &mut Writer,
    ) -> Result<(), EncodeError> {
        match (self, outcome) {
            (Self::Metadata(query), MetadataOutcome::AutoCreate(created)) => {
                metadata::reply(ctx, &query, created, out)
            }
            (Self::CreateTopics, MetadataOutcome::CreateTopics(topics)) => {
                create_topics::reply(ctx, topics, out)
            }
            (Self::DeleteTopics, MetadataOutcome::DeleteTopics(topics)) => {
                delete_topics::reply(ctx, topics, out)
            }
            (Self::CreatePartitions, MetadataOutcome::CreatePartitions(topics)) => {
                create_partitions::reply(ctx, topics, out)
            }
            (Self::InitProducerId, MetadataOutcome::ProducerIds { first, count }) => {
                *block = ProducerIdBlock::new(*first, *count);
                init_producer_id::reply(ctx, block, out)
            }
            (Self::AlterConfigs, MetadataOutcome::AlterConfigs(resources)) => {
                alter_configs::reply(ctx, resources, out)
            }
            (Self::IncrementalAlterConfigs, MetadataOutcome::AlterConfigs(resources)) => {
                incremental_alter_configs::reply(ctx, resources, out)
            }
            (Self::FindCoordinator(query), MetadataOutcome::AutoCreate(created)) => {
                let made = created
                    .first()
                    .map_or(Ok(()), |(_, made)| made.as_ref().copied());
                find_coordinator::reply(ctx, &query, made, out)
            }
            (suspended, outcome) => panic!("{outcome:?} is no outcome of {suspended:?}"),
        }
    }
}
