//! What every sample message reads as. `PRESENCE_BLESS=1` rewrites the expected files.

#[path = "captures/recorded.rs"]
mod recorded;

use presence::dialect::described::{CONVENTIONS, convention};
use presence::dialect::lmq::Lmq;
use presence::dialect::mosquitto::Mosquitto;
use presence::dialect::plain;
use presence::dialect::status::{Status, Words};
use presence::dialect::topic::Template;
use presence::dialect::{
    Dialect, Dialects, Message, Reading, Reason, Sniffed, claims, envelope, sniff,
};
use presence::event::{Channel, ChannelEvent, Event, Flags, Stamp};
use recorded::{Recorded, line_of_file};
use std::borrow::Cow;
use std::fmt::Write;
use std::path::{Path, PathBuf};

/// A dialect with the files of messages that it reads.
type Group = (fn() -> Vec<Dialect>, &'static [&'static str]);

const MESSAGES: &[Group] = &[
    (lmq, &["alibaba-lmq", "trap-alibaba-out-of-order"]),
    (mosquitto, &["mosquitto-2.0-sys-log", "mosquitto-2.1-sys-log"]),
    (mosquitto, &["trap-mosquitto-2.0-tcp-takeover"]),
    (
        || plain("connection-state"),
        &["mosquitto-2.1-connection-state", "trap-mosquitto-2.1-connection-state-stuck-online"],
    ),
    (|| described("homeassistant"), &["homeassistant"]),
    (|| described("zigbee2mqtt"), &["zigbee2mqtt"]),
    (|| described("tasmota"), &["tasmota"]),
    (|| [described("shelly1"), described("shelly2")].into_iter().flatten().collect(), &["shelly"]),
    (|| described("esphome"), &["esphome"]),
    (|| described("homie"), &["homie"]),
    (|| described("frigate"), &["frigate"]),
    (|| described("openmqttgateway"), &["openmqttgateway"]),
    (|| described("theengs"), &["theengs"]),
    (|| described("campbell"), &["campbell"]),
    (|| plain("sparkplug"), &["sparkplug-b", "trap-sparkplug-late-ndeath"]),
    (|| plain("aedes"), &["aedes"]),
    (|| plain("emqx"), &["emqx4", "emqx5", "emqx5.9", "trap-emqx5-takeover"]),
    (|| plain("rmqtt"), &["rmqtt"]),
    (|| plain("nanomq"), &["nanomq", "trap-nanomq-truncated"]),
    (|| plain("tencent-tdmq"), &["tencent-tdmq-mqtt"]),
    (|| plain("aws-iot"), &["aws-iot", "trap-aws-takeover-out-of-order"]),
];

const LOGS: [&str; 7] = [
    "mosquitto-1.5",
    "mosquitto-1.6",
    "mosquitto-2.0",
    "mosquitto-2.0-iso",
    "mosquitto-2.1.0",
    "mosquitto-2.1",
    "trap-mosquitto-2.0-websocket-takeover",
];

/// Files as `replay` reads them, by their dialects: a line as it is, or what its envelope holds.
const FILES: &[(&str, &[&str])] = &[
    ("hivemq", &["hivemq-event.log", "trap-hivemq-old-double-line.log"]),
    ("flashmq", &["flashmq.log"]),
    ("solace", &["solace-event.log"]),
    ("alibaba-iot", &["alibaba-iot-platform.jsonl"]),
    ("aliyun-trace", &["aliyun-trace.jsonl"]),
    ("azure-iothub", &["azure-iothub-eventgrid.jsonl", "azure-iothub-routing.jsonl"]),
    ("azure-eventgrid", &["azure-eventgrid-mqtt.jsonl", "trap-azure-eventgrid-mqtt-order.jsonl"]),
    ("huawei", &["huawei-iotda.jsonl"]),
    ("tencent-iothub", &["tencent-iothub.jsonl"]),
    ("tencent-tdmq", &["tencent-tdmq-history.jsonl"]),
    ("vernemq", &["vernemq-webhooks.jsonl"]),
    ("rabbitmq", &["rabbitmq-3.10-events.jsonl", "rabbitmq-3.12plus-events.jsonl"]),
    ("activemq", &["activemq.jsonl"]),
    ("artemis", &["artemis-notifications.jsonl"]),
    ("nats", &["nats.jsonl"]),
    ("emqx-rule", &["emqx-rule-events.jsonl", "emqx4-webhook.jsonl"]),
    ("nanomq-webhook", &["nanomq-webhook.jsonl"]),
    ("mochi", &["mochi.jsonl"]),
    ("moquette", &["moquette.jsonl"]),
    ("bifromq", &["bifromq.jsonl"]),
    ("rabbitmq-log", &["rabbitmq-3.10.log"]),
];

