//! What the lanes have noted of a round, put in order.

use super::follow::{Moment, Noted};
use super::{LANES, LANES_WIDTH};
use crate::event::Timestamp;
use crate::state::address::Address;
use crate::state::clients::{IdHash, IdHasher};
use crate::state::diagnosis::Who;
use crate::state::presence::Cause;
use crate::state::turn::{Place, Turn};
use crate::state::verdict::{How, Status};
use crate::sys::{AHEAD, prefetch};
use compact_str::CompactString;

/// A change of verdict on its way from a lane to those who want to know of all clients.
#[derive(Clone, Copy, Debug)]
pub struct Move {
    hash: IdHash,
    at: Timestamp,
    now: Timestamp,
    address: Option<Address>,
    /// Of the client, in its lane.
    number: u32,
    line: u32,
    from: Status,
    to: Status,
    cause: Cause,
    how: Option<How>,
    lacks_opening: bool,
    has_ghost: bool,
}

impl Move {
    pub fn new(number: u32, hash: IdHash, turn: &Turn<'_>, moment: &Moment) -> Self {
        let Turn { from, to, cause, at, place, how, lacks_opening, has_ghost, .. } = *turn;
        let Moment { clock: now, line, .. } = *moment;
        let address = place.address();
        Self {
            hash,
            at,
            now,
            address,
            number,
            line,
            from,
            to,
            cause,
            how,
            lacks_opening,
            has_ghost,
        }
    }

    /// Returns it as a turn, of which it tells no more than whoever asks about all clients wants to know.
    fn turn<'a>(&self, voice: &'a str) -> Turn<'a> {
        let Self { from, to, cause, at, address, how, lacks_opening, has_ghost, .. } = *self;
        let place = address.map_or(Place::Untold, Place::Ip);
        Turn {
            from,
            to,
            cause,
            at,
            since: None,
            place,
            voice,
            how,
            gap: None,
            lacks_opening,
            has_ghost,
        }
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

/// A change, as it became known.
#[derive(Clone, Copy, Debug)]
pub struct Turned<'a> {
    pub who: Who<'a>,
    pub turn: Turn<'a>,
    /// The moment at which it could be known.
    pub now: Timestamp,
}

/// The changes of a round, in the order in which they became known.
#[derive(Clone, Copy, Debug)]
pub struct Round<'a> {
    pub instance: &'a str,
    /// The first moment of which anything was heard.
    pub first: Timestamp,
    pub hasher: &'a IdHasher,
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
        let mut lapses = Vec::new();
        // A line says one thing of one client.
        let mut by_line = vec![NOWHERE; lines];
        for (lane, noted) in (0..).zip(&mut noted) {
            names.add(usize::from(lane), noted.newcomers.drain(..));
            for (at, Move { line, .. }) in (0..).zip(&noted.moves) {
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
        InOrder { noted, places }
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
    fn at(&self, place: Spot) -> &Move {
        let Noted { moves, lapses, .. } = &self.noted[usize::from(place.lane)];
        let at = place.at as usize;
        if place.is_lapse { &lapses[at].2 } else { &moves[at] }
    }
}

impl Names {
    fn add(&mut self, lane: usize, newcomers: impl Iterator<Item = CompactString>) {
        self.0.resize_with(LANES, Vec::new);
        self.0[lane].extend(newcomers);
    }

    fn of(&self, number: u32) -> &CompactString {
        let (lane, local) = (number as usize % LANES, number as usize / LANES);
        &self.0[lane][local]
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

/// Returns the number among all of a client that has one in a lane.
const fn number_of(local: u32, lane: u32) -> u32 {
    local * LANES_WIDTH + lane
}

impl<'a> Round<'a> {
    /// Returns a look at what changed, which is [in order](Noticed::in_order).
    pub const fn new(
        instance: &'a str,
        first: Timestamp,
        (hasher, voice): (&'a IdHasher, &'a str),
        names: &'a Names,
        moves: &'a InOrder,
    ) -> Self {
        Self { instance, first, hasher, voice, names, moves }
    }

    /// Returns the changes, as many together as should be announced to the memory together.
    pub fn turns(&self) -> impl Iterator<Item = impl Iterator<Item = Turned<'a>> + Clone> {
        let Self { names, voice, moves, .. } = *self;
        let near = moves.places.chunks(AHEAD);
        let further = near.clone().skip(1).chain(std::iter::once(&[][..]));
        near.zip(further).map(move |(near, further)| {
            for place in further {
                prefetch(moves.at(*place));
            }
            for place in near {
                let number = number_of(moves.at(*place).number, u32::from(place.lane));
                prefetch(names.of(number));
            }
            near.iter().map(move |place| {
                let noted = moves.at(*place);
                let number = number_of(noted.number, u32::from(place.lane));
                let who = Who { client: names.of(number), hash: noted.hash, number };
                Turned { who, turn: noted.turn(voice), now: noted.now }
            })
        })
    }
}
