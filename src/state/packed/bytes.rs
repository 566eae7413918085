//! The byte format of a client: writing it, and reading what may not be of it.

use super::VoiceKey;
use crate::event::{Channel, Flags, Observation, Timestamp};
use crate::state::record::{Mark, Marks, Record};
use crate::state::slot::Slot;
use smallvec::SmallVec;

pub(super) const SECTION_LENGTH: usize = 4;
pub(super) const FORGOTTEN: u16 = 1 << 15;

const TAG_TIE: u8 = 1;
const TAG_RESOLUTION: u8 = 1 << 1;
const TAG_SEQUENCE: u8 = 1 << 2;
const TAG_ADDRESS: u8 = 1 << 3;
/// The address is that of the observation before it in the same record, as it nearly always is.
const TAG_SAME_ADDRESS: u8 = 1 << 4;

pub(super) fn section_length(length: usize) -> [u8; SECTION_LENGTH] {
    u32::try_from(length).expect("texts are bounded far below 4 GiB").to_le_bytes()
}

/// Bytes on their way into a client: a record of any usual size needs no heap.
pub(super) type Scratch = SmallVec<[u8; 192]>;

fn put_varint(out: &mut Scratch, mut value: u64) {
    while value >= 0x80 {
        out.push(value.to_le_bytes()[0] | 0x80);
        value >>= 7;
    }
    out.push(value.to_le_bytes()[0]);
}

pub(super) fn put_text(out: &mut Scratch, text: &[u8]) {
    put_varint(out, text.len() as u64);
    out.extend_from_slice(text);
}

pub(super) fn put_record(out: &mut Scratch, record: &Record<'_>) {
    match record.channel {
        Channel::Weak(None) => out.push(0),
        Channel::Weak(Some(name)) => {
            out.push(1);
            put_text(out, name.as_bytes());
        }
        Channel::Strong(name) => {
            out.push(2);
            put_text(out, name.as_bytes());
        }
    }
    let mask_at = out.len();
    out.push(0);
    let mut address = "";
    for (place, slot) in record.slots().into_iter().enumerate() {
        let code = match slot {
            Slot::Empty => 0,
            Slot::Untimed => 1,
            Slot::Timed { low, high } if low == high => {
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
        out.extend_from_slice(&mark.ear.to_le_bytes());
        put_varint(out, mark.epoch);
    }
    let mut length = Scratch::new();
    put_varint(&mut length, out.len() as u64);
    out.insert_from_slice(0, &length);
}

fn put_observation<'a>(out: &mut Scratch, seen: &Observation<'a>, address: &mut &'a str) {
    let same = !seen.address.is_empty() && seen.address == *address;
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
        *address = seen.address;
    }
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

    fn varint(&mut self) -> Option<u64> {
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

    fn bytes(&mut self) -> Option<&'a [u8]> {
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

    pub fn record_body(&mut self) -> Option<Reader<'a>> {
        self.bytes().map(Reader)
    }

    pub fn channel(&mut self) -> Option<Channel<&'a str>> {
        match self.byte()? {
            0 => Some(Channel::Weak(None)),
            1 => self.text().map(|name| Channel::Weak(Some(name))),
            2 => self.text().map(Channel::Strong),
            _ => None,
        }
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

    fn marks(&mut self) -> Option<Marks> {
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
