//! Tables of a TOML file that a person wrote, taken apart key by key, so that each mistake has its line.

use crate::nearest::nearest;
use std::fmt::Display;
use std::ops::Range;
use std::time::Duration;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// What is wrong with a file. Its texts may hold foreign ones.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    pub line: Option<usize>,
    pub what: String,
    pub cause: String,
    pub next: String,
}

impl Mistake {
    /// Returns what is the matter and why, for a message that has a way on of its own.
    #[must_use]
    pub fn in_short(&self) -> String {
        let place = self.line.map_or_else(String::new, |line| format!("line {line}: "));
        format!("{place}{}: {}", self.what, self.cause)
    }
}

/// A value with the line it stands on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct At<T> {
    pub value: T,
    pub line: usize,
}

/// Words, each with a whole number.
pub type Parts<'t> = Vec<(&'t str, u32)>;

/// A word with what it stands for.
pub type Word<'t> = At<(&'t str, &'t str)>;

/// One table. What was not taken out of it at the end is unknown.
#[derive(Debug)]
pub struct Table<'t> {
    text: &'t str,
    entries: &'t DeTable<'t>,
    /// Where it stands, for people; empty for the whole file.
    pub place: String,
    pub line: usize,
    /// The page that describes the format.
    page: &'static str,
    known: Vec<&'static str>,
}

impl<'t> Table<'t> {
    /// Parses a file and hands the table that it is to `read`. `page` describes the format.
    pub fn parse<T>(
        text: &str,
        page: &'static str,
        read: impl FnOnce(Table<'_>) -> Result<T, Mistake>,
    ) -> Result<T, Mistake> {
        let table = DeTable::parse(text).map_err(|error| Mistake {
            line: error.span().map(|span| line(text, &span)),
            what: "it is no TOML".into(),
            cause: error.message().into(),
            next: format!("mend the line; the format is in {page}"),
        })?;
        let table = table.get_ref();
        let (place, line, known) = (String::new(), 1, Vec::new());
        read(Table { text, entries: table, place, line, page, known })
    }

    /// Takes the tables of an array, `[[key]]`. `place` names the one with a number, from 1.
    pub fn tables(
        &mut self,
        key: &'static str,
        place: impl Fn(usize) -> String,
    ) -> Result<Vec<Table<'t>>, Mistake> {
        let Some(found) = self.take(key) else { return Ok(Vec::new()) };
        let none = || self.wrong(key, line(self.text, &found.span()), "no list of tables");
        let array = found.get_ref().as_array().ok_or_else(none)?;
        let mut tables = Vec::new();
        for (number, one) in (1..).zip(array.iter()) {
            let entries = one.get_ref().as_table().ok_or_else(none)?;
            let line = line(self.text, &one.span());
            let place = place(number);
            let (text, page, known) = (self.text, self.page, Vec::new());
            tables.push(Table { text, entries, place, line, page, known });
        }
        Ok(tables)
    }

