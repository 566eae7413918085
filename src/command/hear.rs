//! From a reading to the state: the step that watching, checking, replaying and importing share.

use crate::dialect::{Dialect, Dialects, Message, Reading, Reason, Remark};
use crate::event::{Event, EventKind, Timestamp};
use crate::failure::Failure;
use crate::output::metrics::EventCounts;
use crate::output::object::Summary;
use crate::output::warning::Warning;
use crate::source::mqtt::{Answer, Grant, Publish, SHARED};
use crate::state::fleet::Hearsay;
use crate::state::packed::VoiceKey;
use crate::state::presence::Presence;
use std::collections::BTreeMap;

/// Returns what a dialect reads of a message that came over MQTT. `tie` is its place in the order of arrival.
#[must_use]
pub fn message_of(publish: &Publish, received: Timestamp, tie: u64) -> Message<'_> {
    let Publish { topic, payload, qos, retain, origin, .. } = publish;
    let tag = origin.as_ref().and_then(|origin| origin.tag.as_deref());
    Message { topic, payload, tag, qos: *qos, retain: *retain, received, tie }
}

/// What was heard in a run, counted.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    pub events: u64,
    pub duplicates: u64,
    pub not_mine: u64,
    pub gaps: u64,
    /// The events, apart.
    pub kinds: EventCounts,
    malformed: BTreeMap<Reason, u64>,
    take_overs: u64,
    foreign_ends: u64,
    /// The first messages that were set aside: where they stood, and what was wrong.
    pub examples: Vec<String>,
}

/// How many of the messages set aside are shown.
pub const EXAMPLES_MAX: usize = 5;

impl Tally {
    pub fn malformed(&self) -> u64 {
        self.malformed.values().sum()
    }

    /// Returns why messages were set aside, and how many.
    pub fn reasons(&self) -> impl Iterator<Item = (Reason, u64)> {
        self.malformed.iter().map(|(reason, count)| (*reason, *count))
    }

    fn count(&mut self, voice: &str, event: &Event<'_>, is_new: bool) {
        let kind = match event {
            Event::Channel(event) => Some(event.kind),
            Event::Restarted(_) => None,
        };
        self.count_more(voice, kind, is_new, 1);
    }

    /// Counts so many events of a kind at once.
    pub fn count_more(&mut self, voice: &str, kind: Option<EventKind>, is_new: bool, count: u64) {
        self.kinds.count_more(voice, kind, is_new, count);
        self.events += count;
        self.duplicates += if is_new { 0 } else { count };
    }

    /// Counts a message that was set aside. `place` says where it stood.
    pub fn set_aside(&mut self, reason: Reason, place: &dyn std::fmt::Display, detail: &str) {
        *self.malformed.entry(reason).or_default() += 1;
        if self.examples.len() < EXAMPLES_MAX {
            let code = reason.code();
            let colon = if detail.is_empty() { "" } else { ": " };
            self.examples.push(format!("{place}: {code}{colon}{detail}"));
        }
    }

    /// Puts the counts into a summary.
    pub fn report(&self, summary: &mut Summary) {
        let of = |reason| self.malformed.get(&reason).copied().unwrap_or(0);
        summary.events += self.events;
        summary.duplicates += self.duplicates;
        summary.malformed += self.malformed();
        summary.unreadable += of(Reason::Unreadable);
        summary.client_missing += of(Reason::ClientMissing);
        summary.unknown_event += of(Reason::UnknownEvent);
        summary.ambiguous += of(Reason::Ambiguous);
        summary.not_mine += self.not_mine;
        summary.gaps += self.gaps;
        summary.take_overs += self.take_overs;
        summary.foreign_ends += self.foreign_ends;
    }
}

/// Takes what a message says into the state and counts it. Returns the greatest time that was
/// believed, and whether the broker was heard to start. `place` says where the message stood.
pub fn take(
    presence: &mut Presence,
    reading: &Reading<'_>,
    by: &Hearsay<'_>,
    place: &dyn std::fmt::Display,
    tally: &mut Tally,
) -> Heard {
    let mut heard = Heard::default();
    match reading {
        Reading::NotMine => tally.not_mine += 1,
        Reading::Malformed(malformed) => {
            if let Some((client, flags)) = &malformed.client {
                presence.handle_flag(client, by.voice, *flags);
            }
            tally.set_aside(malformed.reason, place, &malformed.detail);
        }
        Reading::Events(events) => {
            match events.remark {
                Some(Remark::TakeOver) => tally.take_overs += 1,
                Some(Remark::Refused | Remark::LateEnd | Remark::UnknownEnd) => {
                    tally.foreign_ends += 1;
                }
                Some(Remark::Cleared) | None => {}
            }
            match (&events.first, &events.second) {
                (Some(Event::Channel(first)), Some(Event::Channel(second)))
                    if first.client == second.client && events.more.is_empty() =>
                {
                    let news = presence.handle_both(first, second, by);
                    heard.news |= news.contains(&true);
                    for (event, is_new) in events.iter().zip(news) {
                        tally.count(by.voice.name, event, is_new);
                    }
                }
                _ => {
                    for event in events.iter() {
                        let is_new = presence.handle_event(event, by);
                        heard.news |= is_new;
                        tally.count(by.voice.name, event, is_new);
                    }
                }
            }
            for event in events.iter() {
                let (stamp, starts) = match event {
                    Event::Channel(event) => (event.stamp, false),
                    Event::Restarted(stamp) => (*stamp, true),
                };
                heard.restart |= starts;
                let is_believed = |time: &Timestamp| presence.policy().believes(*time, by.received);
                let believed = stamp.map(|stamp| stamp.time).filter(is_believed);
                heard.resolution = stamp.map_or(heard.resolution, |stamp| stamp.resolution);
                heard.latest = heard.latest.max(believed);
            }
        }
    }
    heard
}

