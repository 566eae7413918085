//! One client as one run of bytes: the form in which it is kept in memory, in a store and between
//! watchers alike.
//!
//! A fleet is mostly clients that nothing happens to, so what counts is their size: a client with one
//! open and one closed channel takes about 200 bytes. An event touches the bytes of its own record
//! and no others. The format has a version (`FORMAT`) because stores keep it.
//!
//! ```text
//! client      = id:text voice*
//! voice       = length:u32 name:text authority:u8 flags:u16 (bit 15: forgotten) record*
//! record      = length:varint channel mask:u8 observation* mark*
//! channel     = 0 | 1 name:text (weak) | 2 name:text (strong)
//! mask        = two bits a slot, opened first: 0 empty, 1 untimed, 2 low = high, 3 low and high
//! observation = tag:u8 time:zigzag [tie:varint] [resolution:varint] [sequence:text] [address:text]
//! mark        = ear:u64 epoch:varint
//! text        = length:varint bytes
//! ```

use super::record::{Mark, Marks, Record};
use super::slot::Slot;
use crate::event::{Channel, Flags, Observation, Timestamp};
use std::fmt;
use std::ops::Range;

/// Version of the byte format, kept beside every store of such bytes.
pub const FORMAT: u32 = 1;

/// Everything known about one client of one instance.
#[derive(Clone, PartialEq, Eq)]
pub struct Client {
    bytes: Vec<u8>,
}

/// A dialect that speaks about clients, with its authority: 1 is the best, 4 the weakest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct VoiceKey<'a> {
    pub authority: u8,
    pub name: &'a str,
}

/// What one voice has said about a client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Voice<'a> {
    pub key: VoiceKey<'a>,
    pub flags: Flags,
    /// A record was dropped to keep the client within its bound.
    pub forgotten: bool,
    pub records: Vec<Record<'a>>,
}

/// What joining did to a client.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Joined {
    /// A slot widened, a flag or a record is new: this was news.
    pub news: bool,
    /// Nothing but the epoch in which the record was last heard changed.
    pub heard: bool,
}

impl Joined {
    #[must_use]
    pub const fn anything(self) -> bool {
        self.news || self.heard
    }
}

/// When the marks of a joined record count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Marking {
    /// Only if the record brings something new: a redelivery renews nothing.
    News,
    /// In any case: fresh evidence that says the same again, or the record of another store.
    Always,
}

impl Client {
    #[must_use]
    pub fn new(id: &str) -> Self {
        let mut bytes = Vec::with_capacity(id.len() + 64);
        put_text(&mut bytes, id.as_bytes());
        Self { bytes }
    }

    /// Returns the client that `body` describes, `None` if these are not bytes of this format.
    #[must_use]
    pub fn from_body(id: &str, body: &[u8]) -> Option<Self> {
        let mut bytes = Vec::with_capacity(id.len() + 3 + body.len());
        put_text(&mut bytes, id.as_bytes());
        bytes.extend_from_slice(body);
        let client = Self { bytes };
        client.checked_voices()?;
        Some(client)
    }

    #[must_use]
    pub fn id(&self) -> &str {
        let mut reader = Reader(&self.bytes);
        reader.text().unwrap_or_default()
    }

    /// Returns the bytes that a store keeps under the client's id.
    #[must_use]
    pub fn body(&self) -> &[u8] {
        let mut reader = Reader(&self.bytes);
        reader.text();
        reader.0
    }

    #[must_use]
    pub fn heap_bytes(&self) -> usize {
        self.bytes.capacity()
    }

