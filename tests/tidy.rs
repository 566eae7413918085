//! Holds the architecture: reads the sources and fails where they break the rules of the house.
//!
//! Each rule is a function from sources to complaints, so that it can be shown to find what it is
//! for; the tests at the end run all of them on small bad pieces. A rule that stands in the way of a
//! better design is changed here, in the commit that needs it, which then says why.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

#[path = "support/rust_source.rs"]
mod rust_source;
use rust_source::Source;

/// Files and folders that are handed time, seeds and bytes, and reach for nothing themselves.
const PURE: &[&str] = &[
    "src/event",
    "src/state",
    "src/dialect",
    "src/disorder",
    "src/nearest",
    "src/random",
    "src/embedded/core",
    "src/output/screen",
    "src/probe",
    "src/publish/outbox",
    "src/publish/schedule",
    "src/query/api",
    "src/query/asked",
    "src/query/chain",
    "src/query/dynsec",
    "src/query/exchange",
    "src/query/sign",
    "src/serve/head",
    "src/sign",
    "src/simulate/deed",
    "src/simulate/device",
    "src/simulate/fleet",
    "src/simulate/pinging",
    "src/simulate/plan",
    "src/simulate/report",
    "src/simulate/scenario",
    "src/simulate/tally",
    "src/simulate/template",
    "src/simulate/trace",
    "src/simulate/verify",
    "src/source/amqp/frame",
    "src/source/amqp/table",
    "src/source/kafka/wire",
    "src/source/rocketmq/frame",
    "src/source/rocketmq/route",
    "src/source/stomp/frame",
    "src/source/text",
    "src/source/webhook/body",
    "src/table",
    "src/wire",
];

/// What pure modules do not name, with what to do instead.
const IMPURE: &[&str] = &[
    "tokio",
    "rumqttc",
    "indicatif",
    "std::net",
    "std::fs",
    "std::io",
    "std::env",
    "std::process",
    "std::time::Instant",
    "std::time::SystemTime",
    "crate::clock",
];

/// Plain values that live in impure places.
const VALUES: &[&str] =
    &["std::net::IpAddr", "std::net::Ipv4Addr", "std::net::Ipv6Addr", "std::net::SocketAddr"];

/// Which modules a module may name. All arrows point inwards.
const ARROWS: &[(&str, &[&str])] = &[
    ("main", &[ANY]),
    ("command", &[ANY]),
    (
        "source",
        &[
            "clock", "config", "dialect", "event", "failure", "random", "secret", "serve", "sign",
            "state", "sys",
        ],
    ),
    // `secret` for what requests carry, `source` for how failures of TLS are told, `web` for the client.
    (
        "query",
        &["clock", "config", "dialect", "event", "failure", "secret", "source", "state", "web"],
    ),
    // `source` for TLS: one reader of certificates is enough.
    ("store", &["clock", "config", "dialect", "event", "failure", "secret", "source", "state"]),
    (
        "simulate",
        &[
            "clock", "config", "dialect", "event", "failure", "nearest", "random", "secret",
            "source", "state", "sys", "table", "wire",
        ],
    ),
    ("publish", &["clock", "config", "event", "failure", "random", "simulate", "source", "wire"]),
    (
        "embedded",
        &["clock", "config", "dialect", "event", "failure", "random", "secret", "sys", "wire"],
    ),
    ("wire", &[]),
    ("nearest", &[]),
    ("table", &["nearest"]),
    ("random", &[]),
    // What it finds out, which output shows and other commands can be told.
    ("probe", &["dialect", "event"]),
    (
        "output",
        &["dialect", "disorder", "event", "failure", "probe", "publish", "simulate", "state"],
    ),
    ("secret", &[]),
    // What doors of one vendor ask for, whoever knocks: the configuration and the sources.
    ("sign", &["secret"]),
    ("serve", &[]),
    (
        "config",
        &[
            "cli", "dialect", "disorder", "event", "failure", "nearest", "probe", "secret", "sign",
            "state", "table",
        ],
    ),
    ("cli", &["dialect", "secret", "state"]),
    ("clock", &["event"]),
    // For hints to the processor: they change nothing but how long it takes.
    ("state", &["event", "sys"]),
    ("dialect", &["event", "nearest", "table"]),
    ("disorder", &["event", "random"]),
    ("event", &[]),
    ("failure", &[]),
    ("sys", &["failure"]),
    // `source` for the certificates that the operating system trusts: one reader of them is enough.
    ("web", &["failure", "secret", "source"]),
];
const ANY: &str = "any other";

