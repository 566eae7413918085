//! `presence check`

use super::api::Api;
use super::connection::Connection;
use super::policy::Policy;
use super::reading::Reading;
use clap::{Args, ValueEnum};
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

pub const TIMEOUT: &str = "5s";
pub const WAIT_TIMEOUT: &str = "2m";

/// Answers whether clients are online, and how that is known
///
/// A verdict of the store that a running `presence watch` covers is given at once. Otherwise retained
/// status topics are read, the broker is listened to for a moment, and APIs are asked. Exit code: 0 online, 1 offline,
/// 3 unknown, 4 could not ask, 5 evidence disagrees; of several clients the worst counts.
#[derive(Args, Clone, Debug)]
#[command(after_help = "Example:\n  presence check pump-7 --explain")]
pub struct Check {
    #[command(flatten)]
    pub asked: Asked,

    /// Evidence to gather
    #[arg(
        long,
        value_enum,
        value_name = "SOURCE",
        env = "PRESENCE_EVIDENCE",
        value_delimiter = ',',
        default_value = "store,retained,listen,api"
    )]
    pub evidence: Vec<Evidence>,

    /// Listen with the dialects that a probe recommends
    ///
    /// The file holds what `presence probe --json` printed about this broker. `--dialect` outranks it.
    #[arg(long, value_name = "FILE", env = "PRESENCE_PROBE")]
    pub probe: Option<PathBuf>,

    /// Ask every source, even where the store already knows
    #[arg(long, env = "PRESENCE_FRESH", value_parser = clap::builder::BoolishValueParser::new())]
    pub fresh: bool,

    /// Longest time that gathering evidence or waiting may take [default: 5s, more where an API needs it, with --wait 2m]
    #[arg(long, value_name = "DURATION", env = "PRESENCE_TIMEOUT", value_parser = humantime::parse_duration)]
    pub timeout: Option<Duration>,

    #[command(flatten)]
    pub gate: Gate,
    #[command(flatten)]
    pub answer: Answer,
    #[command(flatten)]
    pub profile: super::profile::Profile,
    #[command(flatten)]
    pub store: super::store::Where,
    #[command(flatten)]
    pub connection: Connection,
    #[command(flatten)]
    pub api: Api,
    #[command(flatten)]
    pub reading: Reading,
    #[command(flatten)]
    pub policy: Policy,
}

impl Check {
    /// Returns the longest time that all may take.
    #[must_use]
    pub fn patience(&self) -> Duration {
        let usual = if self.gate.wait.is_some() { WAIT_TIMEOUT } else { TIMEOUT };
        let usual = || humantime::parse_duration(usual).expect("it is a duration");
        self.timeout.unwrap_or_else(usual)
    }
}

/// Whom it is about.
#[derive(Args, Clone, Debug)]
pub struct Asked {
    /// Client ids to ask about
    #[arg(value_name = "ID", required_unless_present_any = ["fleet", "matching", "reconcile"])]
    pub ids: Vec<String>,

    /// Read more client ids from a file; `-` is standard input
    #[arg(long, value_name = "FILE", env = "PRESENCE_FLEET")]
    pub fleet: Option<String>,

    /// What that file is; without it, what its name ends in says
    #[arg(long, value_enum, value_name = "FORMAT", env = "PRESENCE_FLEET_FORMAT")]
    pub fleet_format: Option<FleetFormat>,

    /// Column or member of it that holds the client id
    #[arg(long, value_name = "NAME", env = "PRESENCE_FLEET_COLUMN")]
    pub fleet_column: Option<String>,

    /// Ask about the clients of the store whose ids match; may be given several times
    #[arg(long = "match", value_name = "GLOB", env = "PRESENCE_MATCH")]
    pub matching: Vec<String>,

    /// Compare what the store says with what the broker lists, read from a file; `-` is standard input
    ///
    /// Listings of EMQX, RabbitMQ, VerneMQ and HiveMQ, answers of Mosquitto's dynamic security, or a table
    /// with the columns `client_id` and `connected`. Without ids it is about all clients of both. Exit
    /// code: 0 they agree, 1 they differ, 3 nothing could be compared.
    #[arg(
        long,
        value_name = "FILE",
        env = "PRESENCE_RECONCILE",
        conflicts_with_all = ["wait", "explain", "nagios", "max_offline"]
    )]
    pub reconcile: Option<String>,

    /// All clients of the store are meant.
    #[arg(skip)]
    pub all: bool,
}

