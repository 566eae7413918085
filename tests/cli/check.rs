//! `check`: what it answers from a store, and what it says when nobody can be asked.

use crate::run::recording::{BROKER, first_run, second_run, text};
use crate::run::{Home, T, lines, notice};
use serde_json::{Value, json};
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

const STORE: &str = "--evidence store -b broker.example";

/// A home whose store has taken a night in.
fn watched() -> Home {
    let home = Home::with("night.jsonl", text(&[first_run(), second_run()].concat()));
    assert_eq!(home.run("store import -q night.jsonl").code, 0);
    home
}

#[test]
fn an_imported_night_is_no_present() {
    let home = watched();

    let run = home.run(&format!("check a {STORE} --json"));

    assert_eq!((run.code, &*run.err), (3, ""));
    let verdict = run.objects().swap_remove(0);
    assert_eq!(verdict["state"], "unknown");
    assert_eq!((&verdict["online"], &verdict["covered"]), (&Value::Null, &json!(false)));
    let known = json!({
        "state": "online", "channel": "c1", "since_ms": T + 1_000, "until_ms": T + 20_000,
        "reason": "silent",
    });
    assert_eq!(verdict["last_known"], known);
    assert_eq!(verdict["evidence"][0]["voice"], "lmq");
    let line = "a  unknown  was online until 2025-10-09T08:53:40.000Z: \
                no one has listened since 2025-10-09T08:54:30.000Z\n";
    home.run(&format!("check a {STORE}")).is(3, line, "");
}

#[test]
fn plain_logs_are_never_covered_in_a_store() {
    let home = Home::with("a.jsonl", lines(&[notice("a", 0, "connect", "c")]));
    assert_eq!(home.run("store import -q a.jsonl --instance broker.example:1883").code, 0);

    let run = home.run(&format!("check a {STORE} --json"));

    assert_eq!((run.code, &*run.err), (3, ""));
    let verdict = run.objects().swap_remove(0);
    assert_eq!((&verdict["state"], &verdict["covered"]), (&json!("unknown"), &json!(false)));
    assert_eq!(verdict["last_known"]["state"], "online");
    assert_eq!(verdict["last_known"]["reason"], "never-listened");
    home.run(&format!("check a {STORE}")).is(
        3,
        "a  unknown  was online: nobody is listening\n",
        "",
    );
}

#[test]
fn a_recording_that_has_just_ended_is_no_present_either() {
    let mut lines = first_run();
    #[expect(clippy::disallowed_methods, reason = "the binary reads the clock as well")]
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("it is past 1970").as_millis();
    lines[4]["heard_ms"] = json!(u64::try_from(now).expect("it is no year beyond reason"));
    lines[4]["patience_ms"] = json!(131_072_000);
    let home = Home::with("night.jsonl", text(&lines));
    assert_eq!(home.run("store import -q night.jsonl").code, 0);

    let run = home.run(&format!("check a {STORE} --json"));

    assert_eq!((run.code, &*run.err), (3, ""));
    assert_eq!(run.objects()[0]["last_known"]["state"], "online");
    assert_eq!(home.run("store info --json").objects()[0]["listening"], false);
}

#[test]
fn ids_come_as_arguments_and_from_standard_input_in_the_order_asked() {
    let home = watched();
    let words: Vec<&str> =
        ["check", "c", "--fleet", "-", "--json"].into_iter().chain(STORE.split(' ')).collect();

    let run = home.run_with(&words, "b\r\n\n泵\nb\nlast, no newline", &[]);

    assert_eq!((run.code, &*run.err), (3, ""));
    let clients: Vec<String> = run.states().into_iter().map(|(client, _)| client).collect();
    assert_eq!(clients, ["c", "b", "泵", "b", "last, no newline"]);

    home.write("ids", "a\nc\n");
    let run = home.run(&format!("check --fleet ids {STORE}"));
    assert_eq!((run.code, run.out.lines().count()), (3, 2), "{}", run.err);
}

#[test]
fn a_list_of_ids_that_cannot_be_used_is_said_so() {
    let home = watched();
    home.write("empty", "\n\n");
    home.write("latin1", b"a\n\xfc\n");
    home.run(&format!("check --fleet empty {STORE}")).failed(2, "no client id to ask about");
    let run = home.run(&format!("check --fleet latin1 {STORE}"));
    assert_eq!((run.code, &*run.out), (2, ""));
    assert!(run.err.starts_with("error: latin1, line 2: not UTF-8\n  cause: "), "{}", run.err);
    let run = home.run(&format!("check --fleet missing {STORE}"));
    assert_eq!((run.code, &*run.out), (4, ""));
    assert!(run.err.starts_with("error: could not read the ids in `missing`\n"), "{}", run.err);
}

#[test]
fn unknown_names_the_brokers_that_know_the_id() {
    let home = watched();
    home.write("zoo.jsonl", lines(&[notice("a", 0, "connect", "c")]));
    assert_eq!(home.run("store import -q zoo.jsonl --instance zoo:1883").code, 0);

    home.run("check a b --evidence store -b elsewhere").is(
        3,
        "a  unknown  no evidence  known elsewhere: broker.example:1883, zoo:1883\n\
         b  unknown  no evidence  known elsewhere: broker.example:1883\n",
        "",
    );
    let run = home.run("check a --json --evidence store -b elsewhere");
    assert_eq!(run.objects()[0]["elsewhere"], json!([BROKER, "zoo:1883"]));
    assert_eq!(run.objects()[0]["last_known"], Value::Null);
    home.run("check nobody --evidence store -b elsewhere").is(
        3,
        "nobody  unknown  no evidence\n",
        "",
    );
}

