//! A broker, a home, and the commands that run in it.

use crate::support::mosquitto::Mosquitto;
use crate::support::process::{DEADLINE, Ended, Presence, Process, Stream};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tempfile::TempDir;

/// One broker, and one user who watches it and asks about it.
pub struct Scene {
    pub broker: Mosquitto,
    home: TempDir,
}

/// A running `presence watch`, read from one line to the next.
pub struct Watch {
    pub process: Presence,
    /// Lines of each stream that were read.
    out: usize,
    err: usize,
    /// For each line.
    deadline: Duration,
}

/// What `presence check --json` answered about one client.
#[derive(Debug)]
pub struct Answer {
    pub code: Option<i32>,
    pub object: Value,
}

/// State and channel of each client.
pub type Believed = BTreeMap<String, (String, Value)>;

impl Scene {
    /// Starts a broker with these lines of configuration.
    pub fn new(lines: &[&str]) -> Self {
        let home = TempDir::new().expect("a temporary folder can be made");
        Self { broker: Mosquitto::start(lines), home }
    }

    /// Starts a broker that says every second how long it has been running, and waits until it is
    /// old enough to vouch for a short absence.
    pub fn with_uptime(lines: &[&str]) -> Self {
        let scene = Self::new(&[lines, &["sys_interval 1"]].concat());
        scene.wait_uptime(4);
        scene
    }

    /// Starts a broker without a log, which would be larger than all that goes through it. What waits
    /// for a line of the log cannot be used with it.
    pub fn silent(lines: &[&str]) -> Self {
        Self::new(&[lines, &["log_dest none", "log_type none", "sys_interval 1"]].concat())
    }

    pub fn wait_uptime(&self, least: u64) {
        let mut uptime = self.broker.client("mosquitto_sub");
        let uptime = Process::start(uptime.args(["-t", "$SYS/broker/uptime", "-F", "%t %p"]));
        let seconds = |line: &str| line.split(' ').nth(1).and_then(|text| text.parse::<u64>().ok());
        uptime.wait_line(|line| seconds(line).is_some_and(|told| told >= least), DEADLINE);
    }

    /// Waits until the broker has told its state anew, as often as this.
    pub fn wait_ticks(&self, count: usize) {
        let uptime = self.broker.subscribe("$SYS/broker/uptime", &[]);
        let mut read = 0;
        // The first line is what it had told before.
        for _ in 0..=count {
            read = uptime.wait_line_from(Stream::Out, read, |_| true, DEADLINE).0;
        }
    }

    pub fn home(&self) -> &Path {
        self.home.path()
    }

