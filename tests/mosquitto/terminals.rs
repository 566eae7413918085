//! The story of two terminals: `watch` in one, `check` in the other.

use crate::scene::Scene;
use crate::support::process::DEADLINE;

#[test]
#[ignore = "needs mosquitto"]
fn what_one_terminal_shows_the_other_one_answers() {
    let scene = Scene::new(&[]);
    let mut watch = scene.watch_text(&[]);
    watch.said("is known yet: each is with its next event");

    let mut pump = scene.device("pump-7");
    watch.line(|line| line.contains("pump-7  unknown → online  connect  from 127.0.0.1:"));
    let answer = scene.check("pump-7");
    answer.is(0, "online");
    assert_eq!(answer.object["covered"], true);
    assert_eq!(answer.object["voice"], "mosquitto");

    pump.kill();
    watch.line(|line| line.contains("pump-7  online → offline  tcpclean  abrupt"));
    let answer = scene.check("pump-7");
    answer.is(1, "offline");
    assert_eq!(answer.object["how"], "abrupt");

    let mut pump = scene.device("pump-7");
    watch.line(|line| line.contains("pump-7  offline → online  connect"));
    scene.check("pump-7").is(0, "online");

    // Stopped, or it would come back by itself and throw the newcomer out.
    pump.suspend();
    let second = scene.device("pump-7");
    watch.line(|line| line.contains("pump-7  online → online  connect (a new connection took"));
    pump.kill();
    scene.check("pump-7").is(0, "online");

    let explained = scene.run("check", &["pump-7", "--explain"]);
    assert_eq!(explained.code, Some(0), "{explained:?}");
    for part in [
        "pump-7  online  since ",
        "decided: mosquitto reported the connection, and no end of it",
        "listening: presence-",
        "asked: store: ",
    ] {
        assert!(explained.out.contains(part), "{part}: {}", explained.out);
    }
    assert_eq!(explained.err, "");

    watch.process.interrupt();
    let ended = watch.process.ended(DEADLINE);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(ended.out.contains("1 unnamed take-over"), "{}", ended.out);
    drop(second);
}

#[test]
#[ignore = "needs mosquitto"]
fn a_broker_that_restarts_makes_everybody_unknown_until_they_are_heard_of() {
    let mut scene = Scene::new(&[]);
    let mut watch = scene.watch_text(&[]);
    let mut pump = scene.device("pump-7");
    watch.line(|line| line.contains("pump-7  unknown → online"));

    scene.broker.kill();
    pump.kill();
    watch.said("warning: lost `mqtt://127.0.0.1:");
    let subscribed = |log: &str| log.matches("Sending SUBACK to presence-").count();
    let before = subscribed(&scene.broker.log());
    scene.broker.restart();
    scene.broker.wait_log(|log| subscribed(log) > before);
    watch.line(|line| line.contains("pump-7  online → unknown  gap: watcher was away "));
    watch.said("warning: nobody listened to `localhost:");
    let answer = scene.check("pump-7");
    answer.is(3, "unknown").was("online", "away");

    let pump = scene.device("pump-7");
    watch.line(|line| line.contains("pump-7  unknown → online  connect"));
    scene.check("pump-7").is(0, "online");
    drop(pump);
}

#[test]
#[ignore = "needs mosquitto"]
fn a_watcher_that_ends_leaves_what_was_last_known_and_goes_on_from_there() {
    let scene = Scene::with_uptime(&[]);
    let mut watch = scene.watch_text(&[]);
    let pump = scene.device("pump-7");
    watch.line(|line| line.contains("pump-7  unknown → online"));
    watch.process.interrupt();
    assert_eq!(watch.process.ended(DEADLINE).code, Some(0));

    scene.check("pump-7").is(3, "unknown").was("online", "silent");
    let explained = scene.run("check", &["pump-7", "--explain", "--evidence", "store"]);
    assert_eq!(explained.code, Some(3), "{explained:?}");
    for part in [
        "pump-7  unknown  was online until ",
        "no one has listened since ",
        "decided: nothing, because no one has listened since ",
        "no longer listening: presence-",
        "what would help: run `presence watch` against this broker",
    ] {
        assert!(explained.out.contains(part), "{part}: {}", explained.out);
    }

    let mut watch = scene.watch_text(&[]);
    watch.line(|line| line.starts_with("pump-7  online  since "));
    scene.check("pump-7").is(0, "online");
    drop(pump);
}
