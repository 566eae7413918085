//! What a file is, its lines tell: every sample there is, and messages as subscribers save them.

use crate::run::{Home, T, lines};
use presence::config::reading::usual;
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};

/// The dialects of samples, by how the names of the files begin. The first one that fits counts.
const SAMPLES: &[(&str, &str)] = &[
    ("activemq", "activemq"),
    ("aedes", "aedes"),
    ("alibaba-iot", "alibaba-iot"),
    ("alibaba", "lmq"),
    ("aliyun-trace", "aliyun-trace"),
    ("artemis", "artemis"),
    ("aws", "aws-iot"),
    ("azure-eventgrid", "azure-eventgrid"),
    ("azure-iothub", "azure-iothub"),
    ("bifromq", "bifromq"),
    ("campbell", "campbell"),
    ("emqx-rule", "emqx-rule"),
    ("emqx4-webhook", "emqx-rule"),
    ("emqx", "emqx"),
    ("esphome", "esphome"),
    ("flashmq", "flashmq"),
    ("frigate", "frigate"),
    ("hivemq", "hivemq"),
    ("homeassistant", "homeassistant"),
    ("homie", "homie"),
    ("huawei", "huawei"),
    ("tencent-iothub", "tencent-iothub"),
    ("mochi", "mochi"),
    ("moquette", "moquette"),
    ("mosquitto-2.1-connection-state", "connection-state"),
    ("mosquitto", "mosquitto"),
    ("nanomq-webhook", "nanomq-webhook"),
    ("nanomq", "nanomq"),
    ("nats", "nats"),
    ("openmqttgateway", "openmqttgateway"),
    ("rabbitmq-3.10.log", "rabbitmq-log"),
    ("rabbitmq", "rabbitmq"),
    ("rmqtt", "rmqtt"),
    ("shelly", "shelly1,shelly2"),
    ("solace", "solace"),
    ("tasmota", "tasmota"),
    ("tencent", "tencent-tdmq"),
    ("theengs", "theengs"),
    ("vernemq", "vernemq"),
    ("zigbee2mqtt", "zigbee2mqtt"),
];

/// Those that have to be named. They are conventions of devices: what several projects publish in much the same
/// way on topics that anybody may use.
const NAMED: &[&str] = &[
    "campbell",
    "esphome",
    "frigate",
    "homeassistant",
    "homie",
    "openmqttgateway",
    "shelly1,shelly2",
    "tasmota",
    "theengs",
    "zigbee2mqtt",
];

/// Samples with payloads that are no text, which `mosquitto_sub -F %j` does not keep.
const BINARY: &[&str] = &["sparkplug-b", "trap-sparkplug"];

/// Real runs, with what was heard in them besides what devices say of themselves.
const CAPTURES: &[(&str, &[&str])] = &[
    ("activemq-5.18.3.events.jsonl", &["activemq"]),
    ("activemq-5.18.3.jsonl", &[]),
    ("aedes-1.2.0.jsonl", &["aedes"]),
    ("artemis-2.40.0.events.jsonl", &["artemis"]),
    ("artemis-2.40.0.jsonl", &[]),
    ("mochi-mqtt-2.7.9.events.jsonl", &["mochi"]),
    ("mochi-mqtt-2.7.9.jsonl", &[]),
    ("moquette-0.17.events.jsonl", &["moquette"]),
    ("moquette-0.17.jsonl", &[]),
    ("mosquitto-2.0.11.jsonl", &["mosquitto"]),
    ("mosquitto-2.0.11.log", &["mosquitto"]),
    ("mosquitto-2.1.2-connection-state.jsonl", &["mosquitto", "connection-state"]),
    ("mosquitto-2.1.2-connection-state.log", &["mosquitto"]),
    ("nanomq-0.25.5.jsonl", &["nanomq"]),
    ("nanomq-0.25.5.webhook.jsonl", &["nanomq-webhook"]),
    ("nats-server-2.15.2.events.jsonl", &["nats"]),
    ("nats-server-2.15.2.jsonl", &[]),
    ("rabbitmq-3.10.8.events.jsonl", &["rabbitmq"]),
    ("rabbitmq-3.10.8.jsonl", &[]),
    ("rabbitmq-3.10.8.log", &["rabbitmq-log"]),
];

fn fixtures(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(folder);
    let files =
        fs::read_dir(folder).expect("it is there").map(|entry| entry.expect("it is").path());
    let is_sample = |path: &PathBuf| !name_of(path).contains(".stimuli.") && !is_expected(path);
    let mut files: Vec<_> = files.filter(is_sample).collect();
    files.sort();
    files
}

/// What a sample reads as, and no sample.
fn is_expected(path: &Path) -> bool {
    path.extension().is_none_or(|extension| extension == "expected")
}

fn name_of(path: &Path) -> String {
    path.file_name().expect("it has one").to_string_lossy().into_owned()
}

fn title_of(name: &str) -> String {
    usual().dialect(name, None).expect(name).title().to_owned()
}

