//! What `replay` answers beside the verdicts at the end.

use crate::asked::{FILES, ask, of_type, replay};
use crate::run::{Home, T, lines, notice, recording};
use serde_json::{Value, json};
use std::collections::BTreeMap;

fn name(object: &Value) -> (String, String) {
    let text = |key: &str| object[key].as_str().expect("a text").to_owned();
    (text("instance"), text("client"))
}

#[test]
fn the_last_change_of_a_client_leads_to_its_verdict() {
    for files in FILES {
        let changes = ask(files, "--changes");
        let mut believed: BTreeMap<(String, String), &Value> = BTreeMap::new();
        for change in of_type(&changes, "change") {
            let before = believed.insert(name(change), &change["to"]);
            assert_eq!(&change["from"], before.unwrap_or(&json!("unknown")), "{files}: {change}");
        }
        let verdicts = ask(files, "");
        for verdict in of_type(&verdicts, "verdict") {
            let last = believed.remove(&name(verdict)).unwrap_or(&Value::Null);
            let is_unheard = last.is_null() && verdict["state"] == "unknown";
            assert!(is_unheard || last == &verdict["state"], "{files}: {last}, {verdict}");
        }
        assert!(believed.is_empty(), "{files}: {believed:?}");
        assert_eq!(changes.last(), verdicts.last(), "{files}: one summary");
    }
}

#[test]
fn a_change_rests_on_nothing_that_came_later() {
    // The end of the first connection is told after the beginning of the second.
    let text = [("connect", "a", 0), ("connect", "b", 9_000), ("tcpclean", "a", 5_000)];
    let text: Vec<String> = text.map(|(kind, channel, at)| notice("x", at, kind, channel)).into();
    let home = Home::with("a.jsonl", lines(&text));
    let told = |range: std::ops::Range<usize>| {
        home.write("part", lines(&text[range]));
        let run = home.run("replay -q --json --changes part");
        let changes = run.objects();
        of_type(&changes, "change").into_iter().cloned().collect::<Vec<_>>()
    };
    let all = told(0..3);
    assert_eq!(all.len(), 2, "{all:?}");
    assert_eq!(told(0..2), all);
    assert_eq!(told(0..1), all[..1]);
}

#[test]
fn a_hole_is_told_with_its_bounds_and_a_return_without_loss_is_not() {
    let mut lines = recording::first_run();
    lines.extend(recording::second_run());
    let home = Home::with("night.jsonl", recording::text(&lines));
    let run = home.run("replay -q --changes night.jsonl");
    let expected = "\
at broker.example:1883:
2025-10-09T08:53:21.000Z  a  unknown → online  connect  channel c1  from 192.0.2.1:50001
2025-10-09T08:53:22.000Z  b  unknown → online  connect  channel c2  from 192.0.2.1:50001
2025-10-09T08:54:20.000Z  a  online → unknown  gap: watcher was away 2025-10-09T08:53:40.000Z to 2025-10-09T08:53:50.000Z
2025-10-09T08:54:20.000Z  b  online → unknown  gap: watcher was away 2025-10-09T08:53:40.000Z to 2025-10-09T08:53:50.000Z
2025-10-09T08:54:21.000Z  b  unknown → offline  tcpclean  abrupt  channel c2  from 192.0.2.1:50001
2025-10-09T08:54:22.000Z  c  unknown → online  connect  channel c3  from 192.0.2.1:50001

6 changes
3 clients · 1 online · 1 offline · 1 unknown
4 events · 1 gap
";
    run.is(0, expected, "");

    // The same night with a queue that lost nothing: the epoch goes on.
    let mut lines = recording::first_run();
    lines.push(recording::heading(30_000));
    lines.push(recording::source(1, 0, 9_000));
    lines.push(recording::message("b", 31_000, "tcpclean", "c2"));
    lines.push(recording::judged(40_000));
    home.write("night.jsonl", recording::text(&lines));
    let run = home.run("replay -q --json --changes night.jsonl");
    let causes: Vec<Value> = run.objects().iter().map(|object| object["cause"].clone()).collect();
    assert_eq!(causes, [json!("connect"), json!("connect"), json!("tcpclean"), Value::Null]);
}

