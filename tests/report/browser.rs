//! The page in a browser.

use crate::night::{hostile, of_strangers, outage};
use crate::run::{Home, T, lines, notice};
use crate::support::chromium::Chromium;
use std::path::PathBuf;

fn written(content: &str, options: &str) -> (Home, PathBuf) {
    let home = Home::with("a.jsonl", content);
    let run =
        home.run(&format!("replay -q --uptime --worst 9999 --report night.html {options} a.jsonl"));
    // Of a file in which there is nothing a warning is due.
    assert_eq!((run.code, run.err.is_empty()), (0, !content.is_empty()), "{}", run.err);
    let path = home.path().join("night.html");
    home.write("uptime.txt", run.out);
    (home, path)
}

/// Follows a link of those that were found, and waits until the page has.
fn follow(browser: &mut Chromium, at: u64) {
    browser.ask(&format!(
        "new Promise((done) => {{
            history.replaceState(null, '', '#');
            addEventListener('hashchange', () => done(0), {{ once: true }});
            document.querySelectorAll('#list a')[{at}].click();
        }})"
    ));
}

/// Returns what the page says of the client that is shown.
fn facts(browser: &mut Chromium) -> Vec<String> {
    let facts =
        browser.ask("[...document.querySelectorAll('#one dd')].map((fact) => fact.textContent)");
    serde_json::from_value(facts).expect("they are texts")
}

#[test]
#[ignore = "needs chromium"]
fn it_loads_without_a_word_and_without_a_request() {
    let mut browser = Chromium::start();
    for content in [outage(10), outage(1_000), of_strangers(), String::new()] {
        let (_home, path) = written(&content, "");
        browser.open(&path, "");
        assert_eq!(browser.complaints(), [""; 0]);
        assert_eq!(browser.ask("document.title"), "What happened");
        assert_eq!(browser.ask("document.getElementById('q').disabled"), false);
    }
}

#[test]
#[ignore = "needs chromium"]
fn the_search_shows_the_figures_of_the_terminal() {
    let (home, path) = written(&outage(60), "");
    let told = std::fs::read_to_string(home.path().join("uptime.txt")).expect("it was written");
    let mut browser = Chromium::start();
    browser.open(&path, "");
    for line in told.lines().filter(|line| line.contains("@@@")) {
        let cells: Vec<&str> =
            line.split("  ").map(str::trim).filter(|cell| !cell.is_empty()).collect();
        browser.search(cells[0]);
        assert_eq!(browser.ask("document.getElementById('hits').textContent"), "1 client found.");
        follow(&mut browser, 0);
        let shown = "document.querySelector('#one h3').textContent";
        let heading = browser.ask(shown);
        assert!(heading.as_str().is_some_and(|text| text.starts_with(cells[0])), "{heading}");
        assert_eq!(facts(&mut browser)[..8], cells[1..], "{line}");
    }
    assert_eq!(browser.complaints(), [""; 0]);
}

#[test]
#[ignore = "needs chromium"]
fn a_link_leads_to_a_client_and_to_a_search() {
    let (_home, path) = written(&outage(60), "");
    let mut browser = Chromium::start();
    browser.open(&path, "#client=GID_fleet%40%40%400001");
    let shown = browser
        .ask("document.activeElement.id + ' ' + document.querySelector('#one h3').textContent");
    assert_eq!(shown, "one GID_fleet@@@0001 offline");
    let facts = facts(&mut browser);
    assert!(facts.iter().any(|fact| fact.starts_with("outage 1, ")), "{facts:?}");
    let pieces = browser
        .ask("[...document.querySelectorAll('#one rect')].map((it) => it.getAttribute('class'))");
    assert_eq!(pieces, serde_json::json!(["piece unknown", "piece up", "piece down"]));
    browser.open(&path, "#q=fleet");
    assert_eq!(browser.ask("document.getElementById('hits').textContent"), "30 clients found.");
    browser.open(&path, "#client=nobody");
    assert_eq!(browser.ask("document.getElementById('one').hidden"), true);
    assert_eq!(browser.complaints(), [""; 0]);
}

