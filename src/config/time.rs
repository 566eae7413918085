//! Moments as they are typed.

use crate::event::Timestamp;
use crate::failure::Failure;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

/// Returns the moment that `typed` names: RFC 3339, or milliseconds since 1970. A time that names no zone
/// is one of `zone`.
pub fn moment_in(typed: &str, zone: Option<&TimeZone>) -> Result<Timestamp, Failure> {
    match (zone, typed.parse::<jiff::civil::DateTime>()) {
        (Some(zone), Ok(local)) if !names_zone(typed) => local_moment(typed, local, zone),
        _ => moment(typed),
    }
}

fn local_moment(typed: &str, local: DateTime, zone: &TimeZone) -> Result<Timestamp, Failure> {
    let time = zone.to_ambiguous_timestamp(local).unambiguous();
    time.map(|time| Timestamp(time.as_millisecond())).map_err(|error| {
        Failure::misuse(format!("`{typed}` names no moment of its own"))
            .because(error)
            .next("add the offset that holds, as in 2026-10-25T02:30:00+01:00")
    })
}

fn names_zone(typed: &str) -> bool {
    typed.parse::<i64>().is_ok() || typed.parse::<jiff::Timestamp>().is_ok()
}

/// Returns the moment that `typed` names: RFC 3339, or milliseconds since 1970.
pub fn moment(typed: &str) -> Result<Timestamp, Failure> {
    if let Ok(ms) = typed.parse::<i64>() {
        return Ok(Timestamp(ms));
    }
    typed.parse::<jiff::Timestamp>().map(|time| Timestamp(time.as_millisecond())).map_err(|error| {
        Failure::misuse(format!("`{typed}` is no moment"))
            .because(error)
            .next("write it as 2026-11-24T02:14:07Z or in ms since 1970, or name its zone with `--time-zone`")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_needs_its_zone_or_is_a_number() {
        assert_eq!(moment("1700000000000").unwrap(), Timestamp(1_700_000_000_000));
        assert_eq!(moment("2023-11-14T22:13:20Z").unwrap(), Timestamp(1_700_000_000_000));
        assert_eq!(moment("2023-11-14T23:13:20.5+01:00").unwrap(), Timestamp(1_700_000_000_500));
        assert!(moment("2023-11-14T22:13:20").is_err());
        assert!(moment("yesterday").is_err());
    }

    #[test]
    fn a_local_time_is_one_of_the_zone_named() {
        let berlin = TimeZone::get("Europe/Berlin").unwrap();
        let ms = |typed: &str| moment_in(typed, Some(&berlin)).map(|time| time.0);
        assert_eq!(ms("2023-11-14T23:13:20").unwrap(), 1_700_000_000_000);
        assert_eq!(ms("2023-11-14 23:13:20").unwrap(), 1_700_000_000_000);
        assert_eq!(ms("2023-11-14T22:13:20Z").unwrap(), 1_700_000_000_000, "it names its own");
        assert_eq!(ms("1700000000000").unwrap(), 1_700_000_000_000);
        assert!(moment_in("2023-11-14T23:13:20", None).is_err());
        // Once with summer time and once without; and an hour that there was not.
        assert!(ms("2026-10-25T02:30:00").is_err() && ms("2026-03-29T02:30:00").is_err());
    }
}
