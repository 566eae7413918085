//! Ways of speaking about clients: bytes go in, events in our own words come out.
//!
//! One file a dialect. A dialect is pure but for what it must remember of its own source (a take-over
//! that was announced a line ago); it reads no clock, opens nothing and prints nothing. Topics and
//! payloads come from strangers: every length is bounded and no bytes make reading panic.

mod activemq;
mod aedes;
mod alibaba_iot;
mod aliyun_trace;
mod artemis;
mod aws_iot;
mod azure_eventgrid;
mod azure_iothub;
mod bifromq;
mod connection_state;
mod connections;
pub mod csv;
pub mod described;
mod dialects;
mod emqx;
mod emqx_rule;
pub mod envelope;
mod erlang;
mod eventgrid;
pub mod facts;
mod flashmq;
mod hivemq;
mod huawei;
pub mod lmq;
mod local;
mod members;
mod mochi;
mod moquette;
pub mod mosquitto;
mod nanomq;
mod nanomq_webhook;
mod nats;
pub mod plain;
mod pointer;
mod rabbitmq;
mod rabbitmq_log;
mod rmqtt;
mod scan;
mod solace;
mod sparkplug;
mod starts;
pub mod status;
mod sys_clients;
mod tencent;
mod tencent_history;
mod tencent_iothub;
pub mod terms;
pub mod topic;
mod vernemq;

pub use dialects::{Dialect, Dialects, Sniffed, claims, file_names, sniff};

use crate::event::{Event, Flags, Stamp, Timestamp};
use std::borrow::Cow;

/// One message as it came off the wire, or one line of a file.
#[derive(Clone, Copy, Debug)]
pub struct Message<'a> {
    /// Empty for a line of a file.
    pub topic: &'a str,
    pub payload: &'a [u8],
    /// The tag of a queue's message, where the transport has one.
    pub tag: Option<&'a str>,
    pub qos: u8,
    pub retain: bool,
    /// Arrival at the first observer, on its clock; for a plain file the start of the run.
    pub received: Timestamp,
    /// Place in the order of arrival, or the number of the line. Grows without ever starting again.
    pub tie: u64,
}

impl Message<'_> {
    /// Returns the stamp of an event in a dialect that has none of its own.
    #[must_use]
    pub const fn arrival(&self) -> Stamp {
        Stamp { time: self.received, tie: self.tie, resolution: 0 }
    }
}

/// What a dialect makes of a message. "Not my topic" and "I failed to read it" are different facts,
/// and the second one is counted and shown.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::large_enum_variant, reason = "made and taken apart once a message, never stored")]
pub enum Reading<'a> {
    /// Understood. Holds no event where the message says nothing about presence.
    Events(Events<'a>),
    NotMine,
    Malformed(Malformed<'a>),
}

impl Reading<'_> {
    /// Returns the reading apart from the message.
    #[must_use]
    pub fn into_owned(self) -> Reading<'static> {
        match self {
            Self::Events(Events { first, second, more, remark }) => Reading::Events(Events {
                first: first.map(Event::into_owned),
                second: second.map(Event::into_owned),
                more: more.into_iter().map(Event::into_owned).collect(),
                remark,
            }),
            Self::NotMine => Reading::NotMine,
            Self::Malformed(Malformed { reason, client, detail }) => {
                let client = client.map(|(client, flags)| (Cow::Owned(client.into_owned()), flags));
                Reading::Malformed(Malformed { reason, client, detail })
            }
        }
    }
}

/// What was understood: no event, one, or two ("left with a goodbye" is a farewell and a close), rarely more.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Events<'a> {
    pub first: Option<Event<'a>>,
    pub second: Option<Event<'a>>,
    /// What one message says of many clients: the end of a gateway ends what is behind it.
    pub more: Vec<Event<'a>>,
    /// Something that changes no record, but that a user wants to see counted.
    pub remark: Option<Remark>,
}

