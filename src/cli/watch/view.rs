//! What `presence watch` shows, and how.

use crate::state::verdict::Status;
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

    /// Show only clients of this group; may be given several times
    ///
    /// The group is what stands before the first `@@@` of a client id.
    #[arg(long, value_name = "GID", env = "PRESENCE_GROUP")]
    pub group: Vec<String>,

    /// Show only what is, or becomes, of this state; may be given several times
    #[arg(long, value_name = "STATE", env = "PRESENCE_ONLY", value_delimiter = ',')]
    pub only: Vec<State>,

    /// Show only clients whose history is odd
    ///
    /// Those with an anomaly: `flapping`, `takeover-loop`, `superseded-open` and others. Findings about
    /// the fleet are always shown.
    #[arg(long, env = "PRESENCE_ANOMALIES", value_parser = clap::builder::BoolishValueParser::new())]
    pub anomalies: bool,

    /// Show every message of a queue too, before what it changes
    ///
    /// Of RocketMQ and Kafka: in which queue and where, its id, keys and tag, how often it was given back, when it was
    /// stored, whom it is about, and how many messages are unread behind it. In the table it is left out.
    #[arg(long, env = "PRESENCE_MESSAGES", value_parser = clap::builder::BoolishValueParser::new())]
    pub messages: bool,

    /// Print each change by a template, such as '{at} {client} {from}->{to} {cause}'
    ///
    /// Fields are `type instance at at_ms client from to state online cause channel since since_ms voice
    /// how inferred anomalies covered address last_heard last_heard_ms`; `{client:20}` fills up to 20
    /// columns, `\t` and `\n` are tab and new line, `{{` and `}}` are braces, and what is not known is
    /// `-`. Findings and the summary go to standard error.
    #[arg(long, value_name = "TEMPLATE", env = "PRESENCE_FORMAT", conflicts_with = "json")]
    pub format: Option<String>,

    /// Print one JSON object a line
    #[arg(long, env = "PRESENCE_JSON", value_parser = clap::builder::BoolishValueParser::new())]
    pub json: bool,
}

/// What is believed of a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum State {
    Online,
    Closing,
    Offline,
    Unknown,
    Suspect,
}

impl From<State> for Status {
    fn from(state: State) -> Self {
        match state {
            State::Online => Self::Online,
            State::Closing => Self::Closing,
            State::Offline => Self::Offline,
            State::Unknown => Self::Unknown,
            State::Suspect => Self::Suspect,
        }
    }
}
