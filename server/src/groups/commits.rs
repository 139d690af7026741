//! Offsets are committed, and deleted.

use logmill_wire::ErrorCode;

use super::answer::{Answer, DeleteOffsetsAnswer, PartitionErrors};
use super::ask::{CommitPartition, FetchTopic, OffsetCommit};
use super::effects::{Record, When};
use super::group::{Group, State};
use super::offsets::Committed;
use super::records::{offset_record, offset_tombstone};
use super::turn::Turn;
use crate::base::planted::{self, Planted};

impl Turn<'_> {
    /// OffsetCommit to a group that exists; [`Self::commit_error`] has said that it may.
    pub fn commit(&mut self, ticket: u64, ask: &OffsetCommit) {
        if matches!(self.group.state, State::Stable | State::PreparingRebalance)
            && let Some(member) = self.group.members.find(&ask.member_id)
        {
            self.renew_session(member);
        }
        let mut batch = Batch::default();
        let mut answers = Vec::with_capacity(ask.topics.len());
        for topic in &ask.topics {
            let partitions = topic.partitions.iter().map(|partition| {
                let error = self.add_to_batch(ask, &topic.topic, partition, &mut batch);
                (partition.partition, error.err().unwrap_or(ErrorCode::NONE))
            });
            answers.push(PartitionErrors {
                topic: topic.topic.clone(),
                partitions: partitions.collect(),
            });
        }
        if batch.bytes > self.options.batch_bytes_max {
            let error = ErrorCode::UNKNOWN_SERVER_ERROR;
            let partitions = answers.iter_mut().flat_map(|topic| &mut topic.partitions);
            partitions.for_each(|(_, answer)| *answer = error);
            self.reply(ticket, Answer::Commit(answers), When::Now);
            return;
        }
        for (topic, partition, committed) in batch.offsets {
            self.group.offsets.put(topic, partition, committed);
        }
        self.effects.records.append(&mut batch.records);
        self.reply(ticket, Answer::Commit(answers), When::Synced);
    }

    fn add_to_batch<'a>(
        &self,
        ask: &OffsetCommit,
        topic: &'a str,
        partition: &CommitPartition,
        batch: &mut Batch<'a>,
    ) -> Result<(), ErrorCode> {
        if is_longer(&partition.metadata, self.options.offset_metadata_bytes_max) {
            return Err(ErrorCode::OFFSET_METADATA_TOO_LARGE);
        }
        let number = partition.partition;
        if self.memory_full && self.group.offsets.get(topic, number).is_none() {
            return Err(ErrorCode::INVALID_COMMIT_OFFSET_SIZE);
        }
        let now_ms = self.now.wall_ms;
        let expire_ms = ask
            .retention_ms
            .map(|retention_ms| now_ms.saturating_add(retention_ms));
        let committed = Committed {
            offset: partition.offset,
            leader_epoch: match expire_ms {
                // The record that holds the one has no place for the other.
                Some(_) => -1,
                None => partition.leader_epoch.max(-1),
            },
            metadata: partition.metadata.as_str().into(),
            commit_timestamp_ms: now_ms,
            expire_timestamp_ms: expire_ms.unwrap_or(-1),
        };
        let record = offset_record(&self.group.id, topic, number, &committed)
            .map_err(|_| ErrorCode::UNKNOWN_SERVER_ERROR)?;
        batch.bytes = batch.bytes.saturating_add(record.bytes());
        batch.records.push(record);
        batch.offsets.push((topic, number, committed));
        Ok(())
    }

    /// OffsetDelete to a group that exists.
    pub fn delete_offsets(&mut self, ticket: u64, topics: &[FetchTopic]) {
        let mut answer = DeleteOffsetsAnswer {
            error: ErrorCode::NONE,
            topics: Vec::new(),
        };
        if !self.group.is(State::Empty) && !self.group.is_consumers() {
            answer.error = ErrorCode::NON_EMPTY_GROUP;
            self.reply(ticket, Answer::DeleteOffsets(answer), When::Now);
            return;
        }
        for topic in topics {
            let error = match self.group.is_subscribed_to(&topic.topic) {
                true => ErrorCode::GROUP_SUBSCRIBED_TO_TOPIC,
                false => ErrorCode::NONE,
            };
            for partition in topic.partitions.iter().filter(|_| error.is_none()) {
                self.delete_offset(&topic.topic, *partition);
            }
            let partitions = topic.partitions.iter().map(|partition| (*partition, error));
            answer.topics.push(PartitionErrors {
                topic: topic.topic.clone(),
                partitions: partitions.collect(),
            });
        }
        self.reply(ticket, Answer::DeleteOffsets(answer), When::Synced);
    }

    /// Forgets a committed offset, if there is one; says whether there was.
    pub fn delete_offset(&mut self, topic: &str, partition: i32) -> bool {
        let existed = self.group.offsets.remove(topic, partition);
        if existed {
            let record = offset_tombstone(&self.group.id, topic, partition);
            let record = record.expect("names that a record has held");
            self.effects.records.push(record);
        }
        existed
    }
}

impl Group {
    /// Why this commit is not taken.
    ///
    /// # Errors
    /// 25 and 82 for members that are none, 22 for members of another generation, 27 while the
    /// generation waits for its assignment.
    pub(super) fn check_commit(&self, ask: &OffsetCommit) -> Result<(), ErrorCode> {
        if ask.generation < 0 && self.is(State::Empty) {
            // Someone who reads alone, or an administrator.
            return Ok(());
        }
        let instance_id = ask.group_instance_id.as_deref();
        self.member(&ask.member_id, instance_id)?;
        let is_planted = planted::is(Planted::OldGenerationCommits);
        if ask.generation != self.generation && !is_planted {
            return Err(ErrorCode::ILLEGAL_GENERATION);
        }
        if self.is(State::CompletingRebalance) {
            return Err(ErrorCode::REBALANCE_IN_PROGRESS);
        }
        Ok(())
    }
}

/// What a commit adds when all of it is good.
#[derive(Default)]
struct Batch<'a> {
    records: Vec<Record>,
    offsets: Vec<(&'a str, i32, Committed)>,
    bytes: usize,
}

/// Whether `text` has more than `max` of Java's characters.
fn is_longer(text: &str, max: usize) -> bool {
    text.len() > max && text.encode_utf16().count() > max
}