impl<'a> Events<'a> {
    #[must_use]
    pub fn one(event: Event<'a>) -> Self {
        Self { first: Some(event), ..Self::default() }
    }

    #[must_use]
    pub fn two(first: Event<'a>, second: Event<'a>) -> Self {
        Self { first: Some(first), second: Some(second), ..Self::default() }
    }

    #[must_use]
    pub fn only(remark: Remark) -> Self {
        Self { remark: Some(remark), ..Self::default() }
    }

    /// Adds an event of which the same message tells.
    pub fn push(&mut self, event: Event<'a>) {
        match (&self.first, &self.second) {
            (None, _) => self.first = Some(event),
            (_, None) => self.second = Some(event),
            _ => self.more.push(event),
        }
    }

    pub fn iter(&self) -> impl Iterator<Item = &Event<'a>> {
        self.first.iter().chain(self.second.iter()).chain(&self.more)
    }
}

/// Facts beside the events, counted for display.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Remark {
    /// A newer connection took the place of an older one, and nothing names either of them.
    TakeOver,
    /// Somebody was refused under this client id; whoever holds it is not concerned.
    Refused,
    /// The late end of a connection that was taken over, told from the end of the newer one.
    LateEnd,
    /// The end of a connection of which nobody heard that it began: whose it was, nobody can tell.
    UnknownEnd,
    /// The evidence itself was taken away (an empty retained message); nothing ended.
    Cleared,
}

/// A message that was set aside. It changes no record and is counted once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Malformed<'a> {
    pub reason: Reason,
    /// The client concerned, where it could be read, and what that client is flagged with.
    pub client: Option<(Cow<'a, str>, Flags)>,
    /// What was found, for a person: at most a line, not yet sanitised.
    pub detail: String,
}

impl Malformed<'_> {
    #[must_use]
    pub fn new(reason: Reason, detail: impl Into<String>) -> Self {
        Self { reason, client: None, detail: detail.into() }
    }

    /// Returns the refusal of a payload beyond `PAYLOAD_MAX`.
    fn too_long(payload: &[u8]) -> Self {
        let detail = format!("{} bytes, of which at most {PAYLOAD_MAX} are read", payload.len());
        Self::new(Reason::Unreadable, detail)
    }
}

/// Why a message was set aside.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    Unreadable,
    ClientMissing,
    UnknownEvent,
    /// A stamp in local time, and nobody said which zone.
    ZoneMissing,
    /// Two dialects understand it, and it may mean something else to each.
    Ambiguous,
}

impl Reason {
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Unreadable => "unreadable",
            Self::ClientMissing => "client-missing",
            Self::UnknownEvent => "unknown-event",
            Self::ZoneMissing => "zone-missing",
            Self::Ambiguous => "ambiguous",
        }
    }
}

/// Longest payload that is read, in bytes. No notice and no line of a log comes near it.
pub const PAYLOAD_MAX: usize = 64 * 1024;

/// Returns a line of a log as text, without its end.
fn line_of(payload: &[u8]) -> Result<&str, Malformed<'static>> {
    if payload.len() > PAYLOAD_MAX {
        return Err(Malformed::too_long(payload));
    }
    let text = str::from_utf8(payload).map_err(|_| {
        Malformed::new(Reason::Unreadable, format!("not UTF-8: `{}`", excerpt(payload)))
    })?;
    Ok(text.trim_end_matches(['\r', '\n']))
}

/// Returns what fits a line of a report.
fn excerpt(bytes: &[u8]) -> String {
    let head = bytes.get(..4 * EXCERPT_MAX).unwrap_or(bytes);
    let text = String::from_utf8_lossy(head);
    let quoted: String = text.chars().take(EXCERPT_MAX).collect();
    if quoted.len() < text.len() { quoted + "…" } else { quoted }
}

/// Returns the text without ASCII white space around it.
fn trimmed(text: &str) -> &str {
    text.trim_matches(|c: char| c.is_ascii_whitespace())
}

/// Characters of a payload that are quoted.
const EXCERPT_MAX: usize = 80;
