//! What is believed of every client at every step of a recorded run, beside what was done to it.
//!
//! The files of a run are the broker's and nobody edited them: `NAME.stimuli.jsonl` tells what the
//! devices did, `NAME.jsonl` what a subscriber got, `NAME.log` what the broker wrote. Where the two
//! disagree, the disagreement stands in a list here, with the limit that explains it.

#[path = "captures/doors.rs"]
mod doors;
#[path = "captures/recorded.rs"]
mod recorded;

use presence::dialect::mosquitto::Mosquitto;
use presence::dialect::plain;
use presence::dialect::status::{Status, Words};
use presence::dialect::topic::Template;
use presence::dialect::{Dialect, Dialects, Reading};
use presence::event::{Event, Timestamp};
use presence::state::fleet::{Fleet, Hearsay};
use presence::state::packed::{Client, VoiceKey};
use presence::state::policy::Policy;
use recorded::{Recorded, line_of_file};
use serde::Deserialize;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

const MOSQUITTO_2_0: &str = "mosquitto-2.0.11";
const MOSQUITTO_2_1: &str = "mosquitto-2.1.2-connection-state";
const NANOMQ: &str = "nanomq-0.25.5";
const AEDES: &str = "aedes-1.2.0";

/// A disagreement: the stimulus in which it begins, the voice, the client, and what explains it.
type Explained = (&'static str, &'static str, &'static str, Limit);

/// What the status topics get wrong, with either broker.
const STATUS_LIMITS: [Explained; 4] = [
    ("connect_disconnect_will", "status", "dev-willclean", Limit::GoodbyeSendsNoWill),
    ("takeover", "status", "dev-dup", Limit::WillOfTheOldConnection),
    ("takeover_v5", "status", "dev-dup5", Limit::WillOfTheOldConnection),
    ("will_delay_v5", "status", "dev-wd5", Limit::NoBirthAfterTheWill),
];

/// What the log gets wrong, with either broker and over either way.
const LOG_LIMITS: [Explained; 2] = [
    ("broker_stop", "mosquitto", "dev-stop", Limit::StopIsSilent),
    ("broker_stop", "mosquitto", "dev-stop5", Limit::StopIsSilent),
];

/// What the retained states of Mosquitto's plugin get wrong.
const STATE_LIMITS: [Explained; 5] = [
    ("persistent_session", "connection-state", "dev-persist", Limit::EndOfAKeptSessionIsNotTold),
    ("session_expiry_v5", "connection-state", "dev-exp5", Limit::EndOfAKeptSessionIsNotTold),
    ("will_delay_v5", "connection-state", "dev-wd5", Limit::EndOfAKeptSessionIsNotTold),
    ("broker_stop", "connection-state", "dev-stop", Limit::StopIsSilent),
    ("broker_stop", "connection-state", "dev-stop5", Limit::StopIsSilent),
];

/// What NanoMQ gets wrong.
const NANOMQ_LIMITS: [Explained; 6] = [
    ("takeover", "nanomq", "dev-dup", Limit::TakeOverLooksLikeAGoodbye),
    ("persistent_session", "nanomq", "dev-persist", Limit::EndOfAKeptSessionIsNotTold),
    ("will_delay_v5", "nanomq", "dev-wd5", Limit::EndOfAKeptSessionIsNotTold),
    ("odd_client_ids", "nanomq", "dev+hash#", Limit::IdMakesNoTopic),
    ("broker_stop", "nanomq", "dev-stop", Limit::StopIsSilent),
    ("broker_stop", "nanomq", "dev-stop5", Limit::StopIsSilent),
];

/// What RabbitMQ's log gets wrong.
const RABBITMQ_LOG_LIMITS: [Explained; 1] =
    [("broker_stop", "rabbitmq-log", "dev-stop", Limit::StopIsSilent)];

/// Why a verdict differs from what was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Limit {
    /// A DISCONNECT discards the will, and this device publishes no `offline` of its own: its topic
    /// says online for ever (conventions that leave "online" behind after a clean stop).
    GoodbyeSendsNoWill,
    /// At a take-over the broker publishes the old connection's will. The topic stays wrong until the
    /// device publishes again.
    WillOfTheOldConnection,
    /// aedes did not deliver wills to the subscriber that was there, in this run.
    WillIsNotDelivered,
    /// The device came back and published nothing: the will before still stands.
    NoBirthAfterTheWill,
    /// A broker that stops writes no end lines; that its connections are over shows in the listener's
    /// own connection, or in the next `starting`.
    StopIsSilent,
    /// Mosquitto's plugin does not hear of the end of a client whose session is kept, NanoMQ tells none.
    EndOfAKeptSessionIsNotTold,
    /// NanoMQ tells the end of a connection that was taken over as a goodbye, after the newer one began.
    TakeOverLooksLikeAGoodbye,
    /// The end of a connection that was taken over comes after the newer one began, and names neither.
    EndOfTheOlderLooksLikeAny,
    /// Calls of NanoMQ's webhook are made side by side: of fast reconnects the last may be an older one.
    CallsOvertakeEachOther,
    /// Ids that hold `+` or `#` make no topic: NanoMQ tells nothing of them.
    IdMakesNoTopic,
}

