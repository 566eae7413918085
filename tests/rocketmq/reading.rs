//! A topic, watched and read to its end.

use crate::disordered::disordered;
#[cfg(feature = "broker")]
use crate::pipeline;
use crate::scene::{Answer, Believed, Watch, believed, objects};
use crate::schema::{assert_valid, schema};
use crate::support::process::{DEADLINE, Ended, Presence};
use crate::support::remoting::{self, ask};
use crate::support::rocketmq::{ADMIN, Kind, READER, RocketMq, last_line, wait_ready};
use crate::{cluster, notice};
use presence::clock;
use presence::state::policy::Policy;
use presence::store::{Access, Batch, Position, Sqlite};
use std::fs;
use std::path::Path;
use tempfile::TempDir;

/// Returns the URL of a topic, by its name server or a proxy.
pub fn url(server: &str, topic: &str) -> String {
    format!("rocketmq://{server}/{topic}")
}

/// Returns a watcher of a topic, in JSON. Its store lies in its home.
fn watch(home: &Path, url: &str, more: &[&str]) -> Watch {
    watch_into(home, "watched.db", url, more)
}

fn watch_into(home: &Path, store: &str, url: &str, more: &[&str]) -> Watch {
    let line = ["watch", "--json", "--source", url, "--store", store];
    Watch::of(Presence::start_in(home, [&line[..], more].concat(), &[]))
}

/// Reads topics and files to their ends, and returns what is believed then.
pub fn read(home: &Path, more: &[&str]) -> (Believed, Ended) {
    let line = ["replay", "--json"];
    let ended = Presence::start_in(home, [&line[..], more].concat(), &[]).ended(DEADLINE * 2);
    assert!(ended.code.is_some_and(|code| code <= 1), "{ended:?}");
    (believed(&objects(&ended.out)), ended)
}

/// Asks the store about a client, as another process.
fn check(home: &Path, url: &str, client: &str) -> Answer {
    let instance = url.replace("127.0.0.1", "localhost");
    let line = ["check", client, "--json", "--evidence", "store", "--store", "watched.db"];
    let line = [&line[..], &["--instance", &instance]].concat();
    let ended = Presence::start_in(home, line, &[]).ended(DEADLINE);
    let object = objects(&ended.out).into_iter().next().unwrap_or_default();
    Answer { code: ended.code, object }
}

pub fn home() -> TempDir {
    TempDir::new().expect("a temporary folder can be made")
}

#[test]
#[ignore = "needs rocketmq"]
fn what_was_stored_and_what_comes_is_told_and_nothing_is_missed_in_an_absence() {
    let (cluster, home) = (cluster(), home());
    cluster.create_topic("GID_told_MQTT", 4);
    // The group stands for the topic of its notices.
    let url = url(&cluster.name_server(), "GID_told_MQTT");
    let send = |queue, client: &str, event: &str, channel: &str| {
        let body = notice(client, event, channel, clock::now().0);
        cluster.send("GID_told_MQTT", queue, event, body.as_bytes());
    };
    send(0, "pump", "connect", "p1");
    send(3, "valve", "connect", "v1");
    let mut watcher = watch(home.path(), &url.replace("_MQTT", ""), &[]);
    let known = watcher.object(|line| line["client"] == "valve");
    assert_eq!((&known["type"], &known["state"]), (&"verdict".into(), &"online".into()), "{known}");
    assert_eq!(known["instance"], url.replace("127.0.0.1", "localhost"), "{known}");

    send(1, "pump", "tcpclean", "p1");
    watcher.change("pump", "offline");
    // Of another tag, and no notice.
    cluster.send("GID_told_MQTT", 1, "other", b"{}");
    cluster.send("GID_told_MQTT", 1, "connect", b"no notice");
    send(1, "tank", "connect", "t1");
    watcher.change("tank", "online");
    assert_eq!(check(home.path(), &url, "tank").code, Some(0));
    watcher.process.kill();

    send(2, "tank", "tcpclean", "t1");
    send(2, "pump", "connect", "p2");
    let mut watcher = watch(home.path(), &url, &["--record", "heard.jsonl"]);
    watcher.object(|line| line["client"] == "valve");
    assert_eq!(check(home.path(), &url, "valve").code, Some(0), "it was never told of again");
    let mut second =
        watch_into(home.path(), "second.db", &url, &["--messages", "--since", "earliest"]);
    let message = second.object(|line| line["type"] == "message" && line["client"] == "valve");
    assert_eq!(
        (&message["queue"], &message["offset"]),
        (&"broker-a/3".into(), &0.into()),
        "{message}"
    );
    assert_eq!((&message["tag"], &message["reconsume_times"]), (&"connect".into(), &0.into()));
    assert_valid(&schema("message"), std::slice::from_ref(&message));
    second.finish();
    send(0, "valve", "disconnect", "v1");
    send(0, "valve", "tcpclean", "v1");
    watcher.change("valve", "offline");
    let (at_the_end, summary, _) = watcher.finish();
    assert_eq!((&summary["gaps"], &summary["malformed"]), (&0.into(), &0.into()), "{summary}");

    let (recorded, ended) = read(home.path(), &["heard.jsonl"]);
    assert_eq!(recorded, at_the_end, "{}", ended.err);
    let (again, ended) = read(home.path(), &["--source", &url]);
    let state = |of: &Believed, client: &str| of[client].clone();
    for client in ["pump", "valve", "tank"] {
        assert_eq!(state(&again, client), state(&at_the_end, client), "{client}");
    }
    assert!(ended.err.contains("LMQ notices in 9 messages"), "{}", ended.err);
    let aside =
        "1 message was set aside, the first is queue broker-a/1 of GID_told_MQTT, offset 2: ";
    assert!(ended.err.contains(aside) && ended.err.contains("no JSON object"), "{}", ended.err);
    let (later, _) = read(home.path(), &["--source", &url, "--since", "latest"]);
    assert_eq!(later, Believed::new());
}

