//! What was found, kept in a file that other commands go by.

use crate::support::process::{DEADLINE, Ended, Presence, Stream};
use crate::{broker, probe};
use presence::embedded::Options;
use serde_json::Value;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// Probes a broker and keeps what it prints.
fn kept(folder: &TempDir, url: &str, line: &str) -> PathBuf {
    let ended = probe(url, &format!("--json {line}"));
    assert_eq!(ended.code, Some(0), "{ended:?}");
    write(folder, "found.json", &ended.out)
}

fn write(folder: &TempDir, name: &str, text: &str) -> PathBuf {
    let path = folder.path().join(name);
    std::fs::write(&path, text).expect("the folder is ours");
    path
}

fn folder() -> TempDir {
    TempDir::new().expect("a temporary folder can be made")
}

fn verify(url: &str, found: &Path, line: &str) -> Ended {
    let found = found.display().to_string();
    let words = ["simulate", "--verify", "--json", "--lag-max", "1h", "-b", url, "--probe", &found];
    Presence::start(words.into_iter().chain(line.split_whitespace())).ended(DEADLINE * 2)
}

#[test]
fn a_verification_expects_what_a_probe_has_seen() {
    let (_broker, url) = broker(Options::on_a_free_port());
    let folder = folder();
    let found = kept(&folder, &url, "-k 2");
    let line = "--count 20 --duration 6s -k 2 --deaths disconnect=50,silence=50";
    let ended = verify(&url, &found, line);

    let said = "listening to lmq and status, which speak; a silence is to be noticed as by `3s..";
    assert!(ended.err.contains(said), "{}", ended.err);
    let summary = ended.out.lines().last().expect("there is a summary");
    let summary: Value = serde_json::from_str(summary).expect("it is JSON");
    assert!(summary["window"].as_str().is_some_and(|text| text.starts_with("3s..")), "{summary}");

    let ended = verify(&url, &found, &format!("{line} --dialect status --expect-window spec"));
    let said = "listening to status, which speaks; a silence is to be noticed as by `spec`";
    assert!(ended.err.contains(said), "what is typed outranks it: {}", ended.err);
}

#[test]
fn a_watcher_listens_as_a_probe_recommends() {
    let (_broker, url) = broker(Options::on_a_free_port());
    let folder = folder();
    let found = kept(&folder, &url, "--no-silence").display().to_string();
    for (line, said) in [("", "listening as `lmq`"), ("--dialect status", "listening as `status`")]
    {
        let words = ["watch", "--clean", "-b", &url, "--probe", &found];
        let mut watch = Presence::start(words.into_iter().chain(line.split_whitespace()));
        watch.wait_line_of(Stream::Err, |line| line == said, DEADLINE);
        watch.wait_line_of(Stream::Err, |line| line.contains("is known yet"), DEADLINE);
        watch.interrupt();
        assert_eq!(watch.ended(DEADLINE).code, Some(0));
    }
}

#[test]
fn a_check_listens_as_a_probe_recommends() {
    let (_broker, url) = broker(Options::on_a_free_port());
    let folder = folder();
    let found = kept(&folder, &url, "--no-silence --dialect status").display().to_string();
    for (more, hears_lmq) in [(&[][..], false), (&["--dialect", "lmq,status"], true)] {
        let words = ["check", "pump-1", "--store", "memory", "-b", &url, "--probe", &found, "-vv"];
        let ended = Presence::start(words.iter().chain(more)).ended(DEADLINE);
        assert_eq!(ended.code, Some(3), "{ended:?}");
        let asked = ended.err.lines().find(|line| line.contains("devices/+/status"));
        let asked = asked.unwrap_or_else(|| panic!("{ended:?}"));
        assert_eq!(asked.contains("$presence/#"), hears_lmq, "{asked}");
    }
}

#[test]
fn what_does_not_fit_is_refused_before_anybody_is_bothered() {
    let folder = folder();
    let other = r#"{"type":"probe","instance":"broker.example:1883","findings":null}"#;
    let failed = r#"{"type":"probe","instance":"localhost:1","findings":null}"#;
    for (name, text, code, cause) in [
        ("other.json", other, 2, "it is about `broker.example:1883`, not `localhost:1`"),
        ("failed.json", failed, 2, "it found nothing that tells of clients there"),
        (
            "summary.json",
            r#"{"type":"summary"}"#,
            2,
            "it is not what `presence probe --json` prints",
        ),
        ("empty.json", "", 2, "it is not what `presence probe --json` prints"),
        ("missing.json", "", 4, "No such file"),
    ] {
        let path = write(&folder, name, text);
        if code == 4 {
            std::fs::remove_file(&path).expect("it was just written");
        }
        let path = path.display().to_string();
        let simulate = &["simulate", "--verify", "--count", "1"];
        for command in [&["watch"][..], &["check", "pump-1"], simulate] {
            let words = command.iter().copied().chain(["-b", "127.0.0.1:1", "--probe", &path]);
            let ended = Presence::start(words).ended(DEADLINE);
            assert_eq!((ended.code, &*ended.out), (Some(code), ""), "{name}: {}", ended.err);
            assert!(ended.err.contains(cause), "{name}: {}", ended.err);
            assert!(ended.err.contains("\n  next:  "), "{name}: {}", ended.err);
        }
    }
    let ended = Presence::start(["simulate", "--probe", "x"]).ended(DEADLINE);
    assert_eq!(ended.code, Some(2), "{}", ended.err);
    let two = ["watch", "-b", "127.0.0.1:1", "-b", "127.0.0.1:2", "--probe", "x"];
    let ended = Presence::start(two).ended(DEADLINE);
    assert_eq!(ended.code, Some(2));
    assert!(ended.err.contains("`--probe` with several brokers"), "{}", ended.err);
}
