//! Writing a page to the disk, whole or not at all.

use crate::failure::Failure;
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

/// Writes a page into a file, in the place of one that may be there.
///
/// Errors: exit code 4. What was there before is then as it was.
pub fn write(path: &Path, page: &str) -> Result<(), Failure> {
    let written = replace(path, |file| file.write_all(page.as_bytes()));
    written.map_err(|error| failure(path, &error))
}

/// Tells whether a page could be written, before there is one.
///
/// Errors: as those of [`write`].
pub fn check(path: &Path) -> Result<(), Failure> {
    let tried = beside(path).and_then(|(_, (other, _))| fs::remove_file(other));
    tried.map_err(|error| failure(path, &error))
}

fn replace(path: &Path, fill: impl FnOnce(&mut File) -> io::Result<()>) -> io::Result<()> {
    let (path, (other, mut file)) = beside(path)?;
    let moved = fill(&mut file).and_then(|()| file.sync_all()).and_then(|()| {
        drop(file);
        fs::rename(&other, &path)
    });
    if moved.is_err() {
        // The first error is the one to tell.
        let _ = fs::remove_file(&other);
    }
    moved
}

/// Returns the true place of a file, and a new file beside it, with its name.
fn beside(path: &Path) -> io::Result<(PathBuf, (PathBuf, File))> {
    // Through a link to where it leads, or the link would be replaced.
    let path = match fs::canonicalize(path) {
        Ok(found) if !found.is_file() => {
            return Err(io::Error::new(ErrorKind::InvalidInput, "it is no regular file"));
        }
        Ok(found) => found,
        Err(error) if error.kind() == ErrorKind::NotFound => path.to_owned(),
        Err(error) => return Err(error),
    };
    let Some(name) = path.file_name() else {
        return Err(io::Error::new(ErrorKind::InvalidInput, "it names no file"));
    };
    for attempt in 0..ATTEMPTS {
        let mut other = std::ffi::OsString::from(".");
        other.push(name);
        other.push(format!(".{}-{attempt}", std::process::id()));
        let other = path.with_file_name(other);
        match OpenOptions::new().write(true).create_new(true).open(&other) {
            Ok(file) => return Ok((path, (other, file))),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    Err(io::Error::new(ErrorKind::AlreadyExists, "files of earlier attempts are in the way"))
}

fn failure(path: &Path, error: &io::Error) -> Failure {
    Failure::new(format!("could not write the report `{}`", path.display()))
        .because(error)
        .next("name a file in a folder that can be written with `--report`")
}

/// Names that are tried: one that is taken was left by a process that died.
const ATTEMPTS: u32 = 16;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::failure::Outcome;

    #[test]
    fn a_page_takes_the_place_of_what_was_there() {
        let folder = tempfile::TempDir::new().expect("a temporary folder can be made");
        let path = folder.path().join("night.html");
        for page in ["long page", "page"] {
            check(&path).expect("it can be written");
            write(&path, page).expect("it can be written");
            assert_eq!(fs::read_to_string(&path).expect("it is there"), page);
        }
        assert_eq!(fs::read_dir(folder.path()).expect("it is there").count(), 1);
    }

    #[test]
    fn what_was_there_stays_when_writing_fails() {
        let folder = tempfile::TempDir::new().expect("a temporary folder can be made");
        let path = folder.path().join("night.html");
        write(&path, "before").expect("it can be written");
        replace(&path, |file| {
            file.write_all(b"half")?;
            Err(ErrorKind::StorageFull.into())
        })
        .expect_err("the disk is full");
        assert_eq!(fs::read_to_string(&path).expect("it is there"), "before");
        assert_eq!(fs::read_dir(folder.path()).expect("it is there").count(), 1);
    }

    #[test]
    fn what_cannot_be_written_is_told_beforehand() {
        let folder = tempfile::TempDir::new().expect("a temporary folder can be made");
        for path in [folder.path().to_owned(), folder.path().join("none/a.html"), "/".into()] {
            for failure in
                [check(&path), write(&path, "page")].map(|done| done.expect_err("it is no file"))
            {
                assert_eq!(failure.outcome, Outcome::CouldNotAsk);
                assert!(failure.cause.is_some() && failure.next.is_some(), "{failure}");
            }
        }
    }

    #[test]
    #[cfg(unix)]
    fn a_link_stays_and_the_file_it_leads_to_is_written() {
        let folder = tempfile::TempDir::new().expect("a temporary folder can be made");
        let (file, link) = (folder.path().join("file.html"), folder.path().join("link.html"));
        write(&file, "before").expect("it can be written");
        std::os::unix::fs::symlink(&file, &link).expect("a link can be made");
        write(&link, "after").expect("it can be written");
        assert!(link.is_symlink());
        assert_eq!(fs::read_to_string(&file).expect("it is there"), "after");
    }
}
