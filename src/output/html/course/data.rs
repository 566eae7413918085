//! What the search of the page knows: every client in a line, as far as there is room.
//!
//! ```text
//! row  = state up down connections losses returns codes outages lane shared rest
//! lane = spell*                   all spells, from the first moment to the last
//!      | "=" seconds ":" piece*   pieces of so many seconds, because the spells had no room
//! spell = ("U" how? | "D" | "N" | "L" | "S" | "W") ms (":" address)?
//! piece = ("U" | "P" | "D" | "X" | "B") count
//! ```
//!
//! Numbers are in base 36, times in ms. Ids are as they are shown, sorted, and each leaves out the characters
//! that it shares with the one before. `page.js` reads this.

use super::{Account, Told, lane};
use crate::output::explain::{meaning, remedy};
use crate::output::json;
use crate::output::number::counted;
use crate::output::sanitize::sanitize;
use crate::state::course::{Blindness, Column, Course, Kind, Note, Spell};
use crate::state::verdict::{How, Status};
use serde::Serialize;
use std::collections::BTreeSet;

#[derive(Serialize)]
struct Data<'a> {
    brokers: Vec<Broker<'a>>,
    codes: Vec<[&'a str; 3]>,
    /// There are ids that are not in here.
    left_out: u64,
    /// Offsets from UTC in s, each with the moment from which it holds; none in UTC.
    offsets: Vec<(i64, i32)>,
}

#[derive(Serialize)]
struct Broker<'a> {
    name: String,
    from_ms: i64,
    to_ms: i64,
    /// The moment from which pieces count.
    begin_ms: i64,
    outages_ms: Vec<i64>,
    places: &'a [Box<str>],
    rows: Vec<String>,
}

/// How much is told of each client.
#[derive(Clone, Copy)]
struct Detail {
    spells_max: usize,
    pieces_max: u32,
}

/// From all there is to what always fits.
const DETAILS: [Detail; 7] = [
    Detail { spells_max: usize::MAX, pieces_max: 128 },
    Detail { spells_max: 64, pieces_max: 128 },
    Detail { spells_max: 16, pieces_max: 128 },
    Detail { spells_max: 8, pieces_max: 64 },
    Detail { spells_max: 6, pieces_max: 32 },
    Detail { spells_max: 3, pieces_max: 16 },
    Detail { spells_max: 1, pieces_max: 4 },
];
/// Bytes of all rows and addresses, of rows without their lanes, and of addresses.
const ROWS_MAX: usize = 7_000_000;
const HEADS_MAX: usize = 4_500_000;
const PLACES_MAX: usize = 1_200_000;
/// Bytes around a row, and those of its shared characters.
const AROUND: usize = 8;
/// Columns of an id.
const ID_MAX: usize = 200;

/// What there is to tell of one client, but for its lane.
struct Head {
    broker: usize,
    at: usize,
    id: String,
    text: String,
}

/// Returns the data as JSON, and what a reader must know of it.
pub fn data(account: &Account<'_>) -> (String, Vec<String>) {
    let codes: BTreeSet<&str> = account.anomalies.keys().map(|(_, code)| *code).collect();
    let codes: Vec<&str> = codes.into_iter().collect();
    let (heads, left_out) = heads(account, &codes);
    let mut remarks = Vec::new();
    if left_out > 0 {
        remarks.push(format!(
            "{} of which there is least to tell had no place, and cannot be searched for.",
            counted(left_out, "client")
        ));
    }
    let mut brokers: Vec<Broker<'_>> = account.brokers.iter().map(broker).collect();
    let places = places(account, &mut brokers, &mut remarks);
    let lanes = lanes(account, &heads, places, &mut remarks);
    let mut before = (0, String::new());
    for (head, lane) in heads.into_iter().zip(lanes) {
        let Head { broker, id, text, .. } = head;
        if before.0 != broker {
            before = (broker, String::new());
        }
        let shared = shared(&before.1, &id);
        let rest = &id[shared.1..];
        let mut row = text;
        row.reserve(lane.len() + rest.len() + AROUND);
        row.push(' ');
        row.push_str(&lane);
        row.push(' ');
        push_base36(&mut row, shared.0);
        row.push(' ');
        row.push_str(rest);
        brokers[broker].rows.push(row);
        before.1 = id;
    }
    let codes = codes.into_iter().map(|code| [code, meaning(code), remedy(code)]).collect();
    let mut bytes = Vec::new();
    // Nothing in it has keys that are no strings.
    let _ = json::append_line(
        &mut bytes,
        &Data { brokers, codes, left_out, offsets: offsets(account) },
    );
    (String::from_utf8_lossy(&bytes).into_owned(), remarks)
}

