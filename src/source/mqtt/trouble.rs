//! Everything that can end a connection or keep it from standing: its cause, and what to do next.

use super::reason::{self, described, of_connack, of_v5, quoted};
use super::tls;
use super::token::Notice;
use crate::config::broker::MqttVersion;
use crate::config::connection::Connection;
use crate::event::Timestamp;
use crate::failure::Failure;
use std::fmt;
use std::io;
use std::time::Duration;

/// Why there is no connection, or no longer one.
#[derive(Debug)]
pub enum Trouble {
    UnknownHost(String, Option<io::Error>),
    /// No TCP connection to this address.
    Unreachable(String, io::Error),
    NoServerName(String),
    Tls {
        cause: String,
        next: String,
    },
    WebSocket {
        cause: String,
        next: String,
    },
    /// Time ran out in this stage.
    Slow(Stage),
    /// Closed before CONNACK.
    Unanswered,
    /// What answered is no broker, or not by this way.
    Foreign(Foreign),
    /// Refused with this code of a CONNACK.
    Refused(u8),
    /// Closed by the broker without a word.
    Closed,
    Broken(io::Error),
    /// Closed by the broker with a DISCONNECT (MQTT 5).
    Dismissed {
        code: u8,
        said: Option<String>,
    },
    /// Closed over a token of ours, as the broker had said before.
    Token {
        notice: Notice,
        cause: Box<Trouble>,
    },
    /// There is no token to connect with, and why.
    NoToken(String),
    /// Not even a probe was answered within this time.
    Silent(Duration),
    /// The broker took nothing in for this time.
    Unread(Duration),
    /// SUBSCRIBE was not answered within this time.
    Deaf(Duration),
    /// A message of this size, more than is taken in.
    Oversized(usize),
    /// The broker says that it knows no shared subscriptions, and this filter is one.
    Unshared(String),
    /// SUBSCRIBE was answered with a code that no version of MQTT has, for this filter if it is known.
    UnusualAnswer {
        code: u8,
        filter: Option<String>,
    },
    /// Closed while the answer to SUBSCRIBE was due, for this filter if it is known.
    ThrownOut {
        filter: Option<String>,
        cause: Box<Trouble>,
    },
    /// The broker broke the protocol, in the words of the library.
    Malformed(String),
    /// Our own side failed.
    Failed(String),
}

/// The stages of connecting that can be told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    Lookup,
    /// From the first packet of TCP to CONNACK.
    Answer,
}

/// Who speaks instead of a broker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Foreign {
    Http,
    Tls,
    Other,
}

impl Foreign {
    /// Returns who answers with these bytes instead of a broker.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        match bytes {
            // An alert.
            [0x15, 0x03, ..] => Self::Tls,
            _ if bytes.starts_with(b"HTTP") => Self::Http,
            _ => Self::Other,
        }
    }
}

impl Trouble {
    /// Sorts an error of the stream.
    pub fn from_io(error: io::Error) -> Self {
        if tls::is_tls(&error) {
            return tls::trouble(&error);
        }
        match error.kind() {
            // TLS without close_notify, which many brokers leave out.
            io::ErrorKind::UnexpectedEof => Self::Closed,
            _ => Self::Broken(error),
        }
    }

    /// Explains the end of a connection by what was said about a token on it.
    #[must_use]
    pub fn explained(self, notice: Option<Notice>, now: Timestamp) -> Self {
        match (self, notice) {
            (
                cause @ (Self::Closed
                | Self::Broken(_)
                | Self::Dismissed { .. }
                | Self::ThrownOut { .. }),
                Some(notice),
            ) if notice.explains_end(now) => Self::Token { notice, cause: Box::new(cause) },
            (trouble, _) => trouble,
        }
    }

    /// Tells whether trying again would give the same answer: the broker has decided about us.
    #[must_use]
    pub const fn is_final(&self) -> bool {
        match self {
            Self::Unshared(_) => true,
            Self::Refused(code) => matches!(
                code,
                1 | 2 | 4 | 5 | 0x81 | 0x82 | 0x84..=0x87 | 0x8A | 0x8C | 0x95 | 0x9B | 0x9D
            ),
            _ => false,
        }
    }

