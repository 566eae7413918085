//! What stores cost: SQLite with a million clients, a PostgreSQL, one Redis, and a Redis Cluster of three nodes.
//!
//! Run as a test it takes a few hundred clients and judges nothing.
#![expect(clippy::print_stdout, reason = "a benchmark says what it measured")]
#![expect(clippy::print_stderr, reason = "and what it could not")]
#![expect(clippy::disallowed_methods, reason = "a benchmark reads the clock")]

mod measure;
#[path = "../support/mod.rs"]
mod support;

use presence::event::{Channel, ChannelEvent, EventKind, Stamp, Timestamp};
use presence::state::fleet::{Fleet, Hearsay};
use presence::state::packed::{Client, VoiceKey};
use presence::state::policy::Policy;
use presence::store::{self, Access, Batch, Place, Server, Store};
use std::path::Path;
use std::time::{Duration, Instant};
use support::postgres::Postgres;
use support::redis::{Cluster, Redis};

const INSTANCE: &str = "broker.example:1883";
const POLICY: Policy = Policy::DEFAULT;
const BATCH: usize = 1_000;
const WRITERS: usize = 3;

fn main() {
    let (million, merges) = if measure::is_asked() { (1_000_000, 200_000) } else { (2_000, 600) };
    sqlite(million);
    if Postgres::is_here() {
        let server = Postgres::start();
        one_connection("PostgreSQL", &at(&server.url()), server.process().pid(), merges);
        drop(server);
        let server = Postgres::start();
        together("PostgreSQL", &at(&server.url()), &[server.process().pid()], merges);
    } else {
        eprintln!("store: without PostgreSQL: there is none here");
    }
    if std::process::Command::new("redis-server").arg("--version").output().is_err() {
        eprintln!("store: without Redis: there is none here");
        return;
    }
    redis(merges);
}

fn redis(merges: usize) {
    let server = Redis::start(&[]);
    one_connection("Redis", &at(&server.url()), server.process().pid(), merges);
    drop(server);
    let server = Redis::start(&[]);
    let one = together("Redis", &at(&server.url()), &[server.process().pid()], merges);
    drop(server);
    let cluster = Cluster::start(0);
    let nodes: Vec<u32> = cluster.nodes().map(|node| node.process().pid()).collect();
    let three = together("Redis Cluster", &at(&cluster.url(3)), &nodes, merges);
    println!("  Cluster beside one node: {:.2} times as many", three / one);
}

fn sqlite(count: usize) {
    let directory = tempfile::tempdir().expect("a directory");
    let place = Place::File(directory.path().join("presence.db"));
    let clients = fleet("dev", count);
    let mut writer = writer(&place);
    println!("SQLite, {count} clients with an open and a closed channel");
    let mut waits = Vec::new();
    let begun = Instant::now();
    for batch in batches(&clients) {
        let begun = Instant::now();
        writer.commit(INSTANCE, &batch).expect("committed");
        waits.push(begun.elapsed().as_secs_f64() * 1e3);
    }
    waits.sort_by(f64::total_cmp);
    let at = |percent: usize| waits[(waits.len() - 1) * percent / 100];
    println!(
        "  commits of {BATCH}: {:.0} clients/s, p50 {:.1} ms, p99 {:.1} ms",
        measure::per_second(count, begun.elapsed()),
        at(50),
        at(99),
    );
    let begun = Instant::now();
    let reader = store::open_existing(&place, &POLICY).expect("opened").expect("it is there");
    let found = { reader }.fleet_of(INSTANCE, &["dev-7"]).expect("looked up");
    assert_eq!(found.clients.len(), 1);
    println!("  open and look one up beside the writer: {:.2} ms", ms(begun.elapsed()));
    writer.close().expect("closed");
    let begun = Instant::now();
    let mut again = self::writer(&place);
    let loaded = again.load(INSTANCE).expect("loaded");
    assert_eq!(loaded.clients.len(), count);
    println!("  open and load: {:.2} s", begun.elapsed().as_secs_f64());
    let begun = Instant::now();
    assert_eq!(again.others(INSTANCE).expect("read").clients.len(), 0);
    println!("  ask for what others wrote, nothing: {:.3} ms", ms(begun.elapsed()));
}