#[test]
#[ignore = "needs rocketmq"]
fn what_is_stored_later_than_asked_for_is_left_for_the_next_one() {
    let (cluster, home) = (cluster(), home());
    cluster.create_topic("GID_until_MQTT", 2);
    let url = url(&cluster.name_server(), "GID_until_MQTT");
    let send = |client: &str| {
        for queue in 0..2 {
            let body = notice(&format!("{client}-{queue}"), "connect", "a", clock::now().0);
            cluster.send("GID_until_MQTT", queue, "connect", body.as_bytes());
        }
    };
    send("early");
    // While it is still to come, all is heard.
    let until = clock::now().0 + 3_000;
    let mut watcher = watch(home.path(), &url, &["--until", &until.to_string()]);
    watcher.object(|line| line["client"] == "early-0" && line["state"] == "online");
    send("due");
    watcher.change("due-1", "online");
    while clock::now().0 <= until {}
    send("late");
    let ended = watcher.process.ended(DEADLINE);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(ended.out.contains("due-0") && !ended.out.contains("late"), "{}", ended.out);
    assert_eq!(objects(&ended.out).last().expect("a summary")["gaps"], 0, "{}", ended.out);

    // What is past is read, and nobody is known to be there now.
    let moment = ["--until", &until.to_string()];
    let mut watcher = watch_into(home.path(), "other.db", &url, &moment);
    let ended = watcher.process.ended(DEADLINE);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let early = objects(&ended.out).into_iter().find(|line| line["client"] == "early-0");
    let early = early.expect("it was told of");
    assert_eq!(
        (&early["state"], &early["last_known"]["state"]),
        (&"unknown".into(), &"online".into())
    );
    assert!(!ended.out.contains("late"), "{}", ended.out);

    let (_, summary, ended) = {
        let mut watcher = watch(home.path(), &url, &[]);
        watcher.object(|line| line["client"] == "late-1" && line["state"] == "online");
        watcher.finish()
    };
    assert_eq!((&summary["gaps"], &summary["events"]), (&0.into(), &2.into()), "{}", ended.out);
}

