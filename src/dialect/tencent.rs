//! TDMQ for MQTT of Tencent Cloud: its client events.

use super::members::{members, members_if_any};
use super::plain::{How, Plain};
use super::scan::Paths;
use super::{Events, Malformed, Message, Reading, Reason, Remark, excerpt, tencent_history};
use crate::event::{Channel, ChannelEvent, Event, EventKind, Flags, Stamp};
use std::borrow::Cow;

pub const TENCENT_TDMQ: Plain = Plain {
    name: "tencent-tdmq",
    title: "client events of Tencent's TDMQ",
    authority: 2,
    filters: &["$events/client_connected", "$events/client_disconnected"],
    message_life: None,
    is_usual: true,
    speaks_at: |topic| kind_of(topic).is_some(),
    is_line: Some(|line| is_line(line) || tencent_history::is_line(line)),
    read: How::Alone(|message, _| match kind_of(message.topic) {
        None => tencent_history::read(message).unwrap_or_else(|| read(message)),
        Some(_) => read(message),
    }),
};

/// Tells whether a line is one of its events. The events of EMQX's rules have the same members, and `sockname`
/// beside them: without it a line may be either's.
fn is_line(line: &[u8]) -> bool {
    members_if_any(line, &Paths::new(["event", "clientid", "sockname"])).is_some_and(
        |[event, client, socket]| {
            let is_one = event.text().is_some_and(|event| kind_of_event(&event).is_some());
            is_one && client.is_there() && !socket.is_there()
        },
    )
}

/// Returns what a message of this topic tells.
fn kind_of(topic: &str) -> Option<EventKind> {
    match topic {
        "$events/client_connected" => Some(EventKind::Opened),
        "$events/client_disconnected" => Some(EventKind::Closed),
        _ => None,
    }
}

/// Returns what an event of this name tells of a connection.
pub(super) fn kind_of_event(event: &str) -> Option<EventKind> {
    match event {
        "client.connected" => Some(EventKind::Opened),
        "client.disconnected" => Some(EventKind::Closed),
        _ => None,
    }
}

/// Reads one client event.
///
/// Shape: topic `$events/client_connected` or `$events/client_disconnected`, payload a JSON object with
/// `clientid`, `event` (`client.connected`, `client.disconnected`; it outranks the topic, and does without it),
/// in the end `reason` and `peername`. The begin has `connected_at`, the end `peername`, and nothing stands in
/// both: one nameless channel a client. What the reasons are is not documented, so none is taken for a
/// goodbye; one that means that a newer connection came touches nothing.
/// Units: `connected_at`, `disconnected_at`, else `timestamp`, in ms (broker's clock), and the place in the
/// order of arrival; the arrival without one.
/// Errors: `Malformed` for a body that is no object, of an unknown event, or without a client, tried in this
/// order.
/// Source: tencentcloud.com documents 1294/76432 and 1294/76761 (2026-08); samples in
/// `tests/fixtures/dialects/tencent-tdmq-mqtt.jsonl`.
fn read<'a>(message: &Message<'a>) -> Reading<'a> {
    let there = kind_of(message.topic);
    let [client, event, opened, closed, made, reason, address] =
        match members(message.payload, &KEYS) {
            Ok(members) => members,
            Err(malformed) if there.is_some() => return Reading::Malformed(malformed),
            Err(_) => return Reading::NotMine,
        };
    let event = event.text();
    let kind = match (event.as_deref().map(|event| (event, kind_of_event(event))), there) {
        (Some((_, Some(kind))), _) | (None, Some(kind)) => kind,
        (_, None) => return Reading::NotMine,
        (Some((other, None)), Some(_)) => {
            let detail = format!("event `{}`", excerpt(other.as_bytes()));
            let client = client.text().map(|client| (client, Flags::NONE));
            let malformed = Malformed::new(Reason::UnknownEvent, detail);
            return Reading::Malformed(Malformed { client, ..malformed });
        }
    };
    let Some(client) = client.text() else {
        let detail = format!("no `clientid` in `{}`", excerpt(message.payload));
        return Reading::Malformed(Malformed::new(Reason::ClientMissing, detail));
    };
    if kind == EventKind::Closed && is_take_over(&reason.text().unwrap_or_default()) {
        return Reading::Events(Events::only(Remark::TakeOver));
    }
    let own = if kind == EventKind::Opened { opened } else { closed };
    let stamp = own.time().or(made.time()).map(|stamp| Stamp { tie: message.tie, ..stamp });
    let stamp = Some(stamp.unwrap_or(message.arrival()));
    let address = address.text().unwrap_or(Cow::Borrowed(""));
    let event = ChannelEvent::new(client, Channel::Weak(None), kind, stamp);
    Reading::Events(Events::one(Event::Channel(ChannelEvent { address, ..event })))
}

