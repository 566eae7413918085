//! FlashMQ's log: who comes and goes, one line each, in local time.
//!
//! Ids and user names stand there unescaped. A line that can be read in two ways is set aside: otherwise an
//! id could speak for another client.

use super::plain::{How, Plain};
use super::{Events, Malformed, Message, Reading, Reason, Remark, excerpt, line_of, local};
use crate::event::{Channel, ChannelEvent, Event, EventKind, Stamp};
use jiff::civil;
use jiff::tz::TimeZone;
use std::borrow::Cow;

pub const FLASHMQ: Plain = Plain {
    name: "flashmq",
    title: "a log of FlashMQ",
    authority: 2,
    filters: &[],
    message_life: None,
    is_usual: false,
    speaks_at: |_| false,
    is_line: Some(|line| line_of(line).is_ok_and(|text| cut(text).is_some())),
    read: How::Alone(read),
};

/// Reads one line.
///
/// Shape: `[TIME] [NOTICE] TEXT`, and in TEXT the client as `[ClientID='…', username='…', fd=N, keepalive=Ns,
/// transport='…', address='…', prot=…, clean=N]` (early releases without `clean`). The file descriptor with
/// the address is a name that comes back: a weak channel. DISCONNECT and the end of the transport have a
/// line each; a line about a take-over names no connection and is counted.
/// Units: TIME in local time, ms; the tie is the place in the log.
/// Errors: `Malformed` for what is no text, longer than 64 KiB or can be read in two ways, and, in a file, for
/// a time without a zone (`ZoneMissing`).
/// Source: halfgaar/FlashMQ `client.cpp`, `subscriptionstore.cpp`, `main.cpp` (2026-08); samples in
/// `tests/fixtures/dialects/flashmq.log`.
fn read<'a>(message: &Message<'a>, zone: Option<&TimeZone>) -> Reading<'a> {
    let text = match line_of(message.payload) {
        Ok(text) => text,
        Err(malformed) => return Reading::Malformed(malformed),
    };
    let Some((time, told)) = cut(text) else { return Reading::NotMine };
    let (who, kind) = match told {
        Told::Nothing => return Reading::Events(Events::default()),
        Told::TakeOver => return Reading::Events(Events::only(Remark::TakeOver)),
        Told::TwoThings => {
            let detail =
                format!("may be about either of two clients: `{}`", excerpt(message.payload));
            return Reading::Malformed(Malformed::new(Reason::Unreadable, detail));
        }
        // It ended before it said who it is.
        Told::One(who, _) if who.client.is_empty() => {
            return Reading::Events(Events::only(Remark::Refused));
        }
        Told::One(who, kind) => (Some(who), kind),
        // The kind is of no use then.
        Told::Starting => (None, EventKind::Closed),
    };
    match (local::stamp(time, zone, message), who) {
        (Ok(stamp), Some(who)) => Reading::Events(Events::one(who.event(kind, stamp))),
        (Ok(stamp), None) => Reading::Events(Events::one(Event::Restarted(Some(stamp)))),
        (Err(malformed), _) => Reading::Malformed(malformed),
    }
}

/// What a line tells.
#[derive(Clone, Copy)]
enum Told<'a> {
    One(Who<'a>, EventKind),
    Starting,
    TakeOver,
    /// A connection that has not said yet whose it is.
    Nothing,
    TwoThings,
}

#[derive(Clone, Copy)]
struct Who<'a> {
    client: &'a str,
    descriptor: &'a str,
    address: &'a str,
}

impl<'a> Who<'a> {
    fn event(self, kind: EventKind, stamp: Stamp) -> Event<'a> {
        let name = format!("fd={} {}", self.descriptor, self.address);
        let channel = Channel::Weak(Some(Cow::Owned(name)));
        let mut event = ChannelEvent::new(self.client, channel, kind, Some(stamp));
        event.address = Cow::Borrowed(self.address);
        Event::Channel(event)
    }
}

/// Cuts the time off a line, and tells what the rest says; `None` if that is not known.
fn cut(line: &str) -> Option<(civil::DateTime, Told<'_>)> {
    // Lines of other levels quote what clients have sent.
    let (time, text) = line.strip_prefix('[')?.split_once("] [NOTICE] ")?;
    Some((local::read(time, '.')?, told(text)?))
}

fn told(text: &str) -> Option<Told<'_>> {
    if text
        .strip_prefix("Starting FlashMQ")
        .is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
    {
        return Some(Told::Starting);
    }
    if text.starts_with("Accepting connection from: ") {
        return Some(Told::Nothing);
    }
    if text
        .strip_prefix("Disconnecting existing client with id '")
        .is_some_and(|id| id.ends_with('\''))
    {
        return Some(Told::TakeOver);
    }
    if let Some(text) = text.strip_prefix("Client '") {
        let whole = |end| text.strip_suffix(end);
        let (who, kind) =
            match (whole("' logged in successfully"), whole("' cleanly disconnecting")) {
                (Some(who), _) => (who, EventKind::Opened),
                (None, Some(who)) => (who, EventKind::Farewell),
                (None, None) => return None,
            };
        return described(who, kind);
    }
    let text = text.strip_prefix("Removing client '")?;
    let mut readings = text
        .match_indices(REASONS)
        .filter_map(|(at, _)| described(text.split_at_checked(at)?.0, EventKind::Closed));
    let first = readings.next()?;
    Some(if readings.next().is_some() { Told::TwoThings } else { first })
}

