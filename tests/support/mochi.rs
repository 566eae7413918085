//! A real mochi-mqtt on a free port of loopback, with a hook that posts who comes and goes.
//!
//! It is a module of Go: `tests/run --tools` builds `tests/clients/mochi`, which embeds it. It speaks MQTT 3.1,
//! 3.1.1 and 5; at a take-over the end of the older connection mostly comes after the newer one began.

use super::clients::{there, tools};
use super::process::{DEADLINE, Process};
use std::process::Command;

/// A broker of the test's own. It ends with the test, or when nobody takes in what it posts.
pub struct Mochi {
    port: u16,
    _process: Process,
}

impl Mochi {
    /// Starts a broker at which everybody may connect, and waits until it listens. It posts to this URL.
    pub fn start(url: Option<&str>) -> Self {
        let mut command = Command::new(there(tools().join("mochi/mochi")));
        let process = Process::start(command.args(url));
        let said = process.wait_line(|_| true, DEADLINE);
        let port = said.parse().unwrap_or_else(|_| panic!("no port: {said}"));
        Self { port, _process: process }
    }

    pub const fn port(&self) -> u16 {
        self.port
    }
}
