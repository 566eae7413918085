//! LMQ, the status notices of Alibaba Cloud's MQTT: one JSON object a notice.
//!
//! It reads single notices and remembers nothing: the notices come in any order and more than once,
//! so whatever depends on two of them is the state's business, not the reader's.

mod fixed;

use super::{Events, Malformed, Message, PAYLOAD_MAX, Reading, Reason, excerpt, trimmed};
use crate::event::{Channel, ChannelEvent, Event, EventKind, Flags, Stamp, Timestamp, Usual};
use memchr::memchr;
use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::fmt;

/// The reader of LMQ notices.
#[derive(Debug, Default)]
pub struct Lmq;

impl Lmq {
    pub const NAME: &str = "lmq";
    pub const AUTHORITY: u8 = 1;
    /// Where notices are looked for over MQTT.
    pub const FILTER: &str = "$presence/#";

    /// Reads one notice.
    ///
    /// Shape: a JSON object with `clientId`, `eventType` (`connect`, `disconnect`, `tcpclean`),
    /// `channelId`, `time` and `clientIp`; of a key that comes twice the last one counts. The
    /// message's tag repeats the event type and stands in for it where the body has none.
    /// Units: `time` as a number or as text, in seconds, ms, µs or ns, told by its size (broker's
    /// clock). A tie is always 0, in files too: the order of notices means nothing.
    /// Errors: `Malformed` for a body that is no such object, without a client, or of an unknown
    /// type, tried in this order; anything else is flagged and counts.
    /// Source: help.aliyun.com documents 50069 and 175691, and `AliwareMQ/lmq-demo` (2026-08);
    /// samples in `tests/fixtures/dialects/alibaba-lmq.jsonl`.
    #[must_use]
    pub fn read<'a>(&self, message: &Message<'a>) -> Reading<'a> {
        if message.tag.is_none()
            && let Some(usual) = text_of(message.payload).and_then(Self::read_usual)
        {
            return Reading::Events(Events::one(Event::Channel(usual.event())));
        }
        read_notice(Notice::parse(message.payload), message)
    }

    /// Returns which client a notice is about, probably: its first member says so as a rule.
    #[must_use]
    pub fn client_of(body: &[u8]) -> Option<&str> {
        let rest = body.strip_prefix(br#"{"clientId":""#)?;
        let end = memchr(b'"', &rest[..rest.len().min(CLIENT_ID_MAX + 1)])?;
        std::str::from_utf8(&rest[..end]).ok()
    }

    /// Reads one notice that came without a tag as [`read`](Self::read) does, if it is as nearly all of
    /// them are.
    fn read_usual(body: &str) -> Option<Usual<'_>> {
        let (usual, others) = Self::read_usual_line(body)?;
        others.is_empty().then_some(usual)
    }

    /// Reads the first of some lines as [`read`](Self::read) does a notice that came without a tag, if it
    /// is as nearly all of them are. Returns what it says and the other lines: where a line ends need not be
    /// known before it is read.
    #[must_use]
    pub fn read_usual_line(lines: &str) -> Option<(Usual<'_>, &str)> {
        let (usual, rest) = fixed::read_usual(lines)?;
        let is_long = lines.len() - rest.len() > PAYLOAD_MAX;
        let rest = rest.strip_prefix('\r').unwrap_or(rest);
        let others = if rest.is_empty() { rest } else { rest.strip_prefix('\n')? };
        (!is_long).then_some((usual, others))
    }

    /// Reads one notice as [`read`](Self::read) does, by the grammar of JSON alone: what the short cut
    /// for the usual shape is compared with.
    #[must_use]
    pub fn read_by_grammar<'a>(&self, message: &Message<'a>) -> Reading<'a> {
        read_notice(Notice::parse_by_grammar(message.payload), message)
    }

    /// Reads a notice that came as the cells of a row.
    pub(super) fn read_row(row: Row<'_>) -> Reading<'_> {
        let notice = Notice {
            client: Field::of_cell(row.client),
            event: Field::of_cell(row.event),
            channel: Field::of_cell(row.channel),
            address: Field::of_cell(row.address),
            time: None,
        };
        judged(notice, row.stamp, None, row.line)
    }
}

