//! Moments as they are typed.

use crate::event::Timestamp;
use crate::failure::Failure;

/// Returns the moment that `typed` names: RFC 3339, or milliseconds since 1970.
pub fn moment(typed: &str) -> Result<Timestamp, Failure> {
    if let Ok(ms) = typed.parse::<i64>() {
        return Ok(Timestamp(ms));
    }
    typed.parse::<jiff::Timestamp>().map(|time| Timestamp(time.as_millisecond())).map_err(|error| {
        Failure::misuse(format!("`{typed}` is no moment"))
            .because(error)
            .next("write it as 2026-11-24T02:14:07Z, with its zone, or in ms since 1970")
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
}
