//! Telling of a verification in every way that was asked for, beside an earlier run if there is one.

use crate::cli::merge::Telling;
use crate::failure::{Failure, Outcome};
use crate::output::console::Console;
use crate::output::html;
use crate::output::sanitize::sanitize;
use crate::output::verification::{
    Comparison, Reader, Verified, compare, comparison_lines, comparison_text, lines, text,
};
use crate::output::warning::Warning;
use crate::source::lines::{LINE_MAX, Lines, Text};
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// What is to be told beside the answer. Whatever can fail has been tried.
#[derive(Debug)]
pub struct Told {
    page: Option<PathBuf>,
    base: Option<Verified>,
}

/// Reads the run to compare with, and sees whether the page can be written: before a run, so that none
/// is in vain.
///
/// Errors: exit code 2 or 4.
pub fn prepare(options: &Telling) -> Result<Told, Failure> {
    if let Some(path) = &options.report {
        html::file::check(path)?;
    }
    let base = options.compare.as_deref().map(read).transpose()?;
    Ok(Told { page: options.report.clone(), base })
}

/// Tells what came of a verification, and returns what it amounts to for a script.
pub fn tell(verified: &Verified, told: &Told, console: &mut Console) -> Result<Outcome, Failure> {
    let comparison = told.base.as_ref().map(|base| compare(base, verified));
    if console.is_json() {
        print_lines(verified, comparison.as_ref(), console)?;
    } else {
        if let Some(comparison) = &comparison {
            let text = comparison_text(comparison, console.style(), console.columns());
            console.print(&(text + "\n"))?;
        }
        console.print(&text(verified, console.style(), console.columns()))?;
    }
    console.flush()?;
    // Last, so that what can be told is told if the disk is full.
    if let Some(path) = &told.page {
        html::file::write(path, &html::verification(verified))?;
    }
    let outcome = verified.outcome();
    let is_worse = comparison.is_some_and(|comparison| comparison.has_regressions());
    Ok(if outcome == Outcome::Yes && is_worse { Outcome::No } else { outcome })
}

/// The summary comes last, and a comparison before all else.
fn print_lines(
    verified: &Verified,
    comparison: Option<&Comparison>,
    console: &mut Console,
) -> Result<(), Failure> {
    if let Some(comparison) = comparison {
        for what in &comparison.caveats {
            console.warn(&Warning::Incomparable { what: what.clone() });
        }
        for line in comparison_lines(comparison, &verified.context.instance) {
            console.json_line(&line)?;
        }
    }
    for line in lines(verified) {
        console.json_line(&line)?;
    }
    Ok(())
}

/// Reads a report that was printed as JSON Lines.
///
/// Errors: exit code 4 if it cannot be read, 2 if it is no whole report.
pub fn read(path: &Path) -> Result<Verified, Failure> {
    let name = path.display().to_string();
    let failed = |error: io::Error| {
        Failure::new(format!("could not read `{}`", sanitize(&name, NAME_COLUMNS_MAX)))
            .because(error)
            .next("name a file that `presence simulate --json` printed while it verified")
    };
    let input: Box<dyn Read> = if path == Path::new("-") {
        Box::new(io::stdin())
    } else {
        Box::new(File::open(path).map_err(failed)?)
    };
    let mut lines = Lines::new(input);
    let mut reader = Reader::new(&name);
    while let Some((number, line)) = lines.next_line().map_err(failed)? {
        match line {
            Text::Whole(line) | Text::Unended(line) => reader.line(number, line)?,
            Text::TooLong(bytes) => return Err(reader.too_long(number, bytes, LINE_MAX)),
        }
    }
    reader.end()
}

const NAME_COLUMNS_MAX: usize = 200;
