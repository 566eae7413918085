//! What `replay` reads, and what it refuses.

use crate::run::{Home, T, lines, notice, recording};
use serde_json::{Value, json};

const LOG: &str = "\
1795312990: mosquitto version 2.0.11 starting
1795312995: New client connected from 127.0.0.1:55844 as pump-1 (p2, c1, k60).
1795312996: New client connected from 127.0.0.1:55845 as pump-2 (p2, c1, k60).
1795312999: Client pump-2 disconnected.
";
/// Mosquitto's `%Y-%m-%dT%H:%M:%S`, which names no zone.
const LOCAL_LOG: &str = "\
2026-10-25T02:30:00: New client connected from 127.0.0.1:55844 as pump-1 (p2, c1, k60).
2026-10-25T03:30:00: Client pump-1 disconnected.
";

#[test]
fn notices_and_logs_are_told_apart_by_their_content() {
    let home = Home::with("mosquitto.log", LOG);
    home.write("notices", lines(&[notice("pump-1", 0, "connect", "c")]));
    home.write("empty", "");
    home.write("blank", "\n \r\n\t\n");

    let table = "\
CLIENT  STATE    SINCE                     CHANNEL  HOW       ANOMALIES
pump-1  online   2026-11-22T02:03:15.000Z  –        –
pump-2  offline  2026-11-22T02:03:19.000Z  –        graceful

2 clients · 1 online · 1 offline
5 events
";
    home.run("replay mosquitto.log").is(0, table, "mosquitto.log: a log of Mosquitto\n");
    let table = "\
CLIENT  STATE   SINCE                     CHANNEL  HOW  ANOMALIES
pump-1  online  2025-10-09T08:53:20.000Z  c        –

1 client · 1 online
1 event
";
    home.run("replay notices").is(0, table, "notices: LMQ notices\n");
    for name in ["empty", "blank"] {
        let run = home.run(&format!("replay {name}"));
        assert_eq!((run.code, &*run.out), (0, "0 clients\n0 events\n"), "{name}");
        let said = format!("{name}: empty\nwarning: nothing was read from `{name}`: ");
        assert!(run.err.starts_with(&said), "{}", run.err);
    }
    let run = home.run("replay notices empty");
    assert_eq!((run.code, &*run.out), (0, table));
    assert!(run.err.starts_with("notices: LMQ notices\nempty: empty\nwarning: "), "{}", run.err);
}

#[test]
fn standard_input_is_a_file_like_any_other() {
    let home = Home::with("rest", lines(&[notice("b", 5_000, "connect", "d")]));
    let input = lines(&[notice("a", 0, "connect", "c"), notice("b", 1_000, "connect", "c")]);

    let run = home.run_with(&["replay", "--json", "-", "rest"], &input, &[]);

    assert_eq!((run.code, &*run.err), (0, "-: LMQ notices\nrest: LMQ notices\n"));
    assert_eq!(run.states(), [("a".into(), "online".into()), ("b".into(), "online".into())]);
    assert_eq!(run.objects()[1]["channel"], "d");
}

#[test]
fn a_file_that_cannot_be_read_is_said_so() {
    let home = Home::new();
    std::fs::create_dir(home.path().join("folder")).expect("it is writable");

    home.run("replay missing").failed(4, "could not read `missing`\n  cause: No such file");
    home.run("replay folder").failed(4, "could not read `folder`\n  cause: no file is in it");
    home.run("store import missing --instance b:1").failed(4, "could not read `missing`");
}

#[test]
fn what_is_of_no_known_form_is_a_misuse() {
    let garbage: Vec<u8> = (0..100_000_u32).map(|at| (at % 251).to_le_bytes()[0]).collect();
    let home = Home::with("garbage", garbage);
    home.write("prose", "It was a dark night.\n");
    home.write("many", "nothing\n".repeat(2_000));
    home.write("long", vec![b'x'; 9 << 20]);

    for name in ["garbage", "prose", "many", "long"] {
        let what = format!("could not tell what `{name}` is\n  cause: no line is of a known form");
        home.run(&format!("replay {name}")).failed(2, &what);
    }
    let run = home.run("replay -q --json --dialect lmq prose");
    assert_eq!((run.code, run.summary()["malformed"].as_u64()), (0, Some(1)), "{}", run.err);
}

