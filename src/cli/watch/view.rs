//! What `presence watch` shows, and how.

use clap::{Args, ValueEnum};

pub const VIEW: Shape = Shape::Stream;

/// The form in which it is shown.
#[derive(ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// One line for each change, above a status line
    Stream,
    /// A full-screen table of all clients
    Table,
}

/// What is shown of what is heard.
#[derive(Args, Clone, Debug)]
pub struct View {
    /// Show changes as they come, or all clients on the whole screen
    ///
    /// The table is sorted, filtered and searched by keys, and shows each client in full; `?` tells
    /// which keys there are.
    #[arg(long, value_name = "VIEW", env = "PRESENCE_VIEW", value_enum, default_value_t = VIEW)]
    pub view: Shape,

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