const KEYS: Paths<'_, 7> = Paths::new([
    "clientid",
    "event",
    "connected_at",
    "disconnected_at",
    "timestamp",
    "reason",
    "peername",
]);

/// Tells whether a connection ended because a newer one came: spelt as EMQX does, whose events these are like.
pub(super) fn is_take_over(reason: &str) -> bool {
    ["takenover", "takeovered", "discarded"].contains(&reason)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialect::plain;
    use crate::event::Timestamp;

    const CONNECTED: &str = "$events/client_connected";
    const DISCONNECTED: &str = "$events/client_disconnected";

    fn told(topic: &str, body: &str) -> String {
        plain::told(&TENCENT_TDMQ, topic, body)
    }

    #[test]
    fn the_event_outranks_the_topic() {
        for (topic, body, expected) in [
            (CONNECTED, r#"{"clientid":"a/b"}"#, "+a/b"),
            (DISCONNECTED, r#"{"clientid":"a"}"#, "-a"),
            (CONNECTED, r#"{"clientid":"a","event":"client.disconnected"}"#, "-a"),
            ("site/events", r#"{"clientid":"a","event":"client.connected"}"#, "+a"),
            ("site/events", r#"{"clientid":"a"}"#, "not mine"),
            ("site/events", r#"{"clientid":"a","event":"session.subscribed"}"#, "not mine"),
            ("$events/session_subscribed", "", "not mine"),
        ] {
            assert_eq!(told(topic, body), expected, "{topic} {body}");
        }
    }

    #[test]
    fn nothing_is_made_of_what_is_not_said() {
        for (body, expected) in [
            ("", "unreadable"),
            ("[1]", "unreadable"),
            ("{}", "client-missing"),
            (r#"{"clientid":7}"#, "client-missing"),
            (r#"{"clientid":"a","event":"client.connack"}"#, "unknown-event a"),
            (r#"{"event":"client.connack"}"#, "unknown-event"),
        ] {
            assert_eq!(told(CONNECTED, body), expected, "{body}");
        }
    }

    #[test]
    fn no_reason_is_a_goodbye_and_a_take_over_ends_nobody() {
        for (reason, expected) in [
            ("authentication_expired", "-a"),
            ("normal", "-a"),
            ("kicked", "-a"),
            ("takenover", "TakeOver"),
            ("takeovered", "TakeOver"),
            ("discarded", "TakeOver"),
        ] {
            let body = format!(r#"{{"clientid":"a","reason":"{reason}"}}"#);
            assert_eq!(told(DISCONNECTED, &body), expected, "{reason}");
        }
    }

    #[test]
    fn what_has_no_stamp_of_its_own_is_dated_by_the_next_best() {
        let (received, tie) = (Timestamp(1_795_400_000_000), 9);
        for (body, expected) in [
            (r#"{"clientid":"a","connected_at":1717651184811,"timestamp":5}"#, 1_717_651_184_811),
            (r#"{"clientid":"a","connected_at":0,"timestamp":"1717651184812"}"#, 1_717_651_184_812),
            (r#"{"clientid":"a","connected_at":-1}"#, received.0),
        ] {
            let (topic, payload) = (CONNECTED, body.as_bytes());
            let (tag, qos, retain) = (None, 0, false);
            let message = Message { topic, payload, tag, qos, retain, received, tie };
            let Reading::Events(Events { first: Some(Event::Channel(event)), .. }) = read(&message)
            else {
                panic!("{body}");
            };
            let time = Timestamp(expected);
            assert_eq!(event.stamp, Some(Stamp { time, tie, resolution: 0 }), "{body}");
        }
    }
}
