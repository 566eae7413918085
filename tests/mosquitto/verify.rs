//! What the broker says of a thousand devices, held against what was done to them: by its log and by the
//! wills that they left.

use crate::connection::refusing;
use crate::support::mosquitto::Mosquitto;
use crate::support::process::{DEADLINE, Ended, Presence, Process};
use crate::support::verification::{Told, verify};
use std::collections::BTreeSet;

/// Returns what is retained at the broker under `devices/`, and a message of our own, which says that
/// those before it were all.
fn retained(broker: &Mosquitto) -> String {
    broker.publish("end", "here", &["-r"]);
    let mut command = broker.client("mosquitto_sub");
    command.args(["-t", "devices/#", "-t", "end", "-F", "%t %p", "-C", "1"]);
    Process::start(&mut command).ended(DEADLINE).out
}

/// Lets 1,000 devices die in every way there is in this version.
fn every_way_of_dying(version: &str, by_log: &[&str], by_wills: &[&str]) {
    // The log comes in bursts, and is not to be cut short.
    let broker = Mosquitto::start(&["max_queued_messages 0"]);
    let line = format!("--count 1000 -k 5s --mqtt-version {version}");
    let told = Told::by(verify(&broker.url(), &line));

    told.ended_with(0, 0);
    assert_eq!(told.outcomes("mosquitto"), by_log);
    assert_eq!(told.outcomes("status"), by_wills);
    assert_eq!(told.acts("planned"), told.acts("done"));
    let summary = told.summary();
    assert_eq!(summary["window"], "mosquitto-2.0", "{summary}");
    assert!(summary["broker"].as_str().is_some_and(|text| text.contains("2.0.")), "{summary}");
    // A look every 5 to 6 s on top of one and a half keep alives.
    for voice in ["mosquitto", "status"] {
        assert_eq!(told.window(voice, "silence"), (7_000, 15_000));
        assert_eq!(told.window(voice, "nat-drop"), (7_000, 15_000));
    }
    for voice in told.of("voice") {
        assert_eq!((&voice["false_offline"], &voice["strays"]), (&0.into(), &0.into()), "{voice}");
    }
    let state = told.of("state").next().expect("it is always there");
    assert_eq!((&state["right"], &state["wrong"]), (&1_000.into(), &0.into()), "{state}");
    assert_eq!(retained(&broker), "end here\n");
}

#[test]
#[ignore = "needs mosquitto"]
fn every_way_of_dying_is_told_in_3_1_1() {
    every_way_of_dying(
        "3.1.1",
        &[
            "connect reported 1166",
            "disconnect reported 333",
            "fin reported 167",
            "nat-drop reported 166",
            "rst reported 167",
            "silence reported 167",
            "takeover not-observable 166",
        ],
        &[
            "connect reported 1166",
            "disconnect withheld 333",
            "fin reported 167",
            "nat-drop reported 166",
            "rst reported 167",
            "silence reported 167",
            "takeover reported 166",
        ],
    );
}

#[test]
#[ignore = "needs mosquitto"]
fn every_way_of_dying_is_told_in_5() {
    every_way_of_dying(
        "5",
        &[
            "connect reported 1142",
            "disconnect reported 285",
            "disconnect-with-will reported 143",
            "fin reported 143",
            "nat-drop reported 143",
            "rst reported 143",
            "silence reported 143",
            "takeover not-observable 142",
        ],
        &[
            "connect reported 1142",
            "disconnect withheld 285",
            "disconnect-with-will reported 143",
            "fin reported 143",
            "nat-drop reported 143",
            "rst reported 143",
            "silence reported 143",
            "takeover reported 142",
        ],
    );
}

/// Starts 200 devices and kills the broker when it has noticed the first silence: some are up, and of
/// some the end is not told yet.
fn broken_off(more: &str) -> (Mosquitto, Presence) {
    let mut broker = Mosquitto::start(&[]);
    let run = verify(&broker.url(), &format!("--count 200 -k 2s --run broken {more}"));
    broker
        .wait_log(|log| log.contains("Client sim-broken-") && log.contains("has exceeded timeout"));
    broker.kill();
    (broker, run)
}

