//! Fleets of devices in processes of their own, and what each has cost.
#![allow(dead_code, reason = "every benchmark uses a part of it")]

use super::floor::Floor;
use super::measure;
use super::support::process::{DEADLINE, Presence, Process};
use presence::clock;
use std::net::SocketAddr;
use std::process::Command;
use std::time::Duration;

/// From the last connect until memory is looked at: what was needed for connecting is given back.
pub const SETTLED: Duration = Duration::from_secs(2);
/// Between two runs. The ports of the last one are taken up again only after a second, and dearly
/// until then.
pub const REST: Duration = Duration::from_secs(4);
const LOOK_AGAIN: Duration = Duration::from_millis(2);
/// For the slowest of the peers to connect all, or to say goodbye.
const PEER_MAX: Duration = Duration::from_mins(3);

/// What one run has cost its process, its start and its rest included.
#[derive(Clone, Copy)]
pub struct Cost {
    pub cpu: Duration,
    pub took: Duration,
    /// KiB.
    pub pss: u64,
}

impl Cost {
    pub const NONE: Self = Self { cpu: Duration::ZERO, took: Duration::MAX, pss: 0 };

    fn of(process: &Process, took: Duration) -> Self {
        rest(SETTLED);
        let pid = process.pid();
        Self { cpu: measure::cpu(pid), took, pss: measure::pss(pid) }
    }
}

/// Connects devices by the bare loop, and ends them.
pub fn by_floor(address: SocketAddr, devices: usize) -> Cost {
    let begun = clock::monotonic();
    let floor = Floor::start(address, devices);
    let cost = Cost::of(&floor.process, begun.elapsed());
    floor.end();
    rest(REST);
    cost
}

/// Connects devices by `presence simulate`, and ends them.
pub fn by_simulate(address: SocketAddr, devices: usize) -> Cost {
    let begun = clock::monotonic();
    let simulate = Simulate::start(address, devices, Duration::from_secs(30));
    let cost = Cost::of(&simulate.presence, begun.elapsed());
    simulate.end();
    rest(REST);
    cost
}

/// Connects devices by another program, and ends them. It takes an address and a count, writes a line
/// with the µs that connecting took when all are connected, and lets them say goodbye when its input
/// ends.
pub fn by_program(mut command: Command, address: SocketAddr, devices: usize) -> Cost {
    let begun = clock::monotonic();
    command.args([address.to_string(), devices.to_string()]);
    let mut process = Process::start(&mut command);
    process.wait_line(|line| line.parse::<u64>().is_ok(), PEER_MAX);
    let cost = Cost::of(&process, begun.elapsed());
    let ended = process.ended(PEER_MAX);
    assert!(ended.status.success(), "{command:?}: {ended:?}");
    rest(REST);
    cost
}

/// A `presence simulate` whose devices are all connected.
pub struct Simulate {
    pub presence: Presence,
    devices: usize,
}

impl Simulate {
    /// Starts so many devices, and returns when they all are connected.
    pub fn start(address: SocketAddr, devices: usize, duration: Duration) -> Self {
        let begun = clock::monotonic();
        let (url, count) = (format!("mqtt://{address}"), devices.to_string());
        let duration = format!("{}s", duration.as_secs());
        let presence = Presence::start([
            "simulate",
            "-b",
            &url,
            "--count",
            &count,
            "--rate",
            "100000",
            "--keepalive",
            "60s",
            "--duration",
            &duration,
            "--mqtt-version",
            "3.1.1",
            "--no-birth",
        ]);
        let mut simulate = Self { presence, devices };
        while !simulate.is_complete() {
            assert!(simulate.presence.is_running(), "`presence simulate` has ended");
            assert!(begun.elapsed() < DEADLINE, "not every device is connected");
            std::thread::sleep(LOOK_AGAIN);
        }
        simulate
    }

    /// Interrupts it, and waits for its end.
    pub fn end(mut self) {
        assert!(self.is_complete(), "devices were lost");
        self.presence.interrupt();
        self.presence.ended(DEADLINE);
    }

    /// Tells whether every device is connected. A device is a file; the few others that the process
    /// has do not matter among so many.
    fn is_complete(&self) -> bool {
        measure::files(self.presence.pid()) >= self.devices as u64
    }
}

/// Pauses, unless this is only a test.
pub fn rest(time: Duration) {
    if measure::is_asked() {
        std::thread::sleep(time);
    }
}

/// Returns how many devices there can be: fewer than are wanted, if a process may not have as many
/// files. Says so.
pub fn as_many_as_files_allow(bench: &str, wanted: usize) -> usize {
    let files = presence::sys::raise_file_limit(wanted as u64 * 2).soft;
    let most = usize::try_from(files).unwrap_or(usize::MAX).saturating_sub(200);
    if most < wanted {
        #[expect(clippy::print_stderr, reason = "a benchmark says what it could not")]
        {
            eprintln!("{bench}: {most} devices, because a process may open {files} files");
        }
    }
    wanted.min(most)
}
