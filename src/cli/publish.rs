//! Options of sending what is read to a broker.

use clap::Args;
use clap::builder::BoolishValueParser;
use std::time::Duration;

pub const SPEED: &str = "1x";
pub const PREFIX: &str = "replay/";
pub const TIMEOUT: &str = "10s";

/// Where and how fast messages are sent.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Publishing")]
pub struct Publish {
    /// Send the messages to a broker, each when it is due, instead of judging them
    ///
    /// Nothing is retained unless `--retain` says so. The broker is that of `--broker`.
    #[arg(
        long,
        env = "PRESENCE_PUBLISH",
        value_parser = BoolishValueParser::new(),
        conflicts_with_all = ["at", "follow", "csv", "expect"]
    )]
    pub publish: bool,

    /// How fast, as a factor such as `1x`, `10x` or `0.5x`, or `max`
    ///
    /// When a message is due follows from the times in the log alone: being late once makes nothing later.
    #[arg(long, value_name = "FACTOR", env = "PRESENCE_SPEED", default_value = SPEED)]
    pub speed: String,

    /// Cut pauses of the log that are longer down to this
    #[arg(long, value_name = "DURATION", env = "PRESENCE_GAP_MAX", value_parser = humantime::parse_duration)]
    pub gap_max: Option<Duration>,

    /// What stands before every topic
    ///
    /// An empty one publishes under the topics that were recorded, where others may take it for the truth.
    #[arg(long, value_name = "TEXT", env = "PRESENCE_TOPIC_PREFIX", default_value = PREFIX)]
    pub topic_prefix: String,

    /// Topic of the messages, a template, below the prefix
    ///
    /// `{client}` is the id of the client that a message is about, with what has a meaning in topics
    /// percent-encoded, `{n}` the number of the message, `{run}` a mark of this run, `{{` and `}}` are
    /// braces. Without it: the topic that was recorded; for notices of a plain file
    /// `$presence/{client}`, and for lines of Mosquitto's log `$SYS/broker/log/N`.
    #[arg(long, value_name = "TEMPLATE", env = "PRESENCE_PUBLISH_TOPIC")]
    pub publish_topic: Option<String>,

    /// QoS of the messages [default: that of the recording, 1 for plain files]
    #[arg(long, value_name = "LEVEL", env = "PRESENCE_QOS", value_parser = clap::value_parser!(u8).range(0..=2))]
    pub qos: Option<u8>,

    /// Have the broker keep the last message of every topic
    ///
    /// Nobody removes them afterwards.
    #[arg(long, env = "PRESENCE_RETAIN", value_parser = BoolishValueParser::new())]
    pub retain: bool,

    /// How often to send all of it; `0` until Ctrl-C
    #[arg(long, value_name = "COUNT", env = "PRESENCE_REPEAT", default_value_t = 1)]
    pub repeat: u64,

    /// Put a broker under load that is neither on this machine nor in a private network
    ///
    /// Without it such a broker gets at most 1,000 messages a second.
    #[arg(long, env = "PRESENCE_YES_LOAD", value_parser = BoolishValueParser::new())]
    pub yes_load: bool,

    /// Give up if the first connection, or the last acknowledgement, takes longer
    #[arg(long, value_name = "DURATION", env = "PRESENCE_TIMEOUT", value_parser = humantime::parse_duration, default_value = TIMEOUT)]
    pub timeout: Duration,

    #[command(flatten)]
    pub connection: super::connection::Connection,
}
