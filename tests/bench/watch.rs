//! What it costs to watch: notices poured through Mosquitto into `presence watch`, beside `mosquitto_sub`
//! and beside the least that reading can cost; how late a change is told; and what watching costs while
//! nothing happens.
//!
//! Subscribers take turns at one broker, and only figures of the same round are divided by each other.
//! With `PRESENCE_DEVICES=10000` there are fewer devices, which come and go more often: then more of their
//! past is remembered, and judging them costs more.
//! Run as a test it takes a few notices and judges nothing.
#![expect(clippy::print_stdout, reason = "a benchmark says what it measured")]
#![expect(clippy::print_stderr, reason = "and what it could not")]

mod floor;
mod measure;
mod notices;
mod subscription;
#[path = "../support/mod.rs"]
mod support;
mod taker;
mod watcher;

use presence::clock;
use std::process::{Child, Command, ExitCode, Stdio};
use std::thread::sleep;
use std::time::Duration;
use support::mosquitto::Mosquitto;
use support::publisher::Publisher;
use watcher::Watcher;

const ROUNDS: usize = 5;
/// Each comes, goes and comes again, so that it has a closed and an open channel in the end.
const DEVICES: usize = 100_000;
/// CPU of a notice kept in memory, as a part of what it costs `mosquitto_sub` to print it.
const MEMORY_MAX: f64 = 0.25;
/// CPU of a notice kept in SQLite, µs.
const SQLITE_MICROS_MAX: f64 = 10.0;
/// Notices per second into SQLite, if the broker delivers as many.
const SQLITE_RATE_MIN: f64 = 50_000.0;
/// What the broker delivers to the floor of the same round counts as all that it can, but for this part.
const BROKER_SLACK: f64 = 0.9;
const LATENCY_MAX: Duration = Duration::from_millis(20);
/// Part of a core.
const IDLE_MAX: f64 = 0.005;
const SUBSCRIBERS: [Subscriber; 4] =
    [Subscriber::MosquittoSub, Subscriber::Floor, Subscriber::Memory, Subscriber::Sqlite];

/// How much of each is done.
#[derive(Clone, Copy)]
struct Load {
    rounds: usize,
    notices: usize,
    devices: usize,
    /// Told one by one, a millisecond apart.
    paced: usize,
    idle: Duration,
}

