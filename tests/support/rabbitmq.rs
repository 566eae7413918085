//! A real RabbitMQ with its MQTT plugin on a free port of loopback, for the tests that need it.
//!
//! What 3.10 does, and the tests rest on: it speaks MQTT 3.1 and 3.1.1, and closes on version 5; it
//! notices silence after up to three times the keep alive; it hands on a retained message only to a
//! subscription without a wildcard. It takes about ten seconds to start, so one has to do for a
//! whole test file.

use super::authority::Authority;
use super::free_ports;
use super::http::Server;
use super::process::{DEADLINE, Process, Stream};
use super::signers;
use std::fmt::Write as _;
use std::fs;
use std::io::{Read, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// A broker of the test's own. It ends with the test, and so do the helpers it has brought along.
pub struct RabbitMq {
    port: u16,
    /// Of AMQP, where it tells of connections by its event exchange.
    amqp_port: u16,
    /// The same, encrypted, with a certificate for 127.0.0.1.
    amqps_port: u16,
    pub authority: Authority,
    /// What it asks about users that it does not know.
    pub signers: Server,
    /// Of its management API, where `guest` may log in.
    api_port: u16,
    /// The node itself, not a shell around it.
    process: Process,
    /// The name server of its kind, which would outlive it.
    names: Process,
    folder: TempDir,
}

impl RabbitMq {
    /// Starts a broker at which everybody may connect, and waits until it does let in.
    pub fn start() -> Self {
        // A free port may be taken by somebody else between the look and the start.
        for _ in 0..STARTS_MAX {
            let mut broker = Self::run();
            if broker.wait_until_it_lets_in() {
                return broker;
            }
            let said = broker.said();
            assert!(
                said.contains("eaddrinuse") || said.contains("in use"),
                "rabbitmq did not start:\n{said}"
            );
        }
        panic!("{STARTS_MAX} times a port was taken by others before rabbitmq could have it");
    }

    pub const fn port(&self) -> u16 {
        self.port
    }

    pub const fn amqp_port(&self) -> u16 {
        self.amqp_port
    }

    pub const fn amqps_port(&self) -> u16 {
        self.amqps_port
    }

    pub const fn api_port(&self) -> u16 {
        self.api_port
    }

    pub fn url(&self) -> String {
        format!("mqtt://127.0.0.1:{}", self.port)
    }

    /// Returns what it has logged so far.
    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join(LOG)).unwrap_or_default()
    }

    /// Waits until the log is as it should be; panics with the log if it does not come to that.
    #[track_caller]
    pub fn wait_log(&self, is_it: impl Fn(&str) -> bool) {
        super::wait_log(|| self.log(), is_it);
    }

    /// Returns `mosquitto_sub` or `mosquitto_pub`, aimed at this broker.
    pub fn client(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.args(["-V", "311", "-h", "127.0.0.1", "-p", &self.port.to_string()]);
        command
    }

    /// Publishes with `mosquitto_pub` and returns when the broker has taken the message.
    pub fn publish(&self, topic: &str, payload: &str, options: &[&str]) {
        let mut command = self.client("mosquitto_pub");
        command.args(["-q", "1", "-t", topic, "-m", payload]).args(options);
        let ended = Process::start(&mut command).ended(DEADLINE);
        assert!(ended.status.success(), "mosquitto_pub: {ended:?}");
    }

    /// Ends it and all that it has started, and returns the ids of what is left in spite of that.
    pub fn end(&mut self) -> Vec<u32> {
        self.process.kill();
        self.names.kill();
        self.helpers_left()
    }

    /// Starts its two processes, and waits for nothing.
    fn run() -> Self {
        let folder = TempDir::new().expect("a temporary folder can be made");
        let [port, amqp_port, amqps_port, api_port, names_port, node_port] = free_ports();
        let authority = Authority::new();
        authority.issue(LOOPBACK);
        let signers = signers::start();
        let config = config(port, amqp_port, api_port)
            + &encrypted(amqps_port, &authority)
            + &asking(signers.port);
        fs::write(folder.path().join("rabbitmq.conf"), config).expect("the folder is ours");
        fs::write(folder.path().join("enabled_plugins"), PLUGINS).expect("the folder is ours");
        // It has the limits of whoever starts it, and a fleet of devices may come.
        presence::sys::raise_file_limit(FILES);
        let ports = [("ERL_EPMD_PORT", names_port), ("RABBITMQ_DIST_PORT", node_port)];
        // The node would start one of its own, as a daemon.
        let names = Process::start(&mut command(Path::new("epmd"), folder.path(), &ports));
        let process = Process::start(&mut command(&program(), folder.path(), &ports));
        Self { port, amqp_port, amqps_port, authority, signers, api_port, process, names, folder }
    }

    /// Waits for a CONNACK that says yes; false if the broker has ended before.
    #[expect(clippy::disallowed_methods, reason = "a deadline is real time")]
    fn wait_until_it_lets_in(&mut self) -> bool {
        let until = Instant::now() + START_MAX;
        while self.process.is_running() && Instant::now() < until {
            if connack(self.port).is_some_and(|connack| connack == [0x20, 2, 0, 0]) {
                // Or it is another's, on a port that we did not get.
                return self.process.is_running();
            }
            std::thread::sleep(LOOK_AGAIN);
        }
        false
    }

    fn said(&self) -> String {
        let mut lines = vec![self.log()];
        for process in [&self.process, &self.names] {
            lines.extend(process.lines(Stream::Out));
            lines.extend(process.lines(Stream::Err));
        }
        lines.join("\n")
    }

    /// Waits for the end of the helpers, which notice the end of the node, and kills who does not.
    #[expect(clippy::disallowed_methods, reason = "a deadline is real time")]
    fn helpers_left(&self) -> Vec<u32> {
        let until = Instant::now() + HELPERS_END_MAX;
        loop {
            let left = whose_home_is(self.folder.path());
            if left.is_empty() || Instant::now() >= until {
                for id in left.iter().filter_map(|id| i32::try_from(*id).ok()) {
                    if let Some(id) = rustix::process::Pid::from_raw(id) {
                        let _ = rustix::process::kill_process(id, rustix::process::Signal::KILL);
                    }
                }
                return left;
            }
            std::thread::sleep(LOOK_AGAIN);
        }
    }
}

