//! What came of a verification, in figures that can be added up over shards.

use super::window::Window;
use crate::simulate::plan::Death;
use hdrhistogram::Histogram;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::time::Duration;

/// Something that a voice may speak of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Act {
    Connect,
    Died(Death),
    /// The device found no answer and closed the connection.
    GaveUp,
    /// The broker or the network ended a connection that was to live on. Whether it is told says
    /// something only to a reader: it fails nothing.
    Lost,
}

/// What a deed amounts to in one voice. Every deed has exactly one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Outcome {
    /// Told rightly and in time.
    Reported,
    /// What must not be told was not told: the will of one that said goodbye or came back in time.
    Withheld,
    /// Told before it can have been known.
    Early,
    Late,
    /// A goodbye told as an abrupt end, or the reverse.
    WrongKind,
    /// The end told before the beginning, or an old will over a newer birth.
    WrongOrder,
    Missed,
    /// Told though it must not be.
    Unwanted,
    /// The voice has no words for it, or nobody listened when it was due.
    NotObservable,
    /// Its window was still open when observing ended.
    NotDue,
}

impl Outcome {
    /// Tells whether a broker has to answer for it.
    pub const fn is_fault(self) -> bool {
        match self {
            Self::Reported | Self::Withheld | Self::NotObservable | Self::NotDue => false,
            Self::Early
            | Self::Late
            | Self::WrongKind
            | Self::WrongOrder
            | Self::Missed
            | Self::Unwanted => true,
        }
    }
}

/// What is counted together.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key {
    /// The dialect.
    pub voice: String,
    pub act: Act,
    /// What is expected; `None` where nothing is to be told, or nothing can be.
    pub window: Option<Window>,
}

/// Deeds of one kind as one voice told them.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// How many there are of each; they add up to the deeds that were done.
    pub outcomes: BTreeMap<Outcome, u64>,
    /// Reports beyond the first.
    pub duplicates: u64,
    /// From the deed (of a silent one: from its last packet) to the arrival of the report, in µs.
    pub delays_us: Histogram<u64>,
}

impl Row {
    /// Returns a row in which nothing has been counted.
    pub fn new() -> Self {
        Self { outcomes: BTreeMap::new(), duplicates: 0, delays_us: delays() }
    }

    /// Counts a deed, with the delay of its report in µs. A report may be told by a clock that was read
    /// before the deed's: that is no delay. One that came before its deed has none.
    pub fn count(&mut self, outcome: Outcome, delay_us: Option<i64>) {
        *self.outcomes.entry(outcome).or_default() += 1;
        if let Some(delay) = delay_us.filter(|delay| *delay >= 0 || outcome != Outcome::Early) {
            // It resizes itself, so nothing is out of its range.
            let _ = self.delays_us.record(u64::try_from(delay).unwrap_or(0));
        }
    }

    /// Returns how many deeds were counted.
    pub fn deeds(&self) -> u64 {
        self.outcomes.values().sum()
    }
}

impl Default for Row {
    fn default() -> Self {
        Self::new()
    }
}

/// Returns the histogram in which delays are counted, in µs: three significant digits, without a limit.
pub fn delays() -> Histogram<u64> {
    Histogram::new(3).expect("three digits are allowed")
}

/// How many of an act were planned, and how many were done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Done {
    pub planned: u64,
    pub done: u64,
}

/// How what was believed of the devices at the end compares with the truth.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct States {
    pub right: u64,
    pub wrong: u64,
    /// The state logic said so itself.
    pub unknown: u64,
    /// No voice that was heard can tell how this device ended.
    pub not_observable: u64,
}

/// One thing that somebody has to answer for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fault {
    /// Since the run began.
    pub at: Duration,
    pub device: u32,
    pub client: String,
    pub connection: u32,
    pub voice: String,
    pub what: Wrong,
    /// From the deed to the report, where there was one, in µs.
    pub delay_us: Option<i64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Wrong {
    Told(Act, Outcome),
    Duplicate(Act),
    /// An end told of a connection that was open.
    FalseOffline,
    /// Told of one of our clients, but of no connection that it had.
    Stray,
    /// What was believed at the end is not the truth.
    State {
        alive: bool,
    },
}

/// What one voice said in all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Voice {
    pub reports: u64,
    pub false_offline: u64,
    pub strays: u64,
    /// How it tells one connection of a client from another.
    pub names: Naming,
}

/// What tells the connections of a client apart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Naming {
    /// The address, at both ends.
    Address,
    /// The broker's name of the channel, at both ends.
    Channel,
    /// Nothing but the order in which it speaks.
    #[default]
    Order,
}

/// Everything that was found. Findings of shards of one run add up to those of the whole run.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Findings {
    pub rows: BTreeMap<Key, Row>,
    pub done: BTreeMap<Act, Done>,
    pub voices: BTreeMap<String, Voice>,
    pub states: States,
    /// The first [`FAULTS_MAX`] in order of time.
    pub faults: Vec<Fault>,
    pub faults_total: u64,
}

/// Faults that are kept one by one.
pub const FAULTS_MAX: usize = 1_000;

impl Findings {
    /// Adds what was found in another shard of the same run.
    pub fn merge(&mut self, other: Self) {
        for (key, row) in other.rows {
            match self.rows.entry(key) {
                Entry::Vacant(place) => {
                    place.insert(row);
                }
                Entry::Occupied(mut place) => place.get_mut().merge(&row),
            }
        }
        for (act, done) in other.done {
            let sum = self.done.entry(act).or_default();
            sum.planned = sum.planned.saturating_add(done.planned);
            sum.done = sum.done.saturating_add(done.done);
        }
        for (name, voice) in other.voices {
            match self.voices.entry(name) {
                Entry::Vacant(place) => {
                    place.insert(voice);
                }
                Entry::Occupied(mut place) => place.get_mut().merge(&voice),
            }
        }
        let (sum, states) = (&mut self.states, other.states);
        for (sum, count) in [
            (&mut sum.right, states.right),
            (&mut sum.wrong, states.wrong),
            (&mut sum.unknown, states.unknown),
            (&mut sum.not_observable, states.not_observable),
            (&mut self.faults_total, other.faults_total),
        ] {
            *sum = sum.saturating_add(count);
        }
        self.faults.extend(other.faults);
        self.faults.sort();
        self.faults.truncate(FAULTS_MAX);
    }

    /// Tells whether something could be observed, and nobody has anything to answer for.
    pub fn is_verified(&self) -> bool {
        let is_told = |outcome: &Outcome| matches!(outcome, Outcome::Reported | Outcome::Withheld);
        let mut outcomes = self.rows.values().flat_map(|row| row.outcomes.keys());
        self.faults_total == 0 && outcomes.any(is_told)
    }
}

impl Row {
    fn merge(&mut self, other: &Self) {
        for (outcome, count) in &other.outcomes {
            let sum = self.outcomes.entry(*outcome).or_default();
            *sum = sum.saturating_add(*count);
        }
        self.duplicates = self.duplicates.saturating_add(other.duplicates);
        self.delays_us.auto(true);
        self.delays_us.add(&other.delays_us).expect("a histogram that grows takes every value");
    }
}

impl Voice {
    fn merge(&mut self, other: &Self) {
        self.reports = self.reports.saturating_add(other.reports);
        self.false_offline = self.false_offline.saturating_add(other.false_offline);
        self.strays = self.strays.saturating_add(other.strays);
        // The whole run knows them apart by the strongest way that one of its shards found.
        self.names = self.names.min(other.names);
    }
}
