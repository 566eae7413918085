//! Recordings: whole, torn, joined in any order, and not to be trusted.

use crate::run::recording::{
    BROKER, first_run, heading, judged, message, second_run, source, text,
};
use crate::run::{Home, Run, T};
use serde_json::{Value, json};

fn states(run: &Run) -> Vec<(String, String)> {
    let is_told =
        run.err.starts_with("warning: nobody listened to ") && run.err.lines().count() == 2;
    assert!(run.code == 0 && (run.err.is_empty() || is_told), "{}", run.err);
    run.states()
}

fn of(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    expected.iter().map(|(client, state)| ((*client).into(), (*state).into())).collect()
}

fn night() -> Vec<Value> {
    [first_run(), second_run()].concat()
}

#[test]
fn the_order_in_which_recordings_are_read_changes_no_verdict() {
    let home = Home::with("first.jsonl", text(&first_run()));
    home.write("second.jsonl", text(&second_run()));
    home.write("forth.jsonl", text(&night()));
    home.write("back.jsonl", text(&[second_run(), first_run()].concat()));
    let expected = of(&[("a", "unknown"), ("b", "offline"), ("c", "online")]);

    let forth = home.run("replay -q --json forth.jsonl");
    assert_eq!(states(&forth), expected);
    assert_eq!(forth.objects()[0]["last_known"]["state"], "online");
    assert_eq!(forth.summary()["gaps"], 1);
    for files in [
        "first.jsonl second.jsonl",
        "second.jsonl first.jsonl",
        "back.jsonl",
        "second.jsonl first.jsonl second.jsonl forth.jsonl",
    ] {
        let run = home.run(&format!("replay -q --json {files}"));
        assert_eq!(run.verdicts(), forth.verdicts(), "{files}");
        assert_eq!(run.summary()["gaps"], 1, "{files}");
    }
}

#[test]
fn what_is_heard_in_an_older_epoch_does_not_keep_a_later_one_alive() {
    // The second run was killed at 62 s; nothing of the first tells until when it listened.
    let home = Home::with("second.jsonl", text(&second_run()[..5]));
    let mut first = first_run();
    first.insert(4, message("a", 100_000, "connect", "c9"));
    home.write("first.jsonl", text(&first));

    let run = home.run("replay -q --json second.jsonl first.jsonl --at 2025-10-09T08:55:00Z");

    assert_eq!(states(&run), of(&[("a", "unknown"), ("b", "unknown"), ("c", "unknown")]));
}

#[test]
fn a_run_that_was_killed_is_judged_at_its_last_arrival() {
    let torn = text(&night()[..11]) + r#"{"type":"judged","inst"#;
    let home = Home::with("night.jsonl", torn);

    let run = home.run("replay -q --json night.jsonl");

    assert_eq!(run.code, 0);
    assert_eq!(run.states(), of(&[("a", "unknown"), ("b", "offline"), ("c", "online")]));
    assert_eq!(run.summary()["malformed"], 1);
    assert!(
        run.err
            .contains("1 line was set aside, the first is night.jsonl, line 12: unreadable: EOF")
    );
    home.run("replay --strict night.jsonl").failed(1, "night.jsonl, line 12: unreadable");
}

#[test]
fn what_came_while_it_was_not_decided_what_had_been_lost_covers_nobody() {
    let mut undecided = source(1, 0, 5_000);
    undecided["patience_ms"] = json!(-1);
    let run = [
        heading(0),
        source(1, 0, 0),
        message("a", 5_000, "connect", "c1"),
        // The connection was lost and is back; the account tells it after this.
        message("a", 8_000, "tcpclean", "c1"),
        undecided,
        judged(8_003),
    ];
    let home = Home::with("night.jsonl", text(&run));

    let run = home.run("replay -q --json night.jsonl");

    assert_eq!(states(&run), of(&[("a", "unknown")]));
    assert_eq!(run.objects()[0]["last_known"]["state"], "offline");
    assert_eq!(run.objects()[0]["last_known"]["until_ms"], T + 5_000);
}

#[test]
fn what_the_broker_says_about_itself_shows_that_somebody_listened() {
    let mut lines = first_run()[..4].to_vec();
    let mut uptime = message("x", 20_000, "connect", "x");
    uptime["topic"] = json!("$SYS/broker/uptime");
    uptime["payload"] = json!("77 seconds");
    lines.push(uptime);
    let home = Home::with("night.jsonl", text(&lines));

    assert_eq!(
        states(&home.run("replay -q --json night.jsonl --at 1760000031000")),
        of(&[("a", "online"), ("b", "online")])
    );
    assert_eq!(
        states(&home.run("replay -q --json night.jsonl --at 1760000033000")),
        of(&[("a", "unknown"), ("b", "unknown")])
    );
}

