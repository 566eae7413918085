//! Lists everybody whom an API knows of, and never past the deadline.

use super::api::Api;
use super::asked::{Asked, Cost, Told};
use super::asker::{Asker, lock};
use super::client::{Client, Missed};
use super::exchange::{Found, Question, Trouble};
use super::gather::gather;
use super::roll::{End, Listed, Roll};
use crate::clock;
use crate::failure::Failure;
use std::collections::BTreeMap;
use std::mem::take;
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Instant;

/// Lists everybody until the deadline.
pub fn list(api: &Arc<dyn Api>, client: &Arc<Client>, source: &str, deadline: Instant) -> Asked {
    let begun = clock::monotonic();
    let facts = api.facts();
    let mut asked = Asked {
        source: source.to_owned(),
        told: Vec::new(),
        failures: Vec::new(),
        requests: 0,
        took: begun.elapsed(),
        limits: facts.limits,
        cached: facts.cached,
    };
    let Some(question) = api.list() else {
        let failure = Failure::misuse(format!("could not list the clients of {source}"))
            .because("it can be asked about clients by their ids only")
            .next("name the clients to ask about");
        asked.failures.push((None, failure));
        return asked;
    };
    let asker = Arc::new(Asker::new(api, client, deadline));
    let read = read(&asker, question, Roll::default());
    asked.requests = read.requests;
    asked.told = read.listed.into_values().map(|listed| told(listed, facts.cached)).collect();
    if let Err(missed) = read.end.and_then(End::whole) {
        asked.failures.push((None, incomplete(source, missed)));
    }
    if let Some(Cost::PagesThenEach(_)) = facts.list {
        ask_each(&mut asked, |clients| gather(api, client, source, clients, deadline));
    }
    asked.took = begun.elapsed();
    asked
}

/// Asks about those whose names alone are listed; who has no answer stays without one.
fn ask_each(asked: &mut Asked, ask: impl Fn(&[String]) -> Asked) {
    let named: Vec<String> = asked.told.iter().map(|told| told.client.clone()).collect();
    if named.is_empty() {
        return;
    }
    let each = ask(&named);
    asked.requests += each.requests;
    asked.failures.extend(each.failures);
    let mut answers = each.told.into_iter().peekable();
    for told in &mut asked.told {
        // Both are sorted, and nobody is in the second who is not in the first.
        if let Some(answer) = answers.next_if(|answer| answer.client == told.client) {
            *told = answer;
        }
    }
}

fn incomplete(source: &str, missed: Missed) -> Failure {
    let failure = Failure::new(format!("could not list all clients of {source}"));
    match missed {
        Missed::Late => {
            failure.because("its list was not read to its end in time").next("allow more time")
        }
        Missed::Trouble(trouble) | Missed::Broken(trouble) | Missed::NotNow { trouble, .. } => {
            let failure = failure.because(trouble.cause);
            match trouble.next {
                Some(next) => failure.next(next),
                None => failure,
            }
        }
    }
}

/// What was read of a list.
#[derive(Debug)]
pub struct Read {
    pub listed: BTreeMap<String, Listed>,
    pub end: Result<End, Missed>,
    pub requests: u32,
}

/// Reads a list until its end or the deadline. A thread that still waits for a reply then is left to end by
/// itself.
pub fn read(asker: &Arc<Asker>, question: Question, roll: Roll) -> Read {
    let roll = Arc::new(Mutex::new(roll));
    let (result, ended) = channel();
    let work = {
        let (asker, roll) = (Arc::clone(asker), Arc::clone(&roll));
        move || {
            // Nobody waits for it any more if it comes too late.
            let _ = result.send(follow(&asker, question, &roll));
        }
    };
    let missed = match thread::Builder::new().name("query".to_owned()).spawn(work) {
        Ok(_) => ended.recv_timeout(asker.left()).unwrap_or(Err(Missed::Late)).err(),
        Err(error) => Some(Missed::Trouble(Trouble::new(error.to_string()))),
    };
    asker.end();
    let (listed, end) = take(&mut *lock(&roll)).into_parts();
    let end = missed.map_or_else(|| end.ok_or(Missed::Late), Err);
    Read { listed, end, requests: asker.requests() }
}

/// Asks for one page after the other.
fn follow(asker: &Asker, mut question: Question, roll: &Mutex<Roll>) -> Result<(), Missed> {
    loop {
        let (reply, at) = asker.ask_patiently(&question)?;
        let reading = asker.api.read(&question, &reply).map_err(Missed::Trouble)?;
        let bytes = reply.body.len();
        let next = lock(roll).take(reading, at, bytes, &*asker.api).map_err(Missed::Trouble)?;
        match next {
            Some(next) => question = next,
            None => return Ok(()),
        }
    }
}

/// Returns what a list tells about a client on it.
#[must_use]
pub fn told(Listed { found, at, .. }: Listed, cached: bool) -> Told {
    let Found { client, online, why, details } = found;
    Told { client, online, why, at, cached, details }
}
