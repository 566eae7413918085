//! Mosquitto's log, over `$SYS/broker/log/#` or from a file, releases 1.4 to 2.1.
//!
//! Every event is on the nameless channel: up to 2.1.0 an end names no connection, one log can hold
//! several releases, and a connect line does not tell which. What the state cannot match, this reader
//! must: the late end of an older connection, and the refusal of a newcomer that claims the id of a
//! connected client. Where the lines do not tell, it keeps what was known.
//!
//! Limits. A refusal over libwebsockets (2.0.12 to 2.1.0) looks like the end of a connected client of
//! that id: neither is announced, neither names an address. The same goes for an end with such a
//! reason while a connection waits for its CONNECT, the other way round. A file that also holds the
//! types `subscribe` or `unsubscribe` has lines that begin with a client id, and such an id can forge
//! any line.

mod line;
mod memory;
mod prefix;

use super::local::in_zone;
use super::{Events, Malformed, Message, Reading, Reason, Remark, excerpt, line_of};
use crate::event::{Channel, ChannelEvent, Event, EventKind, Stamp, Timestamp};
use jiff::tz::TimeZone;
use line::{Cause, End, Line};
use memory::Memory;
use prefix::{Prefix, Time};
use std::borrow::Cow;

/// The reader of one Mosquitto's log.
#[derive(Debug, Default)]
pub struct Mosquitto {
    zone: Option<TimeZone>,
    prefix: Prefix,
    memory: Memory,
}

impl Mosquitto {
    pub const NAME: &str = "mosquitto";
    pub const AUTHORITY: u8 = 2;
    pub const FILTER: &str = "$SYS/broker/log/#";
    /// How long the broker keeps a log message for us, in ms (its message expiry).
    pub const MESSAGE_LIFE_MS: i64 = 20_000;

    /// Returns a reader that has heard nothing yet. `zone` is that of stamps in local time.
    #[must_use]
    pub fn new(zone: Option<TimeZone>) -> Self {
        Self { zone, ..Self::default() }
    }