#[test]
fn at_shows_what_was_known_then() {
    let home = Home::with("night.jsonl", text(&night()));
    for (at, expected) in [
        (500, &[][..]),
        (1_500, &[("a", "online")]),
        (9_000, &[("a", "online"), ("b", "online")]),
        // The watcher was away.
        (30_000, &[("a", "unknown"), ("b", "unknown")]),
        (60_500, &[("a", "unknown"), ("b", "unknown")]),
        (61_500, &[("a", "unknown"), ("b", "offline")]),
        (70_000, &[("a", "unknown"), ("b", "offline"), ("c", "online")]),
        (200_000, &[("a", "unknown"), ("b", "unknown"), ("c", "unknown")]),
    ] {
        let run = home.run(&format!("replay -q --json night.jsonl --at {}", T + at));
        assert_eq!(states(&run), of(expected), "{at}");
    }
}

#[test]
fn a_moment_at_which_nobody_listened_is_told_with_when_somebody_did() {
    let home = Home::with("night.jsonl", text(&night()));
    let next =
        "ask about a moment in which somebody did, or read what another watcher recorded then";
    let between = "2025-10-09T08:53:45.000Z: not from 2025-10-09T08:53:29.000Z, \
                   until 2025-10-09T08:53:50.000Z";
    let after = "2025-10-09T09:01:40.000Z: not from 2025-10-09T08:54:30.000Z, \
                 and nothing that was read tells of later";
    for (at, said) in
        [(5_000, None), (25_000, Some(between)), (61_500, None), (500_000, Some(after))]
    {
        let run = home.run(&format!("replay -q --json night.jsonl --at {}", T + at));
        let said = said.map_or_else(String::new, |said| {
            format!("warning: nobody listened to `{BROKER}` at {said}\n  next:  {next}\n")
        });
        assert_eq!((run.code, &run.err), (0, &said), "{at}");
        let are_unknown = run.states().iter().all(|(_, state)| state == "unknown");
        assert_eq!(are_unknown, !said.is_empty(), "{at}: {}", run.out);
    }
}

#[test]
fn a_recording_of_a_newer_release_is_refused_even_where_its_form_has_changed() {
    let mut newer = heading(0);
    newer["version"] = json!(2);
    let mut other = json!({"type": "recording", "version": 7, "sources": []});
    for heading in [&mut newer, &mut other] {
        let version = heading["version"].clone();
        let home = Home::with("night.jsonl", text(&[vec![heading.take()], first_run()].concat()));
        home.run("replay night.jsonl")
            .failed(4, &format!("night.jsonl, line 1: a recording of version {version}"));
    }
}

#[test]
fn a_heading_that_cannot_be_used_is_refused_and_not_passed_over() {
    let with = |pointer: &str, value: Value| {
        let mut heading = heading(0);
        *heading.pointer_mut(pointer).expect("it is there") = value;
        heading
    };
    for heading in [
        with("/version", json!("one")),
        with("/instance", json!(null)),
        with("/policy", json!({})),
        with("/policy/skew_ms", json!("1s")),
        with("/reading/dialects", json!(["klingon"])),
        with("/reading/status_topic", json!("no/client")),
        {
            let mut heading = heading(0);
            heading["reading"]["time_zone"] = json!("Mars/Olympus");
            heading
        },
        json!({"type": "recording"}),
    ] {
        let shown = heading.to_string();
        let first = text(&[vec![heading.clone()], first_run()[1..].to_vec()].concat());
        let later = text(&[first_run(), vec![heading]].concat());
        for (place, content) in [("line 1", first), ("line 7", later)] {
            let home = Home::with("night.jsonl", content);
            let run = home.run("replay night.jsonl");
            run.failed(4, &format!("night.jsonl, {place}: a heading that cannot be used"));
            assert!(!run.err.contains("--time-zone"), "{shown}: {}", run.err);
        }
    }
}

