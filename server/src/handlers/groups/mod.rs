//! The APIs of consumer groups: what is asked of which coordinator, and the answers put together.
//!
//! A group's coordinator is the leader of the partition of `__consumer_offsets` that its name
//! hashes to, and so on the shard that owns it. A request for several groups asks several; its
//! reply is written when all have answered.

mod delete_groups;
mod describe_groups;
mod heartbeat;
mod join_group;
mod leave_group;
mod list_groups;
mod offset_commit;
mod offset_delete;
mod offset_fetch;
mod sync_group;

use logmill_wire::{ApiKey, DecodeError, EncodeError, ErrorCode, Message, Reader, Writer};

use crate::groups::{Answer, Ask, JoinAnswer, PartitionErrors, SyncAnswer, partition_of};
use crate::handlers::Caller;
use crate::handlers::context::RequestContext;
use crate::metadata::OFFSETS_TOPIC;

/// A request that waits for coordinators.
#[derive(Debug)]
pub struct GroupCall {
    caller: Caller,
    form: Form,
    parts: Vec<Part>,
    pending: usize,
}

/// One ask, and where it is asked.
#[derive(Debug)]
pub struct Asked {
    /// The partition of `__consumer_offsets`; `None` while that topic is not there.
    pub partition: Option<i32>,
    /// What is asked.
    pub ask: Ask,
}

#[derive(Debug)]
enum Part {
    Open,
    Told(Answer),
}

/// What a reply needs of its request besides the answers.
#[derive(Debug)]
enum Form {
    Join,
    Sync,
    Heartbeat,
    Leave,
    Commit(Refused),
    FetchOffsets(offset_fetch::Form),
    Describe { operations: bool },
    List,
    Delete,
    DeleteOffsets(Refused),
}

/// Who asks, beyond what every handler knows.
#[derive(Clone, Copy, Debug)]
pub struct Client<'a> {
    /// The client's name for itself.
    pub id: &'a str,
    /// Where it comes from, as Kafka writes it: `/127.0.0.1`.
    pub host: &'a str,
}

/// Takes a request up: what is to be asked, and the call that waits for it.
///
/// # Errors
/// Bytes that are no such request.
pub fn begin(
    ctx: &RequestContext<'_>,
    caller: Caller,
    client: Client<'_>,
    r: &mut Reader<'_>,
) -> Result<(GroupCall, Vec<Asked>), DecodeError> {
    let version = caller.version;
    let (form, asks) = match caller.api {
        ApiKey::JoinGroup => {
            let request = Message::decode(r, version)?;
            (Form::Join, vec![join_group::ask(version, client, &request)])
        }
        ApiKey::SyncGroup => {
            let request = Message::decode(r, version)?;
            (Form::Sync, vec![sync_group::ask(&request)])
        }
        ApiKey::Heartbeat => {
            let request = Message::decode(r, version)?;
            (Form::Heartbeat, vec![heartbeat::ask(&request)])
        }
        ApiKey::LeaveGroup => {
            let request = Message::decode(r, version)?;
            (Form::Leave, vec![leave_group::ask(version, &request)])
        }
        ApiKey::OffsetCommit => {
            let request = Message::decode(r, version)?;
            let (refused, ask) = offset_commit::ask(ctx, &request);
            (Form::Commit(refused), ask.into_iter().collect())
        }
        ApiKey::OffsetFetch => {
            let request = Message::decode(r, version)?;
            let (form, asks) = offset_fetch::ask(version, &request);
            (Form::FetchOffsets(form), asks)
        }
        ApiKey::DescribeGroups => {
            let request = Message::decode(r, version)?;
            let (operations, asks) = describe_groups::ask(version, &request);
            (Form::Describe { operations }, asks)
        }
        ApiKey::ListGroups => {
            let request = Message::decode(r, version)?;
            return Ok(list_groups::begin(ctx, caller, &request));
        }
        ApiKey::DeleteGroups => {
            let request = Message::decode(r, version)?;
            (Form::Delete, delete_groups::ask(&request))
        }
        _ => {
            let request = Message::decode(r, version)?;
            let (refused, ask) = offset_delete::ask(ctx, &request);
            (Form::DeleteOffsets(refused), ask.into_iter().collect())
        }
    };
    let count = offsets_partitions(ctx);
    let asked = asks.into_iter().map(|ask| Asked {
        partition: (count > 0).then(|| partition_of(group_of(&ask), count)),
        ask,
    });
    Ok(GroupCall::new(caller, form, asked.collect()))
}

/// Whether an API is one of this kind.
pub fn serves(api: ApiKey) -> bool {
    matches!(
        api,
        ApiKey::JoinGroup
            | ApiKey::SyncGroup
            | ApiKey::Heartbeat
            | ApiKey::LeaveGroup
            | ApiKey::OffsetCommit
            | ApiKey::OffsetFetch
            | ApiKey::DescribeGroups
            | ApiKey::ListGroups
            | ApiKey::DeleteGroups
            | ApiKey::OffsetDelete
    )
}

impl GroupCall {
    fn new(caller: Caller, form: Form, asks: Vec<Asked>) -> (Self, Vec<Asked>) {
        let call = Self {
            caller,
            form,
            pending: asks.len(),
            parts: asks.iter().map(|_| Part::Open).collect(),
        };
        (call, asks)
    }

