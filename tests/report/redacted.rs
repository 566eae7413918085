//! Pseudonyms: no original shows anywhere, and what is told is told all the same.

use crate::asked::{FILES, replay};
use crate::night::{outage, read};
use crate::run::{Home, Run, T, lines, notice, recording};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

const QUESTIONS: &[&str] = &[
    "",
    "--changes",
    "--uptime --worst 999",
    "--concurrency",
    "--outages",
    "--anomalies",
    "--what-if last-event-wins,any-open --worst 999",
    "--debounce-advisor",
    "--shuffle 2s --dup 5% --seed 7",
    "--at 1795531285000",
];

fn home() -> Home {
    Home::with("key", "sesame\n")
}

/// Returns every id, channel, address and broker that the answers about files tell.
fn originals(home: &Home, files: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for question in QUESTIONS {
        let run = replay(home, files, &format!("-q --json {question}"));
        for object in run.objects() {
            for field in ["client", "channel", "address", "instance", "first", "value"] {
                if let Some(text) = object[field].as_str() {
                    found.insert(text.to_owned());
                    found.extend(text.split_once("@@@").map(|(group, _)| group.to_owned()));
                    found.extend(text.rsplit_once(':').map(|(host, _)| host.to_owned()));
                }
            }
        }
    }
    // What is short, or a word, stands everywhere.
    found.retain(|text| text.len() > 3 && text.contains(|c: char| !c.is_ascii_lowercase()));
    found
}

#[track_caller]
fn shows_none(originals: &BTreeSet<String>, text: &str, what: &str) {
    for original in originals {
        assert!(!text.contains(original.as_str()), "{what} shows `{original}`:\n{text}");
    }
}

#[test]
fn no_original_shows_in_any_answer_or_page() {
    for files in FILES {
        let home = home();
        let originals = originals(&home, files);
        assert!(!originals.is_empty(), "{files}");
        for question in QUESTIONS {
            for form in ["", "--json", "--csv"] {
                let options = format!("-q {question} {form} --redact key --report night.html");
                let run = replay(&home, files, &options);
                let what = format!("{files} {question} {form}");
                shows_none(&originals, &run.out, &what);
                shows_none(&originals, &run.err, &what);
                if run.code == 0 {
                    shows_none(&originals, &read(&home), &format!("the page of {what}"));
                }
            }
        }
    }
}

#[test]
fn what_is_told_is_the_same_but_for_the_names() {
    for files in FILES {
        let home = home();
        let count = |options: &str| {
            let mut states: BTreeMap<String, u64> = BTreeMap::new();
            let objects = replay(&home, files, &format!("-q --json {options}")).objects();
            for object in objects.iter().filter(|object| object["type"] == "verdict") {
                let kept = json!([
                    object["state"],
                    object["since_ms"],
                    object["how"],
                    object["anomalies"]
                ]);
                *states.entry(kept.to_string()).or_default() += 1;
            }
            (states, objects.last().cloned())
        };
        assert_eq!(count(""), count("--redact key"), "{files}");
    }
}

#[test]
fn the_same_key_gives_the_same_names_and_another_others() {
    let home = home();
    home.write("other", "open");
    let run = |key: &str| replay(&home, FILES[0], &format!("-q --json --redact {key}")).out;
    assert_eq!(run("key"), run("key"));
    assert_ne!(run("key"), run("other"));
}

#[test]
fn outages_and_groups_are_found_under_pseudonyms() {
    let home = home();
    home.write("a.jsonl", outage(200));
    let run = home.run("replay -q --json --outages --redact key a.jsonl");
    let found = run.objects();
    let common = found[0]["common"].as_array().expect("they have something in common");
    let kinds: Vec<&str> = common.iter().filter_map(|factor| factor["kind"].as_str()).collect();
    assert_eq!(
        (found[0]["lost"].as_u64(), kinds.as_slice()),
        (Some(100), ["group", "subnet"].as_slice())
    );
    assert!(!run.out.contains("GID_") && !run.out.contains("10.0."), "{}", run.out);
    let run = home.run("replay -q --json --uptime --redact key a.jsonl");
    let groups = run.objects().iter().filter(|object| object["group"].is_string()).count();
    assert_eq!(groups, 2);
}

