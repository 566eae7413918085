//! What servers of RocketMQ answer when something is wrong, as it was recorded: each time it is said what to do.

use crate::support::process::{DEADLINE, Ended, Presence};
use crate::support::remoting::{name_server, server};
use serde::Deserialize;
use std::thread;

#[derive(Deserialize)]
struct Exchanged {
    name: String,
    direction: String,
    hex: String,
}

/// Returns the recorded answers of a version, by name.
fn recorded(version: &str) -> Vec<(String, Vec<u8>)> {
    let text = match version {
        "5.3.3" => include_str!("../fixtures/rocketmq/rocketmq-5.3.3.frames.jsonl"),
        _ => include_str!("../fixtures/rocketmq/rocketmq-4.9.7.frames.jsonl"),
    };
    let frames = text.lines().map(|line| serde_json::from_str::<Exchanged>(line).expect("JSON"));
    let answers = frames.filter(|frame| frame.direction == "response");
    answers.map(|frame| (frame.name, bytes(&frame.hex))).collect()
}

fn bytes(hex: &str) -> Vec<u8> {
    let digits = (0..hex.len()).step_by(2);
    digits.map(|at| u8::from_str_radix(&hex[at..at + 2], 16).expect("hexadecimal")).collect()
}

/// Reads a topic of a name server, to its end.
fn read(name_server: &str, more: &[&str]) -> Ended {
    let source = format!("rocketmq://{name_server}/GID_FIX");
    let line = ["replay", "--source", &source];
    Presence::start([&line[..], more].concat()).ended(DEADLINE)
}

#[track_caller]
fn refused(ended: &Ended, name: &str, cause: &str, next: &str) {
    assert_eq!(ended.code, Some(4), "{name}: {ended:?}");
    assert!(ended.err.contains(cause) && ended.err.contains(next), "{name}: {}", ended.err);
}

/// Every recorded answer that refuses something, with what is said of it and what to do.
const REFUSALS: &[(&str, &str, &str)] = &[
    ("route-unknown-topic", "not known there, or its broker is down", "that its broker runs"),
    ("route-at-broker", "is no name server", "9876"),
    ("proxy-route-unknown-topic", "not known there, or its broker is down", "that its broker runs"),
    ("auth-proxy-route-unsigned", "wants to know who asks", "--access-key-id"),
    ("pull-at-name-server", "is no broker", "which address they register with"),
    ("pull-unknown-topic", "has no topic \"GID_FIX_MQTT\"", "check the name of the topic"),
    ("pull-bad-group", "does not know the group", "leave `--consumer-group` out"),
    ("pull-without-subscription-flag", "group info not exist", "broker logs"),
    ("pull-sql", "does not support consumer to filter message by SQL92", "broker logs"),
    ("pull-bad-number", "NumberFormatException", "broker logs"),
    ("unknown-request", "is no broker", "which address they register with"),
    ("proxy-max-without-bname", "field bname", "broker logs"),
    ("proxy-pull-without-bname", "field bname", "broker logs"),
    ("proxy-pull-without-subscription-flag", "subscription not latest", "broker logs"),
    ("proxy-pull-unknown-topic", "has no topic \"GID_FIX_MQTT\"", "check the name of the topic"),
    ("auth-pull-unsigned", "wants to know who asks", "--access-key-id"),
    ("auth-pull-wrong-secret", "the secret is not that of the access key", "secret-file"),
    ("auth-pull-unknown-key", "there is no access key", "check `--access-key-id`"),
    (
        "auth-pull-forbidden-group",
        "in the name of the group \"TOOLS_CONSUMER\"",
        "--consumer-group",
    ),
    ("auth-proxy-pull-unsigned", "wants to know who asks", "--access-key-id"),
    ("auth-proxy-pull-wrong-secret", "the secret is not that of the access key", "secret-file"),
    ("auth-proxy-pull-unknown-key", "there is no access key", "check `--access-key-id`"),
    ("auth-proxy-pull-forbidden-group", "in the name of the group", "--consumer-group"),
    ("auth-max-forbidden", "may not be read", "grant this access key `Sub`"),
    ("binary-server-pull-unknown-topic", "has no topic", "check the name of the topic"),
];

#[test]
fn each_refusal_that_was_recorded_is_said_with_what_to_do() {
    thread::scope(|scope| {
        for version in ["5.3.3", "4.9.7"] {
            for (name, answer) in recorded(version) {
                let known = REFUSALS.iter().find(|(known, ..)| *known == name);
                let Some((_, cause, next)) = known.filter(|_| code(&answer) != 0) else { continue };
                scope.spawn(move || {
                    let is_route = name.contains("route");
                    let first = server(answer);
                    let first = if is_route { first } else { name_server(&first) };
                    refused(
                        &read(&first, &["--timeout", "2s"]),
                        &format!("{version} {name}"),
                        cause,
                        next,
                    );
                });
            }
        }
    });
}

