//! `replay --follow`: what is still being written, rotated, or piped in.

use crate::run::{Home, T, lines, notice};
use crate::support::process::{DEADLINE, Ended, Presence, Stream};
use serde_json::Value;
use std::fs::File;
use std::io::Write as _;

fn append(home: &Home, name: &str, text: &str) {
    let file = File::options().append(true).open(home.path().join(name));
    file.expect("it is there").write_all(text.as_bytes()).expect("it is writable");
}

fn follow(home: &Home, words: &[&str]) -> Presence {
    Presence::start_in(home.path(), [&["replay", "--follow", "--json"], words].concat(), &[])
}

fn caught_up(process: &Presence, name: &str) {
    let said = format!("{name}: read to its end, going on");
    process.wait_line_of(Stream::Err, |line| line == said, DEADLINE);
}

fn changed(process: &Presence, client: &str, to: &str) -> Value {
    let is_it = |line: &str| {
        let object: Value = serde_json::from_str(line).unwrap_or_default();
        (&object["type"], &object["client"], &object["to"])
            == (&"change".into(), &client.into(), &to.into())
    };
    serde_json::from_str(&process.wait_line(is_it, DEADLINE)).expect("it was read before")
}

fn ended(mut process: Presence) -> Ended {
    process.interrupt();
    let ended = process.ended(DEADLINE);
    assert_eq!(ended.code, Some(0), "{}", ended.err);
    ended
}

#[test]
fn changes_are_told_as_a_file_grows_and_the_verdicts_at_the_end() {
    let home = Home::with("live", lines(&[notice("a", 0, "connect", "c")]));
    let process = follow(&home, &["live"]);
    caught_up(&process, "live");

    append(&home, "live", &lines(&[notice("a", 5_000, "tcpclean", "c")]));
    assert_eq!(changed(&process, "a", "offline")["at_ms"], T + 5_000);
    let (half, rest) = (notice("b", 6_000, "connect", "d"), "\n");
    append(&home, "live", &half[..30]);
    append(&home, "live", &(half[30..].to_owned() + rest));
    changed(&process, "b", "online");

    let ended = ended(process);
    let last: Vec<&str> = ended.out.lines().rev().take(3).collect();
    assert!(last[0].starts_with(r#"{"type":"summary","clients":2,"online":1,"#), "{}", ended.out);
    assert!(last[1].contains(r#""client":"b","state":"online""#), "{}", ended.out);
    assert!(ended.err.ends_with("live: LMQ notices\n"), "{}", ended.err);
}

#[test]
fn a_file_that_was_rotated_goes_on_in_its_successor() {
    let home = Home::with("old", lines(&[notice("a", 0, "connect", "c")]));
    home.write("live", "");
    let process = follow(&home, &["old", "missing", "live"]);
    caught_up(&process, "live");

    append(&home, "live", &lines(&[notice("a", 5_000, "tcpclean", "c")]));
    changed(&process, "a", "offline");
    std::fs::rename(home.path().join("live"), home.path().join("live.1")).expect("writable");
    home.write("live", lines(&[notice("b", 6_000, "connect", "d")]));
    changed(&process, "b", "online");

    let mut process = process;
    process.interrupt();
    let ended = process.ended(DEADLINE);
    assert_eq!(ended.code, Some(4), "one file was missing: {}", ended.err);
    assert!(ended.err.contains("error: could not read `missing`"), "{}", ended.err);
}

#[test]
fn the_first_change_of_an_empty_log_is_told() {
    let home = Home::with("live", "");
    let process = follow(&home, &["live", "--client", "b"]);
    caught_up(&process, "live");

    append(&home, "live", "1795312995: New client connected from h:1 as a (p2, c1, k60).\n");
    append(&home, "live", "1795312995: New client connected from h:2 as b (p2, c1, k60).\n");
    changed(&process, "b", "online");

    let ended = ended(process);
    assert!(!ended.out.contains(r#""client":"a""#), "{}", ended.out);
    assert!(ended.err.ends_with("live: a log of Mosquitto\n"), "{}", ended.err);
}

#[test]
fn what_is_piped_in_is_followed_to_its_end() {
    let home = Home::new();
    let mut process = follow(&home, &["-"]);
    caught_up(&process, "-");
    process.write(&lines(&[notice("a", 0, "connect", "c")]));
    changed(&process, "a", "online");
    process.close_input();

    let ended = process.ended(DEADLINE);
    assert_eq!(ended.code, Some(0), "{}", ended.err);
    assert!(ended.out.contains(r#"{"type":"summary","clients":1,"online":1,"#), "{}", ended.out);
}

#[test]
fn only_one_file_can_be_followed() {
    let home = Home::with("a", "");
    home.run("replay --follow .").failed(2, "`--follow` cannot follow `.`");
    home.run("replay --follow missing").failed(4, "could not read `missing`");
    assert_eq!(home.run("replay --follow a --at 1").code, 2);
}

#[test]
fn changes_are_told_to_people_under_the_name_of_their_broker() {
    let home = Home::with("live", lines(&[notice("a", 0, "connect", "c")]));
    let words = ["replay", "--follow", "--instance", "b:1", "live"];
    let process = Presence::start_in(home.path(), words, &[]);
    caught_up(&process, "live");

    append(&home, "live", &lines(&[notice("a", 5_000, "tcpclean", "c")]));
    append(&home, "live", &lines(&[notice("b", 6_000, "connect", "d")]));
    process.wait_line(|line| line.contains("  b  unknown → online"), DEADLINE);

    let ended = ended(process);
    let expected = "\
at b:1:
2025-10-09T08:53:25.000Z  a  online → offline  tcpclean  abrupt  channel c  from 192.0.2.1:50001
2025-10-09T08:53:26.000Z  b  unknown → online  connect  channel d  from 192.0.2.1:50001
CLIENT  STATE ";
    assert!(ended.out.starts_with(expected), "{}", ended.out);
    assert!(!ended.out.contains("2 changes"), "{}", ended.out);
}

#[test]
fn what_is_compressed_cannot_be_followed_and_is_read_before_what_can() {
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    let old = lines(&[notice("a", 0, "connect", "c")]);
    let packed = packed.write_all(old.as_bytes()).and_then(|()| packed.finish());
    let home = Home::with("old.gz", packed.expect("memory takes it"));
    home.write("old.xz", b"\xfd7zXZ\0");
    home.write("live", "");

    home.run("replay --follow old.gz")
        .failed(2, "`--follow` cannot follow `old.gz`\n  cause: it is compressed (gzip)");
    let run = home.run("replay --follow old.xz");
    run.failed(2, "`--follow` cannot follow `old.xz`\n  cause: it is compressed with xz");
    assert!(run.err.contains("`xzcat old.xz | presence replay -`"), "{}", run.err);

    let process = follow(&home, &["old.gz", "live"]);
    caught_up(&process, "live");
    append(&home, "live", &lines(&[notice("a", 5_000, "tcpclean", "c")]));
    changed(&process, "a", "offline");
    ended(process);
}

#[test]
fn what_only_the_end_of_all_files_answers_is_not_asked_of_what_goes_on() {
    let home = Home::with("n.jsonl", notice("a", 0, "connect", "c") + "\n");
    for question in ["--uptime", "--changes"] {
        let run = home.run(&format!("replay --follow {question} n.jsonl"));
        run.failed(2, "`--follow` with a question about the past");
    }
}