/// Crates whose types do not leave the folders named.
const AT_HOME: &[(&str, &[&str])] = &[
    ("rumqttc", &["src/source"]),
    ("rusqlite", &["src/store/sqlite"]),
    ("tokio_postgres", &["src/store/postgres"]),
    ("comfy_table", &["src/output"]),
    ("indicatif", &["src/output"]),
    ("prometheus_client", &["src/output/metrics"]),
    ("tracing_subscriber", &["src/output/log"]),
    ("tracing_log", &["src/output/log"]),
    ("sd_notify", &["src/command/watch/service"]),
    ("ratatui", &["src/output/screen", "src/command/watch/table"]),
];

/// Lines of one file, its tests not counted. A file this long holds a second idea.
const LINES_MAX: usize = 500;

#[test]
fn pure_modules_name_nothing_impure() {
    hold(purity);
}

#[test]
fn arrows_point_inwards() {
    hold(arrows);
}

#[test]
fn modules_form_no_cycle() {
    hold(cycles);
}

#[test]
fn crates_stay_at_home() {
    hold(homes);
}

#[test]
fn files_stay_short() {
    hold(lengths);
}

#[test]
fn nothing_is_left_lying_about() {
    hold(leftovers);
}

#[test]
fn no_file_names_the_machine_it_was_written_on() {
    let mut complaints = Vec::new();
    for (path, bytes) in files("") {
        complaints.extend(places(&path, &String::from_utf8_lossy(&bytes)));
    }
    assert!(complaints.is_empty(), "\n{}\n", complaints.join("\n"));
}

fn purity(sources: &[Source]) -> Vec<String> {
    let mut complaints = Vec::new();
    for source in sources.iter().filter(|source| source.is_within(PURE)) {
        for path in source.paths() {
            let is_value = VALUES.contains(&path.to_string().as_str());
            for impure in IMPURE {
                if path.reaches(impure) && !is_value {
                    complaints.push(source.complain(
                        path.line,
                        &format!("a pure module names `{path}`; have what it needs passed in"),
                    ));
                }
            }
        }
    }
    complaints
}

fn arrows(sources: &[Source]) -> Vec<String> {
    let modules = modules(sources);
    let mut complaints = Vec::new();
    for source in sources.iter().filter(|source| source.module() != Some("lib")) {
        let Some(from) = source.module() else { continue };
        let Some((_, allowed)) = ARROWS.iter().find(|(module, _)| *module == from) else {
            complaints.push(source.complain(1, &format!("give `{from}` a row in ARROWS")));
            continue;
        };
        for path in source.paths().iter().filter(|path| path.head() == "crate") {
            match path.module() {
                Some(to) if !modules.contains(to) => complaints.push(source.complain(
                    path.line,
                    &format!("`{path}` is in no module; name the one it stands in"),
                )),
                Some(to) if to == from || allowed.contains(&to) || allowed.contains(&ANY) => {}
                Some(to) => complaints.push(
                    source
                        .complain(path.line, &format!("`{from}` must not know `{to}` (`{path}`)")),
                ),
                None => complaints
                    .push(source.complain(path.line, &format!("`{path}` names the whole crate"))),
            }
        }
    }
    complaints
}

