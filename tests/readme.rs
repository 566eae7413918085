//! What the README shows is what happens: its commands are run as far as they need no broker, the rest
//! can at least be typed, and its table of exit codes is that of the code. The pages in `docs/` are held
//! to the same where they show commands, options and links.
#![cfg(unix)]

use clap::{Command, CommandFactory};
use presence::cli::Cli;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command as Process;
use tempfile::TempDir;

/// How a command begins that is run without being installed.
const FROM_SOURCE: &str = "cargo run --quiet --release -- ";
/// What needs neither a broker nor a store.
const RUNNABLE: [&str; 3] = ["presence replay ", "presence dialects", "echo $?"];

#[test]
fn what_needs_no_broker_prints_what_is_shown() {
    let place = Place::new();
    let mut blocks_run = 0;
    let described =
        fs::read_to_string(root().join("docs/custom-dialects.md")).expect("it is there");
    for block in blocks(&readme()).into_iter().chain(blocks(&described)) {
        let is_runnable =
            |shown: &Shown| RUNNABLE.iter().any(|head| shown.command.starts_with(head));
        if !block.iter().all(is_runnable) {
            continue;
        }
        blocks_run += 1;
        let mut code = None;
        for shown in &block {
            let printed = if shown.command == "echo $?" {
                format!("{}\n", code.expect("a command comes before"))
            } else {
                let (printed, ended) = place.run(&shown.command);
                code = ended;
                printed
            };
            assert_eq!(printed, shown.output, "$ {}", shown.command);
        }
    }
    assert!(blocks_run >= 6, "only {blocks_run} blocks were run");
}

#[test]
fn the_dialect_that_is_shown_is_that_of_the_example() {
    let page = fs::read_to_string(root().join("docs/custom-dialects.md")).expect("it is there");
    let shown = page.split("```toml\n").nth(1).and_then(|rest| rest.split("```").next());
    let file = fs::read_to_string(root().join("docs/examples/acme.toml")).expect("it is there");
    assert_eq!(shown, Some(file.as_str()));
}

#[test]
fn every_command_can_be_typed() {
    let mut typed = 0;
    let pages = pages().into_iter().map(|page| fs::read_to_string(page).expect("it is there"));
    for shown in pages.flat_map(|page| blocks(&page)).flatten() {
        let Some(words) = words(&shown.command) else { continue };
        let parsed = Cli::command().try_get_matches_from(&words);
        assert!(parsed.is_ok(), "$ {}\n{}", shown.command, parsed.unwrap_err());
        typed += 1;
    }
    assert!(typed >= 12, "only {typed} commands were found");
}

#[test]
fn every_option_that_is_named_exists() {
    let mut definition = Cli::definition();
    definition.build();
    let mut known = BTreeSet::new();
    each_argument(&definition, &mut |_, arg| {
        let aliases = arg.get_all_aliases().unwrap_or_default();
        known.extend(arg.get_long().into_iter().chain(aliases).map(str::to_owned));
    });
    // Cargo's, and one of `tests/run`.
    known.extend(["bench", "locked", "path", "release", "test", "tools"].map(str::to_owned));
    for page in pages() {
        let text = fs::read_to_string(&page).expect("the page is there");
        for option in options(&text) {
            assert!(known.contains(option), "{} names --{option}", page.display());
        }
    }
}

#[test]
fn every_option_has_the_variable_that_the_rule_names() {
    each_argument(&Cli::definition(), &mut |command, arg| {
        let Some(long) = arg.get_long() else { return };
        let mut rule = format!("PRESENCE_{}", long.to_uppercase().replace('-', "_"));
        if (command, long) == ("broker", "password-file") {
            // Two files of one name that mean different things must not be mixed up.
            rule = "PRESENCE_BROKER_PASSWORD_FILE".to_owned();
        }
        let found = arg.get_env().map(|name| name.to_string_lossy().into_owned());
        assert_eq!(found.as_ref(), Some(&rule), "{command} --{long}");
    });
}

#[test]
fn the_table_of_exit_codes_is_that_of_the_code() {
    let readme = readme();
    let section = readme.split("## Exit codes").nth(1).expect("there is such a section");
    let section = section.split("\n## ").next().expect("it has an end");
    let shown: BTreeSet<u8> =
        section.lines().filter_map(|line| line.split('|').nth(1)?.trim().parse().ok()).collect();
    let source = fs::read_to_string(root().join("src/failure.rs")).expect("it is there");
    let outcomes = source.split("pub enum Outcome {").nth(1).expect("it is declared there");
    let outcomes = outcomes.split('}').next().expect("it has an end");
    let codes: BTreeSet<u8> = outcomes
        .lines()
        .filter_map(|line| line.split_once(" = ")?.1.trim_end_matches(',').parse().ok())
        .collect();
    assert!(codes.len() >= 7, "{codes:?}");
    assert_eq!(shown, codes);
}

