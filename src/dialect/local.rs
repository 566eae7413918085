//! Times of a clock on a wall: what they mean depends on a zone, which a log does not name.

use super::{Malformed, Message, Reason};
use crate::event::{Stamp, Timestamp};
use jiff::civil;
use jiff::tz::{Offset, TimeZone};

/// Returns the moment of a local time; of two the earlier one, and in a gap what the clock would
/// have shown without it.
pub(super) fn in_zone(local: civil::DateTime, zone: &TimeZone) -> Option<Timestamp> {
    let moment = zone.to_ambiguous_timestamp(local).compatible().ok()?;
    Some(Timestamp(moment.as_millisecond()))
}

/// Reads `YYYY-MM-DD HH:MM:SS.mmm`, with this mark before the milliseconds.
pub(super) fn read(text: &str, mark: char) -> Option<civil::DateTime> {
    let (whole, ms) = text.rsplit_once(mark)?;
    if !has_shape(ms, "000") {
        return None;
    }
    read_seconds(whole)?.with().millisecond(ms.parse().ok()?).build().ok()
}

/// Reads `YYYY-MM-DD HH:MM:SS`.
pub(super) fn read_seconds(text: &str) -> Option<civil::DateTime> {
    has_shape(text, "0000-00-00 00:00:00").then(|| text.parse().ok()).flatten()
}

/// Tells whether a text is like another, with any digits for its zeros.
fn has_shape(text: &str, shape: &str) -> bool {
    text.bytes().map(|byte| if byte.is_ascii_digit() { b'0' } else { byte }).eq(shape.bytes())
}

/// The clock of vendors who name no zone.
pub(super) fn beijing() -> TimeZone {
    Offset::constant(8).to_time_zone()
}

/// Returns the stamp of a line in local time. Over MQTT the arrival stands in where nobody named the zone,
/// for no line may be lost there; of a file nothing can be believed without.
pub(super) fn stamp(
    local: civil::DateTime,
    zone: Option<&TimeZone>,
    message: &Message<'_>,
) -> Result<Stamp, Malformed<'static>> {
    match zone {
        Some(zone) => {
            let stamp = |time| Stamp { time, tie: message.tie, resolution: 0 };
            Ok(in_zone(local, zone).map_or(message.arrival(), stamp))
        }
        None if message.topic.is_empty() => {
            Err(Malformed::new(Reason::ZoneMissing, format!("local time `{local}`")))
        }
        None => Ok(message.arrival()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_local_time_has_one_form() {
        let known = civil::date(2025, 10, 9).at(8, 53, 20, 123_000_000);
        assert_eq!(read("2025-10-09 08:53:20,123", ','), Some(known));
        assert_eq!(read("2025-10-09 08:53:20.123", '.'), Some(known));
        for text in [
            "",
            "2025-10-09 08:53:20",
            "2025-10-09 08:53:20.123",
            "2025-10-09T08:53:20,123",
            "2025-13-09 08:53:20,123",
            "2025-10-09 08:53:20,12",
            "2025-10-09 08:53:20,1234",
            "2025-10-09 08:53:20,12é",
        ] {
            assert_eq!(read(text, ','), None, "{text}");
        }
    }
}
