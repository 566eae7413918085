//! What is done with changes beside showing them, and when watching ends by itself.

use crate::scene::{Scene, Watch, notice, now_ms, objects};
use crate::support::process::{DEADLINE, Ended, Process};
use serde_json::Value;
use std::fs;
use std::io::Read as _;
use std::net::TcpListener;

/// Publishes notices one after the other, with next to no time between them.
fn notices(scene: &Scene, lines: &[(&str, &str, &str)]) {
    let bodies: String = lines
        .iter()
        .map(|(client, event, channel)| notice(client, event, channel, now_ms()) + "\n")
        .collect();
    let mut command = scene.broker.client("mosquitto_pub");
    command.args(["-q", "1", "-t", "$presence/notices", "-l"]);
    let mut publisher = Process::start(&mut command);
    publisher.write(&bodies);
    assert!(publisher.ended(DEADLINE).status.success());
}

/// Waits until it has ended by itself, and returns the lines it printed.
fn ended(watch: Watch) -> (Vec<Value>, Ended) {
    let mut watch = watch;
    let ended = watch.process.ended(DEADLINE);
    (objects(&ended.out), ended)
}

fn changes(lines: &[Value]) -> Vec<(&str, &str)> {
    let changes = lines.iter().filter(|line| line["type"] == "change");
    changes.filter_map(|line| Some((line["client"].as_str()?, line["to"].as_str()?))).collect()
}

#[test]
#[ignore = "needs mosquitto"]
fn a_command_is_run_for_the_changes_it_is_for() {
    let scene = Scene::new(&[]);
    let told = scene.file("told");
    let script =
        r#"read -r object; printf "%s\n" "$object" >> "$0"; exit "${PRESENCE_CHANGE_CLIENT#*-}""#;
    let command = format!("sh -c '{script}' {}", told.display());
    let options = ["--dialect", "lmq", "--exec", &command, "--exec-on", "offline,closing"];
    let more = ["--client", "pump-*", "--exec-timeout", "20s"];
    let mut watch = scene.watch(&[&options[..], &more].concat());
    let hostile = "pump-0\n$(touch pwned);`touch pwned`";
    let all = ["pump-0", hostile, "pump-3", "lamp-0"];
    notices(&scene, &all.map(|client| (client, "connect", "c1")));
    notices(&scene, &all.map(|client| (client, "tcpclean", "c1")));
    watch.change("pump-3", "offline");
    let (_, summary, ended) = watch.finish();

    let lines = objects(&fs::read_to_string(&told).expect("it was written"));
    let mut clients: Vec<&str> = lines.iter().filter_map(|line| line["client"].as_str()).collect();
    clients.sort_unstable();
    assert_eq!(clients, ["pump-0", hostile, "pump-3"]);
    assert!(lines.iter().all(|line| line["to"] == "offline" && line["type"] == "change"));
    assert!(!scene.file("pwned").exists());
    let exec = &summary["exec"];
    // That of the hostile one is no number.
    assert_eq!((&exec["run"], &exec["failed"]), (&3.into(), &2.into()), "{summary}");
    // They end one after the other, and may be told of together or one by one.
    let told: u64 = ended
        .err
        .lines()
        .filter_map(|line| {
            line.strip_prefix("warning: ")?.split_once(" of `--exec` failed, the last")
        })
        .filter_map(|(count, _)| count.split(' ').next()?.parse::<u64>().ok())
        .sum();
    assert_eq!(told, 2, "{}", ended.err);
}

