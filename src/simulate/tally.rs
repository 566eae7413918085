//! What a run amounts to: counts and times, made from its deeds one by one.

use super::deed::{Deed, What};
use super::plan::{Death, Plan};
use super::verify::window::earliest;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::time::Duration;

/// What was done so far, and what was planned.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    pub devices: u64,
    pub planned: Deaths,
    pub died: Deaths,
    /// Connections that were accepted: one of each life that began, and those of devices that came back
    /// within it.
    pub connected: u64,
    /// Devices that are connected and speak.
    pub alive: u64,
    /// Connections that the broker ended because the device had sent nothing for longer than it promised.
    pub timed_out: u64,
    /// Lives that ended by a goodbye before their time, because the run was stopped.
    pub stopped: u64,
    pub failed: Reasons,
    /// Of the failed ones, those that the broker refused.
    pub refused: u64,
    pub lost: Reasons,
    /// Subscriptions and messages that the broker refused.
    pub objections: Reasons,
    /// From the intended moment to CONNACK, in µs.
    connects_us: Vec<u32>,
    /// From the silence to its notice, in ms.
    notices_ms: Vec<u32>,
    silent_since: HashMap<(u32, u32), Duration>,
    /// Connections on which nothing passes any more, and whose devices have not given up.
    dropped: HashSet<(u32, u32)>,
    /// Connections that were lost since the broker last gave a sign of life.
    lost_in_a_row: u64,
    /// The keep alive of each device, in seconds.
    keep_alives: Vec<u16>,
}

impl Tally {
    /// Begins to count what comes of a plan.
    pub fn new(plan: &Plan) -> Self {
        let mut planned = Deaths::default();
        for life in plan.lives() {
            planned.add(life.death);
        }
        let devices = plan.inhabitants();
        Self { devices, planned, keep_alives: vec![0; plan.devices.len()], ..Self::default() }
    }

    /// Tells whether a device had been silent for as long as a broker bears it.
    fn is_timed_out(&self, deed: &Deed) -> bool {
        let kept = self.keep_alives.get(deed.device as usize).copied().unwrap_or_default();
        kept > 0 && deed.at.saturating_sub(deed.last_sent) >= earliest(kept)
    }

    pub fn take(&mut self, deed: Deed) {
        match deed.what {
            What::Connected { took, keep_alive, .. } => {
                if let Some(kept) = self.keep_alives.get_mut(deed.device as usize) {
                    *kept = keep_alive;
                }
                self.connected += 1;
                self.alive += 1;
                self.lost_in_a_row = 0;
                self.connects_us.push(u32::try_from(took.as_micros()).unwrap_or(u32::MAX));
            }
            What::Failed { reason, is_refusal } => {
                self.refused += u64::from(is_refusal);
                self.failed.add(reason);
            }
            What::Died(death) => {
                self.alive = self.alive.saturating_sub(1);
                self.died.add(death);
                match death {
                    Death::Silence => {
                        self.silent_since.insert((deed.device, deed.life), deed.at);
                    }
                    Death::NatDrop => _ = self.dropped.insert((deed.device, deed.connection)),
                    _ => {}
                }
            }
            What::Noticed => {
                if let Some(since) = self.silent_since.remove(&(deed.device, deed.life)) {
                    let after = deed.at.saturating_sub(since).as_millis();
                    self.notices_ms.push(u32::try_from(after).unwrap_or(u32::MAX));
                }
            }
            What::Lost { .. } if self.is_timed_out(&deed) => {
                self.alive = self.alive.saturating_sub(1);
                self.timed_out += 1;
            }
            What::Lost { reason } => {
                self.alive = self.alive.saturating_sub(1);
                self.lost_in_a_row += 1;
                self.lost.add(reason);
            }
            // It finds out what was done to it.
            What::GaveUp if self.dropped.remove(&(deed.device, deed.connection)) => {}
            What::GaveUp => {
                self.alive = self.alive.saturating_sub(1);
                self.lost_in_a_row += 1;
                self.lost.add(GAVE_UP.to_owned());
            }
            What::Refused { reason } => self.objections.add(reason),
            What::Stopped => {
                self.alive = self.alive.saturating_sub(1);
                self.stopped += 1;
            }
        }
    }

    /// Returns the silent ones that the broker noticed.
    pub fn noticed(&self) -> u64 {
        u64::try_from(self.notices_ms.len()).unwrap_or(u64::MAX)
    }

    /// Returns how long connections took, from the intended moment to CONNACK.
    pub fn connect_times(&self) -> Option<Times> {
        Times::of(&self.connects_us, Duration::from_micros)
    }

    /// Returns how long it took until a silence was noticed.
    pub fn notice_times(&self) -> Option<Times> {
        Times::of(&self.notices_ms, Duration::from_millis)
    }

    /// Returns the connections that there were, or could not be.
    pub fn tried(&self) -> u64 {
        self.connected + self.failed.total()
    }

    /// Tells whether every life was what was planned.
    pub fn is_whole(&self) -> bool {
        self.failed.is_empty() && self.lost.is_empty() && self.objections.is_empty()
    }

