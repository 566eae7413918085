//! Parse, run, exit code.

use clap::Parser;
use presence::cli::Cli;
use std::process::ExitCode;

fn main() -> ExitCode {
    let cli = Cli::parse();
    ExitCode::from(presence::command::run(&cli).code())
}
