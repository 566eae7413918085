//! aedes 1.2: it tells of clients below `$SYS`, and notices silence to the millisecond.

use crate::life::{Telling, replayed};
use crate::scene::Watch;
use crate::support::aedes::Aedes;
use crate::support::process::Presence;
use crate::support::verification::{Told, verify};
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
