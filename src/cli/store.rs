//! `presence store`

use super::connection::Connection;
use super::policy::Policy;
use super::reading::Reading;
use crate::secret::SecretPlace;
use clap::builder::{OsStringValueParser, TypedValueParser as _};
use clap::{Args, Subcommand, ValueHint};
use std::path::PathBuf;

/// Looks after what watchers have kept
#[derive(Args, Clone, Debug)]
#[command(after_help = "Example:\n  presence store info")]
pub struct Store {
    #[command(subcommand)]
    pub action: Action,
}

/// Where state is kept.
#[derive(Args, Clone, Debug)]
pub struct Where {
    /// File, Redis or PostgreSQL that keeps what is known, or `memory` for none
    ///
    /// A path, or `redis://[USER@]HOST[:PORT][/DATABASE]`, with `rediss://` for TLS; several hosts of a
    /// Redis Cluster are separated by commas; or `postgres://USER@HOST[:PORT]/DATABASE`, TLS but to this
    /// machine itself, or as `?sslmode=` says (`verify-full`, `require`, `disable`). Without it: `presence/presence.db` below
    /// `$XDG_STATE_HOME` or `~/.local/state`, on macOS below `~/Library/Application Support`.
    // Not printed: a URL can hold a password.
    #[arg(
        long,
        value_name = "PLACE",
        env = "PRESENCE_STORE",
        hide_env_values = true,
        value_parser = OsStringValueParser::new().map(SecretPlace::from),
        value_hint = ValueHint::FilePath
    )]
    pub store: Option<SecretPlace>,

    /// Read the password for the Redis or the PostgreSQL from a file
    ///
    /// One line end at the end of the file does not count.
    #[arg(long, value_name = "PATH", env = "PRESENCE_STORE_PASSWORD_FILE")]
    pub store_password_file: Option<PathBuf>,

    /// Believe only these authorities about the Redis or the PostgreSQL, a PEM file
    ///
    /// For `rediss://` and `postgres://`. Without it: those that the operating system trusts.
    #[arg(long, value_name = "PATH", env = "PRESENCE_STORE_CAFILE")]
    pub store_cafile: Option<PathBuf>,
}

#[derive(Subcommand, Clone, Debug)]
pub enum Action {
    Info(Info),
    Import(Box<Import>),
    Export(Export),
    Compact(Compact),
    ForgetSession(Box<ForgetSession>),
    ForgetQueues(ForgetQueues),
}

/// Shows which brokers a store knows, who listened, and until when
#[derive(Args, Clone, Debug)]
#[command(after_help = "Example:\n  presence store info")]
pub struct Info {
    /// Print one JSON object a line
    #[arg(long, env = "PRESENCE_JSON", value_parser = clap::builder::BoolishValueParser::new())]
    pub json: bool,
    #[command(flatten)]
    pub profile: super::profile::Profile,
    #[command(flatten)]
    pub store: Where,
}

/// Joins files into a store: exports, recordings, notices, broker logs
///
/// Importing a file twice changes nothing, and a watcher may go on meanwhile. Plain logs need
/// `--instance`: evidence about one broker says nothing about another.
#[derive(Args, Clone, Debug)]
#[command(
    after_help = "Example:\n  presence store import --instance broker.example:1883 night.log"
)]
pub struct Import {
    /// Files, folders or quoted patterns to read; `-` is standard input
    ///
    /// gzip and zstd are expanded. A folder stands for all files below it, a pattern such as
    /// `'logs/**/*.gz'` for those it matches.
    #[arg(value_name = "FILE", required = true, value_hint = ValueHint::AnyPath)]
    pub files: Vec<PathBuf>,
    /// Name of the broker that plain logs are about
    #[arg(long, value_name = "NAME", env = "PRESENCE_INSTANCE")]
    pub instance: Option<String>,
    /// Fail on the first line that cannot be read, and import nothing
    #[arg(long, env = "PRESENCE_STRICT", value_parser = clap::builder::BoolishValueParser::new())]
    pub strict: bool,
    #[command(flatten)]
    pub profile: super::profile::Profile,
    #[command(flatten)]
    pub store: Where,
    #[command(flatten)]
    pub reading: Reading,
    #[command(flatten)]
    pub tables: super::tables::Tables,
    #[command(flatten)]
    pub threads: super::threads::Threads,
    #[command(flatten)]
    pub policy: Policy,
}

/// Prints all that a store knows as JSON Lines, for `store import` and `replay`
#[derive(Args, Clone, Debug)]
#[command(after_help = "Example:\n  presence store export > fleet.jsonl")]
pub struct Export {
    /// Only this broker
    #[arg(long, value_name = "NAME", env = "PRESENCE_INSTANCE")]
    pub instance: Option<String>,
    #[command(flatten)]
    pub profile: super::profile::Profile,
    #[command(flatten)]
    pub store: Where,
}

/// Gives space that is no longer used back to the disk
///
/// While it runs it needs room for a second copy of the store. A watcher may go on meanwhile, and
/// waits for it. A PostgreSQL needs none, and lets it go on. A Redis gives space back by itself.
#[derive(Args, Clone, Debug)]
#[command(after_help = "Example:\n  presence store compact")]
pub struct Compact {
    #[command(flatten)]
    pub profile: super::profile::Profile,
    #[command(flatten)]
    pub store: Where,
}

/// Forgets how far the queues of a source were read
///
/// For a topic of RocketMQ of which a broker is gone for good: while the store knows of it, nobody is known,
/// as it may hold what nobody has read. Watching begins anew then, where `--since` says, and what was not
/// read counts as a hole. All watchers of the source have to be stopped.
#[derive(Args, Clone, Debug)]
#[command(
    after_help = "Example:\n  presence store forget-queues --instance rocketmq://nameserver.example:9876/GID_demo_MQTT"
)]
pub struct ForgetQueues {
    /// Name of the source, as `store info` shows it
    #[arg(long, value_name = "NAME", env = "PRESENCE_INSTANCE")]
    pub instance: String,
    #[command(flatten)]
    pub profile: super::profile::Profile,
    #[command(flatten)]
    pub store: Where,
}

/// Removes the watcher's session from the broker
///
/// A watcher leaves a session behind, so that nothing is lost while it is away. This ends it, and
/// what is missed from then on counts as a hole.
#[derive(Args, Clone, Debug)]
#[command(after_help = "Example:\n  presence store forget-session -b broker.example")]
pub struct ForgetSession {
    /// Remove a dead member of a shared group, by its client id
    ///
    /// What it still held is lost: that counts as a hole, and the others go on without it. `store info`
    /// lists the members.
    #[arg(long, value_name = "CLIENT_ID", env = "PRESENCE_MEMBER")]
    pub member: Option<String>,
    #[command(flatten)]
    pub profile: super::profile::Profile,
    #[command(flatten)]
    pub store: Where,
    #[command(flatten)]
    pub connection: Connection,
}
