//! What `presence watch` does when something changes.

use crate::secret::Secret;
use clap::{Args, ValueEnum};
use std::path::PathBuf;
use std::time::Duration;

pub const DEBOUNCE: &str = "0s";
pub const EXEC_PARALLEL: u16 = 4;
pub const EXEC_TIMEOUT: &str = "30s";
pub const EXEC_QUEUE: u32 = 1_000;
pub const WEBHOOK_TIMEOUT: &str = "10s";
pub const WEBHOOK_QUEUE: u32 = 10_000;

/// What is done with changes beside showing them.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Acting on changes")]
pub struct Acting {
    /// Tell a change only once it has lasted this long
    ///
    /// A client that is back in time tells nothing. Holds for what is shown, for commands, for the
    /// webhook and for states in `--fail-on`.
    #[arg(long, value_name = "DURATION", env = "PRESENCE_DEBOUNCE", value_parser = up_to_a_year, default_value = DEBOUNCE)]
    pub debounce: Duration,

    /// Run a command for each change
    ///
    /// It is split into words at spaces, where quotes and backslashes keep together as in a shell, and
    /// run without one: nothing in it is replaced. The change stands in variables `PRESENCE_CHANGE_…`
    /// and as JSON on standard input. What it prints is dropped; of an error the last line is shown.
    #[arg(long, value_name = "COMMAND", env = "PRESENCE_EXEC")]
    pub exec: Option<String>,

    /// Which changes the command is run for
    #[arg(
        long,
        value_enum,
        value_name = "WHAT",
        env = "PRESENCE_EXEC_ON",
        value_delimiter = ',',
        requires = "exec",
        default_value = "change"
    )]
    pub exec_on: Vec<On>,

    /// Commands that may run at the same time
    #[arg(long, value_name = "COUNT", env = "PRESENCE_EXEC_PARALLEL", value_parser = clap::value_parser!(u16).range(1..=1_000), default_value_t = EXEC_PARALLEL)]
    pub exec_parallel: u16,

    /// End a command that runs for longer, and all it has started
    ///
    /// As long is waited for commands when watching ends.
    #[arg(long, value_name = "DURATION", env = "PRESENCE_EXEC_TIMEOUT", value_parser = some_time, default_value = EXEC_TIMEOUT)]
    pub exec_timeout: Duration,

    /// Changes that may wait for a command
    ///
    /// When there are more, a client's newest change takes the place of the one that waits, or the
    /// oldest of all is left out. Both are counted.
    #[arg(long, value_name = "COUNT", env = "PRESENCE_EXEC_QUEUE", value_parser = clap::value_parser!(u32).range(1..=1_000_000), default_value_t = EXEC_QUEUE)]
    pub exec_queue: u32,

    /// Post changes as JSON to this URL
    ///
    /// In batches, and again until they are taken. A user name and password in the URL work, but every
    /// user of this machine can read them in the list of processes.
    // A `Secret`, because a URL can hold a password and this type is printed by `Debug`.
    #[arg(long, value_name = "URL", env = "PRESENCE_WEBHOOK", hide_env_values = true)]
    pub webhook: Option<Secret>,

    /// Which changes are posted
    #[arg(
        long,
        value_enum,
        value_name = "WHAT",
        env = "PRESENCE_WEBHOOK_ON",
        value_delimiter = ',',
        requires = "webhook",
        default_value = "change"
    )]
    pub webhook_on: Vec<On>,

    /// Sign what is posted with the secret in this file
    ///
    /// HMAC-SHA256 of `<timestamp>.<body>` in the header `X-Presence-Signature`. One line end at the
    /// end of the file does not count.
    #[arg(long, value_name = "PATH", env = "PRESENCE_WEBHOOK_SECRET_FILE", requires = "webhook")]
    pub webhook_secret_file: Option<PathBuf>,

    /// Believe only these certificate authorities for the webhook
    ///
    /// A PEM file. Without it: those that the operating system trusts.
    #[arg(long, value_name = "PATH", env = "PRESENCE_WEBHOOK_CAFILE", requires = "webhook")]
    pub webhook_cafile: Option<PathBuf>,

    /// Give up one attempt to post after this long
    ///
    /// As long is waited for the rest when watching ends.
    #[arg(long, value_name = "DURATION", env = "PRESENCE_WEBHOOK_TIMEOUT", value_parser = some_time, default_value = WEBHOOK_TIMEOUT)]
    pub webhook_timeout: Duration,

    /// Changes that may wait to be posted
    ///
    /// When there are more, the oldest are left out and counted.
    #[arg(long, value_name = "COUNT", env = "PRESENCE_WEBHOOK_QUEUE", value_parser = clap::value_parser!(u32).range(1..=1_000_000), default_value_t = WEBHOOK_QUEUE)]
    pub webhook_queue: u32,
}

/// What a change may be, for whoever acts on some changes only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum On {
    /// Every change that is shown
    Change,
    /// A client is online, also by a new connection
    Online,
    /// A client said goodbye
    Closing,
    /// A client is offline
    Offline,
    /// Nobody can tell any more
    Unknown,
    /// Evidence disagrees
    Suspect,
    /// A client begins to come and go too often
    Flapping,
    /// Two devices begin to throw each other out
    TakeoverLoop,
}

impl On {
    /// Returns the word on the command line.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Change => "change",
            Self::Online => "online",
            Self::Closing => "closing",
            Self::Offline => "offline",
            Self::Unknown => "unknown",
            Self::Suspect => "suspect",
            Self::Flapping => "flapping",
            Self::TakeoverLoop => "takeover-loop",
        }
    }
}

/// Reads a duration that clocks can be set to.
pub(super) fn up_to_a_year(typed: &str) -> Result<Duration, String> {
    let read = humantime::parse_duration(typed).map_err(|error| error.to_string())?;
    if read > YEAR { Err("at most a year".to_owned()) } else { Ok(read) }
}

/// Reads a duration in which something can be done.
fn some_time(typed: &str) -> Result<Duration, String> {
    let read = up_to_a_year(typed)?;
    if read.is_zero() { Err("nothing can be done in no time".to_owned()) } else { Ok(read) }
}

const YEAR: Duration = Duration::from_hours(24 * 366);
