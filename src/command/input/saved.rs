//! Messages of MQTT as a subscriber saved them: whose each is, its topic tells.

use super::course::stamps;
use super::format::{Format, ambiguous_message};
use super::{Input, Stopped};
use crate::command::hear::voice_of;
use crate::dialect::envelope::{Published, open_published};
use crate::dialect::{Dialect, Dialects, Message, Reading, Reason};
use crate::event::Timestamp;
use crate::failure::Failure;
use std::borrow::Cow;
use std::fmt;

/// A file of them, with what must be remembered while it is read.
#[derive(Debug)]
pub(super) struct Saved {
    dialects: Dialects,
    /// Those that were heard, by index.
    heard: Vec<usize>,
    /// As `-v` prints them; else one JSON object each.
    is_printed: bool,
}

impl Saved {
    const fn new(dialects: Dialects, is_printed: bool) -> Self {
        Self { dialects, heard: Vec::new(), is_printed }
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
        let dialects = || self.terms.dialects(self.zone.as_ref()).map_err(Failure::misuse);
        let mut tried = dialects()?;
        let object = open_published(line);
        let is_object = object.is_some();
        let Some((published, body)) = object.or_else(|| printed(line, &tried)) else {
            return Ok(None);
        };
        let (index, reading) = tried.read(&message_of(&published, &body, self.now, 0));
        let is_told = match (index.and_then(|index| tried.get(index)), reading) {
            // Without a time of arrival there is none to stand in for local time.
            (Some(Dialect::Mosquitto(_)), reading) if published.arrived.is_none() => {
                stamps(&reading).any(|time| time != self.now)
            }
            (Some(_), Reading::Events(events)) => is_object || events.iter().next().is_some(),
            (Some(_), _) => is_object,
            (None, Reading::Malformed(malformed)) if malformed.reason == Reason::Ambiguous => {
                return Err(Stopped::Refused(ambiguous_message(name, &malformed.detail)));
            }
            (None, _) => last && is_object,
        };
        if !is_told {
            return Ok(None);
        }
        let saved = Saved::new(dialects()?, !is_object);
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
        let message =
            if saved.is_printed { printed(line, &saved.dialects) } else { open_published(line) };
        let Some((published, body)) = message else {
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
        self.plain_reading(&message, &reading, voice, &self.place(name, number))
    }
}

/// Returns the message of a line as `mosquitto_sub -v` prints it: the topic, a blank and the payload. Topics hold
/// blanks where ids do, so it ends where somebody listens, and before an object where there is one.
fn printed<'a>(line: &'a [u8], dialects: &Dialects) -> Option<(Published, Cow<'a, [u8]>)> {
    let text = str::from_utf8(line).ok()?.trim_end_matches(['\r', '\n']);
    let places = || text.match_indices(' ').take(BLANKS_MAX).map(|(at, _)| text.split_at(at));
    let mut listened = places().filter(|(topic, _)| dialects.listen_at(topic));
    let first = listened.next();
    let before_object = first.into_iter().chain(listened).find(|(_, rest)| rest.starts_with(" {"));
    let (topic, rest) = before_object.or(first).or_else(|| places().next())?;
    let published = Published { topic: topic.to_owned(), qos: 0, retain: false, arrived: None };
    Some((published, Cow::Borrowed(rest.get(1..)?.as_bytes())))
}

/// Blanks that are looked at.
const BLANKS_MAX: usize = 64;

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
