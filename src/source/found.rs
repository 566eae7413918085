//! The files that a name stands for: itself, what lies below a folder, or what a pattern matches.

use crate::failure::Failure;
use glob::{MatchOptions, glob_with};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// A file to be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    pub path: PathBuf,
    /// It lies below a folder that was named: whether it is one of those meant, only it can tell.
    pub is_by_chance: bool,
}

impl Found {
    /// Returns how many bytes it has, `None` for what has no end of its own: a pipe, a terminal.
    #[must_use]
    pub fn length(&self) -> Option<u64> {
        match fs::metadata(&self.path) {
            Ok(about) if about.is_file() => Some(about.len()),
            Err(_) if self.path.as_os_str() != "-" => Some(0),
            _ => None,
        }
    }
}

/// Returns the files that `name` stands for, sorted, with failures in the place of what cannot be
/// looked into. A name that exists is no pattern, whatever characters it has.
pub fn files(name: &Path) -> Vec<Result<Found, Failure>> {
    let is_pattern = name.to_str().filter(|text| text.contains(['*', '?', '[']));
    match (fs::metadata(name), is_pattern) {
        (Ok(about), _) if about.is_dir() => below(name),
        (Err(_), Some(pattern)) if name.symlink_metadata().is_err() => matching(pattern),
        // Opening it tells best what is wrong with it, if anything is.
        _ => vec![Ok(Found { path: name.to_owned(), is_by_chance: false })],
    }
}

fn below(folder: &Path) -> Vec<Result<Found, Failure>> {
    let mut found = Vec::new();
    walk(folder, &mut found);
    if found.is_empty() {
        let next = "name files, or a folder that holds some";
        found.push(Err(unread(folder).because("no file is in it").next(next)));
    }
    found
}

/// Collects the files below a folder. Hidden ones are somebody's own, and links to folders could lead
/// round in a circle.
fn walk(folder: &Path, found: &mut Vec<Result<Found, Failure>>) {
    let entries = fs::read_dir(folder).and_then(Iterator::collect::<io::Result<Vec<_>>>);
    let mut entries = match entries {
        Ok(entries) => entries,
        Err(error) => return found.push(Err(unlisted(folder, &error))),
    };
    entries.retain(|entry| !entry.file_name().as_encoded_bytes().starts_with(b"."));
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let path = entry.path();
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            walk(&path, found);
        } else if fs::metadata(&path).is_ok_and(|about| about.is_file()) {
            found.push(Ok(Found { path, is_by_chance: true }));
        }
    }
}

fn matching(pattern: &str) -> Vec<Result<Found, Failure>> {
    let options = MatchOptions { require_literal_leading_dot: true, ..MatchOptions::default() };
    let paths = match glob_with(pattern, options) {
        Ok(paths) => paths,
        Err(error) => {
            let failure = unread(Path::new(pattern));
            let next = "write a character that is meant itself in brackets, as in `[[]1].log`";
            return vec![Err(failure.because(error).next(next))];
        }
    };
    let found: Vec<_> = paths
        .filter_map(|path| match path {
            Ok(path) if path.is_dir() => None,
            Ok(path) => Some(Ok(Found { path, is_by_chance: false })),
            Err(error) => Some(Err(unlisted(error.path(), error.error()))),
        })
        .collect();
    if found.is_empty() {
        let next = "check the pattern; `*` stays within a folder, `**` reaches below it";
        return vec![Err(unread(Path::new(pattern)).because("no file matches it").next(next))];
    }
    found
}

fn unread(path: &Path) -> Failure {
    Failure::new(format!("could not read `{}`", path.display()))
}

fn unlisted(folder: &Path, error: &io::Error) -> Failure {
    Failure::new(format!("could not look into `{}`", folder.display()))
        .because(error)
        .next("check that you may list it")
}

#[cfg(test)]
mod tests {
    use super::*;
    use tempfile::TempDir;

    fn folder(names: &[&str]) -> TempDir {
        let folder = TempDir::new().expect("a temporary folder can be made");
        for name in names {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().expect("it is below the folder")).expect("writable");
            fs::write(path, "").expect("writable");
        }
        folder
    }

    fn names(folder: &TempDir, name: &str) -> Vec<String> {
        let found = files(&folder.path().join(name));
        let name = |found: Result<Found, Failure>| match found {
            Ok(found) => {
                let path = found.path.strip_prefix(folder.path()).expect("it is below");
                let mark = if found.is_by_chance { "~" } else { "" };
                format!("{mark}{}", path.display())
            }
            Err(failure) => failure.cause.expect("every failure has its cause"),
        };
        found.into_iter().map(name).collect()
    }

    #[test]
    fn a_folder_stands_for_all_below_it_but_what_is_hidden() {
        let folder = folder(&["b.log", "a/2.log", "a/1.log", ".git/x", "a/.swp"]);
        assert_eq!(names(&folder, ""), ["~a/1.log", "~a/2.log", "~b.log"]);
        fs::create_dir(folder.path().join("none")).expect("writable");
        assert_eq!(names(&folder, "none"), ["no file is in it"]);
    }

    #[cfg(unix)]
    #[test]
    fn a_link_to_a_file_is_followed_and_one_to_a_folder_is_not() {
        use std::os::unix::fs::symlink;
        let folder = folder(&["logs/a.log"]);
        symlink("a.log", folder.path().join("logs/latest")).expect("writable");
        symlink("..", folder.path().join("logs/round")).expect("writable");
        symlink("nowhere", folder.path().join("logs/broken")).expect("writable");
        assert_eq!(names(&folder, "logs"), ["~logs/a.log", "~logs/latest"]);
    }

    #[test]
    fn a_pattern_stands_for_the_files_it_matches() {
        let folder = folder(&["a.log", "b.log.gz", "c/d.log", "c/.e.log"]);
        assert_eq!(names(&folder, "*.log*"), ["a.log", "b.log.gz"]);
        assert_eq!(names(&folder, "**/*.log"), ["a.log", "c/d.log"]);
        assert_eq!(names(&folder, "*"), ["a.log", "b.log.gz"]);
        assert_eq!(names(&folder, "*.jsonl"), ["no file matches it"]);
        assert!(names(&folder, "a[.log")[0].starts_with("Pattern syntax error"));
    }

    #[test]
    fn a_name_that_exists_is_no_pattern() {
        let folder = folder(&["[1].log", "1.log"]);
        assert_eq!(names(&folder, "[1].log"), ["[1].log"]);
        assert_eq!(names(&folder, "missing"), ["missing"]);
    }
}
