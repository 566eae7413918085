//! How late notices are, and what that says about two clocks.
//!
//! What can be measured is the arrival on our clock minus the stamp on the broker's: the delay, minus
//! what the broker's clock is ahead, plus what a coarse stamp cut off. One-way times cannot separate
//! these. Two things are certain all the same: a difference below zero proves that the broker's clock
//! is ahead by at least that; and of the differences within some minutes, how much one lies above the
//! least of them is delay and nothing else (up to the resolution).

use super::finding::{Finding, Offset, Phase, What};
use crate::event::Timestamp;

/// How late the notices of one broker are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lag {
    /// Of the last one that was stamped: arrival minus stamp, ms. Negative if the clocks differ.
    pub latest_ms: i64,
    /// The least of the last minutes, ms.
    pub least_ms: i64,
    /// How coarse the stamps are, ms; 0 for stamps in ms.
    pub resolution_ms: u32,
    /// How many differences this rests on.
    pub samples: u64,
    /// From the first of them to the last, ms.
    pub span_ms: i64,
}

impl Lag {
    /// Returns by how much the broker's clock is ahead at least, ms, where that is proven.
    #[must_use]
    pub fn ahead_ms(&self) -> Option<i64> {
        (self.least_ms < 0).then(|| self.least_ms.saturating_neg())
    }

    /// Returns how late the last one was at least, ms, however the clocks differ.
    #[must_use]
    pub fn certain_ms(&self) -> i64 {
        let above = self.latest_ms.saturating_sub(self.least_ms);
        above.saturating_sub(i64::from(self.resolution_ms)).max(0)
    }

    /// Returns by how much `latest_ms` may exceed the delay, ms: all that is not certain of it.
    #[must_use]
    pub fn uncertain_ms(&self) -> i64 {
        self.latest_ms.saturating_sub(self.certain_ms()).max(0)
    }
}

/// The differences of the last minutes, of which only the least is kept.
#[derive(Clone, Copy, Debug, Default)]
pub struct Lags {
    current: Option<Window>,
    before: Option<Window>,
    latest_ms: i64,
}

#[derive(Clone, Copy, Debug)]
struct Window {
    begun: Timestamp,
    last: Timestamp,
    least_ms: i64,
    resolution_ms: u32,
    samples: u64,
}

/// Half of what is remembered.
const WINDOW_MS: i64 = 150_000;

impl Lags {
    /// Takes in when a notice was stamped, how coarsely (ms), and when it arrived.
    ///
    /// Coarse stamps are left out while there are finer ones.
    pub fn note(&mut self, stamped: Timestamp, resolution_ms: u32, arrived: Timestamp) {
        self.turn(arrived);
        let known = self.resolution_ms();
        if known.is_some_and(|known| known < resolution_ms) {
            return;
        }
        if known.is_some_and(|known| known > resolution_ms) {
            (self.current, self.before) = (None, None);
        }
        let difference = arrived.since(stamped);
        self.latest_ms = difference;
        let window = self.current.get_or_insert(Window {
            begun: arrived,
            last: arrived,
            least_ms: difference,
            resolution_ms,
            samples: 0,
        });
        window.last = window.last.max(arrived);
        window.least_ms = window.least_ms.min(difference);
        window.samples += 1;
    }

    /// Returns what is known of the last minutes; `None` where nothing stamped was heard in them.
    #[must_use]
    pub fn lag(&self) -> Option<Lag> {
        let windows = || self.before.iter().chain(&self.current);
        let begun = windows().map(|window| window.begun).min()?;
        let last = windows().map(|window| window.last).max()?;
        Some(Lag {
            latest_ms: self.latest_ms,
            least_ms: windows().map(|window| window.least_ms).min()?,
            resolution_ms: self.resolution_ms()?,
            samples: windows().map(|window| window.samples).sum(),
            span_ms: last.since(begun),
        })
    }

    fn resolution_ms(&self) -> Option<u32> {
        self.current.or(self.before).map(|window| window.resolution_ms)
    }

    fn turn(&mut self, now: Timestamp) {
        let Some(current) = self.current else { return };
        // A wall clock that was set back begins anew as well: its differences are others.
        let age = now.since(current.begun);
        if (0..WINDOW_MS).contains(&age) {
            return;
        }
        self.before = (0..2 * WINDOW_MS).contains(&age).then_some(current);
        self.current = None;
    }
}

/// Tells of a clock that is off.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct ClockWatch {
    told: Option<(Offset, Timestamp, Timestamp)>,
}

/// Differences below this are not spoken of, ms.
const AHEAD_MIN_MS: i64 = 250;
const LATE_MIN_MS: i64 = 2_000;
const SAMPLES_MIN: u64 = 5;
/// Delay and offset look alike, so a backlog must not pass for a slow clock, ms.
const LATE_SPAN_MS: i64 = 60_000;

impl ClockWatch {
    pub(super) fn observe(&mut self, lag: &Lag, now: Timestamp) -> Option<Finding> {
        let offset = offset_of(lag);
        match (self.told, offset) {
            (None, Some(offset)) => {
                self.told = Some((offset, now, now));
                Some(finding(Phase::Begins, offset, now, now))
            }
            (Some((told, since, at)), Some(offset)) if differs(told, offset) => {
                let due = now.since(at) >= super::TELL_AGAIN_MS;
                due.then(|| {
                    self.told = Some((offset, since, now));
                    finding(Phase::GoesOn, offset, since, now)
                })
            }
            (Some((told, since, at)), None) if now.since(at) >= super::TELL_AGAIN_MS => {
                self.told = None;
                Some(finding(Phase::Ends, told, since, now))
            }
            _ => None,
        }
    }
}

fn offset_of(lag: &Lag) -> Option<Offset> {
    if lag.samples < SAMPLES_MIN {
        return None;
    }
    let (least_ms, resolution_ms) = (lag.least_ms, lag.resolution_ms);
    if let Some(ahead) = lag.ahead_ms().filter(|ahead| *ahead >= AHEAD_MIN_MS) {
        return Some(Offset::Ahead { least_ms: ahead, resolution_ms });
    }
    let late = least_ms >= LATE_MIN_MS + i64::from(resolution_ms) && lag.span_ms >= LATE_SPAN_MS;
    late.then_some(Offset::BehindOrLate { least_ms, resolution_ms })
}

fn differs(told: Offset, now: Offset) -> bool {
    match (told, now) {
        (Offset::Ahead { least_ms: a, .. }, Offset::Ahead { least_ms: b, .. })
        | (Offset::BehindOrLate { least_ms: a, .. }, Offset::BehindOrLate { least_ms: b, .. }) => {
            a.abs_diff(b) >= (a.unsigned_abs() / 5).max(100)
        }
        _ => true,
    }
}

const fn finding(phase: Phase, offset: Offset, since: Timestamp, at: Timestamp) -> Finding {
    Finding { phase, at, since, what: What::ClockOffset(offset) }
}