#[test]
fn every_step_shows_in_the_messages_but_for_known_limits() {
    for run in [MOSQUITTO_2_0, MOSQUITTO_2_1] {
        let found = differences_over_mqtt(
            run,
            dialects(),
            &["mosquitto", TOGETHER],
            &["mosquitto", "status", TOGETHER],
        );
        let known = [&STATUS_LIMITS[..], &LOG_LIMITS].concat();
        // The log is the better voice, so its limits are all that is left of both.
        let together =
            LOG_LIMITS.map(|(stimulus, _, client, limit)| (stimulus, TOGETHER, client, limit));
        let known: Differences = known.iter().chain(&together).map(key).collect();
        assert_eq!(found, known, "{run}");
    }
}

#[test]
fn every_step_shows_in_retained_states_and_notices_but_for_known_limits() {
    for (run, voice, limits) in [
        (MOSQUITTO_2_1, "connection-state", &STATE_LIMITS[..]),
        (NANOMQ, "nanomq", &NANOMQ_LIMITS),
        (AEDES, "aedes", &[("broker_stop", "aedes", "dev-stop", Limit::StopIsSilent)]),
    ] {
        let found = differences_over_mqtt(run, voice_alone(voice), &[voice], &[voice]);
        let known: Differences = limits.iter().map(key).collect();
        assert_eq!(found, known, "{run}");
    }
}

#[test]
fn every_stimulus_shows_in_the_log_file_but_for_known_limits() {
    for run in [MOSQUITTO_2_0, MOSQUITTO_2_1] {
        let known: Differences = LOG_LIMITS.iter().map(key).collect();
        assert_eq!(differences_in_the_file(run, "mosquitto"), known, "{run}");
    }
    let found = differences_in_the_file("rabbitmq-3.10.8", "rabbitmq-log");
    assert_eq!(found, RABBITMQ_LOG_LIMITS.iter().map(key).collect());
}

/// Stimulus, voice and client of a disagreement.
type Differences = BTreeSet<(String, String, String)>;

fn key((stimulus, voice, client, _): &Explained) -> (String, String, String) {
    ((*stimulus).to_owned(), (*voice).to_owned(), (*client).to_owned())
}

/// Compares before every step, where the messages of the step before have had time to arrive.
///
/// `complete` voices must know every client, the others of `voices` may be silent about some.
fn differences_over_mqtt(
    run: &str,
    mut dialects: Dialects,
    complete: &[&str],
    voices: &[&str],
) -> Differences {
    let messages = Recorded::all(&text_of(&format!("{run}.jsonl")));
    let mut messages = messages
        .iter()
        .zip(1..)
        // What a second subscriber got is not part of what the first one heard.
        .filter(|(message, _)| !message.stimulus.ends_with(":own"))
        .peekable();
    let mut comparison = Comparison::default();
    let steps = steps(run);
    for (step, next) in steps.iter().zip(steps.iter().skip(1)) {
        comparison.truth.take_in(step);
        if next.ms - step.ms < SETTLED_MS {
            continue;
        }
        while let Some((message, tie)) = messages
            .next_if(|(message, _)| message.rx_ms.is_some_and(|ms| ms < next.ms - SETTLED_MS / 2))
        {
            let (index, reading) = dialects.read(&message.message(tie));
            if let Some(dialect) = index.and_then(|index| dialects.get(index)) {
                comparison.believed.take_in(dialect.name(), &reading);
            }
        }
        comparison.compare(&step.stimulus, complete, voices);
    }
    comparison.found
}

/// Compares after every stimulus: the steps do not say which line of the log each of them caused.
fn differences_in_the_file(run: &str, voice: &'static str) -> Differences {
    let mut reader = reader_of_files(voice);
    let mut comparison = Comparison::default();
    let mut read = 0;
    each_stimulus(run, |stimulus, truth, so_far| {
        for (line, tie) in so_far.lines().zip(1..).skip(read) {
            let reading = reader.read(&line_of_file(line, tie));
            comparison.believed.take_in(voice, &reading);
            read += 1;
        }
        comparison.truth = truth.clone();
        comparison.compare(stimulus, &[voice], &[voice]);
    });
    assert_eq!(read, text_of(&format!("{run}.log")).lines().count(), "{run}: all was read");
    comparison.found
}

