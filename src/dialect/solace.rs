//! Solace's event log: clients of all protocols, those of MQTT among them by how they are called.
//!
//! Known from the vendor's documents and from what others wrote about their logs; never seen live. So it reads
//! no more into a line than all of them agree on, and says nothing of what is otherwise.

use super::plain::{How, Plain};
use super::{Events, Malformed, Message, Reading, Reason, excerpt, line_of};
use crate::event::{Channel, ChannelEvent, Event, EventKind, Stamp, Timestamp};
use std::borrow::Cow;
use std::net::SocketAddr;

pub const SOLACE: Plain = Plain {
    name: "solace",
    title: "an event log of Solace",
    authority: 2,
    filters: &[],
    message_life: None,
    is_usual: false,
    speaks_at: |_| false,
    is_line: Some(|line| {
        line_of(line).ok().and_then(Line::of).is_some_and(|line| line.time.is_some())
    }),
    read: How::Alone(|message, _| read(message)),
};

/// Reads one line, or one message about an event, which is the same text.
///
/// Shape: `TIME FACILITY ROUTER event: CLIENT: EVENT: VPN NAME Client (N) …`, of which all before `CLIENT:` may be
/// otherwise. `CLIENT_CLIENT_CONNECT` opens, `CLIENT_CLIENT_DISCONNECT` closes, all others say nothing. A client of
/// MQTT is called `#mqtt/ID/NUMBER`; the number is given to one connection at a time, and comes back: a weak
/// channel. Clients of other protocols are nobody's presence here. What `reason(…)` says at a DISCONNECT is not
/// known, so no end is called a goodbye.
/// Units: TIME as RFC 3339; without it the arrival, and a file is not read.
/// Errors: `Malformed` for what is no text, longer than 64 KiB, or of a name that may end in two places.
/// Source: docs.solace.com "Subscribing to Message Bus Events" and "Monitoring Events Using Syslog" (2026-08), the
/// monitoring API's `clientName` of an MQTT session; samples made from them in
/// `tests/fixtures/dialects/solace-event.log`.
fn read<'a>(message: &Message<'a>) -> Reading<'a> {
    let text = match line_of(message.payload) {
        Ok(text) => text,
        Err(malformed) => return Reading::Malformed(malformed),
    };
    let Some(line) = Line::of(text) else { return Reading::NotMine };
    let kind = match line.event {
        "CLIENT_CLIENT_CONNECT" => EventKind::Opened,
        "CLIENT_CLIENT_DISCONNECT" => EventKind::Closed,
        _ => return Reading::Events(Events::default()),
    };
    let Some(name) = line.about.strip_prefix(MQTT) else {
        return Reading::Events(Events::default());
    };
    let Some((client, number, more)) = cut(name) else {
        let detail =
            format!("no name of a client, or one of two, in `{}`", excerpt(message.payload));
        return Reading::Malformed(Malformed::new(Reason::Unreadable, detail));
    };
    let stamp = match line.time {
        Some(time) => Stamp { time, tie: message.tie, resolution: 0 },
        None if message.topic.is_empty() => return Reading::NotMine,
        None => message.arrival(),
    };
    let channel = Channel::Weak(Some(Cow::Borrowed(number)));
    let mut event = ChannelEvent::new(Cow::Borrowed(client), channel, kind, Some(stamp));
    if kind == EventKind::Opened {
        event.address = address(more).unwrap_or_default().into();
    }
    Reading::Events(Events::one(Event::Channel(event)))
}

/// A line about a client.
struct Line<'a> {
    time: Option<Timestamp>,
    event: &'a str,
    /// What follows the name of the message VPN.
    about: &'a str,
}

impl<'a> Line<'a> {
    fn of(text: &'a str) -> Option<Self> {
        // Over MQTT it ends as a text of C does.
        let text = text.trim_end_matches('\0');
        // What clients write comes later: the first one is the broker's.
        let (head, rest) = text.split_once("CLIENT: ")?;
        let (event, rest) = rest.split_once(": ")?;
        let is_event = event.starts_with("CLIENT_")
            && event.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_');
        let is_head = head.split_whitespace().count() <= HEAD_WORDS_MAX;
        let (_, about) = rest.split_once(' ')?;
        let time = head.split(' ').next().and_then(|word| word.parse::<jiff::Timestamp>().ok());
        let time = time.map(|time| Timestamp(time.as_millisecond()));
        (is_event && is_head).then_some(Self { time, event, about })
    }
}

