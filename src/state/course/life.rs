//! The life of a client as a row of spells: online, offline, or nobody knows.

use crate::event::Timestamp;
use crate::state::presence::{Cause, Change};
use crate::state::turn::Turn;
use crate::state::verdict::Status;
use std::collections::BTreeMap;

/// What is known of a client for some time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Online, by one connection: a take-over begins the next spell.
    Up,
    Down,
    Unknown,
}

impl Kind {
    const fn of(status: Status) -> Self {
        match status {
            Status::Online | Status::Closing => Self::Up,
            Status::Offline => Self::Down,
            Status::Unknown | Status::Suspect => Self::Unknown,
        }
    }
}

/// A time in which nothing changed about a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spell<T> {
    pub kind: Kind,
    /// What was before, `None` at the beginning of all that is known.
    pub after: Option<Kind>,
    pub from: Timestamp,
    pub to: Timestamp,
    /// What its beginning brought along.
    pub note: T,
}

impl<T> Spell<T> {
    /// Returns the part of it that lies within these bounds. One without a length lies where it begins.
    #[must_use]
    pub fn within(self, first: Timestamp, last: Timestamp) -> Option<Self> {
        let (from, to) = (self.from.max(first), self.to.min(last));
        let is_in = from < to || (self.from == self.to && self.from >= first && self.from < last);
        is_in.then_some(Self { from, to, ..self })
    }

    #[must_use]
    pub const fn length_ms(&self) -> i64 {
        self.to.since(self.from)
    }
}

impl Spell<()> {
    /// Returns the time before anything was heard of a client.
    #[must_use]
    pub const fn unheard(to: Timestamp) -> Self {
        Self { kind: Kind::Unknown, after: None, from: Timestamp::MIN, to, note: () }
    }
}

/// The spells of one client. Of those that are over only the last is kept, and that only while an absence
/// of the listener may turn out to have lost nothing.
#[derive(Clone, Debug)]
pub struct Life<T> {
    present: Begun<T>,
    /// What an absence of the listener interrupted.
    interrupted: Option<Begun<T>>,
}

/// A spell that goes on.
#[derive(Clone, Debug)]
struct Begun<T> {
    kind: Kind,
    after: Option<Kind>,
    from: Timestamp,
    note: T,
}

impl<T> Begun<T> {
    fn until(self, to: Timestamp) -> Spell<T> {
        let Self { kind, after, from, note } = self;
        Spell { kind, after, from, to: to.max(from), note }
    }
}

impl<T: Default> Default for Life<T> {
    fn default() -> Self {
        let (from, note) = (Timestamp::MIN, T::default());
        let present = Begun { kind: Kind::Unknown, after: None, from, note };
        Self { present, interrupted: None }
    }
}

impl<T: Default> Life<T> {
    /// A verdict changed, which could be known at `now`. Hands out the spells that are over for good.
    pub fn change(
        &mut self,
        change: &Change,
        now: Timestamp,
        note: T,
        emit: &mut impl FnMut(Spell<T>),
    ) {
        self.follow(&Turn::of(change), now, note, emit);
    }

    /// The same, of a change in few bytes.
    #[inline]
    pub fn follow(
        &mut self,
        turn: &Turn<'_>,
        now: Timestamp,
        note: T,
        emit: &mut impl FnMut(Spell<T>),
    ) {
        let kind = Kind::of(turn.to);
        let told = turn.at.min(now);
        match (self.present.kind, kind) {
            (Kind::Unknown, Kind::Unknown) => {}
            (Kind::Unknown, _) => {
                match self.interrupted.take() {
                    Some(before) if turn.cause == Cause::Covered => {
                        self.present = before;
                        return self.go_on(turn, told, note, emit);
                    }
                    before => self.close(before, emit),
                }
                self.begin(kind, told, note, emit);
            }
            (_, Kind::Unknown) => {
                let heard = turn.gap.and_then(|gap| gap.heard_until);
                let from = heard.unwrap_or(told).max(self.present.from);
                let after = Some(self.present.kind);
                let absence = Begun { kind, after, from, note };
                self.interrupted = Some(std::mem::replace(&mut self.present, absence));
            }
            _ => self.go_on(turn, told, note, emit),
        }
    }

