//! Azure IoT Hub: which devices are connected, from Event Grid or by message routing.

use super::eventgrid::{self, GridEvent};
use super::plain::{How, Plain};
use super::{Events, Malformed, Message, PAYLOAD_MAX, Reading, Reason, excerpt};
use crate::event::{Channel, ChannelEvent, Event, EventKind, Stamp};
use serde::Deserialize;
use std::borrow::Cow;

pub const AZURE_IOTHUB: Plain = Plain {
    name: "azure-iothub",
    title: "connection states of Azure IoT Hub",
    authority: 2,
    filters: &[],
    message_life: None,
    is_usual: false,
    speaks_at: |_| false,
    is_line: Some(is_line),
    read: How::Alone(|message, _| read(message)),
};

/// Reads one message.
///
/// Shape: events of Event Grid, alone or in a list, of the types `Microsoft.Devices.DeviceConnected` and
/// `…DeviceDisconnected`; or a routed message with its `application` properties beside the body in `payload`.
/// A module is `device/module`, as its MQTT client id is. No connection is named: one nameless channel a
/// client, and the hub's own numbering (64 hex digits) tells which state is the newest.
/// Units: RFC 3339 with seven digits; the hub's clock. Order of arrival means nothing.
/// Errors: `Malformed` for what is no such JSON, longer than 64 KiB, without a device or without a number.
/// Source: `MicrosoftDocs/azure-docs` `iot-hub-event-grid.md`, `iot-hub-how-to-order-connection-state-events.md`,
/// `iot-hub-non-telemetry-event-schema.md` (2026-08); samples in
/// `tests/fixtures/dialects/azure-iothub-*.jsonl`.
fn read<'a>(message: &Message<'a>) -> Reading<'a> {
    match routed(message.payload) {
        Some(routed) => match routed.event() {
            Ok(event) => Reading::Events(Events::one(event)),
            Err(malformed) => Reading::Malformed(malformed),
        },
        None => eventgrid::read(message.payload, |kind| kind_of(kind).is_some(), of_grid),
    }
}

fn is_line(line: &[u8]) -> bool {
    let is_grid =
        || eventgrid::parse(line)?.iter().find(|event| kind_of(event.kind()).is_some()).map(|_| ());
    routed(line).is_some() || is_grid().is_some()
}

/// What a state says, whichever way it came.
struct State<'a> {
    device: &'a str,
    module: &'a str,
    kind: EventKind,
    stamp: Option<Stamp>,
    sequence: &'a str,
}

impl State<'_> {
    fn event<'a>(&self) -> Result<Event<'a>, Malformed<'a>> {
        if self.device.is_empty() {
            return Err(Malformed::new(Reason::ClientMissing, "no `deviceId`"));
        }
        let Some(sequence) = number(self.sequence) else {
            let sequence = excerpt(self.sequence.as_bytes());
            let detail = format!("`sequenceNumber` is not 64 hex digits: `{sequence}`");
            return Err(Malformed::new(Reason::Unreadable, detail));
        };
        let client = match self.module {
            "" => self.device.to_owned(),
            module => format!("{}/{module}", self.device),
        };
        let mut event = ChannelEvent::new(client, Channel::Weak(None), self.kind, self.stamp);
        event.sequence = Cow::Owned(sequence);
        Ok(Event::Channel(event))
    }
}

fn of_grid<'a>(event: &GridEvent<'a>) -> Result<Events<'a>, Malformed<'a>> {
    let json = event.data.map_or("null", |data| data.get());
    let data: Data<'_> = serde_json::from_str(json).map_err(|_| {
        let detail = format!("no state of a device: `{}`", excerpt(json.as_bytes()));
        Malformed::new(Reason::Unreadable, detail)
    })?;
    let state = State {
        device: data.device_id.as_deref().unwrap_or_default(),
        module: data.module_id.as_deref().unwrap_or_default(),
        kind: kind_of(event.kind()).unwrap_or(EventKind::Seen),
        stamp: event.stamp(),
        sequence: data
            .device_connection_state_event_info
            .as_ref()
            .map_or("", |info| &info.sequence_number),
    };
    state.event().map(Events::one)
}

fn kind_of(word: &str) -> Option<EventKind> {
    match word {
        "Microsoft.Devices.DeviceConnected" => Some(EventKind::Opened),
        "Microsoft.Devices.DeviceDisconnected" => Some(EventKind::Closed),
        _ => None,
    }
}

/// Returns a routed message, `None` if it is none.
fn routed(payload: &[u8]) -> Option<Routed<'_>> {
    let payload = Some(payload).filter(|payload| payload.len() <= PAYLOAD_MAX)?;
    let routed: Routed<'_> = serde_json::from_str(str::from_utf8(payload).ok()?).ok()?;
    (routed.application.schema.as_deref() == Some(SCHEMA)).then_some(routed)
}

