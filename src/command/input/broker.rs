//! What files say about one broker, and the moment at which that is judged.

use super::hindsight::Late;
use crate::cli::policy::{self as cli, Chosen};
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
    pub(super) holes: BTreeSet<(String, Timestamp, Timestamp)>,
    /// What arrived too late for the moment asked about.
    pub(super) late: Late,
    /// The first moment of what was heard, while somebody follows.
    pub(super) first: Option<Timestamp>,
    /// When somebody began to listen after the moment asked about.
    resumed: Option<Timestamp>,
    /// When the backlog of the watcher that began last had come.
    pub(super) settled: Option<Timestamp>,
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
            late: Late::default(),
            first: None,
            resumed: None,
            settled: None,
        }
    }

    /// Returns the present of what goes on: for a plain log that of the clock, for recordings as far as
    /// they tell that somebody listened.
    pub fn present(&self, now: Timestamp) -> Timestamp {
        let recorded = self.judged.max(self.received).filter(|_| self.latest.is_none());
        recorded.unwrap_or(now)
    }

    /// Begins to tell of changes, from what is believed now.
    pub fn follow(&mut self, now: Timestamp) {
        self.presence.follow(self.present(now));
    }

    /// Everything that is there has been read: what is due until now happens.
    pub fn catch_up(&mut self, now: Timestamp) {
        if self.presence.is_following() {
            self.presence.handle_timeout(self.present(now));
        }
        // Nothing is saved here, and a list of what is to be saved would only grow.
        self.presence.saved();
    }

    /// Returns the moment to judge at: where a watcher ended, or the end of what was heard. A watcher
    /// that was killed noted no moment, so its last arrival counts.
    pub fn moment(&self, policy: &Policy, fallback: Timestamp) -> Timestamp {
        let grace = policy.close_grace_ms.unwrap_or(0);
        let end_of_log = self.latest.map(|latest| latest.plus(grace));
        end_of_log.max(self.judged).max(self.received).unwrap_or(fallback)
    }

    /// Returns the last moment of which somebody told.
    pub(super) fn last(&self) -> Option<Timestamp> {
        self.latest.max(self.judged).max(self.received)
    }

    /// Returns the policy to judge by: that of the recording which began last, but for what was asked
    /// for. The order of files decides nothing.
    pub fn policy(&self, asked: &Asked) -> Policy {
        self.recorded.map_or(asked.policy, |(_, recorded)| asked.over(&recorded))
    }

    /// A recording begins, made under this policy.
    pub fn begin(&mut self, begun_ms: i64, policy: Policy, asked: &Asked) {
        let rank = |(begun, policy): (i64, Policy)| (begun, key(&policy));
        if self.recorded.is_none_or(|known| rank((begun_ms, policy)) > rank(known)) {
            self.recorded = Some((begun_ms, policy));
        }
        // What it heard is taken in as its watcher did, whatever another recording assumed.
        self.presence.judge_by(asked.over(&policy));
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

    /// Returns the times in which something may have been lost, whoever was away.
    pub fn holes(&self) -> impl Iterator<Item = (Timestamp, Timestamp)> {
        self.holes.iter().map(|(_, from, to)| (*from, *to))
    }

    /// Tells whether nothing but plain logs was read, which tell nothing of who listened.
    pub const fn is_plain(&self) -> bool {
        self.received.is_none() && self.judged.is_none()
    }

    /// Somebody listens from then on, which is after the moment asked about.
    pub(super) fn resumes(&mut self, begun: Timestamp) {
        self.resumed = Some(self.resumed.map_or(begun, |resumed| resumed.min(begun)));
    }

    /// Returns the end of plain logs, if it lies before a moment by more than a grace, and nothing that was
    /// read after it.
    pub fn ended_before(&self, at: Timestamp, policy: &Policy) -> Option<Timestamp> {
        let grace = policy.close_grace_ms.unwrap_or(0);
        let is_all = self.is_plain() && !self.late.is_more;
        self.latest.filter(|end| end.plus(grace) < at && is_all)
    }

    /// Returns since when nobody listens at the moment asked about, and until when; `None` if somebody does,
    /// or nobody tells of it.
    pub fn deaf_at(&self, at: Timestamp) -> Option<(Timestamp, Option<Timestamp>)> {
        let coverage = &self.presence.fleet().coverage;
        if coverage.sources().any(|(_, source)| source.listens(at)) {
            return None;
        }
        let members = coverage.sources().flat_map(|(_, source)| source.members.values());
        let heard = members.map(|member| member.heard).filter(|heard| *heard <= at).max()?;
        Some((heard, self.resumed))
    }

    /// Notes a hole in a listener's hearing. Its voices share it, so it is one. Returns whether it is
    /// news.
    pub fn hole(&mut self, member: &str, hole: &Hole) -> bool {
        self.holes.insert((member.to_owned(), hole.from, hole.to))
    }
}

/// A policy that was asked for, and what of it was chosen.
#[derive(Clone, Copy, Debug)]
pub struct Asked {
    pub policy: Policy,
    pub chosen: Chosen,
}

impl Asked {
    pub fn of(options: &cli::Policy) -> Self {
        Self { policy: options.into(), chosen: options.chosen }
    }

    /// Returns the policy of a recording with what was chosen in its place.
    fn over(&self, recorded: &Policy) -> Policy {
        let Self { policy: asked, chosen } = self;
        let mut policy = *recorded;
        if chosen.skew {
            policy.skew_ms = asked.skew_ms;
        }
        if chosen.close_grace {
            policy.close_grace_ms = asked.close_grace_ms;
        }
        if chosen.future {
            policy.future_ms = asked.future_ms;
        }
        if chosen.channels {
            policy.channels_max = asked.channels_max;
        }
        if chosen.flapping {
            policy.loop_count = asked.loop_count;
            policy.loop_window_ms = asked.loop_window_ms;
        }
        policy
    }
}

/// Returns what tells two policies apart, in some order.
fn key(policy: &Policy) -> impl Ord + use<> {
    (
        (policy.skew_ms, policy.close_grace_ms, policy.future_ms, policy.channels_max),
        (policy.loop_count, policy.loop_window_ms, policy.judge_skew_ms),
    )
}
