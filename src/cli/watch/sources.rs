//! What `presence watch` listens to beside MQTT.

use crate::cli::kafka::Kafka;
use crate::cli::rocketmq::RocketMq;
use crate::secret::Secret;
use clap::builder::BoolishValueParser;
use clap::parser::ValueSource;
use clap::{ArgMatches, Args};
use std::path::PathBuf;

/// Other sources of what comes and goes.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Other sources")]
pub struct Sources {
    /// Listen where a broker tells it beside MQTT; may be given several times
    ///
    /// `amqp://` for the event exchange of RabbitMQ, `stomp://` for ActiveMQ and Artemis,
    /// `rocketmq://NAMESERVER/TOPIC` for notices of Alibaba's MQTT service, `kafka://BROKER/TOPIC` for what others
    /// bridge there; with TLS `amqps://`, `stomp+ssl://`, `rocketmq+ssl://` and `kafka+ssl://`.
    /// `aliyun-amqp://HOST/GROUP` takes Alibaba's notices from the service's own queue, with
    /// `--may-take-messages`. User, password, certificates and keep alive are those of the section
    /// `Connection`; user and password in the URL come first, but every user of this machine can read
    /// them in the list of processes. Without `--broker` nothing else is listened to.
    // A `Secret`, because a URL can hold a password and this type is printed by `Debug`.
    #[arg(
        long,
        value_name = "URL",
        env = "PRESENCE_SOURCE",
        hide_env_values = true,
        value_delimiter = ' '
    )]
    pub source: Vec<Secret>,

    /// Read queues from which each message goes to one reader only
    ///
    /// What `aliyun-amqp://` reads, the application that the notices are meant for does not get. Only where
    /// nobody else reads them: `rocketmq://`, `kafka://` and `--api` take nothing away from anybody.
    #[arg(long, env = "PRESENCE_MAY_TAKE_MESSAGES", value_parser = BoolishValueParser::new())]
    pub may_take_messages: bool,

    /// Take in what brokers post to this address, as HOST:PORT or PORT
    ///
    /// For brokers and clouds that tell by webhook, whatever the path. Port 0 is a free one, which is then
    /// said. Without `--broker` nothing else is listened to.
    #[arg(long, value_name = "ADDRESS", env = "PRESENCE_LISTEN_WEBHOOK")]
    pub listen_webhook: Option<String>,

    /// Take in only what comes with the secret in this file
    ///
    /// As `Authorization: Bearer SECRET`, or as `?secret=SECRET` in the URL. Needed for every address but
    /// those of loopback. One line end at the end of the file does not count.
    #[arg(
        long,
        value_name = "PATH",
        env = "PRESENCE_LISTEN_WEBHOOK_SECRET_FILE",
        requires = "listen_webhook"
    )]
    pub listen_webhook_secret_file: Option<PathBuf>,

    /// Where to begin in a queue of which nothing was read yet: `earliest`, `latest`, `2h`, or a moment
    ///
    /// By the time at which a message was stored. What was read is kept in the store, and reading goes on
    /// there; if this is given, not behind it. Without it: three days ago.
    #[arg(long, value_name = "WHEN", env = "PRESENCE_SINCE")]
    pub since: Option<String>,

    /// Leave out what is stored in queues then or later, and end with it, as RFC 3339 or ms since 1970
    ///
    /// By the time at which a message was stored; it may be still to come. Reading goes on there when it is
    /// watched again.
    #[arg(long, value_name = "TIME", env = "PRESENCE_UNTIL")]
    pub until: Option<String>,

    #[command(flatten)]
    pub rocketmq: RocketMq,
    #[command(flatten)]
    pub kafka: Kafka,

    /// Whether a broker was named, and not merely taken because none was.
    #[arg(skip)]
    pub is_broker_chosen: bool,
}

impl Sources {
    /// Looks up whether clap was told a broker.
    pub fn note(&mut self, matches: &ArgMatches) {
        let source = matches.value_source("broker");
        self.is_broker_chosen = source.is_some_and(|source| source != ValueSource::DefaultValue);
    }

    /// Returns how many there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.source.len() + usize::from(self.listen_webhook.is_some())
    }

    #[must_use]
    pub fn are_none(&self) -> bool {
        self.count() == 0
    }
}
