//! Runs of the binary from beginning to end, and the files they read.

use crate::support::process::{DEADLINE, Presence};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// A folder in which runs follow each other: their home, and where their files lie.
pub struct Home {
    folder: TempDir,
}

/// A run that has ended.
#[derive(Debug)]
pub struct Run {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Home {
    pub fn new() -> Self {
        Self { folder: TempDir::new().expect("a temporary folder can be made") }
    }

    /// Returns a home that holds one file.
    pub fn with(name: &str, content: impl AsRef<[u8]>) -> Self {
        let home = Self::new();
        home.write(name, content);
        home
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path().join(name);
        std::fs::write(&path, content).expect("the temporary folder can be written");
        path
    }

    /// Runs it with these words, separated by spaces.
    #[track_caller]
    pub fn run(&self, line: &str) -> Run {
        self.run_with(&line.split_whitespace().collect::<Vec<_>>(), "", &[])
    }

    /// Runs it with these arguments, this on standard input, and more in its environment.
    #[track_caller]
    pub fn run_with(&self, arguments: &[&str], input: &str, environment: &[(&str, &str)]) -> Run {
        let mut process = Presence::start_in(self.path(), arguments, environment);
        process.write(input);
        let ended = process.ended(DEADLINE);
        let code = ended.code.expect("no signal ended it");
        assert!(!ended.err.contains("panicked"), "{arguments:?}: {}", ended.err);
        Run { code, out: ended.out, err: ended.err }
    }
}

impl Run {
    /// Compares all that a run can say.
    #[track_caller]
    pub fn is(&self, code: i32, out: &str, err: &str) {
        assert_eq!((self.code, &*self.out, &*self.err), (code, out, err));
    }

    /// A run that failed has printed no answer, and says what, why and what next.
    #[track_caller]
    pub fn failed(&self, code: i32, what: &str) {
        assert_eq!((self.code, &*self.out), (code, ""), "{}", self.err);
        let lines: Vec<&str> = self.err.lines().collect();
        let error = lines.iter().position(|line| line.starts_with("error: ")).expect(&self.err);
        assert!(self.err.contains(what), "`{what}` is not in:\n{}", self.err);
        assert!(
            lines[error + 1..].iter().any(|line| line.starts_with("  next:  ")),
            "{}",
            self.err
        );
        assert!(lines[error..].iter().all(|line| !line.contains('\x1b')), "{}", self.err);
    }

    /// Returns the objects on standard output.
    #[track_caller]
    pub fn objects(&self) -> Vec<Value> {
        let read = |line: &str| serde_json::from_str(line).unwrap_or_else(|_| panic!("{line}"));
        self.out.lines().map(read).collect()
    }

    /// Returns the verdicts, each as its line.
    pub fn verdicts(&self) -> Vec<&str> {
        self.out.lines().filter(|line| line.starts_with("{\"type\":\"verdict\"")).collect()
    }

    /// Returns client and state of every verdict.
    #[track_caller]
    pub fn states(&self) -> Vec<(String, String)> {
        let text = |object: &Value, key: &str| object[key].as_str().expect(key).to_owned();
        self.objects()
            .iter()
            .filter(|object| object["type"] == "verdict")
            .map(|object| (text(object, "client"), text(object, "state")))
            .collect()
    }

    /// Returns the last object, which is the summary.
    #[track_caller]
    pub fn summary(&self) -> Value {
        let last = self.objects().pop().expect("there is output");
        assert_eq!(last["type"], "summary", "{}", self.out);
        last
    }
}

/// 2025-10-09T08:53:20Z
pub const T: i64 = 1_760_000_000_000;
pub const EAR: &str = "presence-0000000000000001";

/// Returns one LMQ notice, stamped `at` ms after `T`.
pub fn notice(client: &str, at: i64, kind: &str, channel: &str) -> String {
    let time = T + at;
    json!({
        "clientId": client, "time": time, "eventType": kind, "channelId": channel,
        "clientIp": "192.0.2.1:50001",
    })
    .to_string()
}

/// Returns lines as the text of a file.
pub fn lines(lines: &[String]) -> String {
    lines.iter().fold(String::new(), |text, line| text + line + "\n")
}

/// The lines of a recording; times are ms after `T`.
pub mod recording {
    use super::{EAR, T, json, notice};
    use serde_json::Value;

    pub const BROKER: &str = "broker.example:1883";

    pub fn heading(begun: i64) -> Value {
        json!({
            "type": "recording", "version": 1, "instance": BROKER, "ear": EAR, "member": EAR,
            "begun_ms": T + begun, "tool": "presence 0.1.0",
            "policy": {
                "skew_ms": 1000, "close_grace_ms": 30000, "future_ms": 300_000, "channels_max": 8,
                "loop_count": 4, "loop_window_ms": 60000, "judge_skew_ms": 5000,
            },
            "reading": {
                "dialects": ["lmq", "mosquitto", "status"],
                "status_topic": "devices/{client}/status",
                "status_online": ["online"], "status_offline": ["offline"],
            },
        })
    }

    /// The account of the voice `lmq`. An epoch beyond the first has a hole of 10 s before it.
    pub fn source(epoch: i64, began: i64, heard: i64) -> Value {
        let hole = json!({"epoch": epoch - 1, "from_ms": T + began - 10_000, "to_ms": T + began});
        let holes: Vec<Value> = if epoch > 1 { vec![hole] } else { vec![] };
        json!({
            "type": "source", "instance": BROKER, "voice": "lmq", "ear": EAR, "member": EAR,
            "epoch": epoch, "began_ms": T + began, "heard_ms": T + heard, "patience_ms": 12000,
            "holes": holes,
        })
    }

    /// A notice as it arrived, 20 ms after its stamp.
    pub fn message(client: &str, at: i64, kind: &str, channel: &str) -> Value {
        json!({
            "type": "message", "received_ms": T + at + 20, "tie": at,
            "topic": format!("$presence/{client}"), "qos": 1, "retain": false,
            "payload": notice(client, at, kind, channel),
        })
    }

    pub fn judged(at: i64) -> Value {
        json!({"type": "judged", "instance": BROKER, "now_ms": T + at})
    }

    pub fn text(lines: &[Value]) -> String {
        lines.iter().fold(String::new(), |text, line| text + &line.to_string() + "\n")
    }

    /// A night in two runs: `a` is heard of in the first only.
    pub fn first_run() -> Vec<Value> {
        vec![
            heading(0),
            source(1, 0, 0),
            message("a", 1_000, "connect", "c1"),
            message("b", 2_000, "connect", "c2"),
            source(1, 0, 9_000),
            judged(9_000),
        ]
    }

    pub fn second_run() -> Vec<Value> {
        vec![
            heading(30_000),
            source(1, 0, 9_000),
            source(2, 30_000, 60_000),
            message("b", 61_000, "tcpclean", "c2"),
            message("c", 62_000, "connect", "c3"),
            source(2, 30_000, 70_000),
            judged(70_000),
        ]
    }
}
