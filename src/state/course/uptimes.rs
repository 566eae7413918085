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
    totals: Totals,
    /// When something was known of it for the first time.
    begun: Option<Timestamp>,
}

impl Uptimes {
    /// A verdict changed, which could be known at `now`. What lies outside the bounds does not count.
    pub fn change(&mut self, change: &Change, now: Timestamp, bounds: (Timestamp, Timestamp)) {
        let id = change.verdict.client.as_str();
        if !self.0.contains_key(id) {
            self.0.insert(id.into(), Client::default());
        }
        let client = self.0.get_mut(id).expect("it was there, or was just added");
        let Client { life, totals, begun } = client;
        life.change(change, now, (), &mut |spell| count(totals, begun, spell, bounds));
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
            let Client { life, mut totals, mut begun } = client;
            life.finish(bounds.1, &mut |spell| count(&mut totals, &mut begun, spell, bounds));
            let unheard = Spell::unheard(begun.unwrap_or(bounds.1));
            if let Some(part) = unheard.within(bounds.0, bounds.1) {
                totals.take(&part, false);
            }
            (id, totals)
        })
    }
}

fn count(
    totals: &mut Totals,
    begun: &mut Option<Timestamp>,
    spell: Spell<()>,
    (first, last): (Timestamp, Timestamp),
) {
    if spell.after.is_none() {
        // Counted at the end, when it is known for certain when all began.
        *begun = Some(spell.to);
        return;
    }
    let from = spell.from;
    if let Some(part) = spell.within(first, last) {
        totals.take(&part, part.from == from);
    }
}
