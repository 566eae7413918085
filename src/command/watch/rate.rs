//! Events per second, as the status line shows them.

use crate::clock;
use std::time::Instant;

/// Events per second, over the last seconds.
#[derive(Debug, Default)]
pub struct Rate {
    since: Option<(Instant, u64)>,
    last: f64,
}

impl Rate {
    /// Takes in how many events there were so far.
    pub fn per_second(&mut self, events: u64) -> f64 {
        let now = clock::monotonic();
        let (since, before) = *self.since.get_or_insert((now, events));
        let seconds = now.duration_since(since).as_secs_f64();
        if seconds >= 2.0 {
            #[expect(clippy::cast_precision_loss, reason = "shown with one digit")]
            let heard = events.saturating_sub(before) as f64;
            self.last = heard / seconds;
            self.since = Some((now, events));
        }
        self.last
    }
}
