//! How long it takes to ask about clients, from the start of the process to its end, beside what people would
//! type instead: `sqlite3`, `redis-cli`, `mosquitto_sub`, `curl`.
//!
//! Both take turns, and only figures of the same round are divided by each other. Run as a test it asks a
//! small store and judges nothing.
#![expect(clippy::print_stdout, reason = "a benchmark says what it measured")]

mod lives;
mod measure;
#[path = "../support/mod.rs"]
mod support;

use presence::clock;
use std::fs::{self, File};
use std::io::BufWriter;
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use support::http::{Answer, Server};
use support::mosquitto::Mosquitto;
use support::redis::Redis;
use tempfile::TempDir;

const ROUNDS: usize = 15;
const CLIENTS: usize = 1_000_000;
const FLEET: usize = 10_000;
const BROKER: &str = "broker.example:1883";

/// What is promised, in ms and as a ratio.
const STORE_MAX_MS: f64 = 10.0;
const STORE_FACTOR_MAX: f64 = 2.0;
const FLEET_MAX_MS: f64 = 200.0;
const RETAINED_MAX_MS: f64 = 15.0;
const API_MORE_MAX_MS: f64 = 10.0;

/// A line of the table, and what is promised of it.
struct Figure {
    what: &'static str,
    ours_ms: f64,
    theirs: Option<(&'static str, f64)>,
    holds: bool,
}

fn main() -> ExitCode {
    let (clients, fleet, rounds) =
        if measure::is_asked() { (CLIENTS, FLEET, ROUNDS) } else { (200, 50, 1) };
    let home = TempDir::new().expect("a temporary folder can be made");
    fill(home.path(), clients);
    let mut figures = vec![sqlite(home.path(), rounds), many(home.path(), fleet, rounds)];
    figures.push(redis(home.path(), rounds));
    figures.push(retained(home.path(), rounds));
    figures.push(api(home.path(), rounds));
    println!("a store of {clients} clients, medians of {rounds} rounds, wall time");
    for Figure { what, ours_ms, theirs, holds } in &figures {
        let beside = theirs.map_or(String::new(), |(who, ms)| {
            format!("{who} {ms:.1} ms, {:.1} times", ours_ms / ms)
        });
        let word = if *holds { "held" } else { "missed" };
        println!("{what:40} {ours_ms:7.1} ms  {beside:36} {word}");
    }
    if measure::is_asked() && !figures.iter().all(|figure| figure.holds) {
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}

fn id(number: usize) -> String {
    format!("GID_night@@@device-{number:07}")
}

/// Puts every second of the clients into a store, or so.
fn fill(home: &Path, clients: usize) {
    let path = home.join("night.jsonl");
    let out = BufWriter::new(File::create(&path).expect("the folder is ours"));
    lives::write(2 * clients, clients, out).expect("there is room");
    let mut import = presence(home, &["store", "import", "--quiet", "--store", "presence.db"]);
    run(import.args(["--instance", BROKER, "night.jsonl"]), 0);
    fs::remove_file(path).expect("it was just written");
}

fn sqlite(home: &Path, rounds: usize) -> Figure {
    let mut sqlite = Command::new("sqlite3");
    sqlite.current_dir(home).arg("presence.db");
    let row =
        format!("select body from clients where instance = 1 and id = cast('{}' as blob)", id(7));
    sqlite.arg(row);
    let ours = check(home, &[&id(7), "--evidence", "store", "--store", "presence.db"]);
    let (ours_ms, theirs_ms) = in_turn(rounds, (ours, 3), Some((sqlite, 0)));
    let holds = ours_ms <= STORE_MAX_MS && ours_ms <= STORE_FACTOR_MAX * theirs_ms;
    Figure { what: "one of SQLite", ours_ms, theirs: Some(("sqlite3", theirs_ms)), holds }
}

fn many(home: &Path, fleet: usize, rounds: usize) -> Figure {
    let ids: String = (0..fleet).map(|number| id(number * 97) + "\n").collect();
    fs::write(home.join("fleet"), ids).expect("the folder is ours");
    let ours = ["--fleet", "fleet", "--evidence", "store", "--store", "presence.db"];
    let (ours_ms, _) = in_turn(rounds, (check(home, &ours), 3), None);
    let holds = ours_ms <= FLEET_MAX_MS;
    Figure { what: "a fleet of SQLite", ours_ms, theirs: None, holds }
}

fn redis(home: &Path, rounds: usize) -> Figure {
    let server = Redis::start(&[]);
    let url = server.url();
    let lines = home.join("some.jsonl");
    let out = BufWriter::new(File::create(&lines).expect("the folder is ours"));
    lives::write(2_000, 1_000, out).expect("there is room");
    let mut import = presence(home, &["store", "import", "--quiet", "--store", &url]);
    run(import.args(["--instance", BROKER, "some.jsonl"]), 0);
    let mut cli = Command::new("redis-cli");
    cli.args(["-p", &server.port().to_string(), "GET", "nothing"]);
    let ours = check(home, &[&id(7), "--evidence", "store", "--store", &url]);
    let (ours_ms, theirs_ms) = in_turn(rounds, (ours, 3), Some((cli, 0)));
    let holds = ours_ms <= STORE_FACTOR_MAX * theirs_ms;
    Figure { what: "one of Redis", ours_ms, theirs: Some(("redis-cli", theirs_ms)), holds }
}

fn retained(home: &Path, rounds: usize) -> Figure {
    let broker = Mosquitto::start(&["log_type error"]);
    broker.publish("devices/pump-7/status", "online", &["-r"]);
    let mut sub = broker.client("mosquitto_sub");
    sub.args(["-t", "devices/pump-7/status", "-C", "1", "-W", "5", "--retained-only"]);
    let mut ours = presence(home, &["check", "pump-7", "--evidence", "retained"]);
    ours.args(["--store", "memory", "-b", &broker.url()]);
    let (ours_ms, theirs_ms) = in_turn(rounds, (ours, 0), Some((sub, 0)));
    let holds = ours_ms <= RETAINED_MAX_MS;
    Figure { what: "a retained status", ours_ms, theirs: Some(("mosquitto_sub", theirs_ms)), holds }
}

fn api(home: &Path, rounds: usize) -> Figure {
    let body = r#"{"clientid":"pump-7","connected":true,"connected_at":"2025-10-09T08:53:20.000+00:00","node":"emqx@127.0.0.1","ip_address":"192.0.2.7","port":50001,"proto_ver":4,"keepalive":60,"clean_start":true}"#;
    let server = Server::start(move |_| Answer::json(body));
    let url = format!("http://127.0.0.1:{}/api/v5/clients/pump-7", server.port);
    let mut curl = Command::new("curl");
    curl.args(["--silent", &url]);
    let endpoint = format!("emqx5+http://127.0.0.1:{}", server.port);
    let ours = ["pump-7", "--evidence", "api", "--store", "memory", "--api", &endpoint];
    let (ours_ms, theirs_ms) = in_turn(rounds, (check(home, &ours), 0), Some((curl, 0)));
    let holds = ours_ms <= theirs_ms + API_MORE_MAX_MS;
    Figure { what: "an API", ours_ms, theirs: Some(("curl", theirs_ms)), holds }
}

fn presence(home: &Path, words: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_presence"));
    command.args(words).current_dir(home).env("HOME", home);
    command
}

fn check(home: &Path, words: &[&str]) -> Command {
    let mut command = presence(home, &["check"]);
    command.args(words).args(["-b", BROKER]);
    command
}

/// Runs both in turn, each once beforehand, and returns the medians in ms; of nobody, 0.
fn in_turn(
    rounds: usize,
    (mut ours, ours_code): (Command, i32),
    theirs: Option<(Command, i32)>,
) -> (f64, f64) {
    let mut theirs = theirs;
    let mut times: Vec<(f64, f64)> = Vec::new();
    for _ in 0..=rounds {
        let our_ms = run(&mut ours, ours_code);
        let their_ms = theirs.as_mut().map_or(0.0, |(command, code)| run(command, *code));
        times.push((our_ms, their_ms));
    }
    let timed = || times.iter().skip(1);
    (
        measure::median(timed().map(|(ours, _)| *ours)),
        measure::median(timed().map(|(_, theirs)| *theirs)),
    )
}

/// Returns how long it took, in ms.
fn run(command: &mut Command, code: i32) -> f64 {
    let begun = clock::monotonic();
    let status = command.stdout(Stdio::null()).stderr(Stdio::null()).status();
    let took = begun.elapsed();
    let status = status.unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert_eq!(status.code(), Some(code), "{command:?}");
    took.as_secs_f64() * 1e3
}
