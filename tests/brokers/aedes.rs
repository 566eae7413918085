//! aedes 1.2: it tells of clients below `$SYS`, and notices silence to the millisecond.

use crate::life::{Telling, replayed};
use crate::scene::Watch;
use crate::support::aedes::Aedes;
use crate::support::process::{DEADLINE, Presence};
use crate::support::verification::{Told, verify};
use serde_json::Value;
use tempfile::TempDir;

#[test]
#[ignore = "needs aedes"]
fn wills_come_at_every_end_but_a_goodbye_and_a_silence_within_the_window() {
    let broker = Aedes::start();
    let told =
        Told::by(verify(&broker.url(), "--count 120 -k 2s --expect-window aedes --dialect status"));

    told.ended_with(0, 0);
    assert_eq!(
        told.outcomes("status"),
        [
            "connect reported 140",
            "disconnect withheld 40",
            "fin reported 20",
            "nat-drop reported 20",
            "rst reported 20",
            "silence reported 20",
            "takeover reported 20",
        ]
    );
    // One and a half keep alives, and 0.5 s for the way.
    for act in ["silence", "nat-drop"] {
        assert_eq!(told.window("status", act), (3_000, 3_501), "{act}");
    }
    let summary = told.summary();
    assert_eq!((&summary["window"], &summary["broker"]), (&"aedes".into(), &().into()));
    assert!(told.of("state").all(|state| state["wrong"] == 0), "{}", told.shown());
}

#[test]
#[ignore = "needs aedes"]
fn its_own_notices_tell_of_every_end_and_no_goodbye() {
    let broker = Aedes::start();
    // Together with its notices it sends no will to anybody: who listens to both hears births alone.
    let told =
        Told::by(verify(&broker.url(), "--count 60 -k 2s --expect-window aedes --dialect aedes"));

    told.ended_with(0, 0);
    assert_eq!(
        told.outcomes("aedes"),
        [
            "connect reported 70",
            "disconnect reported 20",
            "fin reported 10",
            "nat-drop reported 10",
            "rst reported 10",
            "silence reported 10",
            "takeover reported 10",
        ]
    );
    assert!(told.of("state").all(|state| state["wrong"] == 0), "{}", told.shown());
}

#[test]
#[ignore = "needs aedes"]
fn its_own_notices_tell_a_watcher_who_comes_and_goes() {
    let broker = Aedes::start();
    let home = TempDir::new().expect("a temporary folder can be made");
    let line = ["watch", "--json", "-b", &broker.url(), "--record", "heard.jsonl"];
    let mut watch = Watch::of(Presence::start_in(home.path(), line, &[]));
    watch.said("is known yet");
    let instance = &format!("localhost:{}", broker.port());
    let telling = Telling { voice: "aedes", instance, has_channels: false, has_goodbyes: false };
    let (believed, _) = telling.holds(broker.port(), watch);
    assert_eq!(replayed(home.path(), "heard.jsonl"), believed);
}

#[test]
#[ignore = "needs aedes"]
fn a_probe_counts_for_each_filter_and_knows_why_no_will_comes() {
    let broker = Aedes::start();
    let line = ["probe", "-b", &broker.url(), "--no-silence", "--json"];
    let ended = Presence::start(line).ended(DEADLINE * 2);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let found: Value = serde_json::from_str(&ended.out).expect("it is JSON");

    let topics = found["findings"]["topics"].as_array().expect("it is a list");
    let own = topics.iter().filter(|topic| topic["dialect"] == "aedes");
    let heard: Vec<u64> = own.filter_map(|topic| topic["heard"].as_u64()).collect();
    let deeds = found["findings"]["evidence"].as_array().expect("it is a list").iter();
    let told = |ways: &[&str]| -> u64 {
        let own = deeds.clone().filter(|one| one["dialect"] == "aedes");
        let of_ways = own.filter(|one| ways.iter().any(|way| one["deed"] == *way));
        of_ways.filter_map(|one| one["messages"].as_u64()).sum()
    };
    let (begun, gone) =
        (told(&["connect", "takeover"]), told(&["disconnect", "fin", "rst", "taken-over"]));
    // Those who listen, look up and clear belong to no deed.
    let [came, went] = *heard else { panic!("{topics:?}") };
    assert!((begun..begun + gone).contains(&came), "{begun} {gone} {heard:?}");
    assert!((gone..begun + gone).contains(&went), "{begun} {gone} {heard:?}");
    let refused = found["findings"]["refused"].as_array().expect("it is a list");
    let will = refused.iter().find(|one| one["code"] == "will").expect("no will came");
    assert!(will["next"].as_str().is_some_and(|next| next.contains("--dialect status")), "{will}");
}
