//! Why a verdict is what it is, in words and as JSON: the evidence of every voice, what decided, and
//! who was listening.

mod hints;
mod words;

pub use words::{meaning, remedy};

use super::sanitize::sanitize;
use super::style::Style;
use super::table::{Cell, Table};
use super::time::Zone;
use super::verdict::{ago, blindness, line, tone};
use crate::event::Timestamp;
use crate::state::answer::Answer;
use crate::state::fleet::{Fleet, Opinion};
use crate::state::judge::how_ended;
use crate::state::packed::Voice;
use crate::state::policy::Policy;
use crate::state::verdict::{Blind, Status, Verdict};
use serde::Serialize;
use std::fmt::Write as _;

/// What one voice says, as `check --json` prints it.
#[derive(Serialize, Clone, Debug, PartialEq, Eq)]
pub struct EvidenceObject {
    pub voice: String,
    pub authority: u8,
    pub state: &'static str,
    pub channel: Option<String>,
    pub since_ms: Option<i64>,
    pub address: Option<String>,
    pub how: Option<&'static str>,
    pub last_heard_ms: Option<i64>,
    pub covered: bool,
    /// Why it is not covered, for a person.
    pub uncovered_because: Option<String>,
}

/// What an API said about a client, as `check --json` prints it.
#[derive(Serialize, Clone, Debug, Default, PartialEq, Eq)]
pub struct AnswerObject {
    pub source: String,
    /// `None`: it answered, and cannot tell.
    pub online: Option<bool>,
    /// What the answer rests on, where that is less than the API's plain word; for a person.
    pub because: Option<String>,
    /// On our clock; all other times are on the broker's.
    pub asked_ms: i64,
    pub cached: bool,
    pub connected_ms: Option<i64>,
    pub disconnected_ms: Option<i64>,
    pub address: Option<String>,
    pub channel: Option<String>,
    pub keep_alive_s: Option<u64>,
    pub clean: Option<bool>,
    pub session: Option<bool>,
    pub protocol: Option<String>,
    pub user: Option<String>,
    pub node: Option<String>,
    pub reason: Option<String>,
    /// `None`: asked in this run. Else a watcher asked, and either somebody has listened ever since who would
    /// have heard that it is no longer so, or not.
    pub stands: Option<bool>,
    pub notes: Vec<String>,
}

impl AnswerObject {
    /// Returns an answer that a watcher was given.
    fn kept((answer, address): (Answer, Option<&str>)) -> Self {
        Self {
            source: answer.source,
            online: Some(answer.online),
            asked_ms: answer.at.0,
            cached: answer.cached,
            address: address.map(str::to_owned),
            stands: Some(answer.stands),
            ..Self::default()
        }
    }

    const fn says(&self) -> &'static str {
        match self.online {
            Some(true) => "online",
            Some(false) => "offline",
            None => "cannot tell",
        }
    }

    /// Returns what keeps one that answered from telling, if that is so.
    #[must_use]
    pub fn cannot_tell(&self) -> Option<String> {
        let because = self.because.as_deref().filter(|_| self.online.is_none())?;
        Some(format!("{} cannot tell: {}", sanitize(&self.source, 100), sanitize(because, 240)))
    }
}

/// Who listened, or whom could be asked, and what came of it.
#[derive(Serialize, Clone, Debug, PartialEq, Eq)]
pub struct AskedObject {
    pub source: &'static str,
    pub asked: bool,
    pub detail: String,
    /// What it cannot tell, and where it is known to be wrong; for a person.
    pub limits: &'static [&'static str],
}

/// Returns what each voice says about a client, the one that decides first.
#[must_use]
pub fn evidence(
    fleet: &Fleet,
    client: &str,
    now: Timestamp,
    policy: &Policy,
) -> Vec<EvidenceObject> {
    let Some(place) = fleet.clients.find(client) else { return Vec::new() };
    let voices = fleet.clients.at(place).voices();
    fleet.opinions(&voices, now, policy).iter().map(evidence_of).collect()
}

