//! The answer: one word about a client, and what decided it.

use crate::event::Timestamp;
use compact_str::CompactString;

/// Whether a client is online.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Status {
    Online,
    /// A shade of online: has said goodbye, the end of the transport is pending.
    Closing,
    Offline,
    /// No evidence, or nobody was listening. No shade of offline.
    Unknown,
    /// Evidence disagrees.
    Suspect,
}

impl Status {
    pub const ALL: [Self; 5] =
        [Self::Online, Self::Closing, Self::Offline, Self::Unknown, Self::Suspect];

    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Online => "online",
            Self::Closing => "closing",
            Self::Offline => "offline",
            Self::Unknown => "unknown",
            Self::Suspect => "suspect",
        }
    }

    /// Returns the yes or no, `None` where neither can be said.
    #[must_use]
    pub const fn online(self) -> Option<bool> {
        match self {
            Self::Online | Self::Closing => Some(true),
            Self::Offline => Some(false),
            Self::Unknown | Self::Suspect => None,
        }
    }
}

/// How a channel ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    Graceful,
    TakenOver,
    /// The broker started anew.
    Restart,
    Abrupt,
    /// Nothing but inference says that it ended.
    Inferred,
}

impl How {
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Graceful => "graceful",
            Self::TakenOver => "taken-over",
            Self::Restart => "restart",
            Self::Abrupt => "abrupt",
            Self::Inferred => "inferred",
        }
    }
}

/// What is believed about one client of one instance.
///
/// Its texts are mostly short enough to need no memory of their own: verdicts are made in one thread
/// and dropped in another by the hundred thousand a second, and allocators are slow at that.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    pub client: CompactString,
    pub status: Status,
    /// Name of the channel named; `None` if there is none, or it is nameless.
    pub channel: Option<CompactString>,
    /// From where the channel named was opened, as the broker saw it.
    pub address: Option<CompactString>,
    /// Time of the observation that made it so, on the broker's clock.
    pub since: Option<Timestamp>,
    /// The dialect that decided.
    pub voice: Option<CompactString>,
    /// How the channel named ended; `None` while it lives.
    pub how: Option<How>,
    /// The transport end itself is missing.
    pub inferred: bool,
    /// Codes, sorted.
    pub anomalies: Vec<&'static str>,
    /// Someone was listening until now.
    pub covered: bool,
    /// What was believed while someone was listening, where nobody is now. Apart, because most verdicts have
    /// none and are moved often.
    pub last_known: Option<Box<LastKnown>>,
    /// When something about the client was last observed, and by which voice.
    pub last_heard: Option<(Timestamp, CompactString)>,
    /// When a grace runs out that could change the verdict without an event.
    pub next: Option<Timestamp>,
}

/// The verdict as it would be if someone had been listening until now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LastKnown {
    pub status: Status,
    pub channel: Option<CompactString>,
    pub since: Option<Timestamp>,
    /// Until when someone was listening, on the watcher's clock.
    pub until: Option<Timestamp>,
    pub blind: Blind,
}

/// Why a verdict is not covered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Blind {
    /// No listener ever heard of it in a way that is still accounted for.
    NeverListened,
    /// Nobody listens now; somebody did until then.
    SilentSince(Timestamp),
    /// Others of its group listen, but what this member holds goes unheard, since then.
    MemberSilent { member: Box<str>, since: Timestamp },
    /// Other queues of its topic are read, but nobody has read this one to its end since then, if ever.
    QueueUnread { queue: Box<str>, since: Option<Timestamp> },
    /// Somebody listens now, but something may have been lost in this hole, and nothing was heard of
    /// the client since.
    Away { from: Timestamp, to: Timestamp },
    /// The broker was asked then, and nobody would have heard that it is no longer so.
    Outdated(Timestamp),
}

impl Verdict {
    /// Returns the verdict about a client of which nothing is known.
    #[must_use]
    pub fn unknown(client: impl Into<CompactString>) -> Self {
        Self {
            client: client.into(),
            status: Status::Unknown,
            channel: None,
            address: None,
            since: None,
            voice: None,
            how: None,
            inferred: false,
            anomalies: Vec::new(),
            covered: false,
            last_known: None,
            last_heard: None,
            next: None,
        }
    }
}
