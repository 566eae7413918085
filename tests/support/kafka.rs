//! A real Kafka 4.3.1 on free ports of loopback: broker and controller in one process (KRaft).
//!
//! It comes from Maven Central: `tests/run --tools` puts it into the target folder. It takes about four seconds to
//! start, so one has to do for a whole test file. Its official clients come along: `tests/kafka/java/Drive.java` does
//! with them what it is told.

use super::authority::Authority;
use super::clients::{there, tools};
use super::process::{DEADLINE, Process, Stream};
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::time::Duration;
use tempfile::TempDir;

/// Another broker of the same cluster. It ends with the test.
pub struct Second {
    process: Process,
    folder: TempDir,
}

/// A server of the test's own. It ends with it.
pub struct Kafka {
    ports: Ports,
    server: Process,
    driver: Mutex<Driver>,
    authority: Authority,
    folder: TempDir,
}

#[derive(Clone, Copy)]
struct Ports {
    open: u16,
    /// Asks who comes, and knows all mechanisms.
    asking: u16,
    /// Asks who comes, and knows PLAIN alone.
    plain: u16,
    encrypted: u16,
    controller: u16,
}

struct Driver {
    process: Process,
    number: u64,
}

pub const USER: &str = "ckafka-demo#ann";
pub const PASSWORD: &str = "pass word=1";
/// Known by SCRAM alone.
pub const SCRAM_USER: &str = "b=b";

/// On a busy machine it takes several times its four seconds.
const START_MAX: Duration = Duration::from_mins(2);
const STARTS_MAX: usize = 3;
/// How long the driver may take for a command.
const ACT_MAX: Duration = Duration::from_mins(1);

impl Kafka {
    pub fn start() -> Self {
        // A free port may be taken by somebody else between the look and the start.
        for _ in 0..STARTS_MAX {
            let (folder, authority) = (TempDir::new().expect("a folder"), Authority::new());
            let [open, asking, plain, encrypted, controller] = super::free_ports();
            let ports = Ports { open, asking, plain, encrypted, controller };
            let settings = settings(ports, folder.path(), &authority);
            fs::write(folder.path().join("server.properties"), settings).expect("it is ours");
            format(folder.path());
            let mut server = run(folder.path());
            if has_started(&server) {
                let driver = Mutex::new(Driver { process: drive(ports.open), number: 0 });
                let kafka = Self { ports, server, driver, authority, folder };
                kafka.driver().answer();
                return kafka;
            }
            server.wait(DEADLINE);
            let said = server.lines(Stream::Err).join("\n");
            assert!(said.contains("in use"), "{said}");
        }
        panic!("{STARTS_MAX} times a port was taken by others before Kafka could have it");
    }

    /// Returns the URL of a topic at the port that asks nobody who they are.
    pub fn url(&self, topic: &str) -> String {
        format!("kafka://127.0.0.1:{}/{topic}", self.ports.open)
    }

    pub fn asking_url(&self, topic: &str) -> String {
        format!("kafka://127.0.0.1:{}/{topic}", self.ports.asking)
    }

    pub fn plain_url(&self, topic: &str) -> String {
        format!("kafka://127.0.0.1:{}/{topic}", self.ports.plain)
    }

    pub fn encrypted_url(&self, topic: &str) -> String {
        format!("kafka+ssl://localhost:{}/{topic}", self.ports.encrypted)
    }

    /// Returns the file of who vouches for it.
    pub fn ca_file(&self) -> PathBuf {
        self.authority.path("ca.pem")
    }

    pub fn create_topic(&self, name: &str, partitions: u32) {
        self.act(&json!({"do": "topic", "name": name, "partitions": partitions}));
    }

    /// Has the driver do something, and returns its answer.
    #[track_caller]
    pub fn act(&self, command: &Value) -> Value {
        let mut driver = self.driver();
        driver.number += 1;
        driver.process.write(&format!("{command}\n"));
        driver.answer()
    }

