//! One usual thing that is said of a channel, and one channel of which only such things were heard: each
//! as long as a line of memory.

use super::id::{Id, Piece};
use crate::event::{Channel, ChannelEvent, EventKind, Observation, Timestamp, Usual};
use crate::state::clients::IdHash;
use crate::state::record::Record;
use crate::state::slot::Slot;

/// One thing that is said of a channel with a strong name, in the form in which it is taken in: whoever
/// reads it may forget where it stood. The id of its client is kept beside it.
#[derive(Clone, Copy, Debug)]
#[repr(align(64))]
pub struct Remark {
    hash: IdHash,
    time: Timestamp,
    subject: Subject,
    /// By how much the clock of the log is ahead of it, ms.
    lag_ms: u32,
    /// Its place among those that were read together.
    line: u16,
    kind: EventKind,
    id_length: u8,
}

impl Remark {
    /// Returns what is said of the client of this number, `None` if it does not fit.
    #[inline]
    #[must_use]
    pub fn of(hash: IdHash, usual: &Usual<'_>) -> Option<Self> {
        let Usual { client, channel, kind, time, address } = *usual;
        let subject = Subject::of(channel, address)?;
        let id_length = u8::try_from(client.len()).ok()?;
        let fits = time != NEVER && kind != EventKind::Seen;
        fits.then_some(Self { hash, time, subject, lag_ms: 0, line: 0, kind, id_length })
    }

    /// Notes its place, and what the clock of the log shows there; returns `None` if that does not fit.
    #[inline]
    #[must_use]
    pub fn placed(self, line: u64, clock: Timestamp) -> Option<Self> {
        let line = u16::try_from(line).ok()?;
        let lag_ms = u32::try_from(clock.since(self.time)).ok()?;
        Some(Self { lag_ms, line, ..self })
    }

    /// Returns its place, and what the clock of the log shows there.
    #[must_use]
    pub fn place(&self) -> (u32, Timestamp) {
        (u32::from(self.line), self.time.plus(i64::from(self.lag_ms)))
    }

    #[must_use]
    pub const fn hash(&self) -> IdHash {
        self.hash
    }

    #[must_use]
    pub const fn kind(&self) -> EventKind {
        self.kind
    }

    #[must_use]
    pub const fn time(&self) -> Timestamp {
        self.time
    }

    /// Returns the id of its client, with which the pieces begin.
    #[must_use]
    pub fn id<'a>(&self, pieces: &'a [Piece]) -> Id<'a> {
        Id::first_of(pieces, usize::from(self.id_length))
    }

    /// Tells the event, about the client of that id.
    pub fn tell<T>(&self, client: &str, hear: impl FnOnce(&ChannelEvent<'_>) -> T) -> T {
        let (mut name, mut address) = Default::default();
        let channel = self.subject.write_name(&mut name);
        let address = self.subject.write_address(&mut address);
        let Self { kind, time, .. } = *self;
        hear(&Usual { client, channel, kind, time, address }.event())
    }
}

/// What was heard of a channel with a strong name, all of it from one address.
#[derive(Clone, Copy, Debug)]
#[repr(align(64))]
pub(super) struct Life {
    subject: Subject,
    opened: Timestamp,
    farewell: Timestamp,
    closed: Timestamp,
}

/// Stands for a time where nothing was heard.
const NEVER: Timestamp = Timestamp::MIN;

impl Life {
    /// Returns the life of which this is the first thing that was heard.
    pub fn of(remark: &Remark) -> Self {
        let Remark { subject, time, kind, .. } = *remark;
        let time_if = |is_heard| if is_heard { time } else { NEVER };
        Self {
            subject,
            opened: time_if(kind == EventKind::Opened),
            farewell: time_if(kind == EventKind::Farewell),
            closed: time_if(kind == EventKind::Closed),
        }
    }

    /// Returns a number that is the same for the same channel, and rarely for another.
    pub const fn print(&self) -> u16 {
        let [first, last] = self.subject.name;
        let mixed = (first ^ last.rotate_left(23)).wrapping_mul(ODD);
        let [.., low, high] = mixed.to_le_bytes();
        u16::from_le_bytes([low, high])
    }

    /// Tells whether both are of one channel.
    pub fn is_of(&self, other: &Self) -> bool {
        self.subject.has_name_of(&other.subject)
    }

    pub const fn opened(&self) -> Option<Timestamp> {
        if self.opened.0 == NEVER.0 { None } else { Some(self.opened) }
    }

    /// Tells whether it was opened and never heard to have ended.
    pub const fn is_unclosed(&self) -> bool {
        self.opened.0 != NEVER.0 && self.closed.0 == NEVER.0
    }

    pub const fn farewell(&self) -> Option<Timestamp> {
        if self.farewell.0 == NEVER.0 { None } else { Some(self.farewell) }
    }

