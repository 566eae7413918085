//! What devices cost: those of `presence simulate` beside a bare epoll loop that does the same
//! handshake, in turn, against the same Mosquitto.
//!
//! Run as a test it takes a few dozen devices and judges nothing.
#![expect(clippy::print_stdout, reason = "a benchmark says what it measured")]
#![expect(clippy::print_stderr, reason = "and what it could not")]

mod cost;
mod floor;
mod measure;
#[path = "../support/mod.rs"]
mod support;

use cost::{Cost, by_floor, by_simulate};
use std::process::ExitCode;

const DEVICES: usize = 10_000;
const ROUNDS: usize = 5;
/// CPU of a connect, as a multiple of the floor's.
const RATIO_MAX: f64 = 1.5;
/// Memory of a device.
const KIB_MAX: f64 = 4.0;

fn main() -> ExitCode {
    if let Some(code) = floor::run_if_asked() {
        return code;
    }
    if !measure::has_mosquitto() {
        eprintln!("fleet: nothing was measured: there is no Mosquitto here");
        return ExitCode::SUCCESS;
    }
    let (devices, rounds) = if measure::is_asked() { (DEVICES, ROUNDS) } else { (50, 1) };
    let devices = cost::as_many_as_files_allow("fleet", devices);
    let has_simulate = measure::is_known("simulate");
    if !has_simulate {
        eprintln!("fleet: the floor alone: this `presence` has no `simulate`");
    }
    compare(devices, rounds, has_simulate)
}

fn compare(devices: usize, rounds: usize, has_simulate: bool) -> ExitCode {
    let broker = measure::mosquitto();
    let address = broker.address();
    let floor_base = by_floor(address, 1).pss;
    let base = if has_simulate { by_simulate(address, 1).pss } else { 0 };
    println!("{devices} devices, keep alive 60 s, a will, 64 connecting at a time");
    println!("        CPU µs/connect           connects/s           KiB/device");
    println!("round   floor simulate ratio     floor simulate       floor simulate");
    let (mut ratios, mut sizes) = (Vec::new(), Vec::new());
    for round in 1..=rounds {
        let least = by_floor(address, devices);
        let ours = if has_simulate { by_simulate(address, devices) } else { Cost::NONE };
        let ratio = ours.cpu.as_secs_f64() / least.cpu.as_secs_f64();
        let size = measure::kib_each(base, ours.pss, devices);
        println!(
            "{round:>5} {:>7.1} {:>8.1} {ratio:>5.2} {:>9.0} {:>8.0} {:>11.2} {size:>8.2}",
            measure::micros_each(least.cpu, devices),
            measure::micros_each(ours.cpu, devices),
            measure::per_second(devices, least.took),
            measure::per_second(devices, ours.took),
            measure::kib_each(floor_base, least.pss, devices),
        );
        ratios.push(ratio);
        sizes.push(size);
    }
    if !has_simulate {
        return ExitCode::SUCCESS;
    }
    let (ratio, size) = (measure::median(ratios), measure::median(sizes));
    println!(
        "median: {ratio:.2}× the floor (at most {RATIO_MAX}), {size:.2} KiB (at most {KIB_MAX})"
    );
    if measure::is_asked() && (ratio > RATIO_MAX || size > KIB_MAX) {
        println!("more than is promised");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}