#[test]
fn since_and_until_leave_out_by_the_stamp() {
    let text: Vec<String> =
        (0..5).map(|at| notice(&format!("pump-{at}"), at * 1_000, "connect", "c")).collect();
    let home = Home::with("a.jsonl", lines(&text));
    let shown = |options: &str| {
        let run = home.run(&format!("replay -q --json --changes a.jsonl {options}"));
        assert_eq!((run.code, &*run.err), (0, ""), "{options}");
        assert_eq!(run.summary()["clients"], 5);
        let objects = run.objects();
        let changes = of_type(&objects, "change");
        changes.iter().map(|change| change["at_ms"].as_i64().expect("a time") - T).collect()
    };
    let check = |options: &str, expected: &[i64]| {
        let found: Vec<i64> = shown(options);
        assert_eq!(found, expected, "{options}");
    };
    check("", &[0, 1_000, 2_000, 3_000, 4_000]);
    check("--since 2025-10-09T08:53:21Z --until 2025-10-09T08:53:23Z", &[1_000, 2_000]);
    check("--since 2025-10-09T10:53:24 --time-zone Europe/Berlin", &[4_000]);
    check("--until 1760000000000", &[]);

    for (options, told) in [
        ("--changes --since 2025-10-09T10:53:24", "is no moment"),
        ("--changes --since 2 --until 2", "`--since` is not before `--until`"),
        ("--since 2025-10-09T08:53:21Z", "`--since` and `--until` need a question about a time"),
    ] {
        home.run(&format!("replay a.jsonl {options}")).failed(2, told);
    }
}

#[test]
fn globs_choose_groups() {
    let ids = ["GID_a@@@dev-1", "GID_ab@@@dev-1", "GID_a@@@dev-2", "GID_a", "other"];
    let text: Vec<String> = ids.iter().map(|id| notice(id, 0, "connect", "c")).collect();
    let home = Home::with("a.jsonl", lines(&text));
    for question in ["", "--changes"] {
        for (options, expected) in [
            ("--group GID_a", &["GID_a@@@dev-1", "GID_a@@@dev-2"][..]),
            ("--group GID_* --client *-1", &["GID_a@@@dev-1", "GID_ab@@@dev-1"]),
            ("--group nobody", &[]),
        ] {
            let run = home.run(&format!("replay -q --json a.jsonl {question} {options}"));
            let objects = run.objects();
            let shown: Vec<&Value> =
                objects.iter().filter_map(|object| object.get("client")).collect();
            let mut shown: Vec<&str> = shown.iter().filter_map(|id| id.as_str()).collect();
            shown.sort_unstable();
            assert_eq!(shown, expected, "{question} {options}");
            assert_eq!(run.summary()["clients"], 5);
        }
    }
    home.run("replay a.jsonl --group [").failed(2, "`--group [` is no glob");
}

#[test]
fn a_timeline_is_a_strip_above_the_connections() {
    let expected = "\
lamp-5  offline at broker.example:1883
????????????????????????????????????????????????????????????++++++++............
2026-11-24T14:40:32.556Z to 2026-11-24T14:41:58.278Z, 1m 25s · # online + in part . offline ? nobody knows

FROM                         FOR  STATE    END               ADDRESS          CHANNEL
2026-11-24T14:40:32.556Z   1m 3s  unknown  not heard of yet
2026-11-24T14:41:36.000Z   1.0 s  online   abrupt            127.0.0.1:39512
2026-11-24T14:41:37.000Z   1.0 s  offline
2026-11-24T14:41:38.000Z   1.0 s  online   abrupt            127.0.0.1:39522
2026-11-24T14:41:39.000Z   1.0 s  offline
2026-11-24T14:41:40.000Z   1.0 s  online   abrupt            127.0.0.1:39524
2026-11-24T14:41:41.000Z   1.0 s  offline
2026-11-24T14:41:42.000Z   1.0 s  online   abrupt            127.0.0.1:39532
2026-11-24T14:41:43.000Z   1.0 s  offline
2026-11-24T14:41:44.000Z   1.0 s  online   abrupt            127.0.0.1:39548
2026-11-24T14:41:45.000Z  13.2 s  offline

11 clients · 6 online · 1 closing · 3 offline · 1 unknown
50 events · 1 that changed nothing · 1 unnamed take-over · 1 gap
";
    replay(&Home::new(), "docs/examples/night.jsonl", "-q --timeline lamp-5").is(0, expected, "");
}

