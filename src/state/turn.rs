//! A change of verdict in few bytes: what the course of things and the diagnosis take from it.

use super::address::{self, Address};
use super::change::{Cause, Change};
use super::verdict::{Blind, How, Status};
use crate::event::Timestamp;

/// What a change of verdict amounts to, without the texts that say so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Turn<'a> {
    pub from: Status,
    pub to: Status,
    pub cause: Cause,
    /// The stamp of what caused it.
    pub at: Timestamp,
    /// When that began which is believed from now on, on the broker's clock.
    pub since: Option<Timestamp>,
    /// From where the channel named was opened.
    pub place: Place<'a>,
    /// The dialect that decided, or nothing.
    pub voice: &'a str,
    /// How the channel named ended.
    pub how: Option<How>,
    /// Why nobody knows, where nobody does.
    pub gap: Option<Gap>,
    /// An opening is missing among what is known of the client.
    pub lacks_opening: bool,
    /// A connection that was taken over was never told to have ended.
    pub has_ghost: bool,
}

/// From where somebody connected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place<'a> {
    Untold,
    Ip(Address),
    /// What is no address of IP.
    Name(&'a str),
}

/// A time of which nobody knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gap {
    pub blindness: Blindness,
    /// Until when somebody was listening, on the watcher's clock.
    pub heard_until: Option<Timestamp>,
}

/// Why a verdict is not covered, in a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Blindness {
    NeverListened,
    Silent,
    Away,
}

impl<'a> Turn<'a> {
    #[must_use]
    pub fn of(change: &'a Change) -> Self {
        let verdict = &change.verdict;
        let has = |code: &str| verdict.anomalies.contains(&code);
        let gap = verdict
            .last_known
            .as_ref()
            .map(|known| Gap { blindness: Blindness::of(&known.blind), heard_until: known.until });
        Self {
            from: change.from,
            to: verdict.status,
            cause: change.cause,
            at: change.at,
            since: verdict.since,
            place: verdict.address.as_deref().map_or(Place::Untold, Place::of),
            voice: verdict.voice.as_deref().unwrap_or_default(),
            how: verdict.how,
            gap,
            lacks_opening: has("connect-missing"),
            has_ghost: has("superseded-open"),
        }
    }

    /// Tells whether the client was online, and is not any more.
    #[must_use]
    pub fn is_loss(&self) -> bool {
        self.from.online() == Some(true) && self.to == Status::Offline
    }
}

impl<'a> Place<'a> {
    /// Returns the place of an address, its port left out.
    #[must_use]
    pub fn of(address: &'a str) -> Self {
        address::read(address).map_or(Self::Name(address), |ip| Self::Ip(Address::of(ip)))
    }

    #[must_use]
    pub const fn address(self) -> Option<Address> {
        if let Self::Ip(address) = self { Some(address) } else { None }
    }
}

impl Blindness {
    const fn of(blind: &Blind) -> Self {
        match blind {
            Blind::NeverListened => Self::NeverListened,
            Blind::SilentSince(_)
            | Blind::MemberSilent { .. }
            | Blind::QueueUnread { .. }
            | Blind::Outdated(_) => Self::Silent,
            Blind::Away { .. } => Self::Away,
        }
    }
}
