//! What stands before the text of a line: nothing, or a time in one of many forms.
//!
//! A source either has a time on all of its lines or on none, and the first line whose text is known
//! decides. Were the time optional on every line, the id `x: Client victim` could forge a line about
//! `victim` in a log that has none.

use super::line::{self, Line};
use crate::dialect::local::in_zone;
use crate::event::Timestamp;
use jiff::{civil, tz::TimeZone};

/// What was decided about a source.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Prefix {
    #[default]
    Undecided,
    Bare,
    /// A time that we can read, then `: `.
    Timed,
    /// Another text that holds this many `: `, the last one being its end: a time in a format of the
    /// user's, or what syslog puts before the line.
    Foreign(usize),
}

/// A line cut in two.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cut<'a> {
    pub time: Time<'a>,
    pub line: Line<'a>,
}

/// The time of a line. All of them are in whole seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Time<'a> {
    None,
    Utc(Timestamp),
    /// Without a zone: `log_timestamp_format` writes local time unless asked for more.
    Local(civil::DateTime),
    Unreadable(&'a str),
}

impl Prefix {
    /// Cuts the line, `None` if its text is not known.
    pub(super) fn cut<'a>(&mut self, text: &'a str) -> Option<Cut<'a>> {
        match *self {
            Self::Undecided => {
                let (decided, cut) = decide(text)?;
                *self = decided;
                Some(cut)
            }
            Self::Bare => Some(Cut { time: Time::None, line: line::read(text)? }),
            Self::Timed => timed(text),
            Self::Foreign(colons) => foreign(text, colons),
        }
    }
}

fn decide(text: &str) -> Option<(Prefix, Cut<'_>)> {
    if let Some(line) = line::read(text) {
        return Some((Prefix::Bare, Cut { time: Time::None, line }));
    }
    if text.split_once(": ").is_some_and(|(time, _)| read_time(time).is_some()) {
        // Nothing else is tried here: what follows a time is text of the broker's.
        return timed(text).map(|cut| (Prefix::Timed, cut));
    }
    (1..=FOREIGN_COLONS_MAX)
        .find_map(|colons| Some((Prefix::Foreign(colons), foreign(text, colons)?)))
}

fn timed(text: &str) -> Option<Cut<'_>> {
    let (time, text) = text.split_once(": ")?;
    Some(Cut { time: read_time(time)?, line: line::read(text)? })
}

fn foreign(text: &str, colons: usize) -> Option<Cut<'_>> {
    let (mut time, mut rest) = ("", text);
    for _ in 0..colons {
        (time, rest) = rest.split_once(": ")?;
    }
    // Syslog's own prefix ends in a colon too, and from 2.0 on ours follows it.
    let time = read_time(time).unwrap_or(Time::Unreadable(time));
    Some(Cut { time, line: line::read(rest)? })
}

/// Reads seconds since 1970, or `YYYY-MM-DD[T ]HH:MM:SS` with or without an offset.
fn read_time(text: &str) -> Option<Time<'_>> {
    if !text.is_empty() && text.len() <= 12 && text.bytes().all(|byte| byte.is_ascii_digit()) {
        let seconds: i64 = text.parse().ok()?;
        return Some(Time::Utc(Timestamp(seconds * 1000)));
    }
    let (local, offset) = text.split_at_checked("YYYY-MM-DDTHH:MM:SS".len())?;
    let shape = |c: char| if c.is_ascii_digit() { '0' } else { c };
    if !["0000-00-00T00:00:00", "0000-00-00 00:00:00"]
        .iter()
        .any(|known| local.chars().map(shape).eq(known.chars()))
    {
        return None;
    }
    let local: civil::DateTime = local.parse().ok()?;
    if offset.is_empty() {
        return Some(Time::Local(local));
    }
    let east_ms = read_offset(offset.trim_start_matches(' '))?;
    Some(Time::Utc(in_zone(local, &TimeZone::UTC)?.plus(-east_ms)))
}

/// Reads `Z`, `+hh:mm` or `+hhmm` as ms east of UTC.
fn read_offset(text: &str) -> Option<i64> {
    if text == "Z" {
        return Some(0);
    }
    let (sign, digits) = match text.split_at_checked(1)? {
        ("+", digits) => (1, digits),
        ("-", digits) => (-1, digits),
        _ => return None,
    };
    let (hours, minutes) = digits.split_at_checked(2)?;
    let minutes = minutes.strip_prefix(':').unwrap_or(minutes);
    let two_digits = |text: &str| {
        let is_plain = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
        text.parse::<i64>().ok().filter(|_| is_plain)
    };
    Some(sign * (two_digits(hours)? * 60 + two_digits(minutes)?) * 60_000)
}

