//! Drawing: text at a place, in a tone, never outside.

use crate::output::sanitize::guard;
use crate::output::style::Tone;
use ratatui::buffer::Buffer;
use ratatui::style::{Color, Modifier, Style};
use unicode_width::UnicodeWidthChar;

/// What draws on one frame.
#[derive(Debug)]
pub(super) struct Pen<'a> {
    pub buffer: &'a mut Buffer,
    pub coloured: bool,
}

impl Pen<'_> {
    pub fn columns(&self) -> u16 {
        self.buffer.area.width
    }

    pub fn lines(&self) -> u16 {
        self.buffer.area.height
    }

    /// Writes text into at most so many columns and returns the column behind it. Foreign values in
    /// it have been sanitised; whatever else could act on a terminal is made safe here.
    pub fn put(&mut self, x: u16, y: u16, columns: u16, text: &str, tone: Tone) -> u16 {
        if x >= self.columns() || y >= self.lines() {
            return x;
        }
        let style = self.style(tone);
        let (behind, _) = self.buffer.set_stringn(x, y, guard(text), columns.into(), style);
        behind
    }

    /// Writes a line that begins at the left.
    pub fn line(&mut self, y: u16, text: &str, tone: Tone) -> u16 {
        self.put(0, y, self.columns(), text, tone)
    }

    /// Turns a line around: the one that is meant.
    pub fn mark(&mut self, y: u16) {
        if y < self.lines() {
            for x in 0..self.columns() {
                let cell = &mut self.buffer[(x, y)];
                cell.modifier.insert(Modifier::REVERSED);
            }
        }
    }

    const fn style(&self, tone: Tone) -> Style {
        let style = Style::new();
        let style = match tone {
            Tone::Bold | Tone::Error => style.add_modifier(Modifier::BOLD),
            Tone::Dim => style.add_modifier(Modifier::DIM),
            _ => style,
        };
        if !self.coloured {
            return style;
        }
        match tone {
            Tone::Plain | Tone::Bold | Tone::Dim => style,
            Tone::Online => style.fg(Color::Green),
            Tone::Closing => style.fg(Color::Cyan),
            Tone::Offline | Tone::Error => style.fg(Color::Red),
            Tone::Unknown | Tone::Warning => style.fg(Color::Yellow),
            Tone::Suspect => style.fg(Color::Magenta),
        }
    }
}

/// Breaks a line at blanks so that each part takes at most so many columns; a word that is longer is
/// broken anywhere.
pub(super) fn wrapped(text: &str, columns: u16) -> Vec<String> {
    let columns = usize::from(columns.max(1));
    let mut parts = vec![String::new()];
    let mut used = 0;
    for word in text.split_inclusive(' ') {
        let width = columns_of(word.trim_end());
        if used > 0 && used + width > columns {
            parts.push(String::new());
            used = 0;
        }
        for c in word.chars() {
            let width = c.width().unwrap_or(0);
            let is_full = used > 0 && used + width > columns;
            if is_full && c == ' ' {
                continue;
            }
            if is_full {
                parts.push(String::new());
                used = 0;
            }
            used += width;
            parts.last_mut().expect("there is always one part").push(c);
        }
    }
    parts
}

fn columns_of(text: &str) -> usize {
    text.chars().map(|c| c.width().unwrap_or(0)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_broken_at_blanks_and_long_words_anywhere() {
        for (text, columns, expected) in [
            ("one two three", 8, &["one two ", "three"][..]),
            ("abcdefgh", 3, &["abc", "def", "gh"]),
            ("泵泵泵", 4, &["泵泵", "泵"]),
            ("", 10, &[""]),
            ("泵", 1, &["泵"]),
        ] {
            assert_eq!(wrapped(text, columns), expected, "{text}");
        }
    }
}
