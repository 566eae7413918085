//! What the built-in broker costs beside Mosquitto: connections, idle ones, pings, messages.
//!
//! The clients are the same for both, and run in processes of their own. Run as a test it takes a few
//! dozen of them and judges nothing.
#![expect(clippy::print_stdout, reason = "a benchmark says what it measured")]
#![expect(clippy::print_stderr, reason = "and what it could not")]

mod floor;
mod measure;
mod messages;
mod subscription;
#[path = "../support/mod.rs"]
mod support;

use floor::Floor;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::Duration;
use support::mosquitto::Mosquitto;
use support::process::{DEADLINE, Presence};

const ROUNDS: usize = 3;
/// Connections per second, as a part of Mosquitto's.
const CONNECTS_MIN: f64 = 0.7;
/// Memory of an idle connection.
const KIB_MAX: f64 = 8.0;
/// CPU of a message, as a multiple of Mosquitto's.
const MESSAGE_MAX: f64 = 1.0;
const PAYLOAD_LEN: usize = 160;
const WINDOW: usize = 1_000;
/// One message of so many is passed again with none beside it.
const ALONE: usize = 10;
const SETTLED: Duration = Duration::from_secs(2);
/// See `fleet.rs`.
const REST: Duration = Duration::from_secs(4);

/// How much of each is done.
#[derive(Clone, Copy)]
struct Load {
    connections: usize,
    messages: usize,
    rounds: usize,
}

fn main() -> ExitCode {
    if let Some(code) = floor::run_if_asked() {
        return code;
    }
    if !measure::has_mosquitto() {
        eprintln!("broker: nothing was measured: there is no Mosquitto here");
        return ExitCode::SUCCESS;
    }
    let mut load = if measure::is_asked() {
        Load { connections: 9_000, messages: 100_000, rounds: ROUNDS }
    } else {
        Load { connections: 50, messages: 2_000, rounds: 1 }
    };
    let files = presence::sys::raise_file_limit(20_000).soft;
    let most = usize::try_from(files).unwrap_or(usize::MAX).saturating_sub(200);
    if most < load.connections {
        eprintln!("broker: {most} connections, because a process may open {files} files");
        load.connections = most;
    }
    compare(load)
}

fn compare(load: Load) -> ExitCode {
    let has_broker = measure::is_known("broker");
    if !has_broker {
        eprintln!("broker: Mosquitto alone: this `presence` has no `broker`");
    }
    let Load { connections, messages, .. } = load;
    println!(
        "{connections} connections with a will; {messages} messages of {PAYLOAD_LEN} bytes, QoS 1"
    );
    println!(
        "                connects/s  CPU µs/connect  KiB/connection  CPU µs/ping  CPU µs/message  messages/s  alone"
    );
    let mut rounds = Vec::new();
    for _ in 0..load.rounds {
        let theirs = Server::mosquitto().measure(load);
        theirs.print("mosquitto");
        if has_broker {
            let ours = Server::ours().measure(load);
            ours.print("presence broker");
            rounds.push((ours, theirs));
        }
    }
    if has_broker { judge(&rounds) } else { ExitCode::SUCCESS }
}

fn judge(rounds: &[(Figures, Figures)]) -> ExitCode {
    let ratio = |of: fn(&Figures) -> f64| {
        measure::median(rounds.iter().map(|(ours, theirs)| of(ours) / of(theirs)))
    };
    let connects = ratio(|figures| figures.connects_per_second);
    let message = ratio(|figures| figures.message_micros);
    let kib = measure::median(rounds.iter().map(|(ours, _)| ours.connection_kib));
    println!(
        "median: {connects:.2}× Mosquitto's connects/s (at least {CONNECTS_MIN}), \
         {kib:.2} KiB (at most {KIB_MAX}), {message:.2}× its CPU per message (at most {MESSAGE_MAX})"
    );
    let is_kept = connects >= CONNECTS_MIN && kib <= KIB_MAX && message <= MESSAGE_MAX;
    if measure::is_asked() && !is_kept {
        println!("not what is promised");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}

struct Figures {
    connects_per_second: f64,
    connect_micros: f64,
    connection_kib: f64,
    ping_micros: f64,
    message_micros: f64,
    messages_per_second: f64,
    /// Of a message that is alone on its way: nothing can be gathered.
    alone_micros: f64,
}

impl Figures {
    fn print(&self, name: &str) {
        println!(
            "{name:<15} {:>10.0} {:>15.1} {:>15.2} {:>12.1} {:>15.2} {:>11.0} {:>6.1}",
            self.connects_per_second,
            self.connect_micros,
            self.connection_kib,
            self.ping_micros,
            self.message_micros,
            self.messages_per_second,
            self.alone_micros,
        );
    }
}

/// One of the two brokers. It ends when it goes out of scope.
struct Server {
    address: SocketAddr,
    pid: u32,
    _process: Running,
}

#[expect(dead_code, reason = "held to be dropped")]
enum Running {
    Mosquitto(Mosquitto),
    Ours(Presence),
}

impl Server {
    fn mosquitto() -> Self {
        let broker = measure::mosquitto();
        let pid = broker.process().expect("it was started").pid();
        Self { address: broker.address(), pid, _process: Running::Mosquitto(broker) }
    }

    fn ours() -> Self {
        let broker = Presence::start(["broker", "--listen", "127.0.0.1:0", "--quiet"]);
        let line = broker.wait_line(|line| address_in(line).is_some(), DEADLINE);
        let address = address_in(&line).expect("it was waited for");
        Self { address, pid: broker.pid(), _process: Running::Ours(broker) }
    }

    fn measure(&self, load: Load) -> Figures {
        let (before, cpu) = (measure::rss(self.pid), measure::cpu(self.pid));
        let mut clients = Floor::start(self.address, load.connections);
        let connecting = measure::cpu_since(self.pid, cpu);
        rest(SETTLED);
        let after = measure::rss(self.pid);
        let cpu = measure::cpu(self.pid);
        clients.ping();
        let pinging = measure::cpu_since(self.pid, cpu);
        let took = clients.took;
        clients.end();
        rest(REST);

        let cpu = measure::cpu(self.pid);
        let passing = messages::pass(self.address, load.messages, PAYLOAD_LEN, WINDOW);
        let message_cpu = measure::cpu_since(self.pid, cpu);
        let (cpu, alone) = (measure::cpu(self.pid), load.messages / ALONE);
        messages::pass(self.address, alone, PAYLOAD_LEN, 1);
        let alone_cpu = measure::cpu_since(self.pid, cpu);
        Figures {
            connects_per_second: measure::per_second(load.connections, took),
            connect_micros: measure::micros_each(connecting, load.connections),
            connection_kib: measure::kib_each(before, after, load.connections),
            ping_micros: measure::micros_each(pinging, load.connections),
            message_micros: measure::micros_each(message_cpu, load.messages),
            messages_per_second: measure::per_second(load.messages, passing),
            alone_micros: measure::micros_each(alone_cpu, alone),
        }
    }
}

/// Returns the address in `listening on mqtt://127.0.0.1:1883 (…)`.
fn address_in(line: &str) -> Option<SocketAddr> {
    line.split_once("mqtt://")?.1.split(' ').next()?.parse().ok()
}

fn rest(time: Duration) {
    if measure::is_asked() {
        std::thread::sleep(time);
    }
}
