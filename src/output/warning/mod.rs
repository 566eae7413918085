//! Everything a user may be warned of, so that the whole list can be read in one place.
//!
//! A warning is what does not stop a run, but limits what its answer is worth. What stops a run is a
//! [`Failure`](crate::failure::Failure).

mod missing;
mod untold;

pub use missing::Missing;
pub use untold::Untold;

use crate::output::number::{counted, grouped};
use crate::output::sanitize::{guard, sanitize};
use std::fmt;

/// One warning. Its text is safe for a terminal, whatever the fields hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Warning {
    /// A password stood in the broker's URL.
    PasswordInUrl { broker: String },
    /// A password stood in the URL of the store.
    StorePasswordInUrl { store: String },
    /// The certificate of a server that keeps the store is not verified.
    StoreNotVerified { store: String },
    /// The password stands in the URL of this API.
    PasswordInApi { api: String },
    /// A password stood in the URL of a webhook.
    PasswordInWebhook { url: String },
    /// The broker's certificate is not verified.
    NotVerified { broker: String },
    /// The certificate of this API is not verified.
    ApiNotVerified { api: String },
    /// Everybody on this machine can change the configuration.
    WritableByAll { path: String },
    /// A broker refused some of several subscriptions, for the same reason.
    FiltersRefused { filters: Vec<String>, broker: String, cause: String },
    /// A broker granted less than was asked for: a message may be lost without a trace.
    Lossy { filters: Vec<String>, broker: String },
    /// Messages that a dialect should have understood.
    NotUnderstood { malformed: u64, heard: u64, place: String, first: String },
    /// Lines of files that were set aside.
    LinesSetAside { lines: u64, first: String, unit: &'static str },
    /// A file below a folder that is none of those that can be read.
    FileLeftOut { path: String },
    /// The first start on a running broker: nobody has been heard of.
    NobodyKnown { instance: String },
    /// The connection is gone, and is tried again for as long as it takes.
    ConnectionLost { broker: String, cause: String },
    /// What is or may be missing in what is heard.
    Missing(Missing),
    /// What files that were read do not tell.
    Untold(Untold),
    /// What was heard cannot be made durable, so it is not acknowledged either.
    NotSaved { failure: String },
    /// A secret lies where others can read it.
    SecretExposed { path: String },
    /// Commands that did not end well, and how the last of them ended.
    CommandsFailed { count: u64, client: String, cause: String },
    /// Changes that an option could not be quick enough for.
    LeftOut { option: &'static str, changes: u64, next: &'static str },
    /// A webhook does not take what is posted, which is tried again or not.
    NotPosted { url: String, cause: String, refused: bool },
    /// What ended the run.
    FailedOn { condition: String, what: String },
    /// The last line of a recording was torn by an earlier end.
    TornRecording { path: String },
    /// One of several sources could not be asked.
    SourceSilent { source: String, cause: String },
    /// The built-in broker was told to lie.
    Fault { effect: String },
    /// Something will not go as it was asked for, or not for long; with what would help.
    Ahead { what: String, next: String },
    /// What a run made may still be at the broker: so many of `retained`, `session` or `will`.
    LeftBehind { kind: &'static str, count: u64, first: String, cause: String },
    /// Only these of the shards of a run are there.
    ShardsMissing { present: Vec<u32>, of: u32 },
    /// Shards of one run that do not say the same of something.
    ShardsDiffer { what: &'static str, first: String, other: String, file: String },
    /// What is read is put out of order on purpose.
    Altered { how: String },
    /// Messages that a broker refused, or never acknowledged.
    NotPublished { broker: String, messages: u64, cause: String },
    /// What makes a comparison of two runs worth less.
    Incomparable { what: String },
}

impl Warning {
    /// Returns what is the matter.
    fn what(&self) -> String {
        match self {
            Self::PasswordInUrl { broker: url }
            | Self::StorePasswordInUrl { store: url }
            | Self::PasswordInApi { api: url }
            | Self::PasswordInWebhook { url } => password_in_url(url),
            Self::NotVerified { broker: name }
            | Self::ApiNotVerified { api: name }
            | Self::StoreNotVerified { store: name } => {
                format!("the certificate of {} is not verified", value(name))
            }
            Self::WritableByAll { path } => {
                format!("everybody on this machine can change {}", value(path))
            }
            Self::FiltersRefused { filters, broker, cause } => {
                format!("{} refused {}: {}", value(broker), few(filters), said(cause))
            }
            Self::Lossy { filters, broker } => {
                format!(
                    "{} grants only QoS 0 for {}: losses go unseen",
                    value(broker),
                    few(filters)
                )
            }
            Self::NotUnderstood { malformed, heard, place, first } => {
                not_understood(*malformed, *heard, place, first)
            }
            Self::LinesSetAside { lines, first, unit } => format!(
                "{} {} set aside, the first is {}",
                counted(*lines, unit),
                if *lines == 1 { "was" } else { "were" },
                sanitize(first, EXAMPLE_COLUMNS_MAX),
            ),
            Self::FileLeftOut { path } => {
                format!("{} is left out: no line of it is of a known form", value(path))
            }
            Self::NobodyKnown { instance } => {
                format!(
                    "no client of {} is known yet: each is with its next event",
                    value(instance)
                )
            }
            Self::ConnectionLost { broker, cause } => {
                format!("lost {}: {}; trying again", value(broker), said(cause))
            }
            Self::Missing(missing) => missing.what(),
            Self::Untold(untold) => untold.what(),
            Self::NotSaved { failure } => {
                format!("nothing heard is acknowledged: {}", said(bare(failure)))
            }
            Self::SecretExposed { path } => {
                format!("the secret in {} can be read by other users", value(path))
            }
            Self::CommandsFailed { count, client, cause } => format!(
                "{} of `--exec` failed, the last for {}: {}",
                counted(*count, "command"),
                value(client),
                sanitize(cause, EXAMPLE_COLUMNS_MAX)
            ),
            Self::LeftOut { option, changes, .. } => {
                format!("`{option}` cannot keep up: {} left out", counted(*changes, "change"))
            }
            Self::NotPosted { url, cause, refused } => {
                let so = if *refused { "this batch is given up" } else { "trying again" };
                format!("{} did not take changes: {}; {so}", value(url), said(cause))
            }
            Self::FailedOn { condition, what } => {
                format!("{} ends it: {}", value(&format!("--fail-on {condition}")), said(what))
            }
            Self::TornRecording { path } => format!(
                "the last line of {} was torn; it is left, and counts as malformed",
                value(path)
            ),
            Self::SourceSilent { source, cause } => {
                format!("could not ask {}: {}", value(source), said(cause))
            }
            Self::Fault { effect } => {
                format!("this broker lies about its clients: {}", said(effect))
            }
            Self::Altered { how } => {
                format!("what is read is altered on purpose: {}", said(how))
            }
            Self::NotPublished { broker, messages, cause } => {
                let messages = counted(*messages, "message");
                format!("{messages} did not come to {}: {}", value(broker), said(cause))
            }
            Self::Ahead { what, .. } | Self::Incomparable { what } => said(what),
            Self::LeftBehind { kind, count, first, cause } => {
                left_behind(kind, *count, first, cause)
            }
            Self::ShardsMissing { present, of } => shards_missing(present, *of),
            Self::ShardsDiffer { what, first, other, file } => {
                format!("{what} of {} is {}, of others {}", value(file), value(other), value(first))
            }
        }
    }

    /// Returns what can be done about it, where something can.
    fn next(&self) -> Option<&str> {
        Some(match self {
            Self::PasswordInUrl { .. } => {
                "use `--password-file`, `--password-stdin` or `PRESENCE_PASSWORD`"
            }
            Self::StorePasswordInUrl { .. } => "use `--store-password-file`",
            Self::StoreNotVerified { .. } => {
                "write `sslmode=verify-full`, with the authority that signed it in `--store-cafile`"
            }
            Self::PasswordInApi { .. } => "use `--api-password-file` or `PRESENCE_API_PASSWORD`",
            Self::PasswordInWebhook { .. } => "put the URL into `PRESENCE_WEBHOOK`",
            Self::NotVerified { .. } => {
                "pass the authority that signed it with `--cafile` instead of `--insecure`"
            }
            Self::ApiNotVerified { .. } => {
                "pass the authority that signed it with `--api-cafile` instead of `--api-insecure`"
            }
            Self::WritableByAll { .. } => "take the right to write away from others, `chmod o-w`",
            Self::FiltersRefused { .. } => {
                "use an account that may read it, or choose what to listen to with `--dialect`"
            }
            Self::LinesSetAside { .. } => "`-v` shows more of them, `--strict` makes them fatal",
            Self::FileLeftOut { .. } => "if it belongs to the others, name it with `--dialect`",
            Self::NobodyKnown { .. } => {
                "start watching before the devices connect, or let them keep a retained status"
            }
            Self::Missing(missing) => return missing.next(),
            Self::Untold(untold) => untold.next(),
            Self::NotSaved { .. } => {
                "it is tried again every second, and nothing is lost while the broker queues"
            }
            Self::SecretExposed { .. } => "make it readable by its owner only, with `chmod 600`",
            Self::LeftOut { next, .. } => next,
            Self::Fault { .. } => "leave `--fault` out for the truth",
            Self::Altered { .. } => "leave `--shuffle`, `--dup` and `--drop` out for the truth",
            Self::NotPublished { .. } => "see what the broker logs about it",
            Self::Ahead { next, .. } => next,
            Self::LeftBehind { .. } => LEFT_NEXT,
            Self::ShardsMissing { .. } => "join them as well: what is shown is true of a part only",
            Self::Lossy { .. }
            | Self::CommandsFailed { .. }
            | Self::NotPosted { .. }
            | Self::FailedOn { .. }
            | Self::NotUnderstood { .. }
            | Self::ConnectionLost { .. }
            | Self::TornRecording { .. }
            | Self::SourceSilent { .. }
            | Self::ShardsDiffer { .. }
            | Self::Incomparable { .. } => return None,
        })
    }
}

impl From<Missing> for Warning {
    fn from(missing: Missing) -> Self {
        Self::Missing(missing)
    }
}

impl From<Untold> for Warning {
    fn from(untold: Untold) -> Self {
        Self::Untold(untold)
    }
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "warning: {}", self.what())?;
        if let Some(next) = self.next() {
            write!(f, "\n  next:  {next}")?;
        }
        Ok(())
    }
}

