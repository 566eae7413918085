//! What devices say of themselves: births, wills, and retained status.

use crate::fleet::Fleet;
use crate::scene::Scene;
use crate::support::process::DEADLINE;

const STATUS: [&str; 2] = ["--dialect", "status"];

#[test]
#[ignore = "needs mosquitto"]
fn three_lives_are_told_and_a_goodbye_leaves_the_birth_standing() {
    let scene = Scene::new(&[]);
    let mut watch = scene.watch(&STATUS);
    for from in ["unknown", "offline"] {
        let mut lamp = scene.device_with_status("lamp");
        let born = watch.change("lamp", "online");
        assert_eq!((&born["from"], &born["voice"]), (&from.into(), &"status".into()), "{born}");
        scene.check("lamp").is(0, "online");
        lamp.kill();
        watch.change("lamp", "offline");
        scene.check("lamp").is(1, "offline");
    }
    let lamp = scene.device_with_status("lamp");
    watch.change("lamp", "online");
    lamp.terminate();
    scene.broker.wait_log(|log| log.contains("Client lamp disconnected."));
    scene.broker.publish("devices/marker/status", "online", &[]);
    watch.change("marker", "online");
    scene.check("lamp").is(0, "online");
}

#[test]
#[ignore = "needs mosquitto"]
fn the_broker_knows_better_than_a_status_that_a_goodbye_left_behind() {
    let scene = Scene::new(&[]);
    let mut watch = scene.watch(&[]);
    let lamp = scene.device_with_status("lamp");
    watch.change("lamp", "online");
    lamp.terminate();
    watch.change("lamp", "offline");
    let explained = scene.run("check", &["lamp", "--explain"]);
    assert_eq!(explained.code, Some(1), "{explained:?}");
    let both = "status says online, which weighs less (authority 2 before 4)";
    assert!(explained.out.contains(both), "{}", explained.out);
}

#[test]
#[ignore = "needs mosquitto"]
fn retained_status_is_known_when_watching_begins() {
    let scene = Scene::new(&[]);
    scene.broker.publish("devices/a/status", "online", &["-r"]);
    scene.broker.publish("devices/b/status", "offline", &["-r"]);
    let mut watch = scene.watch(&STATUS);
    watch.change("a", "online");
    watch.change("b", "offline");
    // A watcher is not needed for it.
    let alone = ["--evidence", "retained", "--store", "memory", "--dialect", "status"];
    scene.check_with("a", &alone).is(0, "online");
    scene.check_with("b", &alone).is(1, "offline");
    scene.check_with("c", &alone).is(3, "unknown");
}

#[test]
#[ignore = "needs mosquitto"]
fn an_emptied_retained_status_ends_nothing() {
    let scene = Scene::new(&[]);
    scene.broker.publish("devices/a/status", "online", &["-r"]);
    let mut watch = scene.watch(&STATUS);
    watch.change("a", "online");
    scene.broker.publish("devices/a/status", "", &["-r"]);
    scene.broker.publish("devices/b/status", "online", &[]);
    watch.change("b", "online");
    scene.check("a").is(0, "online");
    let (believed, summary, _) = watch.finish();
    assert_eq!(believed["a"].0, "online");
    assert_eq!(summary["malformed"], 0, "{summary}");
}

#[test]
#[ignore = "needs mosquitto"]
fn a_status_can_stand_elsewhere_and_read_otherwise() {
    let scene = Scene::new(&[]);
    let options = [
        "--dialect",
        "status",
        "--status-topic",
        "site/{client}/state",
        "--status-online",
        "up,1",
        "--status-offline",
        "down",
        "--status-json",
        "/link/state",
    ];
    let mut watch = scene.watch(&options);
    let say = |client: &str, body: &str| {
        scene.broker.publish(&format!("site/{client}/state"), body, &["-r"]);
    };
    say("a", r#"{"link":{"state":"up"}}"#);
    watch.change("a", "online");
    say("a", r#"{"link":{"state":"down"}}"#);
    watch.change("a", "offline");
    say("b", r#"{"link":{"state":1}}"#);
    watch.change("b", "online");
    say("c", r#"{"link":{"state":"sideways"}}"#);
    say("d", "no JSON");
    say("e", r#"{"link":{"state":"up"}}"#);
    watch.change("e", "online");
    let alone = ["--evidence", "retained", "--store", "memory"];
    scene.check_with("b", &[&alone[..], &options].concat()).is(0, "online");
    let (_, summary, ended) = watch.finish();
    assert_eq!((&summary["events"], &summary["malformed"]), (&4.into(), &2.into()), "{summary}");
    assert!(ended.err.contains("2 of 6 messages under `"), "{}", ended.err);
    assert!(ended.err.contains("status `sideways`"), "{}", ended.err);
}

#[test]
#[ignore = "needs mosquitto"]
fn retained_status_survives_a_restart_of_the_broker() {
    let mut scene = Scene::new(&["persistence true", "sys_interval 1"]);
    // Status alone: nobody tells us of the start, so there is a hole.
    let mut watch = scene.watch(&STATUS);
    scene.broker.publish("devices/a/status", "online", &["-r"]);
    scene.broker.publish("devices/b/status", "online", &[]);
    watch.change("a", "online");
    watch.change("b", "online");

    scene.restart_broker();

    // What is retained was told again; whose word is not may have gone.
    watch.change("b", "unknown");
    scene.check("a").is(0, "online");
    scene.broker.publish("devices/a/status", "offline", &["-r"]);
    watch.change("a", "offline");
    let (believed, _, _) = watch.finish();
    assert_eq!((believed["a"].0.as_str(), believed["b"].0.as_str()), ("offline", "unknown"));
    let mut later = scene.watch(&STATUS);
    assert_eq!(later.known("b")["state"], "unknown");
    later.process.terminate();
    assert_eq!(later.process.ended(DEADLINE).code, Some(0));
}

#[test]
#[ignore = "needs mosquitto"]
fn a_thousand_devices_are_told_right_after_each_of_three_lives() {
    let scene = Scene::new(&[]);
    let mut watch = scene.watch(&STATUS);
    let mut fleet = Fleet::start(&scene.broker.url(), 2, 2_000);
    fleet.is_told_by(&mut watch);
    fleet.ends_well(watch);
}
