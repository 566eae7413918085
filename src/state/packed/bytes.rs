//! The byte format of a client: writing it, and reading what may not be of it.

use super::VoiceKey;
use crate::event::{Channel, EventKind, Flags, Observation, Timestamp};
use crate::state::record::{Mark, Marks, Record};
use crate::state::slot::Slot;
use smallvec::SmallVec;

pub(super) const SECTION_LENGTH: usize = 4;
pub(super) const FORGOTTEN: u16 = 1 << 15;

const CHANNEL_NAMELESS: u8 = 0;
const CHANNEL_WEAK: u8 = 1;
const CHANNEL_STRONG: u8 = 2;

/// In the first two bits of a mask: the slot has a time.
const SLOT_TIMED: u8 = 0b10;

const TAG_TIE: u8 = 1;
const TAG_RESOLUTION: u8 = 1 << 1;
const TAG_SEQUENCE: u8 = 1 << 2;
const TAG_ADDRESS: u8 = 1 << 3;
/// The address is that of the observation before it in the same record, as it nearly always is.
const TAG_SAME_ADDRESS: u8 = 1 << 4;

pub(super) fn section_length(length: usize) -> [u8; SECTION_LENGTH] {
    u32::try_from(length).expect("texts are bounded far below 4 GiB").to_le_bytes()
}

/// What tells which of two channels is the newer one.
pub(super) type Rank<'a> = (Option<Timestamp>, &'a [u8], bool);

/// What changes in the bytes of a record when one thing more was observed. Places count from its
/// beginning.
pub(super) struct Addition {
    /// The first byte, the length.
    pub length: u8,
    pub mask_at: usize,
    pub mask: u8,
    pub written_at: usize,
    pub written: Scratch,
}

impl Addition {
    /// Returns what changes, where nothing of this kind was observed before and nothing that is written
    /// behind it, and its mark is there already. Otherwise, and if the length outgrows its byte, the record is
    /// to be written anew.
    pub fn to(
        record: &[u8],
        kind: EventKind,
        seen: &Observation<'_>,
        mark: Option<Mark>,
    ) -> Option<Self> {
        let mut body = Reader(record).record_body()?;
        let length = body.0.len();
        let head = record.len() - length;
        if body.byte()? != CHANNEL_NAMELESS {
            body.bytes()?;
        }
        let mask_at = record.len() - body.0.len();
        let mask = body.byte()?;
        let place = place_in_mask(kind);
        if mask >> place != 0 {
            return None;
        }
        let mut address: &[u8] = &[];
        for slot in (0..place).step_by(2) {
            for _ in 1..(mask >> slot & 0b11) {
                body.skim(&mut address)?;
            }
        }
        let written_at = record.len() - body.0.len();
        if mark.is_some_and(|mark| !body.has_mark(mark)) {
            return None;
        }
        let mut written = Scratch::new();
        put_observation(&mut written, seen, &mut address);
        let length = u8::try_from(length + written.len()).ok()?;
        let fits = head == 1 && length < 0x80;
        let mask = mask | SLOT_TIMED << place;
        fits.then_some(Self { length, mask_at, mask, written_at, written })
    }
}

/// Tells whether two names are the same. Most differ soon, and are not compared to their ends.
fn are_same(one: &[u8], other: &[u8]) -> bool {
    const HEAD: usize = 8;
    one.first_chunk::<HEAD>() == other.first_chunk::<HEAD>() && one == other
}

/// Bytes on their way into a client: a record of any usual size needs no heap.
pub(super) type Scratch = SmallVec<[u8; 192]>;

fn put_varint(out: &mut Scratch, mut value: u64) {
    if value < 0x80 {
        // As all lengths are, nearly.
        return out.push(value.to_le_bytes()[0]);
    }
    let mut bytes = [0; VARINT_MAX];
    let mut length = 0;
    while value >= 0x80 {
        bytes[length] = value.to_le_bytes()[0] | 0x80;
        value >>= 7;
        length += 1;
    }
    bytes[length] = value.to_le_bytes()[0];
    out.extend_from_slice(&bytes[..=length]);
}

/// Bytes of the longest number.
const VARINT_MAX: usize = 10;

pub(super) fn put_text(out: &mut Scratch, text: &[u8]) {
    put_varint(out, text.len() as u64);
    out.extend_from_slice(text);
}

