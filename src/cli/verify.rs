//! What `presence simulate --verify` can be told.

use super::merge::Telling;
use super::reading::{DialectFiles, DialectName};
use clap::Args;
use clap::builder::{ArgPredicate, BoolishValueParser};
use std::path::PathBuf;
use std::time::Duration;

pub const LAG_MAX: &str = "250ms";

/// What the broker says of the devices, held against what was done to them.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Verification")]
pub struct Verify {
    /// Match every life and death to what the broker says of it, and tell how late
    ///
    /// Listens for the evidence before the first device connects. Devices die in every way there is
    /// unless told otherwise. Exit code: 0 verified, 1 not, 6 this machine was too slow to tell.
    #[arg(long, env = "PRESENCE_VERIFY", value_parser = BoolishValueParser::new())]
    pub verify: bool,

    /// When a silence has to be noticed: the name of a broker, or a range [default: by what the broker
    /// says it is]
    ///
    /// `mosquitto`, `rabbitmq`, `spec` and others stand for what is known of a broker; `7s..13s` counts
    /// from the last packet of the silent device.
    #[arg(
        long,
        value_name = "BROKER|FROM..TO",
        env = "PRESENCE_EXPECT_WINDOW",
        requires = "verify"
    )]
    pub expect_window: Option<String>,

    /// Go by what a probe has found: which evidence there is, and when silence is noticed
    ///
    /// The file holds what `presence probe --json` printed about this broker. `--dialect` and
    /// `--expect-window` outrank it.
    #[arg(long, value_name = "FILE", env = "PRESENCE_PROBE", requires = "verify")]
    pub probe: Option<PathBuf>,

    /// Evidence to listen for; may be given several times
    #[arg(
        long,
        value_name = "DIALECT",
        env = "PRESENCE_DIALECT",
        value_enum,
        value_delimiter = ',',
        default_value = "auto",
        default_value_if("dialect_file", ArgPredicate::IsPresent, None)
    )]
    pub dialect: Vec<DialectName>,

    #[command(flatten)]
    pub files: DialectFiles,

    /// User to listen as [default: --username]
    #[arg(long, value_name = "NAME", env = "PRESENCE_VERIFY_USERNAME")]
    pub verify_username: Option<String>,

    /// Read the password to listen with from this file
    #[arg(
        long,
        value_name = "FILE",
        env = "PRESENCE_VERIFY_PASSWORD_FILE",
        requires = "verify_username"
    )]
    pub verify_password_file: Option<PathBuf>,

    /// Longest hold-up of this process with which its figures are trusted
    #[arg(long, value_name = "DURATION", env = "PRESENCE_LAG_MAX", value_parser = humantime::parse_duration, default_value = LAG_MAX)]
    pub lag_max: Duration,

    #[command(flatten)]
    pub telling: Telling,
}
