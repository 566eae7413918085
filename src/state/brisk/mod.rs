//! Clients of which only usual things were heard, in a form that takes in events as quickly as their
//! memory comes: an event touches three lines of it.
//!
//! It is for whoever takes in many events and asks afterwards. A client whose next event does not fit
//! becomes a [`Client`] for good, the same that it would have been all along; so do all in the end.
//! What fits: one voice, short ids, strong channels with short names, each told of from one address and of
//! each thing the same time, and few of them without an opening.

mod id;
mod life;
mod stand;

use super::clients::{Clients, IdHash, IdHasher};
use super::packed::{Client, VoiceKey};
use crate::event::{EventKind, Timestamp};
use crate::sys::{AHEAD, prefetch};
use hashbrown::HashTable;
pub use id::{Id, Piece, put_id};
use life::Life;
pub use life::{AddressRoom, Remark};
pub use stand::{Known, Occasion, Stand};

/// Clients by id, that are numbered like those they may become.
#[derive(Debug, Default)]
pub struct Brisks {
    table: HashTable<u32>,
    list: Vec<Brisk>,
    hasher: IdHasher,
}

/// One client, as long as two lines of memory.
#[derive(Debug)]
#[repr(C, align(64))]
struct Brisk {
    lives: Vec<Life>,
    /// The latest opening of all.
    newest: Timestamp,
    prints: [u16; LIVES_MAX],
    /// The lives without an opening, a bit each.
    unopened: u16,
    /// Those with an opening whose end was not heard.
    unclosed: u16,
    /// Places of the lives, those first that were heard of last.
    order: [u8; LIVES_MAX],
    /// In this order each opening is later than the one behind it.
    is_ordered: bool,
    has_forgotten: bool,
    /// Became a client, and is none of these any more.
    is_packed: bool,
    id_length: u8,
    id: [u8; ID_MAX],
}

/// Lives with an opening: as many as are kept unless told otherwise.
const OPENED_MAX: usize = 8;
const UNOPENED_MAX: usize = 3;
const LIVES_MAX: usize = OPENED_MAX + UNOPENED_MAX;
const ID_MAX: usize = 55;

/// What taking something in did.
#[derive(Clone, Copy, Debug)]
pub struct Heard {
    pub is_news: bool,
    /// Where the client is; it stays there.
    pub place: usize,
}

/// Where a client is, unless another one is there.
#[derive(Clone, Copy, Debug)]
pub struct Guess(u32);

impl Guess {
    #[must_use]
    pub const fn place(self) -> usize {
        self.0 as usize
    }
}

impl Default for Guess {
    /// Nobody is there.
    fn default() -> Self {
        Self(u32::MAX)
    }
}

impl Brisks {
    /// Returns no clients, to be numbered like others.
    #[must_use]
    pub fn numbered_by(hasher: IdHasher) -> Self {
        Self { hasher, ..Self::default() }
    }

    /// Returns where a client is, probably, and has it fetched from memory: they lie scattered over it.
    #[must_use]
    pub fn guess(&self, hash: IdHash) -> Guess {
        let place = self.table.find(hash.0, |_| true).copied().unwrap_or(u32::MAX);
        if let Some(brisk) = self.list.get(place as usize) {
            prefetch(brisk);
        }
        Guess(place)
    }

    /// Has that of a client fetched which an event of this kind will touch: the client itself should be there
    /// by now. Returns whether it is none of these any more, if it is where it was guessed to be.
    pub fn approach(&self, guess: Guess, kind: EventKind) -> bool {
        let Some(brisk) = self.list.get(guess.0 as usize) else { return false };
        brisk.front(kind).inspect(|life| prefetch(*life));
        brisk.is_packed
    }