pub(super) fn put_record(out: &mut Scratch, record: &Record<'_>) {
    put_framed(out, |out| {
        put_channel(out, record.channel);
        let mask_at = out.len();
        out.push(0);
        let mut address: &[u8] = &[];
        for (place, slot) in record.slots().into_iter().enumerate() {
            let code = match slot {
                Slot::Empty => 0,
                Slot::Untimed => 1,
                Slot::Timed { low, high } if is_same(low, high) => {
                    put_observation(out, low, &mut address);
                    2
                }
                Slot::Timed { low, high } => {
                    put_observation(out, low, &mut address);
                    put_observation(out, high, &mut address);
                    3
                }
            };
            out[mask_at] |= code << (2 * place);
        }
        for mark in &record.marks {
            put_mark(out, *mark);
        }
    });
}

fn put_mark(out: &mut Scratch, mark: Mark) {
    out.extend_from_slice(&mark.ear.to_le_bytes());
    put_varint(out, mark.epoch);
}

/// Puts the record that holds this observation, with its mark, and nothing else.
pub(super) fn put_single(
    out: &mut Scratch,
    channel: Channel<&str>,
    kind: EventKind,
    seen: &Observation<'_>,
    mark: Option<Mark>,
) {
    put_framed(out, |out| {
        put_channel(out, channel);
        out.push(SLOT_TIMED << place_in_mask(kind));
        put_observation(out, seen, &mut &[][..]);
        if let Some(mark) = mark {
            put_mark(out, mark);
        }
    });
}

/// Puts what `put` puts, with its length before it.
fn put_framed(out: &mut Scratch, put: impl FnOnce(&mut Scratch)) {
    let start = out.len();
    // Mostly the length takes one byte.
    out.push(0);
    put(out);
    let mut length = Scratch::new();
    put_varint(&mut length, (out.len() - start - 1) as u64);
    out[start] = length[0];
    if length.len() > 1 {
        out.insert_from_slice(start + 1, &length[1..]);
    }
}

fn put_channel(out: &mut Scratch, channel: Channel<&str>) {
    match channel {
        Channel::Weak(None) => out.push(CHANNEL_NAMELESS),
        Channel::Weak(Some(name)) => {
            out.push(CHANNEL_WEAK);
            put_text(out, name.as_bytes());
        }
        Channel::Strong(name) => {
            out.push(CHANNEL_STRONG);
            put_text(out, name.as_bytes());
        }
    }
}

/// Returns where the two bits of a slot stand in a mask.
const fn place_in_mask(kind: EventKind) -> u32 {
    match kind {
        EventKind::Opened => 0,
        EventKind::Seen => 2,
        EventKind::Farewell => 4,
        EventKind::Closed => 6,
    }
}

fn is_same(one: &Observation<'_>, other: &Observation<'_>) -> bool {
    let Observation { sequence, time, tie, address, resolution } = *one;
    (time, tie, resolution) == (other.time, other.tie, other.resolution)
        && is_same_text(address.as_bytes(), other.address.as_bytes())
        && is_same_text(sequence, other.sequence)
}

/// Tells whether texts are the same. Those of one record mostly lie in one place; and where they were written
/// a moment ago, a comparison has to wait until all is written that was before.
fn is_same_text(one: &[u8], other: &[u8]) -> bool {
    std::ptr::eq(one, other) || one == other
}

fn put_observation<'a>(out: &mut Scratch, seen: &Observation<'a>, address: &mut &'a [u8]) {
    let same = !seen.address.is_empty() && is_same_text(seen.address.as_bytes(), address);
    let mut tag = 0;
    let mut set = |bit, when| tag |= if when { bit } else { 0 };
    set(TAG_TIE, seen.tie != 0);
    set(TAG_RESOLUTION, seen.resolution != 0);
    set(TAG_SEQUENCE, !seen.sequence.is_empty());
    set(TAG_ADDRESS, !seen.address.is_empty() && !same);
    set(TAG_SAME_ADDRESS, same);
    out.push(tag);
    put_varint(out, zigzag(seen.time.0));
    if seen.tie != 0 {
        put_varint(out, seen.tie);
    }
    if seen.resolution != 0 {
        put_varint(out, u64::from(seen.resolution));
    }
    if !seen.sequence.is_empty() {
        put_text(out, seen.sequence);
    }
    if tag & TAG_ADDRESS != 0 {
        put_text(out, seen.address.as_bytes());
        *address = seen.address.as_bytes();
    }
}

