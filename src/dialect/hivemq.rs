//! HiveMQ's event log: who comes and goes, one line each, in local time.
//!
//! Ids and what clients give as a reason stand there unescaped. A line that can be read in two ways is set
//! aside: otherwise an id could speak for another client.

use super::plain::{How, Plain};
use super::{Events, Malformed, Message, Reading, Reason, Remark, excerpt, line_of, local};
use crate::event::{Channel, ChannelEvent, Event, EventKind, Stamp};
use jiff::civil;
use jiff::tz::TimeZone;
use std::borrow::Cow;

pub const HIVEMQ: Plain = Plain {
    name: "hivemq",
    title: "an event log of HiveMQ",
    authority: 2,
    filters: &[],
    message_life: None,
    is_usual: false,
    speaks_at: |_| false,
    is_line: Some(|line| line_of(line).is_ok_and(|text| cut(text).and_then(told).is_some())),
    read: How::Alone(read),
};

/// Reads one line.
///
/// Shape: `TIME - Client ID: ID, IP: IP …`. An IP without a port names no connection: one nameless channel a
/// client. An id of `UNKNOWN` is a connection without one, and nobody's presence. A take-over ends the
/// older connection while the newer one waits, so it changes nothing and is counted; releases before 2019.1
/// write a second line, which is an end as any other.
/// Units: TIME in local time, ms; the tie is the place in the log.
/// Errors: `Malformed` for what is no text, longer than 64 KiB or can be read in two ways, and, in a file, for
/// a time without a zone (`ZoneMissing`).
/// Source: hivemq/hivemq-community-edition `EventLog.java`, 2019.1 to 2026.5; samples in
/// `tests/fixtures/dialects/hivemq-event.log`.
fn read<'a>(message: &Message<'a>, zone: Option<&TimeZone>) -> Reading<'a> {
    let text = match line_of(message.payload) {
        Ok(text) => text,
        Err(malformed) => return Reading::Malformed(malformed),
    };
    let Some((time, told)) = cut(text).and_then(|(time, text)| Some((time, told((time, text))?)))
    else {
        return Reading::NotMine;
    };
    let (who, what) = match told {
        Told::Nothing => return Reading::Events(Events::default()),
        Told::TwoThings => {
            let detail =
                format!("may be about either of two clients: `{}`", excerpt(message.payload));
            return Reading::Malformed(Malformed::new(Reason::Unreadable, detail));
        }
        Told::One(who, _) if who.client == UNKNOWN => {
            return Reading::Events(Events::only(Remark::Refused));
        }
        Told::One(_, What::TakenOver) => return Reading::Events(Events::only(Remark::TakeOver)),
        Told::One(who, what) => (who, what),
    };
    let stamp = match local::stamp(time, zone, message) {
        Ok(stamp) => stamp,
        Err(malformed) => return Reading::Malformed(malformed),
    };
    let event = |kind| who.event(kind, stamp);
    Reading::Events(match what {
        What::Connected => Events::one(event(EventKind::Opened)),
        What::Goodbye => Events::two(event(EventKind::Farewell), event(EventKind::Closed)),
        What::Ended | What::TakenOver => Events::one(event(EventKind::Closed)),
    })
}

/// What a line tells.
enum Told<'a> {
    One(Who<'a>, What),
    /// Of something else than connections.
    Nothing,
    TwoThings,
}

#[derive(Clone, Copy)]
struct Who<'a> {
    client: &'a str,
    address: &'a str,
}

impl<'a> Who<'a> {
    fn event(self, kind: EventKind, stamp: Stamp) -> Event<'a> {
        let mut event = ChannelEvent::new(self.client, Channel::Weak(None), kind, Some(stamp));
        event.address = Cow::Borrowed(if self.address == UNKNOWN { "" } else { self.address });
        Event::Channel(event)
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum What {
    Connected,
    Goodbye,
    TakenOver,
    Ended,
}

/// Cuts the time off a line. It is padded to 24 columns.
fn cut(line: &str) -> Option<(civil::DateTime, &str)> {
    let (time, rest) = line.split_at_checked("YYYY-MM-DD HH:MM:SS,mmm".len())?;
    let text = rest.trim_start_matches(' ').strip_prefix("- ")?;
    Some((local::read(time, ',')?, text))
}

/// Returns what a line tells, `None` if it is not known.
fn told((_, text): (civil::DateTime, &str)) -> Option<Told<'_>> {
    let text = text.strip_prefix("Client ID: ")?;
    // First, for an id before these words may be whatever a client likes.
    if is_expiry(text) {
        return Some(Told::Nothing);
    }
    let mut readings = text.match_indices(ADDRESS).filter_map(|(at, _)| {
        let (client, rest) = text.split_at_checked(at)?;
        let rest = rest.strip_prefix(ADDRESS)?;
        let (address, rest) = rest.split_at_checked(rest.find([',', ' '])?)?;
        (!client.is_empty() && is_address(address))
            .then(|| Some(Told::One(Who { client, address }, what(rest)?)))?
    });
    let first = readings.next()?;
    Some(if readings.next().is_some() { Told::TwoThings } else { first })
}

