//! The way to standard output: what is printed is collected, and handed over in one piece.

use super::console::{Unwritten, Written};
use super::csv::Csv;
use super::json;
use super::status::Status;
use serde::Serialize;
use std::fmt::{self, Display};
use std::io::{ErrorKind, Write};
use std::sync::{Arc, Mutex, PoisonError};

/// A way to standard output. Clones print to the same place, in the order of their calls.
#[derive(Clone)]
pub struct Printer {
    sheet: Arc<Mutex<Sheet>>,
    status: Status,
    /// The status line is on the same screen, and makes room for what is written.
    makes_room: bool,
}

struct Sheet {
    out: Box<dyn Write + Send>,
    pending: Vec<u8>,
    is_closed: bool,
    /// Nothing goes out until it is released.
    is_held: bool,
    /// Objects become rows.
    csv: Option<Csv>,
}

/// Bytes collected before they are written unasked.
const PENDING_MAX: usize = 64 * 1024;

impl Printer {
    pub(super) fn over(out: impl Write + Send + 'static, status: Status, makes_room: bool) -> Self {
        let sheet = Sheet {
            out: Box::new(out),
            pending: Vec::new(),
            is_closed: false,
            is_held: false,
            csv: None,
        };
        Self { sheet: Arc::new(Mutex::new(sheet)), status, makes_room }
    }

    /// Prints objects as comma-separated values from now on.
    pub fn as_csv(&self) {
        self.lock().csv = Some(Csv::default());
    }

    /// Keeps back what is printed from now on.
    pub fn hold(&self) {
        self.lock().is_held = true;
    }

    /// Returns what was kept back; what is printed from now on goes out again.
    #[must_use]
    pub fn release(&self) -> Vec<u8> {
        let mut sheet = self.lock();
        sheet.is_held = false;
        std::mem::take(&mut sheet.pending)
    }

    /// Prints text that is complete: one line or several, each with its newline. Foreign values in
    /// it must have been sanitised by whoever rendered it.
    pub fn print(&self, text: &str) -> Written {
        self.collect(|Sheet { pending, .. }| {
            pending.extend_from_slice(text.as_bytes());
            Ok(())
        })
    }

    /// Prints a line and adds the newline. Foreign values in it must have been sanitised.
    pub fn print_line(&self, line: impl Display) -> Written {
        self.collect(|Sheet { pending, .. }| {
            // Writing to memory fails only where `Display` itself does, and then half a line is best.
            let _ = writeln!(pending, "{line}");
            Ok(())
        })
    }

    /// Prints an object as one line of JSON. Foreign values need no care.
    pub fn json_line(&self, value: &impl Serialize) -> Written {
        self.collect(|Sheet { pending, csv, .. }| {
            let written = match csv {
                None => json::append_line(pending, value),
                Some(csv) => {
                    let mut line = Vec::new();
                    json::append_line(&mut line, value).and_then(|()| csv.append(pending, &line))
                }
            };
            written.map_err(|error| Unwritten::Failed(error.into()))
        })
    }

    /// Hands everything printed so far to the reader.
    pub fn flush(&self) -> Written {
        self.write(&mut self.lock())
    }

    fn collect(&self, append: impl FnOnce(&mut Sheet) -> Written) -> Written {
        let mut sheet = self.lock();
        append(&mut sheet)?;
        let is_due = sheet.is_closed || sheet.pending.len() >= PENDING_MAX;
        if is_due { self.write(&mut sheet) } else { Ok(()) }
    }

    fn write(&self, sheet: &mut Sheet) -> Written {
        let Sheet { out, pending, is_closed, is_held, .. } = sheet;
        if *is_held {
            return Ok(());
        }
        if *is_closed {
            pending.clear();
            return Err(Unwritten::Closed);
        }
        if pending.is_empty() {
            return Ok(());
        }
        let mut write = || out.write_all(pending).and_then(|()| out.flush());
        let written = if self.makes_room { self.status.suspend(write) } else { write() };
        // After an error nobody knows how much of it arrived, so it is not tried again.
        pending.clear();
        written.map_err(|error| {
            *is_closed = error.kind() == ErrorKind::BrokenPipe;
            if *is_closed { Unwritten::Closed } else { Unwritten::Failed(error) }
        })
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Sheet> {
        self.sheet.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Printer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Printer").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io;

    #[derive(Clone, Default)]
    struct Paper(Arc<Mutex<Vec<u8>>>);

    impl Write for Paper {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().expect("nobody panicked while writing").write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn clones_print_to_one_place_in_the_order_of_their_calls() {
        let paper = Paper::default();
        let one = Printer::over(paper.clone(), Status::new(false), false);
        let other = one.clone();
        one.print_line("first").expect("memory takes it");
        other.print("second\n").expect("memory takes it");
        one.flush().expect("memory takes it");
        assert_eq!(*paper.0.lock().expect("nobody panicked"), b"first\nsecond\n");
    }

    #[test]
    fn what_is_held_goes_to_whoever_releases_it() {
        let paper = Paper::default();
        let printer = Printer::over(paper.clone(), Status::new(false), false);
        printer.hold();
        printer.print_line("held").expect("memory takes it");
        printer.flush().expect("nothing goes out");
        assert_eq!(printer.release(), b"held\n");
        printer.print_line("free").expect("memory takes it");
        printer.flush().expect("memory takes it");
        assert_eq!(*paper.0.lock().expect("nobody panicked"), b"free\n");
    }

    #[test]
    fn what_is_kept_back_has_a_bound() {
        let paper = Paper::default();
        let printer = Printer::over(paper.clone(), Status::new(false), false);
        for _ in 0..PENDING_MAX / 10 {
            printer.print_line("123456789").expect("memory takes it");
        }
        let written = paper.0.lock().expect("nobody panicked").len();
        let pending = printer.lock().pending.len();
        assert_eq!(written, PENDING_MAX / 10 * 10 - pending);
        assert!(pending < PENDING_MAX);
    }
}
