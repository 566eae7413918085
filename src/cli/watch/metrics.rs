//! What `presence watch` tells a monitoring system.

use clap::Args;
use clap::builder::BoolishValueParser;

/// Where figures can be fetched.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Metrics")]
pub struct Metrics {
    /// Serve figures for Prometheus at this address, as HOST:PORT or PORT
    ///
    /// `/metrics` holds the figures, `/healthz` answers 200 while every broker is connected and the store
    /// can be written, else 503. Port 0 is a free one, which is then said. What there is stands in
    /// docs/metrics.md.
    #[arg(long, value_name = "ADDRESS", env = "PRESENCE_METRICS")]
    pub metrics: Option<String>,

    /// Let other machines fetch the figures
    ///
    /// Needed for every address but those of loopback. Whoever reaches the port can read the figures,
    /// and the ids chosen with `--metrics-client`.
    #[arg(long, env = "PRESENCE_METRICS_PUBLIC", value_parser = BoolishValueParser::new())]
    pub metrics_public: bool,

    /// Give clients whose id matches a figure of their own; may be given several times
    ///
    /// A glob, as in `--client`. The first 1,000 clients get one, the others are counted. A client that
    /// is named without a star is there from the start, even if nothing was heard of it.
    #[arg(long, value_name = "ID|GLOB", env = "PRESENCE_METRICS_CLIENT")]
    pub metrics_client: Vec<String>,
}
