//! NanoMQ: what it tells of its clients below `$SYS/brokers`.
//!
//! It prints its JSON into 256 bytes and escapes nothing. So the bodies are no JSON, and are read as what
//! they are: fixed words, in a fixed order, around what a client chose.

use super::lmq::stamp_of;
use super::plain::{How, Plain, ending};
use super::{Events, Malformed, Message, PAYLOAD_MAX, Reading, Reason, Remark, excerpt, trimmed};
use crate::event::{Channel, ChannelEvent, Event, EventKind, Flags, Stamp};
use memchr::memchr_iter;

pub const NANOMQ: Plain = Plain {
    name: "nanomq",
    title: "client notices of NanoMQ",
    authority: 2,
    filters: &[
        "$SYS/brokers/client_status/#",
        "$SYS/brokers/connected",
        "$SYS/brokers/disconnected",
    ],
    message_life: None,
    is_usual: true,
    speaks_at: |topic| Place::of(topic).is_some(),
    is_line: None,
    read: How::Alone(|message, _| read(message)),
};

/// What a topic says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place<'a> {
    /// From 0.24.2 on: of this client.
    Status(&'a str),
    /// Up to 0.24.1: whether a connection begins or ends.
    Kind(EventKind),
}

impl<'a> Place<'a> {
    fn of(topic: &'a str) -> Option<Self> {
        match topic.strip_prefix("$SYS/brokers/")? {
            "connected" => Some(Self::Kind(EventKind::Opened)),
            "disconnected" => Some(Self::Kind(EventKind::Closed)),
            // An id may hold slashes.
            rest => rest.strip_prefix("client_status/").map(Self::Status),
        }
    }
}

/// Reads one client notice.
///
/// Shape: topic `$SYS/brokers/client_status/{client id}`, payload `{"status":"online", "username":…,"ts":…,
/// …,"return_code":"0","proto_ver":…,"client_id":…,"clean_start":…, "IPv4":…}` or `{"status":"offline",
/// "username":…,"ts":…,"reason_code":"8b","client_id":…,"IPv4":…}`; up to 0.24.1 topics `$SYS/brokers/connected`
/// and `$SYS/brokers/disconnected` and no `status`. A device of MQTT 5 puts a NUL before it, a body ends
/// after 255 bytes, and names are not escaped: everything is looked for around them, from the client id on
/// backwards. No channel is named: one nameless channel a client. A `return_code` other than 0 is a refusal,
/// `reason_code` 8e the older connection at a take-over; neither touches anything.
/// Units: `ts` in ms (broker's clock), and the place in the order of arrival; the arrival without one.
/// Errors: `Malformed` for what is no text or too long, has no client id that can be told for certain, another
/// status, or no code: without it a refusal and a take-over cannot be told.
/// Source: nanomq/nanomq `nanomq/webhook_post.c` and nanomq/NanoNNG `mqtt_parser.c` (2026-08), 0.25.5 run;
/// samples in `tests/fixtures/dialects/nanomq.jsonl`.
fn read<'a>(message: &Message<'a>) -> Reading<'a> {
    let Some(place) = Place::of(message.topic) else { return Reading::NotMine };
    let set_aside = |reason, what: &str, client: Option<&'a str>| {
        let detail = format!("{what} in `{}`", excerpt(message.payload));
        let client = client.map(|client| (client.into(), Flags::NONE));
        Reading::Malformed(Malformed { client, ..Malformed::new(reason, detail) })
    };
    if message.payload.len() > PAYLOAD_MAX {
        return Reading::Malformed(Malformed::too_long(message.payload));
    }
    let Some(text) = text_of(message.payload) else {
        return set_aside(Reason::Unreadable, "no object", None);
    };
    let (kind, client) = match place {
        Place::Status("") => {
            return set_aside(Reason::ClientMissing, "no client in the topic", None);
        }
        Place::Status(client) => {
            // The first member, so nobody's name stands before it.
            let kind =
                match text.strip_prefix(r#"{"status":""#).and_then(|rest| rest.split('"').next()) {
                    Some("online") => EventKind::Opened,
                    Some("offline") => EventKind::Closed,
                    Some(_) | None => {
                        return set_aside(Reason::UnknownEvent, "no status", Some(client));
                    }
                };
            (kind, client)
        }
        Place::Kind(kind) => match only_client_of(text, kind) {
            Some(client) => (kind, client),
            None => return set_aside(Reason::ClientMissing, "no certain `client_id`", None),
        },
    };
    let Some(head) = head_of(text, client) else {
        return set_aside(Reason::Unreadable, "no `client_id` as in the topic", Some(client));
    };
    let key = if kind == EventKind::Opened { RETURN_CODE } else { REASON_CODE };
    let Some(code) = code_of(head, key) else {
        return set_aside(Reason::Unreadable, "no code", Some(client));
    };
    let stamp =
        time_of(head).map_or(message.arrival(), |stamp| Stamp { tie: message.tie, ..stamp });
    let event = ChannelEvent::new(client, Channel::Weak(None), kind, Some(stamp));
    Reading::Events(match (kind, code) {
        (EventKind::Opened, GOOD) => Events::one(Event::Channel(event)),
        (EventKind::Opened, _) => Events::only(Remark::Refused),
        (_, TAKEN_OVER) => Events::only(Remark::TakeOver),
        _ => ending(event, code == GOOD),
    })
}

