//! Alibaba Cloud's IoT Platform, which is another product than the one that speaks as `lmq`: the status of
//! devices.

use super::members::{Member, members, members_if_any};
use super::plain::{How, Plain};
use super::scan::Paths;
use super::{Events, Malformed, Message, Reading, Reason, eventgrid, excerpt, local};
use crate::event::{Channel, ChannelEvent, Event, EventKind, Stamp};

pub const ALIBABA_IOT: Plain = Plain {
    name: "alibaba-iot",
    title: "device states of Alibaba's IoT Platform",
    authority: 2,
    filters: &["/as/mqtt/status/+/+", "/sys/+/+/device/status/notify"],
    message_life: None,
    is_usual: false,
    speaks_at: |topic| {
        let is_gateway = || topic.starts_with("/sys/") && topic.ends_with("/device/status/notify");
        topic.starts_with("/as/mqtt/status/") || is_gateway()
    },
    is_line: Some(is_line),
    read: How::Alone(|message, _| read(message)),
};

/// Reads one status.
///
/// Shape: a JSON object with `productKey`, `deviceName`, `status` (`online`, `offline`), `utcTime`, `time` and
/// `clientIp`. A device name is of one product only, so the client is `productKey/deviceName`. No connection
/// is named: one nameless channel a client. `lastTime` and `offlineReasonCode` are left alone.
/// Units: `utcTime` RFC 3339 with ms; without it `time`, which is always eight hours east. The vendor says
/// that order of arrival is not order of events.
/// Errors: `Malformed` for what is no such JSON, longer than 64 KiB, without a device or of another status.
/// Source: help.aliyun.com, data formats of device status changes (2026-08); samples in
/// `tests/fixtures/dialects/alibaba-iot-platform.jsonl`.
fn read<'a>(message: &Message<'a>) -> Reading<'a> {
    let [status, product, device, utc, local, address] = match members(message.payload, &KEYS) {
        Ok(members) => members,
        Err(malformed) => return Reading::Malformed(malformed),
    };
    let (Some(product), Some(device)) = (product.text(), device.text()) else {
        let detail = format!("no `productKey` and `deviceName` in `{}`", excerpt(message.payload));
        return Reading::Malformed(Malformed::new(Reason::ClientMissing, detail));
    };
    let kind = match &*status.text().unwrap_or_default() {
        "online" => EventKind::Opened,
        "offline" => EventKind::Closed,
        other => {
            let detail = format!("status `{}`", excerpt(other.as_bytes()));
            return Reading::Malformed(Malformed::new(Reason::UnknownEvent, detail));
        }
    };
    let client = format!("{product}/{device}");
    let mut event = ChannelEvent::new(client, Channel::Weak(None), kind, stamp(utc, local));
    event.address = address.text().unwrap_or_default();
    Reading::Events(Events::one(Event::Channel(event)))
}

const KEYS: Paths<'_, 6> =
    Paths::new(["status", "productKey", "deviceName", "utcTime", "time", "clientIp"]);

fn is_line(line: &[u8]) -> bool {
    members_if_any(line, &KEYS).is_some_and(|[status, product, device, ..]| {
        [status, product, device].into_iter().all(Member::is_there)
    })
}

fn stamp(utc: Member<'_>, local: Member<'_>) -> Option<Stamp> {
    if let Some(stamp) = utc.text().and_then(|text| eventgrid::stamp(&text)) {
        return Some(stamp);
    }
    let local = local::read(&local.text()?, '.')?;
    let time = local::in_zone(local, &local::beijing())?;
    Some(Stamp { time, tie: 0, resolution: 0 })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Timestamp;

    fn reads(payload: &str) -> Reading<'_> {
        let (topic, tag, qos, retain, received, tie) = ("", None, 0, false, Timestamp(7), 1);
        let payload = payload.as_bytes();
        read(&Message { topic, payload, tag, qos, retain, received, tie })
    }

    const STATUS: &str = r#"{"status":"online","productKey":"p","deviceName":"d","time":"2018-08-31 15:32:28.205","utcTime":"2018-08-31T07:32:28.205Z"}"#;

    #[test]
    fn without_utc_the_time_is_that_of_the_vendor() {
        for payload in [STATUS.to_owned(), STATUS.replace("utcTime", "other")] {
            let Reading::Events(Events { first: Some(Event::Channel(event)), .. }) =
                reads(&payload)
            else {
                panic!("{payload}");
            };
            let stamp = event.stamp.map(|stamp| stamp.time);
            assert_eq!((&*event.client, stamp), ("p/d", Some(Timestamp(1_535_700_748_205))));
        }
    }

    #[test]
    fn what_is_not_known_is_no_end() {
        for (payload, expected) in [
            (STATUS.replace("online", "unactive"), Reason::UnknownEvent),
            (STATUS.replace("deviceName", "other"), Reason::ClientMissing),
            ("[]".to_owned(), Reason::Unreadable),
        ] {
            let reading = reads(&payload);
            let Reading::Malformed(malformed) = reading else { panic!("{payload}: {reading:?}") };
            assert_eq!(malformed.reason, expected, "{payload}");
        }
    }
}
