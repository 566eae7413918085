//! `NanoMQ`: the calls of its webhook.

use super::members::{Member, members_if_any};
use super::plain::{How, Plain};
use super::scan::Paths;
use super::{Events, Malformed, Message, Reading, Reason, Remark, excerpt};
use crate::event::{Channel, ChannelEvent, Event, EventKind, Flags};

pub const NANOMQ_WEBHOOK: Plain = Plain {
    name: "nanomq-webhook",
    title: "webhook calls of NanoMQ",
    authority: 2,
    filters: &[],
    message_life: None,
    is_usual: false,
    speaks_at: |_| false,
    is_line: Some(|line| members_if_any(line, &KEYS).is_some_and(|body| kind_of(&body).is_some())),
    read: How::Alone(|message, _| read(message)),
};

/// Reads one call.
///
/// Shape: a JSON object with `action` (`client_connack`, `client_disconnected`) and `clientid`; `conn_ack` tells
/// a refusal (`fail`). No connection is named: one nameless channel a client. `reason` is always `normal`, so
/// no goodbye is told from a drop.
/// Units: none; the arrival is the stamp.
/// Errors: `Malformed` for a call without a client, and for another word as `conn_ack`. What has no such
/// `action` is not mine; nor is an end with times or a node, which is EMQX's.
/// Source: nanomq/nanomq `webhook_post.c` (2026-08), and 0.25.5, run; samples in
/// `tests/fixtures/dialects/nanomq-webhook.jsonl`.
fn read<'a>(message: &Message<'a>) -> Reading<'a> {
    let Some(body) = members_if_any(message.payload, &KEYS) else { return Reading::NotMine };
    let [action, client, answer, ..] = body;
    let Some(kind) = kind_of(&body) else {
        let is_of_something_else =
            action.text().is_some_and(|action| OTHER_ACTIONS.contains(&&*action));
        return if is_of_something_else {
            Reading::Events(Events::default())
        } else {
            Reading::NotMine
        };
    };
    let Some(client) = client.text() else {
        let detail = format!("no `clientid` in `{}`", excerpt(message.payload));
        return Reading::Malformed(Malformed::new(Reason::ClientMissing, detail));
    };
    if kind == EventKind::Opened {
        match answer.text().as_deref() {
            Some("success") => {}
            Some("fail") => return Reading::Events(Events::only(Remark::Refused)),
            _ => {
                let detail = format!("no known `conn_ack` in `{}`", excerpt(message.payload));
                let client = Some((client, Flags::NONE));
                let malformed = Malformed::new(Reason::UnknownEvent, detail);
                return Reading::Malformed(Malformed { client, ..malformed });
            }
        }
    }
    let event = ChannelEvent::new(client, Channel::Weak(None), kind, Some(message.arrival()));
    Reading::Events(Events::one(Event::Channel(event)))
}

/// Returns what a call tells of a connection, `None` if nothing, or if it is not one of `NanoMQ`.
fn kind_of([action, _, answer, others @ ..]: &[Member<'_>; 6]) -> Option<EventKind> {
    let is_anothers = others.iter().any(|member| member.is_there());
    match action.text()?.as_ref() {
        "client_connack" if answer.is_there() => Some(EventKind::Opened),
        "client_disconnected" if !is_anothers => Some(EventKind::Closed),
        _ => None,
    }
}

/// The last three are EMQX's.
const KEYS: Paths<'_, 6> =
    Paths::new(["action", "clientid", "conn_ack", "node", "connected_at", "disconnected_at"]);

const OTHER_ACTIONS: [&str; 6] = [
    "client_connect",
    "client_subscribe",
    "client_unsubscribe",
    "message_publish",
    "session_subscribed",
    "session_unsubscribed",
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialect::plain;

    #[test]
    fn nothing_is_made_of_what_is_not_said() {
        for (body, expected) in [
            (r#"{"action":"client_connack","clientid":"a","conn_ack":"success"}"#, "+a"),
            (r#"{"action":"client_connack","clientid":"a","conn_ack":"fail"}"#, "Refused"),
            (r#"{"action":"client_connack","clientid":"a","conn_ack":"maybe"}"#, "unknown-event a"),
            (r#"{"action":"client_connack","clientid":"a","conn_ack":0}"#, "unknown-event a"),
            (r#"{"action":"client_connack","clientid":"a"}"#, "not mine"),
            (r#"{"action":"client_disconnected","clientid":"a","reason":"normal"}"#, "-a"),
            (r#"{"action":"client_disconnected","clientid":7}"#, "client-missing"),
            (r#"{"action":"client_disconnected","clientid":"a","connected_at":1}"#, "not mine"),
            (r#"{"action":"client_disconnected","clientid":"a","node":"n"}"#, "not mine"),
            (r#"{"action":"message_publish","clientid":"a"}"#, ""),
            (r#"{"action":"client_connected","clientid":"a"}"#, "not mine"),
            (r#"{"clientid":"a"}"#, "not mine"),
            ("[]", "not mine"),
        ] {
            assert_eq!(plain::told(&NANOMQ_WEBHOOK, "", body), expected, "{body}");
        }
    }
}
