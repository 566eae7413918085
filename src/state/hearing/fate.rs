//! What a return means for what was heard before.

use super::{Hearing, Moment, apart};
use crate::event::Timestamp;
use crate::state::coverage::Coverage;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// Nothing was lost, or the user wants the absence treated so.
    Bridged,
    /// Something may have been lost, and nothing of before is still to come: a new epoch.
    Lost,
    /// What was queued comes in first; we left then, and may have lost something already.
    Backlog { left: Timestamp, lost: bool },
    /// New in its group: it depends on the others whether something was lost.
    Joining,
}

/// Brokers tell their uptime as the difference of two whole seconds: it may say up to this much more
/// than is true, ms.
const UPTIME_RESOLUTION_MS: i64 = 1_000;

impl Hearing {
    /// Tells what can be said at once about the return of one voice.
    pub(super) fn fate(
        &self,
        place: usize,
        session_present: bool,
        qos: u8,
        now: Moment,
        coverage: &Coverage,
    ) -> Fate {
        let voice = &self.voices[place];
        let is_torn = match &voice.share {
            Some(share) if share.is_new && !share.is_torn => return Fate::Joining,
            Some(share) => share.is_torn,
            None => false,
        };
        let Some(member) = self.known(place, coverage) else { return Fate::Lost };
        let doubt = self.doubt.filter(|doubt| now.steady_ms < doubt.ends_at);
        let before = doubt.map(|doubt| doubt.before).or(self.last);
        let left = doubt.map_or(member.heard, |doubt| doubt.before.wall.min(member.heard));
        let absent = now.wall.since(left);
        // A machine that slept, or a clock that was set while we were away: how long we were away is
        // not known, so nothing that depends on it can be claimed.
        let unclear = absent < 0 || before.is_some_and(|before| apart(before, now));
        let bridged =
            !unclear && 0 < self.terms.bridge_gaps_ms && absent <= self.terms.bridge_gaps_ms;
        if bridged && !self.backlog.dropped && !member.left && !self.usurped && !is_torn {
            return Fate::Bridged;
        }
        if !session_present || member.left {
            return Fate::Lost;
        }
        let expired = voice.message_life_ms.is_some_and(|life| absent >= life);
        let lost = unclear || expired || member.lossy || qos == 0 || self.usurped || is_torn;
        Fate::Backlog { left, lost }
    }

    /// Tells whether the broker said that it had been running since before we last heard it.
    pub(super) fn broker_outlived(&self, left: Timestamp) -> bool {
        self.uptime.is_some_and(|(uptime, told)| told.since(left) < uptime - UPTIME_RESOLUTION_MS)
    }
}