#[test]
fn every_sample_message_reads_as_expected() {
    for (dialects, names) in MESSAGES {
        for name in *names {
            let messages = Recorded::all(&text_of(&format!("{name}.jsonl")));
            let mut dialects = listening(dialects());
            let mut told = String::new();
            for (message, tie) in messages.iter().zip(1..) {
                tell(&mut told, &dialects.read(&message.message(tie)).1);
            }
            compare(&format!("{name}.expected"), &told);
        }
    }
}

#[test]
fn every_sample_log_reads_as_expected() {
    for name in LOGS {
        let text = text_of(&format!("{name}.log"));
        let mut reader = Mosquitto::new(Some(jiff::tz::TimeZone::UTC));
        let mut told = String::new();
        for (line, tie) in text.lines().zip(1..) {
            tell(&mut told, &reader.read(&line_of_file(line, tie)));
        }
        compare(&format!("{name}.log.expected"), &told);
    }
}

#[test]
fn every_sample_file_is_recognised_and_reads_as_expected() {
    for (name, files) in FILES {
        for file in *files {
            let mut dialect = reader(name);
            let mut told = String::new();
            for (line, tie) in text_of(file).lines().zip(1..) {
                let body = body_of(name, line);
                // Other interceptors than those about connections.
                let is_nobodys = *name == "moquette" && sniff(&body) == Sniffed::Nothing;
                assert!(is_nobodys || sniff(&body) == Sniffed::One(name), "{file}, line {tie}");
                let message = Message { payload: &body, ..line_of_file("", tie) };
                tell(&mut told, &dialect.read(&message));
            }
            compare(&format!("{}.expected", file.trim_end_matches(".jsonl")), &told);
        }
    }
}

/// Returns what a dialect reads of a line.
fn body_of<'a>(name: &str, line: &'a str) -> Cow<'a, [u8]> {
    let line = line.as_bytes();
    let envelope = if claims(name, line) { None } else { envelope::open(line) };
    envelope.map_or(Cow::Borrowed(line), |envelope| envelope.body)
}

#[test]
fn every_sample_log_is_recognised_by_its_first_line() {
    for name in LOGS {
        let text = text_of(&format!("{name}.log"));
        let first = text.lines().next().expect("not empty");
        assert_eq!(sniff(first.as_bytes()), Sniffed::One("mosquitto"), "{name}");
    }
    for message in Recorded::all(&text_of("alibaba-lmq.jsonl")) {
        assert_eq!(sniff(message.payload.as_bytes()), Sniffed::One("lmq"));
    }
}

#[test]
fn no_cut_and_no_damage_makes_reading_panic() {
    let payloads = every_payload();
    let parts = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for part in 0..parts {
            let payloads = &payloads;
            scope.spawn(move || {
                let mut readers = Readers::new();
                let mut rng = fastrand::Rng::with_seed(part as u64);
                for payload in payloads.iter().skip(part).step_by(parts) {
                    for end in 0..=payload.len() {
                        readers.read(payload.get(..end).expect("in range"));
                    }
                    for _ in 0..100 {
                        readers.read(&damaged(payload, payloads, &mut rng));
                    }
                }
            });
        }
    });
}

