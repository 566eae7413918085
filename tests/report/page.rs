//! The page without a browser: its structure, its bounds, and that it says what is printed.

use crate::asked::{FILES, replay};
use crate::night::{hostile, of_strangers, outage, page, read};
use crate::run::{Home, lines, notice};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use ring::digest::{SHA256, digest};

/// Returns what stands between two texts, the first time.
#[track_caller]
fn between<'a>(text: &'a str, from: &str, to: &str) -> &'a str {
    let (_, rest) = text.split_once(from).unwrap_or_else(|| panic!("`{from}` is not there"));
    rest.split_once(to).unwrap_or_else(|| panic!("`{to}` is not there")).0
}

#[test]
fn every_part_is_there_and_can_be_reached() {
    for files in FILES {
        let page = page(files, "");
        for id in ["time", "found", "lanes", "search", "anomalies", "uptime", "about"] {
            assert_eq!(page.matches(&format!("<section id=\"{id}\"")).count(), 1, "{files}: {id}");
            assert!(page.contains(&format!("<a href=\"#{id}\">")), "{files}: {id}");
        }
        for part in ["<main>", "<h1>", "<html lang=\"en\">", "role=\"search\"", "<nav aria-label="]
        {
            assert_eq!(page.matches(part).count(), 1, "{files}: {part}");
        }
        let pictures = page.matches("role=\"img\"").count();
        assert_eq!(pictures, page.matches("role=\"img\" aria-label=\"").count(), "{files}");
        assert!(pictures > 0 && !page.contains("aria-label=\"\""), "{files}: {pictures}");
        for (open, close) in
            [("<div", "</div>"), ("<section", "</section>"), ("<details", "</details>")]
        {
            assert_eq!(page.matches(open).count(), page.matches(close).count(), "{files}: {open}");
        }
    }
}

#[test]
fn the_policy_lets_our_script_run_and_nothing_else() {
    let page = page("docs/examples/night.jsonl", "");
    let policy = between(&page, "Content-Security-Policy\" content=\"", "\"");
    let script = between(&page, "<script>", "</script>");
    let hash = BASE64_STANDARD.encode(digest(&SHA256, script.as_bytes()));
    assert_eq!(
        policy,
        format!(
            "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; \
             script-src 'sha256-{hash}'"
        )
    );
    for word in ["http:", "https:", " src=", "@import", " onload", " onerror", " onclick"] {
        let found = page.replace("http://www.w3.org/2000/svg", "");
        assert!(!found.contains(word), "{word}");
    }
}

#[test]
fn the_same_input_gives_the_same_page() {
    for files in FILES {
        assert_eq!(page(files, ""), page(files, ""), "{files}");
    }
}

#[test]
fn the_answer_is_the_same_beside_a_page() {
    let questions = [
        "",
        "--changes",
        "--uptime",
        "--concurrency",
        "--outages",
        "--anomalies",
        "--what-if last-event-wins,any-open --worst 999",
        "--debounce-advisor",
        "--shuffle 2s --dup 5% --seed 7",
        "--at 1795531285000",
    ];
    for files in FILES {
        for question in questions {
            let home = Home::new();
            let alone = replay(&home, files, question);
            let beside = replay(&home, files, &format!("{question} --report night.html"));
            let told = "the report is in night.html\n";
            assert_eq!((alone.code, &alone.out), (beside.code, &beside.out), "{files} {question}");
            let err = if alone.code == 0 { alone.err.clone() + told } else { alone.err.clone() };
            assert_eq!(err, beside.err, "{files} {question}");
        }
    }
}

#[test]
fn the_tables_of_the_page_are_those_of_the_terminal() {
    let home = Home::with("a.jsonl", outage(200));
    let run = home.run("replay -q --uptime --worst 20 --report night.html a.jsonl");
    let page = read(&home);
    let mut rows = 0;
    for line in run.out.lines().filter(|line| line.contains(" % ")) {
        let cells: Vec<&str> =
            line.split("  ").map(str::trim).filter(|cell| !cell.is_empty()).collect();
        let row: Vec<String> = cells.iter().map(|cell| format!(">{cell}</td>")).collect();
        let is_row = |found: &str| {
            let mut at = 0;
            row.iter().all(|cell| {
                let place = found[at..].find(cell.as_str()).map(|place| at + place);
                at = place.unwrap_or(found.len());
                place.is_some()
            })
        };
        assert!(page.split("<tr>").any(is_row), "{line}");
        rows += 1;
    }
    assert_eq!(rows, 23, "{}", run.out);
}

#[test]
fn outages_stand_in_the_first_line() {
    let home = Home::with("a.jsonl", outage(200));
    let run = home.run("replay -q --outages --report night.html a.jsonl");
    let told = run.out.lines().next().expect("there is one").split("mass outage  ").nth(1);
    let page = read(&home);
    let lead = between(&page, "<div class=\"lead\">", "</div>");
    let first = lead.trim().lines().next().expect("there is one");
    assert!(first.contains(told.expect("it is an outage")), "{first}\n{}", run.out);
    assert!(first.contains("of 100 clients known by name, 80 were online then"), "{first}");
    assert!(page.contains("100 are known by name, among them GID_fleet@@@0001"), "{page}");
    for why in ["with 99 others, and not online at the end", "with 99 others, and back"] {
        assert!(between(&page, "<div class=\"lanes\">", "<section").contains(why), "{why}");
    }
}

