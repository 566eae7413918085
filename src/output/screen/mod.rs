//! The full-screen table: news, keys and time go in, frames come out. Pure: who owns the terminal
//! hands over keys and a buffer to draw on, and the state of the clients is never held up by it.
//!
//! What a frame costs depends on the lines of the screen. Sorting and filtering go over all clients,
//! and happen at most once per [`Screen::sort_pause`], unless a key asks for it.

mod detail;
mod key;
mod messages;
mod page;
mod pen;
mod row;
mod rows;
mod table;

pub use key::{Key, Wish};

use super::strip::{SPANS, Signs};
use crate::event::Timestamp;
use crate::output::style::Tone;
use crate::output::time::Zone;
use crate::output::verdict::Vitals;
use crate::output::warning::Warning;
use crate::state::fleet::Fleet;
use crate::state::policy::Policy;
use crate::state::presence::Change;
use crate::state::verdict::Verdict;
use messages::Messages;
use pen::Pen;
use ratatui::buffer::Buffer;
use rows::Rows;
use std::time::Duration;

/// What the terminal can show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Abilities {
    pub coloured: bool,
    pub unicode: bool,
    /// Of the times.
    pub zone: Zone,
}

/// What is on the screen.
#[derive(Debug)]
pub struct Screen {
    instances: Vec<String>,
    policy: Policy,
    abilities: Abilities,
    rows: Rows,
    messages: Messages,
    vitals: Vitals,
    events_per_s: f64,
    /// What else is worth a place beside the figures.
    aside: String,
    /// Brokers that are not connected.
    away: usize,
    view: View,
    typing: bool,
    /// The client under the cursor; `None` is whoever stands first.
    selected: Option<u32>,
    /// The place of the cursor, and of the first line shown, among the clients shown.
    place: usize,
    top: usize,
    /// First line of a page that is not the table.
    scroll: usize,
    /// Lines of the table or page as it was last drawn.
    page: usize,
    /// What was last told about the client in view.
    told: Option<Fleet>,
    /// Time that the strip of a client shows: as chosen, and as drawn.
    span: Option<usize>,
    span_drawn: usize,
    /// Something changed since the last frame.
    dirty: bool,
    /// A key changed what is shown: the order is made anew at once.
    forced: bool,
    sorted_at: Option<Duration>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum View {
    Table,
    /// Of the client with this number.
    Client(u32),
    Messages,
    Help,
}

impl Screen {
    #[must_use]
    pub fn new(instances: Vec<String>, policy: Policy, abilities: Abilities) -> Self {
        Self {
            away: instances.len(),
            instances,
            policy,
            abilities,
            rows: Rows::new(),
            messages: Messages::default(),
            vitals: Vitals::default(),
            events_per_s: 0.0,
            aside: String::new(),
            view: View::Table,
            typing: false,
            selected: None,
            place: 0,
            top: 0,
            scroll: 0,
            page: 0,
            told: None,
            span: None,
            span_drawn: 0,
            dirty: true,
            forced: false,
            sorted_at: None,
        }
    }

    #[must_use]
    pub fn instances(&self) -> &[String] {
        &self.instances
    }

    /// Takes in what is known of a client when watching begins.
    pub fn known(&mut self, broker: usize, verdict: &Verdict) {
        self.rows.believe(number(broker), verdict, false);
        self.dirty = true;
    }

    /// Takes a change in.
    pub fn change(&mut self, broker: usize, change: &Change) {
        self.rows.believe(number(broker), &change.verdict, true);
        self.dirty = true;
    }

    /// Takes in how all watchers are doing, with how many of them are not connected.
    pub fn vitals(&mut self, vitals: Vitals, events_per_s: f64, away: usize) {
        (self.vitals, self.events_per_s, self.away) = (vitals, events_per_s, away);
        self.dirty = true;
    }

    /// Shows something beside the figures, for as long as it is so.
    pub fn note(&mut self, aside: String) {
        self.dirty |= self.aside != aside;
        self.aside = aside;
    }

    pub fn warn(&mut self, at: Timestamp, warning: &Warning) {
        let text = warning.to_string();
        let text = text.strip_prefix("warning: ").unwrap_or(&text);
        self.say(at, text.split_whitespace().collect::<Vec<_>>().join(" "), Tone::Warning);
    }

    /// Shows something that was found out about the fleet. Foreign values in it are sanitised.
    pub fn finding(&mut self, at: Timestamp, text: &str) {
        self.say(at, text.to_owned(), Tone::Bold);
    }

