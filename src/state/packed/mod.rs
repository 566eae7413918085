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

mod bytes;

use super::record::{Mark, Marks, Record};
use crate::event::{Channel, Flags};
use bytes::{FORGOTTEN, Reader, SECTION_LENGTH, Scratch, put_record, put_text, section_length};
use std::fmt;
use std::ops::Range;

/// Version of the byte format, kept beside every store of such bytes.
pub const FORMAT: u32 = 1;

/// Why the bytes of a client can be read.
const CHECKED: &str = "the bytes were written here or checked when they were loaded";

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

/// What joining a record did before anything was forgotten.
struct Widened {
    joined: Joined,
    is_new: bool,
    /// One of the lists of channels grew.
    counts: bool,
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
        let mut prefix = Scratch::new();
        put_text(&mut prefix, id.as_bytes());
        Self { bytes: prefix.to_vec() }
    }

    /// Returns the client that `body` describes, `None` if these are not bytes of this format.
    #[must_use]
    pub fn from_body(id: &str, body: &[u8]) -> Option<Self> {
        let mut prefix = Scratch::new();
        put_text(&mut prefix, id.as_bytes());
        let client = Self { bytes: [&prefix, body].concat() };
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
        self.checked_voices().expect(CHECKED)
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
        let widened = self.widen(&mut section, record, marking);
        if !widened.counts {
            return widened.joined;
        }
        let first_loss = self.forget(&mut section, channels_max);
        // A redelivered connect of a forgotten channel comes and goes: that is no news.
        let stays = || self.find_record(&section, record.channel).is_some();
        let news = widened.joined.news && (first_loss || !widened.is_new || stays());
        Joined { news, heard: widened.joined.heard && news }
    }

    /// Joins all that another replica knows about the same client. What is forgotten is decided once
    /// everything is together: forgetting on the way would depend on the way.
    pub fn join(&mut self, other: &Self, channels_max: usize) -> Joined {
        let mut all = Joined::default();
        let mut reader = Reader(&other.bytes);
        reader.text();
        while !reader.0.is_empty() {
            let mut theirs = reader.section().expect(CHECKED);
            let key = theirs.voice_key().expect(CHECKED);
            let (flags, forgotten) = theirs.flags().expect(CHECKED);
            let mut section = self.section_of(key);
            let before = self.bytes[section.clone()].to_vec();
            self.join_header(&section, flags, forgotten);
            while !theirs.0.is_empty() {
                let mut next = Reader(theirs.0);
                let body = theirs.record_body().expect(CHECKED);
                // Replicas mostly differ in one record of many, and the others need not be read.
                if !self.holds(&section, body.0) {
                    let record = next.record().expect(CHECKED);
                    all.heard |= self.widen(&mut section, &record, Marking::Always).joined.heard;
                }
            }
            self.forget(&mut section, channels_max);
            all.news |= self.bytes[section] != before[..];
        }
        all
    }

    /// Joins a record without forgetting any.
    fn widen(
        &mut self,
        section: &mut Range<usize>,
        record: &Record<'_>,
        marking: Marking,
    ) -> Widened {
        let mut fresh = Scratch::new();
        let Some(at) = self.find_record(section, record.channel) else {
            // Joined and not copied: whoever made the record may have marked an ear twice.
            let mut known = Record::new(record.channel);
            known.join(record);
            known.join_marks(&record.marks);
            put_record(&mut fresh, &known);
            self.replace(section.end..section.end, &fresh, section);
            let joined = Joined { news: true, heard: !record.marks.is_empty() };
            return Widened { joined, is_new: true, counts: true };
        };
        let mut known = Reader(&self.bytes[at.clone()]).record().expect("it was just found");
        let had_opening = known.opening().is_there();
        let news = known.join(record);
        // What one ear was told before is news to another ear, which hears it for the first time.
        let renews = |mark: &Mark| {
            news || marking == Marking::Always || known.marks.iter().all(|own| own.ear != mark.ear)
        };
        let marks: Marks = record.marks.iter().filter(|mark| renews(mark)).copied().collect();
        let heard = known.join_marks(&marks);
        let counts = !had_opening && known.opening().is_there();
        if news || heard {
            put_record(&mut fresh, &known);
            self.replace(at, &fresh, section);
        }
        Widened { joined: Joined { news, heard }, is_new: false, counts }
    }

    /// Keeps the newest channels with an opening, and apart from them the newest without one, so that
    /// late ends can never push out a live channel. Returns whether this is the first loss.
    fn forget(&mut self, section: &mut Range<usize>, channels_max: usize) -> bool {
        if self.count_records(section) <= channels_max {
            return false;
        }
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
            let record = reader.record().expect(CHECKED);
            each(record, start..section.end - reader.0.len());
        }
    }

    /// Tells whether a record is there, bit for bit: to join it changes nothing.
    fn holds(&self, section: &Range<usize>, record: &[u8]) -> bool {
        let mut reader = Reader(&self.bytes[self.records_at(section)]);
        std::iter::from_fn(|| reader.record_body()).any(|known| known.0 == record)
    }

    fn count_records(&self, section: &Range<usize>) -> usize {
        let mut reader = Reader(&self.bytes[self.records_at(section)]);
        std::iter::from_fn(|| reader.record_body()).count()
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
            let mut section = reader.section().expect(CHECKED);
            if section.voice_key() == Some(voice) {
                return start..self.bytes.len() - reader.0.len();
            }
        }
        let start = self.bytes.len();
        let mut header = Scratch::new();
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Observation, Timestamp};
    use crate::state::slot::Slot;

    /// Found by fuzzing: joined with itself such a client changed for ever.
    #[test]
    fn bytes_that_mark_one_ear_twice_are_not_of_this_format() {
        let found = [
            4, 0, 0, 0, 0, 0, 153, 128, 26, 0, 0, 0, 0, 3, 5, 0, 21, 0, 0, 230, 255, 255, 255, 255,
            255, 255, 255, 0, 230, 255, 255, 255, 255, 255, 255, 255, 255, 3,
        ];

        assert_eq!(Client::from_body("pump-7", &found), None);
    }

    #[test]
    fn an_ear_that_is_marked_twice_is_marked_with_its_later_epoch() {
        let mut record = Record::new(Channel::Weak(None));
        record.marks.extend([Mark { ear: 7, epoch: 3 }, Mark { ear: 7, epoch: 1 }]);
        let mut client = Client::new("pump-7");
        let voice = VoiceKey { authority: 1, name: "lmq" };

        client.join_record(voice, &record, Marking::Always, 8);

        assert_eq!(client.voices()[0].records[0].marks[..], [Mark { ear: 7, epoch: 3 }]);
    }

    #[test]
    fn a_replica_that_differs_in_one_record_is_joined_as_if_all_were_read() {
        let voice = VoiceKey { authority: 1, name: "lmq" };
        let record = |name, time| {
            let mut record = Record::new(Channel::Strong(name));
            let seen = Observation { sequence: &[], time, tie: 0, address: "a:1", resolution: 0 };
            record.opened = Slot::of(Some(seen));
            record
        };
        let client = |records: &[Record<'_>]| {
            let mut client = Client::new("pump-7");
            for record in records {
                client.join_record(voice, record, Marking::Always, 8);
            }
            client
        };
        let (old, new) = (record("one", Timestamp(1)), record("two", Timestamp(2)));
        let mut known = client(std::slice::from_ref(&old));

        let joined = known.join(&client(&[old.clone(), new.clone()]), 8);

        assert!(joined.news);
        assert_eq!(known, client(&[old.clone(), new]));
        assert_eq!(known.join(&client(&[old]), 8), Joined::default());
    }
}
