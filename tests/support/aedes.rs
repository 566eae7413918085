//! A real aedes on a free port of loopback, for the tests that need it.
//!
//! What 1.2.0 does, and the tests rest on: it speaks MQTT 3.1 and 3.1.1; it notices silence after one and
//! a half keep alives, to the millisecond; the will of who was taken over comes before the birth of who
//! took over; it says nothing about itself; who is subscribed to `$SYS/+/disconnect/clients` gets no wills.

use super::clients::node;
use super::process::{DEADLINE, Process};

/// A broker of the test's own. It ends with the test.
pub struct Aedes {
    port: u16,
    _process: Process,
}

impl Aedes {
    /// Starts a broker at which everybody may connect, and waits until it listens.
    pub fn start() -> Self {
        let process = Process::start(&mut node("aedes", "aedes_broker.js"));
        let said = process.wait_line(|_| true, DEADLINE);
        let port = said.parse().unwrap_or_else(|_| panic!("no port: {said}"));
        Self { port, _process: process }
    }

    pub const fn port(&self) -> u16 {
        self.port
    }

    pub fn url(&self) -> String {
        format!("mqtt://127.0.0.1:{}", self.port)
    }
}
