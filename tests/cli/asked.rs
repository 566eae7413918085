//! Files of the project, and what `replay` answers about them.

use crate::run::{Home, Run};
use serde_json::Value;
use std::path::PathBuf;

/// Recordings and logs of every kind.
pub const FILES: &[&str] = &[
    "docs/examples/night.jsonl",
    "docs/examples/notices.jsonl",
    "docs/examples/tour.jsonl",
    "tests/fixtures/dialects/mosquitto-2.1.log",
    "tests/golden/lmq-out-of-order.jsonl",
    "tests/golden/lmq-ends.jsonl",
    "tests/golden/recording-with-a-hole.jsonl",
    "tests/golden/status-three-lives.jsonl",
    "tests/golden/two-watchers-a.jsonl tests/golden/two-watchers-b.jsonl",
    "tests/golden/two-watchers-b.jsonl tests/golden/two-watchers-a.jsonl",
    "docs/examples/night.jsonl tests/fixtures/dialects/mosquitto-2.1.log",
];

/// Runs `replay` on files of the project, which are separated by blanks, as the options are.
#[track_caller]
pub fn replay(home: &Home, files: &str, options: &str) -> Run {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let paths = files.split(' ').map(|file| root.join(file).display().to_string());
    let words: Vec<String> = ["replay".to_owned()]
        .into_iter()
        .chain(paths)
        .chain(options.split_whitespace().map(str::to_owned))
        .collect();
    home.run_with(&words.iter().map(String::as_str).collect::<Vec<_>>(), "", &[])
}

/// Asks about files of the project, and returns the objects.
#[track_caller]
pub fn ask(files: &str, question: &str) -> Vec<Value> {
    let run = replay(&Home::new(), files, &format!("-q --json {question}"));
    assert_eq!((run.code, &*run.err), (0, ""), "{files} {question}");
    run.objects()
}

pub fn of_type<'a>(objects: &'a [Value], kind: &str) -> Vec<&'a Value> {
    objects.iter().filter(|object| object["type"] == kind).collect()
}
