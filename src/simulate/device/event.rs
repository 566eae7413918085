//! What a device tells of its connection.

use crate::wire::{Malformed, Reason};

/// What happened on the connection. All but the first two end it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    Connected {
        session_present: bool,
    },
    /// A subscription or a message was refused; told once.
    Objected {
        to: Objection,
        reason: Reason,
    },
    /// CONNACK said no.
    Refused {
        reason: Reason,
        said: Option<String>,
    },
    /// The broker said DISCONNECT (MQTT 5).
    Dismissed {
        reason: Reason,
    },
    /// The broker sent what MQTT does not allow, or CONNECT cannot be said in MQTT.
    Malformed(Malformed),
    /// Nothing was heard for as long as the device waits, though an answer was due.
    Unanswered,
    /// A message of its own has more bytes than the broker takes.
    Oversized {
        size: usize,
        size_max: u32,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Objection {
    Subscription,
    Message,
}