fn one_connection(name: &str, place: &Place, server: u32, count: usize) {
    let mut store = writer(place);
    let (mut fleet, mut pass) = (Fleet::default(), 0);
    println!("{name}, one connection, {count} merges in batches of {BATCH}");
    for what in ["new clients", "the same again", "one event more", "the same again"] {
        if what != "the same again" {
            take_all(&mut fleet, "dev", count, pass);
            pass += 1;
        }
        let (own, its) = (measure::cpu(std::process::id()), cpu_of(server));
        let begun = Instant::now();
        for batch in batches(&fleet) {
            store.commit(INSTANCE, &batch).expect("committed");
        }
        println!(
            "  {what:<16} {:>7.0} merges/s, CPU {:.1} µs here, {:.1} µs there",
            measure::per_second(count, begun.elapsed()),
            measure::micros_each(measure::cpu_since(std::process::id(), own), count),
            measure::micros_each(cpu_of(server).saturating_sub(its), count),
        );
    }
    let begun = Instant::now();
    let loaded = writer(place).load(INSTANCE).expect("loaded");
    assert_eq!(loaded.clients.len(), count);
    println!("  open and load: {:.2} s", begun.elapsed().as_secs_f64());
    let begun = Instant::now();
    let reader = store::open_existing(place, &POLICY).expect("opened").expect("it is there");
    assert_eq!({ reader }.fleet_of(INSTANCE, &["dev-7"]).expect("found").clients.len(), 1);
    println!("  open and look one up: {:.2} ms", ms(begun.elapsed()));
    store.load(INSTANCE).expect("loaded");
    let begun = Instant::now();
    assert_eq!(store.others(INSTANCE).expect("read").clients.len(), 0);
    println!("  ask for what others wrote, nothing: {:.3} ms", ms(begun.elapsed()));
}

/// Lets writers merge at once, and returns how many merges there were in a second.
fn together(name: &str, place: &Place, servers: &[u32], count: usize) -> f64 {
    let fleets: Vec<Fleet> =
        (0..WRITERS).map(|number| fleet(&format!("w{number}"), count / WRITERS)).collect();
    let before: Vec<Duration> = servers.iter().map(|pid| cpu_of(*pid)).collect();
    let begun = Instant::now();
    let own: Duration = std::thread::scope(|scope| {
        let write = |fleet| {
            let mut store = writer(place);
            for batch in batches(fleet) {
                store.commit(INSTANCE, &batch).expect("committed");
            }
            own_cpu()
        };
        let writers: Vec<_> =
            fleets.iter().map(|fleet| scope.spawn(move || write(fleet))).collect();
        writers.into_iter().map(|writer| writer.join().expect("it wrote")).sum()
    });
    let rate = measure::per_second(count, begun.elapsed());
    let its = servers.iter().zip(before).map(|(pid, before)| cpu_of(*pid).saturating_sub(before));
    println!(
        "{name}, {WRITERS} writers with a line each, {} node(s): {rate:.0} merges/s, CPU {:.1} µs here, {:.1} µs there",
        servers.len(),
        measure::micros_each(own, count),
        measure::micros_each(its.sum(), count),
    );
    rate
}

/// Returns what a server has spent on a processor, with the processes that serve lines for it.
fn cpu_of(server: u32) -> Duration {
    let children = std::fs::read_to_string(format!("/proc/{server}/task/{server}/children"));
    let children = children.unwrap_or_default();
    let all = children.split_whitespace().filter_map(|pid| pid.parse().ok());
    all.chain([server]).map(measure::cpu).sum()
}

/// Returns what the calling thread has spent on a processor; once it has ended nobody can tell.
fn own_cpu() -> Duration {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    Duration::from_nanos(text.split(' ').next().and_then(|ns| ns.parse().ok()).unwrap_or(0))
}

fn at(url: &str) -> Place {
    let server = Server::read(url).expect("a URL");
    Place::remote(server, Path::new("/nowhere/presence.db"))
}

fn writer(place: &Place) -> Box<dyn Store> {
    store::open(place, Access::Write, &POLICY).expect("a store")
}

fn batches(fleet: &Fleet) -> Vec<Batch<'_>> {
    let clients: Vec<&Client> = fleet.clients.iter().collect();
    clients
        .chunks(BATCH)
        .map(|chunk| Batch { clients: chunk.to_vec(), ..Batch::default() })
        .collect()
}

/// Returns clients with one closed and one open channel each.
fn fleet(prefix: &str, count: usize) -> Fleet {
    let mut fleet = Fleet::default();
    take_all(&mut fleet, prefix, count, 0);
    fleet
}

fn take_all(fleet: &mut Fleet, prefix: &str, count: usize, pass: u64) {
    let begun = 1_760_000_000_000 + i64::try_from(pass).expect("small") * 60_000;
    let lives = [
        (EventKind::Opened, 2 * pass, 0),
        (EventKind::Closed, 2 * pass, 30_000),
        (EventKind::Opened, 2 * pass + 1, 31_000),
    ];
    for client in 0..count {
        for (kind, channel, after) in &lives[..if pass == 0 { 3 } else { 1 }] {
            let name = format!("{:032x}", (u128::from(*channel) << 64) | client as u128);
            let stamp = Stamp { time: Timestamp(begun + after), tie: 0, resolution: 0 };
            let id = format!("{prefix}-{client}");
            let mut event = ChannelEvent::new(id, Channel::Strong(name.into()), *kind, Some(stamp));
            event.address = format!("192.0.2.{}:40000", client % 250).into();
            let voice = VoiceKey { authority: 1, name: "lmq" };
            let by = Hearsay { voice, mark: None, received: Timestamp(begun + 100_000) };
            fleet.take(&event, &by, &POLICY);
        }
    }
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}
