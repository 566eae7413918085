//! The vocabulary: what every dialect hands on, whatever its own words.
//!
//! Nothing here reads a clock, a network or a file. An event borrows from the message it was read
//! from wherever it can, so that reading a million of them allocates nothing.

use std::borrow::Cow;
use std::fmt;

/// A moment in milliseconds since 1970-01-01 UTC, on whichever clock the context names.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Timestamp(pub i64);

impl Timestamp {
    pub const MIN: Self = Self(i64::MIN);
    pub const MAX: Self = Self(i64::MAX);

    /// Returns the moment `ms` milliseconds later, or the end of time.
    #[must_use]
    pub const fn plus(self, ms: i64) -> Self {
        Self(self.0.saturating_add(ms))
    }

    /// Returns the milliseconds from `earlier` to this moment, negative if it lies before it.
    #[must_use]
    pub const fn since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0)
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}ms", self.0)
    }
}

/// What an event says about a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventKind {
    /// The channel began: a CONNECT was accepted.
    Opened,
    /// The client was heard on the channel, which proves that it was open at that moment.
    Seen,
    /// The client said goodbye (DISCONNECT); the end of the transport is still to come.
    Farewell,
    /// The transport is gone.
    Closed,
}

impl EventKind {
    pub const ALL: [Self; 4] = [Self::Opened, Self::Seen, Self::Farewell, Self::Closed];

    /// Returns the word for it in what scripts read.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Opened => "opened",
            Self::Seen => "seen",
            Self::Farewell => "farewell",
            Self::Closed => "closed",
        }
    }
}

/// The broker's own label for one network connection of a client.
///
/// The two kinds are separate name spaces: a strong and a weak channel of one name are two channels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Channel<T> {
    /// A name that the broker never gives twice.
    Strong(T),
    /// A stand-in that comes back: an address with port, a counter that wraps, or nothing at all.
    Weak(Option<T>),
}

impl<T> Channel<T> {
    pub const fn is_strong(&self) -> bool {
        matches!(self, Self::Strong(_))
    }
}

impl<T: AsRef<str>> Channel<T> {
    /// Returns the channel's name, `None` for the nameless one.
    pub fn name(&self) -> Option<&str> {
        match self {
            Self::Strong(name) => Some(name.as_ref()),
            Self::Weak(name) => name.as_ref().map(AsRef::as_ref),
        }
    }

    /// Returns the same channel with a borrowed name.
    pub fn borrowed(&self) -> Channel<&str> {
        match self {
            Self::Strong(name) => Channel::Strong(name.as_ref()),
            Self::Weak(name) => Channel::Weak(name.as_ref().map(AsRef::as_ref)),
        }
    }
}

/// When something was observed, and what else tells two observations of it apart.
///
/// The order of the fields is the order of observations (`docs/state-logic.md`, Observations): the
/// source's own numbering outranks its stamps, and a tie only decides between equal stamps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Observation<'a> {
    /// The source's own numbering, as bytes in order; empty where it does not number its events.
    pub sequence: &'a [u8],
    /// The broker's stamp, or the arrival at the first observer where a dialect has no stamps.
    pub time: Timestamp,
    /// Place in a source that keeps order, else 0.
    pub tie: u64,
    /// `ip:port` as the broker saw it, or empty.
    pub address: &'a str,
    /// How coarse the stamp is, in ms: 1000 for whole seconds, more where stamps are only about right, else 0.
    pub resolution: u32,
}

impl Observation<'_> {
    /// Returns what decides whether one observation is later than another: address and resolution
    /// only make the order total, they do not make an observation newer.
    #[must_use]
    pub const fn moment(&self) -> (&[u8], Timestamp, u64) {
        (self.sequence, self.time, self.tie)
    }
}

/// The stamp of an event, where it has a believable one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    pub time: Timestamp,
    pub tie: u64,
    /// ms; 1000 for stamps in whole seconds, more where they are only about right, else 0.
    pub resolution: u32,
}

/// One statement in our vocabulary.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event<'a> {
    Channel(ChannelEvent<'a>),
    /// The broker started: no connection of before survived. Without a stamp it says nothing.
    Restarted(Option<Stamp>),
}

impl Event<'_> {
    /// Returns the event apart from the message that it was read from.
    #[must_use]
    pub fn into_owned(self) -> Event<'static> {
        match self {
            Self::Channel(event) => Event::Channel(event.into_owned()),
            Self::Restarted(stamp) => Event::Restarted(stamp),
        }
    }
}

/// One statement about one channel of one client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChannelEvent<'a> {
    /// Opaque text, compared byte for byte.
    pub client: Cow<'a, str>,
    pub channel: Channel<Cow<'a, str>>,
    pub kind: EventKind,
    /// `None`: the event counts, but without a time.
    pub stamp: Option<Stamp>,
    pub address: Cow<'a, str>,
    pub sequence: Cow<'a, [u8]>,
    pub flags: Flags,
    /// The message was retained: it says how things stand at its arrival, not since when. It is news
    /// only where it contradicts what was known; else it merely confirms that.
    pub standing: bool,
}

