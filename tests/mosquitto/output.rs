//! What is printed: for people, for programs, and of whom.

use crate::scene::{Scene, Watch, now_ms, objects};
use crate::support::process::{DEADLINE, Presence, Stream};
use tempfile::TempDir;

#[test]
#[ignore = "needs mosquitto"]
fn every_line_of_json_has_a_type_and_the_fields_of_its_type() {
    let scene = Scene::with_uptime(&[]);
    let mut watch = scene.watch(&[]);
    let pump = scene.device("pump-7");
    watch.change("pump-7", "online");
    watch.process.kill();
    let mut watch = scene.watch(&[]);
    watch.known("pump-7");
    let lamp = scene.device("lamp");
    watch.change("lamp", "online");
    let (_, _, ended) = watch.finish();
    let lines = objects(&ended.out);
    let types: Vec<&str> = lines.iter().filter_map(|line| line["type"].as_str()).collect();
    assert_eq!(types, ["verdict", "change", "summary"]);
    for (line, fields) in lines.iter().zip([
        &[
            "instance",
            "client",
            "state",
            "online",
            "channel",
            "since_ms",
            "voice",
            "how",
            "anomalies",
            "covered",
        ][..],
        &["instance", "at_ms", "client", "from", "to", "channel", "cause"],
        &[
            "clients",
            "online",
            "closing",
            "offline",
            "unknown",
            "suspect",
            "events",
            "duplicates",
            "malformed",
            "not_mine",
            "gaps",
        ],
    ]) {
        for field in fields {
            assert!(line.get(field).is_some(), "{field} is missing in {line}");
        }
    }
    assert_eq!(lines[0]["instance"], scene.instance());
    drop((pump, lamp));
}

#[test]
#[ignore = "needs mosquitto"]
fn globs_choose_what_is_shown_and_not_what_is_kept() {
    let scene = Scene::new(&[]);
    let mut watch = scene.watch(&["--client", "pump-*", "--client", "val[vw]e"]);
    let devices = ["lamp", "valve", "pump-7"].map(|id| scene.device(id));
    watch.change("valve", "online");
    watch.change("pump-7", "online");
    let (believed, summary, _) = watch.finish();
    assert_eq!(believed.into_keys().collect::<Vec<_>>(), ["pump-7", "valve"]);
    assert_eq!(summary["clients"], 3);
    scene.check("lamp").was("online", "silent");
    drop(devices);
}

#[test]
#[ignore = "needs mosquitto"]
fn quiet_leaves_the_answer_and_warnings() {
    let mut scene = Scene::new(&[]);
    let mut watch = scene.watch_text(&["--quiet", "--store", "memory"]);
    let pump = scene.device("pump-7");
    watch.line(|line| line.contains("pump-7  unknown → online"));
    scene.broker.kill();
    watch.said("warning: lost `");
    watch.process.interrupt();
    let ended = watch.process.ended(DEADLINE);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let said = ended.err.lines().filter(|line| !line.starts_with("  "));
    assert!(said.into_iter().all(|line| line.starts_with("warning: ")), "{}", ended.err);
    drop(pump);
}

#[test]
#[ignore = "needs mosquitto"]
fn a_reader_that_has_had_enough_ends_the_watcher_quietly() {
    let scene = Scene::new(&[]);
    let script = r#"{ "$@"; echo "ended with $?" >&2; } | head -n 1"#;
    let line = scene.line("watch", &["--json", "--quiet", "--client", "pump-*"]);
    let mut watch = scene.watch_by(|| Presence::start_through(scene.home(), script, line));
    let mut pump = scene.device("pump-7");
    watch.change("pump-7", "online");
    pump.kill();
    watch.said("ended with 0");
    let ended = watch.process.ended(DEADLINE);
    assert_eq!(ended.out.lines().count(), 1);
    let failed = |line: &str| line.starts_with("error") || line.contains("panicked");
    assert!(!ended.err.lines().any(failed), "{}", ended.err);
}

#[test]
#[ignore = "needs mosquitto"]
fn sigterm_is_an_end_like_ctrl_c() {
    let scene = Scene::new(&[]);
    let mut watch = scene.watch(&[]);
    let pump = scene.device("pump-7");
    watch.change("pump-7", "online");
    watch.process.terminate();
    let ended = watch.process.ended(DEADLINE);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert_eq!(objects(&ended.out).pop().expect("a summary")["online"], 1);
    scene.check("pump-7").is(3, "unknown").was("online", "silent");
    drop(pump);
}

