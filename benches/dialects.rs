//! How fast the dialects are beside that of LMQ, and what it costs to listen to all of them.
//!
//! Read are the messages of the fixtures that tell of a client. Beside each stands a notice of LMQ of the same
//! size: both get further members that say nothing, as long as those of brokers are. What all of them together
//! cost is measured with what becomes of a message, which is to be taken into the state: here of clients that
//! are known and do nothing new, where that takes the least. A benchmark and no test. Fails beyond the promised
//! bounds.
#![expect(clippy::print_stdout, reason = "a benchmark says what it measured")]

#[path = "../tests/captures/recorded.rs"]
#[expect(dead_code, reason = "a benchmark needs no more than topics and payloads")]
mod recorded;

use presence::clock;
use presence::dialect::described::convention;
use presence::dialect::lmq::Lmq;
use presence::dialect::status::{Status, Words};
use presence::dialect::terms::Terms;
use presence::dialect::topic::Template;
use presence::dialect::{Dialect, Dialects, Message, Reading, claims, envelope, plain};
use presence::event::Event;
use presence::state::fleet::{Fleet, Hearsay};
use presence::state::packed::VoiceKey;
use presence::state::policy::Policy;
use recorded::{Recorded, line_of_file};
use serde_json::Value;
use std::hint::black_box;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

/// By their dialects, fixtures of messages that have topics.
const MESSAGES: &[(&str, &[&str])] = &[
    ("emqx", &["emqx4", "emqx5", "emqx5.9"]),
    ("rmqtt", &["rmqtt"]),
    ("nanomq", &["nanomq"]),
    ("tencent-tdmq", &["tencent-tdmq-mqtt"]),
    ("aws-iot", &["aws-iot"]),
    ("zigbee2mqtt", &["zigbee2mqtt"]),
    ("campbell", &["campbell"]),
];

/// By their dialects, fixtures of lines.
const FILES: &[(&str, &[&str])] = &[
    ("alibaba-iot", &["alibaba-iot-platform"]),
    ("azure-iothub", &["azure-iothub-eventgrid", "azure-iothub-routing"]),
    ("azure-eventgrid", &["azure-eventgrid-mqtt"]),
    ("huawei", &["huawei-iotda"]),
    ("vernemq", &["vernemq-webhooks"]),
    ("rabbitmq", &["rabbitmq-3.10-events", "rabbitmq-3.12plus-events"]),
    ("activemq", &["activemq"]),
    ("artemis", &["artemis-notifications"]),
    ("nats", &["nats"]),
    ("emqx-rule", &["emqx-rule-events", "emqx4-webhook"]),
    ("nanomq-webhook", &["nanomq-webhook"]),
    ("mochi", &["mochi"]),
    ("moquette", &["moquette"]),
    ("bifromq", &["bifromq"]),
];

/// How fast a dialect of JSON must be, LMQ being 1.
const RATE_MIN: f64 = 0.5;
/// Dialects that are more than JSON (bodies that are none, printed terms in them), or described in files. They are
/// shown.
const OTHERS: [&str; 4] = ["nanomq", "rabbitmq", "zigbee2mqtt", "campbell"];
/// What all usual dialects together may take, one of them by itself being 1.
const AUTO_MAX: f64 = 1.1;

const ROUNDS: usize = 21;
const ROUND: Duration = Duration::from_millis(20);

/// What is read over and over: topics with payloads.
type Messages = Vec<(String, Vec<u8>)>;

