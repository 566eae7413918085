//! What `presence watch` shows, and how.

use clap::Args;

/// What is shown of what is heard.
#[derive(Args, Clone, Debug)]
pub struct View {
    /// Show only clients whose id matches; may be given several times
    ///
    /// `*` stands for any text, `?` for one character, `[abc]` for one of these. What is not shown is
    /// kept all the same.
    #[arg(long, value_name = "GLOB", env = "PRESENCE_CLIENT")]
    pub client: Vec<String>,

    /// Print one JSON object a line
    #[arg(long, env = "PRESENCE_JSON", value_parser = clap::builder::BoolishValueParser::new())]
    pub json: bool,
}