#[test]
fn the_spells_of_a_client_leave_no_time_out() {
    for files in FILES {
        let verdicts = ask(files, "");
        let mut clients: Vec<&str> = of_type(&verdicts, "verdict")
            .iter()
            .filter_map(|verdict| verdict["client"].as_str())
            .collect();
        clients.truncate(6);
        for client in clients {
            let printed = ask(files, &format!("--timeline {client}"));
            let mut last: BTreeMap<&str, i64> = BTreeMap::new();
            for spell in of_type(&printed, "spell") {
                let time = |field: &str| spell[field].as_i64().expect("a time");
                assert!(time("from_ms") <= time("to_ms"), "{files}: {spell}");
                let instance = spell["instance"].as_str().expect("a name");
                if let Some(before) = last.insert(instance, time("to_ms")) {
                    assert_eq!(before, time("from_ms"), "{files}: {spell}");
                }
            }
            assert!(!last.is_empty(), "{files}: {client}");
        }
    }
}

#[test]
fn a_timeline_is_limited_by_since_and_until() {
    let span = "--since 2026-11-24T14:41:36.5Z --until 2026-11-24T14:41:38.5Z";
    let printed = ask("docs/examples/night.jsonl", &format!("--timeline lamp-5 {span}"));
    let spells: Vec<(i64, i64)> = of_type(&printed, "spell")
        .iter()
        .map(|spell| (&spell["from_ms"], &spell["to_ms"]))
        .map(|(from, to)| (from.as_i64().expect("a time"), to.as_i64().expect("a time")))
        .collect();
    let at = |ms: i64| 1_795_531_296_000 + ms;
    assert_eq!(spells, [(at(500), at(1_000)), (at(1_000), at(2_000)), (at(2_000), at(2_500))]);
}

#[test]
fn a_client_that_nobody_heard_of_is_said_so_with_those_that_may_be_meant() {
    let night = "docs/examples/night.jsonl";
    for (id, next) in [
        ("pump-11", "did you mean `pump-1`?"),
        ("PRESS", "did you mean `GID_plant@@@press-7`?"),
        ("pump", "did you mean `pump-1` or `pump-2`?"),
        ("x\u{1b}[2Jy", "leave `--timeline` out to see who was heard of"),
    ] {
        let run = replay(&Home::new(), night, &format!("--timeline {id}"));
        run.failed(3, "nothing was heard of `");
        assert!(run.err.contains(next), "{}", run.err);
        assert!(run.err.contains("cause: 11 clients of other ids"), "{}", run.err);
    }
}

#[test]
fn uptime_is_the_sum_of_the_timeline() {
    for files in FILES {
        let uptimes = ask(files, "--uptime");
        let of = |object: &Value, field: &str| object[field].as_i64().expect("a number");
        for uptime in of_type(&uptimes, "uptime") {
            let span = (of(uptime, "to_ms") - of(uptime, "from_ms")) * of(uptime, "clients");
            let parts = of(uptime, "up_ms") + of(uptime, "down_ms") + of(uptime, "unknown_ms");
            assert_eq!(parts, span, "{files}: {uptime}");
        }
        for uptime in of_type(&uptimes, "uptime").iter().take(6) {
            let Some(client) = uptime["client"].as_str() else { continue };
            let timeline = ask(files, &format!("--timeline {client}"));
            let spells = of_type(&timeline, "spell");
            for (state, field) in
                [("online", "up_ms"), ("offline", "down_ms"), ("unknown", "unknown_ms")]
            {
                let here = spells.iter().filter(|spell| spell["instance"] == uptime["instance"]);
                let sum: i64 = here
                    .filter(|spell| spell["state"] == state)
                    .map(|spell| of(spell, "to_ms") - of(spell, "from_ms"))
                    .sum();
                assert_eq!(sum, of(uptime, field), "{files}: {uptime}");
            }
        }
    }
}

