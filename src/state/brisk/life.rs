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
    name: Name,
    address: Address,
    kind: EventKind,
    id_length: u8,
}

impl Remark {
    /// Returns what is said of the client of this number, `None` if it does not fit.
    #[must_use]
    pub fn of(hash: IdHash, usual: &Usual<'_>) -> Option<Self> {
        let Usual { client, channel, kind, time, address } = *usual;
        let (name, address) = (Name::of(channel)?, Address::of(address)?);
        let id_length = u8::try_from(client.len()).ok()?;
        let fits = time != NEVER && kind != EventKind::Seen;
        fits.then_some(Self { hash, time, name, address, kind, id_length })
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
        let mut room = [0; HEX_LENGTH];
        let (channel, address) = (self.name.write(&mut room), self.address.text());
        let Self { kind, time, .. } = *self;
        hear(&Usual { client, channel, kind, time, address }.event())
    }
}

/// What was heard of a channel with a strong name, all of it from one address.
#[derive(Clone, Copy, Debug)]
#[repr(align(64))]
pub(super) struct Life {
    name: Name,
    address: Address,
    opened: Timestamp,
    farewell: Timestamp,
    closed: Timestamp,
}

/// Stands for a time where nothing was heard.
const NEVER: Timestamp = Timestamp::MIN;

impl Life {
    /// Returns the life of which this is the first thing that was heard.
    pub fn of(remark: &Remark) -> Self {
        let Remark { name, address, time, kind, .. } = *remark;
        let mut life = Self { name, address, opened: NEVER, farewell: NEVER, closed: NEVER };
        if let Some(known) = life.time_mut(kind) {
            *known = time;
        }
        life
    }

    /// Returns a number that is the same for the same channel, and rarely for another.
    pub const fn print(&self) -> u16 {
        let (first, last) = self.name.halves();
        let mixed = (first ^ last.rotate_left(23)).wrapping_mul(ODD);
        let [.., low, high] = mixed.to_le_bytes();
        u16::from_le_bytes([low, high])
    }

    /// Tells whether both are of one channel.
    pub fn is_of(&self, other: &Self) -> bool {
        self.name.halves() == other.name.halves() && self.name.length == other.name.length
    }

    pub const fn opened(&self) -> Option<Timestamp> {
        if self.opened.0 == NEVER.0 { None } else { Some(self.opened) }
    }

    /// Tells whether this channel ranks before another one: both have an opening.
    pub fn is_newer_than(&self, other: &Self) -> bool {
        self.opened > other.opened
            || (self.opened == other.opened && {
                let mut rooms = ([0; HEX_LENGTH], [0; HEX_LENGTH]);
                self.name.write(&mut rooms.0) > other.name.write(&mut rooms.1)
            })
    }

    /// Joins the single thing that another life of the same channel knows. Returns whether it was news;
    /// `None` if both together do not fit.
    pub fn join(&mut self, other: &Self, kind: EventKind) -> Option<bool> {
        let heard = *{ *other }.time_mut(kind)?;
        let is_same = self.address == other.address;
        let known = self.time_mut(kind)?;
        let is_news = *known == NEVER;
        if !is_same || !(is_news || *known == heard) {
            return None;
        }
        *known = heard;
        Some(is_news)
    }

    const fn time_mut(&mut self, kind: EventKind) -> Option<&mut Timestamp> {
        match kind {
            EventKind::Opened => Some(&mut self.opened),
            EventKind::Farewell => Some(&mut self.farewell),
            EventKind::Closed => Some(&mut self.closed),
            EventKind::Seen => None,
        }
    }

