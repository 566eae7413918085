//! What tests rest on: servers that hold what was sent, and programs that send and consume it.

use crate::support::process::DEADLINE;
use crate::support::rocketmq::{last_line, wait_ready};
use crate::{cluster, notice as told};
use serde_json::Value;

/// What is told of one client, at one time.
fn notice(client: &str, event: &str) -> String {
    told(client, event, "a", 1)
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