#[test]
fn time_in_which_nobody_listened_is_neither_up_nor_down() {
    let mut lines = recording::first_run();
    lines.extend(recording::second_run());
    let home = Home::with("night.jsonl", recording::text(&lines));
    let printed = home.run("replay -q --json --uptime night.jsonl").objects();
    let of = |client: &str| {
        let uptime = printed.iter().find(|object| object["client"] == client).expect("it is there");
        ["up_ms", "down_ms", "unknown_ms"].map(|field| uptime[field].as_i64().expect("a time"))
    };
    // From the last packet before the hole, at 20 s, nothing is known until there are news.
    assert_eq!(of("a"), [19_000, 0, 51_000]);
    assert_eq!(of("b"), [18_000, 9_000, 43_000]);
    assert_eq!(of("c"), [8_000, 0, 62_000]);
    let all = printed.iter().rev().find(|object| object["type"] == "uptime").expect("it is there");
    assert_eq!((&all["client"], &all["clients"]), (&Value::Null, &json!(3)));
    assert_eq!(
        (&all["losses"], &all["returns"], &all["mtbf_ms"]),
        (&json!(0), &json!(0), &Value::Null)
    );
}

#[test]
fn the_table_of_uptimes_begins_with_the_worst() {
    let text = [
        notice("GID_x@@@a", 0, "connect", "c"),
        notice("GID_x@@@a", 60_000, "tcpclean", "c"),
        notice("GID_x@@@a", 70_000, "connect", "d"),
        notice("b", 0, "connect", "c"),
        notice("b", 100_000, "connect", "d"),
    ];
    let home = Home::with("a.jsonl", lines(&text));
    let expected = "\
at a log of no named broker:
2025-10-09T08:53:20.000Z to 2025-10-09T08:55:00.000Z, 1m 40s

GROUP  AVAILABLE     KNOWN  ONLINE  OFFLINE  UNKNOWN  CONNECTIONS    MTBF    MTTR
all      95.00 %  100.00 %  3m 10s   10.0 s     0 ms            3  3m 10s  10.0 s
GID_x    90.00 %  100.00 %  1m 30s   10.0 s     0 ms            2  1m 30s  10.0 s

CLIENT     AVAILABLE     KNOWN  ONLINE  OFFLINE  UNKNOWN  CONNECTIONS    MTBF    MTTR
GID_x@@@a    90.00 %  100.00 %  1m 30s   10.0 s     0 ms            2  1m 30s  10.0 s

2 clients · 2 online
5 events
";
    home.run("replay -q --uptime --worst 1 a.jsonl").is(0, expected, "");
}

#[test]
fn lines_before_the_first_stamp_have_no_time() {
    // Whatever a log begins with, its clock is that of its stamps.
    let text = [
        r#"{"clientId":"x","eventType":"reboot","channelId":"c"}"#.to_owned(),
        notice("a", 0, "connect", "a1"),
        notice("a", 10_000, "tcpclean", "a1"),
        notice("a", 13_000, "connect", "a2"),
    ];
    let home = Home::with("a.jsonl", lines(&text));
    let run = home.run("replay -q --json --uptime a.jsonl --client a");
    let uptime = &run.objects()[0];
    assert_eq!((&uptime["from_ms"], &uptime["to_ms"]), (&json!(T), &json!(T + 13_000)));
    assert_eq!((&uptime["up_ms"], &uptime["down_ms"]), (&json!(10_000), &json!(3_000)));
}

