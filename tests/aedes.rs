//! `simulate --verify` at aedes 1.2.0, a broker from npm: it ends a silence after exactly one and a half
//! keep alives.

mod support;

#[path = "verify/told.rs"]
#[allow(dead_code, reason = "shared with the tests of verification")]
mod told;

use serde_json::json;
use support::aedes::Aedes;
use support::process::Presence;
use told::Told;

#[test]
#[ignore = "needs node"]
fn its_window_is_met() {
    let broker = Aedes::start();
    let url = broker.url();
    let words = ["simulate", "-b", &url, "--verify", "--json", "--lag-max", "5m"];
    let line = "--count 60 --keepalive 2s --duration 8s --run w --seed 4 --expect-window aedes";
    let told = Told::of(Presence::start(words.into_iter().chain(line.split_whitespace())));
    assert_eq!(told.code, Some(0), "{}\n{}", told.err, told.faults());
    assert_eq!(told.deaths().count(), 6);
    for act in told.deaths().chain(["connect"]) {
        let outcome = if act == "disconnect" { "withheld" } else { "reported" };
        assert_eq!(told.count("status", act, outcome), told.done(act), "{act}: {}", told.out);
    }
    let silence = told.each("told").find(|told| told["act"] == "silence").expect("it is told");
    assert_eq!(silence["window_ms"], json!([3_000, 3_501]));
    assert_eq!(told.summary()["window"], "aedes");
}
