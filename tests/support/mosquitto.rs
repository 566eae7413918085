//! A real Mosquitto on a free port of loopback, and its two clients, for the tests that need them.

use super::free_ports;
use super::process::{DEADLINE, Process, Stream};
use serde_json::json;
use std::cell::Cell;
use std::fs;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// A broker of the test's own. It ends with the test, by its own process id.
pub struct Mosquitto {
    program: PathBuf,
    port: u16,
    second_port: u16,
    /// It counts those who connect and say nothing, and a test wants to know the number.
    counts: bool,
    folder: TempDir,
    /// `None` between an end and a restart.
    process: Option<Process>,
}

impl Mosquitto {
    /// Starts a broker with these lines of configuration beside its own: listener, folder, log.
    ///
    /// Everybody may connect, and it logs everything, to [`log`](Self::log) and, unless a line says
    /// where else (`log_dest`), to `$SYS/broker/log/#`. In the lines `{port}` stands for a second free
    /// port, `{folder}` for its folder.
    pub fn start(config_lines: &[&str]) -> Self {
        Self::start_of(&program(), config_lines, false)
    }

    /// Starts one of 2.1 with dynamic security and these accounts beside `admin`, which has the password
    /// `secret` as they have; with a client id an account is tied to that. Nobody else may connect, and it
    /// counts its sessions every 3 s.
    pub fn start_2_1(accounts: &[(&str, Option<&str>)], config_lines: &[&str]) -> Self {
        let home = home_2_1();
        let passwords = TempDir::new().expect("a temporary folder can be made");
        let first = passwords.path().join("first");
        fs::write(&first, PASSWORD).expect("the folder is ours");
        let lines = [
            "allow_anonymous false",
            "sys_interval 3",
            &format!("plugin {}", home.join("mosquitto_dynamic_security.so").display()),
            "plugin_opt_config_file {folder}/dynsec.json",
            &format!("plugin_opt_password_init_file {}", first.display()),
        ];
        let broker =
            Self::start_of(&home.join("mosquitto"), &[&lines, config_lines].concat(), true);
        let commands = accounts.iter().map(|(user, client)| {
            let mut command =
                json!({ "command": "createClient", "username": user, "password": PASSWORD });
            if let Some(client) = client {
                command["clientid"] = (*client).into();
            }
            command
        });
        let commands = json!({ "commands": commands.collect::<Vec<_>>() }).to_string();
        let admin = ["-u", ADMIN, "-P", PASSWORD];
        broker.publish("$CONTROL/dynamic-security/v1", &commands, &admin);
        broker
    }

    /// Waits until one of 2.1 has run for so many seconds, by its own account.
    pub fn wait_uptime(&self, seconds: u64) {
        let limit = DEADLINE + Duration::from_secs(seconds);
        let uptime = |told: &str| told.split(' ').next()?.parse::<u64>().ok();
        self.wait_count("uptime", limit, |told| uptime(told).is_some_and(|told| told >= seconds));
    }

    /// Waits until it counts so many sessions without a connection.
    pub fn wait_away(&self, away: &str) {
        self.wait_count("clients/disconnected", DEADLINE, |told| told == away);
    }

    /// Waits until it has counted as many connections as sockets: one that it accepted in one count and read
    /// the CONNECT of in the next one looks for a while as if it said nothing.
    pub fn wait_all_said(&self) {
        const LIMIT: Duration = Duration::from_mins(4);
        const ALIKE: f64 = 0.04;
        let mut command = self.client("mosquitto_sub");
        command.args(["-v", "-u", ADMIN, "-P", PASSWORD]);
        command.args(["-t", "$SYS/broker/load/sockets/1min"]);
        command.args(["-t", "$SYS/broker/load/connections/1min"]);
        let loads = Cell::new([None::<f64>; 2]);
        let is_alike = |line: &str| {
            let Some((topic, load)) = line.split_once(' ') else { return false };
            let mut told = loads.get();
            told[usize::from(topic.contains("/connections/"))] = load.trim().parse().ok();
            loads.set(told);
            matches!(told, [Some(sockets), Some(connects)] if (sockets - connects).abs() < ALIKE)
        };
        Process::start(&mut command).wait_line(is_alike, LIMIT);
    }

