//! How long to wait before the next attempt to connect.

use crate::random::Random;
use std::time::Duration;

/// Waits that grow, so that a broker in trouble is left alone, and differ from client to client, so
/// that a fleet of watchers does not come back in step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backoff {
    /// Before the first retry: a broker that was restarted is back soon.
    pub first: Duration,
    /// Before the second retry; doubled with every one that follows.
    pub second: Duration,
    pub max: Duration,
}

impl Default for Backoff {
    fn default() -> Self {
        Self {
            first: Duration::from_millis(500),
            second: Duration::from_secs(1),
            max: Duration::from_mins(2),
        }
    }
}

impl Backoff {
    /// Returns the wait after the given number of failures in a row, at least one: within a quarter
    /// of its due, more or less, chosen by the seed.
    #[must_use]
    pub fn delay(self, failures: u32, seed: u64) -> Duration {
        let due = match failures {
            0 | 1 => self.first,
            _ => self.second.saturating_mul(1 << (failures - 2).min(20)).min(self.max),
        };
        // Neighbouring seeds give unrelated waits.
        let share = Random::of_state(seed ^ u64::from(failures)).next() % 501;
        due.mul_f64(0.75 + f64::from(u32::try_from(share).unwrap_or(250)) / 1000.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_two_minutes_give_or_take_a_quarter() {
        for seed in 0..1_000 {
            for (failures, due) in [(1, 0.5), (2, 1.0), (3, 2.0), (4, 4.0), (8, 64.0), (9, 120.0)] {
                let delay = Backoff::default().delay(failures, seed).as_secs_f64();
                assert!(
                    (due * 0.75..=due * 1.25).contains(&delay),
                    "seed {seed}: {failures} {delay}"
                );
            }
            assert!(Backoff::default().delay(1, seed) < Duration::from_secs(1), "seed {seed}");
            assert!(Backoff::default().delay(u32::MAX, seed) <= Duration::from_secs(150));
        }
    }

    #[test]
    fn seeds_spread_a_fleet_over_the_whole_range() {
        let mut quarters = [0; 4];
        for seed in 0..1_000 {
            let past = Backoff::default().delay(4, seed).as_millis() - 3000;
            quarters[usize::try_from(past / 500).unwrap_or(0).min(3)] += 1;
        }
        assert!(quarters.iter().all(|count| *count > 150), "{quarters:?}");
    }
}
