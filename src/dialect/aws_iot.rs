//! AWS IoT Core: its lifecycle events.

use super::members::members;
use super::plain::{How, Plain, ending, nameless};
use super::scan::Paths;
use super::{Events, Malformed, Message, Reading, Reason, Remark, excerpt};
use crate::event::{Channel, ChannelEvent, Event, EventKind, Flags, Stamp};
use std::borrow::Cow;

pub const AWS_IOT: Plain = Plain {
    name: "aws-iot",
    title: "lifecycle events of AWS IoT",
    authority: 1,
    filters: &["$aws/events/presence/#", "$aws/events/subscriptions/#"],
    message_life: None,
    is_usual: true,
    speaks_at: |topic| place_of(topic).is_some(),
    is_line: None,
    read: How::Alone(|message, _| read(message)),
};

/// Returns the type of event that a topic is for, and the client id in it.
fn place_of(topic: &str) -> Option<(&str, &str)> {
    let rest = topic.strip_prefix("$aws/events/")?;
    let rest = rest.strip_prefix("presence/").or_else(|| rest.strip_prefix("subscriptions/"))?;
    // An id may hold slashes: all that is left is the id.
    Some(rest.split_once('/').unwrap_or((rest, "")))
}

/// Reads one event.
///
/// Shape: topic `$aws/events/{presence|subscriptions}/{type}/{client id}`, payload a JSON object with
/// `clientId`, `eventType`, `sessionIdentifier` (a strong channel, in every event of a connection),
/// `timestamp`, `ipAddress`; `disconnected` adds `clientInitiatedDisconnect` and `disconnectReason`.
/// What the body says of client and type outranks the topic, and does without it: rules republish these
/// events elsewhere. `connect_failed` ends nothing. `versionNumber` is no sequence: it starts again at 0,
/// and then the newest connection would be the oldest.
/// Units: `timestamp` in ms, by the vendor right within two minutes (`STAMP_SPREAD_MS`).
/// Errors: `Malformed` for a body that is no object, without a client, of an unknown type, or that names
/// no session, tried in this order.
/// Source: awsdocs/aws-iot-docs `developerguide/life-cycle-events.md`; samples in
/// `tests/fixtures/dialects/aws-iot.jsonl`.
fn read<'a>(message: &Message<'a>) -> Reading<'a> {
    let place = place_of(message.topic);
    let [client, kind, session, time, address, is_clients, reason] =
        match members(message.payload, &KEYS) {
            Ok(members) => members,
            Err(malformed) if place.is_some() => return Reading::Malformed(malformed),
            Err(_) => return Reading::NotMine,
        };
    let (kind_there, client_there) = place.unzip();
    let Some(kind) = kind.text().or(kind_there.map(Cow::Borrowed)) else {
        return Reading::NotMine;
    };
    let client_there = client_there.filter(|client| !client.is_empty()).map(Cow::Borrowed);
    let Some(client) = client.text().or(client_there) else {
        let detail = format!("no `clientId` in `{}`", excerpt(message.payload));
        return Reading::Malformed(Malformed::new(Reason::ClientMissing, detail));
    };
    let what = match &*kind {
        "connected" => EventKind::Opened,
        "disconnected" => EventKind::Closed,
        "subscribed" | "unsubscribed" => EventKind::Seen,
        "connect_failed" => return Reading::Events(Events::only(Remark::Refused)),
        _ if place.is_none() => return Reading::NotMine,
        _ => {
            let detail = format!("event type `{}`", excerpt(kind.as_bytes()));
            let client = Some((client, Flags::NONE));
            return Reading::Malformed(Malformed {
                client,
                ..Malformed::new(Reason::UnknownEvent, detail)
            });
        }
    };
    let Some(session) = session.text() else {
        return nameless(client, "sessionIdentifier", message.payload);
    };
    let stamp = time.time().map(|stamp| Stamp { resolution: STAMP_SPREAD_MS, ..stamp });
    let mut event = ChannelEvent::new(client, Channel::Strong(session), what, stamp);
    event.address = address.text().unwrap_or_default();
    if what != EventKind::Closed {
        return Reading::Events(Events::one(Event::Channel(event)));
    }
    let is_goodbye =
        is_clients.truth().unwrap_or_else(|| reason.text().is_some_and(|reason| reason == GOODBYE));
    Reading::Events(ending(event, is_goodbye))
}

const KEYS: Paths<'_, 7> = Paths::new([
    "clientId",
    "eventType",
    "sessionIdentifier",
    "timestamp",
    "ipAddress",
    "clientInitiatedDisconnect",
    "disconnectReason",
]);

const GOODBYE: &str = "CLIENT_INITIATED_DISCONNECT";

