//! What can go wrong with a store, told to whoever runs it: what happened, and what to do.

use super::super::unreadable::Unreadable;
use crate::failure::Failure;
use rusqlite::ErrorCode;
use std::path::Path;

/// Why reading or writing did not work.
#[derive(Debug)]
pub enum Trouble {
    Engine(rusqlite::Error),
    /// Clients whose bytes are not of our format.
    Unreadable(Unreadable),
    /// The tables contradict themselves.
    Inconsistent(&'static str),
    /// Whoever was handed the clients could not go on.
    Caller(Failure),
}

impl From<rusqlite::Error> for Trouble {
    fn from(error: rusqlite::Error) -> Self {
        Self::Engine(error)
    }
}

const BEGIN_ANEW: &str = "move the file away: `presence watch` then begins a new one";

impl Trouble {
    /// Returns the failure to do this (a verb that "the store" follows) with this file.
    pub fn failure(self, verb: &str, path: &Path) -> Failure {
        let failure = Failure::new(format!("could not {verb} the store `{}`", path.display()));
        match self {
            Self::Engine(error) => explain(failure, &error, path),
            Self::Unreadable(found) => {
                failure.because(found).next(format!("the file is damaged; {BEGIN_ANEW}"))
            }
            Self::Inconsistent(cause) => {
                failure.because(cause).next(format!("the file is damaged; {BEGIN_ANEW}"))
            }
            Self::Caller(failure) => failure,
        }
    }
}

fn explain(failure: Failure, error: &rusqlite::Error, path: &Path) -> Failure {
    use ErrorCode as Code;
    let Some(code) = error.sqlite_error_code() else {
        // A column of another type, text that is no UTF-8: not what was written here.
        return failure.because(error).next(format!("the file is damaged; {BEGIN_ANEW}"));
    };
    match code {
        Code::DiskFull => failure
            .because("the disk is full")
            .next("free some space there; what was stored before is safe"),
        Code::DatabaseBusy | Code::DatabaseLocked => failure
            .because("another process kept it locked for 5 s")
            .next("wait for that process to end, or name another file with `--store`"),
        Code::ReadOnly => failure
            .because("it may only be read")
            .next("make the file and its directory writable, or name another file with `--store`"),
        Code::SystemIoFailure => failure.because(error).next(
            "see whether the disk has space and is sound; what was stored before is safe if it is",
        ),
        Code::CannotOpen | Code::PermissionDenied => failure.because(error).next(format!(
            "see that you may read and write `{}`, the files `-wal` and `-shm` beside it, and their directory",
            path.display()
        )),
        Code::DatabaseCorrupt => {
            failure.because(format_args!("the file is damaged ({error})")).next(BEGIN_ANEW)
        }
        Code::NotADatabase => not_a_store(failure),
        _ => failure.because(error),
    }
}

/// The file is something else.
pub fn not_a_store(failure: Failure) -> Failure {
    failure
        .because("the file is not a database of presence")
        .next("name another file with `--store`; this one was left as it is")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hostile_id_is_quoted_without_its_control_characters() {
        let failure = Trouble::Unreadable(Unreadable::one("pump\x1b[2J\0"))
            .failure("read", Path::new("x.db"));
        let cause = failure.cause.expect("a cause");
        assert!(cause.contains(r"pump\u{1b}[2J\0"), "{cause}");
    }

    #[test]
    fn a_long_id_is_cut() {
        let failure = Trouble::Unreadable(Unreadable::one("a".repeat(70_000)))
            .failure("read", Path::new("x.db"));
        assert!(failure.to_string().len() < 400);
    }
}