/// The cells of a row that make a notice. An empty one counts as missing.
#[derive(Clone, Copy)]
pub(super) struct Row<'a> {
    pub client: &'a str,
    pub event: &'a str,
    pub channel: &'a str,
    pub address: &'a str,
    /// Its time, read already, and what is to be said about it.
    pub stamp: (Option<Stamp>, Flags),
    /// The whole row, to be quoted.
    pub line: &'a [u8],
}

fn read_notice<'a>(
    notice: Result<Notice<'a>, Malformed<'a>>,
    message: &Message<'a>,
) -> Reading<'a> {
    match notice {
        Ok(notice) => {
            let stamp = read_stamp(notice.time);
            judged(notice, stamp, message.tag, message.payload)
        }
        Err(malformed) => Reading::Malformed(malformed),
    }
}

/// Judges what a notice says, whatever it was written in.
fn judged<'a>(
    notice: Notice<'a>,
    (stamp, time_flags): (Option<Stamp>, Flags),
    tag: Option<&'a str>,
    text: &[u8],
) -> Reading<'a> {
    let Some(client) = notice.client.text().filter(|client| !client.is_empty()) else {
        let detail = format!("no `clientId` in `{}`", excerpt(text));
        return Reading::Malformed(Malformed::new(Reason::ClientMissing, detail));
    };
    let tag = tag.map(trimmed).filter(|tag| !tag.is_empty());
    let (kind, kind_flags) = match read_kind(&notice.event, tag) {
        Ok(read) => read,
        Err(detail) => {
            return Reading::Malformed(Malformed {
                reason: Reason::UnknownEvent,
                client: Some((client, Flags::UNKNOWN_EVENT)),
                detail,
            });
        }
    };
    let address = notice.address.text().unwrap_or_default();
    let (channel, channel_flags) = read_channel(notice.channel, &address);
    // Shorter than that in bytes, it is in characters too, and need not be counted.
    let is_long = client.len() > CLIENT_ID_MAX && client.chars().nth(CLIENT_ID_MAX).is_some();
    let client_flags = if is_long { Flags::CLIENT_ID_TOO_LONG } else { Flags::NONE };
    Reading::Events(Events::one(Event::Channel(ChannelEvent {
        client,
        channel,
        kind,
        stamp,
        address,
        sequence: Cow::Borrowed(&[]),
        flags: kind_flags.union(channel_flags).union(time_flags).union(client_flags),
        // Notices are stamped by the broker: that one was kept retained takes nothing from it.
        standing: false,
    })))
}

/// Returns whether the line is a notice and nothing else, be it damaged.
///
/// No single member tells: others have a `clientId` and an `eventType` as well, and half of all JSON logs have a
/// `time`. So there is an event of its own, with whose it is; or, as the event may stand in the tag of the
/// message or be a new one, both ids and one of the rest.
pub(super) fn is_notice(line: &[u8]) -> bool {
    Notice::parse(line).is_ok_and(|notice| {
        let is_there = |field: &Field<'_>| !matches!(field, Field::Absent);
        let (client, channel) = (is_there(&notice.client), is_there(&notice.channel));
        let has_more = || {
            let fields = [&notice.event, &notice.address];
            notice.time.is_some() || fields.into_iter().any(is_there)
        };
        let is_known = || match &notice.event {
            Field::Text(text) => kind_of(trimmed(text)).is_some(),
            Field::Absent | Field::Null | Field::Other => false,
        };
        (client && channel && has_more()) || ((client || channel) && is_known())
    })
}

/// Returns what a word for an event means, whatever its case.
fn kind_of(word: &str) -> Option<EventKind> {
    KINDS.iter().find(|(known, _)| word.eq_ignore_ascii_case(known)).map(|(_, kind)| *kind)
}

