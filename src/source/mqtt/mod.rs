//! Listening to an MQTT broker, for as long as it takes.
//!
//! A [`Session`] connects, subscribes, hands out what it hears, and comes back when the connection is
//! lost. It subscribes again at every CONNACK, acknowledges only what it is told to, and only on the
//! connection that brought the message. It never publishes.
//!
//! MQTT itself, TLS and WebSocket are spoken by rumqttc 0.25. Its traps, their guards, and what it cannot
//! do at all stand in `rumqtt`, the one module that knows it; each has a test in
//! `tests/connection.rs`. Every connection has an event loop and a thread of its own (`link`), so that
//! nothing of a dead one can reach the next, so that the line is kept alive while the consumer is busy,
//! and so that it can rest under load (`gathering`).
//!
//! A packet may have [`PACKET_MAX`] bytes. A larger one costs the connection, since rumqttc gives up
//! there; the next connection lets it through once, and the message is skipped and acknowledged, or it
//! would come for ever. In a WebSocket a frame has 16 MiB at most, whatever the packet.

mod backoff;
mod check;
mod gathering;
mod link;
pub mod reach;
pub mod reason;
mod rumqtt;
mod session;
mod subscribing;
pub mod tls;
pub mod token;
pub mod trouble;
mod unacknowledged;
pub mod websocket;

pub use backoff::Backoff;
pub use session::{Session, forget_session};

use crate::config::connection::Connection;
use crate::failure::Failure;
use crate::source::origin::{Origin, Position, QueueState, Queues};
use bytes::Bytes;
use compact_str::CompactString;
use std::sync::Arc;
use std::time::Duration;

/// The largest message that is handed out, in bytes of topic and payload, and the largest packet taken
/// in. Evidence is small; but a payload of 1 MiB on a topic that happens to match, or a listing of a whole
/// fleet, is no reason to stop listening.
pub const PACKET_MAX: usize = 8 << 20;

/// What the filter of a shared subscription begins with, before the name of its group.
pub const SHARED: &str = "$share/";

/// What to listen to, as whom, and how patiently.
#[derive(Clone, Debug)]
pub struct Options {
    pub connection: Connection,
    pub client_id: String,
    /// Start without what the broker kept, and leave nothing behind.
    pub clean: bool,
    /// How long the broker keeps the session without us. Only MQTT 5 can say it.
    pub session_expiry: Duration,
    pub filters: Vec<String>,
    /// What one attempt to connect may take.
    pub connect_timeout: Duration,
    pub backoff: Backoff,
}

impl Options {
    /// Returns options for a session that is kept for a day and listens to nothing.
    #[must_use]
    pub fn new(connection: Connection, client_id: impl Into<String>) -> Self {
        Self {
            connection,
            client_id: client_id.into(),
            clean: false,
            session_expiry: Duration::from_hours(24),
            filters: Vec::new(),
            connect_timeout: Duration::from_secs(5),
            backoff: Backoff::default(),
        }
    }
}

/// What a session hears. Everything but `Lost` proves that the broker was there a moment ago.
#[derive(Debug)]
pub enum Heard {
    /// The broker accepted us.
    Connected {
        session_present: bool,
    },
    /// The broker has answered for every filter. Once per connection, in the order of the filters;
    /// messages may come before it.
    Subscribed {
        granted: Vec<Grant>,
    },
    Message(Publish),
    /// The broker has taken one subscription back, as it was asked to. What it queued before still comes.
    Unsubscribed,
    /// A message that could not be taken in, and why. It is acknowledged, or it would come for ever.
    Skipped {
        cause: String,
    },
    /// The broker will end the connection, and why, unless something is done.
    Ahead {
        what: String,
        next: &'static str,
    },
    /// Another packet, for example the answer to a probe.
    Alive,
    /// Something was certainly lost, though the line stands.
    Missed {
        cause: String,
    },
    /// What is listened to keeps what was read, in these queues. Told before anything else of them.
    Queues(Queues),
    /// What became of one of them.
    Queue {
        queue: Arc<str>,
        state: QueueState,
    },
    /// A queue has been handed out up to here.
    Position(Position),
    /// All queues that are read here were handed out to their ends: from now on what happens is heard.
    CaughtUp,
    /// All that was asked for was heard.
    Over,
    /// There is no connection. The session tries again by itself after the wait.
    Lost {
        cause: String,
        retry_in: Duration,
    },
}

/// A broker's answer for one filter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    pub filter: String,
    pub answer: Answer,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Subscribed, at this `QoS` at most.
    Granted(u8),
    /// Refused, with the code of the SUBACK and its words.
    Refused { code: u8, text: String },
}

/// A message. Topic and payload come from strangers. A short topic needs no memory of its own.
#[derive(Clone, Debug)]
pub struct Publish {
    pub topic: CompactString,
    pub payload: Bytes,
    pub qos: u8,
    pub retain: bool,
    pub dup: bool,
    /// What a queue says of it, where it came from one.
    pub origin: Option<Box<Origin>>,
    /// To be handed to [`Session::acknowledge`] once the message's effect is durable.
    pub ack: AckToken,
}

/// Stands for one message on one connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AckToken {
    /// Packet ids start again with every connection, so an id alone would acknowledge another
    /// message after a reconnect, which would then be lost.
    epoch: u64,
    id: u16,
    qos: u8,
}

impl AckToken {
    /// Returns one that stands for a message by a number, where there are no packet ids.
    pub(in crate::source) const fn numbered(number: u64) -> Self {
        Self { epoch: number, id: 0, qos: 1 }
    }

    pub(in crate::source) const fn number(self) -> u64 {
        self.epoch
    }
}

/// Returns a client id that nobody else has.
pub fn random_client_id() -> Result<String, Failure> {
    let random = getrandom::u64().map_err(|error| {
        Failure::new("could not make a client id")
            .because(error)
            .next("pass one with `--client-id`")
    })?;
    Ok(format!("presence-{random:016x}"))
}
