//! The whole store against a model: random programs of everything that a shard asks of it, on the
//! memory disk with completions in any order, restarts and crashes included. After every step what
//! the store says and gives is what a map from offset to batch says.
//!
//! The crash test beside it goes deeper into crashes, with few operations; here operations are
//! many, and crashes few. Programs shrink: a failure is reported as the shortest one that fails.
//!
//! `LOGMILL_MODEL_PROGRAMS=N` runs more programs, `LOGMILL_MODEL_SEED=S` others.

mod checks;
mod program;
#[path = "../rig/mod.rs"]
mod rig;
mod shadow;
mod world;

use proptest::{prelude::*, test_runner::RngSeed};

use program::{Knobs, Step, knobs, step};
use world::World;

/// One program: what the store is opened with, the order of completions, and what is done.
fn run(knobs: Knobs, seed: u64, steps: &[Step]) {
    let mut world = World::new(knobs, seed);
    for step in steps {
        world.apply(step);
        world.check();
    }
    world.apply(&Step::Settle);
    world.check();
    world.apply(&Step::Restart);
    world.check();
}

fn number(name: &str, default: u64) -> u64 {
    let asked = std::env::var(name).ok();
    asked.and_then(|text| text.parse().ok()).unwrap_or(default)
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: number("LOGMILL_MODEL_PROGRAMS", PROGRAMS) as u32,
        rng_seed: RngSeed::Fixed(number("LOGMILL_MODEL_SEED", 1)),
        failure_persistence: None,
        max_shrink_iters: 4_000,
        ..ProptestConfig::default()
    })]

    #[test]
    fn the_store_does_what_a_map_of_batches_does(
        knobs in knobs(),
        seed in any::<u64>().no_shrink(),
        steps in prop::collection::vec(step(), 1..50),
    ) {
        run(knobs, seed, &steps);
    }
}

/// In every run of the tests.
const PROGRAMS: u64 = 10_000;