    /// Reads one line, as a message or out of a file (then the topic is empty).
    ///
    /// Shape: `[TIME: ]TEXT` without the end of the line. Over MQTT only the levels N, E, W, I and D
    /// are lines of the broker's own; `M/subscribe` quotes clients and is left alone.
    /// Units: TIME in seconds since 1970, or local time with or without an offset; resolution 1 s.
    /// Without a time the arrival is the stamp. The tie is the place in the log.
    /// Errors: `Malformed` for what is no text or longer than 64 KiB, and, in a file only, for a time
    /// that cannot be read (`ZoneMissing` if all it lacks is the zone). Over MQTT the arrival stands
    /// in for it, for no line may be lost there.
    /// Source: `line::read` and `prefix`; samples in `tests/fixtures/dialects/mosquitto-*`.
    pub fn read<'a>(&mut self, message: &Message<'a>) -> Reading<'a> {
        if !is_line_topic(message.topic) {
            return Reading::NotMine;
        }
        let text = match line_of(message.payload) {
            Ok(text) => text,
            Err(malformed) => return Reading::Malformed(malformed),
        };
        let Some(cut) = self.prefix.cut(text) else {
            return Reading::NotMine;
        };
        if cut.line == Line::Noise {
            return Reading::Events(Events::default());
        }
        match self.stamp(cut.time, message) {
            Ok(stamp) => Reading::Events(self.take_in(cut.line, stamp)),
            Err(malformed) => Reading::Malformed(malformed),
        }
    }

    /// Lines may have been lost, so what was heard before no longer tells whose an end is. Whether the
    /// lines have a time stays decided.
    pub fn interrupted(&mut self) {
        self.memory.clear();
    }

    fn stamp(&self, time: Time<'_>, message: &Message<'_>) -> Result<Stamp, Malformed<'static>> {
        let is_file = message.topic.is_empty();
        let whole_seconds = |time| Stamp { time, tie: message.tie, resolution: 1000 };
        match (time, &self.zone) {
            (Time::Utc(time), _) => Ok(whole_seconds(time)),
            (Time::Local(local), Some(zone)) => {
                Ok(in_zone(local, zone).map_or(message.arrival(), whole_seconds))
            }
            (Time::Local(local), None) if is_file => {
                let detail = format!("local time `{local}`");
                Err(Malformed::new(Reason::ZoneMissing, detail))
            }
            (Time::Unreadable(time), _) if is_file => {
                let detail = format!("unknown form of time `{}`", excerpt(time.as_bytes()));
                Err(Malformed::new(Reason::Unreadable, detail))
            }
            (Time::None | Time::Local(_) | Time::Unreadable(_), _) => Ok(message.arrival()),
        }
    }

    fn take_in<'a>(&mut self, line: Line<'a>, stamp: Stamp) -> Events<'a> {
        match line {
            Line::Starting => {
                self.memory.clear();
                Events::one(Event::Restarted(Some(stamp)))
            }
            Line::Announced { address } => {
                self.memory.announce(address, stamp.time);
                Events::default()
            }
            Line::Connected { client, address } => {
                self.memory.connect(client, address);
                Events::one(event(client, EventKind::Opened, stamp, address))
            }
            Line::Evicting { client } => {
                self.memory.evict(client, stamp.time);
                Events::only(Remark::TakeOver)
            }
            Line::Ended(end) => self.end(end, stamp),
            Line::Noise => Events::default(),
        }
    }

    fn end<'a>(&mut self, end: End<'a>, stamp: Stamp) -> Events<'a> {
        let end = self.unbracketed(end);
        match self.fate(&end, stamp.time) {
            Fate::Counts => {
                let address = end.address.unwrap_or_default();
                let closed = event(end.client, EventKind::Closed, stamp, address);
                if end.cause == Cause::Goodbye {
                    Events::two(event(end.client, EventKind::Farewell, stamp, address), closed)
                } else {
                    Events::one(closed)
                }
            }
            Fate::Remark(remark) => Events::only(remark),
            Fate::Repeated => Events::default(),
        }
    }

    /// Puts a bracket back into the id where only that reading fits what was heard.
    fn unbracketed<'a>(&self, end: End<'a>) -> End<'a> {
        // Up to 2.1.0 an id `victim [10.0.0.1:5]` ends as `victim` does from 2.1.1 on.
        let is_id = self.memory.is_connected(end.client_with_bracket)
            && end.address.is_some_and(|addr| self.memory.is_from(end.client, addr) != Some(true));
        if is_id { End { client: end.client_with_bracket, address: None, ..end } } else { end }
    }

    /// Decides whose end this is, and forgets what has ended.
    fn fate(&mut self, end: &End<'_>, now: Timestamp) -> Fate {
        if let Some(address) = end.address {
            return self.fate_by_address(end, address);
        }
        if end.client == UNKNOWN {
            self.memory.refuse_newcomer(now);
            return Fate::Remark(Remark::Refused);
        }
        match end.cause {
            Cause::TakenOver => self.taken_over(end.client),
            Cause::PeerClosed if self.memory.take_late_end(end.client, now) => {
                Fate::Remark(Remark::LateEnd)
            }
            Cause::Doubtful if self.memory.refuse_newcomer(now) => Fate::Remark(Remark::Refused),
            Cause::Doubtful if !self.memory.is_connected(end.client) => {
                Fate::Remark(Remark::Refused)
            }
            Cause::Goodbye | Cause::PeerClosed | Cause::Broken | Cause::Doubtful => {
                self.memory.forget(end.client);
                Fate::Counts
            }
        }
    }

    fn fate_by_address(&mut self, end: &End<'_>, address: &str) -> Fate {
        // Without a connect line between them the announcement is this connection's.
        let is_newcomer = self.memory.claim(address);
        match self.memory.is_from(end.client, address) {
            Some(true) if end.cause == Cause::TakenOver => self.taken_over(end.client),
            Some(true) => {
                self.memory.forget(end.client);
                Fate::Counts
            }
            None if end.cause == Cause::TakenOver => Fate::Repeated,
            // Ended before its CONNECT: the broker puts the address where the id would be.
            Some(false) | None if Some(end.client) == host(address) => {
                Fate::Remark(Remark::Refused)
            }
            Some(false) if end.cause == Cause::Doubtful && is_newcomer => {
                Fate::Remark(Remark::Refused)
            }
            Some(false) => Fate::Remark(Remark::LateEnd),
            None if end.cause == Cause::Doubtful => Fate::Remark(Remark::Refused),
            None => Fate::Counts,
        }
    }

    fn taken_over(&mut self, client: &str) -> Fate {
        if self.memory.forget(client) { Fate::Remark(Remark::TakeOver) } else { Fate::Repeated }
    }
}

