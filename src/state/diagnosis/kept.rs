//! What was seen of clients: of those of the last minutes, in bounded memory, or of all.

use super::Who;
use super::tracks::Track;
use crate::event::Timestamp;
use crate::state::policy::Policy;
use compact_str::CompactString;
use hashbrown::HashTable;

#[derive(Debug)]
pub(super) enum Kept {
    Recent(Recent),
    All(All),
}

/// By their numbers.
#[derive(Debug, Default)]
pub(super) struct All {
    tracks: Vec<Track>,
    names: Vec<CompactString>,
}

/// A client of which the name is kept elsewhere, if possible.
#[derive(Clone, Debug)]
pub(super) enum Named {
    Id(CompactString),
    Number(u32),
}

/// Of two halves the older one is dropped when the younger one is full, or old.
#[derive(Debug)]
pub(super) struct Recent {
    young: Half,
    old: Half,
    turned: Timestamp,
    window_ms: i64,
    /// Clients that were dropped before their time.
    overlooked: u64,
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

impl Kept {
    pub(super) fn recent(policy: &Policy) -> Self {
        Self::Recent(Recent {
            young: Half::default(),
            old: Half::default(),
            turned: Timestamp::MIN,
            window_ms: window_ms(policy),
            overlooked: 0,
        })
    }

    pub(super) const fn overlooked(&self) -> u64 {
        match self {
            Self::Recent(recent) => recent.overlooked,
            Self::All(_) => 0,
        }
    }

    pub(super) fn get(&self, who: &Who<'_>) -> Option<&Track> {
        match self {
            Self::Recent(Recent { young, old, .. }) => {
                young.get(who.hash.0).or_else(|| old.get(who.hash.0))
            }
            Self::All(all) => all.tracks.get(who.number as usize),
        }
    }

    pub(super) fn forget(&mut self, who: &Who<'_>) {
        match self {
            Self::Recent(Recent { young, old, .. }) => {
                young.remove(who.hash.0);
                old.remove(who.hash.0);
            }
            Self::All(all) => {
                if let Some(track) = all.tracks.get_mut(who.number as usize) {
                    *track = Track::default();
                }
            }
        }
    }

    pub(super) fn track(&mut self, who: &Who<'_>, now: Timestamp) -> &mut Track {
        match self {
            Self::Recent(recent) => recent.track(who.hash.0, now),
            Self::All(all) => all.track(who),
        }
    }

    /// Returns how to name a client of which there is a track, later.
    pub(super) fn named(&self, who: &Who<'_>) -> Named {
        match self {
            Self::Recent(_) => Named::Id(who.client.into()),
            Self::All(_) => Named::Number(who.number),
        }
    }

    /// Returns the id of a client.
    pub(super) fn name<'a>(&'a self, named: &'a Named) -> &'a str {
        match (named, self) {
            (Named::Id(id), _) => id,
            (Named::Number(number), Self::All(All { names, .. })) => {
                names.get(*number as usize).map_or("", |name| name)
            }
            (Named::Number(_), Self::Recent(_)) => "",
        }
    }
}

impl All {
    fn track(&mut self, who: &Who<'_>) -> &mut Track {
        let number = who.number as usize;
        if number >= self.tracks.len() {
            self.tracks.resize_with(number + 1, Track::default);
            self.names.resize(number + 1, CompactString::default());
        }
        let track = &mut self.tracks[number];
        if !std::mem::replace(&mut track.is_named, true) {
            self.names[number] = who.client.into();
        }
        track
    }
}

impl Recent {
    fn track(&mut self, hash: u64, now: Timestamp) -> &mut Track {
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
