//! What a dialect reads of single messages, shown one by one.

use super::number::counted;
use super::sanitize::sanitize;
use super::time::Zone;
use crate::dialect::{Malformed, Message, Reading, Remark};
use crate::event::{Channel, ChannelEvent, Event, Stamp};
use serde::Serialize;
use std::fmt::Write as _;

/// A message and what was read of it.
#[derive(Clone, Copy, Debug)]
pub struct Read<'a> {
    pub line: u64,
    pub message: &'a Message<'a>,
    /// The sample says when it arrived.
    pub has_arrival: bool,
    pub reading: &'a Reading<'a>,
}

/// The same, as `--json` prints it.
#[derive(Serialize, Debug)]
pub struct ReadingObject<'a> {
    r#type: &'static str,
    line: u64,
    topic: Option<&'a str>,
    reading: &'static str,
    events: Vec<EventObject<'a>>,
    remark: Option<&'static str>,
    reason: Option<&'static str>,
    detail: Option<&'a str>,
    client: Option<&'a str>,
    flags: Vec<&'static str>,
}

#[derive(Serialize, Debug)]
struct EventObject<'a> {
    kind: &'static str,
    client: Option<&'a str>,
    channel: Option<&'a str>,
    strong: bool,
    at_ms: Option<i64>,
    dated: Option<&'static str>,
    address: Option<&'a str>,
    standing: bool,
    flags: Vec<&'static str>,
}

/// How many messages there were, and what was read of them.
#[derive(Serialize, Clone, Debug)]
pub struct ReadingsObject<'a> {
    r#type: &'static str,
    dialect: &'a str,
    messages: u64,
    events: u64,
    /// Understood, and nothing to do with presence.
    without_event: u64,
    not_mine: u64,
    pub malformed: u64,
    /// Lines of a recording that are no messages.
    skipped: u64,
}

impl<'a> ReadingsObject<'a> {
    #[must_use]
    pub const fn new(dialect: &'a str) -> Self {
        let (messages, events, without_event) = (0, 0, 0);
        let (not_mine, malformed, skipped) = (0, 0, 0);
        let r#type = "readings";
        Self { r#type, dialect, messages, events, without_event, not_mine, malformed, skipped }
    }

    pub fn count(&mut self, reading: &Reading<'_>) {
        self.messages += 1;
        match reading {
            Reading::NotMine => self.not_mine += 1,
            Reading::Malformed(_) => self.malformed += 1,
            Reading::Events(events) => {
                let count = events.iter().count() as u64;
                self.events += count;
                self.without_event += u64::from(count == 0);
            }
        }
    }

    pub const fn skip(&mut self) {
        self.skipped += 1;
    }

    /// Returns the sums for people.
    #[must_use]
    pub fn text(&self) -> String {
        let mut parts = vec![counted(self.messages, "message"), counted(self.events, "event")];
        for (count, what) in [
            (self.without_event, "without an event"),
            (self.not_mine, "not its business"),
            (self.malformed, "malformed"),
            (self.skipped, "skipped"),
        ] {
            if count > 0 {
                parts.push(format!("{} {what}", super::number::grouped(count)));
            }
        }
        parts.join(" · ") + "\n"
    }
}

impl<'a> Read<'a> {
    #[must_use]
    pub fn object(&self) -> ReadingObject<'a> {
        let topic = self.message.topic;
        let mut object = ReadingObject {
            r#type: "reading",
            line: self.line,
            topic: (!topic.is_empty()).then_some(topic),
            reading: "not-mine",
            events: Vec::new(),
            remark: None,
            reason: None,
            detail: None,
            client: None,
            flags: Vec::new(),
        };
        match self.reading {
            Reading::NotMine => {}
            Reading::Malformed(Malformed { reason, client, detail }) => {
                object.reading = "malformed";
                object.reason = Some(reason.code());
                object.detail = Some(detail);
                if let Some((client, flags)) = client {
                    object.client = Some(client);
                    object.flags = flags.codes().collect();
                }
            }
            Reading::Events(events) => {
                object.reading = "events";
                object.events = events.iter().map(|event| self.event(event)).collect();
                object.remark = events.remark.map(remark_word);
            }
        }
        object
    }

