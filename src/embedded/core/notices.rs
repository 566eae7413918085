//! What the broker says about its clients: the notices of LMQ, on a topic of their own.

use super::faults::Faults;
use super::outbox::Message;
use super::topic::is_topic;
use crate::dialect::topic::{LENGTH_MAX, level};
use crate::event::Timestamp;
use crate::random::Random;
use serde::Serialize;
use std::collections::BTreeMap;
use std::net::SocketAddr;

/// Where notices are published unless somebody wants them elsewhere.
pub const TOPIC: &str = "$presence/{client}";

/// Where notices are published: one topic, or one for each client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoticeTopic {
    prefix: String,
    /// `None` for one topic for all.
    suffix: Option<String>,
}

impl NoticeTopic {
    /// Reads a topic, in which `{client}` stands for the client id.
    ///
    /// Errors: a clause that says what is wrong, to be put behind the topic.
    pub fn read(text: &str) -> Result<Self, String> {
        let (prefix, suffix) = match text.split_once(GAP) {
            Some((prefix, suffix)) => (prefix, Some(suffix)),
            None => (text, None),
        };
        if suffix.is_some_and(|suffix| suffix.contains(GAP)) {
            return Err(format!("it has more than one `{GAP}`"));
        }
        if text == GAP {
            return Err("clients could not publish anything any more".into());
        }
        if text.len() > TEMPLATE_MAX || !is_topic(text) {
            return Err("it is no topic: empty, too long, or with a wildcard or a NUL".into());
        }
        let head = text.split('/').next().unwrap_or_default();
        if matches!(head, "$SYS" | "$share") {
            return Err(format!("`{head}/` means something else"));
        }
        Ok(Self { prefix: prefix.to_owned(), suffix: suffix.map(str::to_owned) })
    }

    /// Returns the topic for a client, `None` if it would be longer than MQTT allows. What would
    /// change its levels, or cannot stand in a topic, is percent-encoded; the notice has the truth.
    pub fn fill(&self, client: &str) -> Option<String> {
        let mut topic = self.prefix.clone();
        if let Some(suffix) = &self.suffix {
            topic.push_str(&level(client));
            topic.push_str(suffix);
        }
        (topic.len() <= LENGTH_MAX).then_some(topic)
    }

    /// Tells whether a notice could be published there. Nobody else may, or clients could speak of
    /// each other with the broker's voice.
    pub fn covers(&self, topic: &str) -> bool {
        match &self.suffix {
            None => topic == self.prefix,
            Some(suffix) => topic
                .strip_prefix(self.prefix.as_str())
                .is_some_and(|rest| rest.ends_with(suffix.as_str())),
        }
    }
}

impl Default for NoticeTopic {
    fn default() -> Self {
        Self::read(TOPIC).expect("the usual topic is one")
    }
}

/// What happened to a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Connect,
    /// The client said goodbye.
    Disconnect,
    /// The connection has ended, in whatever way.
    TcpClean,
}

/// Whom a notice is about.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    pub client: &'a str,
    pub channel: u64,
    pub address: SocketAddr,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Body<'a> {
    client_id: &'a str,
    time: i64,
    event_type: &'a str,
    channel_id: &'a str,
    client_ip: &'a str,
}

/// Makes notices, and makes them wrong where that was asked for.
#[derive(Debug)]
pub struct Notices {
    topic: NoticeTopic,
    faults: Faults,
    /// Makes the names of channels differ from those of any other run.
    seed: u64,
    chance: Random,
    /// Notices that come later, in the order of their times, and of their making at the same time.
    held: BTreeMap<(u64, u64), Message>,
    held_max: usize,
    made: u64,
}

impl Notices {
    pub fn new(topic: NoticeTopic, faults: Faults, seed: u64, held_max: usize) -> Self {
        let chance = Random::of_state(faults.seed);
        Self { topic, faults, seed, chance, held: BTreeMap::new(), held_max, made: 0 }
    }

    pub fn topic(&self) -> &NoticeTopic {
        &self.topic
    }

