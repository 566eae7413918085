//! `presence watch` as the benchmark drives it: it tells when it listens, and when it has caught up.

use super::notices::{self, TOPIC};
use super::support::mosquitto::Mosquitto;
use super::support::process::DEADLINE;
use super::support::publisher::Publisher;
use presence::clock;
use serde_json::Value;
use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread::sleep;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// The device that is told of before and after all others.
const MARK: &str = "mark";
const ASK_AGAIN: Duration = Duration::from_millis(100);
const TICK: Duration = Duration::from_millis(1);

/// A running `presence watch`. It ends with its scope.
pub struct Watcher {
    child: Child,
    /// Clients whose change was told, and when it was read.
    told: Receiver<(String, Instant)>,
    _home: TempDir,
}

impl Watcher {
    pub const MEMORY: &str = "memory";
    pub const SQLITE: &str = "presence.db";

    /// Starts one that prints nothing of the fleet.
    pub fn of_one(broker: &Mosquitto, store: &str) -> Self {
        Self::start(broker, store, &["--client", MARK])
    }

    /// Starts one that prints every change.
    pub fn of_everybody(broker: &Mosquitto, store: &str) -> Self {
        Self::start(broker, store, &[])
    }

    fn start(broker: &Mosquitto, store: &str, more: &[&str]) -> Self {
        let home = tempfile::tempdir().expect("a temporary folder can be made");
        let mut command = Command::new(env!("CARGO_BIN_EXE_presence"));
        command.args(["watch", "--json", "-b", &broker.url(), "--broker-queue", "0"]);
        command.args(["--dialect", "lmq", "--store", store]).args(more);
        command.current_dir(home.path()).stdin(Stdio::null()).stdout(Stdio::piped());
        let mut child = command.stderr(Stdio::null()).spawn().expect("it was built");
        let out = child.stdout.take().expect("it is piped");
        Self { child, told: follow(out), _home: home }
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Tells of a device until the watcher says so: now it is subscribed.
    pub fn wait_until_it_listens(&mut self, publisher: &mut Publisher) {
        let end = clock::monotonic() + DEADLINE;
        let mut life = 0;
        while clock::monotonic() < end {
            life += 1;
            let notice = notices::of(MARK, "connect", &format!("life-{life}"), clock::now().0);
            publisher.publish(TOPIC, &notice);
            publisher.settle();
            if self.told.recv_timeout(ASK_AGAIN).is_ok() {
                // What was told more than once while it took its time is no answer to come.
                sleep(ASK_AGAIN);
                while self.told.try_recv().is_ok() {}
                return;
            }
        }
        panic!("the watcher does not listen");
    }

    /// Tells of a device once more: when the watcher says so, everything before is taken in, and durable.
    pub fn wait_until_it_has_caught_up(&mut self, publisher: &mut Publisher) {
        let later = clock::now().0 + 1;
        publisher.publish(TOPIC, &notices::of(MARK, "connect", "last", later));
        publisher.settle();
        self.told.recv_timeout(DEADLINE).expect("the watcher catches up");
    }

    /// Tells of so many devices, each once and a millisecond after the one before; returns how much later
    /// their changes were read.
    pub fn lags(&mut self, publisher: &mut Publisher, count: usize) -> Vec<Duration> {
        let begun = clock::monotonic();
        let mut published = Vec::new();
        for number in 0..count {
            let due = begun + TICK * u32::try_from(number).expect("a benchmark is short");
            sleep(due.saturating_duration_since(clock::monotonic()));
            let client = format!("paced-{number}");
            published.push(clock::monotonic());
            publisher.publish(TOPIC, &notices::of(&client, "connect", "first", clock::now().0));
            publisher.settle();
        }
        let mut lags = Vec::new();
        while lags.len() < count {
            let (client, at) = self.told.recv_timeout(DEADLINE).expect("every change is told");
            let number = client.strip_prefix("paced-").and_then(|number| number.parse().ok());
            lags.extend(number.map(|number: usize| at.duration_since(published[number])));
        }
        lags
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Reads changes as they come.
fn follow(out: ChildStdout) -> Receiver<(String, Instant)> {
    let (sender, told) = channel();
    std::thread::spawn(move || {
        for line in BufReader::new(out).lines().map_while(Result::ok) {
            let at = clock::monotonic();
            let Ok(line) = serde_json::from_str::<Value>(&line) else { continue };
            let client = line["client"].as_str().filter(|_| line["type"] == "change");
            if client.is_some_and(|client| sender.send((client.to_owned(), at)).is_err()) {
                return;
            }
        }
    });
    told
}