    /// Returns the record of what was heard. Its name is written into `name`.
    pub fn record<'a>(&'a self, name: &'a mut [u8; HEX_LENGTH]) -> Record<'a> {
        let mut record = Record::new(Channel::Strong(self.name.write(name)));
        let address = self.address.text();
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

/// A name of 32 hexadecimal digits, or a short text.
#[derive(Clone, Copy, Debug)]
struct Name {
    bytes: [u8; NAME_MAX],
    /// Of the text, or `HEX_LENGTH`.
    length: u8,
}

const NAME_MAX: usize = 16;
pub(super) const HEX_LENGTH: usize = 2 * NAME_MAX;
const IS_HEX: u8 = 2 * 16;

impl Name {
    fn of(text: &str) -> Option<Self> {
        if let Ok(digits) = text.as_bytes().try_into() {
            return Some(Self { bytes: from_hex(digits)?, length: IS_HEX });
        }
        Some(Self { bytes: padded(text.as_bytes())?, length: u8::try_from(text.len()).ok()? })
    }

    const fn halves(&self) -> (u64, u64) {
        let both = u128::from_le_bytes(self.bytes);
        #[expect(clippy::cast_possible_truncation, reason = "the lower half is meant")]
        ((both >> 64) as u64, both as u64)
    }

    fn write<'a>(&'a self, room: &'a mut [u8; HEX_LENGTH]) -> &'a str {
        let bytes = if self.length == IS_HEX {
            *room = to_hex(self.bytes);
            &room[..]
        } else {
            &self.bytes[..usize::from(self.length)]
        };
        std::str::from_utf8(bytes).expect("it was text")
    }
}

/// A short text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Address {
    length: u8,
    bytes: [u8; ADDRESS_MAX],
}

/// An IPv4 address with its port has at most 21 bytes.
const ADDRESS_MAX: usize = 22;

impl Address {
    fn of(text: &str) -> Option<Self> {
        Some(Self { bytes: padded(text.as_bytes())?, length: u8::try_from(text.len()).ok()? })
    }

    fn text(&self) -> &str {
        std::str::from_utf8(&self.bytes[..usize::from(self.length)]).expect("it was text")
    }
}

/// Returns a short text with zeros behind it, `None` if it is longer. Sixteen bytes of it are copied
/// together, and where it is no multiple of that, some of them twice: that is quicker than to be exact.
pub(super) fn padded<const LENGTH: usize>(text: &[u8]) -> Option<[u8; LENGTH]> {
    let mut bytes = [0; LENGTH];
    let room = bytes.get_mut(..text.len())?;
    match text.len() {
        16..=32 => copy_ends::<16>(text, room),
        8..16 => copy_ends::<8>(text, room),
        _ => room.copy_from_slice(text),
    }
    Some(bytes)
}

/// Copies the first and the last bytes of a text, which are all of it.
fn copy_ends<const COUNT: usize>(text: &[u8], room: &mut [u8]) {
    let (first, last) = (text.first_chunk::<COUNT>(), text.last_chunk::<COUNT>());
    let ends = first.zip(last).expect("it is long enough");
    room.first_chunk_mut().map(|begin| *begin = *ends.0);
    room.last_chunk_mut().map(|end| *end = *ends.1);
}

/// Reads lower-case hexadecimal digits, eight at a time.
fn from_hex(digits: &[u8; HEX_LENGTH]) -> Option<[u8; NAME_MAX]> {
    let mut bytes = [0; NAME_MAX];
    for (packed, eight) in bytes.chunks_exact_mut(4).zip(digits.chunks_exact(8)) {
        let word = u64::from_le_bytes(eight.try_into().ok()?);
        // A letter has a bit that no digit has, and is 9 more than its lower bits say.
        let nibbles = (word & each(0x0f)) + ((word >> 6) & each(1)) * 9;
        if nibbles & each(0xf0) != 0 || digits_of(nibbles) != word {
            return None;
        }
        let pairs = (nibbles << 4 | nibbles >> 8) & 0x00ff_00ff_00ff_00ff;
        let fours = (pairs | pairs >> 8) & 0x0000_ffff_0000_ffff;
        let [a, b, _, _, c, d, ..] = fours.to_le_bytes();
        packed.copy_from_slice(&[a, b, c, d]);
    }
    Some(bytes)
}

fn to_hex(bytes: [u8; NAME_MAX]) -> [u8; HEX_LENGTH] {
    let mut digits = [0; HEX_LENGTH];
    for (eight, packed) in digits.chunks_exact_mut(8).zip(bytes.chunks_exact(4)) {
        for (two, byte) in eight.chunks_exact_mut(2).zip(packed) {
            two.copy_from_slice(&[byte >> 4, byte & 0x0f]);
        }
        let nibbles = eight.iter().rev().fold(0, |word, nibble| word << 8 | u64::from(*nibble));
        eight.copy_from_slice(&digits_of(nibbles).to_le_bytes());
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
    fn a_name_is_written_as_it_was_read_or_does_not_fit() {
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

            let name = Name::of(&text);

            let fits = is_hex || text.len() <= NAME_MAX;
            assert_eq!(name.is_some(), fits, "seed {seed}: {text}");
            if let Some(name) = name {
                assert_eq!(name.write(&mut [0; HEX_LENGTH]), text, "seed {seed}");
            }
        }
    }
}
