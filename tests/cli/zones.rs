//! `--time-zone`: which clock times are shown by.

use crate::asked::{FILES, replay};
use crate::run::{Home, Run, T, lines, notice};

const QUESTIONS: [&str; 9] = [
    "",
    "--changes",
    "--uptime",
    "--concurrency",
    "--outages",
    "--what-if last-event-wins,any-open",
    "--debounce-advisor",
    "--at 1795531285000",
    "--timeline pump-1",
];

/// Returns the moments in a text, in ms, and what follows their ms.
fn moments(text: &str) -> Vec<(i64, String)> {
    let words = text.split(|c: char| c.is_whitespace() || ",()".contains(c));
    let moment = |word: &str| {
        let is_time = word.len() > 20 && word.as_bytes()[10] == b'T';
        let time = is_time.then(|| word.parse::<jiff::Timestamp>().ok()).flatten()?;
        Some((time.as_millisecond(), word[23..].to_owned()))
    };
    words.filter_map(moment).collect()
}

/// Runs `replay` where tables have all the room they need.
fn wide(home: &Home, files: &str, options: &str) -> Run {
    let root = env!("CARGO_MANIFEST_DIR");
    let files = files.split(' ').map(|file| format!("{root}/{file}"));
    let words = ["replay", "-q"].map(str::to_owned).into_iter().chain(files);
    let words: Vec<String> = words.chain(options.split_whitespace().map(str::to_owned)).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    home.run_with(&words, "", &[("COLUMNS", "1000")])
}

#[test]
fn every_time_is_the_same_moment_in_each_zone() {
    let home = Home::new();
    let zones = [("Europe/Berlin", &["+01:00", "+02:00"][..]), ("-03:30", &["-03:30"])];
    let mut shown = 0;
    for (files, (zone, offsets)) in FILES.iter().zip(zones.into_iter().cycle()) {
        for question in QUESTIONS {
            let utc = wide(&home, files, question);
            let local = wide(&home, files, &format!("{question} --time-zone={zone}"));
            assert_eq!(local.code, utc.code, "{files} {question}: {}", local.err);
            let (utc, local) = (moments(&utc.out), moments(&local.out));
            assert_eq!(utc.len(), local.len(), "{files} {question}");
            for ((utc, mark), (local, offset)) in utc.iter().zip(&local) {
                assert_eq!((utc, mark.as_str()), (local, "Z"), "{files} {question}");
                assert!(offsets.contains(&offset.as_str()), "{files} {question}: {offset}");
            }
            shown += local.len();
        }
    }
    assert!(shown > 300, "{shown}");
}

#[test]
fn objects_and_rows_do_not_depend_on_the_zone() {
    let home = Home::new();
    for question in QUESTIONS {
        for form in ["--json", "--csv"] {
            let ask = |zone: &str| {
                replay(&home, "docs/examples/night.jsonl", &format!("-q {form} {question} {zone}"))
                    .out
            };
            assert_eq!(ask(""), ask("--time-zone Europe/Berlin"), "{form} {question}");
        }
    }
}

#[test]
fn the_night_that_is_an_hour_longer_shows_each_hour_with_its_offset() {
    // 2026-10-25T00:30Z and 01:30Z, both half past two in Berlin.
    let first = 1_792_888_200_000 - T;
    let text = lines(&[
        notice("a", first, "connect", "c"),
        notice("a", first + 3_600_000, "tcpclean", "c"),
        notice("b", first + 7_200_000, "connect", "d"),
    ]);
    let home = Home::with("a.jsonl", text);
    let run = home.run("replay -q a.jsonl --changes --time-zone Europe/Berlin");
    let expected = "\
2026-10-25T02:30:00.000+02:00  a  unknown → online  connect  channel c  from 192.0.2.1:50001
2026-10-25T02:30:00.000+01:00  a  online → offline  tcpclean  abrupt  channel c  from 192.0.2.1:50001
2026-10-25T03:30:00.000+01:00  b  unknown → online  connect  channel d  from 192.0.2.1:50001

3 changes
2 clients · 1 online · 1 offline
3 events
";
    run.is(0, expected, "");

    // What is typed without an offset would be either of them.
    home.run("replay a.jsonl --at 2026-10-25T02:30:00 --time-zone Europe/Berlin")
        .failed(2, "names no moment of its own");
    let run =
        home.run("replay -q a.jsonl --at 2026-10-25T02:30:00+02:00 --time-zone Europe/Berlin");
    assert!(run.out.contains("a       online  2026-10-25T02:30:00.000+02:00"), "{}", run.out);
}

#[test]
fn a_history_of_alibabas_api_needs_its_zone() {
    let home = Home::new();
    let trace = include_str!("../fixtures/dialects/aliyun-trace.jsonl");
    home.write("trace.jsonl", trace);
    let run = home.run("replay trace.jsonl");
    run.failed(2, "--time-zone");
    let run = home.run("replay trace.jsonl --time-zone Asia/Shanghai --json");
    assert_eq!(run.code, 0, "{}", run.err);
    assert!(run.err.contains("histories of Alibaba's MQTT"), "{}", run.err);
    // The older connection of the consumer ended because of the newer one.
    let expected = [("GID_test@@@consumer", "online"), ("GID_test@@@producer", "offline")];
    let expected = expected.map(|(client, state)| (client.to_owned(), state.to_owned()));
    assert_eq!(run.states(), expected);
    // Told twice, it is the same.
    home.write("twice.jsonl", format!("{trace}{trace}"));
    let twice = home.run("replay twice.jsonl --time-zone Asia/Shanghai --json");
    assert_eq!(twice.states(), expected);
}
