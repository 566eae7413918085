//! `presence replay`

use super::disorder::Disorder;
use super::policy::Policy;
use super::question::Question;
use super::reading::Reading;
use crate::secret::Secret;
use clap::parser::ValueSource;
use clap::{ArgMatches, Args, ValueHint};
use std::path::PathBuf;

/// Judges recorded events: recordings, notices, broker logs
///
/// Runs files through the same logic as `presence watch` and prints the verdicts at their end. Reads
/// what `watch --record` wrote, status notices as JSON Lines, and Mosquitto's log; several files are
/// joined. A recording is judged at the moment at which its watcher ended, a plain log at the end of
/// what it holds.
#[derive(Args, Clone, Debug)]
#[command(after_help = "Example:\n  presence replay night.jsonl --client 'pump-*'")]
pub struct Replay {
    /// Files, folders or quoted patterns to read; `-` is standard input
    ///
    /// gzip and zstd are expanded. A folder stands for all files below it, a pattern such as
    /// `'logs/**/*.gz'` for those it matches.
    #[arg(value_name = "FILE", required_unless_present = "source", value_hint = ValueHint::AnyPath)]
    pub files: Vec<PathBuf>,

    /// Read a topic of RocketMQ or Kafka too, to the end that it has; may be given several times
    ///
    /// `rocketmq://NAMESERVER:9876/TOPIC` or `kafka://BROKER:9092/TOPIC`, with TLS `rocketmq+ssl://` and
    /// `kafka+ssl://`; several servers are separated by commas. `GID_xxx` stands for the topic of that group's
    /// notices in RocketMQ. `--since` (also `2h` or `latest`) and
    /// `--until` are about when a message was stored then. Nothing is taken away from anybody who reads it.
    // A `Secret`, because a URL can hold a password and this type is printed by `Debug`.
    #[arg(
        long,
        value_name = "URL",
        env = "PRESENCE_SOURCE",
        hide_env_values = true,
        value_delimiter = ' ',
        conflicts_with_all = ["follow", "publish"]
    )]
    pub source: Vec<Secret>,

    /// Show only clients whose id matches; may be given several times
    #[arg(long, value_name = "GLOB", env = "PRESENCE_CLIENT")]
    pub client: Vec<String>,

    /// Print one JSON object a line
    #[arg(long, env = "PRESENCE_JSON", value_parser = clap::builder::BoolishValueParser::new())]
    pub json: bool,

    /// Fail on the first line that cannot be read
    ///
    /// Without it such lines are counted and shown, and the rest is read.
    #[arg(long, env = "PRESENCE_STRICT", value_parser = clap::builder::BoolishValueParser::new())]
    pub strict: bool,

    /// Go on reading as the last file grows, and show changes as they come
    ///
    /// Another file of the same name is taken up when it was rotated. Ctrl-C ends it with the verdicts
    /// of that moment.
    #[arg(
        long,
        env = "PRESENCE_FOLLOW",
        value_parser = clap::builder::BoolishValueParser::new(),
        conflicts_with_all = ["at", "now", "shuffle", "dup", "drop"]
    )]
    pub follow: bool,

    /// Moment to judge at, as RFC 3339 or milliseconds since 1970
    ///
    /// As it could be known then; and where late news change it, as it is known now. Without it: the end
    /// of what was heard.
    #[arg(long, value_name = "TIME", env = "PRESENCE_AT", conflicts_with_all = ["shuffle", "dup", "drop"])]
    pub at: Option<String>,

    /// What to take for the present when a plain log is read, as RFC 3339 or ms since 1970
    ///
    /// A stamp far ahead of it is not believed. Without it: the start of the run.
    #[arg(long, value_name = "TIME", env = "PRESENCE_NOW")]
    pub now: Option<String>,

    #[command(flatten)]
    pub question: Question,
    #[command(flatten)]
    pub profile: super::profile::Profile,
    #[command(flatten)]
    pub reading: Reading,
    #[command(flatten)]
    pub tables: super::tables::Tables,
    #[command(flatten)]
    pub threads: super::threads::Threads,
    #[command(flatten)]
    pub policy: Policy,
    #[command(flatten)]
    pub disorder: super::disorder::Disorder,
    #[command(flatten)]
    pub rocketmq: super::rocketmq::RocketMq,
    #[command(flatten)]
    pub kafka: super::kafka::Kafka,

    #[command(flatten)]
    pub publish: super::publish::Publish,
    /// An option that needs another one which was not given, and that one.
    #[arg(skip)]
    pub stray: Option<(String, &'static str)>,
}

/// Options that mean nothing unless messages are sent.
const OF_PUBLISHING: &[&str] = &[
    "broker",
    "username",
    "password_file",
    "password_stdin",
    "auth",
    "auth_token_file",
    "aliyun_instance",
    "client_id",
    "keepalive",
    "mqtt_version",
    "cafile",
    "cert",
    "key",
    "insecure",
    "tls_alpn",
    "speed",
    "gap_max",
    "topic_prefix",
    "publish_topic",
    "qos",
    "retain",
    "repeat",
    "yes_load",
    "timeout",
];

/// Those of them that mean something for topics that are read too.
const OF_TOPICS: &[&str] = &[
    "username",
    "password_file",
    "password_stdin",
    "cafile",
    "cert",
    "key",
    "insecure",
    "tls_alpn",
    "timeout",
];

/// Returns an option that was typed, but means nothing without another one. What the environment or a
/// profile holds may be meant for other commands.
pub fn stray(replay: &Replay, matches: &ArgMatches) -> Option<(String, &'static str)> {
    let is_typed = |id: &&&str| matches.value_source(id) == Some(ValueSource::CommandLine);
    let typed =
        |ids: &[&str]| ids.iter().find(is_typed).map(|id| format!("--{}", id.replace('_', "-")));
    let Disorder { shuffle, dup, drop, .. } = &replay.disorder;
    let is_altered = shuffle.is_some() || dup.is_some() || drop.is_some();
    let is_of_topics = |id: &&str| !replay.source.is_empty() && OF_TOPICS.contains(id);
    let of_publishing: Vec<&str> =
        OF_PUBLISHING.iter().filter(|id| !is_of_topics(id)).copied().collect();
    if !replay.publish.publish
        && let Some(option) = typed(&of_publishing)
    {
        return Some((option, "--publish"));
    }
    if replay.source.is_empty()
        && let Some(option) = typed(&["tags", "consumer_group", "namespace", "sasl"])
    {
        return Some((option, "--source"));
    }
    if is_altered { None } else { typed(&["seed"]).map(|option| (option, "--shuffle")) }
}

/// Changes the definition of the command, where options that it shares with others mean something else.
pub fn describe(command: clap::Command) -> clap::Command {
    command.mut_arg("instance", |arg| {
        let first = "Name of the broker that plain logs are about";
        arg.long_help(first).help(first).help_heading(None::<&str>)
    })
}
