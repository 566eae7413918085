//! What the lanes have noted of a round, put in order.

use super::follow::{Moment, Noted};
use super::{LANES, LANES_WIDTH};
use crate::event::Timestamp;
use crate::state::clients::IdHash;
use crate::state::diagnosis::{Client, Loop, Sight, Who};
use crate::sys::{AHEAD, prefetch};
use compact_str::CompactString;

/// A change of verdict on its way from a lane to those who want to know of all clients.
#[derive(Clone, Copy, Debug)]
#[repr(align(64))]
pub struct Move {
    hash: IdHash,
    now: Timestamp,
    /// Of the client, in its lane.
    number: u32,
    sight: Sight,
}

// It is written to one place in memory, and fetched from there.
const _: () = assert!(size_of::<Move>() == 64);

impl Move {
    pub const fn new(number: u32, hash: IdHash, sight: Sight, moment: &Moment) -> Self {
        Self { hash, now: moment.clock, number, sight }
    }
}

/// What all lanes have noted of a round.
#[derive(Debug)]
pub struct Noticed {
    /// By lane.
    noted: Vec<Noted>,
    lines: usize,
    /// What the clock of the log showed one after the other.
    clocks: Vec<Timestamp>,
}

/// The moves of a round in the order in which they became known.
#[derive(Debug)]
pub struct InOrder {
    noted: Vec<Noted>,
    places: Vec<Spot>,
    /// Lanes with clients that were heard of for the first time, and how many it had before.
    newcomers: Vec<(u32, usize)>,
}

/// Where a move is: in which lane, and among which of its moves.
#[derive(Clone, Copy, Debug)]
struct Spot {
    lane: u16,
    is_lapse: bool,
    at: u32,
}

const NOWHERE: Spot = Spot { lane: u16::MAX, is_lapse: false, at: 0 };

/// The ids of all clients, by lane: the number of each is that in its lane, times the number of lanes, and
/// the place of that lane.
#[derive(Debug, Default)]
pub struct Names(Vec<Vec<CompactString>>);

/// What a change comes to, as it became known.
#[derive(Clone, Copy, Debug)]
pub struct Seen<'a> {
    pub who: Who<'a>,
    /// That of the client.
    pub number: u32,
    pub sight: &'a Sight,
    pub in_loop: Option<&'a Loop>,
    /// The moment at which it could be known.
    pub now: Timestamp,
}

/// The changes of a round, in the order in which they became known.
#[derive(Clone, Copy, Debug)]
pub struct Round<'a> {
    pub instance: &'a str,
    /// The first moment of which anything was heard.
    pub first: Timestamp,
    voice: &'a str,
    names: &'a Names,
    moves: &'a InOrder,
}

impl Noticed {
    pub const fn new(noted: Vec<Noted>, lines: usize, clocks: Vec<Timestamp>) -> Self {
        Self { noted, lines, clocks }
    }

    /// Puts what was noted in the order in which it became known.
    pub fn in_order(self, names: &mut Names) -> InOrder {
        let Self { mut noted, lines, clocks } = self;
        let (mut lapses, mut newcomers) = (Vec::new(), Vec::new());
        // A line says one thing of one client.
        let mut by_line = vec![NOWHERE; lines];
        for (lane, noted) in (0..).zip(&mut noted) {
            if !noted.newcomers.is_empty() {
                newcomers.push((lane.into(), names.add(lane, noted.newcomers.drain(..))));
            }
            for (at, line) in (0..).zip(&noted.lines) {
                by_line[*line as usize] = Spot { lane, is_lapse: false, at };
            }
            for (at, (due, first, lapse)) in (0..).zip(&mut noted.lapses) {
                let shown = clocks.partition_point(|clock| *clock < *due);
                lapse.now = clocks.get(shown).copied().unwrap_or(lapse.now);
                lapses.push((*due, *first, Spot { lane, is_lapse: true, at }));
            }
        }
        let by_line = by_line.into_iter().filter(|place| place.lane != NOWHERE.lane);
        let mut places: Vec<Spot> = by_line.collect();
        if !lapses.is_empty() {
            lapses.sort_unstable_by_key(|(due, first, _)| (*due, *first));
            places = with_lapses(&noted, &places, &lapses);
        }
        InOrder { noted, places, newcomers }
    }
}