    /// Takes a table within this one: its keys in the order of the alphabet, and whole numbers.
    pub fn shares(&mut self, key: &'static str) -> Result<Option<At<Parts<'t>>>, Mistake> {
        let Some(found) = self.take(key) else { return Ok(None) };
        let line = line(self.text, &found.span());
        let none = || self.wrong(key, line, "no table such as `{ fin = 50, rst = 50 }`");
        let table = found.get_ref().as_table().ok_or_else(none)?;
        let mut shares = Vec::new();
        for (word, share) in table {
            let share =
                share.get_ref().as_integer().and_then(|digits| digits.as_str().parse().ok());
            shares.push((word.get_ref().as_ref(), share.ok_or_else(none)?));
        }
        Ok(Some(At { value: shares, line }))
    }

    /// Takes a text.
    pub fn text(&mut self, key: &'static str) -> Result<Option<At<&'t str>>, Mistake> {
        self.get(key, "no text", |value| value.as_str())
    }

    pub fn flag(&mut self, key: &'static str) -> Result<Option<At<bool>>, Mistake> {
        self.get(key, "neither `true` nor `false`", DeValue::as_bool)
    }

    /// Takes a whole number.
    pub fn number(
        &mut self,
        key: &'static str,
        within: &Range<u32>,
    ) -> Result<Option<At<u32>>, Mistake> {
        let Range { start, end } = within;
        let expected = format!("no whole number from {start} to {}", end - 1);
        self.get(key, &expected, |value| {
            let number = value.as_integer()?.as_str().replace('_', "").parse().ok()?;
            within.contains(&number).then_some(number)
        })
    }

    /// Takes a length of time, such as `"1m 30s"`.
    pub fn duration(&mut self, key: &'static str) -> Result<Option<At<Duration>>, Mistake> {
        self.read(key, &duration)
    }

    /// Takes a text and reads it.
    pub fn read<T>(
        &mut self,
        key: &'static str,
        read: &dyn Fn(&str) -> Result<T, String>,
    ) -> Result<Option<At<T>>, Mistake> {
        let Some(At { value, line }) = self.text(key)? else { return Ok(None) };
        match read(value) {
            Ok(value) => Ok(Some(At { value, line })),
            Err(cause) => Err(self.mistake(
                line,
                format!("`{key} = \"{value}\"` cannot be used"),
                cause,
                self.mend(),
            )),
        }
    }

    /// Takes a text, or a list of texts.
    pub fn texts(&mut self, key: &'static str) -> Result<Option<At<Vec<&'t str>>>, Mistake> {
        self.get(key, "neither a text nor a list of texts", |value| match value {
            DeValue::Array(array) => array.iter().map(|one| one.get_ref().as_str()).collect(),
            one => Some(vec![one.as_str()?]),
        })
    }

    /// Takes a table within this one, whose values are texts: its keys in the order of the alphabet, with
    /// the line of each.
    pub fn words(&mut self, key: &'static str) -> Result<Option<Vec<Word<'t>>>, Mistake> {
        let Some(found) = self.take(key) else { return Ok(None) };
        let wrong = |at: usize| self.wrong(key, at, "no table such as `{ word = \"text\" }`");
        let table = found.get_ref().as_table();
        let table = table.ok_or_else(|| wrong(line(self.text, &found.span())))?;
        let words = table.iter().map(|(word, value)| {
            let line = line(self.text, &word.span());
            let value = value.get_ref().as_str().ok_or_else(|| wrong(line))?;
            Ok(At { value: (word.get_ref().as_ref(), value), line })
        });
        words.collect::<Result<_, _>>().map(Some)
    }

    /// Takes a whole number, or a text.
    pub fn number_or_text(&mut self, key: &'static str) -> Result<Option<At<String>>, Mistake> {
        self.get(key, "neither a whole number nor a text", |value| match value {
            DeValue::Integer(digits) => Some(digits.to_string()),
            text => text.as_str().map(str::to_owned),
        })
    }

    /// Refuses keys that nobody asked for.
    pub fn end(&self) -> Result<(), Mistake> {
        let Some(unknown) = self.entries.keys().find(|key| !self.known.contains(&&**key.get_ref()))
        else {
            return Ok(());
        };
        let key = unknown.get_ref();
        let all: Vec<String> = self.known.iter().map(|known| format!("`{known}`")).collect();
        let next = match nearest(key, self.known.iter().copied()) {
            Some(nearest) => format!("write `{nearest}`, if that is meant"),
            None => format!("take it out; the format is in {}", self.page),
        };
        Err(self.mistake(
            line(self.text, &unknown.span()),
            format!("there is no `{key}` here"),
            format!("there are {}", all.join(", ")),
            next,
        ))
    }

    /// Returns a mistake in this table.
    pub fn mistake(
        &self,
        line: usize,
        what: impl Display,
        cause: impl Into<String>,
        next: impl Into<String>,
    ) -> Mistake {
        let colon = if self.place.is_empty() { "" } else { ": " };
        Mistake {
            line: Some(line),
            what: format!("{}{colon}{what}", self.place),
            cause: cause.into(),
            next: next.into(),
        }
    }

    fn get<T>(
        &mut self,
        key: &'static str,
        otherwise: &str,
        read: impl FnOnce(&'t DeValue<'t>) -> Option<T>,
    ) -> Result<Option<At<T>>, Mistake> {
        let Some(found) = self.take(key) else { return Ok(None) };
        let line = line(self.text, &found.span());
        match read(found.get_ref()) {
            Some(value) => Ok(Some(At { value, line })),
            None => Err(self.wrong(key, line, otherwise)),
        }
    }

    fn take(&mut self, key: &'static str) -> Option<&'t Spanned<DeValue<'t>>> {
        self.known.push(key);
        self.entries.get(key)
    }

    fn wrong(&self, key: &str, line: usize, otherwise: &str) -> Mistake {
        self.mistake(
            line,
            format!("`{key}` cannot be used"),
            format!("it is {otherwise}"),
            self.mend(),
        )
    }

    /// Returns what helps where only the format does.
    #[must_use]
    pub fn mend(&self) -> String {
        format!("mend the line; the format is in {}", self.page)
    }
}

/// Reads a length of time with its unit.
pub fn duration(text: &str) -> Result<Duration, String> {
    let duration = humantime::parse_duration(text).map_err(|error| error.to_string())?;
    if duration > LONGEST {
        return Err("it is longer than 1,000 days".to_owned());
    }
    Ok(duration)
}

fn line(text: &str, span: &Range<usize>) -> usize {
    text.bytes().take(span.start).filter(|byte| *byte == b'\n').count() + 1
}

const LONGEST: Duration = Duration::from_hours(24_000);
