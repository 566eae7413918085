//! The lives of all clients of one broker, each in bounded room: what it amounts to, its spells as far
//! as there is room for them, and a raster of the whole.

use super::curve::Curve;
use super::life::{Life, Spell};
use super::peak::Peak;
use super::raster::Raster;
use super::totals::Totals;
use super::uptimes::Sums;
use crate::event::Timestamp;
use crate::state::diagnosis::ip_of;
use crate::state::presence::Change;
use crate::state::verdict::{Blind, How, Status};
use foldhash::fast::RandomState;
use hashbrown::HashMap;
use smallvec::SmallVec;

/// What is kept of every client while changes come.
#[derive(Clone, Debug, Default)]
pub struct Chronicle {
    // Ids come from strangers: the hash is seeded, so that nobody can choose ids that collide.
    numbers: HashMap<Box<str>, u32, RandomState>,
    tracks: Vec<Track>,
    common: Common,
    peak: Peak,
    places: Places,
}

/// What the clients share.
#[derive(Clone, Debug, Default)]
struct Common {
    curve: Curve,
    /// The moment from which rasters count.
    begin: Option<Timestamp>,
    /// Spells that are kept.
    spells: usize,
}

#[derive(Clone, Debug, Default)]
struct Track {
    life: Life<Note>,
    sums: Sums,
    raster: Raster,
    spells: Vec<Spell<Note>>,
    /// There was no room for all spells, and none is kept.
    is_cut: bool,
    /// The stamp of the last loss.
    lost: Option<Timestamp>,
}

/// What the change that began a spell said, in few bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Note {
    /// Where the connection came from, one of [`Chronicled::places`].
    pub place: Option<u32>,
    /// How the connection before it ended.
    pub how: Option<How>,
    /// Why nobody knows.
    pub blind: Option<Blindness>,
}

/// Why a verdict is not covered, in a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Blindness {
    NeverListened,
    Silent,
    Away,
}

/// All that is to be told of a broker, when everything has been heard.
#[derive(Clone, Debug)]
pub struct Chronicled {
    /// What each client amounts to, by id.
    pub clients: Vec<(Box<str>, Totals)>,
    /// The life of each, in the same order.
    pub courses: Vec<Course>,
    pub curve: Curve,
    pub peak: Option<(u64, Timestamp)>,
    /// The moment from which rasters count.
    pub begin: Timestamp,
    /// Addresses without their ports.
    pub places: Vec<Box<str>>,
    /// Connections whose address had no room.
    pub placeless: u64,
}

/// The life of one client within the bounds.
#[derive(Clone, Debug)]
pub struct Course {
    /// As [`Chronicle::lost_within`] calls it.
    pub number: u32,
    /// All of them, without a time between them; `None` where they had no room.
    pub spells: Option<Vec<Spell<Note>>>,
    pub raster: Raster,
}

/// Addresses without their ports, each once.
#[derive(Clone, Debug, Default)]
struct Places {
    numbers: HashMap<Box<str>, u32, RandomState>,
    /// Connections from places that had no room.
    overlooked: u64,
}

/// Spells of one client while there is room, those of all for which there is room, and those that
/// every client may keep in any case.
const SPELLS_MAX: usize = 512;
const SPELLS_ALL: usize = 1 << 20;
const SPELLS_EACH: usize = 8;
const PLACES_MAX: usize = 1 << 20;

impl Chronicle {
    /// A verdict changed, which could be known at `now`. What lies outside the bounds does not count.
    pub fn change(&mut self, change: &Change, now: Timestamp, bounds: (Timestamp, Timestamp)) {
        let verdict = &change.verdict;
        let connected =
            verdict.address.as_deref().filter(|_| verdict.status.online() == Some(true));
        let note = Note {
            place: connected.and_then(|address| self.places.number(address)),
            how: verdict.how,
            blind: verdict.last_known.as_ref().map(|known| Blindness::of(&known.blind)),
        };
        self.peak.change(change, now, bounds);
        let number = self.number(&verdict.client);
        let Self { tracks, common, .. } = self;
        let track = &mut tracks[number as usize];
        let mut over = Over::new();
        track.life.change(change, now, note, &mut |spell| over.push(spell));
        for spell in over {
            track.take(spell, bounds, common);
        }
        if change.from.online() == Some(true) && verdict.status == Status::Offline {
            track.lost = Some(change.at);
        }
    }

