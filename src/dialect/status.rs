//! Status topics: what a device, its will or a gateway keeps under a topic of its own.
//!
//! It believes the words it was told to expect and no others. There is no stamp and no name of a
//! connection in such a message, so an event is dated by its arrival and the latest one wins.

use super::pointer::{Json, Wanted};
use super::topic::Template;
use super::{Events, Malformed, Message, PAYLOAD_MAX, Reading, Reason, Remark, excerpt, trimmed};
use crate::event::{Channel, ChannelEvent, Event, EventKind, Flags};
use std::borrow::Cow;

/// The reader of one family of status topics.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    pub template: Template,
    pub words: Words,
}

/// What a status message says, in the devices' own words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Words {
    /// Compared without ASCII blanks around them and without ASCII case.
    pub online: Vec<String>,
    pub offline: Vec<String>,
    /// Where the word stands in a payload that is JSON (RFC 6901).
    pub pointer: Option<String>,
}

impl Default for Words {
    fn default() -> Self {
        Self {
            online: vec!["online".to_owned()],
            offline: vec!["offline".to_owned()],
            pointer: None,
        }
    }
}

impl Words {
    fn kind(&self, word: &str) -> Option<EventKind> {
        let word = trimmed(word);
        let is_among =
            |words: &[String]| words.iter().any(|known| trimmed(known).eq_ignore_ascii_case(word));
        if is_among(&self.online) {
            Some(EventKind::Opened)
        } else if is_among(&self.offline) {
            Some(EventKind::Closed)
        } else {
            None
        }
    }
}

impl Status {
    pub const NAME: &str = "status";
    pub const AUTHORITY: u8 = 4;