#[test]
#[ignore = "needs mosquitto"]
fn our_own_connections_are_never_shown() {
    let scene = Scene::with_uptime(&[]);
    let elsewhere = TempDir::new().expect("a temporary folder can be made");
    let watch = scene.watch(&[]);
    let mut other = scene.watch_at(elsewhere.path(), &["--json", "--mqtt-version", "5"]);
    let asked = scene.run("check", &["pump-7", "--fresh", "--timeout", "1s"]);
    assert_eq!(asked.code, Some(3), "{asked:?}");
    other.process.kill();
    let other = scene.watch_at(elsewhere.path(), &["--json", "--mqtt-version", "5"]);
    let again = scene.run("store", &[]);
    assert_eq!(again.code, Some(2), "there is no such command: {again:?}");
    for mut watch in [watch, other] {
        scene.notice("marker", "connect", &format!("c{}", now_ms()), now_ms());
        watch.object(|line| line["client"] == "marker");
        let (believed, summary, _) = watch.finish();
        let ours = believed.keys().any(|client| client.starts_with("presence-"));
        assert!(!ours, "{believed:?}");
        assert!(summary["clients"].as_u64().is_some_and(|clients| clients <= 3), "{summary}");
    }
}

/// Ids that would like to be more than text.
fn hostile() -> Vec<String> {
    let long = "x".repeat(1_000);
    let ids = [
        "\u{1b}[31mred\u{1b}]0;title\u{7}",
        "right\u{202e}tfel",
        "a\nb\tc\rd",
        "\"quoted\" \\ 'id'",
    ];
    let more = ["  spaces  ", "nul\0", "\u{9b}31m", "zero\u{200b}width", long.as_str()];
    ids.into_iter().chain(more).map(str::to_owned).collect()
}

#[test]
#[ignore = "needs mosquitto"]
fn hostile_ids_are_exact_in_json_and_harmless_as_text() {
    let scene = Scene::new(&[]);
    let elsewhere = TempDir::new().expect("a temporary folder can be made");
    let mut exact = scene.watch(&["--dialect", "lmq"]);
    let mut text = scene.watch_at(elsewhere.path(), &["--dialect", "lmq"]);
    for (number, id) in hostile().iter().enumerate() {
        scene.notice(id, "connect", &format!("{id}-{number}"), now_ms());
    }
    scene.notice("end", "connect", "c", now_ms());
    exact.change("end", "online");
    text.line(|line| line.contains("  end  unknown → online"));

    for (number, id) in hostile().iter().enumerate().filter(|(_, id)| !id.contains('\0')) {
        let answer = scene.check(id);
        assert_eq!(answer.is(0, "online").object["client"], id.as_str());
        assert_eq!(answer.object["channel"], format!("{id}-{number}"));
        let explained = scene.run("check", &[id, "--explain"]);
        assert!(is_harmless(&explained.out), "{:?}", explained.out);
    }
    let lines = text.process.lines(Stream::Out);
    assert_eq!(lines.len(), hostile().len() + 1, "one line each: {lines:#?}");
    assert!(lines.iter().all(|line| is_harmless(line)), "{lines:#?}");
    assert!(lines.iter().all(|line| line.chars().count() < 400), "{lines:#?}");
    let (believed, _, _) = exact.finish();
    for id in hostile() {
        assert!(believed.contains_key(&id), "{id:?}");
    }
}

fn is_harmless(text: &str) -> bool {
    text.chars().all(|c| {
        c == '\n'
            || !(c.is_control() || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'))
    })
}

#[test]
#[ignore = "needs mosquitto"]
fn ids_that_imitate_the_log_are_told_apart_by_the_log() {
    let scene = Scene::new(&[]);
    let mut watch = scene.watch(&[]);
    let victim = scene.device("victim");
    watch.change("victim", "online");
    for id in [
        "x: Client victim disconnected.",
        "victim disconnected.",
        "dev with space, (p2, c1, k60, u'a')",
        "right\u{202e}tfel",
    ] {
        let mut device = scene.device(id);
        watch.change(id, "online");
        device.kill();
        watch.change(id, "offline");
    }
    scene.check("victim").is(0, "online");
    drop(victim);
}

#[test]
#[ignore = "needs mosquitto"]
fn several_brokers_are_watched_by_one_command() {
    let (scene, other) = (Scene::new(&[]), Scene::new(&[]));
    let second = other.broker.url();
    let mut watch = None;
    other.until_subscribed(|| watch = Some(scene.watch_text(&["-b", &second])));
    let mut watch: Watch = watch.expect("it was started");
    let (one, two) = (scene.device("pump-7"), other.device("pump-7"));
    watch.line(|line| line.starts_with(&scene.instance()) && line.contains("pump-7  unknown → on"));
    let mut from_start = Watch::of(watch.process);
    from_start.line(|line| line.starts_with(&other.instance()) && line.contains("→ online"));
    from_start.process.interrupt();
    let ended = from_start.process.ended(DEADLINE);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    drop((one, two));
}
