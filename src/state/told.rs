//! What a user was told: by status, of each client, and what is kept back.

use super::verdict::{Status, Verdict};
use compact_str::CompactString;
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
        let hash =
            |text: &Option<CompactString>| FixedState::default().hash_one(text).to_le_bytes();
        let channel = hash(&verdict.channel);
        let address = hash(&verdict.address);
        Self {
            since: verdict.since.and_then(|since| std::num::NonZeroI64::new(since.0)),
            channel: u32::from_le_bytes([channel[0], channel[1], channel[2], channel[3]]),
            address: u16::from_le_bytes([address[0], address[1]]),
            status: verdict.status,
            is_foreign: false,
        }
    }
}
