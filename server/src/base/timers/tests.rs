//! Tests of the module above.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

fn fired(wheel: &mut TimerWheel<u32>, now: u64) -> Vec<u32> {
    let mut values = Vec::new();
    wheel.advance(Micros(now), |value| values.push(value));
    values
}

#[test]
fn fires_at_the_deadline_and_not_before() {
    let mut wheel = TimerWheel::new(Micros(5_000_000));
    wheel.set(Micros(5_003_000), 1);
    assert!(fired(&mut wheel, 5_002_900).is_empty());
    let due = wheel.next_deadline().unwrap().0;
    assert!((5_003_000..5_003_000 + 1_024).contains(&due), "{due}");
    assert_eq!(fired(&mut wheel, due), [1]);
    assert_eq!(wheel.next_deadline(), None);
}

#[test]
fn a_deadline_in_the_past_fires_at_once() {
    let mut wheel = TimerWheel::new(Micros(5_000_000));
    wheel.set(Micros(1), 1);
    assert_eq!(fired(&mut wheel, 5_000_000), [1]);
}

#[test]
fn a_cancelled_timer_is_silent_and_its_key_stale() {
    let mut wheel = TimerWheel::new(Micros(0));
    let key = wheel.set(Micros(9_000), 1);
    assert!(wheel.cancel(key));
    assert!(!wheel.cancel(key));
    let other = wheel.set(Micros(9_000), 2);
    assert!(
        !wheel.cancel(key),
        "the place is used again under a new generation"
    );
    assert_eq!(fired(&mut wheel, 10_240), [2]);
    assert!(!wheel.cancel(other));
}

#[test]
fn reaches_beyond_the_last_level() {
    let mut wheel = TimerWheel::new(Micros(0));
    let day = 86_400 * 1_000_000;
    wheel.set(Micros(day), 1);
    let mut now = 0;
    while let Some(next) = wheel.next_deadline() {
        assert!(next.0 >= now);
        now = next.0.max(now + 1);
        if !fired(&mut wheel, now).is_empty() {
            break;
        }
    }
    assert!((day..day + 2_048).contains(&now), "{now}");
}

proptest! {
    /// Against a sorted map: whatever is set, cancelled and advanced, each timer fires once,
    /// not before its deadline, and not after the advance that passes its tick.
    #[test]
    fn agrees_with_a_sorted_map(
        steps in prop::collection::vec((0..3_u8, 0..40_000_000_u64), 1..200)
    ) {
        let mut wheel = TimerWheel::new(Micros(0));
        let mut model: BTreeMap<u32, (u64, TimerKey)> = BTreeMap::new();
        let mut now = 0;
        for (number, (kind, amount)) in steps.into_iter().enumerate() {
            let number = number as u32;
            match kind {
                0 => {
                    let key = wheel.set(Micros(now + amount), number);
                    model.insert(number, (now + amount, key));
                }
                1 => {
                    let Some((&victim, &(_, key))) = model.iter().next() else { continue };
                    prop_assert!(wheel.cancel(key));
                    model.remove(&victim);
                }
                _ => {
                    now += amount / 10;
                    for value in fired(&mut wheel, now) {
                        let (deadline, _) = model.remove(&value).expect("fires once");
                        prop_assert!(deadline <= now);
                    }
                    let late = now.saturating_sub(1_024);
                    prop_assert!(model.values().all(|&(deadline, _)| deadline > late));
                }
            }
            prop_assert_eq!(wheel.len(), model.len());
            if let Some(next) = wheel.next_deadline() {
                let first = model.values().map(|&(deadline, _)| deadline).min().unwrap();
                prop_assert!(next.0 < first.max(now) + 1_024);
            }
        }
    }
}
