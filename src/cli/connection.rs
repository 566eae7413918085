//! The options of every command that talks to a broker.
//!
//! clap reads them, [`crate::config::connection`] checks them together: no command sees this type.

use super::access_key::AccessKey;
use crate::secret::Secret;
use clap::builder::BoolishValueParser;
use clap::{Args, ValueEnum};
use std::fmt;
use std::path::PathBuf;

/// The broker asked when none is named.
pub const BROKER: &str = "mqtt://localhost:1883";

/// How to reach a broker, who to be there, and whom to believe.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Connection")]
pub struct Connection {
    /// Where the broker listens
    ///
    /// `mqtt://`, `mqtts://`, `ws://` or `wss://`; `tcp`, `ssl` and `tls` are understood too, and a
    /// bare `HOST[:PORT]` means `mqtt://`. The port defaults to 1883, 8883, 80 and 443, the path of
    /// a WebSocket to `/mqtt`. A user name and password in the URL work, but every user of this
    /// machine can read them in the list of processes. Several URLs in the environment variable are
    /// separated by spaces.
    // A `Secret`, because a URL can hold a password and this type is printed by `Debug`.
    #[arg(
        short,
        long,
        value_name = "URL",
        env = "PRESENCE_BROKER",
        hide_env_values = true,
        default_value = BROKER,
        value_delimiter = ' '
    )]
    pub broker: Vec<Secret>,

    /// Name the broker goes by in stores and output
    ///
    /// Without it: host and port of the URL, and `localhost` for every loopback address. Give the
    /// same name wherever one broker is reached under several addresses.
    #[arg(long, value_name = "NAME", env = "PRESENCE_INSTANCE")]
    pub instance: Option<String>,

    /// User to connect as
    #[arg(short, long, value_name = "NAME", env = "PRESENCE_USERNAME")]
    pub username: Option<String>,

    /// Read the password from a file
    ///
    /// One line end at the end of the file does not count. The environment variable
    /// `PRESENCE_PASSWORD` can hold the password itself, where a file is out of reach.
    #[arg(
        long,
        value_name = "PATH",
        env = "PRESENCE_PASSWORD_FILE",
        conflicts_with = "password_stdin"
    )]
    pub password_file: Option<PathBuf>,

    /// Read the password from standard input
    #[arg(long, env = "PRESENCE_PASSWORD_STDIN", value_parser = BoolishValueParser::new())]
    pub password_stdin: bool,

    /// What user name and password are made of
    ///
    /// `plain` sends them as given. Alibaba Cloud's MQTT wants others, which are made of `--access-key-id`,
    /// the instance and the client id: `aliyun-signature` signs with the access key of an account,
    /// `aliyun-device` with the key of one device, and `aliyun-token` shows tokens.
    #[arg(
        long,
        value_enum,
        value_name = "WAY",
        env = "PRESENCE_AUTH",
        default_value_t = Auth::Plain
    )]
    pub auth: Auth,

    /// Read the tokens for `--auth aliyun-token` from a file
    ///
    /// `RW|` and the token, or a line with `R|` and one with `W|`. The file is read again before each
    /// connection, so that a renewed token is used.
    #[arg(long, value_name = "PATH", env = "PRESENCE_AUTH_TOKEN_FILE")]
    pub auth_token_file: Option<PathBuf>,

    /// Id of the instance of Alibaba Cloud's MQTT, as in post-cn-0pp12gl
    ///
    /// Without it: what the host begins with, where it ends with `.mqtt.aliyuncs.com`.
    #[arg(long, value_name = "ID", env = "PRESENCE_ALIYUN_INSTANCE")]
    pub aliyun_instance: Option<String>,

    /// Client id to connect with
    ///
    /// The broker throws out whoever is connected with the same id, so never give the id of a
    /// device. Without it the command makes an id of its own.
    #[arg(short = 'i', long, value_name = "ID", env = "PRESENCE_CLIENT_ID")]
    pub client_id: Option<String>,

    /// Longest silence on the connection before it is probed
    ///
    /// `30` or `30s`, at most 65535s. A broker that does not answer a probe within the same time
    /// again is given up. `0` turns probing off: a dead connection may then go unnoticed for ever.
    #[arg(short, long, value_name = "SECONDS", env = "PRESENCE_KEEPALIVE")]
    pub keepalive: Option<String>,

    /// Version of MQTT to speak
    #[arg(
        long,
        value_enum,
        value_name = "VERSION",
        env = "PRESENCE_MQTT_VERSION",
        default_value_t = MqttVersion::V311
    )]
    pub mqtt_version: MqttVersion,

    /// Believe only the certificate authorities in this PEM file
    ///
    /// Without it: those that the operating system trusts.
    #[arg(long, visible_alias = "ca", value_name = "PATH", env = "PRESENCE_CAFILE")]
    pub cafile: Option<PathBuf>,

    /// Certificate to show to the broker, a PEM file
    #[arg(long, value_name = "PATH", env = "PRESENCE_CERT", requires = "key")]
    pub cert: Option<PathBuf>,

    /// Private key of the certificate, a PEM file without passphrase
    #[arg(long, value_name = "PATH", env = "PRESENCE_KEY", requires = "cert")]
    pub key: Option<PathBuf>,

    /// Accept any certificate from whoever answers
    ///
    /// Encrypts, but proves nothing: anyone on the way can pose as the broker and read the password.
    /// For trials only.
    #[arg(long, env = "PRESENCE_INSECURE", value_parser = BoolishValueParser::new())]
    pub insecure: bool,

    /// Application protocol to name in the TLS handshake
    ///
    /// Needed where a port serves several protocols, for example `mqtt` on port 443.
    #[arg(long, visible_alias = "alpn", value_name = "PROTOCOL", env = "PRESENCE_TLS_ALPN")]
    pub tls_alpn: Option<String>,

    #[command(flatten)]
    pub access_key: AccessKey,
}

/// The versions of MQTT that a command can speak.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum MqttVersion {
    #[value(name = "3.1.1")]
    V311,
    #[value(name = "5")]
    V5,
}

/// What user name and password are made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Auth {
    Plain,
    AliyunSignature,
    AliyunToken,
    AliyunDevice,
}

/// As it is typed.
impl fmt::Display for Auth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Plain => "plain",
            Self::AliyunSignature => "aliyun-signature",
            Self::AliyunToken => "aliyun-token",
            Self::AliyunDevice => "aliyun-device",
        })
    }
}
