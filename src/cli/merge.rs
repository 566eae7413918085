//! `presence simulate merge`, and what every verification can be asked to tell.

use clap::builder::BoolishValueParser;
use clap::{Args, Subcommand};
use std::path::PathBuf;

/// What can be done with reports of simulations.
#[derive(Subcommand, Clone, Debug)]
pub enum Action {
    Merge(Merge),
}

/// Joins the reports of the shards of one run
///
/// Reads what `simulate --json` printed for each shard, and tells of the whole as one run would have:
/// counts and delays add up exactly. Exit code: 0 verified, 1 not, or worse than the run compared with,
/// 6 the figures of a shard are not to be trusted.
#[derive(Args, Clone, Debug)]
#[command(after_help = "Example:\n  presence simulate merge a.json b.json --report run.html")]
pub struct Merge {
    /// Reports of shards, in any order; `-` is standard input
    #[arg(value_name = "FILE", required = true)]
    pub files: Vec<PathBuf>,

    /// Print one JSON object a line
    #[arg(long, env = "PRESENCE_JSON", value_parser = BoolishValueParser::new())]
    pub json: bool,

    #[command(flatten)]
    pub telling: Telling,
}

/// Where a verification is told of beside the answer, and what it is compared with.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Report")]
pub struct Telling {
    /// Write the report into this file as well, as a web page
    #[arg(long, value_name = "FILE", env = "PRESENCE_REPORT")]
    pub report: Option<PathBuf>,

    /// Compare with an earlier run, as `simulate --json` printed it
    ///
    /// What is told less often, or later by more than 20 % and 50 ms, ends with exit code 1.
    #[arg(long, value_name = "FILE", env = "PRESENCE_COMPARE")]
    pub compare: Option<PathBuf>,
}
