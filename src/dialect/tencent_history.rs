//! TDMQ for MQTT of Tencent Cloud: the history of clients, as saved answers of the cloud's API tell it.

use super::members::{Member, list_of, members_of};
use super::scan::Paths;
use super::tencent::{is_take_over, kind_of_event};
use super::{Events, Malformed, Message, Reading, Reason, Remark, excerpt};
use crate::event::{Channel, ChannelEvent, Event, EventKind, Stamp};
use memchr::memmem::find;
use std::borrow::Cow;

/// Tells whether a line is an answer that has events, or one of its events.
pub(super) fn is_line(line: &[u8]) -> bool {
    let Some(found) = parts(line) else { return false };
    match found {
        Parts::Answer(list) => list_of(list, &ITEM).is_some_and(|items| {
            // An answer without events may be anybody's.
            items.first().is_some_and(is_item)
        }),
        Parts::Item(item) => is_item(&item),
    }
}

/// Reads a line, `None` if it is neither.
///
/// Shape: what `DescribeClientEvents` answers: `Response` with a list `Events` (the API), or `Events` alone
/// (`tccli`); or one of them. Each has `ClientId`, `Event` (`client.connected`, `client.disconnected`; all
/// others are not about connections), `Timestamp`, and in `Info` a list of `Key` and `Value`, both text: what
/// the same event has as members over MQTT. An answer is as long as its client's history, longer than a message
/// may be.
/// Units: `Timestamp` in ms (broker's clock).
/// Errors: `Malformed` for an event without a client; nothing of its line is taken in then.
/// Source: cloud.tencent.com document 1778/139235 (2026-10); samples in
/// `tests/fixtures/dialects/tencent-tdmq-history.jsonl`.
pub(super) fn read<'a>(message: &Message<'a>) -> Option<Reading<'a>> {
    let items = match parts(message.payload)? {
        Parts::Answer(list) => list_of(list, &ITEM)?,
        Parts::Item(item) => Vec::from([item]),
    };
    let mut events = Events::default();
    for item in &items {
        let [client, event, time, info] = *item;
        let Some(kind) = kind_of_event(&event.text().unwrap_or_default()) else { continue };
        let Some(client) = client.text() else {
            let detail = format!("no `ClientId` in `{}`", excerpt(message.payload));
            return Some(Reading::Malformed(Malformed::new(Reason::ClientMissing, detail)));
        };
        let told = info.json().and_then(|list| list_of(list, &INFO)).unwrap_or_default();
        if kind == EventKind::Closed && is_take_over(&value(&told, "reason")) {
            events.remark = Some(Remark::TakeOver);
            continue;
        }
        let stamp = time.time().map(|stamp| Stamp { tie: message.tie, ..stamp });
        let address = value(&told, "peername");
        let event = ChannelEvent::new(client, Channel::Weak(None), kind, stamp);
        events.push(Event::Channel(ChannelEvent { address, ..event }));
    }
    Some(Reading::Events(events))
}

type Item<'a> = [Member<'a>; 4];

const ITEM: Paths<'_, 4> = Paths::new(["ClientId", "Event", "Timestamp", "Info"]);
const INFO: Paths<'_, 2> = Paths::new(["Key", "Value"]);
const LINE: Paths<'_, 6> =
    Paths::new(["ClientId", "Event", "Timestamp", "Info", "Events", "Response/Events"]);

/// What a line holds.
enum Parts<'a> {
    /// The list of an answer, as JSON.
    Answer(&'a str),
    Item(Item<'a>),
}

fn parts(line: &[u8]) -> Option<Parts<'_>> {
    // Most lines of others end here.
    find(line, b"\"Event")?;
    let members = members_of(str::from_utf8(line).ok()?, &LINE)?;
    let [client, event, time, info, events, of_response] = members;
    let list = of_response.nested().or(events.nested()).filter(|list| list.starts_with('['));
    if let Some(list) = list {
        return Some(Parts::Answer(list));
    }
    let is_item = event.text().is_some() && info.nested().is_some();
    is_item.then_some(Parts::Item([client, event, time, info]))
}

fn is_item(item: &Item<'_>) -> bool {
    let [client, event, time, _] = item;
    let event = event.text().unwrap_or_default();
    let is_its = event.starts_with("client.") || event.starts_with("session.");
    is_its && client.is_there() && time.is_there()
}

fn value<'a>(info: &[[Member<'a>; 2]], name: &str) -> Cow<'a, str> {
    let named = info.iter().find(|[key, _]| key.text().as_deref() == Some(name));
    named.and_then(|[_, value]| value.text()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use crate::dialect::plain;
    use crate::dialect::tencent::TENCENT_TDMQ;
    use serde_json::{Value, json};

    fn event(client: &str, event: &str, ms: i64, info: &Value) -> Value {
        json!({"ClientId": client, "Event": event, "Timestamp": ms, "Info": info})
    }

    fn told(line: &Value) -> String {
        plain::told(&TENCENT_TDMQ, "", line.to_string())
    }

    fn is_claimed(line: &Value) -> bool {
        (TENCENT_TDMQ.is_line.expect("it has lines"))(line.to_string().as_bytes())
    }

    #[test]
    fn an_answer_is_known_however_it_was_saved() {
        let events = json!([
            event("a", "client.connected", 1, &json!([{"Key": "keepalive", "Value": "60"}])),
            event("a", "client.subscribed", 2, &json!([{"Key": "topic", "Value": "home/#"}])),
            event("a", "client.disconnected", 3, &json!([{"Key": "reason", "Value": "kicked"}])),
            event("b", "client.connected", 4, &Value::Null),
        ]);
        for answer in [
            json!({"Error": null, "RequestId": null, "Response": {"Events": events}}),
            json!({"Response": {"Events": events, "RequestId": "1"}}),
            json!({"Events": events, "RequestId": "1"}),
        ] {
            assert!(is_claimed(&answer), "{answer}");
            assert_eq!(told(&answer), "+a -a +b", "{answer}");
        }
        let one = event("a", "client.disconnected", 3, &json!([]));
        assert!(is_claimed(&one));
        assert_eq!(told(&one), "-a");
        let none = json!({"Response": {"Events": [], "RequestId": "1"}});
        assert!(!is_claimed(&none), "it may be anybody's");
        assert_eq!(told(&none), "");
    }

    #[test]
    fn a_take_over_ends_nobody_and_a_history_may_be_long() {
        let taken = json!([{"Key": "reason", "Value": "takenover"}]);
        let over = json!({"Events": [
            event("a", "client.connected", 1, &json!([])),
            event("a", "client.disconnected", 2, &taken),
        ]});
        assert_eq!(told(&over), "+a TakeOver");
        let lives = (0..2_000).map(|ms| event("a", "client.connected", ms, &json!([])));
        let long = json!({"Events": lives.collect::<Vec<_>>()});
        assert!(long.to_string().len() > crate::dialect::PAYLOAD_MAX);
        assert_eq!(told(&long).split(' ').count(), 2_000);
    }

    #[test]
    fn nothing_is_made_of_what_is_not_said() {
        let nobody = json!([{"Event": "client.connected", "Timestamp": 1, "Info": []}]);
        for (line, expected) in [
            (json!({"Events": nobody}), "client-missing"),
            (json!({"Events": 7}), "not mine"),
            (json!({"Events": [7]}), "not mine"),
            (json!({"Event": "client.connected"}), "not mine"),
            (json!({"Response": {"Error": {"Code": "AuthFailure"}}}), "not mine"),
        ] {
            assert_eq!(told(&line), expected, "{line}");
            assert!(!is_claimed(&line), "{line}");
        }
    }
}
