//! The time of a run, in ms since it began.

use crate::clock;
use std::time::{Duration, Instant};

/// Counts from the moment at which a run began.
#[derive(Clone, Copy, Debug)]
pub struct RunClock {
    begun: Instant,
    is_running: bool,
}

impl RunClock {
    /// Begins now.
    pub fn start() -> Self {
        Self { begun: clock::monotonic(), is_running: true }
    }

    /// Returns a clock that stands at 0 until the run begins.
    pub fn standing() -> Self {
        Self { is_running: false, ..Self::start() }
    }

    pub fn now(self) -> u64 {
        if !self.is_running {
            return 0;
        }
        u64::try_from(self.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// Returns the time since it was made, also of one that stands.
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
