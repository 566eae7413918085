//! Dialects that files describe: tried out, read with, refused, and kept in recordings.

use crate::run::{Home, T, recording};
use serde_json::json;

const PUMPS: &str = r#"name = "pumps"
title = "status of pumps"
retained = true

[[message]]
topic = "plant/{client}/state"
word = ["{/state}", "{}"]
events = { up = "opened", down = "closed", bye = "left" }
"#;

fn home() -> Home {
    Home::with("pumps.toml", PUMPS)
}

#[test]
fn a_sample_is_shown_message_by_message() {
    let home = home();
    home.write(
        "sample.jsonl",
        r#"{"topic":"plant/a/state","payload":"up","retain":true}

{"topic":"plant/a/state","payload":{"state":"down"},"received_ms":1760000000000}
{"topic":"plant/b\u001b/state","payload":"\u001b[31m","retain":1}
{"type":"message","topic":"plant/a/state","payload_b64":"Ynll","received_ms":1,"tie":1,"qos":0,"retain":false}
{"type":"judged","instance":"b:1","now_ms":1}
{"topic":"plant/a/state","payload_hex":"ff"}
{"topic":"plant/a/state"}
{"topic":"other","payload":"up"}
up
"#,
    );
    home.run("dialects test pumps.toml sample.jsonl").is(
        1,
        "\
line 1: plant/a/state
  opened a, at its arrival, retained
line 3: plant/a/state
  closed a, at its arrival
line 4: plant/b\\x1b/state
  malformed, unknown-event, of b\\x1b: word `\\x1b[31m`
line 5: plant/a/state
  farewell a, at its arrival
  closed a, at its arrival
line 7: plant/a/state
  malformed, unreadable, of a: not UTF-8: `\u{fffd}`
line 8: plant/a/state
  removed
line 9: other
  not its business
line 10: a line without a topic
  malformed, client-missing: no client in `up`

8 messages · 4 events · 1 without an event · 1 not its business · 3 malformed · 1 skipped
",
        "",
    );
    let run = home.run_with(
        &["dialects", "test", "--json", "pumps.toml", "-"],
        "{\"topic\":\"plant/a/state\",\"payload\":\"up\",\"received_ms\":5}\n",
        &[],
    );
    let objects = run.objects();
    assert_eq!((run.code, objects.len()), (0, 2));
    let event = &objects[0]["events"][0];
    assert_eq!((&event["at_ms"], &event["dated"]), (&json!(5), &json!("arrival")));
    assert_eq!(objects[1]["events"], 1);
}

#[test]
fn a_sample_that_cannot_be_read_is_a_failure() {
    let home = home();
    home.write("odd.jsonl", "{\"topic\":\"a\",\"payload_hex\":\"f\"}\n");
    home.write("base.jsonl", "{\"topic\":\"a\",\"payload_b64\":\"?\"}\n");
    home.run("dialects test pumps.toml odd.jsonl").failed(2, "odd.jsonl, line 1: a payload");
    home.run("dialects test pumps.toml base.jsonl").failed(2, "base.jsonl, line 1: a payload");
    home.run("dialects test pumps.toml none.jsonl").failed(4, "could not read `none.jsonl`");
    home.run("dialects test none.toml odd.jsonl")
        .failed(4, "could not read the dialect `none.toml`");
}

#[test]
fn a_file_that_is_no_description_is_a_misuse_of_every_command() {
    let home = home();
    home.write("bad.toml", PUMPS.replace("opened", "came"));
    home.write("taken.toml", PUMPS.replace("pumps", "status"));
    home.write("auto.toml", PUMPS.replace("pumps", "auto"));
    home.write("latin.toml", b"name = '\xe4'".as_slice());
    home.write("long.toml", "#".repeat(70_000));
    home.write("a.jsonl", "");
    for (file, told) in [
        ("bad.toml", "`bad.toml`, line 8: message 1: `events` cannot be used"),
        ("taken.toml", "`taken.toml`: the name `status` is taken"),
        ("auto.toml", "`auto.toml`: the name `auto` is taken"),
        ("latin.toml", "`latin.toml` describes no dialect"),
        ("long.toml", "`long.toml`: it is too long"),
    ] {
        for line in [
            "replay a.jsonl",
            "check a --evidence store",
            "watch",
            "store import --instance b:1 a.jsonl",
            "simulate --count 1 --verify",
            "probe",
        ] {
            home.run(&format!("{line} --dialect-file {file}")).failed(2, told);
        }
        home.run(&format!("dialects test {file} a.jsonl")).failed(2, told);
    }
    home.write("same.toml", PUMPS.replace("plant", "site"));
    let twice = "replay a.jsonl --dialect-file pumps.toml --dialect-file same.toml";
    home.run(twice).failed(2, "the name `pumps` is taken");
}

