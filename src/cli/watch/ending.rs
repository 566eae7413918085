//! When `presence watch` ends by itself.

use super::acting::{On, up_to_a_year};
use clap::Args;
use clap::ValueEnum as _;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// When watching ends, and how.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Ending")]
pub struct Ending {
    /// End with exit code 1 as soon as this happens
    ///
    /// A state (`offline`, `unknown`, `suspect`, `closing`, `online`) that a client changes to;
    /// `flapping` or `takeover-loop`; `gap`, when something may have been lost; `lag>30s`, when events
    /// arrive later than that after their stamp. Several are separated by commas.
    #[arg(long, value_name = "WHAT", env = "PRESENCE_FAIL_ON", value_delimiter = ',')]
    pub fail_on: Vec<FailOn>,

    /// End after this time, with exit code 0
    #[arg(long = "for", value_name = "DURATION", env = "PRESENCE_FOR", value_parser = up_to_a_year)]
    pub duration: Option<Duration>,

    /// End after this many changes, with exit code 0
    #[arg(long, value_name = "COUNT", env = "PRESENCE_COUNT", value_parser = clap::value_parser!(u64).range(1..))]
    pub count: Option<u64>,
}

/// What makes a run of `watch` a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailOn {
    Change(On),
    /// Something may have been lost.
    Gap,
    /// An event arrived later than this after its stamp.
    Lag(Duration),
}

impl FromStr for FailOn {
    type Err = String;

    fn from_str(typed: &str) -> Result<Self, String> {
        if typed == "gap" {
            return Ok(Self::Gap);
        }
        if let Some(bound) = typed.strip_prefix("lag>") {
            return humantime::parse_duration(bound.trim())
                .map(Self::Lag)
                .map_err(|error| format!("`{bound}` is no duration: {error}"));
        }
        match On::from_str(typed, false) {
            Ok(On::Change) | Err(_) => Err(format!("one of {WORDS}")),
            Ok(on) => Ok(Self::Change(on)),
        }
    }
}

impl fmt::Display for FailOn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Change(on) => f.write_str(on.word()),
            Self::Gap => f.write_str("gap"),
            Self::Lag(bound) => write!(f, "lag>{}", humantime::format_duration(*bound)),
        }
    }
}

const WORDS: &str =
    "online, closing, offline, unknown, suspect, flapping, takeover-loop, gap, lag>DURATION";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_printed_reads_as_what_was_typed() {
        for typed in ["offline", "takeover-loop", "gap", "lag>30s", "lag>1m 30s"] {
            let read: FailOn = typed.parse().expect(typed);
            assert_eq!(read.to_string(), typed);
        }
        for typed in ["", "change", "Offline", "lag", "lag>", "lag>soon", "lag<3s"] {
            assert!(typed.parse::<FailOn>().is_err(), "{typed}");
        }
    }
}