    /// Tells whether not one device could connect.
    pub fn is_vain(&self) -> bool {
        self.connected == 0 && !self.failed.is_empty()
    }

    /// Tells whether the broker went away: everybody who was still connected was lost, a tenth of the
    /// devices at least, and nobody connected again.
    pub fn is_deserted(&self) -> bool {
        self.alive == 0
            && self.lost_in_a_row > 0
            && self.lost_in_a_row.saturating_mul(10) >= self.devices
    }
}

/// Counts by the way of dying.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Deaths {
    counts: BTreeMap<Death, u64>,
}

impl Deaths {
    pub fn of(&self, death: Death) -> u64 {
        self.counts.get(&death).copied().unwrap_or_default()
    }

    pub fn total(&self) -> u64 {
        self.counts.values().sum()
    }

    /// Returns the ways of dying that there were.
    pub fn kinds(&self) -> impl Iterator<Item = Death> {
        self.counts.keys().copied()
    }

    fn add(&mut self, death: Death) {
        *self.counts.entry(death).or_default() += 1;
    }
}

/// Why something did not go as planned, and how often.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reasons {
    counts: BTreeMap<String, u64>,
}

impl Reasons {
    pub fn is_empty(&self) -> bool {
        self.counts.is_empty()
    }

    pub fn total(&self) -> u64 {
        self.counts.values().sum()
    }

    /// Returns reasons with their counts, the most frequent first.
    pub fn by_count(&self) -> Vec<(&str, u64)> {
        let mut all: Vec<_> = self.counts.iter().map(|(text, count)| (&**text, *count)).collect();
        all.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        all
    }

    /// A broker may word its reasons in ever new ways: what is one too many is counted together.
    fn add(&mut self, reason: String) {
        if self.counts.len() < REASONS_MAX || self.counts.contains_key(&reason) {
            *self.counts.entry(reason).or_default() += 1;
        } else {
            *self.counts.entry(OTHER.to_owned()).or_default() += 1;
        }
    }
}

/// How long something took that happened many times.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Times {
    pub median: Duration,
    /// 99 of 100 took no longer.
    pub most: Duration,
    pub longest: Duration,
}

impl Times {
    fn of(times: &[u32], unit: fn(u64) -> Duration) -> Option<Self> {
        let mut sorted = times.to_vec();
        sorted.sort_unstable();
        // The smallest time that so many per cent do not exceed.
        let at = |percent: usize| {
            let place = (sorted.len() * percent).div_ceil(100).checked_sub(1)?;
            sorted.get(place).map(|time| unit((*time).into()))
        };
        Some(Self { median: at(50)?, most: at(99)?, longest: at(100)? })
    }
}