fn reader_of_files(voice: &str) -> Dialect {
    match plain::find(voice) {
        Some(dialect) => Dialect::Plain(plain::Reader::new(dialect, None)),
        None => Dialect::Mosquitto(Mosquitto::new(None)),
    }
}

/// Calls with each stimulus, what was done so far, and what the log held by then.
fn each_stimulus(run: &str, mut each: impl FnMut(&str, &Truth, &str)) {
    let log = text_of(&format!("{run}.log"));
    let mut truth = Truth::default();
    let mut stimulus = String::new();
    for step in steps(run) {
        if let Some(next) = step.log_line {
            let so_far: String = log.split_inclusive('\n').take(next - 1).collect();
            each(&stimulus, &truth, &so_far);
        }
        truth.take_in(&step);
        stimulus.clone_from(&step.stimulus);
    }
}

/// As a user sees it: a log that was cut off after each stimulus, and nothing else.
#[test]
fn the_log_file_replays_to_what_was_done_but_for_known_limits() {
    for run in [MOSQUITTO_2_0, MOSQUITTO_2_1] {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let path = directory.path().join("mosquitto.log");
        let mut found = Differences::new();
        let mut lasting = BTreeSet::new();
        each_stimulus(run, |stimulus, truth, so_far| {
            std::fs::write(&path, so_far).expect("written");
            let verdicts = replayed(&path);
            for (client, done) in &truth.online {
                let said = if *done { "online" } else { "offline" };
                if verdicts.get(client).is_some_and(|status| status == said) {
                    lasting.remove(client);
                } else if lasting.insert(client.clone()) {
                    found.insert((stimulus.to_owned(), "mosquitto".to_owned(), client.clone()));
                }
            }
        });
        assert_eq!(found, LOG_LIMITS.iter().map(key).collect(), "{run}");
    }
}

/// Returns the status of each client as `presence replay` prints it.
fn replayed(log: &Path) -> BTreeMap<String, String> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_presence"));
    let output = command.args(["replay", "--json"]).arg(log).output().expect("it was built");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let lines = String::from_utf8(output.stdout).expect("UTF-8");
    let objects = lines.lines().map(|line| serde_json::from_str::<Value>(line).expect(line));
    let verdicts = objects.filter(|object| object["type"] == "verdict");
    let text = |object: &Value, key: &str| object[key].as_str().expect(key).to_owned();
    verdicts.map(|verdict| (text(&verdict, "client"), text(&verdict, "state"))).collect()
}

#[test]
fn the_log_file_and_the_messages_tell_the_same_story() {
    for run in [MOSQUITTO_2_0, MOSQUITTO_2_1] {
        let mut reader = Mosquitto::new(None);
        let log = text_of(&format!("{run}.log"));
        let in_file: Vec<_> = log
            .lines()
            .zip(1..)
            .flat_map(|(line, tie)| told(&reader.read(&line_of_file(line, tie))))
            .collect();
        let mut reader = Mosquitto::new(None);
        let over_mqtt: Vec<_> = Recorded::all(&text_of(&format!("{run}.jsonl")))
            .iter()
            .zip(1..)
            .filter(|(message, _)| message.topic.starts_with("$SYS/broker/log/"))
            .filter(|(message, _)| !message.stimulus.ends_with(":own"))
            .flat_map(|(message, tie)| told(&reader.read(&message.message(tie))))
            .collect();
        assert_eq!(in_file, over_mqtt, "{run}");
    }
}

/// Returns client, kind and time of the events, without those that the subscriber could not hear.
fn told(reading: &Reading<'_>) -> Vec<(String, String, Timestamp)> {
    let Reading::Events(events) = reading else { return vec![] };
    events
        .iter()
        .filter_map(|event| match event {
            Event::Channel(event) if event.client != MONITOR => {
                let time = event.stamp.expect("stamped").time;
                Some((event.client.clone().into_owned(), format!("{:?}", event.kind), time))
            }
            Event::Channel(_) | Event::Restarted(_) => None,
        })
        .collect()
}

