//! One line of a recording.

use super::known::KnownClient;
use crate::dialect::terms::Terms;
use crate::event::{ChannelEvent, Stamp, Timestamp};
use crate::state::answer;
use crate::state::coverage::{Hole, Member, SourceKey};
use crate::state::policy::Policy;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::collections::BTreeMap;

/// What a line of a recording says. Lines of a type that is not known are left out, and counted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Line<'a> {
    /// A watcher begins; what follows, up to the next heading, was heard by it.
    #[serde(borrow)]
    Recording(Box<Heading<'a>>),
    /// A message as it came off the wire.
    #[serde(borrow)]
    Message(MessageLine<'a>),
    /// What an API answered about a client.
    #[serde(borrow)]
    Answer(AnswerLine<'a>),
    /// What was known about a client before.
    Client(KnownClient),
    /// The state of a source: written when it changes.
    Source(SourceLine),
    /// A start of the broker, known from before.
    Restart(RestartLine),
    /// The moment at which the watcher last judged: that of its end.
    Judged(JudgedLine),
}

/// Who listens to what, and how it judges.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Heading<'a> {
    pub version: u32,
    #[serde(borrow)]
    pub instance: Cow<'a, str>,
    /// The ear of the sources, but for those that are shared: the watcher's client id.
    #[serde(borrow)]
    pub ear: Cow<'a, str>,
    pub member: Cow<'a, str>,
    /// The ears of voices that are heard together with others.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub shared: BTreeMap<String, String>,
    pub begun_ms: i64,
    pub tool: Cow<'a, str>,
    pub policy: Policy,
    pub reading: Terms,
}

/// A message. The payload is text where it is UTF-8, else Base64.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageLine<'a> {
    /// Arrival at the first observer, on its clock.
    pub received_ms: i64,
    pub tie: u64,
    /// Which broker, where one file holds several; else that of the heading.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub instance: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pub topic: Cow<'a, str>,
    /// The tag of a queue's message.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub tag: Option<Cow<'a, str>>,
    pub qos: u8,
    pub retain: bool,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub payload: Option<Cow<'a, str>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub payload_b64: Option<Cow<'a, str>>,
}

impl<'a> MessageLine<'a> {
    #[must_use]
    pub fn new(topic: &'a str, payload: &'a [u8]) -> Self {
        let text = std::str::from_utf8(payload).ok();
        Self {
            received_ms: 0,
            tie: 0,
            instance: None,
            topic: Cow::Borrowed(topic),
            tag: None,
            qos: 0,
            retain: false,
            payload: text.map(Cow::Borrowed),
            payload_b64: text.is_none().then(|| Cow::Owned(BASE64.encode(payload))),
        }
    }

    /// Returns the bytes of the payload, `None` if the line holds none, or broken Base64.
    #[must_use]
    pub fn bytes(&self) -> Option<Cow<'_, [u8]>> {
        match (&self.payload, &self.payload_b64) {
            (Some(text), _) => Some(Cow::Borrowed(text.as_bytes())),
            (None, Some(encoded)) => BASE64.decode(encoded.as_bytes()).ok().map(Cow::Owned),
            (None, None) => None,
        }
    }
}

/// An answer of the broker, as the watcher took it in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AnswerLine<'a> {
    /// Arrival, on the watcher's clock.
    pub received_ms: i64,
    pub tie: u64,
    #[serde(borrow)]
    pub instance: Cow<'a, str>,
    /// Who answered.
    #[serde(borrow)]
    pub source: Cow<'a, str>,
    #[serde(borrow)]
    pub client: Cow<'a, str>,
    pub online: bool,
    /// When it was asked, on the watcher's clock.
    pub asked_ms: i64,
    #[serde(borrow, default, skip_serializing_if = "str_is_empty")]
    pub address: Cow<'a, str>,
    /// Nobody listened who would hear that it is no longer so: it counts for a few seconds.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub passing: bool,
}

fn str_is_empty(text: &str) -> bool {
    text.is_empty()
}

impl AnswerLine<'_> {
    /// Returns the answer as it is kept.
    #[must_use]
    pub fn event(&self) -> ChannelEvent<'_> {
        let stamp = Stamp { time: Timestamp(self.asked_ms), tie: self.tie, resolution: 0 };
        let mut event = answer::kept(&self.client, self.online, stamp);
        event.address = Cow::Borrowed(&self.address);
        event
    }
}

/// The account of one listener (`coverage`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceLine {
    pub instance: String,
    pub voice: String,
    pub ear: String,
    pub member: String,
    pub epoch: u64,
    pub began_ms: i64,
    pub heard_ms: i64,
    pub patience_ms: i64,
    #[serde(default)]
    pub lossy: bool,
    #[serde(default)]
    pub left: bool,
    #[serde(default)]
    pub holes: Vec<HoleLine>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HoleLine {
    pub epoch: u64,
    pub from_ms: i64,
    pub to_ms: i64,
}

impl SourceLine {
    #[must_use]
    pub fn new(instance: &str, key: &SourceKey, name: &str, member: &Member) -> Self {
        let hole =
            |hole: &Hole| HoleLine { epoch: hole.epoch, from_ms: hole.from.0, to_ms: hole.to.0 };
        Self {
            instance: instance.to_owned(),
            voice: key.voice.clone(),
            ear: key.ear.clone(),
            member: name.to_owned(),
            epoch: member.epoch,
            began_ms: member.began.0,
            heard_ms: member.heard.0,
            patience_ms: member.patience_ms,
            lossy: member.lossy,
            left: member.left,
            holes: member.holes.iter().map(hole).collect(),
        }
    }

    #[must_use]
    pub fn key(&self) -> SourceKey {
        SourceKey { voice: self.voice.clone(), ear: self.ear.clone() }
    }

    /// Returns the account, `None` if no listener could have come to it.
    #[must_use]
    pub fn account(&self) -> Option<Member> {
        let hole = |hole: &HoleLine| Hole {
            epoch: hole.epoch,
            from: Timestamp(hole.from_ms),
            to: Timestamp(hole.to_ms),
        };
        // The epochs of a group are added up, and what is added up must not overflow.
        let is_possible = self.epoch <= EPOCH_MAX && self.patience_ms <= PATIENCE_MAX_MS;
        is_possible.then(|| Member {
            epoch: self.epoch,
            began: Timestamp(self.began_ms),
            heard: Timestamp(self.heard_ms),
            patience_ms: self.patience_ms,
            lossy: self.lossy,
            left: self.left,
            holes: self.holes.iter().map(hole).collect(),
        })
    }
}

/// More epochs than a listener can live through, one a millisecond.
const EPOCH_MAX: u64 = 1 << 40;
/// The patience with the longest keep alive of MQTT, and some.
const PATIENCE_MAX_MS: i64 = 10 * 65_535_000;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RestartLine {
    pub instance: String,
    pub time_ms: i64,
    #[serde(default)]
    pub tie: u64,
    #[serde(default)]
    pub resolution_ms: u32,
}

impl RestartLine {
    #[must_use]
    pub fn new(instance: &str, stamp: Stamp) -> Self {
        Self {
            instance: instance.to_owned(),
            time_ms: stamp.time.0,
            tie: stamp.tie,
            resolution_ms: stamp.resolution,
        }
    }

    #[must_use]
    pub const fn stamp(&self) -> Stamp {
        Stamp { time: Timestamp(self.time_ms), tie: self.tie, resolution: self.resolution_ms }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct JudgedLine {
    pub instance: String,
    pub now_ms: i64,
}