/// Returns the offsets of the times that the search shows.
fn offsets(account: &Account<'_>) -> Vec<(i64, i32)> {
    let first = account.brokers.iter().map(|told| told.bounds.0.min(told.begin)).min();
    let last = account.brokers.iter().map(|told| told.bounds.1).max();
    let (Some(first), Some(last)) = (first, last) else { return Vec::new() };
    account.zone.offsets(first, last).into_iter().map(|(from, offset)| (from.0, offset)).collect()
}

fn broker<'a>(told: &Told<'a>) -> Broker<'a> {
    Broker {
        name: super::name(told.instance),
        from_ms: told.bounds.0.0,
        to_ms: told.bounds.1.0,
        begin_ms: told.begin.0,
        outages_ms: told.outages.iter().map(|lost| lost.last.since.0).collect(),
        places: &[],
        rows: Vec::new(),
    }
}

/// Gives brokers as many of their addresses as there is room for, and returns their bytes.
fn places<'a>(
    account: &Account<'a>,
    brokers: &mut [Broker<'a>],
    remarks: &mut Vec<String>,
) -> usize {
    let (mut bytes, mut left_out) = (0, 0);
    for (told, broker) in account.brokers.iter().zip(brokers) {
        let fits = told.places.iter().take_while(|place| {
            bytes += place.len() + AROUND;
            bytes <= PLACES_MAX
        });
        broker.places = &told.places[..fits.count()];
        left_out += (told.places.len() - broker.places.len()) as u64;
    }
    let placeless = account.brokers.iter().map(|told| told.placeless).sum::<u64>();
    if left_out + placeless > 0 {
        remarks.push("Not all addresses had a place.".to_owned());
    }
    bytes.min(PLACES_MAX)
}

/// Returns the clients by broker and id, and how many had no place.
fn heads(account: &Account<'_>, codes: &[&str]) -> (Vec<Head>, u64) {
    let mut heads = Vec::new();
    for (broker, told) in account.brokers.iter().enumerate() {
        for at in 0..told.courses.len() {
            let id = sanitize(told.client(at), ID_MAX).into_owned();
            heads.push(Head { broker, at, id, text: head(told, at, codes) });
        }
    }
    let size = |head: &Head| head.text.len() + head.id.len() + AROUND;
    if heads.iter().map(size).sum::<usize>() <= HEADS_MAX {
        return (heads, 0);
    }
    let all = heads.len();
    heads.sort_by_key(|head| std::cmp::Reverse(interest(&account.brokers[head.broker], head.at)));
    let mut bytes = 0;
    let fits = heads.iter().take_while(|head| {
        bytes += size(head);
        bytes <= HEADS_MAX
    });
    let fits = fits.count();
    heads.truncate(fits);
    heads.sort_by_key(|head| (head.broker, head.at));
    (heads, (all - fits) as u64)
}

/// Returns how much there is to tell of a client.
fn interest(told: &Told<'_>, at: usize) -> impl Ord + use<> {
    let totals = &told.uptime.clients[at].1;
    let is_odd = !told.beliefs[at].anomalies.is_empty() || !told.outages_of[at].is_empty();
    (is_odd, totals.losses, totals.down_ms)
}

fn head(told: &Told<'_>, at: usize, codes: &[&str]) -> String {
    let (belief, totals) = (&told.beliefs[at], &told.uptime.clients[at].1);
    let mut text = state(belief.status).to_owned();
    for number in [totals.up_ms, totals.down_ms].map(i64::unsigned_abs).into_iter().chain([
        totals.connections,
        totals.losses,
        totals.returns,
    ]) {
        text.push(' ');
        push_base36(&mut text, number);
    }
    let of_codes = belief.anomalies.iter().filter_map(|code| codes.binary_search(code).ok());
    push_numbers(&mut text, of_codes.map(|code| code as u64));
    push_numbers(&mut text, told.outages_of[at].iter().map(|outage| u64::from(*outage)));
    text
}

/// Appends numbers with points between them, or a dash.
fn push_numbers(text: &mut String, numbers: impl Iterator<Item = u64>) {
    let mut before = ' ';
    for number in numbers {
        text.push(before);
        push_base36(text, number);
        before = '.';
    }
    if before == ' ' {
        text.push_str(" -");
    }
}

