//! Many clients lost at once, what they have in common, and how many come back.
//!
//! Losses are counted by the second of their stamps, so that a backlog of ends that happened over an
//! hour is no outage; and by arrival, so that a clock that stands still makes none either. What is
//! many depends on what is usual for this fleet.

use super::TELL_AGAIN_MS;
use super::factor::{Traits, common};
use super::finding::{Factor, Finding, Outage, Phase, What};
use super::names::{Named, Names};
use super::numbers::Numbers;
use super::roster::Roster;
use super::usual::{LOST_MIN, Usual, WINDOW_S, is_usual, seconds};
use crate::event::Timestamp;
use crate::state::address::Subnet;
use crate::state::verdict::How;
use foldhash::fast::RandomState;
use std::collections::{BTreeMap, BTreeSet, HashSet, VecDeque};

#[derive(Debug)]
pub(super) struct Outages {
    recent: VecDeque<Loss>,
    /// Of the recent, those that are not back.
    out: Numbers,
    seconds: [(i64, u32); SECONDS],
    gathering: Option<Gathering>,
    recovering: Vec<Recovery>,
    usual: Usual,
    /// Losses of which only the number was kept.
    pub(super) overlooked: u64,
}

/// A client that went offline.
#[derive(Clone, Debug)]
pub(super) struct Loss {
    /// By the stamp of its end.
    pub(super) at: Timestamp,
    pub(super) arrived: Timestamp,
    pub(super) key: u64,
    pub(super) client: Named,
    pub(super) subnet: Option<Subnet>,
    pub(super) voice: u8,
    pub(super) how: Option<How>,
    pub(super) restart: bool,
}

/// What is known beside outages.
#[derive(Clone, Copy)]
pub(super) struct Beside<'a> {
    pub(super) roster: &'a Roster,
    pub(super) voices: &'a [String],
    pub(super) names: &'a Names,
}

#[derive(Debug)]
struct Gathering {
    begun: Timestamp,
    first: Timestamp,
    last: Timestamp,
    losses: Vec<Loss>,
    lost: Numbers,
    /// Of these, the ones that are not back.
    away: Numbers,
    restarts: usize,
    /// Since it was last looked at: so many were lost in so long.
    pace: (usize, Timestamp),
    /// In a row, looks at which no more were lost than usual.
    quiet: u8,
    told: Option<Timestamp>,
}

#[derive(Debug)]
struct Recovery {
    outage: Outage,
    since: Timestamp,
    begun: Timestamp,
    told: Timestamp,
    told_back: usize,
    away: Numbers,
}

/// Seconds of which losses are counted, more than twice the window.
const SECONDS: usize = 16;
const NO_SECONDS: [(i64, u32); SECONDS] = [(i64::MIN, 0); SECONDS];
/// How long a loss waits for others, by arrival.
const RECENT_MS: i64 = 30_000;
/// After so many seconds in a row with no more losses than usual: that was all.
const QUIET: u8 = 2;
const QUIET_MS: i64 = 1_000;
/// What is known by then is told: the end of it may be long in coming, where a cut is noticed by keep
/// alives that run out.
const TELL_BY_MS: i64 = 15_000;
/// What lasts this long is what is usual now.
const GATHER_MAX_MS: i64 = 180_000;
const RECOVERY_MAX_MS: i64 = 600_000;
/// Losses that are kept with their traits.
const LOSSES_MAX: usize = 20_000;
/// Losses whose return is followed.
const AWAY_MAX: usize = 1 << 20;
const RECOVERIES_MAX: usize = 4;
/// So many per cent make everybody, or all of them back.
const NEARLY_ALL: usize = 95;
/// So many per cent ended in the same way.
const MOST: usize = 80;

impl Outages {
    /// `nobody` is an empty set of clients, of their kind.
    pub(super) fn new(nobody: Numbers) -> Self {
        Self {
            recent: VecDeque::new(),
            out: nobody,
            seconds: NO_SECONDS,
            gathering: None,
            recovering: Vec::new(),
            usual: Usual::default(),
            overlooked: 0,
        }
    }

    /// Somebody begins to watch.
    pub(super) fn begin(&mut self, now: Timestamp) {
        self.usual.begin(now);
    }

    /// A client was lost; `online` is how many are left.
    pub(super) fn lost(&mut self, loss: Loss, online: usize) {
        let now = loss.arrived;
        if let Some(gathering) = &mut self.gathering
            && gathering.holds(loss.at)
        {
            self.overlooked += u64::from(!gathering.take(loss));
            return;
        }
        while self.recent.front().is_some_and(|old| now.since(old.arrived) > RECENT_MS)
            || self.recent.len() >= LOSSES_MAX
        {
            if let Some(old) = self.recent.pop_front() {
                self.out.remove(old.key);
            }
        }
        let second = second(loss.at);
        let slot = &mut self.seconds[slot(second)];
        if slot.0 != second {
            *slot = (second, 0);
        }
        slot.1 += 1;
        self.usual.note(now);
        let at = loss.at;
        self.out.insert(loss.key);
        self.recent.push_back(loss);
        let dense = self.within(second - WINDOW_S + 1).max(self.within(second));
        let count = self.recent.len().min(usize::try_from(dense).unwrap_or(usize::MAX));
        if self.gathering.is_none() && self.usual.is_exceeded(count, online, now) {
            self.gather(at, now);
        }
    }