fn cycles(sources: &[Source]) -> Vec<String> {
    let modules = modules(sources);
    let mut direct: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for source in sources.iter().filter(|source| source.module() != Some("lib")) {
        let Some(from) = source.module() else { continue };
        let known = direct.entry(from).or_default();
        for path in source.paths() {
            let to = path.module().filter(|to| path.head() == "crate" && *to != from);
            known.extend(to.filter(|to| modules.contains(*to)).map(str::to_owned));
        }
    }
    let reached: BTreeMap<&str, BTreeSet<&str>> =
        direct.keys().map(|from| (*from, reachable(&direct, from))).collect();
    let mut complaints = BTreeSet::new();
    for (from, far) in reached.iter().filter(|(from, far)| far.contains(*from)) {
        let ring: Vec<_> = far
            .iter()
            .filter(|to| reached.get(*to).is_some_and(|back| back.contains(from)))
            .copied()
            .collect();
        complaints.insert(format!("modules that know each other: {}", ring.join(", ")));
    }
    complaints.into_iter().collect()
}

fn reachable<'a>(direct: &'a BTreeMap<&str, BTreeSet<String>>, from: &str) -> BTreeSet<&'a str> {
    let mut reached = BTreeSet::new();
    let mut open = vec![from];
    while let Some(next) = open.pop() {
        for to in direct.get(next).into_iter().flatten() {
            if reached.insert(to.as_str()) {
                open.push(to);
            }
        }
    }
    reached
}

fn homes(sources: &[Source]) -> Vec<String> {
    let mut complaints = Vec::new();
    for source in sources.iter().filter(|source| source.path.starts_with("src/")) {
        for (name, homes) in AT_HOME.iter().filter(|(_, homes)| !source.is_within(homes)) {
            for token in source.code.iter().filter(|token| token.text == *name) {
                let homes = homes.join(", ");
                complaints
                    .push(source.complain(token.line, &format!("`{name}` belongs into {homes}")));
            }
        }
    }
    complaints
}

fn lengths(sources: &[Source]) -> Vec<String> {
    sources
        .iter()
        .filter(|source| source.path.starts_with("src/") && source.lines() > LINES_MAX)
        .map(|source| {
            let lines = source.lines();
            source.complain(
                LINES_MAX,
                &format!("{lines} lines without tests; look for the second idea"),
            )
        })
        .collect()
}

fn leftovers(sources: &[Source]) -> Vec<String> {
    let mut complaints = Vec::new();
    for source in sources {
        let is_product = source.path.starts_with("src/");
        for (at, line) in source.text.lines().enumerate() {
            if ["TODO", "FIXME", "XXX"].iter().any(|word| has_word(line, word))
                && source.path != THIS_FILE
            {
                complaints.push(source.complain(at + 1, "mend it, or open an issue and link it"));
            }
        }
        for window in source.code.windows(4) {
            let [first, second, third, fourth] = [0, 1, 2, 3].map(|at| window[at].text.as_str());
            let advice = match (first, second) {
                ("dbg" | "todo" | "unimplemented", "!") => "a leftover of writing",
                ("println" | "eprintln" | "print" | "eprint", "!") if is_product => {
                    "only the console writes"
                }
                ("unsafe", _) if source.path != "src/sys.rs" => "`unsafe` belongs into src/sys.rs",
                (".", "unwrap") if is_product && (third, fourth) == ("(", ")") => {
                    "say with `expect` why it cannot fail"
                }
                _ => continue,
            };
            complaints
                .push(source.complain(window[0].line, &format!("`{first}{second}`: {advice}")));
        }
    }
    complaints
}

/// Returns where a file names a folder that only the machine it was written on has.
fn places(path: &str, text: &str) -> Vec<String> {
    let roots = ["/root/", concat!(env!("CARGO_MANIFEST_DIR"), "/")];
    let mut complaints = Vec::new();
    for (at, line) in text.lines().enumerate().filter(|_| path != THIS_FILE) {
        for root in roots {
            // Part of a topic or an address otherwise: `site/root/pump-7`.
            let is_absolute = line.match_indices(root).any(|(at, _)| {
                !line[..at].ends_with(|c: char| c.is_alphanumeric() || "_-./$}".contains(c))
            });
            if is_absolute {
                complaints.push(format!("{path}:{}: names `{root}…`", at + 1));
            }
        }
    }
    complaints
}

