//! EMQX 4 to 6: what its rules and the webhook of 4.x hand on about clients.

use super::emqx::{GOODBYES, TAKE_OVERS};
use super::members::{Member, members_if_any};
use super::plain::{How, Plain, ending};
use super::scan::Paths;
use super::{Events, Malformed, Message, Reading, Reason, Remark, excerpt};
use crate::event::{Channel, ChannelEvent, Event, EventKind, Flags, Stamp};

pub const EMQX_RULE: Plain = Plain {
    name: "emqx-rule",
    title: "rule events of EMQX",
    authority: 2,
    filters: &[],
    message_life: None,
    is_usual: false,
    speaks_at: |_| false,
    is_line: Some(|line| members_if_any(line, &KEYS).is_some_and(|body| Body::of(body).is_one())),
    read: How::Alone(|message, _| read(message)),
};

/// Reads one event.
///
/// Shape: a JSON object with `event` (`client.connected`, `client.disconnected`), or as the webhook of 4.x has it
/// with `action` (`client_connected`, `client_disconnected`), and `clientid`. `peername` (`ip:port`) stands in
/// both events of a connection and is its name, a weak channel, since ports come back: `connected_at` would be
/// a better one, but up to 5.8 the end has none, and nothing in the begin tells which release it is. Where
/// there is no `peername`, as in the webhook, `connected_at` is a strong channel. Clients of gateways speak
/// other protocols: nothing is said of them.
/// Units: `connected_at`, `disconnected_at`, else `timestamp`, in ms (the node's clock), else the arrival.
/// Errors: `Malformed` for a body without a client, or without anything that names the connection. A number
/// as `node` is RMQTT's.
/// Source: emqx/emqx `emqx_rule_events.erl` (4.0 to 6.x, 2026-08) and emqx-web-hook (4.x); samples in
/// `tests/fixtures/dialects/emqx-rule-events.jsonl` and `emqx4-webhook.jsonl`.
fn read<'a>(message: &Message<'a>) -> Reading<'a> {
    let Some(body) = members_if_any(message.payload, &KEYS).map(Body::of) else {
        return Reading::NotMine;
    };
    let kind = match body.kind() {
        Some(kind) if !body.node.is_number() => kind,
        None if body.is_of_something_else() => return Reading::Events(Events::default()),
        _ => return Reading::NotMine,
    };
    if body.protocol.text().is_some_and(|name| !PROTOCOLS.contains(&&*name)) {
        return Reading::Events(Events::default());
    }
    let Some(client) = body.client.text() else {
        let detail = format!("no `clientid` in `{}`", excerpt(message.payload));
        return Reading::Malformed(Malformed::new(Reason::ClientMissing, detail));
    };
    let channel = match (body.peer.text(), body.opened.time_as_name()) {
        (Some(peer), _) => Channel::Weak(Some(peer)),
        (None, Some((name, _))) => Channel::Strong(name),
        (None, None) => {
            let body = excerpt(message.payload);
            let detail = format!("neither `peername` nor `connected_at` in `{body}`");
            let client = Some((client, Flags::CHANNEL_MISSING));
            let malformed = Malformed::new(Reason::Unreadable, detail);
            return Reading::Malformed(Malformed { client, ..malformed });
        }
    };
    let own = if kind == EventKind::Opened { body.opened } else { body.closed };
    let stamp: Stamp = own.time().or(body.made.time()).unwrap_or(message.arrival());
    let reason = body.reason.text().unwrap_or_default();
    // As on the topics of `$SYS`: such an end names the connection that took the place of its own.
    let is_anothers = channel.is_strong()
        && kind == EventKind::Closed
        && body.opened.time().is_some_and(|opened| stamp.time < opened.time)
        && TAKE_OVERS.contains(&&*reason);
    if is_anothers {
        return Reading::Events(Events::only(Remark::LateEnd));
    }
    let address = body.peer.text().or(body.address.text()).unwrap_or_default();
    let event = ChannelEvent::new(client, channel, kind, Some(stamp));
    let event = ChannelEvent { address, ..event };
    Reading::Events(if kind == EventKind::Opened {
        Events::one(Event::Channel(event))
    } else {
        ending(event, GOODBYES.contains(&&*reason))
    })
}

/// The members of a body.
struct Body<'a> {
    event: Member<'a>,
    action: Member<'a>,
    client: Member<'a>,
    peer: Member<'a>,
    address: Member<'a>,
    opened: Member<'a>,
    closed: Member<'a>,
    made: Member<'a>,
    reason: Member<'a>,
    node: Member<'a>,
    protocol: Member<'a>,
}

const KEYS: Paths<'_, 11> = Paths::new([
    "event",
    "action",
    "clientid",
    "peername",
    "ipaddress",
    "connected_at",
    "disconnected_at",
    "timestamp",
    "reason",
    "node",
    "proto_name",
]);