    /// Tells whether this is how a connection ends when another client connects with the same client id:
    /// MQTT 3.1.1 has no word for it, and rumqttc cannot read the shortest of MQTT 5.
    #[must_use]
    pub const fn may_be_a_rival(&self) -> bool {
        match self {
            Self::Closed | Self::Broken(_) => true,
            Self::Dismissed { code, .. } => *code == TAKEN_OVER,
            Self::ThrownOut { cause, .. } => cause.may_be_a_rival(),
            _ => false,
        }
    }

    /// Returns what to do about it.
    #[must_use]
    pub fn next(&self, connection: &Connection) -> String {
        let broker = &connection.broker;
        let other_encryption = broker.scheme.other_encryption();
        match self {
            Self::Tls { next, .. } | Self::WebSocket { next, .. } => next.clone(),
            Self::UnknownHost(..) => {
                "check the host name, and that this machine can look names up".into()
            }
            Self::NoServerName(_) => {
                "name the broker by a host name or address in `--broker`".into()
            }
            Self::Unreachable(_, error) if error.kind() == io::ErrorKind::ConnectionRefused => {
                "is a broker listening there? Check host and port, or start it".into()
            }
            Self::Unreachable(..) | Self::Slow(Stage::Lookup) => {
                "check host and port, and that no firewall is in the way".into()
            }
            Self::Slow(Stage::Answer) => format!(
                "check host and port, that no firewall is in the way, and that this is the port of a \
                 broker (one that wants `{other_encryption}` is silent too)"
            ),
            Self::Silent(_) | Self::Unread(_) | Self::Deaf(_) => {
                "check the network on the way, and that the broker is not overloaded".into()
            }
            // What MQTT 3.1.1 brokers answer to MQTT 5 cannot be read by rumqttc, see `rumqtt`.
            Self::Unanswered if connection.mqtt_version == MqttVersion::V5 => format!(
                "try `--mqtt-version 3.1.1`; if that fails too, try `{other_encryption}`, and read the \
                 broker's log"
            ),
            Self::Unanswered => {
                format!(
                    "does the port want `{other_encryption}`? If not, the broker's log says why"
                )
            }
            Self::Foreign(Foreign::Http) => {
                "check the port; a broker behind a web server is reached with `ws://` or `wss://`"
                    .into()
            }
            Self::Foreign(Foreign::Tls) => "use `mqtts://`".into(),
            Self::Foreign(Foreign::Other) => {
                "check host and port: another service may be listening there; behind a web server a \
                 broker is reached with `ws://` or `wss://`"
                    .into()
            }
            Self::Refused(code) => refusal_advice(*code, connection),
            Self::Unshared(_) => "leave `--share` out: one watcher alone can listen there".into(),
            Self::Oversized(_) => {
                "narrow the filters so that topics with such payloads are left out".into()
            }
            Self::UnusualAnswer { .. } | Self::Malformed(_) => {
                "check that this is a broker, and what stands between it and us".into()
            }
            Self::ThrownOut { .. } => {
                "use an account that may read it, or choose what to listen to with `--dialect`".into()
            }
            Self::Token { .. } | Self::NoToken(_) => RENEW.into(),
            Self::Closed | Self::Broken(_) | Self::Dismissed { .. } => {
                "the broker's log says why it closed the connection".into()
            }
            Self::Failed(_) => "report it, with this message".into(),
        }
    }

    /// Returns the failure of a run that this trouble ends.
    #[must_use]
    pub fn failure(&self, connection: &Connection) -> Failure {
        let what = match self {
            Self::Refused(_) => format!("{} refused the connection", connection.broker),
            _ => format!("could not connect to {}", connection.broker),
        };
        Failure::new(what).because(self).next(self.next(connection))
    }
}

fn refusal_advice(code: u8, connection: &Connection) -> String {
    match code {
        4 | 5 | 0x86 | 0x87 if connection.auth.is_token() => RENEW.into(),
        2 | 4 | 5 | 0x85..=0x87 if connection.is_derived() => {
            "check the access key and its secret, the instance, and that the group of the client id is there"
                .into()
        }
        1 | 0x84 if connection.mqtt_version == MqttVersion::V5 => {
            "pass `--mqtt-version 3.1.1`".into()
        }
        1 | 0x84 => "pass `--mqtt-version 5`, or update the broker".into(),
        2 | 0x85 => "pass an id that the broker accepts with `--client-id`".into(),
        4 | 5 | 0x86 | 0x87 if connection.username.is_none() && connection.password.is_none() => {
            "pass the user and password of an account with `--username` and `--password-file`"
                .into()
        }
        4 | 0x86 => "check `--username` and the password".into(),
        5 | 0x87 => {
            "check user and password, and that the account may connect with this client id".into()
        }
        3 | 0x88 | 0x89 | 0x97 | 0x9F => "try again later, or ask who runs the broker".into(),
        0x8A => "ask who runs the broker to lift the ban".into(),
        0x8C => {
            "use an account with user and password: no other authentication is spoken here".into()
        }
        0x9C | 0x9D => "ask who runs the broker where it has moved".into(),
        _ => "the broker's log may say more".into(),
    }
}

