//! The pages beside the table: one client in full, the messages, the keys.

use super::Screen;
use super::detail::{Detail, Lines};
use super::key::HELP;
use super::messages::Message;
use super::pen::{Pen, wrapped};
use crate::event::Timestamp;
use crate::output::number::counted;
use crate::output::sanitize::sanitize;
use crate::output::strip::SPANS;
use crate::output::style::Tone;

impl Screen {
    pub(super) fn draw_client(&mut self, pen: &mut Pen<'_>, at: u32, now: Timestamp) {
        let Some(row) = self.rows.row(at) else { return self.close() };
        let (columns, signs) = (pen.columns(), self.signs());
        let instance = self.instances.get(usize::from(row.broker)).map_or("", String::as_str);
        let mut lines = Lines::new();
        let mut span = None;
        if let Some(fleet) = &self.told {
            let detail = Detail {
                instance,
                client: &row.client,
                fleet,
                policy: &self.policy,
                now,
                span: self.span,
                changes: row.changes,
                zone: self.abilities.zone,
            };
            (lines, span) = detail.lines(columns, signs);
        } else {
            lines.push((sanitize(&row.client, columns.into()).into_owned(), Tone::Bold));
            lines.push(("asking …".to_owned(), Tone::Dim));
        }
        self.span_drawn = span.unwrap_or(self.span_drawn).min(SPANS.len() - 1);
        self.draw_lines(pen, &lines);
    }

    pub(super) fn draw_messages(&mut self, pen: &mut Pen<'_>) {
        self.messages.unseen = 0;
        let mut lines = vec![("messages, the latest first".to_owned(), Tone::Bold)];
        let zone = self.abilities.zone;
        let line = |message: &Message| {
            (format!("{} {}", zone.time(message.at), message.text), message.tone)
        };
        lines.extend(self.messages.iter().map(line));
        if lines.len() == 1 {
            lines.push(("none yet".to_owned(), Tone::Dim));
        }
        if self.messages.dropped > 0 {
            let text = format!("{} are not kept", counted(self.messages.dropped, "older message"));
            lines.push((text, Tone::Dim));
        }
        self.draw_lines(pen, &lines);
    }

    pub(super) fn draw_help(&mut self, pen: &mut Pen<'_>) {
        let tone = |at| if at == 0 { Tone::Bold } else { Tone::Plain };
        let lines: Lines =
            HELP.iter().enumerate().map(|(at, line)| ((*line).to_owned(), tone(at))).collect();
        self.draw_lines(pen, &lines);
    }

    /// Draws lines between head and foot, broken where they are too long, from where it is scrolled to.
    fn draw_lines(&mut self, pen: &mut Pen<'_>, lines: &Lines) {
        self.draw_head(pen);
        self.page = usize::from(pen.lines().saturating_sub(2));
        let columns = pen.columns();
        let broken: Vec<(String, Tone)> = lines
            .iter()
            .flat_map(|(text, tone)| wrapped(text, columns).into_iter().map(|part| (part, *tone)))
            .collect();
        self.scroll = self.scroll.min(broken.len().saturating_sub(self.page));
        let visible = broken.iter().skip(self.scroll).take(self.page);
        for (y, (text, tone)) in (1..).zip(visible) {
            pen.line(y, text, *tone);
        }
        self.draw_foot(pen, true);
    }
}