impl<'a> Body<'a> {
    #[rustfmt::skip]
    const fn of(
        [event, action, client, peer, address, opened, closed, made, reason, node, protocol]:
            [Member<'a>; 11],
    ) -> Self {
        Self { event, action, client, peer, address, opened, closed, made, reason, node, protocol }
    }

    fn kind(&self) -> Option<EventKind> {
        match (self.event.text().as_deref(), self.action.text().as_deref()) {
            (Some("client.connected"), _) | (None, Some("client_connected")) => {
                Some(EventKind::Opened)
            }
            (Some("client.disconnected"), _) | (None, Some("client_disconnected")) => {
                Some(EventKind::Closed)
            }
            _ => None,
        }
    }

    /// Tells whether it is an event or a call about something else than connections.
    fn is_of_something_else(&self) -> bool {
        let begins = |member: Member<'a>, mark: char| {
            let head = member.text().and_then(|text| Some(text.split_once(mark)?.0.to_owned()));
            head.is_some_and(|head| THINGS.contains(&&*head))
        };
        begins(self.event, '.') || begins(self.action, '_')
    }

    /// Tells whether it is one about a connection, with something that `NanoMQ`'s calls do not have.
    fn is_one(&self) -> bool {
        let has_more = [self.peer, self.opened, self.closed].iter().any(|member| member.is_there());
        self.kind().is_some() && has_more && !self.node.is_number()
    }
}

/// What events and calls are about.
const THINGS: [&str; 4] = ["client", "session", "message", "delivery"];

/// What MQTT calls itself in a CONNECT.
const PROTOCOLS: [&str; 2] = ["MQTT", "MQIsdp"];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialect::plain;
    use serde_json::{Value, json};

    fn told(body: &Value) -> String {
        plain::told(&EMQX_RULE, "", body.to_string())
    }

    #[test]
    fn what_stands_in_both_events_names_the_connection() {
        let peer = json!("h:5");
        for (body, expected) in [
            (json!({"event": "client.connected", "peername": peer, "connected_at": 1}), "+a (h:5)"),
            (json!({"event": "client.disconnected", "peername": peer}), "-a (h:5)"),
            (
                json!({"event": "client.disconnected", "peername": peer, "connected_at": 1}),
                "-a (h:5)",
            ),
            (json!({"action": "client_connected", "connected_at": 1}), "+a 1000"),
            (json!({"action": "client_disconnected", "connected_at": 1}), "-a 1000"),
            (json!({"event": "client.connected", "connected_at": 1}), "+a 1000"),
            (json!({"event": "client.connected"}), "unreadable a channel-missing"),
            (json!({"event": "client.connected", "peername": 7}), "unreadable a channel-missing"),
        ] {
            let mut body = body;
            body["clientid"] = json!("a");
            assert_eq!(told(&body), expected, "{body}");
        }
    }

    #[test]
    fn only_the_client_says_goodbye_and_no_end_is_put_down_to_the_newcomer() {
        let end = |reason: &str, key: &str, value: Value| {
            told(&json!({
                "action": "client_disconnected", "clientid": "a", "reason": reason,
                "disconnected_at": 1_760_000_000_005_i64, key: value,
            }))
        };
        let (before, after) = (json!(1_760_000_000_000_i64), json!(1_760_000_000_009_i64));
        assert_eq!(end("normal", "peername", json!("h:5")), "~a (h:5) -a (h:5)");
        assert_eq!(end("takenover", "peername", json!("h:5")), "-a (h:5)");
        assert_eq!(end("kicked", "connected_at", before.clone()), "-a 1760000000000");
        assert_eq!(end("takeovered", "connected_at", before), "-a 1760000000000");
        assert_eq!(end("takeovered", "connected_at", after.clone()), "LateEnd");
        assert_eq!(end("tcp_closed", "connected_at", after), "-a 1760000000009");
    }

    #[test]
    fn nothing_is_made_of_what_is_not_said() {
        for (body, expected) in [
            (json!({"event": "client.connected", "peername": "h:5"}), "client-missing"),
            (
                json!({"event": "client.connected", "clientid": 7, "peername": "h:5"}),
                "client-missing",
            ),
            (json!({"event": "session.subscribed", "clientid": "a"}), ""),
            (json!({"event": "client.connack", "clientid": "a"}), ""),
            (json!({"action": "message_publish", "clientid": "a"}), ""),
            (json!({"event": "alarm.activated"}), "not mine"),
            (json!({"event": "client"}), "not mine"),
            (json!({"clientid": "a", "peername": "h:5"}), "not mine"),
            (
                json!({"action": "client_connected", "clientid": "a", "node": 1, "connected_at": 1}),
                "not mine",
            ),
            (
                json!({"event": "client.connected", "clientid": "a", "peername": "h:5", "proto_name": "STOMP"}),
                "",
            ),
            (json!([]), "not mine"),
        ] {
            assert_eq!(told(&body), expected, "{body}");
        }
    }
}