    /// Takes in what is said of the client of an id, and believed. Returns what that did; `None` if
    /// it does not fit: then the client is, or may be, among `clients`, and it is to be taken in there.
    pub fn take(
        &mut self,
        (guess, id, remark): (Guess, Id<'_>, &Remark),
        voice: VoiceKey<'_>,
        channels_max: usize,
        clients: &mut Clients,
    ) -> Option<Heard> {
        let is_there = self.list.get(guess.0 as usize).is_some_and(|brisk| brisk.is(id));
        let place = if is_there {
            guess.0 as usize
        } else {
            self.find_or_add(remark.hash(), id.text(), clients)?
        };
        let brisk = &mut self.list[place];
        if brisk.is_packed {
            return None;
        }
        let heard = brisk.take(&Life::of(remark), remark.kind(), channels_max);
        if heard.is_none() {
            clients.add(remark.hash(), brisk.pack(voice));
        }
        heard.map(|is_news| Heard { is_news, place })
    }

    /// Makes a client one of `clients`, if it is known here.
    pub fn release(&mut self, hash: IdHash, id: &str, voice: VoiceKey<'_>, clients: &mut Clients) {
        let Some(place) = self.find(hash, id) else { return };
        let brisk = &mut self.list[place];
        if !brisk.is_packed {
            clients.add(hash, brisk.pack(voice));
        }
    }

    /// Makes all of them clients.
    pub fn release_all(&mut self, voice: VoiceKey<'_>, clients: &mut Clients) {
        self.table = HashTable::new();
        let mut list = std::mem::take(&mut self.list);
        for near in list.chunks_mut(AHEAD) {
            for brisk in &*near {
                prefetch(&brisk.lives[..]);
            }
            for brisk in near.iter_mut().filter(|brisk| !brisk.is_packed) {
                let client = brisk.pack(voice);
                clients.add(self.hasher.hash(client.id()), client);
            }
        }
    }

    /// Returns the id of a client.
    #[must_use]
    pub fn id(&self, place: usize) -> &str {
        std::str::from_utf8(self.list[place].id()).expect("it was text")
    }

    /// Returns where a client is or was.
    #[must_use]
    pub fn find(&self, hash: IdHash, id: &str) -> Option<usize> {
        let is = |place: &u32| self.list[*place as usize].id() == id.as_bytes();
        self.table.find(hash.0, is).map(|place| *place as usize)
    }

    fn find_or_add(&mut self, hash: IdHash, id: &str, clients: &Clients) -> Option<usize> {
        if let Some(place) = self.find(hash, id) {
            return Some(place);
        }
        let mut brisk = Brisk::new(id)?;
        brisk.is_packed = clients.find_as(hash, id).is_some();
        let Self { table, list, hasher } = self;
        let place = u32::try_from(list.len()).ok()?;
        list.push(brisk);
        table.insert_unique(hash.0, place, |place| {
            let id = std::str::from_utf8(list[*place as usize].id()).expect("it was text");
            hasher.hash(id).0
        });
        Some(place as usize)
    }
}

impl Brisk {
    fn new(id: &str) -> Option<Self> {
        let mut bytes = [0; ID_MAX];
        bytes.get_mut(..id.len())?.copy_from_slice(id.as_bytes());
        Some(Self {
            lives: Vec::new(),
            newest: Timestamp::MIN,
            prints: [0; LIVES_MAX],
            unopened: 0,
            unclosed: 0,
            order: [0; LIVES_MAX],
            is_ordered: true,
            has_forgotten: false,
            is_packed: false,
            id_length: u8::try_from(id.len()).ok()?,
            id: bytes,
        })
    }

    fn id(&self) -> &[u8] {
        &self.id[..usize::from(self.id_length)]
    }

    /// Tells whether this is the client of an id.
    fn is(&self, id: Id<'_>) -> bool {
        usize::from(self.id_length) == id.length() && id.is_begun_by(&self.id)
    }

    /// Returns what an event about the newest channel touches, or one that opens a newer one: that takes
    /// the place of the oldest.
    fn front(&self, kind: EventKind) -> Option<&Life> {
        let order = self.order();
        let at = if kind == EventKind::Opened { order.last() } else { order.first() };
        at.map(|at| &self.lives[usize::from(*at)])
    }

    fn order(&self) -> &[u8] {
        &self.order[..self.lives.len()]
    }

    fn count_opened(&self) -> usize {
        self.lives.len() - self.unopened.count_ones() as usize
    }

    /// Takes in the single thing that a life knows. Returns whether it was news.
    fn take(&mut self, life: &Life, kind: EventKind, channels_max: usize) -> Option<bool> {
        let print = life.print();
        let known = (0..self.lives.len())
            .find(|at| self.prints[*at] == print && self.lives[*at].is_of(life));
        match (known, life.opened()) {
            (Some(at), opened) => {
                let is_late = opened.is_some() && self.unopened >> at & 1 == 1;
                if is_late && self.count_opened() >= channels_max.min(OPENED_MAX) {
                    // Whichever is the oldest then would have to be forgotten.
                    return None;
                }
                let is_news = self.lives[at].join(life, kind)?;
                if is_late {
                    self.unopened &= !(1 << at);
                    self.is_ordered = false;
                    self.newest = self.newest.max(opened?);
                }
                self.unclosed &= !(1 << at);
                self.unclosed |= u16::from(self.lives[at].is_unclosed()) << at;
                Some(is_news)
            }
            (None, None) => {
                let count = self.unopened.count_ones() as usize;
                let fits = count < channels_max.min(UNOPENED_MAX);
                self.unopened |= u16::from(fits) << self.lives.len();
                fits.then(|| self.push(*life, print))
            }
            (None, Some(opened)) => self.open(life, print, opened, channels_max),
        }
    }