    fn wait_count(&self, topic: &str, limit: Duration, is_it: impl Fn(&str) -> bool) {
        let mut command = self.client("mosquitto_sub");
        command.args(["-u", ADMIN, "-P", PASSWORD, "-t", &format!("$SYS/broker/{topic}")]);
        Process::start(&mut command).wait_line(is_it, limit);
    }

    fn start_of(program: &Path, config_lines: &[&str], counts: bool) -> Self {
        // The free port may be taken by somebody else between the look and the start.
        for _ in 0..PORTS_MAX {
            let folder = TempDir::new().expect("a temporary folder can be made");
            let [port, second_port] = free_ports();
            let config = config(port, folder.path(), config_lines)
                .replace("{port}", &second_port.to_string())
                .replace("{folder}", &folder.path().display().to_string());
            fs::write(folder.path().join("mosquitto.conf"), config).expect("the folder is ours");
            let program = program.to_owned();
            let mut broker = Self { program, port, second_port, counts, folder, process: None };
            match broker.run() {
                Ok(()) => return broker,
                Err(said) if said.contains("Address already in use") => {}
                Err(said) => panic!("mosquitto did not start:\n{said}"),
            }
        }
        panic!("{PORTS_MAX} free ports were taken by others before mosquitto could have them");
    }

    pub const fn port(&self) -> u16 {
        self.port
    }

    /// Returns the port that stood for `{port}` in the lines of configuration.
    pub const fn second_port(&self) -> u16 {
        self.second_port
    }

    pub const fn address(&self) -> SocketAddr {
        SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), self.port)
    }

    pub fn url(&self) -> String {
        format!("mqtt://127.0.0.1:{}", self.port)
    }

    /// Returns the folder with its configuration, its log and what it keeps.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Returns what it has logged so far.
    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join(LOG)).unwrap_or_default()
    }

    pub fn process(&self) -> Option<&Process> {
        self.process.as_ref()
    }

    /// Ends it like a crash: no wills, nothing written.
    pub fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.kill();
        }
    }

    /// Ends it as an administrator would, and waits until it has.
    pub fn stop(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.terminate();
            assert!(process.wait(DEADLINE).is_some(), "mosquitto has not ended:\n{}", self.log());
        }
    }

    /// Starts it again on the same port, after an end or instead of one.
    pub fn restart(&mut self) {
        self.stop();
        if let Err(said) = self.run() {
            panic!("mosquitto did not start again on port {}:\n{said}", self.port);
        }
    }

    /// Starts `mosquitto_sub` on a topic filter; each message is a line `topic payload`. Returns when
    /// the broker has granted the subscription: what is published from now on is heard.
    pub fn subscribe(&self, filter: &str, options: &[&str]) -> Process {
        let id = options.iter().skip_while(|option| **option != "-i").nth(1);
        let id = id.map_or_else(|| format!("sub-{}", fastrand::u64(..)), |id| (*id).to_owned());
        // Only the broker can tell: the client keeps back what it says into a pipe.
        let granted = format!("Sending SUBACK to {id}\n");
        let before = self.log().matches(&granted).count();
        let mut command = self.client("mosquitto_sub");
        command.args(["-i", &id, "-t", filter, "-F", "%t %p"]).args(options);
        let process = Process::start(&mut command);
        self.wait_log(|log| log.matches(&granted).count() > before);
        process
    }

    /// Waits until the log is as it should be; panics with the log if it does not come to that.
    #[track_caller]
    pub fn wait_log(&self, is_it: impl Fn(&str) -> bool) {
        super::wait_log(|| self.log(), is_it);
    }

    /// Publishes with `mosquitto_pub` and returns when the broker has taken the message.
    pub fn publish(&self, topic: &str, payload: &str, options: &[&str]) {
        let mut command = self.client("mosquitto_pub");
        command.args(["-q", "1", "-t", topic, "-m", payload]).args(options);
        let ended = Process::start(&mut command).ended(DEADLINE);
        assert!(ended.status.success(), "mosquitto_pub: {ended:?}");
    }

    /// Returns `mosquitto_sub` or `mosquitto_pub`, aimed at this broker.
    pub fn client(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.args(["-h", "127.0.0.1", "-p", &self.port.to_string()]);
        command
    }

    /// Starts the broker and waits until it answers; else returns what it said.
    fn run(&mut self) -> Result<(), String> {
        // It has the limits of whoever starts it, and a fleet of devices may come.
        presence::sys::raise_file_limit(FILES);
        let before = self.log().matches(RUNNING).count();
        let config = self.folder.path().join("mosquitto.conf");
        let mut process = Process::start(Command::new(&self.program).arg("-c").arg(config));
        let is_up = if self.counts {
            let runs = || self.log().matches(RUNNING).count() > before;
            wait_until(runs, &mut process)
        } else {
            wait_for_port(self.address(), &mut process)
        };
        if is_up {
            self.process = Some(process);
            return Ok(());
        }
        process.kill();
        Err(format!("{}{}", self.log(), process.lines(Stream::Err).join("\n")))
    }
}

