//! The state that Mosquitto's plugin `connection-state` keeps retained.

use super::plain::{How, Plain};
use super::{Events, Malformed, Message, PAYLOAD_MAX, Reading, Reason, Remark, excerpt};
use crate::event::{Channel, ChannelEvent, Event, EventKind, Flags};

pub const CONNECTION_STATE: Plain = Plain {
    name: "connection-state",
    title: "connection states of Mosquitto",
    authority: 3,
    filters: &["$SYS/broker/connection/client/#"],
    message_life: None,
    is_usual: true,
    speaks_at: |topic| client_of(topic).is_some(),
    is_line: None,
    read: How::Alone(|message, _| read(message)),
};

/// Returns the client of a topic, whose id may hold slashes.
fn client_of(topic: &str) -> Option<&str> {
    topic.strip_prefix("$SYS/broker/connection/client/")?.strip_suffix("/state")
}

/// Reads one state.
///
/// Shape: topic `$SYS/broker/connection/client/{client id}/state`, payload `1` or `0`. No channel is named:
/// one nameless channel a client. An empty payload takes the state away: a `0` expires after a day. At a
/// take-over `0` comes, then `1`. A `1` that is retained may be old: of a client with a kept session the end
/// is not told.
/// Units: none; the arrival is the stamp, and the place in the order of arrival tells equal ones apart.
/// Errors: `Malformed` for any other payload, and for a topic without a client.
/// Source: eclipse-mosquitto/mosquitto 2.1.2, `plugins/examples/connection-state`; samples in
/// `tests/fixtures/dialects/mosquitto-2.1-connection-state.jsonl`.
fn read<'a>(message: &Message<'a>) -> Reading<'a> {
    let Some(client) = client_of(message.topic) else { return Reading::NotMine };
    if message.payload.len() > PAYLOAD_MAX {
        return Reading::Malformed(Malformed::too_long(message.payload));
    }
    if client.is_empty() {
        let detail = format!("no client in `{}`", excerpt(message.topic.as_bytes()));
        return Reading::Malformed(Malformed::new(Reason::ClientMissing, detail));
    }
    let kind = match message.payload {
        b"" => return Reading::Events(Events::only(Remark::Cleared)),
        b"1" => EventKind::Opened,
        b"0" => EventKind::Closed,
        other => {
            let detail = format!("state `{}`", excerpt(other));
            let client = Some((client.into(), Flags::NONE));
            let malformed = Malformed::new(Reason::UnknownEvent, detail);
            return Reading::Malformed(Malformed { client, ..malformed });
        }
    };
    let stamp = Some(message.arrival());
    let mut event = ChannelEvent::new(client, Channel::Weak(None), kind, stamp);
    event.standing = message.retain;
    Reading::Events(Events::one(Event::Channel(event)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialect::plain;

    #[test]
    fn a_state_is_one_of_two_and_anything_else_is_set_aside() {
        for (topic, body, expected) in [
            ("$SYS/broker/connection/client/a/state", "1", "+a"),
            ("$SYS/broker/connection/client/a/b/state", "0", "-a/b"),
            ("$SYS/broker/connection/client/state/state", "0", "-state"),
            ("$SYS/broker/connection/client//state", "1", "client-missing"),
            ("$SYS/broker/connection/client/a/state", "", "Cleared"),
            ("$SYS/broker/connection/client/a/state", "2", "unknown-event a"),
            ("$SYS/broker/connection/client/a/state", "1 ", "unknown-event a"),
            ("$SYS/broker/connection/client/a/state", "online", "unknown-event a"),
            // A bridge.
            ("$SYS/broker/connection/remote/state", "1", "not mine"),
            ("$SYS/broker/connection/client/state", "1", "not mine"),
            ("$SYS/broker/connection/client/a", "1", "not mine"),
        ] {
            assert_eq!(plain::told(&CONNECTION_STATE, topic, body), expected, "{topic} {body}");
        }
    }

    #[test]
    fn what_was_retained_says_how_things_stand() {
        for retain in [true, false] {
            let (topic, payload) = ("$SYS/broker/connection/client/a/state", &b"1"[..]);
            let (tag, qos, received, tie) = (None, 0, crate::event::Timestamp(7), 9);
            let message = Message { topic, payload, tag, qos, retain, received, tie };
            let Reading::Events(Events { first: Some(Event::Channel(event)), .. }) = read(&message)
            else {
                panic!("an event");
            };
            assert_eq!((event.standing, event.stamp), (retain, Some(message.arrival())));
        }
    }
}