/// Puts what time alone brought about before what was heard when it had.
fn with_lapses(noted: &[Noted], moves: &[Spot], lapses: &[(Timestamp, u64, Spot)]) -> Vec<Spot> {
    let mut lapses = lapses.iter().peekable();
    let mut places = Vec::with_capacity(moves.len() + lapses.len());
    for place in moves {
        let now = noted[usize::from(place.lane)].moves[place.at as usize].now;
        while let Some((.., lapse)) = lapses.next_if(|(due, ..)| *due <= now) {
            places.push(*lapse);
        }
        places.push(*place);
    }
    places.extend(lapses.map(|(.., lapse)| *lapse));
    places
}

impl InOrder {
    /// Returns the room of it.
    pub fn cleared(mut self) -> Vec<Noted> {
        self.noted.iter_mut().for_each(Noted::clear);
        self.noted
    }

    fn at(&self, place: Spot) -> &Move {
        let Noted { moves, lapses, .. } = &self.noted[usize::from(place.lane)];
        let at = place.at as usize;
        if place.is_lapse { &lapses[at].2 } else { &moves[at] }
    }

    fn seen<'a>(&'a self, place: Spot, voice: &'a str) -> Seen<'a> {
        let Move { hash, now, number, sight } = self.at(place);
        let number = number_of(*number, place.lane.into());
        let in_loop = || {
            let loops = &self.noted[usize::from(place.lane)].loops;
            let at = loops.binary_search_by_key(&place.at, |(at, _)| *at).ok()?;
            Some(&loops[at].1)
        };
        Seen {
            who: Who { hash: *hash, client: Client::Number(number), voice },
            number,
            sight,
            in_loop: if sight.loops { in_loop() } else { None },
            now: *now,
        }
    }
}

impl Names {
    /// Adds clients of a lane. Returns how many it had.
    fn add(&mut self, lane: u16, newcomers: impl Iterator<Item = CompactString>) -> usize {
        self.0.resize_with(LANES, Vec::new);
        let names = &mut self.0[usize::from(lane)];
        let before = names.len();
        names.extend(newcomers);
        before
    }

    /// Returns all ids, each with its number.
    pub fn numbered(&self) -> impl Iterator<Item = (Box<str>, u32)> {
        let numbers = |lane: u32| (0_u32..).map(move |local| number_of(local, lane));
        let lanes = (0..).zip(&self.0);
        lanes.flat_map(move |(lane, names)| {
            names.iter().map(|name| (&**name).into()).zip(numbers(lane))
        })
    }
}

/// Returns what each lane has by its own numbers, by those among all clients.
pub fn by_number<T: Default>(lanes: Vec<Vec<T>>) -> Vec<T> {
    let (width, length) = (lanes.len(), lanes.iter().map(Vec::len).max().unwrap_or(0));
    let mut all = Vec::new();
    all.resize_with(width * length, T::default);
    for (at, lane) in lanes.into_iter().enumerate() {
        for (of_lane, room) in lane.into_iter().zip(all.iter_mut().skip(at).step_by(width)) {
            *room = of_lane;
        }
    }
    all
}

/// Returns the number among all of a client that has one in a lane.
const fn number_of(local: u32, lane: u32) -> u32 {
    local * LANES_WIDTH + lane
}

impl<'a> Round<'a> {
    /// Returns a look at what changed, which is [in order](Noticed::in_order).
    pub const fn new(
        instance: &'a str,
        first: Timestamp,
        voice: &'a str,
        names: &'a Names,
        moves: &'a InOrder,
    ) -> Self {
        Self { instance, first, voice, names, moves }
    }

    /// Returns the clients that were heard of for the first time, by their numbers.
    pub fn newcomers(&self) -> impl Iterator<Item = (u32, &'a str)> {
        let Self { names, moves, .. } = *self;
        moves.newcomers.iter().flat_map(|(lane, before)| {
            let names = (0..).zip(&names.0[*lane as usize]).skip(*before);
            names.map(|(local, name)| (number_of(local, *lane), name.as_str()))
        })
    }

    /// Returns what the changes come to, as many together as should be announced to the memory together.
    pub fn seen(&self) -> impl Iterator<Item = impl Iterator<Item = Seen<'a>> + Clone> {
        let Self { voice, moves, .. } = *self;
        let near = moves.places.chunks(AHEAD);
        let further = near.clone().skip(1).chain(std::iter::once(&[][..]));
        near.zip(further).map(move |(near, further)| {
            for place in further {
                prefetch(moves.at(*place));
            }
            near.iter().map(move |place| moves.seen(*place, voice))
        })
    }
}