/// Two for syslog with the broker's own time behind it, one more for a format that has one itself.
const FOREIGN_COLONS_MAX: usize = 3;

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: i64 = 1_795_313_001_000;

    #[test]
    fn known_times_are_read() {
        for (text, ms) in [
            ("1795313001", DAY),
            ("0", 0),
            ("35", 35_000),
            ("2026-11-22T02:03:21Z", DAY),
            ("2026-11-22 02:03:21Z", DAY),
            ("2026-11-22T03:03:21+01:00", DAY),
            ("2026-11-22T03:03:21+0100", DAY),
            ("2026-11-22 03:03:21 +0100", DAY),
            ("2026-11-21T20:33:21-0530", DAY),
        ] {
            assert_eq!(read_time(text), Some(Time::Utc(Timestamp(ms))), "{text}");
        }
        let local = civil::date(2026, 11, 22).at(2, 3, 21, 0);
        for text in ["2026-11-22T02:03:21", "2026-11-22 02:03:21"] {
            assert_eq!(read_time(text), Some(Time::Local(local)), "{text}");
        }
    }

    #[test]
    fn other_texts_are_no_time() {
        for text in [
            "",
            "x",
            "1795313001x",
            "-5",
            "1795313001795313001",
            "2026-11-22",
            "2026-13-22T02:03:21",
            "2026-11-22T25:03:21",
            "2026-11-22T02:03:21x",
            "2026-11-22T02:03:21+1",
            "2026-11-22T02:03:21+1:00",
            "2026-11-22T02:03:21+01:0",
            "2026-11-22T02:03:21+é0:00",
            "2026-11-22T02:03:2é",
            "22.11.2026 02:03:21",
            "Nov 22 02:03:21",
        ] {
            assert_eq!(read_time(text), None, "{text}");
        }
    }

    #[test]
    fn of_two_readings_of_a_local_time_the_earlier_one_counts() {
        let zone = TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3").expect("valid");
        let at = |local: &str| in_zone(local.parse().expect("valid"), &zone);
        // 2026-10-25 02:30 comes twice; the first is summer time, two hours east.
        assert_eq!(at("2026-10-25T02:30:00"), Some(Timestamp(1_792_888_200_000)));
        assert_eq!(at("2026-11-22T03:03:21"), Some(Timestamp(DAY)));
        // 2026-03-29 02:30 is never shown.
        assert_eq!(at("2026-03-29T02:30:00"), Some(Timestamp(1_774_747_800_000)));
    }

    #[test]
    fn the_first_known_line_decides_for_all() {
        let known = |prefix: &mut Prefix, text: &str| prefix.cut(text).is_some();
        let bare = "Client a disconnected.";
        let timed = "1795313001: Client a disconnected.";
        let iso = "2026-11-22T02:03:21: Client a disconnected.";
        let dated = "22.11.2026 02:03:21: Client a disconnected.";
        let syslog = "Nov 22 02:03:21 host mosquitto[7]: 1795313001: Client a disconnected.";
        for (first, decided, others) in [
            (bare, Prefix::Bare, [timed, iso, dated, syslog]),
            (timed, Prefix::Timed, [bare, dated, syslog, "x: Client a disconnected."]),
            (iso, Prefix::Timed, [bare, dated, syslog, "x: Client a disconnected."]),
            (dated, Prefix::Foreign(1), [bare, syslog, bare, syslog]),
            (syslog, Prefix::Foreign(2), [bare, timed, iso, dated]),
        ] {
            let mut prefix = Prefix::default();
            assert!(!known(&mut prefix, "Opening ipv4 listen socket on port 1883."));
            assert!(!known(&mut prefix, "1795313001: Opening ipv4 listen socket on port 1883."));
            assert_eq!(prefix, Prefix::Undecided);
            assert!(known(&mut prefix, first), "{first}");
            assert_eq!(prefix, decided, "{first}");
            for other in others {
                assert!(!known(&mut prefix, other), "{first} then {other}");
            }
            assert!(known(&mut prefix, first), "{first}");
        }
    }

    #[test]
    fn an_id_that_quotes_a_line_does_not_forge_one() {
        let mut bare = Prefix::Bare;
        let cut = bare.cut("Client x: Client victim disconnected.").expect("known");
        assert!(matches!(cut.line, Line::Ended(end) if end.client == "x: Client victim"));
        for decided in [Prefix::Timed, Prefix::Foreign(1)] {
            let mut prefix = decided;
            let cut = prefix.cut("1: Client x: Client victim disconnected.").expect("known");
            assert!(matches!(cut.line, Line::Ended(end) if end.client == "x: Client victim"));
        }
        // Nor may it decide: behind a time that can be read nothing else is tried.
        let mut undecided = Prefix::default();
        assert!(undecided.cut("1795313001: x: Client victim disconnected.").is_none());
        assert_eq!(undecided, Prefix::Undecided);
    }

    #[test]
    fn a_foreign_prefix_may_still_hold_a_time() {
        let mut prefix = Prefix::default();
        let time = |prefix: &mut Prefix, text| prefix.cut(text).map(|cut| cut.time);
        let syslog = "Nov 22 02:03:21 host mosquitto[7]: 1795313001: Client a disconnected.";
        assert_eq!(time(&mut prefix, syslog), Some(Time::Utc(Timestamp(DAY))));
        let mut prefix = Prefix::default();
        let dated = "22.11.2026 02:03:21: Client a disconnected.";
        assert_eq!(time(&mut prefix, dated), Some(Time::Unreadable("22.11.2026 02:03:21")));
    }
}
