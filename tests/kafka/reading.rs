//! A topic, watched and read to its end.

use crate::disordered::disordered;
use crate::scene::{Believed, Watch, believed, notice, objects};
use crate::schema::{assert_valid, schema};
use crate::server;
use crate::support::kafka::{Kafka, PASSWORD, SCRAM_USER, USER};
use crate::support::process::{DEADLINE, Ended, Presence};
use presence::clock;
use serde_json::{Value, json};
use std::fs;
use std::path::Path;
use tempfile::TempDir;

/// What is bridged here are notices, as others bring them.
const LMQ: [&str; 2] = ["--dialect", "lmq"];

/// Returns a watcher of a topic, in JSON. Its store lies in its home.
fn watch(home: &Path, url: &str, more: &[&str]) -> Watch {
    watch_into(home, "watched.db", url, more)
}

fn watch_into(home: &Path, store: &str, url: &str, more: &[&str]) -> Watch {
    let line = ["watch", "--json", "--source", url, "--store", store];
    Watch::of(Presence::start_in(home, [&line[..], &LMQ, more].concat(), &[]))
}

fn replay(home: &Path, more: &[&str]) -> Ended {
    let line = ["replay", "--json"];
    Presence::start_in(home, [&line[..], &LMQ, more].concat(), &[]).ended(DEADLINE * 2)
}

/// Reads topics and files to their ends, and returns what is believed then.
fn read(home: &Path, more: &[&str]) -> (Believed, Ended) {
    let ended = replay(home, more);
    assert!(ended.code.is_some_and(|code| code <= 1), "{ended:?}");
    (believed(&objects(&ended.out)), ended)
}

/// Asks the store about clients, as another process.
fn check(home: &Path, url: &str, about: &[&str]) -> Ended {
    let instance = url.replace("127.0.0.1", "localhost");
    let line = ["--json", "--evidence", "store", "--store", "watched.db", "--instance", &instance];
    Presence::start_in(home, [&["check"], about, &line].concat(), &[]).ended(DEADLINE)
}

fn home() -> TempDir {
    TempDir::new().expect("a temporary folder can be made")
}

fn send(kafka: &Kafka, topic: &str, partition: u32, (client, event, channel): (&str, &str, &str)) {
    let value = notice(client, event, channel, clock::now().0);
    kafka.send(topic, &[&value], &json!({"partition": partition, "key": client}));
}

#[test]
#[ignore = "needs kafka"]
fn what_was_stored_and_what_comes_is_told_and_nothing_is_missed_in_an_absence() {
    let (kafka, home) = (server(), home());
    kafka.create_topic("told", 4);
    let url = kafka.url("told");
    send(&kafka, "told", 0, ("pump", "connect", "p1"));
    send(&kafka, "told", 3, ("valve", "connect", "v1"));
    let mut watcher = watch(home.path(), &url, &[]);
    let known = watcher.object(|line| line["client"] == "valve");
    assert_eq!((&known["type"], &known["state"]), (&"verdict".into(), &"online".into()), "{known}");
    assert_eq!(known["instance"], url.replace("127.0.0.1", "localhost"), "{known}");

    send(&kafka, "told", 1, ("pump", "tcpclean", "p1"));
    watcher.change("pump", "offline");
    // No notice, and one that has others removed.
    let values =
        json!({"do": "send", "topic": "told", "values": ["no notice", null], "partition": 1});
    kafka.act(&values);
    send(&kafka, "told", 1, ("tank", "connect", "t1"));
    watcher.change("tank", "online");
    assert_eq!(check(home.path(), &url, &["tank"]).code, Some(0));
    watcher.process.kill();

    send(&kafka, "told", 2, ("tank", "tcpclean", "t1"));
    send(&kafka, "told", 2, ("pump", "connect", "p2"));
    let mut watcher = watch(home.path(), &url, &[]);
    watcher.object(|line| line["client"] == "valve");
    assert_eq!(check(home.path(), &url, &["valve"]).code, Some(0), "it was never told of again");
    let details = ["--messages", "--since", "earliest"];
    let mut second = watch_into(home.path(), "second.db", &url, &details);
    let message = second.object(|line| line["type"] == "message" && line["client"] == "valve");
    assert_eq!((&message["queue"], &message["offset"]), (&"3".into(), &0.into()), "{message}");
    assert_eq!((&message["keys"], &message["message_id"]), (&"valve".into(), &json!(null)));
    assert_valid(&schema("message"), std::slice::from_ref(&message));
    second.finish();
    send(&kafka, "told", 0, ("valve", "disconnect", "v1"));
    send(&kafka, "told", 0, ("valve", "tcpclean", "v1"));
    watcher.change("valve", "offline");
    let (at_the_end, summary, _) = watcher.finish();
    assert_eq!((&summary["gaps"], &summary["malformed"]), (&0.into(), &0.into()), "{summary}");

    let (again, ended) = read(home.path(), &["--source", &url]);
    for client in ["pump", "valve", "tank"] {
        assert_eq!(again[client], at_the_end[client], "{client}");
    }
    assert!(ended.err.contains("LMQ notices in 10 messages"), "{}", ended.err);
    assert!(ended.err.contains("no JSON object"), "{}", ended.err);
    let (later, _) = read(home.path(), &["--source", &url, "--since", "latest"]);
    assert_eq!(later, Believed::new());
}

