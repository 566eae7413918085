//! Tables without lines, calm to look at and easy to cut: upper-case headers, two spaces between.

use crate::output::number::grouped;
use crate::output::sanitize::sanitize;
use crate::output::style::{Style, Tone};
use anstyle::{AnsiColor, Effects};
use comfy_table::{Attribute, CellAlignment, Color, ColumnConstraint, ContentArrangement, presets};
use unicode_width::UnicodeWidthStr;

/// Rows under headers. Cells are made safe here, so that no caller can forget.
#[derive(Clone, Debug)]
pub struct Table {
    headers: Vec<String>,
    rows: Vec<Vec<Cell>>,
}

impl Table {
    #[must_use]
    pub fn new(headers: &[&str]) -> Self {
        Self { headers: headers.iter().map(|header| header.to_uppercase()).collect(), rows: vec![] }
    }

    /// Adds a row; a missing cell stays empty, a surplus one is left out.
    pub fn row(&mut self, cells: impl IntoIterator<Item = Cell>) -> &mut Self {
        self.rows.push(cells.into_iter().take(self.headers.len()).collect());
        self
    }

    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Returns the headers, and whether what stands below them stands at the right.
    pub(super) fn headers(&self) -> impl Iterator<Item = (&str, bool)> {
        let is_right = |at| self.header_alignment(at) == CellAlignment::Right;
        self.headers.iter().enumerate().map(move |(at, header)| (header.as_str(), is_right(at)))
    }

    pub(super) fn rows(&self) -> &[Vec<Cell>] {
        &self.rows
    }

    /// Returns the table as lines, each with its newline.
    ///
    /// Within `columns` long cells go on in further lines; without a limit a row is always one line,
    /// which suits other programs.
    #[must_use]
    pub fn render(&self, style: Style, columns: Option<u16>) -> String {
        let mut table = comfy_table::Table::new();
        // Without this the crate would look at the terminal by itself.
        table.force_no_tty().load_style(presets::NOTHING);
        if style.is_coloured() {
            table.enforce_styling().style_text_only();
        }
        match columns {
            Some(columns) => table
                .set_content_arrangement(ContentArrangement::Dynamic)
                .set_width(columns.saturating_add(GUTTER)),
            None => table.set_content_arrangement(ContentArrangement::Disabled),
        };
        table.set_header(self.headers.iter().enumerate().map(|(at, header)| {
            comfy_table::Cell::new(header).set_alignment(self.header_alignment(at))
        }));
        for row in &self.rows {
            table.add_row(row.iter().map(Cell::to_comfy));
        }
        let whole = self.whole_columns(columns);
        for (column, is_whole) in table.column_iter_mut().zip(whole) {
            column.set_padding((0, GUTTER));
            if is_whole {
                column.set_constraint(ColumnConstraint::ContentWidth);
            }
        }
        table.lines().fold(String::new(), |text, line| text + line.trim_end() + "\n")
    }

    /// Returns which columns are short enough never to be cut where others can be: a time or a state
    /// in two lines is hard to read. None are where there is no room for that.
    fn whole_columns(&self, columns: Option<u16>) -> Vec<bool> {
        let widths: Vec<(usize, bool)> = (self.headers.iter().enumerate())
            .map(|(at, header)| {
                let cells = || self.rows.iter().filter_map(|row| row.get(at));
                let width = cells().map(|cell| cell.text.width()).fold(header.width(), usize::max);
                (width, width <= WHOLE_MAX || cells().any(|cell| cell.whole))
            })
            .collect();
        let least = |(width, is_whole): &(usize, bool)| if *is_whole { *width } else { CUT_MIN };
        let needed: usize = widths.iter().map(|width| least(width) + usize::from(GUTTER)).sum();
        let is_room = columns.is_some_and(|columns| needed <= usize::from(columns));
        widths.iter().map(|(_, is_whole)| is_room && *is_whole).collect()
    }

    /// Returns the side on which the cells below a header stand, as far as they agree.
    fn header_alignment(&self, at: usize) -> CellAlignment {
        let mut cells = self.rows.iter().filter_map(|row| row.get(at)).peekable();
        if cells.peek().is_some() && cells.all(|cell| cell.right) {
            CellAlignment::Right
        } else {
            CellAlignment::Left
        }
    }
}

/// One cell: foreign text or a number, and what it means.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cell {
    text: String,
    tone: Tone,
    right: bool,
    /// It is not cut where others can be, however long it is.
    whole: bool,
}

impl Cell {
    /// Returns a cell of any text, however long or hostile.
    #[must_use]
    pub fn text(text: &str) -> Self {
        Self { text: sanitize(text, CELL_COLUMNS_MAX).into_owned(), ..Self::default() }
    }

    /// Returns a cell with a count, at the right.
    #[must_use]
    pub fn number(count: u64) -> Self {
        Self::text(&grouped(count)).right()
    }

    /// Returns a cell with a time, which is hard to read in two lines.
    #[must_use]
    pub fn time(text: &str) -> Self {
        Self { whole: true, ..Self::text(text) }
    }

    /// Puts the text at the right: for figures with a unit.
    #[must_use]
    pub const fn right(mut self) -> Self {
        self.right = true;
        self
    }

    #[must_use]
    pub const fn tone(mut self, tone: Tone) -> Self {
        self.tone = tone;
        self
    }

    /// Returns the text, made safe.
    pub(super) fn shown(&self) -> &str {
        &self.text
    }

    pub(super) const fn tone_of(&self) -> Tone {
        self.tone
    }

    pub(super) const fn is_right(&self) -> bool {
        self.right
    }

