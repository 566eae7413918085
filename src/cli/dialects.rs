//! `presence dialects` and `presence dialects test`

use clap::builder::BoolishValueParser;
use clap::{Args, Subcommand};
use std::path::PathBuf;

/// Lists the ways of announcing clients that are understood
///
/// What each can tell, and what it cannot. With a name: where it listens, and what the broker needs for it.
#[derive(Args, Clone, Debug)]
#[command(
    after_help = "Example:\n  presence dialects emqx",
    args_conflicts_with_subcommands = true
)]
pub struct Dialects {
    #[command(subcommand)]
    pub action: Option<Action>,

    /// Dialects to tell more about
    #[arg(value_name = "NAME")]
    pub names: Vec<String>,

    /// Print one JSON object a dialect
    #[arg(long, env = "PRESENCE_JSON", value_parser = BoolishValueParser::new())]
    pub json: bool,
}

/// What can be done with dialects of your own.
#[derive(Subcommand, Clone, Debug)]
pub enum Action {
    Test(Test),
}

/// Tells what a dialect of your own makes of a sample, message by message
///
/// The sample has one message a line: an object with `topic` and `payload`, as captures and recordings have
/// them, or a payload as it is. Exit code: 0 all were read or are not its business, 1 one was malformed.
#[derive(Args, Clone, Debug)]
#[command(after_help = "Example:\n  presence dialects test acme.toml sample.jsonl")]
pub struct Test {
    /// File that describes the dialect
    #[arg(value_name = "FILE")]
    pub file: PathBuf,

    /// Messages, one a line; `-` is standard input
    #[arg(value_name = "SAMPLE")]
    pub sample: PathBuf,

    /// Print one JSON object a line
    #[arg(long, env = "PRESENCE_JSON", value_parser = BoolishValueParser::new())]
    pub json: bool,
}
