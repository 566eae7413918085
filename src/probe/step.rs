//! The steps on the way to a broker, and how far it was gone.

use serde::Serialize;
use std::fmt;
use std::time::Duration;

/// One step that was taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    pub kind: Kind,
    pub end: End,
    pub took: Duration,
    /// What was found. It may hold text of strangers.
    pub detail: String,
}

/// The steps, in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    Lookup,
    Tcp,
    Tls,
    Websocket,
    Connack,
    Ping,
    Subscribe,
    Publish,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Lookup => "name",
            Self::Tcp => "TCP",
            Self::Tls => "TLS",
            Self::Websocket => "WebSocket",
            Self::Connack => "CONNECT",
            Self::Ping => "PINGREQ",
            Self::Subscribe => "SUBSCRIBE",
            Self::Publish => "PUBLISH",
        })
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum End {
    Done,
    /// The way is open, but not for all that was asked for.
    Partly,
    Failed,
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Done => "ok",
            Self::Partly => "partly",
            Self::Failed => "failed",
        })
    }
}
