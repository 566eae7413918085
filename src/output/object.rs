//! The objects that `--json` prints, one a line. They are a contract: `schemas/` describes them,
//! fields are added and never renamed.

use super::acted::{Commands, Held, Posts};
use super::finding::LagObject;
use super::number::{counted, grouped};
use crate::disorder::{Tally, Terms};
use crate::state::diagnosis::Code;
use crate::state::presence::{Change, Counts};
use crate::state::verdict::{Blind, LastKnown, Status, Verdict};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What is believed about a client.
#[derive(Serialize, Debug)]
pub struct VerdictObject<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    instance: &'a str,
    client: &'a str,
    state: &'static str,
    online: Option<bool>,
    channel: Option<&'a str>,
    since_ms: Option<i64>,
    voice: Option<&'a str>,
    how: Option<&'static str>,
    /// The transport end is missing: that the channel is over was inferred.
    inferred: bool,
    anomalies: &'a [&'static str],
    covered: bool,
    last_known: Option<LastKnownObject<'a>>,
    address: Option<&'a str>,
    last_heard_ms: Option<i64>,
    /// The same moment, with what arrived later.
    #[serde(skip_serializing_if = "Option::is_none")]
    now_known: Option<NowKnownObject<'a>>,
}

#[derive(Serialize, Debug)]
struct NowKnownObject<'a> {
    state: &'static str,
    online: Option<bool>,
    channel: Option<&'a str>,
    since_ms: Option<i64>,
    covered: bool,
}

#[derive(Serialize, Debug)]
struct LastKnownObject<'a> {
    state: &'static str,
    channel: Option<&'a str>,
    since_ms: Option<i64>,
    until_ms: Option<i64>,
    /// `never-listened`, `silent` or `away`.
    reason: &'static str,
    /// The member of a shared group that is missed, where it is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    member: Option<&'a str>,
    /// The queue that nobody reads, where others of its topic are read.
    #[serde(skip_serializing_if = "Option::is_none")]
    queue: Option<&'a str>,
}

impl<'a> VerdictObject<'a> {
    #[must_use]
    pub fn new(instance: &'a str, verdict: &'a Verdict) -> Self {
        Self {
            kind: "verdict",
            instance,
            client: &verdict.client,
            state: verdict.status.word(),
            online: verdict.status.online(),
            channel: verdict.channel.as_deref(),
            since_ms: verdict.since.map(|since| since.0),
            voice: verdict.voice.as_deref(),
            how: verdict.how.map(crate::state::verdict::How::word),
            inferred: verdict.inferred,
            anomalies: &verdict.anomalies,
            covered: verdict.covered,
            last_known: verdict.last_known.as_deref().map(LastKnownObject::new),
            address: verdict.address.as_deref(),
            last_heard_ms: verdict.last_heard.as_ref().map(|(time, _)| time.0),
            now_known: None,
        }
    }

    /// Adds what is known now of the moment judged.
    #[must_use]
    pub fn with_hindsight(mut self, verdict: &'a Verdict) -> Self {
        self.now_known = Some(NowKnownObject {
            state: verdict.status.word(),
            online: verdict.status.online(),
            channel: verdict.channel.as_deref(),
            since_ms: verdict.since.map(|since| since.0),
            covered: verdict.covered,
        });
        self
    }
}

impl<'a> LastKnownObject<'a> {
    fn new(known: &'a LastKnown) -> Self {
        Self {
            state: known.status.word(),
            channel: known.channel.as_deref(),
            since_ms: known.since.map(|since| since.0),
            until_ms: known.until.map(|until| until.0),
            reason: match &known.blind {
                Blind::NeverListened => "never-listened",
                Blind::SilentSince(_) | Blind::MemberSilent { .. } | Blind::QueueUnread { .. } => {
                    "silent"
                }
                Blind::Away { .. } => "away",
                Blind::Outdated(_) => "outdated",
            },
            member: match &known.blind {
                Blind::MemberSilent { member, .. } => Some(member),
                _ => None,
            },
            queue: match &known.blind {
                Blind::QueueUnread { queue, .. } => Some(queue),
                _ => None,
            },
        }
    }
}

/// A change of verdict.
#[derive(Serialize, Debug)]
pub struct ChangeObject<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    instance: &'a str,
    at_ms: i64,
    client: &'a str,
    from: &'static str,
    to: &'static str,
    channel: Option<&'a str>,
    cause: &'static str,
    how: Option<&'static str>,
    address: Option<&'a str>,
    voice: Option<&'a str>,
    anomalies: &'a [&'static str],
    held_ms: Option<i64>,
}

