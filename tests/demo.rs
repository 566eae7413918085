//! The demo does what the README shows, on any machine: only times and ports differ.
#![cfg(all(unix, feature = "broker"))]

use std::process::Command;

#[path = "support/process.rs"]
#[expect(dead_code, reason = "shared with other tests")]
mod process;
use process::{DEADLINE, Process};

#[test]
fn the_demo_shows_what_the_readme_shows() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_presence"));
    command.arg("demo").env_clear().env("COLUMNS", "100");

    let ended = Process::start(&mut command).ended(DEADLINE);

    assert!(ended.status.success(), "{ended:?}");
    assert_eq!(ended.err, "");
    assert_eq!(masked(&ended.out), masked(&shown()));
}

/// Returns the screen of the demo in the README.
fn shown() -> String {
    let readme = concat!(env!("CARGO_MANIFEST_DIR"), "/README.md");
    let readme = std::fs::read_to_string(readme).expect("it is there");
    let block = readme.split("-- demo\n```\n\n```text\n").nth(1).expect("the screen follows");
    block.split("```").next().expect("it has an end").to_owned()
}

/// Returns the lines in an order of their own, since two deeds may be told in either, with times and
/// ports as `#` and one space between words.
fn masked(screen: &str) -> Vec<String> {
    let words = |line: &str| {
        let mut words: Vec<String> = Vec::new();
        for word in line.split_whitespace() {
            let is_unit = ["ms", "s"].contains(&word);
            if is_unit && let Some(figure) = words.last_mut() {
                "#".clone_into(figure);
            } else if let Some((host, _port)) =
                word.split_once(':').filter(|(host, _)| *host == "127.0.0.1")
            {
                words.push(format!("{host}:#"));
            } else {
                words.push(word.to_owned());
            }
        }
        words.join(" ")
    };
    let mut lines: Vec<String> = screen.lines().map(words).collect();
    lines.sort();
    lines
}