/// Returns the lanes, in as much detail as there is room for.
fn lanes(
    account: &Account<'_>,
    heads: &[Head],
    places: usize,
    remarks: &mut Vec<String>,
) -> Vec<String> {
    let fixed: usize = heads.iter().map(|head| head.text.len() + head.id.len() + AROUND).sum();
    let room = ROWS_MAX.saturating_sub(fixed + places);
    let in_detail = |detail: Detail, room: usize| -> Vec<String> {
        let mut bytes = 0;
        let lane = |head: &Head| {
            let told = &account.brokers[head.broker];
            let lane = lane(told, &told.courses[head.at], detail);
            bytes += lane.len();
            (bytes <= room).then_some(lane)
        };
        heads.iter().map_while(lane).collect()
    };
    let [details @ .., least] = &DETAILS;
    let fits = details.iter().map(|detail| (detail, in_detail(*detail, room)));
    let (detail, lanes) = fits
        .into_iter()
        .find(|(_, lanes)| lanes.len() == heads.len())
        .unwrap_or_else(|| (least, in_detail(*least, usize::MAX)));
    let thinned = lanes.iter().filter(|lane| lane.starts_with('=')).count() as u64;
    if thinned > 0 {
        remarks.push(format!(
            "The connections of {} had no place each: the search draws them in at most {} pieces of time. \
             `presence replay` with `--timeline` and the id prints each.",
            counted(thinned, "client"),
            detail.pieces_max
        ));
    }
    lanes
}

fn lane(told: &Told<'_>, course: &Course, detail: Detail) -> String {
    match &course.spells {
        Some(spells) if spells.len() <= detail.spells_max => of_spells(told, spells),
        _ => of_pieces(course, detail.pieces_max),
    }
}

fn of_spells(told: &Told<'_>, spells: &[Spell<Note>]) -> String {
    let mut text = String::with_capacity(8 * spells.len());
    let first = spells.first().map_or(told.bounds.1, |spell| spell.from);
    if first > told.bounds.0 {
        text.push('N');
        push_base36(&mut text, first.since(told.bounds.0).unsigned_abs());
    }
    for (at, spell) in spells.iter().enumerate() {
        text.push_str(match (spell.kind, spell.note.blind) {
            (Kind::Up, _) => "U",
            (Kind::Down, _) => "D",
            (Kind::Unknown, None) => "N",
            (Kind::Unknown, Some(Blindness::NeverListened)) => "L",
            (Kind::Unknown, Some(Blindness::Silent)) => "S",
            (Kind::Unknown, Some(Blindness::Away)) => "W",
        });
        text.push_str(match lane::ended(spell, spells.get(at + 1)) {
            None => "",
            Some(How::Graceful) => "G",
            Some(How::TakenOver) => "T",
            Some(How::Restart) => "R",
            Some(How::Abrupt) => "A",
            Some(How::Inferred) => "I",
        });
        push_base36(&mut text, spell.length_ms().unsigned_abs());
        if let (Kind::Up, Some(place)) = (spell.kind, spell.note.place) {
            text.push(':');
            push_base36(&mut text, place.into());
        }
    }
    text
}

fn of_pieces(course: &Course, pieces_max: u32) -> String {
    let raster = course.raster.within(pieces_max);
    let mut text = String::with_capacity(64);
    text.push('=');
    push_base36(&mut text, raster.width_ms().unsigned_abs() / 1_000);
    text.push(':');
    for (column, count) in raster.runs() {
        text.push(match column {
            Column::Up => 'U',
            Column::Partly => 'P',
            Column::Down => 'D',
            Column::Unknown => 'X',
            Column::Blank => 'B',
        });
        push_base36(&mut text, count.into());
    }
    text
}

const fn state(status: Status) -> &'static str {
    match status {
        Status::Online => "O",
        Status::Closing => "C",
        Status::Offline => "F",
        Status::Unknown => "U",
        Status::Suspect => "S",
    }
}

/// Returns how much two texts begin with in common: UTF-16 units, as scripts count, and bytes.
fn shared(before: &str, text: &str) -> (u64, usize) {
    let mut shared = (0, 0);
    for (one, other) in before.chars().zip(text.chars()) {
        if one != other {
            break;
        }
        shared = (shared.0 + one.len_utf16() as u64, shared.1 + one.len_utf8());
    }
    shared
}

/// Appends a number in base 36.
fn push_base36(text: &mut String, mut number: u64) {
    // u64::MAX has 13 digits.
    let mut digits = [b'0'; 13];
    let mut first = digits.len();
    loop {
        first -= 1;
        digits[first] = b"0123456789abcdefghijklmnopqrstuvwxyz"[(number % 36) as usize];
        number /= 36;
        if number == 0 {
            break;
        }
    }
    text.extend(digits[first..].iter().map(|digit| char::from(*digit)));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_as_scripts_read_them() {
        for (number, expected) in [(0, "0"), (35, "z"), (36, "10"), (u64::MAX, "3w5e11264sgsf")] {
            let mut text = String::new();
            push_base36(&mut text, number);
            assert_eq!(text, expected);
        }
    }

    #[test]
    fn what_is_shared_is_counted_as_scripts_count() {
        assert_eq!(shared("dev-10", "dev-11"), (5, 5));
        assert_eq!(shared("🚰泵a", "🚰泵b"), (3, 7));
        assert_eq!(shared("", "a"), (0, 0));
    }
}
