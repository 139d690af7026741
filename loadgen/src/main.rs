//! `loadgen`: drives a Kafka-compatible broker, measures it, and checks every record.

use std::process::ExitCode;

fn main() -> ExitCode {
    logmill_loadgen::cli::main_from(std::env::args_os())
}