#[test]
fn no_recorded_refusal_is_left_out() {
    for version in ["5.3.3", "4.9.7"] {
        for (name, answer) in recorded(version) {
            let code = code(&answer);
            // Found, nothing found, none wanted, moved; of a queue that is not there; and of no request of ours.
            let is_none = [0, 19, 20, 21].contains(&code)
                || ["pull-no-such-queue", "proxy-no-such-broker"].contains(&&*name);
            let is_listed = REFUSALS.iter().any(|(known, ..)| *known == name);
            assert!(is_none || is_listed, "{version} {name}: {code}");
        }
    }
}

fn code(answer: &[u8]) -> i64 {
    let length = u32::from_be_bytes([0, answer[5], answer[6], answer[7]]) as usize;
    let header = &answer[8..8 + length];
    match answer[4] {
        0 => {
            let header: serde_json::Value = serde_json::from_slice(header).expect("JSON");
            header["code"].as_i64().expect("a number")
        }
        _ => i16::from_be_bytes([header[0], header[1]]).into(),
    }
}

#[test]
fn whatever_answers_in_place_of_rocketmq_is_said_to() {
    // Longer than an answer may take.
    let patience = ["--timeout", "6s"];
    let cases = [
        (&b"\x7f\xff\xff\xff"[..], "a frame of 2147483647 bytes", "check the port"),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "a frame of", "check the port"),
        (b"\x15\x03\x03\x00\x02\x02\x46", "a frame of", "TLS"),
        (b"\x00\x00\x00\x06\x00\x00\x00\x02{]", "no JSON of RocketMQ", "check the port"),
        // Nothing at all, and half a frame.
        (b"", "did not answer within", "whether it wants TLS"),
        (b"\x00\x00\x01\x00\x00\x00\x00\x50{\"code\":0", "did not answer within", "not overloaded"),
    ];
    thread::scope(|scope| {
        for (answer, cause, next) in cases {
            for is_broker in [false, true] {
                scope.spawn(move || {
                    let first = server(answer.to_vec());
                    let first = if is_broker { name_server(&first) } else { first };
                    refused(&read(&first, &patience), cause, cause, next);
                });
            }
        }
    });
}

#[test]
fn half_a_key_in_the_environment_is_no_matter_of_plain_files() {
    let home = tempfile::TempDir::new().expect("a temporary folder can be made");
    let notices = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/examples/notices.jsonl");
    let environment = [("PRESENCE_ACCESS_KEY_ID", "LTAI5tExample")];
    let mut replay = Presence::start_in(home.path(), ["replay", notices], &environment);
    let ended = replay.ended(DEADLINE);
    assert_eq!(ended.code, Some(0), "{ended:?}");
}

#[test]
fn what_cannot_be_meant_is_misuse() {
    for (more, cause, next) in [
        (&["--source", "rocketmq://h"][..], "names no topic", "GID_xxx_MQTT"),
        (&["--source", "rocketmq://u:hunter2@h/t"], "access keys", "--access-key-id"),
        (&["--source", "rocketmq://h/t", "--since", "soon"], "names no beginning", "`earliest`"),
        (&["--source", "rocketmq://h/t", "--tags", "a||b"], "that is no tag", "commas"),
        (&["--source", "rocketmq://h/t", "--consumer-group", "a b"], "names have", "console"),
        (&["--source", "amqp://h/"], "cannot be read to an end", "`presence watch`"),
        (&["--tags", "connect", "night.jsonl"], "change nothing", "add `--source`"),
        (&["--sasl", "plain", "night.jsonl"], "change nothing", "add `--source`"),
    ] {
        let ended = Presence::start([&["replay"], more].concat()).ended(DEADLINE);
        assert_eq!(ended.code, Some(2), "{more:?} {ended:?}");
        assert!(ended.err.contains(cause) && ended.err.contains(next), "{more:?} {}", ended.err);
        assert!(!ended.err.contains("hunter2"), "{}", ended.err);
    }
    for (more, cause, next) in [
        (&["--source", "rocketmq://h/t", "--source", "rocketmq://h:9876/t"][..], "twice", "once"),
        (&["--source", "amqp://h/", "--until", "1700000000000"], "keeps nothing", "`--for`"),
        (
            &["-b", "h", "--source", "rocketmq://h/t", "--until", "1700000000000"],
            "keeps nothing",
            "of their own",
        ),
        (&["--source", "rocketmq://h/t", "--until", "2026-11-24T02:00:00"], "no moment", "zone"),
        (&["--source", "rocketmq://h/t", "--since", "2", "--until", "1"], "not before", "exchange"),
        (&["--source", "rocketmq://h/t", "--shard", "3/2"], "parts of 2", "2/3"),
        (&["--source", "amqp://h/", "--shard", "1/2"], "without a topic", "`--share`"),
        (&["--source", "rocketmq://h/t", "--join"], "without a group", "--consumer-group"),
        (
            &["--source", "rocketmq://h/t", "--shard", "1/2", "--store", "memory"],
            "--store memory",
            "one store",
        ),
    ] {
        let ended = Presence::start([&["watch"], more].concat()).ended(DEADLINE);
        assert_eq!(ended.code, Some(2), "{more:?} {ended:?}");
        assert!(ended.err.contains(cause) && ended.err.contains(next), "{more:?} {}", ended.err);
    }
}
