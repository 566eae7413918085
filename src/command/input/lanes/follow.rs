//! What becomes of the clients of a lane, noted while what is said of them is taken in.
//!
//! Whoever follows files hears all changes in the order in which they became known. Most of what is made of
//! them concerns one client each, and is made here; what concerns all together is handed on as moves.

use super::round::Move;
use crate::event::{ChannelEvent, Timestamp};
use crate::state::brisk::{Brisks, Guess, Heard, Known, Occasion, Remark};
use crate::state::clients::IdHash;
use crate::state::course::Tracks;
use crate::state::diagnosis::{Loop, Rules, Track};
use crate::state::fleet::Hearsay;
use crate::state::packed::VoiceKey;
use crate::state::policy::Policy;
use crate::state::presence::{Cause, Change, Presence};
use crate::state::turn::Turn;
use crate::sys::prefetch;
use compact_str::CompactString;
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fmt;
use std::sync::Arc;

/// Which clients are followed, by their ids, and by which rules they are diagnosed.
#[derive(Clone)]
pub struct Asked {
    include: Arc<dyn Fn(&str) -> bool + Send + Sync>,
    rules: Rules,
}

impl Asked {
    pub fn about(include: impl Fn(&str) -> bool + Send + Sync + 'static, policy: &Policy) -> Self {
        Self { include: Arc::new(include), rules: Rules::of(policy) }
    }
}

impl fmt::Debug for Asked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Asked")
    }
}

/// The clients of a lane, as they are followed.
#[derive(Debug)]
pub struct Following {
    asked: Asked,
    /// Of each that is followed, by its number here.
    pub tracks: Tracks,
    /// Its last connections, likewise.
    pub seen: Vec<Track>,
    /// Its place in the order of all lines, when it was heard of first.
    firsts: Vec<u64>,
    /// By their places among the brisk ones.
    brisks: Vec<Followed>,
    /// By their places among the others.
    others: Vec<u32>,
    /// When graces of brisk ones run out.
    graces: BinaryHeap<Reverse<(Timestamp, usize, IdHash)>>,
    /// What the round has brought.
    pub noted: Noted,
}

/// What a lane notes while it takes in a round.
#[derive(Debug, Default)]
pub struct Noted {
    /// The ids of those that were heard of for the first time, in the order of their numbers.
    pub newcomers: Vec<CompactString>,
    /// In the order of their lines.
    pub moves: Vec<Move>,
    /// The line of each, in the round.
    pub lines: Vec<u32>,
    /// Connections that follow each other too soon, by the places of those moves that say so.
    pub loops: Vec<(u32, Loop)>,
    /// Brought about by time alone: each with the moment, and the place of the client in the order of all.
    pub lapses: Vec<(Timestamp, u64, Move)>,
}

impl Noted {
    pub fn clear(&mut self) {
        self.newcomers.clear();
        self.moves.clear();
        self.lines.clear();
        self.loops.clear();
        self.lapses.clear();
    }
}

#[derive(Clone, Copy, Debug)]
struct Followed {
    known: Known,
    number: u32,
}

/// Stands for the number of a client that was not heard of, and of one that nobody asks about.
const UNHEARD: u32 = u32::MAX;
const UNASKED: u32 = u32::MAX - 1;

/// When a line is taken in, and for which time.
#[derive(Clone, Copy, Debug)]
pub struct Moment {
    /// What the clock of the log shows.
    pub clock: Timestamp,
    /// Of the round.
    pub line: u32,
    /// Lines before the round.
    pub lines_before: u64,
    /// What lies outside does not count.
    pub bounds: (Timestamp, Timestamp),
}

impl Following {
    pub fn new(asked: Asked) -> Self {
        Self {
            asked,
            tracks: Tracks::default(),
            seen: Vec::new(),
            firsts: Vec::new(),
            brisks: Vec::new(),
            others: Vec::new(),
            graces: BinaryHeap::new(),
            noted: Noted::default(),
        }
    }

    /// Has what was told of a client fetched from memory, and later its track.
    pub fn look_for(&self, guess: Guess) {
        if let Some(followed) = self.brisks.get(guess.place()) {
            prefetch(followed);
        }
    }

    pub fn approach(&self, guess: Guess) {
        if let Some(followed) = self.brisks.get(guess.place()) {
            self.tracks.approach(followed.number);
            if let Some(seen) = self.seen.get(followed.number as usize) {
                prefetch(seen);
            }
        }
    }

    /// Time has come to that of a line: graces run out.
    pub fn advance(&mut self, brisks: &Brisks, presence: &mut Presence, moment: &Moment) {
        while let Some(Reverse((due, place, hash))) = self.graces.peek().copied() {
            if due > moment.clock {
                break;
            }
            self.graces.pop();
            if brisks.has(place) {
                let occasion = Occasion { voice: "", cause: Cause::Grace, at: due, begins: false };
                self.turn(brisks, (place, hash), &occasion, presence.policy(), due, moment);
            }
        }
        if presence.next_grace().is_some_and(|due| due <= moment.clock) {
            presence.handle_timeout(moment.clock);
            self.hear(presence, moment);
        }
    }

