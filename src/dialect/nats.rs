//! NATS server: its system events about clients of MQTT.

use super::connections::{Connections, Owner};
use super::members::{Member, members_if_any};
use super::plain::{How, Memory, Plain, nameless};
use super::scan::Paths;
use super::starts::Starts;
use super::{Events, Malformed, Message, Reading, Reason, Remark, eventgrid, excerpt};
use crate::event::{Channel, ChannelEvent, Event, EventKind};
use std::borrow::Cow;

pub const NATS: Plain = Plain {
    name: "nats",
    title: "system events of NATS",
    authority: 1,
    filters: &[],
    message_life: None,
    is_usual: false,
    speaks_at: |topic| topic.starts_with(SUBJECTS),
    is_line: Some(is_line),
    read: How::Together(|| Box::new(Nats::default())),
};

/// Where servers speak.
const SUBJECTS: &str = "$SYS.ACCOUNT.";

/// The reader of one server, or of several that are one cluster.
#[derive(Debug, Default)]
struct Nats {
    /// Those of the global account: the end of a refused login is told there, too, without a begin.
    connections: Connections,
    starts: Starts,
}

impl Memory for Nats {
    /// Reads one event.
    ///
    /// Shape: the JSON object of a message on `$SYS.ACCOUNT.{account}.CONNECT` or `….DISCONNECT`, by itself or as
    /// the text `payload` beside its `subject`; `type` tells which. `client.client_type` is `mqtt` and
    /// `client.client_id` the client; `server.id`, new at each start of a server, and the number `client.id`
    /// are together a strong channel. No reason tells a goodbye from a drop, and `Duplicate Client ID` may end
    /// the newcomer: the name alone says whose end it is.
    /// Units: `timestamp` of RFC 3339 with nanoseconds, of which ms are kept; else the arrival.
    /// Errors: `Malformed` for what is no such JSON on such a subject, and without a client or a connection.
    /// Source: nats-io/nats-server 2.15.2, run; the recording
    /// `tests/fixtures/captures/nats-server-2.15.2.events.jsonl`.
    fn read<'a>(&mut self, message: &Message<'a>) -> Reading<'a> {
        let is_own = message.topic.starts_with(SUBJECTS);
        let body = members_if_any(message.payload, &KEYS);
        let reading = match body.map(|body| (body, held_in(body))) {
            Some((body, Held::Nothing)) => self.told(Some(body), message),
            Some((_, Held::Event(held))) => {
                self.told(members_if_any(held.as_bytes(), &KEYS), message).into_owned()
            }
            Some((_, Held::Missing)) | None if is_own => {
                let detail = format!("no event: `{}`", excerpt(message.payload));
                return Reading::Malformed(Malformed::new(Reason::Unreadable, detail));
            }
            Some((_, Held::Missing)) | None => Reading::NotMine,
        };
        match reading {
            Reading::NotMine if is_own => Reading::Events(Events::default()),
            reading => reading,
        }
    }

    /// Neither does a name come back, nor a start.
    fn interrupted(&mut self) {}
}

impl Nats {
    fn told<'b>(&mut self, body: Option<Body<'b>>, message: &Message<'_>) -> Reading<'b> {
        match body.and_then(|body| Some((kind_of(body)?, body))) {
            Some((Kind { kind: Some(kind), .. }, body)) => self.event(body, kind, message),
            Some((Kind { is_advisory: true, .. }, _)) => Reading::Events(Events::default()),
            _ => Reading::NotMine,
        }
    }

