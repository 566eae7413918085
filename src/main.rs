//! Parse, run, exit code.

use clap::FromArgMatches;
use presence::cli::Cli;
use std::process::ExitCode;

fn main() -> ExitCode {
    let matches = Cli::definition().get_matches();
    let cli = Cli::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
    ExitCode::from(presence::command::run(&cli).code())
}
