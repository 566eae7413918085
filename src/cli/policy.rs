//! What judging assumes: the options of every command that judges.

use clap::parser::ValueSource;
use clap::{ArgMatches, Args};
use std::str::FromStr;
use std::time::Duration;

pub const SKEW: &str = "1s";
pub const CLOSE_GRACE: &str = "30s";
pub const FUTURE: &str = "5m";
pub const CHANNELS: usize = 8;
pub const LOOP: &str = "4/60s";

/// The assumptions under which a client is judged.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Judging")]
pub struct Policy {
    /// Largest difference assumed between the clocks of two nodes of a broker
    ///
    /// A newer connection ends an older one of the same client only if it is newer by more than
    /// this: by less, the clocks could explain it.
    #[arg(long, value_name = "DURATION", env = "PRESENCE_SKEW", value_parser = humantime::parse_duration, default_value = SKEW)]
    pub skew: Duration,

    /// Wait for the transport to end after a client has said goodbye
    ///
    /// Within it a client that sent DISCONNECT is `closing`; after it the goodbye counts as the end
    /// even if the broker never reported one. `0s` ends presence at the goodbye, `never` waits for
    /// the broker's report however long it takes.
    #[arg(long, value_name = "DURATION", env = "PRESENCE_CLOSE_GRACE", default_value = CLOSE_GRACE)]
    pub close_grace: Grace,

    /// How far ahead of our clock a stamp may be and still be believed
    #[arg(long, value_name = "DURATION", env = "PRESENCE_FUTURE", value_parser = humantime::parse_duration, default_value = FUTURE)]
    pub future: Duration,

    /// Channels remembered per client
    #[arg(long, value_name = "COUNT", env = "PRESENCE_CHANNELS", value_parser = clap::value_parser!(u16).range(1..=1_000), default_value_t = CHANNELS as u16)]
    pub channels: u16,

    /// Connects within a time that count as flapping, as COUNT/DURATION
    #[arg(long = "loop", value_name = "COUNT/DURATION", env = "PRESENCE_LOOP", default_value = LOOP)]
    pub flapping: Flapping,

    /// Which of them were chosen, and are not merely the defaults.
    #[arg(skip)]
    pub chosen: Chosen,
}

/// Which options of judging the user chose, on the command line or in the environment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "one for each option, independent of each other")]
pub struct Chosen {
    pub skew: bool,
    pub close_grace: bool,
    pub future: bool,
    pub channels: bool,
    pub flapping: bool,
}

impl Chosen {
    /// Looks up what clap knows of where the values come from.
    pub fn of(matches: &ArgMatches) -> Self {
        let is_chosen = |option: &str| {
            matches.value_source(option).is_some_and(|source| source != ValueSource::DefaultValue)
        };
        Self {
            skew: is_chosen("skew"),
            close_grace: is_chosen("close_grace"),
            future: is_chosen("future"),
            channels: is_chosen("channels"),
            flapping: is_chosen("flapping"),
        }
    }
}

/// A grace that may never run out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grace(pub Option<Duration>);

impl FromStr for Grace {
    type Err = humantime::DurationError;

    fn from_str(typed: &str) -> Result<Self, Self::Err> {
        if typed == "never" {
            return Ok(Self(None));
        }
        humantime::parse_duration(typed).map(|grace| Self(Some(grace)))
    }
}

/// How many connects within which time count as flapping.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flapping {
    pub count: usize,
    pub window: Duration,
}

impl FromStr for Flapping {
    type Err = String;

    fn from_str(typed: &str) -> Result<Self, Self::Err> {
        let (count, window) =
            typed.split_once('/').ok_or("write it as COUNT/DURATION, for example 4/60s")?;
        let count = count.parse::<usize>().map_err(|error| format!("`{count}`: {error}"))?;
        if count < 2 {
            return Err("one connect is no loop: COUNT is at least 2".to_owned());
        }
        let window = humantime::parse_duration(window).map_err(|error| error.to_string())?;
        Ok(Self { count, window })
    }
}

impl From<&Policy> for crate::state::policy::Policy {
    fn from(options: &Policy) -> Self {
        let ms = |duration: Duration| i64::try_from(duration.as_millis()).unwrap_or(i64::MAX);
        Self {
            skew_ms: ms(options.skew),
            close_grace_ms: options.close_grace.0.map(ms),
            future_ms: ms(options.future),
            channels_max: usize::from(options.channels),
            loop_count: options.flapping.count,
            loop_window_ms: ms(options.flapping.window),
            judge_skew_ms: Self::DEFAULT.judge_skew_ms,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Typed {
        #[command(flatten)]
        policy: Policy,
    }

    fn typed(line: &str) -> crate::state::policy::Policy {
        let words = std::iter::once("presence").chain(line.split_whitespace());
        crate::state::policy::Policy::from(&Typed::parse_from(words).policy)
    }

    #[test]
    fn the_defaults_of_the_options_are_those_of_the_logic() {
        assert_eq!(typed(""), crate::state::policy::Policy::DEFAULT);
    }

    #[test]
    fn a_grace_can_be_nothing_or_without_end() {
        assert_eq!(typed("--close-grace 0s").close_grace_ms, Some(0));
        assert_eq!(typed("--close-grace never").close_grace_ms, None);
    }

    #[test]
    fn a_loop_of_one_connect_is_refused() {
        assert!("1/60s".parse::<Flapping>().is_err());
        assert!("4".parse::<Flapping>().is_err());
        assert_eq!(typed("--loop 3/10s").loop_window_ms, 10_000);
    }
}
