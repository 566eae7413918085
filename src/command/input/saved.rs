//! Messages of MQTT as a subscriber saved them: whose each is, its topic tells.

use super::format::{Format, ambiguous_message};
use super::{Input, Place, Stopped};
use crate::command::hear::voice_of;
use crate::dialect::envelope::{Published, open_published};
use crate::dialect::{Dialect, Dialects, Message, Reading, Reason};
use crate::event::Timestamp;
use crate::failure::Failure;
use std::fmt;

/// A file of them, with what must be remembered while it is read.
#[derive(Debug)]
pub(super) struct Saved {
    dialects: Dialects,
    /// Those that were heard, by index.
    heard: Vec<usize>,
}

impl Saved {
    const fn new(dialects: Dialects) -> Self {
        Self { dialects, heard: Vec::new() }
    }
}

impl fmt::Display for Saved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut titles =
            self.heard.iter().filter_map(|index| self.dialects.get(*index)).map(Dialect::title);
        let Some(first) = titles.next() else { return f.write_str("messages of MQTT") };
        f.write_str(first)?;
        titles.try_for_each(|title| write!(f, " and {title}"))?;
        f.write_str(" in MQTT messages")
    }
}

impl Input {
    /// Returns the file of which this is the first message that tells, if it is on the topic of a dialect, and
    /// in any case where it is the `last` that may tell.
    pub(super) fn saved(
        &mut self,
        line: &[u8],
        name: &str,
        last: bool,
    ) -> Result<Option<Format>, Stopped> {
        let Some((published, body)) = open_published(line) else { return Ok(None) };
        let dialects = || self.terms.dialects(self.zone.as_ref()).map_err(Failure::misuse);
        let mut tried = dialects()?;
        let (index, reading) = tried.read(&message_of(&published, &body, self.now, 0));
        let is_told = match (index.and_then(|index| tried.get(index)), reading) {
            // Without a time of arrival there is none to stand in for local time.
            (Some(Dialect::Mosquitto(_)), _) => published.arrived.is_some(),
            (Some(_), _) => true,
            (None, Reading::Malformed(malformed)) if malformed.reason == Reason::Ambiguous => {
                return Err(Stopped::Refused(ambiguous_message(name, &malformed.detail)));
            }
            (None, _) => last,
        };
        if !is_told {
            return Ok(None);
        }
        let saved = Saved::new(dialects()?);
        let instance = self.instance.clone();
        self.broker(&instance);
        Ok(Some(Format::Saved(saved)))
    }

    pub(super) fn saved_line(
        &mut self,
        saved: &mut Saved,
        line: &[u8],
        name: &str,
        number: u64,
    ) -> Result<(), Failure> {
        self.tie += 1;
        let Some((published, body)) = open_published(line) else {
            return self.set_aside(Reason::Unreadable, name, number, "no message of MQTT");
        };
        let message = message_of(&published, &body, self.now, self.tie);
        let (index, reading) = saved.dialects.read(&message);
        if let Some(index) = index.filter(|index| !saved.heard.contains(index)) {
            saved.heard.push(index);
            let voice = voice_of(&saved.dialects, Some(index));
            let broker = self.brokers.get_mut(&self.instance).expect("made with the format");
            broker.presence.coverage_mut().hear_whole(voice.name);
        }
        let voice = voice_of(&saved.dialects, index);
        self.plain_reading(&message, &reading, voice, &Place { name, number })
    }
}

/// Returns it as it came. Where nobody noted when that was, it is as if it had come at `now`.
fn message_of<'a>(
    published: &'a Published,
    payload: &'a [u8],
    now: Timestamp,
    tie: u64,
) -> Message<'a> {
    let Published { topic, qos, retain, arrived } = published;
    Message {
        topic,
        payload,
        tag: None,
        qos: *qos,
        retain: *retain,
        received: arrived.unwrap_or(now),
        tie,
    }
}
