//! RabbitMQ: what its event exchange tells of connections.

use super::connections::{Connections, Owner};
use super::erlang;
use super::members::{Member, elements, members, members_if_any};
use super::plain::{How, Memory, Plain, nameless};
use super::scan::Paths;
use super::{Events, Malformed, Message, Reading, Reason, Remark, excerpt};
use crate::event::{Channel, ChannelEvent, Event, EventKind};
use std::borrow::Cow;

pub const RABBITMQ: Plain = Plain {
    name: "rabbitmq",
    title: "events of RabbitMQ",
    authority: 1,
    filters: &[],
    message_life: None,
    is_usual: false,
    speaks_at: |topic| topic.starts_with(EXCHANGE),
    is_line: Some(is_line),
    read: How::Together(|| Box::new(RabbitMq::default())),
};

/// Where a listener at the exchange says that an event came, before its routing key.
const EXCHANGE: &str = "amq.rabbitmq.event/";

/// Tells whether a line is one of the exchange: other messages of queues have these members, too, but for
/// the header.
fn is_line(line: &[u8]) -> bool {
    members_if_any(line, &KEYS).is_some_and(|[key, headers, _, of_headers @ ..]| {
        let is_timed = || Headers::of(of_headers).in_ms.time().is_some();
        key.text().is_some() && headers.is_object() && is_timed()
    })
}

/// The reader of one exchange.
#[derive(Debug, Default)]
struct RabbitMq {
    connections: Connections,
}

impl Memory for RabbitMq {
    /// Reads one event.
    ///
    /// Shape: a JSON object with `routing_key` and `headers` of the AMQP message, and its `timestamp`; the body
    /// is empty. Headers: `pid` (a strong channel: it names the node, its start and a process), `name`
    /// (`IP:PORT -> IP:PORT`), `protocol`, and the client id as a printed term: in `variable_map` up to 3.11, in
    /// `client_properties` from 3.12 on. Up to 3.11 an end has neither id nor protocol: whose it is, its begin
    /// told.
    /// Units: `timestamp_in_ms`, else `timestamp` in s, else the arrival.
    /// Errors: `Malformed` for what is no such JSON on the exchange's own topic, and for a connection of MQTT
    /// without a `pid` or a client.
    /// Source: rabbitmq/rabbitmq-server v3.10.8, v3.13.7, v4.3.5 `rabbitmq_event_exchange` and `rabbitmq_mqtt`;
    /// samples in `tests/fixtures/dialects/rabbitmq-*.jsonl`.
    fn read<'a>(&mut self, message: &Message<'a>) -> Reading<'a> {
        let place = message.topic.strip_prefix(EXCHANGE);
        let [key, headers, time, of_headers @ ..] = match members(message.payload, &KEYS) {
            Ok(members) => members,
            Err(malformed) if place.is_some() => return Reading::Malformed(malformed),
            Err(_) => return Reading::NotMine,
        };
        let (Some(key), Some(_)) = (key.text().or(place.map(Cow::Borrowed)), headers.nested())
        else {
            return Reading::NotMine;
        };
        let kind = match &*key {
            "connection.created" => EventKind::Opened,
            "connection.closed" => EventKind::Closed,
            _ => return Reading::Events(Events::default()),
        };
        if !headers.is_object() {
            let detail = format!("`headers` are no object in `{}`", excerpt(message.payload));
            return Reading::Malformed(Malformed::new(Reason::Unreadable, detail));
        }
        let headers = Headers::of(of_headers);
        let Some(pid) = headers.pid.text() else {
            let client = headers.client().map(Cow::Owned);
            return client.map_or(Reading::Events(Events::default()), |client| {
                nameless(client, "pid", message.payload)
            });
        };
        let client = match self.owner(kind, &pid, &headers) {
            Ok(Some(Owner::Client(client))) => client.into_string(),
            Ok(Some(Owner::Other)) => return Reading::Events(Events::default()),
            Ok(None) => return Reading::Events(Events::only(Remark::UnknownEnd)),
            Err(()) => {
                let detail = format!("no client id in `{}`", excerpt(message.payload));
                return Reading::Malformed(Malformed::new(Reason::ClientMissing, detail));
            }
        };
        let stamp = headers.in_ms.time().or(time.time()).unwrap_or(message.arrival());
        let mut event = ChannelEvent::new(client, Channel::Strong(pid), kind, Some(stamp));
        event.address = headers.address();
        Reading::Events(Events::one(Event::Channel(event)))
    }

    /// A `pid` never comes back: whose it was stays true.
    fn interrupted(&mut self) {}
}