#[test]
#[ignore = "needs rocketmq"]
fn what_is_stored_no_longer_is_a_hole_that_is_said() {
    let (cluster, home) = (cluster(), home());
    cluster.create_topic("GID_hole_MQTT", 2);
    let url = url(&cluster.name_server(), "GID_hole_MQTT");
    let send = |queue, client: &str, event: &str| {
        let body = notice(client, event, "a", clock::now().0);
        cluster.send("GID_hole_MQTT", queue, event, body.as_bytes());
    };
    send(0, "pump", "connect");
    send(1, "valve", "connect");
    let mut watcher = watch(home.path(), &url, &[]);
    watcher.object(|line| line["client"] == "valve" && line["state"] == "online");
    watcher.finish();
    // As if three more had been stored before the first one that is.
    let instance = url.replace("127.0.0.1", "localhost");
    let place = home.path().join("watched.db");
    let mut store = Sqlite::open(&place, Access::Write, &Policy::DEFAULT).expect("it is ours");
    let positions = vec![Position { queue: "broker-a/0", next: -3 }];
    store.commit(&instance, &Batch { positions, ..Batch::default() }).expect("committed");
    store.close().expect("closed");

    let mut watcher = watch(home.path(), &url, &[]);
    watcher.said("queue broker-a/0: 3 messages, -3 to -1, are no longer stored");
    for client in ["pump", "valve"] {
        watcher.object(|line| line["client"] == client && line["state"] == "unknown");
    }
    send(0, "tank", "connect");
    watcher.change("tank", "online");
    let (believed, summary, _) = watcher.finish();
    assert_eq!((&*believed["pump"].0, &summary["gaps"]), ("unknown", &1.into()), "{summary}");
}

#[test]
#[ignore = "needs rocketmq"]
fn a_broker_that_is_not_known_any_more_may_hold_what_nobody_has_read() {
    let (cluster, home) = (cluster(), home());
    cluster.create_topic("GID_gone_MQTT", 1);
    let url = url(&cluster.name_server(), "GID_gone_MQTT");
    let instance = url.replace("127.0.0.1", "localhost");
    let place = home.path().join("watched.db");
    let mut store = Sqlite::open(&place, Access::Write, &Policy::DEFAULT).expect("it is ours");
    let positions = vec![Position { queue: "broker-b/0", next: 7 }];
    store.commit(&instance, &Batch { positions, ..Batch::default() }).expect("committed");
    store.close().expect("closed");
    let line = ["watch", "--source", &url, "--store", "watched.db", "--timeout", "1s"];
    let ended = Presence::start_in(home.path(), line, &[]).ended(DEADLINE);
    assert_eq!(ended.code, Some(4), "{ended:?}");
    assert!(ended.err.contains("\"broker-b/0\", which was read before"), "{}", ended.err);
    assert!(ended.err.contains("`presence store forget-queues`"), "{}", ended.err);

    let line = ["store", "forget-queues", "--store", "watched.db", "--instance", &instance];
    for (code, said) in [(0, "1 queue of rocketmq://localhost"), (4, "no queue of")] {
        let ended = Presence::start_in(home.path(), line, &[]).ended(DEADLINE);
        assert_eq!(ended.code, Some(code), "{ended:?}");
        assert!((ended.out + &ended.err).contains(said));
    }
    watch(home.path(), &url, &[]).said("is known yet");
}

#[test]
#[ignore = "needs rocketmq"]
fn an_application_misses_nothing_of_what_is_read_here_too() {
    // Its own: which groups there are is compared, and other tests make theirs.
    let (cluster, home) = (RocketMq::start(), home());
    cluster.create_topic("GID_shared_MQTT", 4);
    let topic = ("topic", "GID_shared_MQTT");
    let url = url(&cluster.name_server(), "GID_shared_MQTT");
    let consumer = [topic, ("group", "application"), ("count", "2000")];
    let mut application = cluster.program("Consume", &consumer);
    wait_ready(&application);
    let groups = cluster.groups();
    let mut watcher = watch(home.path(), &url, &["--client", "none"]);
    watcher.said("is known yet");
    cluster.produce(&[topic, ("count", "2000"), ("devices", "100")]);
    read(home.path(), &["--source", &url]);

    let told = last_line(&mut application);
    assert_eq!((&told["messages"], &told["different"]), (&2_000.into(), &2_000.into()), "{told}");
    let (_, summary, _) = watcher.finish();
    assert_eq!(summary["events"], 2_000, "{summary}");
    for queue in 0..4 {
        let committed = cluster.committed("application", "GID_shared_MQTT", queue);
        assert_eq!(committed, told["committed"][&queue.to_string()].as_u64(), "{told}");
    }
    let committed = cluster.committed_by();
    assert!(committed.contains("GID_shared_MQTT@application"), "{committed}");
    assert!(!committed.contains("TOOLS_CONSUMER"), "{committed}");
    assert_eq!(cluster.groups(), groups, "no group is left behind");
    assert!(cluster.members("TOOLS_CONSUMER").is_empty());
}

