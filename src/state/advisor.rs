//! How long to wait before an absence is told: how many of them are over by then.
//!
//! Changes go in as they become known; time is that of arrival, as it is for whoever waits. An absence begins
//! when a client that was online is believed to be offline, and ends with its return. Where nobody knows
//! how it went on, it is cut: it lasted at least so long.

use super::presence::{Cause, Change};
use crate::event::Timestamp;
use std::collections::BTreeMap;

/// Graces that are compared, in ms.
pub const GRACES_MS: [i64; COUNT] = [
    0, 1_000, 2_000, 5_000, 10_000, 20_000, 30_000, 60_000, 120_000, 300_000, 600_000, 1_200_000,
    1_800_000, 3_600_000,
];
const COUNT: usize = 14;

/// The absences of the clients of one broker, by length.
#[derive(Clone, Debug, Default)]
pub struct Advisor {
    clients: BTreeMap<Box<str>, Client>,
    /// By the last grace that is not longer than the absence.
    returned: [u64; COUNT],
    cut: [u64; COUNT],
}

#[derive(Clone, Debug, Default)]
struct Client {
    online: Option<bool>,
    since: Option<Timestamp>,
    returned: [u32; COUNT],
}

/// What a grace would do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grace {
    pub ms: i64,
    /// Absences that were over before: nobody hears of them.
    pub withheld: u64,
    /// Absences that lasted as long: they are told so much later.
    pub told: u64,
    /// Absences that were cut before.
    pub undecided: u64,
}

impl Grace {
    /// Returns the share of what is decided that is not told, `None` where nothing is.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "a share needs no more than 52 bits")]
    pub fn withheld_share(&self) -> Option<f64> {
        let decided = self.withheld + self.told;
        (decided > 0).then(|| self.withheld as f64 / decided as f64)
    }
}

/// What is recommended, and on what that rests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Advice {
    /// So few returns carry no recommendation.
    TooFew { returned: u64 },
    /// Hardly any absence is short: waiting would only delay the news.
    LittleToGain { withheld: u64, offlines: u64, by_ms: i64 },
    /// However long one waits, waiting longer would withhold many more.
    NoStep,
    /// Returns come within this time, or much later.
    Wait { ms: i64, withheld: u64, later: u64, until_ms: i64 },
}

/// Everything that is told.
#[derive(Clone, Debug)]
pub struct Counsel {
    pub offlines: u64,
    pub returned: u64,
    /// Clients that were absent at least once.
    pub clients: u64,
    /// As far as there is something to see.
    pub graces: Vec<Grace>,
    pub advice: Advice,
    /// The client with most of what the advice would withhold, and how much that is.
    pub most: Option<(Box<str>, u64)>,
}

/// Returns below which there is no recommendation.
pub const RETURNED_MIN: u64 = 30;
/// A grace after which returns stop for so many times its length is one that stands out.
const STEP: i64 = 4;
/// The longest grace that is recommended.
const ADVISED_MAX_MS: i64 = 600_000;
/// At least up to this grace all are shown.
const SHOWN_MIN_MS: i64 = 30_000;

impl Advisor {
    /// A verdict changed, which could be known at `now`. Absences that began outside of `counts` do not
    /// count.
    pub fn change(&mut self, change: &Change, now: Timestamp, counts: impl Fn(Timestamp) -> bool) {
        // A grace runs out when nothing happens; whoever watches sees it at once.
        let now = if change.cause == Cause::Grace { change.at.min(now) } else { now };
        let Self { clients, returned, cut } = self;
        let id = change.verdict.client.as_str();
        if !clients.contains_key(id) {
            clients.insert(id.into(), Client::default());
        }
        let client = clients.get_mut(id).expect("it was there, or was just added");
        let online = change.verdict.status.online();
        let before = std::mem::replace(&mut client.online, online);
        match (before, online) {
            (Some(true), Some(false)) => client.since = Some(now).filter(|now| counts(*now)),
            (_, Some(true)) => {
                if let Some(since) = client.since.take() {
                    let bin = bin(now.since(since));
                    returned[bin] += 1;
                    client.returned[bin] = client.returned[bin].saturating_add(1);
                }
            }
            (_, None) => {
                if let Some(since) = client.since.take() {
                    cut[bin(now.since(since))] += 1;
                }
            }
            (_, Some(false)) => {}
        }
    }