/// Returns a message over MQTT as `mosquitto_sub -F %j` prints it. Others stay as they are.
fn as_saved(line: &str, number: i64) -> String {
    let Ok(message) = serde_json::from_str::<Value>(line) else { return line.to_owned() };
    let Some(topic) = message["topic"].as_str().filter(|topic| topic.contains('/')) else {
        return line.to_owned();
    };
    let payload = match &message["payload"] {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let came = message["rx_ms"].as_i64().unwrap_or(T + 1_000 * number);
    let came = jiff::Timestamp::from_millisecond(came).expect("it is a time");
    let retain = i32::from(message["retain"] == true);
    let payload = if payload.is_empty() { Value::Null } else { json!(payload) };
    json!({
        "tst": came.strftime("%Y-%m-%dT%H:%M:%S.%6fZ+0000").to_string(),
        "topic": topic, "qos": message["qos"].as_i64().unwrap_or(0), "retain": retain, "payload": payload,
    })
    .to_string()
}

fn saved(path: &Path) -> String {
    let text = fs::read_to_string(path).expect("it is text");
    let messages: Vec<_> = text.lines().zip(0..).map(|(line, at)| as_saved(line, at)).collect();
    lines(&messages)
}

/// Returns what the run said that a file is.
#[track_caller]
fn said<'a>(err: &'a str, name: &str) -> &'a str {
    let line = err.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
    line.unwrap_or_else(|| panic!("{name}: {err}"))
}

#[test]
fn every_sample_is_told_by_its_content() {
    let home = Home::new();
    for path in fixtures("dialects") {
        let name = name_of(&path);
        if BINARY.iter().any(|head| name.starts_with(head)) {
            continue;
        }
        let plain = name.strip_prefix("trap-").unwrap_or(&name);
        let (_, dialect) = SAMPLES
            .iter()
            .find(|(head, _)| plain.starts_with(head))
            .unwrap_or_else(|| panic!("nobody said whose `{name}` is"));
        home.write(&name, saved(&path));
        let line = format!("replay --json --time-zone UTC {name}");
        let run = if NAMED.contains(dialect) {
            home.run(&line).failed(2, &format!("could not tell what `{name}` is"));
            home.run(&format!("{line} --dialect {dialect}"))
        } else {
            home.run(&line)
        };
        let titles: Vec<_> = dialect.split(',').map(title_of).collect();
        let what = said(&run.err, &name).to_owned();
        let found = what.split(" in ").next().unwrap_or_default();
        assert_eq!((run.code, found), (0, &*titles.join(" and ")), "{name}: {}", run.err);
        assert!(run.summary()["events"].as_u64() > Some(0), "{name}: {}", run.err);
    }
}

#[test]
fn every_real_run_is_told_by_its_content() {
    let home = Home::new();
    let files = fixtures("captures");
    assert_eq!(
        files.iter().map(|path| name_of(path)).collect::<Vec<_>>(),
        CAPTURES.iter().map(|(name, _)| *name).collect::<Vec<_>>()
    );
    for (path, (name, dialects)) in files.iter().zip(CAPTURES) {
        home.write(name, saved(path));
        let run = home.run(&format!(
            "replay --json --time-zone UTC --status-topic presence/{{client}}/status {name}"
        ));
        assert_eq!(run.code, 0, "{name}: {}", run.err);
        let what = said(&run.err, name);
        let is_over_mqtt = what.ends_with(" in MQTT messages");
        let has_status = what.contains(&title_of("status"));
        assert_eq!(has_status, is_over_mqtt, "{name}: {what}");
        for dialect in *dialects {
            assert!(what.contains(&title_of(dialect)), "{name}: {what}");
        }
        let titles = what.split(" and ").count();
        assert_eq!(titles, dialects.len() + usize::from(has_status), "{name}: {what}");
    }
}