#[test]
fn the_evidence_is_explained() {
    let home = watched();
    let run = home.run(&format!("check a {STORE} --explain"));
    assert_eq!((run.code, &*run.err), (3, ""));
    for told in ["broker: broker.example:1883", "lmq", "c1", "192.0.2.1:50001", "asked: store: "] {
        assert!(run.out.contains(told), "`{told}` is not in:\n{}", run.out);
    }
}

#[test]
fn without_a_store_and_without_a_broker_nobody_could_be_asked() {
    let home = Home::new();
    home.run("check a --evidence store").failed(4, "no source could be asked");
    home.run("check a --evidence store --store memory").failed(4, "no source could be asked");
}

#[test]
fn a_broker_that_cannot_be_reached_is_said_with_what_to_do() {
    let free =
        TcpListener::bind("127.0.0.1:0").expect("a port is free").local_addr().expect("bound");
    let home = Home::new();
    for (url, cause) in [
        (
            "mqtt://no-such-host.invalid".to_owned(),
            "the host \"no-such-host.invalid\" is not known",
        ),
        (format!("mqtt://{free}"), "connection refused"),
        (format!("ws://{free}"), "connection refused"),
    ] {
        for command in ["check a --timeout 1s", "watch --timeout 1s --store memory"] {
            let run = home.run(&format!("{command} -b {url}"));
            run.failed(4, "could not connect to ");
            let told = run.err.contains(&format!("\n  cause: {cause}"));
            assert!(told, "{command} {url}: {}", run.err);
        }
    }
}

#[test]
fn a_broker_that_cannot_be_reached_is_no_failure_while_a_store_answers() {
    let home = watched();

    let run = home.run("check a --timeout 500ms -b 127.0.0.1:1 --instance broker.example:1883");

    assert_eq!(run.code, 3, "{}", run.err);
    assert!(run.out.starts_with("a  unknown  was online until "), "{}", run.out);
    assert!(run.err.starts_with("warning: could not ask `the broker`: "), "{}", run.err);
}

#[test]
fn a_port_that_speaks_http_is_recognised() {
    let server = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let port = server.local_addr().expect("it is bound").port();
    let calls = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&calls);
    // It ends with the process of the test.
    std::thread::spawn(move || {
        for caller in server.incoming() {
            let Ok(mut caller) = caller else { continue };
            let answer = "HTTP/1.1 400 Bad Request\r\nServer: nginx/1.22.1\r\n\
                Date: Tue, 24 Nov 2026 14:05:07 GMT\r\nContent-Type: text/html\r\n\
                Content-Length: 0\r\nConnection: close\r\n\r\n";
            if caller.read(&mut [0; 64]).is_ok() && caller.write_all(answer.as_bytes()).is_ok() {
                counted.fetch_add(1, Ordering::Relaxed);
            }
        }
    });

    let run = Home::new().run(&format!("check a --timeout 1s -b mqtt://127.0.0.1:{port}"));

    run.failed(4, &format!("could not connect to mqtt://127.0.0.1:{port}"));
    assert!(run.err.to_lowercase().contains("http"), "{}", run.err);
    assert!(calls.load(Ordering::Relaxed) > 0, "nobody called");
}

#[test]
fn what_cannot_be_meant_is_a_misuse_before_anybody_is_asked() {
    let home = Home::new();
    for (options, what) in [
        ("-b http://h", "`--broker http://h` is no address of a broker"),
        ("-b amqp://h", "is no address of a broker"),
        ("-b mqtt://", "it names no host"),
        ("-b mqtt://h:0", "its port is no number from 1 to 65535"),
        ("-b mqtt://h:70000", "its port is no number from 1 to 65535"),
        ("-b mqtt://h/path", "it has a path, which only a WebSocket has"),
        ("-b ::1:1883", "an IPv6 address without brackets"),
        ("-b a -b b", "this command talks to one broker"),
        ("-b mqtt://h --insecure", "`--insecure` needs an encrypted connection"),
        ("-b ws://h --cafile x", "`--cafile` needs an encrypted connection"),
        ("--keepalive 70000", "`--keepalive 70000` is longer than MQTT can carry (65535s, 18h 12m"),
        ("--keepalive 70000s", "is longer than MQTT can carry"),
        ("--keepalive soon", "`--keepalive soon` is no duration"),
        ("--keepalive 1500ms", "no whole number of seconds"),
        ("--client-id=", "`--client-id` cannot be used as given"),
        ("--instance=", "`--instance` cannot be used as given"),
        ("-b mqtt://:token@h", "but no user"),
        ("--topic a/#/b", "could not use the options of the dialects"),
        ("--status-topic no/client", "could not use the options of the dialects"),
        ("--status-json state", "`--status-json state` is no JSON pointer"),
        ("--status-online x --status-offline X", "cannot mean both online and offline"),
        ("--time-zone Nowhere", "`--time-zone Nowhere` is no zone"),
    ] {
        home.run(&format!("check a {options}")).failed(2, what);
    }
}

#[test]
fn a_keep_alive_is_read_with_and_without_unit() {
    let home = watched();
    for keepalive in ["0", "30", "30s", "1m", "65535", "18h"] {
        let run = home.run(&format!("check a {STORE} -k {keepalive}"));
        assert_eq!((run.code, &*run.err), (3, ""), "{keepalive}");
    }
}

#[test]
fn a_password_in_the_url_works_and_is_warned_of_and_never_shown() {
    let home = watched();
    let run = home.run("check a --evidence store -b mqtt://ann:hunter2@broker.example");
    assert_eq!(run.code, 3);
    assert!(run.err.starts_with("warning: the password"), "{}", run.err);
    assert!(!(run.out + &run.err).contains("hunter2"));
    let run = home.run("check a -b http://ann:hunter2@broker.example");
    assert_eq!(run.code, 2);
    assert!(!run.err.contains("hunter2"), "{}", run.err);
}
