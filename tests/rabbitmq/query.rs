//! What the management API of a real RabbitMQ says about clients.

use super::support::process::DEADLINE;
use super::{broker, device};
use presence::cli::api as cli;
use presence::config::api::{Secrets, every};
use presence::query::{Asked, Query};
use presence::secret::Secret;
use std::time::Instant;

fn open(port: u16, user: &str) -> Query {
    let url = format!("rabbitmq+http://{user}@127.0.0.1:{port}");
    let options = cli::Api { api: vec![Secret::from(url)], ..cli::Api::default() };
    let (endpoints, _) = every(&options, &Secrets::default()).expect("it is one");
    Query::open(&endpoints[0]).expect("it needs nothing else")
}

#[expect(clippy::disallowed_methods, reason = "a deadline is real time")]
fn ask(port: u16, user: &str, clients: &[&str]) -> Asked {
    let query = open(port, user);
    let clients: Vec<String> = clients.iter().map(|client| (*client).to_owned()).collect();
    query.ask(&clients, Instant::now() + DEADLINE)
}

#[test]
#[ignore = "needs rabbitmq"]
#[expect(clippy::disallowed_methods, reason = "a deadline is real time")]
fn the_management_api_knows_who_is_connected() {
    let broker = broker();
    let mut device = device(&broker, "asked-1", "asked/1", &["-k", "41"]);
    // Its statistics follow what happens some seconds later, and it is waited for that.
    let asked = ask(broker.api_port(), "guest:guest", &["asked-1", "asked-nobody"]);
    assert!(asked.failures.is_empty(), "{asked:?}");
    let [told, nobody] = &*asked.told else { panic!("{asked:?}") };
    assert_eq!((told.online, nobody.online), (Some(true), Some(false)), "{asked:?}");
    assert!(told.details.connected_at.is_some(), "{told:?}");
    assert!(
        told.details.address.as_deref().is_some_and(|address| address.starts_with("127.0.0.1:")),
        "{told:?}"
    );
    assert_eq!(told.details.protocol.as_deref(), Some("MQTT 3.1.1"));
    device.kill();
    // It takes the broker a moment to notice, and another one to take it off the list.
    let until = Instant::now() + DEADLINE;
    while ask(broker.api_port(), "guest:guest", &["asked-1"]).told[0].online != Some(false) {
        assert!(Instant::now() < until, "it is still listed");
    }
}

#[test]
#[ignore = "needs rabbitmq"]
#[expect(clippy::disallowed_methods, reason = "a deadline is real time")]
fn the_management_api_lists_everybody() {
    let broker = broker();
    let mut device = device(&broker, "listed-1", "listed/1", &["-k", "41"]);
    let query = open(broker.api_port(), "guest:guest");
    let until = Instant::now() + DEADLINE;
    // It is listed a moment after it came.
    let listed = loop {
        let asked = query.list(until);
        assert!(asked.is_complete(), "{asked:?}");
        if let Some(told) = asked.told.into_iter().find(|told| told.client == "listed-1") {
            break told;
        }
        assert!(Instant::now() < until, "it is not listed");
    };
    assert_eq!(listed.online, Some(true), "{listed:?}");
    device.kill();
    while query.list(until).told.iter().any(|told| told.client == "listed-1") {
        assert!(Instant::now() < until, "it is still listed");
    }
}

#[test]
#[ignore = "needs rabbitmq"]
fn the_management_api_refuses_strangers() {
    let asked = ask(broker().api_port(), "guest:wrong", &["asked-1"]);
    assert!(asked.told.is_empty(), "{asked:?}");
    assert!(asked.failures[0].1.to_string().contains("status 401"), "{asked:?}");
}