/// As version 2.0.11 prints it with `-F %j`; `%J` has the payload as it is.
fn printed(second: i64, topic: &str, payload: &Value) -> String {
    let head = format!(r#""tst":"2025-10-09T10:53:{second:02}.000000Z+0200","topic":"{topic}""#);
    format!(r#"{{{head},"qos":0,"retain":0,"payloadlen":9,"payload":{payload}}}"#)
}

#[test]
fn a_saved_message_is_read_by_the_dialect_whose_topic_it_came_on() {
    let emqx = json!({"clientid": "e/1", "ipaddress": "192.0.2.1", "connected_at": T, "ts": T});
    let place = "$SYS/brokers/emqx@h/clients/e/1/connected";
    let aws = json!({"clientId": "w 1", "eventType": "connected", "timestamp": T, "sessionIdentifier": "s"});
    let messages = [
        // Of nobody, and more of them than lines may pass that tell nothing.
        (0..1_200).map(|_| printed(20, "$SYS/broker/version", &json!("x"))).collect::<Vec<_>>(),
        vec![
            printed(21, place, &json!(emqx.to_string())),
            printed(21, place, &emqx),
            printed(22, "$aws/events/presence/connected/w 1", &json!(aws.to_string())),
            printed(23, "$SYS/b/new/clients", &json!("a-1")),
            printed(24, "$SYS/b/new/clients", &json!(7)),
            printed(25, "$SYS/broker/connection/client/c-1/state", &json!(1)),
            printed(26, "devices/d-1/status", &json!("offline")),
            printed(27, "devices/d-1/status", &json!(null)),
            "what is this?".to_owned(),
        ],
    ];
    let home = Home::with("saved", lines(&messages.concat()));

    let run = home.run("replay --json saved");

    assert_eq!(run.code, 0, "{}", run.err);
    let all = ["emqx", "aws-iot", "aedes", "connection-state", "status"].map(title_of);
    assert_eq!(said(&run.err, "saved"), format!("{} in MQTT messages", all.join(" and ")));
    let since = |client: &str| {
        let all = run.objects();
        let one =
            all.iter().find(|one| one["client"] == client).unwrap_or_else(|| panic!("{client}"));
        (one["state"].as_str().expect("it has one").to_owned(), one["since_ms"].as_i64())
    };
    let online = |at| ("online".to_owned(), Some(at));
    assert_eq!([since("e/1"), since("w 1")], [online(T), online(T)]);
    // Dialects without stamps of their own go by when the message came.
    assert_eq!(
        [since("a-1"), since("7"), since("c-1")],
        [online(T + 3_000), online(T + 4_000), online(T + 5_000)]
    );
    assert_eq!(run.summary()["malformed"], 1, "{}", run.err);
    assert_eq!(run.summary()["not_mine"], 1_200);

    // Chosen ones, and messages that came elsewhere.
    let run = home.run("replay --json --dialect aedes saved");
    assert_eq!(run.states().len(), 2, "{}", run.err);
    let bridged = printed(21, "site/4/events", &aws);
    home.write("bridged", lines(&[bridged]));
    home.run("replay --dialect aws-iot bridged").failed(2, "could not tell what `bridged` is");
    let run = home.run_with(
        &["replay", "--json", "--dialect", "aws-iot", "--topic", "site/+/events", "bridged"],
        "",
        &[],
    );
    assert_eq!(run.states(), [("w 1".to_owned(), "online".to_owned())], "{}", run.err);
}

#[test]
fn messages_of_no_dialect_are_told_apart_from_what_is_of_no_form() {
    let home = Home::with("saved", lines(&[printed(0, "plant/heat", &json!(21.5))]));
    let run = home.run("replay saved");
    run.failed(2, "could not tell what `saved` is");
    assert!(run.err.contains("came on a topic of these dialects"), "{}", run.err);
    // What a bridge brings is known wherever it comes.
    let notice = crate::run::notice("a", 0, "connect", "c");
    home.write("saved", lines(&[printed(0, "plant/notices", &json!(notice))]));
    assert_eq!(home.run("replay saved").err, "saved: LMQ notices in MQTT messages\n");
}

#[test]
fn lines_of_topic_and_payload_are_messages_too() {
    let emqx = json!({"clientid": "e/1", "ipaddress": "192.0.2.1", "connected_at": T, "ts": T});
    let aws = json!({"clientId": "w 1", "eventType": "connected", "timestamp": T, "sessionIdentifier": "s"});
    let home = Home::with(
        "printed",
        lines(&[
            "$SYS/broker/version mosquitto version 2.0.11".to_owned(),
            format!("$SYS/brokers/emqx@h/clients/e/1/connected {emqx}"),
            format!("$aws/events/presence/connected/w 1 {aws}"),
            "$SYS/broker/connection/client/c 1/state 1".to_owned(),
            "devices/d-1/status online".to_owned(),
            // An id that would speak for another.
            format!("$aws/events/presence/connected/x {aws} {aws}"),
            "the second line of something".to_owned(),
        ]),
    );
    let run = home.run("replay --json printed");
    assert_eq!(run.code, 0, "{}", run.err);
    let all = ["emqx", "aws-iot", "connection-state", "status"].map(title_of);
    assert_eq!(said(&run.err, "printed"), format!("{} in MQTT messages", all.join(" and ")));
    let online = |client: &str| (client.to_owned(), "online".to_owned());
    assert_eq!(run.states(), [online("c 1"), online("d-1"), online("e/1"), online("w 1")]);
    let summary = run.summary();
    assert_eq!(
        (&summary["malformed"], &summary["not_mine"]),
        (&json!(1), &json!(2)),
        "{}",
        run.err
    );

    // A log of which nobody knows the zone is no more read than as a file.
    let log =
        "$SYS/broker/log/N 1760000000: New client connected from 192.0.2.1:5 as m-1 (p2, c1, k60).";
    home.write("log", lines(&[log.to_owned()]));
    let run = home.run("replay --json log");
    assert_eq!(run.states(), [online("m-1")], "{}", run.err);
    home.write("log", lines(&[log.replace("1760000000", "2025-10-09T10:53:20")]));
    let run = home.run("replay --json log");
    assert_eq!(run.states(), [], "{}", run.err);
    assert!(run.err.contains("nothing was read from `log`"), "{}", run.err);
}