fn password_in_url(url: &str) -> String {
    format!("the password of {} stands in its URL, where `ps` shows it to every user", value(url))
}

fn not_understood(malformed: u64, heard: u64, place: &str, first: &str) -> String {
    format!(
        "{} of {} under {} {} not understood, the first is {}",
        grouped(malformed),
        counted(heard, "message"),
        value(place),
        if malformed == 1 { "was" } else { "were" },
        sanitize(first, EXAMPLE_COLUMNS_MAX),
    )
}

fn left_behind(kind: &str, count: u64, first: &str, cause: &str) -> String {
    let what = match kind {
        "retained" => counted(count, "retained message"),
        "session" => counted(count, "session"),
        _ => counted(count, "will") + " still to come",
    };
    format!("{what} may be left at the broker, the first for {}: {}", value(first), said(cause))
}

fn shards_missing(present: &[u32], of: u32) -> String {
    let missing = || (1..=of).filter(|shard| present.binary_search(shard).is_err());
    let first: Vec<String> = missing().take(SHARDS_SHOWN).map(|shard| shard.to_string()).collect();
    let count = missing().count();
    let more = if count > first.len() { ", …" } else { "" };
    let verb = if count == 1 { "is" } else { "are" };
    format!(
        "{} of {} {verb} missing: {}{more}",
        grouped(count as u64),
        counted(of.into(), "shard"),
        first.join(", ")
    )
}

