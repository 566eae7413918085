//! `presence simulate merge`: the report of a run from those of its shards.

use super::compare::{self, read};
use crate::cli::merge::Merge;
use crate::failure::{Failure, Outcome};
use crate::output::console::Console;
use crate::output::verification::{Verified, merge};

pub fn run(options: &Merge, console: &mut Console) -> Result<Outcome, Failure> {
    let told = compare::prepare(&options.telling)?;
    let mut parts: Vec<(String, Verified)> = Vec::new();
    for path in &options.files {
        parts.push((path.display().to_string(), read(path)?));
    }
    let (verified, warnings) = merge(parts)?;
    for warning in &warnings {
        console.warn(warning);
    }
    compare::tell(&verified, &told, console)
}
