//! What can go wrong with a Redis, told to whoever runs it: what happened, and what to do.

use super::super::server::Host;
use super::super::unreadable::{Unreadable, quoted};
use super::address::Address;
use crate::failure::Failure;
use redis::{ErrorKind, RedisError, ServerError};

/// Why reading or writing did not work.
#[derive(Debug)]
pub enum Trouble {
    /// The line to a server: not there, broken, silent.
    Line { host: Host, error: RedisError },
    /// What a server said instead of an answer.
    Refused { host: Host, code: String, text: String },
    /// It is no server to keep state in; with what to do.
    Unfit { host: Host, cause: String, next: &'static str },
    /// Nobody has this slot of the Cluster.
    Unserved(u16),
    /// The nodes of a Cluster sent a call around in a circle.
    Wandering,
    /// Others changed the same again and again.
    Contended,
    /// Clients whose bytes are not of our format.
    Unreadable(Unreadable),
    /// Keys of ours that hold something else.
    Inconsistent(&'static str),
    /// Whoever was handed the clients could not go on.
    Caller(Failure),
}

const FOREIGN_KEYS: &str = "use another database (`/1` at the end of the URL), or remove the keys that begin with \
    `presence:`; a new store begins then";

impl Trouble {
    pub fn refused(host: &Host, error: &ServerError) -> Self {
        let text = error.details().unwrap_or_default();
        let (code, text) = (error.code().to_owned(), quoted(text));
        Self::Refused { host: host.clone(), code, text }
    }

    /// Tells whether the line was found dead, as one that was left alone for long may be.
    pub fn is_dropped(&self) -> bool {
        matches!(self, Self::Line { error, .. } if error.is_connection_dropped())
    }

    /// Tells whether another look at the servers may find one that answers.
    pub fn is_of_server(&self) -> bool {
        match self {
            Self::Line { .. } | Self::Unserved(_) | Self::Wandering => true,
            Self::Refused { code, .. } => {
                ["READONLY", "LOADING", "MASTERDOWN", "CLUSTERDOWN", "NOAUTH"]
                    .contains(&code.as_str())
            }
            _ => false,
        }
    }

    /// Returns the failure to do this (a verb that "the store" follows) there.
    pub fn failure(self, verb: &str, address: &Address) -> Failure {
        let failure = Failure::new(format!("could not {verb} the store {address}"));
        match self {
            Self::Line { host, error } => of_line(failure, &host, &error, address.tls),
            Self::Refused { host, code, text } => of_answer(failure, &host, &code, &text),
            Self::Unfit { host, cause, next } => {
                failure.because(format_args!("{host}: {cause}")).next(next)
            }
            Self::Unserved(slot) => failure
                .because(format_args!("no node of the Cluster serves slot {slot}"))
                .next("see `redis-cli --cluster check`; what was heard is kept until a node does"),
            Self::Wandering => failure
                .because("the nodes of the Cluster do not agree on who has what")
                .next("see `redis-cli --cluster check`"),
            Self::Contended => failure
                .because("others changed the same clients again and again meanwhile")
                .next("let fewer watchers write the same clients"),
            Self::Unreadable(found) => failure.because(found).next(FOREIGN_KEYS),
            Self::Inconsistent(cause) => failure.because(cause).next(FOREIGN_KEYS),
            Self::Caller(failure) => failure,
        }
    }
}

fn of_line(failure: Failure, host: &Host, error: &RedisError, tls: bool) -> Failure {
    if error.is_timeout() {
        return failure
            .because(format_args!(
                "{host} did not answer for {} s",
                super::link::PATIENCE.as_secs()
            ))
            .next("see whether it is overloaded or cut off");
    }
    let said = quoted(&error.to_string());
    if error.kind() == ErrorKind::AuthenticationFailed {
        return of_answer(failure, host, error.code().unwrap_or("WRONGPASS"), &said);
    }
    if let Some(code) = error.code() {
        return of_answer(failure, host, code, &said);
    }
    let failure = failure.because(format_args!("{host}: {said}"));
    match error.kind() {
        ErrorKind::Io if tls => failure
            .next("see that it runs and speaks TLS, and pass its authority with `--store-cafile`"),
        ErrorKind::Io => failure.next("see that it runs and listens there"),
        _ => failure.next("see that a Redis of version 6.2 or later listens there"),
    }
}

/// Explains an error that a server answered with.
fn of_answer(failure: Failure, host: &Host, code: &str, text: &str) -> Failure {
    let said = |meaning: &str| format!("{host} {meaning} ({code} {text})");
    // From inside a script it comes under another name.
    let may_not = code == "ERR" && text.starts_with("The user executing the script");
    let code = if may_not { "NOPERM" } else { code };
    match code {
        "READONLY" => failure
            .because(said("is a replica, which may only be read"))
            .next("name the primary with `--store`; after a failover it is found again by itself"),
        "OOM" => failure
            .because(said("has no memory left for more"))
            .next("raise its `maxmemory`, or remove what else it keeps"),
        "LOADING" => failure
            .because(said("has just started and still reads its data"))
            .next("wait until it is done"),
        "CLUSTERDOWN" | "MASTERDOWN" => failure
            .because(said("cannot go on without a node that is gone"))
            .next("start that node again or let a replica take over"),
        "NOAUTH" => failure
            .because(said("wants a password"))
            .next("pass one with `--store-password-file`"),
        "WRONGPASS" => failure
            .because(said("does not accept user or password"))
            .next("check the user in the URL of `--store`, and `--store-password-file`"),
        "NOPERM" => failure.because(said("does not allow this user to do that")).next(
            "allow it the keys `presence:*` and @read @write @scripting +time +info +cluster|slots +dbsize",
        ),
        "MISCONF" => failure
            .because(said("cannot write to its own disk"))
            .next("see to the disk of that machine; it is tried again"),
        "NOREPLICAS" => failure
            .because(said("has fewer replicas than it is to write with"))
            .next("start its replicas, or lower `min-replicas-to-write`; it is tried again"),
        "WRONGTYPE" => failure
            .because(said("keeps something else under keys of ours"))
            .next(FOREIGN_KEYS),
        _ => failure
            .because(said("refused it"))
            .next("see the log of that server; it is tried again"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address() -> Address {
        Address::read("redis://u:hunter2@h").expect("an address")
    }

    #[test]
    fn every_answer_has_a_cause_and_a_way_on() {
        for code in [
            "READONLY",
            "OOM",
            "LOADING",
            "CLUSTERDOWN",
            "MASTERDOWN",
            "NOAUTH",
            "WRONGPASS",
            "NOPERM",
            "MISCONF",
            "NOREPLICAS",
            "WRONGTYPE",
            "ERR",
        ] {
            let host = address().hosts.remove(0);
            let trouble = Trouble::Refused {
                host,
                code: code.to_owned(),
                text: "said\u{1b}[2J so".to_owned(),
            };
            let failure = trouble.failure("write to", &address());
            let cause = failure.cause.clone().expect("a cause");
            assert!(cause.contains("h:6379") && cause.contains(code), "{failure}");
            assert!(failure.next.is_some() && !failure.to_string().contains("hunter2"));
        }
    }

    #[test]
    fn a_hostile_id_is_quoted_without_its_control_characters() {
        let failure =
            Trouble::Unreadable(Unreadable::one("pump\x1b[2J\0")).failure("read", &address());
        let cause = failure.cause.expect("a cause");
        assert!(cause.contains(r"pump\u{1b}[2J\0"), "{cause}");
        let long =
            Trouble::Unreadable(Unreadable::one("a".repeat(70_000))).failure("read", &address());
        assert!(long.to_string().len() < 600);
    }
}