fn read_kind(event: &Field<'_>, tag: Option<&str>) -> Result<(EventKind, Flags), String> {
    if let (Field::Text(text), None) = (event, tag)
        && let Some((_, kind)) = KINDS.iter().find(|(known, _)| text == known)
    {
        return Ok((*kind, Flags::NONE));
    }
    let body = match event {
        Field::Text(text) => Some(trimmed(text)).filter(|text| !text.is_empty()),
        Field::Absent | Field::Null => None,
        Field::Other => return Err("`eventType` is no text".to_owned()),
    };
    let Some(word) = body.or(tag) else {
        return Err("neither `eventType` nor a tag".to_owned());
    };
    let Some(kind) = kind_of(word) else {
        return Err(format!("event type `{}`", excerpt(word.as_bytes())));
    };
    let differs = tag.is_some_and(|tag| !tag.eq_ignore_ascii_case(word));
    Ok((kind, if differs { Flags::TAG_MISMATCH } else { Flags::NONE }))
}

fn read_channel<'a>(channel: Field<'a>, address: &str) -> (Channel<Cow<'a, str>>, Flags) {
    match channel.text() {
        Some(name) if !name.is_empty() => (Channel::Strong(name), Flags::NONE),
        _ if address.is_empty() => (Channel::Weak(None), Flags::CHANNEL_MISSING),
        _ => {
            let stand_in = Cow::Owned(format!("addr:{address}"));
            (Channel::Weak(Some(stand_in)), Flags::CHANNEL_MISSING)
        }
    }
}

/// Reads the JSON text of `time`.
fn read_stamp(json: Option<&str>) -> (Option<Stamp>, Flags) {
    let Some(json) = json.filter(|json| *json != "null") else {
        return (None, Flags::TIME_MISSING);
    };
    let stamp = match json.strip_prefix('"').and_then(|json| json.strip_suffix('"')) {
        Some(text) if text.contains('\\') => {
            serde_json::from_str::<String>(json).ok().and_then(|text| stamp_of(trimmed(&text)))
        }
        Some(text) => stamp_of(trimmed(text)),
        None => stamp_of(json),
    };
    stamped(stamp)
}

/// Returns a stamp that was read, if it was, with what is to be said about it.
pub(super) const fn stamped(stamp: Option<Stamp>) -> (Option<Stamp>, Flags) {
    match stamp {
        Some(stamp) if stamp.resolution > 0 => (Some(stamp), Flags::TIME_IN_SECONDS),
        Some(stamp) => (Some(stamp), Flags::NONE),
        None => (None, Flags::TIME_INVALID),
    }
}

/// Reads a time that is a number, whose size tells its unit.
pub(super) fn stamp_of(number: &str) -> Option<Stamp> {
    if let Some(time) = fixed::milliseconds(number) {
        return Some(Stamp { time, tie: 0, resolution: 0 });
    }
    let digits = number.strip_prefix('+').unwrap_or(number);
    if digits.len() > DIGITS_MAX {
        return None;
    }
    // A fraction, an exponent, a minus and `true` fail here: none of them is a digit.
    let value = digits.bytes().try_fold(0_i64, |value, byte| {
        let digit = byte.is_ascii_digit().then(|| i64::from(byte - b'0'))?;
        value.checked_mul(10)?.checked_add(digit)
    })?;
    // Milliseconds are the practice but no documented rule, and the manual's example has ten
    // digits: only the size tells the unit.
    let (ms, resolution) = match value {
        1..SECONDS_END => (value * 1000, 1000),
        SECONDS_END..MILLISECONDS_END => (value, 0),
        MILLISECONDS_END..MICROSECONDS_END => (value / 1000, 0),
        MICROSECONDS_END..=NANOSECONDS_MAX => (value / 1_000_000, 0),
        _ => return None,
    };
    Some(Stamp { time: Timestamp(ms), tie: 0, resolution })
}

const KINDS: [(&str, EventKind); 3] = [
    ("connect", EventKind::Opened),
    ("disconnect", EventKind::Farewell),
    ("tcpclean", EventKind::Closed),
];

/// Code points of a client id beyond which the vendor calls it too long.
const CLIENT_ID_MAX: usize = 64;
const DIGITS_MAX: usize = 20;
const SECONDS_END: i64 = 100_000_000_000;
const MILLISECONDS_END: i64 = 100_000_000_000_000;
const MICROSECONDS_END: i64 = 100_000_000_000_000_000;
const NANOSECONDS_MAX: i64 = 9_000_000_000_000_000_000;