#[test]
fn concurrency_is_the_sum_of_the_uptimes() {
    for files in FILES {
        let (pieces, uptimes) = (ask(files, "--concurrency"), ask(files, "--uptime"));
        let of = |object: &Value, field: &str| object[field].as_f64().expect("a number");
        for all in of_type(&uptimes, "uptime") {
            if !(all["client"].is_null() && all["group"].is_null()) {
                continue;
            }
            let here = |piece: &&&Value| piece["instance"] == all["instance"];
            let of_all = of_type(&pieces, "concurrency");
            let mut last = all["from_ms"].clone();
            for piece in of_all.iter().filter(here) {
                assert_eq!(piece["from_ms"], last, "{files}: no time is left out");
                last = piece["to_ms"].clone();
                let clients = of(piece, "online") + of(piece, "offline") + of(piece, "unknown");
                assert!((clients - of(all, "clients")).abs() < 1e-6, "{files}: {piece}");
            }
            assert_eq!(last, all["to_ms"], "{files}");
            for (mean, sum) in
                [("online", "up_ms"), ("offline", "down_ms"), ("unknown", "unknown_ms")]
            {
                let found: f64 = of_all
                    .iter()
                    .filter(here)
                    .map(|piece| of(piece, mean) * (of(piece, "to_ms") - of(piece, "from_ms")))
                    .sum();
                assert!((found - of(all, sum)).abs() < 1.0, "{files}: {mean} {found}, {all}");
            }
        }
    }
}

#[test]
fn bars_show_how_many_were_online() {
    let mut text: Vec<String> = (0..8_i64)
        .map(|number| notice(&format!("pump-{number}"), number * 1_000, "connect", "c"))
        .collect();
    text.push(notice("pump-0", 10_000, "tcpclean", "c"));
    let home = Home::with("a.jsonl", lines(&text));
    let expected = "\
at a log of no named broker:
2025-10-09T08:53:20.000Z to 2025-10-09T08:53:30.000Z, 1.0 s a column

online   .:-=+*%###  mean of a column up to 8.0
offline              mean of a column up to 0.0
unknown  #%*+=-:     mean of a column up to 7.0
at most 8 online at once, known at 2025-10-09T08:53:27.000Z

8 clients · 7 online · 1 offline
9 events
";
    home.run("replay -q --concurrency a.jsonl").is(0, expected, "");
    let printed = home.run("replay -q --json --concurrency a.jsonl").objects();
    let peak = json!({"type": "peak", "instance": "", "online": 8, "at_ms": T + 7_000});
    assert_eq!(of_type(&printed, "peak"), [&peak]);
}

/// Notices of a fleet of which one group is lost within two seconds, and back half a minute later.
fn outage() -> String {
    let mut text = Vec::new();
    for number in 0..200_i64 {
        let client = format!("GID_{}@@@dev-{number}", if number < 40 { "x" } else { "y" });
        let channel = |life: i64| format!("c{number}-{life}");
        text.push((number * 500, notice(&client, number * 500, "connect", &channel(0))));
        if number < 40 {
            let lost = 300_000 + number * 50;
            text.push((lost, notice(&client, lost, "tcpclean", &channel(0))));
            text.push((lost + 30_000, notice(&client, lost + 30_000, "connect", &channel(1))));
        }
    }
    text.sort_by_key(|(at, _)| *at);
    lines(&text.into_iter().map(|(_, line)| line).collect::<Vec<_>>())
}

