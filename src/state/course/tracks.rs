//! The lives of clients that somebody numbers, each in bounded room: what it amounts to, its spells as
//! far as there is room for them, and a raster of the whole.

use super::curve::Curve;
use super::life::{Life, Spell};
use super::places::Places;
use super::raster::Raster;
use super::totals::Totals;
use super::uptimes::Sums;
use crate::event::Timestamp;
use crate::state::turn::{Blindness, Turn};
use crate::state::verdict::How;
use crate::sys::prefetch;

/// What is kept of every client while changes come. Those of different clients can be kept apart, and put
/// together when all has been heard.
#[derive(Clone, Debug, Default)]
pub struct Tracks {
    list: Vec<Track>,
    common: Common,
    places: Places,
}

/// What the clients share.
#[derive(Clone, Debug, Default)]
struct Common {
    curve: Curve,
    /// The moment from which rasters count.
    begin: Option<Timestamp>,
    /// Spells that are kept, here and elsewhere.
    spells: usize,
    spells_elsewhere: usize,
}

#[derive(Clone, Debug, Default)]
struct Track {
    life: Life<Note>,
    past: Past,
}

/// What became of the spells that are over.
#[derive(Clone, Debug, Default)]
struct Past {
    sums: Sums,
    raster: Raster,
    spells: Vec<Spell<Note>>,
    /// There was no room for all spells, and none is kept.
    is_cut: bool,
}

/// What the change that began a spell said, in few bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Note {
    /// Where the connection came from, one of [`Chronicled::places`](super::Chronicled::places).
    pub place: Option<u32>,
    /// How the connection before it ended.
    pub how: Option<How>,
    /// Why nobody knows.
    pub blind: Option<Blindness>,
}

/// The life of one client within the bounds.
#[derive(Clone, Debug)]
pub struct Course {
    /// As the tracks number it.
    pub number: u32,
    /// All of them, without a time between them; `None` where they had no room.
    pub spells: Option<Vec<Spell<Note>>>,
    pub raster: Raster,
}

/// What the clients have in common when everything has been heard.
pub(super) struct Rest {
    pub curve: Curve,
    pub begin: Option<Timestamp>,
    pub places: Vec<Box<str>>,
    pub placeless: u64,
}

/// Spells of one client while there is room, those of all for which there is room, and those that
/// every client may keep in any case.
const SPELLS_MAX: usize = 512;
const SPELLS_ALL: usize = 1 << 20;
const SPELLS_EACH: usize = 8;

impl Tracks {
    /// Adds a client, and returns its number: the first one is 0.
    pub fn add(&mut self) -> u32 {
        let number = u32::try_from(self.list.len()).expect("fewer than 2^32 clients");
        self.list.push(Track::default());
        number
    }

    /// Has what is kept of a client fetched from memory.
    pub fn approach(&self, number: u32) {
        if let Some(track) = self.list.get(number as usize) {
            prefetch(track);
        }
    }

    /// Something changed about a client, which could be known at `now`. What lies outside the bounds does not
    /// count.
    pub fn turn(
        &mut self,
        number: u32,
        turn: &Turn<'_>,
        now: Timestamp,
        bounds: (Timestamp, Timestamp),
    ) {
        let Self { list, common, places } = self;
        let Track { life, past } = &mut list[number as usize];
        let is_online = turn.to.online() == Some(true) && !past.is_cut;
        let note = Note {
            place: if is_online { places.number(turn.place) } else { None },
            how: turn.how,
            blind: turn.gap.map(|gap| gap.blindness),
        };
        life.follow(turn, now, note, &mut |spell| past.take(spell, bounds, common));
    }

    /// Returns how many spells are kept here.
    #[must_use]
    pub const fn spells(&self) -> usize {
        self.common.spells
    }

    /// Says how many spells are kept by others, with whom the room is shared.
    pub const fn share_room(&mut self, spells: usize) {
        self.common.spells_elsewhere = spells;
    }

    /// Puts the tracks of different clients together. The number of one is now that which it had, times how
    /// many parts there are, and the place of its part.
    #[must_use]
    pub fn united(parts: Vec<Self>) -> Self {
        let (width, length) =
            (parts.len(), parts.iter().map(|part| part.list.len()).max().unwrap_or(0));
        let mut all = Self::default();
        all.list.resize_with(width * length, Track::default);
        for (at, part) in parts.into_iter().enumerate() {
            let Self { list, common, places } = part;
            let numbers = all.places.join(places);
            all.common.curve.join(common.curve);
            all.common.spells += common.spells;
            all.common.begin = all.common.begin.or(common.begin);
            for (mut track, room) in
                list.into_iter().zip(all.list.iter_mut().skip(at).step_by(width))
            {
                track.call_places(|place| numbers[place as usize]);
                *room = track;
            }
        }
        all
    }

    /// Nothing is known after the bounds. Hands out what each client amounts to, in the order of these
    /// numbers, and returns what they have in common.
    pub(super) fn finish(
        mut self,
        numbers: impl Iterator<Item = u32>,
        bounds: (Timestamp, Timestamp),
        mut emit: impl FnMut(Totals, Course),
    ) -> Rest {
        let mut names = self.places.names();
        for number in numbers {
            let Track { life, mut past } = std::mem::take(&mut self.list[number as usize]);
            life.finish(bounds.1, &mut |spell| past.take(spell, bounds, &mut self.common));
            let Past { sums, raster, mut spells, is_cut } = past;
            for spell in &mut spells {
                spell.note.place = spell.note.place.map(|place| names.call(place));
            }
            let spells = (!is_cut).then_some(spells);
            emit(sums.finish(bounds), Course { number, spells, raster });
        }
        let Common { curve, begin, .. } = self.common;
        let (places, placeless) = names.finish();
        Rest { curve, begin, places, placeless }
    }
}

impl Track {
    /// Calls places by other numbers.
    fn call_places(&mut self, number: impl Fn(u32) -> Option<u32>) {
        let call = |note: &mut Note| note.place = note.place.and_then(&number);
        self.life.notes_mut().for_each(call);
        self.past.spells.iter_mut().map(|spell| &mut spell.note).for_each(call);
    }
}

impl Past {
    /// Takes in a spell that is over.
    fn take(&mut self, spell: Spell<Note>, bounds: (Timestamp, Timestamp), common: &mut Common) {
        self.sums.take(spell, bounds);
        let Some(part) = spell.within(bounds.0, bounds.1) else { return };
        common.curve.take(&part);
        self.raster.take(*common.begin.get_or_insert(bounds.0), &part);
        if self.is_cut {
            return;
        }
        let has_room = common.spells + common.spells_elsewhere < SPELLS_ALL;
        let room = if has_room { SPELLS_MAX } else { SPELLS_EACH };
        if self.spells.len() >= room {
            common.spells -= self.spells.len();
            self.spells = Vec::new();
            self.is_cut = true;
        } else {
            self.spells.push(part);
            common.spells += 1;
        }
    }
}