impl<'a> ChannelEvent<'a> {
    /// Returns an event with neither address, sequence nor flags.
    pub fn new(
        client: impl Into<Cow<'a, str>>,
        channel: Channel<Cow<'a, str>>,
        kind: EventKind,
        stamp: Option<Stamp>,
    ) -> Self {
        Self {
            client: client.into(),
            channel,
            kind,
            stamp,
            address: Cow::Borrowed(""),
            sequence: Cow::Borrowed(&[]),
            flags: Flags::NONE,
            standing: false,
        }
    }

    /// Returns the event apart from the message that it was read from.
    #[must_use]
    pub fn into_owned(self) -> ChannelEvent<'static> {
        let owned = |text: Cow<'_, str>| Cow::Owned(text.into_owned());
        ChannelEvent {
            client: owned(self.client),
            channel: match self.channel {
                Channel::Strong(name) => Channel::Strong(owned(name)),
                Channel::Weak(name) => Channel::Weak(name.map(owned)),
            },
            kind: self.kind,
            stamp: self.stamp,
            address: owned(self.address),
            sequence: Cow::Owned(self.sequence.into_owned()),
            flags: self.flags,
            standing: self.standing,
        }
    }

    /// Returns the event as a usual one, `None` if there is more to say.
    #[must_use]
    pub fn usual(&self) -> Option<Usual<'_>> {
        let (Channel::Strong(channel), Some(Stamp { time, tie: 0, resolution: 0 })) =
            (&self.channel, self.stamp)
        else {
            return None;
        };
        let is_plain = self.flags == Flags::NONE && self.sequence.is_empty() && !self.standing;
        let Self { client, kind, address, .. } = self;
        is_plain.then_some(Usual { client, channel, kind: *kind, time, address })
    }

    /// Returns what was observed, `None` for an event without a time.
    #[must_use]
    pub fn observation(&self) -> Option<Observation<'_>> {
        self.stamp.map(|stamp| Observation {
            sequence: &self.sequence,
            time: stamp.time,
            tie: stamp.tie,
            address: &self.address,
            resolution: stamp.resolution,
        })
    }
}

/// A statement as nearly all are: about a channel of a strong name, stamped in ms, with nothing odd.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Usual<'a> {
    pub client: &'a str,
    pub channel: &'a str,
    pub kind: EventKind,
    pub time: Timestamp,
    /// `ip:port` as the broker saw it, or empty.
    pub address: &'a str,
}

impl<'a> Usual<'a> {
    /// Returns the event of which this is all that there is to say.
    #[must_use]
    pub fn event(&self) -> ChannelEvent<'a> {
        let Self { client, channel, kind, time, address } = *self;
        let stamp = Some(Stamp { time, tie: 0, resolution: 0 });
        let channel = Channel::Strong(Cow::Borrowed(channel));
        let event = ChannelEvent::new(client, channel, kind, stamp);
        ChannelEvent { address: Cow::Borrowed(address), ..event }
    }
}

/// Oddities found while reading, as a set. They are kept per client and voice and never change a
/// verdict by themselves.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct Flags(u16);

impl Flags {
    pub const NONE: Self = Self(0);
    pub const CHANNEL_MISSING: Self = Self(1);
    pub const CLIENT_ID_TOO_LONG: Self = Self(1 << 1);
    pub const FUTURE_TIME: Self = Self(1 << 2);
    pub const TAG_MISMATCH: Self = Self(1 << 3);
    pub const TIME_IN_SECONDS: Self = Self(1 << 4);
    pub const TIME_INVALID: Self = Self(1 << 5);
    pub const TIME_MISSING: Self = Self(1 << 6);
    pub const UNKNOWN_EVENT: Self = Self(1 << 7);

    const CODES: [(Self, &'static str); 8] = [
        (Self::CHANNEL_MISSING, "channel-missing"),
        (Self::CLIENT_ID_TOO_LONG, "client-id-too-long"),
        (Self::FUTURE_TIME, "future-time"),
        (Self::TAG_MISMATCH, "tag-mismatch"),
        (Self::TIME_IN_SECONDS, "time-in-seconds"),
        (Self::TIME_INVALID, "time-invalid"),
        (Self::TIME_MISSING, "time-missing"),
        (Self::UNKNOWN_EVENT, "unknown-event"),
    ];

    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    #[must_use]
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    #[must_use]
    pub const fn bits(self) -> u16 {
        self.0
    }

    /// Returns the set with these bits; bits that no flag has are dropped.
    #[must_use]
    pub const fn from_bits(bits: u16) -> Self {
        Self(bits & 0xff)
    }

    /// Returns the codes of the flags in the set, sorted.
    pub fn codes(self) -> impl Iterator<Item = &'static str> {
        Self::CODES.into_iter().filter(move |(flag, _)| self.contains(*flag)).map(|(_, code)| code)
    }

    /// Returns the flag with this code.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::CODES.into_iter().find(|(_, known)| *known == code).map(|(flag, _)| flag)
    }
}

impl fmt::Debug for Flags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.codes()).finish()
    }
}
