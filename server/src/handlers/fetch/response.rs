//! The fetch response: what was read, kept to the request's size, told as its session needs it.

use logmill_engine::base::PartitionIndex;
use logmill_engine::store::{Isolation, ReadData};
use logmill_wire::messages::fetch::{
    EpochEndOffset, FetchResponse, FetchableTopicResponse, LeaderIdAndEpoch, PartitionData,
};
use logmill_wire::{Array, EncodeError, ErrorCode, Message, Records, Uuid, Writer};

use super::{Fetch, State, limit};
use crate::connection::{External, ExternalAt};
use crate::handlers::fetch_sessions::{
    Asked, FIRST_VERSION_WITH_IDS, FetchSessions, PartState, SessionUse, Told,
};
use crate::partitions::core::Core;
use crate::partitions::read::PartAnswer;
use logmill_engine::base::Now;

/// A partition of the response.
struct Row {
    code: ErrorCode,
    marks: Marks,
    diverging: EpochEndOffset,
    data: ReadData,
}

#[derive(Clone, Copy)]
struct Marks {
    high: i64,
    last_stable: i64,
    log_start: i64,
}

impl Fetch {
    /// Encodes the response's body; `externals` gets the records that belong into it.
    pub fn encode(
        mut self,
        now: Now,
        core: &Core,
        sessions: &mut FetchSessions,
        out: &mut Writer,
        externals: &mut Vec<ExternalAt>,
    ) -> Result<(), EncodeError> {
        let version = self.caller.version;
        let session = match self.session {
            Ok(session) => session,
            Err(code) => {
                let response = FetchResponse {
                    error_code: code.0,
                    ..FetchResponse::default()
                };
                return response.encode(out, version);
            }
        };
        let mut rows = self.rows();
        let by_id = version >= FIRST_VERSION_WITH_IDS;
        let session_id = match session {
            SessionUse::Sessionless => 0,
            SessionUse::Of(id) => id,
            SessionUse::Wanted => {
                let told = self
                    .asked
                    .iter()
                    .zip(&rows)
                    .map(|(asked, row)| (asked.clone(), row.told()));
                sessions.create(now.monotonic, by_id, told)
            }
        };
        let topics = self.topics(core, sessions, session, &rows);
        let response = FetchResponse {
            session_id,
            responses: topics.into(),
            ..FetchResponse::default()
        };
        response.encode(out, version)?;
        for hole in &out.holes {
            let data = std::mem::replace(&mut rows[hole.id as usize].data, ReadData::Empty);
            let part = match data {
                ReadData::Memory(slices) => External::Memory(slices),
                ReadData::File(range) => External::File(range),
                ReadData::Empty | ReadData::Loading => continue,
            };
            externals.push(ExternalAt { at: hole.at, part });
        }
        Ok(())
    }

    /// Takes the answers and keeps them to the response's size.
    fn rows(&mut self) -> Vec<Row> {
        let mut room = self.max_bytes;
        let mut is_first = true;
        let mut rows = Vec::with_capacity(self.parts.len());
        for (part, asked) in self.parts.drain(..).zip(&self.asked) {
            let answer = match part.state {
                State::Answered(answer) | State::Waiting(answer) => answer,
                State::Failed(code) => {
                    rows.push(Row::failed(code));
                    continue;
                }
                State::Stale | State::Reading => {
                    rows.push(Row::failed(ErrorCode::UNKNOWN_SERVER_ERROR));
                    continue;
                }
            };
            let mut row = Row::of(answer);
            let asked_max = usize::try_from(asked.max_bytes).unwrap_or(0);
            row.data = limit::cut(row.data, room, asked_max, is_first);
            let len = row.len();
            room = room.saturating_sub(len);
            is_first &= len == 0;
            rows.push(row);
        }
        rows
    }