#[test]
#[ignore = "needs kafka"]
fn a_broker_that_is_killed_in_the_middle_changes_no_verdict_and_no_group_is_left_behind() {
    const NOTICES: usize = 40_000;
    const DEVICES: usize = 1_000;
    const PARTITIONS: u32 = 6;
    // Its own: which groups and topics there are is compared, and it is killed.
    let (mut kafka, home) = (Kafka::start(), home());
    kafka.create_topic("many", PARTITIONS);
    let lines = disordered(NOTICES, DEVICES);
    let (first, second) = lines.split_at(lines.len() / 2);
    let send_all = |kafka: &Kafka, name: &str, lines: &[String], compression: &str| {
        let file = home.path().join(name);
        fs::write(&file, lines.concat()).expect("the disk has room");
        let command =
            json!({"do": "send", "topic": "many", "from": file, "compression": compression});
        assert_eq!(kafka.act(&command)["sent"], lines.len());
    };
    let url = kafka.url("many");
    // One that nobody listens at comes first.
    let listed = url.replace("kafka://", "kafka://127.0.0.1:1,");
    let mut watcher = watch(home.path(), &listed, &["--client", "none-*", "--instance", &url]);
    watcher.said("is known yet");
    send_all(&kafka, "first.jsonl", first, "none");
    kafka.kill();
    watcher.said("trying again");
    kafka.restart();
    send_all(&kafka, "second.jsonl", second, "lz4");
    // Whatever the watcher was told twice or late: at its end all is as if it had come in one piece.
    let (expected, _) = read(home.path(), &["first.jsonl", "second.jsonl"]);
    assert_eq!(expected.len(), DEVICES);
    let (again, _) = read(home.path(), &["--source", &url]);
    assert_eq!(again, expected);
    // What stands before these was read in all partitions.
    for partition in 0..PARTITIONS {
        send(&kafka, "many", partition, (&format!("none-{partition}"), "connect", "end"));
        watcher.change(&format!("none-{partition}"), "online");
    }
    let line = ["check", "--match", "GID_many@@@*", "--json", "--evidence", "store"];
    let line = [&line[..], &["--store", "watched.db", "--instance", &url]].concat();
    let ended = Presence::start_in(home.path(), line, &[]).ended(DEADLINE);
    assert_eq!(believed(&objects(&ended.out)), expected, "{}", ended.err);
    let (_, summary, _) = watcher.finish();
    assert_eq!((&summary["gaps"], &summary["malformed"]), (&0.into(), &0.into()), "{summary}");

    // This broker would make a topic for whoever asks for one.
    let ended = replay(home.path(), &["--source", &kafka.url("nowhere")]);
    assert_eq!(ended.code, Some(4), "{ended:?}");
    assert!(ended.err.contains("knows no topic \"nowhere\""), "{}", ended.err);
    let left = kafka.act(&json!({"do": "groups"}));
    assert_eq!((&left["groups"], &left["topics"]), (&json!([]), &json!(["many"])), "{left}");
}

