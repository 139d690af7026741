//! SIGTERM and SIGINT: the first stops the broker, the second ends the process at once.

use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread;

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use super::driver::Common;
use super::mailboxes::Bell;

/// Watches for signals in a thread of its own, which sleeps until one comes.
pub fn watch(common: Arc<Common>, bells: Vec<Arc<Bell>>) -> io::Result<()> {
    let mut signals = Signals::new([SIGTERM, SIGINT])?;
    thread::Builder::new()
        .name("signals".to_owned())
        .spawn(move || {
            for signal in signals.forever() {
                if common.stop.swap(true, Ordering::SeqCst) {
                    eprintln!("second signal: leaving at once");
                    leave(signal);
                }
                eprintln!("stopping: finishing what is in flight");
                bells.iter().for_each(|bell| bell.ring());
            }
        })?;
    Ok(())
}

#[expect(
    clippy::disallowed_methods,
    reason = "a second signal asks for exactly this"
)]
fn leave(signal: i32) -> ! {
    std::process::exit(128 + signal)
}
