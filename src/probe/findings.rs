//! What was found out: plain data, that can be kept and read again.

use super::limit::Limit;
use super::refusal::Refusal;
use super::{Deed, OldEnd, Topic};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Which evidence a broker gives to an account, and how late.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Findings {
    /// What the broker says it is; text of a stranger.
    pub broker: Option<String>,
    pub topics: Vec<Topic>,
    /// For each dialect that was listened for, and each deed that was done.
    pub evidence: Vec<Evidence>,
    pub dialects: Vec<Voice>,
    /// `None`: nobody fell silent.
    pub silence: Option<Silences>,
    pub take_over: Option<TakeOvers>,
    pub retained: Retained,
    /// The dialects to listen with, the most trustworthy first; none where nothing is told.
    pub recommended: Vec<String>,
    /// What cannot be known by the dialects recommended.
    pub unknowable: Vec<Limit>,
    /// What was refused to this account, and what was granted without effect.
    pub refused: Vec<Refusal>,
}

/// How one dialect told of one deed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Evidence {
    pub dialect: String,
    pub deed: Deed,
    pub done: u64,
    /// How many of those were told.
    pub told: u64,
    /// All that was said then, repetitions and remarks too.
    pub messages: u64,
    /// Of those, with the retain flag.
    pub retained: u64,
    /// The lowest that a message came at.
    pub qos: Option<u8>,
    /// From the deed to the first message that told of it.
    pub median_ms: Option<f64>,
    pub max_ms: Option<f64>,
}

/// What one dialect gives here.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Voice {
    pub dialect: String,
    /// It tells that clients come, and at least one way in which they go.
    pub is_usable: bool,
    /// It names connections so that no two have one name; `None`: nothing was told.
    pub names_connections: Option<bool>,
    /// A goodbye is told otherwise than a drop; `None`: not both were told.
    pub tells_goodbye: Option<bool>,
    /// `None`: nothing was told.
    pub stamps: Option<Stamps>,
    /// Messages about others.
    pub others: u64,
    /// Messages that could not be read.
    pub unread: u64,
}

/// The times in messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stamps {
    Milliseconds,
    Seconds,
    /// There are none: a message is dated by its arrival.
    Arrival,
}

/// When silence is noticed, from the last packet of a client to the end of its connection.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Silences {
    /// As the broker imposes it.
    pub keepalive_s: u16,
    pub done: u64,
    pub noticed: u64,
    pub min_ms: Option<f64>,
    pub median_ms: Option<f64>,
    pub max_ms: Option<f64>,
    pub waited_ms: f64,
}

impl Silences {
    /// Returns a time as a multiple of the keep alive.
    #[must_use]
    pub fn keep_alives(&self, ms: f64) -> f64 {
        ms / (f64::from(self.keepalive_s.max(1)) * 1_000.0)
    }

    /// Returns when the silence of others is to be noticed, who promise so many seconds; `None` where it was
    /// never noticed.
    ///
    /// Nobody may notice before one and a half keep alives, in whole seconds. What comes on top of that may
    /// grow with the keep alive, or be a time of the broker's own: the later of both counts. Few were seen,
    /// so others may take longer, by as much as these differ.
    #[must_use]
    pub fn window(&self, keep_alive_s: u16) -> Option<(Duration, Duration)> {
        let (min, max) = (self.min_ms?, self.max_ms?);
        let half = |seconds: u16| u64::from(seconds) * 3 / 2;
        let time = |ms: f64| Duration::try_from_secs_f64(ms / 1_000.0).unwrap_or(Duration::MAX);
        let earliest = Duration::from_secs(half(keep_alive_s));
        let scaled = time(self.keep_alives(max) * f64::from(keep_alive_s) * 1_000.0);
        let more = time(max).saturating_sub(Duration::from_secs(half(self.keepalive_s)));
        let latest = scaled.max(earliest.saturating_add(more));
        let latest = latest.saturating_add(time((max - min).max(0.0)));
        let whole = u64::try_from(latest.as_millis()).unwrap_or(u64::MAX).saturating_add(1);
        Some((earliest, Duration::from_millis(whole)))
    }
}

/// What becomes of a client that connects again with its connection open.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TakeOvers {
    pub done: u64,
    /// What the older connection was told, the worst of all.
    pub old: OldEnd,
    /// How often the will of the older connection came; `None`: wills could not be heard.
    pub wills: Option<u64>,
    /// How often the last word on the status topic was of an end, though the client was online.
    pub last_word_wrong: Option<u64>,
}

/// What those find who subscribe later.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Retained {
    /// Status topics on which something should be kept.
    pub due: u64,
    /// That brought it, asked for one by one.
    pub found: u64,
    /// Of those, with the retain flag.
    pub flagged: u64,
    /// That brought it, asked for with a wildcard; `None`: not tried.
    pub found_by_wildcard: Option<u64>,
}

impl Findings {
    /// Returns what a dialect told of a deed, `None` if that was not done or not listened for.
    #[must_use]
    pub fn of(&self, dialect: &str, deed: Deed) -> Option<&Evidence> {
        self.evidence.iter().find(|one| one.dialect == dialect && one.deed == deed)
    }

    /// Tells whether one of the dialects recommended told of a deed at least once.
    #[must_use]
    pub fn tells(&self, deed: Deed) -> bool {
        self.recommended.iter().any(|name| self.of(name, deed).is_some_and(|one| one.told > 0))
    }

    /// Tells whether a deed was done at all.
    #[must_use]
    pub fn was_done(&self, deed: Deed) -> bool {
        self.evidence.iter().any(|one| one.deed == deed && one.done > 0)
    }

    /// Returns what is known of a dialect.
    #[must_use]
    pub fn voice(&self, dialect: &str) -> Option<&Voice> {
        self.dialects.iter().find(|voice| voice.dialect == dialect)
    }

    /// Returns what is known of the dialects recommended.
    pub fn chosen(&self) -> impl Iterator<Item = &Voice> {
        self.recommended.iter().filter_map(|name| self.voice(name))
    }
}