#[test]
fn a_torn_heading_is_a_torn_line() {
    let home = Home::with("night.jsonl", r#"{"type":"recording","ver"#.to_owned() + "\n");
    home.write("whole.jsonl", text(&first_run()));
    let both =
        std::fs::read_to_string(home.path().join("night.jsonl")).unwrap() + &text(&first_run());
    home.write("night.jsonl", both);

    let run = home.run("replay -q --json night.jsonl");

    assert_eq!(run.code, 0);
    assert_eq!(run.verdicts(), home.run("replay -q --json whole.jsonl").verdicts());
    assert_eq!(run.summary()["malformed"], 1);
}

#[test]
fn lines_that_no_watcher_could_have_written_are_set_aside() {
    let with = |mut line: Value, field: &str, value: Value| {
        line[field] = value;
        line
    };
    let huge = json!(u64::MAX);
    let client = json!({"type": "client", "instance": BROKER, "client": "x", "voices": [
        {"voice": "lmq", "authority": 1, "records": [{"channel": null, "strong": true}]},
    ]});
    let mut lines = first_run();
    lines.splice(
        4..4,
        [
            with(source(1, 0, 0), "epoch", huge.clone()),
            with(with(source(1, 0, 0), "epoch", huge), "member", json!("other")),
            with(source(1, 0, 0), "patience_ms", json!(i64::MAX)),
            client,
            with(message("a", 0, "connect", "c"), "payload", json!(null)),
            json!({"type": "weather", "rain": true}),
            json!({"type": "judged"}),
        ],
    );
    let home = Home::with("night.jsonl", text(&lines));

    let run = home.run("replay -q --json night.jsonl");

    assert_eq!(run.code, 0, "{}", run.err);
    assert_eq!(run.states(), of(&[("a", "online"), ("b", "online")]));
    assert_eq!(run.summary()["malformed"], 7);
}

#[test]
fn times_at_the_ends_of_the_scale_do_no_harm() {
    for time in [i64::MIN, i64::MIN + 1, -1, 0, i64::MAX] {
        let mut lines = first_run();
        lines[1]["began_ms"] = json!(time);
        lines[1]["heard_ms"] = json!(time);
        lines[2]["received_ms"] = json!(time);
        lines[5]["now_ms"] = json!(time);
        lines.push(json!({"type": "restart", "instance": BROKER, "time_ms": time}));
        for field in ["skew_ms", "close_grace_ms", "future_ms", "loop_window_ms", "judge_skew_ms"] {
            lines[0]["policy"][field] = json!(time);
        }
        lines[0]["policy"]["channels_max"] = json!(u64::MAX);
        lines[0]["policy"]["loop_count"] = json!(0);
        let home = Home::with("night.jsonl", text(&lines));
        for line in ["replay -q night.jsonl", "replay -q --json night.jsonl"] {
            let run = home.run(&format!("{line} --at={time}"));
            // Before all that was recorded nothing can be told.
            let expected = if run.err.contains("nobody was heard of by") { 3 } else { 0 };
            assert_eq!(run.code, expected, "{time}: {}", run.err);
            assert_eq!(run.err.is_empty(), expected == 0, "{time}: {}", run.err);
        }
        assert_eq!(home.run("replay -q night.jsonl").code, 0, "{time}");
        assert_eq!(home.run("store import night.jsonl").code, 0, "{time}");
        assert_eq!(home.run("store info").code, 0, "{time}");
        assert_eq!(home.run(&format!("check a b -b {BROKER} --evidence store")).code, 3, "{time}");
    }
}

#[test]
fn a_recording_is_judged_by_its_own_policy_but_for_what_is_asked_for() {
    let mut lines = first_run();
    lines[0]["policy"]["skew_ms"] = json!(60_000);
    lines[0]["policy"]["loop_count"] = json!(2);
    lines.insert(4, message("a", 3_000, "connect", "c4"));
    let home = Home::with("night.jsonl", text(&lines));
    let anomalies = |options: &str| {
        let run = home.run(&format!("replay -q --json night.jsonl {options}"));
        assert_eq!(run.code, 0, "{}", run.err);
        run.objects()[0]["anomalies"].clone()
    };

    assert_eq!(anomalies(""), json!(["concurrent-open", "flapping", "takeover-loop"]));
    assert_eq!(anomalies("--skew 500ms"), json!(["flapping", "superseded-open", "takeover-loop"]));
    assert_eq!(anomalies("--loop 5/60s"), json!(["concurrent-open"]));
    // What is typed counts, be it the default.
    assert_eq!(anomalies("--skew 1s"), json!(["flapping", "superseded-open", "takeover-loop"]));
    assert_eq!(anomalies("--loop 4/60s"), json!(["concurrent-open"]));
}

#[test]
fn of_several_policies_that_of_the_latest_recording_counts_in_any_order() {
    let mut second = second_run();
    second[0]["policy"]["close_grace_ms"] = json!(null);
    second.insert(5, message("c", 63_000, "disconnect", "c3"));
    second.push(judged(100_000));
    second[7] = source(2, 30_000, 100_000);
    let home = Home::with("first.jsonl", text(&first_run()));
    home.write("second.jsonl", text(&second));

    let forth = home.run("replay -q --json first.jsonl second.jsonl");

    assert_eq!(states(&forth), of(&[("a", "unknown"), ("b", "offline"), ("c", "closing")]));
    let back = home.run("replay -q --json second.jsonl first.jsonl");
    assert_eq!(back.verdicts(), forth.verdicts());
}

#[test]
fn a_hole_that_several_voices_share_is_one() {
    let voice = |mut line: Value, voice: &str| {
        line["voice"] = json!(voice);
        line
    };
    let mut lines = second_run();
    for name in ["mosquitto", "status"] {
        lines.insert(2, voice(source(1, 0, 9_000), name));
        lines.insert(4, voice(source(2, 30_000, 60_000), name));
    }
    let home = Home::with("night.jsonl", text(&lines));

    let run = home.run("replay -q --json night.jsonl");

    assert_eq!((run.code, &run.summary()["gaps"]), (0, &json!(1)));
    assert!(home.run("replay -q night.jsonl").out.ends_with(" · 1 gap\n"));
}
