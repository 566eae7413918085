//! Parse, run, exit code.

use presence::cli::Cli;
use std::process::ExitCode;

fn main() -> ExitCode {
    let cli = Cli::read();
    ExitCode::from(presence::command::run(&cli).code())
}