    /// Returns what each voice has said.
    #[must_use]
    pub fn voices(&self) -> Vec<Voice<'_>> {
        self.checked_voices().expect("the bytes were written here or checked when they were loaded")
    }

    fn checked_voices(&self) -> Option<Vec<Voice<'_>>> {
        let mut reader = Reader(&self.bytes);
        reader.text()?;
        let mut voices = Vec::with_capacity(1);
        while !reader.0.is_empty() {
            let mut section = reader.section()?;
            let key = section.voice_key()?;
            let (flags, forgotten) = section.flags()?;
            let mut records = Vec::with_capacity(2);
            while !section.0.is_empty() {
                records.push(section.record()?);
            }
            voices.push(Voice { key, flags, forgotten, records });
        }
        Some(voices)
    }

    /// Joins flags of a voice into the client.
    pub fn flag(&mut self, voice: VoiceKey<'_>, flags: Flags) -> Joined {
        let at = self.section_of(voice);
        Joined { news: self.join_header(&at, flags, false), heard: false }
    }

    /// Says that a record of this voice was dropped.
    pub fn mark_forgotten(&mut self, voice: VoiceKey<'_>) {
        let at = self.section_of(voice);
        self.join_header(&at, Flags::NONE, true);
    }

    /// Joins one record of a voice into the client, then forgets what exceeds `channels_max`
    /// (`docs/state-logic.md`, Forgetting).
    pub fn join_record(
        &mut self,
        voice: VoiceKey<'_>,
        record: &Record<'_>,
        marking: Marking,
        channels_max: usize,
    ) -> Joined {
        let mut section = self.section_of(voice);
        let Some(at) = self.find_record(&section, record.channel) else {
            return self.insert(section, record, channels_max);
        };
        let mut known = Reader(&self.bytes[at.clone()]).record().expect("it was just found");
        let had_opening = known.opening().is_there();
        let news = known.join(record);
        let heard = (news || marking == Marking::Always) && known.join_marks(&record.marks);
        if news || heard {
            let opens = !had_opening && known.opening().is_there();
            let mut fresh = Vec::with_capacity(at.len() + 24);
            put_record(&mut fresh, &known);
            self.replace(at, &fresh, &mut section);
            if opens {
                self.forget(&mut section, channels_max);
            }
        }
        Joined { news, heard }
    }

    /// Joins all that another replica knows about the same client.
    pub fn join(&mut self, other: &Self, channels_max: usize) -> Joined {
        let mut all = Joined::default();
        for voice in other.voices() {
            let section = self.section_of(voice.key);
            all.news |= self.join_header(&section, voice.flags, voice.forgotten);
            for record in &voice.records {
                let joined = self.join_record(voice.key, record, Marking::Always, channels_max);
                all.news |= joined.news;
                all.heard |= joined.heard;
            }
        }
        all
    }

    fn insert(
        &mut self,
        mut section: Range<usize>,
        record: &Record<'_>,
        channels_max: usize,
    ) -> Joined {
        let mut fresh = Vec::with_capacity(96);
        put_record(&mut fresh, record);
        let end = section.end;
        self.replace(end..end, &fresh, &mut section);
        let first_loss = self.forget(&mut section, channels_max);
        // A redelivered connect of a forgotten channel comes and goes: that is no news.
        let news = first_loss || self.find_record(&section, record.channel).is_some();
        Joined { news, heard: news && !record.marks.is_empty() }
    }

    /// Keeps the newest channels with an opening, and apart from them the newest without one, so that
    /// late ends can never push out a live channel. Returns whether this is the first loss.
    fn forget(&mut self, section: &mut Range<usize>, channels_max: usize) -> bool {
        let mut first = false;
        for with_opening in [true, false] {
            while let Some(oldest) = self.surplus(section, with_opening, channels_max) {
                self.replace(oldest, &[], section);
                first |= self.join_header(section, Flags::NONE, true);
            }
        }
        first
    }

    /// Returns where the oldest record of a list lies that holds more than it may.
    fn surplus(
        &self,
        section: &Range<usize>,
        with_opening: bool,
        channels_max: usize,
    ) -> Option<Range<usize>> {
        let mut count = 0;
        let mut oldest: Option<(Record<'_>, Range<usize>)> = None;
        self.each_record(section, |record, at| {
            if record.opening().is_there() == with_opening {
                count += 1;
                if oldest.as_ref().is_none_or(|(known, _)| record.rank() < known.rank()) {
                    oldest = Some((record, at));
                }
            }
        });
        oldest.filter(|_| count > channels_max).map(|(_, at)| at)
    }

    fn each_record<'a>(
        &'a self,
        section: &Range<usize>,
        mut each: impl FnMut(Record<'a>, Range<usize>),
    ) {
        let mut reader = Reader(&self.bytes[self.records_at(section)]);
        while !reader.0.is_empty() {
            let start = section.end - reader.0.len();
            let record = reader.record().expect("written here or checked when loaded");
            each(record, start..section.end - reader.0.len());
        }
    }

    fn find_record(&self, section: &Range<usize>, channel: Channel<&str>) -> Option<Range<usize>> {
        let mut reader = Reader(&self.bytes[self.records_at(section)]);
        while !reader.0.is_empty() {
            let start = section.end - reader.0.len();
            let mut body = reader.record_body()?;
            if body.channel()? == channel {
                return Some(start..section.end - reader.0.len());
            }
        }
        None
    }

    /// Returns where the section of a voice lies, which begins with its length; makes an empty one
    /// if the voice has not spoken yet.
    fn section_of(&mut self, voice: VoiceKey<'_>) -> Range<usize> {
        let mut reader = Reader(&self.bytes);
        reader.text();
        while !reader.0.is_empty() {
            let start = self.bytes.len() - reader.0.len();
            let mut section = reader.section().expect("written here or checked when loaded");
            if section.voice_key() == Some(voice) {
                return start..self.bytes.len() - reader.0.len();
            }
        }
        let start = self.bytes.len();
        let mut header = Vec::with_capacity(voice.name.len() + 8);
        put_text(&mut header, voice.name.as_bytes());
        header.push(voice.authority);
        header.extend_from_slice(&[0, 0]);
        self.bytes.reserve_exact(header.len() + SECTION_LENGTH);
        self.bytes.extend_from_slice(&section_length(header.len()));
        self.bytes.extend_from_slice(&header);
        start..self.bytes.len()
    }

    fn records_at(&self, section: &Range<usize>) -> Range<usize> {
        let mut reader = Reader(&self.bytes[section.start + SECTION_LENGTH..section.end]);
        reader.voice_key();
        reader.flags();
        section.end - reader.0.len()..section.end
    }

    fn join_header(&mut self, section: &Range<usize>, flags: Flags, forgotten: bool) -> bool {
        let at = self.records_at(section).start - 2;
        let known = u16::from_le_bytes([self.bytes[at], self.bytes[at + 1]]);
        let joined = known | flags.bits() | if forgotten { FORGOTTEN } else { 0 };
        self.bytes[at..at + 2].copy_from_slice(&joined.to_le_bytes());
        joined != known
    }

    /// Puts `fresh` in the place of the bytes `at`, and mends the length of the section around them.
    fn replace(&mut self, at: Range<usize>, fresh: &[u8], section: &mut Range<usize>) {
        let tail = at.end..self.bytes.len();
        let moved_to = at.start + fresh.len();
        if fresh.len() > at.len() {
            let grown = fresh.len() - at.len();
            // Exact: a fleet is millions of these, and most of them never grow again.
            self.bytes.reserve_exact(grown);
            self.bytes.resize(self.bytes.len() + grown, 0);
        }
        let moved_len = tail.len();
        self.bytes.copy_within(tail, moved_to);
        self.bytes.truncate(moved_to + moved_len);
        self.bytes[at.start..moved_to].copy_from_slice(fresh);
        section.end = section.end + fresh.len() - at.len();
        let length = section_length(section.len() - SECTION_LENGTH);
        self.bytes[section.start..section.start + SECTION_LENGTH].copy_from_slice(&length);
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("id", &self.id()).field("voices", &self.voices()).finish()
    }
}

