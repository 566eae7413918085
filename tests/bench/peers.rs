//! What devices cost by `presence simulate`, by a bare epoll loop, and by the client libraries that
//! people build load generators from: in turn, against the same Mosquitto.
//!
//! `tests/run --tools` fetches the libraries; one that is not there is named and left out. Run as a
//! test it takes a few dozen devices and judges nothing.
#![expect(clippy::print_stdout, reason = "a benchmark says what it measured")]
#![expect(clippy::print_stderr, reason = "and what it could not")]

mod cost;
mod floor;
mod measure;
#[path = "../support/mod.rs"]
mod support;
mod tasks;

use cost::Cost;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use support::clients::tools;

const DEVICES: usize = 10_000;
const ROUNDS: usize = 3;
/// CPU of a connect, as a multiple of the floor's.
const RATIO_MAX: f64 = 1.5;
/// Memory of a device.
const KIB_MAX: f64 = 4.0;

fn main() -> ExitCode {
    if let Some(code) = floor::run_if_asked().or_else(tasks::run_if_asked) {
        return code;
    }
    if !measure::has_mosquitto() {
        eprintln!("peers: nothing was measured: there is no Mosquitto here");
        return ExitCode::SUCCESS;
    }
    if !measure::is_known("simulate") {
        eprintln!("peers: nothing was measured: this `presence` has no `simulate`");
        return ExitCode::SUCCESS;
    }
    let (devices, rounds) = if measure::is_asked() { (DEVICES, ROUNDS) } else { (50, 1) };
    let devices = cost::as_many_as_files_allow("peers", devices);
    let broker = measure::mosquitto();
    let address = broker.address();
    let mut runs: Vec<Runs> = Vec::new();
    for peer in Peer::ALL {
        match peer.missing() {
            Some(why) => eprintln!("peers: without {}: {why}", peer.name()),
            None => runs.push(Runs { peer, base: peer.connect(address, 1).pss, costs: Vec::new() }),
        }
    }
    for _ in 0..rounds {
        for run in &mut runs {
            run.costs.push(run.peer.connect(address, devices));
        }
    }
    show(&runs, devices);
    if measure::is_asked() { judge(&runs, devices) } else { ExitCode::SUCCESS }
}

/// Who connects devices.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Peer {
    Floor,
    Simulate,
    Rumqttc,
    Golang,
    MqttJs,
    Paho,
}

impl Peer {
    /// The floor first, whose multiples the others are.
    const ALL: [Self; 6] =
        [Self::Floor, Self::Simulate, Self::Rumqttc, Self::Golang, Self::MqttJs, Self::Paho];

    const fn name(self) -> &'static str {
        match self {
            Self::Floor => "bare epoll loop",
            Self::Simulate => "presence simulate",
            Self::Rumqttc => "rumqttc in tasks",
            Self::Golang => "Go, paho.mqtt.golang",
            Self::MqttJs => "Node, MQTT.js",
            Self::Paho => "Python, paho-mqtt, one loop",
        }
    }

    /// How much more CPU and memory than ours it has to take, at least.
    const fn promised(self) -> Option<(f64, f64)> {
        match self {
            Self::Floor | Self::Simulate => None,
            Self::Rumqttc => Some((1.5, 7.0)),
            Self::Golang | Self::MqttJs => Some((2.5, 3.0)),
            Self::Paho => Some((1.0, 1.0)),
        }
    }

    /// Returns why it cannot be measured here.
    fn missing(self) -> Option<String> {
        let wanted = match self {
            Self::Floor | Self::Simulate | Self::Rumqttc => return None,
            Self::Golang => golang(),
            Self::MqttJs => modules().join("mqtt/package.json"),
            Self::Paho => python(),
        };
        let is_there = wanted.is_file();
        (!is_there).then(|| format!("there is no `{}` (`tests/run --tools`)", wanted.display()))
    }

    fn connect(self, address: SocketAddr, devices: usize) -> Cost {
        let scripts = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/bench/peers");
        let command = match self {
            Self::Floor => return cost::by_floor(address, devices),
            Self::Simulate => return cost::by_simulate(address, devices),
            Self::Rumqttc => tasks::command(),
            Self::Golang => Command::new(golang()),
            Self::MqttJs => {
                let mut command = Command::new("node");
                command.env("NODE_PATH", modules()).arg(scripts.join("js/connect.js"));
                command
            }
            Self::Paho => {
                let mut command = Command::new(python());
                command.arg(scripts.join("py/connect.py"));
                command
            }
        };
        cost::by_program(command, address, devices)
    }
}