    /// Stores records, `more` said of them.
    #[track_caller]
    pub fn send(&self, topic: &str, values: &[&str], more: &Value) {
        let mut command = json!({"do": "send", "topic": topic, "values": values});
        for (name, value) in more.as_object().into_iter().flatten() {
            command[name] = value.clone();
        }
        assert_eq!(self.act(&command)["sent"], values.len());
    }

    /// Starts another broker. What it leads goes to the first one a few seconds after it is gone.
    pub fn start_second(&self) -> Second {
        for _ in 0..STARTS_MAX {
            let folder = TempDir::new().expect("a folder");
            let [port] = super::free_ports();
            let settings = second_settings(self.ports.controller, port, folder.path());
            fs::write(folder.path().join("server.properties"), settings).expect("it is ours");
            format(folder.path());
            let process = run(folder.path());
            if has_started(&process) {
                return Second { process, folder };
            }
        }
        panic!("{STARTS_MAX} times another broker of Kafka could not start");
    }

    pub fn kill(&mut self) {
        self.server.kill();
    }

    /// Starts the server on what it has stored, after [`kill`](Self::kill).
    pub fn restart(&mut self) {
        self.server = run(self.folder.path());
        assert!(has_started(&self.server), "{}", self.server.lines(Stream::Err).join("\n"));
    }

    pub fn pid(&self) -> u32 {
        self.server.pid()
    }

