//! Delays counted in equal steps, for pictures of them.

use crate::simulate::verify::window::Window;
use hdrhistogram::Histogram;
use std::time::Duration;

/// How many delays fall into each of some equal steps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bins {
    pub from_us: u64,
    pub step_us: u64,
    /// Of the step at `from_us`, and of those after it.
    pub counts: Vec<u64>,
}

impl Bins {
    /// Counts delays in at most `steps_max` steps of a round length, which span the delays and the
    /// window that was expected of them.
    pub fn new(delays_us: &Histogram<u64>, window: Option<Window>, steps_max: u64) -> Self {
        let (mut from_us, mut to_us) = (delays_us.min(), delays_us.max());
        if let Some(window) = window {
            from_us = from_us.min(us(window.earliest));
            to_us = to_us.max(us(window.latest));
        }
        let step_us = round_step((to_us - from_us).max(SPAN_US_MIN) / steps_max.max(1));
        let from_us = from_us / step_us * step_us;
        let steps = (to_us - from_us) / step_us + 1;
        let mut counts = vec![0_u64; usize::try_from(steps).unwrap_or(0)];
        for bucket in delays_us.iter_recorded() {
            let value = delays_us.lowest_equivalent(bucket.value_iterated_to());
            let step = value.saturating_sub(from_us) / step_us;
            if let Some(count) = usize::try_from(step).ok().and_then(|step| counts.get_mut(step)) {
                *count = count.saturating_add(bucket.count_at_value());
            }
        }
        Self { from_us, step_us, counts }
    }

    /// Returns the steps: where each begins, and its count.
    pub fn steps(&self) -> impl Iterator<Item = (u64, u64)> {
        let starts = (0_u64..).map(|step| self.from_us + step * self.step_us);
        starts.zip(self.counts.iter().copied())
    }

    pub fn highest(&self) -> u64 {
        self.counts.iter().copied().max().unwrap_or(0)
    }
}

/// Returns the least of 1, 2, 5, 10, 20, 50 … that is above a length.
fn round_step(length: u64) -> u64 {
    let mut ten: u64 = 1;
    loop {
        for factor in [1, 2, 5] {
            let step = ten.saturating_mul(factor);
            if step > length {
                return step;
            }
        }
        if ten > u64::MAX / 10 {
            return u64::MAX;
        }
        ten *= 10;
    }
}

/// Returns `of` of `length`, in proportion to `value` of `all`.
pub fn share(value: u64, all: u64, length: u32) -> u32 {
    let part = u128::from(value.min(all)) * u128::from(length) / u128::from(all.max(1));
    u32::try_from(part).unwrap_or(length)
}

pub fn us(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

/// Shorter spans are widened: below it delays are noise.
const SPAN_US_MIN: u64 = 1_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_round_and_hold_every_delay() {
        let mut delays = Histogram::new(3).expect("3 digits are possible");
        for (us, count) in [(5_000_000, 1), (7_600_000, 150), (8_100_000, 47)] {
            delays.record_n(us, count).expect("it grows");
        }
        let window =
            Window { earliest: Duration::from_secs(7), latest: Duration::from_millis(8_500) };
        let bins = Bins::new(&delays, Some(window), 14);
        assert_eq!((bins.from_us, bins.step_us), (4_500_000, 500_000));
        assert_eq!(bins.counts, [1, 0, 0, 0, 0, 0, 150, 47, 0]);
        assert_eq!(bins.steps().last(), Some((8_500_000, 0)));
    }

    #[test]
    fn no_delays_and_no_window_make_it_panic() {
        let empty = Histogram::new(3).expect("3 digits are possible");
        let mut long = empty.clone();
        long.record(1 << 40).expect("it grows");
        let forever = Window { earliest: Duration::ZERO, latest: Duration::MAX };
        for delays in [empty, long] {
            for window in [None, Some(forever)] {
                for steps_max in [0, 1, 80] {
                    let bins = Bins::new(&delays, window, steps_max);
                    assert!(bins.counts.len() as u64 <= steps_max.max(1) + 2, "{bins:?}");
                    assert_eq!(bins.counts.iter().sum::<u64>(), delays.len());
                }
            }
        }
    }

    #[test]
    fn a_share_stays_within_its_length() {
        assert_eq!(share(1, 3, 300), 100);
        assert_eq!(share(7, 3, 300), 300);
        assert_eq!(share(0, 0, 300), 0);
        assert_eq!(share(u64::MAX, u64::MAX, u32::MAX), u32::MAX);
    }
}