/// The cause, as half a sentence.
impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownHost(host, None) => write!(f, "the host {} has no address", quoted(host)),
            Self::UnknownHost(host, Some(error)) => {
                write!(f, "the host {} is not known: {error}", quoted(host))
            }
            Self::Unreachable(address, error) => match error.kind() {
                io::ErrorKind::ConnectionRefused => write!(f, "connection refused by {address}"),
                io::ErrorKind::TimedOut => write!(f, "no answer from {address}"),
                _ => write!(f, "cannot reach {address}: {error}"),
            },
            Self::NoServerName(host) => {
                write!(f, "{} is no name a certificate can have", quoted(host))
            }
            Self::Tls { cause, .. } | Self::WebSocket { cause, .. } => f.write_str(cause),
            Self::Slow(Stage::Lookup) => f.write_str("looking up the host name took too long"),
            Self::Slow(Stage::Answer) => {
                f.write_str("no answer in time, to the attempt to connect or to CONNECT")
            }
            Self::Unanswered => f.write_str("it closed the connection without answering CONNECT"),
            Self::Foreign(Foreign::Http) => f.write_str("what answered speaks HTTP, not MQTT"),
            Self::Foreign(Foreign::Tls) => f.write_str("the port expects TLS"),
            Self::Foreign(Foreign::Other) => f.write_str("what answered does not speak MQTT"),
            Self::Refused(code) => {
                write!(f, "CONNACK {}", described(*code, of_connack(*code), None))
            }
            Self::Closed => f.write_str("the broker closed the connection"),
            Self::Broken(error) => write!(f, "the connection broke: {error}"),
            Self::Dismissed { code, said } => {
                let reason = described(*code, of_v5(*code), said.as_deref());
                write!(f, "the broker ended the connection: DISCONNECT {reason}")
            }
            Self::Token { notice, cause } => write!(f, "{notice}, and {cause}"),
            Self::NoToken(what) => f.write_str(what),
            Self::Silent(time) => {
                write!(
                    f,
                    "the broker sent nothing for {}s, not even an answer to a probe",
                    time.as_secs()
                )
            }
            Self::Unread(time) => {
                write!(f, "the broker took nothing in for {}s", time.as_secs())
            }
            Self::Deaf(time) => {
                write!(f, "the broker did not answer SUBSCRIBE within {}s", time.as_secs())
            }
            Self::Unshared(filter) => {
                write!(f, "it has no shared subscriptions, as {} needs", quoted(filter))
            }
            Self::Oversized(size) => {
                write!(f, "the broker sent a packet of {size} bytes, more than is taken in")
            }
            Self::UnusualAnswer { code, filter } => {
                write!(f, "the broker answered SUBSCRIBE with a code that MQTT does not define")?;
                match filter {
                    Some(filter) => write!(f, " (0x{code:02X}, for {})", quoted(filter)),
                    None => write!(f, " (0x{code:02X})"),
                }
            }
            Self::ThrownOut { filter: None, cause } => {
                write!(f, "{cause}, when asked to subscribe")
            }
            Self::ThrownOut { filter: Some(filter), cause } => {
                write!(f, "{cause}, when asked for {}", quoted(filter))
            }
            Self::Malformed(what) => {
                write!(f, "the broker sent what MQTT does not allow: {}", quoted(what))
            }
            Self::Failed(what) => write!(f, "our side of the connection failed: {}", quoted(what)),
        }
    }
}

/// What to do about a token.
pub const RENEW: &str =
    "write a new token into the file of `--auth-token-file`: it is read before each connection";

/// The reason code of a DISCONNECT that says: someone else connected with your client id.
pub const TAKEN_OVER: u8 = 0x8E;

/// Returns the words for a filter that was not granted.
#[must_use]
pub fn refusal_of_filter(code: u8, said: Option<&str>, version: MqttVersion) -> String {
    described(code, reason::of_suback(code, version), said)
}