fn main() -> ExitCode {
    if let Some(code) = taker::run_if_asked() {
        return code;
    }
    if !measure::has_mosquitto() {
        eprintln!("watch: nothing was measured: there is no Mosquitto here");
        return ExitCode::SUCCESS;
    }
    let load = if measure::is_asked() {
        let devices = std::env::var("PRESENCE_DEVICES").ok();
        let devices = devices.and_then(|devices| devices.parse().ok()).unwrap_or(DEVICES);
        let idle = Duration::from_secs(30);
        Load { rounds: ROUNDS, notices: 300_000, devices, paced: 20_000, idle }
    } else {
        let idle = Duration::from_secs(1);
        Load { rounds: 1, notices: 2_000, devices: 500, paced: 200, idle }
    };
    let broker = broker();
    let is_fast = judge(&pour(&broker, load));
    let is_soon = pace(&broker, load);
    let is_quiet = idle(&broker, load);
    if measure::is_asked() && !(is_fast && is_soon && is_quiet) {
        println!("not what is promised");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}

/// Starts a broker that logs who subscribes and nothing else.
fn broker() -> Mosquitto {
    Mosquitto::start(&[
        "log_type none",
        "log_type subscribe",
        "connection_messages false",
        "max_inflight_messages 1000",
        "max_queued_messages 0",
    ])
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Subscriber {
    MosquittoSub,
    Floor,
    Memory,
    Sqlite,
}

impl Subscriber {
    const fn name(self) -> &'static str {
        match self {
            Self::MosquittoSub => "mosquitto_sub",
            Self::Floor => "bare reader",
            Self::Memory => "watch, memory",
            Self::Sqlite => "watch, SQLite",
        }
    }

    fn measure(self, broker: &Mosquitto, notices: &[String]) -> Figures {
        match self {
            Self::MosquittoSub => {
                let mut command = broker.client("mosquitto_sub");
                command.args(["-q", "1", "-t", notices::TOPIC, "-F", "%p", "-C"]);
                command.arg(notices.len().to_string());
                take(broker, command, notices)
            }
            Self::Floor => take(broker, taker::command(broker.address(), notices.len()), notices),
            Self::Memory => watch(Watcher::of_one(broker, Watcher::MEMORY), broker, notices),
            Self::Sqlite => watch(Watcher::of_one(broker, Watcher::SQLITE), broker, notices),
        }
    }
}

/// What one subscriber needed for the notices of a round.
#[derive(Clone, Copy)]
struct Figures {
    micros: f64,
    per_second: f64,
    peak_mib: f64,
}

/// Has every subscriber take the notices in every round; returns the figures by round.
fn pour(broker: &Mosquitto, load: Load) -> Vec<[Figures; 4]> {
    println!("{} notices of {} devices, QoS 1", load.notices, load.devices);
    println!("round  subscriber      CPU µs/notice  × mosquitto_sub  notices/s  peak MiB");
    let mut rounds = Vec::new();
    for round in 1..=load.rounds {
        let figures = SUBSCRIBERS.map(|subscriber| {
            let notices = notices::of_fleet(load.notices, load.devices);
            subscriber.measure(broker, &notices)
        });
        for (subscriber, each) in SUBSCRIBERS.into_iter().zip(&figures) {
            println!(
                "{round:>5}  {:<14} {:>14.2} {:>16.3} {:>10.0} {:>9.1}",
                subscriber.name(),
                each.micros,
                each.micros / figures[0].micros,
                each.per_second,
                each.peak_mib,
            );
        }
        rounds.push(figures);
    }
    rounds
}

/// Sums the rounds up, and tells whether what is promised was kept.
fn judge(rounds: &[[Figures; 4]]) -> bool {
    println!("median (least–greatest)");
    for (place, subscriber) in SUBSCRIBERS.into_iter().enumerate() {
        let of =
            |figure: fn(&Figures) -> f64| rounds.iter().map(move |round| figure(&round[place]));
        println!(
            "       {:<14} {} µs  {} × mosquitto_sub  {} notices/s  {} MiB",
            subscriber.name(),
            spread(of(|figures| figures.micros), 2),
            spread(rounds.iter().map(|round| round[place].micros / round[0].micros), 3),
            spread(of(|figures| figures.per_second), 0),
            spread(of(|figures| figures.peak_mib), 1),
        );
    }
    let [memory, sqlite] = [2, 3];
    let ratio = measure::median(rounds.iter().map(|round| round[memory].micros / round[0].micros));
    let micros = measure::median(rounds.iter().map(|round| round[sqlite].micros));
    let rate = measure::median(rounds.iter().map(|round| round[sqlite].per_second));
    let possible = measure::median(rounds.iter().map(|round| round[1].per_second * BROKER_SLACK));
    println!(
        "memory {ratio:.3}× mosquitto_sub (at most {MEMORY_MAX}), SQLite {micros:.2} µs (at most \
         {SQLITE_MICROS_MAX}) and {rate:.0}/s (at least {:.0})",
        possible.min(SQLITE_RATE_MIN)
    );
    ratio <= MEMORY_MAX && micros <= SQLITE_MICROS_MAX && rate >= possible.min(SQLITE_RATE_MIN)
}

fn spread(figures: impl Iterator<Item = f64>, digits: usize) -> String {
    let figures: Vec<f64> = figures.collect();
    let least = figures.iter().copied().fold(f64::INFINITY, f64::min);
    let greatest = figures.iter().copied().fold(0.0, f64::max);
    let median = measure::median(figures);
    format!("{median:.digits$} ({least:.digits$}–{greatest:.digits$})")
}

/// Measures a subscriber that ends with the last notice.
fn take(broker: &Mosquitto, mut command: Command, notices: &[String]) -> Figures {
    let before = subscriptions(broker);
    let child = command.stdin(Stdio::null()).stdout(Stdio::null()).spawn();
    let mut child = Ended(child.expect("it was built"));
    broker.wait_log(|log| log.matches(notices::TOPIC).count() > before);
    let pid = child.0.id();
    let begun = clock::monotonic();
    let mut publisher = Publisher::connect(broker.address());
    let (last, before) = notices.split_last().expect("there are notices");
    publisher.publish_all(notices::TOPIC, before);
    let peak = measure::peak(pid);
    publisher.publish_all(notices::TOPIC, [last]);
    while measure::is_running(pid) {
        sleep(Duration::from_millis(1));
    }
    let took = begun.elapsed();
    // Not waited for yet, so it still has its account.
    let figures = figures(measure::cpu(pid), took, notices.len(), peak);
    let status = child.0.wait().expect("it has ended");
    assert!(status.success(), "a subscriber failed: {status}");
    figures
}

fn subscriptions(broker: &Mosquitto) -> usize {
    broker.log().matches(notices::TOPIC).count()
}

/// Measures `presence watch` until it has told of what was published last.
fn watch(mut watcher: Watcher, broker: &Mosquitto, notices: &[String]) -> Figures {
    let mut publisher = Publisher::connect(broker.address());
    watcher.wait_until_it_listens(&mut publisher);
    let pid = watcher.pid();
    let (begun, before) = (clock::monotonic(), measure::cpu(pid));
    publisher.publish_all(notices::TOPIC, notices);
    watcher.wait_until_it_has_caught_up(&mut publisher);
    let took = begun.elapsed();
    figures(measure::cpu_since(pid, before), took, notices.len(), measure::peak(pid))
}

fn figures(cpu: Duration, took: Duration, count: usize, peak_kib: u64) -> Figures {
    Figures {
        micros: measure::micros_each(cpu, count),
        per_second: measure::per_second(count, took),
        peak_mib: measure::kib_each(0, peak_kib, 1) / 1024.0,
    }
}

/// Publishes a notice every millisecond, and tells whether its change is told soon enough.
fn pace(broker: &Mosquitto, load: Load) -> bool {
    println!("from publishing a notice to its change in `--json`, 1,000 notices/s, ms");
    let mut is_soon = true;
    for store in [Watcher::MEMORY, Watcher::SQLITE] {
        // One at a time: who listened before would know these devices.
        let mut watcher = Watcher::of_everybody(broker, store);
        let mut publisher = Publisher::connect(broker.address());
        watcher.wait_until_it_listens(&mut publisher);
        let mut lags = watcher.lags(&mut publisher, load.paced);
        lags.sort_unstable();
        let part = |percent: usize| lags[(lags.len() * percent / 100).min(lags.len() - 1)];
        let [median, most, all] = [50, 99, 100].map(part);
        println!(
            "{store}: median {median:.1?}, 99 % {most:.1?} (at most {LATENCY_MAX:?}), max {all:.1?}"
        );
        is_soon &= most <= LATENCY_MAX;
    }
    is_soon
}

/// Watches a broker at which nothing happens.
fn idle(broker: &Mosquitto, load: Load) -> bool {
    let mut is_quiet = true;
    for store in [Watcher::MEMORY, Watcher::SQLITE] {
        let mut watcher = Watcher::of_one(broker, store);
        let mut publisher = Publisher::connect(broker.address());
        watcher.wait_until_it_listens(&mut publisher);
        sleep(load.idle / 10);
        let before = measure::cpu(watcher.pid());
        sleep(load.idle);
        let spent = measure::cpu_since(watcher.pid(), before);
        let part = spent.as_secs_f64() / load.idle.as_secs_f64();
        println!(
            "idle for {:?}, {store}: {:.3} % of a core (at most {:.1} %)",
            load.idle,
            part * 100.0,
            IDLE_MAX * 100.0
        );
        is_quiet &= part <= IDLE_MAX;
    }
    is_quiet
}

/// A child that does not outlive its measurement, however that ends.
struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
