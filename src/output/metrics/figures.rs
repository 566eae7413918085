//! What a watcher counts about itself, as plain numbers. Counters start at 0 with the process and only
//! grow; nothing here knows how they are written down.

use crate::event::EventKind;
use crate::state::presence::Counts;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// All figures of one watcher.
#[derive(Clone, Debug, PartialEq)]
pub struct Figures {
    pub clients: Counts,
    pub events: EventCounts,
    /// Messages that were set aside, by the code of the reason.
    pub malformed: BTreeMap<&'static str, u64>,
    /// Messages that no dialect claimed.
    pub not_mine: u64,
    /// What was posted and not taken in, by the code of the reason.
    pub refused: BTreeMap<&'static str, u64>,
    pub gaps: u64,
    /// The length of all those gaps together, ms.
    pub blind_ms: u64,
    /// From the broker's stamp to the arrival of what was new.
    pub lag: Histogram,
    pub connected: bool,
    /// The subscriptions were answered at least once.
    pub subscribed: bool,
    /// Connections that were accepted.
    pub connects: u64,
    /// Messages that were heard and are not acknowledged yet.
    pub unacknowledged: usize,
    /// Those of them that cannot be made durable at the moment.
    pub unsaved: usize,
    /// Commits that worked.
    pub commit: Histogram,
    /// Commits that did not; each is tried again.
    pub store_errors: u64,
    /// Size of the recording, where there is one.
    pub recording_bytes: Option<u64>,
    /// Queues that are read, by name.
    pub queues: Vec<QueueFigures>,
    /// When the watcher last went through its loop, on the clock of
    /// [`uptime`](crate::clock::uptime).
    pub turned: Duration,
}

impl Default for Figures {
    fn default() -> Self {
        Self {
            clients: Counts::default(),
            events: EventCounts::default(),
            malformed: BTreeMap::new(),
            not_mine: 0,
            refused: BTreeMap::new(),
            gaps: 0,
            blind_ms: 0,
            lag: Histogram::new(LAG),
            connected: false,
            subscribed: false,
            connects: 0,
            unacknowledged: 0,
            unsaved: 0,
            commit: Histogram::new(COMMIT),
            store_errors: 0,
            recording_bytes: None,
            queues: Vec::new(),
            turned: Duration::ZERO,
        }
    }
}

/// One queue that is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueueFigures {
    pub name: Arc<str>,
    /// Messages that are stored and not read yet.
    pub unread: u64,
    /// How long ago the last one that was read was stored, while there are more, ms.
    pub behind_ms: u64,
}

/// Upper bounds in s.
const LAG: &[f64] =
    &[0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 3_600.0];
const COMMIT: &[f64] =
    &[0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

/// Where figures are left, for others to look at.
#[derive(Clone, Debug, Default)]
pub struct Panel<T = Figures>(Arc<Mutex<T>>);

impl<T: Clone> Panel<T> {
    pub fn show(&self, figures: &T) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone_from(figures);
    }

    #[must_use]
    pub fn read(&self) -> T {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Events by voice, kind, and whether they said anything new.
///
/// A list and no map: there are a handful of voices, and this is counted for every event.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EventCounts(Vec<(Box<str>, [[u64; 2]; KINDS.len()])>);

/// The last one is a start of the broker, which names no client.
const KINDS: [&str; 5] = [
    EventKind::Opened.word(),
    EventKind::Seen.word(),
    EventKind::Farewell.word(),
    EventKind::Closed.word(),
    "restarted",
];
const OUTCOMES: [&str; 2] = ["duplicate", "new"];

impl EventCounts {
    /// Counts an event; a start of the broker is of no kind.
    pub fn count(&mut self, voice: &str, kind: Option<EventKind>, is_new: bool) {
        self.count_more(voice, kind, is_new, 1);
    }

    /// Counts so many events of a kind at once.
    pub fn count_more(&mut self, voice: &str, kind: Option<EventKind>, is_new: bool, count: u64) {
        let at = self.0.iter().position(|(known, _)| **known == *voice).unwrap_or_else(|| {
            self.0.push((voice.into(), <[[u64; 2]; KINDS.len()]>::default()));
            self.0.len() - 1
        });
        let kind = match kind {
            Some(EventKind::Opened) => 0,
            Some(EventKind::Seen) => 1,
            Some(EventKind::Farewell) => 2,
            Some(EventKind::Closed) => 3,
            None => 4,
        };
        self.0[at].1[kind][usize::from(is_new)] += count;
    }

    /// Returns voice, kind, outcome and count of all that happened at least once.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &'static str, &'static str, u64)> {
        self.0.iter().flat_map(|(voice, kinds)| {
            KINDS.iter().zip(kinds).flat_map(move |(kind, outcomes)| {
                OUTCOMES
                    .iter()
                    .zip(outcomes)
                    .filter(|(_, count)| **count > 0)
                    .map(move |(outcome, count)| (&**voice, *kind, *outcome, *count))
            })
        })
    }
}

/// Durations, counted by size.
#[derive(Clone, Debug, PartialEq)]
pub struct Histogram {
    bounds: &'static [f64],
    /// One more than bounds: what is larger than all of them.
    counts: Vec<u64>,
    sum_s: f64,
}

impl Histogram {
    #[must_use]
    pub fn new(bounds: &'static [f64]) -> Self {
        Self { bounds, counts: vec![0; bounds.len() + 1], sum_s: 0.0 }
    }

    /// Counts a duration. A negative one, which only clocks that differ can make, counts as none.
    pub fn observe(&mut self, seconds: f64) {
        let seconds = seconds.max(0.0);
        let at = self.bounds.iter().position(|bound| seconds <= *bound);
        self.counts[at.unwrap_or(self.bounds.len())] += 1;
        self.sum_s += seconds;
    }

    #[must_use]
    pub fn count(&self) -> u64 {
        self.counts.iter().sum()
    }

    #[must_use]
    pub const fn sum(&self) -> f64 {
        self.sum_s
    }

    /// Returns upper bounds in s with what is at most as large, but larger than the bound before.
    #[must_use]
    pub fn buckets(&self) -> Vec<(f64, u64)> {
        let bounds = self.bounds.iter().copied().chain(std::iter::once(f64::INFINITY));
        bounds.zip(self.counts.iter().copied()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_counted_by_voice_kind_and_outcome() {
        let mut counts = EventCounts::default();
        counts.count("lmq", Some(EventKind::Opened), true);
        counts.count("lmq", Some(EventKind::Opened), true);
        counts.count("lmq", Some(EventKind::Opened), false);
        counts.count("status", Some(EventKind::Closed), true);
        counts.count("mosquitto", None, true);
        let counted: Vec<_> = counts.iter().collect();
        assert_eq!(
            counted,
            [
                ("lmq", "opened", "duplicate", 1),
                ("lmq", "opened", "new", 2),
                ("status", "closed", "new", 1),
                ("mosquitto", "restarted", "new", 1),
            ]
        );
    }

    #[test]
    fn a_duration_counts_in_the_first_bucket_that_holds_it() {
        let mut histogram = Histogram::new(&[0.5, 1.0]);
        for seconds in [-3.0, 0.0, 0.5, 0.6, 1.0, 7.0] {
            histogram.observe(seconds);
        }
        assert_eq!(histogram.buckets(), [(0.5, 3), (1.0, 2), (f64::INFINITY, 1)]);
        assert_eq!(histogram.count(), 6);
        assert!((histogram.sum() - 9.1).abs() < 1e-9, "{}", histogram.sum());
    }
}
