//! Client ids, channels and addresses come from strangers: a table shows them safely, JSON exactly.

use crate::run::{Home, T, lines, recording};
use serde_json::json;

fn ids() -> Vec<String> {
    let mut ids: Vec<String> = [
        "\x1b[2J\x1b]0;owned\x07",
        "turned \u{202e}around",
        "zero\u{200b}width\u{feff}",
        "line\nCLIENT  online",
        "carriage\rreturn",
        "tab\tand \u{0} and \u{85} and \u{2028}",
        "\"quoted\" 'and' `ticked` $(and) <b>&amp;</b>",
        "back\\slash \\x1b",
        "泵 é e\u{301} 👩\u{200d}🚀",
        "{\"type\":\"summary\"}",
        " leading and trailing ",
        "\u{10ffff}\u{e000}",
    ]
    .map(str::to_owned)
    .to_vec();
    ids.push("x".repeat(60_000));
    ids.push("\x1b".repeat(10_000));
    ids.sort_unstable();
    ids
}

/// Returns a notice in which every text is the client's id, as long as that may be.
fn notice(id: &str) -> String {
    let other = head(id);
    json!({
        "clientId": id, "time": T, "eventType": "connect", "channelId": other, "clientIp": other,
    })
    .to_string()
}

fn head(id: &str) -> String {
    id.chars().take(100).collect()
}

/// Fails if the text could do anything to a terminal but print lines.
#[track_caller]
fn is_calm(text: &str) {
    let is_unsafe = |c: &char| {
        (c.is_control() && *c != '\n')
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}')
            || matches!(c, '\u{feff}' | '\u{fff9}'..='\u{fffb}')
    };
    if let Some(found) = text.chars().find(is_unsafe) {
        panic!("{found:?} in:\n{}", text.escape_debug());
    }
}

#[test]
fn json_is_exact_and_the_table_is_safe() {
    let ids = ids();
    let home = Home::with("a.jsonl", lines(&ids.iter().map(|id| notice(id)).collect::<Vec<_>>()));

    let run = home.run("replay -q --json a.jsonl");
    assert_eq!((run.code, &*run.err), (0, ""));
    let objects = run.objects();
    assert_eq!(objects.len(), ids.len() + 1);
    for (object, id) in objects.iter().zip(&ids) {
        assert_eq!(object["client"], json!(id));
        assert_eq!(object["channel"], json!(head(id)));
        assert_eq!(object["address"], json!(head(id)));
    }

    let run = home.run("replay -q a.jsonl");
    assert_eq!((run.code, &*run.err), (0, ""));
    is_calm(&run.out);
    assert!(run.out.lines().all(|line| line.chars().count() <= 100), "{}", run.out);
    assert!(run.out.len() < 40_000, "{} bytes", run.out.len());
    assert!(run.out.contains("14 clients · 14 online\n"), "{}", run.out);
}

#[test]
fn an_id_beyond_what_is_read_is_set_aside() {
    let home = Home::with("a.jsonl", lines(&[notice("a"), notice(&"x".repeat(65_536))]));

    let run = home.run("replay -q --json a.jsonl");

    assert_eq!((run.code, &run.summary()["malformed"]), (0, &json!(1)));
    assert!(run.err.len() < 400, "{}", run.err);
}

#[test]
fn what_is_said_about_hostile_lines_is_safe() {
    let evil = "\x1b[31mnot a notice\u{202e}\x07";
    let name = "\x1b[31m\u{202e}name\n.jsonl";
    let home = Home::new();
    home.write(name, format!("{}\n{evil}\n", notice("a")));
    home.write("evil", evil);

    for words in [
        &["replay", "-v", name][..],
        &["replay", "--strict", name],
        &["replay", "evil"],
        &["replay", "--dialect", "lmq", "-v", "evil"],
        &["replay", "\x1b]0;missing\x07"],
        &["replay", "--client", "[\x1b[2J", "evil"],
        &["replay", "--at", "\x1b[2J", "evil"],
        &["replay", "--time-zone", "\x1b[2J", "evil"],
        &["store", "info", "--store", "\x1b[2J"],
        &["store", "import", "--instance", "\x1b[2J\nx", "--store", "x.db", name],
        &["store", "info", "--store", "x.db"],
        &["store", "export", "--store", "x.db", "--instance", "\x1b[2J"],
        &["check", "\x1b[2J", "--store", "x.db", "--evidence", "store", "-b", "h"],
        &["check", "a", "--store", "x.db", "--evidence", "store", "-b", "h", "--explain"],
        &["check", "a", "-b", "mqtt://\x1b[2J"],
        &["check", "a", "-k", "\x1b[2J"],
        &["check", "a", "--fleet", "\x1b[2J"],
    ] {
        let run = home.run_with(words, "", &[]);
        is_calm(&run.out);
        is_calm(&run.err);
        assert!(!run.out.is_empty() || !run.err.is_empty(), "{words:?}");
    }
}

#[test]
fn hostile_payloads_of_a_recording_are_read_or_set_aside() {
    let mut lines = recording::first_run();
    let payload = |text: &str| {
        let mut line = recording::message("x", 3_000, "connect", "c");
        line["payload"] = json!(text);
        line
    };
    let mut bytes = payload("");
    bytes["payload"] = json!(null);
    bytes["payload_b64"] = json!("//79");
    let mut broken = bytes.clone();
    broken["payload_b64"] = json!("=/=");
    lines.splice(
        4..4,
        [
            payload("\0\0\0"),
            payload(&"y".repeat(1 << 20)),
            payload("{\"clientId\":\"\\ud800\",\"eventType\":\"connect\"}"),
            bytes,
            broken,
        ],
    );
    let home = Home::with("night.jsonl", recording::text(&lines));

    let run = home.run("replay -v --json night.jsonl");

    assert_eq!((run.code, &run.summary()["malformed"]), (0, &json!(5)), "{}", run.err);
    assert_eq!(run.summary()["online"], 2);
    is_calm(&run.err);
}
