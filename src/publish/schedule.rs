//! When each message is due, by the times in the log.

use crate::event::Timestamp;
use std::time::Duration;

/// How fast the log is followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Speed {
    /// As fast as the broker takes it.
    Max,
    /// So many thousandths of the speed at which it was recorded.
    Thousandths(u32),
}

impl Speed {
    /// Reads `1x`, `10x`, `0.5x` or `max`.
    ///
    /// Errors: what is none, or not within 0.001x and 1000000x.
    pub fn read(text: &str) -> Result<Self, String> {
        let wrong = || "write `max`, or a factor such as `1x`, `10x` or `0.5x`".to_owned();
        if text == "max" {
            return Ok(Self::Max);
        }
        let number = text.strip_suffix('x').ok_or_else(wrong)?;
        let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
        let is_number = |digits: &str| digits.bytes().all(|byte| byte.is_ascii_digit());
        let has_digits = (1..=7).contains(&whole.len()) && (1..=3).contains(&fraction.len());
        if !(has_digits && is_number(whole) && is_number(fraction)) {
            return Err(wrong());
        }
        let whole: u32 = whole.parse().map_err(|_| wrong())?;
        let fraction: u32 = format!("{fraction:0<3}").parse().map_err(|_| wrong())?;
        match whole.saturating_mul(1_000).saturating_add(fraction) {
            thousandths @ 1..=1_000_000_000 => Ok(Self::Thousandths(thousandths)),
            _ => Err("a factor lies between 0.001x and 1000000x".to_owned()),
        }
    }

    /// Returns how long after the beginning something happens that came so long after it in the log.
    fn scaled(self, logged_ms: u64) -> Option<Duration> {
        let Self::Thousandths(thousandths) = self else { return None };
        let micros = u128::from(logged_ms) * 1_000_000 / u128::from(thousandths);
        Some(Duration::from_micros(u64::try_from(micros).unwrap_or(u64::MAX)))
    }
}

/// Tells of one message after the other when it is due.
#[derive(Clone, Debug)]
pub struct Schedule {
    speed: Speed,
    /// Longer pauses of the log are cut down to this.
    gap_max_ms: Option<u64>,
    last: Option<Timestamp>,
    /// From the first message to the last one, on the log's clock, without what was left out.
    logged_ms: u64,
    skipped: Skipped,
}

/// Pauses that were cut down.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Skipped {
    pub gaps: u64,
    pub ms: u64,
}

impl Schedule {
    #[must_use]
    pub const fn new(speed: Speed, gap_max_ms: Option<u64>) -> Self {
        let skipped = Skipped { gaps: 0, ms: 0 };
        Self { speed, gap_max_ms, last: None, logged_ms: 0, skipped }
    }

    /// Returns when the next message is due, since the beginning; `None` for at once. One that is dated
    /// before the one in front of it is due with it.
    pub fn due(&mut self, logged: Timestamp) -> Option<Duration> {
        let last = self.last.map_or(logged, |last| last.max(logged));
        let mut step = self.last.map_or(0, |before| last.0.abs_diff(before.0));
        if let Some(most) = self.gap_max_ms.filter(|most| step > *most) {
            self.skipped.gaps += 1;
            self.skipped.ms = self.skipped.ms.saturating_add(step - most);
            step = most;
        }
        self.last = Some(last);
        self.logged_ms = self.logged_ms.saturating_add(step);
        self.speed.scaled(self.logged_ms)
    }

    /// Returns when a message is due that tells no time: with the one in front of it.
    #[must_use]
    pub fn due_with_last(&self) -> Option<Duration> {
        self.speed.scaled(self.logged_ms)
    }

    /// The log begins anew: its first message is due with the last one before.
    pub const fn begin_again(&mut self) {
        self.last = None;
    }

    #[must_use]
    pub const fn skipped(&self) -> &Skipped {
        &self.skipped
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Random;

    #[test]
    fn due_is_the_time_since_the_first_message_divided_by_the_speed() {
        for seed in 0..200 {
            let mut random = Random::new(seed, 0);
            let thousandths = 1 + random.below(20_000);
            let mut schedule = Schedule::new(Speed::Thousandths(thousandths), None);
            let begun = 1_700_000_000_000 + i64::from(random.below(1_000_000));
            let mut logged = begun;
            for _ in 0..1_000 {
                let due = schedule.due(Timestamp(logged)).expect("it has a time");
                let micros = (logged - begun).unsigned_abs() * 1_000_000 / u64::from(thousandths);
                assert_eq!(due, Duration::from_micros(micros), "seed {seed}: nothing adds up");
                logged += i64::from(random.below(10_000));
            }
        }
    }

    #[test]
    fn time_never_goes_back_and_rounds_follow_each_other() {
        let mut schedule = Schedule::new(Speed::Thousandths(1_000), None);
        let mut due = |ms: i64| schedule.due(Timestamp(ms)).map(|due| due.as_millis());
        assert_eq!(
            [due(5_000), due(7_000), due(6_000), due(7_500)].map(Option::unwrap),
            [0, 2_000, 2_000, 2_500]
        );
        schedule.begin_again();
        let mut due = |ms: i64| schedule.due(Timestamp(ms)).map(|due| due.as_millis());
        assert_eq!([due(5_000), due(7_000)].map(Option::unwrap), [2_500, 4_500]);
    }

    #[test]
    fn long_pauses_are_cut_down_where_that_is_wanted() {
        let mut schedule = Schedule::new(Speed::Thousandths(10_000), Some(1_000));
        let dues: Vec<u128> = [0, 500, 60_500, 61_500, 100_000]
            .map(|ms| schedule.due(Timestamp(ms)).expect("it has a time").as_millis())
            .into();
        assert_eq!(dues, [0, 50, 150, 250, 350]);
        assert_eq!(schedule.skipped(), &Skipped { gaps: 2, ms: 59_000 + 37_500 });
    }

    #[test]
    fn any_times_have_a_due_time() {
        let mut schedule = Schedule::new(Speed::Thousandths(1), None);
        for time in [Timestamp::MIN, Timestamp::MAX, Timestamp(0), Timestamp::MAX] {
            assert!(schedule.due(time).is_some());
        }
        assert_eq!(Schedule::new(Speed::Max, None).due(Timestamp(5)), None);
    }

    #[test]
    fn speeds_are_factors() {
        for (text, thousandths) in [("1x", 1_000), ("10x", 10_000), ("0.5x", 500), ("0.001x", 1)] {
            assert_eq!(Speed::read(text), Ok(Speed::Thousandths(thousandths)), "{text}");
        }
        assert_eq!(Speed::read("max"), Ok(Speed::Max));
        for text in ["1", "x", "0x", "-1x", "1.x", "0.0001x", "2000000x", "fast", "１x", ""] {
            assert!(Speed::read(text).is_err(), "{text}");
        }
    }
}