impl RabbitMq {
    /// Returns whose a connection is, `None` if nobody heard that it began. Errors: it is one of MQTT, and its
    /// client is not told.
    fn owner(
        &mut self,
        kind: EventKind,
        pid: &str,
        headers: &Headers<'_>,
    ) -> Result<Option<Owner>, ()> {
        let told = match headers.is_mqtt() {
            Some(true) => Some(headers.client().map(|id| Owner::Client(id.into())).ok_or(())?),
            Some(false) => Some(Owner::Other),
            None if kind == EventKind::Opened => Some(Owner::Other),
            None => None,
        };
        if let (EventKind::Opened, Some(owner)) = (kind, &told) {
            self.connections.begin(pid, owner.clone());
            return Ok(told);
        }
        let remembered = self.connections.end(pid);
        Ok(told.or(remembered))
    }
}

const KEYS: Paths<'_, 9> = Paths::new([
    "routing_key",
    "headers",
    "timestamp",
    "headers/pid",
    "headers/name",
    "headers/protocol",
    "headers/variable_map",
    "headers/client_properties",
    "headers/timestamp_in_ms",
]);

/// What the headers say.
struct Headers<'a> {
    pid: Member<'a>,
    name: Member<'a>,
    protocol: Member<'a>,
    map: Member<'a>,
    properties: Member<'a>,
    in_ms: Member<'a>,
}

impl<'a> Headers<'a> {
    const fn of([pid, name, protocol, map, properties, in_ms]: [Member<'a>; 6]) -> Self {
        Self { pid, name, protocol, map, properties, in_ms }
    }

    /// Tells whether the connection is one of MQTT, `None` if that is not said.
    fn is_mqtt(&self) -> Option<bool> {
        let term = self.protocol.written().filter(|term| !term.is_empty())?;
        let atom = term.split('\'').nth(1);
        Some(atom.is_some_and(|name| PROTOCOLS.contains(&name)))
    }

    fn client(&self) -> Option<String> {
        let in_map = || erlang::client_in_map(&self.map.text()?);
        let in_properties = || {
            // The others need not be freed of what is escaped in them.
            let is_it = |property: &&str| {
                property.trim_start_matches(['"', '{', '<', '\\', ' ']).starts_with("client_id")
            };
            let properties = elements(self.properties.nested()?)?;
            let terms = properties.into_iter().filter(is_it).map(|json| Member::of(json).text());
            terms.flatten().find_map(|term| erlang::client_in_property(&term))
        };
        in_properties().or_else(in_map).filter(|client| !client.is_empty())
    }

    /// Returns the client's side of the connection.
    fn address(&self) -> Cow<'a, str> {
        let peer = |name: &str| {
            let arrow = name.split_once(' ').filter(|(_, rest)| rest.starts_with("-> "));
            arrow.map_or(0, |(peer, _)| peer.len())
        };
        match self.name.text() {
            Some(Cow::Borrowed(name)) => Cow::Borrowed(name.get(..peer(name)).unwrap_or_default()),
            Some(Cow::Owned(mut name)) => {
                name.truncate(peer(&name));
                Cow::Owned(name)
            }
            None => Cow::Borrowed(""),
        }
    }
}