    /// A client is online again.
    pub(super) fn returned(&mut self, key: u64) {
        self.out.remove(key);
        if let Some(gathering) = &mut self.gathering {
            gathering.away.remove(key);
        }
        for recovery in &mut self.recovering {
            recovery.away.remove(key);
        }
    }

    /// Has what is known of a client fetched from memory.
    pub(super) fn prefetch(&self, key: u64) {
        self.out.prefetch(key);
        if let Some(gathering) = &self.gathering {
            gathering.away.prefetch(key);
        }
        for recovery in &self.recovering {
            recovery.away.prefetch(key);
        }
    }

    /// Nothing tells any more who is away: we did not listen.
    pub(super) fn handle_hole(&mut self) {
        self.recent.clear();
        self.out.clear();
        self.seconds = NO_SECONDS;
    }

    pub(super) fn is_idle(&self) -> bool {
        self.gathering.is_none() && self.recovering.is_empty()
    }

    pub(super) fn handle_timeout(
        &mut self,
        now: Timestamp,
        beside: &Beside<'_>,
        found: &mut Vec<Finding>,
    ) {
        let rate = self.usual.rate(now, 0);
        if let Some(gathering) = &mut self.gathering {
            gathering.look(now, rate);
            let age = now.since(gathering.begun);
            if age >= TELL_BY_MS && gathering.told.is_none() && gathering.quiet < QUIET {
                found.push(gathering.conclude(now, rate, beside).finding(Phase::Begins, now));
                gathering.told = Some(now);
            }
        }
        let is_over = |gathering: &mut Gathering| {
            gathering.quiet >= QUIET || now.since(gathering.begun) >= GATHER_MAX_MS
        };
        if let Some(gathering) = self.gathering.take_if(is_over) {
            if gathering.quiet < QUIET {
                self.usual.adopt(gathering.lost.len(), now.since(gathering.begun), now);
            }
            let recovery = gathering.conclude(now, rate, beside);
            let phase = gathering.told.map_or(Phase::Begins, |_| Phase::GoesOn);
            found.push(recovery.finding(phase, now));
            if self.recovering.len() >= RECOVERIES_MAX {
                let oldest = self.recovering.remove(0);
                found.push(oldest.finding(Phase::Ends, now));
            }
            self.recovering.push(recovery);
        }
        self.recovering.retain_mut(|recovery| recovery.goes_on(now, found));
    }

    /// Sums the losses of a window that begins with this second.
    fn within(&self, first: i64) -> u32 {
        (first..first.saturating_add(WINDOW_S))
            .map(|second| self.seconds[slot(second)])
            .zip(first..)
            .filter(|((known, _), second)| known == second)
            .map(|((_, count), _)| count)
            .sum()
    }

    fn gather(&mut self, at: Timestamp, now: Timestamp) {
        let is_near = |loss: &Loss| loss.at.since(at).saturating_abs() <= WINDOW_S * 1_000;
        let clients = self.recent.iter().filter(|loss| is_near(loss)).map(|loss| loss.key);
        // Few clients that come and go in a hurry are no outage, and hide none that begins meanwhile.
        if clients.collect::<HashSet<_, RandomState>>().len() < LOST_MIN {
            return;
        }
        let mut gathering = Gathering {
            begun: now,
            first: at,
            last: at,
            losses: Vec::new(),
            lost: self.out.none(),
            away: self.out.none(),
            restarts: 0,
            pace: (0, now),
            quiet: 0,
            told: None,
        };
        for loss in std::mem::take(&mut self.recent) {
            if is_near(&loss) {
                let (key, is_out) = (loss.key, self.out.remove(loss.key));
                gathering.take(loss);
                if !is_out {
                    gathering.away.remove(key);
                }
            } else {
                self.recent.push_back(loss);
            }
        }
        self.usual.take_back(gathering.losses.len());
        self.seconds = NO_SECONDS;
        self.gathering = Some(gathering);
    }
}

impl Gathering {
    fn holds(&self, at: Timestamp) -> bool {
        at >= self.first.plus(-WINDOW_S * 1_000) && at <= self.last.plus(WINDOW_S * 1_000)
    }

    /// Takes a loss in. Returns whether it was kept.
    fn take(&mut self, loss: Loss) -> bool {
        if self.lost.len() >= AWAY_MAX {
            return false;
        }
        self.first = self.first.min(loss.at);
        self.last = self.last.max(loss.at);
        self.pace.0 += 1;
        self.begun = self.begun.min(loss.arrived);
        self.away.insert(loss.key);
        if self.lost.insert(loss.key) {
            self.restarts += usize::from(loss.restart);
            if self.losses.len() < LOSSES_MAX {
                self.losses.push(loss);
            }
        }
        true
    }

