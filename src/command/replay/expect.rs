//! An answer that is known beforehand: for tests of what makes recordings.

use crate::failure::{Failure, Outcome};
use crate::output::console::Console;
use crate::output::diff::difference;
use std::fs;
use std::path::Path;

/// Reads what is expected, before anything else is read.
pub fn read(path: &Path) -> Result<String, Failure> {
    let bytes = fs::read(path).map_err(|error| {
        Failure::new(format!("could not read `{}`", path.display()))
            .because(error)
            .next("write it first: run this without `--expect`, and keep what it prints")
    })?;
    String::from_utf8(bytes).map_err(|error| {
        Failure::new(format!("could not read `{}`", path.display()))
            .because(error)
            .next("name a file with an answer of this command")
    })
}

/// Compares the answer that was held back, and prints how it differs.
pub fn compare(path: &Path, expected: &str, console: &mut Console) -> Result<Outcome, Failure> {
    let found = String::from_utf8_lossy(&console.printer().release()).into_owned();
    let name = path.display().to_string();
    let Some(shown) = difference(&name, expected, &found) else {
        console.say(format_args!("as expected by {name}"));
        return Ok(Outcome::Yes);
    };
    console.print(&shown)?;
    Ok(Outcome::No)
}
