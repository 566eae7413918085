//! Several watchers that divide the queues of a topic, with one Redis.

use crate::disordered::disordered;
use crate::reading::{home, read, url};
use crate::scene::{Believed, Watch, believed, notice, objects};
use crate::support::process::{DEADLINE, Ended, Presence};
use crate::support::redis::Redis;
use crate::support::rocketmq::{RocketMq, last_line, wait_ready};
use presence::clock;
use serde_json::Value;
use std::fs;
use std::path::Path;

const QUEUES: u32 = 8;

/// A topic, a store, and where watchers keep their names.
struct Scene<'a> {
    cluster: &'a RocketMq,
    redis: &'a Redis,
    home: &'a Path,
    topic: &'a str,
    server: String,
}

impl Scene<'_> {
    fn url(&self) -> String {
        url(&self.server, self.topic)
    }

    fn watch(&self, part: &[&str]) -> Watch {
        let (url, store) = (self.url(), self.redis.url());
        let line = ["watch", "--json", "--source", &url, "--store", &store, "--keepalive", "3s"];
        Watch::of(Presence::start_in(self.home, [&line[..], part].concat(), &[]))
    }

    fn check(&self, clients: &[&str]) -> Ended {
        let (store, instance) = (self.redis.url(), self.url().replace("127.0.0.1", "localhost"));
        let line = ["check", "--json", "--evidence", "store", "--store", &store];
        let line = [&line[..], &["--instance", &instance], clients].concat();
        Presence::start_in(self.home, line, &[]).ended(DEADLINE)
    }

    fn send(&self, name: &str, lines: &[String]) {
        let file = self.home.join(name);
        fs::write(&file, lines.concat()).expect("the disk has room");
        let file = file.display().to_string();
        let settings = [("topic", self.topic), ("from", &*file), ("queue", "round")];
        assert_eq!(self.cluster.produce(&settings)["sent"], lines.len());
    }

    /// Tells of one client in each queue: whoever tells of it has read that queue up to there.
    fn mark(&self, name: &str) {
        for queue in 0..QUEUES {
            let client = format!("{name}-{queue}");
            let body = notice(&client, "connect", "end", clock::now().0);
            self.cluster.send(self.topic, queue, "connect", body.as_bytes());
        }
    }

    /// What the store says of all devices, and what is so according to the files.
    fn compare(&self, files: &[&str]) {
        let ended = self.check(&["--match", "GID_many@@@*"]);
        let (expected, _) = read(self.home, files);
        let found: Believed = believed(&objects(&ended.out));
        assert_eq!(found.len(), expected.len(), "{}", ended.err);
        assert_eq!(found, expected, "{}", ended.err);
    }
}

/// Tells whether a line says that a mark was read, at the start or later.
fn is_mark(line: &Value, name: &str) -> bool {
    let client = line["client"].as_str().unwrap_or_default();
    (line["to"] == "online" || line["state"] == "online") && client.starts_with(name)
}

#[test]
#[ignore = "needs rocketmq and redis"]
fn three_shards_know_together_what_one_watcher_would() {
    let (cluster, redis, home) = (crate::cluster(), Redis::start(&[]), home());
    let topic = "GID_shards_MQTT";
    cluster.create_topic(topic, QUEUES);
    let server = cluster.name_server();
    let scene = Scene { cluster: &cluster, redis: &redis, home: home.path(), topic, server };
    let lines = disordered(10_000, 500);
    let (first, second) = lines.split_at(lines.len() / 2);
    scene.send("first.jsonl", first);

    let mut one = scene.watch(&["--shard", "1/3"]);
    one.said("reads 3 of 8 queues");
    let mut two = scene.watch(&["--shard", "2/3"]);
    // What nobody reads may hold anything.
    let unread = one.said("nobody has read queue `broker-a/2`");
    assert!(unread.ends_with("yet: what it holds is missing"), "{unread}");
    let ended = scene.check(&["GID_many@@@0"]);
    assert_eq!(ended.code, Some(3), "{ended:?}");
    let known = &objects(&ended.out)[0]["last_known"];
    assert_eq!((&known["reason"], &known["queue"]), (&"silent".into(), &"broker-a/2".into()));
    let again = scene.watch(&["--shard", "2/3"]).process.ended(DEADLINE);
    assert_eq!(again.code, Some(4), "{again:?}");

    let mut three = scene.watch(&["--shard", "3/3"]);
    three.said("reads 2 of 8 queues");
    one.object(|line| line["type"] == "change" && line["from"] == "unknown");
    // The third one dies, and is there again: what came meanwhile was kept for it.
    three.process.kill();
    scene.send("second.jsonl", second);
    let mut three = scene.watch(&["--shard", "3/3"]);
    scene.mark("mark");
    for (shard, queue) in [(&mut one, 6), (&mut two, 7), (&mut three, 5)] {
        shard.object(|line| is_mark(line, &format!("mark-{queue}")));
    }
    scene.compare(&["first.jsonl", "second.jsonl"]);
    let line = ["store", "info", "--json", "--store", &redis.url()];
    let ended = Presence::start_in(home.path(), line, &[]).ended(DEADLINE);
    let members = objects(&ended.out)[0]["members"].clone();
    let is_read = |member: &&Value| member["group"] == "queues" && member["state"] == "listening";
    let read = members.as_array().expect("there are some").iter().filter(is_read).count();
    assert_eq!(read, QUEUES as usize, "{}", ended.out);
    for shard in [one, two, three] {
        let (_, summary, ended) = shard.finish();
        assert_eq!(summary["gaps"], 0, "{}", ended.err);
    }
    let ended = scene.check(&["mark-0"]);
    assert_eq!(ended.code, Some(3), "nobody reads any more: {ended:?}");
}

