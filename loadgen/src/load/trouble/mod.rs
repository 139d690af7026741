//! Groups in trouble beside a steady load: storms of rebalances, poisoned members, slow members.
//!
//! One thread of the lowest priority makes the trouble, so that what the load suffers is the
//! broker's doing and not this process's.

mod figures;
mod plan;
mod probe;
mod requests;
mod rogue;
mod rogues;
mod storm;

use std::sync::Arc;
use std::sync::mpsc::Sender;
use std::time::Duration;

pub use figures::TroubleFigures;
pub use plan::{Trouble, TroublePlan};

use self::figures::Tally;
use self::rogues::Rogues;
use self::storm::Storm;
use super::plan::LoadPlan;
use super::shared::{Done, Message, Reporter, Shared};
use crate::clock::nanos;
use crate::sys;

/// What makes trouble, turn by turn.
trait Maker {
    /// Asks what is due, waits a little for answers, and counts them.
    fn turn(&mut self, tally: &mut Tally) -> Result<(), String>;

    /// True once the trouble is what it is going to be.
    fn is_going(&self) -> bool;

    /// What went wrong last with a connection or a coordinator.
    fn last_error(&self) -> Option<String>;
}

/// Makes trouble until the measured window is over; the topic has so many partitions.
pub(super) fn run_trouble(
    plan: &LoadPlan,
    trouble: &TroublePlan,
    partitions: u32,
    shared: &Arc<Shared>,
    sender: Sender<Message>,
) {
    sys::give_way();
    let results = sender.clone();
    let reporter = Reporter::new(sender);
    let mut tally = Tally::default();
    let outcome = match trouble.kind {
        Trouble::Calm => unreachable!("nobody makes trouble in calm phases"),
        Trouble::Storm => {
            let mut storm = Storm::new(plan, trouble, partitions, shared);
            drive(plan, &mut storm, shared, &reporter, &mut tally)
        }
        Trouble::Poisoned | Trouble::Slow => {
            let made = Rogues::new(plan, trouble, partitions, shared);
            made.and_then(|mut rogues| drive(plan, &mut rogues, shared, &reporter, &mut tally))
        }
    };
    let _ = results.send(Message::Trouble(Box::new(tally.figures)));
    let done = Done {
        failure: outcome.err(),
        ..Done::default()
    };
    reporter.done(done, shared.clock.now());
}

fn drive(
    plan: &LoadPlan,
    maker: &mut dyn Maker,
    shared: &Shared,
    reporter: &Reporter,
    tally: &mut Tally,
) -> Result<(), String> {
    let give_up = shared.clock.now() + nanos(plan.drain);
    while !maker.is_going() {
        if shared.is_stopped() {
            return Ok(());
        }
        if shared.clock.now() > give_up {
            let last = maker.last_error();
            return Err(format!(
                "the trouble was not under way after {:?}{}",
                plan.drain,
                last.map_or_else(String::new, |error| format!(": {error}")),
            ));
        }
        maker.turn(tally)?;
    }
    reporter.ready();
    while !shared.is_stopped() {
        if let Some(window) = shared.window() {
            tally.window = window;
            if shared.clock.now() >= window.1 {
                break;
            }
        }
        maker.turn(tally)?;
    }
    Ok(())
}

/// The longest wait of a turn.
const TURN: Duration = Duration::from_millis(20);
