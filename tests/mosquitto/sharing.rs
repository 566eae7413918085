//! Several watchers that share the work of one broker, as one group with one store.

use crate::durability::{publisher, told};
use crate::scene::{Believed, Scene, Watch, now_ms, objects};
use crate::support::postgres::Postgres;
use crate::support::process::{DEADLINE, Presence};
use crate::support::redis::Cluster;
use std::collections::BTreeSet;
use std::time::{Duration, Instant};

/// Mosquitto shares no topics that begin with `$`.
const TOPIC: &str = "notices/all";
const MEMBER: &[&str] = &["--dialect", "lmq", "--topic", "notices/#", "--share", "g"];
/// Notices and clients of the long stories: most clients live several times.
const NOTICES: usize = 30_000;
const CLIENTS: u64 = 5_000;
/// A third of that, where every commit asks three servers.
const FEWER_NOTICES: usize = 10_000;
const FEWER_CLIENTS: u64 = 1_500;

/// Watchers of one broker that write one store, wherever it lies.
struct Group<'a> {
    scene: &'a Scene,
    /// Options that say where it lies; none is the default, a file.
    store: Vec<&'a str>,
}

impl Group<'_> {
    fn member(&self, more: &[&str]) -> Watch {
        self.scene.watch(&[MEMBER, &self.store, more].concat())
    }

    #[track_caller]
    fn ask(&self, command: &[&str]) -> String {
        let line = [command, &self.store[..]].concat();
        let ended = Presence::start_in(self.scene.home(), line, &[]).ended(DEADLINE);
        assert!(ended.err.is_empty(), "{ended:?}");
        ended.out
    }

    fn notice(&self, client: &str, event: &str, channel: &str) {
        let body = crate::scene::notice(client, event, channel, now_ms());
        self.scene.broker.publish(TOPIC, &body, &[]);
    }

    /// Asks about clients, named one a line in a file, until the answers are these and all are vouched for.
    /// Else says what is wrong.
    #[expect(clippy::disallowed_methods, reason = "a deadline is real time")]
    fn comes_to_believe(&self, file: &str, expected: &Believed) -> Result<(), String> {
        let until = Instant::now() + PATIENCE;
        let ask = ["check", "-b", &self.scene.broker.url(), "--fleet", file, "--json", "--quiet"];
        let ask = [&ask[..], &["--evidence", "store"]].concat();
        loop {
            let answers = objects(&self.ask(&ask));
            let verdicts = || answers.iter().filter(|line| line["type"] == "verdict");
            let wrong = || {
                verdicts().filter(|verdict| {
                    let client = verdict["client"].as_str().expect("it is text");
                    let found = (verdict["state"].as_str(), &verdict["channel"]);
                    let (state, channel) = &expected[client];
                    found != (Some(state.as_str()), channel) || verdict["covered"] != true
                })
            };
            if verdicts().count() == expected.len() && wrong().next().is_none() {
                return Ok(());
            }
            if Instant::now() >= until {
                return Err(format!("{} wrong, {:?}", wrong().count(), wrong().next()));
            }
        }
    }

    /// Returns client id and state of each member, as the store has it.
    fn members(&self) -> Vec<(String, String)> {
        let info = objects(&self.ask(&["store", "info", "--json"]));
        let members = info[0]["members"].as_array().expect("there is a group");
        let text = |value: &serde_json::Value| value.as_str().expect("it is text").to_owned();
        members.iter().map(|member| (text(&member["member"]), text(&member["state"]))).collect()
    }

    /// Waits until so many members listen: whoever joins waits for a sign of the others first.
    #[track_caller]
    #[expect(clippy::disallowed_methods, reason = "a deadline is real time")]
    fn listen(&self, count: usize) {
        let until = Instant::now() + DEADLINE;
        let listening = |(_, state): &(String, String)| state == "listening";
        while self.members().iter().filter(|member| listening(member)).count() < count {
            assert!(Instant::now() < until, "{:?}", self.members());
        }
    }

    /// Lets a client come again and again until that is believed: what reaches a member soon after it
    /// has learnt of a hole may be older than that.
    #[track_caller]
    #[expect(clippy::disallowed_methods, reason = "a deadline is real time")]
    fn until_online(&self, client: &str) {
        let until = Instant::now() + DEADLINE;
        for number in 0.. {
            self.notice(client, "connect", &format!("again-{number}"));
            if self.scene.check(client).code == Some(0) {
                return;
            }
            assert!(Instant::now() < until, "{:?}", self.scene.check(client));
        }
    }

    /// Lets a history pass while one member dies and comes back, one leaves and one joins. All that is
    /// believed in the end is what one reader of the same notices believes.
    fn bears_it(&self, clients: u64, notices: usize, mut trouble: impl FnMut()) {
        let seed = fastrand::u64(..);
        let (lines, _) = told(&mut fastrand::Rng::with_seed(seed), clients, notices);
        let scene = self.scene;
        std::fs::write(scene.file("all.jsonl"), lines.concat()).expect("the folder is ours");
        let (expected, _, _) = scene.replay("all.jsonl");
        assert_eq!(expected.len() as u64, clients, "seed {seed}");
        let ids: Vec<String> = expected.keys().map(|client| format!("{client}\n")).collect();
        std::fs::write(scene.file("ids"), ids.concat()).expect("the folder is ours");

        let queue = ["--broker-queue", "0"];
        let [steady, mut dying, mut leaving] = [(); 3].map(|()| self.member(&queue));
        self.listen(3);
        let mut publisher = publisher(scene, TOPIC);
        let acknowledged = |log: &str| log.matches("Received PUBACK from presence-").count();
        let mut parts = lines.chunks(lines.len().div_ceil(4));
        let mut publish_part = || {
            let before = acknowledged(&scene.broker.log());
            let part = parts.next().expect("there are four");
            publisher.write(&part.concat());
            scene.broker.wait_log(|log| acknowledged(log) > before + part.len() / 4);
        };
        publish_part();
        dying.process.kill();
        publish_part();
        let back = self.member(&queue);
        trouble();
        publish_part();
        leaving.process.interrupt();
        publish_part();
        let new = self.member(&queue);
        publisher.close_input();
        assert!(publisher.wait(PATIENCE).is_some_and(|status| status.success()));
        let left = leaving.process.ended(DEADLINE);
        assert_eq!(left.code, Some(0), "seed {seed}: {}", left.err);

        let believed = self.comes_to_believe("ids", &expected);
        self.listen(3);
        let states: Vec<String> = self.members().into_iter().map(|(_, state)| state).collect();
        let of = |wanted: &str| states.iter().filter(|state| *state == wanted).count();
        // The one that died came back as itself; a place that is free is taken again.
        assert_eq!(of("silent"), 0, "seed {seed}: {states:?}");
        for watch in [steady, back, new] {
            let (_, summary, said) = watch.finish();
            assert_eq!(believed, Ok(()), "seed {seed}: {}", said.err);
            assert_eq!(summary["clients"], clients, "seed {seed}: {}", said.err);
        }
        assert!(self.members().iter().all(|(_, state)| state == "left"), "seed {seed}");
    }
}