    fn say(&mut self, at: Timestamp, text: String, tone: Tone) {
        self.messages.add(at, text, tone);
        self.dirty = true;
    }

    /// Returns the client that is shown in full, with the number of its broker: what there is to know
    /// about it is asked for, and handed over to [`tell`](Self::tell).
    #[must_use]
    pub fn question(&self) -> Option<(usize, &str)> {
        let View::Client(at) = self.view else { return None };
        self.rows.row(at).map(|row| (row.broker.into(), &*row.client))
    }

    /// Takes in what is known about a client: a fleet of this one alone. An answer that comes when
    /// another client is in view is too late.
    pub fn tell(&mut self, broker: usize, client: &str, fleet: Fleet) {
        if self.question() == Some((broker, client)) {
            self.told = Some(fleet);
            self.dirty = true;
        }
    }

    /// Returns whether a new frame would show anything new, but for ages.
    #[must_use]
    pub const fn is_dirty(&self) -> bool {
        self.dirty || self.rows.is_stale()
    }

    /// Returns how long the order of the clients stays as it is.
    #[must_use]
    pub const fn sort_pause(&self) -> Duration {
        if self.rows.len() <= SMALL_FLEET { SORT_PAUSE } else { SORT_PAUSE_LARGE }
    }

    /// Returns how often all clients were sorted.
    #[must_use]
    pub const fn sortings(&self) -> u64 {
        self.rows.sortings
    }

    /// Draws all of it. `uptime` is on a clock that never steps.
    pub fn draw(&mut self, buffer: &mut Buffer, now: Timestamp, uptime: Duration) {
        buffer.reset();
        self.dirty = false;
        self.arrange(uptime);
        let mut pen = Pen { buffer, coloured: self.abilities.coloured };
        if pen.columns() < COLUMNS_MIN || pen.lines() < LINES_MIN {
            pen.line(0, "too small", Tone::Plain);
            return;
        }
        match self.view {
            View::Table => self.draw_table(&mut pen, now),
            View::Client(at) => self.draw_client(&mut pen, at, now),
            View::Messages => self.draw_messages(&mut pen),
            View::Help => self.draw_help(&mut pen),
        }
    }

    fn arrange(&mut self, uptime: Duration) {
        let is_due =
            self.sorted_at.is_none_or(|sorted| uptime.saturating_sub(sorted) >= self.sort_pause());
        if !(self.forced || is_due && self.rows.is_stale()) {
            return;
        }
        self.forced = false;
        self.sorted_at = Some(uptime);
        self.rows.arrange();
        let shown = self.rows.shown();
        // The cursor stays on its client, and on its line if the client is not shown any more.
        let found = self.selected.and_then(|at| shown.iter().position(|other| *other == at));
        self.place = match self.selected {
            None => 0,
            Some(_) => found.unwrap_or(self.place).min(shown.len().saturating_sub(1)),
        };
        if self.selected.is_some() && found.is_none() {
            self.selected = shown.get(self.place).copied();
        }
    }

    fn signs(&self) -> Signs {
        Signs::new(self.abilities.unicode)
    }

    /// Moves the cursor; the first line is left to whoever comes to stand there.
    fn step(&mut self, by: isize) {
        let shown = self.rows.shown();
        let last = shown.len().saturating_sub(1);
        self.place = self.place.saturating_add_signed(by).min(last);
        self.selected = if self.place == 0 { None } else { shown.get(self.place).copied() };
    }

    fn open(&mut self) {
        if let Some(at) = self.rows.shown().get(self.place).copied() {
            self.selected = Some(at);
            self.view = View::Client(at);
            (self.scroll, self.told, self.span) = (0, None, None);
        }
    }

    fn close(&mut self) {
        self.view = View::Table;
        self.told = None;
        self.scroll = 0;
    }

    fn widen(&mut self, by: isize) {
        let last = SPANS.len() - 1;
        self.span = Some(self.span_drawn.saturating_add_signed(by).min(last));
    }
}

fn number(broker: usize) -> u16 {
    u16::try_from(broker).unwrap_or(u16::MAX)
}

/// Below this nothing can be made out.
const COLUMNS_MIN: u16 = 20;
const LINES_MIN: u16 = 5;
/// Up to so many clients sorting costs next to nothing.
const SMALL_FLEET: usize = 10_000;
const SORT_PAUSE: Duration = Duration::from_millis(200);
const SORT_PAUSE_LARGE: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests;