#[test]
#[ignore = "needs kafka"]
fn a_partition_is_read_from_whoever_leads_it() {
    const PARTITIONS: u32 = 40;
    let (kafka, home) = (Kafka::start(), home());
    let mut second = kafka.start_second();
    // More than there are connections to one broker.
    let topic = json!({"do": "topic", "name": "led", "partitions": PARTITIONS, "copies": 2});
    kafka.act(&topic);
    let url = kafka.url("led");
    let mut watcher = watch(home.path(), &url, &[]);
    watcher.said("is known yet");
    let tell = |event: &str, channel: &str| {
        let value = |at| notice(&format!("c{at}"), event, channel, clock::now().0);
        // In turn: one goes to each partition.
        let values: Vec<String> = (0..PARTITIONS).map(value).collect();
        let values: Vec<&str> = values.iter().map(String::as_str).collect();
        kafka.send("led", &values, &json!({}));
    };
    // Each once, in whatever order.
    let all_are = |watcher: &mut Watch, to: &str| {
        let told = |line: &Value| line["type"] == "change" && line["to"] == to;
        (0..PARTITIONS).for_each(|_| drop(watcher.object(told)));
    };
    tell("connect", "a");
    all_are(&mut watcher, "online");
    second.kill();
    watcher.said("trying again");
    tell("tcpclean", "a");
    all_are(&mut watcher, "offline");
    second.restart();
    tell("connect", "b");
    all_are(&mut watcher, "online");
    let (_, summary, _) = watcher.finish();
    assert_eq!((&summary["gaps"], &summary["malformed"]), (&0.into(), &0.into()), "{summary}");
}

#[test]
#[ignore = "needs kafka"]
fn what_others_bridge_there_is_known_by_its_content() {
    let (kafka, home) = (server(), home());
    kafka.create_topic("bridged", 1);
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/dialects");
    let lines = fs::read_to_string(fixtures.join("tencent-iothub.jsonl")).expect("it is there");
    // What nobody claims, and nothing, are no failures.
    let mut values: Vec<Option<&str>> = lines.lines().map(Some).collect();
    values.extend([Some("{}"), None]);
    kafka.act(&json!({"do": "send", "topic": "bridged", "values": values}));
    let line = ["replay", "--json", "--source", &kafka.url("bridged")];
    let ended = Presence::start_in(home.path(), line, &[]).ended(DEADLINE);
    assert_eq!(believed(&objects(&ended.out))["F4N****0AN/dev1"].0, "offline", "{ended:?}");
    assert!(!ended.err.contains("malformed"), "{}", ended.err);
}

#[test]
#[ignore = "needs kafka"]
fn batches_are_expanded_and_what_was_given_up_is_not_told() {
    let (kafka, home) = (server(), home());
    kafka.create_topic("forms", 1);
    let url = kafka.url("forms");
    let kinds = ["none", "gzip", "snappy", "lz4", "zstd"];
    for kind in kinds {
        let values: Vec<String> = (0..3)
            .map(|number| notice(&format!("{kind}-{number}"), "connect", "a", clock::now().0))
            .collect();
        let values: Vec<&str> = values.iter().map(String::as_str).collect();
        kafka.send("forms", &values, &json!({"compression": kind}));
    }
    for outcome in ["abort", "commit"] {
        let value = notice(outcome, "connect", "a", clock::now().0);
        kafka.send("forms", &[&value], &json!({"transaction": outcome}));
    }
    let (found, ended) = read(home.path(), &["--source", &url]);
    let mut expected: Vec<String> = kinds
        .iter()
        .flat_map(|kind| (0..3).map(move |number| format!("{kind}-{number}")))
        .collect();
    expected.push("commit".to_owned());
    expected.sort();
    assert_eq!(found.into_keys().collect::<Vec<_>>(), expected, "{}", ended.err);
    assert!(ended.err.contains("in 16 messages"), "{}", ended.err);
    // What ends a transaction stands at the end: reading comes to it all the same.
    let mut watcher = watch(home.path(), &url, &[]);
    watcher.object(|line| line["client"] == "commit");
    watcher.finish();
}

