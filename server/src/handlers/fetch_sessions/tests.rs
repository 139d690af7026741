//! Tests of the module above.

use logmill_wire::Uuid;
use logmill_wire::messages::fetch::{FetchPartition, FetchTopic, ForgottenTopic};

use super::*;

const NOW: Micros = Micros::from_millis(1_000_000);

fn sessions() -> FetchSessions {
    FetchSessions::new(2, 150, 1, 1)
}

fn request(id: i32, epoch: i32, parts: &'static [FetchPartition]) -> FetchRequest<'static> {
    let topics = if parts.is_empty() {
        Vec::new()
    } else {
        vec![FetchTopic {
            topic: "t",
            partitions: parts.into(),
            ..FetchTopic::default()
        }]
    };
    FetchRequest {
        session_id: id,
        session_epoch: epoch,
        topics: topics.into(),
        ..FetchRequest::default()
    }
}

fn part(partition: i32, offset: i64) -> FetchPartition {
    FetchPartition {
        partition,
        fetch_offset: offset,
        ..FetchPartition::default()
    }
}

fn leak(parts: Vec<FetchPartition>) -> &'static [FetchPartition] {
    Vec::leak(parts)
}

fn begun(
    sessions: &mut FetchSessions,
    request: &FetchRequest<'_>,
) -> (Result<SessionUse, ErrorCode>, Vec<(i32, i64)>) {
    let mut parts = Vec::new();
    let result = sessions.begin(NOW, 12, request, |_| None, &mut parts);
    (
        result,
        parts.iter().map(|it| (it.partition, it.offset)).collect(),
    )
}

fn create(sessions: &mut FetchSessions, now: Micros, count: i32) -> i32 {
    let told = Told {
        high: 5,
        log_start: 0,
    };
    let parts: Vec<_> = (0..count)
        .map(|partition| (asked(partition), told))
        .collect();
    sessions.create(now, false, parts.into_iter())
}

fn asked(partition: i32) -> Asked {
    Asked {
        topic: NamedTopic {
            id: TopicId::ZERO,
            name: "t".into(),
        },
        partition,
        offset: 0,
        max_bytes: 100,
        current_epoch: -1,
        last_fetched_epoch: -1,
    }
}

#[test]
fn a_session_remembers_what_is_fetched() {
    let mut sessions = sessions();
    let full = request(0, 0, leak(vec![part(0, 7), part(1, 8)]));
    let (result, parts) = begun(&mut sessions, &full);
    assert_eq!(
        (result, parts),
        (Ok(SessionUse::Wanted), vec![(0, 7), (1, 8)])
    );
    let id = create(&mut sessions, NOW, 2);
    let change = request(id, 1, leak(vec![part(1, 9), part(2, 0)]));
    let (result, parts) = begun(&mut sessions, &change);
    assert_eq!(
        (result, parts),
        (Ok(SessionUse::Of(id)), vec![(0, 0), (1, 9), (2, 0)])
    );
    let mut forget = request(id, 2, &[]);
    let gone = ForgottenTopic {
        topic: "t",
        partitions: vec![0, 1].into(),
        ..ForgottenTopic::default()
    };
    forget.forgotten_topics_data = vec![gone].into();
    assert_eq!(begun(&mut sessions, &forget).1, [(2, 0)]);
}

#[test]
fn what_is_wrong_with_a_session_has_its_code() {
    let mut sessions = sessions();
    let id = create(&mut sessions, NOW, 1);
    let wrong = begun(&mut sessions, &request(id + 77, 1, &[])).0;
    assert_eq!(wrong, Err(ErrorCode::FETCH_SESSION_ID_NOT_FOUND));
    let wrong = begun(&mut sessions, &request(id, 5, &[])).0;
    assert_eq!(wrong, Err(ErrorCode::INVALID_FETCH_SESSION_EPOCH));
    let mut parts = Vec::new();
    let wrong = sessions.begin(NOW, 13, &request(id, 1, &[]), |_| None, &mut parts);
    assert_eq!(wrong, Err(ErrorCode::FETCH_SESSION_TOPIC_ID_ERROR));
    assert_eq!(
        begun(&mut sessions, &request(id, -1, &[])).0,
        Ok(SessionUse::Sessionless)
    );
    assert!(sessions.is_empty(), "the final epoch ends it");
}

