//! A real PostgreSQL on a free port of loopback.

use super::process::{DEADLINE, Process, Stream};
use super::{free_ports, wait_log};
use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

/// Where Debian puts the programs of servers, a folder for each version.
const VERSIONS: &str = "/usr/lib/postgresql";
/// Whoever owns the database needs no password; others do.
const ACCESS: &str = "local all presence trust\nhost all presence 127.0.0.1/32 trust\n\
    host all all 127.0.0.1/32 scram-sha-256\n";
/// The lines of `presence`.
pub const OURS: &str = "FROM pg_stat_activity WHERE application_name = 'presence'";
const READY: &str = "database system is ready to accept connections";

/// A server of the test's own, with a database and its owner, both called `presence`. It ends with the test,
/// by its own process id.
pub struct Postgres {
    port: u16,
    folder: TempDir,
    /// `None` between an end and a restart.
    process: Option<Process>,
}

impl Postgres {
    /// Tells whether its programs are here.
    pub fn is_here() -> bool {
        unprivileged("postgres").arg("--version").output().is_ok_and(|said| said.status.success())
    }

    pub fn start() -> Self {
        for _ in 0..PORTS_MAX {
            // In memory where the system offers that: what is tested is not the disk.
            let folder = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir());
            let folder = folder.expect("a temporary folder can be made");
            let [port] = free_ports();
            let mut server = Self { port, folder, process: None };
            server.make();
            match server.run() {
                Ok(()) => {
                    server.does_in("postgres", "CREATE DATABASE presence");
                    return server;
                }
                Err(said) if said.contains("Address already in use") => {}
                Err(said) => panic!("postgres did not start:\n{said}"),
            }
        }
        panic!("{PORTS_MAX} free ports were taken by others before postgres could have them");
    }

    pub fn url(&self) -> String {
        self.url_as("presence")
    }

    /// Returns the address of another database.
    pub fn url_of(&self, database: &str) -> String {
        format!("postgres://presence@127.0.0.1:{}/{database}", self.port)
    }

    /// Returns its address for a user, who may have a password behind a colon.
    pub fn url_as(&self, user: &str) -> String {
        format!("postgres://{user}@127.0.0.1:{}/presence", self.port)
    }

    pub const fn port(&self) -> u16 {
        self.port
    }

    /// Returns the folder of its socket.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub fn process(&self) -> &Process {
        self.process.as_ref().expect("it runs")
    }

    /// Ends it without an end of what is under way, as a crash does; the next start recovers.
    pub fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            // Killed, it would leave memory that processes share behind.
            process.quit();
            process.wait(DEADLINE);
        }
    }

    /// Starts it again on the same port, with what it has on its disk.
    pub fn restart(&mut self) {
        self.kill();
        if let Err(said) = self.run() {
            panic!("postgres did not start again on port {}:\n{said}", self.port);
        }
    }

    /// Ends the lines of `presence` to it.
    pub fn cut(&self) {
        self.does(&format!("SELECT pg_terminate_backend(pid) {OURS}"));
    }

    /// Executes SQL as the owner of the database, and returns what comes of it, a row a line.
    #[track_caller]
    pub fn does(&self, sql: &str) -> String {
        self.does_in("presence", sql)
    }

    #[track_caller]
    pub fn does_in(&self, database: &str, sql: &str) -> String {
        let mut psql = Command::new("psql");
        psql.args(["-X", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1"]);
        psql.args(["-U", "presence", "-d", database, "-c", sql, "-p", &self.port.to_string()]);
        let done = psql.output().expect("psql is there");
        assert!(done.status.success(), "{sql}: {}", String::from_utf8_lossy(&done.stderr));
        String::from_utf8_lossy(&done.stdout).trim_end().to_owned()
    }

    /// Changes settings of the server, and waits until they hold.
    #[track_caller]
    pub fn set(&self, name: &str, value: &str) {
        self.does(&format!("ALTER SYSTEM SET {name} = '{value}'"));
        self.does("SELECT pg_reload_conf()");
        wait_log(|| self.does(&format!("SHOW {name}")), |now| now == value);
    }

    /// Begins a session in which SQL holds on to what it took until the process ends.
    pub fn hold(&self, sql: &str) -> Process {
        let mut psql = Command::new("psql");
        psql.args(["-X", "-A", "-t", "-h", "127.0.0.1", "-U", "presence", "-d", "presence", "-p"]);
        let mut session = Process::start(psql.arg(self.port.to_string()));
        session.write(&format!("BEGIN; {sql}; SELECT 'held';\n"));
        session.wait_line(|line| line == "held", DEADLINE);
        session
    }

    /// Puts a file beside its data that it alone may read.
    pub fn put(&self, name: &str, text: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        std::fs::write(&path, text).expect("the folder is ours");
        own(&path);
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o600);
        std::fs::set_permissions(&path, mode).expect("the file is ours");
        path
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// Makes its files, in a folder that belongs to who it runs as.
    fn make(&self) {
        own(self.folder.path());
        let mut initdb = unprivileged("initdb");
        initdb.args(["-A", "trust", "-U", "presence", "-E", "UTF8", "--no-locale", "--no-sync"]);
        let made = initdb.arg("-D").arg(self.data()).output().expect("initdb is there");
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        self.put("data/pg_hba.conf", ACCESS);
    }

    fn run(&mut self) -> Result<(), String> {
        let mut command = unprivileged("postgres");
        command.arg("-D").arg(self.data()).args(["-p", &self.port.to_string(), "-k"]);
        command.arg(self.folder.path());
        for setting in [
            "listen_addresses=127.0.0.1",
            "fsync=off",
            "shared_buffers=32MB",
            "dynamic_shared_memory_type=mmap",
        ] {
            command.args(["-c", setting]);
        }
        let mut process = Process::start(&mut command);
        let is_over =
            |line: &str| line.contains(READY) || line.contains("database system is shut down");
        let is_ready = process
            .wait_line_of(Stream::Err, |line| is_over(line) || line.contains("FATAL"), DEADLINE)
            .contains(READY);
        if is_ready {
            self.process = Some(process);
            return Ok(());
        }
        process.quit();
        process.wait(DEADLINE);
        Err(process.lines(Stream::Err).join("\n"))
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Returns a program of the server, to be run by somebody who is not root: as root it refuses to run.
fn unprivileged(program: &str) -> Command {
    let installed = std::fs::read_dir(VERSIONS).into_iter().flatten().map_while(Result::ok);
    let installed = installed.map(|version| version.path().join("bin").join(program));
    let latest = installed.filter(|path| path.exists()).max();
    let program = latest.unwrap_or_else(|| PathBuf::from(program));
    let mut command = match owner() {
        None => Command::new(program),
        Some((user, group)) => {
            let mut command = Command::new("setpriv");
            command.args([format!("--reuid={user}"), format!("--regid={group}")]);
            command.arg("--clear-groups").arg(program);
            command
        }
    };
    // Its own folder, since that of the tests need not be open to others.
    command.current_dir("/").env("LC_ALL", "C");
    command
}

/// Gives a file to who the server runs as.
fn own(path: &Path) {
    if let Some((user, group)) = owner() {
        chown(path, Some(user), Some(group)).expect("root may");
    }
}

/// Returns as whom it has to run where we are root: as the user of its package.
fn owner() -> Option<(u32, u32)> {
    rustix::process::geteuid().is_root().then(|| {
        let id = |option| {
            let said = Command::new("id").args([option, "postgres"]).output().expect("id is there");
            let number = String::from_utf8_lossy(&said.stdout).trim().parse();
            number.expect("the package of PostgreSQL makes a user")
        };
        (id("-u"), id("-g"))
    })
}

const PORTS_MAX: usize = 5;
