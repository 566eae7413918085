//! VerneMQ's webhooks: what it posts about queues of clients, one call a line.

use super::members::{Member, members_if_any};
use super::plain::{How, Plain};
use super::scan::Paths;
use super::{Events, Malformed, Message, PAYLOAD_MAX, Reading, Reason, excerpt};
use crate::event::{Channel, ChannelEvent, Event, EventKind};
use std::borrow::Cow;

pub const VERNEMQ: Plain = Plain {
    name: "vernemq",
    title: "webhook calls of VerneMQ",
    authority: 2,
    filters: &[],
    message_life: None,
    is_usual: false,
    speaks_at: |_| false,
    is_line: Some(|line| parse(line).is_some_and(|(hook, _)| is_hook(&hook))),
    read: How::Alone(|message, _| read(message)),
};

/// Reads one call.
///
/// Shape: a JSON object with the headers of the call in `header` (`vernemq-hook` says what happened: bodies of
/// different hooks look alike) and its body in `payload`: `client_id` and `mountpoint`. No connection is named:
/// one nameless channel a client. Ends tell whether the session is kept, not whether the client said goodbye.
/// Below a mountpoint the client is `mountpoint/client_id`.
/// Units: none; the arrival is the stamp.
/// Errors: `Malformed` for what is no such JSON, longer than 64 KiB, without a client or of another hook.
/// Source: vernemq/vernemq `vmq_webhooks` (2026-08); samples in
/// `tests/fixtures/dialects/vernemq-webhooks.jsonl`.
fn read<'a>(message: &Message<'a>) -> Reading<'a> {
    let Some((hook, [client, mountpoint])) = parse(message.payload) else {
        if message.payload.len() > PAYLOAD_MAX {
            return Reading::Malformed(Malformed::too_long(message.payload));
        }
        let detail = format!("no call with `header` and `payload`: `{}`", excerpt(message.payload));
        return Reading::Malformed(Malformed::new(Reason::Unreadable, detail));
    };
    let kind = match &*hook {
        "on_client_wakeup" => EventKind::Opened,
        "on_client_offline" | "on_client_gone" => EventKind::Closed,
        // Accepted, but its queue is not attached yet; or the end of what was kept of one that is away.
        hook if is_hook(hook) => return Reading::Events(Events::default()),
        hook => {
            let detail = format!("hook `{}`", excerpt(hook.as_bytes()));
            return Reading::Malformed(Malformed::new(Reason::UnknownEvent, detail));
        }
    };
    let Some(client) = client.text() else {
        let detail = format!("no `client_id` in `{}`", excerpt(message.payload));
        return Reading::Malformed(Malformed::new(Reason::ClientMissing, detail));
    };
    let client = match mountpoint.text_if_any() {
        None => {
            let detail = format!("`mountpoint` is no text in `{}`", excerpt(message.payload));
            return Reading::Malformed(Malformed::new(Reason::Unreadable, detail));
        }
        Some(Cow::Borrowed("")) => client,
        Some(mountpoint) => Cow::Owned(format!("{mountpoint}/{client}")),
    };
    let event = ChannelEvent::new(client, Channel::Weak(None), kind, Some(message.arrival()));
    Reading::Events(Events::one(Event::Channel(event)))
}

/// Tells whether a hook is about connections.
fn is_hook(name: &str) -> bool {
    matches!(
        name,
        "on_register"
            | "on_register_m5"
            | "on_client_wakeup"
            | "on_client_offline"
            | "on_client_gone"
            | "on_session_expired"
    )
}

const KEYS: Paths<'_, 3> =
    Paths::new(["header/vernemq-hook", "payload/client_id", "payload/mountpoint"]);

/// Returns which hook was called, with which client and mountpoint.
fn parse(payload: &[u8]) -> Option<(Cow<'_, str>, [Member<'_>; 2])> {
    let [hook, client, mountpoint] = members_if_any(payload, &KEYS)?;
    Some((hook.text()?, [client, mountpoint]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Timestamp;

    fn told(hook: &str, body: &str) -> Result<Option<String>, Reason> {
        let line = format!(r#"{{"header":{{"vernemq-hook":"{hook}"}},"payload":{body}}}"#);
        let (topic, tag, qos, retain, received, tie) = ("", None, 0, false, Timestamp(7), 1);
        let message = Message { topic, payload: line.as_bytes(), tag, qos, retain, received, tie };
        match read(&message) {
            Reading::Malformed(malformed) => Err(malformed.reason),
            Reading::NotMine => panic!("{line}"),
            Reading::Events(Events { first: Some(Event::Channel(event)), .. }) => {
                Ok(Some(format!("{:?} {}", event.kind, event.client)))
            }
            Reading::Events(_) => Ok(None),
        }
    }

    #[test]
    fn a_mountpoint_tells_clients_of_one_id_apart() {
        for (body, client) in [
            (r#"{"client_id":"a"}"#, "a"),
            (r#"{"client_id":"a","mountpoint":""}"#, "a"),
            (r#"{"client_id":"a","mountpoint":"m"}"#, "m/a"),
        ] {
            assert_eq!(
                told("on_client_gone", body),
                Ok(Some(format!("Closed {client}"))),
                "{body}"
            );
        }
    }

    #[test]
    fn what_is_not_known_is_no_end() {
        assert_eq!(told("on_publish", r#"{"client_id":"a"}"#), Err(Reason::UnknownEvent));
        assert_eq!(told("on_client_gone", r#"{"client_id":""}"#), Err(Reason::ClientMissing));
        assert_eq!(told("on_client_gone", "7"), Err(Reason::ClientMissing));
        assert_eq!(told("on_session_expired", r#"{"client_id":"a"}"#), Ok(None));
    }
}