    fn event<'b>(&mut self, body: Body<'b>, kind: EventKind, message: &Message<'_>) -> Reading<'b> {
        let arrival = message.arrival();
        let [_, _, _, time, name, start, cluster, id, account, speaks, begun, client, address] =
            body;
        let began = || begun.text().and_then(|time| eventgrid::stamp(&time));
        // A server of a cluster ends with its own connections only.
        let is_alone = cluster.text().is_none();
        let has_started = match (name.text(), start.text()) {
            (Some(name), Some(start)) => self.starts.hear(&name, &start) && is_alone,
            _ => false,
        };
        let started = has_started.then(|| Event::Restarted(Some(began().unwrap_or(arrival))));
        if speaks.text().is_none_or(|speaks| !speaks.starts_with("mqtt")) {
            return Reading::Events(Events { first: started, ..Events::default() });
        }
        let key = start.text().zip(id.number()).map(|(start, id)| [&*start, ":", id].concat());
        let is_global = account.text().is_some_and(|account| account == GLOBAL);
        if is_global && kind == EventKind::Closed {
            let begun = key.as_deref().and_then(|key| self.connections.end(key));
            if begun.is_none() {
                let remark = Some(Remark::Refused);
                return Reading::Events(Events { first: started, remark, ..Events::default() });
            }
        }
        let Some(client) = client.text() else {
            let detail = format!("no `client_id` in `{}`", excerpt(message.payload));
            return Reading::Malformed(Malformed::new(Reason::ClientMissing, detail));
        };
        let Some(key) = key else {
            return nameless(client, "server.id` and `client.id", message.payload);
        };
        if is_global && kind == EventKind::Opened {
            self.connections.begin(&key, Owner::Client((&*client).into()));
        }
        let stamp = time.text().and_then(|time| eventgrid::stamp(&time)).unwrap_or(arrival);
        let channel = Channel::Strong(Cow::Owned(key));
        let event = ChannelEvent::new(client, channel, kind, Some(stamp));
        let address = address.text().unwrap_or_default();
        let event = Event::Channel(ChannelEvent { address, ..event });
        Reading::Events(match started {
            Some(started) => Events::two(started, event),
            None => Events::one(event),
        })
    }
}

/// The members of an event, by `KEYS`.
type Body<'a> = [Member<'a>; 13];

fn is_line(line: &[u8]) -> bool {
    fn is_event(body: Body<'_>) -> bool {
        kind_of(body).is_some_and(|kind| kind.is_advisory)
    }
    members_if_any(line, &KEYS).is_some_and(|body| match held_in(body) {
        Held::Nothing => is_event(body),
        Held::Event(held) => members_if_any(held.as_bytes(), &KEYS).is_some_and(is_event),
        Held::Missing => false,
    })
}

/// What a message is around.
enum Held<'a> {
    /// It is an event itself.
    Nothing,
    Event(Cow<'a, str>),
    /// There should be one.
    Missing,
}

fn held_in(body: Body<'_>) -> Held<'_> {
    let [kind, subject, payload, ..] = body;
    if kind.text().is_some() || subject.text().is_none() {
        return Held::Nothing;
    }
    let held = payload.text().or(payload.nested().map(Cow::Borrowed));
    held.map_or(Held::Missing, Held::Event)
}

/// What the type of an event says.
struct Kind {
    /// It is one of a server's at all.
    is_advisory: bool,
    kind: Option<EventKind>,
}

fn kind_of(body: Body<'_>) -> Option<Kind> {
    let kind = body[0].text()?;
    let word = kind.strip_prefix("io.nats.server.advisory.v1.");
    let kind = match word {
        Some("client_connect") => Some(EventKind::Opened),
        Some("client_disconnect") => Some(EventKind::Closed),
        _ => None,
    };
    Some(Kind { is_advisory: word.is_some(), kind })
}

const KEYS: Paths<'_, 13> = Paths::new([
    "type",
    "subject",
    "payload",
    "timestamp",
    "server/name",
    "server/id",
    "server/cluster",
    "client/id",
    "client/acc",
    "client/client_type",
    "client/start",
    "client/client_id",
    "client/host",
]);

