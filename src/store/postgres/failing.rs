//! What can go wrong with a PostgreSQL, told to whoever runs it: what happened, and what to do.

use super::super::server::Host;
use super::super::unreadable::{Unreadable, quoted};
use super::address::{Address, Encryption};
use crate::failure::Failure;
use crate::source::mqtt::tls;
use std::error::Error as _;
use std::io;
use std::time::Duration;
use tokio_postgres::Error;

/// Why reading or writing did not work.
#[derive(Debug)]
pub enum Trouble {
    /// The line to a server: not there, broken.
    Line { host: Host, error: Error },
    /// The server said nothing for so long.
    Silent { host: Host, waited: Duration },
    /// What a server said instead of an answer: SQLSTATE, and its words.
    Refused { host: Host, code: String, text: String },
    /// It is no server to keep state in; with what to do.
    Unfit { host: Host, cause: String, next: &'static str },
    /// Others changed the same meanwhile: what was begun is to be done again.
    Overtaken,
    /// … and again and again.
    Contended,
    /// Clients whose bytes are not of our format.
    Unreadable(Unreadable),
    /// The tables contradict themselves.
    Inconsistent(&'static str),
    /// Whoever was handed the clients could not go on.
    Caller(Failure),
}

const BEGIN_ANEW: &str =
    "use another database, or drop the schema `presence`; a new store begins then";
/// It may only be read: a standby, or told so.
pub const READ_ONLY: &str = "25006";

impl Trouble {
    /// Says what came of a call to a host.
    pub fn of(host: &Host, error: Error) -> Self {
        let host = host.clone();
        let Some(said) = error.as_db_error() else { return Self::Line { host, error } };
        let detail = said.detail().map(|detail| format!(": {detail}"));
        let text = quoted(&format!("{}{}", said.message(), detail.unwrap_or_default()));
        Self::Refused { host, code: said.code().code().to_owned(), text }
    }

    /// Tells whether the line was found dead, as one that was left alone for long may be.
    pub fn is_dropped(&self) -> bool {
        match self {
            Self::Line { .. } => true,
            // Told to go: by an administrator, an end of the server, or for having been idle.
            Self::Refused { code, .. } => {
                ["57P01", "57P02", "57P05", "25P03", "08006"].contains(&code.as_str())
            }
            _ => false,
        }
    }

    /// Tells whether another look at the servers may find one that answers.
    pub fn is_of_server(&self) -> bool {
        match self {
            Self::Silent { .. } | Self::Unfit { .. } => true,
            Self::Refused { code, .. } if code == READ_ONLY => true,
            other => other.is_dropped(),
        }
    }

    /// Tells whether the same may work at once: two waited for each other, and this one gave way.
    pub fn is_passing(&self) -> bool {
        match self {
            Self::Overtaken => true,
            Self::Refused { code, .. } => ["40001", "40P01"].contains(&code.as_str()),
            _ => false,
        }
    }

    /// Returns the failure to do this (a verb that "the store" follows) there.
    pub fn failure(self, verb: &str, address: &Address) -> Failure {
        let failure = Failure::new(format!("could not {verb} the store {address}"));
        match self {
            Self::Line { host, error } => of_line(failure, &host, &error, address),
            Self::Silent { host, waited } => failure
                .because(format_args!("{host} did not answer for {} s", waited.as_secs()))
                .next("see whether it is overloaded or cut off"),
            Self::Refused { host, code, text } => of_answer(failure, &host, &code, &text),
            Self::Unfit { host, cause, next } => {
                failure.because(format_args!("{host}: {cause}")).next(next)
            }
            Self::Overtaken | Self::Contended => failure
                .because("others changed the same clients again and again meanwhile")
                .next("let fewer watchers write the same clients"),
            Self::Unreadable(found) => failure.because(found).next(BEGIN_ANEW),
            Self::Inconsistent(cause) => failure.because(cause).next(BEGIN_ANEW),
            Self::Caller(failure) => failure,
        }
    }
}

fn of_line(failure: Failure, host: &Host, error: &Error, address: &Address) -> Failure {
    let io = error.source().and_then(|cause| cause.downcast_ref::<io::Error>());
    if let Some(io) = io.filter(|io| tls::is_tls(io)) {
        let cause = tls::trouble(io).to_string();
        return failure
            .because(format_args!("{host}: {cause}"))
            .next("pass its authority with `--store-cafile`, and name it as its certificate does");
    }
    // The library's own words are short; why is in what they stand for.
    let why = error.source().map_or_else(|| error.to_string(), ToString::to_string);
    let failure = failure.because(format_args!("{host}: {}", quoted(&why)));
    match (io, address.encryption) {
        (None, Encryption::Clear) if error.is_closed() => {
            failure.next("see that it runs, and its log")
        }
        (Some(_), _) => failure.next("see that it runs and listens there"),
        (None, Encryption::Clear) => {
            failure.next("see that a PostgreSQL of version 13 or later listens there")
        }
        (None, _) => failure.next(
            "see that it speaks TLS (`ssl = on`); on a line that nobody else can reach, \
            `?sslmode=disable` goes without",
        ),
    }
}

/// Explains an error that a server answered with.
fn of_answer(failure: Failure, host: &Host, code: &str, text: &str) -> Failure {
    let said = |meaning: &str| format!("{host} {meaning} ({code}: {text})");
    match code {
        "28P01" | "28000" => failure
            .because(said("does not accept user or password"))
            .next("check the user in the URL of `--store`, `--store-password-file`, and `pg_hba.conf` there"),
        "3D000" => failure
            .because(said("has no such database"))
            .next("create it there: `CREATE DATABASE … OWNER … ENCODING 'UTF8' TEMPLATE template0`"),
        "42501" => failure
            .because(said("does not allow this user to do that"))
            .next("let the user own the schema `presence`, or the database to make it in; reading needs USAGE of the schema and SELECT on its tables"),
        READ_ONLY => failure
            .because(said("may only be read"))
            .next("name the primary with `--store`; of several hosts the one that takes writes is found by itself"),
        "53100" => failure
            .because(said("has no space left on its disk"))
            .next("free some space there; what was stored before is safe, and it is tried again"),
        "53200" | "54000" => failure
            .because(said("has no memory left for that"))
            .next("give it more memory; it is tried again"),
        "53300" => failure
            .because(said("has no connection left"))
            .next("raise its `max_connections`, or let fewer clients connect"),
        "55P03" => failure
            .because(said("was kept waiting by whoever has locked the same"))
            .next("see `pg_locks` there for who that is; it is tried again"),
        "57P03" => failure
            .because(said("is starting or stopping"))
            .next("wait until it is ready; it is tried again"),
        "57P01" | "57P02" | "57P05" | "25P03" | "08006" => failure
            .because(said("ended the connection"))
            .next("see its log; it is tried again on a new one"),
        "57014" => failure
            .because(said("was told to give up"))
            .next("raise its `statement_timeout` for this user"),
        "42P01" | "3F000" | "42703" => failure
            .because(said("has not the tables of a store"))
            .next("end what writes there and start it again: it makes them"),
        "42P07" | "42710" => failure
            .because(said("has something else under a name of ours"))
            .next(BEGIN_ANEW),
        "22021" => failure
            .because(said("cannot keep one of the names"))
            .next("leave out what names a broker or a listener with a NUL in it"),
        "42883" | "42704" | "0A000" => failure
            .because(said("does not know what PostgreSQL 13 knows"))
            .next("see that a PostgreSQL of version 13 or later listens there, and nothing that resembles one"),
        _ => failure
            .because(said("refused it"))
            .next("see the log of that server; it is tried again"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_answer_has_a_cause_and_a_way_on() {
        let address = Address::read("postgres://u:hunter2@h/d").expect("an address");
        for code in [
            "28P01", "28000", "3D000", "42501", "25006", "53100", "53200", "53300", "55P03",
            "57P01", "57P03", "57014", "42P01", "42P07", "22021", "42883", "XX000",
        ] {
            let host = address.hosts[0].clone();
            let text = quoted("said\u{1b}[2J so");
            let refused = Trouble::Refused { host, code: code.to_owned(), text };
            let failure = refused.failure("write to", &address);
            let cause = failure.cause.clone().expect("a cause");
            assert!(cause.contains("h:5432") && cause.contains(code), "{failure}");
            assert!(!cause.contains('\u{1b}'), "{failure}");
            assert!(failure.next.is_some() && !failure.to_string().contains("hunter2"));
        }
    }
}
