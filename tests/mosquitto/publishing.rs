//! What was recorded, sent to a broker.

use crate::scene::Scene;
use crate::support::process::{DEADLINE, Presence, Process, Stream};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// 2025-10-09T08:53:20Z
const T: i64 = 1_760_000_000_000;

fn project(file: &str) -> String {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(file).display().to_string()
}

fn notice(number: i64, kind: &str) -> String {
    let client = format!("GID_x@@@d{}", number % 7);
    json!({"clientId": client, "time": T + number, "eventType": kind, "channelId": number / 7})
        .to_string()
}

/// Writes notices of several clients, and returns the name of the file with its lines.
fn notices(scene: &Scene, count: i64) -> (String, Vec<String>) {
    let kind = |number: i64| if number / 7 % 2 == 0 { "connect" } else { "tcpclean" };
    let lines: Vec<String> = (0..count).map(|number| notice(number, kind(number))).collect();
    let path = scene.file("notices.jsonl");
    std::fs::write(&path, lines.join("\n") + "\n").expect("the folder is ours");
    (path.display().to_string(), lines)
}

/// Starts somebody who hears all that is sent below `replay/`, each as topic and payload.
fn subscriber(scene: &Scene) -> Process {
    scene.broker.subscribe("replay/#", &["-q", "2", "-F", "%t %p"])
}

fn heard(subscriber: &Process, count: usize) -> Vec<String> {
    let mut read = 0;
    for _ in 0..count {
        read = subscriber.wait_line_from(Stream::Out, read, |_| true, DEADLINE).0;
    }
    subscriber.lines(Stream::Out)
}

/// Publishes files with these options, and returns what was told of it.
#[track_caller]
fn publish(scene: &Scene, file: &str, options: &[&str]) -> Value {
    let run = scene.run("replay", &[&[file, "-q", "--json", "--publish"], options].concat());
    assert_eq!((run.code, &*run.err), (Some(0), ""));
    serde_json::from_str(run.out.trim()).expect("one object")
}

#[test]
#[ignore = "needs mosquitto"]
fn a_subscriber_gets_what_the_log_holds_in_its_order() {
    let scene = Scene::new(&["max_queued_messages 0"]);
    let (file, lines) = notices(&scene, 2_000);
    for qos in ["0", "1", "2"] {
        for version in ["3.1.1", "5"] {
            let subscriber = subscriber(&scene);
            let options = ["--speed", "max", "--qos", qos, "--mqtt-version", version];
            let told = publish(&scene, &file, &options);
            let heard = heard(&subscriber, lines.len());
            let expected: Vec<String> = lines
                .iter()
                .enumerate()
                .map(|(n, line)| format!("replay/$presence/GID_x@@@d{} {line}", n % 7))
                .collect();
            assert_eq!(heard, expected, "QoS {qos}, {version}");
            let acknowledged = if qos == "0" { 0 } else { 2_000 };
            assert_eq!(told["sent"], 2_000, "{told}");
            assert_eq!(told["acknowledged"], acknowledged, "{told}");
            assert_eq!((&told["lost"], &told["resent"]), (&0.into(), &0.into()), "{told}");
        }
    }
}

#[test]
#[ignore = "needs mosquitto"]
fn a_recording_is_sent_under_its_own_topics_and_nothing_is_retained() {
    let scene = Scene::new(&[]);
    let night = project("docs/examples/night.jsonl");
    let text = std::fs::read_to_string(&night).expect("it is there");
    let recorded: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).expect("it is JSON"))
        .filter(|line: &Value| line["type"] == "message")
        .collect();
    let expected: Vec<String> = recorded
        .iter()
        .map(|line| {
            let text = |field: &str| line[field].as_str().expect("a text").to_owned();
            format!("replay/{} {}", text("topic"), text("payload"))
        })
        .collect();
    let subscriber = subscriber(&scene);
    let told = publish(&scene, &night, &["--speed", "1000x"]);
    assert_eq!(heard(&subscriber, expected.len()), expected);
    assert!(told["late_max_ms"].is_f64() && told["sent"] == expected.len(), "{told}");
    // Whoever comes later hears nothing of it.
    let later = scene.broker.subscribe("#", &["-F", "%t"]);
    scene.broker.publish("end", "", &[]);
    assert_eq!(later.wait_line(|_| true, DEADLINE), "end");

    let told = publish(&scene, &night, &["--speed", "max", "--retain", "--topic-prefix", "kept/"]);
    let topics = told["retained_topics"].as_u64().expect("a number");
    let kept = scene.broker.subscribe("kept/#", &["-F", "%t %r"]);
    let kept = heard(&kept, usize::try_from(topics).expect("it is small"));
    assert!(topics > 5 && kept.iter().all(|line| line.ends_with(" 1")), "{kept:?}");
}