#[test]
fn a_late_subscriber_learns_of_the_status_topics_only() {
    for run in [MOSQUITTO_2_0, MOSQUITTO_2_1] {
        let mut dialects = dialects();
        let mut comparison = Comparison::default();
        steps(run)
            .iter()
            .take_while(|step| step.stimulus != "broker_stop")
            .for_each(|step| comparison.truth.take_in(step));
        for (message, tie) in Recorded::all(&text_of(&format!("{run}.jsonl"))).iter().zip(1..) {
            if message.stimulus == "late_subscriber:own" {
                let (_, reading) = dialects.read(&message.message(tie));
                if let Reading::Events(events) = &reading {
                    let is_standing = |event: &Event<'_>| matches!(event, Event::Channel(event) if event.standing);
                    assert!(events.iter().all(is_standing), "{reading:?}");
                }
                comparison.believed.take_in("status", &reading);
            }
        }
        comparison.compare("late_subscriber", &[], &["status"]);
        let known = [("late_subscriber", "status", "dev-willclean", Limit::GoodbyeSendsNoWill)];
        assert_eq!(comparison.found, known.iter().map(key).collect(), "{run}");
    }
}

#[test]
fn nobody_is_heard_of_who_was_not_there() {
    for run in [MOSQUITTO_2_0, MOSQUITTO_2_1] {
        let mut reader = Mosquitto::new(None);
        let mut believed = Believed::default();
        for (line, tie) in text_of(&format!("{run}.log")).lines().zip(1..) {
            believed.take_in("mosquitto", &reader.read(&line_of_file(line, tie)));
        }
        let mut truth = Truth::default();
        for step in steps(run) {
            truth.take_in(&step);
        }
        let strangers: Vec<_> = believed
            .clients("mosquitto")
            .filter(|client| !truth.online.contains_key(*client))
            .collect();
        // Two ids were chosen by the broker.
        let [first, second, MONITOR, LATE_MONITOR] = strangers[..] else {
            panic!("{run}: {strangers:?}");
        };
        for client in [first, second, LATE_MONITOR] {
            assert_eq!(believed.is_online("mosquitto", client), Some(false), "{run}: {client}");
        }
        assert!(first.starts_with("auto-") && second.starts_with("auto-"), "{strangers:?}");
    }
}

/// What was done and what is believed, side by side.
#[derive(Default)]
struct Comparison {
    truth: Truth,
    believed: Believed,
    found: Differences,
    /// Voice and client of the disagreements that have not ended, so that each is listed once.
    lasting: BTreeSet<(String, String)>,
}

impl Comparison {
    /// `complete` voices must know every client, the others may be silent about some.
    fn compare(&mut self, stimulus: &str, complete: &[&str], voices: &[&str]) {
        for (client, done) in &self.truth.online {
            for voice in voices {
                let believed = self.believed.is_online(voice, client);
                let key = ((*voice).to_owned(), client.clone());
                if believed == Some(*done) || believed.is_none() && !complete.contains(voice) {
                    self.lasting.remove(&key);
                } else if self.lasting.insert(key) {
                    let (voice, client) = ((*voice).to_owned(), client.clone());
                    self.found.insert((stimulus.to_owned(), voice, client));
                }
            }
        }
        for client in self.truth.refused.iter().filter(|client| !client.is_empty()) {
            let was_let_in = self.truth.online.contains_key(client);
            for voice in voices.iter().filter(|_| !was_let_in) {
                assert_ne!(
                    self.believed.is_online(voice, client),
                    Some(true),
                    "{client} was refused"
                );
            }
        }
    }
}

/// How far apart two steps must be for the first one's messages to be in before the second.
const SETTLED_MS: i64 = 100;

/// The subscriber that wrote the run down, and the one that came late.
const MONITOR: &str = "mon-capture";
const LATE_MONITOR: &str = "mon-late";

fn dialects() -> Dialects {
    let template = Template::parse("presence/{client}/status").expect("valid");
    let status = Status { template, words: Words::default() };
    let all = vec![Dialect::Mosquitto(Mosquitto::new(None)), Dialect::Status(status)];
    Dialects::new(all, vec![])
}

/// Returns the dialect of this name, at its usual place and at that of another door.
fn voice_alone(voice: &str) -> Dialects {
    let dialect = Dialect::Plain(plain::Reader::new(plain::find(voice).expect(voice), None));
    let is_told = dialect.filters().is_empty();
    let topics = is_told.then(|| doors::ANYWHERE.to_owned());
    Dialects::new(vec![dialect], topics.into_iter().collect())
}

fn steps(run: &str) -> Vec<Step> {
    let text = text_of(&format!("{run}.stimuli.jsonl"));
    text.lines().map(|line| serde_json::from_str(line).expect(line)).collect()
}

fn text_of(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/captures").join(name);
    std::fs::read_to_string(path).expect(name)
}