impl<'a> ChangeObject<'a> {
    #[must_use]
    pub fn new(instance: &'a str, change: &'a Change) -> Self {
        let verdict = &change.verdict;
        Self {
            kind: "change",
            instance,
            at_ms: change.at.0,
            client: &verdict.client,
            from: change.from.word(),
            to: verdict.status.word(),
            channel: verdict.channel.as_deref(),
            cause: change.cause.word(),
            how: verdict.how.map(crate::state::verdict::How::word),
            address: verdict.address.as_deref(),
            voice: verdict.voice.as_deref(),
            anomalies: &verdict.anomalies,
            held_ms: change.held_ms,
        }
    }
}

/// What a run amounts to.
#[derive(Serialize, Deserialize, Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    #[serde(rename = "type")]
    kind: SummaryKind,
    pub clients: u64,
    pub online: u64,
    pub closing: u64,
    pub offline: u64,
    pub unknown: u64,
    pub suspect: u64,
    /// Accepted events.
    pub events: u64,
    /// Accepted events that changed nothing.
    pub duplicates: u64,
    /// Messages or lines that were set aside, and why.
    pub malformed: u64,
    pub unreadable: u64,
    pub client_missing: u64,
    pub unknown_event: u64,
    /// Understood by two dialects, so believed of none.
    #[serde(default)]
    pub ambiguous: u64,
    /// Messages or lines of no dialect.
    pub not_mine: u64,
    /// Times in which something may have been lost.
    pub gaps: u64,
    /// Take-overs that no channel names.
    pub take_overs: u64,
    /// Ends that concerned a connection which was refused or over already.
    pub foreign_ends: u64,
    /// Each only where it was asked for.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub debounce: Option<Held>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub exec: Option<Commands>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub webhook: Option<Posts>,
    /// What was done to the stream on purpose.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub altered: Option<Altered>,
    /// The condition of `--fail-on` that ended the run.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub failed_on: Option<String>,
}

/// What was done to a stream on purpose.
#[derive(Serialize, Deserialize, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Altered {
    pub seed: u64,
    pub messages: u64,
    pub moved: u64,
    pub repeated: u64,
    pub dropped: u64,
}

impl Altered {
    #[must_use]
    pub const fn new(terms: &Terms, tally: &Tally) -> Self {
        let Tally { messages, moved, repeated, dropped } = *tally;
        Self { seed: terms.seed, messages, moved, repeated, dropped }
    }

    /// Returns the sum of what was done in two rounds.
    #[must_use]
    pub fn plus(self, other: Option<Self>) -> Self {
        let Self { messages, moved, repeated, dropped, .. } = other.unwrap_or_default();
        Self {
            seed: self.seed,
            messages: self.messages + messages,
            moved: self.moved + moved,
            repeated: self.repeated + repeated,
            dropped: self.dropped + dropped,
        }
    }

    /// Says what was done.
    #[must_use]
    pub fn line(&self) -> String {
        format!(
            "altered on purpose (seed {}): of {} {} came after later ones, {} twice, {} not at all",
            self.seed,
            counted(self.messages, "message"),
            grouped(self.moved),
            grouped(self.repeated),
            grouped(self.dropped),
        )
    }
}

#[derive(Serialize, Deserialize, Clone, Copy, Debug, Default, PartialEq, Eq)]
enum SummaryKind {
    #[default]
    #[serde(rename = "summary")]
    Summary,
}

impl Summary {
    /// Fills in the clients by status.
    pub fn count(&mut self, counts: &Counts) {
        let of = |status| counts.of(status) as u64;
        self.online += of(Status::Online);
        self.closing += of(Status::Closing);
        self.offline += of(Status::Offline);
        self.unknown += of(Status::Unknown);
        self.suspect += of(Status::Suspect);
        self.clients += counts.total() as u64;
    }
}

/// What watching amounts to.
#[derive(Serialize, Debug)]
pub struct WatchSummary<'a> {
    #[serde(flatten)]
    pub summary: &'a Summary,
    /// How many findings began, by their codes.
    findings: BTreeMap<&'static str, u64>,
    /// What had no place in a table of the diagnosis.
    overlooked: u64,
    /// How late notices were, where brokers stamp them.
    lags: Vec<LagObject<'a>>,
}

impl<'a> WatchSummary<'a> {
    #[must_use]
    pub fn new(
        summary: &'a Summary,
        findings: &BTreeMap<Code, u64>,
        overlooked: u64,
        lags: Vec<LagObject<'a>>,
    ) -> Self {
        let findings = findings.iter().map(|(code, count)| (code.code(), *count)).collect();
        Self { summary, findings, overlooked, lags }
    }
}