    fn event<'e>(&self, event: &'e Event<'_>) -> EventObject<'e> {
        let dated = |stamp: Option<Stamp>| stamp.map(|stamp| self.dated(stamp));
        let at_ms = |stamp: Option<Stamp>| {
            let is_known = |stamp: &Stamp| self.has_arrival || self.dated(*stamp) == MESSAGE;
            stamp.filter(is_known).map(|stamp| stamp.time.0)
        };
        match event {
            Event::Restarted(stamp) => EventObject {
                kind: "restarted",
                client: None,
                channel: None,
                strong: false,
                at_ms: at_ms(*stamp),
                dated: dated(*stamp),
                address: None,
                standing: false,
                flags: Vec::new(),
            },
            Event::Channel(event) => EventObject {
                kind: event.kind.word(),
                client: Some(&event.client),
                channel: event.channel.name(),
                strong: event.channel.is_strong(),
                at_ms: at_ms(event.stamp),
                dated: dated(event.stamp),
                address: (!event.address.is_empty()).then_some(&*event.address),
                standing: event.standing,
                flags: event.flags.codes().collect(),
            },
        }
    }

    /// Tells whether a stamp is the message's own.
    fn dated(&self, stamp: Stamp) -> &'static str {
        if stamp == self.message.arrival() { ARRIVAL } else { MESSAGE }
    }

    /// Returns the same for people: the message, and below it what it says.
    #[must_use]
    pub fn text(&self, zone: Zone) -> String {
        let topic = match self.message.topic {
            "" => "a line without a topic".into(),
            topic => sanitize(topic, COLUMNS_MAX),
        };
        let mut text = format!("line {}: {topic}\n", self.line);
        // Writing to memory cannot fail.
        let mut say = |said: &str| {
            let _ = writeln!(text, "  {said}");
        };
        match self.reading {
            Reading::NotMine => say("not its business"),
            Reading::Malformed(malformed) => {
                let client = malformed.client.as_ref().map_or_else(String::new, |(client, _)| {
                    format!(", of {}", sanitize(client, COLUMNS_MAX))
                });
                let detail = sanitize(&malformed.detail, DETAIL_MAX);
                say(&format!("malformed, {}{client}: {detail}", malformed.reason.code()));
            }
            Reading::Events(events) => {
                for event in events.iter() {
                    match event {
                        Event::Restarted(_) => say("restarted"),
                        Event::Channel(event) => say(&self.in_words(event, zone)),
                    }
                }
                match events.remark {
                    Some(remark) => say(remark_word(remark)),
                    None if events.iter().next().is_none() => say("nothing"),
                    None => {}
                }
            }
        }
        text
    }

    fn in_words(&self, event: &ChannelEvent<'_>, zone: Zone) -> String {
        let shown = |text: &str| sanitize(text, COLUMNS_MAX).into_owned();
        let mut words = format!("{} {}", event.kind.word(), shown(&event.client));
        let channel = match &event.channel {
            Channel::Strong(name) => format!(", channel {}", shown(name)),
            Channel::Weak(Some(name)) => format!(", weak channel {}", shown(name)),
            Channel::Weak(None) => String::new(),
        };
        words.push_str(&channel);
        match event.stamp {
            None => words.push_str(", without a time"),
            Some(stamp) if self.dated(stamp) == ARRIVAL => words.push_str(", at its arrival"),
            Some(stamp) => {
                let _ = write!(words, ", {}", zone.time(stamp.time));
            }
        }
        if !event.address.is_empty() {
            let _ = write!(words, ", from {}", shown(&event.address));
        }
        if event.standing {
            words.push_str(", retained");
        }
        for flag in event.flags.codes() {
            let _ = write!(words, ", {flag}");
        }
        words
    }
}

const fn remark_word(remark: Remark) -> &'static str {
    match remark {
        Remark::TakeOver => "taken-over",
        Remark::Refused => "refused",
        Remark::LateEnd => "late-end",
        Remark::UnknownEnd => "unknown-end",
        Remark::Cleared => "removed",
    }
}

const MESSAGE: &str = "message";
const ARRIVAL: &str = "arrival";

/// Columns of one foreign text.
const COLUMNS_MAX: usize = 120;
const DETAIL_MAX: usize = 200;
