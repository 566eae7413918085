//! Options that put what is read out of order, to see what comes of it.

use clap::Args;
use std::time::Duration;

/// What is done to a stream before it is judged or published.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Disorder")]
pub struct Disorder {
    /// Let every message come up to so much later, so that some overtake others
    ///
    /// By the times of arrival in a recording, and by the stamps of a plain log.
    #[arg(long, value_name = "DURATION", env = "PRESENCE_SHUFFLE", value_parser = humantime::parse_duration)]
    pub shuffle: Option<Duration>,

    /// Deliver this share of the messages twice, as in `5%`
    #[arg(long, value_name = "PERCENT", env = "PRESENCE_DUP")]
    pub dup: Option<String>,

    /// Leave this share of the messages out, as in `1%`
    #[arg(long, value_name = "PERCENT", env = "PRESENCE_DROP")]
    pub drop: Option<String>,

    /// Seed of the disorder; drawn at random without it, and told
    #[arg(long, value_name = "NUMBER", env = "PRESENCE_SEED")]
    pub seed: Option<u64>,
}