#[test]
#[ignore = "needs kafka"]
fn two_shards_know_together_what_one_watcher_would() {
    let (kafka, home) = (server(), home());
    kafka.create_topic("parts", 3);
    let url = kafka.url("parts");
    send(&kafka, "parts", 0, ("pump", "connect", "p"));
    send(&kafka, "parts", 1, ("valve", "connect", "v"));
    let mut one = watch(home.path(), &url, &["--shard", "1/2"]);
    one.said("reads 2 of 3 queues");
    one.said("nobody has read queue `1`");
    let mut two = watch(home.path(), &url, &["--shard", "2/2"]);
    two.object(|line| line["client"] == "valve" && line["state"] == "online");
    // At once, or after it had said that nobody is known.
    one.object(|line| {
        line["client"] == "pump" && (line["state"] == "online" || line["to"] == "online")
    });
    // By whichever of them the end is heard.
    send(&kafka, "parts", 1, ("pump", "tcpclean", "p"));
    two.change("pump", "offline");
    assert_eq!(check(home.path(), &url, &["pump"]).code, Some(1));
    for shard in [one, two] {
        let (_, summary, ended) = shard.finish();
        assert_eq!(summary["gaps"], 0, "{}", ended.err);
    }
}

#[test]
#[ignore = "needs kafka"]
fn reading_begins_and_ends_by_times_and_what_is_gone_is_a_hole() {
    let (kafka, home) = (server(), home());
    kafka.create_topic("times", 2);
    let url = kafka.url("times");
    let now = clock::now().0;
    let hour = 3_600_000;
    // The last one of each comes late.
    for (partition, ages) in [(0, [5, 3, 1, 4]), (1, [6, 4, 2, 5])] {
        for age in ages {
            let time = now - age * hour;
            let value = notice(&format!("c{partition}-{age}"), "connect", "a", time);
            kafka.send("times", &[&value], &json!({"partition": partition, "time": time}));
        }
    }
    let all = ["c0-1", "c0-3", "c0-4", "c0-5", "c1-2", "c1-4", "c1-5", "c1-6"];
    for (more, expected) in [
        (&[][..], &all[..]),
        (&["--since", "210m"], &["c0-1", "c0-3", "c0-4", "c1-2", "c1-5"]),
        (
            &["--until", &(now - hour * 7 / 2).to_string()],
            &["c0-4", "c0-5", "c1-4", "c1-5", "c1-6"],
        ),
        (&["--since", "latest"], &[]),
    ] {
        let (found, ended) = read(home.path(), &[&["--source", &url][..], more].concat());
        let found: Vec<&str> = found.keys().map(String::as_str).collect();
        assert_eq!(found, expected, "{more:?} {}", ended.err);
    }

    let mut watcher = watch(home.path(), &url, &[]);
    watcher.object(|line| line["client"] == "c1-6");
    watcher.finish();
    send(&kafka, "times", 1, ("gone", "connect", "a"));
    send(&kafka, "times", 1, ("there", "connect", "a"));
    kafka.act(&json!({"do": "forget", "topic": "times", "partition": 1, "before": 5}));
    let mut watcher = watch(home.path(), &url, &[]);
    watcher.object(|line| line["client"] == "there" && line["state"] == "online");
    let (believed, summary, ended) = watcher.finish();
    assert!(!believed.contains_key("gone"), "{believed:?}");
    assert_eq!(summary["gaps"], 1, "{summary}");
    let said = "partition 1: 1 messages, 4 to 4, are no longer stored";
    assert!((ended.out + &ended.err).contains(said));

    let instance = url.replace("127.0.0.1", "localhost");
    let line = ["store", "forget-queues", "--store", "watched.db", "--instance", &instance];
    let ended = Presence::start_in(home.path(), line, &[]).ended(DEADLINE);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!((ended.out + &ended.err).contains("2 queues of"));
}

