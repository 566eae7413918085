//! Clients that are worth a look, and why each is.

use super::Told;
use crate::output::finding;
use crate::output::number::{counted, grouped};
use crate::output::time::duration_ms;
use crate::state::course::{Kind, Note, Spell};
use crate::state::diagnosis::{Finding, Phase, What};
use crate::state::verdict::Status;
use std::collections::BTreeMap;

/// A client, by its place among all, and why it is looked at.
#[derive(Debug)]
pub struct Chosen {
    pub at: usize,
    pub why: Vec<String>,
}

/// Clients of one kind, and of all kinds and brokers.
const OF_KIND_MAX: usize = 3;
const CHOSEN_MAX: usize = 14;

/// Clients in the order in which they were chosen.
#[derive(Debug)]
struct Choice {
    room: usize,
    chosen: Vec<Chosen>,
    places: BTreeMap<usize, usize>,
}

impl Choice {
    /// Adds a client, or another reason to look at it.
    fn add(&mut self, at: usize, why: String) {
        if let Some(place) = self.places.get(&at) {
            let known = &mut self.chosen[*place].why;
            if !known.contains(&why) {
                known.push(why);
            }
        } else if self.chosen.len() < self.room {
            self.places.insert(at, self.chosen.len());
            self.chosen.push(Chosen { at, why: vec![why] });
        }
    }
}

/// Chooses clients of every kind that there is.
pub fn choose(told: &Told<'_>) -> Vec<Chosen> {
    let room = (CHOSEN_MAX / told.beside.max(1)).max(1);
    let mut choice = Choice { room, chosen: Vec::new(), places: BTreeMap::new() };
    found(told, &mut choice);
    for number in 0..told.outages.len().min(OF_KIND_MAX) {
        lost(told, number, &mut choice);
    }
    odd(
        told,
        "superseded-open",
        "a ghost: an older connection was never reported as ended",
        &mut choice,
    );
    odd(told, "tcpclean-missing", "said goodbye, and the end was never reported", &mut choice);
    odd(told, "takeover-loop", "connections throw each other out", &mut choice);
    odd(told, "flapping", "many connections in a short time", &mut choice);
    suspect(told, &mut choice);
    longest_absences(told, &mut choice);
    least_available(told, &mut choice);
    choice.chosen
}

/// Of whom a finding tells by name.
fn found(told: &Told<'_>, choice: &mut Choice) {
    let mut shown: BTreeMap<_, usize> = BTreeMap::new();
    let named = told.findings.iter().filter(|finding| finding.phase == Phase::Begins);
    for finding in named {
        let Some(at) = finding.what.client().and_then(|client| place(told, client)) else {
            continue;
        };
        let count = shown.entry(finding.what.code()).or_default();
        if *count < OF_KIND_MAX || choice.places.contains_key(&at) {
            *count += 1;
            choice.add(at, why(told, finding));
        }
    }
}

fn why(told: &Told<'_>, finding: &Finding) -> String {
    let kind = match finding.what {
        What::SharedId(_) => "shared id",
        _ => finding::name(finding.what.code(), 1),
    };
    format!("{kind}: {}", finding::text(told.instance, finding, told.zone))
}

fn place(told: &Told<'_>, client: &str) -> Option<usize> {
    told.uptime.clients.binary_search_by(|(id, _)| (**id).cmp(client)).ok()
}

/// One that was lost in an outage and is back, and one that never came back.
fn lost(told: &Told<'_>, number: usize, choice: &mut Choice) {
    let Some(outage) = told.outages.get(number) else { return };
    let others = outage.outage().map_or(0, |outage| outage.lost.saturating_sub(1)) as u64;
    let when = told.moment(outage.last.since);
    let is_back = |at: &usize| told.beliefs[*at].status.online() == Some(true);
    if let Some(at) = told.lost_in(number).find(|at| !is_back(at)) {
        choice.add(
            at,
            format!("lost at {when} with {} others, and not online at the end", grouped(others)),
        );
    }
    if let Some(at) = told.lost_in(number).find(is_back) {
        choice.add(at, format!("lost at {when} with {} others, and back", grouped(others)));
    }
}

fn odd(told: &Told<'_>, code: &str, why: &str, choice: &mut Choice) {
    let has = |at: &usize| told.beliefs[*at].anomalies.contains(&code);
    for at in (0..told.beliefs.len()).filter(has).take(OF_KIND_MAX) {
        choice.add(at, format!("{code}: {why}"));
    }
}

fn suspect(told: &Told<'_>, choice: &mut Choice) {
    let is_suspect = |at: &usize| told.beliefs[*at].status == Status::Suspect;
    for at in (0..told.beliefs.len()).filter(is_suspect).take(OF_KIND_MAX) {
        choice.add(at, "suspect at the end: evidence disagrees".to_owned());
    }
}

/// Those that were offline for the longest time at a stretch, but for those that an outage explains.
fn longest_absences(told: &Told<'_>, choice: &mut Choice) {
    let longest = |at: usize| -> Option<(i64, usize, Spell<Note>)> {
        let spells = told.courses[at].spells.as_ref().filter(|_| told.outages_of[at].is_empty())?;
        let absences =
            spells.iter().filter(|it| it.kind == Kind::Down && it.after == Some(Kind::Up));
        let longest =
            absences.max_by_key(|spell| (spell.length_ms(), std::cmp::Reverse(spell.from)))?;
        Some((longest.length_ms(), at, *longest))
    };
    let mut longest: Vec<_> = (0..told.courses.len()).filter_map(longest).collect();
    longest.sort_by_key(|(length, at, _)| (std::cmp::Reverse(*length), *at));
    for (length, at, spell) in longest.into_iter().take(OF_KIND_MAX) {
        let until = if spell.to >= told.bounds.1 { " until the end" } else { "" };
        let (length, from) = (duration_ms(length), told.moment(spell.from));
        choice.add(at, format!("one of the longest absences: {length} from {from}{until}"));
    }
}

fn least_available(told: &Told<'_>, choice: &mut Choice) {
    for (id, totals) in told.uptime.worst_clients(OF_KIND_MAX) {
        let at = place(told, id).filter(|at| totals.losses > 0 && told.outages_of[*at].is_empty());
        if let Some(at) = at {
            let losses = counted(totals.losses, "time");
            choice.add(at, format!("one of the least available: being online ended {losses}"));
        }
    }
}
