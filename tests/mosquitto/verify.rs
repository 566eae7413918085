//! `simulate --verify` at Mosquitto: its log tells all but the end of what was taken over, wills and births
//! tell the rest.

use crate::connection::refusing;
use crate::support::mosquitto::Mosquitto;
use crate::support::process::{Presence, Stream};
use crate::told::Told;
use serde_json::json;
use tempfile::TempDir;

/// Lets devices live and die, with as much time as a busy machine needs.
fn start(broker: &Mosquitto, line: &str) -> Presence {
    let url = broker.url();
    let words = ["simulate", "-b", &url, "--verify", "--json", "--lag-max", "5m"];
    Presence::start(words.into_iter().chain(line.split_whitespace()))
}

/// So that nothing the fleet does makes the broker throw away what it tells us.
const LOG: &[&str] = &["max_queued_messages 0"];

#[test]
#[ignore = "needs mosquitto"]
fn a_thousand_devices_die_in_every_way_and_each_row_is_explained() {
    for (version, ways) in [("3.1.1", 6), ("5", 7)] {
        let broker = Mosquitto::start(LOG);
        let line = "--count 1000 --keepalive 5s --run all --seed 4 --mqtt-version";
        let told = Told::of(start(&broker, &format!("{line} {version}")));
        assert_eq!(told.code, Some(0), "{}\n{}", told.err, told.faults());
        let deaths: Vec<&str> = told.deaths().collect();
        assert_eq!(deaths.len(), ways, "{deaths:?}");
        for act in deaths.iter().copied().chain(["connect"]) {
            let done = told.done(act);
            assert!(done > 100, "{act}: {done}");
            let by_log = if act == "takeover" { "not-observable" } else { "reported" };
            assert_eq!(told.count("mosquitto", act, by_log), done, "{act}, MQTT {version}");
            let by_status = if act == "disconnect" { "withheld" } else { "reported" };
            assert_eq!(told.count("status", act, by_status), done, "{act}, MQTT {version}");
        }
        let summary = told.summary();
        assert_eq!(summary["window"], "mosquitto-2.0");
        assert!(summary["broker"].as_str().is_some_and(|it| it.starts_with("mosquitto version 2")));
        assert_eq!(told.only("state")["right"], 1_000);
        // Nothing is left: who subscribes now is brought nothing that was retained.
        let late = broker.subscribe("devices/#", &["--retained-only"]);
        broker.publish("devices/marker", "here", &["-r"]);
        let marker = broker.subscribe("devices/#", &["--retained-only"]);
        marker.wait_line(|line| line == "devices/marker here", crate::support::process::DEADLINE);
        assert_eq!(late.lines(Stream::Out), [] as [&str; 0]);
        assert_eq!(marker.lines(Stream::Out), ["devices/marker here"]);
    }
}

#[test]
#[ignore = "needs mosquitto"]
fn a_broker_that_dies_in_the_middle_has_missed_nothing() {
    let mut broker = Mosquitto::start(LOG);
    let run = start(&broker, "--count 50 --keepalive 5s --duration 60s --run dies --seed 4");
    broker.wait_log(|log| (0..50).all(|n| log.contains(&format!(" as sim-dies-{n} "))));
    broker.kill();
    let told = Told::of(run);
    assert_eq!(told.code, Some(4), "{}", told.err);
    assert!(told.err.contains("went away in the middle of the run"), "{}", told.err);
    let summary = told.summary();
    assert_eq!(summary["broker_died"], true);
    for voice in ["mosquitto", "status"] {
        assert_eq!(told.all(voice, "missed"), 0, "{}", told.faults());
    }
    assert_eq!(told.done("connect"), 50);
    assert_eq!(told.done("lost"), 50, "{}", told.out);
}

#[test]
#[ignore = "needs mosquitto"]
fn devices_come_back_to_a_broker_that_does() {
    let mut broker = Mosquitto::start(LOG);
    let line = "--count 30 --keepalive 5s --duration 40s --run back --seed 4 --reconnect=500ms";
    let run = start(&broker, &format!("{line} --deaths fin=50,disconnect=50"));
    let is_up = |log: &str| (0..30).all(|n| log.contains(&format!(" as sim-back-{n} ")));
    broker.wait_log(is_up);
    // Its log begins anew with it.
    broker.kill();
    broker.restart();
    broker.wait_log(is_up);
    let told = Told::of(run);
    assert_eq!(told.summary()["broker_died"], false, "{}", told.err);
    assert_eq!(told.done("connect"), 60, "{}", told.out);
    for act in ["fin", "disconnect"] {
        assert_eq!(told.done(act), 15, "{}", told.out);
    }
    for voice in ["mosquitto", "status"] {
        assert_eq!(told.all(voice, "missed"), 0, "{}", told.faults());
    }
    // What devices suffered is told, and is no fault in what the broker said.
    assert_eq!(told.code, Some(1), "{}", told.err);
    assert_eq!(told.summary()["faults"], json!(0), "{}", told.faults());
}

#[test]
#[ignore = "needs mosquitto"]
fn evidence_that_is_refused_is_told_before_a_device_connects() {
    let folder = TempDir::new().expect("a temporary folder can be made");
    let scene = refusing(folder.path(), &["#", "$SYS/#", "$presence/#"]);
    let told = Told::of(start(&scene.broker, "--count 5 --run deaf"));
    assert_eq!(told.code, Some(4), "{}", told.err);
    for part in ["error: could not subscribe to `", "the broker refused it (", "next:"] {
        assert!(told.err.contains(part), "{part}: {}", told.err);
    }
    assert!(!scene.broker.log().contains("sim-deaf-"), "{}", scene.broker.log());
}

#[test]
#[ignore = "needs mosquitto"]
fn what_is_not_listened_to_is_not_missed() {
    let broker = Mosquitto::start(&[]);
    let line = "--count 20 --keepalive 2s --run still --seed 4 --deaths fin=50,disconnect=50";
    let told = Told::of(start(&broker, &format!("{line} --duration 5s --dialect status")));
    assert_eq!(told.code, Some(0), "{}", told.err);
    let voices: Vec<_> = told.each("voice").map(|voice| &voice["voice"]).collect();
    assert_eq!(voices, ["status"]);
    assert_eq!(told.only("state")["not_observable"], 10, "a goodbye has no will");

    let told = Told::of(start(&broker, "--count 5 --run mute --dialect lmq --timeout 3s"));
    assert_eq!(told.code, Some(4), "{}", told.err);
    assert!(told.err.contains("nothing tells who is connected"), "{}", told.err);
    assert!(!broker.log().contains(" as sim-mute-0 "), "{}", broker.log());
}
