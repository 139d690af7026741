//! Timestamps to offsets, judged record by record.

use proptest::prelude::*;

use super::kit::{World, config};
use crate::base::Offset;
use crate::format::builder::BatchBuilder;
use crate::format::compression::Codec;
use crate::format::names::FileKind;
use crate::log::*;

impl World {
    fn find(&mut self, query: TimestampQuery) -> Option<(i64, i64)> {
        let mut step = self.log.find_timestamp(query);
        for _ in 0..1_000 {
            step = match step {
                TimestampStep::NotFound => return None,
                TimestampStep::Found(found) => return Some((found.timestamp, found.offset.0)),
                TimestampStep::NeedIndex {
                    segment_base,
                    kind,
                    len,
                } => {
                    let file = self.files[&(segment_base, kind)].clone();
                    assert!(self.log.index_loaded(segment_base, kind, &file[..len]));
                    self.log.find_timestamp(query)
                }
                TimestampStep::NeedBlock {
                    search,
                    segment_base,
                    position,
                    len,
                } => {
                    let file = &self.files[&(segment_base, FileKind::Log)];
                    let start = position.0 as usize;
                    self.log
                        .find_timestamp_with_block(search, &file[start..start + len])
                }
                TimestampStep::Corrupt { .. } => panic!("{step:?}"),
            };
        }
        panic!("a search does not come to an end: {query:?}");
    }
}

/// The first record that is not older; of the largest, Kafka's rule: the first segment that has it,
/// therein the first record.
fn expected(
    segments: &[SegmentInfo],
    records: &[(i64, i64)],
    start: i64,
    query: TimestampQuery,
) -> Option<(i64, i64)> {
    let in_segment = |segment: &SegmentInfo| {
        let (base, end) = (segment.base.0, segment.end.0);
        records
            .iter()
            .filter(move |(_, offset)| (base..end).contains(offset))
    };
    let live = segments.iter().filter(|segment| segment.end.0 > start);
    match query {
        // Kafka looks in one segment only, which may be young for a deleted record.
        TimestampQuery::AtOrAfter(target) => records
            .iter()
            .find(|(time, offset)| *time >= target && *offset >= start)
            .copied(),
        TimestampQuery::Largest => {
            let max = live.clone().map(|segment| segment.max_timestamp).max()?;
            let segment = live.clone().find(|segment| segment.max_timestamp == max)?;
            in_segment(segment).find(|(time, _)| *time == max).copied()
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, ..ProptestConfig::default() })]

    #[test]
    fn each_record_is_found_by_its_timestamp(
        batches in prop::collection::vec(
            (prop::collection::vec((0..2_000_i64, 0..200_usize), 1..20), 0..5_u8), 1..60,
        ),
        flush_at in 0..60_usize,
        start in 0..30_i64,
        restart in any::<bool>(),
    ) {
        let mut world = World::new(LogConfig { segment_bytes: 10_000, ..config() });
        let mut records = Vec::new();
        for (at, (batch, codec)) in batches.iter().enumerate() {
            let mut builder = BatchBuilder::new();
            for &(time, len) in batch {
                builder.push(time, None, Some(&vec![7; len]), &[]);
                records.push((time, records.len() as i64));
            }
            world.append(&builder.build(Codec::from_id(*codec).unwrap()).unwrap());
            if at == flush_at {
                world.flush();
                world.log.evict_clean(usize::MAX);
            }
        }
        if restart {
            world.restart();
        }
        let start = start.min(records.len() as i64 - 1);
        world.advance_log_start(Offset(start));
        let segments: Vec<_> = world.log.segments().collect();
        let max = records.iter().map(|(time, _)| *time).max().unwrap();
        let mut queries: Vec<_> =
            (0..2_000).step_by(97).map(TimestampQuery::AtOrAfter).collect();
        queries.extend([max, max + 1].map(TimestampQuery::AtOrAfter));
        // The largest of all may lie before the log start: then Kafka's answer is none.
        if start == 0 {
            queries.push(TimestampQuery::Largest);
        }
        for query in queries {
            let wanted = expected(&segments, &records, start, query);
            prop_assert_eq!(world.find(query), wanted, "{:?}", query);
        }
    }
}

#[test]
fn an_empty_log_has_no_records() {
    let mut world = World::new(config());
    assert_eq!(world.find(TimestampQuery::Largest), None);
    assert_eq!(world.find(TimestampQuery::AtOrAfter(0)), None);
}

#[test]
fn the_brokers_clock_is_every_records_timestamp() {
    let timestamps = TimestampConfig {
        timestamp_type: TimestampType::LogAppendTime,
        ..TimestampConfig::default()
    };
    let mut world = World::new(LogConfig {
        timestamps,
        ..config()
    });
    let batch = BatchBuilder::new()
        .record(5, None, None)
        .record(9, None, None);
    world.append(&batch.build(Codec::Lz4).unwrap());
    let now = world.now.wall_ms;
    assert_eq!(world.find(TimestampQuery::AtOrAfter(7)), Some((now, 0)));
    assert_eq!(world.find(TimestampQuery::Largest), Some((now, 0)));
}

#[test]
fn a_short_block_is_damage_not_a_loop() {
    let mut world = World::new(config());
    world.append(
        &BatchBuilder::new()
            .record(5, None, None)
            .build(Codec::None)
            .unwrap(),
    );
    world.flush();
    world.log.evict_clean(usize::MAX);
    let step = world.log.find_timestamp(TimestampQuery::Largest);
    let TimestampStep::NeedBlock { search, .. } = step else {
        panic!("{step:?}");
    };
    let step = world.log.find_timestamp_with_block(search, &[0; 10]);
    assert!(matches!(step, TimestampStep::Corrupt { .. }));
}