    /// Reads one status message.
    ///
    /// Shape: a topic of the template, the payload a word or JSON that holds one. No channel is
    /// named: one nameless channel a client. An empty payload takes the retained word away.
    /// Units: none; the arrival is the stamp, and the place in the order of arrival tells equal ones
    /// apart.
    /// Errors: `Malformed` for a payload that is no text (or no JSON, with a pointer), and for a
    /// word that nobody announced. It names the client and flags it with nothing.
    /// Source: `docs/dialects.md`, status. What fits no template is described in a file (`described`).
    #[must_use]
    pub fn read<'a>(&self, message: &Message<'a>) -> Reading<'a> {
        let Some(client) = self.template.client(message.topic) else {
            return Reading::NotMine;
        };
        if message.payload.is_empty() {
            return Reading::Events(Events::only(Remark::Cleared));
        }
        let set_aside = |malformed: Malformed<'a>| {
            let client = Some((Cow::Borrowed(client), Flags::NONE));
            Reading::Malformed(Malformed { client, ..malformed })
        };
        let word = match self.word(message.payload) {
            Ok(word) => word,
            Err(malformed) => return set_aside(malformed),
        };
        let Some(kind) = self.words.kind(&word) else {
            let detail = format!("status `{}`", excerpt(word.as_bytes()));
            return set_aside(Malformed::new(Reason::UnknownEvent, detail));
        };
        let mut event =
            ChannelEvent::new(client, Channel::Weak(None), kind, Some(message.arrival()));
        event.standing = message.retain;
        Reading::Events(Events::one(Event::Channel(event)))
    }

    fn word<'a>(&self, payload: &'a [u8]) -> Result<Cow<'a, str>, Malformed<'static>> {
        if payload.len() > PAYLOAD_MAX {
            return Err(Malformed::too_long(payload));
        }
        let unreadable = |what: &str| {
            let detail = format!("{what}: `{}`", excerpt(payload));
            Malformed::new(Reason::Unreadable, detail)
        };
        let text = str::from_utf8(payload).map_err(|_| unreadable("not UTF-8"))?;
        let Some(pointer) = &self.words.pointer else {
            return Ok(Cow::Borrowed(text));
        };
        let wanted = Wanted::default();
        let json = Json::of(text, &wanted);
        json.at(pointer).ok_or_else(|| {
            if !json.is_json() {
                return unreadable("not JSON");
            }
            let detail = format!("no word at `{pointer}` in `{}`", excerpt(payload));
            Malformed::new(Reason::UnknownEvent, detail)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Stamp, Timestamp};

    const RECEIVED: Timestamp = Timestamp(1_760_000_000_123);

    fn message<'a>(topic: &'a str, payload: &'a [u8]) -> Message<'a> {
        let (qos, retain, tie) = (1, false, 42);
        Message { topic, payload, tag: None, qos, retain, received: RECEIVED, tie }
    }

    fn status(pointer: Option<&str>) -> Status {
        let template = Template::parse("devices/{client}/status").expect("valid");
        let words = Words { pointer: pointer.map(str::to_owned), ..Words::default() };
        Status { template, words }
    }

    fn kind(status: &Status, payload: &[u8]) -> Option<EventKind> {
        match status.read(&message("devices/dev-1/status", payload)) {
            Reading::Events(Events { first: Some(Event::Channel(event)), .. }) => Some(event.kind),
            _ => None,
        }
    }

    fn reason(status: &Status, payload: &[u8]) -> Option<Reason> {
        match status.read(&message("devices/dev-1/status", payload)) {
            Reading::Malformed(Malformed { reason, client, .. }) => {
                assert_eq!(client, Some(("dev-1".into(), Flags::NONE)));
                Some(reason)
            }
            _ => None,
        }
    }

    #[test]
    fn a_word_is_dated_by_its_arrival_on_the_nameless_channel() {
        let stamp = Some(Stamp { time: RECEIVED, tie: 42, resolution: 0 });
        for (payload, retain, kind) in [
            ("online", false, EventKind::Opened),
            ("offline", false, EventKind::Closed),
            ("online", true, EventKind::Opened),
            (" OnLine\r\n", true, EventKind::Opened),
        ] {
            let message = Message { retain, ..message("devices/dev-1/status", payload.as_bytes()) };
            let mut expected = ChannelEvent::new("dev-1", Channel::Weak(None), kind, stamp);
            expected.standing = retain;
            assert_eq!(
                status(None).read(&message),
                Reading::Events(Events::one(Event::Channel(expected))),
                "{payload:?}"
            );
        }
    }

    #[test]
    fn an_empty_payload_ends_nothing() {
        assert_eq!(
            status(None).read(&message("devices/dev-1/status", b"")),
            Reading::Events(Events::only(Remark::Cleared))
        );
    }

    #[test]
    fn other_topics_are_not_read() {
        for topic in ["", "devices/dev-1", "devices//status", "devices/a/b/status", "x/dev/status"]
        {
            assert_eq!(status(None).read(&message(topic, b"online")), Reading::NotMine, "{topic}");
        }
    }

    #[test]
    fn a_word_that_nobody_announced_is_no_end() {
        for payload in [&b"away"[..], b"onlin", b"online!", b" ", b"0", b"{\"state\":\"online\"}"] {
            assert_eq!(reason(&status(None), payload), Some(Reason::UnknownEvent), "{payload:?}");
        }
    }

    #[test]
    fn what_is_no_text_is_unreadable() {
        assert_eq!(reason(&status(None), b"\xff"), Some(Reason::Unreadable));
        assert_eq!(reason(&status(Some("/state")), b"online"), Some(Reason::Unreadable));
        assert_eq!(reason(&status(Some("/state")), b"\xff"), Some(Reason::Unreadable));
        assert_eq!(reason(&status(None), &vec![b' '; PAYLOAD_MAX + 1]), Some(Reason::Unreadable));
    }

    #[test]
    fn a_pointer_finds_the_word_in_json() {
        let at = |pointer| status(Some(pointer));
        let online = Some(EventKind::Opened);
        assert_eq!(kind(&at("/state"), br#"{"state":"Online"}"#), online);
        assert_eq!(kind(&at("/a/0/b~1c"), br#"{"a":[{"b/c":"online"}]}"#), online);
        assert_eq!(kind(&at(""), br#""offline""#), Some(EventKind::Closed));
        for payload in [
            &br#"{"state":null}"#[..],
            br#"{"state":[]}"#,
            br#"{"state":{}}"#,
            b"{}",
            b"[]",
            br#"{"state":"away"}"#,
        ] {
            assert_eq!(reason(&at("/state"), payload), Some(Reason::UnknownEvent), "{payload:?}");
        }
        let words = Words {
            online: vec!["true".to_owned(), "1".to_owned()],
            offline: vec!["false".to_owned(), "0".to_owned()],
            pointer: Some("/up".to_owned()),
        };
        let status = Status { words, ..status(None) };
        for (payload, expected) in [
            (&br#"{"up":true}"#[..], EventKind::Opened),
            (br#"{"up":1}"#, EventKind::Opened),
            (br#"{"up":"1"}"#, EventKind::Opened),
            (br#"{"up":false}"#, EventKind::Closed),
            (br#"{"up":0}"#, EventKind::Closed),
        ] {
            assert_eq!(kind(&status, payload), Some(expected), "{payload:?}");
        }
    }
}
