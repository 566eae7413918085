//! What a broker queued while we were away: when it is over, and what that says.

use super::{Attention, Hearing, Moment, VoiceHearing};
use crate::state::coverage::Coverage;

/// What was queued for us while we were away, as it comes in.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Backlog {
    pub began: i64,
    pub quiet_since: i64,
    pub count: u64,
    /// It held a start of the broker.
    pub restart: bool,
    /// The broker told that it had dropped messages.
    pub dropped: bool,
}

/// Silence after which a backlog counts as over, ms.
const BACKLOG_OVER_MS: i64 = 2_000;
/// How much later than asked for we may wake up and still know that nothing came, ms.
const OVERSLEPT_MS: i64 = 1_000;
/// How long a broker under unbroken load may take to say that it did not restart, ms.
const UPTIME_WAIT_MS: i64 = 60_000;

impl Hearing {
    /// Returns when the backlog is over if nothing more comes in.
    pub(super) fn backlog_over_at(&self) -> Option<i64> {
        let undecided =
            |voice: &VoiceHearing| matches!(voice.attention, Attention::Undecided { .. });
        let Backlog { began, quiet_since, restart, .. } = self.backlog;
        let due = if self.terms.broker_queue > 0 {
            quiet_since + BACKLOG_OVER_MS
        } else if restart || self.uptime.is_some() {
            // A queue without limit cannot have overflowed: nothing is learnt from its end.
            began + BACKLOG_OVER_MS
        } else {
            // Only that the broker did not restart: it says so behind all that waited.
            (quiet_since + BACKLOG_OVER_MS).min(began + UPTIME_WAIT_MS)
        };
        self.voices.iter().any(undecided).then_some(due)
    }

    /// Decides at the end of the backlog whether the return begins a new epoch. The backlog is over
    /// after a silence, or, under unbroken load, after as many messages as the queue can hold: then it
    /// may have overflowed. Returns whether it was decided now.
    pub fn settle(&mut self, now: Moment, coverage: &mut Coverage) -> bool {
        let Some(due) = self.backlog_over_at() else { return false };
        if now.steady_ms - due > OVERSLEPT_MS {
            // Nobody ran meanwhile: what came may not have been read yet, so this was no silence.
            self.backlog.quiet_since = now.steady_ms;
        }
        let limit = self.terms.broker_queue;
        let overflow = limit > 0 && self.backlog.count >= limit;
        let is_open = self.backlog_over_at().is_some_and(|due| now.steady_ms < due);
        if !overflow && is_open {
            return false;
        }
        let Backlog { restart, dropped, .. } = std::mem::take(&mut self.backlog);
        for place in 0..self.voices.len() {
            if let Attention::Undecided { left, lost } = self.voices[place].attention {
                let survived = restart || self.broker_outlived(left);
                let lossy = self.known(place, coverage).is_none_or(|member| member.lossy);
                if !overflow {
                    self.heed_all(place, coverage);
                }
                if lost || overflow || dropped || lossy || !survived {
                    self.begin_epoch(place, now, coverage);
                } else {
                    self.listen(place, coverage);
                }
            }
        }
        self.heard(now, true, coverage);
        true
    }
}
