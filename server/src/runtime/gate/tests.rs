//! What the gate lets in, and when.

use super::*;

fn gate(limits: GateLimits) -> Gate {
    Gate::new(limits, Instant::now())
}

#[test]
fn turns_come_at_the_rate() {
    let start = Instant::now();
    let limits = GateLimits {
        connections: 100,
        per_address: u32::MAX,
        overrides: BTreeMap::new(),
        per_second: 4,
    };
    let gate = Gate::new(limits.clone(), start);
    let at = |ms: u64| start + Duration::from_millis(ms);
    let came = |asked: u64, every_ms: u64| {
        let moments = (0..asked).map(|number| at(number * every_ms));
        moments.filter(|now| gate.take_turn(*now).is_ok()).count()
    };
    assert_eq!(came(9, 0), 4, "what comes together in a second");
    assert_eq!(came(1002, 1), 4, "a quarter of a second each");
    let wait = gate.take_turn(at(1001)).unwrap_err();
    assert!((200..=250).contains(&wait.as_millis()), "{wait:?}");
    gate.return_turn();
    assert_eq!(gate.take_turn(at(1001)), Ok(()));
    gate.limit(GateLimits {
        per_second: 0,
        ..limits.clone()
    });
    let never = gate.take_turn(at(1002)).unwrap_err();
    assert_eq!(never, TURN_WAIT_MAX, "it is looked at again");
    gate.limit(GateLimits {
        per_second: u32::MAX,
        ..limits
    });
    assert_eq!(came(1000, 0), 1000);
}

#[test]
fn other_limits_hold_at_once_and_for_those_that_are_open() {
    let one = IpAddr::from([10, 0, 0, 1]);
    let limits = |connections, per_address| GateLimits {
        connections,
        per_address,
        overrides: BTreeMap::new(),
        per_second: u32::MAX,
    };
    let gate = gate(limits(2, u32::MAX));
    assert_eq!((gate.enter(one), gate.enter(one)), (Ok(()), Ok(())));
    assert_eq!(gate.enter(one), Err(GateError::Full { limit: 2 }));
    gate.limit(limits(9, 2));
    let full = GateError::AddressFull {
        address: one,
        limit: 2,
    };
    assert_eq!(gate.enter(one), Err(full), "those from before are counted");
    gate.limit(limits(9, 3));
    assert_eq!(gate.enter(one), Ok(()));
    gate.limit(limits(1, 3));
    gate.leave(one);
    assert_eq!(gate.enter(one), Err(GateError::Full { limit: 1 }));
}

#[test]
fn counts_in_all_and_by_address() {
    let [one, two, free] = [[10, 0, 0, 1], [10, 0, 0, 2], [10, 0, 0, 3]].map(IpAddr::from);
    let gate = gate(GateLimits {
        connections: 4,
        per_address: 1,
        overrides: BTreeMap::from([(free, 100)]),
        per_second: u32::MAX,
    });
    assert_eq!(gate.enter(one), Ok(()));
    assert_eq!(
        gate.enter(one),
        Err(GateError::AddressFull {
            address: one,
            limit: 1
        })
    );
    assert_eq!(gate.enter(two), Ok(()));
    gate.leave(one);
    assert_eq!(gate.enter(one), Ok(()));
    assert_eq!((gate.enter(free), gate.enter(free)), (Ok(()), Ok(())));
    assert_eq!(gate.enter(free), Err(GateError::Full { limit: 4 }));
    assert_eq!(gate.open.load(Ordering::Relaxed), 4);
}
