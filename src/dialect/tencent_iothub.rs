//! Tencent Cloud's IoT Hub and IoT Explorer: the states of devices, as rules and data synchronisation hand them on.

use super::members::{Member, members_if_any};
use super::plain::{How, Plain};
use super::scan::Paths;
use super::{Events, Malformed, Message, Reading, Reason, excerpt, local};
use crate::event::{Channel, ChannelEvent, Event, EventKind, Stamp};
use jiff::tz::TimeZone;

pub const TENCENT_IOTHUB: Plain = Plain {
    name: "tencent-iothub",
    title: "device states of Tencent's IoT Hub",
    authority: 2,
    filters: &[],
    message_life: None,
    is_usual: false,
    speaks_at: |_| false,
    is_line: Some(|line| {
        members_if_any(line, &KEYS)
            .is_some_and(|[kind, event, ..]| is_state(kind) && event.is_there())
    }),
    read: How::Alone(read),
};

/// Reads one message.
///
/// Shape: a JSON object with `MsgType` (`StatusChange`; all others are what devices sent), `Event` (`Online`,
/// `Offline`), `ProductId` and `DeviceName`. A device name is of one product only, so the client is
/// `ProductId/DeviceName`. No connection is named: one nameless channel a client. Of `Reason` a single value is
/// known, so none is taken for a goodbye.
/// Units: `Time` in whole seconds without a zone, which is taken for eight hours east unless one was named. `Seq`
/// grows, and tells which of two in one second came later.
/// Errors: `Malformed` for a state without a device or of another word.
/// Source: the vendor's document repository (2020), device states forwarded to CKafka; samples in
/// `tests/fixtures/dialects/tencent-iothub.jsonl`.
fn read<'a>(message: &Message<'a>, zone: Option<&TimeZone>) -> Reading<'a> {
    let Some([kind, event, product, device, time, number]) = members_if_any(message.payload, &KEYS)
    else {
        return Reading::NotMine;
    };
    if !is_state(kind) {
        let is_its = kind.text().is_some() && product.text().is_some() && device.text().is_some();
        return if is_its { Reading::Events(Events::default()) } else { Reading::NotMine };
    }
    let (Some(product), Some(device)) = (product.text(), device.text()) else {
        let detail = format!("no `ProductId` and `DeviceName` in `{}`", excerpt(message.payload));
        return Reading::Malformed(Malformed::new(Reason::ClientMissing, detail));
    };
    let kind = match &*event.text().unwrap_or_default() {
        "Online" => EventKind::Opened,
        "Offline" => EventKind::Closed,
        other => {
            let detail = format!("event `{}`", excerpt(other.as_bytes()));
            return Reading::Malformed(Malformed::new(Reason::UnknownEvent, detail));
        }
    };
    let stamp = stamp(time, number, zone);
    let event = ChannelEvent::new(format!("{product}/{device}"), Channel::Weak(None), kind, stamp);
    Reading::Events(Events::one(Event::Channel(event)))
}

const KEYS: Paths<'_, 6> =
    Paths::new(["MsgType", "Event", "ProductId", "DeviceName", "Time", "Seq"]);

fn is_state(kind: Member<'_>) -> bool {
    kind.text().as_deref() == Some("StatusChange")
}

fn stamp(time: Member<'_>, number: Member<'_>, zone: Option<&TimeZone>) -> Option<Stamp> {
    let time = local::read_seconds(&time.text()?)?;
    let time = local::in_zone(time, &zone.cloned().unwrap_or_else(local::beijing))?;
    let tie = number.number().and_then(|number| number.parse().ok()).unwrap_or_default();
    Some(Stamp { time, tie, resolution: 1_000 })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialect::plain;
    use crate::event::Timestamp;
    use serde_json::{Value, json};

    fn state(event: &str) -> Value {
        json!({"MsgType": "StatusChange", "Event": event, "ProductId": "P", "DeviceName": "d",
               "Time": "2020-06-08 20:03:47", "Seq": 7, "Payload": null})
    }

    fn told(body: &Value) -> String {
        plain::told(&TENCENT_IOTHUB, "", body.to_string())
    }

    #[test]
    fn a_device_is_one_of_a_product() {
        assert_eq!(told(&state("Online")), "+P/d");
        assert_eq!(told(&state("Offline")), "-P/d");
    }

    #[test]
    fn a_second_has_its_order_and_a_zone() {
        let body = state("Online");
        let stamp_of = |body: &Value, zone: Option<&TimeZone>| {
            let payload = body.to_string().into_bytes();
            let (topic, tag, qos, retain, received, tie) = ("", None, 0, false, Timestamp(7), 1);
            let payload = &payload;
            let message = Message { topic, payload, tag, qos, retain, received, tie };
            match read(&message, zone) {
                Reading::Events(Events { first: Some(Event::Channel(event)), .. }) => event.stamp,
                other => panic!("{other:?}"),
            }
        };
        let utc = Stamp { time: Timestamp(1_591_646_627_000), tie: 7, resolution: 1_000 };
        assert_eq!(stamp_of(&body, Some(&TimeZone::UTC)), Some(utc));
        let beijing = Stamp { time: Timestamp(utc.time.0 - 8 * 3_600_000), ..utc };
        assert_eq!(stamp_of(&body, None), Some(beijing));
        for time in [
            json!(null),
            json!(7),
            json!("2020-06-08"),
            json!("2020-06-08T20:03:47"),
            json!("2020-13-08 20:03:47"),
        ] {
            let mut body = body.clone();
            body["Time"] = time;
            assert_eq!(stamp_of(&body, None), None, "{body}");
        }
    }

    #[test]
    fn nothing_is_made_of_what_is_not_said() {
        let without = |key: &str| {
            let mut body = state("Online");
            body.as_object_mut().expect("an object").remove(key);
            body
        };
        for (body, expected) in [
            (without("ProductId"), "client-missing"),
            (without("DeviceName"), "client-missing"),
            (without("Event"), "unknown-event"),
            (state("online"), "unknown-event"),
            (without("MsgType"), "not mine"),
            (
                json!({"MsgType": "Publish", "ProductId": "P", "DeviceName": "d", "Payload": "aGk="}),
                "",
            ),
            (json!({"MsgType": "Publish"}), "not mine"),
            (json!([]), "not mine"),
        ] {
            assert_eq!(told(&body), expected, "{body}");
        }
    }
}