#[test]
fn files_are_read_in_a_dialect_of_ones_own() {
    let home = home();
    let captured = "{\"topic\":\"plant/a/state\",\"qos\":1,\"retain\":0,\"payload\":\"up\"}\n\
                    {\"topic\":\"plant/b/state\",\"qos\":1,\"retain\":1,\"payload\":{\"state\":\"bye\"}}\n";
    home.write("captured.jsonl", captured);
    let line = "replay --json --dialect-file pumps.toml captured.jsonl";
    let run = home.run(line);
    assert_eq!((run.code, &*run.err), (0, "captured.jsonl: status of pumps in MQTT messages\n"));
    let states = [("a".to_owned(), "online".to_owned()), ("b".to_owned(), "offline".to_owned())];
    assert_eq!(run.states(), states);

    let log = "name = 'gate'\ntitle = 'a log of gates'\n[[message]]\ntopic = 'gate/log'\n\
               regex = '^(?<at>\\d+) (?<client>\\S+) (?<what>up|down)'\nword = '{what}'\n\
               events = { up = 'opened', down = 'closed' }\ntime = '{at}'\n";
    home.write("gate.toml", log);
    home.write("gate.log", "1760000000 g-1 up\nnoise\n1760000005 g-1 down\n1760000006 g-2 up\n");
    let run = home.run_with(
        &["replay", "--json", "gate.log"],
        "",
        &[("PRESENCE_DIALECT_FILE", "gate.toml")],
    );
    assert!(run.err.starts_with("gate.log: a log of gates\n"), "{}", run.err);
    assert_eq!(run.summary()["malformed"], 1);
    let states =
        [("g-1".to_owned(), "offline".to_owned()), ("g-2".to_owned(), "online".to_owned())];
    assert_eq!(run.states(), states);
}

#[test]
fn a_recording_needs_no_file_for_the_dialects_that_it_holds() {
    let home = home();
    let mut heading = recording::heading(0);
    heading["reading"]["dialects"] = json!(["pumps"]);
    heading["reading"]["described"] = json!([PUMPS]);
    let message = |at: i64, payload: &str| {
        json!({
            "type": "message", "received_ms": T + at, "tie": at, "topic": "plant/a/state",
            "qos": 1, "retain": false, "payload": payload,
        })
    };
    let mut source = recording::source(1, 0, 9_000);
    source["voice"] = json!("pumps");
    let lines = [heading.clone(), source, message(1_000, "up"), recording::judged(9_000)];
    home.write("night.jsonl", recording::text(&lines));
    let run = home.run("replay --json night.jsonl");
    assert_eq!(run.states(), [("a".to_owned(), "online".to_owned())], "{}", run.err);
    assert_eq!(run.objects()[0]["voice"], "pumps");

    // What nobody could have written is told as such.
    heading["reading"]["described"] = json!([PUMPS.replace("opened", "came")]);
    home.write("odd.jsonl", recording::text(&[heading.clone()]));
    home.run("replay odd.jsonl").failed(4, "a heading that cannot be used");
    heading["reading"]["described"] = json!([]);
    home.write("none.jsonl", recording::text(&[heading]));
    let run = home.run("replay none.jsonl");
    run.failed(4, "a heading that cannot be used");
    assert!(run.err.contains("no dialect is called `pumps`"), "{}", run.err);
}
