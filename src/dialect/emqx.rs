//! EMQX 4 to 6: what it tells of its clients below `$SYS`.

use super::members::members;
use super::plain::{How, Plain, ending, nameless};
use super::scan::Paths;
use super::sys_clients::{FILTERS, is_own, place_of};
use super::{Events, Malformed, Message, Reading, Reason, Remark, excerpt};
use crate::event::{Channel, ChannelEvent, Event, EventKind};
use std::borrow::Cow;

pub const EMQX: Plain = Plain {
    name: "emqx",
    title: "client notices of EMQX",
    authority: 1,
    filters: FILTERS,
    message_life: None,
    is_usual: true,
    speaks_at: is_own,
    is_line: None,
    read: How::Alone(|message, _| read(message)),
};

/// Reads one client notice.
///
/// Shape: topic `$SYS/brokers/{node}/clients/{client id}/{connected|disconnected}`, payload a JSON object
/// with `clientid`, `ipaddress`, `connected_at`, and in the end `disconnected_at` and `reason`. What the body
/// says of the client outranks the topic. `connected_at` stands in both events of a connection and is its
/// name, a strong channel; the stamp of an end tells nothing of whose end it is: up to 6.0.3 that of a
/// connection that was taken over is later than the newer connect. Clients of gateways speak other protocols
/// and have name spaces of their own: nothing is said of them.
/// Units: `connected_at`, `disconnected_at`, `ts` in ms (the node's clock).
/// Errors: `Malformed` for a body that is no object, without a client, or without `connected_at` (the ends of
/// 4.3.0), tried in this order. A body with a number as `node` is RMQTT's.
/// Source: emqx/emqx `emqx_mod_presence.erl` (4.x) and `apps/emqx/src/emqx_sys.erl` (5.0 to 6.x, 2026-08);
/// samples in `tests/fixtures/dialects/emqx*.jsonl`.
fn read<'a>(message: &Message<'a>) -> Reading<'a> {
    let Some(place) = place_of(message.topic) else { return Reading::NotMine };
    let [client, opened, closed, made, reason, address, protocol, node] =
        match members(message.payload, &KEYS) {
            Ok(members) => members,
            Err(malformed) if place.client.is_some() => return Reading::Malformed(malformed),
            Err(_) => return Reading::NotMine,
        };
    if node.is_number() {
        return Reading::NotMine;
    }
    if protocol.text().is_some_and(|protocol| protocol != "mqtt") {
        return Reading::Events(Events::default());
    }
    let Some(client) = client.text().or(place.client.map(Cow::Borrowed)) else {
        if opened.time().is_none() {
            return Reading::NotMine;
        }
        let detail = format!("no `clientid` in `{}`", excerpt(message.payload));
        return Reading::Malformed(Malformed::new(Reason::ClientMissing, detail));
    };
    let Some((channel, opened)) = opened.time_as_name() else {
        return nameless(client, "connected_at", message.payload);
    };
    let channel = Channel::Strong(channel);
    let event = |stamp| ChannelEvent {
        address: address.text().unwrap_or_default(),
        ..ChannelEvent::new(client, channel, place.kind, stamp)
    };
    if place.kind == EventKind::Opened {
        return Reading::Events(Events::one(Event::Channel(event(Some(opened)))));
    }
    let closed = closed.time().or(made.time());
    let reason = reason.text().unwrap_or_default();
    // Ends at a take-over were seen with a `connected_at` later than themselves (emqx/emqx issue 13484). That
    // is the newer connection's, and would end it.
    let is_anothers = closed.is_some_and(|closed| closed.time < opened.time);
    if is_anothers && TAKE_OVERS.contains(&&*reason) {
        return Reading::Events(Events::only(Remark::LateEnd));
    }
    Reading::Events(ending(event(closed), GOODBYES.contains(&&*reason)))
}

const KEYS: Paths<'_, 8> = Paths::new([
    "clientid",
    "connected_at",
    "disconnected_at",
    "ts",
    "reason",
    "ipaddress",
    "protocol",
    "node",
]);

/// DISCONNECT, and the one of MQTT 5 that asks for the will (reason 0x04).
pub(super) const GOODBYES: [&str; 2] = ["normal", "disconnect_with_will_message"];

