//! A change of verdict, and what brought it about.

use super::verdict::{Status, Verdict};
use crate::event::{EventKind, Timestamp};

/// A change of verdict.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The stamp of the event that caused it; a grace that ran out: that moment; else the arrival.
    pub at: Timestamp,
    pub from: Status,
    pub cause: Cause,
    /// What is believed from now on.
    pub verdict: Verdict,
    /// For how long it was held back until it was told; `None` if it was not.
    pub held_ms: Option<i64>,
}

/// What brought a change about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    Connect,
    Disconnect,
    Tcpclean,
    Seen,
    Restart,
    Grace,
    Answer,
    /// Nobody listens any more, or something may have been lost.
    Gap,
    /// Somebody listens again, and nothing was lost.
    Covered,
}

impl Cause {
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Connect => "connect",
            Self::Disconnect => "disconnect",
            Self::Tcpclean => "tcpclean",
            Self::Seen => "seen",
            Self::Restart => "restart",
            Self::Grace => "grace",
            Self::Answer => "answer",
            Self::Gap => "gap",
            Self::Covered => "covered",
        }
    }

    pub(super) const fn of(kind: EventKind) -> Self {
        match kind {
            EventKind::Opened => Self::Connect,
            EventKind::Seen => Self::Seen,
            EventKind::Farewell => Self::Disconnect,
            EventKind::Closed => Self::Tcpclean,
        }
    }

    /// Returns what most likely led to a status, where the event itself was not heard.
    pub(super) const fn of_status(status: Status) -> Self {
        match status {
            Status::Online => Self::Connect,
            Status::Closing => Self::Disconnect,
            Status::Offline => Self::Tcpclean,
            Status::Unknown | Status::Suspect => Self::Seen,
        }
    }
}
