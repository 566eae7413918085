//! The time of a run, in ms since it began.

use crate::clock;
use std::time::{Duration, Instant};

/// Counts from the moment at which a run began.
#[derive(Clone, Copy, Debug)]
pub struct RunClock {
    begun: Instant,
    stands_at: Option<u64>,
}

impl RunClock {
    /// Begins now, at this time of the run.
    pub fn start_at(ms: u64) -> Self {
        let now = clock::monotonic();
        let begun = now.checked_sub(Duration::from_millis(ms)).unwrap_or(now);
        Self { begun, stands_at: None }
    }

    /// Returns a clock that stands at this time of the run until the run begins.
    pub fn standing_at(ms: u64) -> Self {
        Self { begun: clock::monotonic(), stands_at: Some(ms) }
    }

    pub fn now(self) -> u64 {
        if let Some(ms) = self.stands_at {
            return ms;
        }
        u64::try_from(self.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// Returns the time since the run began; of a clock that stands, since it was made.
    pub fn elapsed(self) -> Duration {
        clock::monotonic().saturating_duration_since(self.begun)
    }

    /// Returns a moment as timers want it. One that is too far away is far away.
    pub fn at(self, ms: u64) -> tokio::time::Instant {
        let far = self.begun + FAR;
        self.begun.checked_add(Duration::from_millis(ms)).unwrap_or(far).min(far).into()
    }
}

/// Longer than any run, and short enough for every clock.
const FAR: Duration = Duration::from_hours(24 * 365 * 10);
