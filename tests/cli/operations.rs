//! What is written about running it as a service holds: every metric that is named is exported and the
//! other way round, and the unit runs a command that exists.

use clap::CommandFactory as _;
use presence::cli::Cli;
use presence::event::{EventKind, Timestamp};
use presence::output::metrics::{Board, ClientSeries, Doings, Figures, Panel, Watchers};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

fn read(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// Returns a page on which nothing is missing.
fn page() -> String {
    let mut figures = Figures { recording_bytes: Some(7), ..Figures::default() };
    figures.events.count("lmq", Some(EventKind::Opened), true);
    figures.malformed.insert("unreadable", 1);
    let panel = Panel::default();
    panel.show(&figures);
    let mut board = Board::new(Timestamp(0));
    board.add(Watchers(vec![("b:1883".to_owned(), panel)]));
    let doings = Panel::default();
    doings.show(&Doings { findings: BTreeMap::from([("flapping", 1)]), ..Doings::default() });
    board.add(doings);
    let series = Arc::new(ClientSeries::default());
    series.set("b:1883", "pump-7", None);
    board.add(series);
    board.page().expect("it can be written")
}

/// Returns the families of a page as they are named in a query, with their types.
fn families(page: &str) -> BTreeMap<String, String> {
    let types = page.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split_once(' '));
    let suffix = |kind: &str| match kind {
        "counter" => "_total",
        "info" => "_info",
        _ => "",
    };
    types.map(|(name, kind)| (format!("{name}{}", suffix(kind)), kind.to_owned())).collect()
}

/// Returns the words of a text that are names of metrics.
fn named(text: &str) -> BTreeSet<&str> {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    words.filter(|word| word.starts_with("presence_") || word.starts_with("process_")).collect()
}

#[test]
fn the_page_of_metrics_is_what_is_exported() {
    let docs = read("docs/metrics.md");
    let rows = docs.lines().filter_map(|line| {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        let name = cells.get(1)?.strip_prefix('`')?.strip_suffix('`')?;
        (!name.starts_with('/')).then(|| (name.to_owned(), cells[2].to_owned()))
    });
    assert_eq!(rows.collect::<BTreeMap<_, _>>(), families(&page()));
}

#[test]
fn dashboard_and_alerts_ask_for_what_there_is() {
    let families = families(&page());
    let exists = |name: &str| {
        let is_histogram = |name: &str| families.get(name).is_some_and(|kind| kind == "histogram");
        let bucket = name.strip_suffix("_bucket").is_some_and(is_histogram);
        bucket || families.contains_key(name) && !is_histogram(name)
    };
    let dashboard = read("docs/examples/grafana-dashboard.json");
    let dashboard: serde_json::Value = serde_json::from_str(&dashboard).expect("it is JSON");
    let panels = dashboard["panels"].as_array().expect("there are panels");
    let targets = panels.iter().flat_map(|panel| panel["targets"].as_array().expect("targets"));
    let mut asked = BTreeSet::new();
    for expression in targets.map(|target| target["expr"].as_str().expect("an expression")) {
        let names = named(expression);
        assert!(!names.is_empty(), "{expression}");
        for name in names {
            assert!(exists(name), "{name} in {expression}");
            asked.insert(name);
        }
    }
    assert!(asked.len() >= 12, "{asked:?}");
    let alerts = read("docs/examples/alerts.yml");
    let rules: Vec<&str> =
        alerts.lines().filter_map(|line| line.split_once("expr: ")).map(|rule| rule.1).collect();
    assert!(rules.len() >= 5, "{rules:?}");
    for name in rules.iter().flat_map(|rule| named(rule)) {
        assert!(exists(name), "{name}");
    }
    assert!(!exists("presence_nothing") && !exists("presence_lag_seconds"));
}

#[test]
fn the_unit_runs_a_command_that_can_be_typed() {
    let unit = read("docs/examples/presence-watch.service");
    let command = unit.lines().find_map(|line| line.strip_prefix("ExecStart=")).expect("there is");
    let parsed = Cli::command().try_get_matches_from(command.split(' '));
    assert!(parsed.is_ok(), "{command}\n{}", parsed.unwrap_err());
    for line in ["Type=notify", "StateDirectory=presence", "LoadCredential=password:"] {
        assert!(unit.lines().any(|found| found.starts_with(line)), "no {line}");
    }
}
