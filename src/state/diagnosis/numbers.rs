//! Sets of clients.

use crate::sys::prefetch;
use hashbrown::HashTable;
use hashbrown::hash_table::{Entry, OccupiedEntry};

/// Clients by their numbers, which are the hashes of their ids and need not be hashed again.
#[derive(Clone, Debug, Default)]
pub(super) struct Numbers(HashTable<u64>);

impl Numbers {
    /// Adds a client. Returns whether it is new.
    pub(super) fn insert(&mut self, hash: u64) -> bool {
        match self.0.entry(hash, |known| *known == hash, |known| *known) {
            Entry::Vacant(vacant) => {
                vacant.insert(hash);
                true
            }
            Entry::Occupied(_) => false,
        }
    }

    /// Takes a client out. Returns whether it was there.
    pub(super) fn remove(&mut self, hash: u64) -> bool {
        let found = self.0.find_entry(hash, |known| *known == hash);
        found.map(OccupiedEntry::remove).is_ok()
    }

    pub(super) fn contains(&self, hash: u64) -> bool {
        self.0.find(hash, |known| *known == hash).is_some()
    }

    /// Has the place of a client fetched from memory.
    pub(super) fn prefetch(&self, hash: u64) {
        if let Some(known) = self.0.find(hash, |known| *known == hash) {
            prefetch(known);
        }
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }
}