/// Returns a foreign value in backticks.
fn value(text: &str) -> String {
    format!("`{}`", sanitize(text, VALUE_COLUMNS_MAX))
}

/// Returns the first of some foreign values, and how many more there are.
fn few(texts: &[String]) -> String {
    let shown = texts.iter().take(FILTERS_SHOWN).map(|text| value(text)).collect::<Vec<_>>();
    match texts.len() - shown.len() {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

/// Returns the text of a failure without the word that begins a message of its own.
fn bare(failure: &str) -> &str {
    failure.strip_prefix("error: ").unwrap_or(failure)
}

/// Returns a cause, which is a sentence of ours or of a library's around foreign values.
fn said(cause: &str) -> String {
    guard(cause).into_owned()
}

const LEFT_NEXT: &str = "remove them with an empty retained message on each topic, and a clean connection under each id";
const FILTERS_SHOWN: usize = 3;
const SHARDS_SHOWN: usize = 10;
const VALUE_COLUMNS_MAX: usize = 80;
/// For an example with the place where it stood.
const EXAMPLE_COLUMNS_MAX: usize = 140;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_warning_reads_well() {
        let broker = || "mqtt://10.0.0.5:1883".to_owned();
        let instance = || "10.0.0.5:1883".to_owned();
        let cause = || "not authorized (SUBACK 0x87)".to_owned();
        for (warning, expected) in [
            (
                Warning::PasswordInUrl { broker: "mqtt://h:1883".into() },
                "the password of `mqtt://h:1883` stands in its URL, where `ps` shows it to every user\n  next:  use `--password-file`, `--password-stdin` or `PRESENCE_PASSWORD`",
            ),
            (
                Warning::StorePasswordInUrl { store: "redis://h:6379".into() },
                "the password of `redis://h:6379` stands in its URL, where `ps` shows it to every user\n  next:  use `--store-password-file`",
            ),
            (
                Warning::NotVerified { broker: broker() },
                "the certificate of `mqtt://10.0.0.5:1883` is not verified\n  next:  pass the authority that signed it with `--cafile` instead of `--insecure`",
            ),
            (
                Warning::PasswordInApi { api: "emqx5 at h:18083".into() },
                "the password of `emqx5 at h:18083` stands in its URL, where `ps` shows it to every user\n  next:  use `--api-password-file` or `PRESENCE_API_PASSWORD`",
            ),
            (
                Warning::ApiNotVerified { api: "emqx5 at h:18084".into() },
                "the certificate of `emqx5 at h:18084` is not verified\n  next:  pass the authority that signed it with `--api-cafile` instead of `--api-insecure`",
            ),
            (
                Warning::FiltersRefused {
                    filters: vec!["$SYS/#".into()],
                    broker: broker(),
                    cause: cause(),
                },
                "`mqtt://10.0.0.5:1883` refused `$SYS/#`: not authorized (SUBACK 0x87)\n  next:  use an account that may read it, or choose what to listen to with `--dialect`",
            ),
            (
                Warning::Lossy {
                    filters: ["a", "b", "c", "d"].map(str::to_owned).to_vec(),
                    broker: broker(),
                },
                "`mqtt://10.0.0.5:1883` grants only QoS 0 for `a`, `b`, `c` and 1 more: losses go unseen",
            ),
            (
                Warning::NotUnderstood {
                    malformed: 31,
                    heard: 4_090,
                    place: "$SYS/".into(),
                    first: "…/clients/a/subscribed".into(),
                },
                "31 of 4,090 messages under `$SYS/` were not understood, the first is …/clients/a/subscribed",
            ),
            (
                Warning::LinesSetAside { lines: 2, first: "a.log, line 3".into(), unit: "line" },
                "2 lines were set aside, the first is a.log, line 3\n  next:  `-v` shows more of them, `--strict` makes them fatal",
            ),
            (
                Warning::FileLeftOut { path: "logs/README".into() },
                "`logs/README` is left out: no line of it is of a known form\n  next:  if it belongs to the others, name it with `--dialect`",
            ),
            (
                Warning::NotSaved { failure: "error: could not write to `x.db`".into() },
                "nothing heard is acknowledged: could not write to `x.db`\n  next:  it is tried again every second, and nothing is lost while the broker queues",
            ),
            (
                Warning::TornRecording { path: "night.jsonl".into() },
                "the last line of `night.jsonl` was torn; it is left, and counts as malformed",
            ),
            (
                Warning::NobodyKnown { instance: instance() },
                "no client of `10.0.0.5:1883` is known yet: each is with its next event\n  next:  start watching before the devices connect, or let them keep a retained status",
            ),
            (
                Warning::ConnectionLost {
                    broker: broker(),
                    cause: "connection reset by peer".into(),
                },
                "lost `mqtt://10.0.0.5:1883`: connection reset by peer; trying again",
            ),
            (
                Warning::SourceSilent {
                    source: "http://10.0.0.5:18083".into(),
                    cause: "timed out after 5.0 s".into(),
                },
                "could not ask `http://10.0.0.5:18083`: timed out after 5.0 s",
            ),
            (
                Warning::Ahead { what: "too short".into(), next: "pass more".into() },
                "too short\n  next:  pass more",
            ),
            (
                Warning::LeftBehind {
                    kind: "retained",
                    count: 7,
                    first: "devices/sim-1-0/status".into(),
                    cause: "not authorized".into(),
                },
                "7 retained messages may be left at the broker, the first for `devices/sim-1-0/status`: not authorized\n  next:  remove them with an empty retained message on each topic, and a clean connection under each id",
            ),
        ] {
            assert_eq!(warning.to_string(), format!("warning: {expected}"));
        }
    }

    #[test]
    fn warnings_of_joined_and_compared_runs_read_well() {
        for (warning, expected) in [
            (
                Warning::ShardsMissing { present: vec![2, 4], of: 4 },
                "2 of 4 shards are missing: 1, 3\n  next:  join them as well: what is shown is true of a part only",
            ),
            (
                Warning::ShardsDiffer {
                    what: "the broker",
                    first: "mosquitto version 2.0.11".into(),
                    other: "mosquitto version 2.1.2".into(),
                    file: "b.json".into(),
                },
                "the broker of `b.json` is `mosquitto version 2.1.2`, of others `mosquitto version 2.0.11`",
            ),
            (
                Warning::Incomparable { what: "the scenario was `nat`, and is `viewers`".into() },
                "the scenario was `nat`, and is `viewers`",
            ),
        ] {
            assert_eq!(warning.to_string(), format!("warning: {expected}"));
        }
    }

    #[test]
    fn warnings_of_what_is_done_with_changes_read_well() {
        for (warning, expected) in [
            (
                Warning::PasswordInWebhook { url: "http://h".into() },
                "the password of `http://h` stands in its URL, where `ps` shows it to every user\n  next:  put the URL into `PRESENCE_WEBHOOK`",
            ),
            (
                Warning::SecretExposed { path: "s".into() },
                "the secret in `s` can be read by other users\n  next:  make it readable by its owner only, with `chmod 600`",
            ),
            (
                Warning::CommandsFailed {
                    count: 2,
                    client: "a\n".into(),
                    cause: "exit code 1".into(),
                },
                "2 commands of `--exec` failed, the last for `a\\n`: exit code 1",
            ),
            (
                Warning::LeftOut { option: "--exec", changes: 1, next: "wait" },
                "`--exec` cannot keep up: 1 change left out\n  next:  wait",
            ),
            (
                Warning::NotPosted {
                    url: "http://h".into(),
                    cause: "status 500".into(),
                    refused: false,
                },
                "`http://h` did not take changes: status 500; trying again",
            ),
            (
                Warning::NotPosted {
                    url: "http://h".into(),
                    cause: "status 404".into(),
                    refused: true,
                },
                "`http://h` did not take changes: status 404; this batch is given up",
            ),
            (
                Warning::FailedOn { condition: "gap".into(), what: "a hole".into() },
                "`--fail-on gap` ends it: a hole",
            ),
        ] {
            assert_eq!(warning.to_string(), format!("warning: {expected}"));
        }
    }

    #[test]
    fn foreign_values_are_made_safe_and_short() {
        let hostile = "\x1b[2J\n".repeat(10_000);
        let warning = Warning::NotUnderstood {
            malformed: 1,
            heard: 1,
            place: hostile.clone(),
            first: hostile.clone(),
        };
        let text = warning.to_string();
        assert!(text.starts_with(r"warning: 1 of 1 message under `\x1b[2J\n\x1b[2J\n"), "{text}");
        assert!(!text.contains(char::is_control) && text.len() < 360, "{text}");
        let text = Warning::SourceSilent { source: hostile.clone(), cause: hostile }.to_string();
        assert!(!text.contains(char::is_control), "{text}");
    }
}