#[test]
fn a_line_that_cannot_be_read_is_counted_with_its_number() {
    let long = vec![b'x'; 1 << 20];
    let text = [
        notice("a", 0, "connect", "c").as_bytes(),
        b"not JSON",
        b"[1, 2]",
        b"\xff\xfe",
        b"{\"clientId\":\"a\x00\",\"eventType\":\"connect\"}",
        &long,
        br#"{"clientId":"","eventType":"connect","channelId":"c","time":1}"#,
        br#"{"clientId":"a","eventType":"heartbeat","channelId":"c","time":1}"#,
        notice("b", 0, "connect", "c").as_bytes(),
    ]
    .join(&b'\n');
    let home = Home::with("a.jsonl", text);

    let run = home.run("replay -v --json a.jsonl");

    assert_eq!(run.code, 0);
    let summary = run.summary();
    for (field, count) in [
        ("clients", 2),
        ("online", 2),
        ("events", 2),
        ("malformed", 7),
        ("unreadable", 5),
        ("client_missing", 1),
        ("unknown_event", 1),
    ] {
        assert_eq!(summary[field], count, "{field} in {summary}");
    }
    for told in [
        "7 lines were set aside, the first is a.jsonl, line 2: unreadable",
        "a.jsonl, line 3: unreadable: no JSON object: `[1,",
        "a.jsonl, line 4: unreadable",
        "a.jsonl, line 5: unreadable",
        "a.jsonl, line 6: unreadable: 1048576 bytes, of which at most 65536 are read",
    ] {
        assert!(run.err.contains(told), "`{told}` is not in:\n{}", run.err);
    }
    assert!(!run.err.contains('\0'));
}

#[test]
fn strict_ends_at_the_first_line_that_cannot_be_read() {
    let home = Home::with("a.jsonl", lines(&[notice("a", 0, "connect", "c"), "torn".to_owned()]));
    let error = "\
error: a.jsonl, line 2: unreadable
  cause: no JSON object: `torn`
  next:  mend the line, or leave `--strict` out to count such lines and go on
";
    home.run("replay --strict a.jsonl").is(1, "", error);
    home.run("replay --strict --json a.jsonl").is(1, "", error);
    home.run("store import --strict --instance b:1 a.jsonl").is(1, "", error);
    home.run("store info").failed(4, "could not open the store");

    let home = Home::with("a.jsonl", lines(&[notice("a", 0, "connect", "c")]));
    assert_eq!(home.run("replay --strict a.jsonl").code, 0);
}

#[test]
fn a_moment_after_the_end_of_a_log_is_told_with_that_end() {
    let text = [notice("a", 0, "connect", "c"), notice("a", 60_000, "tcpclean", "c")];
    let home = Home::with("a.jsonl", lines(&text));
    let at = |at: i64| home.run(&format!("replay -q --json a.jsonl --at {}", T + at));
    // Up to the grace after its end, at which a log is judged that was asked about no moment.
    for moment in [0, 59_999, 60_000, 90_000] {
        assert_eq!(at(moment).err, "", "{moment}");
    }
    let run = at(3_660_000);
    let said = "\
warning: what was read ends at 2025-10-09T08:54:20.000Z, 1h before 2025-10-09T09:54:20.000Z: what came then is not in it
  next:  read what goes on from there as well, or ask about a moment before that end
";
    assert_eq!((run.code, &*run.err), (0, said));
    // With the log that goes on it is answered.
    home.write("b.jsonl", lines(&[notice("a", 7_200_000, "connect", "d")]));
    let run = home.run(&format!("replay -q --json a.jsonl b.jsonl --at {}", T + 3_660_000));
    assert_eq!((run.code, &*run.err), (0, ""));
}

#[test]
fn a_log_in_local_time_needs_its_zone() {
    let home = Home::with("mosquitto.log", LOCAL_LOG);

    home.run("replay mosquitto.log").failed(2, "mosquitto.log, line 1: local time of no zone");
    home.run("replay mosquitto.log --time-zone Mars/Olympus")
        .failed(2, "`--time-zone Mars/Olympus`");
    home.run("store import --instance b:1 mosquitto.log").failed(2, "local time of no zone");
}

#[test]
fn a_zone_with_a_change_of_the_clock_dates_each_line_by_its_own_offset() {
    let home = Home::with("mosquitto.log", LOCAL_LOG);
    let since = |zone: &str| {
        let run = home.run(&format!("replay -q --json --time-zone {zone} mosquitto.log"));
        assert_eq!((run.code, &*run.err), (0, ""), "{zone}");
        let verdict = run.objects().swap_remove(0);
        assert_eq!(verdict["state"], "offline");
        verdict["since_ms"].as_i64().expect("a time")
    };
    // 2026-10-25T03:30:00Z; in Berlin summer time ended half an hour before.
    let utc = 1_792_899_000_000;
    assert_eq!(since("UTC"), utc);
    assert_eq!(since("+02:00"), utc - 2 * 3_600_000);
    assert_eq!(since("Europe/Berlin"), utc - 3_600_000);

    let summer = LOCAL_LOG.replace("10-25", "07-25");
    home.write("mosquitto.log", summer);
    assert_eq!(since("Europe/Berlin"), utc - 92 * 86_400_000 - 2 * 3_600_000);
}

