//! Moquette, a broker for Java: what a program that embeds it writes of its interceptors.

use super::members::{Member, members_if_any};
use super::plain::{How, Memory, Plain};
use super::scan::Paths;
use super::{Events, Malformed, Message, Reading, Reason, Remark, excerpt};
use crate::event::{Channel, ChannelEvent, Event, EventKind, Timestamp};
use foldhash::quality::FixedState;
use hashbrown::HashMap;
use std::hash::BuildHasher;

pub const MOQUETTE: Plain = Plain {
    name: "moquette",
    title: "interceptors of Moquette",
    authority: 2,
    filters: &[],
    message_life: None,
    is_usual: false,
    speaks_at: |_| false,
    is_line: Some(|line| members_if_any(line, &KEYS).is_some_and(|call| kind_of(call).is_some())),
    read: How::Together(|| Box::new(Moquette::default())),
};

/// The reader of one broker.
///
/// Every connection is told of twice, when it begins and when it is lost, but not whose the loss is. At a
/// take-over the newer one begins before the older one is lost, or after: so they are counted.
#[derive(Debug, Default)]
struct Moquette {
    /// Hash of the client → its connections.
    clients: HashMap<u64, Connections, FixedState>,
    /// Which half of the clients is forgotten next.
    half: u64,
}

/// The connections of a client that were not lost yet.
#[derive(Clone, Copy, Debug)]
struct Connections {
    count: u32,
    /// When the last one began.
    since: Timestamp,
}

impl Memory for Moquette {
    /// Reads one call of an interceptor.
    ///
    /// Shape: a JSON object with `event` (`onConnect`, `onDisconnect`, `onConnectionLost`) and `clientId`. No
    /// connection is named: one nameless channel a client. `onDisconnect` is the goodbye, and is left out
    /// sometimes; `onConnectionLost` follows it, too. Of two connections of a client the first loss within two
    /// seconds of the newer one's begin is that of the older one.
    /// Units: none; the arrival is the stamp.
    /// Errors: `Malformed` for a call without a client.
    /// Source: moquette-io/moquette 0.17 `InterceptHandler`, run; the recording
    /// `tests/fixtures/captures/moquette-0.17.events.jsonl`.
    fn read<'a>(&mut self, message: &Message<'a>) -> Reading<'a> {
        let Some(call) = members_if_any(message.payload, &KEYS) else { return Reading::NotMine };
        let Some(kind) = kind_of(call) else { return Reading::NotMine };
        let [_, client] = call;
        let Some(client) = client.text() else {
            let detail = format!("no `clientId` in `{}`", excerpt(message.payload));
            return Reading::Malformed(Malformed::new(Reason::ClientMissing, detail));
        };
        match kind {
            EventKind::Opened => self.begin(&client, message.received),
            EventKind::Closed if self.is_olders(&client, message.received) => {
                return Reading::Events(Events::only(Remark::LateEnd));
            }
            _ => {}
        }
        let event = ChannelEvent::new(client, Channel::Weak(None), kind, Some(message.arrival()));
        Reading::Events(Events::one(Event::Channel(event)))
    }

    /// A loss may have been missed, and the next one is not the older connection's then.
    fn interrupted(&mut self) {
        self.clients.clear();
    }
}

impl Moquette {
    fn begin(&mut self, client: &str, now: Timestamp) {
        if self.clients.len() >= CLIENTS_MAX {
            let half = self.half;
            self.clients.retain(|client, _| client & 1 != half);
            self.half ^= 1;
        }
        let begun =
            self.clients.entry(hash(client)).or_insert(Connections { count: 0, since: now });
        *begun = Connections { count: begun.count.saturating_add(1), since: now };
    }

    /// Tells whether a connection that is lost is an older one of a client that has a newer.
    fn is_olders(&mut self, client: &str, now: Timestamp) -> bool {
        let client = hash(client);
        let Some(begun) = self.clients.get_mut(&client) else { return false };
        if begun.count > 1 && now.since(begun.since) <= LATE_END_MS {
            begun.count -= 1;
            return true;
        }
        self.clients.remove(&client);
        false
    }
}

fn hash(text: &str) -> u64 {
    FixedState::with_seed(0).hash_one(text)
}

fn kind_of([event, client]: [Member<'_>; 2]) -> Option<EventKind> {
    match event.text()?.as_ref() {
        _ if !client.is_there() => None,
        "onConnect" => Some(EventKind::Opened),
        "onDisconnect" => Some(EventKind::Farewell),
        "onConnectionLost" => Some(EventKind::Closed),
        _ => None,
    }
}

const KEYS: Paths<'_, 2> = Paths::new(["event", "clientId"]);

const CLIENTS_MAX: usize = 1 << 20;

/// For how long the loss of an older connection is waited for. It came within some ms of the newer begin.
const LATE_END_MS: i64 = 2_000;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialect::Dialect;
    use crate::dialect::plain::{self, Reader};

    fn told(calls: &[&str]) -> Vec<String> {
        let mut reader = Reader::new(&MOQUETTE, None);
        let line = |event: &&str| format!(r#"{{"event":"{event}","clientId":"a"}}"#);
        calls.iter().map(|call| plain::told_by(&mut reader, "", line(call))).collect()
    }

    #[test]
    fn of_two_connections_the_older_one_is_lost_first() {
        let story =
            ["onConnect", "onConnect", "onConnectionLost", "onDisconnect", "onConnectionLost"];
        assert_eq!(told(&story), ["+a", "+a", "LateEnd", "~a", "-a"]);
        let story = ["onConnect", "onConnectionLost", "onConnect", "onConnectionLost"];
        assert_eq!(told(&story), ["+a", "-a", "+a", "-a"]);
        assert_eq!(
            told(&["onConnectionLost", "onConnect", "onConnectionLost"]),
            ["-a", "+a", "-a"]
        );
    }

    #[test]
    fn a_loss_that_comes_later_is_the_last_one() {
        let mut reader = Dialect::Plain(Reader::new(&MOQUETTE, None));
        let mut told = |event: &str, ms: i64| {
            let line = format!(r#"{{"event":"{event}","clientId":"a"}}"#);
            let (topic, tag, qos, retain, tie) = ("", None, 0, false, 1);
            let (payload, received) = (line.as_bytes(), Timestamp(ms));
            match reader.read(&Message { topic, payload, tag, qos, retain, received, tie }) {
                Reading::Events(events) => events.first.is_some(),
                other => panic!("{other:?}"),
            }
        };
        // The loss of the first one was never told: the broker was killed.
        assert!(told("onConnect", 0) && told("onConnect", 60_000));
        assert!(told("onConnectionLost", 120_000));
        assert!(told("onConnect", 130_000) && told("onConnect", 130_100));
        assert!(!told("onConnectionLost", 130_105));
    }

    #[test]
    fn nothing_is_made_of_what_is_not_said() {
        for (body, expected) in [
            (r#"{"event":"onConnect","clientId":""}"#, "client-missing"),
            (r#"{"event":"onConnect","clientId":7}"#, "client-missing"),
            (r#"{"event":"onConnect"}"#, "not mine"),
            (r#"{"event":"listConnectedClients","clientId":"a"}"#, "not mine"),
            (r#"{"event":7,"clientId":"a"}"#, "not mine"),
            ("[]", "not mine"),
        ] {
            assert_eq!(plain::told(&MOQUETTE, "", body), expected, "{body}");
        }
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let mut reader = Moquette::default();
        for number in 0..CLIENTS_MAX + 10 {
            reader.begin(&number.to_string(), Timestamp(0));
        }
        assert!(reader.clients.len() <= CLIENTS_MAX);
    }
}