fn main() -> ExitCode {
    if !std::env::args().any(|argument| argument == "--bench") {
        // Run as a test (`cargo test --all-targets`): it compiles, that is all a test may ask of it.
        return ExitCode::SUCCESS;
    }
    let mut is_kept = true;
    println!("{:<18} {:>6} {:>8} {:>8} {:>6}", "dialect", "bytes", "ns", "lmq, ns", "rate");
    for (name, files) in MESSAGES {
        is_kept &= beside_lmq(name, recorded(name, files));
    }
    for (name, files) in FILES {
        is_kept &= beside_lmq(name, lines(name, files));
    }
    is_kept &= beside_lmq("status", statuses());
    println!("\n{:<18} {:>6} {:>8} {:>8} {:>6}", "dialect", "bytes", "alone", "auto", "takes");
    is_kept &= beside_auto("lmq", &notices());
    for (name, files) in MESSAGES.iter().filter(|(name, _)| Terms::usual().any(|one| one == *name))
    {
        is_kept &= beside_auto(name, &recorded(name, files));
    }
    is_kept &= beside_auto("mosquitto", &recorded("mosquitto", &["mosquitto-2.0-sys-log"]));
    let online = vec![("devices/dev-1/status".to_owned(), br#"{"status":"online"}"#.to_vec())];
    is_kept &= beside_auto("status", &online);
    if is_kept {
        return ExitCode::SUCCESS;
    }
    println!("below {RATE_MIN} of LMQ's rate, or above {AUTO_MAX} of one dialect's time");
    ExitCode::FAILURE
}

/// Compares a dialect with LMQ on messages of the same sizes.
fn beside_lmq(name: &str, mut messages: Messages) -> bool {
    let notices = notices_like(&mut messages);
    let size = messages.iter().map(|(_, payload)| payload.len()).sum::<usize>() / messages.len();
    let (mut own, mut lmq) = (dialect(name), Dialect::Lmq(Lmq));
    let (time, lmq_time, rate) =
        compared(&mut || read_all(&mut own, &messages), &mut || read_all(&mut lmq, &notices));
    println!("{name:<18} {size:>6} {time:>8.0} {lmq_time:>8.0} {rate:>6.2}");
    // As it is printed: rounds differ by more than the last digit.
    (rate * 100.0).round() / 100.0 >= RATE_MIN || OTHERS.contains(&name)
}

/// Compares a dialect that is listened to alone with all that are listened to unless told otherwise.
fn beside_auto(name: &str, messages: &Messages) -> bool {
    let size = messages.iter().map(|(_, payload)| payload.len()).sum::<usize>() / messages.len();
    let mut alone = Dialects::new(vec![dialect(name)], Vec::new());
    let mut auto = Dialects::new(Terms::usual().map(dialect).collect(), Vec::new());
    let [mut fleet, mut auto_fleet] = [Fleet::default(), Fleet::default()];
    let (time, auto_time, takes) =
        compared(&mut || hear_all(&mut alone, &mut fleet, messages), &mut || {
            hear_all(&mut auto, &mut auto_fleet, messages)
        });
    println!("{name:<18} {size:>6} {time:>8.0} {auto_time:>8.0} {takes:>6.2}");
    takes <= AUTO_MAX
}

/// Returns what one message takes in ns, on either side, and by how much the first is faster: medians of rounds
/// in each of which both had their turn.
fn compared(one: &mut impl FnMut() -> usize, other: &mut impl FnMut() -> usize) -> (f64, f64, f64) {
    let mut rounds: Vec<_> = (0..ROUNDS)
        .map(|_| (round(one), round(other)))
        .map(|(one, other)| (one, other, other / one))
        .collect();
    let mut median = |by: fn(&(f64, f64, f64)) -> f64| {
        rounds.sort_by(|a, b| by(a).total_cmp(&by(b)));
        by(&rounds[ROUNDS / 2])
    };
    (median(|round| round.0), median(|round| round.1), median(|round| round.2))
}

/// Returns what one message takes in ns.
fn round(read_all: &mut impl FnMut() -> usize) -> f64 {
    let began = clock::monotonic();
    let mut count = 0;
    while began.elapsed() < ROUND {
        for _ in 0..100 {
            count += read_all();
        }
    }
    let count = u32::try_from(count).expect("some thousands");
    began.elapsed().as_secs_f64() * 1e9 / f64::from(count)
}

fn read_all(dialect: &mut Dialect, messages: &Messages) -> usize {
    for (topic, payload) in messages {
        let message = Message { topic, payload, ..line_of_file("", 1) };
        black_box(dialect.read(black_box(&message)));
    }
    messages.len()
}

/// Reads messages with the one of the dialects whose they are, and takes in what they say.
fn hear_all(dialects: &mut Dialects, fleet: &mut Fleet, messages: &Messages) -> usize {
    for (topic, payload) in messages {
        let message = Message { topic, payload, ..line_of_file("", 1) };
        let (index, reading) = dialects.read(black_box(&message));
        let dialect = index.and_then(|index| dialects.get(index)).expect("it is somebody's");
        let voice = VoiceKey { authority: dialect.authority(), name: dialect.name() };
        let by = Hearsay { voice, mark: None, received: message.received };
        let Reading::Events(events) = &reading else { panic!("{reading:?}") };
        for event in events.iter() {
            if let Event::Channel(event) = event {
                black_box(fleet.take(event, &by, &Policy::DEFAULT));
            }
        }
    }
    messages.len()
}

/// Returns a notice for each message, and makes both of the same size.
fn notices_like(messages: &mut Messages) -> Messages {
    let notices = notices();
    let notices = notices.iter().cycle().zip(messages).map(|((topic, notice), (_, payload))| {
        let mut notice = notice.clone();
        let size = payload.len().max(notice.len()) + MEMBER;
        pad(payload, size);
        pad(&mut notice, size);
        (topic.clone(), notice)
    });
    notices.collect()
}

/// Brings a JSON object to a size, by members as long as those of brokers are; of a list its last object.
fn pad(payload: &mut Vec<u8>, size: usize) {
    let at = payload.iter().rposition(|byte| *byte == b'}').expect("an object");
    let mut missing = size - payload.len();
    let mut more = String::new();
    while missing > 0 {
        let length = if missing < 2 * MEMBER { missing } else { MEMBER };
        let text = "x".repeat(length - EMPTY.len());
        more += &EMPTY.replace(":\"", &format!(":\"{text}"));
        missing -= length;
    }
    payload.splice(at..at, more.bytes());
}

/// A member that says nothing.
const EMPTY: &str = r#","further":"""#;
/// How long a member is, with its name: those of EMQX are.
const MEMBER: usize = 20;

fn notices() -> Messages {
    ["connect", "disconnect", "tcpclean"]
        .iter()
        .map(|event| {
            let body = format!(
                r#"{{"clientId":"GID_demo@@@dev-0000001","time":1760000000000,"eventType":"{event}","channelId":"2b9b1281046046faafe5e0b458e4aaaa","clientIp":"192.0.2.10:50412"}}"#
            );
            ("$presence/dev".to_owned(), body.into_bytes())
        })
        .collect()
}

fn statuses() -> Messages {
    let words = ["online", "offline"].map(|word| format!(r#"{{"status":"{word}"}}"#));
    words.map(|body| ("devices/dev-1/status".to_owned(), body.into_bytes())).into()
}

/// Returns the messages of fixtures of which a dialect makes events.
fn recorded(name: &str, files: &[&str]) -> Messages {
    let messages = files.iter().flat_map(|file| Recorded::all(&text_of(file)));
    telling(name, messages.map(|message| (message.topic, message.bytes)))
}

/// Returns what lines of fixtures hold of which a dialect makes events.
fn lines(name: &str, files: &[&str]) -> Messages {
    let texts: Vec<_> = files.iter().map(|file| text_of(file)).collect();
    let bodies = texts.iter().flat_map(|text| text.lines()).map(|line| {
        let line = line.as_bytes();
        let envelope = if claims(name, line) { None } else { envelope::open(line) };
        let body = envelope.map_or_else(|| line.to_vec(), |envelope| envelope.body.into_owned());
        bare(name, body)
    });
    telling(name, bodies.map(|body| (String::new(), body)))
}

/// Returns what a listener hears of what a recording keeps as JSON text within JSON.
fn bare(name: &str, line: Vec<u8>) -> Vec<u8> {
    let mut whole: Value = serde_json::from_slice(&line).expect("a line of JSON");
    match name {
        "nats" => match &whole["payload"] {
            Value::String(payload) => payload.clone().into_bytes(),
            _ => line,
        },
        "activemq" => {
            if let Some(body) =
                whole["body"].as_str().and_then(|body| serde_json::from_str(body).ok())
            {
                whole["body"] = body;
            }
            whole.to_string().into_bytes()
        }
        _ => line,
    }
}

fn telling(name: &str, messages: impl Iterator<Item = (String, Vec<u8>)>) -> Messages {
    let mut dialect = dialect(name);
    let mut is_telling = |topic: &str, payload: &[u8]| {
        let message = Message { topic, payload, ..line_of_file("", 1) };
        matches!(dialect.read(&message), Reading::Events(events) if events.iter().count() > 0)
    };
    let messages: Messages = messages
        .filter(|(topic, payload)| is_telling(topic, payload))
        .filter(|(_, payload)| {
            name == "mosquitto"
                || payload.trim_ascii().ends_with(b"}")
                || payload.trim_ascii().ends_with(b"]")
        })
        .collect();
    assert!(!messages.is_empty(), "{name}: nothing in its fixtures tells of a client");
    messages
}

fn dialect(name: &str) -> Dialect {
    let template = || Template::parse("devices/{client}/status").expect("valid");
    match name {
        "lmq" => Dialect::Lmq(Lmq),
        "mosquitto" => Dialect::Mosquitto(presence::dialect::mosquitto::Mosquitto::new(None)),
        "status" => Dialect::Status(Status {
            template: template(),
            words: Words { pointer: Some("/status".to_owned()), ..Words::default() },
        }),
        name => match plain::find(name) {
            Some(plain) => Dialect::Plain(plain::Reader::new(plain, None)),
            None => Dialect::Described(convention(name).expect(name)),
        },
    }
}

fn text_of(name: &str) -> String {
    let path = Path::new("tests/fixtures/dialects").join(format!("{name}.jsonl"));
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
