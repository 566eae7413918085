//! What tests rest on: servers that hold what was sent, and programs that send and consume it.

use crate::cluster;
use crate::support::process::DEADLINE;
use crate::support::remoting::{self, ask};
use crate::support::rocketmq::{ADMIN, Kind, READER, RocketMq, last_line, wait_ready};
use serde_json::{Value, json};

/// What is told of one client.
fn notice(client: &str, event: &str) -> String {
    json!({"clientId": client, "time": 1, "eventType": event, "channelId": "a"}).to_string()
}

#[test]
#[ignore = "needs rocketmq"]
fn the_official_consumer_gets_each_notice_of_the_official_producer_once() {
    let cluster = cluster();
    cluster.create_topic("GID_each_MQTT", 4);
    let topic = ("topic", "GID_each_MQTT");
    let sent = cluster.produce(&[topic, ("count", "1000"), ("devices", "100")]);
    assert_eq!(sent["sent"], 1000);

    let settings = [topic, ("group", "each"), ("count", "1000")];
    let told = last_line(&mut cluster.program("Consume", &settings));
    assert_eq!((&told["messages"], &told["different"]), (&1000.into(), &1000.into()), "{told}");
    let committed = told["committed"].as_object().expect("by queue");
    assert_eq!(committed.values().filter_map(Value::as_u64).sum::<u64>(), 1000, "{told}");
    for queue in 0..4 {
        let known = cluster.committed("each", "GID_each_MQTT", queue);
        assert_eq!(known, committed[&queue.to_string()].as_u64(), "{told}");
    }
}

#[test]
#[ignore = "needs rocketmq"]
fn the_sample_believes_a_client_online_for_ever_whose_opening_came_again() {
    let cluster = cluster();
    cluster.create_topic("GID_again_MQTT", 1);
    let mut producer = cluster.program("Produce", &[("topic", "GID_again_MQTT"), ("from", "-")]);
    wait_ready(&producer);
    for line in [notice("tank", "connect"), notice("pump", "connect"), notice("pump", "tcpclean")] {
        producer.write(&(line + "\n"));
    }
    producer.wait_line(|line| line.contains("\"offset\":2"), DEADLINE);
    for (tag, client) in [("connect", "pump"), ("disconnect", "tank")] {
        cluster.send("GID_again_MQTT", 0, tag, notice(client, tag).as_bytes());
    }

    let settings =
        [("topic", "GID_again_MQTT"), ("group", "again"), ("count", "4"), ("threads", "1")];
    let told = last_line(&mut cluster.program("Sample", &settings));
    // The pump has left, and the tank has said goodbye.
    assert_eq!((&told["messages"], &told["online"]), (&4.into(), &2.into()), "{told}");
}

#[test]
#[ignore = "needs rocketmq"]
fn a_cluster_that_asks_who_comes_lets_a_reader_pull_and_no_more() {
    let cluster = RocketMq::of_kind(Kind { has_authentication: true, ..Kind::default() });
    cluster.create_topic("GID_kept_MQTT", 1);
    cluster.let_read("GID_kept_MQTT", "watchers");
    cluster.send("GID_kept_MQTT", 0, "connect", b"{}");
    let proxy = cluster.start_proxy();
    let pull = [
        ("consumerGroup", "watchers"),
        ("topic", "GID_kept_MQTT"),
        ("queueId", "0"),
        ("queueOffset", "0"),
        ("maxMsgNums", "32"),
        ("sysFlag", "4"),
        // The proxy does not do without.
        ("suspendTimeoutMillis", "0"),
        ("subscription", "*"),
        ("bname", "broker-a"),
    ];
    for port in [cluster.broker_port(), proxy.port()] {
        let pulled = |account| ask(port, account, 11, &pull, b"").expect("it answers");
        for account in [ADMIN, READER] {
            let answer = pulled(Some(account));
            assert_eq!(answer.code, 0, "{port}: {answer:?}");
        }
        let wrong = remoting::Account { secret: "wrong", ..READER };
        for account in [None, Some(wrong)] {
            let answer = pulled(account);
            assert!(matches!(answer.code, 1 | 16) && answer.body.is_empty(), "{answer:?}");
        }
    }
}

#[test]
#[ignore = "needs rocketmq"]
fn a_broker_that_was_killed_comes_back_with_what_it_had() {
    let mut cluster = RocketMq::of_kind(Kind { has_binary_headers: true, ..Kind::default() });
    cluster.create_topic("GID_kept_MQTT", 1);
    assert_eq!(cluster.send("GID_kept_MQTT", 0, "connect", b"{}"), 0);
    cluster.kill_broker();
    cluster.restart_broker();
    assert_eq!(cluster.send("GID_kept_MQTT", 0, "connect", b"{}"), 1);
}
