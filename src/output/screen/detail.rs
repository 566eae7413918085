//! One client in full: what is believed and why, its last connections, and when it was there.

use crate::event::Timestamp;
use crate::output::explain::{Case, explanation};
use crate::output::number::counted;
use crate::output::sanitize::sanitize;
use crate::output::strip::{History, SPANS, Signs};
use crate::output::style::{Style, Tone};
use crate::output::time::{Zone, duration_ms};
use crate::output::verdict::tone;
use crate::state::fleet::{Fleet, Opinion};
use crate::state::judge::{Condition, Judged, how_ended};
use crate::state::policy::Policy;
use crate::state::record::Record;
use crate::state::slot::Mention;
use crate::state::verdict::Verdict;
use std::cmp::Reverse;
use std::fmt::Write as _;

/// Lines with their tones. Foreign values in them are sanitised.
pub(super) type Lines = Vec<(String, Tone)>;

/// What is known about one client.
#[derive(Clone, Copy, Debug)]
pub(super) struct Detail<'a> {
    pub instance: &'a str,
    pub client: &'a str,
    /// Holds nothing but this client and who listened to it.
    pub fleet: &'a Fleet,
    pub policy: &'a Policy,
    pub now: Timestamp,
    /// Which of the spans the strip shows; `None` for one that fits.
    pub span: Option<usize>,
    pub changes: u32,
    /// Of the times.
    pub zone: Zone,
}

impl Detail<'_> {
    /// Returns the lines, and which of the spans the strip shows if there is one.
    pub fn lines(&self, columns: u16, signs: Signs) -> (Lines, Option<usize>) {
        let Self { fleet, policy, now, .. } = *self;
        let verdict = fleet.verdict(self.client, now, policy);
        let voices = fleet.clients.find(self.client).map(|place| fleet.clients.at(place).voices());
        let voices = voices.unwrap_or_default();
        let opinions = fleet.opinions(&voices, now, policy);
        let mut lines = self.heading(&verdict, columns);
        let mut span = None;
        if let Some(deciding) = deciding(&opinions, &verdict) {
            let (strip, drawn) = self.timeline(deciding, columns, signs);
            span = Some(drawn);
            lines.extend(strip);
            lines.extend(channels(deciding, self));
        }
        lines.push((String::new(), Tone::Plain));
        lines.extend(self.explanation(&verdict, columns));
        (lines, span)
    }

    /// The whole id if it is not a very long one, and the state with its age.
    fn heading(&self, verdict: &Verdict, columns: u16) -> Lines {
        let room = usize::from(columns.max(1)) * ID_LINES_MAX;
        let mut state = verdict.status.word().to_owned();
        if let Some(since) = verdict.since {
            let _ = write!(state, " for {}", duration_ms(self.now.since(since)));
        }
        if let Some(known) = &verdict.last_known {
            let _ = write!(state, ", was {}", known.status.word());
        }
        let _ = write!(state, " · {} seen", counted(self.changes.into(), "change"));
        vec![(sanitize(self.client, room).into_owned(), Tone::Bold), (state, tone(verdict.status))]
    }

    fn timeline(&self, opinion: &Opinion<'_, '_>, columns: u16, signs: Signs) -> (Lines, usize) {
        let history = History {
            sessions: sessions(&opinion.judgement.channels),
            holes: holes(self.fleet, opinion),
            known_from: None,
        };
        let chosen = self.span.unwrap_or_else(|| history.span(self.now)).min(SPANS.len() - 1);
        let (name, span_ms) = SPANS[chosen];
        let Signs { online, partly, offline, hole } = signs;
        let mut lines = vec![
            (String::new(), Tone::Plain),
            (history.strip(self.now, span_ms, columns, signs), tone(opinion.judgement.status)),
            (
                format!(
                    "{name} ago until now · {online} online {partly} in part {offline} offline {hole} hole"
                ),
                Tone::Dim,
            ),
        ];
        if let Some((from, to)) = history.holes.iter().max_by_key(|(_, to)| *to) {
            let length = duration_ms(to.since(*from));
            lines.push((format!("last hole: {}, {length}", self.zone.time(*from)), Tone::Dim));
        }
        (lines, chosen)
    }

    fn explanation(&self, verdict: &Verdict, columns: u16) -> Lines {
        let case = Case {
            instance: self.instance,
            verdict,
            fleet: self.fleet,
            policy: self.policy,
            now: self.now,
            answers: &[],
            asked: &[],
            elsewhere: &[],
        };
        // The first line is the verdict, which stands above.
        let text = explanation(&case, Style::PLAIN.in_zone(self.zone), Some(columns));
        text.lines().skip(1).map(|line| (line.to_owned(), Tone::Plain)).collect()
    }
}