/// Returns the client id and the number in a name, and what follows it; `None` where it is not the only one that
/// the line may name.
fn cut(name: &str) -> Option<(&str, &str, &str)> {
    let (name, more) = name.split_once(NAME_END)?;
    if more.contains(NAME_END) {
        return None;
    }
    let (client, number) = name.rsplit_once('/')?;
    let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    (is_number && !client.is_empty()).then_some((client, number, more))
}

/// Returns where a client came from, if the line has one such place.
fn address(more: &str) -> Option<&str> {
    let mut places = more.split(" from ").skip(1).filter_map(|after| {
        let word = after.split(' ').next()?;
        word.parse::<SocketAddr>().ok().map(|_| word)
    });
    places.next().filter(|_| places.next().is_none())
}

const MQTT: &str = "#mqtt/";
const NAME_END: &str = " Client (";
/// The time, the facility, the router and `event:`.
const HEAD_WORDS_MAX: usize = 4;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialect::plain::told;

    const HEAD: &str = "2026-01-19T18:29:47.818+00:00 <local3.info> router event: ";

    #[track_caller]
    fn is(rest: &str, expected: &str) {
        assert_eq!(told(&SOLACE, "", format!("{HEAD}{rest}")), expected, "{rest}");
    }

    #[test]
    fn clients_of_mqtt_come_and_go_by_their_numbers() {
        let more =
            "Client (30) OriginalClientUsername(u) connected to 10.0.0.1:1883 from 192.0.2.1:5";
        is(&format!("CLIENT: CLIENT_CLIENT_CONNECT: plant #mqtt/a/b c/30 {more}"), "+a/b c (30)");
        let more =
            "Client (30) reason(Peer TCP Closed) final statistics - dp(0) conn(0, 0, 192.0.2.1:5)";
        is(
            &format!("CLIENT: CLIENT_CLIENT_DISCONNECT: plant #mqtt/a/b c/30 {more}"),
            "-a/b c (30)",
        );
        for other in ["app/1/x", "#rest/7", "#mqtt"] {
            is(&format!("CLIENT: CLIENT_CLIENT_CONNECT: plant {other} Client (7) x"), "");
        }
        is("CLIENT: CLIENT_CLIENT_BIND_SUCCESS: plant #mqtt/a/30 Client (30) bound", "");
        is("SYSTEM: SYSTEM_CLIENT_CONNECT: - - Client (30) connected", "not mine");
    }

    #[test]
    fn no_id_speaks_for_another() {
        let forged = "#mqtt/victim/3 Client (4) x/30 Client (30) from 192.0.2.1:5";
        is(&format!("CLIENT: CLIENT_CLIENT_DISCONNECT: plant {forged}"), "unreadable");
        let forged = "#mqtt/CLIENT: CLIENT_CLIENT_DISCONNECT: p #mqtt/victim/3 Client (30) x";
        is(&format!("CLIENT: CLIENT_CLIENT_BIND_SUCCESS: plant {forged}"), "");
        for name in ["#mqtt/a", "#mqtt//3", "#mqtt/a/", "#mqtt/a/x"] {
            is(&format!("CLIENT: CLIENT_CLIENT_CONNECT: plant {name} Client (3) x"), "unreadable");
        }
    }

    #[test]
    fn over_mqtt_the_arrival_stands_in_and_a_file_needs_a_time() {
        let text = "router event: CLIENT: CLIENT_CLIENT_CONNECT: plant #mqtt/a/30 Client (30) x\0";
        assert_eq!(
            told(&SOLACE, "$SYS/LOG/INFO/CLIENT/r/CLIENT_CLIENT_CONNECT/plant/x", text),
            "+a (30)"
        );
        assert_eq!(told(&SOLACE, "", text), "not mine");
        let is_line = SOLACE.is_line.expect("it has lines");
        assert!(!is_line(text.as_bytes()) && is_line(format!("{HEAD}{}", &text[14..]).as_bytes()));
    }

    #[test]
    fn an_address_that_a_client_may_have_written_is_none() {
        for (more, expected) in [
            ("30) u connected to 10.0.0.1:1883 from 192.0.2.1:5 version(x)", Some("192.0.2.1:5")),
            ("30) user( from 9.9.9.9:1 ) from 192.0.2.1:5", None),
            ("30) from here", None),
        ] {
            assert_eq!(address(more), expected, "{more}");
        }
    }
}
