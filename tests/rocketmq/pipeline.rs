//! The whole way, as Alibaba's MQTT service has it: a broker tells of its clients in a topic of RocketMQ, and
//! whoever reads that knows who is online.

use crate::cluster;
use crate::scene::{Watch, believed, objects};
use crate::support::process::{DEADLINE, Presence, Stream};
use crate::support::rocketmq::RocketMq;
use std::path::Path;
use tempfile::TempDir;

/// Starts the built-in broker, which sends its notices to a topic. Returns it with its URL.
fn broker(home: &Path, topic: &str) -> (Presence, String) {
    let line = ["broker", "--listen", "127.0.0.1:0", "--rocketmq", topic];
    let broker = Presence::start_in(home, line, &[]);
    let told = broker.wait_line(|line| line.starts_with("listening on mqtt://"), DEADLINE);
    let url = told.split(' ').nth(2).expect("it says where").to_owned();
    (broker, url)
}

#[test]
#[ignore = "needs rocketmq"]
fn what_is_done_to_devices_is_known_by_way_of_rocketmq() {
    let cluster = cluster();
    let home = TempDir::new().expect("a temporary folder can be made");
    cluster.create_topic("GID_tour_MQTT", 4);
    let topic = format!("rocketmq://{}/GID_tour", cluster.name_server());
    let (mut broker, mqtt) = broker(home.path(), &topic);
    let simulate = [
        "simulate",
        "-b",
        &mqtt,
        "--count",
        "20",
        "--run",
        "tour",
        "--deaths",
        "disconnect=50,rst=50",
        "--duration",
        "1s",
    ];
    let simulated = Presence::start_in(home.path(), simulate, &[]).ended(DEADLINE * 2);
    assert_eq!(simulated.code, Some(0), "{simulated:?}");

    let line = ["watch", "--json", "--source", &topic, "--store", "watched.db"];
    let mut watch = Watch::of(Presence::start_in(home.path(), line, &[]));
    watch.object(|line| line["type"] == "verdict" && line["client"] == "sim-tour-7");
    let instance = format!("{topic}_MQTT").replace("127.0.0.1", "localhost");
    let check =
        ["check", "sim-tour-7", "--explain", "--store", "watched.db", "--evidence", "store"];
    let check = [&check[..], &["--instance", &instance]].concat();
    let checked = Presence::start_in(home.path(), check, &[]).ended(DEADLINE);
    assert_eq!(checked.code, Some(1), "{checked:?}");
    assert!(checked.out.contains("sim-tour-7  offline"), "{}", checked.out);
    let (at_the_end, _, _) = watch.finish();

    // The same history again, from its beginning and into a new store.
    let again = [&line[..4], &["--store", "again.db", "--since", "earliest"]].concat();
    let mut watch = Watch::of(Presence::start_in(home.path(), again, &[]));
    watch.object(|line| line["type"] == "verdict" && line["client"] == "sim-tour-7");
    let (known_again, _, _) = watch.finish();
    assert_eq!(known_again, at_the_end);
    let replay = ["replay", "--json", "--source", &topic];
    let replayed = Presence::start_in(home.path(), replay, &[]).ended(DEADLINE);
    assert_eq!(believed(&objects(&replayed.out)), at_the_end);
    let of_the_tour = at_the_end.iter().filter(|(client, _)| client.starts_with("sim-tour-"));
    let states: Vec<&str> = of_the_tour.map(|(_, (state, _))| state.as_str()).collect();
    // And whoever has tidied up after them.
    assert!(states.len() >= 20 && states.iter().all(|state| *state == "offline"), "{states:?}");

    broker.interrupt();
    let is_whole = |line: &str| {
        let mut words = line.split(' ');
        line.contains("notices of") && words.next() == words.nth(2)
    };
    broker.wait_line_of(Stream::Err, is_whole, DEADLINE);
    assert_eq!(broker.ended(DEADLINE).code, Some(0));
}

/// The broker of RocketMQ makes it with the first notice.
pub fn tells_of_a_device_in_a_topic_that_nobody_made(cluster: &RocketMq, home: &Path) {
    let topic = format!("rocketmq://{}/GID_made", cluster.name_server());
    let (mut broker, mqtt) = broker(home, &topic);
    let watch = ["watch", "-b", &mqtt, "--clean", "--for", "1s", "--client-id", "made"];
    let ended = Presence::start_in(home, watch, &[]).ended(DEADLINE);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    cluster.wait_route("GID_made_MQTT");
    broker.interrupt();
    assert_eq!(broker.ended(DEADLINE).code, Some(0));
    let replay = ["replay", "--json", "--source", &topic];
    let replayed = Presence::start_in(home, replay, &[]).ended(DEADLINE);
    assert!(believed(&objects(&replayed.out)).contains_key("made"), "{replayed:?}");
}

#[test]
fn a_broker_that_nobody_makes_a_topic_for_does_not_begin() {
    let home = TempDir::new().expect("a temporary folder can be made");
    let line =
        ["broker", "--listen", "127.0.0.1:0", "--rocketmq", "rocketmq://127.0.0.1:1/GID_tour"];
    let ended = Presence::start_in(home.path(), line, &[]).ended(DEADLINE);
    assert_eq!(ended.code, Some(4), "{ended:?}");
    assert!(ended.err.contains("could not send notices"), "{}", ended.err);
}
