//! Azure Event Grid: what is around the events of Azure's services, in either of its two forms.

use super::{Events, Malformed, PAYLOAD_MAX, Reading, Reason, excerpt};
use crate::event::{Event, Stamp, Timestamp};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::borrow::Cow;

/// One event. `CloudEvents` call some members otherwise than the older form does.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct GridEvent<'a> {
    #[serde(borrow)]
    event_type: Option<Cow<'a, str>>,
    #[serde(borrow)]
    r#type: Option<Cow<'a, str>>,
    #[serde(borrow)]
    event_time: Option<Cow<'a, str>>,
    #[serde(borrow)]
    time: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pub data: Option<&'a RawValue>,
}

impl GridEvent<'_> {
    pub fn kind(&self) -> &str {
        self.event_type.as_deref().or(self.r#type.as_deref()).unwrap_or_default()
    }

    pub fn stamp(&self) -> Option<Stamp> {
        self.event_time.as_deref().or(self.time.as_deref()).and_then(stamp)
    }
}

/// Returns the events of a payload: a list, or one by itself.
pub(super) fn parse(payload: &[u8]) -> Option<Vec<GridEvent<'_>>> {
    let text = Some(payload).filter(|payload| payload.len() <= PAYLOAD_MAX)?;
    let text = str::from_utf8(text).ok()?.trim_ascii_start();
    if text.starts_with('[') {
        serde_json::from_str(text).ok()
    } else {
        Some(vec![serde_json::from_str(text).ok()?])
    }
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
    let mut told: Vec<Event<'a>> = Vec::new();
    let mut mine = 0;
    for event in events.iter().filter(|event| is_mine(event.kind())) {
        mine += 1;
        match one(event) {
            Ok(events) => told.extend(events.first.into_iter().chain(events.second)),
            Err(malformed) => return Reading::Malformed(malformed),
        }
    }
    let mut told = told.into_iter();
    match (told.next(), told.next(), told.next()) {
        (None, ..) if mine == 0 => Reading::NotMine,
        (first, second, None) => Reading::Events(Events { first, second, ..Events::default() }),
        _ => {
            let detail = format!("{mine} events in one message: they are read one by one");
            Reading::Malformed(Malformed::new(Reason::Unreadable, detail))
        }
    }
}

/// Reads a time of RFC 3339. Azure writes seven digits, of which ms are kept.
pub(super) fn stamp(text: &str) -> Option<Stamp> {
    let time: jiff::Timestamp = text.parse().ok()?;
    Some(Stamp { time: Timestamp(time.as_millisecond()), tie: 0, resolution: 0 })
}
