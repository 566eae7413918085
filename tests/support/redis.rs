//! Real Redis servers on free ports of loopback: single ones, replicas, and Clusters.

use super::process::{DEADLINE, Process, Stream};
use redis::{Connection, Value};
use std::net::{Ipv4Addr, TcpListener};
use std::process::Command;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// A server of the test's own. It ends with the test, by its own process id.
pub struct Redis {
    port: u16,
    folder: TempDir,
    arguments: Vec<String>,
    /// `None` between an end and a restart.
    process: Option<Process>,
}

impl Redis {
    /// Starts a server with these arguments beside its own: port, folder, and a log of all writes, so
    /// that a restart finds them.
    pub fn start(arguments: &[&str]) -> Self {
        for _ in 0..PORTS_MAX {
            // In memory where the system offers that: what is tested is not the disk.
            let folder = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir());
            let mut server = Self {
                port: free_port(),
                folder: folder.expect("a temporary folder can be made"),
                arguments: arguments.iter().map(|argument| (*argument).to_owned()).collect(),
                process: None,
            };
            match server.run() {
                Ok(()) => return server,
                Err(said) if said.contains("Address already in use") => {}
                Err(said) => panic!("redis-server did not start:\n{said}"),
            }
        }
        panic!("{PORTS_MAX} free ports were taken by others before redis-server could have them");
    }

    pub const fn port(&self) -> u16 {
        self.port
    }

    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Returns a free port for a second way in, which arguments of `CONFIG SET` can name.
    pub fn second_port() -> u16 {
        free_port()
    }

    /// Ends it like a crash.
    pub fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.kill();
        }
    }

    /// Starts it again on the same port, with what it has on its disk.
    pub fn restart(&mut self) {
        self.kill();
        if let Err(said) = self.run() {
            panic!("redis-server did not start again on port {}:\n{said}", self.port);
        }
    }

    pub fn process(&self) -> &Process {
        self.process.as_ref().expect("it runs")
    }

    /// Returns a line of the test's own to it, without a password.
    pub fn connect(&self) -> Connection {
        let client = redis::Client::open(self.url()).expect("a URL");
        client.get_connection_with_timeout(DEADLINE).expect("it listens")
    }

    /// Gives it one command, in words.
    #[track_caller]
    pub fn does(&self, command: &str) -> Value {
        does(&mut self.connect(), command)
    }

    /// Waits until a line of `INFO` is there.
    #[track_caller]
    #[expect(clippy::disallowed_methods, reason = "a deadline is real time")]
    pub fn wait_info(&self, line: &str) {
        let (until, mut connection) = (Instant::now() + DEADLINE, self.connect());
        loop {
            let cluster = does(&mut connection, "INFO everything");
            let text: String = redis::from_redis_value(cluster).expect("text");
            // What a Cluster thinks of itself stands elsewhere.
            let more = redis::cmd("CLUSTER").arg("INFO").query(&mut connection);
            let all = text + &more.unwrap_or_else(|_| String::new());
            if all.lines().any(|said| said.trim() == line) {
                return;
            }
            assert!(Instant::now() < until, "no `{line}` in:\n{all}");
            std::thread::sleep(LOOK_AGAIN);
        }
    }

    fn run(&mut self) -> Result<(), String> {
        let mut command = Command::new("redis-server");
        command.args(["--port", &self.port.to_string(), "--bind", "127.0.0.1", "--save", ""]);
        command.args(["--appendonly", "yes", "--daemonize", "no", "--dir"]).arg(self.folder.path());
        // Else it puts writing off while the last second is still on its way to the disk, and a test that
        // kills it would find less than was promised.
        command.args(["--appendfsync", "always"]);
        let mut process = Process::start(command.args(&self.arguments));
        if wait_ready(&mut process) {
            self.process = Some(process);
            return Ok(());
        }
        process.kill();
        Err(process.lines(Stream::Out).join("\n"))
    }
}

/// A Cluster of three primaries, some of which may have a replica.
pub struct Cluster {
    pub primaries: Vec<Redis>,
    pub replicas: Vec<Redis>,
}

impl Cluster {
    /// Starts it; `replicas` is 1 if the first primary is to have a replica.
    pub fn start(replicas: usize) -> Self {
        let node = |_| Redis::start(NODE);
        let cluster = Self {
            primaries: (0..3).map(node).collect(),
            replicas: (0..replicas).map(node).collect(),
        };
        cluster.found();
        cluster
    }

    /// Returns the address of a node, or of several.
    pub fn url(&self, nodes: usize) -> String {
        let hosts: Vec<String> =
            self.primaries[..nodes].iter().map(|node| format!("127.0.0.1:{}", node.port)).collect();
        format!("redis://{}", hosts.join(","))
    }

    pub fn nodes(&self) -> impl Iterator<Item = &Redis> {
        self.primaries.iter().chain(&self.replicas)
    }

    fn found(&self) {
        for (node, slots) in self.primaries.iter().zip(["0 5460", "5461 10922", "10923 16383"]) {
            let (first, last) = slots.split_once(' ').expect("two");
            let range: Vec<String> = (first.parse::<u16>().expect("a slot")
                ..=last.parse().expect("a slot"))
                .map(|slot| slot.to_string())
                .collect();
            // One by one, since a range can only be given from Redis 7 on.
            does(&mut node.connect(), &format!("CLUSTER ADDSLOTS {}", range.join(" ")));
        }
        let first = &self.primaries[0];
        for node in self.nodes().skip(1) {
            first.does(&format!("CLUSTER MEET 127.0.0.1 {}", node.port));
        }
        let size = format!("cluster_known_nodes:{}", self.nodes().count());
        for node in self.nodes() {
            node.wait_info(&size);
        }
        let id: String = redis::from_redis_value(first.does("CLUSTER MYID")).expect("an id");
        for replica in &self.replicas {
            replica.does(&format!("CLUSTER REPLICATE {id}"));
            replica.wait_info("master_link_status:up");
        }
        for node in self.nodes() {
            node.wait_info("cluster_state:ok");
        }
    }
}

/// Gives one command, in words.
#[track_caller]
pub fn does(connection: &mut Connection, command: &str) -> Value {
    let mut words = command.split(' ');
    let mut call = redis::cmd(words.next().expect("a command"));
    for word in words {
        call.arg(word);
    }
    call.query(connection).unwrap_or_else(|error| panic!("{command:.80}: {error}"))
}

/// A node has a second port, 10,000 above its own.
fn free_port() -> u16 {
    let bound = |port| TcpListener::bind((Ipv4Addr::LOCALHOST, port));
    loop {
        let port = fastrand::u16(10_000..22_000);
        if let (Ok(_), Ok(_)) = (bound(port), bound(port + 10_000)) {
            return port;
        }
    }
}

fn wait_ready(process: &mut Process) -> bool {
    let is_over = |line: &str| {
        line.contains("Ready to accept connections") || line.contains("Address already in use")
    };
    process.wait_line(is_over, DEADLINE).contains("Ready")
}

const NODE: &[&str] = &["--cluster-enabled", "yes", "--cluster-node-timeout", "1000"];
const PORTS_MAX: usize = 5;
const LOOK_AGAIN: Duration = Duration::from_millis(5);
