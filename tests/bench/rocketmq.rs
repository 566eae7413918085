//! What it costs to read a topic of RocketMQ from its beginning to the verdicts, beside the official consumer of
//! Java with a listener that does nothing; and how long it takes from a stored notice to a printed change.
//!
//! They take turns at one topic, and only figures of the same round are divided by each other. Run as a test it
//! reads a few notices and judges nothing; without RocketMQ it does nothing.
#![expect(clippy::print_stdout, reason = "a benchmark says what it measured")]

mod measure;
#[path = "../support/mod.rs"]
mod support;

use presence::clock;
use serde_json::{Value, json};
use std::process::ExitCode;
use std::thread::sleep;
use std::time::{Duration, Instant};
use support::process::{DEADLINE, Presence, Process, Stream};
use support::rocketmq::{Kind, RocketMq, is_there, last_line};
use tempfile::TempDir;

const ROUNDS: usize = 3;
const NOTICES: usize = 1_000_000;
const DEVICES: usize = 20_000;
const QUEUES: u32 = 8;
/// CPU seconds of a million notices, of `replay`.
const CPU_MAX: f64 = 2.5;
/// Notices that come while it is watched, and how many of them a second.
const LATE: usize = 5_000;
const LATE_PER_SECOND: u64 = 1_000;
/// From stored to printed, of 99 in 100.
const LATENCY_MAX: Duration = Duration::from_millis(20);
const LONG: Duration = Duration::from_mins(5);

fn main() -> ExitCode {
    if !is_there() {
        println!("there is no RocketMQ: `tests/run --tools` fetches it");
        return ExitCode::SUCCESS;
    }
    let is_asked = measure::is_asked();
    let (notices, devices, rounds, late) =
        if is_asked { (NOTICES, DEVICES, ROUNDS, LATE) } else { (2_000, 100, 1, 100) };
    let cluster = RocketMq::of_kind(Kind { is_measured: is_asked, ..Kind::default() });
    cluster.create_topic("GID_bench_MQTT", QUEUES);
    let topic = ("topic", "GID_bench_MQTT");
    let (count, of) = (notices.to_string(), devices.to_string());
    cluster.produce(&[topic, ("count", &count), ("devices", &of), ("queue", "round")]);
    let url = format!("rocketmq://{}/GID_bench", cluster.name_server());
    println!("{notices} notices of {devices} devices in {QUEUES} queues");
    println!("round  what                     wall s   k/s  CPU s/M");
    let mut good = true;
    for round in 1..=rounds {
        let group = format!("bench-{round}");
        let settings = [topic, ("group", &group), ("count", &count)];
        let told = last_line(&mut cluster.program("Consume", &settings));
        let ms = |field: &str| Duration::from_millis(told[field].as_u64().expect("a number"));
        let java = Figures { wall: ms("ms"), cpu: ms("cpu_ms") };
        java.print(round, "official consumer", notices);
        let ours = replay(&url);
        ours.print(round, "presence replay", notices);
        watch(&url).print(round, "presence watch, SQLite", notices);
        let cpu = measure::micros_each(ours.cpu, notices);
        good &= cpu <= CPU_MAX && ours.wall <= java.wall;
    }
    println!("replay: at most {CPU_MAX} CPU s a million, and at least the consumer's rate");
    let p99 = latency(&cluster, late);
    println!(
        "99 % of changes within {p99:?} of their notice being stored, at most {LATENCY_MAX:?}"
    );
    good &= p99 <= LATENCY_MAX;
    if is_asked && !good {
        println!("not what is promised");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}

/// What a run has cost.
#[derive(Clone, Copy)]
struct Figures {
    wall: Duration,
    cpu: Duration,
}

impl Figures {
    fn print(&self, round: usize, name: &str, notices: usize) {
        println!(
            "{round:5}  {name:23}  {:6.2}  {:4.0}  {:7.2}",
            self.wall.as_secs_f64(),
            measure::per_second(notices, self.wall) / 1e3,
            measure::micros_each(self.cpu, notices),
        );
    }
}

/// From its start to its end, verdicts and all.
fn replay(url: &str) -> Figures {
    let begun = clock::monotonic();
    let mut replay = Presence::start(["replay", "--quiet", "--json", "--source", url]);
    while measure::is_running(replay.pid()) {
        sleep(Duration::from_millis(2));
    }
    let wall = begun.elapsed();
    let cpu = measure::cpu_of_all(replay.pid());
    let ended = replay.ended(DEADLINE);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    Figures { wall, cpu }
}

/// From its start to the first verdict, which comes once all was read and kept.
fn watch(url: &str) -> Figures {
    let begun = clock::monotonic();
    let line = ["watch", "--json", "--since", "earliest", "--source", url];
    let watch = Presence::start(line);
    watch.wait_line(|line| line.contains("\"verdict\""), LONG);
    Figures { wall: begun.elapsed(), cpu: measure::cpu(watch.pid()) }
}

/// Returns how long 99 of 100 changes take from the answer of the broker that it has stored their notice.
fn latency(cluster: &RocketMq, count: usize) -> Duration {
    cluster.create_topic("GID_late_MQTT", QUEUES);
    let home = TempDir::new().expect("a temporary folder can be made");
    let url = format!("rocketmq://{}/GID_late", cluster.name_server());
    let watch = Presence::start_in(home.path(), ["watch", "--json", "--source", &url], &[]);
    watch.wait_line_of(Stream::Err, |line| line.contains("is known yet"), DEADLINE);
    let begun = clock::monotonic();
    let mut stored = Vec::with_capacity(count);
    let printed = std::thread::scope(|scope| {
        let printed = scope.spawn(|| printed(&watch, count));
        for number in 0..count {
            let due = Duration::from_micros(number as u64 * 1_000_000 / LATE_PER_SECOND);
            sleep(due.saturating_sub(begun.elapsed()));
            let body = json!({
                "clientId": format!("late-{number}"), "time": clock::now().0,
                "eventType": "connect", "channelId": "a",
            });
            let queue = u32::try_from(number).expect("few") % QUEUES;
            cluster.send("GID_late_MQTT", queue, "connect", body.to_string().as_bytes());
            stored.push(clock::monotonic());
        }
        printed.join().expect("it reads on")
    });
    let mut took: Vec<Duration> = stored
        .iter()
        .zip(&printed)
        .map(|(stored, at)| at.saturating_duration_since(*stored))
        .collect();
    took.sort_unstable();
    took[(took.len() * 99 / 100).min(took.len() - 1)]
}

/// Returns when the change of each client was printed.
fn printed(watch: &Process, count: usize) -> Vec<Instant> {
    let mut at = vec![clock::monotonic(); count];
    let (mut line_number, mut left) = (0, count);
    while left > 0 {
        let (next, line) = watch.wait_line_from(Stream::Out, line_number, |_| true, LONG);
        line_number = next;
        let now = clock::monotonic();
        let object: Value = serde_json::from_str(&line).expect("it is JSON");
        let client = object["client"].as_str().unwrap_or_default();
        if let Some(number) =
            client.strip_prefix("late-").and_then(|text| text.parse::<usize>().ok())
        {
            at[number] = now;
            left -= 1;
        }
    }
    at
}
