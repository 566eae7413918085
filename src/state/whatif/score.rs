//! How right a rule was.

use super::reason::Reason;
use std::collections::BTreeMap;

/// For how long a rule was right or wrong, in ms.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sums {
    pub false_offline_ms: i64,
    pub false_online_ms: i64,
    pub right_ms: i64,
    /// Nobody knows who is right, or the rule had not heard of the client yet.
    pub undecided_ms: i64,
}

impl Sums {
    /// Adds a time in which this was true, and that was believed.
    pub(super) const fn take(&mut self, truth: Option<bool>, belief: Option<bool>, ms: i64) {
        let sum = match (truth, belief) {
            (Some(true), Some(false)) => &mut self.false_offline_ms,
            (Some(false), Some(true)) => &mut self.false_online_ms,
            (Some(_), Some(_)) => &mut self.right_ms,
            _ => &mut self.undecided_ms,
        };
        *sum = sum.saturating_add(ms);
    }

    #[must_use]
    pub const fn wrong_ms(&self) -> i64 {
        self.false_offline_ms.saturating_add(self.false_online_ms)
    }

    fn add(&mut self, other: &Self) {
        let Self { false_offline_ms, false_online_ms, right_ms, undecided_ms } = other;
        self.false_offline_ms = self.false_offline_ms.saturating_add(*false_offline_ms);
        self.false_online_ms = self.false_online_ms.saturating_add(*false_online_ms);
        self.right_ms = self.right_ms.saturating_add(*right_ms);
        self.undecided_ms = self.undecided_ms.saturating_add(*undecided_ms);
    }
}

/// What a rule amounts to, for one client or for many.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Score {
    pub clients: u64,
    /// Clients about which it is wrong at the end.
    pub wrong_at_end: u64,
    /// Clients about which it was ever wrong, for however short.
    pub ever_wrong: u64,
    /// How often it changed its mind.
    pub flips: u64,
    /// Against what was known at the time.
    pub then: Sums,
    /// Against what is known now.
    pub hindsight: Sums,
    /// How often it began to be wrong, by what fooled it.
    pub fooled: BTreeMap<Reason, u64>,
}

impl Score {
    pub fn add(&mut self, other: &Self) {
        self.clients += other.clients;
        self.wrong_at_end += other.wrong_at_end;
        self.ever_wrong += other.ever_wrong;
        self.flips += other.flips;
        self.then.add(&other.then);
        self.hindsight.add(&other.hindsight);
        for (reason, count) in &other.fooled {
            *self.fooled.entry(*reason).or_default() += count;
        }
    }
}
