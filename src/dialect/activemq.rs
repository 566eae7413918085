//! ActiveMQ Classic: its advisories about connections.

use super::connections::{Connections, Owner};
use super::members::{Member, members, members_if_any};
use super::plain::{How, Memory, Plain, nameless};
use super::scan::Paths;
use super::starts::Starts;
use super::{Events, Malformed, Message, Reading, Reason, Remark, excerpt};
use crate::event::{Channel, ChannelEvent, Event, EventKind};
use std::borrow::Cow;

pub const ACTIVEMQ: Plain = Plain {
    name: "activemq",
    title: "advisories of ActiveMQ Classic",
    authority: 1,
    filters: &[],
    message_life: None,
    is_usual: false,
    speaks_at: is_place,
    is_line: Some(|line| {
        members_if_any(line, &KEYS).is_some_and(|[destination, headers, ..]| {
            headers.nested().is_some() && destination.text().is_some_and(|at| is_place(&at))
        })
    }),
    read: How::Together(|| Box::new(ActiveMq::default())),
};

/// Tells whether it is where the broker speaks, as STOMP or JMS spells it, or by its name alone.
fn is_place(destination: &str) -> bool {
    let prefix = ["/topic/", "topic://"].iter().find(|prefix| destination.starts_with(**prefix));
    destination.get(prefix.map_or(0, |prefix| prefix.len())..) == Some(TOPIC)
}

const TOPIC: &str = "ActiveMQ.Advisory.Connection";

/// The reader of one broker.
#[derive(Debug, Default)]
struct ActiveMq {
    connections: Connections,
    starts: Starts,
}

impl Memory for ActiveMq {
    /// Reads one advisory.
    ///
    /// Shape: a JSON object with `destination`, `headers` and `body` of a frame of STOMP, the body in it as JSON
    /// text: `ConnectionInfo` with `connectionId` and `clientId`, or `RemoveInfo` with the same name as
    /// `objectId`, and no client: whose it is, its begin told. The name holds the start of the broker and is a
    /// strong channel. Header `originBrokerURL` tells whether the client speaks MQTT; another `originBrokerId`
    /// of the same broker, that it started again.
    /// Units: none; the arrival is the stamp.
    /// Errors: `Malformed` for what is no such JSON, and for a begin without a client or a connection.
    /// Source: `ActiveMQ` 5.18.3, run; the recording `tests/fixtures/captures/activemq-5.18.3.events.jsonl`.
    fn read<'a>(&mut self, message: &Message<'a>) -> Reading<'a> {
        let [destination, headers, body, url, name, start, inner @ ..] =
            match members(message.payload, &KEYS) {
                Ok(members) => members,
                Err(malformed) if is_place(message.topic) => return Reading::Malformed(malformed),
                Err(_) => return Reading::NotMine,
            };
        let is_there = is_place(&destination.text().unwrap_or(Cow::Borrowed(message.topic)));
        if !is_there || headers.nested().is_none() {
            return Reading::NotMine;
        }
        let has_started = match (name.text(), start.text()) {
            (Some(name), Some(start)) => self.starts.hear(&name, &start),
            _ => false,
        };
        let is_mqtt = url.text().is_some_and(|url| url.starts_with("mqtt"));
        let reading = if body.nested().is_some() {
            self.advisory(inner, is_mqtt, message)
        } else {
            let body = body.text().unwrap_or_default();
            match members(body.as_bytes(), &BODY) {
                Ok(inner) => self.advisory(inner, is_mqtt, message).into_owned(),
                Err(malformed) => Reading::Malformed(malformed),
            }
        };
        if has_started { started(reading, message) } else { reading }
    }

    /// A connection's name never comes back: whose it was stays true.
    fn interrupted(&mut self) {}
}

impl ActiveMq {
    fn advisory<'b>(
        &mut self,
        [end, ended_class, ended, begin, class, id, client, address]: [Member<'b>; 8],
        is_mqtt: bool,
        message: &Message<'_>,
    ) -> Reading<'b> {
        if end.nested().is_some() {
            let name = name_in(ended_class, ended);
            let owner = name.as_deref().and_then(|name| self.connections.end(name));
            return match (name, owner) {
                (Some(name), Some(Owner::Client(client))) => {
                    event(client.into_string().into(), name, EventKind::Closed, "", message)
                }
                (Some(_), None) if is_mqtt => Reading::Events(Events::only(Remark::UnknownEnd)),
                _ => Reading::Events(Events::default()),
            };
        }
        if !is_mqtt || begin.nested().is_none() {
            return Reading::Events(Events::default());
        }
        let Some(client) = client.text() else {
            let detail = format!("no `clientId` in `{}`", excerpt(message.payload));
            return Reading::Malformed(Malformed::new(Reason::ClientMissing, detail));
        };
        let Some(name) = name_in(class, id) else {
            return nameless(client, "connectionId", message.payload);
        };
        self.connections.begin(&name, Owner::Client((&*client).into()));
        let address = match address.text() {
            Some(Cow::Borrowed(url)) => url.split_once("://").map_or("", |(_, address)| address),
            _ => "",
        };
        event(client, name, EventKind::Opened, address, message)
    }
}

/// Returns the text of an object that is a name of a connection.
fn name_in<'b>(class: Member<'_>, value: Member<'b>) -> Option<Cow<'b, str>> {
    value.text().filter(|_| class.text().is_none_or(|class| class == "ConnectionId"))
}