    /// Nothing is known after `last`. Returns what there is to tell of the time since `first`.
    #[must_use]
    pub fn finish(mut self, first: Timestamp, last: Timestamp) -> Counsel {
        for client in self.clients.values() {
            if let Some(since) = client.since {
                self.cut[bin(last.since(since))] += 1;
            }
        }
        let graces: Vec<Grace> = (0..COUNT).map(|at| self.grace(at)).collect();
        let returned = self.returned.iter().sum();
        let offlines = returned + self.cut.iter().sum::<u64>();
        let advice = self.advice(&graces, offlines, last.since(first));
        let shown = GRACES_MS.iter().position(|ms| *ms >= SHOWN_MIN_MS).unwrap_or(0);
        let settled = graces.iter().position(|grace| grace.withheld == returned);
        let shown = settled.unwrap_or(COUNT - 1).max(shown);
        let absent = |client: &&Client| {
            client.since.is_some() || client.returned.iter().any(|count| *count > 0)
        };
        Counsel {
            offlines,
            returned,
            clients: self.clients.values().filter(absent).count() as u64,
            graces: graces.into_iter().take(shown + 1).collect(),
            most: self.most(advice),
            advice,
        }
    }

    fn grace(&self, at: usize) -> Grace {
        let below = |bins: &[u64; COUNT]| bins.iter().take(at).sum::<u64>();
        let from = |bins: &[u64; COUNT]| bins.iter().skip(at).sum::<u64>();
        Grace {
            ms: GRACES_MS[at],
            withheld: below(&self.returned),
            told: from(&self.returned) + from(&self.cut),
            undecided: below(&self.cut),
        }
    }

    fn advice(&self, graces: &[Grace], offlines: u64, span_ms: i64) -> Advice {
        let returned = self.returned.iter().sum();
        if returned < RETURNED_MIN {
            return Advice::TooFew { returned };
        }
        let within = |ms: i64| {
            let longest = graces.iter().rev().find(|grace| grace.ms <= ms);
            longest.map_or((0, 0), |grace| (grace.ms, grace.withheld))
        };
        let (by_ms, most) = within(ADVISED_MAX_MS.min(span_ms));
        if most < offlines.div_ceil(10) {
            return Advice::LittleToGain { withheld: most, offlines, by_ms };
        }
        for grace in graces.iter().filter(|grace| grace.ms > 0 && grace.ms <= ADVISED_MAX_MS) {
            let (until_ms, by_then) = within(grace.ms.saturating_mul(STEP));
            let is_known = until_ms > grace.ms && until_ms <= span_ms;
            let later = by_then - grace.withheld;
            let is_many = grace.withheld >= RETURNED_MIN && grace.withheld >= offlines.div_ceil(10);
            if is_known && is_many && later <= grace.withheld / 10 {
                return Advice::Wait { ms: grace.ms, withheld: grace.withheld, later, until_ms };
            }
        }
        Advice::NoStep
    }

    fn most(&self, advice: Advice) -> Option<(Box<str>, u64)> {
        let Advice::Wait { ms, .. } = advice else { return None };
        let bins = GRACES_MS.iter().take_while(|grace| **grace < ms).count();
        let of = |client: &Client| -> u64 {
            client.returned.iter().take(bins).map(|count| u64::from(*count)).sum()
        };
        let counted = self.clients.iter().map(|(id, client)| (id, of(client)));
        // The first of those that have as many.
        let most = counted.max_by(|one, other| one.1.cmp(&other.1).then(other.0.cmp(one.0)));
        most.filter(|(_, count)| *count > 0).map(|(id, count)| (id.clone(), count))
    }
}

