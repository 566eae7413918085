//! Dialects that are described in a file instead of in code: which topics, and where in a message stands
//! who it is about and what happened. The conventions of common devices are such files themselves
//! (`src/dialect/conventions`); the format is in `docs/custom-dialects.md`.
//!
//! A description is a person's own, a message a stranger's: regular expressions take linear time, and
//! everything that is made of a message is bounded by its length.

mod fields;
mod file;
mod known;
mod topics;

pub use file::FILE_MAX;
pub use known::{CONVENTIONS, convention, custom, facts, find};

use super::facts::{Dated, Facts};
use super::plain::ending;
use super::pointer::Wanted;
use super::{Events, Malformed, Message, PAYLOAD_MAX, Reading, Reason, Remark, excerpt, trimmed};
use crate::event::{Channel, ChannelEvent, Event, EventKind, Flags, Stamp};
use fields::{Field, Found, Unit};
use regex::Regex;
use std::borrow::Cow;
use topics::Topic;

/// A dialect as a file describes it.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "facts of their own, not states of one thing")]
pub struct Described {
    pub name: String,
    pub title: String,
    /// It is the broker that speaks, not the devices of themselves.
    pub is_brokers: bool,
    pub authority: u8,
    pub channels: Channels,
    /// Tells a goodbye from any other end.
    pub goodbyes: bool,
    /// Tells the end of a connection that was taken over.
    pub takeovers: bool,
    /// Where it listens.
    pub filters: Vec<String>,
    is_kept: bool,
    enable: String,
    rules: Vec<Rule>,
}

/// How its messages name connections: all of them in one way, or none does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Channels {
    /// By a name that is never given twice.
    Strong,
    /// By a stand-in that comes back.
    Weak,
    None,
}

/// One table `[[message]]`: what messages of some topics mean.
#[derive(Debug)]
struct Rule {
    topics: Vec<Topic>,
    /// What a payload must look like; its groups are parts of the message.
    regex: Option<Regex>,
    /// `None` where no client is ever told of.
    client: Option<Field>,
    says: Says,
    channel: Option<Field>,
    time: Option<(Field, Unit)>,
    address: Option<Field>,
    /// What an end was for, with what it then is instead.
    reason: Option<(Field, Words)>,
    /// Where all these look into JSON.
    wanted: Wanted,
}

/// Words with what they stand for.
type Words = Vec<(String, Told)>;

/// What happened.
#[derive(Debug)]
enum Says {
    /// The topic alone tells.
    Always(Told),
    Word {
        word: Field,
        events: Words,
        /// What any other word means; `None`: nobody announced it.
        otherwise: Option<Told>,
    },
}

/// What a word stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Told {
    Opened,
    Seen,
    Farewell,
    Closed,
    /// A goodbye and the end at once.
    Left,
    TakenOver,
    Refused,
    Removed,
    Nothing,
}

impl Told {
    const ALL: [(&'static str, Self); 9] = [
        ("opened", Self::Opened),
        ("seen", Self::Seen),
        ("farewell", Self::Farewell),
        ("closed", Self::Closed),
        ("left", Self::Left),
        ("taken-over", Self::TakenOver),
        ("refused", Self::Refused),
        ("removed", Self::Removed),
        ("nothing", Self::Nothing),
    ];

    /// Returns what happened to a connection, and whether with a goodbye; or what else there is to count.
    const fn kind(self) -> Result<(EventKind, bool), Option<Remark>> {
        match self {
            Self::Opened => Ok((EventKind::Opened, false)),
            Self::Seen => Ok((EventKind::Seen, false)),
            Self::Farewell => Ok((EventKind::Farewell, false)),
            Self::Closed => Ok((EventKind::Closed, false)),
            Self::Left => Ok((EventKind::Closed, true)),
            Self::TakenOver => Err(Some(Remark::TakeOver)),
            Self::Refused => Err(Some(Remark::Refused)),
            Self::Removed => Err(Some(Remark::Cleared)),
            Self::Nothing => Err(None),
        }
    }
}

impl Described {
    /// Tells whether a message of this topic is its business.
    #[must_use]
    pub fn speaks_at(&self, topic: &str) -> bool {
        self.rules.iter().any(|rule| rule.topics.iter().any(|one| one.matches(topic)))
    }

