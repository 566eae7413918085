//! Sets of clients.

use crate::sys::prefetch;
use hashbrown::HashTable;
use hashbrown::hash_table::{Entry, OccupiedEntry};

/// Clients by their [keys](super::Who::key).
#[derive(Clone, Debug)]
pub(super) enum Numbers {
    /// Any keys that need not be hashed again.
    Hashed(HashTable<u64>),
    /// Keys that begin at 0: a bit for each, and how many are there.
    Dense(Vec<u64>, usize),
}

impl Numbers {
    /// Returns an empty set, of clients that are numbered from 0 on or of others.
    pub(super) const fn of(is_numbered: bool) -> Self {
        if is_numbered { Self::Dense(Vec::new(), 0) } else { Self::Hashed(HashTable::new()) }
    }

    /// Returns an empty set of the same kind.
    pub(super) const fn none(&self) -> Self {
        Self::of(matches!(self, Self::Dense(..)))
    }

    /// Adds a client. Returns whether it is new.
    pub(super) fn insert(&mut self, key: u64) -> bool {
        match self {
            Self::Hashed(table) => match table.entry(key, |known| *known == key, |known| *known) {
                Entry::Vacant(vacant) => {
                    vacant.insert(key);
                    true
                }
                Entry::Occupied(_) => false,
            },
            Self::Dense(words, count) => {
                let (word, bit) = place(key);
                if word >= words.len() {
                    words.resize(word + 1, 0);
                }
                let is_new = words[word] & bit == 0;
                words[word] |= bit;
                *count += usize::from(is_new);
                is_new
            }
        }
    }

    /// Takes a client out. Returns whether it was there.
    pub(super) fn remove(&mut self, key: u64) -> bool {
        match self {
            Self::Hashed(table) => {
                let found = table.find_entry(key, |known| *known == key);
                found.map(OccupiedEntry::remove).is_ok()
            }
            Self::Dense(words, count) => {
                let (word, bit) = place(key);
                let Some(word) = words.get_mut(word) else { return false };
                let was_there = *word & bit != 0;
                *word &= !bit;
                *count -= usize::from(was_there);
                was_there
            }
        }
    }

    pub(super) fn contains(&self, key: u64) -> bool {
        match self {
            Self::Hashed(table) => table.find(key, |known| *known == key).is_some(),
            Self::Dense(words, _) => {
                let (word, bit) = place(key);
                words.get(word).is_some_and(|word| word & bit != 0)
            }
        }
    }

    /// Has the place of a client fetched from memory. That of one of many bits is likely to be there.
    pub(super) fn prefetch(&self, key: u64) {
        if let Self::Hashed(table) = self
            && let Some(known) = table.find(key, |known| *known == key)
        {
            prefetch(known);
        }
    }

    pub(super) fn len(&self) -> usize {
        match self {
            Self::Hashed(table) => table.len(),
            Self::Dense(_, count) => *count,
        }
    }

    pub(super) fn clear(&mut self) {
        match self {
            Self::Hashed(table) => table.clear(),
            Self::Dense(words, count) => {
                words.clear();
                *count = 0;
            }
        }
    }
}

/// Returns in which word a key has its bit.
fn place(key: u64) -> (usize, u64) {
    let word = usize::try_from(key / 64).expect("clients are numbered with 32 bits");
    (word, 1 << (key % 64))
}
