//! The options that change how clients are judged, each with the case that it decides.

use crate::run::{Home, T, lines, notice};
use serde_json::{Value, json};

/// Replays notices about `a` and returns its verdict.
#[track_caller]
fn verdict(notices: &[(i64, &str, &str)], options: &str) -> Value {
    let text: Vec<String> =
        notices.iter().map(|(at, kind, channel)| notice("a", *at, kind, channel)).collect();
    let home = Home::with("a.jsonl", lines(&text));
    let run = home.run(&format!("replay -q --json a.jsonl {options}"));
    // Some of the moments lie after the end of what is told.
    let is_told = run.err.is_empty() || run.err.starts_with("warning: what was read ends at ");
    assert!(run.code == 0 && is_told, "{options}: {}", run.err);
    run.objects().swap_remove(0)
}

/// Notices, options, and the state and anomalies they come to.
type Case<'a> = (&'a [(i64, &'a str, &'a str)], &'a str, &'a str, &'a [&'a str]);

#[test]
fn each_option_decides_its_case() {
    let goodbye = [(0, "connect", "x"), (5_000, "disconnect", "x"), (6_000, "connect", "y")];
    let goodbye_alone = &goodbye[..2];
    let two = [(0, "connect", "x"), (3_000, "connect", "y")];
    let loop_of_three = [
        (0, "connect", "x"),
        (1, "tcpclean", "x"),
        (20_000, "connect", "y"),
        (20_001, "tcpclean", "y"),
        (40_000, "connect", "z"),
    ];
    let at_10_s = format!("--at {}", T + 10_000);
    let cases: [Case<'_>; 14] = [
        (goodbye_alone, "", "offline", &["tcpclean-missing"]),
        (goodbye_alone, &at_10_s, "closing", &[]),
        (goodbye_alone, &format!("{at_10_s} --close-grace 0s"), "offline", &["tcpclean-missing"]),
        (goodbye_alone, &format!("{at_10_s} --close-grace 5s"), "offline", &["tcpclean-missing"]),
        (goodbye_alone, &format!("{at_10_s} --close-grace 5001ms"), "closing", &[]),
        (goodbye_alone, "--close-grace never", "closing", &[]),
        (goodbye_alone, "--close-grace never --at 2030-01-01T00:00:00Z", "closing", &[]),
        (&two, "", "online", &["superseded-open"]),
        (&two, "--skew 3s", "online", &["concurrent-open"]),
        (&two, "--skew 2999ms", "online", &["superseded-open"]),
        (&loop_of_three, "", "online", &[]),
        (&loop_of_three, "--loop 3/40s", "online", &["flapping"]),
        (&loop_of_three, "--loop 3/39999ms", "online", &[]),
        (&goodbye, "--close-grace never", "online", &["superseded-open"]),
    ];
    for (notices, options, state, anomalies) in cases {
        let found = verdict(notices, options);
        assert_eq!((&found["state"], &found["anomalies"]), (&json!(state), &json!(anomalies)));
    }
}

#[test]
fn only_as_many_channels_are_remembered_as_are_asked_for() {
    let notices = [
        (0, "connect", "x"),
        (1_000, "connect", "y"),
        (100_000, "connect", "z"),
        (101_000, "tcpclean", "z"),
    ];
    assert_eq!(verdict(&notices, "--channels 2")["anomalies"], json!(["superseded-open"]));
    assert_eq!(verdict(&notices, "--channels 1")["anomalies"], json!([]));
    assert_eq!(verdict(&notices, "--channels 1")["state"], "offline");
}

#[test]
fn a_stamp_from_the_future_is_not_believed() {
    let notices = [(0, "connect", "x"), (600_000, "tcpclean", "y")];
    let now = format!("--now {T}");

    let found = verdict(&notices, &now);
    assert_eq!(found["anomalies"], json!(["connect-missing", "future-time"]));
    assert_eq!((&found["state"], &found["last_heard_ms"]), (&json!("online"), &json!(T)));

    for options in ["", &format!("{now} --future 10m"), &format!("--now {}", T + 300_000)] {
        let found = verdict(&notices, options);
        assert_eq!(found["anomalies"], json!(["connect-missing"]), "{options}");
        assert_eq!(found["last_heard_ms"], T + 600_000);
    }
    assert_eq!(
        verdict(&notices, &format!("{now} --future 599999ms"))["anomalies"],
        json!(["connect-missing", "future-time"])
    );
}

#[test]
fn a_goodbye_dated_far_ahead_counts_without_its_time() {
    let ahead = 10 * 365 * 86_400_000;
    let found = verdict(&[(0, "connect", "x"), (ahead, "disconnect", "x")], "");
    assert_eq!(found["state"], "offline");
    assert_eq!(found["anomalies"], json!(["future-time", "tcpclean-missing"]));
}

#[test]
fn at_leaves_out_what_came_later() {
    let notices = [
        (0, "connect", "x"),
        (10_000, "connect", "y"),
        (10_100, "tcpclean", "x"),
        (20_000, "tcpclean", "y"),
    ];
    for (at, state, channel) in [
        (0, "online", "x"),
        (9_999, "online", "x"),
        (10_000, "online", "y"),
        (20_000, "offline", "y"),
    ] {
        let found = verdict(&notices, &format!("--at {}", T + at));
        assert_eq!((&found["state"], &found["channel"]), (&json!(state), &json!(channel)), "{at}");
    }
    let before = Home::with("a.jsonl", lines(&[notice("a", 0, "connect", "x")]));
    before
        .run("replay -q a.jsonl --at 2020-01-01T00:00:00Z")
        .failed(3, "nobody was heard of by 2020");
}

#[test]
fn a_log_is_judged_at_its_end_and_not_today() {
    let found = verdict(&[(0, "connect", "x"), (5_000, "disconnect", "x")], "--close-grace 1000d");
    assert_eq!(found["state"], "offline", "the end of a plain log is its last time plus the grace");
    let later = "a later event of another client is no later moment";
    let home = Home::with(
        "a.jsonl",
        lines(&[
            notice("a", 0, "connect", "x"),
            notice("a", 40_000, "disconnect", "x"),
            notice("b", 0, "connect", "x"),
        ]),
    );
    assert_eq!(home.run("replay -q --json a.jsonl").objects()[0]["state"], "offline", "{later}");
}

#[test]
fn the_name_of_the_broker_is_taken_as_given() {
    let found = verdict(&[(0, "connect", "x")], "--instance Plant-3");
    assert_eq!(found["instance"], "Plant-3");
    assert_eq!(verdict(&[(0, "connect", "x")], "")["instance"], "");
}