    /// Returns what is known about it before anything is heard.
    fn facts(&'static self) -> Facts {
        let times = || self.rules.iter().filter_map(|rule| rule.time.as_ref());
        let dated = match times().next() {
            None => Dated::Arrival,
            Some(_) if times().all(|(_, unit)| *unit == Unit::Seconds) => Dated::Seconds,
            Some(_) => Dated::Milliseconds,
        };
        let key = self.rules.iter().find_map(|rule| rule.channel.as_ref()).map(Field::name);
        let (is_kept, enable) = (self.is_kept, &self.enable);
        Facts { name: &self.name, mark: "a topic of its file", key, dated, is_kept, enable }
    }

    /// Reads one message.
    ///
    /// Shape: as the first table says that has its topic, and whose `regex` fits. A line of a file has no
    /// topic: there the first table counts that can make something of it.
    /// Units: those of the file; without a time the arrival is the stamp.
    /// Errors: `Malformed` for a payload beyond the bound, one that is no text where text is asked for, a
    /// word that the file does not have, a client or a channel that is not there, tried in this order.
    #[must_use]
    pub fn read<'a>(&self, message: &Message<'a>) -> Reading<'a> {
        let is_line = message.topic.is_empty();
        let mut first = None;
        for rule in &self.rules {
            let topic = rule.topics.iter().find_map(|topic| topic.parts(message.topic));
            if topic.is_none() && !is_line {
                continue;
            }
            if message.payload.len() > PAYLOAD_MAX {
                return Reading::Malformed(Malformed::too_long(message.payload));
            }
            let text = str::from_utf8(message.payload).ok();
            let groups = match (&rule.regex, text) {
                (None, _) => None,
                (Some(regex), Some(text)) => match regex.captures(text) {
                    Some(groups) => Some(groups),
                    // An empty payload takes away what was retained, whatever others look like.
                    None if text.is_empty() => None,
                    None => {
                        let detail = format!("no `regex` fits `{}`", excerpt(message.payload));
                        first.get_or_insert(Malformed::new(Reason::Unreadable, detail));
                        continue;
                    }
                },
                (Some(_), None) => {
                    first.get_or_insert(no_text(message.payload));
                    continue;
                }
            };
            let found = Found::new(topic, groups, text, &rule.wanted);
            match rule.read(message, &found, self.channels) {
                Reading::Malformed(malformed) if is_line => {
                    first.get_or_insert(malformed);
                }
                reading => return reading,
            }
        }
        first.map_or(Reading::NotMine, Reading::Malformed)
    }
}

impl Rule {
    /// Notes where its fields look into JSON, so that a payload need not be read for each of them.
    fn with_wanted(mut self) -> Self {
        let word = match &self.says {
            Says::Word { word, .. } => Some(word),
            Says::Always(_) => None,
        };
        let (time, reason) = (self.time.as_ref(), self.reason.as_ref());
        let fields = [self.client.as_ref(), word, self.channel.as_ref(), self.address.as_ref()];
        let fields = fields.into_iter().chain([time.map(|one| &one.0), reason.map(|one| &one.0)]);
        self.wanted = Wanted::new(fields.flatten().flat_map(Field::pointers));
        self
    }

