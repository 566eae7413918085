//! aedes, a broker for Node.js: who comes and goes, in bare client ids.

use super::plain::{How, Plain};
use super::{Events, Malformed, Message, PAYLOAD_MAX, Reading, Reason, excerpt};
use crate::event::{Channel, ChannelEvent, Event, EventKind};

pub const AEDES: Plain = Plain {
    name: "aedes",
    title: "client ids of aedes",
    authority: 2,
    filters: &["$SYS/+/new/clients", "$SYS/+/disconnect/clients"],
    message_life: None,
    is_usual: true,
    speaks_at: |topic| kind_of(topic).is_some(),
    is_line: None,
    read: How::Alone(|message, _| read(message)),
};

/// Returns what a message of this topic tells.
fn kind_of(topic: &str) -> Option<EventKind> {
    let (broker, rest) = topic.strip_prefix("$SYS/")?.split_once('/')?;
    match rest {
        _ if broker.is_empty() => None,
        "new/clients" => Some(EventKind::Opened),
        "disconnect/clients" => Some(EventKind::Closed),
        _ => None,
    }
}

/// Reads one message.
///
/// Shape: the client id as it is, and nothing else. No channel is named: one nameless channel a client. At
/// a take-over the end comes before the new beginning. A goodbye is not told from a drop.
/// Units: none; the arrival is the stamp.
/// Errors: `Malformed` for what is no text or empty.
/// Source: moscajs/aedes 1.2.0, `aedes.js` and `lib/client.js`; samples in
/// `tests/fixtures/dialects/aedes.jsonl`.
fn read<'a>(message: &Message<'a>) -> Reading<'a> {
    let Some(kind) = kind_of(message.topic) else { return Reading::NotMine };
    if message.payload.len() > PAYLOAD_MAX {
        return Reading::Malformed(Malformed::too_long(message.payload));
    }
    match std::str::from_utf8(message.payload) {
        Ok("") => Reading::Malformed(Malformed::new(Reason::ClientMissing, "empty")),
        Ok(client) => {
            let stamp = Some(message.arrival());
            let event = ChannelEvent::new(client, Channel::Weak(None), kind, stamp);
            Reading::Events(Events::one(Event::Channel(event)))
        }
        Err(_) => Reading::Malformed(Malformed::new(Reason::Unreadable, excerpt(message.payload))),
    }
}