#[test]
fn a_hole_is_told_and_drawn() {
    let page = page("docs/examples/night.jsonl", "");
    assert!(page.contains("Nobody listened for 38.0 s, from 2026-11-24 14:40:37 UTC"), "{page}");
    assert_eq!(page.matches("<rect class=\"hole\" x=").count(), 1);
}

#[test]
fn times_are_those_of_the_zone_that_was_asked_for() {
    let page = page("docs/examples/night.jsonl", "--time-zone Europe/Berlin");
    assert!(page.contains("for 38.0 s, from 2026-11-24 15:40:37 +01:00"), "{page}");
    assert!(page.contains("Times are those of Europe/Berlin, with the offset from UTC"), "{page}");
    assert!(page.contains("the time from left to right, Europe/Berlin"), "{page}");
    assert!(page.contains(r#""offsets":[[1795531232556,3600]]"#), "{page}");
    let (page, data) = page.split_once("<script").expect("there is one");
    assert!(!page.contains("UTC\"") && !page.contains("Z<"), "{page}");
    assert!(data.contains("offset"), "{data}");
}

#[test]
fn strangers_leave_no_markup_behind() {
    let home = Home::with("a.jsonl", of_strangers());
    let run = home.run("replay -q --report night.html a.jsonl --instance <b>broker</b>");
    assert_eq!((run.code, &*run.err), (0, ""));
    let page = read(&home);
    assert_eq!(page.matches("<script").count(), 2, "the data and ours");
    for word in ["<img", "<svg onload", "<b>", "owned'</script>", "<!--"] {
        assert!(!page.contains(word), "{word}");
    }
    let unsafe_ones =
        ['\u{2028}', '\u{2029}', '\u{202e}', '\u{2066}', '\0', '\x07', '\x1b', '\u{200d}'];
    assert!(!page.contains(unsafe_ones), "it acts on its reader");
    let data = between(&page, "id=\"data\">", "</script>");
    let data: serde_json::Value = serde_json::from_str(data).expect("it is JSON");
    let rows = data["brokers"][0]["rows"].as_array().expect("a broker has rows");
    assert_eq!(rows.len(), hostile().len());
}

#[test]
fn what_has_no_place_is_said() {
    const CLIENTS: u64 = 24_000;
    let long = "x".repeat(180);
    let connect = |at: u64| {
        let at = i64::try_from(at).expect("it is small");
        notice(&format!("GID_{at:05}@@@{long}"), at, "connect", "c")
    };
    let text = lines(&(0..CLIENTS).map(connect).collect::<Vec<_>>());
    let home = Home::with("a.jsonl", text);
    let run = home.run("replay -q --report night.html --outages a.jsonl");
    assert_eq!(run.code, 0, "{}", run.err);
    let page = read(&home);
    assert!(page.len() < 8_000_000, "{}", page.len());
    let data = between(&page, "id=\"data\">", "</script>");
    let data: serde_json::Value = serde_json::from_str(data).expect("it is JSON");
    let rows = data["brokers"][0]["rows"].as_array().expect("a broker has rows").len() as u64;
    let left_out = data["left_out"].as_u64().expect("a number");
    assert!(left_out > 0 && rows + left_out == CLIENTS, "{rows} and {left_out}");
    assert!(page.contains("had no place, and cannot be searched for"), "{left_out}");
}

#[test]
fn a_page_that_cannot_be_written_is_said_before_anything_is_read() {
    let home = Home::with("a.jsonl", outage(20));
    std::fs::create_dir(home.path().join("folder")).expect("a folder can be made");
    for path in ["none/night.html", "folder"] {
        let run = home.run(&format!("replay a.jsonl --report {path}"));
        run.failed(4, "could not write the report");
        assert!(!run.err.contains("a.jsonl:"), "{}", run.err);
    }
    let run = home.run("replay a.jsonl --follow --report night.html");
    run.failed(2, "`--follow`");
    assert!(!home.path().join("night.html").exists());
}

#[test]
fn nothing_heard_is_a_page_as_well() {
    let home = Home::with("a.jsonl", "");
    let run = home.run("replay -q a.jsonl --report night.html");
    assert_eq!(run.code, 0);
    assert!(run.err.starts_with("warning: nothing was read from `a.jsonl`"), "{}", run.err);
    assert!(read(&home).contains("Nothing was heard of any client"));
}

#[test]
fn a_part_of_clients_and_time_is_called_one() {
    let home = Home::with("a.jsonl", outage(40));
    let run =
        home.run("replay -q a.jsonl --report night.html --group GID_fleet --since 1760000900000");
    assert_eq!(run.code, 0, "{}", run.err);
    let page = read(&home);
    assert!(page.contains("Only a part of the clients or of the time was asked about"), "{page}");
    assert!(page.contains("GID_fleet@@@0001") && !page.contains("GID_plant@@@0002"));
}
