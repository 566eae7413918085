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
mod forget;
mod glance;
mod whole;

use super::record::{Mark, Marks, Record};
use super::slot::Slot;
use crate::event::{Channel, EventKind, Flags, Observation};
use crate::sys::prefetch;
use bytes::{
    Addition, FORGOTTEN, Reader, SECTION_LENGTH, Scratch, put_record, put_single, put_text,
    section_length,
};
use std::fmt;
use std::ops::Range;

pub use glance::{Glance, Life};

/// Version of the byte format, kept beside every store of such bytes.
pub const FORMAT: u32 = 1;

/// Why the bytes of a client can be read.
const CHECKED: &str = "the bytes were written here or checked when they were loaded";

/// Records for which there is room before it is known that they are any.
const COUNTED_MAX: usize = 32;

/// Bytes that are fetched beforehand: those of a client with all its channels.
const PREFETCHED_MAX: usize = 1024;

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

/// Where the part of a voice lies, which begins with its length, and where its records begin.
#[derive(Clone, Copy)]
struct Section {
    start: usize,
    records: usize,
    end: usize,
}

/// What joining a record did before anything was forgotten.
#[derive(Clone, Copy)]
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
        client.check()?;
        Some(client)
    }

    /// Reads all of it and keeps nothing; `None` where something is not of this format.
    fn check(&self) -> Option<()> {
        let mut reader = Reader(&self.bytes);
        reader.text()?;
        while !reader.0.is_empty() {
            let mut section = reader.section()?;
            section.voice_key()?;
            section.flags()?;
            while !section.0.is_empty() {
                section.record()?;
            }
        }
        Some(())
    }

    #[must_use]
    pub fn id(&self) -> &str {
        let mut reader = Reader(&self.bytes);
        reader.text().unwrap_or_default()
    }

    /// Returns the bytes of the id, for whoever compares ids and needs no text.
    #[must_use]
    pub fn id_bytes(&self) -> &[u8] {
        let mut reader = Reader(&self.bytes);
        reader.bytes().unwrap_or_default()
    }

    /// Tells whether this is the client of that id.
    #[must_use]
    pub fn is(&self, id: &str) -> bool {
        self.id_bytes() == id.as_bytes()
    }

    /// Has clients fetched from memory, apart from the rest of unusually large ones.
    pub fn approach<'a>(clients: impl Iterator<Item = &'a Self> + Clone) {
        clients.clone().for_each(prefetch);
        for Self { bytes } in clients {
            prefetch(&bytes[..bytes.len().min(PREFETCHED_MAX)]);
        }
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
        self.read_voices().expect(CHECKED)
    }

    fn read_voices(&self) -> Option<Vec<Voice<'_>>> {
        let mut reader = Reader(&self.bytes);
        reader.text()?;
        let mut voices = Vec::with_capacity(1);
        while !reader.0.is_empty() {
            let mut section = reader.section()?;
            let key = section.voice_key()?;
            let (flags, forgotten) = section.flags()?;
            // Records are large while they are read, and moved if they were not counted before.
            let mut counted = Reader(section.0);
            let count = std::iter::from_fn(|| counted.record_body()).take(COUNTED_MAX).count();
            let mut records = Vec::with_capacity(count);
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
        self.keep_bound(&mut section, widened, channels_max)
    }

    /// Joins a single observation with its mark, as [`join_record`](Self::join_record) joins the record that
    /// holds nothing else, if it is news. Most of what is ever heard opens a channel that was not known, or
    /// ends one: then nothing has to be joined but bytes.
    pub fn join_event(
        &mut self,
        voice: VoiceKey<'_>,
        channel: Channel<&str>,
        kind: EventKind,
        seen: &Observation<'_>,
        mark: Option<Mark>,
        channels_max: usize,
    ) -> Joined {
        let mut section = self.section_of(voice);
        let Some(at) = self.find_record(&section, channel) else {
            let mut fresh = Scratch::new();
            put_single(&mut fresh, channel, kind, seen, mark);
            self.replace(section.records..section.records, &fresh, &mut section);
            let joined = Joined { news: true, heard: mark.is_some() };
            let widened = Widened { joined, is_new: true, counts: true };
            return self.keep_bound(&mut section, widened, channels_max);
        };
        if self.end(&at, kind, seen, mark, &mut section) {
            return Joined { news: true, heard: false };
        }
        let mut record = Record::new(channel);
        *record.slot_mut(kind) = Slot::of(Some(*seen));
        record.marks.extend(mark);
        self.join_record(voice, &record, Marking::News, channels_max)
    }

    /// Forgets what is too much after a record was widened. Returns what joining it did in the end.
    fn keep_bound(
        &mut self,
        section: &mut Section,
        widened: Widened,
        channels_max: usize,
    ) -> Joined {
        if !widened.counts {
            return widened.joined;
        }
        let lost = self.forget(section, channels_max);
        // A redelivered connect of a forgotten channel comes and goes: that is no news.
        let stays = !(widened.is_new && lost.newest);
        let news = widened.joined.news && (lost.first || stays);
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
            let before = self.bytes[section.start..section.end].to_vec();
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
            all.news |= self.bytes[section.start..section.end] != before[..];
        }
        all
    }

    /// Joins a record without forgetting any.
    fn widen(&mut self, section: &mut Section, record: &Record<'_>, marking: Marking) -> Widened {
        let mut fresh = Scratch::new();
        let Some(at) = self.find_record(section, record.channel) else {
            if record.marks.len() > 1 {
                // Joined and not copied: whoever made the record may have marked an ear twice.
                let mut known = Record::new(record.channel);
                known.join(record);
                known.join_marks(&record.marks);
                put_record(&mut fresh, &known);
            } else {
                put_record(&mut fresh, record);
            }
            // The newest first: most of what is heard is about it, and the rest need not be looked at.
            self.replace(section.records..section.records, &fresh, section);
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

    /// Adds the first news of its end to a record, where nothing else has to be written anew: what an
    /// empty slot becomes needs no joining. Returns whether that was so.
    fn end(
        &mut self,
        at: &Range<usize>,
        kind: EventKind,
        seen: &Observation<'_>,
        mark: Option<Mark>,
        section: &mut Section,
    ) -> bool {
        if !matches!(kind, EventKind::Farewell | EventKind::Closed) {
            return false;
        }
        let Some(addition) = Addition::to(&self.bytes[at.clone()], kind, seen, mark) else {
            return false;
        };
        self.bytes[at.start] = addition.length;
        self.bytes[at.start + addition.mask_at] = addition.mask;
        let written_at = at.start + addition.written_at;
        self.replace(written_at..written_at, &addition.written, section);
        true
    }

    /// Tells whether a record is there, bit for bit: to join it changes nothing.
    fn holds(&self, section: &Section, record: &[u8]) -> bool {
        let mut reader = self.records(section);
        std::iter::from_fn(|| reader.record_body()).any(|known| known.0 == record)
    }

    fn count_records(&self, section: &Section) -> usize {
        let mut reader = self.records(section);
        std::iter::from_fn(|| reader.record_body()).count()
    }

    fn find_record(&self, section: &Section, channel: Channel<&str>) -> Option<Range<usize>> {
        let mut reader = self.records(section);
        while !reader.0.is_empty() {
            let start = section.end - reader.0.len();
            if reader.record_body()?.belongs_to(channel) {
                return Some(start..section.end - reader.0.len());
            }
        }
        None
    }

    fn records(&self, section: &Section) -> Reader<'_> {
        Reader(&self.bytes[section.records..section.end])
    }

    /// Returns where the section of a voice lies; makes an empty one if the voice has not spoken yet.
    fn section_of(&mut self, voice: VoiceKey<'_>) -> Section {
        let length = self.bytes.len();
        let mut reader = Reader(&self.bytes);
        reader.bytes();
        while !reader.0.is_empty() {
            let start = length - reader.0.len();
            let mut section = reader.section().expect(CHECKED);
            let end = length - reader.0.len();
            if section.voice_key() == Some(voice) {
                section.flags();
                return Section { start, records: end - section.0.len(), end };
            }
        }
        let start = length;
        let mut header = Scratch::new();
        put_voice(&mut header, voice, false);
        self.bytes.reserve_exact(header.len() + SECTION_LENGTH);
        self.bytes.extend_from_slice(&section_length(header.len()));
        self.bytes.extend_from_slice(&header);
        let end = self.bytes.len();
        Section { start, records: end, end }
    }

    fn join_header(&mut self, section: &Section, flags: Flags, forgotten: bool) -> bool {
        let at = section.records - 2;
        let known = u16::from_le_bytes([self.bytes[at], self.bytes[at + 1]]);
        let joined = known | flags.bits() | if forgotten { FORGOTTEN } else { 0 };
        self.bytes[at..at + 2].copy_from_slice(&joined.to_le_bytes());
        joined != known
    }

    /// Puts `fresh` in the place of the bytes `at`, and mends the length of the section around them.
    fn replace(&mut self, at: Range<usize>, fresh: &[u8], section: &mut Section) {
        if fresh.len() > at.len() {
            // Exact: a fleet is millions of these, and most of them never grow again.
            self.bytes.reserve_exact(fresh.len() - at.len());
        }
        if at.end == self.bytes.len() {
            self.bytes.truncate(at.start);
            self.bytes.extend_from_slice(fresh);
        } else {
            self.make_room(&at, fresh.len());
            self.bytes[at.start..at.start + fresh.len()].copy_from_slice(fresh);
        }
        section.end = section.end + fresh.len() - at.len();
        let records = section.start + SECTION_LENGTH;
        let length = section_length(section.end - records);
        self.bytes[section.start..records].copy_from_slice(&length);
    }
}