#[test]
#[ignore = "needs mosquitto"]
fn a_group_believes_what_one_watcher_does_whatever_happens_to_its_members() {
    let scene = Scene::with_uptime(&["max_queued_messages 0"]);
    Group { scene: &scene, store: vec![] }.bears_it(CLIENTS, NOTICES, || ());
}

#[test]
#[ignore = "needs mosquitto and redis"]
fn a_group_goes_on_while_a_node_of_its_redis_cluster_is_replaced() {
    let scene = Scene::with_uptime(&["max_queued_messages 0"]);
    let mut cluster = Cluster::start(1);
    let url = cluster.url(3);
    let group = Group { scene: &scene, store: vec!["--store", &url] };
    group.bears_it(FEWER_CLIENTS, FEWER_NOTICES, || {
        cluster.primaries[0].kill();
        cluster.replicas[0].wait_info("role:master");
        cluster.primaries[0].restart();
        cluster.primaries[0].wait_info("role:slave");
    });
}

#[test]
#[ignore = "needs mosquitto and postgresql"]
fn a_group_goes_on_while_its_postgres_crashes_and_recovers() {
    let scene = Scene::with_uptime(&["max_queued_messages 0"]);
    let mut server = Postgres::start();
    let url = server.url();
    let group = Group { scene: &scene, store: vec!["--store", &url] };
    group.bears_it(FEWER_CLIENTS, FEWER_NOTICES, || server.restart());
}

