//! Asks APIs over HTTP: servers of the tests' own answer as brokers and clouds were recorded, as their
//! documentation says, or as no API should.

mod support;

#[path = "query/aliyun.rs"]
mod aliyun;
#[path = "query/asking.rs"]
mod asking;
#[path = "query/hostile.rs"]
mod hostile;
#[path = "query/listing.rs"]
mod listing;
#[path = "query/replies.rs"]
mod replies;
#[path = "query/secure.rs"]
mod secure;

use presence::cli::api as cli;
use presence::config::api::{Endpoint, Secrets, every};
use presence::query::{Asked, Query, Told};
use presence::secret::Secret;
use std::time::{Duration, Instant};

/// Returns the endpoint of a URL.
fn endpoint(url: &str) -> Endpoint {
    let options = cli::Api { api: vec![Secret::from(url)], ..cli::Api::default() };
    let (mut endpoints, _) =
        every(&options, &Secrets::default()).unwrap_or_else(|failure| panic!("{url}: {failure}"));
    endpoints.remove(0)
}

/// Asks the API of a URL, with time enough for any machine.
fn ask(url: &str, clients: &[&str]) -> Asked {
    ask_within(url, clients, Duration::from_mins(1))
}

fn ask_within(url: &str, clients: &[&str], time: Duration) -> Asked {
    ask_endpoint(&endpoint(url), clients, time)
}

#[expect(clippy::disallowed_methods, reason = "a deadline is real time")]
fn ask_endpoint(endpoint: &Endpoint, clients: &[&str], time: Duration) -> Asked {
    let query = Query::open(endpoint).unwrap_or_else(|failure| panic!("{failure}"));
    let clients: Vec<String> = clients.iter().map(|client| (*client).to_owned()).collect();
    query.ask(&clients, Instant::now() + time)
}

/// Lists everybody, with time enough for any machine.
fn list(url: &str) -> Asked {
    list_within(url, Duration::from_mins(1))
}

#[expect(clippy::disallowed_methods, reason = "a deadline is real time")]
fn list_within(url: &str, time: Duration) -> Asked {
    let query = Query::open(&endpoint(url)).unwrap_or_else(|failure| panic!("{failure}"));
    query.list(Instant::now() + time)
}

/// Returns the only answer; panics where there is none or a failure.
#[track_caller]
fn only(asked: &Asked) -> &Told {
    assert!(asked.failures.is_empty(), "{asked:?}");
    let [told] = &asked.told[..] else { panic!("{asked:?}") };
    told
}

/// Returns the only failure, as it is shown; panics where there is none or an answer.
#[track_caller]
fn failed(asked: &Asked) -> String {
    assert!(asked.told.is_empty(), "{asked:?}");
    let [(_, failure)] = &asked.failures[..] else { panic!("{asked:?}") };
    failure.to_string()
}
