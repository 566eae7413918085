//! Opening the file: each way in which that can fail has a message of its own.

use super::failing::{Trouble, not_a_store};
use super::network;
use super::schema::{self, Owner};
use crate::failure::Failure;
use rusqlite::{Connection, ErrorCode, OpenFlags};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How long one writer waits for another.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
const RETRY_AFTER: Duration = Duration::from_millis(20);

/// Opens the file to write; makes it, readable by its owner only, if there is none.
pub fn to_write(path: &Path) -> Result<Connection, Failure> {
    refuse_directory(path)?;
    network::refuse(path)?;
    make_file(path)?;
    let failed = |trouble: Trouble| trouble.failure("open", path);
    let mut connection = connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE).map_err(failed)?;
    // Before anything is written: the file may be another application's.
    let owner = schema::owner(&connection).map_err(failed)?;
    if !matches!(owner, Owner::Nobody | Owner::Us | Owner::Older) {
        return Err(refused(path, owner));
    }
    // SQLite falls back to reading without a word.
    if connection.is_readonly("main").map_err(|error| failed(error.into()))? {
        return Err(could_not_open(path)
            .because("the file may only be read")
            .next("make the file writable, or name another file with `--store`"));
    }
    let mode = patiently(|| schema::configure(&connection)).map_err(failed)?;
    if mode != "wal" {
        return Err(could_not_open(path)
            .because(format_args!("its file system offers no shared memory (journal mode {mode})"))
            .next("name a file on a local disk with `--store`"));
    }
    if owner != Owner::Us {
        schema::migrate(&mut connection).map_err(failed)?;
    }
    Ok(connection)
}

/// Tries again while somebody else is at the same thing. A change of the journal's mode is the one step
/// for which SQLite does not wait by itself.
fn patiently<T>(attempt: impl Fn() -> Result<T, Trouble>) -> Result<T, Trouble> {
    for _ in 0..BUSY_TIMEOUT.as_millis() / RETRY_AFTER.as_millis() {
        match attempt() {
            Err(Trouble::Engine(error))
                if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) =>
            {
                std::thread::sleep(RETRY_AFTER);
            }
            done => return done,
        }
    }
    attempt()
}

/// Opens the file to read, `None` if there is none or nothing was ever written to it.
pub fn to_read(path: &Path) -> Result<Option<Connection>, Failure> {
    refuse_directory(path)?;
    network::refuse(path)?;
    match std::fs::metadata(path) {
        Ok(_) => {}
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(could_not_open(path).because(error)),
    }
    let (connection, owner) =
        connect_to_read(path).map_err(|trouble| trouble.failure("open", path))?;
    match owner {
        Owner::Us => Ok(Some(connection)),
        Owner::Nobody => Ok(None),
        other => Err(refused(path, other)),
    }
}

/// A store that must exist does not.
pub fn missing(path: &Path) -> Failure {
    could_not_open(path)
        .because("there is no such file, or nothing was stored in it yet")
        .next("run `presence watch` with the same `--store` first")
}

/// Returns the path of a file that SQLite keeps beside the database.
pub fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

fn connect(path: &Path, mode: OpenFlags) -> Result<Connection, Trouble> {
    // Not `SQLITE_OPEN_URI`: a path that begins with `file:` is a path.
    let connection = Connection::open_with_flags(path, mode | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    Ok(connection)
}

/// Connects to read, which needs the two files beside the database. Where they are missing and cannot
/// be made (a read-only mount of a store that was closed), the database alone is everything, and no
/// writer can be at it.
fn connect_to_read(path: &Path) -> Result<(Connection, Owner), Trouble> {
    let attempt = |connection: Connection| {
        let owner = schema::owner(&connection)?;
        Ok((connection, owner))
    };
    match connect(path, OpenFlags::SQLITE_OPEN_READ_ONLY).and_then(attempt) {
        Err(Trouble::Engine(error))
            if matches!(
                error.sqlite_error_code(),
                Some(ErrorCode::CannotOpen | ErrorCode::ReadOnly)
            ) && is_closed(path) =>
        {
            attempt(connect_immutable(path)?)
        }
        other => other,
    }
}

fn is_closed(path: &Path) -> bool {
    std::fs::metadata(beside(path, "-wal")).map_or(true, |wal| wal.len() == 0)
}

fn connect_immutable(path: &Path) -> Result<Connection, Trouble> {
    let digit = |value: u8| char::from_digit(value.into(), 16).expect("four bits");
    // Every byte, so that none of them has to be known for harmless.
    let bytes = path.as_os_str().as_encoded_bytes().iter();
    let escaped: String =
        bytes.flat_map(|byte| ['%', digit(byte >> 4), digit(byte & 0xf)]).collect();
    let uri = format!("file:{escaped}?immutable=1");
    connect(Path::new(&uri), OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI)
}

fn refuse_directory(path: &Path) -> Result<(), Failure> {
    if path.is_dir() {
        let file = path.join("presence.db");
        return Err(could_not_open(path)
            .because("it is a directory")
            .next(format!("name a file, such as `{}`", file.display())));
    }
    Ok(())
}

/// Makes an empty file that only its owner can read, if there is none. SQLite would make it as the
/// umask says; the files that it makes beside the database get the permissions of the database.
fn make_file(path: &Path) -> Result<(), Failure> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let error = match options.open(path) {
        Ok(_) => return Ok(()),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => return Ok(()),
        Err(error) => error,
    };
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    let directory = directory.unwrap_or(Path::new("."));
    let failure = could_not_open(path);
    Err(match error.kind() {
        ErrorKind::NotFound if !directory.exists() => failure
            .because(format_args!("the directory `{}` does not exist", directory.display()))
            .next("make the directory, or name another file with `--store`"),
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => failure
            .because(format_args!("no file can be made in `{}` ({error})", directory.display()))
            .next("make the directory writable, or name another file with `--store`"),
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => failure
            .because(format_args!("the disk is full ({error})"))
            .next("free some space there, or name another file with `--store`"),
        _ => failure.because(error).next("name another file with `--store`"),
    })
}

fn refused(path: &Path, owner: Owner) -> Failure {
    let failure = could_not_open(path);
    match owner {
        Owner::Newer { is, known } => failure
            .because(format_args!(
                "a newer release wrote it (its version is {is}, this release knows up to {known})"
            ))
            .next("update presence, or name another file with `--store`"),
        Owner::Older => failure
            .because("an older release wrote it")
            .next("run `presence store compact` once, which brings it up to date"),
        Owner::Another(id) if id != 0 => failure
            .because(format_args!("it is the database of another application (id {id:#010x})"))
            .next("name another file with `--store`; this one was left as it is"),
        Owner::Another(_) | Owner::Nobody | Owner::Us => not_a_store(failure),
    }
}

fn could_not_open(path: &Path) -> Failure {
    Failure::new(format!("could not open the store `{}`", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_closed_store_can_be_read_without_the_files_beside_it() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("odd name?%.db");
        drop(to_write(&path).expect("made"));
        let connection = connect_immutable(&path).expect("connected");
        assert_eq!(schema::owner(&connection).expect("owner"), Owner::Us);
        assert!(!beside(&path, "-shm").exists());
    }
}