#[test]
#[ignore = "needs mosquitto"]
fn watching_what_is_published_comes_to_the_verdicts_of_replay() {
    let scene = Scene::new(&[]);
    let notices = project("docs/examples/notices.jsonl");
    for (options, qos) in [
        (&["--speed", "max"][..], "1"),
        (&["--speed", "max", "--shuffle", "1m", "--dup", "20%", "--seed", "5"], "2"),
    ] {
        let home = tempfile::TempDir::new().expect("a temporary folder can be made");
        let mut watch = scene.watch_at(
            home.path(),
            &["--json", "--dialect", "lmq", "--topic", "replay/$presence/#", "--clean"],
        );
        let run =
            scene.run("replay", &[&[&*notices, "-q", "--publish", "--qos", qos], options].concat());
        assert_eq!(run.code, Some(0), "{}", run.err);
        scene.broker.publish("replay/$presence/end", &notice(6, "connect"), &["-q", "1"]);
        watch.change("GID_x@@@d6", "online");
        let (mut believed, ..) = watch.finish();
        believed.remove("GID_x@@@d6");
        let line = ["replay", "-q", "--json", &*notices];
        let judged = Presence::start_in(home.path(), line, &[]).ended(DEADLINE);
        let expected: BTreeMap<String, (String, Value)> = judged
            .out
            .lines()
            .map(|line| serde_json::from_str::<Value>(line).expect("it is JSON"))
            .filter(|object| object["type"] == "verdict" && object["state"] != "unknown")
            .map(|object| {
                let text = |field: &str| object[field].as_str().expect("a text").to_owned();
                (text("client"), (text("state"), object["channel"].clone()))
            })
            .collect();
        let told = |client: &String| believed.get(client).cloned();
        for (client, expected) in &expected {
            assert_eq!(told(client).as_ref(), Some(expected), "{client}");
        }
        assert_eq!(believed.len(), expected.len(), "{believed:?}");
    }
}

#[test]
#[ignore = "needs mosquitto"]
fn a_broker_that_takes_one_message_at_a_time_gets_them_all() {
    let scene = Scene::new(&["max_inflight_messages 1", "max_queued_messages 0"]);
    let (file, lines) = notices(&scene, 300);
    for qos in ["1", "2"] {
        let options = ["--speed", "max", "--mqtt-version", "5", "--qos", qos];
        let told = publish(&scene, &file, &options);
        assert_eq!(told["acknowledged"], lines.len(), "{told}");
    }
}

#[test]
#[ignore = "needs mosquitto"]
fn a_broker_that_starts_anew_gets_what_it_had_not_acknowledged() {
    let mut scene = Scene::new(&[]);
    let (file, lines) = notices(&scene, 400);
    let options = ["--publish", "--json", "--speed", "0.1x", "--qos", "1", &*file];
    let before = subscriber(&scene);
    let mut run = scene.start("replay", &options);
    heard(&before, 50);
    scene.broker.kill();
    run.wait_line_of(Stream::Err, |line| line.contains("warning: "), DEADLINE);
    scene.broker.restart();
    let ended = run.ended(DEADLINE);
    assert_eq!(ended.code, Some(0), "{}", ended.err);
    assert!(ended.err.contains("connected again"), "{}", ended.err);
    let told: Value = serde_json::from_str(ended.out.trim()).expect("one object");
    assert_eq!((&told["sent"], &told["acknowledged"]), (&lines.len().into(), &lines.len().into()));
    assert_eq!((&told["reconnects"], &told["lost"]), (&1.into(), &0.into()), "{told}");
}

#[test]
#[ignore = "needs mosquitto"]
fn whoever_interrupts_gets_the_account() {
    let scene = Scene::new(&[]);
    let (file, _) = notices(&scene, 400);
    let subscriber = subscriber(&scene);
    let mut run = scene.start("replay", &["--publish", "--speed", "0.001x", "--json", &*file]);
    heard(&subscriber, 3);
    run.interrupt();
    let ended = run.ended(DEADLINE);
    assert_eq!(ended.code, Some(130), "{}", ended.err);
    let told: Value = serde_json::from_str(ended.out.trim()).expect("one object");
    assert_eq!(told["interrupted"], true);
    assert_eq!(told["acknowledged"], told["sent"], "what was sent has come: {told}");
    let sum = ["sent", "unsent"].map(|field| told[field].as_u64().expect("a number"));
    assert!(sum[0] >= 3 && sum[1] > 0 && sum[0] + sum[1] <= 400, "{told}");
}

#[test]
#[ignore = "needs mosquitto"]
fn a_topic_can_be_made_from_the_client_and_all_be_sent_again() {
    let scene = Scene::new(&[]);
    let path = scene.file("odd.jsonl");
    let odd = json!({"clientId": "a/b#", "time": T, "eventType": "connect", "channelId": "c"});
    let nobody = json!({"time": T, "eventType": "connect", "channelId": "c"});
    std::fs::write(&path, format!("{odd}\n{nobody}\n")).expect("the folder is ours");
    let subscriber = subscriber(&scene);
    let path = path.display().to_string();
    let options = ["--publish-topic", "of/{client}/{n}", "--repeat", "2", "--speed", "max"];
    let run = scene.run("replay", &[&["--publish", "--json", &*path], &options[..]].concat());
    assert_eq!(run.code, Some(0), "{}", run.err);
    let topics: Vec<String> = heard(&subscriber, 2)
        .iter()
        .map(|line| line.split(' ').next().expect("a topic").to_owned())
        .collect();
    assert_eq!(topics, ["replay/of/a%2Fb%23/1", "replay/of/a%2Fb%23/3"]);
    let told: Value = serde_json::from_str(run.out.trim()).expect("one object");
    assert_eq!((&told["left_out"], &told["rounds"]), (&2.into(), &2.into()), "{told}");
    let options = ["--publish", "--json", "--speed", "max", "--client", "b*", &*path];
    let run = scene.run("replay", &options);
    let told: Value = serde_json::from_str(run.out.trim()).expect("one object");
    assert_eq!((&told["sent"], &told["not_chosen"]), (&0.into(), &2.into()), "{told}");
}
