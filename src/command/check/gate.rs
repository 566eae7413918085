//! Waiting until clients are online, or offline, and stay it for a while. Pure: it is told the time.

use crate::cli::check::{Awaited, Gate as Typed};
use crate::output::number::{counted, grouped};
use crate::state::verdict::Status;
use humantime::format_duration as duration;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;
use tokio::time::Instant;

/// What is waited for, and how far it has come.
#[derive(Debug)]
pub struct Gate {
    is_online: bool,
    stable: Duration,
    /// The longest that is waited.
    patience: Duration,
    /// Of all, so many are as they should be.
    count: (usize, usize),
    /// Since when all of them are.
    since: Option<Instant>,
    /// When that may change by time alone.
    next: Option<Instant>,
    was_announced: bool,
}

impl Gate {
    pub fn of(options: &Typed, patience: Duration) -> Option<Self> {
        let is_online = options.wait? == Awaited::Online;
        let stable = options.stable;
        let (count, since, next, was_announced) = ((0, 0), None, None, false);
        Some(Self { is_online, stable, patience, count, since, next, was_announced })
    }

    /// Notes how many clients there are of each status, and in how many ms that may change by time alone.
    pub fn look(&mut self, counts: &BTreeMap<Status, usize>, next_ms: Option<i64>, now: Instant) {
        let is_wanted = |status: &Status| status.online() == Some(self.is_online);
        let as_wanted = counts.iter().filter(|(status, _)| is_wanted(status));
        self.count = (as_wanted.map(|(_, count)| count).sum(), counts.values().sum());
        let is_so = self.count.0 == self.count.1;
        self.since = if is_so { self.since.or(Some(now)) } else { None };
        let next = next_ms.map(|ms| u64::try_from(ms).unwrap_or(0).max(1));
        self.next = next.map(|ms| now + Duration::from_millis(ms));
    }

    pub fn is_reached(&self, now: Instant) -> bool {
        self.since.is_some_and(|since| now.duration_since(since) >= self.stable)
    }

    /// Tells whether time alone may have changed something.
    pub fn is_due(&self, now: Instant) -> bool {
        self.next.is_some_and(|next| next <= now)
    }

    /// Returns when to look again at the latest, if nothing is heard.
    pub fn due(&self) -> Option<Instant> {
        let reached = self.since.map(|since| since + self.stable);
        self.next.into_iter().chain(reached).min()
    }

    /// Returns what is waited for, in words, once.
    pub fn announce(&mut self) -> Option<String> {
        if std::mem::replace(&mut self.was_announced, true) {
            return None;
        }
        let clients = counted(self.count.1 as u64, "client");
        let state = if self.is_online { "online" } else { "offline" };
        let stable = match self.stable {
            Duration::ZERO => String::new(),
            stable => format!(" for {}", duration(stable)),
        };
        let patience = duration(self.patience);
        Some(format!("waiting for {clients} to be {state}{stable}, at most {patience}"))
    }

    /// Returns how far it is, and how much time is left.
    pub fn progress(&self, deadline: Instant, now: Instant) -> String {
        let Self { count: (as_wanted, all), since, stable, .. } = self;
        let state = if self.is_online { "online" } else { "offline" };
        let mut text =
            format!("waiting: {} of {} {state}", grouped(*as_wanted as u64), grouped(*all as u64));
        if let Some(since) = since {
            let so_far = whole_seconds(now.duration_since(*since));
            let _ = write!(text, " for {} of {}", duration(so_far), duration(*stable));
        }
        let left = whole_seconds(deadline.saturating_duration_since(now));
        let _ = write!(text, " · {} left", duration(left));
        text
    }
}

const fn whole_seconds(time: Duration) -> Duration {
    Duration::from_secs(time.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock;

    fn gate(wait: Awaited, stable_s: u64) -> (Gate, Instant) {
        let stable = Duration::from_secs(stable_s);
        let typed = Typed { wait: Some(wait), stable };
        let gate = Gate::of(&typed, Duration::from_mins(2)).expect("something is awaited");
        (gate, Instant::from_std(clock::monotonic()))
    }

    fn counts(online: usize, offline: usize, unknown: usize) -> BTreeMap<Status, usize> {
        [(Status::Online, online), (Status::Offline, offline), (Status::Unknown, unknown)].into()
    }

    #[test]
    fn whoever_leaves_in_between_begins_anew() {
        let (mut gate, begun) = gate(Awaited::Online, 30);
        let at = |second| begun + Duration::from_secs(second);
        gate.look(&counts(2, 0, 0), None, at(0));
        assert!(!gate.is_reached(at(29)));
        assert_eq!(gate.due(), Some(at(30)));
        gate.look(&counts(1, 1, 0), None, at(29));
        assert!(!gate.is_reached(at(40)));
        gate.look(&counts(2, 0, 0), None, at(41));
        gate.look(&counts(2, 0, 0), None, at(60));
        assert!(!gate.is_reached(at(70)));
        assert!(gate.is_reached(at(71)));
    }

    #[test]
    fn of_whom_nobody_knows_is_neither() {
        for awaited in [Awaited::Online, Awaited::Offline] {
            let (mut gate, now) = gate(awaited, 0);
            gate.look(&counts(0, 0, 1), None, now);
            assert!(!gate.is_reached(now), "{awaited:?}");
        }
        let (mut gate, now) = gate(Awaited::Online, 0);
        gate.look(&[(Status::Closing, 1)].into(), Some(5), now);
        assert!(gate.is_reached(now), "a goodbye is no end yet");
        assert!(gate.is_due(now + Duration::from_millis(5)));
    }

    #[test]
    fn progress_says_how_far_it_is() {
        let (mut gate, now) = gate(Awaited::Offline, 30);
        let deadline = now + Duration::from_mins(2);
        gate.look(&counts(1, 2, 0), None, now);
        assert_eq!(gate.progress(deadline, now), "waiting: 2 of 3 offline · 2m left");
        gate.look(&counts(0, 3, 0), None, now);
        let later = now + Duration::from_millis(5_900);
        let expected = "waiting: 3 of 3 offline for 5s of 30s · 1m 54s left";
        assert_eq!(gate.progress(deadline, later), expected);
    }
}
