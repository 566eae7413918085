//! Other rules beside ours, advice on waiting, and streams that are put out of order.

use crate::asked::{FILES, ask, of_type, replay};
use crate::run::{Home, lines, notice};
use serde_json::Value;
use std::collections::BTreeMap;

const RULES: &str =
    "last-event-wins,latest-stamp-wins,vendor-sample,any-open,counter,debounce=5s,debounce=0s";

fn number(object: &Value, field: &str) -> i64 {
    object[field].as_i64().unwrap_or_else(|| panic!("no `{field}` in {object}"))
}

/// Returns what was made of all clients, by broker and rule.
fn totals(objects: &[Value]) -> Vec<&Value> {
    of_type(objects, "what-if").into_iter().filter(|object| object["client"].is_null()).collect()
}

#[test]
fn each_rule_is_right_wrong_or_undecided_about_the_whole_time() {
    for files in FILES {
        let objects = ask(files, &format!("--what-if {RULES}"));
        for ours in totals(&objects).into_iter().filter(|object| object["rule"] == "presence") {
            let span = |object: &Value, head: &str| -> i64 {
                ["false_offline_ms", "false_online_ms", "right_ms", "undecided_ms"]
                    .map(|field| number(object, &format!("{head}{field}")))
                    .iter()
                    .sum()
            };
            assert_eq!(number(ours, "false_offline_ms") + number(ours, "false_online_ms"), 0);
            for rule in totals(&objects) {
                if rule["instance"] != ours["instance"] {
                    continue;
                }
                for head in ["", "hindsight_"] {
                    assert_eq!(span(rule, head), span(ours, head), "{files}: {rule}");
                }
                // Who waits for nothing believes what we do.
                if rule["rule"] == "debounce=0s" {
                    assert_eq!((number(rule, "ever_wrong"), number(rule, "wrong_at_end")), (0, 0));
                }
            }
        }
    }
}

#[test]
fn who_is_wrong_at_the_end_is_who_believes_another_thing_than_the_verdict() {
    // The naive rule, worked out here from the lines themselves.
    for file in ["lmq-out-of-order", "lmq-redelivery", "lmq-take-over", "lmq-ends", "lmq-ghost"] {
        let path = format!("tests/golden/{file}.jsonl");
        let text = std::fs::read_to_string(&path).expect("it is there");
        let mut last: BTreeMap<String, bool> = BTreeMap::new();
        for line in text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok()) {
            let kind = line["eventType"].as_str().unwrap_or_default().trim().to_lowercase();
            let is_event = ["connect", "disconnect", "tcpclean"].contains(&&*kind);
            if let (Some(client), true) = (line["clientId"].as_str(), is_event) {
                last.insert(client.to_owned(), kind == "connect");
            }
        }
        let mut wrong: Vec<String> = Vec::new();
        for verdict in of_type(&ask(&path, ""), "verdict") {
            let client = verdict["client"].as_str().expect("a text");
            if let (Some(ours), Some(naive)) = (verdict["online"].as_bool(), last.get(client))
                && ours != *naive
            {
                wrong.push(client.to_owned());
            }
        }
        let objects = ask(&path, "--what-if last-event-wins");
        let [_, all] = totals(&objects)[..] else { panic!("{file}: ours and one rule") };
        assert_eq!(number(all, "wrong_at_end"), i64::try_from(wrong.len()).unwrap(), "{file}");
        for object in of_type(&objects, "what-if") {
            if let (Some(client), 1) = (object["client"].as_str(), number(object, "wrong_at_end")) {
                assert!(wrong.iter().any(|id| id == client), "{file}: {client}");
            }
        }
    }
}

#[test]
fn what_fooled_a_rule_is_told_in_words() {
    // A take-over whose end comes last, and an end that is delivered again before the next connect.
    let text = [
        notice("a", 0, "connect", "a1"),
        notice("a", 60_000, "connect", "a2"),
        notice("a", 60_400, "tcpclean", "a1"),
        notice("b", 61_000, "connect", "b1"),
        notice("a", 120_400, "tcpclean", "a2"),
    ];
    let home = Home::with("a.jsonl", lines(&text));
    let run = home.run("replay -q a.jsonl --what-if last-event-wins,vendor-sample --worst 1");
    let expected = "\
at a log of no named broker:
2025-10-09T08:53:20.000Z to 2025-10-09T08:55:20.400Z, 2m · 2 clients

RULE             WRONG AT END  EVER WRONG  FALSE OFFLINE  FALSE ONLINE  UNDECIDED  FLIPS
presence                    0           0           0 ms          0 ms       0 ms      1
last-event-wins             0           1             1m          0 ms       0 ms      1
vendor-sample               0           0           0 ms          0 ms       0 ms      1

last-event-wins: 0 clients wrong at the end, 1m false-offline and 0 ms false-online time
  fooled by 1 foreign end
  for example a, offline for 1m from 2025-10-09T08:54:20.400Z, though it was online:
    it took the end of connection a1 for that of connection a2
    (arrived 2025-10-09T08:54:20.400Z)
CLIENT  FALSE OFFLINE  FALSE ONLINE  FLIPS  AT THE END
a                  1m          0 ms      1  right

vendor-sample: never wrong by what was known

2 clients · 1 online · 1 offline
5 events
";
    run.is(0, expected, "");
}

