//! A client at a glance: all that it takes to judge one of which only usual things were heard, read
//! without taking its records apart.

use super::bytes::Reader;
use super::{Client, VoiceKey};
use crate::event::{Flags, Timestamp};
use crate::state::record::Marks;

/// A client of which one voice has spoken, without anything odd.
#[derive(Debug)]
pub struct Glance<'a> {
    pub id: &'a str,
    pub voice: VoiceKey<'a>,
    records: &'a [u8],
}

/// A channel of a strong name that was opened, of which each thing was told with one time.
#[derive(Debug)]
pub struct Life<'a> {
    pub channel: &'a [u8],
    /// From where it was opened, or empty.
    pub address: &'a [u8],
    pub opened: Timestamp,
    pub farewell: Option<Timestamp>,
    pub closed: Option<Timestamp>,
    /// Its marks, not read yet.
    marks: &'a [u8],
}

impl Client {
    /// Looks at the client; `None` if there is more to see than a glance tells.
    #[must_use]
    pub fn glance(&self) -> Option<Glance<'_>> {
        let mut reader = Reader(&self.bytes);
        let id = reader.text()?;
        let mut section = reader.section()?;
        let voice = section.voice_key()?;
        let (flags, _) = section.flags()?;
        let is_usual = reader.0.is_empty() && flags == Flags::NONE;
        is_usual.then_some(Glance { id, voice, records: section.0 })
    }
}

impl<'a> Glance<'a> {
    /// Returns its lives, the one that was heard of last first; `None` in the place of an unusual one.
    pub fn lives(&self) -> impl Iterator<Item = Option<Life<'a>>> + use<'a> {
        let mut records = Reader(self.records);
        std::iter::from_fn(move || {
            let is_over = records.0.is_empty();
            (!is_over).then(|| records.record_body().and_then(Life::read))
        })
    }
}

impl<'a> Life<'a> {
    #[inline]
    fn read(mut record: Reader<'a>) -> Option<Self> {
        let (channel, has_farewell, has_closed) = record.usual_life()?;
        let mut address: &[u8] = &[];
        let opened = record.plain_time(&mut address)?;
        let mut other: &[u8] = &[];
        let mut end = |is_there: bool| {
            if is_there { record.plain_time(&mut other).map(Some) } else { Some(None) }
        };
        let (farewell, closed) = (end(has_farewell)?, end(has_closed)?);
        Some(Self { channel, address, opened, farewell, closed, marks: record.0 })
    }

    /// Returns in which epochs it was heard of.
    #[must_use]
    pub fn marks(&self) -> Option<Marks> {
        Reader(self.marks).marks()
    }

    /// Returns the latest time that it was heard of.
    #[must_use]
    pub fn last_heard(&self) -> Timestamp {
        let end = self.farewell.max(self.closed);
        end.map_or(self.opened, |end| end.max(self.opened))
    }
}
