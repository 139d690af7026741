//! The broker binary.

use std::process::ExitCode;

fn main() -> ExitCode {
    logmill::main_from(std::env::args_os())
}