    /// A coordinator answered.
    pub fn told(&mut self, part: usize, answer: Answer) {
        if let Some(place @ Part::Open) = self.parts.get_mut(part) {
            *place = Part::Told(answer);
            self.pending -= 1;
        }
    }

    /// Whether every coordinator has answered.
    pub fn is_complete(&self) -> bool {
        self.pending == 0
    }

    /// About how many bytes its reply has.
    pub fn reply_bytes(&self) -> usize {
        let bytes = |part: &Part| match part {
            Part::Open => 0,
            Part::Told(answer) => answer.reply_bytes(),
        };
        self.parts.iter().map(bytes).sum()
    }

    /// Answers what is still open by `error`, for a member that waits for others.
    pub fn refuse(&mut self, error: ErrorCode) {
        for part in 0..self.parts.len() {
            let answer = match self.form {
                Form::Sync => Answer::Sync(SyncAnswer::failed(error)),
                _ => Answer::Join(Box::new(JoinAnswer::failed(error, String::new()))),
            };
            self.told(part, answer);
        }
    }

    /// Whether it may wait for other members, for as long as a rebalance takes.
    pub fn waits_for_members(&self) -> bool {
        matches!(self.form, Form::Join | Form::Sync)
    }

    /// Who asked.
    pub fn caller(&self) -> Caller {
        self.caller
    }

    /// Writes the reply's body.
    ///
    /// # Errors
    /// An answer that its version cannot hold.
    pub fn encode(self, out: &mut Writer) -> Result<(), EncodeError> {
        let version = self.caller.version;
        let mut answers = self.parts.into_iter().filter_map(|part| match part {
            Part::Told(answer) => Some(answer),
            Part::Open => None,
        });
        match self.form {
            Form::Join => join_group::reply(answers.next(), version, out),
            Form::Sync => sync_group::reply(answers.next(), version, out),
            Form::Heartbeat => heartbeat::reply(answers.next(), version, out),
            Form::Leave => leave_group::reply(answers.next(), version, out),
            Form::Commit(refused) => offset_commit::reply(refused, answers.next(), version, out),
            Form::FetchOffsets(form) => offset_fetch::reply(&form, answers, version, out),
            Form::Describe { operations } => {
                describe_groups::reply(operations, answers, version, out)
            }
            Form::List => list_groups::reply(answers, version, out),
            Form::Delete => delete_groups::reply(answers, version, out),
            Form::DeleteOffsets(refused) => {
                offset_delete::reply(refused, answers.next(), version, out)
            }
        }
    }
}

/// How many partitions `__consumer_offsets` has; 0 while it is not there.
fn offsets_partitions(ctx: &RequestContext<'_>) -> i32 {
    let topic = ctx.image.topic(OFFSETS_TOPIC);
    topic.map_or(0, |topic| topic.partitions.len() as i32)
}

/// What was refused before the coordinator was asked.
type Refused = Vec<PartitionErrors>;

/// Those of a topic's parts whose partitions exist; the others are refused, for their offsets are
/// not kept.
fn known_parts<T>(
    ctx: &RequestContext<'_>,
    refused: &mut Refused,
    topic: &str,
    parts: impl Iterator<Item = T>,
    index: impl Fn(&T) -> i32,
) -> Vec<T> {
    let image = ctx.image.topic(topic);
    let count = image.map_or(0, |image| image.partitions.len() as i32);
    let (known, unknown): (Vec<T>, Vec<T>) =
        parts.partition(|part| (0..count).contains(&index(part)));
    if !unknown.is_empty() {
        let refuse = |part| (index(part), ErrorCode::UNKNOWN_TOPIC_OR_PARTITION);
        refused.push(PartitionErrors {
            topic: topic.to_owned(),
            partitions: unknown.iter().map(refuse).collect(),
        });
    }
    known
}

/// Refused partitions stand before those that were asked, as Kafka answers.
fn merge(mut refused: Refused, answered: Vec<PartitionErrors>) -> Vec<PartitionErrors> {
    for topic in answered {
        match refused.iter_mut().find(|known| known.topic == topic.topic) {
            Some(known) => known.partitions.extend(topic.partitions),
            None => refused.push(topic),
        }
    }
    refused
}

/// The group that says which coordinator is asked.
fn group_of(ask: &Ask) -> &str {
    match ask {
        Ask::Join(ask) => &ask.group_id,
        Ask::Sync(ask) => &ask.group_id,
        Ask::Heartbeat(ask) => &ask.group_id,
        Ask::Leave(ask) => &ask.group_id,
        Ask::Commit(ask) => &ask.group_id,
        Ask::FetchOffsets(ask) => &ask.group_id,
        Ask::DeleteOffsets(ask) => &ask.group_id,
        Ask::Describe(ask) => ask.groups.first().map_or("", String::as_str),
        Ask::Delete(ask) => ask.groups.first().map_or("", String::as_str),
        Ask::List(_) | Ask::TopicsDeleted(_) => "",
    }
}

fn owned(text: Option<&str>) -> Option<String> {
    text.map(str::to_owned)
}
