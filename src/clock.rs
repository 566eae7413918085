//! The one file that reads the clocks.
#![expect(clippy::disallowed_methods, reason = "everything else is handed the time")]

use crate::event::Timestamp;
use std::sync::LazyLock;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Returns the wall clock's time.
#[must_use]
pub fn now() -> Timestamp {
    let ms = |elapsed: std::time::Duration| i64::try_from(elapsed.as_millis()).unwrap_or(i64::MAX);
    Timestamp(match SystemTime::now().duration_since(UNIX_EPOCH) {
        Ok(after) => ms(after),
        Err(before) => -ms(before.duration()),
    })
}

/// Returns a moment of the clock that never steps, but stands still while the machine sleeps.
#[must_use]
pub fn monotonic() -> Instant {
    Instant::now()
}

/// Returns the time since the process first asked for it, on the clock of [`monotonic`]. What happens on
/// both sides of a line is compared by it, so that a step of the wall clock does no harm.
#[must_use]
pub fn uptime() -> Duration {
    static BEGUN: LazyLock<Instant> = LazyLock::new(monotonic);
    monotonic().saturating_duration_since(*BEGUN)
}