const SECTION_LENGTH: usize = 4;
const FORGOTTEN: u16 = 1 << 15;

const TAG_TIE: u8 = 1;
const TAG_RESOLUTION: u8 = 1 << 1;
const TAG_SEQUENCE: u8 = 1 << 2;
const TAG_ADDRESS: u8 = 1 << 3;
/// The address is that of the observation before it in the same record, as it nearly always is.
const TAG_SAME_ADDRESS: u8 = 1 << 4;

fn section_length(length: usize) -> [u8; SECTION_LENGTH] {
    u32::try_from(length).expect("texts are bounded far below 4 GiB").to_le_bytes()
}

fn put_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value.to_le_bytes()[0] | 0x80);
        value >>= 7;
    }
    out.push(value.to_le_bytes()[0]);
}

fn put_text(out: &mut Vec<u8>, text: &[u8]) {
    put_varint(out, text.len() as u64);
    out.extend_from_slice(text);
}

fn put_record(out: &mut Vec<u8>, record: &Record<'_>) {
    let mut body = Vec::with_capacity(96);
    match record.channel {
        Channel::Weak(None) => body.push(0),
        Channel::Weak(Some(name)) => {
            body.push(1);
            put_text(&mut body, name.as_bytes());
        }
        Channel::Strong(name) => {
            body.push(2);
            put_text(&mut body, name.as_bytes());
        }
    }
    let mask_at = body.len();
    body.push(0);
    let mut address = "";
    for (place, slot) in record.slots().into_iter().enumerate() {
        let code = match slot {
            Slot::Empty => 0,
            Slot::Untimed => 1,
            Slot::Timed { low, high } if low == high => {
                put_observation(&mut body, low, &mut address);
                2
            }
            Slot::Timed { low, high } => {
                put_observation(&mut body, low, &mut address);
                put_observation(&mut body, high, &mut address);
                3
            }
        };
        body[mask_at] |= code << (2 * place);
    }
    for mark in &record.marks {
        body.extend_from_slice(&mark.ear.to_le_bytes());
        put_varint(&mut body, mark.epoch);
    }
    put_varint(out, body.len() as u64);
    out.extend_from_slice(&body);
}