fn has_word(line: &str, word: &str) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    line.match_indices(word).any(|(at, _)| {
        !line[..at].ends_with(is_part) && !line[at + word.len()..].starts_with(is_part)
    })
}

const THIS_FILE: &str = "tests/tidy.rs";

fn hold(rule: impl Fn(&[Source]) -> Vec<String>) {
    let mut sources = Vec::new();
    for (path, bytes) in
        files("").filter(|(path, _)| Path::new(path).extension().is_some_and(|end| end == "rs"))
    {
        sources.push(Source::new(&path, &String::from_utf8(bytes).expect("sources are UTF-8")));
    }
    for path in ["src/lib.rs", "src/main.rs", "src/event.rs", THIS_FILE] {
        assert!(sources.iter().any(|source| source.path == path), "{path} was not read");
    }
    let complaints = rule(&sources);
    assert!(complaints.is_empty(), "\n{}\n", complaints.join("\n"));
}

/// Returns all files of the project below a folder, with their paths from its root, sorted.
fn files(below: &str) -> Box<dyn Iterator<Item = (String, Vec<u8>)>> {
    const MADE: &[&str] =
        &["target", ".git", "fuzz/target", "fuzz/corpus", "fuzz/artifacts", "fuzz/coverage"];
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut names: Vec<_> = fs::read_dir(root.join(below))
        .expect("the folder was listed a moment ago")
        .map(|entry| entry.expect("a folder can be read").file_name().into_string())
        .map(|name| format!("{below}{}", name.expect("file names are UTF-8")))
        .filter(|path| !MADE.contains(&path.as_str()))
        .collect();
    names.sort();
    Box::new(names.into_iter().flat_map(move |path| {
        let full = root.join(&path);
        if full.is_dir() {
            files(&format!("{path}/"))
        } else {
            let bytes = fs::read(&full).unwrap_or_default();
            Box::new(std::iter::once((path, bytes)))
        }
    }))
}

fn modules(sources: &[Source]) -> BTreeSet<&str> {
    sources.iter().filter_map(Source::module).collect()
}

/// Returns the complaints of a rule about one piece of code in a small house.
fn complaints(rule: impl Fn(&[Source]) -> Vec<String>, path: &str, text: &str) -> Vec<String> {
    let house =
        ["event", "state/mod", "dialect/mod", "output/mod", "source/mod", "clock", "failure"];
    let mut sources: Vec<_> = house
        .iter()
        .map(|module| format!("src/{module}.rs"))
        .filter(|other| other != path)
        .map(|path| Source::new(&path, ""))
        .collect();
    sources.push(Source::new(path, text));
    rule(&sources)
}

#[test]
fn purity_finds_every_way_of_naming_something() {
    for text in [
        "use tokio::net::TcpStream;",
        "use std::net::UdpSocket;",
        "use std::{fmt, fs};",
        "use std::{collections::HashMap, time::{Duration, Instant}};",
        "use std::time::{self, Duration};",
        "use std::time as t;",
        "use std::time::*;",
        "use std;",
        "use std::*;",
        "use ::std::io::Read as _;",
        "use core::net::TcpStream;",
        "fn f() { let _ = std::time::SystemTime::now(); }",
        "fn f() -> ::std::io::Result<()> { Ok(()) }",
        "fn f(x: Option<std::fs::File>) {}",
        "fn f() { std::env::var(\"HOME\").ok(); }",
        "use crate::{event::Event, clock};",
        "fn f() { crate::clock::now(); }",
        "use super::super::clock;",
        "async fn f() { tokio::task::yield_now().await }",
        "use indicatif as bars;",
        "use r#tokio::sync;",
        "/* a /* nested */ comment */ use std::fs; // why",
        "const A: &str = r#\"a \" b\"#; use std::fs;",
        "const A: char = '\"'; use std::fs; const B: char = '\"';",
        "fn f<'a>(x: &'a str) { std::fs::read(x).ok(); }",
        "#[cfg(test)] use a::{b}; use std::fs;",
        "#[cfg(not(test))] use std::fs;",
        "#[cfg(test)] mod tests { fn f() { if a { b } } } use std::fs;",
    ] {
        let found = complaints(purity, "src/state/merge.rs", text);
        assert_eq!(found.len().min(1), 1, "{text}: {found:?}");
    }
}

