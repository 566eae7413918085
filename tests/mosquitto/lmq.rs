//! Notices as Alibaba's service tells them, published at Mosquitto.

use crate::scene::{Scene, notice, now_ms};
use crate::support::process::DEADLINE;

#[test]
#[ignore = "needs mosquitto"]
fn notices_in_any_order_and_repeated_amount_to_the_same() {
    let scene = Scene::new(&[]);
    let mut watch = scene.watch(&["--dialect", "lmq"]);
    let now = now_ms();
    // The end of the first connection comes last, and the connect once more after it.
    scene.notice("a", "connect", "c2", now - 5_000);
    scene.notice("a", "connect", "c1", now - 60_000);
    scene.notice("a", "tcpclean", "c1", now - 4_000);
    scene.notice("a", "connect", "c1", now - 60_000);
    // Its end was heard before its connect.
    scene.notice("b", "tcpclean", "c3", now - 1_000);
    scene.notice("b", "connect", "c3", now - 9_000);
    // The end of the older connection was lost: a ghost.
    scene.notice("c", "connect", "c4", now - 90_000);
    scene.notice("c", "connect", "c5", now - 30_000);
    scene.notice("c", "tcpclean", "c5", now - 1_000);
    scene.notice("end", "connect", "c9", now);
    watch.change("end", "online");

    let answer = scene.check("a");
    answer.is(0, "online");
    assert_eq!(answer.object["channel"], "c2");
    scene.check("b").is(1, "offline");
    let answer = scene.check("c");
    answer.is(1, "offline");
    assert_eq!(answer.object["anomalies"], serde_json::json!(["superseded-open"]));
    let (believed, summary, _) = watch.finish();
    assert_eq!(believed["a"], ("online".to_owned(), "c2".into()));
    assert_eq!((&summary["events"], &summary["duplicates"]), (&10.into(), &1.into()), "{summary}");
}

#[test]
#[ignore = "needs mosquitto"]
fn a_goodbye_is_closing_until_its_grace_is_over() {
    let scene = Scene::new(&[]);
    let mut watch = scene.watch(&["--dialect", "lmq", "--close-grace", "1s"]);
    let now = now_ms();
    scene.notice("a", "connect", "c1", now - 5_000);
    watch.change("a", "online");
    scene.notice("a", "disconnect", "c1", now_ms());
    watch.change("a", "closing");
    let change = watch.change("a", "offline");
    assert_eq!((&change["cause"], &change["how"]), (&"grace".into(), &"graceful".into()));
    let answer = scene.check_with("a", &["--close-grace", "1s"]);
    answer.is(1, "offline");
    assert_eq!(answer.object["inferred"], true);
    // Whoever is ready to wait for longer judges otherwise.
    scene.check_with("a", &["--close-grace", "never"]).is(0, "closing");
}

#[test]
#[ignore = "needs mosquitto"]
fn what_cannot_be_read_is_counted_and_shown() {
    let scene = Scene::new(&[]);
    let mut watch = scene.watch(&["--dialect", "lmq", "--topic", "notices/#"]);
    let say = |topic: &str, body: &str| scene.broker.publish(topic, body, &[]);
    say("notices/1", "not JSON");
    say("notices/2", r#"{"eventType":"connect","channelId":"x","time":1}"#);
    say("notices/3", r#"{"clientId":"a","eventType":"heartbeat","channelId":"x","time":1}"#);
    say("elsewhere", &notice("b", "connect", "c1", now_ms()));
    say("notices/4", &notice("c", "connect", "c1", now_ms()));
    watch.change("c", "online");
    let answer = scene.check("a");
    assert_eq!(answer.is(3, "unknown").object["anomalies"], serde_json::json!(["unknown-event"]));
    let (believed, summary, ended) = watch.finish();
    assert!(!believed.contains_key("b"), "nobody listens there");
    for (field, count) in [
        ("events", 1),
        ("malformed", 3),
        ("unreadable", 1),
        ("client_missing", 1),
        ("unknown_event", 1),
        ("not_mine", 0),
        ("clients", 2),
    ] {
        assert_eq!(summary[field], count, "{field}: {summary}");
    }
    let first = "3 of 4 messages under `";
    assert!(ended.err.contains(first), "{}", ended.err);
    assert!(ended.err.contains("notices/1: unreadable"), "{}", ended.err);
}

#[test]
#[ignore = "needs mosquitto"]
fn what_no_dialect_speaks_is_counted() {
    let scene = Scene::new(&[]);
    let mut watch = scene.watch(&["--topic", "mixed/#"]);
    scene.broker.publish("mixed/temperature", "21.5", &[]);
    scene.broker.publish("mixed/notice", &notice("a", "connect", "c1", now_ms()), &[]);
    watch.change("a", "online");
    let (_, summary, ended) = watch.finish();
    assert_eq!((&summary["not_mine"], &summary["events"]), (&1.into(), &1.into()), "{summary}");
    assert_eq!(summary["malformed"], 0);
    assert!(!ended.err.contains("not understood"), "{}", ended.err);
}

#[test]
#[ignore = "needs mosquitto"]
fn a_service_that_ends_a_channel_twice_is_believed_once() {
    let scene = Scene::new(&[]);
    let mut watch = scene.watch_text(&["--dialect", "lmq"]);
    let now = now_ms();
    for event in ["connect", "disconnect", "tcpclean", "tcpclean", "disconnect", "connect"] {
        scene.notice("a", event, "c1", if event == "connect" { now - 9_000 } else { now });
    }
    scene.notice("end", "connect", "c2", now);
    watch.line(|line| line.contains("end  unknown → online"));
    scene.check("a").is(1, "offline");
    watch.process.interrupt();
    let ended = watch.process.ended(DEADLINE);
    let told: Vec<&str> = ended.out.lines().filter(|line| line.contains("  a  ")).collect();
    assert_eq!(told.len(), 3, "online, closing, offline: {told:?}");
}