    /// Nothing is known after `to`. Hands out what was left.
    pub fn finish(mut self, to: Timestamp, emit: &mut impl FnMut(Spell<T>)) {
        let interrupted = self.interrupted.take();
        self.close(interrupted, emit);
        emit(self.present.until(to));
    }

    /// Returns the notes of spells that are not handed out yet.
    pub(super) fn notes_mut(&mut self) -> impl Iterator<Item = &mut T> {
        let Self { present, interrupted } = self;
        [Some(present), interrupted.as_mut()].into_iter().flatten().map(|begun| &mut begun.note)
    }

    /// Somebody listened since the present spell began.
    fn go_on(
        &mut self,
        turn: &Turn<'_>,
        told: Timestamp,
        note: T,
        emit: &mut impl FnMut(Spell<T>),
    ) {
        let kind = Kind::of(turn.to);
        let at = turn.since.unwrap_or(told);
        // Who is online and is told to be has connected anew, but for one of whom we hear again.
        let is_news = turn.cause != Cause::Covered || at > self.present.from;
        let connects = turn.to == Status::Online && is_news;
        if kind != self.present.kind || connects {
            self.begin(kind, at, note, emit);
        }
    }

    /// The next spell begins. What arrives late moves no border that was passed.
    fn begin(&mut self, kind: Kind, at: Timestamp, note: T, emit: &mut impl FnMut(Spell<T>)) {
        let from = at.max(self.present.from);
        let next = Begun { kind, after: Some(self.present.kind), from, note };
        emit(std::mem::replace(&mut self.present, next).until(from));
    }

    fn close(&self, interrupted: Option<Begun<T>>, emit: &mut impl FnMut(Spell<T>)) {
        if let Some(before) = interrupted {
            emit(before.until(self.present.from));
        }
    }
}

/// The lives of the clients of one broker.
#[derive(Clone, Debug)]
pub struct Lives<T>(BTreeMap<Box<str>, Life<T>>);

impl<T> Default for Lives<T> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<T: Default> Lives<T> {
    pub fn change(
        &mut self,
        change: &Change,
        now: Timestamp,
        note: T,
        emit: &mut impl FnMut(Spell<T>),
    ) {
        let client = change.verdict.client.as_str();
        if let Some(life) = self.0.get_mut(client) {
            life.change(change, now, note, emit);
        } else {
            let mut life = Life::default();
            life.change(change, now, note, emit);
            self.0.insert(client.into(), life);
        }
    }

