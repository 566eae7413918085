//! What files say about one broker, and the moment at which that is judged.

use crate::event::Timestamp;
use crate::state::coverage::Hole;
use crate::state::fleet::Fleet;
use crate::state::policy::Policy;
use crate::state::presence::Presence;
use std::collections::BTreeSet;

/// What was read about one broker.
#[derive(Debug)]
pub struct Broker {
    pub presence: Presence,
    /// The moment at which a watcher last judged.
    judged: Option<Timestamp>,
    /// The greatest believed time of plain files.
    latest: Option<Timestamp>,
    /// The last arrival noted in a recording.
    received: Option<Timestamp>,
    /// The policy of the recording that began last.
    recorded: Option<(i64, Policy)>,
    /// Times in which something may have been lost, by who was away.
    holes: BTreeSet<(String, Timestamp, Timestamp)>,
}

impl Broker {
    pub fn new(policy: Policy) -> Self {
        Self {
            presence: Presence::new(Fleet::default(), policy),
            judged: None,
            latest: None,
            received: None,
            recorded: None,
            holes: BTreeSet::new(),
        }
    }

    /// Returns the moment to judge at: where a watcher ended, or the end of what was heard. A watcher
    /// that was killed noted no moment, so its last arrival counts.
    pub fn moment(&self, policy: &Policy, fallback: Timestamp) -> Timestamp {
        let grace = policy.close_grace_ms.unwrap_or(0);
        let end_of_log = self.latest.map(|latest| latest.plus(grace));
        end_of_log.max(self.judged).max(self.received).unwrap_or(fallback)
    }

    /// Returns the policy to judge by: that of the recording which began last, but for what was asked
    /// for. The order of files decides nothing.
    pub fn policy(&self, asked: &Policy) -> Policy {
        self.recorded.map_or(*asked, |(_, recorded)| overlaid(&recorded, asked))
    }

    /// A recording begins, made under this policy.
    pub fn begin(&mut self, begun_ms: i64, policy: Policy, asked: &Policy) {
        let rank = |(begun, policy): (i64, Policy)| (begun, key(&policy));
        if self.recorded.is_none_or(|known| rank((begun_ms, policy)) > rank(known)) {
            self.recorded = Some((begun_ms, policy));
        }
        // What it heard is taken in as its watcher did, whatever another recording assumed.
        let fleet = std::mem::take(self.presence.fleet_mut());
        self.presence = Presence::new(fleet, overlaid(&policy, asked));
    }

    pub fn judged(&mut self, at: Timestamp) {
        self.judged = self.judged.max(Some(at));
    }

    pub fn latest(&mut self, time: Option<Timestamp>) {
        self.latest = self.latest.max(time);
    }

    pub fn received(&mut self, at: Timestamp) {
        self.received = self.received.max(Some(at));
    }

    /// Notes a hole in a listener's hearing. Its voices share it, so it is one. Returns whether it is
    /// news.
    pub fn hole(&mut self, member: &str, hole: &Hole) -> bool {
        self.holes.insert((member.to_owned(), hole.from, hole.to))
    }
}

/// Returns the policy of a recording with what was asked for in its place.
fn overlaid(recorded: &Policy, asked: &Policy) -> Policy {
    fn either<T: PartialEq + Copy>(asked: T, usual: T, recorded: T) -> T {
        if asked == usual { recorded } else { asked }
    }
    let usual = Policy::DEFAULT;
    Policy {
        skew_ms: either(asked.skew_ms, usual.skew_ms, recorded.skew_ms),
        close_grace_ms: either(asked.close_grace_ms, usual.close_grace_ms, recorded.close_grace_ms),
        future_ms: either(asked.future_ms, usual.future_ms, recorded.future_ms),
        channels_max: either(asked.channels_max, usual.channels_max, recorded.channels_max),
        loop_count: either(asked.loop_count, usual.loop_count, recorded.loop_count),
        loop_window_ms: either(asked.loop_window_ms, usual.loop_window_ms, recorded.loop_window_ms),
        judge_skew_ms: either(asked.judge_skew_ms, usual.judge_skew_ms, recorded.judge_skew_ms),
    }
}

/// Returns what tells two policies apart, in some order.
fn key(policy: &Policy) -> impl Ord + use<> {
    (
        (policy.skew_ms, policy.close_grace_ms, policy.future_ms, policy.channels_max),
        (policy.loop_count, policy.loop_window_ms, policy.judge_skew_ms),
    )
}