#[test]
fn rules_can_be_named_in_several_ways_and_only_once_each() {
    let notices = "docs/examples/notices.jsonl";
    let twice = ask(notices, "--what-if counter --what-if any-open,counter");
    let rules: Vec<&Value> = totals(&twice).into_iter().map(|object| &object["rule"]).collect();
    assert_eq!(rules, ["presence", "counter", "any-open"]);
    for (typed, told) in [
        ("last", "`--what-if last` is no rule"),
        ("debounce=soon", "`--what-if debounce=soon` is no rule"),
        ("counter --uptime", "`--what-if` and `--uptime` exclude each other"),
        ("counter --follow", "`--follow` with a question about the past"),
    ] {
        replay(&Home::new(), notices, &format!("--what-if {typed}")).failed(2, told);
    }
}

#[test]
fn only_the_time_and_the_clients_asked_about_count() {
    let night = "docs/examples/night.jsonl";
    let all = ask(night, "--what-if last-event-wins");
    let [_, rule] = totals(&all)[..] else { panic!("ours and one rule") };
    let part = ask(night, "--what-if last-event-wins --until 2026-11-24T14:41:40Z");
    let rest = ask(night, "--what-if last-event-wins --since 2026-11-24T14:41:40Z");
    let ([_, part], [_, rest]) = (&totals(&part)[..], &totals(&rest)[..]) else {
        panic!("ours and one rule")
    };
    for field in ["false_offline_ms", "right_ms", "undecided_ms", "hindsight_right_ms"] {
        assert_eq!(number(part, field) + number(rest, field), number(rule, field), "{field}");
    }
    let one = ask(night, "--what-if last-event-wins --client GID_plant@@@press-7");
    assert_eq!(number(totals(&one)[1], "clients"), 1);
}

#[test]
fn advice_counts_every_absence_once_at_each_grace() {
    for files in FILES {
        let objects = ask(files, "--debounce-advisor");
        for advice in of_type(&objects, "advice") {
            for grace in of_type(&objects, "grace") {
                if grace["instance"] == advice["instance"] {
                    let sum = ["withheld", "told", "undecided"].map(|field| number(grace, field));
                    assert_eq!(sum.iter().sum::<i64>(), number(advice, "offlines"), "{files}");
                }
            }
            assert_eq!(advice["grace_ms"].is_null(), advice["advice"] != "wait", "{files}");
        }
    }
}

#[test]
fn a_grace_that_stands_out_is_recommended() {
    // 40 devices are away for 3 s each, one of them stays away.
    let mut text = Vec::new();
    for number in 0..40 {
        let (client, at) = (format!("d{number:02}"), 10_000 * number);
        text.push((at, notice(&client, at, "connect", &format!("{client}-1"))));
        text.push((at + 5_000, notice(&client, at + 5_000, "tcpclean", &format!("{client}-1"))));
        text.push((at + 8_000, notice(&client, at + 8_000, "connect", &format!("{client}-2"))));
    }
    text.push((600_000, notice("d00", 600_000, "tcpclean", "d00-2")));
    text.push((700_000, notice("end", 700_000, "connect", "e")));
    text.sort();
    let text: Vec<String> = text.into_iter().map(|(_, line)| line).collect();
    let home = Home::with("a.jsonl", lines(&text));
    let run = home.run("replay -q a.jsonl --debounce-advisor");
    let expected = "\
at a log of no named broker:
2025-10-09T08:53:20.000Z to 2025-10-09T09:05:00.000Z, 11m 40s · 41 absences of 40 clients, 40 came back

GRACE  WITHHELD  TOLD LATER  UNDECIDED  WITHHELD OF THOSE DECIDED
   0s         0          41          0  0.0 %
   1s         0          41          0  0.0 %
   2s         0          41          0  0.0 %
   5s        40           1          0  ############################## 97.5 %
  10s        40           1          0  ############################## 97.5 %
  20s        40           1          0  ############################## 97.5 %
  30s        40           1          0  ############################## 97.5 %

wait 5s (`presence watch --debounce 5s`): 40 of 41 absences are over by then, and only 0 more until 20s; \
every other one is told 5s later

41 clients · 40 online · 1 offline
122 events
";
    run.is(0, expected, "");
}