    /// Says that there is a client, of whom nothing may ever have been known.
    pub fn know(&mut self, id: &str) {
        self.number(id);
    }

    /// Returns the clients whose last loss is stamped between these moments.
    #[must_use]
    pub fn lost_within(&self, first: Timestamp, last: Timestamp) -> Vec<u32> {
        let is_lost = |track: &Track| track.lost.is_some_and(|at| first <= at && at <= last);
        (0..).zip(&self.tracks).filter(|(_, track)| is_lost(track)).map(|(at, _)| at).collect()
    }

    /// Nothing is known after the bounds. Returns what there is to tell.
    #[must_use]
    pub fn finish(self, bounds: (Timestamp, Timestamp)) -> Chronicled {
        let Self { numbers, tracks, mut common, peak, places } = self;
        let mut ids: Vec<(Box<str>, u32)> = numbers.into_iter().collect();
        ids.sort_unstable();
        let mut tracks: Vec<Option<Track>> = tracks.into_iter().map(Some).collect();
        let (mut clients, mut courses) = (Vec::new(), Vec::new());
        for (id, number) in ids {
            let track = tracks[number as usize].take().expect("each has a number of its own");
            let (totals, course) = track.finish(number, bounds, &mut common);
            clients.push((id, totals));
            courses.push(course);
        }
        let Places { numbers, overlooked } = places;
        let mut names: Vec<(Box<str>, u32)> = numbers.into_iter().collect();
        names.sort_unstable_by_key(|(_, number)| *number);
        Chronicled {
            clients,
            courses,
            curve: common.curve,
            peak: peak.most(),
            begin: common.begin.unwrap_or(bounds.0),
            places: names.into_iter().map(|(name, _)| name).collect(),
            placeless: overlooked,
        }
    }

    fn number(&mut self, id: &str) -> u32 {
        if let Some(number) = self.numbers.get(id) {
            return *number;
        }
        let number = u32::try_from(self.tracks.len()).expect("fewer than 2^32 clients");
        self.numbers.insert(id.into(), number);
        self.tracks.push(Track::default());
        number
    }
}

impl Track {
    /// Takes in a spell that is over.
    fn take(&mut self, spell: Spell<Note>, bounds: (Timestamp, Timestamp), common: &mut Common) {
        self.sums.take(spell, bounds);
        let Some(part) = spell.within(bounds.0, bounds.1) else { return };
        common.curve.take(&part);
        self.raster.take(*common.begin.get_or_insert(bounds.0), &part);
        if self.is_cut {
            return;
        }
        let room = if common.spells < SPELLS_ALL { SPELLS_MAX } else { SPELLS_EACH };
        if self.spells.len() >= room {
            common.spells -= self.spells.len();
            self.spells = Vec::new();
            self.is_cut = true;
        } else {
            self.spells.push(part);
            common.spells += 1;
        }
    }

    fn finish(
        mut self,
        number: u32,
        bounds: (Timestamp, Timestamp),
        common: &mut Common,
    ) -> (Totals, Course) {
        let life = std::mem::take(&mut self.life);
        let mut over = Over::new();
        life.finish(bounds.1, &mut |spell| over.push(spell));
        for spell in over {
            self.take(spell, bounds, common);
        }
        let spells = (!self.is_cut).then_some(self.spells);
        (self.sums.finish(bounds), Course { number, spells, raster: self.raster })
    }
}

/// The spells that one change ends.
type Over = SmallVec<[Spell<Note>; 2]>;

impl Places {
    fn number(&mut self, address: &str) -> Option<u32> {
        let name = ip_of(address).map_or_else(|| address.into(), |ip| ip.to_string());
        if let Some(number) = self.numbers.get(name.as_str()) {
            return Some(*number);
        }
        if self.numbers.len() >= PLACES_MAX {
            self.overlooked += 1;
            return None;
        }
        let number = u32::try_from(self.numbers.len()).ok()?;
        self.numbers.insert(name.into(), number);
        Some(number)
    }
}

impl Blindness {
    const fn of(blind: &Blind) -> Self {
        match blind {
            Blind::NeverListened => Self::NeverListened,
            Blind::SilentSince(_) | Blind::MemberSilent { .. } => Self::Silent,
            Blind::Away { .. } => Self::Away,
        }
    }
}