impl Client {
    /// Moves what follows `at` so that so many bytes fit into its place.
    fn make_room(&mut self, at: &Range<usize>, length: usize) {
        let tail = at.end..self.bytes.len();
        let moved_to = at.start + length;
        let end = moved_to + tail.len();
        self.bytes.resize(self.bytes.len().max(end), 0);
        self.bytes.copy_within(tail, moved_to);
        self.bytes.truncate(end);
    }
}

/// Puts what stands before the records of a voice that has no flags.
fn put_voice(out: &mut Scratch, voice: VoiceKey<'_>, forgotten: bool) {
    put_text(out, voice.name.as_bytes());
    out.push(voice.authority);
    let flags = if forgotten { FORGOTTEN } else { 0 };
    out.extend_from_slice(&flags.to_le_bytes());
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("id", &self.id()).field("voices", &self.voices()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Timestamp;

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

    /// Returns a record of a few channels, that tells of one thing or of several.
    fn anything<'a>(rng: &mut fastrand::Rng, names: &'a [String]) -> Record<'a> {
        let name = names[rng.usize(..names.len())].as_str();
        let mut record = Record::new(match rng.u8(..8) {
            0 => Channel::Weak(None),
            1 => Channel::Weak(Some(name)),
            _ => Channel::Strong(name),
        });
        for _ in 0..=rng.usize(..2) * rng.usize(..3) {
            let seen = Observation {
                sequence: if rng.u8(..9) == 0 { b"7" } else { b"" },
                time: Timestamp(1_760_000_000_000 + rng.i64(-50..50)),
                tie: u64::from(rng.u8(..4) / 3),
                address: ["", "192.0.2.1:1", "192.0.2.2:2"][rng.usize(..3)],
                resolution: if rng.u8(..9) == 0 { 1_000 } else { 0 },
            };
            let slot = Slot::of((rng.u8(..9) > 0).then_some(seen));
            *record.slot_mut(EventKind::ALL[rng.usize(..4)]) = slot;
        }
        if rng.u8(..5) == 0 {
            record.marks.push(Mark { ear: rng.u64(..3), epoch: rng.u64(..3) });
        }
        record
    }

    #[test]
    fn what_is_written_piece_by_piece_is_written_as_if_it_were_written_at_once() {
        let voice = VoiceKey { authority: 1, name: "lmq" };
        for seed in 0..2_000 {
            let mut rng = fastrand::Rng::with_seed(seed);
            // A record that long has a length of two bytes.
            let names = [10, 12, 100, 90].map(|length| "c".repeat(length));
            let (mut client, mut count) = (Client::new("pump-7"), 0);
            for _ in 0..12 {
                let record = anything(&mut rng, &names);
                let before = client.clone();
                let joined = client.join_record(voice, &record, Marking::News, usize::MAX);
                assert_eq!(joined.anything(), client != before, "seed {seed}: {record:?}");

                for kind in EventKind::ALL {
                    let Slot::Timed { low, .. } = record.slot(kind) else { continue };
                    let mut single = Record::new(record.channel);
                    *single.slot_mut(kind) = Slot::of(Some(*low));
                    let mark = (rng.u8(..3) > 0)
                        .then(|| Mark { ear: rng.u64(..3), epoch: 1 + rng.u64(..3) });
                    single.marks.extend(mark);
                    let bound = 1 + rng.usize(..4);
                    let (mut by_record, mut by_event) = (before.clone(), before.clone());
                    let one = by_record.join_record(voice, &single, Marking::News, bound);
                    let other = by_event.join_event(voice, record.channel, kind, low, mark, bound);
                    assert_eq!((one, &by_record), (other, &by_event), "seed {seed}: {single:?}");
                }

                let section = client.section_of(voice);
                let mut reader = client.records(&section);
                count = 0;
                while !reader.0.is_empty() {
                    let (bytes, mut ranked) = (reader.0, Reader(reader.0));
                    let record = reader.record().expect("it was written here");
                    let mut written = Scratch::new();
                    put_record(&mut written, &record);
                    assert_eq!(bytes[..bytes.len() - reader.0.len()], *written, "seed {seed}");
                    let (time, name, is_strong) = record.rank();
                    let rank = (time, name.as_bytes(), is_strong);
                    let expected = Some((record.opening().is_there(), rank));
                    assert_eq!(ranked.rank(), expected, "seed {seed}: {record:?}");
                    assert_eq!(ranked.0.len(), reader.0.len(), "seed {seed}");
                    count += 1;
                }
            }
            assert!(count > 0, "seed {seed}");
        }
    }

    #[test]
    fn what_is_forgotten_is_the_oldest_of_its_kind() {
        let voice = VoiceKey { authority: 1, name: "lmq" };
        for seed in 0..2_000 {
            let mut rng = fastrand::Rng::with_seed(seed);
            let names = ["a", "b", "c", "d", "e", "f"].map(str::to_owned);
            let mut client = Client::new("pump-7");
            for _ in 0..12 {
                let record = anything(&mut rng, &names);
                let is_record = |known: &Record<'_>| known.channel == record.channel;
                let was_known = client
                    .voices()
                    .first()
                    .is_some_and(|voice| voice.records.iter().any(is_record));
                let mut all = client.clone();
                let whole = all.join_record(voice, &record, Marking::News, usize::MAX);

                let joined = client.join_record(voice, &record, Marking::News, 2);

                let all = all.voices();
                let kept_of = |with_opening: bool| {
                    let list = |record: &&Record<'_>| record.opening().is_there() == with_opening;
                    let mut list: Vec<_> = all[0].records.iter().filter(list).collect();
                    list.sort_by_key(|record| std::cmp::Reverse(record.rank()));
                    list.truncate(2);
                    list
                };
                let voices = client.voices();
                let kept = &voices[0].records;
                let expected = [kept_of(true), kept_of(false)].concat();
                assert_eq!(kept.len(), expected.len(), "seed {seed}");
                assert!(kept.iter().all(|kept| expected.contains(&kept)), "seed {seed}");
                let lost = all[0].records.len() > kept.len();
                assert!(voices[0].forgotten || !lost, "seed {seed}");
                // What comes and goes is no news, unless it is the first to go.
                let stays = was_known || kept.iter().any(is_record);
                let is_first = voices[0].forgotten && !all[0].forgotten;
                assert_eq!(joined.news, whole.news && (stays || is_first), "seed {seed}");
            }
        }
    }
}
