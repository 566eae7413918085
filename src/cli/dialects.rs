//! `presence dialects`

use clap::Args;
use clap::builder::BoolishValueParser;

/// Lists the ways of announcing clients that are understood
///
/// What each can tell, and what it cannot. With a name: where it listens, and what the broker needs for it.
#[derive(Args, Clone, Debug)]
#[command(after_help = "Example:\n  presence dialects emqx")]
pub struct Dialects {
    /// Dialects to tell more about
    #[arg(value_name = "NAME")]
    pub names: Vec<String>,

    /// Print one JSON object a dialect
    #[arg(long, env = "PRESENCE_JSON", value_parser = BoolishValueParser::new())]
    pub json: bool,
}
