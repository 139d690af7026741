//! What this shard does for its peers.

use logmill_engine::base::{Now, Offset, ShardId};
use logmill_engine::log::AppendError;
use logmill_engine::store::{AckError, AckLevel, AppendAnswer, StoreError};

use super::Shard;
use super::requests::Work;
use crate::base::work::Token;
use crate::partitions::core::{AppendOrder, Appending};
use crate::partitions::mail::{AppendFailure, Mail, Reply, Request};

/// A peer's request that waits for this shard's store.
#[derive(Debug)]
pub struct Remote {
    from: ShardId,
    /// The peer's name for it.
    theirs: Token,
    wait: Wait,
}

#[derive(Debug)]
enum Wait {
    /// For memory, then for an ack of this level.
    Memory(AckLevel),
    /// For an ack.
    Ack(AppendAnswer),
}

impl Shard {
    pub(super) fn letter(&mut self, now: Now, from: ShardId, letter: Mail) {
        match letter {
            Mail::Request(theirs, request) => self.peer_asks(now, from, theirs, request),
            Mail::Reply(token, reply) => {
                self.core.outboxes[usize::from(from.0)].replied();
                self.answered(now, token, reply);
            }
        }
    }

    fn peer_asks(&mut self, now: Now, from: ShardId, theirs: Token, request: Request) {
        match request {
            Request::Append {
                partition,
                header,
                bytes,
                level,
            } => {
                let Some(token) = self.work.reserve() else {
                    let failure = AppendFailure::Refused(AppendError::Backpressure.into());
                    self.core
                        .answer(from, theirs, Reply::Appended(Err(failure)));
                    return;
                };
                let appending = match self.core.own(partition) {
                    Err(error) => Appending::Refused(error),
                    Ok(key) => {
                        let order = AppendOrder { key, level, token };
                        self.core.append(now, order, header, &bytes, &bytes)
                    }
                };
                let remote = |wait| Remote { from, theirs, wait };
                match appending {
                    Appending::Pressed => {
                        self.work
                            .put(token, Work::Remote(remote(Wait::Memory(level))));
                    }
                    Appending::Appended(answer) => {
                        self.remote_stands(token, remote(Wait::Memory(level)), level, answer);
                    }
                    Appending::Refused(error) => {
                        self.work.release(token);
                        self.core
                            .answer(from, theirs, Reply::Appended(Err(error.into())));
                    }
                }
            }
            Request::Group { index, ask } => {
                self.peer_asks_coordinator(now, from, theirs, index, *ask);
            }
            Request::GroupTold { waiter, answer } => {
                self.core.answer(from, theirs, Reply::Done);
                self.group_told(waiter, *answer);
            }
            Request::Change(command) => self.peer_changes(now, from, theirs, *command),
            Request::Image(change) => {
                self.pass_image(now, &change);
                self.core.answer(from, theirs, Reply::Done);
            }
            Request::Read { partition, read } => {
                self.peer_reads(now, from, theirs, partition, read);
            }
            Request::Wait { partition, offset } => {
                self.peer_waits(from, theirs, partition, offset);
            }
            Request::CancelWait { waiter, .. } => self.peer_waits_no_more(from, theirs, waiter),
            Request::Ask {
                partition,
                question,
            } => {
                self.peer_wonders(now, from, theirs, partition, question);
            }
            Request::Wake { waiter } => {
                self.core.answer(from, theirs, Reply::Done);
                self.became_visible(now, waiter);
            }
        }
    }

    /// A peer's append that waited for memory was settled.
    pub(super) fn remote_appended(
        &mut self,
        token: Token,
        remote: Remote,
        result: Result<AppendAnswer, StoreError>,
    ) {
        let Wait::Memory(level) = remote.wait else {
            self.work.put(token, Work::Remote(remote));
            return;
        };
        match result {
            Ok(answer) => self.remote_stands(token, remote, level, answer),
            Err(error) => {
                self.work.release(token);
                self.core.answer(
                    remote.from,
                    remote.theirs,
                    Reply::Appended(Err(error.into())),
                );
            }
        }
    }

    /// A peer's append is as durable as asked, or never will be.
    pub(super) fn remote_acked(
        &mut self,
        token: Token,
        remote: Remote,
        result: Result<Offset, AckError>,
    ) {
        let Wait::Ack(answer) = remote.wait else {
            self.work.put(token, Work::Remote(remote));
            return;
        };
        self.work.release(token);
        let result = result.map(|_| answer).map_err(AppendFailure::Ack);
        self.core
            .answer(remote.from, remote.theirs, Reply::Appended(result));
    }

    fn remote_stands(
        &mut self,
        token: Token,
        remote: Remote,
        level: AckLevel,
        answer: AppendAnswer,
    ) {
        if level == AckLevel::None {
            self.work.release(token);
            self.core
                .answer(remote.from, remote.theirs, Reply::Appended(Ok(answer)));
        } else {
            self.work.put(
                token,
                Work::Remote(Remote {
                    wait: Wait::Ack(answer),
                    ..remote
                }),
            );
        }
    }
}