    /// Looks at how many were lost of late. `rate` is what is usual, in clients per second.
    fn look(&mut self, now: Timestamp, rate: f64) {
        let passed = now.since(self.pace.1);
        if (0..QUIET_MS).contains(&passed) {
            return;
        }
        let expected = rate * seconds(passed);
        let is_quiet = is_usual(self.pace.0, expected);
        self.quiet = if is_quiet { self.quiet + 1 } else { 0 };
        self.pace = (0, now);
    }

    fn conclude(&self, now: Timestamp, rate: f64, beside: &Beside<'_>) -> Recovery {
        let (from, to) = self.busy(rate);
        let is_in = |loss: &&Loss| (from..=to).contains(&second(loss.at));
        let losses: Vec<&Loss> = self.losses.iter().filter(is_in).collect();
        let mut away = self.away.clone();
        for usual in self.losses.iter().filter(|loss| !is_in(loss)) {
            away.remove(usual.key);
        }
        let lost = self.lost.len() - (self.losses.len() - losses.len());
        let back = lost - away.len().min(lost);
        let stayed = beside.roster.online.saturating_sub(back);
        let first = losses.iter().map(|loss| loss.at).min().unwrap_or(self.first);
        let last = losses.iter().map(|loss| loss.at).max().unwrap_or(self.last);
        let outage = Outage {
            lost,
            within_ms: last.since(first),
            stayed,
            everybody: 100 * lost >= NEARLY_ALL * (lost + stayed),
            restart: 2 * self.restarts > lost,
            how: usual_end(&losses),
            abrupt_by: abrupt_by(&losses, beside.voices),
            common: self.common(&losses, beside),
            back,
            after_ms: now.since(self.begun),
        };
        Recovery { outage, since: first, begun: self.begun, told: now, told_back: back, away }
    }

    /// Returns the seconds from the first to the last in which more were lost than usual: who was lost
    /// before and after them would have been lost anyway.
    fn busy(&self, rate: f64) -> (i64, i64) {
        let mut counts: BTreeMap<i64, usize> = BTreeMap::new();
        for loss in &self.losses {
            *counts.entry(second(loss.at)).or_default() += 1;
        }
        let mut busy = counts.iter().filter(|(_, count)| !is_usual(**count, rate));
        let first = busy.next().map_or(i64::MIN, |(second, _)| *second);
        let last = busy.next_back().map(|(second, _)| *second);
        (first, last.unwrap_or(if first == i64::MIN { i64::MAX } else { first }))
    }

    fn common(&self, losses: &[&Loss], beside: &Beside<'_>) -> Vec<Factor> {
        let Beside { roster, voices, names } = *beside;
        let lost: Vec<Traits<'_>> = losses
            .iter()
            .map(|loss| Traits {
                id: names.of(&loss.client),
                subnet: loss.subnet,
                voice: loss.voice,
            })
            .collect();
        let stayed = roster.online().filter(|member| !self.lost.contains(member.key));
        let stayed: Vec<Traits<'_>> = stayed.map(Traits::of).collect();
        common(&lost, &stayed, voices)
    }
}

/// Returns how most of these ended.
fn usual_end(losses: &[&Loss]) -> Option<How> {
    let ends = [How::Graceful, How::TakenOver, How::Restart, How::Abrupt, How::Inferred];
    let count = |how| losses.iter().filter(|loss| loss.how == Some(how)).count();
    ends.into_iter().find(|how| !losses.is_empty() && 100 * count(*how) >= MOST * losses.len())
}

/// Returns the voices of those that ended without a goodbye.
fn abrupt_by(losses: &[&Loss], voices: &[String]) -> Vec<String> {
    let abrupt = losses.iter().filter(|loss| loss.how == Some(How::Abrupt));
    let told: BTreeSet<u8> = abrupt.map(|loss| loss.voice).collect();
    told.into_iter().filter_map(|voice| voices.get(usize::from(voice)).cloned()).collect()
}

impl Recovery {
    /// Tells what there is to tell, and returns whether more is to come.
    fn goes_on(&mut self, now: Timestamp, found: &mut Vec<Finding>) -> bool {
        self.outage.back = self.outage.lost - self.away.len().min(self.outage.lost);
        self.outage.after_ms = now.since(self.begun);
        let nearly_all = 100 * self.outage.back >= NEARLY_ALL * self.outage.lost;
        if nearly_all || self.outage.after_ms >= RECOVERY_MAX_MS {
            found.push(self.finding(Phase::Ends, now));
            return false;
        }
        if now.since(self.told) >= TELL_AGAIN_MS && self.outage.back != self.told_back {
            (self.told, self.told_back) = (now, self.outage.back);
            found.push(self.finding(Phase::GoesOn, now));
        }
        true
    }

    fn finding(&self, phase: Phase, now: Timestamp) -> Finding {
        let what = What::MassOutage(self.outage.clone());
        Finding { phase, at: now, since: self.since, what }
    }
}

const fn second(at: Timestamp) -> i64 {
    at.0.div_euclid(1_000)
}

fn slot(second: i64) -> usize {
    usize::from(second.to_le_bytes()[0]) % SECONDS
}