/// The body of a notice, before anything in it is judged.
#[derive(Default)]
struct Notice<'a> {
    client: Field<'a>,
    event: Field<'a>,
    channel: Field<'a>,
    address: Field<'a>,
    /// Kept as JSON text: a number with a fraction is not the same as one without, and twenty
    /// digits fit no number type.
    time: Option<&'a str>,
}

impl<'a> Notice<'a> {
    fn parse(body: &'a [u8]) -> Result<Self, Malformed<'static>> {
        // Parsing text that is known to be UTF-8 saves checking every string by itself.
        text_of(body).map_or_else(|| Err(unreadable(body)), Self::parse_text)
    }

    fn parse_text(body: &'a str) -> Result<Self, Malformed<'static>> {
        let usual = Some(body).filter(|body| body.len() <= PAYLOAD_MAX).and_then(fixed::read);
        usual.map_or_else(|| Self::parse_by_grammar(body.as_bytes()), Ok)
    }

    fn parse_by_grammar(body: &'a [u8]) -> Result<Self, Malformed<'static>> {
        let parsed = text_of(body).and_then(|body| serde_json::from_str(body).ok());
        parsed.ok_or_else(|| unreadable(body))
    }
}

/// Returns the refusal of a body that is no JSON object.
pub(super) fn unreadable(body: &[u8]) -> Malformed<'static> {
    if body.len() > PAYLOAD_MAX {
        return Malformed::too_long(body);
    }
    let detail = format!("no JSON object: `{}`", excerpt(body));
    Malformed::new(Reason::Unreadable, detail)
}

/// Returns the body as text, where it is one that may be read.
pub(super) fn text_of(body: &[u8]) -> Option<&str> {
    if body.len() > PAYLOAD_MAX { None } else { str::from_utf8(body).ok() }
}

/// A member of the body that should be text.
#[derive(Default)]
enum Field<'a> {
    #[default]
    Absent,
    Null,
    Text(Cow<'a, str>),
    Other,
}

impl<'a> Field<'a> {
    const fn of_cell(text: &'a str) -> Self {
        if text.is_empty() { Self::Absent } else { Self::Text(Cow::Borrowed(text)) }
    }

    fn text(self) -> Option<Cow<'a, str>> {
        match self {
            Self::Text(text) => Some(text),
            Self::Absent | Self::Null | Self::Other => None,
        }
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Notice<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(NoticeVisitor)
    }
}

/// A visitor of our own, because the derived one refuses a key that comes twice.
struct NoticeVisitor;

impl<'de> Visitor<'de> for NoticeVisitor {
    type Value = Notice<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Self::Value, A::Error> {
        let mut notice = Notice::default();
        while let Some(key) = members.next_key()? {
            match key {
                Key::Client => notice.client = members.next_value()?,
                Key::Event => notice.event = members.next_value()?,
                Key::Channel => notice.channel = members.next_value()?,
                Key::Address => notice.address = members.next_value()?,
                Key::Time => notice.time = Some(members.next_value::<&RawValue>()?.get()),
                Key::Other => {
                    members.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(notice)
    }
}

#[derive(Deserialize)]
#[serde(field_identifier)]
enum Key {
    #[serde(rename = "clientId")]
    Client,
    #[serde(rename = "eventType")]
    Event,
    #[serde(rename = "channelId")]
    Channel,
    #[serde(rename = "clientIp")]
    Address,
    #[serde(rename = "time")]
    Time,
    #[serde(other)]
    Other,
}

impl<'de: 'a, 'a> Deserialize<'de> for Field<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(FieldVisitor)
    }
}

/// Takes any value, so that a number where text should be spoils only its own field.
struct FieldVisitor;

impl<'de> Visitor<'de> for FieldVisitor {
    type Value = Field<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Field::Text(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Field::Text(Cow::Owned(text.to_owned())))
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Field::Null)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
        Ok(Field::Other)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> {
        Ok(Field::Other)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Self::Value, E> {
        Ok(Field::Other)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
        Ok(Field::Other)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Field::Other)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Self::Value, A::Error> {
        while members.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Field::Other)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    const T: i64 = 1_760_000_000_000;

    fn message<'a>(body: &'a str, tag: Option<&'a str>) -> Message<'a> {
        Message {
            topic: "",
            payload: body.as_bytes(),
            tag,
            qos: 1,
            retain: false,
            received: Timestamp(T + 5),
            tie: 7,
        }
    }

    /// A whole notice, with some members replaced; `null` as a replacement stays `null`.
    fn notice(members: Value) -> String {
        let mut body = json!({
            "clientId": "g@@@dev-1", "eventType": "connect", "channelId": "ch-1",
            "time": T, "clientIp": "192.0.2.10:50412",
        });
        let Value::Object(members) = members else { panic!("members are an object") };
        body.as_object_mut().expect("an object").extend(members);
        body.to_string()
    }

    fn without(key: &str) -> String {
        let mut body: Value = serde_json::from_str(&notice(json!({}))).expect("valid");
        body.as_object_mut().expect("an object").remove(key);
        body.to_string()
    }

    fn event<'a>(body: &'a str, tag: Option<&'a str>) -> ChannelEvent<'a> {
        match Lmq.read(&message(body, tag)) {
            Reading::Events(Events {
                first: Some(Event::Channel(event)),
                second: None,
                remark: None,
                ..
            }) => event,
            other => panic!("{body}: {other:?}"),
        }
    }

    fn refusal<'a>(body: &'a str, tag: Option<&'a str>) -> Malformed<'a> {
        match Lmq.read(&message(body, tag)) {
            Reading::Malformed(malformed) => malformed,
            other => panic!("{body}: {other:?}"),
        }
    }

    #[test]
    fn a_plain_notice_is_read_whole_and_nothing_is_copied() {
        let body = notice(json!({"certificateChainSn": ["x"], "remark": {"a": 1}}));
        let event = event(&body, Some("connect"));
        assert_eq!(
            event,
            ChannelEvent {
                client: "g@@@dev-1".into(),
                channel: Channel::Strong("ch-1".into()),
                kind: EventKind::Opened,
                stamp: Some(Stamp { time: Timestamp(T), tie: 0, resolution: 0 }),
                address: "192.0.2.10:50412".into(),
                sequence: Cow::Borrowed(&[]),
                flags: Flags::NONE,
                standing: false,
            }
        );
        assert!(matches!(event.client, Cow::Borrowed(_)));
        assert!(matches!(event.channel, Channel::Strong(Cow::Borrowed(_))));
        assert!(matches!(event.address, Cow::Borrowed(_)));
    }

    /// Notices that were damaged at random, mostly in a way that leaves them readable.
    #[test]
    fn the_usual_shape_is_read_as_its_grammar_says_and_so_is_whatever_comes_near_it() {
        let usual = [
            r#"{"clientId":"g@@@dev-1","time":1760000000000,"eventType":"connect","channelId":"2b9b","clientIp":"192.0.2.10:50412"}"#,
            r#"{"time":1760000000,"eventType":"TcpClean","clientId":"größe","more":"x","n":12,"time":5}"#,
            r#"{"clientId":"","eventType":"heartbeat","channelId":"","clientIp":"","clientId":"b"}"#,
        ];
        let parts = [
            "\"",
            "\\",
            "{",
            "}",
            ",",
            ":",
            " ",
            "0",
            "7",
            "-",
            "null",
            "\t",
            "\u{1}",
            "é",
            "\u{7f}",
            "1.5",
            "[]",
            "\"\"",
            "\\u0041",
            r#","time":"#,
            r#","clientId":"x""#,
            r#","eventType":1"#,
        ];
        let (mut short, mut usual_ones, mut compared) = (0, 0, 0);
        for seed in 0..20_000 {
            let mut rng = fastrand::Rng::with_seed(seed);
            let mut body: Vec<char> = usual[rng.usize(..usual.len())].chars().collect();
            for _ in 0..rng.usize(..4) {
                let (one, other) = (rng.usize(..=body.len()), rng.usize(..=body.len()));
                let (from, to) = (one.min(other), one.max(other));
                match rng.u8(..4) {
                    0 => drop(body.drain(from..to.min(from + 1))),
                    1 => drop(body.splice(from..from, parts[rng.usize(..parts.len())].chars())),
                    2 => body.truncate(to),
                    _ => body.extend_from_within(from..to),
                }
            }
            let body: String = body.into_iter().collect();
            let read = Lmq.read(&message(&body, None));
            assert_eq!(read, Lmq.read_by_grammar(&message(&body, None)), "seed {seed}: {body}");
            let (end, others) = [("", ""), ("\n", ""), ("\r\n", "{"), ("\r", "")][rng.usize(..4)];
            let lines = [&*body, end, others].concat();
            if let Some((usual, rest)) = Lmq::read_usual_line(&lines) {
                let events = Events::one(Event::Channel(usual.event()));
                assert_eq!(read, Reading::Events(events), "seed {seed}: {body}");
                assert_eq!(rest, others, "seed {seed}: {body}");
                usual_ones += 1;
            }
            short += u32::from(fixed::read(&body).is_some());
            compared += 1;
        }
        assert!(usual_ones > short / 4 && usual_ones < short, "{usual_ones} of {short} are usual");
        assert!(
            short > compared / 4 && short < compared,
            "{short} of {compared} took the short cut"
        );
    }

    #[test]
    fn an_event_type_is_read_without_blanks_and_case() {
        for (word, kind) in [
            ("connect", EventKind::Opened),
            (" Connect\t", EventKind::Opened),
            ("disconnect", EventKind::Farewell),
            ("DISCONNECT", EventKind::Farewell),
            ("tcpclean", EventKind::Closed),
            (" TCPCLEAN ", EventKind::Closed),
        ] {
            assert_eq!(event(&notice(json!({"eventType": word})), None).kind, kind, "{word:?}");
        }
    }

    #[test]
    fn the_tag_stands_in_for_a_missing_type_and_disagrees_otherwise() {
        for (members, tag, kind, flags) in [
            (json!({"eventType": null}), "tcpclean", EventKind::Closed, Flags::NONE),
            (json!({"eventType": ""}), "connect", EventKind::Opened, Flags::NONE),
            (json!({"eventType": "  "}), " TcpClean ", EventKind::Closed, Flags::NONE),
            (json!({}), "CONNECT", EventKind::Opened, Flags::NONE),
            (json!({}), "tcpclean", EventKind::Opened, Flags::TAG_MISMATCH),
            (json!({}), "whatever", EventKind::Opened, Flags::TAG_MISMATCH),
            (json!({}), "", EventKind::Opened, Flags::NONE),
        ] {
            let body = notice(members);
            let event = event(&body, Some(tag));
            assert_eq!((event.kind, event.flags), (kind, flags), "{body} {tag:?}");
        }
        assert_eq!(event(&without("eventType"), Some("connect")).kind, EventKind::Opened);
    }

    #[test]
    fn an_unknown_type_flags_its_client_and_nothing_else() {
        for (members, tag) in [
            (json!({"eventType": "heartbeat"}), Some("connect")),
            (json!({"eventType": "con nect"}), None),
            (json!({"eventType": 5}), Some("connect")),
            (json!({"eventType": {"a": []}}), Some("connect")),
            (json!({"eventType": null}), None),
            (json!({"eventType": ""}), Some(" ")),
            (json!({"eventType": null}), Some("heartbeat")),
            (json!({"eventType": "heartbeat", "time": 0, "channelId": 1}), None),
        ] {
            let body = notice(members);
            let malformed = refusal(&body, tag);
            assert_eq!(malformed.reason, Reason::UnknownEvent, "{body}");
            let expected = Some(("g@@@dev-1".into(), Flags::UNKNOWN_EVENT));
            assert_eq!(malformed.client, expected, "{body}");
        }
    }

    #[test]
    fn a_notice_without_a_client_is_set_aside_before_its_type_is_looked_at() {
        let bodies = [json!(null), json!(""), json!(7), json!(true), json!(["a"]), json!({"a": 1})]
            .map(|client| notice(json!({"clientId": client, "eventType": "heartbeat"})));
        for body in bodies.iter().chain([&without("clientId"), &"{}".to_owned()]) {
            let malformed = refusal(body, None);
            assert_eq!(malformed.reason, Reason::ClientMissing, "{body}");
            assert_eq!(malformed.client, None, "{body}");
        }
    }

    #[test]
    fn what_is_no_object_is_unreadable() {
        let cut = notice(json!({}));
        let cut = cut.get(..cut.len() - 1).expect("ASCII");
        for body in [
            "",
            " ",
            "null",
            "5",
            "\"connect\"",
            "[]",
            "[1,2,3,4,5]",
            "{",
            cut,
            "{} {}",
            "\u{feff}{}",
            "{\"clientId\":\"\\ud800\"}",
            "{'clientId':'a'}",
        ] {
            assert_eq!(refusal(body, Some("connect")).reason, Reason::Unreadable, "{body}");
        }
        let not_utf8 = Message { payload: b"{\"clientId\":\"\xff\"}", ..message("", None) };
        assert!(matches!(
            Lmq.read(&not_utf8),
            Reading::Malformed(Malformed { reason: Reason::Unreadable, .. })
        ));
    }

    #[test]
    fn a_body_of_64_kib_is_read_and_a_longer_one_is_not() {
        let mut body = notice(json!({}));
        body.push_str(&" ".repeat(PAYLOAD_MAX - body.len()));
        assert_eq!(event(&body, None).client, "g@@@dev-1");
        body.push(' ');
        let malformed = refusal(&body, None);
        assert_eq!(malformed.reason, Reason::Unreadable);
        assert!(malformed.detail.contains("65537 bytes"), "{}", malformed.detail);
    }

    #[test]
    fn a_channel_without_a_name_is_told_by_its_address() {
        let weak = Channel::Weak(Some(Cow::Borrowed("addr:192.0.2.10:50412")));
        for channel in [json!(null), json!(""), json!(7), json!([])] {
            let body = notice(json!({"channelId": channel}));
            let event = event(&body, None);
            assert_eq!((event.channel, event.flags), (weak.clone(), Flags::CHANNEL_MISSING));
        }
        assert_eq!(event(&without("channelId"), None).channel, weak);
        for address in [json!(null), json!(""), json!(7)] {
            let body = notice(json!({"channelId": null, "clientIp": address}));
            let event = event(&body, None);
            assert_eq!((event.channel, event.flags), (Channel::Weak(None), Flags::CHANNEL_MISSING));
            assert_eq!(event.address, "");
        }
        // Opaque text: blanks are a name as good as any.
        assert_eq!(
            event(&notice(json!({"channelId": " "})), None).channel,
            Channel::Strong(" ".into())
        );
    }

    #[test]
    fn the_size_of_a_time_tells_its_unit() {
        for (time, expected, resolution) in [
            (json!(1), 1000, 1000),
            (json!(1_212_121_212), 1_212_121_212_000, 1000),
            (json!(99_999_999_999_i64), 99_999_999_999_000, 1000),
            (json!(100_000_000_000_i64), 100_000_000_000, 0),
            (json!(99_999_999_999_999_i64), 99_999_999_999_999, 0),
            (json!(100_000_000_000_000_i64), 100_000_000_000, 0),
            (json!(1_700_000_000_000_123_i64), 1_700_000_000_000, 0),
            (json!(99_999_999_999_999_999_i64), 99_999_999_999_999, 0),
            (json!(100_000_000_000_000_000_i64), 100_000_000_000, 0),
            (json!(1_700_000_000_000_123_456_i64), 1_700_000_000_000, 0),
            (json!(9_000_000_000_000_000_000_i64), 9_000_000_000_000, 0),
            (json!("1700000000000"), 1_700_000_000_000, 0),
            (json!(" +1700000000\n"), 1_700_000_000_000, 1000),
            (json!("00000001700000000000"), 1_700_000_000_000, 0),
        ] {
            let body = notice(json!({"time": time}));
            let event = event(&body, None);
            let stamp = Stamp { time: Timestamp(expected), tie: 0, resolution };
            assert_eq!(event.stamp, Some(stamp), "{time}");
            let flag = if resolution == 0 { Flags::NONE } else { Flags::TIME_IN_SECONDS };
            assert_eq!(event.flags, flag, "{time}");
        }
    }

    #[test]
    fn an_unusable_time_leaves_the_event_without_one() {
        for time in [
            "0",
            "-5",
            "-0",
            "1700000000000.5",
            "1700000000000.0",
            "17e11",
            "1E400",
            "true",
            "[1]",
            "{\"a\":1}",
            "9000000000000000001",
            "99999999999999999999",
            "1111111111111111111111111111111111111111",
            "\"\"",
            "\" \"",
            "\"+\"",
            "\"-1700000000000\"",
            "\"yesterday\"",
            "\"1 700\"",
            "\"0\"",
            "\"000000001700000000000\"",
            "\"1.7e12\"",
            "\"\\ud800\"",
            "\"null\"",
        ] {
            let body = format!(
                "{{\"clientId\":\"a\",\"eventType\":\"connect\",\"channelId\":\"c\",\"time\":{time}}}"
            );
            let event = event(&body, None);
            assert_eq!((event.stamp, event.flags), (None, Flags::TIME_INVALID), "{time}");
        }
        for body in [without("time"), notice(json!({"time": null}))] {
            let event = event(&body, None);
            assert_eq!((event.stamp, event.flags), (None, Flags::TIME_MISSING), "{body}");
        }
    }

    #[test]
    fn escapes_are_resolved() {
        let body = r#"{"client\u0049d":"a\"\u00e4","eventType":"\u0063onnect","channelId":"c\\d",
            "time":"\u00317\u00300000000000","clientIp":"\u0031"}"#;
        let event = event(body, None);
        assert_eq!(event.client, "a\"ä");
        assert_eq!(event.channel, Channel::Strong("c\\d".into()));
        assert_eq!(event.stamp.map(|stamp| stamp.time), Some(Timestamp(1_700_000_000_000)));
        assert_eq!(event.address, "1");
    }

