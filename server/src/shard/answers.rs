//! The APIs that are answered from the metadata image, and those that change it.

use logmill_engine::base::Now;
use logmill_wire::{ApiKey, Message, Reader, RequestHeader, Writer};

use super::Shard;
use super::net::begin_reply;
use super::requests::{RequestError, Work};
use crate::base::work::Token;
use crate::handlers::{
    Caller, Planned, RequestContext, Suspended, alter_configs, api_versions, create_partitions,
    create_topics, delete_topics, describe_cluster, describe_configs, describe_topic_partitions,
    find_coordinator, incremental_alter_configs, init_producer_id, list_config_resources,
    list_partition_reassignments, metadata, sasl,
};
use crate::metadata::MetadataOutcome;

/// A request that waits for the metadata to change.
#[derive(Debug)]
pub struct WaitingChange {
    caller: Caller,
    suspended: Suspended,
}

impl Shard {
    /// Serves an API of the metadata kind; `NotServed` for any other.
    pub(super) fn answer(
        &mut self,
        now: Now,
        caller: Caller,
        header: &RequestHeader<'_>,
        mut reader: Reader<'_>,
    ) -> Result<(), RequestError> {
        let version = caller.version;
        let r = &mut reader;
        begin_reply(&caller, &mut self.writer);
        let ctx = RequestContext {
            image: &self.metadata.image,
            config: &self.metadata.config,
            broker: &self.metadata.brokers[usize::from(caller.listener)],
            version,
            client_id: header.client_id,
            now,
        };
        let out = &mut self.writer;
        let mut planned = Planned::Answered;
        match caller.api {
            ApiKey::ApiVersions => {
                api_versions::answer(&ctx, &Message::decode(r, version)?, out)?;
            }
            ApiKey::Metadata => {
                planned = metadata::plan(&ctx, &Message::decode(r, version)?, out)?;
            }
            ApiKey::CreateTopics => planned = create_topics::plan(&Message::decode(r, version)?),
            ApiKey::DeleteTopics => {
                planned = delete_topics::plan(&ctx, &Message::decode(r, version)?);
            }
            ApiKey::CreatePartitions => {
                planned = create_partitions::plan(&Message::decode(r, version)?);
            }
            ApiKey::InitProducerId => {
                let block = &mut self.metadata.producer_ids;
                planned = init_producer_id::plan(&ctx, &Message::decode(r, version)?, block, out)?;
            }
            ApiKey::DescribeCluster => {
                describe_cluster::answer(&ctx, &Message::decode(r, version)?, out)?;
            }
            ApiKey::DescribeTopicPartitions => {
                describe_topic_partitions::answer(&ctx, &Message::decode(r, version)?, out)?;
            }
            ApiKey::FindCoordinator => {
                planned = find_coordinator::plan(&ctx, &Message::decode(r, version)?, out)?;
            }
            ApiKey::ListPartitionReassignments => {
                list_partition_reassignments::answer(&ctx, out)?;
            }
            ApiKey::SaslHandshake => sasl::answer_handshake(&ctx, out)?,
            ApiKey::SaslAuthenticate => sasl::answer_authenticate(&ctx, out)?,
            api => planned = answer_of_configs(&ctx, api, r, out)?,
        }
        let Planned::Command { command, suspended } = planned else {
            self.net
                .reply(&caller, &mut self.writer, &mut self.externals);
            return Ok(());
        };
        let token = self.work.reserve().ok_or(RequestError::TooMany)?;
        self.work.put(
            token,
            Work::Change(Box::new(WaitingChange { caller, suspended })),
        );
        self.change_metadata(now, token, command);
        Ok(())
    }

    /// An ApiVersions request of a version that nobody knows: version 0, error 35.
    pub(super) fn answer_unsupported_versions(
        &mut self,
        caller: Caller,
    ) -> Result<(), RequestError> {
        let caller = Caller {
            version: 0,
            ..caller
        };
        begin_reply(&caller, &mut self.writer);
        let unstable = self.core.options.unstable_versions;
        api_versions::answer_unsupported(unstable, &mut self.writer)?;
        self.net
            .reply(&caller, &mut self.writer, &mut self.externals);
        Ok(())
    }

    /// The metadata has changed, or could not, and every shard has passed it.
    pub(super) fn changed(&mut self, now: Now, token: Token, outcome: &MetadataOutcome) {
        let waiting = match self.work.take(token) {
            Some(Work::Change(waiting)) => waiting,
            Some(other) => {
                self.work.put(token, other);
                return;
            }
            None => return,
        };
        self.work.release(token);
        let WaitingChange { caller, suspended } = *waiting;
        begin_reply(&caller, &mut self.writer);
        let ctx = RequestContext {
            image: &self.metadata.image,
            config: &self.metadata.config,
            broker: &self.metadata.brokers[usize::from(caller.listener)],
            version: caller.version,
            client_id: None,
            now,
        };
        let block = &mut self.metadata.producer_ids;
        match suspended.reply(&ctx, outcome, block, &mut self.writer) {
            Ok(()) => self
                .net
                .reply(&caller, &mut self.writer, &mut self.externals),
            Err(error) => self.unanswerable(&caller, &error),
        }
    }
}

/// Serves the APIs of configurations; `NotServed` for any other.
fn answer_of_configs(
    ctx: &RequestContext<'_>,
    api: ApiKey,
    r: &mut Reader<'_>,
    out: &mut Writer,
) -> Result<Planned, RequestError> {
    let version = ctx.version;
    match api {
        ApiKey::AlterConfigs => return Ok(alter_configs::plan(&Message::decode(r, version)?)),
        ApiKey::IncrementalAlterConfigs => {
            return Ok(incremental_alter_configs::plan(&Message::decode(
                r, version,
            )?));
        }
        ApiKey::ListConfigResources => {
            list_config_resources::answer(ctx, &Message::decode(r, version)?, out)?;
        }
        ApiKey::DescribeConfigs => {
            describe_configs::answer(ctx, &Message::decode(r, version)?, out)?;
        }
        api => return Err(RequestError::NotServed { api, version }),
    }
    Ok(Planned::Answered)
}