impl Drop for RabbitMq {
    fn drop(&mut self) {
        self.end();
    }
}

fn config(port: u16, amqp_port: u16, api_port: u16) -> String {
    format!(
        "listeners.tcp.default = 127.0.0.1:{amqp_port}\n\
         mqtt.listeners.tcp.default = 127.0.0.1:{port}\n\
         mqtt.allow_anonymous = true\n\
         management.tcp.ip = 127.0.0.1\n\
         management.tcp.port = {api_port}\n\
         disk_free_limit.absolute = 1MB\n\
         log.file.level = info\n"
    )
}

fn encrypted(port: u16, authority: &Authority) -> String {
    let path = |name: &str| authority.path(name).display().to_string();
    format!(
        "listeners.ssl.default = 127.0.0.1:{port}\n\
         ssl_options.cacertfile = {}\n\
         ssl_options.certfile = {}\n\
         ssl_options.keyfile = {}\n\
         ssl_options.verify = verify_none\n",
        path("ca.pem"),
        path(&format!("{LOOPBACK}.pem")),
        path(&format!("{LOOPBACK}.key"))
    )
}

fn asking(port: u16) -> String {
    let mut config =
        "auth_backends.1 = internal\nauth_backends.2 = http\nauth_http.http_method = post\n"
            .to_owned();
    for what in ["user", "vhost", "resource", "topic"] {
        let _ = writeln!(config, "auth_http.{what}_path = http://127.0.0.1:{port}/{what}");
    }
    config
}