/// What was not done or could not be told is nobody's fault.
#[track_caller]
fn nothing_is_held_against_it(told: &Told) {
    let outcomes = told.of("outcome").filter_map(|line| line["outcome"].as_str());
    let found: BTreeSet<_> = outcomes.collect();
    let innocent = ["late", "not-due", "not-observable", "reported", "withheld"];
    assert!(found.iter().all(|outcome| innocent.contains(outcome)), "{}", told.shown());
    for voice in ["mosquitto", "status"] {
        let outcomes = told.outcomes(voice);
        let lost = told.acts("done")["lost"];
        assert!(outcomes.contains(&format!("lost not-observable {lost}")), "{outcomes:?}");
    }
    assert!(told.of("state").all(|state| state["wrong"] == 0), "{}", told.shown());
}

#[test]
#[ignore = "needs mosquitto"]
fn a_broker_that_died_is_said_and_what_it_could_not_tell_is_not_missed() {
    let (_broker, run) = broken_off("");
    let told = Told::by(run);

    told.ended_with(4, 0);
    nothing_is_held_against_it(&told);
    assert_eq!(told.summary()["broker_died"], true);
    let (planned, done) = (told.acts("planned"), told.acts("done"));
    assert_eq!((planned["connect"], done["connect"]), (233, 233));
    assert!(done["lost"] > 0, "{done:?}");
    assert!(planned["disconnect"] > done["disconnect"], "{done:?}");
    assert!(told.ended.err.contains("went away in the middle of the run\n  cause: "));
}

#[test]
#[ignore = "needs mosquitto"]
fn devices_come_back_when_the_broker_does_if_asked() {
    let (mut broker, run) = broken_off("--reconnect");
    broker.restart();
    let told = Told::by(run);

    // Connections were lost, and that is not as planned.
    told.ended_with(1, 0);
    nothing_is_held_against_it(&told);
    assert_eq!(told.summary()["broker_died"], false);
    let (mut planned, mut done) = (told.acts("planned"), told.acts("done"));
    let lost = done.remove("lost").expect("they were");
    assert_eq!(done.remove("connect"), Some(planned["connect"] + lost), "all came back");
    planned.retain(|act, _| !["connect", "lost"].contains(act));
    assert_eq!(done, planned);
    assert_eq!(retained(&broker), "end here\n");
}

#[test]
#[ignore = "needs mosquitto"]
fn without_a_log_to_hear_births_and_wills_tell() {
    let broker = Mosquitto::start(&["log_dest stderr"]);
    let told = Told::by(verify(&broker.url(), "--count 120 -k 2s"));

    told.ended_with(0, 0);
    let voices: Vec<_> = told.of("voice").map(|voice| &voice["voice"]).collect();
    assert_eq!(voices, ["status"]);
    assert!(told.of("told").all(|row| row["voice"] == "status"), "{}", told.shown());
    assert_eq!(told.outcomes("status").len(), 7);
    // A goodbye is told by nobody.
    let state = told.of("state").next().expect("it is always there");
    assert_eq!((&state["right"], &state["not_observable"]), (&80.into(), &40.into()), "{state}");
}

/// Waits for the end of a verification that could not begin.
#[track_caller]
fn nobody_came(broker: &Mosquitto, mut run: Presence) -> Ended {
    let ended = run.ended(DEADLINE);
    assert_eq!((ended.code, &*ended.out), (Some(4), ""), "{}", ended.err);
    assert!(
        ended.err.contains("\n  cause: ") && ended.err.contains("\n  next:  "),
        "{}",
        ended.err
    );
    assert!(!broker.log().contains("as sim-deaf-0 "), "{}", broker.log());
    ended
}

#[test]
#[ignore = "needs mosquitto"]
fn where_nothing_tells_no_device_connects() {
    let broker = Mosquitto::start(&["log_dest stderr"]);
    let run = verify(&broker.url(), "--count 50 --run deaf --no-will --no-birth --timeout 3s");
    let ended = nobody_came(&broker, run);

    assert!(ended.err.contains("nothing tells who is connected"), "{}", ended.err);
    assert!(broker.log().contains("as sim-deaf-probe "), "the names are others: {}", broker.log());
}

#[test]
#[ignore = "needs mosquitto"]
fn where_the_evidence_is_refused_no_device_connects() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let scene = refusing(folder.path(), &["#", "$SYS/#", "$presence/#"]);
    let run = verify(&scene.broker.url(), "--count 50 --run deaf");
    let ended = nobody_came(&scene.broker, run);

    assert!(ended.err.contains("refused"), "{}", ended.err);
    assert!(!scene.broker.log().contains("as sim-deaf-"), "{}", scene.broker.log());
}