    fn topics<'a>(
        &'a self,
        core: &Core,
        sessions: &mut FetchSessions,
        session: SessionUse,
        rows: &[Row],
    ) -> Vec<FetchableTopicResponse<'a>> {
        let mut topics: Vec<FetchableTopicResponse<'a>> = Vec::new();
        let mut partitions = Vec::new();
        let mut open: Option<&Asked> = None;
        for (number, (asked, row)) in self.asked.iter().zip(rows).enumerate() {
            if let SessionUse::Of(id) = session
                && !sessions.tells(id, asked, row.told(), row.state())
            {
                continue;
            }
            if let Some(last) = open
                && last.topic != asked.topic
            {
                topics.push(topic(last, std::mem::take(&mut partitions)));
            }
            open = Some(asked);
            partitions.push(self.partition(core, asked, row, number as u32));
        }
        if let Some(last) = open {
            topics.push(topic(last, partitions));
        }
        topics
    }

    fn partition<'a>(
        &self,
        core: &Core,
        asked: &Asked,
        row: &Row,
        number: u32,
    ) -> PartitionData<'a> {
        let records = match row.len() {
            0 => Records::Bytes(&[]),
            len => Records::External {
                len: len as u32,
                id: number,
            },
        };
        // Kafka leaves the list out where a read failed, but not where none was tried.
        let shows_aborted = match row.code {
            ErrorCode::NONE if row.diverging == EpochEndOffset::default() => {
                self.isolation == Isolation::ReadCommitted
            }
            ErrorCode::UNKNOWN_TOPIC_OR_PARTITION | ErrorCode::UNKNOWN_TOPIC_ID => true,
            _ => false,
        };
        PartitionData {
            partition_index: asked.partition,
            error_code: row.code.0,
            high_watermark: row.marks.high,
            last_stable_offset: row.marks.last_stable,
            log_start_offset: row.marks.log_start,
            diverging_epoch: row.diverging,
            current_leader: match self.caller.version {
                FIRST_VERSION_WITH_LEADERS.. => leader(core, asked, row.code),
                _ => LeaderIdAndEpoch::default(),
            },
            // No transactions, so none were aborted.
            aborted_transactions: shows_aborted.then(Array::empty),
            records: Some(records),
            ..PartitionData::default()
        }
    }
}

impl Row {
    fn of(answer: PartAnswer) -> Self {
        let diverging = answer
            .diverging
            .map_or_else(EpochEndOffset::default, |(epoch, end)| EpochEndOffset {
                epoch: epoch.0,
                end_offset: end.0,
            });
        Self {
            code: ErrorCode::NONE,
            marks: Marks {
                high: answer.high.0,
                last_stable: answer.last_stable.0,
                log_start: answer.log_start.0,
            },
            diverging,
            data: answer.data,
        }
    }

    fn failed(code: ErrorCode) -> Self {
        Self {
            code,
            marks: Marks {
                high: -1,
                last_stable: -1,
                log_start: -1,
            },
            diverging: EpochEndOffset::default(),
            data: ReadData::Empty,
        }
    }

    fn len(&self) -> usize {
        match &self.data {
            ReadData::Empty | ReadData::Loading => 0,
            ReadData::Memory(slices) => slices.len(),
            ReadData::File(range) => range.len as usize,
        }
    }

    fn told(&self) -> Told {
        Told {
            high: self.marks.high,
            log_start: self.marks.log_start,
        }
    }

    fn state(&self) -> PartState {
        if self.code != ErrorCode::NONE || self.diverging != EpochEndOffset::default() {
            PartState::Failed
        } else if self.len() > 0 {
            PartState::Records
        } else {
            PartState::Nothing
        }
    }
}

fn topic<'a>(asked: &'a Asked, partitions: Vec<PartitionData<'a>>) -> FetchableTopicResponse<'a> {
    FetchableTopicResponse {
        topic: &asked.topic.name,
        topic_id: Uuid(asked.topic.id.0),
        partitions: partitions.into(),
    }
}

/// KIP-951: the leader, told with the errors that say that the client believes in another.
fn leader(core: &Core, asked: &Asked, code: ErrorCode) -> LeaderIdAndEpoch {
    if !matches!(
        code,
        ErrorCode::NOT_LEADER_OR_FOLLOWER | ErrorCode::FENCED_LEADER_EPOCH
    ) {
        return LeaderIdAndEpoch::default();
    }
    let topic = core.catalog.by_id(asked.topic.id);
    let topic = topic.or_else(|| core.catalog.by_name(&asked.topic.name));
    let known = topic.and_then(|topic| topic.partition(PartitionIndex(asked.partition)));
    known.map_or_else(LeaderIdAndEpoch::default, |known| LeaderIdAndEpoch {
        leader_id: known.leader,
        leader_epoch: known.epoch.0,
    })
}

/// The field is older, but clients are told of leaders from this version on (KIP-951).
const FIRST_VERSION_WITH_LEADERS: i16 = 16;
