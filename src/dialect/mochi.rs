//! mochi-mqtt, a broker for Go: what a program that embeds it writes of its hooks.

use super::members::{Member, members_if_any};
use super::plain::{How, Plain, ending, nameless};
use super::scan::Paths;
use super::{Events, Malformed, Message, Reading, Reason, excerpt};
use crate::event::{Channel, ChannelEvent, Event, EventKind};

pub const MOCHI: Plain = Plain {
    name: "mochi",
    title: "hooks of mochi-mqtt",
    authority: 2,
    filters: &[],
    message_life: None,
    is_usual: false,
    speaks_at: |_| false,
    is_line: Some(|line| members_if_any(line, &KEYS).is_some_and(|call| is_call(&call))),
    read: How::Alone(|message, _| read(message)),
};

/// Reads one call of a hook.
///
/// Shape: a JSON object with the name of the hook in `event` (`OnSessionEstablished`, `OnDisconnect`), and of the
/// client `id`, `remote` (`ip:port`, a weak channel of that name, since ports come back) and `stopCause`. At a
/// take-over `OnDisconnect` of the older connection mostly comes after the newer one began.
/// Units: none; the arrival is the stamp.
/// Errors: `Malformed` for a call without a client or an address.
/// Source: mochi-mqtt/server 2.7.9 `hooks.go`, run; the recording
/// `tests/fixtures/captures/mochi-mqtt-2.7.9.events.jsonl`.
fn read<'a>(message: &Message<'a>) -> Reading<'a> {
    let Some(call @ [event, client, remote, cause, inline]) =
        members_if_any(message.payload, &KEYS)
    else {
        return Reading::NotMine;
    };
    if !is_call(&call) {
        return Reading::NotMine;
    }
    let kind = match event.text().as_deref() {
        // The broker's own client is no connection.
        _ if inline.truth() == Some(true) => return Reading::Events(Events::default()),
        Some("OnSessionEstablished") => EventKind::Opened,
        Some("OnDisconnect") => EventKind::Closed,
        // `OnConnect` among them: nobody is let in yet.
        _ => return Reading::Events(Events::default()),
    };
    let Some(client) = client.text() else {
        let detail = format!("no `id` in `{}`", excerpt(message.payload));
        return Reading::Malformed(Malformed::new(Reason::ClientMissing, detail));
    };
    let Some(remote) = remote.text() else {
        return nameless(client, "remote", message.payload);
    };
    let channel = Channel::Weak(Some(remote.clone()));
    let event = ChannelEvent::new(client, channel, kind, Some(message.arrival()));
    let event = ChannelEvent { address: remote, ..event };
    Reading::Events(if kind == EventKind::Opened {
        Events::one(Event::Channel(event))
    } else {
        ending(event, cause.text().is_some_and(|cause| GOODBYES.contains(&&*cause)))
    })
}

/// Tells whether it is a call of a hook with a client.
fn is_call([event, client, remote, ..]: &[Member<'_>; 5]) -> bool {
    let is_hook = event.text().is_some_and(|event| {
        event
            .strip_prefix("On")
            .is_some_and(|hook| hook.starts_with(|c: char| c.is_ascii_uppercase()))
    });
    is_hook && client.is_there() && remote.is_there()
}

const KEYS: Paths<'_, 5> = Paths::new(["event", "id", "remote", "stopCause", "inline"]);

/// DISCONNECT, and the one of MQTT 5 that asks for the will (reason 0x04).
const GOODBYES: [&str; 2] = ["disconnected", "disconnect with will message"];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialect::plain;

    #[test]
    fn an_address_names_the_connection_and_only_the_client_says_goodbye() {
        for (rest, expected) in [
            (r#""event":"OnSessionEstablished""#, "+a (h:5)"),
            (r#""event":"OnDisconnect","stopCause":"disconnected""#, "~a (h:5) -a (h:5)"),
            (
                r#""event":"OnDisconnect","stopCause":"disconnect with will message""#,
                "~a (h:5) -a (h:5)",
            ),
            (r#""event":"OnDisconnect","stopCause":"session takeover""#, "-a (h:5)"),
            (r#""event":"OnDisconnect","stopCause":7"#, "-a (h:5)"),
            (r#""event":"OnDisconnect","inline":true"#, ""),
            (r#""event":"OnConnect""#, ""),
            (r#""event":"OnClientExpired","stopCause":"EOF""#, ""),
            (r#""event":"On""#, "not mine"),
            (r#""event":"Once""#, "not mine"),
            (r#""event":7"#, "not mine"),
        ] {
            let body = format!(r#"{{"id":"a","remote":"h:5",{rest}}}"#);
            assert_eq!(plain::told(&MOCHI, "", &body), expected, "{body}");
        }
    }

    #[test]
    fn nothing_is_made_of_what_is_not_said() {
        for (body, expected) in [
            (r#"{"event":"OnDisconnect","id":"","remote":"h:5"}"#, "client-missing"),
            (r#"{"event":"OnDisconnect","id":7,"remote":"h:5"}"#, "client-missing"),
            (r#"{"event":"OnDisconnect","id":"a","remote":7}"#, "unreadable a channel-missing"),
            (r#"{"event":"OnDisconnect","id":"a"}"#, "not mine"),
            (r#"{"event":"OnDisconnect","remote":"h:5"}"#, "not mine"),
            ("[]", "not mine"),
        ] {
            assert_eq!(plain::told(&MOCHI, "", body), expected, "{body}");
        }
    }
}