#[test]
#[ignore = "needs rocketmq"]
fn bodies_are_expanded_and_tags_compared_by_their_text() {
    let (cluster, home) = (cluster(), home());
    cluster.create_topic("GID_forms_MQTT", 1);
    let url = url(&cluster.name_server(), "GID_forms_MQTT");
    for (number, kind) in ["zlib", "lz4", "zstd"].into_iter().enumerate() {
        let client = format!("{kind}-{number}");
        let file = home.path().join(kind);
        fs::write(&file, notice(&client, "connect", kind, clock::now().0)).expect("room");
        let file = file.display().to_string();
        let settings = [("from", &*file), ("compression", kind), ("topic", "GID_forms_MQTT")];
        cluster.produce(&settings);
    }
    // Java has the same hash for both: the broker takes one for the other.
    let body = notice("alike", "connect", "a", clock::now().0);
    cluster.send("GID_forms_MQTT", 0, "BB", body.as_bytes());
    cluster.send_as("GID_forms_MQTT", 0, "connect", b"?", 0x501);
    let (found, ended) = read(home.path(), &["--source", &url]);
    let found: Vec<&str> = found.keys().map(String::as_str).collect();
    assert_eq!(found, ["lz4-1", "zlib-0", "zstd-2"], "{}", ended.err);
    assert!(ended.err.contains("compressed in a way that is not known here"), "{}", ended.err);
    let (found, _) = read(home.path(), &["--source", &url, "--tags", "Aa"]);
    assert_eq!(found, Believed::new());
    let (found, _) = read(home.path(), &["--source", &url, "--tags", "*"]);
    assert_eq!(found.len(), 4);
}

#[test]
#[ignore = "needs rocketmq"]
fn who_may_not_search_finds_the_time_by_looking_and_a_wrong_secret_is_said() {
    let cluster = RocketMq::of_kind(Kind { has_authentication: true, ..Kind::default() });
    let home = home();
    cluster.create_topic("GID_kept_MQTT", 1);
    cluster.let_read("GID_kept_MQTT", "watchers");
    let mut since = 0;
    for number in 0..40 {
        if number == 25 {
            since = clock::now().0 + 1;
            while clock::now().0 <= since {}
        }
        let body = notice(&format!("c{number}"), "connect", "a", clock::now().0);
        cluster.send("GID_kept_MQTT", 0, "connect", body.as_bytes());
    }
    fs::write(home.path().join("secret"), READER.secret).expect("room");
    fs::write(home.path().join("wrong"), "wrong").expect("room");
    let proxy = cluster.start_proxy();
    let since = since.to_string();
    for port in [cluster.name_port(), proxy.port()] {
        let url = url(&format!("127.0.0.1:{port}"), "GID_kept_MQTT");
        let source = ["--source", &url, "--consumer-group", "watchers"];
        let key = ["--access-key-id", READER.key, "--access-key-secret-file"];
        let (found, _) = read(home.path(), &[&source[..], &key, &["secret"]].concat());
        assert_eq!(found.len(), 40, "{port}");
        let late = [&source[..], &key, &["secret", "--since", &since]].concat();
        let (found, ended) = read(home.path(), &late);
        assert_eq!(found.len(), 15, "{port} {}", ended.err);
        for (more, cause) in [
            (&[&source[..], &key, &["wrong"]].concat()[..], "the secret is not that of"),
            (&source, "wants to know who asks"),
        ] {
            let line = [&["replay", "--json"], more].concat();
            let ended = Presence::start_in(home.path(), line, &[]).ended(DEADLINE);
            assert_eq!(ended.code, Some(4), "{port} {ended:?}");
            assert!(ended.err.contains(cause), "{port} {}", ended.err);
        }
    }
    // What the programs of Java rest on, and what makes the refusals above the servers' own.
    let pull = [("consumerGroup", "watchers"), ("topic", "GID_kept_MQTT"), ("queueId", "0")];
    let pull = [&pull[..], &[("queueOffset", "0"), ("maxMsgNums", "1"), ("sysFlag", "4")]].concat();
    let pulled = |account| ask(cluster.broker_port(), account, 11, &pull, b"").expect("it answers");
    assert_eq!(pulled(Some(ADMIN)).code, 0);
    assert_eq!(pulled(Some(remoting::Account { secret: "wrong", ..READER })).code, 16);
}

