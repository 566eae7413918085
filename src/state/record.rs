//! Everything that was heard about one channel.

use super::slot::{Mention, Slot};
use crate::event::{Channel, ChannelEvent, EventKind, Timestamp};
use smallvec::SmallVec;

/// What has been heard about one channel.
///
/// A record is only ever joined with another one; nothing in it is taken back. In particular the
/// record of a channel that is over is kept: it is what refuses a redelivered connect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record<'a> {
    pub channel: Channel<&'a str>,
    pub opened: Slot<'a>,
    pub seen: Slot<'a>,
    pub farewell: Slot<'a>,
    pub closed: Slot<'a>,
    pub marks: Marks,
}

/// The epochs in which something new about a record arrived, one per source.
pub type Marks = SmallVec<[Mark; 1]>;

/// In which epoch of a source something new about a record arrived (`coverage`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    /// Number of the ear that heard it.
    pub ear: u64,
    pub epoch: u64,
}

impl<'a> Record<'a> {
    #[must_use]
    pub fn new(channel: Channel<&'a str>) -> Self {
        Self {
            channel,
            opened: Slot::Empty,
            seen: Slot::Empty,
            farewell: Slot::Empty,
            closed: Slot::Empty,
            marks: Marks::new(),
        }
    }

    /// Returns the record that holds only this event.
    #[must_use]
    pub fn of(event: &'a ChannelEvent<'a>) -> Self {
        let mut record = Self::new(event.channel.borrowed());
        *record.slot_mut(event.kind) = Slot::of(event.observation());
        record
    }

    #[must_use]
    pub const fn slot(&self, kind: EventKind) -> &Slot<'a> {
        match kind {
            EventKind::Opened => &self.opened,
            EventKind::Seen => &self.seen,
            EventKind::Farewell => &self.farewell,
            EventKind::Closed => &self.closed,
        }
    }

    pub const fn slot_mut(&mut self, kind: EventKind) -> &mut Slot<'a> {
        match kind {
            EventKind::Opened => &mut self.opened,
            EventKind::Seen => &mut self.seen,
            EventKind::Farewell => &mut self.farewell,
            EventKind::Closed => &mut self.closed,
        }
    }

    #[must_use]
    pub const fn slots(&self) -> [&Slot<'a>; 4] {
        [&self.opened, &self.seen, &self.farewell, &self.closed]
    }

    /// Joins another record of the same channel into this one. Returns whether a slot widened.
    pub fn join(&mut self, other: &Self) -> bool {
        let mut widened = false;
        for kind in EventKind::ALL {
            if other.slot(kind).is_empty() {
                continue;
            }
            let slot = self.slot_mut(kind);
            let joined = slot.join(*other.slot(kind));
            widened |= joined != *slot;
            *slot = joined;
        }
        widened
    }

    /// Takes over the marks that are newer than our own. Returns whether any was.
    pub fn join_marks(&mut self, marks: &[Mark]) -> bool {
        let mut changed = false;
        for mark in marks {
            match self.marks.iter_mut().find(|own| own.ear == mark.ear) {
                Some(own) if own.epoch >= mark.epoch => continue,
                Some(own) => own.epoch = mark.epoch,
                None => self.marks.push(*mark),
            }
            changed = true;
        }
        changed
    }

    const fn is_strong(&self) -> bool {
        self.channel.is_strong()
    }

    /// Returns when the channel began, as far as is known: its opening, else when it was first seen.
    #[must_use]
    pub fn opening(&self) -> Mention<'a> {
        let opened = self.opened.mention(self.is_strong());
        let seen = self.seen.mention(self.is_strong());
        match (opened, seen) {
            (any, Mention::Absent) | (Mention::Absent | Mention::Untimed, any) => any,
            // A stand-in that is heard of again after its end is open again.
            (Mention::At(opened), Mention::At(seen)) if !self.is_strong() => {
                Mention::At(opened.max(seen))
            }
            (timed, _) => timed,
        }
    }

    /// Returns the end of this kind if it counts: on a stand-in an end that is older than the opening
    /// belongs to an earlier life of that name.
    #[must_use]
    pub fn end(&self, kind: EventKind) -> Mention<'a> {
        let end = self.slot(kind).mention(self.is_strong());
        if self.is_strong() {
            return end;
        }
        match (end, self.opening()) {
            (Mention::At(end), Mention::At(opening)) if end.moment() < opening.moment() => {
                Mention::Absent
            }
            _ => end,
        }
    }

    /// Returns what tells which of two channels is the newer one; no time ranks lowest, and equal
    /// times are told apart by name, so that every replica names the same channel.
    #[must_use]
    pub fn rank(&self) -> (Option<Timestamp>, &'a str, bool) {
        let opening = self.opening();
        let dated = if opening.is_there() {
            opening
        } else {
            match self.end(EventKind::Closed) {
                Mention::Absent => self.end(EventKind::Farewell),
                closed => closed,
            }
        };
        let name = match self.channel {
            Channel::Strong(name) => name,
            Channel::Weak(name) => name.unwrap_or(""),
        };
        (dated.time(), name, self.is_strong())
    }

    /// Returns the greatest time of any observation of the channel.
    #[must_use]
    pub fn last_heard(&self) -> Option<Timestamp> {
        self.slots().into_iter().filter_map(Slot::latest).max()
    }
}