#[test]
#[ignore = "needs chromium"]
fn the_search_shows_times_in_the_zone_of_the_page() {
    // The connects lie on both sides of the hour that comes twice in Berlin.
    let change = 1_792_890_000_000 - T;
    let text = lines(&[
        notice("a", change - 1_000, "connect", "c"),
        notice("a", change + 1_000, "tcpclean", "c"),
    ]);
    let rows =
        "[...document.querySelectorAll('#one tbody td:first-child')].map((it) => it.textContent)";
    for (zone, expected) in [
        ("", ["2026-10-25T00:59:59.000Z"]),
        ("--time-zone Europe/Berlin", ["2026-10-25T02:59:59.000+02:00"]),
        ("--time-zone=-03:30", ["2026-10-24T21:29:59.000-03:30"]),
    ] {
        let (_home, path) = written(&text, zone);
        let mut browser = Chromium::start();
        browser.open(&path, "#client=a");
        assert_eq!(browser.ask(rows), serde_json::json!(expected), "{zone}");
        let ends = browser.ask("document.querySelector('#one > p').textContent");
        let until =
            if zone.contains("Berlin") { " to 2026-10-25T02:00:01.000+01:00" } else { " to " };
        assert!(ends.as_str().is_some_and(|text| text.contains(until)), "{zone}: {ends}");
        assert_eq!(browser.complaints(), [""; 0]);
    }
}

#[test]
#[ignore = "needs chromium"]
fn nothing_is_cut_off_on_paper() {
    let (_home, path) = written(&outage(60), "--time-zone Europe/Berlin");
    let mut browser = Chromium::start();
    browser.open(&path, "");
    // A4 and Letter within their margins, at 96 pixels an inch.
    for width in [718, 740] {
        browser.on_paper(width);
        let beyond = "[...document.querySelectorAll('main *')].filter((it) =>
            it.getBoundingClientRect().right > innerWidth + 1 || it.scrollWidth > it.clientWidth + 1 && it.clientWidth > 0)
            .map((it) => it.outerHTML.slice(0, 80))";
        assert_eq!(browser.ask(beyond), serde_json::json!([]), "{width}");
    }
}

#[test]
#[ignore = "needs chromium"]
fn ids_of_strangers_stay_text() {
    let (_home, path) = written(&of_strangers(), "");
    let mut browser = Chromium::start();
    browser.open(&path, "");
    let elements = "[document.scripts.length, document.images.length, document.querySelectorAll('b,[onload],[onerror]').length]";
    let before = browser.ask(elements);
    assert_eq!(before, serde_json::json!([2, 0, 0]));
    browser.search(" ");
    for letter in ["<", "\\", "泵", "'", "&", "{", "]"] {
        browser.search(letter);
        let count =
            browser.ask("document.querySelectorAll('#list a').length").as_u64().unwrap_or(0);
        assert!(count > 0, "{letter}");
        for at in 0..count {
            follow(&mut browser, at);
        }
    }
    assert_eq!(browser.ask(elements), before);
    assert_eq!(browser.ask("document.title"), "What happened");
    let acts = browser
        .ask(r"/[\u2028\u2029\u202e\u2066\u200d\0\x07\x1b]/.test(document.body.textContent)");
    assert_eq!(acts, false);
    let count = browser.ask("(document.getElementById('q').value = '', document.getElementById('ask').requestSubmit(), document.getElementById('hits').textContent)");
    assert_eq!(count, format!("{} clients can be searched for.", hostile().len()));
    assert_eq!(browser.complaints(), [""; 0]);
}

#[test]
#[ignore = "needs chromium"]
#[expect(clippy::print_stderr, reason = "how long it took is for people to see, and no claim")]
fn a_hundred_thousand_clients_open() {
    let home = Home::with("a.jsonl", outage(100_000));
    let run = replay_here(&home);
    assert_eq!(run, 0);
    let path = home.path().join("night.html");
    let bytes = std::fs::metadata(&path).expect("it was written").len();
    assert!(bytes < 8_000_000, "{bytes}");
    let mut browser = Chromium::start();
    browser.open(&path, "");
    let took = browser.ask("performance.getEntriesByType('navigation')[0].loadEventEnd");
    browser.search("@@@99999");
    assert_eq!(browser.ask("document.getElementById('hits').textContent"), "1 client found.");
    assert_eq!(browser.complaints(), [""; 0]);
    eprintln!("100,000 clients: {bytes} bytes, loaded in {took} ms");
}

fn replay_here(home: &Home) -> i32 {
    use std::process::Command;
    let mut command = Command::new(env!("CARGO_BIN_EXE_presence"));
    command.args(["replay", "-q", "--outages", "--report", "night.html", "a.jsonl"]);
    let done = command.current_dir(home.path()).output().expect("it can be run");
    done.status.code().expect("no signal ended it")
}
