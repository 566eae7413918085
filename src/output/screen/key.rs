//! What keys do.

use super::row::Column;
use super::rows::Only;
use super::{Screen, View};

/// A key, whatever the terminal sends for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key {
    Char(char),
    Up,
    Down,
    PageUp,
    PageDown,
    Home,
    End,
    Enter,
    Escape,
    Backspace,
    /// Ctrl-C.
    Interrupt,
    /// Ctrl-Z.
    Suspend,
}

/// What a key asks of whoever owns the terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wish {
    Nothing,
    Leave,
    Suspend,
}

/// What `?` shows.
pub(super) const HELP: &[&str] = &[
    "keys",
    "",
    "up down PgUp PgDn Home End   move, also with j and k",
    "Enter                        one client in full",
    "Esc                          back, or show all again",
    "/                            find: part of an id, or a glob with * ? [abc]",
    "s S   1 to 9                 sort by the next column, by this column; S turns it around",
    "o x u a                      online, offline, unknown, all",
    "w                            those with anomalies",
    "f i                          flapping, ids that two clients share",
    "g                            holes and other messages",
    "+ -                          more or less time in the strip of a client",
    "q Ctrl-C                     end watching",
    "",
    "since is by the broker's clock; an age below zero is a clock ahead of this one.",
];

impl Screen {
    /// Takes a key in.
    pub fn press(&mut self, key: Key) -> Wish {
        self.dirty = true;
        match key {
            Key::Interrupt => return Wish::Leave,
            Key::Suspend => return Wish::Suspend,
            _ if self.typing => self.type_key(key),
            Key::Char('q') if self.view == View::Table => return Wish::Leave,
            Key::Char('?') => self.view = View::Help,
            Key::Char('g') => {
                self.view = View::Messages;
                self.scroll = 0;
            }
            _ if self.view == View::Table => self.table_key(key),
            _ => self.page_key(key),
        }
        Wish::Nothing
    }

    fn table_key(&mut self, key: Key) {
        let page = isize::try_from(self.page).unwrap_or(1).max(1);
        match key {
            Key::Up | Key::Char('k') => self.step(-1),
            Key::Down | Key::Char('j') => self.step(1),
            Key::PageUp => self.step(-page),
            Key::PageDown => self.step(page),
            Key::Home => self.step(isize::MIN),
            Key::End => self.step(isize::MAX),
            Key::Enter => self.open(),
            Key::Escape => {
                self.rows.set_filter("");
                self.show_only(Only::All);
            }
            Key::Char(c) => self.table_letter(c),
            _ => {}
        }
    }

    fn table_letter(&mut self, letter: char) {
        match letter {
            '/' => self.typing = true,
            's' => self.sort_by(self.rows.sort.next()),
            'S' => self.sort_by(self.rows.sort),
            '1'..='9' => {
                let place = letter.to_digit(10).map_or(0, |digit| digit as usize - 1);
                self.sort_by(Column::ALL[place]);
            }
            'o' => self.show_only(Only::Online),
            'x' => self.show_only(Only::Offline),
            'u' => self.show_only(Only::Unknown),
            'w' => self.show_only(Only::Odd),
            'f' => self.show_only(Only::Flapping),
            'i' => self.show_only(Only::SharedIds),
            'a' => self.show_only(Only::All),
            _ => {}
        }
    }

    /// Keys of everything that is not the table: it scrolls, and there is a way back.
    fn page_key(&mut self, key: Key) {
        let page = self.page.max(1);
        match key {
            Key::Up | Key::Char('k') => self.scroll = self.scroll.saturating_sub(1),
            Key::Down | Key::Char('j') => self.scroll = self.scroll.saturating_add(1),
            Key::PageUp => self.scroll = self.scroll.saturating_sub(page),
            Key::PageDown => self.scroll = self.scroll.saturating_add(page),
            Key::Home => self.scroll = 0,
            Key::End => self.scroll = usize::MAX,
            Key::Char('+') => self.widen(1),
            Key::Char('-') => self.widen(-1),
            Key::Escape | Key::Enter | Key::Backspace | Key::Char('q') => self.close(),
            Key::Char(_) | Key::Interrupt | Key::Suspend => {}
        }
    }

    fn type_key(&mut self, key: Key) {
        let mut text = self.rows.filter().to_owned();
        match key {
            Key::Char(c) if text.len() < FILTER_MAX => text.push(c),
            Key::Backspace => {
                text.pop();
            }
            Key::Escape => {
                text.clear();
                self.typing = false;
            }
            Key::Enter => self.typing = false,
            Key::Up | Key::Down => {
                self.typing = false;
                return self.table_key(key);
            }
            _ => return,
        }
        self.rows.set_filter(&text);
        self.forced = true;
    }

    /// Sorts by a column; by the same one again, the other way around.
    fn sort_by(&mut self, column: Column) {
        self.rows.reversed = column == self.rows.sort && !self.rows.reversed;
        self.rows.sort = column;
        self.rows.choose();
        self.forced = true;
    }

    fn show_only(&mut self, only: Only) {
        self.rows.only = only;
        self.rows.choose();
        self.forced = true;
    }
}

/// Bytes that are taken in for a filter.
const FILTER_MAX: usize = 1_000;