/// What a protocol that is MQTT has first between its quotes: it is a printed term.
const PROTOCOLS: [&str; 2] = ["MQTT", "Web MQTT"];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialect::plain::{self, Reader};
    use serde_json::{Value, json};

    fn body(key: &str, headers: &Value) -> String {
        json!({"routing_key": key, "headers": headers, "timestamp": 1_760_000_000, "body": ""})
            .to_string()
    }

    fn mqtt(pid: &str, client: &str) -> Value {
        json!({
            "pid": pid, "name": "192.0.2.1:5 -> 192.0.2.2:1883", "protocol": "{'MQTT',\"3.1.1\"}",
            "variable_map": format!("#{{<<\"client_id\">> => <<\"{client}\">>}}"), "client_properties": [],
            "timestamp_in_ms": 1_760_000_000_001_i64,
        })
    }

    fn told(lines: &[String]) -> Vec<String> {
        let mut reader = Reader::new(&RABBITMQ, None);
        lines.iter().map(|line| plain::told_by(&mut reader, "", line)).collect()
    }

    #[test]
    fn an_end_without_an_id_is_that_of_the_begin() {
        let end = |pid: &str| body("connection.closed", &json!({"pid": pid, "timestamp_in_ms": 1}));
        let amqp = json!({"pid": "<2>", "protocol": "{0,9,1}", "client_properties": []});
        let found = told(&[
            body("connection.created", &mqtt("<1>", "a")),
            body("connection.created", &amqp),
            end("<1>"),
            end("<1>"),
            end("<2>"),
            end("<3>"),
        ]);
        assert_eq!(found, ["+a <1>", "", "-a <1>", "UnknownEnd", "", "UnknownEnd"]);
    }

    #[test]
    fn an_end_with_an_id_needs_no_begin() {
        let mut headers = json!({
            "pid": "<1>", "protocol": "{'Web MQTT',{5,0}}",
            "client_properties": ["{product,longstr,<<\"x\">>}", "{client_id,longstr,<<\"a\">>}"],
        });
        assert_eq!(told(&[body("connection.closed", &headers)]), ["-a <1>"]);
        headers["protocol"] = json!("{'STOMP',\"1.2\"}");
        assert_eq!(told(&[body("connection.closed", &headers)]), [""]);
        headers["protocol"] = json!("{'AMQP',\"MQTT\"}");
        assert_eq!(told(&[body("connection.created", &headers)]), [""]);
    }

    #[test]
    fn nothing_is_made_of_what_is_not_said() {
        let without = |key: &str| {
            let mut headers = mqtt("<1>", "a");
            headers[key] = json!(7);
            body("connection.created", &headers)
        };
        for (line, expected) in [
            (without("pid"), "unreadable a channel-missing"),
            (without("variable_map"), "client-missing"),
            (without("protocol"), ""),
            (without("name"), "+a <1>"),
            (without("timestamp_in_ms"), "+a <1>"),
            (body("connection.created", &mqtt("<1>", "")), "client-missing"),
            (body("channel.created", &mqtt("<1>", "a")), ""),
            (body("connection.created", &json!([])), "unreadable"),
            (body("connection.created", &json!("")), "not mine"),
            (r#"{"routing_key":7,"headers":{}}"#.to_owned(), "not mine"),
            ("[]".to_owned(), "not mine"),
        ] {
            assert_eq!(told(std::slice::from_ref(&line)), [expected], "{line}");
        }
        let own = "amq.rabbitmq.event/connection.created";
        assert_eq!(plain::told(&RABBITMQ, own, "{"), "unreadable");
        assert_eq!(
            plain::told(&RABBITMQ, own, json!({"headers": mqtt("<1>", "a")}).to_string()),
            "+a <1>"
        );
    }

    #[test]
    fn a_message_of_another_queue_is_not_claimed() {
        assert!(is_line(body("queue.created", &json!({"timestamp_in_ms": 1})).as_bytes()));
        for line in [
            body("queue.created", &json!({})),
            body("queue.created", &json!({"timestamp_in_ms": "soon"})),
            json!({"headers": {"timestamp_in_ms": 1}}).to_string(),
        ] {
            assert!(!is_line(line.as_bytes()), "{line}");
        }
    }
}