/// Returns what APIs said about a client: in this run, or, where they were not asked, to a watcher.
#[must_use]
pub fn answers(
    fleet: &Fleet,
    client: &str,
    now: Timestamp,
    policy: &Policy,
    given: &[AnswerObject],
) -> Vec<AnswerObject> {
    let known = fleet.clients.find(client).map(|place| fleet.clients.at(place).voices());
    let kept = fleet.kept_answers(&known.unwrap_or_default(), now, policy);
    let kept = kept.into_iter().map(AnswerObject::kept);
    let is_asked = |kept: &AnswerObject| given.iter().any(|other| other.source == kept.source);
    given.iter().cloned().chain(kept.filter(|kept| !is_asked(kept))).collect()
}

fn evidence_of(opinion: &Opinion<'_, '_>) -> EvidenceObject {
    let judgement = &opinion.judgement;
    EvidenceObject {
        voice: opinion.voice.key.name.to_owned(),
        authority: opinion.voice.key.authority,
        state: judgement.status.word(),
        channel: opinion.channel().map(str::to_owned),
        since_ms: judgement.since.map(|since| since.0),
        address: opinion.address().map(str::to_owned),
        how: judgement.how.map(crate::state::verdict::How::word),
        last_heard_ms: opinion.last_heard.map(|heard| heard.0),
        covered: opinion.coverage.is_ok(),
        uncovered_because: opinion
            .coverage
            .as_ref()
            .err()
            .map(|(blind, _)| blindness(blind, Zone::UTC)),
    }
}

/// Everything that explains one verdict.
#[derive(Clone, Copy, Debug)]
pub struct Case<'a> {
    pub instance: &'a str,
    pub verdict: &'a Verdict,
    pub fleet: &'a Fleet,
    pub policy: &'a Policy,
    pub now: Timestamp,
    /// Those of this run; what a watcher has kept stands in the fleet.
    pub answers: &'a [AnswerObject],
    pub asked: &'a [AskedObject],
    /// Other brokers that know the id.
    pub elsewhere: &'a [String],
}

/// Returns the explanation of one verdict, in lines.
#[must_use]
pub fn explanation(case: &Case<'_>, style: Style, columns: Option<u16>) -> String {
    let Case { verdict, fleet, now, policy, .. } = *case;
    let answers = answers(fleet, &verdict.client, now, policy, case.answers);
    let case = &Case { answers: &answers, ..*case };
    let mut text = format!("{}\n", line(verdict, style));
    let _ = writeln!(text, "  broker: {}", sanitize(case.instance, 100));
    let voices = case
        .fleet
        .clients
        .find(&verdict.client)
        .map(|place| case.fleet.clients.at(place).voices())
        .unwrap_or_default();
    let opinions = case.fleet.opinions(&voices, case.now, case.policy);
    let _ = writeln!(text, "  decided: {}", decided(verdict, &opinions, case, style.zone()));
    if let Some((heard, voice)) = &verdict.last_heard {
        let (time, age) = (style.time(*heard), ago(*heard, case.now));
        let _ = writeln!(text, "  last heard: {time} ({age}, broker's clock), by {voice}");
    }
    for sentence in last_channels(&opinions, case.policy, style.zone()) {
        let _ = writeln!(text, "  {sentence}");
    }
    for sentence in listeners(case, &voices, style.zone()) {
        let _ = writeln!(text, "  {sentence}");
    }
    for asked in case.asked {
        let mark = if asked.asked { "asked" } else { "not asked" };
        let detail = super::sanitize::guard(&asked.detail);
        let _ = writeln!(text, "  {mark}: {}: {detail}", asked.source);
        for limit in asked.limits {
            let _ = writeln!(text, "    limit: {limit}");
        }
    }
    for code in &verdict.anomalies {
        let _ = writeln!(text, "  {code}: {}", meaning(code));
        let _ = writeln!(text, "    next: {}", hints::next_step(code, verdict, &opinions));
    }
    for hint in hints::hints(verdict, case.answers) {
        let _ = writeln!(text, "  note: {hint}");
    }
    if !case.elsewhere.is_empty() {
        let names: Vec<_> = case.elsewhere.iter().map(|name| sanitize(name, 60)).collect();
        let _ = writeln!(text, "  known elsewhere: {}", names.join(", "));
    }
    if verdict.status == Status::Unknown {
        let _ = writeln!(text, "  what would help: {}", help(verdict));
    }
    if !case.answers.is_empty() {
        text.push_str("  clocks: when an API was asked is by ours, all else by the broker's\n");
    }
    if !opinions.is_empty() || !case.answers.is_empty() {
        text.push('\n');
        text.push_str(&table(&opinions, case.answers, style, columns));
    }
    text
}