/// What a list of client ids is.
#[derive(ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum FleetFormat {
    /// One id a line
    Plain,
    /// A table whose first row names its columns
    Csv,
    /// Texts or objects, in a list or one a line, or what an API of a broker lists
    Json,
}

/// What is waited for.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Waiting")]
pub struct Gate {
    /// Wait until all of them are online, or all are offline
    ///
    /// Exit code 0 when that is so, 124 when the time runs out before.
    #[arg(long, value_enum, value_name = "STATE", env = "PRESENCE_WAIT")]
    pub wait: Option<Awaited>,

    /// How long it must have been so without a break
    #[arg(long, value_name = "DURATION", env = "PRESENCE_STABLE", value_parser = humantime::parse_duration, default_value = "0s")]
    pub stable: Duration,
}

/// What can be waited for.
#[derive(ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum Awaited {
    Online,
    Offline,
}

/// How it is told.
#[derive(Args, Clone, Debug)]
pub struct Answer {
    /// Show the evidence of every voice, and what decided
    #[arg(long, env = "PRESENCE_EXPLAIN", value_parser = clap::builder::BoolishValueParser::new())]
    pub explain: bool,

    /// Print one JSON object a line
    #[arg(long, env = "PRESENCE_JSON", value_parser = clap::builder::BoolishValueParser::new())]
    pub json: bool,

    /// Answer as a plugin of Nagios does, with performance data
    ///
    /// Exit code: 0 online, 1 evidence disagrees, 2 offline, 3 anything else.
    #[arg(long, env = "PRESENCE_NAGIOS", conflicts_with_all = ["json", "explain"], value_parser = clap::builder::BoolishValueParser::new())]
    pub nagios: bool,

    /// So many may be not online, as a number or a share of all (`5%`)
    ///
    /// Who is unknown or suspect counts as not online. Exit code 0 up to that, and 1 beyond.
    #[arg(long, value_name = "N|P%", env = "PRESENCE_MAX_OFFLINE")]
    pub max_offline: Option<MaxOffline>,
}

/// How many of all may be not online.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum MaxOffline {
    Count(usize),
    Percent(f64),
}

impl MaxOffline {
    /// Returns how many of so many may be.
    #[must_use]
    pub fn of(self, all: usize) -> usize {
        match self {
            Self::Count(count) => count,
            Self::Percent(percent) => {
                #[expect(
                    clippy::cast_possible_truncation,
                    clippy::cast_precision_loss,
                    clippy::cast_sign_loss,
                    reason = "a share of a number of clients is one, rounded down"
                )]
                let share = (all as f64 * percent / 100.0).floor() as usize;
                share
            }
        }
    }
}

impl FromStr for MaxOffline {
    type Err = &'static str;

    fn from_str(typed: &str) -> Result<Self, Self::Err> {
        const SAYS: &str = "a number of clients, or a share of them from `0%` to `100%`";
        match typed.strip_suffix('%') {
            Some(percent) => {
                let percent: f64 = percent.trim().parse().map_err(|_| SAYS)?;
                (0.0..=100.0).contains(&percent).then_some(Self::Percent(percent)).ok_or(SAYS)
            }
            None => typed.parse().map(Self::Count).map_err(|_| SAYS),
        }
    }
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
    /// What the APIs answer that `--api` names
    Api,
    /// What Mosquitto's dynamic security says of the account that is tied to the client id
    Dynsec,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_rounded_down() {
        let of = |typed: &str, all| typed.parse().map(|max: MaxOffline| max.of(all));
        assert_eq!((of("3", 10), of("0", 10), of("5%", 100)), (Ok(3), Ok(0), Ok(5)));
        assert_eq!((of("5%", 19), of("5 %", 20), of("2.5%", 40)), (Ok(0), Ok(1), Ok(1)));
        for typed in ["", "%", "-1", "101%", "nan%", "1.5", "five"] {
            assert!(typed.parse::<MaxOffline>().is_err(), "{typed}");
        }
    }
}