#[test]
fn purity_leaves_the_rest_alone() {
    for text in [
        "use std::time::Duration;",
        "use std::{borrow::Cow, fmt::{self, Write}};",
        "// std::fs is for others\n/// [`std::io`]\n//! tokio\n/* std::net */",
        "const A: &str = \"std::fs::read\"; const B: &str = r##\"use std::io;\"#\"##;",
        "use crate::event::Event; use super::record::Record; use self::slot::Slot;",
        "let fs = io; let env = 3; fn net(io: u8) {}",
        "#[cfg(test)] mod tests { use std::fs; use tokio::net; }",
        "#[cfg(test)] #[path = \"x.rs\"] mod tests; fn f() {}",
        "#[cfg(all(test, unix))] fn f() -> std::io::Result<()> { Ok(()) }",
    ] {
        let found = complaints(purity, "src/state/merge.rs", text);
        assert!(found.is_empty(), "{text}: {found:?}");
    }
    let elsewhere = complaints(purity, "src/source/mod.rs", "use std::fs;");
    assert!(elsewhere.is_empty(), "{elsewhere:?}");
    assert_eq!(complaints(purity, "src/event.rs", "use std::fs;").len(), 1);
    assert_eq!(complaints(purity, "src/dialect/lmq.rs", "use std::fs;").len(), 1);
    assert_eq!(complaints(purity, "src/simulate/plan_random.rs", "use std::fs;").len(), 1);
    assert_eq!(complaints(purity, "src/simulate/driver.rs", "use std::fs;").len(), 0);
}

#[test]
fn arrows_are_told_apart_by_their_direction() {
    for (path, text, expected) in [
        ("src/state/mod.rs", "use crate::event::Event;", 0),
        ("src/state/merge.rs", "use crate::state::Slot; use super::Slot;", 0),
        ("src/event.rs", "use crate::state::Slot;", 1),
        ("src/dialect/lmq.rs", "use crate::{event, state::{Slot, Record}};", 2),
        ("src/dialect/lmq.rs", "fn f() { super::super::output::table::draw(); }", 1),
        ("src/output/table.rs", "fn f(x: crate::source::Mqtt) {}", 1),
        ("src/output/table.rs", "use crate::*;", 1),
        ("src/output/table.rs", "use crate as presence;", 1),
        ("src/output/table.rs", "use crate::Timestamp;", 1),
        ("src/output/table.rs", "#[cfg(test)] mod tests { use crate::source::Mqtt; }", 0),
        ("src/command/watch.rs", "use crate::{output, source, state};", 0),
        ("src/main.rs", "use presence::{output::console::Console, nothing};", 1),
        ("src/lib.rs", "pub mod state; pub mod event;", 0),
        ("src/attic.rs", "", 1),
        ("tests/laws.rs", "use presence::state::Presence;", 0),
    ] {
        let found = complaints(arrows, path, text);
        assert_eq!(found.len(), expected, "{path}, {text}: {found:?}");
    }
}

