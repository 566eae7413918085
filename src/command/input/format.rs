//! What a file is: nothing but its lines can tell.

use super::recording::Recording;
use super::saved::Saved;
use super::{Input, Stopped, recording};
use crate::dialect::csv::{Lacking, Table};
use crate::dialect::envelope::{self, Carrier, Envelope, Published};
use crate::dialect::lmq::Lmq;
use crate::dialect::{Dialect, Message, Reading, Sniffed, claims, file_names, sniff};
use crate::event::Timestamp;
use crate::failure::Failure;
use crate::nearest::nearest;
use crate::output::number::counted;
use crate::source::lines::LINE_MAX;
use crate::source::recording::Line;
use crate::state::packed::VoiceKey;
use std::fmt;

/// What a file is, with what must be remembered while it is read.
#[derive(Debug)]
pub(super) enum Format {
    Recording(Recording),
    Plain(Plain),
    Saved(Saved),
}

/// A file in the words of one dialect.
#[derive(Debug)]
pub(super) struct Plain {
    pub dialect: Box<Dialect>,
    pub voice: VoiceKey<'static>,
    pub wrapping: Wrapping,
}

/// What is around the words of the dialect.
#[derive(Clone, Debug)]
pub(super) enum Wrapping {
    /// Nothing: a line is a notice, or a line of a log.
    Bare,
    /// Messages of a queue. A line that is none of them is bare.
    Message(Carrier),
    /// Cells of a row.
    Table(Box<Table>),
}

impl Plain {
    /// Reads one line, and tells what it says. `tie` is its place in the order of all lines.
    pub fn read<T>(
        &mut self,
        line: &[u8],
        received: Timestamp,
        tie: u64,
        then: impl FnOnce(&Message<'_>, &Reading<'_>) -> T,
    ) -> T {
        let Self { dialect, wrapping, .. } = self;
        let message = bare(line, received, tie);
        match wrapping {
            Wrapping::Bare => then(&message, &dialect.read(&message)),
            Wrapping::Table(table) => then(&message, &table.read(line)),
            Wrapping::Message(_) => match envelope::open(line) {
                Some(Envelope { body, tag, published, .. }) => {
                    // The others were told by the content, wherever it came.
                    let is_described = matches!(**dialect, Dialect::Described(_));
                    let published = published.as_ref().filter(|_| is_described);
                    let topic = published.map_or("", |Published { topic, .. }| topic);
                    let message = Message { topic, payload: &body, tag: tag.as_deref(), ..message };
                    then(&message, &dialect.read(&message))
                }
                None => then(&message, &dialect.read(&message)),
            },
        }
    }

    /// Tells whether a line is a notice and nothing around it.
    pub const fn is_bare_notices(&self) -> bool {
        matches!((&*self.dialect, &self.wrapping), (Dialect::Lmq(_), Wrapping::Bare))
    }

    /// Tells whether each line is read by itself, and says of one client what it says.
    pub const fn is_divisible(&self) -> bool {
        matches!(*self.dialect, Dialect::Lmq(_))
    }

    /// Returns a reader of other lines of the same file, where they are read each by itself.
    pub fn divided(&self) -> Option<Self> {
        let dialect = match *self.dialect {
            Dialect::Lmq(Lmq) => Box::new(Dialect::Lmq(Lmq)),
            Dialect::Mosquitto(_)
            | Dialect::Status(_)
            | Dialect::Plain(_)
            | Dialect::Described(_) => return None,
        };
        Some(Self { dialect, voice: self.voice, wrapping: self.wrapping.clone() })
    }
}

/// Returns a line as if it had come as a message.
const fn bare(payload: &[u8], received: Timestamp, tie: u64) -> Message<'_> {
    Message { topic: "", payload, tag: None, qos: 1, retain: false, received, tie }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plain = match self {
            Self::Recording(_) => return f.write_str("a recording"),
            Self::Saved(saved) => return saved.fmt(f),
            Self::Plain(plain) => plain,
        };
        f.write_str(plain.dialect.title())?;
        match plain.wrapping {
            Wrapping::Bare => Ok(()),
            Wrapping::Message(carrier) => write!(f, " in {} messages", carrier.name()),
            Wrapping::Table(_) => f.write_str(" in a table"),
        }
    }
}

/// A file as far as it has been read.
#[derive(Debug)]
pub(super) struct File<'a> {
    pub name: &'a str,
    pub format: Option<Format>,
    /// Lines that wait until the format is told, with their numbers.
    undecided: Vec<(u64, Vec<u8>)>,
    undecided_bytes: usize,
    /// It has no line but blank ones.
    pub is_empty: bool,
    /// It has lines, but blank ones.
    pub has_blank: bool,
    /// Rows of several lines are in it, which nobody divides.
    pub has_long_rows: bool,
}

