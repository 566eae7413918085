//! What asking comes to: plain data, and no secret in it.

use crate::config::api::Kind;
use crate::event::Timestamp;
use crate::failure::Failure;
use crate::state::answer::Answer;
use std::time::Duration;

/// What an API said when it was asked about clients.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// Who answered, such as `emqx5 at broker.example:18083`.
    pub source: String,
    /// At most one for each client, sorted by client id.
    pub told: Vec<Told>,
    /// What went wrong: about one client, or about all that have no answer.
    pub failures: Vec<(Option<String>, Failure)>,
    /// Requests made.
    pub requests: u32,
    pub took: Duration,
    /// What this API cannot tell, and where it is known to be wrong.
    pub limits: &'static [&'static str],
    /// The answers are from a cache of the source: shown, but never decide.
    pub cached: bool,
}

impl Asked {
    /// Tells whether nothing is missing: every client asked about was answered about, or the list holds
    /// everybody. Only then does it prove anything not to be in it.
    #[must_use]
    pub const fn is_complete(&self) -> bool {
        self.failures.is_empty()
    }

    /// Returns each client that was answered about, with its answer as the state weighs it. Who the API
    /// cannot tell about has none.
    pub fn answers(&self) -> impl Iterator<Item = (&str, Answer)> {
        self.told.iter().filter_map(|told| {
            let Told { client, at, cached, .. } = told;
            let source = self.source.clone();
            let (online, at, cached) = (told.online?, *at, *cached);
            Some((&**client, Answer { source, online, at, cached, stands: false }))
        })
    }
}

/// What an API said about one client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    pub client: String,
    /// `None`: the API answered, but cannot tell; `why` says what keeps it from it.
    pub online: Option<bool>,
    /// What the answer rests on, where it is less than the API's plain word.
    pub why: Option<String>,
    /// When it was asked, on our clock: the moment before its first request.
    pub at: Timestamp,
    pub cached: bool,
    pub details: Details,
}

impl Told {
    /// Returns what a complete list says of a client that is not in it.
    #[must_use]
    pub fn absent(client: String, at: Timestamp) -> Self {
        let why = Some("it is not listed".to_owned());
        let (online, cached, details) = (Some(false), false, Details::default());
        Self { client, online, why, at, cached, details }
    }
}

/// What else an API said about a client. All texts are a stranger's, none longer than 1,024 bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Details {
    /// On the broker's clock, as all times here.
    pub connected_at: Option<Timestamp>,
    pub disconnected_at: Option<Timestamp>,
    /// Of the client, as `address` or `address:port`.
    pub address: Option<String>,
    /// What tells this connection from others of the client.
    pub channel: Option<String>,
    /// In seconds.
    pub keep_alive: Option<u64>,
    /// Whether the session ends with, or began anew with, the connection: clean session, clean start.
    pub clean: Option<bool>,
    /// Whether the broker holds a session.
    pub session: Option<bool>,
    /// As the broker spells it: `4`, `MQTT 3.1.1`, `MQTTv5`.
    pub protocol: Option<String>,
    pub user: Option<String>,
    pub node: Option<String>,
    /// Why the last connection ended.
    pub reason: Option<String>,
    /// What was said, but could not be used: local times without a zone, rows beside the newest.
    pub notes: Vec<String>,
}

/// What is known about an API before it is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Facts {
    pub kind: Kind,
    pub cost: Cost,
    /// What it costs to list everybody; `None` where it cannot, or may cost money.
    pub list: Option<Cost>,
    /// Requests a second at most, of the vendor's own limit where it states one.
    pub per_second: u32,
    /// What it says may be old: see [`Asked::cached`].
    pub cached: bool,
    /// Which credentials it takes, and what they have to allow.
    pub rights: &'static str,
    /// What absence means, what else it tells.
    pub tells: &'static str,
    /// What it cannot tell, and where it is known to be wrong.
    pub limits: &'static [&'static str],
}

/// What it costs to ask about clients.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cost {
    /// One request for each client.
    OneEach,
    /// One request that lists every connection, whoever is asked about.
    Listing,
    /// The same in pages of this many.
    Pages(u32),
    /// The same again, but a page names clients and nothing else: one request more for each.
    PagesThenEach(u32),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_yes_or_a_no_is_an_answer() {
        let told = |client: &str, online| Told {
            client: client.to_owned(),
            online,
            why: None,
            at: Timestamp(7),
            cached: true,
            details: Details::default(),
        };
        let asked = Asked {
            source: "azure at h".to_owned(),
            told: vec![told("a", Some(true)), told("b", None), told("c", Some(false))],
            failures: Vec::new(),
            requests: 3,
            took: Duration::ZERO,
            limits: &[],
            cached: true,
        };
        let answers: Vec<_> = asked.answers().collect();
        let answer = |online| Answer {
            source: "azure at h".to_owned(),
            online,
            at: Timestamp(7),
            cached: true,
            stands: false,
        };
        assert_eq!(answers, [("a", answer(true)), ("c", answer(false))]);
    }
}