#[test]
#[ignore = "needs mosquitto"]
fn what_hangs_holds_up_neither_watching_nor_its_end() {
    let scene = Scene::new(&["max_queued_messages 0"]);
    // Whoever connects is never answered.
    let hook = TcpListener::bind(("127.0.0.1", 0)).expect("loopback has a free port");
    let url = format!("http://u:hunter2@{}/x", hook.local_addr().expect("it is bound"));
    let options = ["--dialect", "lmq", "--exec", "sleep 600", "--exec-timeout", "500ms"];
    let more = ["--webhook", &url, "--webhook-timeout", "500ms"];
    let mut watch = scene.watch_text(&[&options[..], &more].concat());
    let clients: Vec<String> = (0..2_000).map(|number| format!("c{number}")).collect();
    let lines: Vec<_> = clients.iter().map(|id| (id.as_str(), "connect", "c1")).collect();
    notices(&scene, &lines);
    watch.line(|line| line.contains("  c1999  unknown → online"));
    let (mut asked, _) = hook.accept().expect("it connects");
    let mut head = [0; 5];
    asked.read_exact(&mut head).expect("it asks");
    assert_eq!(&head, b"POST ");

    watch.process.interrupt();
    let ended = watch.process.ended(DEADLINE);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let told = |begins: &str| ended.out.lines().find(|line| line.starts_with(begins));
    let posted = told("webhook: ");
    assert_eq!(posted, Some("webhook: 0 changes delivered in 0 batches · 2,000 not sent"));
    let ran = told("commands: ").expect("commands were run");
    assert!(ran.contains(" timed out"), "{ran}");
    assert!(ran.contains(" changes dropped") && ran.contains(" not run"), "{ran}");
    assert!(!ended.err.contains("hunter2\n") && !ended.err.contains("hunter2@"), "{}", ended.err);
    assert!(ended.err.contains("did not take changes: no answer in time"), "{}", ended.err);
}

#[test]
#[ignore = "needs mosquitto"]
fn what_does_not_last_is_held_back_and_what_lasts_ends_it() {
    let scene = Scene::new(&[]);
    let options = ["--dialect", "lmq", "--debounce", "2s", "--fail-on", "offline,gap"];
    let mut watch = scene.watch(&options);
    notices(&scene, &[("a", "connect", "c1"), ("b", "connect", "c1")]);
    watch.change("a", "online");
    let online = watch.change("b", "online");
    assert!(online["held_ms"].as_i64().is_some_and(|held| held >= 2_000), "{online}");
    notices(&scene, &[("a", "tcpclean", "c1"), ("a", "connect", "c2"), ("b", "tcpclean", "c1")]);

    let (lines, ended) = ended(watch);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert_eq!(changes(&lines), [("a", "online"), ("b", "online"), ("b", "offline")]);
    let summary = lines.last().expect("there is one");
    assert_eq!(summary["failed_on"], "offline");
    assert_eq!(summary["debounce"], serde_json::json!({ "withheld": 2, "waiting": 0 }));
    let said = "warning: `--fail-on offline` ends it: `b` of localhost:";
    assert!(ended.err.contains(said), "{}", ended.err);
}

#[test]
#[ignore = "needs mosquitto"]
fn it_ends_after_so_many_changes_and_after_a_time() {
    let scene = Scene::new(&[]);
    let watch = scene.watch(&["--dialect", "lmq", "--count", "2"]);
    notices(&scene, &["a", "b", "c"].map(|client| (client, "connect", "c1")));
    let (lines, once) = ended(watch);
    assert_eq!((once.code, changes(&lines).len()), (Some(0), 2), "{once:?}");
    assert_eq!(lines.last().expect("a summary")["type"], "summary");

    let (lines, once) = ended(scene.watch(&["--for", "300ms"]));
    assert_eq!((once.code, changes(&lines).len()), (Some(0), 0), "{once:?}");
    assert_eq!(lines.last().expect("a summary")["type"], "summary");
}

#[test]
#[ignore = "needs mosquitto"]
fn what_comes_too_late_and_what_is_lost_fail_it() {
    let mut scene = Scene::new(&[]);
    let watch = scene.watch(&["--dialect", "lmq", "--fail-on", "offline,lag>30s"]);
    scene.notice("a", "connect", "c1", now_ms() - 3_600_000);
    let (lines, once) = ended(watch);
    assert_eq!((once.code, &lines.last().expect("one")["failed_on"]), (Some(1), &"lag>30s".into()));

    let watch = scene.watch(&["--dialect", "lmq", "--fail-on", "gap"]);
    // It keeps no sessions across its end.
    scene.restart_broker();
    let (lines, once) = ended(watch);
    assert_eq!((once.code, &lines.last().expect("one")["failed_on"]), (Some(1), &"gap".into()));
}
