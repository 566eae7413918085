//! ActiveMQ Artemis: its notifications about sessions.

use super::members::{Member, members_if_any};
use super::plain::{How, Plain, nameless};
use super::scan::Paths;
use super::{Events, Malformed, Message, Reading, Reason, excerpt};
use crate::event::{Channel, ChannelEvent, Event, EventKind};

pub const ARTEMIS: Plain = Plain {
    name: "artemis",
    title: "notifications of ActiveMQ Artemis",
    authority: 2,
    filters: &[],
    message_life: None,
    is_usual: false,
    speaks_at: |topic| topic == ADDRESS,
    is_line: Some(|line| {
        properties_of(line).is_some_and(|[kind, ..]: [Member<'_>; 5]| kind.text().is_some())
    }),
    read: How::Alone(|message, _| read(message)),
};

/// Where the broker speaks.
const ADDRESS: &str = "activemq.notifications";

/// Reads one notification.
///
/// Shape: a JSON object with the properties of the message, in `headers` as STOMP has them, where all values
/// are text, or in `properties`: `_AMQ_NotifType`, `_AMQ_Client_ID`, `_AMQ_ConnectionName`,
/// `_AMQ_Protocol_Name`. A connection of MQTT has two sessions, so each of its events comes twice, and the
/// first `SESSION_CLOSED` ends it; `CONNECTION_*` name no client. The name of a connection has 32 bits and is
/// drawn by lot: a weak channel of that name, for it can come back.
/// Units: `_AMQ_NotifTimestamp` in ms (broker's clock), else the arrival.
/// Errors: `Malformed` for what is no such JSON on the broker's own address, and for a session of MQTT without
/// a client or a connection.
/// Source: apache/activemq-artemis `ManagementHelper` and `ServerSessionImpl` (2025-12), and 2.40.0, run;
/// samples in `tests/fixtures/dialects/artemis-notifications.jsonl`.
fn read<'a>(message: &Message<'a>) -> Reading<'a> {
    let Some([kind, client, connection, protocol, time]) = properties_of(message.payload) else {
        if message.topic != ADDRESS {
            return Reading::NotMine;
        }
        let detail = format!("no notification: `{}`", excerpt(message.payload));
        return Reading::Malformed(Malformed::new(Reason::Unreadable, detail));
    };
    let kind = match kind.text().as_deref() {
        Some("SESSION_CREATED") => EventKind::Opened,
        Some("SESSION_CLOSED") => EventKind::Closed,
        Some(_) => return Reading::Events(Events::default()),
        None => return Reading::NotMine,
    };
    // Releases before the protocol was named told no less of clients of MQTT.
    let is_said = protocol.text().map(|protocol| protocol.starts_with("MQTT"));
    let client = match (client.text(), is_said) {
        (_, Some(false)) | (None, None) => return Reading::Events(Events::default()),
        (None, Some(true)) => {
            let detail = format!("no `_AMQ_Client_ID` in `{}`", excerpt(message.payload));
            return Reading::Malformed(Malformed::new(Reason::ClientMissing, detail));
        }
        (Some(client), _) => client,
    };
    let Some(connection) = connection.text() else {
        return nameless(client, "_AMQ_ConnectionName", message.payload);
    };
    let stamp = time.time().unwrap_or(message.arrival());
    let channel = Channel::Weak(Some(connection));
    let event = ChannelEvent::new(client, channel, kind, Some(stamp));
    Reading::Events(Events::one(Event::Channel(event)))
}

/// Returns the properties of a notification, `None` for what is none.
fn properties_of(body: &[u8]) -> Option<[Member<'_>; 5]> {
    let [headers, properties, found @ ..] = members_if_any(body, &KEYS)?;
    let [kind, client, connection, protocol, time, others @ ..] = found;
    if headers.is_object() {
        Some([kind, client, connection, protocol, time])
    } else {
        properties.is_object().then_some(others)
    }
}

const KEYS: Paths<'_, 12> = Paths::new([
    "headers",
    "properties",
    "headers/_AMQ_NotifType",
    "headers/_AMQ_Client_ID",
    "headers/_AMQ_ConnectionName",
    "headers/_AMQ_Protocol_Name",
    "headers/_AMQ_NotifTimestamp",
    "properties/_AMQ_NotifType",
    "properties/_AMQ_Client_ID",
    "properties/_AMQ_ConnectionName",
    "properties/_AMQ_Protocol_Name",
    "properties/_AMQ_NotifTimestamp",
]);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialect::plain;
    use serde_json::{Value, json};

    fn told(properties: &Value) -> [String; 2] {
        ["headers", "properties"].map(|place| {
            let line = json!({"destination": ADDRESS, place: properties, "body": ""});
            plain::told(&ARTEMIS, "", line.to_string())
        })
    }

    fn both(expected: &str) -> [String; 2] {
        [expected, expected].map(str::to_owned)
    }

    #[test]
    fn the_sessions_of_a_connection_are_one_connection() {
        let mut session = json!({
            "_AMQ_NotifType": "SESSION_CREATED", "_AMQ_Client_ID": "a", "_AMQ_ConnectionName": "e3f1a2b4",
            "_AMQ_Protocol_Name": "MQTT5", "_AMQ_NotifTimestamp": "1760000000000",
        });
        assert_eq!(told(&session), both("+a (e3f1a2b4)"));
        session["_AMQ_NotifType"] = json!("SESSION_CLOSED");
        assert_eq!(told(&session), both("-a (e3f1a2b4)"));
        session["_AMQ_NotifType"] = json!("CONNECTION_DESTROYED");
        assert_eq!(told(&session), both(""));
    }

    #[test]
    fn nothing_is_made_of_what_is_not_said() {
        let session = json!({
            "_AMQ_NotifType": "SESSION_CLOSED", "_AMQ_Client_ID": "a", "_AMQ_ConnectionName": "c",
            "_AMQ_Protocol_Name": "MQTT",
        });
        let with = |key: &str, value: Value| {
            let mut session = session.clone();
            session[key] = value;
            session
        };
        for (properties, expected) in [
            (with("_AMQ_Protocol_Name", json!("STOMP")), ""),
            (with("_AMQ_Protocol_Name", Value::Null), "-a (c)"),
            (with("_AMQ_Client_ID", json!("")), "client-missing"),
            (with("_AMQ_Client_ID", json!(7)), "client-missing"),
            (with("_AMQ_ConnectionName", json!(7)), "unreadable a channel-missing"),
            (with("_AMQ_NotifTimestamp", json!("soon")), "-a (c)"),
            (with("_AMQ_NotifType", json!(2)), "not mine"),
            (json!({}), "not mine"),
            (json!("SESSION_CLOSED"), "not mine"),
        ] {
            assert_eq!(told(&properties), both(expected), "{properties}");
        }
        for body in ["", "{}", r#"{"headers":7}"#, r#"{"headers":["_AMQ_NotifType"]}"#] {
            assert_eq!(plain::told(&ARTEMIS, "", body), "not mine", "{body}");
            assert_eq!(plain::told(&ARTEMIS, ADDRESS, body), "unreadable", "{body}");
        }
    }
}
