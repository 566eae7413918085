//! Everything that can end a connection or keep it from standing: its cause, and what to do next.

use super::reason::{self, described, of_connack, of_v5, quoted};
use super::{packet::Malformed, tls};
use crate::config::broker::MqttVersion;
use crate::config::connection::Connection;
use crate::failure::Failure;
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;
use tokio_tungstenite::tungstenite::{Error as WebSocketError, error::ProtocolError};

/// Why there is no connection, or no longer one.
#[derive(Debug)]
pub enum Trouble {
    UnknownHost(String, Option<io::Error>),
    Unreachable(SocketAddr, io::Error),
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
    Refused {
        code: u8,
        said: Option<String>,
        moved_to: Option<String>,
    },
    /// Closed by the broker without a word.
    Closed,
    Broken(io::Error),
    /// Closed by the broker with a DISCONNECT (MQTT 5).
    Dismissed {
        code: u8,
        said: Option<String>,
    },
    /// Not even a probe was answered within this time.
    Silent(Duration),
    /// SUBSCRIBE was not answered within this time.
    Deaf(Duration),
    Malformed(Malformed),
}

/// The stages of connecting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    Lookup,
    Reach,
    Tls,
    WebSocket,
    Connack,
}

/// Who speaks instead of a broker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Foreign {
    Http,
    Tls,
    /// The first bytes said.
    Other(Vec<u8>),
}

impl Foreign {
    /// Judges by the first bytes of an answer that is no CONNACK.
    pub fn judge(bytes: &[u8]) -> Self {
        let start = &bytes[..bytes.len().min(16)];
        if b"HTTP".starts_with(&start[..start.len().min(4)]) {
            Self::Http
        } else if start.first() == Some(&0x15) {
            // The record type of a TLS alert: CONNECT was taken for a ClientHello.
            Self::Tls
        } else {
            Self::Other(start.to_vec())
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

    pub fn from_websocket(error: &WebSocketError) -> Self {
        let trouble = |cause: String, next: &str| Self::WebSocket { cause, next: next.to_owned() };
        match error {
            WebSocketError::Http(response) => trouble(
                format!(
                    "it answered the WebSocket handshake with HTTP {}",
                    response.status().as_u16()
                ),
                "check the path of the URL: brokers often use `/mqtt`, some `/` or `/ws`",
            ),
            WebSocketError::Protocol(ProtocolError::SecWebSocketSubProtocolError(_)) => trouble(
                "it opened the WebSocket, but not for the sub-protocol `mqtt`".into(),
                "check the port and path of the URL: this is a WebSocket for something else",
            ),
            other => trouble(
                format!("the WebSocket handshake failed: {other}"),
                "check that the port serves WebSockets; plain MQTT is reached with `mqtt://`",
            ),
        }
    }

    /// Tells whether trying again would give the same answer: the broker has decided about us.
    #[must_use]
    pub const fn is_final(&self) -> bool {
        match self {
            Self::Refused { code, .. } => matches!(
                code,
                1 | 2 | 4 | 5 | 0x81 | 0x82 | 0x84..=0x87 | 0x8A | 0x8C | 0x95 | 0x9B | 0x9D
            ),
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
            Self::Unreachable(..) | Self::Slow(Stage::Lookup | Stage::Reach) => {
                "check host and port, and that no firewall is in the way".into()
            }
            Self::Slow(_) | Self::Silent(_) | Self::Deaf(_) => format!(
                "check that this is the port of a broker (one that wants `{other_encryption}` is silent \
                 too), and that the broker is not overloaded"
            ),
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
            Self::Foreign(Foreign::Other(_)) | Self::Malformed(_) => {
                "check host and port: another service may be listening there".into()
            }
            Self::Refused { code, moved_to, .. } => {
                refusal_advice(*code, moved_to.as_deref(), connection)
            }
            Self::Closed | Self::Broken(_) | Self::Dismissed { .. } => {
                "the broker's log says why it closed the connection".into()
            }
        }
    }

    /// Returns the failure of a run that this trouble ends.
    #[must_use]
    pub fn failure(&self, connection: &Connection) -> Failure {
        let what = match self {
            Self::Refused { .. } => format!("{} refused the connection", connection.broker),
            _ => format!("could not connect to {}", connection.broker),
        };
        Failure::new(what).because(self).next(self.next(connection))
    }
}

fn refusal_advice(code: u8, moved_to: Option<&str>, connection: &Connection) -> String {
    match code {
        1 | 0x84 if connection.mqtt_version == MqttVersion::V5 => {
            "pass `--mqtt-version 3.1.1`".into()
        }
        1 => "pass `--mqtt-version 5`, or update the broker".into(),
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
        0x9C | 0x9D => match moved_to {
            Some(server) => format!("connect to {} instead", quoted(server)),
            None => "ask who runs the broker where it has moved".into(),
        },
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
            Self::Slow(stage) => f.write_str(match stage {
                Stage::Lookup => "looking up the host name took too long",
                Stage::Reach => "no answer to the attempt to connect",
                Stage::Tls => "it accepted the connection, but did not answer the TLS handshake",
                Stage::WebSocket => {
                    "it accepted the connection, but did not answer the WebSocket handshake"
                }
                Stage::Connack => "it accepted the connection, but did not answer CONNECT",
            }),
            Self::Unanswered => f.write_str("it closed the connection without answering CONNECT"),
            Self::Foreign(Foreign::Http) => f.write_str("what answered speaks HTTP, not MQTT"),
            Self::Foreign(Foreign::Tls) => f.write_str("the port expects TLS"),
            Self::Foreign(Foreign::Other(start)) => write!(
                f,
                "what answered does not speak MQTT (it began with {})",
                quoted(&String::from_utf8_lossy(start))
            ),
            Self::Refused { code, said, .. } => {
                write!(f, "CONNACK {}", described(*code, of_connack(*code), said.as_deref()))
            }
            Self::Closed => f.write_str("the broker closed the connection"),
            Self::Broken(error) => write!(f, "the connection broke: {error}"),
            Self::Dismissed { code, said } => {
                let reason = described(*code, of_v5(*code), said.as_deref());
                write!(f, "the broker ended the connection: DISCONNECT {reason}")
            }
            Self::Silent(time) => {
                write!(
                    f,
                    "the broker sent nothing for {}s, not even an answer to a probe",
                    time.as_secs()
                )
            }
            Self::Deaf(time) => {
                write!(f, "the broker did not answer SUBSCRIBE within {}s", time.as_secs())
            }
            Self::Malformed(what) => write!(f, "the broker sent {what}"),
        }
    }
}

impl From<Malformed> for Trouble {
    fn from(malformed: Malformed) -> Self {
        Self::Malformed(malformed)
    }
}

/// The reason code of a DISCONNECT that says: someone else connected with your client id.
pub const TAKEN_OVER: u8 = 0x8E;

/// Returns the words for a filter that was not granted.
#[must_use]
pub fn refusal_of_filter(code: u8, said: Option<&str>, version: MqttVersion) -> String {
    described(code, reason::of_suback(code, version), said)
}
