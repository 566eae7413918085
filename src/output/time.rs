//! Times and durations for people: in UTC, or in a zone that was asked for. Always truncated: what is
//! shown has passed.

use crate::event::Timestamp;
use jiff::tz::{Offset, TimeZone};
use jiff::{Zoned, civil};
use std::time::Duration;

/// The zone in which a run shows times. Each is shown with the offset that held then.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Zone(Option<&'static TimeZone>);

impl Zone {
    pub const UTC: Self = Self(None);

    /// Returns one for the rest of the run, which never gives it back: a run shows times in one zone, and
    /// whatever prints needs a copy of it.
    #[must_use]
    pub fn of(zone: TimeZone) -> Self {
        match zone.to_fixed_offset() {
            Ok(Offset::UTC) => Self::UTC,
            _ => Self(Some(Box::leak(Box::new(zone)))),
        }
    }

    /// Returns what it is called: `UTC`, `Europe/Berlin`, `+02:00`.
    #[must_use]
    pub fn name(self) -> String {
        let Some(zone) = self.0 else { return "UTC".to_owned() };
        match (zone.iana_name(), zone.to_fixed_offset()) {
            (Some(name), _) => name.to_owned(),
            (None, Ok(offset)) => offset_text(offset.seconds()),
            (None, Err(_)) => "local time".to_owned(),
        }
    }

    #[must_use]
    pub const fn is_utc(self) -> bool {
        self.0.is_none()
    }

    /// Returns a time as RFC 3339 with milliseconds: `2026-11-24T14:05:07.123Z`,
    /// `2026-11-24T15:05:07.123+01:00`.
    ///
    /// RFC 3339 has four digits for the year. A stamp outside the years 0 to 9999 (the calendar used ends
    /// a day before the last) is most likely damage, and shown as the number it came as:
    /// `9223372036854775807ms`.
    #[must_use]
    pub fn time(self, time: Timestamp) -> String {
        match self.local(time) {
            None => rfc3339(time),
            Some(local) => local.strftime("%Y-%m-%dT%H:%M:%S.%3f%:z").to_string(),
        }
    }

    /// Returns the time of day with milliseconds: `14:05:07.123Z`, `15:05:07.123+01:00`.
    #[must_use]
    pub fn clock(self, time: Timestamp) -> String {
        match self.local(time) {
            None => clock_time(time),
            Some(local) => local.strftime("%H:%M:%S.%3f%:z").to_string(),
        }
    }

    /// Returns a time to the second, as it stands in a sentence: `2026-11-24 14:05:07 UTC`,
    /// `2026-11-24 15:05:07 +01:00`.
    #[must_use]
    pub fn moment(self, time: Timestamp) -> String {
        if let Some(local) = self.local(time) {
            return local.strftime("%Y-%m-%d %H:%M:%S %:z").to_string();
        }
        let text = rfc3339(time);
        match (text.get(..10), text.get(11..19)) {
            (Some(day), Some(clock)) if text.ends_with('Z') => format!("{day} {clock} UTC"),
            _ => text,
        }
    }

    /// Returns what the clocks of the zone show, as ms since they showed the beginning of 1970.
    #[must_use]
    pub fn local_ms(self, time: Timestamp) -> i64 {
        let offset = self.local(time).map_or(0, |local| local.offset().seconds());
        time.0.saturating_add(1_000 * i64::from(offset))
    }

    /// Returns the first moment of a day, which is counted from the first one of 1970.
    #[must_use]
    pub fn day(self, day: i64) -> Timestamp {
        let utc = Timestamp(day.saturating_mul(DAY_MS));
        let (Some(zone), Some(time)) = (self.0, calendar(utc)) else { return utc };
        let date: civil::Date = time.to_zoned(TimeZone::UTC).date();
        date.to_zoned(zone.clone())
            .map_or(utc, |first| Timestamp(first.timestamp().as_millisecond()))
    }

    /// Returns the offsets from UTC that hold between two moments, in s, each with the moment from which it
    /// does. None in UTC.
    #[must_use]
    pub fn offsets(self, first: Timestamp, last: Timestamp) -> Vec<(Timestamp, i32)> {
        let Some(zone) = self.0 else { return Vec::new() };
        let begin = calendar(first).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
        let mut offsets = vec![(first, zone.to_offset(begin).seconds())];
        for transition in zone.following(begin) {
            let from = Timestamp(transition.timestamp().as_millisecond());
            if from > last {
                break;
            }
            let offset = transition.offset().seconds();
            if offsets.last().is_none_or(|(_, before)| *before != offset) {
                offsets.push((from, offset));
            }
        }
        offsets
    }

