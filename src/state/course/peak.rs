//! The most clients that were online at once.

use crate::event::Timestamp;
use crate::state::verdict::Status;

/// Counts who is online, as it becomes known, and keeps the most.
#[derive(Clone, Copy, Debug, Default)]
pub struct Peak {
    online: u64,
    most: Option<(u64, Timestamp)>,
}

impl Peak {
    /// A verdict changed, which could be known at `now`. Only what is known within the bounds is a most.
    pub fn change(
        &mut self,
        (from, to): (Status, Status),
        now: Timestamp,
        (first, last): (Timestamp, Timestamp),
    ) {
        let is_online = |online: Option<bool>| u64::from(online == Some(true));
        self.online += is_online(to.online());
        self.online = self.online.saturating_sub(is_online(from.online()));
        let is_within = first <= now && now < last;
        if is_within && self.most.is_none_or(|(most, _)| self.online > most) {
            self.most = Some((self.online, now));
        }
    }

    /// Returns the most, and when that was first known.
    #[must_use]
    pub const fn most(&self) -> Option<(u64, Timestamp)> {
        self.most
    }
}
