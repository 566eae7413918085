//! RMQTT: what its plugin `rmqtt-sys-topic` tells of clients.

use super::members::members;
use super::plain::{How, Plain, ending, nameless};
use super::scan::Paths;
use super::sys_clients::{FILTERS, is_own, place_of};
use super::{Events, Malformed, Message, Reading, Reason, Remark, excerpt};
use crate::event::{Channel, ChannelEvent, Event, EventKind, Stamp};
use std::borrow::Cow;

pub const RMQTT: Plain = Plain {
    name: "rmqtt",
    title: "client notices of RMQTT",
    authority: 2,
    filters: FILTERS,
    message_life: Some(5 * 60_000),
    is_usual: true,
    speaks_at: is_own,
    is_line: None,
    read: How::Alone(|message, _| read(message)),
};

/// Reads one client notice.
///
/// Shape: topic `$SYS/brokers/{node}/clients/{client id}/{connected|disconnected}`, payload a JSON object
/// with `clientid`, a number as `node`, and in both events `ipaddress`, which is `ip:port`: a weak channel of
/// that name, since ports come back. What the body says of the client outranks the topic. The end of a
/// connection that was taken over (`Kicked`) touches nothing.
/// Units: `connected_at`, `disconnected_at` in ms (the node's clock), the arrival where they are missing;
/// `time` is local text without a zone, and not read.
/// Errors: `Malformed` for a body without a client or without an address. What has no number as `node`, or is
/// no object, may be EMQX's.
/// Source: rmqtt/rmqtt `rmqtt-plugins/rmqtt-sys-topic` (2026-08); samples in
/// `tests/fixtures/dialects/rmqtt.jsonl`.
fn read<'a>(message: &Message<'a>) -> Reading<'a> {
    let Some(place) = place_of(message.topic) else { return Reading::NotMine };
    let [client, node, address, opened, closed, reason] = match members(message.payload, &KEYS) {
        Ok(members) => members,
        Err(malformed) if place.client.is_some() => return Reading::Malformed(malformed),
        Err(_) => return Reading::NotMine,
    };
    if !node.is_number() {
        return Reading::NotMine;
    }
    let Some(client) = client.text().or(place.client.map(Cow::Borrowed)) else {
        let detail = format!("no `clientid` in `{}`", excerpt(message.payload));
        return Reading::Malformed(Malformed::new(Reason::ClientMissing, detail));
    };
    let Some(address) = address.text() else {
        return nameless(client, "ipaddress", message.payload);
    };
    let event = |stamp: Option<Stamp>| {
        let stamp = stamp.unwrap_or(message.arrival());
        let channel = Channel::Weak(Some(address.clone()));
        ChannelEvent { address, ..ChannelEvent::new(client, channel, place.kind, Some(stamp)) }
    };
    if place.kind == EventKind::Opened {
        return Reading::Events(Events::one(Event::Channel(event(opened.time()))));
    }
    Reading::Events(match Cause::of(&reason.text().unwrap_or_default()) {
        Cause::TakeOver => Events::only(Remark::TakeOver),
        cause => ending(event(closed.time()), cause == Cause::Goodbye),
    })
}

const KEYS: Paths<'_, 6> =
    Paths::new(["clientid", "node", "ipaddress", "connected_at", "disconnected_at", "reason"]);

/// Why a connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cause {
    TakeOver,
    Goodbye,
    Other,
}

impl Cause {
    /// Reads `Disconnect`, `Disconnect(…)`, `Kicked` and others, of which commas join several.
    fn of(reason: &str) -> Self {
        // Most are this word alone.
        if reason == "Disconnect" {
            return Self::Goodbye;
        }
        // In brackets stands what a client may have chosen: a DISCONNECT brings a text along.
        let chosen_by_the_broker = reason.split('(').next().unwrap_or_default();
        let mut words = chosen_by_the_broker.split(',').map(str::trim);
        if words.clone().any(|word| word == "Kicked") {
            Self::TakeOver
        } else if words.any(|word| word == "Disconnect") {
            Self::Goodbye
        } else {
            Self::Other
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialect::plain;

    const CONNECTED: &str = "$SYS/brokers/1/clients/a/b/connected";
    const DISCONNECTED: &str = "$SYS/brokers/1/clients/a/b/disconnected";

    fn told(topic: &str, body: &str) -> String {
        plain::told(&RMQTT, topic, body)
    }

    #[test]
    fn an_address_names_the_connection_for_a_while() {
        for (body, client) in [
            (r#"{"node":1,"ipaddress":"192.0.2.10:5"}"#, "a/b"),
            (r#"{"node":1,"ipaddress":"192.0.2.10:5","clientid":"c"}"#, "c"),
            (r#"{"node":1,"ipaddress":"192.0.2.10:5","clientid":[]}"#, "a/b"),
        ] {
            assert_eq!(told(CONNECTED, body), format!("+{client} (192.0.2.10:5)"), "{body}");
            assert_eq!(told(DISCONNECTED, body), format!("-{client} (192.0.2.10:5)"), "{body}");
        }
    }

    #[test]
    fn nothing_is_made_of_what_is_not_said() {
        for (topic, body, expected) in [
            (CONNECTED, "", "unreadable"),
            (CONNECTED, r#"{"node":1}"#, "unreadable a/b channel-missing"),
            (CONNECTED, r#"{"node":1,"ipaddress":7}"#, "unreadable a/b channel-missing"),
            ("site/connected", r#"{"node":1,"ipaddress":"192.0.2.10:5"}"#, "client-missing"),
            ("site/connected", "", "not mine"),
            ("site", r#"{"node":1,"ipaddress":"192.0.2.10:5","clientid":"c"}"#, "not mine"),
            ("$SYS/brokers/1/session/a/created", r#"{"node":1,"clientid":"a"}"#, "not mine"),
        ] {
            assert_eq!(told(topic, body), expected, "{topic} {body}");
        }
    }

    #[test]
    fn reasons_may_be_several_and_hold_what_a_client_wrote() {
        let (closed, goodbye) = ("-a/b (h:5)", "~a/b (h:5) -a/b (h:5)");
        for (reason, expected) in [
            ("Disconnect", goodbye),
            ("Disconnect(Some(NormalDisconnection))", goodbye),
            ("Disconnect(reason_string: x,Kicked)", goodbye),
            ("RemoteClose,Disconnect", goodbye),
            ("Kicked", "TakeOver"),
            ("RemoteClose, Kicked", "TakeOver"),
            ("ByAdminKick", closed),
            ("KeepaliveTimeout", closed),
            ("ProtocolError(Kicked)", closed),
            ("SessionExpiration", closed),
            ("", closed),
        ] {
            let body = format!(r#"{{"node":1,"ipaddress":"h:5","reason":"{reason}"}}"#);
            assert_eq!(told(DISCONNECTED, &body), expected, "{reason}");
        }
    }

    #[test]
    fn what_emqx_says_on_these_topics_is_not_taken_for_its_own() {
        for body in [
            r#"{"clientid":"a","ipaddress":"192.0.2.10","connected_at":1760000000000,"ts":1}"#,
            r#"{"clientid":"a","node":"emqx@127.0.0.1","connected_at":1760000000000}"#,
        ] {
            assert_eq!(told(CONNECTED, body), "not mine", "{body}");
        }
    }
}