#[test]
fn cycles_are_found_however_long() {
    let ring = [
        Source::new("src/state/mod.rs", "use crate::event::Event;"),
        Source::new("src/event.rs", "fn f() { crate::failure::Failure::new() }"),
        Source::new("src/failure.rs", "use crate::{output, clock};"),
        Source::new("src/output/table.rs", "use super::super::event::Timestamp;"),
        Source::new("src/clock.rs", "use crate::clock::now;"),
        Source::new("src/lib.rs", "pub use crate::event::Event;"),
    ];
    assert_eq!(cycles(&ring), ["modules that know each other: event, failure, output"]);
    assert!(cycles(&ring[3..]).is_empty());
}

#[test]
fn crates_are_found_away_from_home() {
    for (path, text, expected) in [
        ("src/output/table.rs", "use comfy_table::Table; use indicatif::ProgressBar;", 0),
        ("src/command/watch.rs", "use indicatif::ProgressBar;", 1),
        ("src/command/watch.rs", "fn f(x: rumqttc::Packet) -> comfy_table::Table {}", 2),
        ("src/source/mqtt.rs", "use rumqttc::Packet; // comfy_table", 0),
        ("src/embedded/mod.rs", "use rumqttc::Packet;", 1),
        ("src/sources.rs", "use rumqttc::Packet;", 1),
        ("tests/watch.rs", "use rumqttc::Packet;", 0),
    ] {
        assert_eq!(complaints(homes, path, text).len(), expected, "{path}, {text}");
    }
}

#[test]
fn long_files_are_found_and_their_tests_not_counted() {
    let code = "fn f() {}\n".repeat(LINES_MAX);
    let tests = format!("\n#[cfg(test)]\nmod tests {{\n{code}}}");
    assert_eq!(complaints(lengths, "src/state/mod.rs", &code).len(), 0);
    assert_eq!(complaints(lengths, "src/state/mod.rs", &format!("{code}\n// more")).len(), 1);
    let shorter = code.replacen("fn f() {}\n", "", 1);
    assert_eq!(complaints(lengths, "src/state/mod.rs", &(shorter + &tests)).len(), 0);
    assert_eq!(complaints(lengths, "tests/laws.rs", &code.repeat(2)).len(), 0);
}

#[test]
fn leftovers_are_found() {
    for (path, text, expected) in [
        ("src/state/mod.rs", "// TODO later", 1),
        ("tests/laws.rs", "/* FIXME */ fn f() {}", 1),
        ("src/state/mod.rs", "const TODO_MAX: u8 = 1; // a todo list", 0),
        ("src/state/mod.rs", "fn f() { dbg!(1); todo!() }", 2),
        ("tests/laws.rs", "fn f() { dbg!(1); }", 1),
        ("src/state/mod.rs", "fn f() { println!(\"a\"); eprint!(\"b\"); }", 2),
        ("tests/laws.rs", "fn f() { println!(\"a\"); }", 0),
        ("src/state/mod.rs", "fn f() { a().unwrap(); b\n  .unwrap() ; }", 2),
        ("src/state/mod.rs", "fn f() { a().unwrap_or(1); unwrap(); } // .unwrap() is bad", 0),
        ("src/state/mod.rs", "#[cfg(test)] mod tests { fn f() { a().unwrap(); } }", 0),
        ("src/state/mod.rs", "#![deny(unsafe_code)] fn f() { unsafe { a() } }", 1),
        ("src/sys.rs", "fn f() { unsafe { a() } }", 0),
    ] {
        let found = complaints(leftovers, path, text);
        assert_eq!(found.len(), expected, "{path}, {text}: {found:?}");
    }
}

#[test]
fn places_are_found() {
    let here = concat!("\"", env!("CARGO_MANIFEST_DIR"), "/src/lib.rs\"");
    for (text, expected) in [
        ("see /root/notes.md", 1),
        ("open(\"/root/.config\")", 1),
        (here, 1),
        ("site/root/pump-7 and $HOME/root/x and ../root/y", 0),
    ] {
        let found = places("tests/fixtures/a.jsonl", text);
        assert_eq!(found.len().min(1), expected, "{text}: {found:?}");
    }
}