    pub const fn closed(&self) -> Option<Timestamp> {
        if self.closed.0 == NEVER.0 { None } else { Some(self.closed) }
    }

    pub fn name<'a>(&self, room: &'a mut NameRoom) -> &'a str {
        self.subject.write_name(room)
    }

    pub fn address<'a>(&self, room: &'a mut AddressRoom) -> &'a str {
        self.subject.write_address(room)
    }

    /// Tells whether a channel without an opening ranks before another one.
    pub fn ended_after(&self, other: &Self) -> bool {
        let end = |life: &Self| life.closed().or(life.farewell());
        end(self) > end(other) || (end(self) == end(other) && self.has_greater_name(other))
    }

    /// Tells whether this channel ranks before another one: both have an opening.
    pub fn is_newer_than(&self, other: &Self) -> bool {
        self.opened > other.opened || (self.opened == other.opened && self.has_greater_name(other))
    }

    fn has_greater_name(&self, other: &Self) -> bool {
        let (mut one, mut two) = Default::default();
        self.subject.write_name(&mut one) > other.subject.write_name(&mut two)
    }

    /// Joins the single thing that another life of the same channel knows. Returns whether it was news;
    /// `None` if both together do not fit.
    pub fn join(&mut self, other: &Self, kind: EventKind) -> Option<bool> {
        let (known, heard) = match kind {
            EventKind::Opened => (&mut self.opened, other.opened),
            EventKind::Farewell => (&mut self.farewell, other.farewell),
            EventKind::Closed => (&mut self.closed, other.closed),
            EventKind::Seen => return None,
        };
        let is_news = *known == NEVER;
        // The names are the same, and so all of the subject is if the address is.
        if self.subject != other.subject || !(is_news || *known == heard) {
            return None;
        }
        *known = heard;
        Some(is_news)
    }

    /// Returns the record of what was heard. Its texts are written into `rooms`.
    pub fn record<'a>(&self, rooms: &'a mut (NameRoom, AddressRoom)) -> Record<'a> {
        let (name, address) = rooms;
        let mut record = Record::new(Channel::Strong(self.subject.write_name(name)));
        let address = self.subject.write_address(address);
        for (time, slot) in [
            (self.opened, &mut record.opened),
            (self.farewell, &mut record.farewell),
            (self.closed, &mut record.closed),
        ] {
            if time != NEVER {
                let seen = Observation { sequence: &[], time, tie: 0, address, resolution: 0 };
                *slot = Slot::of(Some(seen));
            }
        }
        record
    }
}

/// The name of a channel and the address that it has. They are words, not bytes, so that a processor
/// builds and copies them without a detour over memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Subject {
    /// 32 hexadecimal digits, or a text of at most 16 bytes.
    name: [u64; 2],
    /// A text of at most 22 bytes. The upper bytes of the last word are the lengths of both.
    address: [u64; 3],
}

/// Where a name is written.
pub(super) type NameRoom = [u8; HEX_LENGTH];
/// Where an address is written.
pub type AddressRoom = [u8; 3 * WORD];

const WORD: usize = size_of::<u64>();
/// A name may be as long as that.
const NAME_MAX: usize = 2 * WORD;
/// Or it is so long, and nothing but hexadecimal digits.
const HEX_LENGTH: usize = 2 * NAME_MAX;
/// An IPv4 address with its port has at most 21 bytes.
const ADDRESS_MAX: usize = 3 * WORD - 2;

impl Subject {
    #[inline]
    fn of(name: &str, address: &str) -> Option<Self> {
        let (name_length, address_length) = (name.len(), address.len());
        let name = match name.as_bytes().try_into() {
            Ok(digits) => from_hex(digits)?,
            Err(_) => words(name.as_bytes())?,
        };
        let [first, second, third] = words(address.as_bytes())?;
        let lengths = u64::try_from(name_length << 8 | address_length).ok()?;
        let address = [first, second, third | lengths << (8 * (WORD - 2))];
        (address_length <= ADDRESS_MAX).then_some(Self { name, address })
    }

    const fn lengths(&self) -> (usize, usize) {
        let [.., address, name] = self.address[2].to_le_bytes();
        (name as usize, address as usize)
    }

    fn has_name_of(&self, other: &Self) -> bool {
        self.name == other.name && self.lengths().0 == other.lengths().0
    }

    fn write_name<'a>(&self, room: &'a mut NameRoom) -> &'a str {
        let (length, _) = self.lengths();
        if length == HEX_LENGTH {
            *room = to_hex(self.name);
        } else {
            write_words(&self.name, room);
        }
        std::str::from_utf8(&room[..length]).expect("it was text")
    }

    fn write_address<'a>(&self, room: &'a mut AddressRoom) -> &'a str {
        let (_, length) = self.lengths();
        write_words(&self.address, room);
        std::str::from_utf8(&room[..length]).expect("it was text")
    }
}

