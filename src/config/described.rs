//! Files that describe dialects, read and checked.

use crate::cli::reading::DialectFiles;
use crate::dialect::described::{self, Described, FILE_MAX};
use crate::dialect::terms::Terms;
use crate::failure::Failure;
use crate::table::Mistake;
use std::fs::File;
use std::io::Read as _;
use std::path::Path;

/// Reads the files that were named, and has the terms hold what they describe.
///
/// Errors: a file that cannot be read (exit 4); one that is no description, and a name that is taken (exit 2).
pub fn join(files: &DialectFiles, terms: &mut Terms) -> Result<(), Failure> {
    let mut names = Vec::new();
    for path in &files.dialect_file {
        let text = text_of(path)?;
        let described = read(path, &text)?;
        if names.contains(&described.name) {
            return Err(taken(path, &described.name, "another file describes one of this name"));
        }
        names.push(described.name.clone());
        terms.described.push(text);
    }
    terms.dialects.splice(0..0, names);
    Ok(())
}

/// Returns the dialect that a file describes.
pub fn read(path: &Path, text: &str) -> Result<&'static Described, Failure> {
    let described = described::custom(text).map_err(|mistake| wrong(path, &mistake))?;
    if described.name == "auto" || Terms::names().any(|known| known == described.name) {
        return Err(taken(path, &described.name, "`presence dialects` lists one of this name"));
    }
    Ok(described)
}

/// Returns what stands in a file.
pub fn text_of(path: &Path) -> Result<String, Failure> {
    let refuse = || Failure::new(format!("could not read the dialect `{}`", path.display()));
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(FILE_MAX as u64 + 1).read_to_end(&mut bytes))
        .map_err(|error| {
            refuse().because(error).next("check the path, and who may read the file")
        })?;
    String::from_utf8(bytes).map_err(|_| {
        Failure::misuse(format!("`{}` describes no dialect", path.display()))
            .because("it is no UTF-8 text")
            .next("store it as UTF-8; the format is in docs/custom-dialects.md")
    })
}

fn wrong(path: &Path, mistake: &Mistake) -> Failure {
    let place = mistake.line.map_or_else(String::new, |line| format!(", line {line}"));
    Failure::misuse(format!("`{}`{place}: {}", path.display(), mistake.what))
        .because(&mistake.cause)
        .next(&mistake.next)
}

fn taken(path: &Path, name: &str, cause: &str) -> Failure {
    Failure::misuse(format!("`{}`: the name `{name}` is taken", path.display()))
        .because(cause)
        .next("write another `name`")
}