/// Puts the lower seven bits of each byte together.
const fn septets(word: u64) -> u64 {
    let word = (word & 0x007f_007f_007f_007f) | ((word & 0x7f00_7f00_7f00_7f00) >> 1);
    let word = (word & 0x0000_3fff_0000_3fff) | ((word & 0x3fff_0000_3fff_0000) >> 2);
    (word & 0x0fff_ffff) | ((word & 0x0fff_ffff_0000_0000) >> 4)
}

const fn zigzag(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)).cast_unsigned()
}

const fn unzigzag(value: u64) -> i64 {
    (value >> 1).cast_signed() ^ -((value & 1).cast_signed())
}

/// Reads the format from its front; `None` wherever the bytes are not of this format.
pub(super) struct Reader<'a>(pub &'a [u8]);

impl<'a> Reader<'a> {
    fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    #[inline]
    fn varint(&mut self) -> Option<u64> {
        // Mostly it is one byte, or the six of a time: these are put together without a loop.
        let [first, ..] = *self.0 else { return None };
        if first < 0x80 {
            self.0 = &self.0[1..];
            return Some(u64::from(first));
        }
        if let Some((word, _)) = self.0.split_first_chunk() {
            let word = u64::from_le_bytes(*word);
            let length = (!word & 0x8080_8080_8080_8080).trailing_zeros() / 8 + 1;
            if length <= 8 {
                self.0 = &self.0[length as usize..];
                return Some(septets(word & (u64::MAX >> (64 - 8 * length))));
            }
        }
        self.long_varint()
    }

