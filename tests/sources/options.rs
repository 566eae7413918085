//! Options that do not go together, and what is said of them.

use crate::support::process::{DEADLINE, Presence};
use std::net::TcpListener;

#[track_caller]
fn refused(line: &[&str], code: i32, what: &str, next: &str) {
    let ended = Presence::start([&["watch"], line].concat()).ended(DEADLINE);
    assert_eq!(ended.code, Some(code), "{ended:?}");
    assert!(ended.err.contains(what) && ended.err.contains(next), "{}", ended.err);
    assert!(!ended.err.contains("hunter2"), "{}", ended.err);
}

#[test]
fn what_cannot_be_done_is_said_with_what_to_do() {
    let source = ["--source", "amqp://u:hunter2@127.0.0.1:1/"];
    for (more, what, next) in [
        (&["--share", "g"][..], "only subscriptions of MQTT are shared", "a command of its own"),
        (&["--keepalive", "0"], "dead line from a quiet one", "at least 1s"),
        (&["--source", "amqp://127.0.0.1:1"], "twice", "once"),
        (
            &["--source", "stomp://h", "--instance", "x"],
            "cannot stand for two",
            "leave `--instance`",
        ),
        (&["--cafile", "/nowhere"], "needs an encrypted connection", "`amqps://`"),
        (&["--source", "mqtt://h"], "no other source", "`--broker`"),
        (&["--listen-webhook", "0.0.0.0:1"], "other machines", "secret-file"),
        (&["--listen-webhook", "here"], "no address", "127.0.0.1:8080"),
    ] {
        refused(&[&source, more].concat(), 2, what, next);
    }
    let key = [
        "--access-key-id",
        "Y",
        "--access-key-secret-file",
        "/dev/null",
        "--may-take-messages",
        "--aliyun-instance",
        "i",
    ];
    for (url, more, what, next) in [
        ("aliyun-amqp://h/GID_a", &[][..], "would take messages away", "`--may-take-messages`"),
        ("aliyun-amqp://h/GID_a", &["--may-take-messages"], "which instance", "--aliyun-instance"),
        (
            "aliyun-amqp://h/",
            &["--may-take-messages"],
            "which group",
            "aliyun-amqp://HOST/GID_demo",
        ),
        ("aliyun-amqp://h/a/b?c", &["--may-take-messages"], "has a query", "leave out"),
        (
            "aliyun-amqp://u:hunter2@h/GID_a",
            &["--may-take-messages"],
            "a user",
            "`--access-key-id`",
        ),
        (
            "aliyun-amqp://i-server-internet.mqtt.aliyuncs.com/GID_a",
            &["--may-take-messages"],
            "needs an access key",
            "`--access-key-secret-file`",
        ),
    ] {
        refused(&[&["--source", url], more].concat(), 2, what, next);
    }
    refused(
        &[&["--source", "aliyun-amqp://h/GID_a"], &key[..]].concat(),
        4,
        "password",
        "/dev/null",
    );
    refused(&source, 4, "connection refused by 127.0.0.1:1", "plugin or connector");
    refused(&["--source", "amqps://127.0.0.1:1", "--cafile", "/nowhere"], 4, "/nowhere", "PEM");
}

#[test]
fn a_port_that_is_taken_is_said_so() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("loopback has a free port");
    let address = taken.local_addr().expect("it is bound").to_string();
    refused(&["--listen-webhook", &address], 4, "could not listen for webhooks", "another port");
}

#[test]
fn what_is_configured_is_shown_without_its_secret() {
    let line = ["watch", "--print-config", "--source", "amqp://u:hunter2@h:1/"];
    let ended = Presence::start(line).ended(DEADLINE);
    assert!(ended.out.contains("amqp://…@h:1/") && !ended.out.contains("hunter2"), "{}", ended.out);
}