impl Routed<'_> {
    fn event<'a>(&self) -> Result<Event<'a>, Malformed<'a>> {
        let Properties { device_id, module_id, op_type, operation_timestamp, .. } =
            &self.application;
        let kind = match op_type.as_deref().unwrap_or_default() {
            "deviceConnected" => EventKind::Opened,
            "deviceDisconnected" => EventKind::Closed,
            other => {
                let detail = format!("`opType` is `{}`", excerpt(other.as_bytes()));
                return Err(Malformed::new(Reason::UnknownEvent, detail));
            }
        };
        let state = State {
            device: device_id.as_deref().unwrap_or_default(),
            module: module_id.as_deref().unwrap_or_default(),
            kind,
            stamp: operation_timestamp.as_deref().and_then(eventgrid::stamp),
            sequence: &self.payload.sequence_number,
        };
        state.event()
    }
}

/// Returns the number as bytes in order.
fn number(hex: &str) -> Option<Vec<u8>> {
    if hex.len() != SEQUENCE_DIGITS {
        return None;
    }
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let byte = |pair: &[u8]| match *pair {
        [high, low] => Some(digit(high)? << 4 | digit(low)?),
        _ => None,
    };
    hex.as_bytes().chunks(2).map(byte).collect()
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Data<'a> {
    #[serde(borrow)]
    device_id: Option<Cow<'a, str>>,
    #[serde(borrow)]
    module_id: Option<Cow<'a, str>>,
    #[serde(borrow)]
    device_connection_state_event_info: Option<Numbered<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Numbered<'a> {
    #[serde(borrow)]
    sequence_number: Cow<'a, str>,
}

#[derive(Deserialize)]
struct Routed<'a> {
    #[serde(borrow)]
    application: Properties<'a>,
    #[serde(borrow)]
    payload: Numbered<'a>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Properties<'a> {
    #[serde(borrow, rename = "iothub-message-schema")]
    schema: Option<Cow<'a, str>>,
    #[serde(borrow)]
    device_id: Option<Cow<'a, str>>,
    #[serde(borrow)]
    module_id: Option<Cow<'a, str>>,
    #[serde(borrow)]
    op_type: Option<Cow<'a, str>>,
    #[serde(borrow)]
    operation_timestamp: Option<Cow<'a, str>>,
}

const SCHEMA: &str = "deviceConnectionStateNotification";
const SEQUENCE_DIGITS: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Timestamp;

    fn reads(payload: &str) -> Reading<'_> {
        let (topic, tag, qos, retain, received, tie) = ("", None, 0, false, Timestamp(7), 1);
        let payload = payload.as_bytes();
        read(&Message { topic, payload, tag, qos, retain, received, tie })
    }

    fn event(module: &str, sequence: &str) -> String {
        format!(
            r#"{{"eventType":"Microsoft.Devices.DeviceConnected","eventTime":"2018-06-02T19:17:44.4383997Z",
            "data":{{"deviceId":"d","moduleId":"{module}",
            "deviceConnectionStateEventInfo":{{"sequenceNumber":"{sequence}"}}}}}}"#
        )
    }

    #[test]
    fn numbers_are_ordered_as_numbers_and_a_module_is_a_client_of_its_own() {
        let digits = |last: &str| format!("{last:0>64}");
        assert!(number(&digits("1aF")) < number(&digits("200")));
        assert_eq!(number(&digits("1aF")), number(&digits("1Af")));
        assert_eq!(number("1"), None);
        assert_eq!(number(&digits("g")), None);
        for (module, client) in [("", "d"), ("m", "d/m")] {
            let payload = event(module, &digits("1"));
            let Reading::Events(Events { first: Some(Event::Channel(event)), .. }) =
                reads(&payload)
            else {
                panic!("{payload}");
            };
            assert_eq!((&*event.client, event.sequence.len()), (client, 32));
        }
    }

    #[test]
    fn what_does_not_say_who_or_when_is_set_aside() {
        let whole = event("", &"0".repeat(64));
        for (payload, expected) in [
            (whole.replace(r#""d""#, r#""""#), Reason::ClientMissing),
            (event("", "7"), Reason::Unreadable),
            ("no JSON".to_owned(), Reason::Unreadable),
            (format!("[{whole},{whole},{whole}]"), Reason::Unreadable),
        ] {
            let reading = reads(&payload);
            let Reading::Malformed(malformed) = reading else { panic!("{payload}: {reading:?}") };
            assert_eq!(malformed.reason, expected, "{payload}");
        }
        assert_eq!(reads(&whole.replace("DeviceConnected", "DeviceCreated")), Reading::NotMine);
    }
}
