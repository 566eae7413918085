//! A watcher under a bounded load for a long time: memory, files, processor, log of the store, lag.
//!
//! 1,000 notices per second of 5,000 clients, and 200 devices that come and go, at a Mosquitto of its
//! own. `PRESENCE_SOAK=30m cargo bench --bench soak` says for how long; the default is ten minutes. It
//! fails if memory or open files still grow after the warm-up. Run as a test it only shows that it
//! works, for a few seconds.
#![expect(clippy::print_stdout, reason = "a benchmark says what it measured")]
#![expect(clippy::print_stderr, reason = "and what it could not")]

mod measure;
#[path = "../support/mod.rs"]
mod support;

use presence::clock;
use serde_json::Value;
use std::collections::VecDeque;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, ExitCode, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::sleep;
use std::time::{Duration, Instant};
use support::mosquitto::Mosquitto;
use support::process::Process;
use support::publisher::Publisher;

const PER_SECOND: u64 = 1_000;
const CLIENTS: usize = 5_000;
/// So many lives of a client are remembered; until each has had them, memory has to grow.
const WARM_UP_MIN: Duration = Duration::from_secs(150);
/// How much more memory the end of a run may need than its beginning, as the fitted line has it.
const GROWTH_MAX: f64 = 0.03;
const GROWTH_MIN_KIB: f64 = 1_024.0;
const FILES_MORE_MAX: u64 = 4;
const TICK: Duration = Duration::from_millis(20);

fn main() -> ExitCode {
    if !measure::has_mosquitto() {
        eprintln!("soak: nothing was measured: there is no Mosquitto here");
        return ExitCode::SUCCESS;
    }
    if !measure::is_asked() {
        soak(Duration::from_secs(3), Duration::from_secs(1));
        return ExitCode::SUCCESS;
    }
    let asked = std::env::var("PRESENCE_SOAK").unwrap_or_else(|_| "10m".to_owned());
    let length = humantime::parse_duration(&asked).expect("`PRESENCE_SOAK` is a duration");
    let samples = soak(length, Duration::from_secs(10));
    judge(&samples)
}

/// How the watcher was doing at one moment.
struct Sample {
    at: Duration,
    rss_kib: u64,
    cpu: Duration,
    files: u64,
    wal_kib: u64,
    store_kib: u64,
    /// From the stamp of a notice until its change was read, since the sample before; ms.
    lags: Vec<i64>,
}

fn soak(length: Duration, every: Duration) -> Vec<Sample> {
    let broker = measure::mosquitto();
    let home = tempfile::tempdir().expect("a temporary folder can be made");
    let store = home.path().join("presence.db");
    let mut watcher = Watcher::start(&broker, &store);
    let _devices = devices(&broker, length);
    let mut load = Load::new(&broker);
    println!(
        "   time   events   RSS MiB   CPU %   files   WAL KiB   store MiB   lag ms: median   99 %    max"
    );
    let begun = clock::monotonic();
    let mut samples: Vec<Sample> = Vec::new();
    while begun.elapsed() < length {
        load.until(clock::monotonic() + every);
        assert!(watcher.is_running(), "the watcher has ended");
        let sample = watcher.sample(begun.elapsed(), &store);
        print(&sample, samples.last(), load.told);
        samples.push(sample);
    }
    samples
}

/// Devices with a birth and a will that live for five seconds at a time.
fn devices(broker: &Mosquitto, length: Duration) -> Process {
    let lives = (length.as_secs() / 6 + 2).to_string();
    let duration = format!("{}s", length.as_secs() + 60);
    let mut command = Command::new(env!("CARGO_BIN_EXE_presence"));
    command.args(["simulate", "-q", "-b", &broker.url(), "--count", "200", "--rate", "100"]);
    command.args(["--lives", &lives, "--return-after", "1s", "--duration", &duration]);
    command.args(["--deaths", "disconnect=30,fin=35,rst=35"]);
    Process::start(&mut command)
}

/// `presence watch`, whose changes are read as they come.
struct Watcher {
    child: Child,
    lags: Arc<Mutex<Vec<i64>>>,
}