fn golang() -> PathBuf {
    tools().join("go/connect")
}

fn modules() -> PathBuf {
    tools().join("node/node_modules")
}

fn python() -> PathBuf {
    tools().join("python/bin/python")
}

/// What one peer has cost.
struct Runs {
    peer: Peer,
    /// Memory with one device, in KiB.
    base: u64,
    /// By rounds.
    costs: Vec<Cost>,
}

impl Runs {
    /// Returns the CPU of each round, as a multiple of what another has cost in the same round.
    fn times(&self, other: &Self) -> Vec<f64> {
        let pairs = self.costs.iter().zip(&other.costs);
        pairs.map(|(mine, other)| mine.cpu.as_secs_f64() / other.cpu.as_secs_f64()).collect()
    }

    fn kib_each(&self, devices: usize) -> Vec<f64> {
        self.costs.iter().map(|cost| measure::kib_each(self.base, cost.pss, devices)).collect()
    }
}

fn show(runs: &[Runs], devices: usize) {
    let rounds = runs.first().map_or(0, |floor| floor.costs.len());
    println!(
        "{devices} devices, keep alive 60 s, a will, 64 connecting at a time; {rounds} rounds, median \
         (min–max)"
    );
    println!(
        "{:<28} {:>20} {:>20} {:>18} {:>18} {:>8}",
        "", "CPU µs/connect", "× the bare loop", "KiB/device", "connects/s", "base MiB"
    );
    for run in runs {
        let cpu = run.costs.iter().map(|cost| measure::micros_each(cost.cpu, devices)).collect();
        let rate = run.costs.iter().map(|cost| measure::per_second(devices, cost.took)).collect();
        println!(
            "{:<28} {:>20} {:>20} {:>18} {:>18} {:>8.1}",
            run.peer.name(),
            told(cpu, 1),
            told(run.times(&runs[0]), 2),
            told(run.kib_each(devices), 2),
            told(rate, 0),
            measure::kib_each(0, run.base, 1024),
        );
    }
}

/// Says the figure in the middle, the least and the greatest.
fn told(mut figures: Vec<f64>, digits: usize) -> String {
    figures.sort_by(f64::total_cmp);
    let (least, greatest) = (figures.first(), figures.last());
    let (least, greatest) = (least.unwrap_or(&f64::NAN), greatest.unwrap_or(&f64::NAN));
    let middle = measure::median(figures.iter().copied());
    format!("{middle:.digits$} ({least:.digits$}–{greatest:.digits$})")
}

fn judge(runs: &[Runs], devices: usize) -> ExitCode {
    let (floor, ours) = (&runs[0], &runs[1]);
    let ratio = measure::median(ours.times(floor));
    let size = measure::median(ours.kib_each(devices));
    let mut is_kept = true;
    let mut hold = |what: String, holds: bool| {
        println!("{} {what}", if holds { "holds: " } else { "MISSED:" });
        is_kept &= holds;
    };
    hold(format!("{ratio:.2}× the bare loop (at most {RATIO_MAX})"), ratio <= RATIO_MAX);
    hold(format!("{size:.2} KiB/device (at most {KIB_MAX})"), size <= KIB_MAX);
    for run in runs {
        let Some((cpu_min, size_min)) = run.peer.promised() else { continue };
        let cpu = measure::median(run.times(ours));
        let times = measure::median(run.kib_each(devices)) / size;
        hold(
            format!(
                "{} takes {cpu:.2}× our CPU (at least {cpu_min}) and {times:.1}× our memory (at \
                 least {size_min})",
                run.peer.name()
            ),
            cpu >= cpu_min && times >= size_min,
        );
    }
    if is_kept { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