/// Returns the place of the longest grace that an absence lasted for.
fn bin(ms: i64) -> usize {
    GRACES_MS.partition_point(|grace| *grace <= ms).saturating_sub(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::verdict::{Status, Verdict};

    fn change(client: &str, to: Status) -> Change {
        let verdict = Verdict { status: to, ..Verdict::unknown(client) };
        Change {
            at: Timestamp(0),
            from: Status::Unknown,
            cause: Cause::Connect,
            verdict,
            held_ms: None,
        }
    }

    /// Absences of these lengths, one after the other, each of a client of its own.
    fn absences(lengths_ms: impl IntoIterator<Item = i64>) -> Advisor {
        let mut advisor = Advisor::default();
        for (number, length) in lengths_ms.into_iter().enumerate() {
            let client = number.to_string();
            let states =
                [(Status::Online, 0), (Status::Offline, 10), (Status::Online, 10 + length)];
            for (to, at) in states {
                advisor.change(&change(&client, to), Timestamp(at), |_| true);
            }
        }
        advisor
    }

    const DAY: (Timestamp, Timestamp) = (Timestamp(0), Timestamp(86_400_000));

    #[test]
    fn a_grace_withholds_what_is_over_before_it_and_tells_the_rest() {
        let counsel = absences([500, 4_999, 5_000, 5_001, 700_000]).finish(DAY.0, DAY.1);
        let of = |ms| counsel.graces.iter().find(|grace| grace.ms == ms).expect("it is shown");
        assert_eq!((of(0).withheld, of(0).told), (0, 5));
        assert_eq!((of(1_000).withheld, of(5_000).withheld, of(10_000).withheld), (1, 2, 4));
        assert_eq!((of(600_000).told, of(1_200_000).told), (1, 0));
        assert!(counsel.graces.iter().all(|grace| grace.withheld + grace.told == 5));
        assert_eq!(counsel.advice, Advice::TooFew { returned: 5 });
    }

    #[test]
    fn what_is_cut_is_undecided_only_until_it_lasted_for_as_long() {
        let mut advisor = absences([]);
        for (to, at) in [(Status::Online, 0), (Status::Offline, 10), (Status::Unknown, 6_010)] {
            advisor.change(&change("x", to), Timestamp(at), |_| true);
        }
        let counsel = advisor.finish(DAY.0, DAY.1);
        let told: Vec<(i64, u64, u64)> =
            counsel.graces.iter().map(|grace| (grace.ms, grace.told, grace.undecided)).collect();
        assert_eq!(told[3..5], [(5_000, 1, 0), (10_000, 0, 1)]);
        assert_eq!((counsel.offlines, counsel.returned), (1, 0));
    }

    #[test]
    fn a_step_in_the_returns_is_recommended() {
        // 100 blinks of 3 to 4 s, and 20 absences of an hour.
        let lengths = (0..100).map(|n| 3_000 + 10 * n).chain((0..20).map(|_| 3_500_000));
        let counsel = absences(lengths).finish(DAY.0, DAY.1);
        let expected = Advice::Wait { ms: 5_000, withheld: 100, later: 0, until_ms: 20_000 };
        assert_eq!(counsel.advice, expected);
        assert_eq!(counsel.most.expect("one has most").1, 1);
    }

    #[test]
    fn where_the_data_carry_no_recommendation_none_is_made() {
        let even = absences((0..12).flat_map(|power| vec![700 << power; 40]));
        assert_eq!(even.finish(DAY.0, DAY.1).advice, Advice::NoStep);
        let long = absences(vec![3_000_000; 100]);
        let advice = long.finish(DAY.0, DAY.1).advice;
        assert_eq!(advice, Advice::LittleToGain { withheld: 0, offlines: 100, by_ms: 600_000 });
        // A log of ten seconds tells nothing of what would have come back in twenty.
        let short = absences(vec![3_000; 100]).finish(Timestamp(0), Timestamp(10_000));
        assert_eq!(short.advice, Advice::NoStep);
    }

    #[test]
    fn absences_that_do_not_count_are_left_out() {
        let mut advisor = Advisor::default();
        for (to, at) in [(Status::Online, 0), (Status::Offline, 10), (Status::Online, 20)] {
            advisor.change(&change("x", to), Timestamp(at), |since| since.0 > 15);
        }
        // Nor is it an absence of which nobody saw the beginning.
        advisor.change(&change("y", Status::Offline), Timestamp(5), |_| true);
        advisor.change(&change("y", Status::Online), Timestamp(9), |_| true);
        assert_eq!(advisor.finish(DAY.0, DAY.1).offlines, 0);
    }
}
