//! Azure Event Grid: what is around the events of Azure's services, in either of its two forms.

use super::lmq::text_of;
use super::members::{Member, list_of, members_of};
use super::scan::Paths;
use super::{Events, Malformed, PAYLOAD_MAX, Reading, Reason, excerpt};
use crate::event::{Stamp, Timestamp};
use std::borrow::Cow;

/// One event. `CloudEvents` call some members otherwise than the older form does.
pub(super) struct GridEvent<'a> {
    kind: Cow<'a, str>,
    time: Option<Cow<'a, str>>,
    /// The last of `KEYS`.
    pub data: [Member<'a>; 6],
}

impl<'a> GridEvent<'a> {
    fn of([kind, cloud_kind, time, cloud_time, data @ ..]: [Member<'a>; 10]) -> Self {
        let kind = kind.text().or_else(|| cloud_kind.text()).unwrap_or_default();
        Self { kind, time: time.text().or_else(|| cloud_time.text()), data }
    }

    pub fn kind(&self) -> &str {
        &self.kind
    }

    pub fn stamp(&self) -> Option<Stamp> {
        self.time.as_deref().and_then(stamp)
    }
}

/// What two services say in `data`: IoT Hub in the first three, the broker in the others.
const KEYS: Paths<'_, 10> = Paths::new([
    "eventType",
    "type",
    "eventTime",
    "time",
    "data/deviceId",
    "data/moduleId",
    "data/deviceConnectionStateEventInfo/sequenceNumber",
    "data/clientSessionName",
    "data/sequenceNumber",
    "data/disconnectionReason",
]);

/// Returns the events of a payload: a list, or one by itself.
pub(super) fn parse(payload: &[u8]) -> Option<Vec<GridEvent<'_>>> {
    let text = text_of(payload)?.trim_ascii_start();
    Some(if text.starts_with('[') {
        list_of(text, &KEYS)?.into_iter().map(GridEvent::of).collect()
    } else {
        vec![GridEvent::of(members_of(text, &KEYS)?)]
    })
}

/// Reads the events of which `is_mine` is true. Either all of them are read, or the payload is set aside.
pub(super) fn read<'a>(
    payload: &'a [u8],
    is_mine: impl Fn(&str) -> bool,
    one: impl Fn(&GridEvent<'a>) -> Result<Events<'a>, Malformed<'a>>,
) -> Reading<'a> {
    if payload.len() > PAYLOAD_MAX {
        return Reading::Malformed(Malformed::too_long(payload));
    }
    let Some(events) = parse(payload) else {
        let detail = format!("no event of Event Grid: `{}`", excerpt(payload));
        return Reading::Malformed(Malformed::new(Reason::Unreadable, detail));
    };
    let mut told = None;
    for event in events.iter().filter(|event| is_mine(event.kind())) {
        let more = match one(event) {
            Ok(events) => events,
            Err(malformed) => return Reading::Malformed(malformed),
        };
        match &mut told {
            None => told = Some(more),
            Some(told) => {
                let more = [more.first, more.second].into_iter().flatten();
                more.for_each(|event| told.push(event));
            }
        }
    }
    told.map_or(Reading::NotMine, Reading::Events)
}

/// Reads a time of RFC 3339. Azure writes seven digits, of which ms are kept.
pub(super) fn stamp(text: &str) -> Option<Stamp> {
    let ms = match usual_ms(text) {
        Some(ms) => ms,
        None => text.parse::<jiff::Timestamp>().ok()?.as_millisecond(),
    };
    Some(Stamp { time: Timestamp(ms), tie: 0, resolution: 0 })
}

/// Reads `YYYY-MM-DDTHH:MM:SS.fffZ`, with or without a fraction; `None` for what has another form.
fn usual_ms(text: &str) -> Option<i64> {
    let (head, tail) = text.as_bytes().split_first_chunk::<19>()?;
    let fraction: &[u8] = match tail {
        [b'.', fraction @ .., b'Z'] if !fraction.is_empty() => fraction,
        [b'Z'] => &[],
        _ => return None,
    };
    let digit = |byte: u8| byte.is_ascii_digit().then(|| byte - b'0');
    let two = |at: usize| Some(digit(head[at])? * 10 + digit(head[at + 1])?);
    let is_formed = [4, 7, 10, 13, 16].map(|at| head[at]) == *b"--T::";
    if !is_formed || fraction.len() > 9 || !fraction.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let year = i16::from(two(0)?) * 100 + i16::from(two(2)?);
    let [month, day, hour, minute, second] =
        [two(5)?, two(8)?, two(11)?, two(14)?, two(17)?].map(u8::cast_signed);
    let time = jiff::civil::DateTime::new(year, month, day, hour, minute, second, 0).ok()?;
    let seconds = jiff::tz::Offset::UTC.to_timestamp(time).ok()?.as_second();
    let place = |at: usize| fraction.get(at).map_or(0, |byte| i64::from(byte - b'0'));
    Some(seconds * 1_000 + place(0) * 100 + place(1) * 10 + place(2))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_usual_form_of_a_time_is_read_as_any_other() {
        for text in [
            "2018-06-02T19:17:44.4383997Z",
            "2026-11-22T05:23:26.396474227Z",
            "2024-02-29T23:59:59Z",
            "1970-01-01T00:00:00.5Z",
            "1969-12-31T23:59:59.999Z",
            "0001-01-01T00:00:00.001Z",
            "9999-12-30T22:00:00.999Z",
            "2023-02-29T00:00:00Z",
            "2024-13-01T00:00:00Z",
            "2024-12-01T24:00:00Z",
            "2024-12-01T23:59:60Z",
            "2024-12-01T23:59:59.Z",
            "2024-12-01t23:59:59z",
            "2024-12-01T23:59:59+01:00",
            "2024-12-01T23:59:59.1234567890Z",
            "2024-12-01 23:59:59Z",
            "",
        ] {
            let parsed = text.parse::<jiff::Timestamp>().ok().map(jiff::Timestamp::as_millisecond);
            assert_eq!(stamp(text).map(|stamp| stamp.time.0), parsed, "{text}");
        }
    }
}
