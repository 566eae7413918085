//! Client libraries of other people, and the scripts in which they use a broker.

use super::process::Process;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// A library that a script beside the tests uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Library {
    /// paho-mqtt, in Python.
    Paho,
    /// mqtt.js, in Node.
    MqttJs,
}

/// A version of MQTT, by its number on the line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    V311 = 4,
    V5 = 5,
}

/// What a script has found out, by the names of its checks: nothing where all is well, else what was
/// wrong.
pub type Found = BTreeMap<String, Option<String>>;

impl Library {
    /// Runs all checks of the library's script against a broker.
    #[track_caller]
    pub fn check(self, url: &str, version: Version) -> Found {
        let mut command = self.command();
        command.args([url, &(version as u8).to_string()]);
        let ended = Process::start(&mut command).ended(CHECKS_MAX);
        assert_eq!((ended.code, ended.err.as_str()), (Some(0), ""), "{}", ended.out);
        ended.out.lines().map(outcome).collect()
    }

    fn command(self) -> Command {
        match self {
            Self::Paho => {
                let mut command = Command::new(there(tools().join("python/bin/python")));
                command.arg(scripts().join("with_paho.py"));
                command
            }
            Self::MqttJs => node("mqtt", "with_mqtt.js"),
        }
    }
}

/// Returns Node with a script beside the tests, which uses this library.
pub fn node(library: &str, script: &str) -> Command {
    let modules = tools().join("node/node_modules");
    there(modules.join(library).join("package.json"));
    let mut command = Command::new("node");
    command.env("NODE_PATH", modules).arg(scripts().join(script));
    command
}

/// Reads one line of a script.
fn outcome(line: &str) -> (String, Option<String>) {
    let line: Value = serde_json::from_str(line).unwrap_or_else(|_| panic!("no JSON: {line}"));
    let text = |field: &str| line[field].as_str().expect("it is text").to_owned();
    (text("check"), (line["ok"] != true).then(|| text("detail")))
}

/// Returns where the programs lie that tests start beside `presence`.
pub fn scripts() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients")
}

/// Returns where `tests/run` puts what it fetches.
pub fn tools() -> PathBuf {
    let made = || Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("tools");
    std::env::var_os("PRESENCE_TEST_TOOLS").map_or_else(made, PathBuf::from)
}

/// Returns a path under [`tools`] if there is something.
#[track_caller]
pub fn there(path: PathBuf) -> PathBuf {
    assert!(
        path.exists(),
        "there is no `{}`; run `tests/run --tools`, which fetches what tests need, or name its folder \
         in `PRESENCE_TEST_TOOLS`",
        path.display()
    );
    path
}

/// For all checks of a script together; a single one gives up earlier.
const CHECKS_MAX: Duration = Duration::from_mins(2);
