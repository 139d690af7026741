//! From a command line to a running broker: configuration, host, directories, recovery, metadata.
//!
//! Everything that may block or fail at start happens here, on one thread, before any shard
//! exists. The result is a [`Prepared`] for the runtime.

mod assemble;
mod cli;
pub mod directories;
mod error;
pub mod listen;
pub mod metadata_log;
mod prepared;
pub mod resources;
mod run;
mod screen;

pub use error::StartError;
pub use prepared::Prepared;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::Parser;

use crate::config::readme;

/// Runs the broker as its binary does, with a command line whose first word is the program's
/// name. Returns when the broker has stopped: success after a clean stop.
pub fn main_from(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let arguments = match cli::Arguments::try_parse_from(arguments) {
        Ok(arguments) => arguments,
        Err(error) => {
            // Help and version are answers, not failures. A closed stream is no reason to fail.
            let _ = error.print();
            return if error.use_stderr() {
                ExitCode::from(USAGE)
            } else {
                ExitCode::SUCCESS
            };
        }
    };
    if arguments.command == Some(cli::Command::ConfigTable) {
        print!("{}", readme::markdown());
        return ExitCode::SUCCESS;
    }
    match run::run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("logmill: {error}");
            ExitCode::FAILURE
        }
    }
}

/// What a wrong command line exits with.
const USAGE: u8 = 2;