    pub fn file(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    pub fn instance(&self) -> String {
        format!("localhost:{}", self.broker.port())
    }

    /// Returns a command line aimed at the broker.
    pub fn line<'a>(&self, command: &'a str, options: &[&'a str]) -> Vec<String> {
        let url = self.broker.url();
        let head = [command, "-b", &url];
        head.iter().chain(options).map(|word| (*word).to_owned()).collect()
    }

    /// Starts a command at the broker, and waits for nothing.
    pub fn start(&self, command: &str, options: &[&str]) -> Presence {
        Presence::start_in(self.home.path(), self.line(command, options), &[])
    }

    /// Runs a command at the broker to its end.
    #[track_caller]
    pub fn run(&self, command: &str, options: &[&str]) -> Ended {
        self.start(command, options).ended(DEADLINE)
    }

    /// Starts a watcher in JSON, and waits until it is subscribed: what happens from now on is heard.
    pub fn watch(&self, options: &[&str]) -> Watch {
        self.watch_text(&[&["--json"], options].concat())
    }

    /// Starts a watcher as a person sees it.
    pub fn watch_text(&self, options: &[&str]) -> Watch {
        self.watch_at(self.home.path(), options)
    }

    /// Starts a watcher with another home, and so with another store.
    pub fn watch_at(&self, home: &Path, options: &[&str]) -> Watch {
        self.watch_by(|| Presence::start_in(home, self.line("watch", options), &[]))
    }

    /// Starts a watcher in JSON that reaches the broker by another way.
    pub fn watch_through(&self, url: &str, options: &[&str]) -> Watch {
        let line = [&["watch", "--json", "-b", url], options].concat();
        self.watch_by(|| Presence::start_in(self.home.path(), line, &[]))
    }

    /// Starts a watcher somehow, and waits until it is subscribed.
    pub fn watch_by(&self, start: impl FnOnce() -> Presence) -> Watch {
        let mut process = None;
        self.until_subscribed(|| process = Some(start()));
        Watch::of(process.expect("it was started"))
    }

    /// Does something, and waits until a watcher has been subscribed since.
    #[track_caller]
    pub fn until_subscribed(&self, act: impl FnOnce()) {
        let subscribed = |log: &str| log.matches("Sending SUBACK to presence-").count();
        let before = subscribed(&self.broker.log());
        act();
        self.broker.wait_log(|log| subscribed(log) > before);
    }

    /// Restarts the broker as an administrator would, and waits until the watcher is back.
    #[track_caller]
    pub fn restart_broker(&mut self) {
        let subscribed = |log: &str| log.matches("Sending SUBACK to presence-").count();
        let before = subscribed(&self.broker.log());
        self.broker.restart();
        self.broker.wait_log(|log| subscribed(log) > before);
    }

    /// Starts a client that stays connected.
    pub fn device(&self, id: &str) -> Process {
        self.broker.subscribe("nothing", &["-i", id])
    }

    /// Starts a client with a will that says `offline` on its status topic, and lets it say `online`.
    pub fn device_with_status(&self, id: &str) -> Process {
        let topic = format!("devices/{id}/status");
        let will = ["--will-topic", &topic, "--will-payload", "offline", "--will-retain"];
        let will = [&will[..], &["--will-qos", "1", "-i", id]].concat();
        let device = self.broker.subscribe("nothing", &will);
        self.broker.publish(&topic, "online", &["-r"]);
        device
    }

    /// Publishes one notice as the broker of Alibaba's service would.
    pub fn notice(&self, client: &str, event: &str, channel: &str, time_ms: i64) {
        let body = notice(client, event, channel, time_ms);
        self.broker.publish("$presence/notices", &body, &[]);
    }

    /// Asks about one client what the store alone knows.
    #[track_caller]
    pub fn check(&self, client: &str) -> Answer {
        self.check_with(client, &["--evidence", "store"])
    }

    #[track_caller]
    pub fn check_with(&self, client: &str, options: &[&str]) -> Answer {
        let ended = self.run("check", &[&[client, "--json"], options].concat());
        let line = ended.out.lines().next().unwrap_or_else(|| panic!("no answer: {ended:?}"));
        let object = serde_json::from_str(line).unwrap_or_else(|_| panic!("no JSON: {ended:?}"));
        Answer { code: ended.code, object }
    }

    /// Asks again and again until the answer is as it should be.
    #[track_caller]
    #[expect(clippy::disallowed_methods, reason = "a deadline is real time")]
    pub fn wait_check(&self, client: &str, is_it: impl Fn(&Answer) -> bool) -> Answer {
        let until = std::time::Instant::now() + DEADLINE;
        loop {
            let answer = self.check(client);
            if is_it(&answer) {
                return answer;
            }
            assert!(std::time::Instant::now() < until, "this is not the answer: {answer:?}");
        }
    }

    /// Runs a recording to its end; returns what is believed then, the summary, and all that was said.
    #[track_caller]
    pub fn replay(&self, file: &str) -> (Believed, Value, Ended) {
        self.replay_within(file, DEADLINE)
    }

    #[track_caller]
    pub fn replay_within(&self, file: &str, deadline: Duration) -> (Believed, Value, Ended) {
        let path = self.file(file);
        let arguments = ["replay", "--json", "--quiet", path.to_str().expect("it is text")];
        let ended = Presence::start_in(self.home.path(), arguments, &[]).ended(deadline);
        assert_eq!(ended.code, Some(0), "{}", ended.err);
        let lines = objects(&ended.out);
        (believed(&lines), lines.last().expect("there is a summary").clone(), ended)
    }
}

impl Watch {
    pub const fn of(process: Presence) -> Self {
        Self { process, out: 0, err: 0, deadline: DEADLINE }
    }