    fn read<'a>(
        &self,
        message: &Message<'a>,
        found: &Found<'_, 'a>,
        channels: Channels,
    ) -> Reading<'a> {
        let client = || self.client.as_ref()?.fill(found).filter(|client| !client.is_empty());
        let set_aside = |malformed| {
            let client = client().map(|client| (client, Flags::NONE));
            Reading::Malformed(Malformed { client, ..malformed })
        };
        let mut told = match &self.says {
            Says::Always(told) => *told,
            Says::Word { events, .. }
                if message.payload.is_empty() && find_word(events, "").is_none() =>
            {
                Told::Removed
            }
            Says::Word { word, events, otherwise } => {
                let Some(word) = word.fill(found) else {
                    return set_aside(without_word(word, found, message.payload));
                };
                let Some(told) = find_word(events, &word).or(*otherwise) else {
                    let detail = format!("word `{}`", excerpt(word.as_bytes()));
                    return set_aside(Malformed::new(Reason::UnknownEvent, detail));
                };
                told
            }
        };
        if let (Told::Closed, Some((reason, reasons))) = (told, &self.reason) {
            let reason = reason.fill(found);
            told = reason.and_then(|reason| find_word(reasons, &reason)).unwrap_or(told);
        }
        let (kind, is_goodbye) = match told.kind() {
            Ok(kind) => kind,
            Err(remark) => return Reading::Events(Events { remark, ..Events::default() }),
        };
        let Some(client) = client() else {
            let detail = format!("no client in `{}`", excerpt(message.payload));
            return Reading::Malformed(Malformed::new(Reason::ClientMissing, detail));
        };
        let Some(channel) = self.channel(found, channels) else {
            let key = self.channel.as_ref().map_or("channel", |field| field.name());
            let shown = excerpt(message.payload);
            let detail = format!("no `{key}`, so no connection is named, in `{shown}`");
            let client = Some((client, Flags::CHANNEL_MISSING));
            let malformed = Malformed::new(Reason::Unreadable, detail);
            return Reading::Malformed(Malformed { client, ..malformed });
        };
        let (stamp, flags) = self.stamp(message, found, channels);
        let mut event = ChannelEvent::new(client, channel, kind, stamp);
        event.flags = flags;
        event.address =
            self.address.as_ref().and_then(|field| field.fill(found)).unwrap_or_default();
        // A message with a time of its own says since when things stand so.
        event.standing = message.retain && self.time.is_none();
        if kind == EventKind::Closed {
            return Reading::Events(ending(event, is_goodbye));
        }
        Reading::Events(Events::one(Event::Channel(event)))
    }

    fn channel<'a>(
        &self,
        found: &Found<'_, 'a>,
        channels: Channels,
    ) -> Option<Channel<Cow<'a, str>>> {
        let Some(field) = &self.channel else { return Some(Channel::Weak(None)) };
        let name = field.fill(found).filter(|name| !name.is_empty())?;
        Some(match channels {
            Channels::Strong => Channel::Strong(name),
            Channels::Weak | Channels::None => Channel::Weak(Some(name)),
        })
    }

    /// Returns the stamp, and what is odd about it. A time that should be there and is not is not replaced by
    /// the arrival: the two clocks may be hours apart.
    fn stamp(
        &self,
        message: &Message<'_>,
        found: &Found<'_, '_>,
        channels: Channels,
    ) -> (Option<Stamp>, Flags) {
        let Some((field, unit)) = &self.time else {
            return (Some(message.arrival()), Flags::NONE);
        };
        let Some(time) = field.fill(found) else { return (None, Flags::TIME_MISSING) };
        let Some(stamp) = unit.read(trimmed(&time)) else { return (None, Flags::TIME_INVALID) };
        // Where nothing but the stamps tells the events of a client apart, equal ones are told apart by
        // their order.
        let tie = if channels == Channels::Strong { 0 } else { message.tie };
        (Some(Stamp { tie, ..stamp }), Flags::NONE)
    }
}

/// Returns what a word means, compared without blanks around it and without ASCII case.
fn find_word(words: &[(String, Told)], word: &str) -> Option<Told> {
    let word = trimmed(word);
    words.iter().find(|(known, _)| known.eq_ignore_ascii_case(word)).map(|(_, told)| *told)
}

fn no_text(payload: &[u8]) -> Malformed<'static> {
    Malformed::new(Reason::Unreadable, format!("not UTF-8: `{}`", excerpt(payload)))
}

/// Tells why there is no word.
fn without_word(word: &Field, found: &Found<'_, '_>, payload: &[u8]) -> Malformed<'static> {
    if !found.is_text() {
        return no_text(payload);
    }
    let shown = excerpt(payload);
    if word.needs_json() && !found.is_json() {
        return Malformed::new(Reason::Unreadable, format!("not JSON: `{shown}`"));
    }
    let detail = format!("no word at {} in `{shown}`", word.shown());
    Malformed::new(Reason::UnknownEvent, detail)
}

#[cfg(test)]
mod tests;
