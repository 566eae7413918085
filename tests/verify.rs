//! `presence simulate --verify` at the built-in broker, which can be told to lie, and at one that says
//! nothing: what is found is what was done, and nothing else.
#![cfg(feature = "broker")]

#[path = "driver/server.rs"]
#[allow(dead_code, reason = "shared with the tests of the driver")]
mod server;
mod support;

#[path = "verify/evidence.rs"]
mod evidence;
#[path = "verify/faults.rs"]
mod faults;

use presence::embedded::core::faults::Faults;
use presence::embedded::{Broker, Options, Running};
use serde_json::{Value, json};
use support::process::{DEADLINE, Presence};
use support::verification::{Told, verify as start};
use tempfile::TempDir;

/// Starts a broker that is told to lie like this.
fn broker(faults: &[&str]) -> Running {
    let mut options = Options::on_a_free_port();
    let mut all = Faults { seed: 5, ..Faults::default() };
    for fault in faults {
        all.add(fault).expect("it is a fault");
    }
    options.faults = all;
    Broker::bind(options).and_then(Broker::start).expect("loopback has a free port")
}

fn url(broker: &Running) -> String {
    format!("mqtt://{}", broker.addresses()[0])
}

/// Lets devices live and die, with as much time as a busy machine needs.
fn verify(url: &str, line: &str) -> Told {
    Told::by(start(url, line))
}

/// The limit only ends a test that hangs.
async fn bounded<T>(work: impl Future<Output = T>) -> T {
    tokio::time::timeout(DEADLINE, work).await.expect("the test hangs")
}

/// A short run, in which silence shows.
const SHORT: &str = "--count 42 --keepalive 1s --duration 4s --run v1 --seed 3";

#[test]
fn every_way_of_dying_is_told_rightly() {
    for (version, ways) in [("3.1.1", 6), ("5", 7)] {
        let broker = broker(&[]);
        let told = verify(&url(&broker), &format!("{SHORT} --mqtt-version {version}"));
        told.ended_with(0, 0);
        let (by_lmq, by_status) = (told.outcomes("lmq"), told.outcomes("status"));
        let deaths: Vec<&str> = told.deaths().collect();
        assert_eq!(deaths.len(), ways, "{deaths:?}");
        for act in deaths.iter().copied().chain(["connect"]) {
            let done = told.done(act);
            assert!(done > 0, "{act}");
            assert!(by_lmq.contains(&format!("{act} reported {done}")), "{by_lmq:?}");
            let outcome = if act == "disconnect" { "withheld" } else { "reported" };
            assert!(by_status.contains(&format!("{act} {outcome} {done}")), "{by_status:?}");
        }
        let summary = told.summary();
        assert_eq!(summary["verified"], told.ended.code == Some(0));
        assert_eq!(summary["window"], "presence");
        assert_eq!(summary["devices"], 42);
        assert!(summary["broker"].as_str().is_some_and(|name| name.starts_with("presence ")));
        let states = told.only("state");
        assert_eq!((&states["right"], &states["wrong"]), (&json!(42), &json!(0)), "{states}");
    }
}

#[test]
fn the_same_line_gives_the_same_deeds() {
    let broker = broker(&[]);
    let line = "--count 30 --keepalive 1s --duration 3s --seed 9 --deaths fin=50,rst=50";
    let acts = || {
        let told = verify(&url(&broker), line);
        told.of("act").map(|act| (act["act"].clone(), act["done"].clone())).collect::<Vec<_>>()
    };
    assert_eq!(acts(), acts());
}

#[test]
fn a_will_waits_and_a_return_in_time_cancels_it() {
    let broker = broker(&[]);
    let line = "--scenario will-delay --count 12 --mqtt-version 5 --run w1 --seed 1";
    let told = verify(&url(&broker), line);
    told.ended_with(0, 0);
    assert!(told.count("status", None, "withheld") > 0, "{}", told.ended.out);
    let deaths: Vec<&str> = told.deaths().collect();
    let came = |act: &&str| {
        let is_it = |told: &String| told.starts_with(&format!("{act} reported "));
        told.outcomes("status").iter().any(is_it)
    };
    assert!(deaths.iter().any(came), "{}", told.shown());
}

#[test]
fn shards_that_are_merged_are_one_run() {
    let broker = broker(&[]);
    let folder = TempDir::new().expect("a temporary folder can be made");
    let mut files = Vec::new();
    for shard in 1..=2 {
        let told = verify(&url(&broker), &format!("{SHORT} --shard {shard}/2"));
        told.ended_with(0, 0);
        assert_eq!(told.summary()["devices"], 42, "of the whole run");
        let file = folder.path().join(format!("{shard}.json"));
        std::fs::write(&file, &told.ended.out).expect("the folder is ours");
        files.push(file.display().to_string());
    }
    let page = folder.path().join("page.html").display().to_string();
    let line = ["simulate", "merge", "--json", "--report", &page];
    let merged = Told::by(Presence::start(line.into_iter().chain(files.iter().map(|f| &**f))));
    merged.ended_with(0, 0);
    let whole = verify(&url(&broker), SHORT);
    let acts = |told: &Told| told.of("act").cloned().collect::<Vec<Value>>();
    assert_eq!(acts(&merged), acts(&whole));
    assert_eq!(merged.only("state")["right"], 42);
    let page = std::fs::read_to_string(page).expect("it was written");
    assert!(page.contains("<svg") && page.contains("Content-Security-Policy"));
}

#[test]
fn a_machine_that_is_too_slow_says_so() {
    let broker = broker(&[]);
    let line = "--count 2 --duration 1s --keepalive 1s --deaths fin=100 --lag-max 0s";
    let words = ["simulate", "-b", &url(&broker), "--verify", "--json"];
    let told = Told::by(Presence::start(words.into_iter().chain(line.split_whitespace())));
    assert_eq!(told.ended.code, Some(6), "{}", told.ended.err);
    let summary = told.summary();
    assert_eq!(summary["trusted"], false);
    assert!(summary["distrust"][0].as_str().is_some_and(|why| why.contains("held up for")));
}

#[test]
fn what_is_no_verification_is_refused_before_anybody_connects() {
    for (line, words) in [
        ("--report page.html", "`--report` without `--verify`"),
        ("--verify --expect-window soon", "`--expect-window soon`"),
        ("--verify --expect-window 9s..7s", "it ends before it begins"),
        ("--verify --compare /nowhere/base.json", "/nowhere/base.json"),
        ("--verify --report /nowhere/page.html", "/nowhere/page.html"),
        (
            "--verify --dialect status --will-topic d/{n}/s --birth-topic d/{n}/s",
            "there is nothing that `--verify` could hear",
        ),
    ] {
        // Nobody listens there.
        let words_typed = ["simulate", "-b", "mqtt://127.0.0.1:1", "--count", "2"];
        let mut run = Presence::start(words_typed.into_iter().chain(line.split_whitespace()));
        let ended = run.ended(DEADLINE);
        assert!(matches!(ended.code, Some(2 | 4)), "{line}: {ended:?}");
        assert!(ended.err.contains(words), "{line}: {}", ended.err);
        assert!(!ended.err.contains("127.0.0.1:1:"), "{line}: it tried to connect: {}", ended.err);
        assert!(ended.err.contains("  next:"), "{line}: {}", ended.err);
    }
}