/// Another connection took the place of this one. 4.x spells the first, 5.x the second.
pub(super) const TAKE_OVERS: [&str; 3] = ["takeovered", "takenover", "discarded"];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialect::plain;

    const CONNECTED: &str = "$SYS/brokers/emqx@127.0.0.1/clients/a/b/connected";
    const DISCONNECTED: &str = "$SYS/brokers/emqx@127.0.0.1/clients/a/b/disconnected";
    const OPENED: i64 = 1_760_000_000_000;

    fn told(topic: &str, body: &str) -> String {
        plain::told(&EMQX, topic, body)
    }

    #[test]
    fn a_connection_is_named_by_when_it_began() {
        for body in [
            r#"{"connected_at":1760000000000,"ts":1760000000001}"#,
            r#"{"connected_at":"1760000000000"}"#,
            r#"{"connected_at":1760000000000,"clientid":"","username":"undefined"}"#,
            r#"{"connected_at":1760000000000,"clientid":7}"#,
            r#"{"connected_at":1760000000000,"protocol":"mqtt","node":"emqx@127.0.0.1"}"#,
        ] {
            assert_eq!(told(CONNECTED, body), format!("+a/b {OPENED}"), "{body}");
            assert_eq!(told(DISCONNECTED, body), format!("-a/b {OPENED}"), "{body}");
        }
        let body = r#"{"clientid":"c","connected_at":1760000000000}"#;
        assert_eq!(told(CONNECTED, body), format!("+c {OPENED}"));
    }

    #[test]
    fn nothing_is_made_of_what_is_not_said() {
        for (body, expected) in [
            ("", "unreadable"),
            ("{", "unreadable"),
            ("{}", "unreadable a/b channel-missing"),
            (r#"{"connected_at":null}"#, "unreadable a/b channel-missing"),
            (r#"{"connected_at":0}"#, "unreadable a/b channel-missing"),
            (r#"{"connected_at":1.5}"#, "unreadable a/b channel-missing"),
            (r#"{"connected_at":1760000000000,"protocol":"stomp"}"#, ""),
        ] {
            for topic in [CONNECTED, DISCONNECTED] {
                assert_eq!(told(topic, body), expected, "{topic} {body}");
            }
        }
    }

    #[test]
    fn only_a_disconnect_is_a_goodbye() {
        let closed = format!("-a/b {OPENED}");
        let goodbye = format!("~a/b {OPENED} {closed}");
        for (reason, expected) in [
            ("normal", &goodbye),
            ("disconnect_with_will_message", &goodbye),
            ("keepalive_timeout", &closed),
            ("tcp_closed", &closed),
            ("takeovered", &closed),
            ("takenover", &closed),
            ("discarded", &closed),
            ("kicked", &closed),
            ("{shutdown,normal}", &closed),
            ("", &closed),
        ] {
            let body = format!(
                r#"{{"connected_at":{OPENED},"disconnected_at":{},"reason":"{reason}"}}"#,
                OPENED + 1
            );
            assert_eq!(&told(DISCONNECTED, &body), expected, "{reason}");
        }
    }

    #[test]
    fn an_end_before_its_own_beginning_is_that_of_the_connection_before() {
        for (reason, expected) in [
            ("takenover", "LateEnd".to_owned()),
            ("takeovered", "LateEnd".to_owned()),
            ("discarded", "LateEnd".to_owned()),
            // A clock was set back; the name is right.
            ("tcp_closed", format!("-a/b {OPENED}")),
        ] {
            let body = format!(
                r#"{{"connected_at":{OPENED},"disconnected_at":{},"reason":"{reason}"}}"#,
                OPENED - 1
            );
            assert_eq!(told(DISCONNECTED, &body), expected, "{reason}");
        }
    }

    #[test]
    fn what_a_bridge_brought_elsewhere_names_its_client() {
        let body = r#"{"clientid":"c","connected_at":1760000000000}"#;
        assert_eq!(told("site/x/connected", body), format!("+c {OPENED}"));
        let body = r#"{"connected_at":1760000000000}"#;
        assert_eq!(told("site/x/connected", body), "client-missing");
        for (topic, body) in [
            ("site/x/connected", ""),
            ("site/x/connected", "{}"),
            ("site/x", r#"{"clientid":"c","connected_at":1760000000000}"#),
            ("$SYS/brokers/emqx@127.0.0.1/version", "5"),
        ] {
            assert_eq!(told(topic, body), "not mine", "{topic} {body}");
        }
    }

    #[test]
    fn what_rmqtt_says_on_these_topics_is_not_taken_for_its_own() {
        let body = r#"{"node":1,"ipaddress":"192.0.2.10:52011","clientid":"a","connected_at":1760000000000}"#;
        assert_eq!(told(CONNECTED, body), "not mine");
    }
}