#[test]
fn an_outage_is_told_with_what_the_lost_have_in_common() {
    let home = Home::with("a.jsonl", outage());
    let run = home.run("replay -q --json --outages a.jsonl");
    assert_eq!((run.code, &*run.err), (0, ""));
    let objects = run.objects();
    let found = of_type(&objects, "finding");
    let phases: Vec<&Value> = found.iter().map(|finding| &finding["phase"]).collect();
    assert_eq!(phases, ["begins", "ends"], "{found:?}");
    assert_eq!((&found[0]["code"], &found[0]["lost"]), (&json!("mass-outage"), &json!(40)));
    assert_eq!(found[0]["since_ms"], json!(T + 300_000));
    let common = found[0]["common"].as_array().expect("a list");
    assert!(common.iter().any(|factor| factor["value"] == "GID_x"), "{common:?}");
    assert_eq!(found[1]["back"], json!(40), "nearly all, and then it is over");

    let run = home.run("replay -q --outages a.jsonl");
    let told: Vec<&str> = run.out.lines().collect();
    assert!(told[0].contains("! mass outage  40 clients lost within 1.9 s"), "{}", run.out);
    assert_eq!(told[3], "1 mass outage", "{}", run.out);
    for options in ["--group GID_y", "--until 2025-10-09T08:53:30Z"] {
        let run = home.run(&format!("replay -q --outages a.jsonl {options}"));
        assert!(run.out.starts_with("0 mass outages\n"), "{options}: {}", run.out);
    }
}

#[test]
fn an_outage_at_the_end_of_a_log_is_told_all_the_same() {
    let text = outage();
    let lines = text.lines().take(240).map(str::to_owned).collect::<Vec<_>>();
    let home = Home::with("a.jsonl", crate::run::lines(&lines));
    let run = home.run("replay -q --json --outages a.jsonl");
    let objects = run.objects();
    let found = of_type(&objects, "finding");
    assert_eq!((found.len(), &found[0]["lost"]), (1, &json!(40)));
}

/// An event of RabbitMQ's exchange, which tells no goodbye.
fn event(at: i64, number: i64, kind: &str) -> String {
    let headers = json!({
        "pid": format!("<rabbit@h.1.{number}.0>"), "protocol": "{'MQTT',{3,1,1}}",
        "client_properties": [format!("{{client_id,longstr,<<\"dev-{number}\">>}}")],
        "timestamp_in_ms": T + at,
    });
    let event =
        json!({"routing_key": format!("connection.{kind}"), "headers": headers, "body": ""});
    event.to_string()
}

#[test]
fn how_an_outage_ended_is_not_told_where_a_goodbye_would_not_have_been() {
    let mut events: Vec<_> =
        (0..200).map(|number| event(number * 500, number, "created")).collect();
    events.extend((0..40).map(|number| event(300_000 + number * 50, number, "closed")));
    let home = Home::with("a", lines(&events));

    let run = home.run("replay --json --outages a");

    assert_eq!((run.code, &*run.err), (0, "a: events of RabbitMQ\n"));
    let objects = run.objects();
    let found = of_type(&objects, "finding");
    assert_eq!((&found[0]["lost"], &found[0]["how"]), (&json!(40), &Value::Null), "{found:?}");
    let run = home.run("replay -q --outages a");
    let unknown = "; how they ended is not known: rabbitmq tells no goodbye";
    assert!(run.out.contains(unknown) && !run.out.contains("abrupt"), "{}", run.out);
}

#[test]
fn anomalies_are_counted_with_examples() {
    let expected = "\
ANOMALY        CLIENTS  FOR EXAMPLE
flapping             1  GID_plant@@@press-7
takeover-loop        1  GID_plant@@@press-7

11 clients · 6 online · 1 closing · 3 offline · 1 unknown
50 events · 1 that changed nothing · 1 unnamed take-over · 1 gap
";
    replay(&Home::new(), "docs/examples/night.jsonl", "-q --anomalies").is(0, expected, "");
    let hostile = "\u{1b}[2J\nx\u{202e}";
    let text: Vec<String> =
        (0..7).map(|number| notice(&format!("{hostile}{number}"), 0, "tcpclean", "c")).collect();
    let home = Home::with("a.jsonl", lines(&text));
    let objects = home.run("replay -q --json --anomalies a.jsonl").objects();
    let found = of_type(&objects, "anomaly");
    assert_eq!((found.len(), &found[0]["clients"]), (1, &json!(7)));
    assert_eq!(found[0]["code"], "connect-missing");
    assert_eq!(found[0]["examples"].as_array().map(Vec::len), Some(5));
    assert_eq!(found[0]["examples"][0], json!(format!("{hostile}0")));
    let run = home.run("replay -q --anomalies a.jsonl");
    assert!(!run.out.contains(['\u{1b}', '\u{202e}']), "{}", run.out);
    assert!(run.out.lines().count() <= 6, "{}", run.out);

    let night = "docs/examples/night.jsonl";
    run_fails(night, "--anomalies --uptime", "`--anomalies` and `--uptime` exclude each other");
    run_fails(night, "--anomalies --since 0", "need a question about a time");
}

