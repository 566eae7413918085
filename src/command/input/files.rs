//! The files that were named: each opened, read to its end, and said what it was.

use super::{Input, Stopped};
use crate::failure::{Failure, Outcome};
use crate::output::console::Console;
use crate::output::sanitize::sanitize;
use crate::output::warning::Warning;
use crate::source::content::{Content, Unreadable};
use crate::source::found::{self, Found};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// Columns that the name of a file may take.
const NAME_COLUMNS_MAX: usize = 200;

impl Input {
    /// Reads files, and says of each what it was. One that cannot be read does not keep the others
    /// from it: [`conclude`](Self::conclude) tells of it. Fails if there is nothing else to tell.
    pub fn read_files(&mut self, names: &[PathBuf], console: &mut Console) -> Result<(), Failure> {
        for file in names.iter().flat_map(|name| found::files(name)) {
            match file {
                Ok(found) => self.read_found(&found, console)?,
                Err(failure) => self.pass_over(failure)?,
            }
        }
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

    fn read_found(&mut self, found: &Found, console: &mut Console) -> Result<(), Failure> {
        let name = found.path.display().to_string();
        let status = console.status();
        let progress = &mut |done, total| status.progress(&name, done, total);
        let read = self.read_file(&found.path, progress);
        status.clear();
        match read {
            Ok(what) => {
                console.say(format_args!("{}: {what}", sanitize(&name, NAME_COLUMNS_MAX)));
                Ok(())
            }
            Err(Stopped::Unknown(_)) if found.is_by_chance => {
                console.warn(&Warning::FileLeftOut { path: name });
                Ok(())
            }
            Err(Stopped::Broken(failure) | Stopped::Unknown(failure)) => self.pass_over(failure),
            Err(Stopped::Refused(failure)) => Err(failure),
        }
    }

    fn pass_over(&mut self, failure: Failure) -> Result<(), Failure> {
        if self.strict {
            return Err(failure);
        }
        self.unread.push(failure);
        Ok(())
    }

    /// Reads one file, `-` for standard input. `progress` is told the bytes read so far and, where it
    /// is known, their number in all. Returns what the file was.
    fn read_file(
        &mut self,
        path: &Path,
        progress: &mut dyn FnMut(u64, u64),
    ) -> Result<String, Stopped> {
        let (name, opened) = if path.as_os_str() == "-" {
            ("standard input".to_owned(), Content::of(io::stdin()).map(|content| (content, 0)))
        } else {
            (path.display().to_string(), Content::open(path))
        };
        let (content, length) = opened.map_err(|error| unopened(&name, &error))?;
        let taken = content.taken();
        let shown = Shown { input: content, show: || progress(taken.bytes(), length) };
        self.read(shown, &name)
    }
}

/// A reader that says after every chunk that there was one.
struct Shown<R, F> {
    input: R,
    show: F,
}

impl<R: Read, F: FnMut()> Read for Shown<R, F> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.input.read(buffer)?;
        (self.show)();
        Ok(count)
    }
}

fn unopened(name: &str, error: &io::Error) -> Stopped {
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

fn explained(failure: Failure, name: &str, error: &io::Error, next: &str) -> Failure {
    match Unreadable::behind(error) {
        Some(known) => failure.because(known).next(known.next.replace("FILE", name)),
        None => failure.because(error).next(next),
    }
}
