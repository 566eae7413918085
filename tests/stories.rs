//! Stories: what a user would have on file, and what is to be made of it.
//!
//! `tests/golden/NAME.*` is replayed, `NAME.expected` is what it prints. `PRESENCE_BLESS=1` rewrites
//! the expected files; the difference is then reviewed as if it were code.

mod support;

#[path = "cli/run.rs"]
#[allow(dead_code, reason = "shared with the tests of the command line")]
mod run;

use run::{Home, Run};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// Name of the expected file, and what is replayed.
const STORIES: &[(&str, &str)] = &[
    ("lmq-out-of-order", "--json lmq-out-of-order.jsonl"),
    ("lmq-take-over", "--json lmq-take-over.jsonl"),
    ("lmq-ghost", "--json lmq-ghost.jsonl"),
    ("lmq-redelivery", "--json lmq-redelivery.jsonl"),
    ("lmq-flapping", "--json lmq-flapping.jsonl"),
    ("lmq-take-over-loop", "--json lmq-take-over-loop.jsonl"),
    ("lmq-ends", "--json lmq-ends.jsonl"),
    // Ten seconds after the goodbye: the end of the transport may still be on its way.
    ("lmq-ends-closing", "--json --at 1760000070000 lmq-ends.jsonl"),
    ("lmq-ends-table", "lmq-ends.jsonl"),
    ("mosquitto-tcp-take-over", "--json mosquitto-tcp-take-over.log"),
    ("mosquitto-websocket-take-over", "--json --time-zone UTC mosquitto-websocket-take-over.log"),
    ("status-three-lives", "--json status-three-lives.jsonl"),
    ("recording-with-a-hole", "--json recording-with-a-hole.jsonl"),
    ("recording-with-a-hole-table", "recording-with-a-hole.jsonl"),
    ("two-watchers", "--json two-watchers-a.jsonl two-watchers-b.jsonl"),
    (
        "hivemq-double-line",
        "--json --time-zone UTC ../fixtures/dialects/trap-hivemq-old-double-line.log",
    ),
    ("azure-eventgrid-order", "--json ../fixtures/dialects/trap-azure-eventgrid-mqtt-order.jsonl"),
];

#[test]
fn every_story_ends_as_it_should() {
    let mut wrong = String::new();
    for (name, line) in STORIES {
        let run = replay(line);
        assert_eq!((run.code, &*run.err), (0, ""), "{name}");
        let path = golden().join(format!("{name}.expected"));
        if std::env::var_os("PRESENCE_BLESS").is_some() {
            std::fs::write(&path, &run.out).expect("the folder of the stories can be written");
        }
        let expected = std::fs::read_to_string(&path).unwrap_or_default();
        if run.out != expected {
            let _ = write!(wrong, "{name}, expected:\n{expected}found:\n{}\n", run.out);
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn every_file_of_a_story_is_told() {
    let told = |name: &str| match name.strip_suffix(".expected") {
        Some(story) => STORIES.iter().any(|(name, _)| *name == story),
        None => STORIES.iter().any(|(_, line)| line.split(' ').any(|word| word == name)),
    };
    for entry in std::fs::read_dir(golden()).expect("there are stories") {
        let name = entry.expect("the folder can be read").file_name();
        assert!(told(&name.to_string_lossy()), "{name:?} belongs to no story");
    }
}

#[test]
fn two_watchers_tell_one_story_in_whatever_order_they_are_read() {
    let forth = replay("--json two-watchers-a.jsonl two-watchers-b.jsonl");
    let read = |name: &str| std::fs::read_to_string(golden().join(name)).expect("it is there");
    let (a, b) = (read("two-watchers-a.jsonl"), read("two-watchers-b.jsonl"));

    let back = replay("--json two-watchers-b.jsonl two-watchers-a.jsonl");
    assert_eq!(back.verdicts(), forth.verdicts());
    let orders = [(&a, &b), (&b, &a)];
    for (first, second) in orders {
        for text in [format!("{first}{second}"), format!("{first}{second}{first}")] {
            let home = Home::with("night.jsonl", text);
            let run = home.run("replay -q --json night.jsonl");
            assert_eq!(run.code, 0, "{}", run.err);
            assert_eq!(run.verdicts(), forth.verdicts());
        }
    }
}

fn replay(line: &str) -> Run {
    let mut words = vec!["replay", "-q"];
    let paths: Vec<String> = line.split(' ').map(in_golden).collect();
    words.extend(paths.iter().map(String::as_str));
    Home::new().run_with(&words, "", &[])
}

/// Returns a word as it is, and the name of a file with its folder.
fn in_golden(word: &str) -> String {
    let path = golden().join(word);
    if path.is_file() { path.to_string_lossy().into_owned() } else { word.to_owned() }
}

fn golden() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden")
}
