//! What fools a rule.

use super::rule::{Belief, Rule};
use crate::event::{EventKind, Timestamp};
use crate::state::change::Cause;

/// Why a rule began to be wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reason {
    /// The end of another connection than the one that stands.
    ForeignEnd,
    /// An end that is older than the connection that stands.
    OldEnd,
    /// A goodbye, while the end of the transport is still to come.
    Goodbye,
    /// A connect that it does not take for one.
    MissedConnect,
    /// A connect that was told before, of a connection that has ended since.
    RepeatedConnect,
    /// A connect that arrived after the end of its connection.
    LateConnect,
    /// Another connection, the end of which was never told.
    Ghost,
    /// A goodbye that no end of a transport followed.
    EndlessGoodbye,
    /// A start of the broker, which ended all connections.
    Restart,
    /// It waits whether what it heard lasts.
    Waiting,
    /// Something else, mostly what it heard before somebody listened again.
    Other,
}

impl Reason {
    pub const ALL: [Self; 11] = [
        Self::ForeignEnd,
        Self::OldEnd,
        Self::Goodbye,
        Self::MissedConnect,
        Self::RepeatedConnect,
        Self::LateConnect,
        Self::Ghost,
        Self::EndlessGoodbye,
        Self::Restart,
        Self::Waiting,
        Self::Other,
    ];

    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::ForeignEnd => "foreign-end",
            Self::OldEnd => "old-end",
            Self::Goodbye => "goodbye",
            Self::MissedConnect => "missed-connect",
            Self::RepeatedConnect => "repeated-connect",
            Self::LateConnect => "late-connect",
            Self::Ghost => "ghost",
            Self::EndlessGoodbye => "endless-goodbye",
            Self::Restart => "restart",
            Self::Waiting => "waiting",
            Self::Other => "other",
        }
    }
}

/// What happened to a client last.
#[derive(Clone, Debug)]
pub(super) struct Happened {
    pub at: Timestamp,
    pub stamp: Option<Timestamp>,
    pub what: What,
    pub channel: Option<Box<str>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum What {
    Nothing,
    Event {
        kind: EventKind,
        is_news: bool,
    },
    /// Our verdict changed without an event.
    Change(Cause),
}

/// A time in which a rule was wrong, and what fooled it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Example {
    pub from: Timestamp,
    pub to: Timestamp,
    /// What it believed; the truth was the opposite.
    pub believed: bool,
    pub reason: Reason,
    /// When what fooled it arrived, and how it was stamped.
    pub arrived: Timestamp,
    pub stamp: Option<Timestamp>,
    /// The connection which that was about.
    pub channel: Option<Box<str>>,
    /// The connection that counts for us, or that the rule takes for open.
    pub other: Option<Box<str>>,
}

impl Example {
    #[must_use]
    pub const fn length_ms(&self) -> i64 {
        self.to.since(self.from)
    }
}

/// Returns what made a rule wrong that believes this, the opposite of what we do. `ours` is the connection
/// that our verdict names.
pub(super) fn reason(
    rule: Rule,
    believed: bool,
    happened: &Happened,
    ours: Option<&str>,
) -> Reason {
    if matches!(rule, Rule::Debounce(_)) {
        return Reason::Waiting;
    }
    match (believed, happened.what) {
        (true, What::Change(Cause::Grace)) => Reason::EndlessGoodbye,
        (true, What::Change(Cause::Restart)) => Reason::Restart,
        (true, What::Event { kind: EventKind::Opened, is_news: false }) => Reason::RepeatedConnect,
        (true, What::Event { kind: EventKind::Opened | EventKind::Seen, .. }) => {
            Reason::LateConnect
        }
        (true, What::Event { .. }) => Reason::Ghost,
        (false, What::Event { kind: EventKind::Opened | EventKind::Seen, .. }) => {
            Reason::MissedConnect
        }
        (false, What::Event { .. }) if happened.channel.as_deref() != ours => Reason::ForeignEnd,
        (false, What::Event { kind: EventKind::Farewell, .. }) => Reason::Goodbye,
        (false, What::Event { .. }) => Reason::OldEnd,
        (_, What::Nothing | What::Change(_)) => Reason::Other,
    }
}

/// Returns the connection to be named beside the one that the event was about.
pub(super) fn other(reason: Reason, belief: &Belief, ours: Option<&str>) -> Option<Box<str>> {
    match reason {
        Reason::Ghost => belief.open().map(Into::into),
        _ => ours.map(Into::into),
    }
}