    /// Returns a time in the zone; `None` in UTC, and where it has no date.
    fn local(self, time: Timestamp) -> Option<Zoned> {
        let local = calendar(time)?.to_zoned(self.0?.clone());
        (0..=9_999).contains(&local.year()).then_some(local)
    }
}

/// Returns an offset as RFC 3339 has it: `+02:00`.
fn offset_text(seconds: i32) -> String {
    let sign = if seconds < 0 { '-' } else { '+' };
    let minutes = seconds.unsigned_abs() / 60;
    format!("{sign}{:02}:{:02}", minutes / 60, minutes % 60)
}

/// Returns a time as RFC 3339 in UTC with milliseconds: `2026-11-24T14:05:07.123Z`.
///
/// RFC 3339 has four digits for the year. A stamp outside the years 0 to 9999 (the calendar used ends
/// a day before the last) is most likely damage, and shown as the number it came as:
/// `9223372036854775807ms`.
#[must_use]
pub fn rfc3339(time: Timestamp) -> String {
    calendar(time).map_or_else(|| raw(time), |time| format!("{time:.3}"))
}

/// Returns the time of day in UTC with milliseconds: `14:05:07.123Z`.
#[must_use]
pub fn clock_time(time: Timestamp) -> String {
    calendar(time).map_or_else(|| raw(time), |time| time.strftime("%H:%M:%S.%3fZ").to_string())
}

/// Returns a duration in its two largest units: `412 ms`, `3.2 s`, `2m 5s`, `1h 2m`, `45d 3h`.
///
/// Days are the largest unit: months and years have no fixed length.
#[must_use]
pub fn duration(duration: Duration) -> String {
    let seconds = duration.as_secs();
    let pair = |large: u64, large_unit, small: u64, small_unit| {
        if small == 0 {
            format!("{large}{large_unit}")
        } else {
            format!("{large}{large_unit} {small}{small_unit}")
        }
    };
    match seconds {
        0 => format!("{} ms", duration.subsec_millis()),
        1..60 => format!("{seconds}.{} s", duration.subsec_millis() / 100),
        60..HOUR => pair(seconds / 60, "m", seconds % 60, "s"),
        HOUR..DAY => pair(seconds / HOUR, "h", seconds % HOUR / 60, "m"),
        _ => pair(seconds / DAY, "d", seconds % DAY / HOUR, "h"),
    }
}

/// Returns a difference of times as [`duration`] does, with a minus sign when it is negative.
#[must_use]
pub fn duration_ms(ms: i64) -> String {
    let text = duration(Duration::from_millis(ms.unsigned_abs()));
    if ms < 0 { format!("-{text}") } else { text }
}

const HOUR: u64 = 3_600;
const DAY: u64 = 24 * HOUR;
const DAY_MS: i64 = 24 * 60 * 60 * 1_000;

fn calendar(time: Timestamp) -> Option<jiff::Timestamp> {
    jiff::Timestamp::from_millisecond(time.0).ok().filter(|_| time.0 >= YEAR_0_MS)
}

fn raw(time: Timestamp) -> String {
    format!("{}ms", time.0)
}

