//! What can be typed: one file a subcommand, and one for each group of options that commands share.

pub mod check;
pub mod completions;
pub mod connection;
pub mod policy;
pub mod reading;
pub mod replay;
pub mod store;
pub mod watch;

use clap::{Args, Parser, Subcommand};

/// Tells whether an MQTT client is online, and shows the evidence
///
/// Brokers announce who comes and goes in many ways: out of order, more than once, and not at all
/// while nobody listens. This tool joins what was said into one answer, and says `unknown` where
/// there is none.
#[derive(Parser, Clone, Debug)]
#[command(
    name = "presence",
    version,
    max_term_width = 100,
    after_help = "Start with `presence watch -b HOST` in one terminal and `presence check ID -b HOST` \
                  in another.\nMore about a command: `presence help COMMAND`"
)]
pub struct Cli {
    #[command(flatten)]
    pub talk: Talk,
    #[command(subcommand)]
    pub command: Command,
}

/// How much is said beside the answer.
#[derive(Args, Clone, Copy, Debug)]
pub struct Talk {
    /// Say nothing on standard error but warnings and errors
    #[arg(short, long, global = true, env = "PRESENCE_QUIET", value_parser = clap::builder::BoolishValueParser::new())]
    pub quiet: bool,
    /// Say on standard error what is going on inside
    #[arg(short, long, global = true, env = "PRESENCE_VERBOSE", value_parser = clap::builder::BoolishValueParser::new())]
    pub verbose: bool,
}

#[derive(Subcommand, Clone, Debug)]
pub enum Command {
    Watch(Box<watch::Watch>),
    Check(Box<check::Check>),
    Replay(Box<replay::Replay>),
    Store(store::Store),
    Completions(completions::Completions),
}
