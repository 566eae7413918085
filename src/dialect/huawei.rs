//! Huawei IoTDA: the status of devices, as it pushes it.

use super::plain::{How, Plain};
use super::{Events, Malformed, Message, PAYLOAD_MAX, Reading, Reason, eventgrid, excerpt};
use crate::event::{Channel, ChannelEvent, Event, EventKind};
use serde::Deserialize;
use std::borrow::Cow;

pub const HUAWEI: Plain = Plain {
    name: "huawei",
    title: "device states of Huawei IoTDA",
    authority: 2,
    filters: &[],
    message_life: None,
    is_usual: false,
    speaks_at: |_| false,
    is_line: Some(|line| parse(line).is_some_and(|push| push.is_one())),
    read: How::Alone(|message, _| read(message)),
};

/// Reads one push.
///
/// Shape: a JSON object with `resource` `device.status`, the device in `notify_data.header.device_id`, and `status`
/// (`ONLINE`, `OFFLINE`) in `notify_data.body`; the printed example of the vendor has `body` beside
/// `notify_data`. No connection is named: one nameless channel a client. The client is the device: its MQTT
/// client id has more behind it, `_0_0_` and the hour.
/// Units: `status_update_time` RFC 3339 with ms. Order of arrival means nothing.
/// Errors: `Malformed` for what is no such JSON, longer than 64 KiB, without a device or of another status.
/// Source: support.huaweicloud.com `iot_06_v5_01201` (2026-08); samples in
/// `tests/fixtures/dialects/huawei-iotda.jsonl`.
fn read<'a>(message: &Message<'a>) -> Reading<'a> {
    if message.payload.len() > PAYLOAD_MAX {
        return Reading::Malformed(Malformed::too_long(message.payload));
    }
    let Some(push) = parse(message.payload) else {
        let detail = format!("no JSON object: `{}`", excerpt(message.payload));
        return Reading::Malformed(Malformed::new(Reason::Unreadable, detail));
    };
    if !push.is_one() {
        return Reading::NotMine;
    }
    let Push { notify_data, body, .. } = push;
    let Data { header, body: inner } = notify_data.unwrap_or_default();
    let device = header.and_then(|header| header.device_id);
    let Some(device) = device.filter(|device| !device.is_empty()) else {
        let detail = format!("no `device_id` in `{}`", excerpt(message.payload));
        return Reading::Malformed(Malformed::new(Reason::ClientMissing, detail));
    };
    let body = inner.or(body).unwrap_or_default();
    let kind = match body.status.as_deref().unwrap_or_default() {
        "ONLINE" => EventKind::Opened,
        "OFFLINE" => EventKind::Closed,
        other => {
            let detail = format!("status `{}`", excerpt(other.as_bytes()));
            return Reading::Malformed(Malformed::new(Reason::UnknownEvent, detail));
        }
    };
    let stamp = body.status_update_time.as_deref().and_then(eventgrid::stamp);
    let event = ChannelEvent::new(device, Channel::Weak(None), kind, stamp);
    Reading::Events(Events::one(Event::Channel(event)))
}

#[derive(Deserialize)]
struct Push<'a> {
    #[serde(borrow)]
    resource: Option<Cow<'a, str>>,
    #[serde(borrow)]
    notify_data: Option<Data<'a>>,
    #[serde(borrow)]
    body: Option<Body<'a>>,
}

impl Push<'_> {
    fn is_one(&self) -> bool {
        self.resource.as_deref() == Some("device.status")
    }
}

#[derive(Default, Deserialize)]
struct Data<'a> {
    #[serde(borrow)]
    header: Option<Header<'a>>,
    #[serde(borrow)]
    body: Option<Body<'a>>,
}

#[derive(Deserialize)]
struct Header<'a> {
    #[serde(borrow)]
    device_id: Option<Cow<'a, str>>,
}

#[derive(Default, Deserialize)]
struct Body<'a> {
    #[serde(borrow)]
    status: Option<Cow<'a, str>>,
    #[serde(borrow)]
    status_update_time: Option<Cow<'a, str>>,
}

fn parse(payload: &[u8]) -> Option<Push<'_>> {
    let payload = Some(payload).filter(|payload| payload.len() <= PAYLOAD_MAX)?;
    serde_json::from_str(str::from_utf8(payload).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Timestamp;

    #[test]
    fn what_is_not_known_is_no_end() {
        let push = r#"{"resource":"device.status","notify_data":{"header":{"device_id":"d"},"body":{"status":"ABNORMAL"}}}"#;
        for (payload, expected) in [
            (push.to_owned(), Some(Reason::UnknownEvent)),
            (push.replace("device_id", "node_id"), Some(Reason::ClientMissing)),
            (push.replace("device.status", "device.property"), None),
            ("[]".to_owned(), Some(Reason::Unreadable)),
        ] {
            let (topic, tag, qos, retain, received, tie) = ("", None, 0, false, Timestamp(7), 1);
            let message =
                Message { topic, payload: payload.as_bytes(), tag, qos, retain, received, tie };
            let found = match read(&message) {
                Reading::Malformed(malformed) => Some(malformed.reason),
                Reading::NotMine => None,
                Reading::Events(events) => panic!("{payload}: {events:?}"),
            };
            assert_eq!(found, expected, "{payload}");
        }
    }
}