/// One step of the devices.
#[derive(Debug, Deserialize)]
struct Step {
    stimulus: String,
    ms: i64,
    #[serde(rename = "step")]
    what: String,
    client: Option<String>,
    /// What the broker answered, in hexadecimal: a CONNACK has a `|` behind its first byte.
    #[serde(default)]
    got: Value,
    /// The first line of the broker's log in a stimulus, at its BEGIN; counted from 1.
    log_line: Option<usize>,
}

impl Step {
    /// Tells whether a CONNECT was accepted: that there is an answer, and that its code is 0.
    fn is_accepted(&self) -> bool {
        self.got.as_str().is_some_and(|got| got.starts_with("207c") && got.get(6..8) == Some("00"))
    }
}

/// Which clients are connected, as the steps tell it.
#[derive(Clone, Default)]
struct Truth {
    online: BTreeMap<String, bool>,
    /// Those that were never let in.
    refused: BTreeSet<String>,
    /// Whom a step without a client is about: the last one that connected.
    last: String,
}

impl Truth {
    fn take_in(&mut self, step: &Step) {
        match step.what.as_str() {
            "connect" => {
                self.last = step.client.clone().expect("a connect names its client");
                if step.is_accepted() {
                    self.set(true);
                } else if self.online.get(&self.last) != Some(&true) {
                    // Otherwise it was turned away by its own older connection, which stays.
                    self.refused.insert(std::mem::take(&mut self.last));
                }
            }
            "DISCONNECT sent"
            | "DISCONNECT sent by the second"
            | "DISCONNECT 0x04 sent"
            | "last one sent DISCONNECT"
            | "5 cycles done"
            | "close() without DISCONNECT (FIN)"
            | "close() with SO_LINGER 0 (RST)"
            | "silent; waiting for the broker"
            | "after invalid packet" => self.set(false),
            "SIGTERM to the broker" => self.online.values_mut().for_each(|online| *online = false),
            // The first connection of a take-over closes, the second has its place. Of the others
            // none is a client that comes or goes; those named were gone with the broker.
            "first connection"
            | "suback"
            | "TCP only"
            | "garbage sent"
            | "after garbage"
            | "after refusal"
            | "dev-stop"
            | "dev-stop5"
            | "skipped: no accounts on this broker"
            | "monitor: connection closed by broker"
            | "monitor: DISCONNECT from broker"
            | "END" => {}
            other => assert!(other.starts_with("BEGIN "), "unknown step `{other}`"),
        }
    }

    /// An empty id is one that the broker chose: nobody knows it here.
    fn set(&mut self, online: bool) {
        if !self.last.is_empty() {
            self.online.insert(self.last.clone(), online);
        }
    }
}

/// What the state logic makes of each voice by itself, and of all of them together.
#[derive(Default)]
struct Believed {
    fleets: BTreeMap<String, Fleet>,
}

/// All voices in one fleet: the best one decides.
const TOGETHER: &str = "together";

/// No stamp of the recordings is ahead of this, and every grace is over.
const LATER: Timestamp = Timestamp(4_000_000_000_000);

impl Believed {
    fn take_in(&mut self, voice: &str, reading: &Reading<'_>) {
        let events = match reading {
            Reading::Events(events) => events,
            Reading::NotMine => return,
            Reading::Malformed(malformed) => panic!("{malformed:?}"),
        };
        let authority = match plain::find(voice) {
            Some(plain) => plain.authority,
            None if voice == Mosquitto::NAME => Mosquitto::AUTHORITY,
            None => Status::AUTHORITY,
        };
        let voice = VoiceKey { authority, name: voice };
        for fleet in [voice.name, TOGETHER] {
            let fleet = self.fleets.entry(fleet.to_owned()).or_default();
            fleet.coverage.hear_whole(voice.name);
            for event in events.iter() {
                let by = Hearsay { voice, mark: None, received: LATER };
                match event {
                    Event::Channel(event) => {
                        fleet.take(event, &by, &Policy::DEFAULT);
                    }
                    Event::Restarted(stamp) => {
                        fleet.take_restart(*stamp, LATER, &Policy::DEFAULT);
                    }
                }
            }
        }
    }

    fn clients(&self, voice: &str) -> impl Iterator<Item = &str> {
        let fleet = self.fleets.get(voice);
        fleet.into_iter().flat_map(|fleet| fleet.clients.sorted()).map(Client::id)
    }

    fn is_online(&self, voice: &str, client: &str) -> Option<bool> {
        self.fleets.get(voice)?.verdict(client, LATER, &Policy::DEFAULT).status.online()
    }
}