#[test]
#[ignore = "needs mosquitto"]
fn whoever_ends_hands_over_and_each_change_is_told_once() {
    let scene = Scene::new(&[]);
    let group = Group { scene: &scene, store: vec![] };
    let members = [(); 2].map(|()| group.member(&[]));
    group.listen(2);
    let clients: BTreeSet<String> = (0..20).map(|number| format!("pump-{number}")).collect();
    for client in &clients {
        group.notice(client, "connect", "c");
    }
    for client in &clients {
        scene.wait_check(client, |answer| answer.code == Some(0));
    }
    let [staying, going] = members;
    let (_, summary, first) = going.finish();
    assert_eq!((&summary["clients"], &summary["gaps"]), (&20.into(), &0.into()), "{}", first.err);
    let states: BTreeSet<String> = group.members().into_iter().map(|(_, state)| state).collect();
    assert_eq!(states, ["left", "listening"].map(str::to_owned).into());
    // Nothing was lost with it, and nothing is kept for it.
    scene.check("pump-7").is(0, "online");
    group.notice("pump-7", "tcpclean", "c");
    scene.wait_check("pump-7", |answer| answer.code == Some(1));
    let (_, summary, second) = staying.finish();
    assert_eq!(summary["gaps"], 0, "{}", second.err);

    let mut told = Vec::new();
    for line in objects(&(first.out + &second.out)) {
        if line["type"] == "change" && line["to"] == "online" {
            told.push(line["client"].as_str().expect("it is text").to_owned());
        }
    }
    told.sort();
    assert_eq!(told, clients.into_iter().collect::<Vec<_>>());
}

#[test]
#[ignore = "needs mosquitto"]
fn a_dead_member_is_missed_until_it_is_removed() {
    let scene = Scene::new(&[]);
    let group = Group { scene: &scene, store: vec![] };
    // It knows after so many messages that none of them is older than what it learns of others.
    let mut staying = group.member(&["-k", "1", "--broker-queue", "20"]);
    group.listen(1);
    let known = group.members();
    let mut dying = group.member(&["-k", "1"]);
    group.listen(2);
    group.notice("pump", "connect", "c");
    scene.wait_check("pump", |answer| answer.code == Some(0));
    let id = group.members().into_iter().find(|member| !known.contains(member));
    let (id, _) = id.expect("there are two");

    let url = scene.broker.url();
    let remove = ["store", "forget-session", "-b", &url, "--member", &id];
    let refused = Presence::start_in(scene.home(), remove, &[]).ended(DEADLINE);
    assert_eq!(refused.code, Some(4), "{refused:?}");
    dying.process.kill();
    let answer = scene.wait_check("pump", |answer| answer.code == Some(3));
    answer.was("online", "silent");
    assert_eq!(answer.object["last_known"]["member"], id.as_str());
    staying.said(&id);
    assert_eq!(staying.change("pump", "unknown")["cause"], "gap");
    assert!(group.members().contains(&(id.clone(), "silent".to_owned())));
    let text = scene.run("check", &["pump", "--evidence", "store"]);
    assert!(text.out.contains(&id), "{}", text.out);

    let removed = group.ask(&remove);
    assert!(removed.contains("its membership has ended"), "{removed}");
    assert!(group.members().contains(&(id, "left".to_owned())));
    scene.check("pump").is(3, "unknown").was("online", "away");
    staying.said("warning: nobody listened");
    group.until_online("pump");
    staying.change("pump", "online");
    let (_, summary, _) = staying.finish();
    assert_eq!(summary["gaps"], 1);
}

#[test]
#[ignore = "needs mosquitto"]
fn topics_that_mosquitto_does_not_share_are_refused() {
    let scene = Scene::new(&[]);
    for version in ["3.1.1", "5"] {
        let line = ["--share", "g", "--dialect", "lmq", "--mqtt-version", version];
        let ended = scene.run("watch", &line);
        assert_eq!(ended.code, Some(4), "{ended:?}");
        assert!(ended.err.contains("could not share topics that begin with `$`"), "{ended:?}");
        assert!(ended.err.contains("--topic"), "{ended:?}");
    }
}

#[test]
#[ignore = "needs mosquitto"]
fn two_watchers_with_one_client_id_find_each_other_out() {
    for version in ["3.1.1", "5"] {
        let scene = Scene::new(&[]);
        let homes = [(); 2].map(|()| tempfile::TempDir::new().expect("a folder can be made"));
        let options = ["--json", "-i", "presence-same", "--mqtt-version", version];
        let mut rivals = homes.each_ref().map(|home| scene.watch_at(home.path(), &options));
        for rival in &mut rivals {
            rival.said("another client uses our client id `presence-same`");
        }
        // Each waits longer every time.
        let turns = scene.broker.log().matches("already connected").count();
        assert!(turns < 20, "MQTT {version}: {turns}");
    }
}

/// Longest wait for the end of a long story.
const PATIENCE: Duration = Duration::from_secs(40);