#[track_caller]
fn run_fails(files: &str, options: &str, told: &str) {
    replay(&Home::new(), files, options).failed(2, told);
}

#[test]
fn a_moment_is_told_as_it_was_known_then_and_as_it_is_known_now() {
    // The end of the connection arrives 10 s after its stamp, the beginning of another 20 s.
    let mut late_end = recording::message("a", 5_000, "tcpclean", "c1");
    late_end["received_ms"] = json!(T + 15_000);
    let mut late_beginning = recording::message("b", 6_000, "connect", "d1");
    late_beginning["received_ms"] = json!(T + 26_000);
    let text = [
        recording::heading(0),
        recording::source(1, 0, 0),
        recording::message("a", 1_000, "connect", "c1"),
        recording::message("x", 2_000, "connect", "e1"),
        recording::message("x", 9_000, "tcpclean", "e1"),
        late_end,
        late_beginning,
        recording::judged(30_000),
    ];
    let home = Home::with("night.jsonl", recording::text(&text));
    let at = T + 8_000;
    let expected = "\
CLIENT  STATE   SINCE                     CHANNEL  HOW  ANOMALIES
a       online  2025-10-09T08:53:21.000Z  c1       –
x       online  2025-10-09T08:53:22.000Z  e1       –

known now, with what arrived later:
CLIENT  STATE    SINCE                     CHANNEL  HOW     ANOMALIES
a       offline  2025-10-09T08:53:25.000Z  c1       abrupt
b       online   2025-10-09T08:53:26.000Z  d1       –

2 events of before 2025-10-09T08:53:28.000Z arrived later: 2 verdicts changed
2 clients · 2 online
2 events
";
    home.run(&format!("replay -q --at {at} night.jsonl")).is(0, expected, "");

    let printed = home.run(&format!("replay -q --json --at {at} night.jsonl")).objects();
    let both: Vec<[&Value; 3]> = of_type(&printed, "verdict")
        .iter()
        .map(|verdict| [&verdict["client"], &verdict["state"], &verdict["now_known"]["state"]])
        .collect();
    let expected =
        [["a", "online", "offline"], ["x", "online", "online"], ["b", "unknown", "online"]];
    assert_eq!(both, expected);
    let end = home.run("replay -q --json night.jsonl").objects();
    assert!(end[0].get("now_known").is_none(), "only a moment asked about has a hindsight");
}

#[test]
fn a_moment_of_a_plain_log_is_the_place_where_its_stamps_pass_it() {
    let text = [
        notice("a", 0, "connect", "c"),
        notice("b", 10_000, "connect", "d"),
        notice("a", 4_000, "tcpclean", "c"),
    ];
    let home = Home::with("a.jsonl", lines(&text));
    let state = |at: i64| {
        let run = home.run(&format!("replay -q --json --at {} a.jsonl", T + at));
        let verdict = run.objects().swap_remove(0);
        [verdict["state"].clone(), verdict["now_known"]["state"].clone()]
    };
    assert_eq!(state(3_000), ["online", "online"]);
    assert_eq!(state(5_000), ["online", "offline"], "the line stood below a later one");
    assert_eq!(state(10_000), ["offline", "offline"]);
}