#[test]
#[ignore = "needs kafka"]
fn who_it_is_is_shown_and_a_wrong_password_is_said() {
    let (kafka, home) = (server(), home());
    kafka.create_topic("kept", 1);
    send(&kafka, "kept", 0, ("pump", "connect", "a"));
    fs::write(home.path().join("right"), PASSWORD).expect("room");
    fs::write(home.path().join("wrong"), "wrong").expect("room");
    let (asking, plain) = (kafka.asking_url("kept"), kafka.plain_url("kept"));
    for (url, user, sasl) in [
        (&plain, USER, None),
        (&plain, USER, Some("plain")),
        (&asking, USER, Some("plain")),
        (&asking, SCRAM_USER, None),
        (&asking, SCRAM_USER, Some("scram-sha-256")),
        (&asking, SCRAM_USER, Some("scram-sha-512")),
    ] {
        let sasl = sasl.map(|sasl| ["--sasl", sasl]);
        let sasl = sasl.as_ref().map_or(&[][..], |sasl| &sasl[..]);
        let who = [&["--source", url, "--username", user, "--password-file"], sasl].concat();
        let with = |password| {
            let mut line = who.clone();
            line.insert(5, password);
            line
        };
        let (found, _) = read(home.path(), &with("right"));
        assert_eq!(found["pump"].0, "online");
        let ended = replay(home.path(), &with("wrong"));
        assert_eq!(ended.code, Some(4), "{ended:?}");
        let cause = format!("does not let \"{user}\" in: it says \"Authentication failed");
        assert!(ended.err.contains(&cause), "{sasl:?} {}", ended.err);
        assert!(ended.err.contains("check user and password"), "{}", ended.err);
    }
    let url = kafka.url("kept");
    let user = ["--username", USER, "--password-file", "right"];
    for (source, more, cause) in [
        (&plain, &["--sasl", "scram-sha-256"][..], "has no SCRAM-SHA-256, but \"PLAIN\""),
        (&url, &[], "does not ask who comes"),
    ] {
        let ended = replay(home.path(), &[&["--source", source][..], &user, more].concat());
        assert_eq!(ended.code, Some(4), "{ended:?}");
        assert!(ended.err.contains(cause), "{}", ended.err);
    }
    let ended = replay(home.path(), &["--source", &asking, "--timeout", "2s"]);
    assert_eq!(ended.code, Some(4), "{ended:?}");
    assert!(ended.err.contains("or a user (`--username`)?"), "{}", ended.err);
}

#[test]
#[ignore = "needs kafka"]
fn an_encrypted_broker_is_believed_if_somebody_vouches_for_it() {
    let (kafka, home) = (server(), home());
    kafka.create_topic("tls", 1);
    send(&kafka, "tls", 0, ("pump", "connect", "a"));
    let (url, ca) = (kafka.encrypted_url("tls"), kafka.ca_file().display().to_string());
    let ended = replay(home.path(), &["--source", &url, "--timeout", "2s"]);
    assert_eq!(ended.code, Some(4), "{ended:?}");
    assert!(ended.err.contains("certificate"), "{}", ended.err);
    for more in [&["--insecure"][..], &["--cafile", &ca]] {
        let (found, _) = read(home.path(), &[&["--source", &url], more].concat());
        assert_eq!(found["pump"].0, "online");
    }
    let unencrypted = url.replace("kafka+ssl", "kafka");
    let ended = replay(home.path(), &["--source", &unencrypted, "--timeout", "2s"]);
    assert_eq!(ended.code, Some(4), "{ended:?}");
    assert!(ended.err.contains("kafka+ssl://") || ended.err.contains("TLS"), "{}", ended.err);
}