/// What becomes of an end.
enum Fate {
    Counts,
    Remark(Remark),
    /// 2.1 says `session taken over` of a connection that is long gone as well, when the client of a
    /// stored session comes back (observed, 2.1.2).
    Repeated,
}

/// Returns whether the line is a known one of the log, with or without a time before it.
pub(super) fn is_log_line(line: &[u8]) -> bool {
    line_of(line).is_ok_and(|text| Prefix::default().cut(text).is_some())
}

/// Returns whether messages of this topic are lines of the log. On topics that are not the broker's
/// own (a bridge renamed them) everything is, except what is known to quote clients.
fn is_line_topic(topic: &str) -> bool {
    match topic.strip_prefix("$SYS/broker/log/") {
        Some(level) => matches!(level, "N" | "E" | "W" | "I" | "D"),
        None => !topic.ends_with("/M/subscribe") && !topic.ends_with("/M/unsubscribe"),
    }
}

/// Returns the address without its port, which follows the last colon (IPv6 has no brackets).
fn host(address: &str) -> Option<&str> {
    address.rsplit_once(':').map(|(host, _)| host)
}

fn event<'a>(client: &'a str, kind: EventKind, stamp: Stamp, address: &'a str) -> Event<'a> {
    let mut event = ChannelEvent::new(client, Channel::Weak(None), kind, Some(stamp));
    event.address = Cow::Borrowed(address);
    Event::Channel(event)
}

