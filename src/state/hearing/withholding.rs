//! Acknowledgements that are withheld, while what was heard cannot be made durable.

use super::{Attention, Hearing, Moment};
use crate::state::coverage::Coverage;

impl Hearing {
    /// Acknowledgements have been withheld since then, for so many messages. Returns whether a hole
    /// begins with it: the broker waits no longer than its messages live, nor for more than it queues.
    pub fn withheld(
        &mut self,
        since: Moment,
        count: u64,
        now: Moment,
        coverage: &mut Coverage,
    ) -> bool {
        let age = now.steady_ms - since.steady_ms;
        let full = self.terms.broker_queue > 0 && count >= self.terms.broker_queue;
        let expired = self.voices.iter().any(|voice| {
            voice.attention != Attention::Deaf
                && voice.message_life_ms.is_some_and(|life| age >= life)
        });
        let begins = !self.overdue && !self.terms.is_kept && (full || expired);
        if begins {
            self.overdue = true;
            self.hole(now, coverage);
        }
        begins
    }

    /// What was heard is acknowledged: only now has the broker room to send more of a backlog.
    pub const fn acknowledged(&mut self, now: Moment) {
        self.backlog.quiet_since = now.steady_ms;
    }

    /// Acknowledgements flow again. Returns whether that ends a hole.
    pub fn released(&mut self, now: Moment, coverage: &mut Coverage) -> bool {
        let ends = std::mem::take(&mut self.overdue);
        if ends {
            self.hole(now, coverage);
        }
        ends
    }
}
