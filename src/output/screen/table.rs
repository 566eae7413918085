//! The table itself, with the lines above and below it.

use super::pen::Pen;
use super::row::{Column, Row};
use super::{Screen, View};
use crate::event::Timestamp;
use crate::output::number::grouped;
use crate::output::sanitize::{guard, sanitize};
use crate::output::style::Tone;
use crate::output::verdict::{status_line, tone};

/// What is left out first where there is not room for all, with the columns that each takes.
const BY_WORTH: [(Column, u16); 7] = [
    (Column::State, 8),
    (Column::Since, 8),
    (Column::How, 11),
    (Column::Anomalies, 16),
    (Column::Address, 21),
    (Column::Changes, 7),
    (Column::Voice, 9),
];
const CLIENT_MIN: u16 = 10;
const CLIENT_MAX: u16 = 48;
/// A channel is named only where there is room to spare.
const CHANNEL_MIN: u16 = 12;
const GAP: u16 = 2;
/// From this height on there is a line for what is shown, and one for messages.
const LINES_ROOMY: u16 = 8;

/// A column with its place on the line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Slot {
    column: Column,
    x: u16,
    width: u16,
}

/// Divides a line among the columns that have room, in the order in which they stand.
fn slots(columns: u16) -> Vec<Slot> {
    let mut widths = [0; Column::ALL.len()];
    let mut left = columns.saturating_sub(CLIENT_MIN);
    for (column, width) in BY_WORTH {
        if left < width + GAP {
            break;
        }
        widths[column as usize] = width;
        left -= width + GAP;
    }
    let more = left.min(CLIENT_MAX - CLIENT_MIN);
    widths[Column::Client as usize] = CLIENT_MIN.min(columns) + more;
    left -= more;
    if left >= CHANNEL_MIN + GAP {
        widths[Column::Channel as usize] = left - GAP;
    }
    let mut x = 0;
    let mut slots = Vec::new();
    for column in Column::ALL {
        let width = widths[column as usize];
        if width > 0 {
            slots.push(Slot { column, x, width });
            x += width + GAP;
        }
    }
    slots
}

impl Screen {
    pub(super) fn draw_table(&mut self, pen: &mut Pen<'_>, now: Timestamp) {
        let roomy = pen.lines() >= LINES_ROOMY;
        self.draw_head(pen);
        if roomy {
            self.draw_choice(pen);
        }
        let heads = if roomy { 2 } else { 1 };
        let slots = slots(pen.columns());
        self.draw_heads(pen, heads, &slots);
        let (first, below) = (heads + 1, if roomy { 2 } else { 1 });
        self.page = usize::from(pen.lines().saturating_sub(first + below));
        self.scroll_to_cursor();
        let shown = self.rows.shown();
        let visible = shown.iter().enumerate().skip(self.top).take(self.page);
        for (y, (place, at)) in (first..).zip(visible) {
            if let Some(row) = self.rows.row(*at) {
                draw_row(pen, y, row, &slots, now);
            }
            if place == self.place {
                pen.mark(y);
            }
        }
        if shown.is_empty() {
            let text = if self.rows.len() == 0 { "no client is known yet" } else { "none of them" };
            pen.line(first, text, Tone::Dim);
        }
        self.draw_foot(pen, roomy);
    }

    fn scroll_to_cursor(&mut self) {
        let last_top = self.rows.shown().len().saturating_sub(self.page);
        self.top = self.top.clamp((self.place + 1).saturating_sub(self.page), self.place);
        self.top = self.top.min(last_top);
    }

    /// The line that is the same on every page: whether anything is heard at all stands first.
    pub(super) fn draw_head(&self, pen: &mut Pen<'_>) {
        let mut x = 0;
        if self.away > 0 {
            let text = match self.instances.len() {
                1 => "NOT CONNECTED".to_owned(),
                all => format!("{} OF {all} NOT CONNECTED", self.away),
            };
            x = pen.put(0, 0, pen.columns(), &text, Tone::Error) + GAP;
        }
        let mut text = status_line(&self.vitals, self.events_per_s);
        if !self.aside.is_empty() {
            text = text + " · " + &self.aside;
        }
        pen.put(x, 0, pen.columns().saturating_sub(x), &text, Tone::Plain);
    }

    /// Which brokers, and which of their clients are shown.
    fn draw_choice(&self, pen: &mut Pen<'_>) {
        let (shown, all) = (self.rows.shown().len(), self.rows.len());
        let mut parts = vec![if shown == all {
            format!("all {} shown", grouped(all as u64))
        } else {
            format!("{} of {} shown", grouped(shown as u64), grouped(all as u64))
        }];
        if !self.rows.only.words().is_empty() {
            parts.push(self.rows.only.words().to_owned());
        }
        if !self.rows.filter().is_empty() && !self.typing {
            parts.push(format!("/{}", sanitize(self.rows.filter(), FILTER_COLUMNS_MAX)));
        }
        let around = if self.rows.reversed { ", turned around" } else { "" };
        parts.push(format!("by {}{around}", self.rows.sort.name()));
        let brokers: Vec<_> = self.instances.iter().map(|name| sanitize(name, 40)).collect();
        parts.push(brokers.join(", "));
        pen.line(1, &parts.join(" · "), Tone::Dim);
    }

