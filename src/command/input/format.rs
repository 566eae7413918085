//! What a file is: nothing but its lines can tell.

use super::recording::Recording;
use super::{Input, Stopped, recording};
use crate::dialect::envelope::{self, Carrier};
use crate::dialect::lmq::Lmq;
use crate::dialect::mosquitto::Mosquitto;
use crate::dialect::{Dialect, FileFormat, sniff};
use crate::failure::Failure;
use crate::source::lines::LINE_MAX;
use crate::source::recording::Line;
use std::fmt;

/// What a file is, with what must be remembered while it is read.
#[derive(Debug)]
pub(super) enum Format {
    Recording(Recording),
    Plain(Plain),
}

/// A file in the words of one dialect.
#[derive(Debug)]
pub(super) struct Plain {
    pub dialect: Box<Dialect>,
    /// In whose messages its lines are wrapped.
    pub carrier: Option<Carrier>,
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self::Plain(plain) = self else { return f.write_str("a recording") };
        f.write_str(match &*plain.dialect {
            Dialect::Lmq(_) => "LMQ notices",
            Dialect::Mosquitto(_) => "a log of Mosquitto",
            Dialect::Status(_) => "status messages",
        })?;
        match plain.carrier {
            Some(carrier) => write!(f, " in {} messages", carrier.name()),
            None => Ok(()),
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
    pub is_empty: bool,
}

/// Lines that may pass before a file must have told what it is, and their bytes.
const UNDECIDED_MAX: usize = 1_000;
const UNDECIDED_BYTES_MAX: usize = 2 * LINE_MAX;

impl<'a> File<'a> {
    pub const fn new(name: &'a str) -> Self {
        Self { name, format: None, undecided: Vec::new(), undecided_bytes: 0, is_empty: true }
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

    /// Returns the lines that waited.
    pub fn waited(&mut self) -> Vec<(u64, Vec<u8>)> {
        std::mem::take(&mut self.undecided)
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
        let first = self.undecided.first().map_or(String::new(), |(_, line)| {
            let head = String::from_utf8_lossy(&line[..line.len().min(80)]);
            format!("; the first one reads {head}")
        });
        Stopped::Unknown(
            Failure::misuse(format!("could not tell what `{}` is", self.name))
                .because(format!("no line is of a known form{first}"))
                .next("name it with `--dialect lmq` or `--dialect mosquitto`"),
        )
    }
}

impl Input {
    /// Returns what a file is, if this line of it tells.
    pub(super) fn tell_format(
        &mut self,
        line: &[u8],
        name: &str,
        number: u64,
    ) -> Result<Option<Format>, Failure> {
        let envelope = envelope::open(line);
        let carrier = envelope.as_ref().map(|envelope| envelope.carrier);
        if let Some(name) = self.forced.clone() {
            return self.plain(&name, carrier).map(Some);
        }
        match serde_json::from_slice::<Line<'_>>(line) {
            Ok(_) => return Ok(Some(Format::Recording(Recording::default()))),
            Err(error) => recording::refuse_heading(line, &error, name, number)?,
        }
        match sniff(envelope.as_ref().map_or(line, |envelope| &envelope.body)) {
            Some(FileFormat::Lmq) => self.plain(Lmq::NAME, carrier).map(Some),
            Some(FileFormat::Mosquitto) => self.plain(Mosquitto::NAME, carrier).map(Some),
            None => Ok(None),
        }
    }

    fn plain(&mut self, name: &str, carrier: Option<Carrier>) -> Result<Format, Failure> {
        let dialect = self.terms.dialect(name, self.zone.as_ref()).map_err(Failure::misuse)?;
        let instance = self.instance.clone();
        let broker = self.broker(&instance);
        broker.presence.coverage_mut().hear_whole(dialect.name());
        Ok(Format::Plain(Plain { dialect: Box::new(dialect), carrier }))
    }
}
