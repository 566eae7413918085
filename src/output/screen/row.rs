//! One client as the table shows it, and by what it can be sorted.

use crate::event::Timestamp;
use crate::output::time::duration_ms;
use crate::state::verdict::{How, Status, Verdict};
use std::cmp::{Ordering, Reverse};

/// One client of one broker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Row {
    pub client: Box<str>,
    /// Number of the broker among those watched.
    pub broker: u16,
    pub status: Status,
    /// What was last known, where the status is unknown.
    pub was: Option<Status>,
    pub since: Option<Timestamp>,
    /// Empty where it is not known, as the next two.
    pub address: Box<str>,
    pub channel: Box<str>,
    pub voice: Box<str>,
    pub how: Option<How>,
    /// Changes seen since watching began.
    pub changes: u32,
    pub anomalies: Box<[&'static str]>,
}

impl Row {
    pub fn new(broker: u16, verdict: &Verdict) -> Self {
        let mut row = Self {
            client: verdict.client.as_str().into(),
            broker,
            status: verdict.status,
            was: None,
            since: None,
            address: Box::default(),
            channel: Box::default(),
            voice: Box::default(),
            how: None,
            changes: 0,
            anomalies: Box::default(),
        };
        row.believe(verdict);
        row
    }

    /// Takes over what is believed now.
    pub fn believe(&mut self, verdict: &Verdict) {
        self.status = verdict.status;
        self.was = verdict.last_known.as_ref().map(|known| known.status);
        self.since = verdict.since;
        self.how = verdict.how;
        replace(&mut self.address, verdict.address.as_deref());
        replace(&mut self.channel, verdict.channel.as_deref());
        replace(&mut self.voice, verdict.voice.as_deref());
        if *self.anomalies != verdict.anomalies[..] {
            self.anomalies = verdict.anomalies.as_slice().into();
        }
    }

    pub fn has(&self, anomaly: &str) -> bool {
        self.anomalies.contains(&anomaly)
    }

    /// Returns how long ago the state began, by the broker's clock against ours.
    pub fn age(&self, now: Timestamp) -> String {
        self.since.map_or_else(|| "–".to_owned(), |since| duration_ms(now.since(since)))
    }

    /// Returns how the last connection ended, or what was known before nobody listened.
    pub fn ending(&self) -> String {
        match (self.how, self.was) {
            (Some(how), _) => how.word().to_owned(),
            (None, Some(was)) => format!("was {}", was.word()),
            (None, None) => "–".to_owned(),
        }
    }
}

/// Most values stay as they are from one verdict to the next.
fn replace(kept: &mut Box<str>, value: Option<&str>) {
    let value = value.unwrap_or_default();
    if **kept != *value {
        *kept = value.into();
    }
}

/// By what the table can be sorted, in the order of its columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Column {
    Client,
    State,
    Since,
    Address,
    Channel,
    How,
    Voice,
    Changes,
    Anomalies,
}

impl Column {
    pub const ALL: [Self; 9] = [
        Self::Client,
        Self::State,
        Self::Since,
        Self::Address,
        Self::Channel,
        Self::How,
        Self::Voice,
        Self::Changes,
        Self::Anomalies,
    ];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::State => "state",
            Self::Since => "since",
            Self::Address => "address",
            Self::Channel => "channel",
            Self::How => "how",
            Self::Voice => "voice",
            Self::Changes => "changes",
            Self::Anomalies => "anomalies",
        }
    }

    pub fn next(self) -> Self {
        Self::ALL[(self as usize + 1) % Self::ALL.len()]
    }

    /// Orders two rows: what is asked about most stands first (the newest, the most), what is not
    /// known last, and equals by their id, so that no row moves without a reason.
    pub fn compare(self, a: &Row, b: &Row) -> Ordering {
        let text = |a: &str, b: &str| (a.is_empty(), a).cmp(&(b.is_empty(), b));
        match self {
            Self::Client => Ordering::Equal,
            Self::State => a.status.cmp(&b.status),
            Self::Since => b.since.cmp(&a.since),
            Self::Address => text(&a.address, &b.address),
            Self::Channel => text(&a.channel, &b.channel),
            Self::How => {
                let word = |row: &Row| (row.how.is_none(), row.how.map(How::word));
                word(a).cmp(&word(b))
            }
            Self::Voice => text(&a.voice, &b.voice),
            Self::Changes => b.changes.cmp(&a.changes),
            Self::Anomalies => {
                let count = |row: &Row| Reverse(row.anomalies.len());
                count(a).cmp(&count(b)).then_with(|| a.anomalies.cmp(&b.anomalies))
            }
        }
    }
}