/// Takes the client apart from its end on: only what stands before the descriptor is a stranger's text.
fn described(text: &str, kind: EventKind) -> Option<Told<'_>> {
    let text = text.strip_prefix("[ClientID='")?.strip_suffix(']')?;
    let (text, protocol) = text.rsplit_once("', prot=")?;
    let (text, address) = text.rsplit_once("', address='")?;
    let (text, transport) = text.rsplit_once("s, transport='")?;
    let (text, keep_alive) = text.rsplit_once(", keepalive=")?;
    let (text, descriptor) = text.rsplit_once("', fd=")?;
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let is_free_of_quotes = |text: &str| !text.contains('\'');
    if !is_number(keep_alive)
        || !is_number(descriptor)
        || ![protocol, address, transport].into_iter().all(is_free_of_quotes)
    {
        return None;
    }
    // Where the id ends cannot be told if the user name, or the id itself, holds these words as well.
    let (client, user) = text.split_once(USER)?;
    if user.contains(USER) {
        return Some(Told::TwoThings);
    }
    Some(Told::One(Who { client, descriptor, address }, kind))
}

const USER: &str = "', username='";
const REASONS: &str = "'. Reason(s): ";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Timestamp;

    fn reads(text: &str) -> String {
        let line = format!("[2025-10-09 08:53:20.123] [NOTICE] {text}");
        let (tag, qos, retain, received, tie) = (None, 0, false, Timestamp(7), 1);
        let message =
            Message { topic: "", payload: line.as_bytes(), tag, qos, retain, received, tie };
        match read(&message, Some(&TimeZone::UTC)) {
            Reading::NotMine => "not mine".to_owned(),
            Reading::Malformed(malformed) => malformed.reason.code().to_owned(),
            Reading::Events(Events { remark: Some(remark), .. }) => format!("{remark:?}"),
            Reading::Events(Events { first: Some(Event::Channel(event)), .. }) => {
                let channel = event.channel.name().unwrap_or_default();
                format!("{:?} {} on {channel}", event.kind, event.client)
            }
            Reading::Events(Events { first: Some(Event::Restarted(_)), .. }) => {
                "restarted".to_owned()
            }
            Reading::Events(_) => "nothing".to_owned(),
        }
    }

    fn client(id: &str, user: &str) -> String {
        format!(
            "[ClientID='{id}', username='{user}', fd=14, keepalive=60s, transport='TCP/Non-SSL', \
             address='192.0.2.10', prot=3.1.1, clean=1]"
        )
    }

    #[test]
    fn every_line_of_a_connection_names_its_channel() {
        let who = client("a, 'b'", "u");
        let on = "a, 'b' on fd=14 192.0.2.10";
        for (text, expected) in [
            (format!("Client '{who}' logged in successfully"), format!("Opened {on}")),
            (format!("Client '{who}' cleanly disconnecting"), format!("Farewell {on}")),
            (format!("Removing client '{who}'. Reason(s): socket error"), format!("Closed {on}")),
            (
                format!("Removing client '{}'. Reason(s): x", who.replace(", clean=1", "")),
                format!("Closed {on}"),
            ),
            (format!("Removing client '{}'. Reason(s): x", client("", "")), "Refused".to_owned()),
            ("Disconnecting existing client with id 'a'".to_owned(), "TakeOver".to_owned()),
            ("Starting FlashMQ version 1.20.1, release build.".to_owned(), "restarted".to_owned()),
            ("Starting FlashMQs".to_owned(), "not mine".to_owned()),
            (format!("Client '{who}' was seen"), "not mine".to_owned()),
        ] {
            assert_eq!(reads(&text), expected, "{text}");
        }
    }

    #[test]
    fn an_id_does_not_speak_for_another_client() {
        let victim = client("victim", "u");
        for text in [
            format!("Client '{}' logged in successfully", client("victim', username='u", "x")),
            format!(
                "Removing client '{}'. Reason(s): x",
                client(&format!("{victim}'. Reason(s): y"), "u")
            ),
            format!("Removing client '{victim}'. Reason(s): {victim}'. Reason(s): y"),
        ] {
            assert_ne!(reads(&text), "Closed victim on fd=14 192.0.2.10", "{text}");
            assert_ne!(reads(&text), "Opened victim on fd=14 192.0.2.10", "{text}");
        }
    }
}