/// The account of those that have not been let in, and of all where there are no accounts.
const GLOBAL: &str = "$G";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialect::plain::{self, Reader};
    use serde_json::{Value, json};

    const CONNECT: &str = "$SYS.ACCOUNT.DEV.CONNECT";

    fn event(word: &str, server: &str, id: u64, account: &str) -> Value {
        json!({
            "type": format!("io.nats.server.advisory.v1.client_{word}"),
            "timestamp": "2026-11-22T05:23:29.481600761Z",
            "server": {"name": "rig", "id": server},
            "client": {
                "start": "2026-11-22T05:23:28.979993958Z", "host": "192.0.2.1", "id": id, "acc": account,
                "client_type": "mqtt", "client_id": "a",
            },
        })
    }

    fn told(events: &[Value]) -> Vec<String> {
        let mut bare = Reader::new(&NATS, None);
        let mut held = Reader::new(&NATS, None);
        let mut topic = Reader::new(&NATS, None);
        let one = |event: &Value| {
            let told = plain::told_by(&mut bare, "", event.to_string());
            let line = json!({"subject": CONNECT, "payload": event.to_string()}).to_string();
            assert_eq!(plain::told_by(&mut held, "", line), told);
            assert_eq!(plain::told_by(&mut topic, CONNECT, event.to_string()), told);
            told
        };
        events.iter().map(one).collect()
    }

    #[test]
    fn the_server_and_its_number_name_a_connection() {
        let found = told(&[
            event("connect", "S1", 7, "DEV"),
            event("connect", "S1", 8, "DEV"),
            event("disconnect", "S1", 7, "DEV"),
            event("disconnect", "S1", 6, "DEV"),
        ]);
        assert_eq!(found, ["+a S1:7", "+a S1:8", "-a S1:7", "-a S1:6"]);
    }

    #[test]
    fn a_refused_login_ends_nobody() {
        let mut nobody = event("disconnect", "S1", 9, "$G");
        nobody["client"]["client_id"] = Value::Null;
        let found = told(&[
            event("connect", "S1", 7, "$G"),
            event("disconnect", "S1", 8, "$G"),
            nobody,
            event("disconnect", "S1", 7, "$G"),
            event("disconnect", "S1", 7, "$G"),
        ]);
        assert_eq!(found, ["+a S1:7", "Refused", "Refused", "-a S1:7", "Refused"]);
    }

    #[test]
    fn an_unseen_id_of_a_server_is_a_start_unless_there_are_others() {
        let mut other = event("connect", "T1", 1, "DEV");
        other["client"]["client_type"] = json!("nats");
        let found = told(&[
            event("connect", "S1", 7, "DEV"),
            event("connect", "S2", 7, "DEV"),
            event("disconnect", "S1", 7, "DEV"),
            event("disconnect", "S3", 8, "$G"),
            other.clone(),
        ]);
        assert_eq!(found, ["+a S1:7", "! +a S2:7", "-a S1:7", "! Refused", "!"]);
        other["server"]["name"] = json!("second");
        let mut clustered = event("connect", "S2", 1, "DEV");
        let found = told(&[event("connect", "S1", 7, "DEV"), other.clone(), clustered.clone()]);
        assert_eq!(found, ["+a S1:7", "", "+a S2:1"]);
        clustered["server"]["cluster"] = json!("c");
        assert_eq!(told(&[event("connect", "S1", 7, "DEV"), clustered]), ["+a S1:7", "+a S2:1"]);
    }

    #[test]
    fn nothing_is_made_of_what_is_not_said() {
        let with = |part: &str, key: &str, value: Value| {
            let mut event = event("connect", "S1", 7, "DEV");
            event[part][key] = value;
            event
        };
        for (event, expected) in [
            (with("client", "client_type", json!("nats")), ""),
            (with("client", "client_type", Value::Null), ""),
            (with("client", "client_id", json!(7)), "client-missing"),
            (with("client", "client_id", json!("")), "client-missing"),
            (with("client", "id", json!("7")), "unreadable a channel-missing"),
            (with("server", "id", Value::Null), "unreadable a channel-missing"),
            (with("client", "start", json!(7)), "+a S1:7"),
            (json!({"type": "io.nats.server.advisory.v1.account_connections"}), ""),
            (json!({"type": "io.nats.server.advisory.v1.client_connect"}), ""),
        ] {
            assert_eq!(told(std::slice::from_ref(&event)), [expected], "{event}");
        }
        for body in ["", "[]", "{}", r#"{"type":7}"#, r#"{"type":"connect"}"#, r#"{"subject":"x"}"#]
        {
            assert_eq!(plain::told(&NATS, "", body), "not mine", "{body}");
        }
        for body in ["", "[]", r#"{"subject":"x"}"#] {
            assert_eq!(plain::told(&NATS, CONNECT, body), "unreadable", "{body}");
        }
    }
}
