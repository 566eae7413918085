//! ActiveMQ Classic: its advisories about connections.

use super::connections::{Connections, Owner};
use super::members::{Member, members};
use super::plain::{How, Memory, Plain, nameless};
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
        members(line, OUTER).is_ok_and(|[destination, headers, _]| {
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
        let [destination, headers, body] = match members(message.payload, OUTER) {
            Ok(members) => members,
            Err(malformed) if is_place(message.topic) => return Reading::Malformed(malformed),
            Err(_) => return Reading::NotMine,
        };
        let is_there = is_place(&destination.text().unwrap_or(Cow::Borrowed(message.topic)));
        let (true, Some(headers)) = (is_there, headers.nested()) else { return Reading::NotMine };
        let [url, name, start] = match members(headers.as_bytes(), HEADERS) {
            Ok(headers) => headers,
            Err(malformed) => return Reading::Malformed(malformed),
        };
        let has_started = match (name.text(), start.text()) {
            (Some(name), Some(start)) => self.starts.hear(&name, &start),
            _ => false,
        };
        let is_mqtt = url.text().is_some_and(|url| url.starts_with("mqtt"));
        let body = body.text().or(body.nested().map(Cow::Borrowed)).unwrap_or_default();
        let reading = self.advisory(&body, is_mqtt, message).into_owned();
        if has_started { started(reading, message) } else { reading }
    }

    /// A connection's name never comes back: whose it was stays true.
    fn interrupted(&mut self) {}
}

impl ActiveMq {
    fn advisory<'b>(&mut self, body: &'b str, is_mqtt: bool, message: &Message<'b>) -> Reading<'b> {
        let [begin, end] = match members(body.as_bytes(), ["ConnectionInfo", "RemoveInfo"]) {
            Ok(members) => members,
            Err(malformed) => return Reading::Malformed(malformed),
        };
        if let Some(end) = end.nested() {
            let name = members(end.as_bytes(), ["objectId"]).ok().and_then(|[id]| value(id));
            let owner = name.as_deref().and_then(|name| self.connections.end(name));
            return match (name, owner) {
                (Some(name), Some(Owner::Client(client))) => {
                    event(client.into_string(), name, EventKind::Closed, "", message)
                }
                (Some(_), None) if is_mqtt => Reading::Events(Events::only(Remark::UnknownEnd)),
                _ => Reading::Events(Events::default()),
            };
        }
        let (true, Some(begin)) = (is_mqtt, begin.nested()) else {
            return Reading::Events(Events::default());
        };
        let [id, client, address] =
            match members(begin.as_bytes(), ["connectionId", "clientId", "clientIp"]) {
                Ok(members) => members,
                Err(malformed) => return Reading::Malformed(malformed),
            };
        let Some(client) = client.text() else {
            let detail = format!("no `clientId` in `{}`", excerpt(body.as_bytes()));
            return Reading::Malformed(Malformed::new(Reason::ClientMissing, detail));
        };
        let Some(name) = value(id) else {
            return nameless(client, "connectionId", body.as_bytes());
        };
        self.connections.begin(&name, Owner::Client((&*client).into()));
        let address = address.text().unwrap_or_default();
        let address = address.split_once("://").map_or("", |(_, address)| address);
        event(client.into_owned(), name, EventKind::Opened, address, message)
    }
}

/// Returns the text of an object that is a name.
fn value(id: Member<'_>) -> Option<Cow<'_, str>> {
    let [class, value] = members(id.nested()?.as_bytes(), ["@class", "value"]).ok()?;
    value.text().filter(|_| class.text().is_none_or(|class| class == "ConnectionId"))
}

fn event<'b>(
    client: String,
    name: Cow<'b, str>,
    kind: EventKind,
    address: &str,
    message: &Message<'_>,
) -> Reading<'b> {
    let stamp = Some(message.arrival());
    let event = ChannelEvent::new(client, Channel::Strong(name), kind, stamp);
    let address = Cow::Owned(address.to_owned());
    Reading::Events(Events::one(Event::Channel(ChannelEvent { address, ..event })))
}

/// Adds that the broker started before what was read.
fn started<'a>(reading: Reading<'static>, message: &Message<'_>) -> Reading<'a> {
    let start = Some(Event::Restarted(Some(message.arrival())));
    match reading {
        Reading::Events(Events { first, remark, .. }) => {
            Reading::Events(Events { first: start, second: first, remark, ..Events::default() })
        }
        other => other,
    }
}

const OUTER: [&str; 3] = ["destination", "headers", "body"];
const HEADERS: [&str; 3] = ["originBrokerURL", "originBrokerName", "originBrokerId"];

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
            (with(json!([])), "unreadable"),
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
