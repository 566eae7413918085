//! What was recorded amounts to what was watched.

use crate::scene::{Scene, Watch, now_ms};
use std::fs::OpenOptions;
use std::io::Write as _;

const RECORD: [&str; 2] = ["--record", "night.jsonl"];

/// Ends a watcher and replays what it recorded: the same must be believed.
#[track_caller]
fn replays(scene: &Scene, watch: Watch) {
    let (watched, summary, _) = watch.finish();
    let (replayed, other, ended) = scene.replay("night.jsonl");
    assert_eq!(replayed, watched, "replayed and watched");
    for field in ["clients", "online", "closing", "offline", "unknown", "suspect"] {
        assert_eq!(other[field], summary[field], "{field}: {other} and {summary}");
    }
    assert_eq!(ended.err, "");
}

#[test]
#[ignore = "needs mosquitto"]
fn lives_of_every_kind_replay_as_they_were_watched() {
    let scene = Scene::new(&[]);
    let mut watch = scene.watch(&RECORD);
    let mut crashed = scene.device("crashed");
    let left = scene.device("left");
    let mut older = scene.device("taken-over");
    let lamp = scene.device_with_status("lamp");
    watch.change("lamp", "online");
    crashed.kill();
    left.terminate();
    older.suspend();
    let newer = scene.device("taken-over");
    older.kill();
    for client in ["crashed", "left"] {
        scene.wait_check(client, |answer| answer.code == Some(1));
    }
    scene.notice("a", "connect", "c1", now_ms());
    watch.change("a", "online");
    replays(&scene, watch);
    drop((newer, lamp));
}

#[test]
#[ignore = "needs mosquitto"]
fn a_goodbye_just_before_the_end_replays_as_closing() {
    let scene = Scene::new(&[]);
    let mut watch = scene.watch(&RECORD);
    let now = now_ms();
    scene.notice("a", "connect", "c1", now - 5_000);
    scene.notice("b", "connect", "c2", now - 60_000);
    scene.notice("b", "disconnect", "c2", now - 40_000);
    scene.notice("a", "disconnect", "c1", now);
    watch.change("a", "closing");
    let (watched, _, _) = watch.finish();
    assert_eq!((watched["a"].0.as_str(), watched["b"].0.as_str()), ("closing", "offline"));
    assert_eq!(scene.replay("night.jsonl").0, watched);
}

#[test]
#[ignore = "needs mosquitto"]
fn what_the_store_knew_before_is_part_of_the_recording() {
    let scene = Scene::with_uptime(&[]);
    let mut watch = scene.watch(&[]);
    let early = scene.device("early");
    let mut gone = scene.device("gone");
    watch.change("early", "online");
    watch.change("gone", "online");
    gone.kill();
    watch.change("gone", "offline");
    watch.finish();
    let mut watch = scene.watch(&RECORD);
    assert_eq!(watch.known("early")["state"], "online");
    let late = scene.device("late");
    watch.change("late", "online");
    replays(&scene, watch);
    drop((early, late));
}

#[test]
#[ignore = "needs mosquitto"]
fn holes_replay_as_they_were_watched() {
    let mut scene = Scene::new(&["sys_interval 1", "persistence true"]);
    let mut watch = scene.watch(&[&RECORD[..], &["--dialect", "status,lmq"]].concat());
    scene.broker.publish("devices/kept/status", "online", &["-r"]);
    scene.broker.publish("devices/lost/status", "online", &[]);
    scene.notice("before", "connect", "c1", now_ms());
    watch.change("before", "online");
    scene.restart_broker();
    watch.change("lost", "unknown");
    scene.notice("after", "connect", "c2", now_ms());
    watch.change("after", "online");
    scene.check("kept").is(0, "online");
    replays(&scene, watch);
}

#[test]
#[ignore = "needs mosquitto"]
fn drops_replay_as_they_were_watched() {
    let scene = Scene::with_uptime(&["max_queued_messages 5", "max_inflight_messages 0"]);
    let mut watch = scene.watch(&RECORD);
    let steady = scene.device("steady");
    watch.change("steady", "online");
    watch.process.kill();
    for number in 0..5 {
        scene.broker.publish("nothing", "", &["-i", &format!("passer-by-{number}")]);
    }
    let mut watch = scene.watch(&RECORD);
    watch.said("warning: nobody listened to");
    assert_eq!(watch.known("steady")["state"], "unknown");
    let (watched, _, _) = watch.finish();
    assert_eq!(scene.replay("night.jsonl").0, watched);
    drop(steady);
}

#[test]
#[ignore = "needs mosquitto"]
fn a_recording_goes_on_after_a_kill_and_a_torn_line_is_said() {
    let scene = Scene::with_uptime(&[]);
    let mut watch = scene.watch(&RECORD);
    let pump = scene.device("pump-7");
    watch.change("pump-7", "online");
    watch.process.kill();
    let (believed, _, ended) = scene.replay("night.jsonl");
    assert_eq!((believed["pump-7"].0.as_str(), ended.err.as_str()), ("online", ""));

    // What a power cut in the middle of a write leaves.
    let torn = br#"{"type":"message","received_ms":17"#;
    let file = OpenOptions::new().append(true).open(scene.file("night.jsonl"));
    file.and_then(|mut file| file.write_all(torn)).expect("it was written before");
    let mut watch = scene.watch(&RECORD);
    watch.said("warning: the last line of `night.jsonl` was torn");
    watch.known("pump-7");
    let lamp = scene.device("lamp");
    watch.change("lamp", "online");
    let (watched, _, _) = watch.finish();
    let (replayed, summary, ended) = scene.replay("night.jsonl");
    assert_eq!((replayed, &summary["malformed"]), (watched, &1.into()));
    assert!(ended.err.contains("1 line"), "{}", ended.err);
    drop((pump, lamp));
}

#[test]
#[ignore = "needs mosquitto"]
fn a_second_recorder_of_one_file_is_refused() {
    let scene = Scene::new(&[]);
    let mut watch = scene.watch(&RECORD);
    let pump = scene.device("pump-7");
    watch.change("pump-7", "online");
    let options = [&["--store", "other.db"], &RECORD[..]].concat();
    let ended = scene.run("watch", &options);
    assert_eq!((ended.code, ended.out.as_str()), (Some(4), ""), "{ended:?}");
    assert!(ended.err.contains("another process is recording into it"), "{}", ended.err);
    replays(&scene, watch);
    drop(pump);
}

#[test]
#[ignore = "needs mosquitto"]
fn a_return_that_is_not_decided_at_the_end_replays_as_unknown() {
    let mut scene = Scene::new(&["persistence true"]);
    let mut watch = scene.watch(&RECORD);
    let pump = scene.device("pump-7");
    watch.change("pump-7", "online");
    pump.suspend();
    scene.restart_broker();
    // Within two seconds; later it is decided, and the same holds.
    replays(&scene, watch);
    drop(pump);
}