#[test]
fn only_news_is_told_and_what_was_served_moves_back() {
    let mut sessions = sessions();
    let id = create(&mut sessions, NOW, 3);
    let told = Told {
        high: 5,
        log_start: 0,
    };
    let mut tells = |partition, high, state| {
        sessions.tells(id, &asked(partition), Told { high, ..told }, state)
    };
    assert!(!tells(0, 5, PartState::Nothing));
    assert!(tells(0, 6, PartState::Nothing), "the high watermark moved");
    assert!(!tells(0, 6, PartState::Nothing));
    assert!(tells(0, 6, PartState::Records));
    assert!(tells(1, -1, PartState::Failed));
    assert!(tells(1, 5, PartState::Nothing), "the error is over");
    let order = begun(&mut sessions, &request(id, 1, &[])).1;
    assert_eq!(order, [(1, 0), (2, 0), (0, 0)]);
}

#[test]
fn a_full_cache_keeps_young_and_busy_sessions() {
    let mut sessions = sessions();
    let (first, second) = (create(&mut sessions, NOW, 5), create(&mut sessions, NOW, 2));
    assert_eq!(create(&mut sessions, NOW, 100), 0, "all are young");
    let later = NOW.saturating_add(Micros::from_millis(130_000));
    for id in [first, second] {
        let mut parts = Vec::new();
        sessions
            .begin(later, 12, &request(id, 1, &[]), |_| None, &mut parts)
            .unwrap();
    }
    assert_eq!(create(&mut sessions, later, 2), 0, "none is smaller");
    assert_ne!(create(&mut sessions, later, 3), 0);
    assert_eq!(
        begun(&mut sessions, &request(second, 2, &[]))
            .0
            .unwrap_err()
            .0,
        70
    );
    let idle = later.saturating_add(Micros::from_millis(130_000));
    assert_ne!(create(&mut sessions, idle, 1), 0, "idle ones go");
}

#[test]
fn a_partition_named_twice_is_fetched_once() {
    for count in [3, FEW_PARTS as i32 - 2, FEW_PARTS as i32 + 5] {
        let mut parts: Vec<_> = (0..count).map(|index| part(index, 1)).collect();
        parts.push(part(1, 8));
        parts.push(part(0, 7));
        let mut expected: Vec<_> = (0..count).map(|index| (index, 1)).collect();
        (expected[0].1, expected[1].1) = (7, 8);
        let (_, asked) = begun(&mut sessions(), &request(0, -1, leak(parts)));
        assert_eq!(asked, expected, "{count} partitions");
    }
}

#[test]
fn a_session_by_id_remembers_the_name() {
    const ID: TopicId = TopicId([7; 16]);
    let mut sessions = sessions();
    let mut full = request(0, 0, &[]);
    full.topics = vec![FetchTopic {
        topic_id: Uuid(ID.0),
        partitions: vec![part(0, 0)].into(),
        ..FetchTopic::default()
    }]
    .into();
    let mut parts = Vec::new();
    let named = |id| (id == ID).then(|| "t".into());
    sessions.begin(NOW, 13, &full, named, &mut parts).unwrap();
    let told = Told {
        high: 0,
        log_start: 0,
    };
    let id = sessions.create(NOW, true, parts.drain(..).map(|asked| (asked, told)));
    // The topic is gone, and the client asks for another offset of it.
    let mut next = request(id, 1, &[]);
    next.topics = full.topics;
    sessions
        .begin(NOW, 13, &next, |_| None, &mut parts)
        .unwrap();
    assert_eq!(parts.len(), 1);
    assert_eq!((parts[0].topic.id, &*parts[0].topic.name), (ID, "t"));
}

#[test]
fn partitions_of_all_sessions_are_bounded() {
    let mut sessions = sessions();
    assert_eq!(create(&mut sessions, NOW, 151), 0);
    let id = create(&mut sessions, NOW, 149);
    assert_ne!(id, 0);
    assert_eq!(create(&mut sessions, NOW, 2), 0);
    let more = request(id, 1, leak(vec![part(500, 0)]));
    assert_eq!(begun(&mut sessions, &more).0, Ok(SessionUse::Of(id)));
    let more = request(id, 2, leak(vec![part(501, 0)]));
    assert_eq!(begun(&mut sessions, &more).0.unwrap_err().0, 70);
    assert_ne!(create(&mut sessions, NOW, 150), 0, "what it held is free");
}