    fn to_comfy(&self) -> comfy_table::Cell {
        let side = if self.right { CellAlignment::Right } else { CellAlignment::Left };
        let mut cell = comfy_table::Cell::new(&self.text).set_alignment(side);
        let ansi = self.tone.ansi();
        if let Some(color) = ansi.get_fg_color().and_then(color) {
            cell = cell.fg(color);
        }
        if ansi.get_effects().contains(Effects::BOLD) {
            cell = cell.add_attribute(Attribute::Bold);
        }
        if ansi.get_effects().contains(Effects::DIMMED) {
            cell = cell.add_attribute(Attribute::Dim);
        }
        cell
    }
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Self::text(text)
    }
}

impl From<u64> for Cell {
    fn from(count: u64) -> Self {
        Self::number(count)
    }
}

/// Returns how wide the terminal is, `None` where standard output is none.
pub(super) fn terminal_columns() -> Option<u16> {
    comfy_table::Table::new().width()
}

/// Returns the crate's name for a colour; it counts the bright ones as the plain ones.
const fn color(color: anstyle::Color) -> Option<Color> {
    match color {
        anstyle::Color::Ansi(AnsiColor::Red) => Some(Color::DarkRed),
        anstyle::Color::Ansi(AnsiColor::Green) => Some(Color::DarkGreen),
        anstyle::Color::Ansi(AnsiColor::Yellow) => Some(Color::DarkYellow),
        anstyle::Color::Ansi(AnsiColor::Magenta) => Some(Color::DarkMagenta),
        anstyle::Color::Ansi(AnsiColor::Cyan) => Some(Color::DarkCyan),
        _ => None,
    }
}

/// Columns between two cells.
const GUTTER: u16 = 2;
/// Columns up to which a cell is not cut while there is room: those of a time.
const WHOLE_MAX: usize = 24;
/// Columns that a cell which may be cut still needs.
const CUT_MIN: usize = 12;
/// Columns of one cell: several times what client ids need, but a 64 KiB id does not fill a screen.
const CELL_COLUMNS_MAX: usize = 256;

#[cfg(test)]
mod tests {
    use super::*;

    fn fleet() -> Table {
        let mut table = Table::new(&["client", "state", "events"]);
        table.row(["pump-7".into(), Cell::text("online").tone(Tone::Online), Cell::number(4_090)]);
        table.row(["泵-12".into(), Cell::text("offline").tone(Tone::Offline), Cell::number(7)]);
        table
    }

    #[test]
    fn columns_line_up_and_numbers_stand_at_the_right() {
        let expected = "\
CLIENT  STATE    EVENTS
pump-7  online    4,090
泵-12   offline       7
";
        assert_eq!(fleet().render(Style::PLAIN, None), expected);
        assert_eq!(fleet().render(Style::PLAIN, Some(80)), expected);
        assert_eq!(fleet().render(Style::PLAIN, Some(23)), expected, "exactly as wide");
    }

    #[test]
    fn colour_adds_codes_and_changes_no_word() {
        let coloured = fleet().render(Style::COLOURED, Some(80));
        // The library that writes the codes honours NO_COLOR as well, so their number may be 0.
        let plain: String = coloured.split('\x1b').enumerate().fold(String::new(), |text, part| {
            text + if part.0 == 0 { part.1 } else { part.1.split_once('m').expect("a code").1 }
        });
        assert_eq!(plain, fleet().render(Style::PLAIN, Some(80)));
    }

    #[test]
    fn hostile_cells_stay_in_their_row() {
        let mut table = Table::new(&["client", "state"]);
        table.row([Cell::text("a\n\x1b[2Jb\u{202e}"), Cell::text("online")]);
        table.row([Cell::text(&"x".repeat(65_536)), Cell::text("online")]);
        let text = table.render(Style::PLAIN, None);
        assert_eq!(text.lines().count(), 3, "{text}");
        assert!(text.lines().all(|line| line.chars().count() < 280), "{text}");
        assert!(text.contains(r"a\n\x1b[2Jb\u{202e}"), "{text}");
    }

    #[test]
    fn a_narrow_terminal_loses_nothing() {
        let mut table = Table::new(&["client", "state"]);
        table.row([Cell::text("GID_demo@@@device-0123456789"), Cell::text("online")]);
        let text = table.render(Style::PLAIN, Some(24));
        assert!(text.lines().all(|line| line.len() <= 24), "{text}");
        let first: String =
            text.lines().skip(1).map(|line| line.get(..16).unwrap_or(line)).collect();
        assert_eq!(first.replace(' ', ""), "GID_demo@@@device-0123456789", "{text}");
    }

    #[test]
    fn what_is_short_is_not_cut_while_something_long_can_be() {
        let mut table = Table::new(&["since", "channel"]);
        table.row([Cell::text("2026-11-24T14:05:07.123Z"), Cell::text(&"c".repeat(32))]);
        assert_eq!(
            table.render(Style::PLAIN, Some(50)),
            "\
SINCE                     CHANNEL
2026-11-24T14:05:07.123Z  cccccccccccccccccccccccc
                          cccccccc
"
        );
    }

    #[test]
    fn no_width_makes_it_panic() {
        for columns in 0..30 {
            let _ = fleet().render(Style::PLAIN, Some(columns));
        }
        assert_eq!(Table::new(&["client"]).render(Style::PLAIN, None), "CLIENT\n");
        assert_eq!(
            Table::new(&[]).row([Cell::number(1)]).render(Style::PLAIN, Some(u16::MAX)).trim(),
            ""
        );
    }

    #[test]
    fn rows_of_the_wrong_length_are_made_to_fit() {
        let mut table = Table::new(&["client", "state"]);
        table.row(["a".into()]).row(["b".into(), "online".into(), "surplus".into()]);
        assert_eq!(table.render(Style::PLAIN, None), "CLIENT  STATE\na\nb       online\n");
    }
}
