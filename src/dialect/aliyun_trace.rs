//! Alibaba Cloud's MQTT: the history of a client as its API tells it, saved in a file.

use super::members::{Member, list_of, members_if_any};
use super::plain::{How, Plain, nameless};
use super::scan::Paths;
use super::{Events, Malformed, Message, Reading, Reason, Remark, excerpt, local};
use crate::event::{Channel, ChannelEvent, Event, EventKind, Flags, Stamp};
use jiff::tz::TimeZone;
use std::borrow::Cow;

pub const ALIYUN_TRACE: Plain = Plain {
    name: "aliyun-trace",
    title: "histories of Alibaba's MQTT",
    authority: 2,
    filters: &[],
    message_life: None,
    is_usual: false,
    speaks_at: |_| false,
    is_line: Some(is_line),
    read: How::Alone(read),
};

/// Tells whether a line is an answer of the API, or an entry of one.
fn is_line(line: &[u8]) -> bool {
    members_if_any(line, &KEYS).is_some_and(|[_, list, action, code, ..]| {
        let has_code = code.text().is_some_and(|code| code.starts_with(CODES));
        entries(list).is_some() || action.is_there() && has_code
    })
}

/// Reads one answer of `QueryMqttTraceDevice`, or one entry of its list.
///
/// Shape: a JSON object with `DeviceInfoList`, a list of objects with `Action` (`connect`, `disconnect`,
/// `close`), `ActionCode`, `ActionInfo`, `ChannelId` and `Time`; or one of these objects. The API does not
/// repeat whom it was asked about, so `ClientId` has to be added. `ChannelId` is a strong channel. Only a
/// `connect` that was `accepted` begins a connection; any other is that of somebody who was turned away. A
/// `disconnect` is the goodbye, a `close` the end of the transport.
/// Units: `Time` in local time, ms.
/// Errors: `Malformed` for what has no client, no channel, or another word for what happened, and for a time
/// without a zone (`ZoneMissing`). Of a list the first of these stands for the whole.
/// Source: the vendor's API reference of 2020-04-20 (2025-07); samples in
/// `tests/fixtures/dialects/aliyun-trace.jsonl`.
fn read<'a>(message: &Message<'a>, zone: Option<&TimeZone>) -> Reading<'a> {
    let Some([client, list, entry @ ..]) = members_if_any(message.payload, &KEYS) else {
        return Reading::NotMine;
    };
    let list = if list.is_there() { entries(list) } else { Some(vec![entry]) };
    let Some(list) = list.filter(|list| list.iter().all(|[action, ..]| action.is_there())) else {
        return Reading::NotMine;
    };
    let Some(client) = client.text() else {
        let detail = format!("no `ClientId` in `{}`", excerpt(message.payload));
        return Reading::Malformed(Malformed::new(Reason::ClientMissing, detail));
    };
    let mut events = Events::default();
    for entry in list {
        match Entry::of(entry) {
            Entry::Refused => events.remark = Some(Remark::Refused),
            Entry::Nothing => {}
            Entry::Unknown(word) => {
                let detail = format!("`Action` `{}`", excerpt(word.as_bytes()));
                let malformed = Malformed::new(Reason::UnknownEvent, detail);
                let client = Some((client, Flags::NONE));
                return Reading::Malformed(Malformed { client, ..malformed });
            }
            Entry::Told { channel: None, .. } => {
                return nameless(client, "ChannelId", message.payload);
            }
            Entry::Told { kind, channel: Some(channel), time } => {
                let stamp = match stamp(time, zone, message) {
                    Ok(stamp) => stamp,
                    Err(malformed) => return Reading::Malformed(malformed),
                };
                let channel = Channel::Strong(channel);
                let mut event = ChannelEvent::new(client.clone(), channel, kind, stamp);
                if stamp.is_none() {
                    event.flags = Flags::TIME_INVALID;
                }
                events.push(Event::Channel(event));
            }
        }
    }
    Reading::Events(events)
}

const KEYS: Paths<'_, 7> = Paths::new([
    "ClientId",
    "DeviceInfoList",
    "Action",
    "ActionCode",
    "ActionInfo",
    "ChannelId",
    "Time",
]);
const OF_ENTRY: Paths<'_, 5> =
    Paths::new(["Action", "ActionCode", "ActionInfo", "ChannelId", "Time"]);
/// What the codes of all of them begin with.
const CODES: &str = "mqtt.trace.action.";

/// Returns the entries of a list, however much stands around it.
fn entries(list: Member<'_>) -> Option<Vec<[Member<'_>; 5]>> {
    list_of(list.json()?, &OF_ENTRY)
}

/// What one entry of a history comes to.
enum Entry<'a> {
    Told {
        kind: EventKind,
        channel: Option<Cow<'a, str>>,
        time: Member<'a>,
    },
    /// Somebody was turned away.
    Refused,
    /// It says nothing of presence.
    Nothing,
    Unknown(Cow<'a, str>),
}