fn put_observation<'a>(out: &mut Vec<u8>, seen: &Observation<'a>, address: &mut &'a str) {
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
struct Reader<'a>(&'a [u8]);

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

    fn text(&mut self) -> Option<&'a str> {
        std::str::from_utf8(self.bytes()?).ok()
    }

    fn section(&mut self) -> Option<Reader<'a>> {
        let length = u32::from_le_bytes(self.take(SECTION_LENGTH)?.try_into().ok()?);
        self.take(usize::try_from(length).ok()?).map(Reader)
    }

    fn voice_key(&mut self) -> Option<VoiceKey<'a>> {
        let name = self.text()?;
        Some(VoiceKey { name, authority: self.byte()? })
    }

    fn flags(&mut self) -> Option<(Flags, bool)> {
        let bits = u16::from_le_bytes(self.take(2)?.try_into().ok()?);
        Some((Flags::from_bits(bits & !FORGOTTEN), bits & FORGOTTEN != 0))
    }

    fn record_body(&mut self) -> Option<Reader<'a>> {
        self.bytes().map(Reader)
    }

    fn channel(&mut self) -> Option<Channel<&'a str>> {
        match self.byte()? {
            0 => Some(Channel::Weak(None)),
            1 => self.text().map(|name| Channel::Weak(Some(name))),
            2 => self.text().map(Channel::Strong),
            _ => None,
        }
    }

    fn record(&mut self) -> Option<Record<'a>> {
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
            marks.push(Mark { ear, epoch: self.varint()? });
        }
        Some(marks)
    }
}
