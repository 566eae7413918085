//! How many lines a person is shown. Nobody reads ten thousand lines a second, and no terminal prints
//! them without holding up whoever prints.

use std::time::Duration;

/// Lets through so many lines in each piece of time, and counts the others.
#[derive(Debug, Default)]
pub struct Throttle {
    begun: Duration,
    lines: u64,
    held: u64,
}

impl Throttle {
    /// Returns whether one more line is shown at `now`, on a clock that never steps.
    pub fn admits(&mut self, now: Duration) -> bool {
        if now.saturating_sub(self.begun) >= PERIOD {
            self.begun = now;
            self.lines = 0;
        }
        let admitted = self.lines < LINES_MAX;
        if admitted {
            self.lines += 1;
        } else {
            self.held += 1;
        }
        admitted
    }

    /// Returns how many lines were held back, once their period is over.
    pub fn held(&mut self, now: Duration) -> Option<u64> {
        let is_over = now.saturating_sub(self.begun) >= PERIOD;
        (is_over && self.held > 0).then(|| std::mem::take(&mut self.held))
    }

    /// Returns how many lines are held back, whatever the time is.
    pub fn rest(&mut self) -> Option<u64> {
        (self.held > 0).then(|| std::mem::take(&mut self.held))
    }
}

/// A screen or four at once, and then that again.
const LINES_MAX: u64 = 200;
const PERIOD: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_too_much_is_counted_and_told_when_its_time_is_over() {
        let mut throttle = Throttle::default();
        let at = Duration::from_millis;
        let admitted = (0..1_000).filter(|_| throttle.admits(at(5_000))).count();
        assert_eq!(admitted, 200);
        assert_eq!(throttle.held(at(5_999)), None, "more may be held back");
        assert_eq!(throttle.held(at(6_000)), Some(800));
        assert_eq!(throttle.held(at(6_000)), None, "told once");
        assert!(throttle.admits(at(6_000)));
        assert_eq!(throttle.rest(), None);
    }
}