const YEAR_0_MS: i64 = -62_167_219_200_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_shown_in_utc_with_milliseconds() {
        for (ms, expected) in [
            (0, "1970-01-01T00:00:00.000Z"),
            (-1, "1969-12-31T23:59:59.999Z"),
            (1_760_000_000_007, "2025-10-09T08:53:20.007Z"),
            (1_709_210_096_500, "2024-02-29T12:34:56.500Z"),
        ] {
            assert_eq!(rfc3339(Timestamp(ms)), expected);
        }
        assert_eq!(clock_time(Timestamp(1_760_000_000_007)), "08:53:20.007Z");
        assert_eq!(clock_time(Timestamp(-1)), "23:59:59.999Z");
    }

    #[test]
    fn a_time_without_a_calendar_date_is_shown_as_it_came() {
        assert_eq!(rfc3339(Timestamp(YEAR_0_MS)), "0000-01-01T00:00:00.000Z");
        assert_eq!(rfc3339(Timestamp(253_402_207_200_000)), "9999-12-30T22:00:00.000Z");
        for ms in [i64::MIN, YEAR_0_MS - 1, 253_402_300_800_000, i64::MAX] {
            assert_eq!(rfc3339(Timestamp(ms)), format!("{ms}ms"));
            assert_eq!(clock_time(Timestamp(ms)), format!("{ms}ms"));
        }
    }

    fn zone(name: &str) -> Zone {
        Zone::of(TimeZone::get(name).expect("a zone"))
    }

    #[test]
    fn a_time_is_shown_with_the_offset_that_held_then() {
        let berlin = zone("Europe/Berlin");
        for (ms, time, clock, moment) in [
            // The hour that comes twice, and the one that there was not.
            (1_792_888_200_007, "2026-10-25T02:30:00.007+02:00", "02:30:00.007+02:00", "+02:00"),
            (1_792_891_800_007, "2026-10-25T02:30:00.007+01:00", "02:30:00.007+01:00", "+01:00"),
            (1_774_745_999_999, "2026-03-29T01:59:59.999+01:00", "01:59:59.999+01:00", "+01:00"),
            (1_774_746_000_000, "2026-03-29T03:00:00.000+02:00", "03:00:00.000+02:00", "+02:00"),
        ] {
            assert_eq!(berlin.time(Timestamp(ms)), time);
            assert_eq!(berlin.clock(Timestamp(ms)), clock);
            let expected = format!("{} {} {moment}", &time[..10], &time[11..19]);
            assert_eq!(berlin.moment(Timestamp(ms)), expected);
        }
        let offset = Zone::of(Offset::from_seconds(-12_600).unwrap().to_time_zone());
        assert_eq!(offset.time(Timestamp(0)), "1969-12-31T20:30:00.000-03:30");
        assert_eq!((offset.name().as_str(), berlin.name().as_str()), ("-03:30", "Europe/Berlin"));
    }

    #[test]
    fn utc_is_utc_whatever_it_is_called() {
        for utc in [TimeZone::UTC, TimeZone::get("UTC").unwrap(), Offset::UTC.to_time_zone()] {
            let zone = Zone::of(utc);
            assert_eq!(zone, Zone::UTC);
            assert_eq!(zone.time(Timestamp(0)), "1970-01-01T00:00:00.000Z");
            assert_eq!(zone.moment(Timestamp(999)), "1970-01-01 00:00:00 UTC");
            assert_eq!(zone.moment(Timestamp(i64::MIN)), format!("{}ms", i64::MIN));
            assert_eq!(zone.name(), "UTC");
        }
    }

    #[test]
    fn a_time_without_a_date_in_its_zone_is_shown_without_one() {
        let far = Zone::of(Offset::from_seconds(-3_600).unwrap().to_time_zone());
        for ms in [i64::MIN, YEAR_0_MS - 1, 253_402_300_800_000, i64::MAX] {
            assert_eq!(far.time(Timestamp(ms)), format!("{ms}ms"));
            assert_eq!(far.moment(Timestamp(ms)), format!("{ms}ms"));
            let _ = (
                far.local_ms(Timestamp(ms)),
                far.day(ms),
                far.offsets(Timestamp(ms), Timestamp(ms)),
            );
        }
        assert_eq!(far.time(Timestamp(YEAR_0_MS)), "0000-01-01T00:00:00.000Z", "the year before 0");
    }

    #[test]
    fn offsets_are_told_from_when_they_hold() {
        let (first, last) = (Timestamp(1_760_000_000_000), Timestamp(1_780_000_000_000));
        let expected = [(first.0, 7_200), (1_761_440_400_000, 3_600), (1_774_746_000_000, 7_200)];
        let found = zone("Europe/Berlin").offsets(first, last);
        let found: Vec<(i64, i32)> = found.iter().map(|(from, s)| (from.0, *s)).collect();
        assert_eq!(found, expected);
        assert_eq!(Zone::UTC.offsets(first, last), []);
    }

    #[test]
    fn a_day_begins_when_its_date_does() {
        let berlin = zone("Europe/Berlin");
        // 2026-10-26, after the night that was an hour longer.
        assert_eq!(berlin.time(berlin.day(20_752)), "2026-10-26T00:00:00.000+01:00");
        assert_eq!(berlin.time(berlin.day(20_751)), "2026-10-25T00:00:00.000+02:00");
        assert_eq!(berlin.local_ms(berlin.day(20_752)), 20_752 * DAY_MS);
        assert_eq!(Zone::UTC.day(1), Timestamp(DAY_MS));
    }

    #[test]
    fn a_duration_is_cut_to_its_two_largest_units() {
        for (ms, expected) in [
            (0, "0 ms"),
            (999, "999 ms"),
            (1_000, "1.0 s"),
            (3_299, "3.2 s"),
            (59_999, "59.9 s"),
            (60_000, "1m"),
            (125_999, "2m 5s"),
            (3_599_999, "59m 59s"),
            (3_600_000, "1h"),
            (3_725_000, "1h 2m"),
            (86_399_999, "23h 59m"),
            (86_400_000, "1d"),
            (3_898_800_000, "45d 3h"),
            (-3_299, "-3.2 s"),
            (i64::MIN, "-106751991167d 7h"),
        ] {
            assert_eq!(duration_ms(ms), expected, "{ms}");
        }
        assert_eq!(duration(Duration::from_nanos(999_999)), "0 ms");
        assert_eq!(duration(Duration::MAX), "213503982334601d 7h");
    }
}