    fn driver(&self) -> std::sync::MutexGuard<'_, Driver> {
        self.driver.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl Second {
    pub fn kill(&mut self) {
        self.process.kill();
    }

    pub fn restart(&mut self) {
        self.process = run(self.folder.path());
        assert!(has_started(&self.process), "{}", self.process.lines(Stream::Err).join("\n"));
    }
}

impl Driver {
    #[track_caller]
    fn answer(&mut self) -> Value {
        let number = self.number;
        let read = |line: &str| serde_json::from_str::<Value>(line).unwrap_or_default();
        let is_it = |line: &str| read(line)["n"] == number;
        read(&self.process.wait_line(is_it, ACT_MAX.max(START_MAX)))
    }
}

fn settings(ports: Ports, folder: &Path, authority: &Authority) -> String {
    let (certificate, key) = authority.issue("localhost");
    let in_one_line = |pem: &str| pem.trim_end().replace('\n', "\\n");
    let Ports { open, asking, plain, encrypted, controller } = ports;
    let mut text = String::new();
    for (name, value) in [
        ("process.roles", "broker,controller".to_owned()),
        ("node.id", "1".to_owned()),
        ("controller.quorum.voters", format!("1@127.0.0.1:{controller}")),
        ("controller.listener.names", "CONTROLLER".to_owned()),
        (
            "listeners",
            format!(
                "OPEN://127.0.0.1:{open},ASKING://127.0.0.1:{asking},PLAIN://127.0.0.1:{plain},\
                 ENCRYPTED://127.0.0.1:{encrypted},CONTROLLER://127.0.0.1:{controller}"
            ),
        ),
        (
            "advertised.listeners",
            format!(
                "OPEN://127.0.0.1:{open},ASKING://127.0.0.1:{asking},PLAIN://127.0.0.1:{plain},\
                 ENCRYPTED://localhost:{encrypted}"
            ),
        ),
        (
            "listener.security.protocol.map",
            "OPEN:PLAINTEXT,ASKING:SASL_PLAINTEXT,PLAIN:SASL_PLAINTEXT,ENCRYPTED:SSL,CONTROLLER:PLAINTEXT"
                .to_owned(),
        ),
        ("inter.broker.listener.name", "OPEN".to_owned()),
        ("log.dirs", folder.join("data").display().to_string()),
        ("listener.name.asking.sasl.enabled.mechanisms", "PLAIN,SCRAM-SHA-256,SCRAM-SHA-512".to_owned()),
        ("listener.name.plain.sasl.enabled.mechanisms", "PLAIN".to_owned()),
        ("listener.name.asking.plain.sasl.jaas.config", plain_users()),
        ("listener.name.plain.plain.sasl.jaas.config", plain_users()),
        ("listener.name.asking.scram-sha-256.sasl.jaas.config", SCRAM_USERS.to_owned()),
        ("listener.name.asking.scram-sha-512.sasl.jaas.config", SCRAM_USERS.to_owned()),
        ("ssl.keystore.type", "PEM".to_owned()),
        ("ssl.keystore.certificate.chain", in_one_line(&certificate)),
        ("ssl.keystore.key", in_one_line(&key)),
        ("broker.session.timeout.ms", "2000".to_owned()),
        ("broker.heartbeat.interval.ms", "500".to_owned()),
        ("auto.create.topics.enable", "true".to_owned()),
        ("offsets.topic.replication.factor", "1".to_owned()),
        ("offsets.topic.num.partitions", "1".to_owned()),
        ("transaction.state.log.replication.factor", "1".to_owned()),
        ("transaction.state.log.num.partitions", "1".to_owned()),
        ("transaction.state.log.min.isr", "1".to_owned()),
        ("share.coordinator.state.topic.replication.factor", "1".to_owned()),
    ] {
        let _ = writeln!(text, "{name}={value}");
    }
    text
}

fn second_settings(controller: u16, port: u16, folder: &Path) -> String {
    let log = folder.join("data");
    format!(
        "process.roles=broker\nnode.id=2\ncontroller.quorum.voters=1@127.0.0.1:{controller}\n\
         controller.listener.names=CONTROLLER\nlisteners=OPEN://127.0.0.1:{port}\n\
         listener.security.protocol.map=OPEN:PLAINTEXT,CONTROLLER:PLAINTEXT\n\
         inter.broker.listener.name=OPEN\nlog.dirs={}\nbroker.heartbeat.interval.ms=500\n",
        log.display()
    )
}

const SCRAM_USERS: &str = "org.apache.kafka.common.security.scram.ScramLoginModule required;";

fn plain_users() -> String {
    format!(
        "org.apache.kafka.common.security.plain.PlainLoginModule required \"user_{USER}\"=\"{PASSWORD}\";"
    )
}

/// Makes the folder of the server, with who may come in.
fn format(folder: &Path) {
    let mut java = java(folder, "256m");
    java.args(["kafka.tools.StorageTool", "format", "-c", "server.properties"]);
    java.args(["-t", "AAAAAAAAQACAAAAAAAAAAA"]);
    for mechanism in ["SCRAM-SHA-256", "SCRAM-SHA-512"] {
        java.arg("--add-scram");
        java.arg(format!("{mechanism}=[name=\"{SCRAM_USER}\",password=\"{PASSWORD}\"]"));
    }
    let ended = Process::start(&mut java).ended(START_MAX);
    assert!(ended.status.success(), "{}{}", ended.out, ended.err);
}

fn run(folder: &Path) -> Process {
    let mut java = java(folder, "256m");
    java.args(["kafka.Kafka", "server.properties"]);
    Process::start(&mut java)
}

fn has_started(server: &Process) -> bool {
    let is_it =
        |line: &str| line.contains("Kafka Server started") || line.contains("Exiting Kafka");
    server.wait_line_of(Stream::Err, is_it, START_MAX).contains("started")
}

#[track_caller]
fn drive(port: u16) -> Process {
    let mut java = Command::new("java");
    java.args(["-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xmx256m", QUIET]);
    java.arg("-cp").arg(format!("{}/*", jars().display()));
    java.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/kafka/java/Drive.java"));
    java.arg(format!("127.0.0.1:{port}"));
    Process::start(&mut java)
}

const QUIET: &str = "-Dorg.slf4j.simpleLogger.defaultLogLevel=error";

fn java(folder: &Path, heap: &str) -> Command {
    let mut java = Command::new("java");
    java.current_dir(folder).arg(format!("-Xmx{heap}"));
    java.args(["-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", QUIET]);
    // That it has started, and why it does not.
    java.arg("-Dorg.slf4j.simpleLogger.log.kafka.server.KafkaRaftServer=info");
    java.arg("-cp").arg(format!("{}/*", jars().display()));
    java
}

fn jars() -> PathBuf {
    there(tools().join("kafka"))
}
