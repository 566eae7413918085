//! A real HiveMQ CE on a free port of loopback, with the `event.log` that it writes.
//!
//! It comes from Maven Central as a library: `tests/run --tools` puts it into the target folder, with
//! `tests/clients/hivemq/HiveMq.java`, which starts it. It speaks MQTT 3.1, 3.1.1 and 5, and writes local time.

use super::clients::{scripts, there, tools};
use super::process::Process;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;
use tempfile::TempDir;

/// A broker of the test's own. It ends with the test.
pub struct HiveMq {
    port: u16,
    folder: TempDir,
    _process: Process,
}

/// On a busy machine it takes several times its five seconds.
const START_MAX: Duration = Duration::from_mins(3);

impl HiveMq {
    /// Starts a broker at which everybody may connect, with this as its local time, and waits until it listens.
    pub fn start(zone: &str) -> Self {
        let home = there(tools().join("hivemq"));
        let folder = TempDir::new().expect("a temporary folder can be made");
        let mut java = Command::new("java");
        java.args(["-Xmx128m", "-XX:TieredStopAtLevel=1"]);
        java.arg(format!("-Duser.timezone={zone}"));
        java.arg(format!("-Dhivemq.log.folder={}", folder.path().display()));
        for package in ["java.lang", "java.nio", "sun.nio.ch"] {
            java.arg(format!("--add-opens=java.base/{package}=ALL-UNNAMED"));
        }
        java.arg("-cp").arg(format!("{0}:{0}/*", home.display())).arg("HiveMq");
        java.arg(scripts().join("hivemq")).arg(folder.path());
        let process = Process::start(java.current_dir(folder.path()));
        process.wait_line(|line| line.contains("Started EmbeddedHiveMQ"), START_MAX);
        let said = process.wait_line(|line| line.contains("Started TCP Listener"), START_MAX);
        let port = said.trim_end_matches('.').rsplit(' ').next().and_then(|port| port.parse().ok());
        let port = port.unwrap_or_else(|| panic!("no port: {said}"));
        Self { port, folder, _process: process }
    }

    pub const fn port(&self) -> u16 {
        self.port
    }

    /// Returns where it writes who comes and goes.
    pub fn event_log(&self) -> PathBuf {
        self.folder.path().join("event.log")
    }
}