/// Returns the opinion that the verdict rests on.
fn deciding<'a, 'b, 'c>(
    opinions: &'c [Opinion<'a, 'b>],
    verdict: &Verdict,
) -> Option<&'c Opinion<'a, 'b>> {
    let name = verdict.voice.as_deref();
    let named = opinions.iter().find(|opinion| Some(opinion.voice.key.name) == name);
    named.or_else(|| opinions.first())
}

fn sessions(channels: &[Judged<'_>]) -> Vec<(Timestamp, Option<Timestamp>)> {
    let openings: Vec<Timestamp> =
        channels.iter().filter_map(|channel| channel.opening.time()).collect();
    let session = |channel: &Judged<'_>| {
        let end = channel.end().time().or(channel.restarted);
        let opened = channel.opening.time().or(end)?;
        // An end that nobody reported: the newer connection is one.
        let newer = || openings.iter().copied().filter(|other| *other > opened).min();
        match (end, channel.condition) {
            (None, Condition::Ended) => Some((opened, Some(newer().unwrap_or(opened)))),
            (None, _) if channel.superseded => Some((opened, newer())),
            _ => Some((opened, end)),
        }
    };
    channels.iter().filter_map(session).collect()
}

fn holes(fleet: &Fleet, opinion: &Opinion<'_, '_>) -> Vec<(Timestamp, Timestamp)> {
    let voice = opinion.voice.key.name;
    let sources = fleet.coverage.sources().filter(|(key, _)| key.voice == voice);
    let members = sources.flat_map(|(_, source)| source.members.values());
    members.flat_map(|member| &member.holes).map(|hole| (hole.from, hole.to)).collect()
}

/// The last connections, the newest first: when each began and said goodbye, when and how it ended,
/// and from where it came.
fn channels(opinion: &Opinion<'_, '_>, detail: &Detail<'_>) -> Lines {
    let judged = &opinion.judgement.channels;
    let mut order: Vec<usize> = (0..judged.len()).collect();
    order.sort_by_key(|at| Reverse(opinion.voice.records.get(*at).map(Record::rank)));
    let mut lines = vec![
        (String::new(), Tone::Plain),
        (format!("last connections, by {}:", opinion.voice.key.name), Tone::Bold),
    ];
    lines.extend(order.into_iter().map(|at| channel(judged, at, detail)));
    lines
}

fn channel(channels: &[Judged<'_>], at: usize, detail: &Detail<'_>) -> (String, Tone) {
    let &Detail { policy, zone, .. } = detail;
    let channel = &channels[at];
    let mut parts = vec![mention("opened", &channel.opening, zone)];
    if channel.farewell.is_there() {
        parts.push(mention("goodbye", &channel.farewell, zone));
    }
    if channel.closed.is_there() {
        parts.push(mention("closed", &channel.closed, zone));
    }
    let state = match channel.condition {
        _ if !channel.is_live() => how_ended(channels, at, policy).word(),
        Condition::Closing => "closing",
        _ => "open",
    };
    parts.push(state.to_owned());
    let address = channel.opening.observation().map_or("", |opening| opening.address);
    for (label, value) in [("from", Some(address)), ("channel", channel.channel.name())] {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            parts.push(format!("{label} {}", sanitize(value, VALUE_MAX)));
        }
    }
    let tone = if channel.is_live() { Tone::Online } else { Tone::Plain };
    (format!("  {}", parts.join(" · ")), tone)
}

fn mention(word: &str, mention: &Mention<'_>, zone: Zone) -> String {
    match mention {
        Mention::At(observation) => format!("{word} {}", zone.time(observation.time)),
        Mention::Untimed => format!("{word} at an unknown time"),
        Mention::Absent => format!("never heard to be {word}"),
    }
}

const ID_LINES_MAX: usize = 3;
const VALUE_MAX: usize = 60;