/// Returns a short text in words, with zeros behind it; `None` if it is longer.
fn words<const COUNT: usize>(text: &[u8]) -> Option<[u64; COUNT]> {
    (text.len() <= COUNT * WORD).then(|| std::array::from_fn(|at| word(text, at * WORD)))
}

/// Returns the word of a text that begins at a place, with zeros behind its end.
fn word(text: &[u8], start: usize) -> u64 {
    let Some(rest) = text.get(start..).filter(|rest| !rest.is_empty()) else { return 0 };
    if let Some(whole) = rest.first_chunk() {
        return u64::from_le_bytes(*whole);
    }
    match text.last_chunk() {
        // It begins with bytes of the word before.
        Some(last) => u64::from_le_bytes(*last) >> (8 * (WORD - rest.len())),
        None => rest.iter().rfold(0, |word, byte| word << 8 | u64::from(*byte)),
    }
}

/// Writes words one after the other.
fn write_words(words: &[u64], room: &mut [u8]) {
    for (bytes, word) in room.as_chunks_mut().0.iter_mut().zip(words) {
        *bytes = word.to_le_bytes();
    }
}

/// Reads lower-case hexadecimal digits, eight at a time.
fn from_hex(digits: &[u8; HEX_LENGTH]) -> Option<[u64; 2]> {
    let mut words = [0; 2];
    for (word, digits) in words.iter_mut().zip(digits.as_chunks::<{ 2 * WORD }>().0) {
        for eight in digits.as_chunks().0 {
            let digits = u64::from_le_bytes(*eight);
            // A letter has a bit that no digit has, and is 9 more than its lower bits say.
            let nibbles = (digits & each(0x0f)) + ((digits >> 6) & each(1)) * 9;
            if nibbles & each(0xf0) != 0 || digits_of(nibbles) != digits {
                return None;
            }
            let pairs = (nibbles << 4 | nibbles >> 8) & 0x00ff_00ff_00ff_00ff;
            let fours = pairs | pairs >> 8;
            *word = *word >> 32 | (fours & 0xffff) << 32 | (fours & 0xffff_0000_0000) << 16;
        }
    }
    Some(words)
}

fn to_hex(words: [u64; 2]) -> NameRoom {
    let mut digits = [0; HEX_LENGTH];
    let bytes = words.map(u64::to_le_bytes);
    for (eight, packed) in digits.as_chunks_mut().0.iter_mut().zip(bytes.as_flattened().chunks(4)) {
        let nibbles = packed.iter().flat_map(|byte| [byte >> 4, byte & 0x0f]);
        let nibbles = nibbles.rfold(0, |word, nibble| word << 8 | u64::from(nibble));
        *eight = digits_of(nibbles).to_le_bytes();
    }
    digits
}

/// Returns the digits that eight nibbles are written with.
const fn digits_of(nibbles: u64) -> u64 {
    let letters = ((nibbles + each(6)) >> 4) & each(1);
    nibbles + each(b'0') + letters * (b'a' - b'0' - 10) as u64
}

/// Returns eight times the same byte.
const fn each(byte: u8) -> u64 {
    u64::from_le_bytes([byte; 8])
}

/// Spreads what differs anywhere over the upper bits.
const ODD: u64 = 0x9e37_79b9_7f4a_7c15;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_and_an_address_are_written_as_they_were_read_or_do_not_fit() {
        for seed in 0..5_000 {
            let mut rng = fastrand::Rng::with_seed(seed);
            let mut text = format!("{:016x}{:016x}", rng.u64(..), rng.u64(..));
            let is_hex = rng.bool();
            if !is_hex {
                let at = rng.usize(..text.len());
                let odd = ["g", "A", "`", "/", ":", "@", "G", "\u{b0}", "\0"][rng.usize(..9)];
                text.replace_range(at..=at, odd);
                text.truncate(text.floor_char_boundary(rng.usize(..40).min(text.len())));
            }

            let address: String =
                (0..rng.usize(..26)).map(|_| ["7", "\0"][rng.usize(..2)]).collect();

            let subject = Subject::of(&text, &address);

            let fits = (is_hex || text.len() <= NAME_MAX) && address.len() <= ADDRESS_MAX;
            assert_eq!(subject.is_some(), fits, "seed {seed}: {text} {address}");
            if let Some(subject) = subject {
                let (mut name_room, mut address_room) = Default::default();
                assert_eq!(subject.write_name(&mut name_room), text, "seed {seed}");
                assert_eq!(subject.write_address(&mut address_room), address, "seed {seed}");
            }
        }
    }
}