/// Lines that may pass before a file must have told what it is, and their bytes.
const UNDECIDED_MAX: usize = 1_000;
const UNDECIDED_BYTES_MAX: usize = 2 * LINE_MAX;

impl<'a> File<'a> {
    pub const fn new(name: &'a str) -> Self {
        Self {
            name,
            format: None,
            undecided: Vec::new(),
            undecided_bytes: 0,
            is_empty: true,
            has_blank: false,
            has_long_rows: false,
        }
    }

    /// Returns what separates the cells of a table.
    pub fn delimiter(&self) -> Option<u8> {
        match &self.format {
            Some(Format::Plain(Plain { wrapping: Wrapping::Table(table), .. })) => {
                Some(table.delimiter())
            }
            _ => None,
        }
    }

    /// Keeps a line that told nothing, unless there are too many of them.
    pub fn wait_with(&mut self, number: u64, line: &[u8]) -> Result<(), Stopped> {
        self.undecided.push((number, line.to_vec()));
        self.undecided_bytes += line.len();
        if self.undecided.len() >= UNDECIDED_MAX || self.undecided_bytes >= UNDECIDED_BYTES_MAX {
            return Err(self.unknown());
        }
        Ok(())
    }

    /// Tells whether one more line that tells nothing is too much.
    pub const fn is_patient(&self) -> bool {
        self.undecided.len() + 1 < UNDECIDED_MAX
    }

    /// Returns the lines that waited.
    pub fn waited(&mut self) -> Vec<(u64, Vec<u8>)> {
        std::mem::take(&mut self.undecided)
    }

    /// Tells whether the line that told the format is not one of those to be read.
    pub const fn has_header(&self) -> bool {
        matches!(self.format, Some(Format::Plain(Plain { wrapping: Wrapping::Table(_), .. })))
    }

    /// Returns why nothing was read from it, and what would help; `None` if something was. Of so many lines
    /// so many told of no client.
    pub fn nothing(&self, lines: u64, useless: u64) -> Option<(String, &'static str)> {
        const IS_IT: &str = "check that it is the file you mean, and that it is written to";
        const TOLD: &str =
            "check that it is the file you mean; without `--dialect` its lines tell what it is";
        match &self.format {
            None if self.is_empty && self.has_blank => {
                Some(("all of its lines are blank".to_owned(), IS_IT))
            }
            None if self.is_empty => Some(("it is empty, without a single line".to_owned(), IS_IT)),
            Some(Format::Plain(_)) if lines == 0 => {
                Some(("it has a header, and no row below it".to_owned(), IS_IT))
            }
            Some(format @ (Format::Plain(_) | Format::Saved(_))) if lines == useless => {
                let lines = counted(lines, "line");
                let why = format!("of its {lines} none tells of a client, read as {format}");
                Some((why, TOLD))
            }
            _ => None,
        }
    }

    /// Returns what it was, at its end.
    pub fn what(&self) -> Result<String, Stopped> {
        match &self.format {
            Some(format) => Ok(format.to_string()),
            None if self.is_empty => Ok("empty".to_owned()),
            None => Err(self.unknown()),
        }
    }

    fn unknown(&self) -> Stopped {
        let too_long = || format!("; all are longer than the {LINE_MAX} bytes that are read");
        let first = self.undecided.first().map_or_else(too_long, |(_, line)| {
            let head = String::from_utf8_lossy(&line[..line.len().min(80)]);
            format!("; the first one reads {head}")
        });
        let failure = Failure::misuse(format!("could not tell what `{}` is", self.name));
        let is_saved = |(_, line): &(u64, Vec<u8>)| {
            envelope::open(line).is_some_and(|envelope| envelope.published.is_some())
        };
        if self.undecided.first().is_some_and(is_saved) {
            return Stopped::Unknown(
                failure
                    .because("no message of MQTT in it came on a topic of these dialects")
                    .next("name its own with `--dialect`, and with `--topic` where else it came"),
            );
        }
        Stopped::Unknown(failure.because(format!("no line is of a known form{first}")).next(
            "name it, for example with `--dialect mosquitto`, or its columns with `--csv-map`",
        ))
    }
}

