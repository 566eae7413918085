//! What a broker tells of clients that were made to come and go: judged from what was done and heard.
//!
//! A [`Trial`] holds what was done to throw-away clients, and every word that was heard of them;
//! [`judge`](judge::judge) makes [`Findings`](findings::Findings) of it. Nothing here reads a clock or a
//! network.

pub mod certificate;
pub mod findings;
pub mod judge;
pub mod limit;
pub mod refusal;
pub mod step;

use crate::event::EventKind;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// All that was done and heard. Times are those of one clock that never steps.
#[derive(Clone, Debug, Default)]
pub struct Trial {
    pub topics: Vec<Topic>,
    /// What the broker says it is (`$SYS/broker/version`).
    pub broker: Option<String>,
    /// CONNACK says that nothing is kept retained.
    pub keeps_nothing: bool,
    /// Why the broker lets no client in that has a will, if it does not.
    pub will_refused: Option<String>,
    /// Why the broker takes no message on the status topic, if it says so.
    pub publish_refused: Option<String>,
    /// Where the status of a client stands, with `{client}` in the place of its id.
    pub status_topic: String,
    pub done: Vec<Done>,
    pub reports: Vec<Report>,
    /// Messages about others.
    pub others: Vec<Heard>,
    /// Messages that no dialect could read.
    pub unread: Vec<Heard>,
    pub silences: Vec<Silence>,
    pub take_overs: Vec<TakenOver>,
    pub kept: Kept,
    /// The keep alive of the silent clients as the broker imposes it, in seconds; 0: none fell silent.
    pub keep_alive: u16,
    /// How long a silence was waited for.
    pub waited: Duration,
}

/// One filter that was asked for, and the answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Topic {
    pub dialect: String,
    pub filter: String,
    /// `granted`, `refused`, or `closed`: the broker ended the connection instead of an answer.
    pub answer: Answer,
    /// At most, where it was granted.
    pub qos: Option<u8>,
    /// In words, where it was not.
    pub reason: Option<String>,
    /// Messages about the clients of the probe.
    pub heard: u64,
    /// Messages about others.
    pub others: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Answer {
    Granted,
    Refused,
    Closed,
}

/// What is done to a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Deed {
    /// CONNECT, and a retained birth.
    Connect,
    /// DISCONNECT.
    Disconnect,
    /// The connection is closed without a goodbye.
    Fin,
    /// The connection is reset.
    Rst,
    /// The client connects again, with the first connection open.
    #[serde(rename = "takeover")]
    TakeOver,
    /// By that the first connection ends.
    TakenOver,
    /// The client says nothing any more, with the connection open.
    Silence,
}

impl Deed {
    pub const ALL: [Self; 7] = [
        Self::Connect,
        Self::Disconnect,
        Self::Fin,
        Self::Rst,
        Self::TakeOver,
        Self::TakenOver,
        Self::Silence,
    ];
    /// Those after which a client is gone, though it said no goodbye.
    pub const DROPS: [Self; 3] = [Self::Fin, Self::Rst, Self::Silence];
}

/// One thing that was done.
#[derive(Clone, Debug)]
pub struct Done {
    pub client: String,
    pub deed: Deed,
    /// For a silence, when the last packet was sent.
    pub at: Duration,
    /// What is told of the client from then on is about something else.
    pub until: Duration,
}

/// How much was heard at a filter of a dialect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heard {
    pub dialect: &'static str,
    pub filter: String,
    pub messages: u64,
}

/// One message about a client of ours.
#[derive(Clone, Debug)]
pub struct Report {
    pub dialect: &'static str,
    /// At which filter of the dialect it came.
    pub filter: String,
    pub client: String,
    /// What it says; empty where it only speaks of the client.
    pub kinds: Vec<EventKind>,
    /// It says that the client was taken over.
    pub is_take_over: bool,
    /// It names the connection so that no other has the name.
    pub is_strong: bool,
    /// Its stamp, in ms: 0, or 1000 for whole seconds; `None` without a stamp.
    pub resolution: Option<u32>,
    pub at: Duration,
    pub qos: u8,
    pub retain: bool,
}

/// A client that fell silent.
#[derive(Clone, Debug)]
pub struct Silence {
    pub client: String,
    /// From its last packet to the end of its connection; `None`: the broker let it stand.
    pub closed_after: Option<Duration>,
}

/// A client that connected again with its connection open.
#[derive(Clone, Debug)]
pub struct TakenOver {
    pub client: String,
    pub old: OldEnd,
}

/// What becomes of the older connection at a take-over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OldEnd {
    /// It is told by a DISCONNECT.
    Told,
    Closed,
    LeftOpen,
}

/// What is delivered to someone who subscribes later.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Kept {
    /// Births and wills that should be there.
    pub due: u64,
    /// That are, for the very topic.
    pub exact: u64,
    /// Of those, with the retain flag.
    pub flagged: u64,
    /// That are for a filter with a wildcard; `None`: not tried.
    pub wildcard: Option<u64>,
}
