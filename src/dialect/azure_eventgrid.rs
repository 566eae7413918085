//! Azure Event Grid as an MQTT broker: the sessions of its clients.

use super::eventgrid::{self, GridEvent};
use super::plain::{How, Plain};
use super::{Events, Malformed, Reason};
use crate::event::{Channel, ChannelEvent, Event, EventKind};
use std::borrow::Cow;

pub const AZURE_EVENTGRID: Plain = Plain {
    name: "azure-eventgrid",
    title: "client sessions of Azure Event Grid",
    authority: 1,
    filters: &[],
    message_life: None,
    is_usual: false,
    speaks_at: |_| false,
    is_line: Some(|line| {
        eventgrid::parse(line)
            .is_some_and(|events| events.iter().any(|event| is_mine(event.kind())))
    }),
    read: How::Alone(|message, _| eventgrid::read(message.payload, is_mine, one)),
};

fn is_mine(kind: &str) -> bool {
    matches!(kind, CONNECTED | DISCONNECTED)
}

/// Reads one event.
///
/// Shape: `Microsoft.EventGrid.MQTTClientSessionConnected` and `…Disconnected`, as `CloudEvents` or in the older
/// form, alone or in a list. `clientSessionName` is the client id. `sequenceNumber`, as a number or as text, is
/// the same for both events of a connection and grows with each: a strong channel, and the order of them.
/// Units: RFC 3339 with seven digits. Order of arrival means nothing.
/// Errors: `Malformed` for what is no such JSON, longer than 64 KiB, without a session name or a number.
/// Source: `MicrosoftDocs/azure-docs` `mqtt-client-life-cycle-events.md` (2026-08); samples in
/// `tests/fixtures/dialects/azure-eventgrid-mqtt.jsonl`.
fn one<'a>(event: &GridEvent<'a>) -> Result<Events<'a>, Malformed<'a>> {
    let [_, _, _, client, number, reason] = event.data;
    let Some(client) = client.text() else {
        return Err(Malformed::new(Reason::ClientMissing, "no `clientSessionName`"));
    };
    // The manual's table calls it text, its examples have a number.
    let digits = number.text().or(number.number().map(Cow::Borrowed));
    let Some(number) = digits.and_then(|digits| digits.parse::<u64>().ok()) else {
        return Err(Malformed::new(Reason::Unreadable, "no `sequenceNumber`"));
    };
    let stamp = event.stamp();
    let told = |kind| {
        let channel = Channel::Strong(Cow::Owned(number.to_string()));
        let mut told = ChannelEvent::new(client.clone(), channel, kind, stamp);
        told.sequence = Cow::Owned(number.to_be_bytes().to_vec());
        Event::Channel(told)
    };
    let is_goodbye = reason.text().as_deref() == Some("ClientInitiatedDisconnect");
    Ok(if event.kind() == CONNECTED {
        Events::one(told(EventKind::Opened))
    } else if is_goodbye {
        Events::two(told(EventKind::Farewell), told(EventKind::Closed))
    } else {
        // A take-over too: the number says whose end it is.
        Events::one(told(EventKind::Closed))
    })
}

const CONNECTED: &str = "Microsoft.EventGrid.MQTTClientSessionConnected";
const DISCONNECTED: &str = "Microsoft.EventGrid.MQTTClientSessionDisconnected";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialect::Reading;

    fn reads(payload: &str) -> Reading<'_> {
        eventgrid::read(payload.as_bytes(), is_mine, one)
    }

    fn event(number: &str, name: &str) -> String {
        format!(
            r#"{{"type":"{CONNECTED}","time":"2023-07-29T01:23:49.6454046Z","data":{{"clientSessionName":"{name}","sequenceNumber":{number}}}}}"#
        )
    }

    #[test]
    fn the_number_of_a_connection_may_be_text() {
        for payload in [event("12", "a"), event(r#""12""#, "a"), format!("[{}]", event("12", "a"))]
        {
            let Reading::Events(Events { first: Some(Event::Channel(event)), .. }) =
                reads(&payload)
            else {
                panic!("{payload}");
            };
            assert_eq!(event.channel, Channel::Strong(Cow::Borrowed("12")), "{payload}");
            assert_eq!(&*event.sequence, [0, 0, 0, 0, 0, 0, 0, 12], "{payload}");
        }
    }

    #[test]
    fn what_does_not_name_its_connection_is_set_aside() {
        for (payload, expected) in [
            (event("12", ""), Reason::ClientMissing),
            (event("null", "a"), Reason::Unreadable),
            (event("-1", "a"), Reason::Unreadable),
            (event(r#""x""#, "a"), Reason::Unreadable),
            ("[".to_owned(), Reason::Unreadable),
        ] {
            let reading = reads(&payload);
            let Reading::Malformed(malformed) = reading else { panic!("{payload}: {reading:?}") };
            assert_eq!(malformed.reason, expected, "{payload}");
        }
        let other = event("1", "a").replace("SessionConnected", "CreatedOrUpdated");
        assert_eq!(reads(&other), Reading::NotMine);
    }
}