    /// Waits longer than others, for what takes longer.
    pub const fn within(&mut self, deadline: Duration) -> &mut Self {
        self.deadline = deadline;
        self
    }

    /// Waits for a line after those that were read before.
    #[track_caller]
    pub fn line(&mut self, is_it: impl Fn(&str) -> bool) -> String {
        let (out, line) = self.process.wait_line_from(Stream::Out, self.out, is_it, self.deadline);
        self.out = out;
        line
    }

    /// Waits for a line of standard error after those that were read before.
    #[track_caller]
    pub fn said(&mut self, part: &str) -> String {
        let is_it = |line: &str| line.contains(part);
        let (err, line) = self.process.wait_line_from(Stream::Err, self.err, is_it, self.deadline);
        self.err = err;
        line
    }

    /// Waits for an object after those that were read before.
    #[track_caller]
    pub fn object(&mut self, is_it: impl Fn(&Value) -> bool) -> Value {
        let line = self.line(|line| is_it(&object(line)));
        object(&line)
    }

    /// Waits until a client has changed to a state, and returns the change.
    #[track_caller]
    pub fn change(&mut self, client: &str, to: &str) -> Value {
        self.object(|line| line["client"] == client && line["to"] == to)
    }

    /// Waits until it says what is known of a client at the start, and returns it.
    #[track_caller]
    pub fn known(&mut self, client: &str) -> Value {
        self.object(|line| line["client"] == client && line["type"] == "verdict")
    }

    /// Presses Ctrl-C and returns all that was said.
    #[track_caller]
    pub fn ended(mut self) -> Ended {
        self.process.interrupt();
        self.process.ended(self.deadline)
    }

    /// Presses Ctrl-C and returns what is believed at the end, the summary, and all that was said.
    #[track_caller]
    pub fn finish(self) -> (Believed, Value, Ended) {
        let ended = self.ended();
        assert_eq!(ended.code, Some(0), "{ended:?}");
        let lines = objects(&ended.out);
        let summary = lines.last().expect("there is a summary").clone();
        assert_eq!(summary["type"], "summary");
        (believed(&lines), summary, ended)
    }
}

impl Answer {
    /// Compares exit code and state, and returns the answer for more.
    #[track_caller]
    pub fn is(&self, code: i32, state: &str) -> &Self {
        let found = (self.code, self.object["state"].as_str());
        assert_eq!(found, (Some(code), Some(state)), "{:#?}", self.object);
        self
    }

    /// Says what was known before nobody could tell any more.
    #[track_caller]
    pub fn was(&self, state: &str, reason: &str) {
        let known = &self.object["last_known"];
        assert_eq!((&known["state"], &known["reason"]), (&state.into(), &reason.into()), "{known}");
    }
}

#[track_caller]
pub fn object(line: &str) -> Value {
    serde_json::from_str(line).unwrap_or_else(|error| panic!("{error} in {line}"))
}

#[track_caller]
pub fn objects(text: &str) -> Vec<Value> {
    text.lines().map(object).collect()
}

/// Follows verdicts and changes to their end.
pub fn believed(lines: &[Value]) -> Believed {
    let mut believed = Believed::new();
    for line in lines {
        let state = match line["type"].as_str() {
            Some("verdict") => &line["state"],
            Some("change") => &line["to"],
            _ => continue,
        };
        let text = |value: &Value| value.as_str().expect("it is text").to_owned();
        believed.insert(text(&line["client"]), (text(state), line["channel"].clone()));
    }
    believed
}

/// Returns the body of one notice.
pub fn notice(client: &str, event: &str, channel: &str, time_ms: i64) -> String {
    let body = serde_json::json!({
        "clientId": client, "eventType": event, "channelId": channel, "time": time_ms,
        "clientIp": "203.0.113.7:50001",
    });
    body.to_string()
}

/// Returns the wall clock, for notices that are to be of this moment.
#[expect(clippy::disallowed_methods, reason = "a broker stamps with the real time")]
pub fn now_ms() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    i64::try_from(since.expect("it is after 1970").as_millis()).expect("it is not that late")
}
