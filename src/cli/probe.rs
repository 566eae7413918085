//! `presence probe`

use super::connection::Connection;
use super::reading::{DialectFiles, DialectName, STATUS_TOPIC};
use clap::Args;
use clap::builder::{ArgPredicate, BoolishValueParser};
use std::time::Duration;

const TIMEOUT: &str = "5s";

/// Tells which evidence a broker gives of clients, to this account, and how late
///
/// Some throw-away clients come and go in every way there is: goodbye, drop, reset, silence, take-over. What is
/// told of them, by whom and how late, is shown, with what cannot be known here, and what was refused.
/// Nothing is left at the broker. Takes about half a minute. Exit code: 0 whatever was found, 4 if a step on
/// the way to the broker failed.
#[derive(Args, Clone, Debug)]
#[command(after_help = "Example:\n  presence probe -b mqtts://broker.example -u ops")]
pub struct Probe {
    /// Leave out the clients that fall silent, which take the longest
    #[arg(long, env = "PRESENCE_NO_SILENCE", value_parser = BoolishValueParser::new())]
    pub no_silence: bool,

    /// What the ids of the clients begin with, where the broker or the account demands it
    ///
    /// `presence-probe-` and 16 digits follow. Alibaba Cloud wants `GROUP@@@`.
    #[arg(long, value_name = "TEXT", env = "PRESENCE_ID_PREFIX", value_parser = id_prefix, default_value = "", hide_default_value = true)]
    pub id_prefix: String,

    /// Longest time that a step may take
    #[arg(long, value_name = "DURATION", env = "PRESENCE_TIMEOUT", value_parser = humantime::parse_duration, default_value = TIMEOUT)]
    pub timeout: Duration,

    /// Print one JSON object
    #[arg(long, env = "PRESENCE_JSON", value_parser = BoolishValueParser::new())]
    pub json: bool,

    #[command(flatten)]
    pub profile: super::profile::Profile,
    #[command(flatten)]
    pub connection: Connection,

    /// Way of announcing clients to try; may be given several times
    #[arg(
        long,
        help_heading = "Dialects",
        value_enum,
        value_name = "NAME",
        env = "PRESENCE_DIALECT",
        value_delimiter = ',',
        default_value = "auto",
        default_value_if("dialect_file", ArgPredicate::IsPresent, None)
    )]
    pub dialect: Vec<DialectName>,

    #[command(flatten)]
    pub files: DialectFiles,

    /// Where the clients keep their status, with `{client}` in the place of the client id
    #[arg(
        long,
        help_heading = "Dialects",
        value_name = "TEMPLATE",
        env = "PRESENCE_STATUS_TOPIC",
        default_value = STATUS_TOPIC
    )]
    pub status_topic: String,
}

/// Reads what ids are to begin with: they stand in topics, as one level.
fn id_prefix(text: &str) -> Result<String, String> {
    let is_odd = |c: char| c.is_control() || matches!(c, '/' | '+' | '#');
    if text.contains(is_odd) {
        return Err("`/`, `+`, `#` and control characters cannot stand in it, since ids are levels of topics".into());
    }
    if text.len() > ID_PREFIX_MAX {
        return Err(format!("it is longer than {ID_PREFIX_MAX} bytes"));
    }
    Ok(text.to_owned())
}

const ID_PREFIX_MAX: usize = 256;

#[cfg(test)]
mod tests {
    use super::id_prefix;

    #[test]
    fn a_prefix_stays_within_its_level() {
        for text in ["", "GID_probe@@@", "泵-"] {
            assert_eq!(id_prefix(text).as_deref(), Ok(text));
        }
        for text in ["a/b", "+", "a#", "\0", &"x".repeat(257)] {
            assert!(id_prefix(text).is_err(), "{text:?}");
        }
    }
}