    #[test]
    fn of_a_key_that_comes_twice_the_last_one_counts() {
        let twice = r#"{"clientId":"a","clientId":"b","eventType":"x","eventType":"connect","time":0,"time":1700000000000,"channelId":"c","channelId":null}"#;
        let event = event(twice, None);
        assert_eq!(event.client, "b");
        assert_eq!((event.kind, event.channel), (EventKind::Opened, Channel::Weak(None)));
        assert_eq!(event.flags, Flags::CHANNEL_MISSING);
        let gone = r#"{"clientId":"a","clientId":null,"eventType":"connect"}"#;
        assert_eq!(refusal(gone, None).reason, Reason::ClientMissing);
    }

    #[test]
    fn length_is_counted_in_code_points_and_never_cut() {
        for (client, flags) in [
            ("ä".repeat(64), Flags::NONE),
            ("ä".repeat(65), Flags::CLIENT_ID_TOO_LONG),
            ("x".repeat(1000), Flags::CLIENT_ID_TOO_LONG),
        ] {
            let body = notice(json!({"clientId": client}));
            let event = event(&body, None);
            assert_eq!((event.client.as_ref(), event.flags), (client.as_str(), flags));
        }
    }

    #[test]
    fn a_client_id_is_opaque() {
        for client in [" a ", "A", "@@@", "a@@@b@@@c", "\u{0}", "设备"] {
            assert_eq!(event(&notice(json!({"clientId": client})), None).client, client);
        }
    }

    #[test]
    fn several_oddities_are_all_flagged() {
        let body = notice(json!({"channelId": null, "time": 1, "clientId": "x".repeat(65)}));
        let flags = event(&body, Some("tcpclean")).flags;
        let codes: Vec<_> = flags.codes().collect();
        assert_eq!(
            codes,
            ["channel-missing", "client-id-too-long", "tag-mismatch", "time-in-seconds"]
        );
    }

    #[test]
    fn which_client_a_notice_is_about_is_told_by_its_beginning() {
        let body = br#"{"clientId":"GID_x@@@pump-7","time":1760000000123}"#;
        assert_eq!(Lmq::client_of(body), Some("GID_x@@@pump-7"));
        let long = format!(r#"{{"clientId":"{}"}}"#, "x".repeat(65));
        let others: [&[u8]; 4] =
            [br#"{"time":1,"clientId":"a"}"#, br#"{"clientId":"a"#, b"", long.as_bytes()];
        for other in others {
            assert_eq!(Lmq::client_of(other), None, "{}", String::from_utf8_lossy(other));
        }
    }
}