/// What a message told about time.
#[derive(Clone, Copy, Debug, Default)]
pub struct Heard {
    pub latest: Option<Timestamp>,
    /// How coarse its stamps are, ms.
    pub resolution: u32,
    /// The broker was heard to start.
    pub restart: bool,
    /// It told something that was not known.
    pub news: bool,
}

/// Returns the voice of the dialect that answered; a message of none has a nameless, weakest one.
pub fn voice_of(dialects: &Dialects, index: Option<usize>) -> VoiceKey<'static> {
    let dialect = index.and_then(|index| dialects.get(index));
    dialect.map_or(VoiceKey { authority: 4, name: "" }, |dialect| VoiceKey {
        authority: dialect.authority(),
        name: dialect.name(),
    })
}

/// Returns at which QoS each voice is heard. `speaks_at` tells which filters carry a dialect's voice.
pub fn granted_voices(
    dialects: &Dialects,
    granted: &[Grant],
    speaks_at: impl Fn(&Dialect, &str) -> bool,
) -> Vec<(&'static str, u8)> {
    let voice = |dialect: &Dialect| {
        let answers = granted.iter().filter(|grant| speaks_at(dialect, &grant.filter));
        let qos = answers.filter_map(|grant| match grant.answer {
            Answer::Granted(qos) => Some(qos),
            Answer::Refused { .. } => None,
        });
        Some((dialect.name(), qos.min()?))
    };
    dialects.iter().filter_map(voice).collect()
}

/// Returns the failure if not one of the filters that matter was granted.
pub fn all_refused(
    granted: &[Grant],
    matters: impl Fn(&str) -> bool,
    broker: &str,
) -> Option<Failure> {
    let mut refused = None;
    for grant in granted.iter().filter(|grant| matters(&grant.filter)) {
        match &grant.answer {
            Answer::Granted(_) => return None,
            Answer::Refused { text, .. } => refused = refused.or(Some((&grant.filter, text))),
        }
    }
    let (filter, text) = refused?;
    Some(
        Failure::new(format!("could not subscribe to `{filter}` on {broker}"))
            .because(format!("the broker refused it ({text}), and all the others too"))
            .next(if filter.starts_with(SHARED) {
                "use an account that may share it, or leave `--share` out"
            } else {
                "use an account that may read it, or choose what to follow with `--dialect` and \
                 `--topic`"
            }),
    )
}

/// Returns what the user has to know of subscriptions that were not granted as wanted, each reason once.
pub fn shortfalls(granted: &[Grant], broker: &str) -> Vec<Warning> {
    let mut refused: Vec<(&str, Vec<String>)> = Vec::new();
    let mut lossy = Vec::new();
    for grant in granted {
        let filter = grant.filter.clone();
        match &grant.answer {
            Answer::Granted(0) => lossy.push(filter),
            Answer::Granted(_) => {}
            Answer::Refused { text, .. } => {
                match refused.iter_mut().find(|(cause, _)| cause == text) {
                    Some((_, filters)) => filters.push(filter),
                    None => refused.push((text, vec![filter])),
                }
            }
        }
    }
    let refused = refused.into_iter().map(|(cause, filters)| {
        let (broker, cause) = (broker.to_owned(), cause.to_owned());
        Warning::FiltersRefused { filters, broker, cause }
    });
    let lossy =
        (!lossy.is_empty()).then(|| Warning::Lossy { filters: lossy, broker: broker.to_owned() });
    refused.chain(lossy).collect()
}

/// Tells whether a message is about this tool's own connections and nobody else's: the watcher's, or
/// one that some other command of it made.
pub fn is_ours(reading: &Reading<'_>, own: &str) -> bool {
    let Reading::Events(events) = reading else { return false };
    let mut clients = events.iter().filter_map(|event| match event {
        Event::Channel(event) => Some(&*event.client),
        Event::Restarted(_) => None,
    });
    clients.next().is_some_and(|client| client == own || is_made_here(client))
}

/// Tells whether a client id is one that `random_client_id` makes, or a probe.
fn is_made_here(client: &str) -> bool {
    // Whoever made a probe may have wanted something before it.
    let probe = || Some(client.rsplit_once("presence-probe-")?.1);
    let rest = probe().or_else(|| client.strip_prefix("presence-"));
    rest.is_some_and(|rest| {
        rest.len() == 16 && rest.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
    })
}
