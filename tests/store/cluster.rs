//! A Redis Cluster that loses a node: commits fail for as long as its clients have no home, nothing is
//! lost, and they go on by themselves.

use crate::shared::redis::{Cluster, Redis};
use crate::support::{BROKER, POLICY, Remote, Stores, batch, open_channel};
use presence::failure::Failure;
use presence::state::fleet::Fleet;
use presence::store::Store;
use std::time::{Duration, Instant};

const CLIENTS: usize = 200;
/// A node is given up after 1 s, and a replica asks for votes after that.
const DEADLINE: Duration = Duration::from_secs(30);

fn heard(round: i64) -> Fleet {
    let mut fleet = Fleet::default();
    for client in 0..CLIENTS {
        let channel = format!("{client}-{round}");
        open_channel(&mut fleet, &format!("c{client}"), &channel, 1_000_000 + round * 60_000);
    }
    fleet
}

fn commit(store: &mut dyn Store, fleet: &Fleet) -> Result<(), Failure> {
    store.commit(BROKER, &batch(fleet.clients.iter()))
}

/// Commits again and again until it works, as a watcher does.
#[track_caller]
#[expect(clippy::disallowed_methods, reason = "a deadline is real time")]
fn commit_when_it_can(store: &mut dyn Store, fleet: &Fleet) {
    let until = Instant::now() + DEADLINE;
    while let Err(failure) = commit(store, fleet) {
        assert!(failure.cause.is_some() && failure.next.is_some(), "{failure}");
        assert!(Instant::now() < until, "{failure}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[track_caller]
fn holds(store: &mut dyn Store, expected: &Fleet) {
    let loaded = store.load(BROKER).expect("loaded");
    assert_eq!(loaded.clients.len(), CLIENTS);
    for client in expected.clients.iter() {
        let mut found = loaded.clients.at(loaded.clients.find(client.id()).expect("there")).clone();
        assert!(!found.join(client, POLICY.channels_max).anything(), "{}", client.id());
    }
}

#[test]
#[ignore = "needs redis"]
fn a_node_that_comes_back_and_slots_that_move_lose_nothing() {
    let mut cluster = Cluster::start(0);
    let mut store = Remote::at(&cluster.url(3)).a_writer();
    let mut memory = heard(0);
    commit(store.as_mut(), &memory).expect("committed");

    cluster.primaries[1].kill();
    memory.join(&heard(1), &POLICY);
    commit(store.as_mut(), &memory).expect_err("a third of the clients has no home");
    cluster.primaries[1].restart();
    commit_when_it_can(store.as_mut(), &memory);
    holds(store.as_mut(), &memory);

    // A shard on its way to another node, then arrived there.
    let slot = move_a_shard(&cluster, "c7");
    memory.join(&heard(2), &POLICY);
    commit(store.as_mut(), &memory).expect("it is asked for where it is going");
    for node in &cluster.primaries {
        let target: String =
            redis::from_redis_value(cluster.primaries[2].does("CLUSTER MYID")).expect("an id");
        node.does(&format!("CLUSTER SETSLOT {slot} NODE {target}"));
    }
    memory.join(&heard(3), &POLICY);
    commit(store.as_mut(), &memory).expect("committed where it is now");
    holds(store.as_mut(), &memory);
    holds(Remote::at(&cluster.url(1)).a_reader().as_mut(), &memory);
    assert!(store.engine().expect("asked").starts_with("Redis Cluster "));
}

/// Begins to move the shard of a client to the last node, keys and all, and returns its slot.
fn move_a_shard(cluster: &Cluster, client: &str) -> u16 {
    let keys = |node: &Redis| -> Vec<String> {
        redis::from_redis_value(node.does(&format!("KEYS presence:*:{client}"))).expect("keys")
    };
    let target = &cluster.primaries[2];
    let id = |node: &Redis| -> String {
        redis::from_redis_value(node.does("CLUSTER MYID")).expect("an id")
    };
    let source = cluster.primaries[..2].iter().find(|node| !keys(node).is_empty());
    let source = source.expect("the client lies on one of the others");
    let key = keys(source).remove(0);
    let slot: u16 =
        redis::from_redis_value(source.does(&format!("CLUSTER KEYSLOT {key}"))).expect("a slot");
    target.does(&format!("CLUSTER SETSLOT {slot} IMPORTING {}", id(source)));
    source.does(&format!("CLUSTER SETSLOT {slot} MIGRATING {}", id(target)));
    let held: Vec<String> =
        redis::from_redis_value(source.does(&format!("CLUSTER GETKEYSINSLOT {slot} 1000")))
            .expect("keys");
    for key in held {
        source.does(&format!("MIGRATE 127.0.0.1 {} {key} 0 5000", target.port()));
    }
    slot
}

#[test]
#[ignore = "needs redis"]
fn a_replica_takes_over_from_a_node_that_is_gone() {
    let mut cluster = Cluster::start(1);
    let mut store = Remote::at(&cluster.url(1)).a_writer();
    let mut memory = heard(0);
    commit(store.as_mut(), &memory).expect("committed");
    // What a node confirmed before its replica had it would be lost with it, as Redis is made.
    cluster.primaries[0].does("WAIT 1 0");

    cluster.primaries[0].kill();
    memory.join(&heard(1), &POLICY);
    commit(store.as_mut(), &memory).expect_err("nobody has taken over yet");
    commit_when_it_can(store.as_mut(), &memory);
    holds(store.as_mut(), &memory);

    // The one that was gone comes back as a replica.
    cluster.primaries[0].restart();
    cluster.primaries[0].wait_info("role:slave");
    memory.join(&heard(2), &POLICY);
    commit_when_it_can(store.as_mut(), &memory);
    holds(store.as_mut(), &memory);
}