impl Input {
    /// Returns what a file is, if this line of it tells. Of the `last` that may do so less will do.
    pub(super) fn tell_format(
        &mut self,
        line: &[u8],
        name: &str,
        number: u64,
        last: bool,
    ) -> Result<Option<Format>, Stopped> {
        // A dialect of one's own is what other files are in, where nothing tells what they are.
        let is_free = |forced: &String| file_names().all(|known| known != forced);
        if self.forced.as_ref().is_none_or(is_free) && is_recording(line, name, number)? {
            return Ok(Some(Format::Recording(Recording::default())));
        }
        // With the topic before it a line of a log would be one with an odd time.
        if line.starts_with(b"$")
            && let Some(saved) = self.saved(line, name, false)?
        {
            return Ok(Some(saved));
        }
        // A line that is one as it is stays as it is: some tell beside the body what the body means.
        let bare = self.told(line, name)?;
        let envelope = if bare.is_none() { envelope::open(line) } else { None };
        if bare.is_none()
            && let Some(saved) = self.saved(line, name, false)?
        {
            return Ok(Some(saved));
        }
        let (told, wrapping) = match &envelope {
            Some(Envelope { carrier, body, .. }) => {
                (self.told(body, name)?, Wrapping::Message(*carrier))
            }
            None => (bare, Wrapping::Bare),
        };
        let may_be_table = self.forced.as_deref().is_none_or(|forced| forced == Lmq::NAME);
        if told.is_none()
            && may_be_table
            && let Some(table) = self.table(line, name)?
        {
            return Ok(Some(table));
        }
        let dialect = self.forced.clone().or(told.map(str::to_owned));
        match dialect {
            Some(dialect) => Ok(Some(self.plain(&dialect, wrapping)?)),
            None if last => self.saved(line, name, true),
            None => Ok(None),
        }
    }

    /// Returns the dialect in whose words this is.
    fn told(&self, text: &[u8], name: &str) -> Result<Option<&'static str>, Stopped> {
        if let Some(forced) = &self.forced {
            let known = file_names().find(|known| known == forced);
            return Ok(known.filter(|known| claims(known, text)));
        }
        match sniff(text) {
            Sniffed::Nothing => Ok(None),
            Sniffed::One(dialect) => Ok(Some(dialect)),
            Sniffed::Several(one, other) => Err(Stopped::Refused(ambiguous(name, one, other))),
        }
    }

    /// Returns the table of which this line is the header, if it is one.
    fn table(&mut self, header: &[u8], name: &str) -> Result<Option<Format>, Stopped> {
        match Table::of(header, &self.columns, self.zone.as_ref()) {
            Some(Ok(table)) => {
                Ok(self.plain(Lmq::NAME, Wrapping::Table(Box::new(table))).map(Some)?)
            }
            Some(Err(lacking)) => Err(Stopped::Unknown(without_column(name, &lacking))),
            None => Ok(None),
        }
    }

    fn plain(&mut self, name: &str, wrapping: Wrapping) -> Result<Format, Failure> {
        let dialect = self.terms.dialect(name, self.zone.as_ref()).map_err(Failure::misuse)?;
        let instance = self.instance.clone();
        let broker = self.broker(&instance);
        broker.presence.coverage_mut().hear_whole(dialect.name());
        let voice = VoiceKey { name: dialect.name(), authority: dialect.authority() };
        Ok(Format::Plain(Plain { dialect: Box::new(dialect), voice, wrapping }))
    }
}

fn is_recording(line: &[u8], name: &str, number: u64) -> Result<bool, Failure> {
    match serde_json::from_slice::<Line<'_>>(line) {
        Ok(_) => Ok(true),
        Err(error) => recording::refuse_heading(line, &error, name, number).map(|()| false),
    }
}

fn ambiguous(name: &str, one: &str, other: &str) -> Failure {
    Failure::misuse(format!("could not tell what `{name}` is"))
        .because(format!("it may be `{one}` as well as `{other}`"))
        .next(format!("name it with `--dialect {one}` or `--dialect {other}`"))
}

/// Returns the refusal of a file with a message that two dialects understand.
pub(super) fn ambiguous_message(name: &str, detail: &str) -> Failure {
    Failure::misuse(format!("could not tell what `{name}` is"))
        .because(format!("of a message in it, {detail}"))
        .next("name the one that it is in with `--dialect`")
}

fn without_column(name: &str, lacking: &Lacking) -> Failure {
    let Lacking { part, column, header } = lacking;
    let shown: Vec<String> =
        header.iter().take(COLUMNS_SHOWN).map(|name| format!("`{name}`")).collect();
    let more = if header.len() > shown.len() { ", …" } else { "" };
    let failure = Failure::misuse(format!("`{name}` has no column `{column}`"))
        .because(format!("its header names {}{more}", shown.join(", ")));
    let same = header.iter().find(|name| name.eq_ignore_ascii_case(column)).map(String::as_str);
    match same.or_else(|| nearest(column, header.iter().map(String::as_str))) {
        Some(meant) => failure.next(format!("did you mean `--csv-map {}={meant}`?", part.name())),
        None => failure.next(format!("name one of them with `--csv-map {}=…`", part.name())),
    }
}

/// Columns of a header that are quoted.
const COLUMNS_SHOWN: usize = 12;