#[test]
fn runs_end_with_the_codes_of_the_table() {
    let place = Place::new();
    let import = "presence store import docs/examples/night.jsonl --store s.db";
    assert_eq!(place.run(import).1, Some(0));
    for (command, code) in [
        ("presence replay docs/examples/night.jsonl", 0),
        ("printf '{\"clientId\":1}' | presence replay --dialect lmq --strict -", 1),
        ("presence replay", 2),
        ("presence replay tests/fixtures/dialects/mosquitto-2.0-iso.log", 2),
        ("presence check pump-1 --evidence store --store s.db -b broker.example", 3),
        ("presence check pump-1 --evidence store --store none.db", 4),
        ("presence replay no-such-file", 4),
    ] {
        let (printed, ended) = place.run(command);
        assert_eq!(ended, Some(code), "$ {command}\n{printed}");
    }
}

#[test]
fn every_link_leads_somewhere() {
    for page in pages() {
        let text = fs::read_to_string(&page).expect("the page is there");
        for (at, _) in text.match_indices("](") {
            let target = text[at + 2..].split(')').next().unwrap_or_default();
            let file = target.split('#').next().unwrap_or_default();
            if target.contains("://") || file.is_empty() {
                continue;
            }
            let found = page.parent().is_some_and(|folder| folder.join(file).exists());
            assert!(found, "{} links to {target}", page.display());
        }
    }
}

/// A command of a console block, and what is shown below it.
struct Shown {
    command: String,
    output: String,
}

/// Returns the console blocks of a page, each as its commands.
fn blocks(page: &str) -> Vec<Vec<Shown>> {
    let mut blocks = Vec::new();
    for block in page.split("```console\n").skip(1) {
        let block = block.split("```").next().unwrap_or_default();
        let mut commands: Vec<Shown> = Vec::new();
        for line in block.lines() {
            if let Some(command) = line.strip_prefix("$ ") {
                let command = command.replace(FROM_SOURCE, "presence ");
                commands.push(Shown { command, output: String::new() });
            } else {
                let shown = commands.last_mut().expect("a block begins with a command");
                shown.output += line;
                shown.output.push('\n');
            }
        }
        blocks.push(commands);
    }
    blocks
}

/// Returns the words of a command of ours, `None` for somebody else's.
fn words(command: &str) -> Option<Vec<String>> {
    let rest = command.strip_prefix("presence ")?;
    let rest = rest.split(" > ").next()?.split(" #").next()?;
    let quoted = rest.split('\'').enumerate();
    let words = quoted.flat_map(|(place, part)| {
        let is_quoted = place % 2 == 1;
        let parts: Vec<&str> =
            if is_quoted { vec![part] } else { part.split_whitespace().collect() };
        parts
    });
    Some(std::iter::once("presence").chain(words).map(str::to_owned).collect())
}

/// Returns the long options that a text names.
fn options(text: &str) -> impl Iterator<Item = &str> {
    text.match_indices("--").filter_map(|(at, _)| {
        let is_start = text[..at].ends_with([' ', '`', '/', '(']);
        let rest = &text[at + 2..];
        let end = rest.find(|c: char| !(c.is_ascii_lowercase() || c == '-'))?;
        (is_start && end > 1).then(|| rest[..end].trim_end_matches('-'))
    })
}

fn each_argument(command: &Command, with: &mut impl FnMut(&str, &clap::Arg)) {
    for arg in command.get_arguments() {
        with(command.get_name(), arg);
    }
    for sub in command.get_subcommands() {
        each_argument(sub, with);
    }
}

/// A folder that looks like the root of the repository, with the tour's recording in it as the reader
/// of the tour would have it.
struct Place {
    folder: TempDir,
}

impl Place {
    fn new() -> Self {
        let folder = TempDir::new().expect("a temporary folder can be made");
        for name in ["docs", "tests"] {
            std::os::unix::fs::symlink(root().join(name), folder.path().join(name))
                .expect("a link can be made");
        }
        let recording = root().join("docs/examples/tour.jsonl");
        fs::copy(recording, folder.path().join("tour.jsonl")).expect("it can be copied");
        Self { folder }
    }

    /// Returns what a command prints, on both streams as a terminal shows them, and its exit code.
    fn run(&self, command: &str) -> (String, Option<i32>) {
        let binary = Path::new(env!("CARGO_BIN_EXE_presence"));
        let folder = binary.parent().expect("it lies in a folder");
        let output = Process::new("sh")
            .args(["-c", &format!("{{ {command}\n}} 2>&1")])
            .current_dir(self.folder.path())
            .env_clear()
            .env("PATH", format!("{}:/usr/bin:/bin", folder.display()))
            .env("HOME", self.folder.path())
            .output()
            .expect("there is a shell");
        (String::from_utf8(output.stdout).expect("it is UTF-8"), output.status.code())
    }
}

fn readme() -> String {
    fs::read_to_string(root().join("README.md")).expect("it is there")
}

/// Returns the pages that users read.
fn pages() -> Vec<PathBuf> {
    let docs = fs::read_dir(root().join("docs")).expect("there are docs");
    let docs = docs.map(|entry| entry.expect("it can be listed").path());
    let docs = docs.filter(|path| path.extension().is_some_and(|extension| extension == "md"));
    [root().join("README.md"), root().join("CHANGELOG.md")].into_iter().chain(docs).collect()
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}
