//! `presence probe` from the way to a broker to what is found there, and nothing that is left behind.
//!
//! Tests wait for a packet or a line, never for time: deadlines only end a test that has failed.
#![cfg(feature = "broker")]

mod support;

#[path = "probe/embedded.rs"]
mod embedded;
#[path = "probe/findings.rs"]
mod findings;
#[path = "probe/mosquitto.rs"]
mod mosquitto;
#[path = "probe/secure.rs"]
mod secure;
#[path = "probe/stub.rs"]
mod stub;
#[path = "probe/way.rs"]
mod way;

use presence::embedded::{Broker, Options, Running};
use serde_json::Value;
use support::process::{DEADLINE, Ended, Presence};

/// Runs a probe to its end.
#[track_caller]
fn probe(url: &str, line: &str) -> Ended {
    start(url, line).ended(DEADLINE * 2)
}

fn start(url: &str, line: &str) -> Presence {
    Presence::start(["probe", "-b", url].into_iter().chain(line.split_whitespace()))
}

/// Runs a probe and returns what it prints as JSON, which has to be as the schema says.
#[track_caller]
fn found(url: &str, line: &str) -> Value {
    let ended = probe(url, &format!("{line} --json"));
    assert_eq!(ended.code, Some(0), "{ended:?}");
    object(&ended.out)
}

#[track_caller]
fn object(line: &str) -> Value {
    let object: Value = serde_json::from_str(line).unwrap_or_else(|_| panic!("{line}"));
    let schema = serde_json::from_str(include_str!("../schemas/probe.schema.json"));
    let schema = jsonschema::validator_for(&schema.expect("it is JSON")).expect("it is a schema");
    let wrong: Vec<_> = schema.iter_errors(&object).map(|error| error.to_string()).collect();
    assert!(wrong.is_empty(), "{wrong:?}: {line}");
    object
}

/// Returns how often a dialect told of a deed: `3 of 3`.
#[track_caller]
fn told(object: &Value, dialect: &str, deed: &str) -> String {
    let evidence = object["findings"]["evidence"].as_array().expect("there is evidence");
    let is_it = |one: &&Value| one["dialect"] == dialect && one["deed"] == deed;
    let one = evidence.iter().find(is_it).unwrap_or_else(|| panic!("{dialect} {deed}: {object}"));
    format!("{} of {}", one["told"], one["done"])
}

/// Returns the codes of what cannot be known, or was refused.
fn codes<'a>(object: &'a Value, field: &str) -> Vec<&'a str> {
    let listed = object["findings"][field].as_array().expect("it is a list");
    listed.iter().filter_map(|one| one["code"].as_str()).collect()
}

/// Returns how each step ended.
fn steps(object: &Value) -> Vec<String> {
    let steps = object["preflight"].as_array().expect("there are steps");
    let text = |value: &Value| value.as_str().expect("it is text").to_owned();
    steps.iter().map(|step| format!("{} {}", text(&step["step"]), text(&step["end"]))).collect()
}

/// Starts a built-in broker.
fn broker(options: Options) -> (Running, String) {
    let broker = Broker::bind(options).expect("loopback has a free port");
    let url = format!("mqtt://{}", broker.addresses()[0]);
    (broker.start().expect("there is a thread for it"), url)
}