    /// Makes the notices of what happened: those to publish at once go to `publish`, the others are
    /// held. Returns how many were lost.
    pub fn tell(
        &mut self,
        kind: Kind,
        subject: Subject<'_>,
        wall: Timestamp,
        now: u64,
        was_taken_over: bool,
        publish: &mut Vec<Message>,
    ) -> u64 {
        let Faults { early, held_ms, late_ms, delay_ms, .. } = self.faults;
        let hold = match kind {
            Kind::TcpClean => late_ms + held_ms.filter(|_| was_taken_over).unwrap_or(0),
            _ => 0,
        };
        let mut lost = 0;
        if !(early && kind == Kind::TcpClean) {
            lost += self.make(kind, subject, wall, (now, now + delay_ms + hold), publish);
        }
        if early && kind == Kind::Connect {
            lost += self.make(Kind::TcpClean, subject, wall, (now, now + delay_ms), publish);
        }
        lost
    }

    fn make(
        &mut self,
        kind: Kind,
        subject: Subject<'_>,
        wall: Timestamp,
        (now, due): (u64, u64),
        publish: &mut Vec<Message>,
    ) -> u64 {
        if self.faults.dropped > 0.0 && self.chance() < self.faults.dropped {
            return 1;
        }
        let Some(message) = self.message(kind, subject, wall) else { return 1 };
        for _ in 0..=self.faults.repeats {
            // A fault must not eat the broker's memory: beyond the bound notices are punctual.
            if due > now && self.held.len() < self.held_max {
                self.made += 1;
                self.held.insert((due, self.made), message.clone());
            } else {
                publish.push(message.clone());
            }
        }
        0
    }

    fn message(&self, kind: Kind, subject: Subject<'_>, wall: Timestamp) -> Option<Message> {
        let Subject { client, channel, address } = subject;
        let body = Body {
            client_id: client,
            time: wall.0,
            event_type: kind.word(),
            channel_id: &format!("{:016x}{channel:016x}", self.seed),
            client_ip: &address.to_string(),
        };
        let body = serde_json::to_vec(&body).ok()?;
        Some(Message::new(self.topic.fill(client)?, body.into()))
    }

    /// Returns when a notice is due that was held.
    pub fn next(&self) -> Option<u64> {
        self.held.first_key_value().map(|((due, _), _)| *due)
    }

    pub fn pop(&mut self, now: u64) -> Option<Message> {
        self.next().filter(|due| *due <= now)?;
        self.held.pop_first().map(|(_, message)| message)
    }

    /// Returns a number from 0 to 1: the same for the same seed.
    fn chance(&mut self) -> f64 {
        let bits = u32::try_from(self.chance.next() >> 32).unwrap_or(u32::MAX);
        f64::from(bits) / (f64::from(u32::MAX) + 1.0)
    }
}

impl Kind {
    const fn word(self) -> &'static str {
        match self {
            Self::Connect => "connect",
            Self::Disconnect => "disconnect",
            Self::TcpClean => "tcpclean",
        }
    }
}

const GAP: &str = "{client}";
/// Leaves the client ids enough of the topic.
const TEMPLATE_MAX: usize = 1_024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_fills_one_level() {
        let topic = NoticeTopic::default();
        for (client, expected) in [
            ("pump-7", "$presence/pump-7"),
            ("a/b+c#d%e", "$presence/a%2Fb%2Bc%23d%25e"),
            ("\n\u{85}ü", "$presence/%0A%C2%85ü"),
        ] {
            assert_eq!(topic.fill(client).as_deref(), Some(expected));
        }
        assert_eq!(topic.fill(&"a".repeat(65_526)), None);
        assert!(topic.fill(&"a".repeat(65_525)).is_some());
        let fixed = NoticeTopic::read("notices").expect("it is one");
        assert_eq!(fixed.fill("a/b").as_deref(), Some("notices"));
    }

    #[test]
    fn nobody_else_publishes_where_notices_are() {
        for (template, topic, covered) in [
            ("n/{client}/x", "n/a/x", true),
            ("n/{client}/x", "n/a/b/x", true),
            ("n/{client}/x", "n/a/y", false),
            ("n/{client}", "n", false),
            ("n", "n", true),
            ("n", "n/a", false),
        ] {
            let template = NoticeTopic::read(template).expect("it is one");
            assert_eq!(template.covers(topic), covered, "{template:?} {topic}");
        }
    }

    #[test]
    fn what_is_no_topic_is_refused() {
        for text in ["", "{client}", "a/+", "#", "{client}/{client}", "$SYS/{client}", "$share/a/b"]
        {
            assert!(NoticeTopic::read(text).is_err(), "{text}");
        }
    }
}
