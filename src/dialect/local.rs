//! Times of a clock on a wall: what they mean depends on a zone, which a log does not name.

use crate::event::Timestamp;
use jiff::{civil, tz::TimeZone};

/// Returns the moment of a local time; of two the earlier one, and in a gap what the clock would
/// have shown without it.
pub(super) fn in_zone(local: civil::DateTime, zone: &TimeZone) -> Option<Timestamp> {
    let moment = zone.to_ambiguous_timestamp(local).compatible().ok()?;
    Some(Timestamp(moment.as_millisecond()))
}