#[test]
fn order_and_repetition_do_not_change_what_is_believed_at_the_end() {
    for files in FILES {
        let straight = replay(&Home::new(), files, "-q --json");
        for seed in 0..8 {
            let altered = replay(
                &Home::new(),
                files,
                &format!("-q --json --shuffle 20s --dup 20% --seed {seed}"),
            );
            assert_eq!(altered.verdicts(), straight.verdicts(), "{files}, seed {seed}");
            let told = &altered.summary()["altered"];
            assert!(number(told, "repeated") > 0 || number(told, "messages") < 30, "{told}");
            assert_eq!((number(told, "dropped"), number(told, "seed")), (0, seed), "{files}");
        }
    }
}

#[test]
fn a_seed_decides_what_happens_to_a_stream() {
    let night = "docs/examples/night.jsonl";
    let options = "-q --json --changes --shuffle 5s --dup 10% --drop 10% --seed";
    let changes = |seed: u64| replay(&Home::new(), night, &format!("{options} {seed}")).out;
    assert_eq!(changes(7), changes(7));
    assert_ne!(changes(7), changes(8));
}

#[test]
fn what_was_done_to_a_stream_is_said() {
    let text: Vec<String> =
        (0..1_000).map(|n| notice(&format!("d{n}"), n, "connect", &format!("c{n}"))).collect();
    let home = Home::with("a.jsonl", lines(&text));
    let run = home.run("replay a.jsonl --json --drop 10% --dup 5% --seed 3");
    let told = &run.summary()["altered"];
    let [messages, dropped, repeated] =
        ["messages", "dropped", "repeated"].map(|field| number(told, field));
    assert_eq!((messages, number(told, "moved")), (1_000, 0), "{told}");
    assert!((50..150).contains(&dropped) && (20..90).contains(&repeated), "{told}");
    assert_eq!(run.verdicts().len(), usize::try_from(1_000 - dropped).unwrap());
    let summary = run.summary();
    assert_eq!(number(&summary, "events"), 1_000 - dropped + repeated);
    let warned = "warning: what is read is altered on purpose: 5% of them twice, 10% of them not at \
                  all (seed 3)";
    assert!(run.err.contains(warned), "{}", run.err);
    let drawn = home.run("replay a.jsonl --json --drop 10%").summary();
    assert!(drawn["altered"]["seed"].is_u64(), "a seed that was drawn is told: {drawn}");
    assert_eq!(home.run("replay -q a.jsonl --json").summary()["altered"], Value::Null);
}

#[test]
fn disorder_that_makes_no_sense_is_refused() {
    let home = Home::with("a.jsonl", lines(&[notice("a", 0, "connect", "c")]));
    for (options, told) in [
        ("--dup 5", "`--dup 5` is no share"),
        ("--drop 101%", "`--drop 101%` is no share"),
        ("--seed 3", "`--seed` without `--shuffle`"),
        ("--shuffle 100days", "`--shuffle` is longer than any log needs"),
    ] {
        home.run(&format!("replay a.jsonl {options}")).failed(2, told);
    }
    for options in ["--shuffle 1s --at 2025-10-09T08:53:20Z", "--dup 5% --follow"] {
        let run = home.run(&format!("replay a.jsonl {options}"));
        assert!(run.code == 2 && run.err.contains("cannot be used with"), "{}", run.err);
    }
}

#[test]
fn publishing_that_makes_no_sense_is_refused_before_anybody_connects() {
    let home = Home::with("a.jsonl", lines(&[notice("a", 0, "connect", "c")]));
    for (options, told) in [
        ("--speed 2x", "`--speed` without `--publish`"),
        ("-b localhost", "`--broker` without `--publish`"),
        ("--publish --speed fast", "`--speed fast` is no speed"),
        ("--publish --publish-topic {id}", "`--publish-topic {id}` is no template"),
        ("--publish --changes", "`--publish` with a question"),
        ("--publish --speed max -b 192.0.2.1", "`--speed max` for mqtt://192.0.2.1:1883"),
        ("- --publish --repeat 2", "`--repeat` with standard input"),
    ] {
        home.run(&format!("replay a.jsonl {options}")).failed(2, told);
    }
}

#[test]
fn a_broker_that_is_not_there_is_said_so() {
    let home = Home::with("a.jsonl", lines(&[notice("a", 0, "connect", "c")]));
    // Nobody listens on the port of `tcpmux`.
    home.run("replay -q a.jsonl --publish -b 127.0.0.1:1 --timeout 100ms")
        .failed(4, "could not connect to mqtt://127.0.0.1:1");
}