/// Returns a command that lives in the folder alone and is heard on loopback alone.
fn command(program: &Path, folder: &Path, ports: &[(&str, u16)]) -> Command {
    let mut command = Command::new(program);
    command.current_dir(folder).env_clear().env("HOME", folder);
    if let Some(path) = std::env::var_os("PATH") {
        command.env("PATH", path);
    }
    command.envs(ports.iter().map(|(name, port)| (name, port.to_string())));
    for (name, file) in [
        ("RABBITMQ_CONF_ENV_FILE", "none"),
        ("RABBITMQ_CONFIG_FILE", "rabbitmq.conf"),
        ("RABBITMQ_ADVANCED_CONFIG_FILE", "none.config"),
        ("RABBITMQ_ENABLED_PLUGINS_FILE", "enabled_plugins"),
        ("RABBITMQ_MNESIA_BASE", "mnesia"),
        ("RABBITMQ_LOG_BASE", "log"),
        ("RABBITMQ_LOGS", LOG),
    ] {
        command.env(name, folder.join(file));
    }
    // One that reads its input is the node itself; else a shell stands before it.
    command.env("RABBITMQ_ALLOW_INPUT", "1");
    command.env("ERL_EPMD_ADDRESS", "127.0.0.1");
    command.env("RABBITMQ_NODENAME", format!("presence-{}@localhost", fastrand::u32(..)));
    command.env(
        "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS",
        "-noinput -start_epmd false -kernel inet_dist_use_interface {127,0,0,1}",
    );
    command
}

/// Returns the script that starts a node as whoever calls it. The one in the path insists on a user of
/// its own.
fn program() -> PathBuf {
    let folder =
        std::env::var_os("PRESENCE_RABBITMQ").map_or_else(|| SCRIPTS.into(), PathBuf::from);
    let program = folder.join("rabbitmq-server");
    assert!(
        program.is_file(),
        "there is no `{}`; install RabbitMQ (Debian: rabbitmq-server), or name the folder of its \
         scripts in `PRESENCE_RABBITMQ`",
        program.display()
    );
    program
}

/// Connects as a client without an id, and returns the first four bytes of the answer.
fn connack(port: u16) -> Option<[u8; 4]> {
    const CONNECT: &[u8] = &[0x10, 12, 0, 4, b'M', b'Q', b'T', b'T', 4, 2, 0, 60, 0, 0];
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let mut stream = TcpStream::connect_timeout(&address, ANSWER_MAX).ok()?;
    stream.set_read_timeout(Some(ANSWER_MAX)).ok()?;
    stream.write_all(CONNECT).ok()?;
    let mut connack = [0; 4];
    stream.read_exact(&mut connack).ok()?;
    stream.write_all(&[0xE0, 0]).ok()?;
    Some(connack)
}

/// Returns the ids of running processes that were started with this home.
fn whose_home_is(folder: &Path) -> Vec<u32> {
    let home = format!("HOME={}", folder.display()).into_bytes();
    let mut ids = Vec::new();
    for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let id = entry.file_name().to_str().and_then(|name| name.parse::<u32>().ok());
        // Those of others cannot be read, and one that has ended has none.
        let environment = fs::read(entry.path().join("environ")).unwrap_or_default();
        if environment.split(|byte| *byte == 0).any(|variable| variable == home) {
            ids.extend(id);
        }
    }
    ids
}

const LOOPBACK: &str = "127.0.0.1";
const SCRIPTS: &str = "/usr/lib/rabbitmq/bin";
const PLUGINS: &str =
    "[rabbitmq_mqtt,rabbitmq_management,rabbitmq_event_exchange,rabbitmq_auth_backend_http].\n";
const FILES: u64 = 4_096;
const LOG: &str = "rabbit.log";
const STARTS_MAX: usize = 3;
/// On a busy machine it takes several times its ten seconds.
const START_MAX: Duration = Duration::from_mins(2);
const HELPERS_END_MAX: Duration = Duration::from_secs(10);
const ANSWER_MAX: Duration = Duration::from_secs(2);
const LOOK_AGAIN: Duration = Duration::from_millis(20);