    /// The round is over.
    pub fn end_round(&mut self, brisks: &Brisks, presence: &mut Presence, moment: &Moment) {
        self.advance(brisks, presence, moment);
        presence.handle_timeout(moment.clock);
        self.hear(presence, moment);
        if self.graces.len() > 2 * self.brisks.len() {
            self.forget_graces(brisks, presence, moment);
        }
    }

    /// Forgets the graces of those that were heard of since: a long one would be waited for by more and more.
    fn forget_graces(&mut self, brisks: &Brisks, presence: &Presence, moment: &Moment) {
        let (hasher, policy) = (presence.fleet().clients.hasher(), presence.policy());
        let known = (0..self.brisks.len()).filter(|place| brisks.has(*place));
        let due = known.filter_map(|place| {
            let due = brisks.due(place, moment.clock, policy)?;
            Some(Reverse((due, place, hasher.hash(brisks.id(place)))))
        });
        self.graces = due.collect();
    }

    /// Something was heard of a brisk client, and was news.
    pub fn heard(
        &mut self,
        brisks: &Brisks,
        heard: Heard,
        remark: &Remark,
        (voice, policy): (VoiceKey<'_>, &Policy),
        moment: &Moment,
    ) {
        let occasion = Occasion::of(remark.kind(), remark.time(), voice);
        let client = (heard.place, remark.hash());
        self.turn(brisks, client, &occasion, policy, moment.clock, moment);
    }

    fn turn(
        &mut self,
        brisks: &Brisks,
        (place, hash): (usize, IdHash),
        occasion: &Occasion<'_>,
        policy: &Policy,
        now: Timestamp,
        moment: &Moment,
    ) {
        if place >= self.brisks.len() {
            let nobody = Followed { known: Known::default(), number: UNHEARD };
            self.brisks.resize(place + 1, nobody);
        }
        if self.brisks[place].number == UNHEARD {
            self.brisks[place].number = self.number(brisks.id(place), moment);
        }
        let Followed { known, number } = &mut self.brisks[place];
        let number = *number;
        if number == UNASKED {
            return;
        }
        let mut room = Default::default();
        let (stand, turn) = brisks.turn(place, occasion, known, (now, policy), &mut room);
        self.graces.extend(stand.due.map(|due| Reverse((due, place, hash))));
        if let Some(turn) = turn {
            self.note(number, hash, &turn, moment);
        }
    }

    /// Takes in something about a client that is none of the brisk ones, or not any more. Returns whether it
    /// was news.
    pub fn take(
        &mut self,
        brisks: &Brisks,
        presence: &mut Presence,
        (hash, event, by): (IdHash, &ChannelEvent<'_>, &Hearsay<'_>),
        moment: &Moment,
    ) -> bool {
        presence.handle_timeout(moment.clock);
        self.hear(presence, moment);
        presence.know_others();
        let is_news = presence.handle_numbered(hash, event, by);
        self.know_others(brisks, presence, moment);
        self.hear(presence, moment);
        is_news
    }

    /// Numbers the clients that became some of the others.
    pub fn know_others(&mut self, brisks: &Brisks, presence: &Presence, moment: &Moment) {
        let clients = &presence.fleet().clients;
        for place in self.others.len()..clients.len() {
            let id = clients.at(place).id();
            let brisk = brisks.find(clients.hasher().hash(id), id);
            let known = brisk.and_then(|brisk| self.brisks.get(brisk)).map(|known| known.number);
            let number = known.filter(|number| *number != UNHEARD);
            let number = number.unwrap_or_else(|| self.number(id, moment));
            self.others.push(number);
        }
    }

    /// Notes what changed about those that are not brisk.
    pub fn hear(&mut self, presence: &mut Presence, moment: &Moment) {
        while let Some(change) = presence.poll_change() {
            let Change { verdict, .. } = &change;
            let clients = &presence.fleet().clients;
            let hash = clients.hasher().hash(&verdict.client);
            let place = clients.find_as(hash, &verdict.client);
            let number = place.and_then(|place| self.others.get(place)).copied();
            if let Some(number) = number.filter(|number| *number != UNASKED) {
                self.note(number, hash, &Turn::of(&change), moment);
            }
        }
    }

    fn note(&mut self, number: u32, hash: IdHash, turn: &Turn<'_>, moment: &Moment) {
        let Self { asked, tracks, seen, noted, firsts, .. } = self;
        tracks.turn(number, turn, moment.clock, moment.bounds);
        let (sight, in_loop) = seen[number as usize].turn(turn, &asked.rules);
        let noted_move = Move::new(number, hash, sight, moment);
        if turn.cause == Cause::Grace {
            noted.lapses.push((turn.at, firsts[number as usize], noted_move));
        } else {
            let at = u32::try_from(noted.moves.len()).expect("a round is small");
            noted.loops.extend(in_loop.map(|in_loop| (at, in_loop)));
            noted.moves.push(noted_move);
            noted.lines.push(moment.line);
        }
    }

    fn number(&mut self, id: &str, moment: &Moment) -> u32 {
        if !(self.asked.include)(id) {
            return UNASKED;
        }
        self.firsts.push(moment.lines_before + u64::from(moment.line));
        self.noted.newcomers.push(id.into());
        self.seen.push(Track::default());
        self.tracks.add()
    }
}