/// What the broker writes for the id of a connection that has sent no CONNECT (up to 2.1.0).
const UNKNOWN: &str = "<unknown>";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialect::PAYLOAD_MAX;

    const RECEIVED: Timestamp = Timestamp(1_795_313_000_500);

    fn message<'a>(topic: &'a str, payload: &'a [u8], tie: u64) -> Message<'a> {
        let (tag, qos, retain, received) = (None, 1, false, RECEIVED);
        Message { topic, payload, tag, qos, retain, received, tie }
    }

    /// What each line of a file says: `+a` opened, `~a` farewell, `-a` closed, `!` restarted, a remark,
    /// `.` understood, `?` not mine.
    fn story(lines: &[&str]) -> Vec<String> {
        let mut reader = Mosquitto::new(None);
        lines
            .iter()
            .zip(1..)
            .map(|(line, tie)| told(&reader.read(&message("", line.as_bytes(), tie))))
            .collect()
    }

    fn told(reading: &Reading<'_>) -> String {
        let Reading::Events(events) = reading else {
            return if *reading == Reading::NotMine { "?" } else { "malformed" }.to_owned();
        };
        let event = |event: &Event<'_>| match event {
            Event::Restarted(_) => "!".to_owned(),
            Event::Channel(event) => {
                let mark = match event.kind {
                    EventKind::Opened => '+',
                    EventKind::Seen => '*',
                    EventKind::Farewell => '~',
                    EventKind::Closed => '-',
                };
                format!("{mark}{}", event.client)
            }
        };
        let mut words: Vec<_> = events.iter().map(event).collect();
        words.extend(events.remark.map(|remark| format!("{remark:?}")));
        if words.is_empty() { ".".to_owned() } else { words.join(" ") }
    }

    /// Reads lines that are given with what they are expected to say.
    fn tell(story_told: &[(&str, &str)]) {
        let lines: Vec<_> = story_told.iter().map(|(line, _)| *line).collect();
        for ((line, expected), found) in story_told.iter().zip(story(&lines)) {
            assert_eq!(found, *expected, "{line}");
        }
    }

    fn first(reading: Reading<'_>) -> ChannelEvent<'_> {
        match reading {
            Reading::Events(Events { first: Some(Event::Channel(event)), .. }) => event,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn an_event_is_on_the_nameless_channel_with_the_address_beside_it() {
        let mut reader = Mosquitto::new(None);
        let line = b"1795313001: New client connected from 192.0.2.1:7 as a (p2, c1, k60).";
        let stamp = Stamp { time: Timestamp(1_795_313_001_000), tie: 9, resolution: 1000 };
        let mut expected =
            ChannelEvent::new("a", Channel::Weak(None), EventKind::Opened, Some(stamp));
        expected.address = "192.0.2.1:7".into();
        assert_eq!(first(reader.read(&message("$SYS/broker/log/N", line, 9))), expected);
    }

    #[test]
    fn a_goodbye_is_farewell_and_close_with_one_stamp() {
        for line in
            ["1795313001: Client a disconnected.", "1795313001: Client a [::1:7] disconnected."]
        {
            let reading = Mosquitto::new(None).read(&message("", line.as_bytes(), 9));
            assert_eq!(told(&reading), "~a -a", "{line}");
            let Reading::Events(events) = reading else { unreachable!() };
            let stamps: Vec<_> = events
                .iter()
                .map(|event| match event {
                    Event::Channel(event) => event.observation(),
                    Event::Restarted(_) => None,
                })
                .collect();
            assert!(
                matches!(stamps.as_slice(), [Some(farewell), Some(close)] if farewell == close)
            );
        }
    }

    #[test]
    fn only_the_brokers_own_lines_are_read() {
        let line = b"1795313001: Client a disconnected.";
        for (topic, expected) in [
            ("", "~a -a"),
            ("$SYS/broker/log/N", "~a -a"),
            ("$SYS/broker/log/E", "~a -a"),
            ("$SYS/broker/log/W", "~a -a"),
            ("$SYS/broker/log/I", "~a -a"),
            ("$SYS/broker/log/D", "~a -a"),
            ("$SYS/broker/log/WS", "?"),
            ("$SYS/broker/log/M/subscribe", "?"),
            ("$SYS/broker/log/M/unsubscribe", "?"),
            ("$SYS/broker/log/", "?"),
            ("site/log/N", "~a -a"),
            ("site/log/M/subscribe", "?"),
        ] {
            assert_eq!(
                told(&Mosquitto::new(None).read(&message(topic, line, 1))),
                expected,
                "{topic}"
            );
        }
    }

    #[test]
    fn without_a_time_the_arrival_is_the_stamp() {
        let reading = Mosquitto::new(None).read(&message("", b"Client a disconnected.", 9));
        let stamp = Stamp { time: RECEIVED, tie: 9, resolution: 0 };
        assert_eq!(first(reading).stamp, Some(stamp));
    }

    #[test]
    fn local_time_needs_a_zone_in_a_file_and_is_replaced_by_the_arrival_over_mqtt() {
        let line = b"2026-11-22T03:03:21: Client a disconnected.";
        let zone = TimeZone::fixed(jiff::tz::offset(1));
        let stamp = Stamp { time: Timestamp(1_795_313_001_000), tie: 9, resolution: 1000 };
        for topic in ["", "$SYS/broker/log/N"] {
            let reading = Mosquitto::new(Some(zone.clone())).read(&message(topic, line, 9));
            assert_eq!(first(reading).stamp, Some(stamp), "{topic}");
        }
        let arrival = Stamp { time: RECEIVED, tie: 9, resolution: 0 };
        let reading = Mosquitto::new(None).read(&message("$SYS/broker/log/N", line, 9));
        assert_eq!(first(reading).stamp, Some(arrival));
        let reading = Mosquitto::new(None).read(&message("", line, 9));
        assert!(
            matches!(&reading, Reading::Malformed(malformed) if malformed.reason == Reason::ZoneMissing),
            "{reading:?}"
        );
    }

    #[test]
    fn a_time_of_unknown_form_is_replaced_by_the_arrival_over_mqtt_only() {
        let line = b"22.11.2026 03:03: Client a disconnected.";
        let reading = Mosquitto::new(None).read(&message("$SYS/broker/log/N", line, 9));
        assert_eq!(first(reading).stamp.map(|stamp| stamp.time), Some(RECEIVED));
        let reading = Mosquitto::new(None).read(&message("", line, 9));
        assert!(
            matches!(&reading, Reading::Malformed(malformed) if malformed.reason == Reason::Unreadable),
            "{reading:?}"
        );
    }

    #[test]
    fn lines_of_no_interest_need_no_time_and_make_no_event() {
        tell(&[
            ("2026-11-22T03:03:21: mosquitto version 2.0.11 running", "."),
            ("2026-11-22T03:03:21: Expiring client a due to timeout.", "."),
            ("2026-11-22T03:03:21: No will message specified.", "?"),
            ("2026-11-22T03:03:21: mosquitto version 2.0.11 terminating", "."),
        ]);
    }

    #[test]
    fn what_is_no_text_or_too_long_is_unreadable() {
        for payload in [vec![0xff], vec![b'x'; PAYLOAD_MAX + 1]] {
            let reading = Mosquitto::new(None).read(&message("$SYS/broker/log/N", &payload, 1));
            assert!(
                matches!(&reading, Reading::Malformed(malformed) if malformed.reason == Reason::Unreadable),
                "{reading:?}"
            );
        }
        let mut longest = b"Client ".to_vec();
        longest.resize(PAYLOAD_MAX - " disconnected.".len(), b'x');
        longest.extend_from_slice(b" disconnected.");
        let reading = Mosquitto::new(None).read(&message("$SYS/broker/log/N", &longest, 1));
        assert!(matches!(reading, Reading::Events(_)));
        assert_eq!(told(&Mosquitto::new(None).read(&message("", b"", 1))), "?");
    }

    #[test]
    fn an_evicted_tcp_connection_writes_no_end_so_the_next_one_counts() {
        tell(&[
            ("10: New connection from 192.0.2.1:1 on port 1883.", "."),
            ("10: New client connected from 192.0.2.1:1 as a (p2, c1, k60).", "+a"),
            ("20: New connection from 192.0.2.1:2 on port 1883.", "."),
            ("20: Client a already connected, closing old connection.", "TakeOver"),
            ("20: New client connected from 192.0.2.1:2 as a (p2, c1, k60).", "+a"),
            ("20: Client a closed its connection.", "-a"),
        ]);
    }

    #[test]
    fn the_late_end_of_an_evicted_websocket_is_swallowed_once() {
        tell(&[
            ("5: New connection from 192.0.2.9:9 on port 1883.", "."),
            ("5: New client connected from 192.0.2.9:9 as other (p2, c1, k60).", "+other"),
            ("10: New client connected from 192.0.2.1:1 as a (p2, c1, k60).", "+a"),
            ("20: Client a already connected, closing old connection.", "TakeOver"),
            ("20: New client connected from 192.0.2.1:2 as a (p2, c1, k60).", "+a"),
            ("21: Client other closed its connection.", "-other"),
            ("22: Client a closed its connection.", "LateEnd"),
            ("22: Client a closed its connection.", "-a"),
        ]);
    }

    #[test]
    fn the_end_of_a_websocket_counts_where_nothing_speaks_for_a_late_one() {
        // Too late.
        tell(&[
            ("10: New client connected from 192.0.2.1:1 as a (p2, c1, k60).", "+a"),
            ("20: Client a already connected, closing old connection.", "TakeOver"),
            ("20: New client connected from 192.0.2.1:2 as a (p2, c1, k60).", "+a"),
            ("23: Client a closed its connection.", "-a"),
        ]);
        // Of another kind.
        tell(&[
            ("10: New client connected from 192.0.2.1:1 as a (p2, c1, k60).", "+a"),
            ("20: Client a already connected, closing old connection.", "TakeOver"),
            ("20: New client connected from 192.0.2.1:2 as a (p2, c1, k60).", "+a"),
            ("20: Client a disconnected.", "~a -a"),
        ]);
        // The old connection's line was not heard: it may have been TCP.
        tell(&[
            ("20: Client a already connected, closing old connection.", "TakeOver"),
            ("20: New client connected from 192.0.2.1:2 as a (p2, c1, k60).", "+a"),
            ("20: Client a closed its connection.", "-a"),
        ]);
    }

    #[test]
    fn an_end_by_take_over_touches_nothing() {
        for (old_end, first) in [
            ("20: Client a disconnected, session taken over.", "192.0.2.1:1"),
            ("20: Client a [192.0.2.1:1] disconnected: session taken over.", "192.0.2.1:1"),
        ] {
            let connected = format!("10: New client connected from {first} as a (p4, c1, k60).");
            tell(&[
                (connected.as_str(), "+a"),
                (old_end, "TakeOver"),
                ("20: New client connected from 192.0.2.1:2 as a (p4, c1, k60).", "+a"),
            ]);
        }
    }

    #[test]
    fn a_stored_session_that_is_picked_up_is_no_take_over() {
        // Observed with 2.1.2: the same connection ends twice.
        tell(&[
            ("10: New client connected from 192.0.2.1:1 as a (p4, c0, k60).", "+a"),
            ("20: Client a [192.0.2.1:1] disconnected.", "~a -a"),
            ("30: Client a [192.0.2.1:1] disconnected: session taken over.", "."),
            ("30: New client connected from 192.0.2.1:2 as a (p4, c0, k60).", "+a"),
        ]);
    }

    #[test]
    fn an_end_with_the_address_of_another_connection_is_late() {
        tell(&[
            ("10: New client connected from 192.0.2.1:1 as a (p4, c1, k60).", "+a"),
            ("20: New client connected from 192.0.2.1:2 as a (p4, c1, k60).", "+a"),
            ("20: Client a [192.0.2.1:1] disconnected: connection closed by client.", "LateEnd"),
            ("21: Client a [192.0.2.1:1] disconnected.", "LateEnd"),
            ("22: Client a [192.0.2.1:1] disconnected: protocol error.", "LateEnd"),
            ("22: Client a [192.0.2.1:1] disconnected: session taken over.", "LateEnd"),
            ("30: Client a [192.0.2.1:2] disconnected: protocol error.", "-a"),
        ]);
    }

    #[test]
    fn an_attempt_without_a_connect_concerns_nobody() {
        tell(&[
            ("10: New connection from 192.0.2.1:1 on port 1883.", "."),
            ("10: Client <unknown> closed its connection.", "Refused"),
            ("10: Client <unknown> disconnected due to protocol error.", "Refused"),
            ("10: Socket error on client <unknown>, disconnecting.", "Refused"),
            ("10: Client <unknown> disconnected.", "Refused"),
        ]);
        tell(&[
            ("10: New connection from 192.0.2.1:1 on port 1883.", "."),
            ("10: Client 192.0.2.1 [192.0.2.1:1] disconnected: protocol error.", "Refused"),
            ("10: Client ::1 [::1:1] disconnected: connection closed by client.", "Refused"),
        ]);
    }

    #[test]
    fn a_client_that_is_named_like_its_address_is_a_client() {
        tell(&[
            ("10: New client connected from 192.0.2.1:1 as 192.0.2.1 (p4, c1, k60).", "+192.0.2.1"),
            ("11: Client 192.0.2.1 [192.0.2.1:2] disconnected: protocol error.", "Refused"),
            ("12: Client 192.0.2.1 [192.0.2.1:1] disconnected: protocol error.", "-192.0.2.1"),
        ]);
    }

    #[test]
    fn a_refused_login_does_not_end_the_client_that_holds_the_id() {
        // 2.0.12 to 2.1.0: no address in the end.
        tell(&[
            ("10: New connection from 192.0.2.1:1 on port 1883.", "."),
            ("10: New client connected from 192.0.2.1:1 as a (p2, c1, k60).", "+a"),
            ("20: New connection from 192.0.2.6:6 on port 1883.", "."),
            ("20: Client a disconnected, not authorised.", "Refused"),
            ("30: Client a disconnected, not authorised.", "-a"),
        ]);
        // 2.1.1 and later.
        tell(&[
            ("10: New connection from 192.0.2.1:1 on port 1883.", "."),
            ("10: New client connected from 192.0.2.1:1 as a (p4, c1, k60).", "+a"),
            ("20: New connection from 192.0.2.6:6 on port 1883.", "."),
            ("20: Client a [192.0.2.6:6] disconnected: not authorised.", "Refused"),
            ("30: Client a [192.0.2.1:1] disconnected: not authorised.", "-a"),
        ]);
    }

    #[test]
    fn a_doubtful_end_counts_only_for_a_client_whose_connect_was_heard() {
        tell(&[
            ("10: Client a disconnected due to protocol error.", "Refused"),
            ("10: Client a [192.0.2.1:1] disconnected: server busy.", "Refused"),
            ("10: New client connected from 192.0.2.1:1 as b (p4, c1, k60).", "+b"),
            ("10: Client b disconnected due to protocol error.", "-b"),
            ("10: Client b disconnected due to protocol error.", "Refused"),
        ]);
    }

    #[test]
    fn a_plain_end_counts_for_a_client_never_heard_of() {
        for (line, expected) in [
            ("10: Client a disconnected.", "~a -a"),
            ("10: Client a closed its connection.", "-a"),
            ("10: Socket error on client a, disconnecting.", "-a"),
            ("10: Client a has exceeded timeout, disconnecting.", "-a"),
            ("10: Client a been disconnected by administrative action.", "-a"),
            ("10: Bad socket read/write on client a: A TLS error occurred.", "-a"),
            ("10: Client a [192.0.2.1:1] disconnected.", "~a -a"),
            ("10: Client a [192.0.2.1:1] disconnected: exceeded timeout.", "-a"),
            ("10: Client a disconnected: Connection reset by peer.", "-a"),
        ] {
            tell(&[(line, expected)]);
        }
    }

    #[test]
    fn a_bracket_in_an_id_of_an_older_broker_stays_in_the_id() {
        tell(&[
            ("10: New client connected from 192.0.2.1:1 as v (p2, c1, k60).", "+v"),
            (
                "10: New client connected from 192.0.2.6:6 as v [10.0.0.1:5] (p2, c1, k60).",
                "+v [10.0.0.1:5]",
            ),
            ("20: Client v [10.0.0.1:5] disconnected.", "~v [10.0.0.1:5] -v [10.0.0.1:5]"),
            ("30: Client v disconnected.", "~v -v"),
        ]);
    }

    #[test]
    fn after_a_hole_an_end_is_not_measured_by_what_was_heard_before() {
        let mut reader = Mosquitto::new(None);
        let mut hear = |line: &str| told(&reader.read(&message("", line.as_bytes(), 1)));
        assert_eq!(hear("10: New client connected from 1.2.3.4:1 as a (p4, c1, k60)."), "+a");
        let end = "20: Client a [1.2.3.4:2] disconnected: exceeded timeout.";
        assert_eq!(hear(end), "LateEnd");
        reader.interrupted();
        assert_eq!(told(&reader.read(&message("", end.as_bytes(), 3))), "-a");
    }

    #[test]
    fn a_start_forgets_every_connection() {
        tell(&[
            ("10: New connection from 192.0.2.1:2 on port 1883.", "."),
            ("10: New client connected from 192.0.2.1:1 as a (p2, c1, k60).", "+a"),
            ("20: mosquitto version 2.0.18 starting", "!"),
            ("20: Client a disconnected due to protocol error.", "Refused"),
            ("20: New client connected from 192.0.2.1:2 as b (p2, c1, k60).", "+b"),
            ("20: Client b disconnected due to protocol error.", "-b"),
        ]);
    }
}