fn config(port: u16, folder: &Path, lines: &[&str]) -> String {
    let folder = folder.display();
    let mut text = format!(
        "listener {port} 127.0.0.1\n\
         allow_anonymous true\n\
         persistence_location {folder}/\n\
         log_dest file {folder}/{LOG}\n\
         log_type all\n\
         connection_messages true\n"
    );
    if !lines.iter().any(|line| line.starts_with("user ")) && is_root() {
        // As root it would change to its own user, who may not write into a folder of ours.
        text.push_str("user root\n");
    }
    if !lines.iter().any(|line| line.starts_with("log_dest ")) {
        text.push_str("log_dest topic\n");
    }
    for line in lines {
        text.push_str(line);
        text.push('\n');
    }
    text
}

/// Waits until somebody answers, and makes sure that it is our process and not another that has
/// taken the port.
#[expect(clippy::disallowed_methods, reason = "a deadline is real time")]
fn wait_for_port(address: SocketAddr, process: &mut Process) -> bool {
    let until = Instant::now() + DEADLINE;
    while process.is_running() && Instant::now() < until {
        match TcpStream::connect_timeout(&address, CONNECT_MAX) {
            Ok(_) => return process.is_running(),
            Err(error) if error.kind() == io::ErrorKind::TimedOut => {}
            Err(_) => std::thread::sleep(LOOK_AGAIN),
        }
    }
    false
}

#[expect(clippy::disallowed_methods, reason = "a deadline is real time")]
fn wait_until(is_it: impl Fn() -> bool, process: &mut Process) -> bool {
    let until = Instant::now() + DEADLINE;
    while process.is_running() && Instant::now() < until {
        if is_it() {
            return true;
        }
        std::thread::sleep(LOOK_AGAIN);
    }
    false
}

/// Returns where the broker is: distributions keep it where only root looks.
pub fn program() -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain(["/usr/sbin", "/usr/local/sbin"].map(PathBuf::from))
        .map(|folder| folder.join("mosquitto"))
        .find(|program| program.is_file())
        .unwrap_or_else(|| "mosquitto".into())
}

/// Returns where the one of 2.1 was put: Debian has none yet.
fn home_2_1() -> PathBuf {
    let tools = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("tools");
    let home = tools.join("mosquitto-2.1");
    assert!(home.is_dir(), "there is no `{}`; run tests/run --tools", home.display());
    home
}

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// The account that may ask [`start_2_1`](Mosquitto::start_2_1) everything, and the password of all.
pub const ADMIN: &str = "admin";
pub const PASSWORD: &str = "secret";
const FILES: u64 = 4_096;
/// What it logs when clients may come.
const RUNNING: &str = " running\n";
const LOG: &str = "mosquitto.log";
const PORTS_MAX: usize = 5;
const CONNECT_MAX: Duration = Duration::from_secs(1);
const LOOK_AGAIN: Duration = Duration::from_millis(5);