#[test]
fn the_order_of_answers_is_broker_then_client_by_bytes_and_the_summary_is_last() {
    let clients = ["b", "a", "B", "ä", "", "a/b", "aa", "\u{1F4A1}"];
    let text: Vec<String> = clients.iter().map(|id| notice(id, 0, "connect", "c")).collect();
    let home = Home::with("plain.jsonl", lines(&text));
    home.write("night.jsonl", recording::text(&recording::first_run()));

    let run = home.run("replay -q --json --instance zoo:1883 plain.jsonl night.jsonl");

    let objects = run.objects();
    let (summary, verdicts) = objects.split_last().expect("there is output");
    assert!(verdicts.iter().all(|object| object["type"] == "verdict"), "{}", run.out);
    let text = |object: &Value, key: &str| object[key].as_str().expect("a text").to_owned();
    let names: Vec<String> = verdicts
        .iter()
        .map(|object| text(object, "instance") + " " + &text(object, "client"))
        .collect();
    let expected = [
        "broker.example:1883 a",
        "broker.example:1883 b",
        "zoo:1883 B",
        "zoo:1883 a",
        "zoo:1883 a/b",
        "zoo:1883 aa",
        "zoo:1883 b",
        "zoo:1883 ä",
        "zoo:1883 \u{1F4A1}",
    ];
    assert_eq!(names, expected);
    assert_eq!((&summary["clients"], &summary["client_missing"]), (&json!(9), &json!(1)));
}

#[test]
fn a_table_of_several_brokers_names_them() {
    let home = Home::with("plain.jsonl", lines(&[notice("a", 0, "connect", "c")]));
    home.write("night.jsonl", recording::text(&recording::first_run()));
    let table = "\
BROKER               CLIENT  STATE   SINCE                     CHANNEL  HOW  ANOMALIES
broker.example:1883  a       online  2025-10-09T08:53:21.000Z  c1       –
broker.example:1883  b       online  2025-10-09T08:53:22.000Z  c2       –
zoo:1                a       online  2025-10-09T08:53:20.000Z  c        –

3 clients · 3 online
3 events
";
    home.run("replay -q --instance zoo:1 plain.jsonl night.jsonl").is(0, table, "");
}

#[test]
fn globs_choose_who_is_shown_and_not_who_is_counted() {
    let ids = ["pump-1", "pump-10", "pump-泵", "GID_a@@@x/y", "P"];
    let text: Vec<String> = ids.iter().map(|id| notice(id, 0, "connect", "c")).collect();
    let home = Home::with("a.jsonl", lines(&text));
    for (globs, expected) in [
        (&["*"][..], &["GID_a@@@x/y", "P", "pump-1", "pump-10", "pump-泵"][..]),
        (&["pump-?"], &["pump-1", "pump-泵"]),
        (&["pump-[!泵]"], &["pump-1"]),
        (&["GID_*"], &["GID_a@@@x/y"]),
        (&["p", "P"], &["P"]),
        (&["nobody"], &[]),
    ] {
        let mut words = vec!["replay", "-q", "--json", "a.jsonl"];
        for glob in globs {
            words.extend(["--client", glob]);
        }
        let run = home.run_with(&words, "", &[]);

        assert_eq!((run.code, &*run.err), (0, ""));
        let states = run.states();
        let shown: Vec<&str> = states.iter().map(|(client, _)| client.as_str()).collect();
        assert_eq!(shown, expected, "{globs:?}");
        assert_eq!(run.summary()["clients"], 5);
    }
    home.run("replay a.jsonl --client [").failed(2, "`--client [` is no glob");
    home.run("replay -q a.jsonl --client nobody").is(0, "5 clients · 5 online\n5 events\n", "");
}

#[test]
fn a_moment_that_is_none_is_a_misuse() {
    let home = Home::with("a.jsonl", lines(&[notice("a", 0, "connect", "c")]));
    for option in ["--at", "--now"] {
        for typed in ["yesterday", "2026-11-24T02:14:07", "12.5"] {
            home.run(&format!("replay a.jsonl {option} {typed}"))
                .failed(2, &format!("`{typed}` is no moment"));
        }
    }
}