/// Stamps may be wrong by two minutes, so two of them tell which of two connections is the newer one
/// only where they differ by more than twice that.
const STAMP_SPREAD_MS: u32 = 4 * 60 * 1_000;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialect::plain;
    use crate::event::Timestamp;

    fn told(topic: &str, body: &str) -> String {
        plain::told(&AWS_IOT, topic, body)
    }

    const CONNECTED: &str = "$aws/events/presence/connected/a/b";

    #[test]
    fn an_id_may_hold_slashes_and_the_body_outranks_the_topic() {
        for (topic, body, expected) in [
            (CONNECTED, r#"{"sessionIdentifier":"s"}"#, "+a/b s"),
            (CONNECTED, r#"{"clientId":"c","sessionIdentifier":"s"}"#, "+c s"),
            (CONNECTED, r#"{"clientId":7,"sessionIdentifier":"s"}"#, "+a/b s"),
            (CONNECTED, r#"{"clientId":"","sessionIdentifier":"s"}"#, "+a/b s"),
            (CONNECTED, r#"{"eventType":"disconnected","sessionIdentifier":"s"}"#, "-a/b s"),
            ("$aws/events/presence/connected/", r#"{"sessionIdentifier":"s"}"#, "client-missing"),
            ("$aws/events/presence/connected", r#"{"sessionIdentifier":"s"}"#, "client-missing"),
            ("$aws/events/presence/connected//", r#"{"sessionIdentifier":"s"}"#, "+/ s"),
        ] {
            assert_eq!(told(topic, body), expected, "{topic} {body}");
        }
    }

    #[test]
    fn nothing_is_made_of_what_is_not_said() {
        for (body, expected) in [
            ("", "unreadable"),
            ("[]", "unreadable"),
            (r#"{"sessionIdentifier":7}"#, "unreadable a/b channel-missing"),
            (r#"{"sessionIdentifier":""}"#, "unreadable a/b channel-missing"),
            (r#"{"eventType":"heartbeat","sessionIdentifier":"s"}"#, "unknown-event a/b"),
            (r#"{"eventType":"connect_failed"}"#, "Refused"),
            (r#"{"eventType":"connect_failed","sessionIdentifier":"s"}"#, "Refused"),
        ] {
            assert_eq!(told(CONNECTED, body), expected, "{body}");
        }
    }

    #[test]
    fn a_subscription_is_a_sign_of_life() {
        for word in ["subscribed", "unsubscribed"] {
            let topic = format!("$aws/events/subscriptions/{word}/a");
            let body = r#"{"clientId":"a","sessionIdentifier":"s","topics":["x"],"timestamp":1}"#;
            assert_eq!(told(&topic, body), "*a s");
        }
    }

    #[test]
    fn only_the_client_says_goodbye() {
        for (members, expected) in [
            (r#""clientInitiatedDisconnect":true"#, "~a s -a s"),
            (r#""clientInitiatedDisconnect":false,"disconnectReason":"CONNECTION_LOST""#, "-a s"),
            (
                r#""clientInitiatedDisconnect":false,"disconnectReason":"DUPLICATE_CLIENTID""#,
                "-a s",
            ),
            (r#""disconnectReason":"CLIENT_INITIATED_DISCONNECT""#, "~a s -a s"),
            (r#""clientInitiatedDisconnect":"yes","disconnectReason":"NONE""#, "-a s"),
            (r#""versionNumber":0"#, "-a s"),
        ] {
            let body = format!(r#"{{"sessionIdentifier":"s",{members}}}"#);
            assert_eq!(told("$aws/events/presence/disconnected/a", &body), expected, "{members}");
        }
    }

    #[test]
    fn what_a_rule_republished_needs_no_topic() {
        let body = r#"{"clientId":"a","eventType":"connected","sessionIdentifier":"s"}"#;
        assert_eq!(told("site/presence", body), "+a s");
        for body in ["", "{}", r#"{"clientId":"a","eventType":"connect","channelId":"c"}"#] {
            assert_eq!(told("site/presence", body), "not mine", "{body}");
        }
        for topic in
            ["$aws/events/jobs/a/completed", "$aws/things/a/shadow", "aws/events/presence/x"]
        {
            assert!(!(AWS_IOT.speaks_at)(topic), "{topic}");
        }
    }

    #[test]
    fn a_stamp_is_only_about_right_and_numbers_are_no_sequence() {
        let body = br#"{"sessionIdentifier":"s","timestamp":"1760000000000","versionNumber":3}"#;
        let message = Message {
            topic: CONNECTED,
            payload: body,
            tag: None,
            qos: 1,
            retain: false,
            received: Timestamp(7),
            tie: 9,
        };
        let Reading::Events(Events { first: Some(Event::Channel(event)), .. }) = read(&message)
        else {
            panic!("an event");
        };
        let (time, tie) = (Timestamp(1_760_000_000_000), 0);
        assert_eq!(event.stamp, Some(Stamp { time, tie, resolution: 240_000 }));
        assert!(event.sequence.is_empty());
    }
}
