//! For how long each client was online, offline, or nobody knows.

use super::life::{Life, Spell};
use super::totals::Totals;
use crate::event::Timestamp;
use crate::state::presence::Change;
use std::collections::BTreeMap;

/// The clients of one broker, each with what its spells amount to within some bounds.
#[derive(Clone, Debug, Default)]
pub struct Uptimes(BTreeMap<Box<str>, Client>);

#[derive(Clone, Debug, Default)]
struct Client {
    life: Life<()>,
    sums: Sums,
}

/// What the spells of one client amount to within some bounds.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Sums {
    totals: Totals,
    /// When something was known of it for the first time.
    begun: Option<Timestamp>,
}

impl Sums {
    pub(super) fn take<T>(&mut self, spell: Spell<T>, (first, last): (Timestamp, Timestamp)) {
        if spell.after.is_none() {
            // Counted at the end, when it is known for certain when all began.
            self.begun = Some(spell.to);
            return;
        }
        let from = spell.from;
        if let Some(part) = spell.within(first, last) {
            self.totals.take(&part, part.from == from);
        }
    }

    /// Nothing is known after the bounds. Up, down and unknown are the whole time between them.
    pub(super) fn finish(mut self, (first, last): (Timestamp, Timestamp)) -> Totals {
        let unheard = Spell::unheard(self.begun.unwrap_or(last));
        if let Some(part) = unheard.within(first, last) {
            self.totals.take(&part, false);
        }
        self.totals
    }
}

impl Uptimes {
    /// A verdict changed, which could be known at `now`. What lies outside the bounds does not count.
    pub fn change(&mut self, change: &Change, now: Timestamp, bounds: (Timestamp, Timestamp)) {
        let id = change.verdict.client.as_str();
        if !self.0.contains_key(id) {
            self.0.insert(id.into(), Client::default());
        }
        let client = self.0.get_mut(id).expect("it was there, or was just added");
        let Client { life, sums } = client;
        life.change(change, now, (), &mut |spell| sums.take(spell, bounds));
    }

    /// Says that there is a client, of whom nothing may ever have been known.
    pub fn know(&mut self, id: &str) {
        if !self.0.contains_key(id) {
            self.0.insert(id.into(), Client::default());
        }
    }

    /// Nothing is known after the bounds. Returns what each client amounts to, by id. Up, down and unknown
    /// are the whole time between the bounds.
    pub fn finish(
        self,
        bounds: (Timestamp, Timestamp),
    ) -> impl Iterator<Item = (Box<str>, Totals)> {
        self.0.into_iter().map(move |(id, client)| {
            let Client { life, mut sums } = client;
            life.finish(bounds.1, &mut |spell| sums.take(spell, bounds));
            (id, sums.finish(bounds))
        })
    }
}