    fn long_varint(&mut self) -> Option<u64> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Some(value);
            }
        }
        None
    }

    #[inline]
    pub fn bytes(&mut self) -> Option<&'a [u8]> {
        let length = usize::try_from(self.varint()?).ok()?;
        self.take(length)
    }

    pub fn text(&mut self) -> Option<&'a str> {
        std::str::from_utf8(self.bytes()?).ok()
    }

    pub fn section(&mut self) -> Option<Reader<'a>> {
        let length = u32::from_le_bytes(self.take(SECTION_LENGTH)?.try_into().ok()?);
        self.take(usize::try_from(length).ok()?).map(Reader)
    }

    pub fn voice_key(&mut self) -> Option<VoiceKey<'a>> {
        let name = self.text()?;
        Some(VoiceKey { name, authority: self.byte()? })
    }

    pub fn flags(&mut self) -> Option<(Flags, bool)> {
        let bits = u16::from_le_bytes(self.take(2)?.try_into().ok()?);
        Some((Flags::from_bits(bits & !FORGOTTEN), bits & FORGOTTEN != 0))
    }

    #[inline]
    pub fn record_body(&mut self) -> Option<Reader<'a>> {
        self.bytes().map(Reader)
    }

    pub fn channel(&mut self) -> Option<Channel<&'a str>> {
        match self.byte()? {
            CHANNEL_NAMELESS => Some(Channel::Weak(None)),
            CHANNEL_WEAK => self.text().map(|name| Channel::Weak(Some(name))),
            CHANNEL_STRONG => self.text().map(Channel::Strong),
            _ => None,
        }
    }

    /// Tells whether a record is of this channel. Comparing bytes is enough: what is not text equals none.
    pub fn belongs_to(mut self, channel: Channel<&str>) -> bool {
        let (tag, name) = match channel {
            Channel::Weak(None) => return self.byte() == Some(CHANNEL_NAMELESS),
            Channel::Weak(Some(name)) => (CHANNEL_WEAK, name),
            Channel::Strong(name) => (CHANNEL_STRONG, name),
        };
        self.byte() == Some(tag)
            && self.bytes().is_some_and(|known| are_same(known, name.as_bytes()))
    }

    /// Reads over a record. Returns whether it has an opening, and its [rank](Record::rank).
    pub fn rank(&mut self) -> Option<(bool, Rank<'a>)> {
        let mut whole = Reader(self.0);
        let mut body = self.record_body()?;
        // As nearly always: what is opened at a known time counts from there. The rest is not read.
        if body.byte()? == CHANNEL_STRONG {
            let name = body.bytes()?;
            if body.byte()? & SLOT_TIMED != 0 {
                return Some((true, (Some(body.skim(&mut &[][..])?), name, true)));
            }
        }
        let record = whole.record()?;
        let (time, name, is_strong) = record.rank();
        Some((record.opening().is_there(), (time, name.as_bytes(), is_strong)))
    }

    pub fn record(&mut self) -> Option<Record<'a>> {
        let mut body = self.record_body()?;
        let mut record = Record::new(body.channel()?);
        let mask = body.byte()?;
        let mut address = "";
        for (place, slot) in
            [&mut record.opened, &mut record.seen, &mut record.farewell, &mut record.closed]
                .into_iter()
                .enumerate()
        {
            *slot = match (mask >> (2 * place)) & 0b11 {
                0 => Slot::Empty,
                1 => Slot::Untimed,
                2 => Slot::of(Some(body.observation(&mut address)?)),
                _ => {
                    let low = body.observation(&mut address)?;
                    Slot::Timed { low, high: body.observation(&mut address)? }
                }
            };
        }
        record.marks = body.marks()?;
        Some(record)
    }

    fn observation(&mut self, address: &mut &'a str) -> Option<Observation<'a>> {
        let tag = self.byte()?;
        let has = |bit| tag & bit != 0;
        let time = Timestamp(unzigzag(self.varint()?));
        let tie = if has(TAG_TIE) { self.varint()? } else { 0 };
        let resolution = if has(TAG_RESOLUTION) { u32::try_from(self.varint()?).ok()? } else { 0 };
        let sequence = if has(TAG_SEQUENCE) { self.bytes()? } else { &[] };
        if has(TAG_ADDRESS) {
            *address = self.text()?;
        }
        let named = has(TAG_ADDRESS) || has(TAG_SAME_ADDRESS);
        let address = if named { *address } else { "" };
        Some(Observation { sequence, time, tie, address, resolution })
    }

    /// Reads over an observation, and returns its time; and its address, where it names one.
    fn skim(&mut self, address: &mut &'a [u8]) -> Option<Timestamp> {
        let tag = self.byte()?;
        let time = Timestamp(unzigzag(self.varint()?));
        if tag & !(TAG_ADDRESS | TAG_SAME_ADDRESS) != 0 {
            for number in [TAG_TIE, TAG_RESOLUTION] {
                if tag & number != 0 {
                    self.varint()?;
                }
            }
            if tag & TAG_SEQUENCE != 0 {
                self.bytes()?;
            }
        }
        if tag & TAG_ADDRESS != 0 {
            *address = self.bytes()?;
        }
        Some(time)
    }

    /// Reads the head of a record of a strong channel that was opened, of which each thing was told with one
    /// time. Returns its name, and whether a farewell and a close follow; `None` for any other.
    #[inline]
    pub fn usual_life(&mut self) -> Option<(&'a [u8], bool, bool)> {
        const OPENED: u8 = SLOT_TIMED;
        const FAREWELL: u8 = SLOT_TIMED << place_in_mask(EventKind::Farewell);
        const CLOSED: u8 = SLOT_TIMED << place_in_mask(EventKind::Closed);
        if self.byte()? != CHANNEL_STRONG {
            return None;
        }
        let name = self.bytes()?;
        let mask = self.byte()?;
        let is_usual = mask & OPENED != 0 && mask & !(OPENED | FAREWELL | CLOSED) == 0;
        is_usual.then_some((name, mask & FAREWELL != 0, mask & CLOSED != 0))
    }

    /// Reads over an observation that has nothing but a time in ms, and perhaps an address.
    #[inline]
    pub fn plain_time(&mut self, address: &mut &'a [u8]) -> Option<Timestamp> {
        let is_plain = self.0.first()? & !(TAG_ADDRESS | TAG_SAME_ADDRESS) == 0;
        if is_plain { self.skim(address) } else { None }
    }

    /// Tells whether this mark, or a later one of the same ear, is among those that follow.
    fn has_mark(mut self, mark: Mark) -> bool {
        let mut next = || {
            let (ear, rest) = self.0.split_first_chunk()?;
            self.0 = rest;
            Some(Mark { ear: u64::from_le_bytes(*ear), epoch: self.varint()? })
        };
        std::iter::from_fn(&mut next)
            .any(|known| known.ear == mark.ear && known.epoch >= mark.epoch)
    }

    pub fn marks(&mut self) -> Option<Marks> {
        let mut marks = Marks::new();
        while !self.0.is_empty() {
            let ear = u64::from_le_bytes(self.take(8)?.try_into().ok()?);
            // One ear, one mark: joining would find only the first of two.
            if marks.iter().any(|known| known.ear == ear) {
                return None;
            }
            marks.push(Mark { ear, epoch: self.varint()? });
        }
        Some(marks)
    }
}
