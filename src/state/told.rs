//! What a user was told: by status, of each client, and what is kept back.

use super::verdict::{Status, Verdict};
use crate::event::Timestamp;
use foldhash::quality::FixedState;
use std::hash::BuildHasher as _;

/// Clients by status. Taken from the verdicts themselves, never counted up and down by events.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts([usize; Status::ALL.len()]);

impl Counts {
    #[must_use]
    pub const fn of(&self, status: Status) -> usize {
        self.0[status as usize]
    }

    #[must_use]
    pub fn total(&self) -> usize {
        self.0.iter().sum()
    }

    pub const fn add(&mut self, status: Status) {
        self.0[status as usize] += 1;
    }

    pub(super) fn join(&mut self, others: &Self) {
        for (count, more) in self.0.iter_mut().zip(others.0) {
            *count += more;
        }
    }

    pub(super) const fn remove(&mut self, status: Status) {
        self.0[status as usize] -= 1;
    }
}

/// Who tells of a change that another watcher brought about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Teller {
    /// We do too: everybody hears everything.
    Everybody,
    /// Not we: of a group, the one that heard it.
    Hearer,
}

/// What the user was last told, in 16 bytes a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Told {
    pub(super) since: Option<std::num::NonZeroI64>,
    pub(super) channel: u32,
    /// Tells two connections of one second apart, where the channel has no name.
    pub(super) address: u16,
    pub(super) status: Status,
    /// Another watcher heard it, and tells what comes of it without an event.
    pub(super) is_foreign: bool,
}

impl Told {
    pub(super) fn of(verdict: &Verdict) -> Self {
        let Verdict { status, since, channel, address, .. } = verdict;
        Self::of_texts(*status, *since, channel.as_deref(), address.as_deref())
    }

    /// Returns the same of a verdict that says this.
    pub(super) fn of_texts(
        status: Status,
        since: Option<Timestamp>,
        channel: Option<&str>,
        address: Option<&str>,
    ) -> Self {
        let hash = |text: Option<&str>| FixedState::default().hash_one(text).to_le_bytes();
        let (channel, address) = (hash(channel), hash(address));
        Self {
            since: since.and_then(|since| std::num::NonZeroI64::new(since.0)),
            channel: u32::from_le_bytes([channel[0], channel[1], channel[2], channel[3]]),
            address: u16::from_le_bytes([address[0], address[1]]),
            status,
            is_foreign: false,
        }
    }
}
