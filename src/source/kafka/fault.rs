//! Why a broker of Kafka did not do what it was asked, and what to do about it.
//!
//! Source: apache/kafka `Errors` (4.3).

use crate::config::kafka::{Kafka, Mechanism};
use crate::source::mqtt::reason::quoted;
use crate::source::mqtt::trouble::Trouble;
use crate::source::remote::Setback;
use std::io;

pub const DONE: i16 = 0;
pub const OUT_OF_RANGE: i16 = 1;
pub const UNKNOWN_TOPIC: i16 = 3;
pub const NO_LEADER: i16 = 5;
pub const UNKNOWN_MECHANISM: i16 = 33;
const INVALID_TOPIC: i16 = 17;
const TOPIC_FORBIDDEN: i16 = 29;
const CLUSTER_FORBIDDEN: i16 = 31;
const ILLEGAL_STATE: i16 = 34;
const UNKNOWN_VERSION: i16 = 35;
const NO_TIMES: i16 = 43;
const NOT_AUTHENTICATED: i16 = 58;

/// Tells whether somebody else may lead the partition by now.
pub const fn is_moved(code: i16) -> bool {
    // Unknown, no leader, not the leader, no copy, storage failed, epochs of leaders, not caught up yet.
    matches!(code, UNKNOWN_TOPIC | NO_LEADER | 6 | 9 | 56 | 74 | 75 | 78)
}

/// Returns what a code that grants nothing means. `server`: who answered.
pub fn refusal(code: i16, server: &str, kafka: &Kafka) -> Setback {
    let topic = quoted(&kafka.topic);
    match code {
        UNKNOWN_TOPIC | INVALID_TOPIC => Setback::refusal(
            format!("{server} knows no topic {topic} (code {code})"),
            "check its name, and that this is its cluster; brokers that hide what may not be read say the same",
        ),
        TOPIC_FORBIDDEN => Setback::refusal(
            format!("the topic {topic} may not be read (code {code})"),
            format!("grant {} `Read` and `Describe` on the topic; no group is needed", user(kafka)),
        ),
        CLUSTER_FORBIDDEN => Setback::refusal(
            format!("{server} lets {} do nothing (code {code})", user(kafka)),
            "see what rights it has there",
        ),
        NO_TIMES => Setback::refusal(
            format!("the messages of {topic} have no times (code {code})"),
            "read it with `--since earliest`",
        ),
        UNKNOWN_VERSION => Setback::refusal(
            format!("{server} does not speak these versions (code {code})"),
            "Kafka 1.0 and later are understood",
        ),
        NO_LEADER => Setback::new(
            format!("nobody leads a partition of {topic} now (code {code})"),
            "check that its brokers run",
        ),
        _ => Setback::new(
            format!("{server} refused it (code {code})"),
            "see what the broker logs about it",
        ),
    }
}

/// Returns why nobody is let in. `said`: what the broker says of it.
pub fn not_let_in(code: i16, said: &str, server: &str, kafka: &Kafka) -> Setback {
    let said = if said.is_empty() { String::new() } else { format!(": it says {}", quoted(said)) };
    match code {
        NOT_AUTHENTICATED => Setback::refusal(
            format!("{server} does not let {} in{said} (code {code})", user(kafka)),
            "check user and password, and `--sasl`, as the broker may know this user by another mechanism only",
        ),
        ILLEGAL_STATE => Setback::refusal(
            format!("{server} does not ask who comes (code {code})"),
            "leave user and password out, or name the port that asks for them",
        ),
        _ => Setback::refusal(
            format!("{server} could not say who {} is{said} (code {code})", user(kafka)),
            "see what the broker logs about it",
        ),
    }
}

/// Returns what it means that a broker has other mechanisms than this one.
pub fn no_mechanism(wanted: Mechanism, offered: &[String], server: &str) -> Setback {
    let offered = quoted(&offered.join(", "));
    Setback::refusal(
        format!("{server} has no {}, but {offered}", wanted.name()),
        "PLAIN, SCRAM-SHA-256 and SCRAM-SHA-512 are understood: leave `--sasl` out, or name a port that has one of \
         them",
    )
}

fn user(kafka: &Kafka) -> String {
    kafka
        .login
        .as_ref()
        .map_or_else(|| "nobody in particular".to_owned(), |it| quoted(&it.username))
}

/// Returns what keeps a connection from standing.
pub fn trouble(trouble: &Trouble, server: &str, is_advertised: bool) -> Setback {
    let next = match trouble {
        Trouble::Tls { next, .. } => next.replace("`mqtt://`", "`kafka://`"),
        _ if is_advertised => {
            "brokers tell under which address they are to be reached (`advertised.listeners`): check that this \
             machine reaches it"
                .to_owned()
        }
        Trouble::UnknownHost(..) => {
            "check the host name, and that this machine can look names up".to_owned()
        }
        Trouble::Unreachable(_, error) if error.kind() == io::ErrorKind::ConnectionRefused => {
            "is it running, and is this its port?".to_owned()
        }
        _ => "check host and port, and that no firewall is in the way".to_owned(),
    };
    Setback::new(format!("{server}: {trouble}"), next)
}

/// Returns why a connection ended on which something had been asked.
pub fn ended(setback: &Setback, server: &str, kafka: &Kafka) -> Setback {
    let wants = match (kafka.tls.is_some(), kafka.login.is_some()) {
        (false, false) => "does the port want TLS (`kafka+ssl://`), or a user (`--username`)?",
        (false, true) => "does the port want TLS (`kafka+ssl://`)?",
        (true, false) => "does the port want a user (`--username`)?",
        (true, true) => "is this a port of Kafka?",
    };
    Setback::new(
        format!("{server}: {}", setback.cause),
        format!("{wants} If not, its log says why"),
    )
}
