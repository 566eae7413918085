//! What is odd about the history of clients: how many by each code, and some of them.

use super::Scope;
use crate::command::input::Input;
use crate::failure::Failure;
use crate::output::anomalies::{self, Anomalies, Anomaly};
use crate::output::console::Console;
use crate::state::verdict::Verdict;
use std::collections::BTreeMap;

/// Clients that are named of each code.
const EXAMPLES_MAX: usize = 5;

/// Prints the anomalies of the clients asked about, at the moment judged.
pub fn print(input: &Input, scope: &Scope, console: &mut Console) -> Result<(), Failure> {
    let mut found = Anomalies::new();
    let summary = super::judged(input, |instance, verdict| {
        if scope.include(&verdict.client) {
            count(&mut found, &verdict, |code| (instance, code));
        }
        Ok(())
    })?;
    if console.is_json() {
        for object in anomalies::objects(&found) {
            console.json_line(&object)?;
        }
    } else if !found.is_empty() {
        let several = input.brokers.len() > 1;
        let text = anomalies::table(&found, several, console.style(), console.columns());
        console.print(&text)?;
        console.print_line("")?;
    }
    super::print_total(&summary, console)
}

/// Counts the anomalies of a client, each under its key.
pub fn count<K: Ord>(
    found: &mut BTreeMap<K, Anomaly>,
    verdict: &Verdict,
    key: impl Fn(&'static str) -> K,
) {
    for code in &verdict.anomalies {
        let anomaly = found.entry(key(code)).or_default();
        anomaly.clients += 1;
        if anomaly.examples.len() < EXAMPLES_MAX {
            anomaly.examples.push(verdict.client.to_string());
        }
    }
}
