//! What a watcher may still say after it was away.

use crate::scene::{Scene, objects};
use crate::support::process::{DEADLINE, Stream};
use tempfile::TempDir;

/// Returns what a watcher said, but for what it recognised.
fn warnings(said: &str) -> Vec<&str> {
    said.lines().filter(|line| !line.starts_with("heard `")).collect()
}

#[test]
#[ignore = "needs mosquitto"]
fn a_killed_watcher_that_is_soon_back_has_missed_nothing() {
    let scene = Scene::with_uptime(&[]);
    let mut watch = scene.watch(&[]);
    let steady = scene.device("steady");
    let mut leaving = scene.device("leaving");
    watch.change("steady", "online");
    watch.change("leaving", "online");

    watch.process.kill();
    leaving.kill();
    scene.broker.wait_log(|log| log.contains("Client leaving closed its connection."));
    let coming = scene.device("coming");
    let mut watch = scene.watch(&[]);

    for (client, state, code) in [("coming", "online", 0), ("leaving", "offline", 1)] {
        assert_eq!(watch.known(client)["state"], state, "{client}");
        scene.check(client).is(code, state);
    }
    let known = watch.known("steady");
    assert_eq!((&known["state"], &known["covered"]), (&"online".into(), &true.into()), "{known}");
    scene.check("steady").is(0, "online");
    let (_, summary, ended) = watch.finish();
    assert_eq!((&summary["gaps"], warnings(&ended.err)), (&0.into(), vec![]));
    drop((steady, coming));
}

#[test]
#[ignore = "needs mosquitto"]
fn a_queue_that_overran_makes_everybody_unknown() {
    let scene = Scene::with_uptime(&["max_queued_messages 5", "max_inflight_messages 0"]);
    let mut watch = scene.watch(&[]);
    let mut steady = scene.device("steady");
    watch.change("steady", "online");

    watch.process.kill();
    for number in 0..5 {
        scene.broker.publish("nothing", "", &["-i", &format!("passer-by-{number}")]);
    }
    // The broker counts at once, and tells the count when it tells its age.
    scene.wait_ticks(1);
    let mut watch = scene.watch(&[]);

    watch.said("dropped");
    watch.said("warning: nobody listened to `localhost:");
    assert_eq!(watch.known("steady")["state"], "unknown");
    let answer = scene.check("steady");
    answer.is(3, "unknown").was("online", "away");
    let explained = scene.run("check", &["steady", "--explain", "--evidence", "store"]);
    // What overran when the watcher came back, by its own subscriptions, is told with the next count: then
    // that is the latest hole.
    let away = ["because watcher was away 20", "because something was lost at 20"];
    assert!(away.iter().any(|why| explained.out.contains(why)), "{}", explained.out);

    // What was dropped when the watcher came back is told with the next count.
    scene.wait_ticks(1);
    steady.kill();
    watch.change("steady", "offline");
    let steady = scene.device("steady");
    watch.change("steady", "online");
    scene.check("steady").is(0, "online");
    let (_, summary, _) = watch.finish();
    assert_ne!(summary["gaps"], 0, "{summary}");
    drop(steady);
}

#[test]
#[ignore = "needs mosquitto"]
fn messages_that_the_broker_drops_while_we_listen_make_everybody_unknown() {
    let scene = Scene::with_uptime(&["max_queued_messages 5", "max_inflight_messages 0"]);
    let mut watch = scene.watch(&[]);
    let steady = scene.device("steady");
    watch.change("steady", "online");

    scene
        .broker
        .client("mosquitto_sub")
        .args(["-i", "sleeper", "-c", "-q", "1", "-t", "a", "-E"])
        .status()
        .expect("mosquitto_sub is installed");
    for _ in 0..8 {
        scene.broker.publish("a", "1", &[]);
    }

    let change = watch.change("steady", "unknown");
    assert_eq!(change["cause"], "gap");
    watch.said("dropped");
    scene.check("steady").is(3, "unknown").was("online", "away");
    drop(steady);
}

#[test]
#[ignore = "needs mosquitto"]
fn a_watcher_that_is_gone_is_noticed_by_those_who_ask() {
    let scene = Scene::new(&[]);
    let mut watch = scene.watch(&["-k", "1"]);
    let pump = scene.device("pump-7");
    watch.change("pump-7", "online");
    watch.process.kill();

    let answer = scene.wait_check("pump-7", |answer| answer.code == Some(3));
    answer.is(3, "unknown").was("online", "silent");
    let text = scene.run("check", &["pump-7", "--evidence", "store"]);
    assert!(text.out.contains("was online until "), "{}", text.out);
    assert!(text.out.contains("no one has listened since "), "{}", text.out);
    drop(pump);
}

#[test]
#[ignore = "needs mosquitto"]
fn two_watchers_with_two_stores_do_not_fight() {
    let scene = Scene::new(&[]);
    let elsewhere = TempDir::new().expect("a temporary folder can be made");
    let mut one = scene.watch(&[]);
    let mut other = scene.watch_at(elsewhere.path(), &["--json"]);
    let pump = scene.device("pump-7");
    one.change("pump-7", "online");
    other.change("pump-7", "online");
    for watch in [one, other] {
        let (believed, summary, _) = watch.finish();
        assert_eq!((believed.len(), &summary["clients"]), (1, &1.into()), "{believed:?}");
    }
    assert!(!scene.broker.log().contains("already connected"));
    drop(pump);
}