impl<'a> Entry<'a> {
    fn of([action, _, info, channel, time]: [Member<'a>; 5]) -> Self {
        let (action, info) = (action.text().unwrap_or_default(), info.text().unwrap_or_default());
        let kind = match (&*action, &*info) {
            // The reference has both.
            ("connect", "accepted" | "accept") => EventKind::Opened,
            ("connect", _) => return Self::Refused,
            ("disconnect", "" | "disconnected by client") => EventKind::Farewell,
            // The client did not ask for it; its end is told by itself.
            ("disconnect", _) => return Self::Nothing,
            ("close", _) => EventKind::Closed,
            _ => return Self::Unknown(action),
        };
        let channel = channel.text().filter(|channel| !channel.is_empty());
        Self::Told { kind, channel, time }
    }
}

fn stamp(
    time: Member<'_>,
    zone: Option<&TimeZone>,
    message: &Message<'_>,
) -> Result<Option<Stamp>, Malformed<'static>> {
    let Some(text) = time.text() else { return Ok(None) };
    let (local, resolution) = match (local::read(&text, '.'), local::read_seconds(&text)) {
        (Some(local), _) => (local, 0),
        (None, Some(local)) => (local, 1_000),
        (None, None) => return Ok(None),
    };
    let stamp = local::stamp(local, zone, message)?;
    // The order of a list is not promised, and what two answers tell is one thing.
    Ok(Some(Stamp { tie: 0, resolution, ..stamp }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialect::plain::{Reader, told_by};
    use crate::event::Timestamp;
    use serde_json::{Value, json};

    fn entry(action: &str, info: &str) -> Value {
        json!({
            "Action": action, "ActionCode": format!("mqtt.trace.action.{action}"), "ActionInfo": info,
            "ChannelId": "c1", "Time": "2021-05-21 15:51:54.867", "ClientId": "GID_a@@@1",
        })
    }

    fn told(body: &Value) -> String {
        let mut reader = Reader::new(&ALIYUN_TRACE, Some(TimeZone::UTC));
        told_by(&mut reader, "", body.to_string())
    }

    #[test]
    fn each_action_says_one_thing() {
        for (action, info, expected) in [
            ("connect", "accepted", "+GID_a@@@1 c1"),
            ("connect", "not authorized", "Refused"),
            ("connect", "clientId conflict", "Refused"),
            ("connect", "resource auth failed", "Refused"),
            ("connect", "invalid param", "Refused"),
            ("disconnect", "disconnected by client", "~GID_a@@@1 c1"),
            ("disconnect", "no heart", ""),
            ("close", "no heart", "-GID_a@@@1 c1"),
            ("close", "closed by client", "-GID_a@@@1 c1"),
            ("close", "Socket IOException", "-GID_a@@@1 c1"),
            ("close", "what is to come", "-GID_a@@@1 c1"),
            ("kick", "", "unknown-event GID_a@@@1"),
        ] {
            let body = entry(action, info);
            assert_eq!(told(&body), expected, "{body}");
            assert!(is_line(body.to_string().as_bytes()), "{body}");
        }
    }

    #[test]
    fn an_answer_tells_all_its_entries() {
        let list = json!([
            entry("connect", "accepted"),
            entry("disconnect", "disconnected by client"),
            entry("close", "disconnected by client"),
            entry("connect", "not authorized"),
        ]);
        let body = json!({"ClientId": "GID_a@@@1", "Total": 4, "DeviceInfoList": list});
        assert_eq!(told(&body), "+GID_a@@@1 c1 ~GID_a@@@1 c1 -GID_a@@@1 c1 Refused");
        assert!(is_line(body.to_string().as_bytes()));
        let empty = json!({"ClientId": "GID_a@@@1", "Total": 0, "DeviceInfoList": []});
        assert_eq!(told(&empty), "");
        let nobody = json!({"Total": 4, "DeviceInfoList": list});
        assert_eq!(told(&nobody), "client-missing");
    }

    #[test]
    fn nothing_is_made_of_what_is_not_said() {
        let without = |key: &str| {
            let mut body = entry("close", "no heart");
            body.as_object_mut().expect("an object").remove(key);
            body
        };
        for (body, expected) in [
            (without("ClientId"), "client-missing"),
            (without("ChannelId"), "unreadable GID_a@@@1 channel-missing"),
            (without("Action"), "not mine"),
            (without("Time"), "-GID_a@@@1 c1"),
            (json!({"DeviceInfoList": {}}), "not mine"),
            (json!({"DeviceInfoList": [7]}), "not mine"),
            (json!([]), "not mine"),
        ] {
            assert_eq!(told(&body), expected, "{body}");
        }
        assert!(!is_line(b"{\"Action\":\"close\",\"ChannelId\":\"c\"}"));
    }

    #[test]
    fn a_time_needs_its_zone() {
        let payload = entry("close", "no heart").to_string().into_bytes();
        let (topic, tag, qos, retain, received, tie) = ("", None, 0, false, Timestamp(7), 3);
        let payload = &payload[..];
        let message = Message { topic, payload, tag, qos, retain, received, tie };
        let Reading::Malformed(malformed) = read(&message, None) else { panic!("which zone?") };
        assert_eq!(malformed.reason, Reason::ZoneMissing);
        let beijing = local::beijing();
        let Reading::Events(Events { first: Some(Event::Channel(event)), .. }) =
            read(&message, Some(&beijing))
        else {
            panic!("it is an end");
        };
        let time = Timestamp(1_621_583_514_867);
        assert_eq!(event.stamp, Some(Stamp { time, tie: 0, resolution: 0 }));
    }
}