    /// Adds a channel that was opened then. Returns whether that is news.
    fn open(
        &mut self,
        life: &Life,
        print: u16,
        opened: Timestamp,
        channels_max: usize,
    ) -> Option<bool> {
        let count = self.count_opened();
        if count < channels_max.min(OPENED_MAX) {
            self.is_ordered &= opened > self.newest;
            self.newest = self.newest.max(opened);
            self.unclosed |= 1 << self.lives.len();
            return Some(self.push(*life, print));
        }
        if count != channels_max {
            return None;
        }
        let at = self.oldest()?;
        let was_forgotten = std::mem::replace(&mut self.has_forgotten, true);
        if self.lives[at].is_newer_than(life) {
            // What comes and goes is no news, unless it is the first to go.
            return Some(!was_forgotten);
        }
        self.is_ordered &= opened > self.newest;
        self.newest = self.newest.max(opened);
        (self.lives[at], self.prints[at]) = (*life, print);
        self.unclosed |= 1 << at;
        self.put_in_front(at);
        Some(true)
    }

    /// Returns where the oldest of the lives with an opening is.
    fn oldest(&mut self) -> Option<usize> {
        let is_opened = |at: &usize| self.unopened >> at & 1 == 0;
        let mut opened = self.order().iter().map(|at| usize::from(*at)).filter(is_opened);
        if self.is_ordered {
            return opened.next_back();
        }
        let mut oldest = opened.next()?;
        let (mut before, mut is_ordered) = (oldest, true);
        for at in opened {
            is_ordered &= self.lives[before].is_newer_than(&self.lives[at]);
            before = at;
            if self.lives[oldest].is_newer_than(&self.lives[at]) {
                oldest = at;
            }
        }
        self.is_ordered = is_ordered;
        Some(oldest)
    }

    /// Puts the life that is there before the others.
    fn put_in_front(&mut self, at: usize) {
        let order = &mut self.order[..self.lives.len()];
        let was = order.iter().position(|known| usize::from(*known) == at).unwrap_or_default();
        order[..=was].rotate_right(1);
    }

    /// Adds a life before the others, which is news.
    fn push(&mut self, life: Life, print: u16) -> bool {
        let at = self.lives.len();
        // Most clients have few channels, and room for more would be most of their memory.
        if at == self.lives.capacity() {
            self.lives.reserve_exact(match at {
                0 => 1,
                1 => 3,
                2..OPENED_MAX => OPENED_MAX - 4,
                _ => 1,
            });
        }
        self.prints[at] = print;
        self.lives.push(life);
        self.order.copy_within(..at, 1);
        self.order[0] = u8::try_from(at).expect("it is below the most there can be");
        true
    }

