//! Time from left to right, with words at round moments.

use super::Flow;
use crate::event::Timestamp;
use crate::output::time::Zone;

/// A time that a picture shows. Round is what the clocks of the zone show.
#[derive(Clone, Copy, Debug)]
pub struct TimeAxis {
    pub first: Timestamp,
    pub last: Timestamp,
    pub zone: Zone,
}

/// From one word to the next, ms: the first of these that leaves few enough of them.
const STEPS_MS: [i64; 30] = [
    1,
    10,
    100,
    200,
    500,
    1_000,
    2_000,
    5_000,
    10_000,
    15_000,
    30_000,
    MINUTE,
    2 * MINUTE,
    5 * MINUTE,
    10 * MINUTE,
    15 * MINUTE,
    30 * MINUTE,
    HOUR,
    2 * HOUR,
    3 * HOUR,
    6 * HOUR,
    12 * HOUR,
    DAY,
    2 * DAY,
    7 * DAY,
    14 * DAY,
    28 * DAY,
    91 * DAY,
    364 * DAY,
    3_640 * DAY,
];
const MINUTE: i64 = 60_000;
const QUARTER: i64 = 15 * MINUTE;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;
const TICKS_MAX: i64 = 6;
/// Height of the words below a picture.
pub const WORDS: u32 = 18;

impl TimeAxis {
    /// Returns where a moment lies, 0 to 1.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "a pixel is far wider than what is lost")]
    pub fn share(&self, time: Timestamp) -> f64 {
        let span = self.last.since(self.first);
        if span <= 0 {
            return 0.0;
        }
        (time.since(self.first) as f64 / span as f64).clamp(0.0, 1.0)
    }

    /// Returns the shares between two moments.
    #[must_use]
    pub fn shares(&self, from: Timestamp, to: Timestamp) -> (f64, f64) {
        (self.share(from), self.share(to))
    }

    /// Draws a line at every round moment, from top to bottom.
    pub fn grid(&self, flow: &mut Flow, from: u32, to: u32) {
        for (at, _) in self.ticks() {
            flow.upright("grid", at, from, to);
        }
    }

    /// Writes the words, on a line at this height.
    pub fn words(&self, flow: &mut Flow, y: u32) {
        for (at, word) in self.ticks() {
            flow.text("tick", at, y, &word);
        }
    }

    /// Returns round moments: where they lie, and what they are called.
    fn ticks(&self) -> Vec<(f64, String)> {
        let span = self.last.since(self.first);
        let step = STEPS_MS.into_iter().find(|step| span / step <= TICKS_MAX);
        let Some(step) = step.filter(|_| span > 0) else { return Vec::new() };
        let times = if step < DAY { self.within_days(step) } else { self.days(step / DAY) };
        times.into_iter().map(|time| (self.share(time), word(time, step, self.zone))).collect()
    }

    /// Returns moments that are round within a day. What a change of the offset leaves out is not there,
    /// and what it brings twice is there twice: offsets change by quarters of an hour.
    fn within_days(&self, step: i64) -> Vec<Timestamp> {
        let pace = step.min(QUARTER);
        let over = self.zone.local_ms(self.first).rem_euclid(pace);
        let begin = self.first.0.saturating_add(if over > 0 { pace - over } else { 0 });
        let all =
            (0..=(TICKS_MAX + 1) * (step / pace)).map(|count| begin.saturating_add(count * pace));
        let all = all.map(Timestamp).take_while(|time| *time <= self.last);
        let mut round: Vec<_> =
            all.filter(|time| self.zone.local_ms(*time).rem_euclid(step) == 0).collect();
        round.dedup();
        round
    }

    /// Returns the beginnings of days, so many from one to the next.
    fn days(&self, step: i64) -> Vec<Timestamp> {
        let first = self.zone.local_ms(self.first).div_euclid(DAY).div_euclid(step);
        let days = (0..=TICKS_MAX + 1).map(|count| self.zone.day((first + count) * step));
        days.filter(|time| (self.first..=self.last).contains(time)).collect()
    }
}

/// Returns as much of a time as tells it from its neighbours.
fn word(time: Timestamp, step: i64, zone: Zone) -> String {
    let text = zone.time(time);
    let is_midnight = zone.local_ms(time).rem_euclid(DAY) == 0;
    let part = match step {
        _ if is_midnight => text.get(..10),
        DAY.. => text.get(..10),
        MINUTE.. => text.get(11..16),
        1_000.. => text.get(11..19),
        _ => text.get(11..23),
    };
    part.unwrap_or(&text).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(first: i64, last: i64) -> Vec<String> {
        words_in(Zone::UTC, first, last)
    }

    fn words_in(zone: Zone, first: i64, last: i64) -> Vec<String> {
        let axis = TimeAxis { first: Timestamp(first), last: Timestamp(last), zone };
        axis.ticks().into_iter().map(|(_, word)| word).collect()
    }

    /// 2026-10-25T00:00 in Berlin, before the hour that comes twice.
    const NIGHT: i64 = 1_792_879_200_000;

    #[test]
    fn words_are_round_on_the_clocks_of_the_zone() {
        let zone = |name| Zone::of(jiff::tz::TimeZone::get(name).expect("a zone"));
        for (name, first, span, expected) in [
            ("Europe/Berlin", NIGHT, 6 * HOUR, "2026-10-25 01:00 02:00 02:00 03:00 04:00 05:00"),
            ("Europe/Berlin", NIGHT, 12 * HOUR, "2026-10-25 02:00 02:00 04:00 06:00 08:00 10:00"),
            (
                "Europe/Berlin",
                NIGHT - DAY,
                3 * DAY,
                "2026-10-24 12:00 2026-10-25 12:00 2026-10-26 12:00",
            ),
            (
                "Europe/Berlin",
                NIGHT,
                6 * DAY,
                "2026-10-25 2026-10-26 2026-10-27 2026-10-28 2026-10-29 2026-10-30",
            ),
            ("Asia/Kathmandu", 1_760_000_000_000, HOUR, "14:40 14:50 15:00 15:10 15:20 15:30"),
        ] {
            assert_eq!(
                words_in(zone(name), first, first + span).join(" "),
                expected,
                "{name} {span}"
            );
        }
    }

    #[test]
    fn words_stand_at_round_moments() {
        const T: i64 = 1_760_000_000_000;
        for (span, expected) in [
            (2_000, "08:53:20.000 08:53:20.500 08:53:21.000 08:53:21.500 08:53:22.000"),
            (85_000, "08:53:30 08:53:45 08:54:00 08:54:15 08:54:30 08:54:45"),
            (3_600_000, "09:00 09:10 09:20 09:30 09:40 09:50"),
            (DAY, "12:00 18:00 2025-10-10 06:00"),
            (3 * DAY, "12:00 2025-10-10 12:00 2025-10-11 12:00 2025-10-12"),
        ] {
            assert_eq!(words(T, T + span).join(" "), expected, "{span}");
        }
    }

    #[test]
    fn no_time_makes_it_panic() {
        for (first, last) in
            [(0, 0), (5, 1), (i64::MIN, i64::MAX), (i64::MAX - 3, i64::MAX), (-9, 0)]
        {
            assert!(words(first, last).len() <= 8, "{first} to {last}");
            let (first, last) = (Timestamp(first), Timestamp(last));
            let axis = TimeAxis { first, last, zone: Zone::UTC };
            for time in [i64::MIN, 0, i64::MAX] {
                assert!((0.0..=1.0).contains(&axis.share(Timestamp(time))), "{time}");
            }
        }
    }
}
