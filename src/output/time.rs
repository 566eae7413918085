//! Times and durations for people. Always UTC, and always truncated: what is shown has passed.

use crate::event::Timestamp;
use std::time::Duration;

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