    /// Returns the client that this is from now on.
    fn pack(&mut self, voice: VoiceKey<'_>) -> Client {
        self.is_packed = true;
        let lives = std::mem::take(&mut self.lives);
        let id = std::str::from_utf8(self.id()).expect("it was text");
        if lives.is_empty() {
            return Client::new(id);
        }
        Client::of_voice(id, voice, self.has_forgotten, |put| {
            for at in &self.order[..lives.len()] {
                put(&lives[usize::from(*at)].record(&mut Default::default()));
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Channel, Observation, Usual};

    const VOICE: VoiceKey<'static> = VoiceKey { authority: 1, name: "lmq" };

    /// Returns names of channels: mostly usual ones, among them some of the same beginning.
    fn names(rng: &mut fastrand::Rng) -> Vec<String> {
        let long = "x".repeat(17);
        let mut names: Vec<String> =
            (0..14).map(|_| format!("{:016x}{:016x}", rng.u64(..), rng.u64(..2))).collect();
        names.extend(["a", "ch-1", "ch-2", "ABCDEF0123456789"].map(str::to_owned));
        if rng.u8(..4) == 0 {
            names.push(long);
        }
        names
    }

    #[test]
    fn a_client_is_the_same_as_if_it_had_been_one_all_along() {
        let (mut fitting, mut all, mut forgetting) = (0, 0, 0);
        for seed in 0..4_000 {
            let mut rng = fastrand::Rng::with_seed(seed);
            let (names, channels_max) = (names(&mut rng), [1, 2, 3, 8, 9][rng.usize(..5)]);
            let hasher = IdHasher::default();
            let mut brisks = Brisks::numbered_by(hasher.clone());
            let mut clients = Clients::numbered_by(hasher.clone());
            let mut expected = Clients::numbered_by(hasher.clone());
            let too_long = "ä".repeat(29);
            let ids = &["pump-7", "", &*too_long][..rng.usize(1..=3)];
            // Mostly in order, and then rarely of two minds.
            let (disorder, oddities) = (rng.u8(..3), rng.u8(..3) == 0);
            for step in 0..rng.i64(0..80) {
                let client = ids[rng.usize(..ids.len())];
                let life = usize::try_from(step / 4).expect("it counts up") + rng.usize(..2);
                let at = if disorder == 0 { rng.usize(..names.len()) } else { life % names.len() };
                let kinds = [EventKind::Opened, EventKind::Farewell, EventKind::Closed];
                let kind = kinds[rng.usize(..3)];
                let begun = i64::try_from(at).expect("it is small") * 10;
                let later = match kind {
                    EventKind::Opened => 0,
                    _ => i64::from(rng.u8(..2)) * i64::from(oddities) + 3,
                };
                let channel = &*names[at];
                let usual = Usual {
                    client,
                    channel,
                    kind,
                    time: Timestamp(1_760_000_000_000 + begun + later - begun % 20),
                    address: if oddities && rng.u8(..9) == 0 { "" } else { "192.0.2.1:40000" },
                };
                let hash = hasher.hash(client);
                let guess = brisks.guess(hash);
                brisks.approach(guess, kind);

                let mut pieces = Vec::new();
                put_id(&mut pieces, client);
                let mut taken = Remark::of(hash, &usual).and_then(|remark| {
                    let said = (guess, remark.id(&pieces), &remark);
                    let heard = brisks.take(said, VOICE, channels_max, &mut clients);
                    heard.map(|heard| heard.is_news)
                });
                if taken.is_none() {
                    brisks.release(hash, client, VOICE, &mut clients);
                }
                fitting += u32::from(taken.is_some());
                all += 1;
                let seen = Observation {
                    sequence: &[],
                    time: usual.time,
                    tie: 0,
                    address: usual.address,
                    resolution: 0,
                };
                let join = |clients: &mut Clients| {
                    let place = clients.find_or_add(client);
                    let channel = Channel::Strong(channel);
                    let client = clients.at_mut(place);
                    client.join_event(VOICE, channel, kind, &seen, None, channels_max).news
                };
                let is_news = *taken.get_or_insert_with(|| join(&mut clients));
                assert_eq!(is_news, join(&mut expected), "seed {seed}, step {step}: {usual:?}");
                if rng.u8(..200) == 0 {
                    brisks.release(hash, client, VOICE, &mut clients);
                }
            }
            brisks.release_all(VOICE, &mut clients);
            assert_eq!(clients.sorted(), expected.sorted(), "seed {seed}");
            let is_forgetting = |client: &&Client| client.voices().iter().any(|v| v.forgotten);
            forgetting += clients.iter().filter(is_forgetting).count();
        }
        assert!(fitting > all / 5 && fitting < all, "{fitting} of {all} fit");
        assert!(forgetting > 500, "{forgetting} clients forgot anything");
    }

    #[test]
    fn a_client_that_was_known_before_stays_where_it_is() {
        let hasher = IdHasher::default();
        let mut brisks = Brisks::numbered_by(hasher.clone());
        let mut clients = Clients::numbered_by(hasher.clone());
        clients.find_or_add("pump-7");
        let (client, channel, address) = ("pump-7", "one", "192.0.2.1:40000");
        let usual = Usual { client, channel, kind: EventKind::Opened, time: Timestamp(1), address };
        let hash = hasher.hash(client);
        let guess = brisks.guess(hash);
        assert!(!brisks.approach(guess, usual.kind));

        let remark = Remark::of(hash, &usual).expect("it is usual");
        let mut pieces = Vec::new();
        put_id(&mut pieces, client);
        let said = (guess, remark.id(&pieces), &remark);
        assert!(brisks.take(said, VOICE, 8, &mut clients).is_none());

        brisks.release_all(VOICE, &mut clients);
        assert_eq!(clients.len(), 1);
    }
}
