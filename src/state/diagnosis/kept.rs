//! What was seen of the clients of the last minutes, in bounded memory.

use super::track::Track;
use crate::event::Timestamp;
use crate::state::policy::Policy;
use crate::sys::prefetch;
use hashbrown::HashTable;

/// Of two halves the older one is dropped when the younger one is full, or old.
#[derive(Debug)]
pub(super) struct Recent {
    young: Half,
    old: Half,
    turned: Timestamp,
    window_ms: i64,
    /// Clients that were dropped before their time.
    pub(super) overlooked: u64,
}

/// Clients by their numbers. The table holds places and not tracks: it stays in the caches, and who comes
/// for the first time, as most do in a large fleet, is written behind the one before.
#[derive(Debug, Default)]
struct Half {
    places: HashTable<u32>,
    tracks: Vec<(u64, Track)>,
}

/// Tracks in each half.
const TRACKS_MAX: usize = 32_768;

/// Returns how long a connection is remembered at least, ms.
pub(super) fn window_ms(policy: &Policy) -> i64 {
    policy.loop_window_ms.max(1)
}

impl Recent {
    pub(super) fn new(policy: &Policy) -> Self {
        Self {
            young: Half::default(),
            old: Half::default(),
            turned: Timestamp::MIN,
            window_ms: window_ms(policy),
            overlooked: 0,
        }
    }

    pub(super) fn forget(&mut self, hash: u64) {
        self.young.remove(hash);
        self.old.remove(hash);
    }

    /// Has what is known of a client fetched from memory.
    pub(super) fn prefetch(&self, hash: u64) {
        if let Some(track) = self.young.get(hash).or_else(|| self.old.get(hash)) {
            prefetch(track);
        }
    }

    /// Returns what is known of a client, nothing if it is new.
    pub(super) fn track(&mut self, hash: u64, now: Timestamp) -> &mut Track {
        let is_full = self.young.len() >= TRACKS_MAX;
        let is_old = now.since(self.turned) >= self.window_ms.saturating_mul(2);
        if is_full || is_old {
            if !is_old {
                self.overlooked += self.old.len() as u64;
            }
            std::mem::swap(&mut self.old, &mut self.young);
            self.young.clear();
            self.turned = now;
        }
        let Self { young, old, .. } = self;
        young.get_or_insert_with(hash, || old.remove(hash).unwrap_or_default())
    }
}

impl Half {
    fn len(&self) -> usize {
        self.tracks.len()
    }

    fn find(&self, hash: u64) -> Option<usize> {
        if self.tracks.last().is_some_and(|(last, _)| *last == hash) {
            // Who was added just now is asked for once more.
            return Some(self.tracks.len() - 1);
        }
        let place = self.places.find(hash, |place| self.tracks[*place as usize].0 == hash)?;
        Some(*place as usize)
    }

    fn get(&self, hash: u64) -> Option<&Track> {
        self.find(hash).map(|place| &self.tracks[place].1)
    }

    fn get_or_insert_with(&mut self, hash: u64, new: impl FnOnce() -> Track) -> &mut Track {
        let place = self.find(hash).unwrap_or_else(|| {
            let Self { places, tracks } = self;
            let place = tracks.len();
            tracks.push((hash, new()));
            let number = u32::try_from(place).expect("a half is small");
            places.insert_unique(hash, number, |place| tracks[*place as usize].0);
            place
        });
        &mut self.tracks[place].1
    }

    /// Takes a client out; the last one takes its place.
    fn remove(&mut self, hash: u64) -> Option<Track> {
        let Self { places, tracks } = self;
        let found = places.find_entry(hash, |place| tracks[*place as usize].0 == hash).ok()?;
        let (place, _) = found.remove();
        let behind = tracks.len() - 1;
        if let Some(moved) = places.find_mut(tracks[behind].0, |known| *known as usize == behind) {
            *moved = place;
        }
        Some(tracks.swap_remove(place as usize).1)
    }

    /// Keeps the room, which is needed again at once.
    fn clear(&mut self) {
        self.places.clear();
        self.tracks.clear();
    }
}
