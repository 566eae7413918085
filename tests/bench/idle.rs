//! What an idle fleet costs: the pings of `presence simulate` beside those of a bare epoll loop that
//! gathers them in ticks of 50 ms, in turn, against the same Mosquitto.
//!
//! Both ping each device once a minute and spread the devices over it. To wake up costs more than a
//! ping, so that without ticks the bare loop would be no floor. Run as a test it takes a few dozen
//! devices for a second and judges nothing.
#![expect(clippy::print_stdout, reason = "a benchmark says what it measured")]
#![expect(clippy::print_stderr, reason = "and what it could not")]

mod cost;
mod floor;
mod measure;
#[path = "../support/mod.rs"]
mod support;

use cost::{REST, SETTLED, Simulate, rest};
use floor::Floor;
use std::process::ExitCode;
use std::time::Duration;
use support::mosquitto::Mosquitto;
use support::process::{DEADLINE, Process};

const DEVICES: usize = 10_000;
const ROUNDS: usize = 3;
/// A keep alive, in which each device pings once.
const HOLD: Duration = Duration::from_mins(1);
/// CPU of a ping, as a multiple of the floor's.
const RATIO_MAX: f64 = 1.5;
/// The pings that the broker has counted may be off by one in so many: it tells every second how many
/// there were.
const COUNT_OFF_MAX: u64 = 20;

fn main() -> ExitCode {
    if let Some(code) = floor::run_if_asked() {
        return code;
    }
    if !measure::has_mosquitto() {
        eprintln!("idle: nothing was measured: there is no Mosquitto here");
        return ExitCode::SUCCESS;
    }
    let (devices, rounds, hold) =
        if measure::is_asked() { (DEVICES, ROUNDS, HOLD) } else { (50, 1, Duration::from_secs(1)) };
    let devices = cost::as_many_as_files_allow("idle", devices);
    let has_simulate = measure::is_known("simulate");
    if !has_simulate {
        eprintln!("idle: the floor alone: this `presence` has no `simulate`");
    }
    compare(devices, rounds, hold, has_simulate)
}

fn compare(devices: usize, rounds: usize, hold: Duration, has_simulate: bool) -> ExitCode {
    let broker = measure::mosquitto();
    println!("{devices} devices, keep alive 60 s, held for {} s", hold.as_secs());
    println!("              CPU µs/ping      pings, by the broker    kernel KiB/connection");
    println!("round   floor simulate ratio       floor simulate           floor simulate");
    let mut ratios = Vec::new();
    for round in 1..=rounds {
        let least = by_floor(&broker, devices, hold);
        let ours = if has_simulate { by_simulate(&broker, devices, hold) } else { Held::NONE };
        let ratio = ours.micros_each / least.micros_each;
        println!(
            "{round:>5} {:>7.1} {:>8.1} {ratio:>5.2} {:>11} {:>8} {:>15.1} {:>8.1}",
            least.micros_each,
            ours.micros_each,
            least.pings,
            ours.pings,
            least.kernel_kib,
            ours.kernel_kib,
        );
        ratios.push(ratio);
    }
    if !has_simulate || !measure::is_asked() {
        return ExitCode::SUCCESS;
    }
    let ratio = measure::median(ratios);
    println!("median: {ratio:.2}× the floor (at most {RATIO_MAX})");
    if ratio > RATIO_MAX {
        println!("more than is promised");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}

/// What a fleet has cost while it was held.
struct Held {
    micros_each: f64,
    /// As the broker counted them.
    pings: u64,
    /// Of both ends of a connection.
    kernel_kib: f64,
}

impl Held {
    const NONE: Self = Self { micros_each: f64::NAN, pings: 0, kernel_kib: f64::NAN };
}

fn by_floor(broker: &Mosquitto, devices: usize, hold: Duration) -> Held {
    let kernel = measure::kernel();
    let mut floor = Floor::start(broker.address(), devices);
    rest(SETTLED);
    let kernel_kib = measure::kib_each(kernel, measure::kernel(), devices);
    let pid = floor.process.pid();
    let pinging = |time| {
        floor.hold(time);
        // Else the last pings would be missing from the broker's count.
        rest(SETTLED);
    };
    let held = Held { kernel_kib, ..held(broker, pid, devices, hold, pinging) };
    floor.end();
    rest(REST);
    held
}

fn by_simulate(broker: &Mosquitto, devices: usize, hold: Duration) -> Held {
    let kernel = measure::kernel();
    let simulate = Simulate::start(broker.address(), devices, hold + HOLD);
    rest(SETTLED);
    let kernel_kib = measure::kib_each(kernel, measure::kernel(), devices);
    let pid = simulate.presence.pid();
    let held = Held { kernel_kib, ..held(broker, pid, devices, hold, std::thread::sleep) };
    simulate.end();
    rest(REST);
    held
}

/// Measures a process for so long, in which each device has to ping in its turn.
fn held(
    broker: &Mosquitto,
    pid: u32,
    devices: usize,
    time: Duration,
    wait: impl FnOnce(Duration),
) -> Held {
    let due = devices as u64 * time.as_secs() / u64::from(floor::KEEP_ALIVE);
    let counted = packets(broker);
    let cpu = measure::cpu(pid);
    wait(time);
    let cpu = measure::cpu_since(pid, cpu);
    let pings = packets(broker).saturating_sub(counted);
    let is_off = pings.abs_diff(due) > due / COUNT_OFF_MAX;
    assert!(!(measure::is_asked() && is_off), "{pings} pings were sent, and {due} were due");
    let micros_each = measure::micros_each(cpu, usize::try_from(due.max(1)).unwrap_or(usize::MAX));
    Held { micros_each, pings, ..Held::NONE }
}

/// Returns how many packets the broker has got so far, by its own count.
fn packets(broker: &Mosquitto) -> u64 {
    let mut asking = broker.client("mosquitto_sub");
    let said = Process::start(asking.args(["-t", RECEIVED, "-C", "1"])).ended(DEADLINE).out;
    said.trim().parse().unwrap_or_else(|_| panic!("{RECEIVED} is {said:?}"))
}

const RECEIVED: &str = "$SYS/broker/messages/received";