    fn draw_heads(&self, pen: &mut Pen<'_>, y: u16, slots: &[Slot]) {
        for Slot { column, x, width } in slots {
            let mut name = column.name().to_owned();
            if *column == self.rows.sort {
                name.push(match (self.abilities.unicode, self.rows.reversed) {
                    (true, false) => '▼',
                    (true, true) => '▲',
                    (false, false) => 'v',
                    (false, true) => '^',
                });
            }
            pen.put(*x, y, *width, &name, Tone::Bold);
        }
    }

    /// The last line says what can be done, or holds what is typed; the line above it the latest
    /// message.
    pub(super) fn draw_foot(&self, pen: &mut Pen<'_>, roomy: bool) {
        let bottom = pen.lines() - 1;
        if self.typing {
            let room = usize::from(pen.columns().saturating_sub(2));
            let x = pen.line(bottom, "/", Tone::Bold);
            let typed = tail(self.rows.filter(), room);
            let x = pen.put(x, bottom, pen.columns(), &typed, Tone::Plain);
            pen.put(x, bottom, 1, if self.abilities.unicode { "█" } else { "_" }, Tone::Plain);
        } else {
            let keys = match self.view {
                View::Table => "q end  ? help  / find  s sort  Enter client  g messages",
                View::Client(_) => "Esc back  + - time  ? help",
                View::Messages | View::Help => "Esc back",
            };
            pen.line(bottom, keys, Tone::Dim);
        }
        let is_table = self.view == View::Table;
        if let Some(latest) =
            self.messages.latest().filter(|_| is_table && self.messages.unseen > 0)
        {
            let y = if roomy { bottom - 1 } else { bottom };
            if roomy || !self.typing {
                let more = self.messages.unseen - 1;
                let more =
                    if more > 0 { format!("(+{} g) ", grouped(more)) } else { String::new() };
                let text =
                    format!("{} {more}{}", self.abilities.zone.clock(latest.at), latest.text);
                pen.line(y, &" ".repeat(pen.columns().into()), Tone::Plain);
                pen.line(y, &text, latest.tone);
            }
        }
    }
}

fn draw_row(pen: &mut Pen<'_>, y: u16, row: &Row, slots: &[Slot], now: Timestamp) {
    for Slot { column, x, width } in slots {
        let columns = usize::from(*width);
        let or_dash = |text: &str| {
            if text.is_empty() { "–".to_owned() } else { sanitize(text, columns).into_owned() }
        };
        let (text, tone) = match column {
            Column::Client => (sanitize(&row.client, columns).into_owned(), Tone::Plain),
            Column::State => (row.status.word().to_owned(), tone(row.status)),
            Column::Since => (row.age(now), Tone::Plain),
            Column::Address => (or_dash(&row.address), Tone::Plain),
            Column::Channel => (or_dash(&row.channel), Tone::Plain),
            Column::How => (row.ending(), Tone::Plain),
            Column::Voice => (or_dash(&row.voice), Tone::Plain),
            Column::Changes => (format!("{:>columns$}", grouped(row.changes.into())), Tone::Plain),
            Column::Anomalies => (or_dash(&row.anomalies.join(" ")), Tone::Warning),
        };
        let tone = if text == "–" { Tone::Dim } else { tone };
        pen.put(*x, y, *width, &text, tone);
    }
}

/// Returns the end of what is typed, as much of it as has room.
fn tail(text: &str, columns: usize) -> String {
    let text = guard(text);
    let mut chars: Vec<char> = text.chars().rev().take(columns / 2).collect();
    if text.chars().count() <= columns / 2 {
        return text.into_owned();
    }
    chars.reverse();
    chars.into_iter().collect()
}

const FILTER_COLUMNS_MAX: usize = 30;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_never_overlap_and_end_with_the_line() {
        for columns in 1..=400 {
            let slots = slots(columns);
            assert_eq!(slots[0].column, Column::Client);
            for pair in slots.windows(2) {
                assert_eq!(pair[0].x + pair[0].width + GAP, pair[1].x, "{columns}");
            }
            let last = slots[slots.len() - 1];
            assert!(last.x + last.width <= columns, "{columns}: {slots:?}");
        }
    }

    #[test]
    fn narrow_lines_keep_what_matters_most() {
        let names = |columns| -> Vec<&str> {
            slots(columns).iter().map(|slot| slot.column.name()).collect()
        };
        assert_eq!(names(20), ["client", "state"]);
        assert_eq!(names(40), ["client", "state", "since"]);
        assert_eq!(names(80), ["client", "state", "since", "how", "anomalies"]);
        assert_eq!(names(200).len(), Column::ALL.len());
    }
}