/// Returns the text of an object, or of the beginning of one.
fn text_of(payload: &[u8]) -> Option<&str> {
    let payload = payload.strip_prefix(b"\0").unwrap_or(payload);
    // A cut may go through a character.
    let text = match str::from_utf8(payload) {
        Ok(text) => text,
        Err(error) if error.error_len().is_none() => {
            str::from_utf8(payload.get(..error.valid_up_to())?).ok()?
        }
        Err(_) => return None,
    };
    let text = trimmed(text.trim_end_matches('\0'));
    text.starts_with('{').then_some(text)
}

/// Returns the client id of a body that is the only one to tell it. A name could hold what looks like an id,
/// so it is certain only where there is but one, and whole.
fn only_client_of(text: &str, kind: EventKind) -> Option<&str> {
    let mut begins = places(text, CLIENT);
    let (Some(at @ 1..), None) = (begins.next(), begins.next()) else { return None };
    let rest = text.get(at + CLIENT.len()..)?;
    let end = if kind == EventKind::Opened {
        places(rest, br#"","clean_start":"#).next_back()?
    } else {
        places(rest, br#"","IPv4":"#).next_back()?
    };
    let client = rest.get(..end)?;
    (!client.is_empty()).then_some(client)
}

/// Returns what stands before the client id. It may be cut off.
fn head_of<'a>(text: &'a str, client: &str) -> Option<&'a str> {
    let mut places = places(text, CLIENT).filter(|at| {
        let rest = &text[at + CLIENT.len()..];
        rest.strip_prefix(client).is_some_and(|rest| rest.is_empty() || rest.starts_with('"'))
            || client.starts_with(rest)
    });
    // What the id itself holds comes after its beginning: of several places that fit, all but one are within
    // a name, and which of them that is cannot be told.
    let at = places.next()?;
    if places.next().is_some() { None } else { text.get(..at) }
}

/// Returns the last code of this name: a user name stands before the true one, nobody's name after it.
fn code_of<'a>(head: &'a str, key: &[u8; 15]) -> Option<&'a str> {
    let rest = head.get(places(head, key).next_back()? + key.len()..)?;
    let (code, _) = rest.strip_prefix('"')?.split_once('"')?;
    (!code.is_empty() && code.bytes().all(|byte| byte.is_ascii_hexdigit())).then_some(code)
}

fn time_of(head: &str) -> Option<Stamp> {
    let rest = head.get(places(head, TIME).next_back()? + TIME.len()..)?;
    stamp_of(rest.split(',').next()?)
}

/// Returns where in a text a word stands that ends in `":` or `":"`: there are few colons, and they are found at
/// once.
fn places<'t, const SIZE: usize>(
    text: &'t str,
    word: &'t [u8; SIZE],
) -> impl DoubleEndedIterator<Item = usize> {
    let before = word.iter().rposition(|byte| *byte == b':').unwrap_or_default();
    memchr_iter(b':', text.as_bytes())
        .filter_map(move |colon| colon.checked_sub(before))
        .filter(move |at| text.as_bytes().get(*at..).and_then(<[u8]>::first_chunk) == Some(word))
}

const RETURN_CODE: &[u8; 15] = br#","return_code":"#;
const REASON_CODE: &[u8; 15] = br#","reason_code":"#;
const TIME: &[u8; 5] = br#""ts":"#;
const CLIENT: &[u8; 14] = br#","client_id":""#;

/// Accepted, or a DISCONNECT.
const GOOD: &str = "0";

