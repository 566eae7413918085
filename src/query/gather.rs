//! Asks about many clients at once: so many and so fast, and never past the deadline.

use super::api::Api;
use super::asked::{Asked, Told};
use super::asker::{Asker, lock};
use super::chain::Chain;
use super::client::{Client, Missed};
use super::exchange::{About, Found, Trouble};
use crate::clock;
use crate::event::Timestamp;
use crate::failure::Failure;
use std::collections::{BTreeSet, VecDeque};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Instant;

/// Requests in flight at once.
pub const IN_FLIGHT: usize = 8;

/// What the threads that ask have in common.
#[derive(Debug)]
struct Shared {
    asker: Asker,
    waiting: Mutex<VecDeque<Chain>>,
}

/// What became of some clients.
struct Outcome {
    about: About,
    result: Result<(Vec<Found>, Timestamp), Missed>,
}

/// Asks about clients until the deadline. Threads that still wait for a reply then are left to end by
/// themselves: what they wait for ends at the deadline too.
pub fn gather(
    api: &Arc<dyn Api>,
    client: &Arc<Client>,
    source: &str,
    clients: &[String],
    deadline: Instant,
) -> Asked {
    let begun = clock::monotonic();
    let mut books = Books::open(source, clients, api.facts().cached);
    let waiting: VecDeque<Chain> =
        api.begin(&books.clients()).into_iter().map(Chain::new).collect();
    let crew = waiting.len().min(IN_FLIGHT);
    let asker = Asker::new(api, client, deadline);
    let shared = Arc::new(Shared { asker, waiting: Mutex::new(waiting) });
    let (results, outcomes) = channel();
    for _ in 0..crew {
        let (shared, results) = (Arc::clone(&shared), results.clone());
        let work = move || shared.work(&results);
        if let Err(error) = thread::Builder::new().name("query".to_owned()).spawn(work) {
            books.fail(None, &Trouble::new(error.to_string()));
        }
    }
    drop(results);
    while !books.open.is_empty() {
        let Ok(outcome) = outcomes.recv_timeout(shared.asker.left()) else { break };
        books.take(outcome);
        if books.everywhere.is_some() {
            shared.asker.end();
        }
    }
    shared.asker.end();
    let (told, failures) = books.close();
    Asked {
        source: source.to_owned(),
        told,
        failures,
        requests: shared.asker.requests(),
        took: clock::monotonic().saturating_duration_since(begun),
        limits: api.facts().limits,
        cached: api.facts().cached,
    }
}

/// Who was answered about, and who was not.
#[derive(Debug)]
struct Books<'a> {
    source: &'a str,
    cached: bool,
    /// Of whom nothing is known yet.
    open: BTreeSet<&'a str>,
    all: usize,
    told: Vec<Told>,
    failures: Vec<(Option<String>, Failure)>,
    /// Why nobody else has to be asked about.
    everywhere: Option<Failure>,
}

impl<'a> Books<'a> {
    fn open(source: &'a str, clients: &'a [String], cached: bool) -> Self {
        let mut open: BTreeSet<&str> = clients.iter().map(String::as_str).collect();
        let mut failures = Vec::new();
        // It would name all clients, or none.
        if open.remove("") {
            let what = format!("could not ask {source} about an empty client id");
            let failure = Failure::misuse(what)
                .because("no client has one: a broker gives a name to those that come without");
            failures.push((Some(String::new()), failure));
        }
        let all = open.len();
        Self { source, cached, open, all, told: Vec::new(), failures, everywhere: None }
    }

    fn clients(&self) -> Vec<String> {
        self.open.iter().map(|client| (*client).to_owned()).collect()
    }

    fn take(&mut self, Outcome { about, result }: Outcome) {
        match result {
            Ok((found, at)) => {
                for Found { client, online, why, details } in found {
                    self.open.remove(&*client);
                    let cached = self.cached;
                    self.told.push(Told { client, online, why, at, cached, details });
                }
            }
            Err(Missed::Late) => {}
            Err(
                Missed::Trouble(trouble) | Missed::Broken(trouble) | Missed::NotNow { trouble, .. },
            ) => self.miss(about.clients(), trouble),
        }
    }

    fn miss(&mut self, about: &[String], mut trouble: Trouble) {
        if !trouble.everywhere {
            for client in about {
                self.open.remove(&**client);
            }
            self.fail(about.first().filter(|_| about.len() == 1), &trouble);
            // A wrong path looks like this: it would go on so to the last client.
            if !self.told.is_empty() || self.failures.len() < FAILURES_MAX || self.open.is_empty() {
                return;
            }
            trouble.cause = format!("{FAILURES_MAX} questions in a row failed; {}", trouble.cause);
        }
        self.everywhere.get_or_insert_with(|| failure(self.source, None, &trouble));
    }

    fn fail(&mut self, client: Option<&String>, trouble: &Trouble) {
        let failure = failure(self.source, client.map(String::as_str), trouble);
        self.failures.push((client.cloned(), failure));
    }

    fn close(mut self) -> (Vec<Told>, Vec<(Option<String>, Failure)>) {
        match self.everywhere {
            Some(failure) => self.failures.push((None, failure)),
            None if self.open.is_empty() => {}
            None => self.failures.push(unanswered(self.source, &self.open, self.all)),
        }
        self.told.sort_by(|one, other| one.client.cmp(&other.client));
        (self.told, self.failures)
    }
}

/// Failures before the first answer that are taken for those of all.
const FAILURES_MAX: usize = 8;

pub fn failure(source: &str, client: Option<&str>, trouble: &Trouble) -> Failure {
    let failure = Failure::new(match client {
        Some(client) => format!("could not ask {source} about `{client}`"),
        None => format!("could not ask {source}"),
    });
    let failure = failure.because(&trouble.cause);
    match &trouble.next {
        Some(next) => failure.next(&**next),
        None => failure,
    }
}

fn unanswered(source: &str, open: &BTreeSet<&str>, all: usize) -> (Option<String>, Failure) {
    let first = open.first().map(|client| (*client).to_owned()).filter(|_| open.len() == 1);
    let what = match &first {
        Some(client) => format!("could not ask {source} about `{client}`"),
        None => format!("could not ask {source} about {} of {all} clients", open.len()),
    };
    let failure = Failure::new(what)
        .because("no answer in time")
        .next("allow more time, or ask about fewer clients");
    (first, failure)
}

impl Shared {
    fn work(&self, results: &Sender<Outcome>) {
        while let Some(chain) = self.next() {
            let about = chain.question().about.clone();
            let result = self.follow(chain);
            if results.send(Outcome { about, result }).is_err() {
                return;
            }
        }
    }

    fn next(&self) -> Option<Chain> {
        if self.asker.is_over() { None } else { lock(&self.waiting).pop_front() }
    }

    /// Asks one question after the other, until there is a finding about each client.
    fn follow(&self, mut chain: Chain) -> Result<(Vec<Found>, Timestamp), Missed> {
        let mut at = Timestamp(0);
        loop {
            let question = chain.question().clone();
            let (reply, asked) = self.asker.ask_patiently(&question)?;
            if chain.is_new() {
                at = asked;
            }
            let reading = self.asker.api.read(&question, &reply).map_err(Missed::Trouble)?;
            let found = chain.take(reading, &*self.asker.api).map_err(Missed::Trouble)?;
            if let Some(found) = found {
                return Ok((found, at));
            }
        }
    }
}