fn decided(verdict: &Verdict, opinions: &[Opinion<'_, '_>], case: &Case<'_>, zone: Zone) -> String {
    let name = verdict.voice.as_deref().unwrap_or("");
    let deciding = opinions.iter().find(|opinion| opinion.voice.key.name == name);
    let Some(deciding) = deciding else {
        return match verdict.status {
            Status::Unknown => "nothing: there is no evidence".to_owned(),
            Status::Suspect => "nothing: the answers contradict each other".to_owned(),
            _ => decided_by_answer(case),
        };
    };
    let judgement = &deciding.judgement;
    let mut text = match (&verdict.last_known, judgement.status) {
        (Some(known), _) => {
            return format!(
                "nothing, because {}; last known: {}, by {name}",
                blindness(&known.blind, zone),
                known.status.word(),
            );
        }
        (None, Status::Online) => format!("{name} reported the connection, and no end of it"),
        (None, Status::Closing) => format!(
            "{name} reported a goodbye; the end of the transport is awaited until the grace of {} \
             is over",
            case.policy.close_grace_ms.map_or("no limit".to_owned(), super::time::duration_ms),
        ),
        (None, Status::Offline) => format!("{name} reported the end of the connection"),
        (None, other) => format!("{name}: {}", other.word()),
    };
    if judgement.status == Status::Offline && judgement.inferred {
        text = format!("{name}: the end was inferred, no report of the transport's end has come");
    }
    let disagreeing: Vec<String> = opinions
        .iter()
        .filter(|other| other.voice.key != deciding.voice.key && other.coverage.is_ok())
        .filter(|other| other.judgement.status.online() != verdict.status.online())
        .map(|other| format!("{} says {}", other.voice.key.name, other.judgement.status.word()))
        .collect();
    if !disagreeing.is_empty() {
        let _ = write!(
            text,
            "; {}, which weighs less (authority {} before {})",
            disagreeing.join(", "),
            deciding.voice.key.authority,
            opinions.last().map_or(4, |other| other.voice.key.authority),
        );
    }
    text
}

/// Tells which answer decided: the latest that is not from a cache.
fn decided_by_answer(case: &Case<'_>) -> String {
    let fresh = case.answers.iter().filter(|answer| !answer.cached && answer.online.is_some());
    let fresh = fresh.filter(|answer| answer.stands != Some(false));
    let Some(latest) = fresh.max_by_key(|answer| (answer.asked_ms, answer.online == Some(false)))
    else {
        return "by the broker's own answer".to_owned();
    };
    let (source, says) = (sanitize(&latest.source, 100), latest.says());
    let asked = ago(Timestamp(latest.asked_ms), case.now);
    let mut text = format!("by the broker's own answer: {source} says {says}, asked {asked}");
    if latest.stands == Some(true) {
        text.push_str(", and nothing else was heard of it since");
    }
    if let Some(because) = &latest.because {
        let _ = write!(text, " ({})", sanitize(because, 200));
    }
    text
}

/// Tells how the channels of each voice ended that ended last.
fn last_channels(opinions: &[Opinion<'_, '_>], policy: &Policy, zone: Zone) -> Vec<String> {
    let of = |opinion: &Opinion<'_, '_>| -> Option<String> {
        let channels = &opinion.judgement.channels;
        let (place, channel) = channels
            .iter()
            .enumerate()
            .filter(|(_, channel)| channel.end().is_there())
            .max_by_key(|(_, channel)| channel.end().time())?;
        let how = how_ended(channels, place, policy);
        let name =
            channel.channel.name().map_or(String::new(), |name| format!("{} ", sanitize(name, 60)));
        let when = channel.end().time();
        let when = when.map_or_else(|| "at an unknown time".to_owned(), |end| zone.time(end));
        let inferred = if channel.closed.is_there() { "" } else { ", inferred" };
        Some(format!(
            "last end: {name}{when}, {}{inferred} ({})",
            how.word(),
            opinion.voice.key.name
        ))
    };
    opinions.iter().filter_map(of).collect()
}

/// How what comes at QoS 0, is posted, or lies where others read too is heard.
const LOSSY: &str =
    ", lossy: it comes at QoS 0, by webhook or from a shared queue, where losses go unseen";

