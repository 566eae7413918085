//! `BifroMQ`: what a plugin of one's own, an event collector, writes of its clients.

use super::members::{Member, members_if_any};
use super::plain::{How, Plain, ending, nameless};
use super::scan::Paths;
use super::{Events, Malformed, Message, Reading, Reason, excerpt};
use crate::event::{Channel, ChannelEvent, Event, EventKind};
use std::borrow::Cow;

pub const BIFROMQ: Plain = Plain {
    name: "bifromq",
    title: "events of BifroMQ",
    authority: 1,
    filters: &[],
    message_life: None,
    is_usual: false,
    speaks_at: |_| false,
    is_line: Some(|line| {
        members_if_any(line, &KEYS)
            .is_some_and(|outer| kind_of(outer[0]).is_some() && outer[1].is_there())
    }),
    read: How::Alone(|message, _| read(message)),
};

/// Reads one event.
///
/// Shape: a JSON object with the type of the event in `type`, `utc`, `withoutDisconnect` for `BY_CLIENT`, and the
/// metadata of the client, `clientId`, `channelId` (a strong channel) and `address`, beside them or in
/// `metadata`. `CLIENT_CONNECTED` begins a connection; which types end one is a list, for others mean that one
/// was refused, or something else.
/// Units: `utc` in ms (broker's clock), else the arrival.
/// Errors: `Malformed` for an event without a client or a channel.
/// Source: bifromqio/bifromq 3.3.5 `EventType.java`, run.
fn read<'a>(message: &Message<'a>) -> Reading<'a> {
    let Some(outer) = members_if_any(message.payload, &KEYS) else { return Reading::NotMine };
    let [kind, time, is_silent, metadata, ..] = outer;
    let kind = match kind_of(kind).filter(|_| time.is_there()) {
        Some(Kind::Nothing) => return Reading::Events(Events::default()),
        Some(kind) => kind,
        None => return Reading::NotMine,
    };
    let [.., client, channel, address] = outer;
    let [client, channel, address] = if metadata.is_object() {
        [outer[4], outer[5], outer[6]]
    } else {
        [client, channel, address]
    };
    let Some(client) = client.text() else {
        let detail = format!("no `clientId` in `{}`", excerpt(message.payload));
        return Reading::Malformed(Malformed::new(Reason::ClientMissing, detail));
    };
    let Some(channel) = channel.text() else {
        return nameless(client, "channelId", message.payload);
    };
    let stamp = time.time().unwrap_or(message.arrival());
    let what = if kind == Kind::Begin { EventKind::Opened } else { EventKind::Closed };
    let mut event = ChannelEvent::new(client, Channel::Strong(channel), what, Some(stamp));
    let address = address.text().unwrap_or_default();
    event.address = match address {
        Cow::Borrowed(address) => address.strip_prefix('/').unwrap_or(address).into(),
        Cow::Owned(address) => address.trim_start_matches('/').to_owned().into(),
    };
    Reading::Events(if kind == Kind::Begin {
        Events::one(Event::Channel(event))
    } else {
        ending(event, kind == Kind::EndByClient && is_silent.truth() == Some(false))
    })
}

/// What an event says of a connection.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Begin,
    /// The client ended it, by DISCONNECT or by closing.
    EndByClient,
    End,
    Nothing,
}

/// Returns what a type says of a connection; `None` for what is no type.
fn kind_of(kind: Member<'_>) -> Option<Kind> {
    let word = kind.text()?;
    let is_type = |word: &str| {
        word.bytes().all(|byte| byte.is_ascii_uppercase() || b"_0123456789".contains(&byte))
    };
    match &*word {
        "CLIENT_CONNECTED" => Some(Kind::Begin),
        "BY_CLIENT" => Some(Kind::EndByClient),
        word if ENDS.contains(&word) => Some(Kind::End),
        word => is_type(word).then_some(Kind::Nothing),
    }
}

/// The types of the package `clientdisconnect` but for `BY_CLIENT`.
const ENDS: [&str; 25] = [
    "BAD_PACKET",
    "BY_SERVER",
    "CLIENT_CHANNEL_ERROR",
    "EXCEED_PUB_RATE",
    "EXCEED_RECEIVING_LIMIT",
    "IDLE",
    "INBOX_TRANSIENT_ERROR",
    "INVALID_TOPIC",
    "INVALID_TOPIC_FILTER",
    "KICKED",
    "MALFORMED_TOPIC",
    "MALFORMED_TOPIC_FILTER",
    "NO_PUB_PERMISSION",
    "PROTOCOL_VIOLATION",
    "PUB_PERMISSION_CHECK_ERROR",
    "REDIRECT",
    "RE_AUTH_FAILED",
    "RESOURCE_THROTTLED",
    "RETAIN_NOT_SUPPORTED",
    "SERVER_BUSY",
    "SESSION_CHECK_ERROR",
    "SESSION_CLEANUP_ERROR",
    "SESSION_CREATE_ERROR",
    "TOO_LARGE_SUBSCRIPTION",
    "TOO_LARGE_UNSUBSCRIPTION",
];

const KEYS: Paths<'_, 10> = Paths::new([
    "type",
    "utc",
    "withoutDisconnect",
    "metadata",
    "metadata/clientId",
    "metadata/channelId",
    "metadata/address",
    "clientId",
    "channelId",
    "address",
]);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialect::plain;
    use serde_json::{Value, json};

    fn told(line: &Value) -> String {
        plain::told(&BIFROMQ, "", line.to_string())
    }

    #[test]
    fn a_channel_names_the_connection_and_only_a_disconnect_is_a_goodbye() {
        for (kind, is_silent, expected) in [
            ("CLIENT_CONNECTED", Value::Null, "+a c1"),
            ("BY_CLIENT", json!(false), "~a c1 -a c1"),
            ("BY_CLIENT", json!(true), "-a c1"),
            ("BY_CLIENT", Value::Null, "-a c1"),
            ("KICKED", json!(false), "-a c1"),
            ("IDLE", Value::Null, "-a c1"),
            ("MQTT_SESSION_STOP", Value::Null, ""),
            ("NOT_AUTHORIZED_CLIENT", Value::Null, ""),
            ("QOS1_PUSHED", Value::Null, ""),
            ("connected", Value::Null, "not mine"),
        ] {
            let metadata = json!({"clientId": "a", "channelId": "c1", "address": "/192.0.2.1:5"});
            let mut line = json!({"type": kind, "utc": 1, "withoutDisconnect": is_silent});
            line["metadata"] = metadata.clone();
            assert_eq!(told(&line), expected, "{line}");
            let mut flat = metadata;
            flat["type"] = json!(kind);
            flat["utc"] = json!(1);
            flat["withoutDisconnect"] = is_silent;
            assert_eq!(told(&flat), expected, "{flat}");
        }
    }

    #[test]
    fn nothing_is_made_of_what_is_not_said() {
        for (line, expected) in [
            (json!({"type": "KICKED", "utc": 1}), "client-missing"),
            (json!({"type": "KICKED", "utc": 1, "clientId": "a"}), "unreadable a channel-missing"),
            (
                json!({"type": "KICKED", "utc": 1, "metadata": [], "clientId": "a", "channelId": "c"}),
                "-a c",
            ),
            (json!({"type": "KICKED", "clientId": "a", "channelId": "c"}), "not mine"),
            (json!({"type": 7, "utc": 1}), "not mine"),
            (json!([]), "not mine"),
        ] {
            assert_eq!(told(&line), expected, "{line}");
        }
    }
}