impl Watcher {
    fn start(broker: &Mosquitto, store: &Path) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_presence"));
        command.args(["watch", "--json", "-b", &broker.url(), "--broker-queue", "0", "--store"]);
        command.arg(store).stdin(Stdio::null()).stdout(Stdio::piped());
        let mut child = command.spawn().expect("it was built");
        let lags = Arc::new(Mutex::new(Vec::new()));
        let out = child.stdout.take().expect("it is piped");
        std::thread::spawn({
            let lags = Arc::clone(&lags);
            move || follow(out, &lags)
        });
        Self { child, lags }
    }

    fn is_running(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    fn sample(&self, at: Duration, store: &Path) -> Sample {
        let pid = self.child.id();
        let kib = |path: &str| fs::metadata(path).map_or(0, |file| file.len() / 1024);
        let store = store.display();
        Sample {
            at,
            rss_kib: measure::rss(pid),
            cpu: measure::cpu(pid),
            files: measure::files(pid),
            wal_kib: kib(&format!("{store}-wal")),
            store_kib: kib(&store.to_string()),
            lags: std::mem::take(&mut *self.lags.lock().unwrap_or_else(PoisonError::into_inner)),
        }
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn follow(out: ChildStdout, lags: &Mutex<Vec<i64>>) {
    for line in BufReader::new(out).lines().map_while(Result::ok) {
        let Ok(line) = serde_json::from_str::<Value>(&line) else { continue };
        let is_notice = line["client"].as_str().is_some_and(|client| client.starts_with("pump-"));
        if let (true, Some(at)) = (is_notice && line["type"] == "change", line["at_ms"].as_i64()) {
            lags.lock().unwrap_or_else(PoisonError::into_inner).push(clock::now().0 - at);
        }
    }
}

/// Clients that live one short life after another, as the notices tell it.
struct Load {
    publisher: Publisher,
    begun: Instant,
    told: u64,
    lives: u64,
    /// Who is connected, the longest first.
    open: VecDeque<(usize, u64)>,
}

impl Load {
    fn new(broker: &Mosquitto) -> Self {
        let publisher = Publisher::connect(broker.address());
        Self { publisher, begun: clock::monotonic(), told: 0, lives: 0, open: VecDeque::new() }
    }

    /// Tells at an even pace until then.
    fn until(&mut self, end: Instant) {
        while clock::monotonic() < end {
            let due = u64::try_from(self.begun.elapsed().as_millis()).unwrap_or(u64::MAX);
            while self.told < due * PER_SECOND / 1_000 {
                self.tell();
            }
            self.publisher.settle();
            sleep(TICK);
        }
    }

    fn tell(&mut self) {
        self.told += 1;
        let (client, life, event) = if self.open.len() < CLIENTS / 2 {
            self.lives += 1;
            let client = usize::try_from(self.lives).expect("64 bits") % CLIENTS;
            self.open.push_back((client, self.lives));
            (client, self.lives, "connect")
        } else {
            let (client, life) = self.open.pop_front().expect("half of them are connected");
            (client, life, "tcpclean")
        };
        let body = serde_json::json!({
            "clientId": format!("pump-{client}"), "eventType": event,
            "channelId": format!("channel-{life}"), "time": clock::now().0,
            "clientIp": "203.0.113.7:50001",
        });
        self.publisher.publish("$presence/notices", &body.to_string());
    }
}

fn print(sample: &Sample, before: Option<&Sample>, told: u64) {
    let Sample { at, rss_kib, cpu, files, wal_kib, store_kib, lags } = sample;
    let (since, spent) = before.map_or((Duration::ZERO, Duration::ZERO), |s| (s.at, s.cpu));
    let load =
        cpu.saturating_sub(spent).as_secs_f64() / at.saturating_sub(since).as_secs_f64() * 100.0;
    let mut lags = lags.clone();
    lags.sort_unstable();
    let lag = |share: f64| {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "an index")]
        #[expect(clippy::cast_precision_loss, reason = "few thousands")]
        let place = (lags.len() as f64 * share) as usize;
        lags.get(place.min(lags.len().saturating_sub(1))).copied().unwrap_or(-1)
    };
    println!(
        "{:>5} s {told:>8} {:>9.1} {load:>7.1} {files:>7} {wal_kib:>9} {:>11.1} {:>16} {:>6} {:>6}",
        at.as_secs(),
        kib(*rss_kib) / 1024.0,
        kib(*store_kib) / 1024.0,
        lag(0.5),
        lag(0.99),
        lag(1.0),
    );
}

/// Fits a line through the memory after the warm-up: it must be flat.
fn judge(samples: &[Sample]) -> ExitCode {
    let length = samples.last().map_or(Duration::ZERO, |sample| sample.at);
    let warm_up = WARM_UP_MIN.max(length / 4);
    let warm: Vec<&Sample> = samples.iter().filter(|sample| sample.at >= warm_up).collect();
    let (Some(first), Some(last)) = (warm.first(), warm.last()) else {
        eprintln!("soak: too short to judge: memory settles within {warm_up:?}");
        return ExitCode::FAILURE;
    };
    let points: Vec<(f64, f64)> =
        warm.iter().map(|sample| (sample.at.as_secs_f64(), kib(sample.rss_kib))).collect();
    let count = f64::from(u32::try_from(points.len()).unwrap_or(u32::MAX));
    let mean = |of: fn(&(f64, f64)) -> f64| points.iter().map(of).sum::<f64>() / count;
    let (mean_time, mean_rss) = (mean(|point| point.0), mean(|point| point.1));
    let spread: f64 = points.iter().map(|(time, _)| (time - mean_time).powi(2)).sum();
    let rise: f64 =
        points.iter().map(|(time, rss)| (time - mean_time) * (rss - mean_rss)).sum::<f64>();
    let slope = if spread > 0.0 { rise / spread } else { 0.0 };
    let time = last.at.saturating_sub(first.at);
    let growth = slope * time.as_secs_f64();
    println!(
        "after {} s: {:.1} MiB, {:+.0} KiB in {} s by the fitted line ({:+.2} KiB/min); {} files, then {}",
        first.at.as_secs(),
        mean_rss / 1024.0,
        growth,
        time.as_secs(),
        slope * 60.0,
        first.files,
        last.files,
    );
    let is_flat = growth <= (mean_rss * GROWTH_MAX).max(GROWTH_MIN_KIB);
    if is_flat && last.files <= first.files + FILES_MORE_MAX {
        return ExitCode::SUCCESS;
    }
    eprintln!("soak: memory or open files grow without end");
    ExitCode::FAILURE
}

fn kib(figure: u64) -> f64 {
    u32::try_from(figure).map_or(f64::INFINITY, f64::from)
}
