//! Letters between shards.
//!
//! Every letter is a request that gets exactly one reply. A shard may have [`Outbox::credits_max`]
//! unanswered requests with a peer; a reply therefore always has room, and two busy shards cannot
//! block each other. Requests beyond that wait here, and the connections that made them are not
//! read meanwhile: what waits is bounded by the bytes of requests that were admitted.
//!
//! Once per turn the driver carries a peer's batch over. Record bytes travel as counted slices; the
//! region goes home when the last one is dropped, on whatever shard that is.

use std::collections::VecDeque;
use std::sync::Arc;

use logmill_engine::base::{Offset, PartitionIndex, TopicId};
use logmill_engine::format::batch::BatchHeader;
use logmill_engine::store::{AckError, AckLevel, AppendAnswer, StoreError};
use logmill_engine::sys::region::Slice;

use super::question::{Question, Told};
use super::read::{PartAnswer, PartRead};
use crate::base::work::Token;
use crate::groups::{Answer, Ask};
use crate::metadata::{MetadataCommand, MetadataDelta, MetadataImage, MetadataOutcome};

/// A letter.
#[derive(Debug)]
pub enum Mail {
    /// Asks the peer for something.
    Request(Token, Request),
    /// Answers the request that came with that token.
    Reply(Token, Reply),
}

/// A partition by its lasting name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PartitionName {
    /// The topic.
    pub topic: TopicId,
    /// The partition within it.
    pub index: PartitionIndex,
}

/// What shards ask of each other.
#[derive(Debug)]
pub enum Request {
    /// Append a batch that was validated where it was received.
    Append {
        /// Where to.
        partition: PartitionName,
        /// The head as it is to be appended.
        header: BatchHeader,
        /// The whole batch.
        bytes: Slice,
        /// How durable it must be before the answer.
        level: AckLevel,
    },
    /// Read a partition's part of a fetch.
    Read {
        /// Which.
        partition: PartitionName,
        /// What of it.
        read: PartRead,
    },
    /// Send [`Request::Wake`] once a record at `offset` may be read.
    Wait {
        /// Which partition.
        partition: PartitionName,
        /// Beyond what is known.
        offset: Offset,
    },
    /// A wait that is no longer wanted.
    CancelWait {
        /// Which partition.
        partition: PartitionName,
        /// Who waited.
        waiter: Token,
    },
    /// A question about a partition.
    Ask {
        /// Which.
        partition: PartitionName,
        /// What about it.
        question: Question,
    },
    /// Something that the peer's request waits for may have happened.
    Wake {
        /// The peer's request, and which part of it.
        waiter: Token,
    },
    /// Ask the coordinator of a partition of `__consumer_offsets`. Its answer comes as
    /// [`Reply::Group`] or, for asks that wait longer, after [`Reply::Done`] by
    /// [`Request::GroupTold`].
    Group {
        /// The partition.
        index: i32,
        /// What is asked.
        ask: Box<Ask>,
    },
    /// A coordinator's answer to the peer's ask.
    GroupTold {
        /// The peer's request, and which part of it.
        waiter: Token,
        /// The answer.
        answer: Box<Answer>,
    },
    /// Change the metadata; only shard 0 is asked.
    Change(Box<MetadataCommand>),
    /// The metadata moved on; shard 0 tells the others.
    Image(Arc<ImageChange>),
}

/// An image and how it differs from the one before.
#[derive(Debug)]
pub struct ImageChange {
    /// The image.
    pub image: Arc<MetadataImage>,
    /// What is new in it.
    pub delta: MetadataDelta,
}

/// What comes back.
#[derive(Debug)]
pub enum Reply {
    /// The batch stands and is as durable as it was asked to be.
    Appended(Result<AppendAnswer, AppendFailure>),
    /// The read's answer.
    Read(Result<PartAnswer, StoreError>),
    /// The question's answer.
    Told(Result<Told, StoreError>),
    /// What came of a change of metadata; every shard has passed it.
    Changed(Box<MetadataOutcome>),
    /// The coordinator's answer.
    Group(Box<Answer>),
    /// Taken note of.
    Done,
}

/// Why an append came to nothing, or may have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AppendFailure {
    /// It was refused.
    Refused(StoreError),
    /// It stands in the log, and its durability failed.
    Ack(AckError),
}

impl From<StoreError> for AppendFailure {
    fn from(error: StoreError) -> Self {
        Self::Refused(error)
    }
}

/// What goes to one peer.
#[derive(Debug)]
pub struct Outbox {
    /// To be carried over at the end of this turn.
    staged: Vec<Mail>,
    /// Requests without credit.
    waiting: VecDeque<(Token, Request)>,
    credits: usize,
    credits_max: usize,
}

impl Outbox {
    /// An outbox that allows so many unanswered requests.
    pub fn new(credits_max: usize) -> Self {
        Self {
            staged: Vec::new(),
            waiting: VecDeque::new(),
            credits: credits_max,
            credits_max,
        }
    }

    /// Sends a request; says whether it had credit. Without, it goes when replies come in.
    pub fn request(&mut self, token: Token, request: Request) -> bool {
        let has_credit = self.credits > 0;
        if has_credit {
            self.credits -= 1;
            self.staged.push(Mail::Request(token, request));
        } else {
            self.waiting.push_back((token, request));
        }
        has_credit
    }

    /// Sends a reply; its room was reserved by the request.
    pub fn reply(&mut self, token: Token, reply: Reply) {
        self.staged.push(Mail::Reply(token, reply));
    }

    /// A reply came in: one more request may go.
    pub fn replied(&mut self) {
        match self.waiting.pop_front() {
            Some((token, request)) => self.staged.push(Mail::Request(token, request)),
            None => {
                self.credits += 1;
                assert!(self.credits <= self.credits_max, "a reply too many");
            }
        }
    }

    /// The batch for this turn. The driver takes it when it can.
    pub fn staged(&mut self) -> &mut Vec<Mail> {
        &mut self.staged
    }

    /// Whether requests wait for credit.
    pub fn is_short(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// Unanswered requests allowed.
    pub fn credits_max(&self) -> usize {
        self.credits_max
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::work::WorkTable;

    #[test]
    fn requests_beyond_the_credit_wait_for_replies() {
        let mut table = WorkTable::<()>::new();
        let tokens: Vec<_> = (0..4).map(|_| table.reserve().unwrap()).collect();
        let mut outbox = Outbox::new(2);
        let wake = |token| Request::Wake { waiter: token };
        assert!(outbox.request(tokens[0], wake(tokens[0])));
        assert!(outbox.request(tokens[1], wake(tokens[1])));
        assert!(!outbox.request(tokens[2], wake(tokens[2])));
        outbox.reply(tokens[3], Reply::Done);
        assert_eq!(
            outbox.staged().drain(..).count(),
            3,
            "a reply needs no credit"
        );
        assert!(outbox.is_short());
        outbox.replied();
        assert!(!outbox.is_short());
        assert!(matches!(
            outbox.staged().drain(..).next(),
            Some(Mail::Request(token, _)) if token == tokens[2]
        ));
        outbox.replied();
        outbox.replied();
        assert!(outbox.request(tokens[3], wake(tokens[3])));
    }
}