#[test]
#[ignore = "needs mosquitto"]
fn a_second_watcher_of_one_store_is_told_who_the_first_is() {
    let scene = Scene::new(&[]);
    let watch = scene.watch(&[]);
    let second = scene.run("watch", &[]);
    assert_eq!((second.code, second.out.as_str()), (Some(4), ""));
    let holder = format!("process {} holds it", watch.process.pid());
    assert!(second.err.contains(&holder), "{}", second.err);
    let (_, _, ended) = watch.finish();
    assert!(!ended.err.contains("lost"), "the first was disturbed: {}", ended.err);
}

#[test]
#[ignore = "needs mosquitto"]
fn gaps_are_bridged_where_the_user_wants_it() {
    // Without its uptime nobody can tell that the broker did not restart.
    let scene = Scene::new(&["sys_interval 0"]);
    let mut watch = scene.watch(&[]);
    let mut pump = scene.device("pump-7");
    watch.change("pump-7", "online");
    watch.process.kill();
    let mut watch = scene.watch(&[]);
    watch.said("warning: nobody listened to");
    assert_eq!(watch.known("pump-7")["state"], "unknown");
    scene.check("pump-7").is(3, "unknown").was("online", "away");
    pump.kill();
    watch.change("pump-7", "offline");
    watch.process.kill();

    let mut watch = scene.watch(&["--bridge-gaps", "1m"]);
    assert_eq!(watch.known("pump-7")["state"], "offline");
    scene.check("pump-7").is(1, "offline");
    let (_, summary, ended) = watch.finish();
    let once = "the hole of an earlier run is not told again";
    assert_eq!((&summary["gaps"], warnings(&ended.err)), (&0.into(), vec![]), "{once}");
}

#[test]
#[ignore = "needs mosquitto"]
fn a_broker_that_kept_the_session_over_its_restart_lost_nothing() {
    let mut scene = Scene::new(&["persistence true", "sys_interval 1"]);
    let mut watch = scene.watch(&[]);
    let mut pump = scene.device("pump-7");
    let lamp = scene.device("lamp");
    watch.change("pump-7", "online");
    watch.change("lamp", "online");
    pump.kill();
    lamp.suspend();
    watch.change("pump-7", "offline");
    scene.restart_broker();

    // Whether its start was delivered or it said how young it is: nobody is called online.
    let lines = watch.object(|line| line["client"] == "lamp" && line["to"] != "online");
    assert_ne!(lines["to"], "online");
    let answer = scene.check("lamp");
    assert_ne!(answer.code, Some(0), "{answer:?}");
    let ended = watch.finish().2;
    let online = objects(&ended.out).into_iter().rev().find(|line| line["client"] == "lamp");
    assert_ne!(online.expect("it was told of")["to"], "online");
}

#[test]
#[ignore = "needs mosquitto"]
fn the_first_watcher_on_a_running_broker_says_that_nobody_is_known() {
    let scene = Scene::new(&[]);
    let pump = scene.device("pump-7");
    let mut watch = scene.watch_text(&[]);
    watch.said("is known yet: each is with its next event");
    scene.check("pump-7").is(3, "unknown");
    watch.process.terminate();
    let ended = watch.process.ended(DEADLINE);
    assert_eq!(ended.code, Some(0), "SIGTERM is the end that a service manager asks for");
    assert!(watch.process.lines(Stream::Out)[0].starts_with("STATE"), "{ended:?}");
    drop(pump);
}

#[test]
#[ignore = "needs mosquitto"]
fn a_return_that_is_cut_short_is_told_with_the_next_one() {
    let mut scene = Scene::new(&["persistence true", "sys_interval 0"]);
    let mut watch = scene.watch(&[]);
    let mut pump = scene.device("pump-7");
    watch.change("pump-7", "online");
    pump.kill();
    watch.change("pump-7", "offline");

    // Back with its session, it waits for the end of the backlog; then the session is gone for good.
    scene.restart_broker();
    scene.broker.kill();
    let kept = scene.broker.folder().join("mosquitto.db");
    std::fs::remove_file(kept).expect("an orderly end has written it");
    scene.restart_broker();

    assert_eq!(watch.change("pump-7", "unknown")["cause"], "gap");
    let pump = scene.device("pump-7");
    watch.change("pump-7", "online");
    scene.check("pump-7").is(0, "online");
    drop(pump);
}

#[test]
#[ignore = "needs mosquitto"]
fn the_age_that_the_broker_told_before_we_came_vouches_for_it() {
    let scene = Scene::new(&[]);
    // Told at the start and then every eleven seconds: the return sees the retained one alone.
    scene.wait_uptime(10);
    let mut watch = scene.watch(&[]);
    let pump = scene.device("pump-7");
    watch.change("pump-7", "online");
    watch.process.kill();
    let mut watch = scene.watch(&[]);
    assert_eq!(watch.known("pump-7")["state"], "online");
    drop(pump);
}
