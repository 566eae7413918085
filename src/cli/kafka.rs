//! The options of every command that reads a topic of Kafka.
//!
//! clap reads them, [`crate::config::kafka`] checks them together: no command sees this type.

use clap::{Args, ValueEnum};

/// Who to be there.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Kafka")]
pub struct Kafka {
    /// How to say who we are [default: the strongest that the broker has]
    ///
    /// `plain` sends the password as it is: with `kafka://` whoever listens in reads it, so pass `scram-sha-512`
    /// where nothing weaker is to be agreed to. User and password are those of `--username`,
    /// `--password-file` and the like.
    #[arg(long, value_name = "MECHANISM", env = "PRESENCE_SASL")]
    pub sasl: Option<Sasl>,
}

/// A mechanism of SASL.
#[derive(ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sasl {
    Plain,
    #[value(name = "scram-sha-256")]
    ScramSha256,
    #[value(name = "scram-sha-512")]
    ScramSha512,
}
