//! `presence simulate` at a broker: what it reports, how it ends, and what is left of it.

#[path = "driver/server.rs"]
mod server;
mod support;

#[path = "simulate/ending.rs"]
mod ending;
#[path = "simulate/mosquitto.rs"]
mod mosquitto;
#[path = "simulate/reporting.rs"]
mod reporting;

use serde_json::Value;
use support::process::{DEADLINE, Ended, Presence};

/// Starts a simulation at a broker.
fn simulate(url: &str, line: &str) -> Presence {
    let words = ["simulate", "-b", url].into_iter().chain(line.split_whitespace());
    Presence::start(words)
}

fn ended(mut run: Presence) -> Ended {
    let ended = run.ended(DEADLINE);
    assert!(!ended.err.contains("panicked"), "{}", ended.err);
    ended
}

/// Returns the report, which is as its schema says.
#[track_caller]
fn report(ended: &Ended) -> Value {
    let mut lines = ended.out.lines();
    let line = lines.next().unwrap_or_else(|| panic!("there is no report: {}", ended.err));
    assert_eq!(lines.next(), None, "one run, one line");
    let report: Value = serde_json::from_str(line).expect("it is JSON");
    let schema: Value = serde_json::from_str(include_str!("../schemas/simulation.schema.json"))
        .expect("it is JSON");
    let schema = jsonschema::validator_for(&schema).expect("it is a schema");
    let wrong: Vec<String> = schema.iter_errors(&report).map(|error| error.to_string()).collect();
    assert!(wrong.is_empty(), "{report}\n{}", wrong.join("\n"));
    report
}

/// The limit only ends a test that hangs.
async fn bounded<T>(work: impl Future<Output = T>) -> T {
    tokio::time::timeout(DEADLINE, work).await.expect("the test hangs")
}
