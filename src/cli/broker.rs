//! `presence broker`

use super::access_key::AccessKey;
use crate::secret::Secret;
use clap::Args;
use std::path::PathBuf;

pub const LISTEN: &str = "127.0.0.1:1883";
pub const NOTICE_TOPIC: &str = "$presence/{client}";

/// Runs a small MQTT broker that tells who comes and goes
///
/// A test stand and a teaching aid, not a product: it forgets everything when it ends. It speaks MQTT
/// 3.1.1 and 5, over TCP and WebSocket on the same port, and publishes a notice in the words of LMQ
/// for every connect, disconnect and end of a connection. Ctrl-C ends it with a summary.
#[derive(Args, Clone, Debug)]
#[command(after_help = "Example:\n  presence broker --listen 127.0.0.1:1884")]
pub struct Broker {
    /// Address to listen on; may be given several times
    ///
    /// `PORT`, `HOST:PORT`, `mqtt://HOST:PORT` or `ws://HOST:PORT`. Port 0 is a free one. Beyond
    /// loopback `--password-file` is needed. Several in the environment variable are separated by
    /// spaces.
    #[arg(long, value_name = "ADDRESS", env = "PRESENCE_LISTEN", default_value = LISTEN, value_delimiter = ' ')]
    pub listen: Vec<String>,

    /// Let in only users in this file, lines `user:password`
    ///
    /// Empty lines and lines that begin with `#` do not count. Without it everybody may come in. Its
    /// environment variable is `PRESENCE_BROKER_PASSWORD_FILE`: `PRESENCE_PASSWORD_FILE` names the
    /// password that clients connect with.
    #[arg(long, value_name = "PATH", env = "PRESENCE_BROKER_PASSWORD_FILE")]
    pub password_file: Option<PathBuf>,

    /// Topic of the notices; `{client}` stands for the client id
    ///
    /// In the topic `/ + # %` and control characters of a client id are percent-encoded. Clients can
    /// publish neither there nor below any other topic that begins with `$`.
    #[arg(long, value_name = "TOPIC", env = "PRESENCE_NOTICE_TOPIC", default_value = NOTICE_TOPIC)]
    pub notice_topic: String,

    /// Send each notice to a topic of RocketMQ too, as Alibaba's MQTT service does
    ///
    /// `rocketmq://NAMESERVER:9876/TOPIC`; `GID_xxx` stands for the topic of that group's notices. The tag is the
    /// kind of the notice. A topic that is not there yet is made, where the broker makes topics when they are
    /// needed.
    #[arg(long, value_name = "URL", env = "PRESENCE_ROCKETMQ", hide_env_values = true)]
    pub rocketmq: Option<Secret>,

    /// Clients that may be connected at the same time
    ///
    /// Without it: as many as the limit of open files allows.
    #[arg(long, value_name = "COUNT", env = "PRESENCE_CONNECTIONS_MAX", value_parser = clap::value_parser!(u32).range(1..))]
    pub connections_max: Option<u32>,

    /// Make the notices lie; may be given several times
    ///
    /// `drop-notice=P%` loses that share of them. `repeat[=N]` sends each N more times. `delay=DURATION`
    /// sends each so much later, in order. `early` tells the end of a connection (`tcpclean`) right
    /// behind its beginning, and not when it comes. `hold-tcpclean[=DURATION]` tells the end of a
    /// connection that was taken over so much later, after the beginning of the next one;
    /// `late-tcpclean=DURATION` that of every connection.
    #[arg(long, value_name = "FAULT", env = "PRESENCE_FAULT", value_delimiter = ',', hide = true)]
    pub fault: Vec<String>,

    /// Seed of the chance in `--fault drop-notice`
    #[arg(
        long,
        value_name = "NUMBER",
        env = "PRESENCE_FAULT_SEED",
        default_value_t = 0,
        hide = true
    )]
    pub fault_seed: u64,

    #[command(flatten)]
    pub access_key: AccessKey,
}
