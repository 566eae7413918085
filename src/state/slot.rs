//! What has been observed of one kind of event on one channel.

use crate::event::{Observation, Timestamp};

/// The lowest and the highest observation of one kind of event.
///
/// Every join only ever widens a slot, so neither the order of events nor their repetition can change
/// the result. Two observations are kept and not one: that "two connects of this channel disagree" is
/// thereby order-free too, in constant space.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Slot<'a> {
    #[default]
    Empty,
    /// It happened, but no mention of it had a time.
    Untimed,
    Timed {
        low: Observation<'a>,
        high: Observation<'a>,
    },
}

impl<'a> Slot<'a> {
    /// Returns the slot that holds only this observation; `None` is an event without a time.
    #[must_use]
    pub fn of(observation: Option<Observation<'a>>) -> Self {
        observation.map_or(Self::Untimed, |only| Self::Timed { low: only, high: only })
    }

    #[must_use]
    pub const fn is_empty(&self) -> bool {
        matches!(self, Self::Empty)
    }

    #[must_use]
    pub fn join(self, other: Self) -> Self {
        match (self, other) {
            (Self::Timed { low: l1, high: h1 }, Self::Timed { low: l2, high: h2 }) => {
                Self::Timed { low: l1.min(l2), high: h1.max(h2) }
            }
            (timed @ Self::Timed { .. }, _) | (_, timed @ Self::Timed { .. }) => timed,
            (Self::Untimed, _) | (_, Self::Untimed) => Self::Untimed,
            (Self::Empty, Self::Empty) => Self::Empty,
        }
    }

    /// Returns the fact: on a strong channel the earliest mention, on a weak one the latest, because
    /// its name is used again.
    #[must_use]
    pub const fn mention(&self, strong: bool) -> Mention<'a> {
        match self {
            Self::Empty => Mention::Absent,
            Self::Untimed => Mention::Untimed,
            Self::Timed { low, high } => Mention::At(if strong { *low } else { *high }),
        }
    }

    /// Returns the greatest time observed.
    #[must_use]
    pub fn latest(&self) -> Option<Timestamp> {
        match self {
            // The order of observations begins with the sequence, so the higher one need not carry
            // the later time.
            Self::Timed { low, high } => Some(low.time.max(high.time)),
            Self::Empty | Self::Untimed => None,
        }
    }
}

/// The one observation of a slot that counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mention<'a> {
    Absent,
    Untimed,
    At(Observation<'a>),
}

impl<'a> Mention<'a> {
    #[must_use]
    pub const fn is_there(&self) -> bool {
        !matches!(self, Self::Absent)
    }

    #[must_use]
    pub const fn observation(&self) -> Option<Observation<'a>> {
        match self {
            Self::At(observation) => Some(*observation),
            Self::Absent | Self::Untimed => None,
        }
    }

    #[must_use]
    pub const fn time(&self) -> Option<Timestamp> {
        match self {
            Self::At(observation) => Some(observation.time),
            Self::Absent | Self::Untimed => None,
        }
    }
}
