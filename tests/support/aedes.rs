//! A real aedes on a free port of loopback, for the tests that need it.

use super::clients::{there, tools};
use super::process::{DEADLINE, Process};
use std::path::Path;
use std::process::Command;

/// A broker of the test's own. It ends with the test.
pub struct Aedes {
    port: u16,
    _process: Process,
}

impl Aedes {
    pub fn start() -> Self {
        let modules = tools().join("node/node_modules");
        there(modules.join("aedes/package.json"));
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients/aedes_broker.js");
        let mut command = Command::new("node");
        command.env("NODE_PATH", modules).arg(script);
        let process = Process::start(&mut command);
        let line = process.wait_line(|line| line.parse::<u16>().is_ok(), DEADLINE);
        Self { port: line.parse().expect("it was one"), _process: process }
    }

    pub fn url(&self) -> String {
        format!("mqtt://127.0.0.1:{}", self.port)
    }
}