/// Tells who is listening to this broker, and how well.
fn listeners(case: &Case<'_>, voices: &[Voice<'_>], zone: Zone) -> Vec<String> {
    let coverage = &case.fleet.coverage;
    let known: Vec<&str> = voices.iter().map(|voice| voice.key.name).collect();
    let mut sentences = Vec::new();
    for (key, source) in coverage.sources().filter(|(key, _)| known.contains(&key.voice.as_str())) {
        let latest = source.members.values().max_by_key(|member| member.heard);
        let Some(member) = latest else { continue };
        let lossy = if source.lossy() { LOSSY } else { "" };
        let ear = sanitize(&key.ear, 80);
        sentences.push(if let Some((name, missed)) = source.missing(case.now) {
            let (name, since) = (sanitize(name, 80), zone.time(missed.heard));
            format!("not all listening: {ear} to {} lacks {name} since {since}", key.voice)
        } else if source.listens(case.now) {
            format!("listening: {ear} to {} since {}{lossy}", key.voice, zone.time(member.began))
        } else {
            format!(
                "no longer listening: {ear} to {}, since {}",
                key.voice,
                zone.time(member.heard)
            )
        });
    }
    sentences
}

fn help(verdict: &Verdict) -> &'static str {
    match verdict.last_known.as_ref().map(|known| &known.blind) {
        Some(Blind::SilentSince(_) | Blind::NeverListened) => {
            "run `presence watch` against this broker, let the device keep a retained status, or ask \
             the broker's API with `--api`"
        }
        Some(Blind::MemberSilent { .. }) => {
            "start that member again, or remove it with `presence store forget-session --member`"
        }
        Some(Blind::QueueUnread { .. }) => {
            "start whoever reads it; a broker that is gone for good is forgotten with `presence store \
             forget-queues`"
        }
        Some(Blind::Away { .. }) => {
            "wait for its next event, or let the device keep a retained status"
        }
        Some(Blind::Outdated(_)) => {
            "ask the broker's API again with `--api`, or listen to what the broker tells of its clients"
        }
        None => {
            "check the id and the broker; run `presence watch` before the client connects, let the \
             device keep a retained status, or ask the broker's API with `--api`"
        }
    }
}

/// Returns all evidence as a table. `heard` is on the broker's clock for events, and on ours for answers.
fn table(
    opinions: &[Opinion<'_, '_>],
    answers: &[AnswerObject],
    style: Style,
    columns: Option<u16>,
) -> String {
    let headers = ["source", "says", "since", "heard", "channel", "address", "reason", "counts"];
    let mut table = Table::new(&headers);
    let time = |time: Option<Timestamp>| time.map_or("–".to_owned(), |time| style.time(time));
    for opinion in opinions {
        let judgement = &opinion.judgement;
        table.row([
            Cell::text(opinion.voice.key.name),
            Cell::text(judgement.status.word()).tone(tone(judgement.status)),
            Cell::time(&time(judgement.since)),
            Cell::time(&time(opinion.last_heard)),
            Cell::text(opinion.channel().unwrap_or("–")),
            Cell::text(opinion.address().unwrap_or("–")),
            Cell::text(judgement.how.map_or("–", crate::state::verdict::How::word)),
            Cell::text(if opinion.coverage.is_ok() { "yes" } else { "no" }),
        ]);
    }
    for answer in answers {
        let since = match answer.online {
            Some(true) => answer.connected_ms,
            _ => answer.disconnected_ms,
        };
        let counts = match answer.online {
            None => "no: cannot tell",
            Some(_) if answer.cached => "no: cached",
            Some(_) if answer.stands == Some(false) => "no: nobody vouches",
            Some(_) => "yes",
        };
        let tone_of = match answer.online {
            Some(true) => tone(Status::Online),
            Some(false) => tone(Status::Offline),
            None => tone(Status::Unknown),
        };
        table.row([
            Cell::text(&answer.source),
            Cell::text(answer.says()).tone(tone_of),
            Cell::time(&time(since.map(Timestamp))),
            Cell::time(&time(Some(Timestamp(answer.asked_ms)))),
            Cell::text(answer.channel.as_deref().unwrap_or("–")),
            Cell::text(answer.address.as_deref().unwrap_or("–")),
            Cell::text(answer.reason.as_deref().unwrap_or("–")),
            Cell::text(counts),
        ]);
    }
    table.render(style, columns)
}