#[test]
fn late_news_do_not_bridge_a_hole() {
    // A connection that began in the first epoch is told in the second: it may have ended meanwhile.
    let mut late = recording::message("a", 5_000, "connect", "c1");
    late["received_ms"] = json!(T + 70_000);
    let mut text = vec![
        recording::heading(0),
        recording::source(1, 0, 0),
        recording::message("x", 2_000, "connect", "e1"),
        recording::source(2, 30_000, 30_000),
        recording::message("x", 40_000, "tcpclean", "e1"),
        late,
    ];
    text.push(recording::judged(80_000));
    let home = Home::with("night.jsonl", recording::text(&text));
    let run = home.run(&format!("replay -q --json --at {} night.jsonl", T + 50_000));
    let objects = run.objects();
    let told = of_type(&objects, "verdict");
    let a = told.iter().find(|verdict| verdict["client"] == "a").expect("it is told");
    assert_eq!((&a["state"], &a["now_known"]["state"]), (&json!("unknown"), &json!("unknown")));
}

#[test]
fn a_moment_before_all_that_was_heard_is_said_so() {
    let home = Home::with("a.jsonl", lines(&[notice("a", 0, "connect", "c")]));
    home.write("night.jsonl", recording::text(&recording::first_run()));
    home.write("empty", "");
    for file in ["a.jsonl", "night.jsonl"] {
        home.run(&format!("replay {file} --at 2025-10-09T08:53:19Z"))
            .failed(3, "nobody was heard of by 2025-10-09T08:53:19.000Z");
    }
    let run = home.run("replay -q empty --at 2025-10-09T08:53:19Z");
    assert_eq!((run.code, &*run.out), (0, "0 clients\n0 events\n"), "{}", run.err);
}

#[test]
fn every_answer_comes_as_a_table_of_values() {
    for question in [
        "",
        "--changes",
        "--timeline lamp-5",
        "--uptime",
        "--concurrency",
        "--anomalies",
        "--what-if last-event-wins",
        "--debounce-advisor",
    ] {
        let night = "docs/examples/night.jsonl";
        let printed = replay(&Home::new(), night, &format!("-q --csv {question}"));
        assert_eq!((printed.code, &*printed.err), (0, ""), "{question}");
        let objects = ask(night, question);
        let kind = objects[0]["type"].as_str().expect("a type");
        let rows = printed.out.lines().count() - 1;
        assert_eq!(rows, of_type(&objects, kind).len(), "{question}");
        let header = printed.out.lines().next().expect("a header");
        let fields = objects[0].as_object().expect("an object").len() - 1;
        assert_eq!(header.split(',').count(), fields, "{question}: {header}");
        assert!(header.starts_with("instance,"), "{question}: {header}");
    }
    let text = [notice("=a,\"b\"", 0, "connect", "c")];
    let home = Home::with("a.jsonl", lines(&text));
    let expected = "\
instance,at_ms,client,from,to,channel,cause,how,address,voice,anomalies,held_ms
,1760000000000,\"'=a,\"\"b\"\"\",unknown,online,c,connect,,192.0.2.1:50001,lmq,,
";
    home.run("replay -q --csv --changes a.jsonl").is(0, expected, "");
    let run = home.run("replay --csv --json a.jsonl");
    assert!(run.code == 2 && run.err.contains("cannot be used with"), "{}", run.err);
}

#[test]
fn an_answer_is_compared_with_what_was_expected() {
    let home = Home::with("a.jsonl", lines(&[notice("a", 0, "connect", "c")]));
    for options in ["", "--json", "--csv --changes", "--uptime"] {
        let answer = home.run(&format!("replay -q a.jsonl {options}"));
        home.write("expected", &answer.out);
        home.run(&format!("replay -q a.jsonl {options} --expect expected")).is(0, "", "");
    }
    home.write("expected", "b\n\u{1b}[2J\n1 event\n");
    let difference = "\
--- expected
+++ found
@@ line 1 @@
-b
-\\x1b[2J
+CLIENT  STATE   SINCE                     CHANNEL  HOW  ANOMALIES
+a       online  2025-10-09T08:53:20.000Z  c        –
+
+1 client · 1 online
";
    home.run("replay -q a.jsonl --expect expected").is(1, difference, "");
    home.run("replay a.jsonl --expect missing").failed(4, "could not read `missing`");
}