fn event<'b>(
    client: Cow<'b, str>,
    name: Cow<'b, str>,
    kind: EventKind,
    address: &'b str,
    message: &Message<'_>,
) -> Reading<'b> {
    let stamp = Some(message.arrival());
    let event = ChannelEvent::new(client, Channel::Strong(name), kind, stamp);
    let address = Cow::Borrowed(address);
    Reading::Events(Events::one(Event::Channel(ChannelEvent { address, ..event })))
}

/// Adds that the broker started before what was read.
fn started<'a>(reading: Reading<'a>, message: &Message<'_>) -> Reading<'a> {
    let start = Some(Event::Restarted(Some(message.arrival())));
    match reading {
        Reading::Events(Events { first, remark, .. }) => {
            Reading::Events(Events { first: start, second: first, remark, ..Events::default() })
        }
        other => other,
    }
}

const KEYS: Paths<'_, 14> = Paths::new([
    "destination",
    "headers",
    "body",
    "headers/originBrokerURL",
    "headers/originBrokerName",
    "headers/originBrokerId",
    "body/RemoveInfo",
    "body/RemoveInfo/objectId/@class",
    "body/RemoveInfo/objectId/value",
    "body/ConnectionInfo",
    "body/ConnectionInfo/connectionId/@class",
    "body/ConnectionInfo/connectionId/value",
    "body/ConnectionInfo/clientId",
    "body/ConnectionInfo/clientIp",
]);
const BODY: Paths<'_, 8> = Paths::new([
    "RemoveInfo",
    "RemoveInfo/objectId/@class",
    "RemoveInfo/objectId/value",
    "ConnectionInfo",
    "ConnectionInfo/connectionId/@class",
    "ConnectionInfo/connectionId/value",
    "ConnectionInfo/clientId",
    "ConnectionInfo/clientIp",
]);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialect::plain::{self, Reader};
    use serde_json::{Value, json};

    const DESTINATION: &str = "/topic/ActiveMQ.Advisory.Connection";

    fn line(url: &str, start: &str, body: &Value) -> String {
        json!({
            "destination": DESTINATION,
            "headers": {"originBrokerURL": url, "originBrokerName": "b", "originBrokerId": start},
            "body": body.to_string(),
        })
        .to_string()
    }

    fn begin(url: &str, start: &str, id: &str, client: &str) -> String {
        let info = json!({
            "connectionId": {"value": id}, "clientId": client, "clientIp": "tcp://192.0.2.1:5",
        });
        line(url, start, &json!({"ConnectionInfo": info}))
    }

    fn end(url: &str, start: &str, id: &str) -> String {
        let object = json!({"@class": "ConnectionId", "value": id});
        line(url, start, &json!({"RemoveInfo": {"objectId": object}}))
    }

    fn told(lines: &[String]) -> Vec<String> {
        let mut reader = Reader::new(&ACTIVEMQ, None);
        lines.iter().map(|line| plain::told_by(&mut reader, "", line)).collect()
    }

    #[test]
    fn an_end_is_that_of_the_begin() {
        let found = told(&[
            begin("mqtt://h:1", "s1", "c1", "a"),
            begin("mqtt+nio+ssl://h:1", "s1", "c2", "a"),
            begin("stomp://h:1", "s1", "c3", "a"),
            end("mqtt://h:1", "s1", "c1"),
            end("stomp://h:1", "s1", "c3"),
            end("mqtt://h:1", "s1", "c1"),
            end("mqtt://h:1", "s1", "c2"),
        ]);
        assert_eq!(found, ["+a c1", "+a c2", "", "-a c1", "", "UnknownEnd", "-a c2"]);
    }

    #[test]
    fn another_start_of_the_broker_is_told_before_what_it_says_first() {
        let found = told(&[
            begin("mqtt://h:1", "s1", "c1", "a"),
            begin("mqtt://h:1", "s2", "c2", "b"),
            begin("stomp://h:1", "s3", "c3", "reader"),
            end("mqtt://h:1", "s2", "c2"),
        ]);
        assert_eq!(found, ["+a c1", "! +b c2", "!", "-b c2"]);
    }

    #[test]
    fn nothing_is_made_of_what_is_not_said() {
        let with = |info: Value| line("mqtt://h:1", "s1", &json!({"ConnectionInfo": info}));
        let id = json!({"value": "c1"});
        for (line, expected) in [
            (with(json!({"connectionId": id, "clientId": 7})), "client-missing"),
            (with(json!({"connectionId": id, "clientId": ""})), "client-missing"),
            (with(json!({"clientId": "a"})), "unreadable a channel-missing"),
            (with(json!({"connectionId": "c1", "clientId": "a"})), "unreadable a channel-missing"),
            (with(json!("a")), ""),
            (with(json!([])), "client-missing"),
            (line("mqtt://h:1", "s1", &json!({"RemoveInfo": {"objectId": 7}})), ""),
            (line("mqtt://h:1", "s1", &json!([])), "unreadable"),
            (json!({"destination": DESTINATION, "headers": {}}).to_string(), "unreadable"),
            (
                json!({"destination": "/topic/x", "headers": {}, "body": "{}"}).to_string(),
                "not mine",
            ),
            (json!({"destination": DESTINATION}).to_string(), "not mine"),
            ("7".to_owned(), "not mine"),
        ] {
            assert_eq!(told(std::slice::from_ref(&line)), [expected], "{line}");
        }
        for place in [DESTINATION, "topic://ActiveMQ.Advisory.Connection", TOPIC] {
            assert_eq!(plain::told(&ACTIVEMQ, place, "7"), "unreadable");
            let line = json!({"destination": place, "headers": {}, "body": "{}"}).to_string();
            assert_eq!(plain::told(&ACTIVEMQ, "", line), "");
        }
    }
}
