//! The files that were named: each opened, read to its end, and said what it was.

use super::{Input, Stopped};
use crate::failure::{Failure, Outcome};
use crate::output::console::Console;
use crate::output::sanitize::sanitize;
use crate::output::status::Status;
use crate::output::warning::Warning;
use crate::source::content::{Content, Taken, Unreadable};
use crate::source::found::{self, Found};
use std::borrow::Cow;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// What standard input is called.
pub(super) const STANDARD_INPUT: &str = "standard input";
/// Columns that the name of a file may take.
const NAME_COLUMNS_MAX: usize = 200;

impl Input {
    /// Reads files, and says of each what it was. One that cannot be read does not keep the others
    /// from it: [`conclude`](Self::conclude) tells of it. Fails if there is nothing else to tell.
    pub fn read_files(&mut self, names: &[PathBuf], console: &mut Console) -> Result<(), Failure> {
        self.read_each(names, console)?;
        self.has_something(console)
    }

    pub(super) fn read_each(
        &mut self,
        names: &[PathBuf],
        console: &mut Console,
    ) -> Result<(), Failure> {
        let files: Vec<_> = names.iter().flat_map(|name| found::files(name)).collect();
        let mut progress = Progress::over(&files, console.status());
        for file in files {
            match file {
                Ok(found) => self.read_found(&found, &mut progress, console)?,
                Err(failure) => self.pass_over(failure)?,
            }
        }
        self.unite();
        progress.status.clear();
        self.deliver_rest()
    }

    /// Fails if nothing was read, and something should have been.
    pub(super) fn has_something(&mut self, console: &mut Console) -> Result<(), Failure> {
        if self.brokers.is_empty()
            && let Some(last) = self.unread.pop()
        {
            self.conclude(console);
            return Err(last);
        }
        Ok(())
    }

    /// Says which files could not be read. Returns how a run ends whose report stands without them.
    pub fn conclude(&self, console: &mut Console) -> Outcome {
        for failure in &self.unread {
            console.failure(failure);
        }
        let outcomes = self.unread.iter().map(|failure| failure.outcome);
        outcomes.max_by_key(|outcome| outcome.code()).unwrap_or(Outcome::Yes)
    }

    fn read_found(
        &mut self,
        found: &Found,
        progress: &mut Progress,
        console: &mut Console,
    ) -> Result<(), Failure> {
        let name = found.path.display().to_string();
        let read = self.read_file(&found.path, progress.begin(&name));
        self.told_what(&name, found.is_by_chance, read, console)
    }

    /// Says what a file was, or keeps in mind why it was not read to its end.
    pub(super) fn told_what(
        &mut self,
        name: &str,
        is_by_chance: bool,
        read: Result<String, Stopped>,
        console: &mut Console,
    ) -> Result<(), Failure> {
        let remark = self.remark.take().filter(|_| !self.is_known);
        match read {
            Ok(_) if self.is_known => Ok(()),
            Ok(what) => {
                console.say(format_args!("{}: {what}", said(name)));
                if let Some(remark) = remark {
                    console.warn(&remark.into());
                }
                Ok(())
            }
            Err(Stopped::Unknown(_)) if is_by_chance => {
                console.warn(&Warning::FileLeftOut { path: name.to_owned() });
                Ok(())
            }
            Err(Stopped::Broken(failure)) => self.pass_over(failure),
            Err(Stopped::Unknown(failure)) => self.pass_over(self.without_excerpt(failure)),
            Err(Stopped::Refused(failure)) => Err(self.without_excerpt(failure)),
        }
    }

    /// Takes out of a failure what may quote the file, where ids are to have pseudonyms.
    fn without_excerpt(&self, failure: Failure) -> Failure {
        if self.redactor.is_none() || failure.cause.is_none() {
            return failure;
        }
        failure.because("left out, as it may quote the file").next("see it without `--redact`")
    }

    fn pass_over(&mut self, failure: Failure) -> Result<(), Failure> {
        if self.strict {
            return Err(failure);
        }
        self.unread.push(failure);
        Ok(())
    }

    /// Reads one file, `-` for standard input. Returns what the file was.
    fn read_file(&mut self, path: &Path, progress: &mut Progress) -> Result<String, Stopped> {
        let (name, opened) = if path.as_os_str() == "-" {
            (STANDARD_INPUT.to_owned(), Content::of(io::stdin()))
        } else {
            (path.display().to_string(), Content::open(path))
        };
        let content = opened.map_err(|error| opened_badly(&name, &error))?;
        let taken = content.taken();
        let read = self.read_whole(Shown { input: content, taken: &taken, progress }, &name);
        progress.done_before += taken.bytes();
        read
    }
}

/// Returns the name of a file as it is said.
pub(super) fn said(name: &str) -> Cow<'_, str> {
    sanitize(name, NAME_COLUMNS_MAX)
}

/// How far the reading of several files is.
#[derive(Debug)]
struct Progress {
    status: Status,
    text: String,
    begun: usize,
    count: usize,
    /// Bytes of the files that were read before.
    done_before: u64,
    /// Bytes of all files, where every one of them has an end.
    total: Option<u64>,
}

impl Progress {
    fn over(files: &[Result<Found, Failure>], status: Status) -> Self {
        let found = files.iter().flatten();
        let total = found.map(Found::length).sum();
        Self { status, text: String::new(), begun: 0, count: files.len(), done_before: 0, total }
    }

    fn begin(&mut self, name: &str) -> &mut Self {
        self.begun += 1;
        let name = said(name);
        self.text = if self.count > 1 {
            format!("{name} ({} of {})", self.begun, self.count)
        } else {
            name.into_owned()
        };
        self
    }
}

/// A reader that shows after every chunk how far it is.
struct Shown<'a> {
    input: Content,
    taken: &'a Taken,
    progress: &'a Progress,
}

impl Read for Shown<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.input.read(buffer)?;
        let Progress { status, text, done_before, total, .. } = self.progress;
        status.reading(text, done_before + self.taken.bytes(), *total);
        Ok(count)
    }
}

pub(super) fn opened_badly(name: &str, error: &io::Error) -> Stopped {
    let failure = Failure::new(format!("could not read `{name}`"));
    let next = if error.kind() == io::ErrorKind::NotFound {
        "check the name; paths are taken from the folder you are in"
    } else {
        "check that you may read it"
    };
    Stopped::Broken(explained(failure, name, error, next))
}

/// Returns why a file was not read to its end.
pub(super) fn broken_off(name: &str, error: &io::Error) -> Stopped {
    let failure = Failure::new(format!("could not read on in `{name}`"));
    let next = "read a copy of it, or see what the disk has to say";
    Stopped::Broken(explained(failure, name, error, next))
}

/// Returns a failure with why bytes cannot be read, and with what would help if nothing better is known.
pub(super) fn explained(failure: Failure, name: &str, error: &io::Error, next: &str) -> Failure {
    match Unreadable::behind(error) {
        Some(known) if name == STANDARD_INPUT => failure.because(known).next(known.next.clone()),
        Some(known) => {
            failure.because(known).next(known.next.replace("FILE", &shell_words::quote(name)))
        }
        None => failure.because(error).next(next),
    }
}