    /// Hands out, client by client, what was left at `to`.
    pub fn finish(self, to: Timestamp, mut emit: impl FnMut(&str, Spell<T>)) {
        for (client, life) in self.0 {
            life.finish(to, &mut |spell| emit(&client, spell));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::verdict::{Blind, LastKnown, Verdict};

    /// A change to this status that is so since then, told at that moment.
    fn change(to: Status, since: i64, cause: Cause) -> Change {
        let since = Some(Timestamp(since));
        let verdict = Verdict { status: to, since, ..Verdict::unknown("a") };
        let at = verdict.since.expect("it was just set");
        Change { at, from: Status::Unknown, cause, verdict, held_ms: None }
    }

    fn gap(until: i64, at: i64) -> Change {
        let until = Timestamp(until);
        let last_known = LastKnown {
            status: Status::Online,
            channel: None,
            since: None,
            until: Some(until),
            blind: Blind::SilentSince(until),
        };
        let mut gap = change(Status::Unknown, at, Cause::Gap);
        gap.verdict.since = None;
        gap.verdict.last_known = Some(Box::new(last_known));
        gap
    }

    /// Returns the spells of a life that ends at 1000, each with what it is and its bounds.
    fn spells(changes: &[Change]) -> Vec<(Kind, i64, i64)> {
        let mut spells = Vec::new();
        let mut life = Life::<()>::default();
        let mut emit = |spell: Spell<()>| spells.push((spell.kind, spell.from.0, spell.to.0));
        for change in changes {
            life.change(change, change.at, (), &mut emit);
        }
        life.finish(Timestamp(1_000), &mut emit);
        assert!(
            spells.windows(2).all(|pair| pair[0].2 == pair[1].1),
            "no time is left out: {spells:?}"
        );
        spells[1..].to_vec()
    }

    const ON: Status = Status::Online;
    const OFF: Status = Status::Offline;

    #[test]
    fn a_goodbye_ends_a_spell_when_it_counts_as_the_end() {
        let changes = [
            change(ON, 100, Cause::Connect),
            change(Status::Closing, 200, Cause::Disconnect),
            Change { at: Timestamp(230), ..change(OFF, 200, Cause::Grace) },
        ];
        assert_eq!(spells(&changes[..2]), [(Kind::Up, 100, 1_000)], "it is online yet");
        assert_eq!(spells(&changes), [(Kind::Up, 100, 200), (Kind::Down, 200, 1_000)]);
    }

    #[test]
    fn a_take_over_begins_the_next_spell_at_once() {
        let changes = [change(ON, 100, Cause::Connect), change(ON, 300, Cause::Connect)];
        assert_eq!(spells(&changes), [(Kind::Up, 100, 300), (Kind::Up, 300, 1_000)]);
    }

    #[test]
    fn nobody_knows_from_where_the_hole_began_until_news_arrive() {
        let changes =
            [change(ON, 100, Cause::Connect), gap(200, 250), change(OFF, 300, Cause::Tcpclean)];
        let expected = [(Kind::Up, 100, 200), (Kind::Unknown, 200, 300), (Kind::Down, 300, 1_000)];
        assert_eq!(spells(&changes), expected);
    }

    #[test]
    fn an_absence_that_lost_nothing_leaves_no_mark() {
        let back = change(ON, 100, Cause::Covered);
        let changes = [change(ON, 100, Cause::Connect), gap(200, 250), back.clone()];
        assert_eq!(spells(&changes), [(Kind::Up, 100, 1_000)]);

        let ended = change(OFF, 220, Cause::Covered);
        let changes = [change(ON, 100, Cause::Connect), gap(200, 250), ended];
        assert_eq!(spells(&changes), [(Kind::Up, 100, 220), (Kind::Down, 220, 1_000)]);

        // It was found out later that something was lost.
        let changes = [change(ON, 100, Cause::Connect), gap(200, 250), back, gap(200, 260)];
        assert_eq!(spells(&changes), [(Kind::Up, 100, 200), (Kind::Unknown, 200, 1_000)]);
    }

    #[test]
    fn late_news_move_no_border_that_was_passed() {
        let changes = [change(ON, 300, Cause::Connect), change(OFF, 200, Cause::Tcpclean)];
        assert_eq!(spells(&changes), [(Kind::Up, 300, 300), (Kind::Down, 300, 1_000)]);
    }

    #[test]
    fn a_stamp_that_is_not_believed_is_no_border() {
        let mut life = Life::<()>::default();
        let mut odd = change(ON, 9_000_000, Cause::Connect);
        odd.verdict.since = None;
        let mut spells = Vec::new();
        let mut emit = |spell: Spell<()>| spells.push((spell.kind, spell.to.0));
        life.change(&odd, Timestamp(400), (), &mut emit);
        life.finish(Timestamp(1_000), &mut emit);
        assert_eq!(spells, [(Kind::Unknown, 400), (Kind::Up, 1_000)]);
    }

    #[test]
    fn a_part_of_a_spell_lies_within_its_bounds() {
        let spell = |from, to| Spell {
            kind: Kind::Up,
            after: None,
            from: Timestamp(from),
            to: Timestamp(to),
            note: (),
        };
        let part = |from, to| {
            let part = spell(from, to).within(Timestamp(10), Timestamp(20));
            part.map(|part| (part.from.0, part.to.0))
        };
        assert_eq!(part(i64::MIN, 15), Some((10, 15)));
        assert_eq!(part(12, 30), Some((12, 20)));
        assert_eq!(part(10, 10), Some((10, 10)));
        for (from, to) in [(0, 10), (20, 30), (20, 20), (5, 5)] {
            assert_eq!(part(from, to), None, "{from} to {to}");
        }
    }
}
