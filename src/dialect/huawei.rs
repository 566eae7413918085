//! Huawei IoTDA: the status of devices, as it pushes it.

use super::members::{Member, members, members_if_any};
use super::plain::{How, Plain};
use super::scan::Paths;
use super::{Events, Malformed, Message, Reading, Reason, eventgrid, excerpt};
use crate::event::{Channel, ChannelEvent, Event, EventKind};

pub const HUAWEI: Plain = Plain {
    name: "huawei",
    title: "device states of Huawei IoTDA",
    authority: 2,
    filters: &[],
    message_life: None,
    is_usual: false,
    speaks_at: |_| false,
    is_line: Some(|line| {
        members_if_any(line, &KEYS).is_some_and(|[resource, ..]| is_own(resource))
    }),
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
    let [resource, device, body, status, updated, outer_status, outer_updated] =
        match members(message.payload, &KEYS) {
            Ok(members) => members,
            Err(malformed) => return Reading::Malformed(malformed),
        };
    if !is_own(resource) {
        return Reading::NotMine;
    }
    let Some(device) = device.text() else {
        let detail = format!("no `device_id` in `{}`", excerpt(message.payload));
        return Reading::Malformed(Malformed::new(Reason::ClientMissing, detail));
    };
    let (status, updated) =
        if body.is_there() { (status, updated) } else { (outer_status, outer_updated) };
    let kind = match &*status.text().unwrap_or_default() {
        "ONLINE" => EventKind::Opened,
        "OFFLINE" => EventKind::Closed,
        other => {
            let detail = format!("status `{}`", excerpt(other.as_bytes()));
            return Reading::Malformed(Malformed::new(Reason::UnknownEvent, detail));
        }
    };
    let stamp = updated.text().and_then(|time| eventgrid::stamp(&time));
    let event = ChannelEvent::new(device, Channel::Weak(None), kind, stamp);
    Reading::Events(Events::one(Event::Channel(event)))
}

const KEYS: Paths<'_, 7> = Paths::new([
    "resource",
    "notify_data/header/device_id",
    "notify_data/body",
    "notify_data/body/status",
    "notify_data/body/status_update_time",
    "body/status",
    "body/status_update_time",
]);

fn is_own(resource: Member<'_>) -> bool {
    resource.text().as_deref() == Some("device.status")
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
