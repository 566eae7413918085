//! One file a subcommand: each joins the pure centre to the shell.

pub mod filter;
pub mod hear;
pub mod input;
pub mod ledger;
pub mod replay;
pub mod watcher;

use crate::cli::{Cli, Command};
use crate::failure::Outcome;
use crate::output::console::Console;

/// Runs what was typed, says why it failed if it did, and returns how it ended.
pub fn run(cli: Cli) -> Outcome {
    let json = match &cli.command {
        Command::Watch(options) => options.json,
        Command::Check(options) => options.json,
        Command::Replay(options) => options.json,
        Command::Store(_) | Command::Completions(_) => false,
    };
    let mut console = Console::detect(json, cli.talk.quiet, cli.talk.verbose);
    let result = match &cli.command {
        Command::Replay(options) => replay::run(options, &mut console),
        _ => unreachable!(),
    };
    let result = result.and_then(|outcome| Ok(console.finish().map(|()| outcome)?));
    result.unwrap_or_else(|failure| {
        console.failure(&failure);
        failure.outcome
    })
}
