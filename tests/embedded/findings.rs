//! What is found while simulated devices have their troubles.

use crate::hostile::address;
use crate::support::process::{DEADLINE, Presence, Stream};
use serde_json::Value;
use tempfile::TempDir;

#[test]
fn an_outage_and_a_fight_over_an_id_are_found() {
    let home = TempDir::new().expect("a temporary folder can be made");
    let broker = Presence::start(["broker", "--listen", "127.0.0.1:0"]);
    let url = format!("mqtt://{}", address(&broker));
    let start = |line: &[&str]| Presence::start_in(home.path(), line, &[]);
    let mut watch = start(&["watch", "--json", "-b", &url]);
    watch.wait_line_of(Stream::Err, |line| line.contains("is known yet"), DEADLINE);

    let fight = ["--scenario", "takeover-loop", "--count", "2", "--run", "fight"];
    let mut fight = start(&[&["simulate", "-b", &url][..], &fight].concat());
    let found = finding(&watch, "shared-id", "begins");
    let text = found["text"].as_str().expect("it is text");
    assert!(
        text.contains(": two connections from 127.0.0.1 throw each other out, every "),
        "{text}"
    );
    assert_eq!(found["client"].as_str().map(|id| id.starts_with("sim-fight-")), Some(true));
    fight.interrupt();
    fight.ended(DEADLINE);

    let crowd = ["--count", "60", "--run", "crowd", "--rate", "200", "--duration", "1s"];
    let mut crowd = start(&[&["simulate", "-b", &url][..], &crowd].concat());
    crowd.ended(DEADLINE);
    let found = finding(&watch, "mass-outage", "begins");
    assert!(found["lost"].as_u64().is_some_and(|lost| lost >= 50), "{found}");
    assert_eq!((&found["restart"], &found["client"]), (&false.into(), &Value::Null));

    watch.interrupt();
    let ended = watch.ended(DEADLINE);
    let last = ended.out.lines().last().expect("there is a summary");
    let summary: Value = serde_json::from_str(last).expect("watch prints JSON");
    assert_eq!(summary["findings"]["mass-outage"], 1, "{summary}");
    assert!(summary["findings"]["shared-id"].as_u64() >= Some(1), "{summary}");
    let lag = &summary["lags"][0];
    assert!(lag["certain_ms"].as_i64() <= lag["last_ms"].as_i64(), "{summary}");
}

/// Waits for a finding, wherever it stands.
#[track_caller]
fn finding(watch: &Presence, code: &str, phase: &str) -> Value {
    let is_it = |line: &str| {
        let object: Value = serde_json::from_str(line).expect("watch prints JSON");
        object["code"] == code && object["phase"] == phase
    };
    let (_, line) = watch.wait_line_from(Stream::Out, 0, is_it, DEADLINE);
    serde_json::from_str(&line).expect("watch prints JSON")
}
