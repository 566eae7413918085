//! What became of one client.

use crate::command::input::{Follower, Heard, Input};
use crate::config::question::Span;
use crate::failure::{Failure, Outcome};
use crate::nearest::nearest;
use crate::output::console::Console;
use crate::output::number::counted;
use crate::output::timeline::{Note, Story};
use crate::state::course::{Life, Spell};
use crate::state::packed::Client;
use std::collections::{BTreeMap, VecDeque};

/// Follows one client at every broker that knows it.
#[derive(Debug)]
pub struct Timeline {
    client: String,
    span: Span,
    lives: BTreeMap<String, Part>,
}

/// Its life at one broker: as much of it as has a place.
#[derive(Debug, Default)]
struct Part {
    life: Life<Note>,
    spells: VecDeque<Spell<Note>>,
    left_out: u64,
}

/// Spells that are kept: those of a device that has flapped for days.
const SPELLS_MAX: usize = 10_000;
/// Ids that are named where one was asked for that is not there.
const NEAR_MAX: usize = 3;

impl Timeline {
    pub const fn new(client: String, span: Span) -> Self {
        Self { client, span, lives: BTreeMap::new() }
    }

    /// Says that nothing was heard of the client, and which id may have been meant.
    fn unheard(&self, input: &Input) -> Failure {
        let fleets = || input.brokers.values().map(|broker| &broker.presence.fleet().clients);
        let known = fleets().map(|clients| clients.len() as u64).sum();
        let ids = || fleets().flat_map(|clients| clients.iter().map(Client::id));
        let typed = self.client.to_lowercase();
        let mut near: Vec<&str> = nearest(&self.client, ids()).into_iter().collect();
        let holds = |id: &&str| !typed.is_empty() && id.to_lowercase().contains(&typed);
        for id in ids().filter(holds).take(NEAR_MAX) {
            if near.len() < NEAR_MAX && !near.contains(&id) {
                near.push(id);
            }
        }
        let near: Vec<String> = near.iter().map(|id| format!("`{id}`")).collect();
        let next = if near.is_empty() {
            "leave `--timeline` out to see who was heard of".to_owned()
        } else {
            format!("did you mean {}?", near.join(" or "))
        };
        Failure::new(format!("nothing was heard of `{}`", self.client))
            .because(format!("{} of other ids in what was read", counted(known, "client")))
            .next(next)
            .ends_with(Outcome::CannotTell)
    }

    fn print(&mut self, input: &Input, console: &mut Console) -> Result<(), Failure> {
        for (instance, part) in &mut self.lives {
            let Some(broker) = input.brokers.get(instance) else { continue };
            let (first, last) = self.span.bounds(broker.extent(input));
            let life = std::mem::take(&mut part.life);
            let Part { spells, left_out, .. } = part;
            life.finish(last, &mut |spell| keep(spells, left_out, spell));
            let cut = std::mem::take(spells).into_iter();
            *spells = cut.filter_map(|spell| spell.within(first, last)).collect();
            let policy = broker.policy(&input.asked);
            let moment = input.moment(broker);
            let verdict = broker.presence.fleet().verdict(&self.client, moment, &policy);
            let story = Story { instance, verdict: &verdict, spells, left_out: *left_out };
            if console.is_json() {
                for object in story.objects() {
                    console.json_line(&object)?;
                }
            } else {
                let (is_unicode, columns) = (console.settings().is_unicode, console.columns());
                console.print(&story.text(console.style(), is_unicode, columns))?;
                console.print_line("")?;
            }
        }
        Ok(())
    }
}

impl Follower for Timeline {
    fn hear(&mut self, heard: &Heard<'_>) -> Result<(), Failure> {
        if heard.change.verdict.client != self.client {
            return Ok(());
        }
        let part = self.lives.entry(heard.instance.to_owned()).or_default();
        let Part { life, spells, left_out } = part;
        let mut emit = |spell| keep(spells, left_out, spell);
        life.change(heard.change, heard.now, Note::of(heard.change), &mut emit);
        Ok(())
    }

    fn conclude(&mut self, input: &Input, console: &mut Console) -> Result<Outcome, Failure> {
        for (instance, broker) in &input.brokers {
            // Known, but never so that anything could be said of it.
            if broker.presence.fleet().clients.find(&self.client).is_some() {
                self.lives.entry(instance.clone()).or_default();
            }
        }
        if self.lives.is_empty() {
            return Err(self.unheard(input));
        }
        self.print(input, console)?;
        super::print_summary(input, console)?;
        Ok(Outcome::Yes)
    }
}

fn keep(spells: &mut VecDeque<Spell<Note>>, left_out: &mut u64, spell: Spell<Note>) {
    if spells.len() >= SPELLS_MAX {
        spells.pop_front();
        *left_out += 1;
    }
    spells.push_back(spell);
}
