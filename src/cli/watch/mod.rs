//! `presence watch`

mod acting;
mod ending;
mod metrics;
mod sharing;
mod sources;
mod view;

pub use acting::{Acting, On};
pub use ending::{Ending, FailOn};
pub use metrics::Metrics;
pub use sharing::Sharing;
pub use sources::Sources;
pub use view::{Shape, View};

use super::connection::Connection;
use super::policy::Policy;
use super::reading::Reading;
use clap::Args;
use std::path::PathBuf;
use std::time::Duration;

pub const TIMEOUT: &str = "10s";
pub const BROKER_QUEUE: u64 = 1_000;
pub const BRIDGE_GAPS: &str = "0s";
pub const FORGET_CLIENTS: &str = "90d";

/// Shows who comes and goes, as it happens
///
/// Prints what is already known, then one line for each change, and keeps all of it in a store, so
/// that `presence check` answers at once in another terminal. Ctrl-C prints a summary and ends with 0.
/// While the connection is away nobody is called online: verdicts turn `unknown` until their clients
/// are heard of again.
#[derive(Args, Clone, Debug)]
#[command(after_help = "Example:\n  presence watch -b mqtt://broker.example --client 'pump-*'")]
pub struct Watch {
    #[command(flatten)]
    pub view: View,
    #[command(flatten)]
    pub sharing: Sharing,
    #[command(flatten)]
    pub metrics: Metrics,

    /// Append everything that is heard to a file, for `presence replay`
    #[arg(long, value_name = "FILE", env = "PRESENCE_RECORD")]
    pub record: Option<PathBuf>,

    /// Listen with the dialects that a probe recommends
    ///
    /// The file holds what `presence probe --json` printed about this broker. `--dialect` outranks it.
    #[arg(long, value_name = "FILE", env = "PRESENCE_PROBE")]
    pub probe: Option<PathBuf>,

    #[command(flatten)]
    pub store: super::store::Where,

    /// Give up if the first connection takes longer
    #[arg(long, value_name = "DURATION", env = "PRESENCE_TIMEOUT", value_parser = humantime::parse_duration, default_value = TIMEOUT)]
    pub timeout: Duration,

    /// Leave no session behind at the broker
    ///
    /// What happens while the watcher is away is then not delivered afterwards.
    #[arg(long, env = "PRESENCE_CLEAN", value_parser = clap::builder::BoolishValueParser::new())]
    pub clean: bool,

    /// Messages that the broker queues for a session that is away, 0 for no limit
    ///
    /// The default is Mosquitto's. A longer backlog may have lost something, so it counts as a hole.
    #[arg(long, value_name = "COUNT", env = "PRESENCE_BROKER_QUEUE", default_value_t = BROKER_QUEUE)]
    pub broker_queue: u64,

    /// Treat absences up to this long as if nothing had happened
    ///
    /// Keeps verdicts where a short loss of evidence is acceptable. They may be wrong.
    #[arg(long, value_name = "DURATION", env = "PRESENCE_BRIDGE_GAPS", value_parser = humantime::parse_duration, default_value = BRIDGE_GAPS)]
    pub bridge_gaps: Duration,

    /// Forget clients that are away and were not heard of for this long
    #[arg(long, value_name = "DURATION", env = "PRESENCE_FORGET_CLIENTS", value_parser = humantime::parse_duration, default_value = FORGET_CLIENTS)]
    pub forget_clients: Duration,

    // With headings of their own, which hold for what follows.
    #[command(flatten)]
    pub acting: Acting,
    #[command(flatten)]
    pub ending: Ending,
    #[command(flatten)]
    pub profile: super::profile::Profile,
    #[command(flatten)]
    pub connection: Connection,
    #[command(flatten)]
    pub sources: Sources,
    #[command(flatten)]
    pub api: super::api::Api,
    #[command(flatten)]
    pub reading: Reading,
    #[command(flatten)]
    pub policy: Policy,
}
