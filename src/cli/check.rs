//! `presence check`

use super::connection::Connection;
use super::policy::Policy;
use super::reading::Reading;
use clap::{Args, ValueEnum};
use std::time::Duration;

pub const TIMEOUT: &str = "5s";

/// Answers whether clients are online, and how that is known
///
/// A verdict of the store that a running `presence watch` covers is given at once. Otherwise retained
/// status topics are read and the broker is listened to for a moment. Exit code: 0 online, 1 offline,
/// 3 unknown, 4 could not ask, 5 evidence disagrees; of several clients the worst counts.
#[derive(Args, Clone, Debug)]
#[command(after_help = "Example:\n  presence check pump-7 --explain")]
pub struct Check {
    /// Client ids to ask about
    #[arg(value_name = "ID", required_unless_present = "fleet")]
    pub ids: Vec<String>,

    /// Read more client ids from a file, one a line; `-` is standard input
    #[arg(long, value_name = "FILE", env = "PRESENCE_FLEET")]
    pub fleet: Option<String>,

    /// Show the evidence of every voice, and what decided
    #[arg(long, env = "PRESENCE_EXPLAIN", value_parser = clap::builder::BoolishValueParser::new())]
    pub explain: bool,

    /// Print one JSON object a line
    #[arg(long, env = "PRESENCE_JSON", value_parser = clap::builder::BoolishValueParser::new())]
    pub json: bool,

    /// Evidence to gather
    #[arg(
        long,
        value_enum,
        value_name = "SOURCE",
        env = "PRESENCE_EVIDENCE",
        value_delimiter = ',',
        default_value = "store,retained,listen"
    )]
    pub evidence: Vec<Evidence>,

    /// Ask every source, even where the store already knows
    #[arg(long, env = "PRESENCE_FRESH", value_parser = clap::builder::BoolishValueParser::new())]
    pub fresh: bool,

    /// Longest time that gathering evidence may take
    #[arg(long, value_name = "DURATION", env = "PRESENCE_TIMEOUT", value_parser = humantime::parse_duration, default_value = TIMEOUT)]
    pub timeout: Duration,

    #[command(flatten)]
    pub profile: super::profile::Profile,
    #[command(flatten)]
    pub store: super::store::Where,
    #[command(flatten)]
    pub connection: Connection,
    #[command(flatten)]
    pub reading: Reading,
    #[command(flatten)]
    pub policy: Policy,
}

/// Where evidence comes from.
#[derive(ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum Evidence {
    /// What a watcher has kept
    Store,
    /// The status that the broker keeps retained for each client
    Retained,
    /// What the broker says within the timeout
    Listen,
}