#[test]
#[ignore = "needs rocketmq"]
fn an_encrypted_name_server_is_believed_if_somebody_vouches_for_it() {
    let (cluster, home) = (cluster(), home());
    cluster.create_topic("GID_tls_MQTT", 1);
    let body = notice("pump", "connect", "a", clock::now().0);
    cluster.send("GID_tls_MQTT", 0, "connect", body.as_bytes());
    let url = url(&cluster.name_server(), "GID_tls_MQTT").replace("rocketmq:", "rocketmq+ssl:");
    let line = ["replay", "--source", &url, "--timeout", "2s"];
    let ended = Presence::start_in(home.path(), line, &[]).ended(DEADLINE);
    assert_eq!(ended.code, Some(4), "{ended:?}");
    assert!(ended.err.contains("certificate"), "{}", ended.err);
    let (found, _) = read(home.path(), &["--source", &url, "--insecure"]);
    assert_eq!(found["pump"].0, "online");
}

const NOTICES: usize = 100_000;
const DEVICES: usize = 2_000;

#[test]
#[ignore = "needs rocketmq"]
fn a_broker_that_is_killed_in_the_middle_changes_no_verdict() {
    // Headers of RocketMQ's own format, so that these are read in earnest too.
    let kind = Kind { has_binary_headers: true, makes_topics: true, ..Kind::default() };
    let mut cluster = RocketMq::of_kind(kind);
    let home = home();
    #[cfg(feature = "broker")]
    pipeline::tells_of_a_device_in_a_topic_that_nobody_made(&cluster, home.path());
    cluster.create_topic("GID_many_MQTT", 8);
    let lines = disordered(NOTICES, DEVICES);
    let (first, second) = lines.split_at(lines.len() / 2);
    let send = |cluster: &RocketMq, name: &str, lines: &[String]| {
        let file = home.path().join(name);
        fs::write(&file, lines.concat()).expect("the disk has room");
        let settings = [("topic", "GID_many_MQTT"), ("from", &file.display().to_string())];
        let sent = cluster.produce(&[&settings[..], &[("queue", "round")]].concat());
        assert_eq!(sent["sent"], lines.len(), "{sent}");
    };
    let url = url(&cluster.name_server(), "GID_many_MQTT");
    let mut watcher = watch(home.path(), &url, &["--client", "none"]);
    watcher.said("is known yet");
    send(&cluster, "first.jsonl", first);
    cluster.kill_broker();
    watcher.said("trying again");
    cluster.restart_broker();
    send(&cluster, "second.jsonl", second);
    // Whatever the watcher was told twice or late: at its end all is as if it had come in one piece.
    let (expected, _) = read(home.path(), &["first.jsonl", "second.jsonl"]);
    assert_eq!(expected.len(), DEVICES);
    let (again, _) = read(home.path(), &["--source", &url]);
    assert_eq!(again, expected);
    cluster.send(
        "GID_many_MQTT",
        0,
        "connect",
        notice("none", "connect", "end", clock::now().0).as_bytes(),
    );
    watcher.change("none", "online");
    let instance = url.replace("127.0.0.1", "localhost");
    let line = ["check", "--match", "GID_many@@@*", "--json", "--evidence", "store"];
    let line = [&line[..], &["--store", "watched.db", "--instance", &instance]].concat();
    let ended = Presence::start_in(home.path(), line, &[]).ended(DEADLINE);
    assert_eq!(believed(&objects(&ended.out)), expected, "{}", ended.err);
    let (_, summary, _) = watcher.finish();
    assert_eq!((&summary["gaps"], &summary["malformed"]), (&0.into(), &0.into()), "{summary}");
}
