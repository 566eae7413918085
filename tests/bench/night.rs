//! What it costs to replay a night: ten million notices of a hundred thousand clients, to their verdicts and
//! to a page about it, beside `wc -l`, which does nothing but read them.
//!
//! They take turns at a file that is in memory already, and only figures of the same round are divided
//! by each other.
//! Run as a test it reads a small file and judges nothing.
#![expect(clippy::print_stdout, reason = "a benchmark says what it measured")]

mod lives;
mod measure;
#[path = "../support/mod.rs"]
mod support;

use presence::clock;
use std::fs::{self, File};
use std::io::BufWriter;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::thread::sleep;
use std::time::Duration;

const ROUNDS: usize = 5;
const NOTICES: usize = 10_000_000;
const CLIENTS: usize = 100_000;
/// Notices per second, or if the machine is the limit, so many times as long as `wc -l`.
const RATE_MIN: f64 = 5e6;
const FACTOR_MAX: f64 = 8.0;
/// CPU seconds of a million notices.
const CPU_MAX: f64 = 0.30;
/// With a page about it, so many times as long as without.
const REPORT_MAX: f64 = 1.5;
/// Bytes at the peak: at all, of a client, and of each of the channels that are kept of it.
const PEAK_MAX: [f64; 3] = [100e6, 300.0, 80.0];
const CHANNELS_KEPT: f64 = 8.0;
const LOOK_AGAIN: Duration = Duration::from_millis(2);

fn main() -> ExitCode {
    let (notices, clients, rounds) =
        if measure::is_asked() { (NOTICES, CLIENTS, ROUNDS) } else { (2_000, 200, 1) };
    let path = log(notices, clients);
    println!("{notices} notices of {clients} clients, a file in memory");
    println!("round  what             wall s   M/s  CPU s/M  peak MB  × wc -l");
    let page = path.with_extension("html");
    let figures: Vec<[Figures; 3]> = (1..=rounds)
        .map(|round| {
            let all = [
                ("wc -l", count(&path)),
                ("presence replay", replay(&path, None)),
                ("with --report", replay(&path, Some(&page))),
            ];
            for (name, figures) in all {
                figures.print(round, name, notices, all[0].1.wall);
            }
            all.map(|(_, figures)| figures)
        })
        .collect();
    let is_good = judge(&figures, notices, clients);
    if measure::is_asked() && !is_good {
        println!("not what is promised");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}

fn write(notices: usize, clients: usize, path: &Path) {
    let file = File::create(path).expect("it can be written");
    let out = BufWriter::with_capacity(1 << 20, file);
    lives::write(notices, clients, out).expect("there is room");
}

/// Returns a file of so many notices, which may be there already.
fn log(notices: usize, clients: usize) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let path = folder.join(format!("night-{notices}-{clients}.jsonl"));
    if !path.exists() {
        let unfinished = path.with_extension("unfinished");
        write(notices, clients, &unfinished);
        fs::rename(unfinished, &path).expect("it was just written");
    }
    path
}

/// What a run has cost.
#[derive(Clone, Copy)]
struct Figures {
    wall: Duration,
    cpu: Duration,
    /// KiB.
    peak: u64,
}

fn count(path: &Path) -> Figures {
    let mut command = Command::new("wc");
    command.arg("-l").arg(path);
    run(command)
}

fn replay(path: &Path, page: Option<&Path>) -> Figures {
    let mut command = Command::new(env!("CARGO_BIN_EXE_presence"));
    command.args(["replay", "--quiet", "--json"]).arg(path);
    if let Some(page) = page {
        command.arg("--report").arg(page);
    }
    run(command)
}

fn run(mut command: Command) -> Figures {
    let begun = clock::monotonic();
    let mut child = command.stdout(Stdio::null()).spawn().expect("it can be started");
    let mut peak = 0;
    while measure::is_running(child.id()) {
        peak = measure::peak(child.id()).max(peak);
        sleep(LOOK_AGAIN);
    }
    let wall = begun.elapsed();
    let cpu = measure::cpu_of_all(child.id());
    assert!(child.wait().expect("it is a child").success());
    Figures { wall, cpu, peak }
}

impl Figures {
    fn print(&self, round: usize, name: &str, notices: usize, floor: Duration) {
        let wall = self.wall.as_secs_f64();
        println!(
            "{round:5}  {name:15}  {wall:6.2}  {:4.1}  {:7.3}  {:7.1}  {:7.1}",
            measure::per_second(notices, self.wall) / 1e6,
            self.cpu_per_million(notices),
            self.peak_bytes() / 1e6,
            wall / floor.as_secs_f64(),
        );
    }

    fn cpu_per_million(&self, notices: usize) -> f64 {
        measure::micros_each(self.cpu, notices)
    }

    fn peak_bytes(&self) -> f64 {
        u32::try_from(self.peak).map_or(f64::INFINITY, |kib| f64::from(kib) * 1024.0)
    }
}

/// Says what was promised and what was seen. Returns whether all of it holds.
fn judge(figures: &[[Figures; 3]], notices: usize, clients: usize) -> bool {
    let median =
        |figure: &dyn Fn(&[Figures; 3]) -> f64| measure::median(figures.iter().map(figure));
    let rate = median(&|[_, replay, _]| measure::per_second(notices, replay.wall));
    let factor = median(&|[floor, replay, _]| replay.wall.as_secs_f64() / floor.wall.as_secs_f64());
    let cpu = median(&|[_, replay, _]| replay.cpu_per_million(notices));
    let peak = median(&|[_, replay, _]| replay.peak_bytes());
    let report = median(&|[_, replay, page]| page.wall.as_secs_f64() / replay.wall.as_secs_f64());
    let clients = u32::try_from(clients).map_or(f64::INFINITY, f64::from);
    let [base, each, channel] = PEAK_MAX;
    let peak_max = base + clients * (each + channel * CHANNELS_KEPT);
    println!(
        "{:.1} million/s, at least {:.0}, or {factor:.1} times `wc -l`, at most {FACTOR_MAX}",
        rate / 1e6,
        RATE_MIN / 1e6
    );
    println!("{cpu:.2} CPU seconds a million, at most {CPU_MAX}");
    println!("{:.0} MB at the peak, at most {:.0}", peak / 1e6, peak_max / 1e6);
    println!("{report:.1} times as long with a page, at most {REPORT_MAX}");
    (rate >= RATE_MIN || factor <= FACTOR_MAX)
        && cpu <= CPU_MAX
        && peak <= peak_max
        && report <= REPORT_MAX
}
