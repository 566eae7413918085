//! Azure IoT Hub: which devices are connected, from Event Grid or by message routing.

use super::eventgrid::{self, GridEvent};
use super::members::{Member, members_if_any};
use super::plain::{How, Plain};
use super::scan::Paths;
use super::{Events, Malformed, Message, Reading, Reason, excerpt};
use crate::event::{Channel, ChannelEvent, Event, EventKind, Stamp};
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
        Some(Ok(event)) => Reading::Events(Events::one(event)),
        Some(Err(malformed)) => Reading::Malformed(malformed),
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
    device: Member<'a>,
    module: Member<'a>,
    kind: EventKind,
    stamp: Option<Stamp>,
    sequence: Member<'a>,
}

impl<'a> State<'a> {
    fn event(self) -> Result<Event<'a>, Malformed<'a>> {
        let Some(device) = self.device.text() else {
            return Err(Malformed::new(Reason::ClientMissing, "no `deviceId`"));
        };
        let Some(module) = self.module.text_if_any() else {
            return Err(Malformed::new(Reason::Unreadable, "`moduleId` is no text"));
        };
        let sequence = self.sequence.text().unwrap_or_default();
        let Some(sequence) = number(&sequence) else {
            let sequence = excerpt(sequence.as_bytes());
            let detail = format!("`sequenceNumber` is not 64 hex digits: `{sequence}`");
            return Err(Malformed::new(Reason::Unreadable, detail));
        };
        let client = match &*module {
            "" => device,
            module => Cow::Owned(format!("{device}/{module}")),
        };
        let mut event = ChannelEvent::new(client, Channel::Weak(None), self.kind, self.stamp);
        event.sequence = Cow::Owned(sequence);
        Ok(Event::Channel(event))
    }
}

fn of_grid<'a>(event: &GridEvent<'a>) -> Result<Events<'a>, Malformed<'a>> {
    let kind = kind_of(event.kind()).unwrap_or(EventKind::Seen);
    let [device, module, sequence, ..] = event.data;
    let state = State { device, module, kind, stamp: event.stamp(), sequence };
    state.event().map(Events::one)
}

fn kind_of(word: &str) -> Option<EventKind> {
    match word {
        "Microsoft.Devices.DeviceConnected" => Some(EventKind::Opened),
        "Microsoft.Devices.DeviceDisconnected" => Some(EventKind::Closed),
        _ => None,
    }
}

/// Reads a message that was routed: its properties, and its body. `None` if it is none.
fn routed(payload: &[u8]) -> Option<Result<Event<'_>, Malformed<'_>>> {
    let [schema, device, module, operation, time, sequence] = members_if_any(payload, &ROUTED)?;
    if schema.text().as_deref() != Some("deviceConnectionStateNotification") {
        return None;
    }
    let kind = match &*operation.text().unwrap_or_default() {
        "deviceConnected" => EventKind::Opened,
        "deviceDisconnected" => EventKind::Closed,
        other => {
            let detail = format!("`opType` is `{}`", excerpt(other.as_bytes()));
            return Some(Err(Malformed::new(Reason::UnknownEvent, detail)));
        }
    };
    let stamp = time.text().and_then(|time| eventgrid::stamp(&time));
    Some(State { device, module, kind, stamp, sequence }.event())
}

const ROUTED: Paths<'_, 6> = Paths::new([
    "application/iothub-message-schema",
    "application/deviceId",
    "application/moduleId",
    "application/opType",
    "application/operationTimestamp",
    "payload/sequenceNumber",
]);

/// Returns the number as bytes in order.
fn number(hex: &str) -> Option<Vec<u8>> {
    let (pairs, []) = hex.as_bytes().as_chunks::<2>() else { return None };
    let mut bytes = [0; SEQUENCE_BYTES];
    if pairs.len() != bytes.len() {
        return None;
    }
    for (byte, [high, low]) in bytes.iter_mut().zip(pairs) {
        let digit = |digit: u8| u8::try_from(char::from(digit).to_digit(16)?).ok();
        *byte = digit(*high)? << 4 | digit(*low)?;
    }
    Some(bytes.to_vec())
}

/// 64 hex digits.
const SEQUENCE_BYTES: usize = 32;

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
            (format!("[{whole},{whole},{{}}x]"), Reason::Unreadable),
            (
                event("", &"0".repeat(64)).replace(r#""moduleId":"""#, r#""moduleId":7"#),
                Reason::Unreadable,
            ),
        ] {
            let reading = reads(&payload);
            let Reading::Malformed(malformed) = reading else { panic!("{payload}: {reading:?}") };
            assert_eq!(malformed.reason, expected, "{payload}");
        }
        assert_eq!(reads(&whole.replace("DeviceConnected", "DeviceCreated")), Reading::NotMine);
        let all = format!("[{whole},{whole},{whole},{whole}]");
        let Reading::Events(events) = reads(&all) else { panic!("{all}") };
        assert_eq!(events.iter().count(), 4);
    }
}