#[test]
fn ids_and_globs_are_typed_as_they_are() {
    let home = home();
    let all = |options: &str| replay(&home, FILES[0], &format!("-q --json --redact key {options}"));
    assert_eq!(all("--client pump-*").verdicts().len(), 2);
    assert_eq!(all("--group GID_plant").verdicts().len(), 3);
    let run = all("--timeline pump-2");
    assert_eq!(run.code, 0, "{}", run.err);
    assert!(run.out.contains("\"state\":\"online\"") && !run.out.contains("pump-2"), "{}", run.out);
    let run = all("--timeline pump-22");
    assert_eq!(run.code, 3, "{}", run.out);
    assert!(!run.err.contains("pump-"), "{}", run.err);
}

/// Runs on a file that cannot be read to its end, or not at all; nothing of it may be quoted.
#[track_caller]
fn quotes_nothing(content: &str, options: &str) -> Run {
    let home = home();
    home.write("secret", content);
    let run = home.run(&format!("replay secret --redact key -v {options}"));
    for text in [&run.out, &run.err] {
        assert!(!text.contains("hidden-7") && !text.contains("192.0.2.1"), "{options}: {text}");
    }
    run
}

#[test]
fn excerpts_of_files_are_left_out() {
    let good = notice("hidden-7", 0, "connect", "hidden-7-channel");
    let bad = [
        json!({"clientId": "hidden-7", "time": "hidden-7", "eventType": "hidden-7"}).to_string(),
        "{\"clientId\":\"hidden-7\"".to_owned(),
        "hidden-7".to_owned(),
    ];
    let text = lines(&[&[good][..], &bad[..]].concat());
    let run = quotes_nothing(&text, "");
    assert!(run.err.contains("line 2: "), "the place is told: {}", run.err);
    assert_eq!(quotes_nothing(&text, "--strict").code, 1);
    assert_eq!(quotes_nothing("hidden-7\n192.0.2.1\n", "").code, 2);
    quotes_nothing("hidden-7,192.0.2.1\nclient_id,hidden-7\n", "--csv-map client=x");
    quotes_nothing("client_id,hidden-7,192.0.2.1\na,b,c\n", "--csv-map event=x");
    let heading = recording::text(&[
        json!({"type": "recording", "version": 1, "instance": "hidden-7", "begun_ms": "hidden-7"}),
        json!({"type": "message", "received_ms": T, "instance": "hidden-7", "topic": "hidden-7"}),
    ]);
    assert_ne!(quotes_nothing(&heading, "").code, 0);
    quotes_nothing(
        "Nov 24 14:00:00 hidden-7 mosquitto[1]: New client connected from 192.0.2.1:5 as hidden-7 (p2, c1, k60).\n",
        "",
    );
}

#[test]
fn clients_known_before_a_recording_have_pseudonyms_too() {
    let channel = json!({
        "channel": "hidden-channel", "strong": true,
        "opened": [{"time_ms": T, "address": "192.0.2.77:5"}],
    });
    let known: Value = json!({
        "type": "client", "instance": recording::BROKER, "client": "GID_hidden@@@hidden-7",
        "voices": [{"voice": "lmq", "authority": 1, "records": [channel]}],
    });
    let night =
        [recording::heading(0), known, recording::source(1, 0, 9_000), recording::judged(9_000)];
    let home = home();
    home.write("a.jsonl", recording::text(&night));
    let run = home.run("replay -q --json --redact key a.jsonl");
    assert_eq!(run.verdicts().len(), 1, "{}", run.err);
    for word in ["hidden", "192.0.2", recording::BROKER] {
        assert!(!run.out.contains(word), "{word}: {}", run.out);
    }
}

#[test]
fn a_key_that_cannot_be_used_is_refused() {
    let home = Home::with("a.jsonl", outage(4));
    home.write("empty", "\n");
    for (key, what) in [("none", "could not read the key of pseudonyms"), ("empty", "it is empty")]
    {
        home.run(&format!("replay a.jsonl --redact {key}")).failed(4, what);
    }
}