/// Returns what the words behind an address say.
fn what(text: &str) -> Option<What> {
    if let Some(rest) = text.strip_prefix(", Clean Start: ") {
        let (clean, expiry) = rest.strip_suffix(" connected.")?.split_once(", Session Expiry: ")?;
        return (matches!(clean, "true" | "false") && is_number(expiry)).then_some(What::Connected);
    }
    if let Some(rest) = text.strip_prefix(" disconnected gracefully.") {
        let is_whole = rest.is_empty() || rest.starts_with(" Reason given by client: ");
        return is_whole.then_some(What::Goodbye);
    }
    if let Some(rest) = text.strip_prefix(" disconnected ungracefully") {
        // From 2023.4 on, with the listener's name in it.
        let listener = || rest.strip_prefix(" from ")?.strip_suffix('.')?.rsplit_once(" on port: ");
        let is_whole = rest == "." || listener().is_some_and(|(_, port)| is_number(port));
        return is_whole.then_some(What::Ended);
    }
    let reason = text.strip_prefix(" was disconnected. reason: ")?.strip_suffix('.')?;
    Some(if reason.starts_with(TAKEN_OVER) { What::TakenOver } else { What::Ended })
}

/// Tells whether these words say that a kept session ran out: its client was away before.
fn is_expiry(text: &str) -> bool {
    text.strip_suffix(". All persistent data for this client has been removed.")
        .and_then(|text| text.rsplit_once(" session has expired at "))
        .is_some_and(|(_, date)| date.parse::<civil::DateTime>().is_ok())
}

fn is_address(text: &str) -> bool {
    let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | ':' | '%' | '-' | '_');
    !text.is_empty() && text.len() <= ADDRESS_MAX && text.chars().all(is_part)
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

const ADDRESS: &str = ", IP: ";
/// The longest is one of IPv6 with the name of an interface.
const ADDRESS_MAX: usize = 64;
/// What the broker writes for an id or an address that it does not have.
const UNKNOWN: &str = "UNKNOWN";
/// Older releases end it in `clientId.`, newer ones in `client id.`.
const TAKEN_OVER: &str = "Another client connected with the same client";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Timestamp;

    fn reads(topic: &str, text: &str, zone: Option<&TimeZone>) -> String {
        let line = format!("2025-10-09 08:53:20,123 - {text}");
        let (tag, qos, retain, received, tie) = (None, 0, false, Timestamp(7), 1);
        let payload = line.as_bytes();
        match read(&Message { topic, payload, tag, qos, retain, received, tie }, zone) {
            Reading::NotMine => "not mine".to_owned(),
            Reading::Malformed(malformed) => malformed.reason.code().to_owned(),
            Reading::Events(Events { remark: Some(remark), .. }) => format!("{remark:?}"),
            Reading::Events(events) => {
                let told = events.iter().map(|event| match event {
                    Event::Channel(event) => format!("{:?} {}", event.kind, event.client),
                    Event::Restarted(_) => "restarted".to_owned(),
                });
                told.collect::<Vec<_>>().join(" + ")
            }
        }
    }

    #[test]
    fn a_local_time_without_a_zone_is_set_aside_in_a_file_only() {
        let text = "Client ID: a, IP: 192.0.2.1 disconnected ungracefully.";
        assert_eq!(reads("", text, None), "zone-missing");
        assert_eq!(reads("", text, Some(&TimeZone::UTC)), "Closed a");
        assert_eq!(reads("bridge/log", text, None), "Closed a");
    }

    #[test]
    fn an_id_does_not_speak_for_another_client() {
        let end = "192.0.2.1 disconnected gracefully.";
        let given = "Reason given by client:";
        for (text, expected) in [
            (format!("Client ID: a, IP: b, IP: {end}"), "Farewell a, IP: b + Closed a, IP: b"),
            (
                format!("Client ID: a, b c, IP: {end} {given} x, IP: y"),
                "Farewell a, b c + Closed a, b c",
            ),
            // The id may be `victim`, or all that stands before the last address.
            (format!("Client ID: victim, IP: {end} {given} x, IP: {end}"), "unreadable"),
            (
                format!(
                    "Client ID: victim, IP: {end} {given} x session has expired at 2025-10-09 09:55:40. \
                     All persistent data for this client has been removed."
                ),
                "",
            ),
            (format!("Client ID: UNKNOWN, IP: {end}"), "Refused"),
            (format!("Client ID: , IP: {end}"), "not mine"),
            ("Client ID: a, IP: 192.0.2.1 was seen.".to_owned(), "not mine"),
            (
                "Client ID: a, IP: 192.0.2.1, Clean Start: maybe, Session Expiry: 0 connected."
                    .to_owned(),
                "not mine",
            ),
        ] {
            assert_eq!(reads("", &text, Some(&TimeZone::UTC)), expected, "{text}");
        }
    }
}
