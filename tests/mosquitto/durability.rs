//! Whenever the watcher is killed, what is kept in the end is what was told.

use crate::scene::{Scene, notice, now_ms};
use crate::support::process::{DEADLINE, Process};
use std::collections::BTreeMap;

/// State and channel of each client.
type Expected = BTreeMap<String, (&'static str, String)>;

const CLIENTS: u64 = 200;
const NOTICES: usize = 2_000;
const KILLS: usize = 5;

#[test]
#[ignore = "needs mosquitto"]
fn five_kills_under_load_lose_nothing_and_invent_nothing() {
    let seed = fastrand::u64(..);
    let mut rng = fastrand::Rng::with_seed(seed);
    let scene = Scene::with_uptime(&["max_queued_messages 0", "persistence true"]);
    let options = ["--dialect", "lmq", "--broker-queue", "0"];
    let mut watch = scene.watch(&options);
    let (lines, expected) = told(&mut rng, CLIENTS, NOTICES);
    let mut publisher = publisher(&scene, "$presence/notices");
    let acknowledged = |log: &str| log.matches("Received PUBACK from presence-").count();
    for chunk in lines.chunks(lines.len() / KILLS) {
        let before = acknowledged(&scene.broker.log());
        publisher.write(&chunk.concat());
        let enough = before + rng.usize(1..chunk.len() / 2);
        scene.broker.wait_log(|log| acknowledged(log) > enough);
        watch.process.kill();
        watch = scene.watch(&options);
    }
    publisher.close_input();
    assert!(publisher.wait(DEADLINE).is_some_and(|status| status.success()));
    scene.notice("end", "connect", "c", now_ms());
    watch.object(|line| line["client"] == "end");

    for (client, (state, channel)) in &expected {
        let code = i32::from(*state == "offline");
        let answer = scene.check(client);
        assert_eq!(answer.code, Some(code), "seed {seed}: {client}: {}", answer.object);
        assert_eq!(answer.object["channel"], channel.as_str(), "seed {seed}: {client}");
    }
    let (_, summary, _) = watch.finish();
    assert_eq!(summary["clients"], CLIENTS + 1, "seed {seed}");
}

/// Returns the notices of some lives in any order, some of them twice, and what they amount to.
pub fn told(rng: &mut fastrand::Rng, clients: u64, notices: usize) -> (Vec<String>, Expected) {
    let now = now_ms();
    let mut lines = Vec::new();
    let mut expected = BTreeMap::new();
    for number in 0..clients {
        let client = format!("client-{number}");
        let lives = rng.i64(1..6);
        for life in 0..lives {
            let channel = format!("{client}-{life}");
            let began = now - (lives - life) * 10_000;
            lines.push(notice(&client, "connect", &channel, began) + "\n");
            let is_over = life + 1 < lives || rng.bool();
            if is_over {
                lines.push(notice(&client, "tcpclean", &channel, began + 5_000) + "\n");
            }
            expected.insert(client.clone(), (if is_over { "offline" } else { "online" }, channel));
        }
    }
    while lines.len() < notices {
        lines.push(lines[rng.usize(..lines.len())].clone());
    }
    rng.shuffle(&mut lines);
    (lines, expected)
}

/// Returns a client that publishes each line of its input at `QoS` 1.
pub fn publisher(scene: &Scene, topic: &str) -> Process {
    let mut command = scene.broker.client("mosquitto_pub");
    command.args(["-q", "1", "-l", "-t", topic]);
    Process::start(&mut command)
}
