//! A RocketMQ 4.9.7, which differs in what it answers, and in when it answers nothing.

use crate::notice;
use crate::scene::{Believed, Watch, believed, objects};
use crate::support::process::{DEADLINE, Ended, Presence};
use crate::support::remoting::{Account, ask, name_server};
use crate::support::rocketmq::{ADMIN, Kind, READER, RocketMq};
use presence::clock;
use std::fs;
use std::path::Path;
use tempfile::TempDir;

const TOPIC: &str = "GID_old_MQTT";
const KEY: [&str; 4] = ["--access-key-id", READER.key, "--access-key-secret-file", "secret"];

fn run(home: &Path, server: &str, topic: &str, more: &[&str]) -> Ended {
    let url = format!("rocketmq://{server}/{topic}");
    let line = [&["replay", "--json", "--source", &url], more].concat();
    Presence::start_in(home, line, &[]).ended(DEADLINE)
}

fn read(home: &Path, server: &str, more: &[&str]) -> Believed {
    let ended = run(home, server, TOPIC, &[&KEY, more].concat());
    assert_eq!(ended.code, Some(0), "{ended:?}");
    believed(&objects(&ended.out))
}

#[test]
#[ignore = "needs rocketmq"]
fn an_old_rocketmq_is_read_as_a_new_one_and_what_it_refuses_is_said() {
    let cluster =
        RocketMq::of_kind(Kind { is_old: true, has_authentication: true, ..Kind::default() });
    let home = TempDir::new().expect("a temporary folder can be made");
    for (name, secret) in [("secret", READER.secret), ("wrong", "wrong")] {
        fs::write(home.path().join(name), secret).expect("the disk has room");
    }
    cluster.create_topic(TOPIC, 2);
    let send = |queue, client: &str, event: &str| {
        let body = notice(client, event, client, clock::now().0);
        cluster.send(TOPIC, queue, event, body.as_bytes());
    };
    let server = cluster.name_server();
    let url = format!("rocketmq://{server}/{TOPIC}");
    send(0, "pump", "connect");
    let line = ["watch", "--json", "--source", &url, "--store", "watched.db"];
    let line = [&line[..], &KEY].concat();
    let mut watch = Watch::of(Presence::start_in(home.path(), line, &[]));
    watch.known("pump");
    send(1, "valve", "connect");
    watch.change("valve", "online");
    send(0, "pump", "tcpclean");
    watch.change("pump", "offline");
    let (known, summary, _) = watch.finish();
    assert_eq!((&summary["gaps"], &summary["malformed"]), (&0.into(), &0.into()), "{summary}");
    assert_eq!(read(home.path(), &server, &[]), known);

    // After all that is stored, it names the last one and not the end; from there at most that one is read again.
    let since = clock::now().0 + 60_000;
    let stored = ["0", "1"].map(|queue| {
        let since = since.to_string();
        let fields = [("topic", TOPIC), ("queueId", queue), ("timestamp", &since)];
        let found = ask(cluster.broker_port(), Some(ADMIN), 29, &fields, b"").expect("it answers");
        found.fields["offset"].clone()
    });
    assert_eq!(stored, ["1", "0"]);
    let late = read(home.path(), &server, &["--since", &since.to_string()]);
    assert!(late.keys().all(|client| known.contains_key(client)), "{late:?}");
    assert_eq!(read(home.path(), &server, &["--since", "latest"]), Believed::new());

    let broker = format!("127.0.0.1:{}", cluster.broker_port());
    // It answers nothing at all to a pull at the name server.
    let elsewhere = name_server(&server);
    let wrong = [&KEY[..3], &["wrong"]].concat();
    for (server, topic, more, cause) in [
        (&server, "GID_none", &KEY[..], "not known there, or its broker is down"),
        (&broker, TOPIC, &KEY, "is no name server"),
        (&elsewhere, "GID_FIX", &[&KEY[..], &["--timeout", "1s"]].concat(), "nothing came for 1s"),
        (&server, TOPIC, &wrong, "the secret is not that of"),
        (&server, TOPIC, &[], "wants to know who asks"),
    ] {
        let ended = run(home.path(), server, topic, more);
        assert_eq!(ended.code, Some(4), "{server} {ended:?}");
        assert!(ended.err.contains(cause), "{server}: {}", ended.err);
    }
    let pull = [("consumerGroup", "x"), ("topic", TOPIC), ("queueId", "0"), ("queueOffset", "0")];
    let pull = [&pull[..], &[("maxMsgNums", "1"), ("sysFlag", "4")]].concat();
    let wrong = Account { secret: "wrong", ..READER };
    let refused = ask(cluster.broker_port(), Some(wrong), 11, &pull, b"").expect("it answers");
    assert_eq!(refused.code, 1, "{refused:?}");
}