/// Told of the older connection, as in MQTT 5 (0x8E). 8b is no server that shuts down: the peer closed.
const TAKEN_OVER: &str = "8e";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialect::plain;

    fn told(topic: &str, body: &str) -> String {
        plain::told(&NANOMQ, topic, body)
    }

    fn online(user: &str, code: &str, client: &str) -> String {
        format!(
            r#"{{"status":"online", "username":"{user}", "ts":1760000000000,"proto_name":"MQTT","keepalive":60,"return_code":"{code}","proto_ver":4,"client_id":"{client}","clean_start":1, "IPv4":"192.0.2.10"}}"#
        )
    }

    fn offline(user: &str, code: &str, client: &str) -> String {
        format!(
            r#"{{"status":"offline", "username":"{user}","ts":1760000005000,"reason_code":"{code}","client_id":"{client}","IPv4":"192.0.2.10"}}"#
        )
    }

    fn status(client: &str) -> String {
        format!("$SYS/brokers/client_status/{client}")
    }

    #[test]
    fn ids_are_read_that_make_the_body_no_json() {
        for client in ["a", "a/b", "dev\"quote", "dev\\back", "a b", "设备", "x\",\"ts\":1,\"y"] {
            assert_eq!(told(&status(client), &online("(null)", "0", client)), format!("+{client}"));
            let nul = format!("\0{}", offline("we\"ird", "8b", client));
            assert_eq!(told(&status(client), &nul), format!("-{client}"));
        }
    }

    #[test]
    fn codes_tell_who_came_and_how_it_ended() {
        let topic = &status("a");
        for (code, expected) in
            [("0", "+a"), ("5", "Refused"), ("87", "Refused"), ("", "unreadable a")]
        {
            assert_eq!(told(topic, &online("u", code, "a")), expected, "{code}");
        }
        for (code, expected) in [
            ("0", "~a -a"),
            ("8b", "-a"),
            ("8d", "-a"),
            ("7", "-a"),
            ("8e", "TakeOver"),
            ("?", "unreadable a"),
        ] {
            assert_eq!(told(topic, &offline("u", code, "a")), expected, "{code}");
        }
    }

    #[test]
    fn a_body_is_cut_anywhere_and_nothing_is_made_up() {
        for client in ["a", "设备", "x\",\"client_id\":\"x"] {
            for (body, told_whole) in [
                (online("u", "0", client), format!("+{client}")),
                (online("u", "5", client), "Refused".to_owned()),
                (offline("u", "8b", client), format!("-{client}")),
                (offline("u", "8e", client), "TakeOver".to_owned()),
            ] {
                for end in 0..body.len() {
                    let found = plain::told(&NANOMQ, &status(client), &body.as_bytes()[..end]);
                    let is_set_aside =
                        found.starts_with("un") || found.starts_with("client-missing");
                    assert!(is_set_aside || found == told_whole, "{found} of {:.300}", &body);
                }
            }
        }
        let long = "x".repeat(300);
        let body = online("(null)", "0", &long);
        assert_eq!(told(&status(&long), &body[..255]), format!("+{long}"));
        let body = online(&long, "0", "a");
        assert_eq!(told(&status("a"), &body[..255]), "unreadable a");
    }

    #[test]
    fn a_user_name_cannot_speak_for_the_broker() {
        let forged =
            r#"x", "ts":1,"proto_name":"MQTT","keepalive":60,"return_code":"0","proto_ver":4"#;
        assert_eq!(told(&status("a"), &online(forged, "5", "a")), "Refused");
        // Two ids that fit: which is the broker's cannot be told.
        let forged = format!(r#"{forged},"client_id":"a"#);
        assert_eq!(told(&status("a"), &online(&forged, "5", "a")), "unreadable a");
        let forged = r#"x","client_id":"victim"#;
        let body = online(forged, "0", "a").replace(r#""status":"online", "#, "");
        assert_eq!(told("$SYS/brokers/connected", &body), "client-missing");
    }

    #[test]
    fn older_releases_tell_the_client_in_the_body_alone() {
        let without = |body: String| {
            body.replace(r#""status":"online", "#, "").replace(r#""status":"offline", "#, "")
        };
        let (connected, disconnected) = ("$SYS/brokers/connected", "$SYS/brokers/disconnected");
        assert_eq!(told(connected, &without(online("u", "0", "a\"b"))), "+a\"b");
        assert_eq!(told(connected, &without(online("u", "4", "a"))), "Refused");
        assert_eq!(told(disconnected, &without(offline("u", "8d", "a"))), "-a");
        let cut = &without(online("u", "0", "long"))[..120];
        assert_eq!(told(connected, cut), "client-missing");
        assert_eq!(told(connected, &without(online("u", "0", ""))), "client-missing");
    }

    #[test]
    fn nothing_is_made_of_what_is_not_said() {
        for (topic, body, expected) in [
            ("$SYS/brokers/client_status/a", "", "unreadable"),
            ("$SYS/brokers/client_status/a", "online", "unreadable"),
            ("$SYS/brokers/client_status/a", "{}", "unknown-event a"),
            ("$SYS/brokers/client_status/a", r#"{"status":"asleep"}"#, "unknown-event a"),
            ("$SYS/brokers/client_status/a", r#"{"status":"online"}"#, "unreadable a"),
            ("$SYS/brokers/client_status/", r#"{"status":"online"}"#, "client-missing"),
            ("$SYS/brokers/client_status", r#"{"status":"online"}"#, "not mine"),
            ("$SYS/brokers/1/clients/a/connected", "{}", "not mine"),
            ("site/a", r#"{"status":"online"}"#, "not mine"),
        ] {
            assert_eq!(told(topic, body), expected, "{topic} {body}");
        }
        assert_eq!(
            plain::told(&NANOMQ, "$SYS/brokers/client_status/a", b"{\"\xff\xff"),
            "unreadable"
        );
        // A notice of another client than the topic's is none.
        assert_eq!(told(&status("a"), &online("u", "0", "b")), "unreadable a");
    }
}
