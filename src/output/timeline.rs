//! The course of one client's life: a strip, and each of its spells.

use super::number::counted;
use super::sanitize::sanitize;
use super::strip::{History, Signs};
use super::style::{Style, Tone};
use super::table::{Cell, Table};
use super::time::{Zone, duration_ms};
use super::verdict::{blindness, tone};
use crate::event::Timestamp;
use crate::state::course::{Kind, Spell};
use crate::state::presence::Change;
use crate::state::verdict::{Blind, How, Status, Verdict};
use compact_str::CompactString;
use serde::Serialize;
use std::collections::VecDeque;
use std::fmt::Write as _;

/// What the change that began a spell said.
#[derive(Clone, Debug, Default)]
pub struct Note {
    channel: Option<CompactString>,
    address: Option<CompactString>,
    /// How the connection before it ended.
    how: Option<How>,
    blind: Option<Blind>,
}

impl Note {
    #[must_use]
    pub fn of(change: &Change) -> Self {
        let verdict = &change.verdict;
        Self {
            channel: verdict.channel.clone(),
            address: verdict.address.clone(),
            how: verdict.how,
            blind: verdict.last_known.as_ref().map(|known| known.blind.clone()),
        }
    }
}

/// What is known of a client at one broker.
#[derive(Clone, Copy, Debug)]
pub struct Story<'a> {
    pub instance: &'a str,
    pub verdict: &'a Verdict,
    /// Without a hole between them.
    pub spells: &'a VecDeque<Spell<Note>>,
    /// How many earlier ones had no place.
    pub left_out: u64,
}

/// One spell of a client.
#[derive(Serialize, Debug)]
pub struct SpellObject<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    instance: &'a str,
    client: &'a str,
    state: &'static str,
    from_ms: i64,
    to_ms: i64,
    /// How the connection ended.
    how: Option<&'static str>,
    channel: Option<&'a str>,
    address: Option<&'a str>,
    reason: Option<&'static str>,
}

impl<'a> Story<'a> {
    /// Returns each spell as an object.
    pub fn objects(&self) -> impl Iterator<Item = SpellObject<'a>> {
        let Self { instance, verdict, spells, .. } = *self;
        let next = spells.iter().skip(1).map(Some).chain([None]);
        spells.iter().zip(next).map(move |(spell, next)| SpellObject {
            kind: "spell",
            instance,
            client: &verdict.client,
            state: status(spell.kind).word(),
            from_ms: spell.from.0,
            to_ms: spell.to.0,
            how: end_of(spell, next).map(How::word),
            channel: channel(spell),
            address: spell.note.address.as_deref().filter(|_| spell.kind == Kind::Up),
            reason: (spell.kind == Kind::Unknown).then(|| reason(&spell.note)),
        })
    }

    /// Returns the strip above the table of spells.
    #[must_use]
    pub fn text(&self, style: Style, is_unicode: bool, columns: Option<u16>) -> String {
        let mut text = format!("{}\n", self.heading(style));
        if let (Some(first), Some(last)) = (self.spells.front(), self.spells.back()) {
            text += &self.strip(first.from, last.to, style, is_unicode, columns);
        }
        if self.left_out > 0 {
            let _ = writeln!(text, "{} left out", counted(self.left_out, "earlier spell"));
        }
        text + "\n" + &self.table(style.zone()).render(style, columns)
    }

    fn heading(&self, style: Style) -> String {
        let Self { instance, verdict, .. } = self;
        let state = style.paint(tone(verdict.status), verdict.status.word());
        let broker = if instance.is_empty() { String::new() } else { format!(" at {instance}") };
        format!(
            "{}  {state}{}",
            style.paint(Tone::Bold, sanitize(&verdict.client, VALUE_MAX)),
            sanitize(&broker, VALUE_MAX)
        )
    }

    fn strip(
        &self,
        from: Timestamp,
        to: Timestamp,
        style: Style,
        is_unicode: bool,
        columns: Option<u16>,
    ) -> String {
        let of = |kind| self.spells.iter().filter(move |spell| spell.kind == kind);
        let history = History {
            sessions: of(Kind::Up).map(|spell| (spell.from, Some(spell.to))).collect(),
            holes: of(Kind::Unknown).map(|spell| (spell.from, spell.to)).collect(),
            known_from: Some(from),
        };
        let signs = Signs::new(is_unicode);
        let columns = columns.unwrap_or(COLUMNS).min(COLUMNS);
        let Signs { online, partly, offline, hole } = signs;
        let span = format!(
            "{} to {}, {} · {online} online {partly} in part {offline} offline {hole} nobody knows",
            style.time(from),
            style.time(to),
            duration_ms(to.since(from)),
        );
        format!("{}\n{}\n", history.strip(to, to.since(from), columns, signs), style.dim(span))
    }

    fn table(&self, zone: Zone) -> Table {
        let mut table = Table::new(&["from", "for", "state", "end", "address", "channel"]);
        let next = self.spells.iter().skip(1).map(Some).chain([None]);
        for (spell, next) in self.spells.iter().zip(next) {
            let state = status(spell.kind);
            let end = match spell.kind {
                Kind::Unknown => why(&spell.note, zone),
                Kind::Up => {
                    end_of(spell, next).map_or_else(String::new, |how| how.word().to_owned())
                }
                Kind::Down => String::new(),
            };
            let address = spell.note.address.as_deref().filter(|_| spell.kind == Kind::Up);
            table.row([
                Cell::time(&zone.time(spell.from)),
                Cell::text(&duration_ms(spell.length_ms())).right(),
                Cell::text(state.word()).tone(tone(state)),
                Cell::text(&end),
                Cell::text(address.unwrap_or("")),
                Cell::text(channel(spell).unwrap_or("")),
            ]);
        }
        table
    }
}

/// Returns the status that a spell of this kind has.
#[must_use]
pub const fn status(kind: Kind) -> Status {
    match kind {
        Kind::Up => Status::Online,
        Kind::Down => Status::Offline,
        Kind::Unknown => Status::Unknown,
    }
}

fn channel(spell: &Spell<Note>) -> Option<&str> {
    spell.note.channel.as_deref().filter(|_| spell.kind == Kind::Up)
}

fn end_of(spell: &Spell<Note>, next: Option<&Spell<Note>>) -> Option<How> {
    ended(spell.kind, next.map(|next| (next.kind, next.note.how)))
}

/// Returns how a connection ended, as the spell after it tells: its kind, and how what was before it ended.
#[must_use]
pub const fn ended(kind: Kind, next: Option<(Kind, Option<How>)>) -> Option<How> {
    match (kind, next) {
        (Kind::Up, Some((Kind::Up, _))) => Some(How::TakenOver),
        (Kind::Up, Some((Kind::Down, how))) => how,
        _ => None,
    }
}

fn why(note: &Note, zone: Zone) -> String {
    let why = |blind| blindness(blind, zone);
    note.blind.as_ref().map_or_else(|| "not heard of yet".to_owned(), why)
}

const fn reason(note: &Note) -> &'static str {
    match &note.blind {
        None => "not-heard",
        Some(Blind::NeverListened) => "never-listened",
        Some(Blind::SilentSince(_) | Blind::MemberSilent { .. } | Blind::QueueUnread { .. }) => {
            "silent"
        }
        Some(Blind::Away { .. }) => "away",
        Some(Blind::Outdated(_)) => "outdated",
    }
}

/// Columns of the strip where it is not limited.
const COLUMNS: u16 = 80;
const VALUE_MAX: usize = 200;