#[test]
#[ignore = "needs rocketmq and redis"]
fn members_of_a_group_take_over_what_another_one_leaves() {
    let (cluster, redis, home) = (crate::cluster(), Redis::start(&[]), home());
    let topic = "GID_members_MQTT";
    cluster.create_topic(topic, QUEUES);
    let server = cluster.name_server();
    let scene = Scene { cluster: &cluster, redis: &redis, home: home.path(), topic, server };
    let lines = disordered(6_000, 300);
    let (first, second) = lines.split_at(lines.len() / 2);
    scene.send("first.jsonl", first);

    let join = ["--join", "--consumer-group", "watchers-of-members"];
    let mut one = scene.watch(&join);
    one.said("reads 8 of 8 queues");
    one.known("GID_many@@@0");
    let mut two = scene.watch(&join);
    two.said("reads 4 of 8 queues");
    one.said("reads 4 of 8 queues");
    two.known("GID_many@@@0");
    assert_eq!(cluster.members("watchers-of-members").len(), 2);
    scene.mark("both");
    for watcher in [&mut one, &mut two] {
        watcher.object(|line| is_mark(line, "both"));
    }

    two.process.kill();
    scene.send("second.jsonl", second);
    one.said("reads 8 of 8 queues");
    scene.mark("alone");
    for _ in 0..QUEUES {
        one.object(|line| is_mark(line, "alone"));
    }
    scene.compare(&["first.jsonl", "second.jsonl"]);

    // One that leaves hands over, and nobody notices but whoever takes over.
    let mut two = scene.watch(&join);
    two.said("reads 4 of 8 queues");
    one.said("reads 4 of 8 queues");
    two.known("alone-0");
    let (_, summary, ended) = one.finish();
    assert_eq!(summary["gaps"], 0, "{}", ended.err);
    assert_eq!(scene.check(&["alone-0"]).code, Some(0), "it is handed over");
    two.said("reads 8 of 8 queues");
    scene.mark("other");
    for _ in 0..QUEUES {
        two.object(|line| is_mark(line, "other"));
    }
    let (_, summary, ended) = two.finish();
    assert_eq!(summary["gaps"], 0, "{}", ended.err);
    assert!(!ended.out.contains("\"to\":\"unknown\""), "{}", ended.out);
    assert!(cluster.members("watchers-of-members").is_empty());
    let committed = cluster.committed_by();
    assert!(!committed.contains("watchers-of-members"), "{committed}");
}

#[test]
#[ignore = "needs rocketmq and redis"]
fn members_find_each_other_by_way_of_a_proxy() {
    let (cluster, redis, home) = (crate::cluster(), Redis::start(&[]), home());
    let proxy = cluster.start_proxy();
    let topic = "GID_proxied_MQTT";
    cluster.create_topic(topic, QUEUES);
    let server = format!("127.0.0.1:{}", proxy.port());
    let scene = Scene { cluster: &cluster, redis: &redis, home: home.path(), topic, server };
    let join = ["--join", "--consumer-group", "watchers-by-proxy"];
    let mut one = scene.watch(&join);
    one.said("reads 8 of 8 queues");
    let mut two = scene.watch(&join);
    two.said("reads 4 of 8 queues");
    one.said("reads 4 of 8 queues");
    scene.mark("both");
    for watcher in [&mut one, &mut two] {
        watcher.object(|line| is_mark(line, "both"));
    }
    two.process.kill();
    one.said("reads 8 of 8 queues");
    one.finish();
}

#[test]
#[ignore = "needs rocketmq and redis"]
fn a_group_of_an_application_is_not_joined() {
    let (cluster, redis, home) = (crate::cluster(), Redis::start(&[]), home());
    let topic = "GID_taken_MQTT";
    cluster.create_topic(topic, 4);
    let server = cluster.name_server();
    let scene = Scene { cluster: &cluster, redis: &redis, home: home.path(), topic, server };
    let consumer = [("topic", topic), ("group", "business"), ("count", "200")];
    let mut application = cluster.program("Consume", &consumer);
    wait_ready(&application);
    let join = ["--join", "--consumer-group", "business"];
    let refused = scene.watch(&join).process.ended(DEADLINE);
    assert_eq!(refused.code, Some(4), "{refused:?}");
    assert!(refused.err.contains("an application is in the group \"business\""), "{}", refused.err);
    assert_eq!(cluster.members("business").len(), 1);

    let mut free = scene.watch(&["--join", "--consumer-group", "free"]);
    free.said("reads 4 of 4 queues");
    cluster.produce(&[("topic", topic), ("count", "200"), ("devices", "10")]);
    let told = last_line(&mut application);
    assert_eq!(told["different"], 200, "{told}");
    let refused = scene.watch(&join).process.ended(DEADLINE);
    assert_eq!(refused.code, Some(4), "{refused:?}");
    let said = "an application reads as the group \"business\": it committed";
    assert!(refused.err.contains(said), "{}", refused.err);

    // One that comes later drives watchers out.
    let consumer = [("topic", topic), ("group", "free"), ("count", "200")];
    let mut application = cluster.program("Consume", &consumer);
    free.said("an application is in the group \"free\"");
    assert_eq!(free.process.ended(DEADLINE).code, Some(4));
    assert_eq!(last_line(&mut application)["different"], 200);
}
