//! What a diagnosis says: one sentence about a client or a broker, as values.

use crate::event::Timestamp;
use crate::state::verdict::How;
use std::net::IpAddr;

/// What was found at one broker.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    pub phase: Phase,
    /// When it was found, on our clock.
    pub at: Timestamp,
    /// Since when it is so, by the stamps of the events where they have any.
    pub since: Timestamp,
    pub what: What,
}

/// Where a finding stands. One that lasts is told again at most once a minute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    Begins,
    GoesOn,
    Ends,
}

impl Phase {
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Begins => "begins",
            Self::GoesOn => "goes-on",
            Self::Ends => "ends",
        }
    }
}

/// What kind of finding it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Code {
    MassOutage,
    SharedId,
    Flapping,
    Ghosts,
    LostNotices,
    ClockOffset,
}

impl Code {
    pub const ALL: [Self; 6] = [
        Self::MassOutage,
        Self::SharedId,
        Self::Flapping,
        Self::Ghosts,
        Self::LostNotices,
        Self::ClockOffset,
    ];

    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::MassOutage => "mass-outage",
            Self::SharedId => "shared-id",
            Self::Flapping => "flapping",
            Self::Ghosts => "ghosts",
            Self::LostNotices => "lost-notices",
            Self::ClockOffset => "clock-offset",
        }
    }
}

/// What was found.
#[derive(Clone, Debug, PartialEq)]
pub enum What {
    SharedId(Sharing),
    Flapping {
        client: String,
        connections: u64,
        /// From the first of these connections to the last, ms.
        span_ms: i64,
    },
    MassOutage(Outage),
    /// Connections that were replaced, and whose end nobody ever reported.
    Ghosts(Crowd),
    /// Ends of connections whose beginning was not told, of clients that were followed before.
    LostNotices(Crowd),
    ClockOffset(Offset),
}

impl What {
    #[must_use]
    pub const fn code(&self) -> Code {
        match self {
            Self::SharedId(_) => Code::SharedId,
            Self::Flapping { .. } => Code::Flapping,
            Self::MassOutage(_) => Code::MassOutage,
            Self::Ghosts(_) => Code::Ghosts,
            Self::LostNotices(_) => Code::LostNotices,
            Self::ClockOffset(_) => Code::ClockOffset,
        }
    }

    /// Returns the client that this is about, `None` where it is about many.
    #[must_use]
    pub fn client(&self) -> Option<&str> {
        match self {
            Self::SharedId(sharing) => Some(&sharing.client),
            Self::Flapping { client, .. } => Some(client),
            _ => None,
        }
    }
}

/// Several users of one client id, who throw each other out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sharing {
    pub client: String,
    /// Where they connect from, without ports; the most frequent first, at most four.
    pub addresses: Vec<IpAddr>,
    /// There were more addresses than are named.
    pub more: bool,
    pub take_overs: u64,
    /// Mean time from one take-over to the next, ms; `None` with fewer than two.
    pub every_ms: Option<i64>,
}

/// Many clients that were lost at once.
#[derive(Clone, Debug, PartialEq)]
pub struct Outage {
    pub lost: usize,
    /// From the first end to the last, ms.
    pub within_ms: i64,
    /// Clients of the broker that stayed online.
    pub stayed: usize,
    /// Nearly all that were online were lost.
    pub everybody: bool,
    /// The broker said that it started anew.
    pub restart: bool,
    /// How most of the connections ended.
    pub how: Option<How>,
    /// Who told of ends without a goodbye: not all of them would have told one.
    pub abrupt_by: Vec<String>,
    /// What the lost have in common and the others have not, the most telling first.
    pub common: Vec<Factor>,
    /// How many of them are online again.
    pub back: usize,
    /// Since the first was lost, ms.
    pub after_ms: i64,
}

/// Something that most of the lost have in common.
#[derive(Clone, Debug, PartialEq)]
pub struct Factor {
    pub kind: FactorKind,
    pub value: String,
    /// How many of the lost have it, 0 to 1.
    pub of_lost: f64,
    /// How many of those that stayed have it, 0 to 1.
    pub of_stayed: f64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FactorKind {
    /// Text before the first `@@@` of the client id.
    Group,
    /// Beginning of the client id, up to a separator.
    Prefix,
    /// 24 bits of an IPv4 address, or 64 of an IPv6 one.
    Subnet,
    /// The dialect that tells of it.
    Voice,
}

impl FactorKind {
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Group => "group",
            Self::Prefix => "prefix",
            Self::Subnet => "subnet",
            Self::Voice => "voice",
        }
    }
}

/// Several cases of one kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Crowd {
    pub count: u64,
    /// The client of the first case.
    pub first: String,
}

/// What the stamps say about the broker's clock. One-way times cannot tell an offset from a delay:
/// these are bounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Offset {
    /// Notices arrive before they were stamped: the broker's clock is ahead by this or more, ms.
    Ahead { least_ms: i64, resolution_ms: u32 },
    /// Every notice seems this late: its clock is behind by up to that, or the notices are so late.
    BehindOrLate { least_ms: i64, resolution_ms: u32 },
}