const GAVE_UP: &str = "nothing was heard for longer than the device waits";
const REASONS_MAX: usize = 32;
const OTHER: &str = "other reasons";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulate::plan::{Come, Shares, Terms};

    fn plan(devices: u32) -> Plan {
        let deaths = Shares::new([(Death::Disconnect, 50), (Death::Silence, 50)]);
        Plan::new(&Terms {
            devices,
            come: Come::Rate(1_000),
            duration_ms: 20_000,
            lives: 1,
            return_after_ms: 0,
            deaths,
            silence_ms: 5_000,
            nat_drop_ms: None,
            storm: None,
            seed: 1,
        })
        .expect("the terms are sound")
    }

    fn deed(device: u32, at_ms: u64, what: What) -> Deed {
        let at = Duration::from_millis(at_ms);
        Deed { device, life: 0, connection: 0, at, last_sent: at, what }
    }

    fn connected(device: u32, took_us: u64) -> Deed {
        let took = Duration::from_micros(took_us);
        let what = What::Connected {
            local: None,
            session_present: false,
            took,
            asked: Duration::ZERO,
            keep_alive: 5,
        };
        deed(device, 0, what)
    }

    fn failed(device: u32, reason: &str, is_refusal: bool) -> Deed {
        deed(device, 0, What::Failed { reason: reason.into(), is_refusal })
    }

    fn lost(device: u32) -> Deed {
        deed(device, 9_000, What::Lost { reason: "closed".into() })
    }

    fn tally(devices: u32, deeds: impl IntoIterator<Item = Deed>) -> Tally {
        let mut tally = Tally::new(&plan(devices));
        deeds.into_iter().for_each(|deed| tally.take(deed));
        tally
    }

    #[test]
    fn what_was_planned_is_known_before_anything_is_done() {
        let tally = tally(10, []);
        assert_eq!((tally.devices, tally.planned.total()), (10, 10));
        assert_eq!(tally.planned.kinds().collect::<Vec<_>>(), [Death::Disconnect, Death::Silence]);
        assert_eq!((tally.planned.of(Death::Disconnect), tally.planned.of(Death::Fin)), (5, 0));
        assert!(tally.is_whole() && !tally.is_vain() && !tally.is_deserted());
        assert_eq!((tally.connect_times(), tally.notice_times()), (None, None));
    }

    #[test]
    fn lives_are_counted_from_their_beginning_to_their_end() {
        let tally = tally(
            4,
            [
                connected(0, 900),
                connected(1, 1_100),
                connected(2, 1_000),
                failed(3, "not authorized", true),
                deed(0, 15_000, What::Died(Death::Disconnect)),
                deed(1, 12_000, What::Died(Death::Silence)),
                deed(1, 19_500, What::Noticed),
            ],
        );
        assert_eq!((tally.connected, tally.alive, tally.tried()), (3, 1, 4));
        assert_eq!((tally.died.of(Death::Disconnect), tally.died.of(Death::Silence)), (1, 1));
        assert_eq!((tally.noticed(), tally.refused), (1, 1));
        let times = tally.connect_times().expect("some connected");
        assert_eq!(times.median, Duration::from_millis(1));
        assert_eq!(times.longest, Duration::from_micros(1_100));
        let times = tally.notice_times().expect("one was noticed");
        assert_eq!(times.median, Duration::from_millis(7_500));
        assert!(!tally.is_whole() && !tally.is_vain());
    }

    #[test]
    fn giving_up_is_a_loss_unless_it_was_planned() {
        let tally = tally(
            4,
            [
                connected(0, 1),
                connected(1, 1),
                connected(2, 1),
                deed(0, 9_000, What::GaveUp),
                deed(1, 5_000, What::Died(Death::NatDrop)),
                deed(1, 9_000, What::GaveUp),
                deed(2, 20_000, What::Died(Death::Stay)),
            ],
        );
        assert_eq!((tally.alive, tally.lost.total()), (0, 1));
        assert_eq!(tally.died.kinds().collect::<Vec<_>>(), [Death::NatDrop, Death::Stay]);
    }

    #[test]
    fn ninety_nine_of_a_hundred_take_no_longer() {
        let tally = tally(200, (0..200).map(|device| connected(device, u64::from(device) + 1)));
        let times = tally.connect_times().expect("all connected");
        let us = |time: Duration| time.as_micros();
        assert_eq!((us(times.median), us(times.most), us(times.longest)), (100, 198, 200));
    }

    #[test]
    fn reasons_come_most_frequent_first_and_have_a_bound() {
        let mut reasons = Reasons::default();
        for number in 0..1_000 {
            reasons.add(format!("reason {number}"));
        }
        reasons.add("reason 3".into());
        assert_eq!(reasons.total(), 1_001);
        let counts = reasons.by_count();
        assert_eq!(counts.len(), REASONS_MAX + 1);
        assert_eq!(counts[..2], [(OTHER, 1_000 - 32), ("reason 3", 2)]);
    }

    #[test]
    fn nobody_connected_is_more_than_some_did_not() {
        let nobody = tally(2, [failed(0, "refused", true), failed(1, "refused", true)]);
        assert!(nobody.is_vain() && !nobody.is_deserted());
        let some = tally(2, [connected(0, 1), failed(1, "refused", true)]);
        assert!(!some.is_vain());
    }

    #[test]
    fn a_broker_that_went_away_is_told_from_a_broken_line() {
        let all = tally(3, [connected(0, 1), connected(1, 1), connected(2, 1)]);
        let mut gone = all.clone();
        gone.take(deed(0, 5_000, What::Died(Death::Disconnect)));
        gone.take(lost(1));
        assert!(!gone.is_deserted(), "one is alive");
        gone.take(lost(2));
        assert!(gone.is_deserted());
        gone.take(failed(2, "connection refused", false));
        assert!(gone.is_deserted());
        gone.take(connected(1, 1));
        gone.take(deed(1, 9_500, What::Died(Death::Disconnect)));
        assert!(!gone.is_deserted(), "it came back");

        let mut last = tally(100, (0..100).map(|device| connected(device, 1)));
        for device in 0..99 {
            last.take(deed(device, 5_000, What::Died(Death::Disconnect)));
        }
        last.take(lost(99));
        assert!(!last.is_deserted() && !last.is_whole(), "one line of a hundred broke");
    }

    #[test]
    fn who_was_silent_for_too_long_was_not_lost() {
        let lost = |after_ms: u64| {
            let at = Duration::from_millis(10_000 + after_ms);
            let last_sent = Duration::from_secs(10);
            let what = What::Lost { reason: "closed".into() };
            Deed { device: 0, life: 0, connection: 0, at, last_sent, what }
        };
        // The keep alive is 5 s.
        let silent = tally(1, [connected(0, 1), lost(7_000)]);
        assert_eq!((silent.timed_out, silent.alive), (1, 0));
        assert!(silent.is_whole() && !silent.is_deserted());
        let cut = tally(1, [connected(0, 1), lost(6_999)]);
        assert_eq!(cut.timed_out, 0);
        assert!(!cut.is_whole());
    }

    #[test]
    fn notices_of_nothing_do_no_harm() {
        let tally = tally(
            1,
            [
                deed(0, 0, What::Noticed),
                deed(0, 5_000, What::Died(Death::Silence)),
                deed(0, 5_000, What::Noticed),
                lost(0),
            ],
        );
        assert_eq!(tally.alive, 0);
        assert_eq!(tally.notice_times().map(|times| times.longest), Some(Duration::ZERO));
    }
}