/// Everybody who reads, at all places where they listen.
struct Readers {
    dialects: Vec<Dialect>,
    plains: Vec<Dialect>,
    doors: Vec<(&'static plain::Plain, String)>,
    tie: u64,
}

impl Readers {
    fn new() -> Self {
        let mut dialects = lmq();
        dialects.extend(mosquitto());
        dialects.extend(status("presence/{client}", "1", "0", Some("/state")));
        dialects.extend(status("presence/{client}", "1", "0", None));
        let plains = plain::ALL.iter().map(|plain| reader(plain.name)).collect();
        let doors = plain::ALL.iter().flat_map(|plain| {
            let doors = DOORS.iter().filter(|topic| (plain.speaks_at)(topic));
            let filters =
                plain.filters.iter().map(|filter| filter.replace(['+', '#'], "a/connected"));
            let topics = filters.chain(doors.map(|topic| (*topic).to_owned()));
            topics.map(move |topic| (*plain, topic))
        });
        Self { dialects, plains, doors: doors.collect(), tie: 0 }
    }

    fn read(&mut self, payload: &[u8]) {
        self.tie += 1;
        let message = Message { payload, ..line_of_file("", self.tie) };
        for plain in &mut self.plains {
            let _ = plain.read(&message);
        }
        for topic in ["", "$presence/a", "$SYS/broker/log/N", "presence/a"] {
            let message = Message { topic, ..message };
            for dialect in &mut self.dialects {
                let _ = dialect.read(&message);
            }
            for mut fresh in [Mosquitto::new(None), Mosquitto::new(Some(jiff::tz::TimeZone::UTC))] {
                let _ = fresh.read(&message);
            }
        }
        for (plain, topic) in &self.doors {
            let _ = plain::Reader::new(plain, None).read(&Message { topic, ..message });
        }
        // One after the other: they differ in their files, not in how they read.
        let place = usize::try_from(self.tie).expect("small") % CONVENTIONS.len();
        let (name, _) = CONVENTIONS[place];
        let convention = convention(name).expect(name);
        let topic = &convention.filters[0].replace('+', "a");
        let _ = convention.read(&Message { topic, ..message });
        let _ = sniff(payload);
    }
}

/// What two dialects understand is believed of neither.
#[test]
fn conventions_that_are_listened_to_together_do_not_read_what_is_anothers() {
    let all = || CONVENTIONS.iter().flat_map(|(name, _)| described(name)).collect();
    let mut heard = 0;
    for (_, names) in MESSAGES {
        for message in
            names.iter().flat_map(|name| Recorded::all(&text_of(&format!("{name}.jsonl"))))
        {
            let mut dialects = Dialects::new(all(), vec![]);
            let (index, reading) = dialects.read(&message.message(1));
            let is_ambiguous =
                matches!(&reading, Reading::Malformed(one) if one.reason == Reason::Ambiguous);
            assert!(!is_ambiguous, "{message:?}: {reading:?}");
            heard += usize::from(index.is_some());
        }
    }
    assert!(heard >= 30, "{heard}");
}

/// Where listeners at other doors than MQTT say that a message came.
const DOORS: [&str; 4] = [
    "amq.rabbitmq.event/connection.closed",
    "/topic/ActiveMQ.Advisory.Connection",
    "activemq.notifications",
    "$SYS.ACCOUNT.DEV.CONNECT",
];

/// Bodies that are JSON tell nothing before their last brace, and nothing to a dialect that does not know them.
#[test]
fn no_part_of_a_message_and_no_message_of_others_tells_of_a_client() {
    let tells = |reading: Reading<'_>| matches!(reading, Reading::Events(events) if events.iter().count() > 0);
    for (name, file) in
        FILES.iter().flat_map(|(name, files)| files.iter().map(move |file| (name, file)))
    {
        for line in text_of(file).lines().filter(|line| line.starts_with('{')) {
            let body = body_of(name, line);
            let mut own = reader(name);
            for end in 0..body.trim_ascii_end().len() {
                let payload = body.get(..end).expect("in range");
                assert!(
                    !tells(own.read(&Message { payload, ..line_of_file("", 1) })),
                    "{name}: {payload:?}"
                );
            }
            for other in plain::ALL.iter().filter(|plain| plain.is_line.is_some()) {
                let message = Message { payload: &body, ..line_of_file("", 1) };
                // The two of whose events nobody can tell whose they are.
                let are_alike = (*name, other.name) == ("emqx-rule", "tencent-tdmq");
                let is_its = are_alike || claims(other.name, &body);
                assert!(
                    is_its || !tells(reader(other.name).read(&message)),
                    "{}: {line}",
                    other.name
                );
            }
        }
    }
}

#[test]
fn two_brokers_that_share_their_topics_are_told_apart_by_what_they_say() {
    for (names, samples, speaker) in [
        (["emqx", "rmqtt"], &["emqx4", "emqx5", "emqx5.9", "trap-emqx5-takeover"][..], "emqx"),
        (["emqx", "rmqtt"], &["rmqtt"], "rmqtt"),
        (["rmqtt", "emqx"], &["emqx4", "emqx5", "emqx5.9", "trap-emqx5-takeover"], "emqx"),
        (["rmqtt", "emqx"], &["rmqtt"], "rmqtt"),
    ] {
        let mut dialects = Dialects::new(names.into_iter().flat_map(plain).collect(), vec![]);
        let messages =
            samples.iter().flat_map(|name| Recorded::all(&text_of(&format!("{name}.jsonl"))));
        let mut heard = 0;
        for (message, tie) in messages.zip(1..) {
            let (index, _) = dialects.read(&message.message(tie));
            // Nobody's are a gateway of EMQX and what RMQTT says of sessions.
            if let Some(dialect) = index.and_then(|index| dialects.get(index)) {
                assert_eq!(dialect.name(), speaker, "{}", message.payload);
                heard += 1;
            }
        }
        assert_eq!(heard, if speaker == "emqx" { 16 } else { 4 });
    }
}

/// Returns the payload with a few bytes changed, taken out or put in, or with another one's tail.
fn damaged(payload: &[u8], others: &[Vec<u8>], rng: &mut fastrand::Rng) -> Vec<u8> {
    const INTERESTING: &[&[u8]] =
        &[b" (", b": ", b" disconnected", b"[", b"]", b"\"", b"\\", b"\xff", b"\0", "ä".as_bytes()];
    let mut damaged = payload.to_vec();
    for _ in 0..rng.usize(1..5) {
        let at = rng.usize(0..=damaged.len());
        match rng.u8(0..4) {
            0 => {
                let put_in = rng.choice(INTERESTING).expect("not empty");
                damaged.splice(at..at, put_in.iter().copied());
            }
            1 => {
                let end = (at + rng.usize(0..8)).min(damaged.len());
                damaged.drain(at..end);
            }
            2 => {
                if let Some(byte) = damaged.get_mut(at) {
                    *byte = rng.u8(..);
                }
            }
            _ => {
                let other = rng.choice(others).expect("not empty");
                damaged.truncate(at);
                damaged.extend_from_slice(other.get(at..).unwrap_or_default());
            }
        }
    }
    damaged
}

fn every_payload() -> Vec<Vec<u8>> {
    let names = MESSAGES.iter().flat_map(|(_, names)| names.iter());
    let mut payloads: Vec<Vec<u8>> = names
        .flat_map(|name| Recorded::all(&text_of(&format!("{name}.jsonl"))))
        .map(|message| message.bytes)
        .collect();
    for (name, file) in
        FILES.iter().flat_map(|(name, files)| files.iter().map(move |file| (name, file)))
    {
        payloads.extend(text_of(file).lines().map(|line| body_of(name, line).into_owned()));
    }
    for name in LOGS {
        let text = text_of(&format!("{name}.log"));
        payloads.extend(text.lines().map(|line| line.as_bytes().to_vec()));
    }
    payloads
}

fn lmq() -> Vec<Dialect> {
    vec![Dialect::Lmq(Lmq)]
}

fn plain(name: &str) -> Vec<Dialect> {
    vec![reader(name)]
}

fn reader(name: &str) -> Dialect {
    let (dialect, zone) = (plain::find(name).expect(name), Some(jiff::tz::TimeZone::UTC));
    Dialect::Plain(plain::Reader::new(dialect, zone))
}

fn mosquitto() -> Vec<Dialect> {
    vec![Dialect::Mosquitto(Mosquitto::new(None))]
}

fn status(template: &str, online: &str, offline: &str, pointer: Option<&str>) -> Vec<Dialect> {
    let words = |words: &str| words.split(' ').map(str::to_owned).collect();
    let words = Words {
        online: words(online),
        offline: words(offline),
        pointer: pointer.map(str::to_owned),
    };
    let template = Template::parse(template).expect(template);
    vec![Dialect::Status(Status { template, words })]
}

fn described(name: &str) -> Vec<Dialect> {
    vec![Dialect::Described(convention(name).expect(name))]
}

/// LMQ's samples come from a queue: as over MQTT, its topics are wherever one is told to listen.
fn listening(dialects: Vec<Dialect>) -> Dialects {
    let topics = match dialects.as_slice() {
        [Dialect::Lmq(_)] => vec!["GID_demo_MQTT".to_owned()],
        _ => vec![],
    };
    Dialects::new(dialects, topics)
}

/// Writes one line about a reading.
fn tell(told: &mut String, reading: &Reading<'_>) {
    match reading {
        Reading::NotMine => told.push_str("not mine"),
        Reading::Malformed(malformed) => {
            write!(told, "malformed {} {}", malformed.reason.code(), malformed.detail)
                .expect("a string");
            if let Some((client, flags)) = &malformed.client {
                write!(told, " client={client} {flags:?}").expect("a string");
            }
        }
        Reading::Events(events) => {
            let mut parts: Vec<String> = events.iter().map(event).collect();
            parts.extend(events.remark.map(|remark| format!("remark {remark:?}")));
            told.push_str(if parts.is_empty() { "nothing" } else { "" });
            told.push_str(&parts.join(" + "));
        }
    }
    told.push('\n');
}

fn event(event: &Event<'_>) -> String {
    let at = |stamp: &Option<Stamp>| {
        stamp.map_or(" at -".to_owned(), |stamp| {
            let coarse = if stamp.resolution > 0 { "~" } else { "" };
            format!(" at {coarse}{}#{}", stamp.time.0, stamp.tie)
        })
    };
    let event: &ChannelEvent<'_> = match event {
        Event::Restarted(stamp) => return format!("restarted{}", at(stamp)),
        Event::Channel(event) => event,
    };
    let channel = match &event.channel {
        Channel::Strong(name) => format!(" on {name}"),
        Channel::Weak(Some(name)) => format!(" on weak {name}"),
        Channel::Weak(None) => String::new(),
    };
    let mut told = format!("{:?} {}{channel}{}", event.kind, event.client, at(&event.stamp));
    if !event.address.is_empty() {
        write!(told, " from {}", event.address).expect("a string");
    }
    if event.flags != Flags::NONE {
        write!(told, " {:?}", event.flags).expect("a string");
    }
    if event.standing {
        told.push_str(" standing");
    }
    told
}

fn compare(name: &str, told: &str) {
    let path = fixture(name);
    if std::env::var_os("PRESENCE_BLESS").is_some() {
        std::fs::write(&path, told).expect(name);
    }
    let expected = text_of(name);
    for ((expected, found), number) in expected.lines().zip(told.lines()).zip(1..) {
        assert_eq!(found, expected, "{name}, line {number}");
    }
    assert_eq!(told.lines().count(), expected.lines().count(), "{name}");
}

fn text_of(name: &str) -> String {
    std::fs::read_to_string(fixture(name)).expect(name)
}

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/dialects").join(name)
}
