//! How late this process gets its turn, and whether its clocks agree: what its figures are worth.

use crate::clock;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::time::{Instant, sleep_until};

/// The worst that was seen so far.
#[derive(Debug, Default)]
pub struct Lag {
    late_us: AtomicU64,
    step_us: AtomicU64,
}

impl Lag {
    /// Returns the longest time by which a turn came too late.
    pub fn late(&self) -> Duration {
        Duration::from_micros(self.late_us.load(Ordering::Relaxed))
    }

    /// Returns the largest step of the wall clock against the clock that never steps. A machine that
    /// slept shows here too.
    pub fn step(&self) -> Duration {
        Duration::from_micros(self.step_us.load(Ordering::Relaxed))
    }

    fn note(&self, late: Duration, step: Duration) {
        let us = |time: Duration| u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        self.late_us.fetch_max(us(late), Ordering::Relaxed);
        self.step_us.fetch_max(us(step), Ordering::Relaxed);
    }
}

/// Measures for as long as it is let, in the runtime that it is spawned in.
pub async fn watch_lag(lag: Arc<Lag>) {
    let mut before = (clock::now(), clock::monotonic());
    loop {
        let due = before.1 + TICK;
        sleep_until(Instant::from(due)).await;
        let now = (clock::now(), clock::monotonic());
        let passed = now.1.saturating_duration_since(before.1);
        let passed_ms = i64::try_from(passed.as_millis()).unwrap_or(i64::MAX);
        let step_ms = now.0.since(before.0).saturating_sub(passed_ms).unsigned_abs();
        // Both clocks are read one after the other, and one counts in whole ms.
        let step = Duration::from_millis(if step_ms > 1 { step_ms } else { 0 });
        lag.note(now.1.saturating_duration_since(due), step);
        before = now;
    }
}

const TICK: Duration = Duration::from_millis(50);

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_thread_that_is_held_up_shows() {
        let lag = Arc::new(Lag::default());
        let meter = tokio::spawn(watch_lag(Arc::clone(&lag)));
        tokio::task::yield_now().await;
        std::thread::sleep(Duration::from_millis(300));
        while lag.late() == Duration::ZERO {
            tokio::task::yield_now().await;
        }
        meter.abort();
        assert!(lag.late() >= Duration::from_millis(200), "{lag:?}");
    }
}
