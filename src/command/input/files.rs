//! The files that were named: each opened, read to its end, and said what it was.

use super::Input;
use crate::failure::Failure;
use crate::output::console::Console;
use crate::output::sanitize::sanitize;
use crate::source::content::{Content, Unreadable};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// Columns that the name of a file may take.
const NAME_COLUMNS_MAX: usize = 200;

impl Input {
    /// Reads files, and says of each what it was.
    pub fn read_files(&mut self, paths: &[PathBuf], console: &mut Console) -> Result<(), Failure> {
        let status = console.status();
        for path in paths {
            let name = path.display().to_string();
            let format =
                self.read_file(path, &mut |done, total| status.progress(&name, done, total))?;
            status.clear();
            console.say(format_args!("{}: {format}", sanitize(&name, NAME_COLUMNS_MAX)));
        }
        Ok(())
    }

    /// Reads one file, `-` for standard input. `progress` is told the bytes read so far and, where it
    /// is known, their number in all. Returns what the file was.
    fn read_file(
        &mut self,
        path: &Path,
        progress: &mut dyn FnMut(u64, u64),
    ) -> Result<&'static str, Failure> {
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

fn unopened(name: &str, error: &io::Error) -> Failure {
    let next = match error.kind() {
        io::ErrorKind::NotFound => "check the name; paths are taken from the folder you are in",
        io::ErrorKind::IsADirectory => "name the files in it",
        _ => "check that you may read it",
    };
    let failure = Failure::new(format!("could not read `{name}`"));
    match (Unreadable::behind(error), error.kind()) {
        (Some(known), _) => failure.because(known).next(known.next.replace("FILE", name)),
        (None, io::ErrorKind::IsADirectory) => failure.because("it is a folder").next(next),
        (None, _) => failure.because(error).next(next),
    }
}

/// Returns the failure to read a file to its end.
pub(super) fn broken_off(name: &str, error: &io::Error) -> Failure {
    let failure = Failure::new(format!("could not read on in `{name}`"));
    match Unreadable::behind(error) {
        Some(known) => failure.because(known).next(known.next.replace("FILE", name)),
        None => failure.because(error).next("read a copy of it, or see what the disk says"),
    }
}
