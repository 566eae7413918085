//! Several writers of one store at once: nothing of any of them is lost, and each hears of the others.

use crate::shared::postgres::Postgres;
use crate::shared::redis::{Cluster, Redis};
use crate::support::{BROKER, LMQ, POLICY, Place, Remote, Stores, batch, client, open_channel};
use presence::event::Timestamp;
use presence::state::coverage::{Member, SourceKey};
use presence::state::fleet::Fleet;
use presence::store::{Account, Author, Batch, Position, Store};
use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::Barrier;

const WRITERS: usize = 3;
const ROUNDS: usize = 30;
/// Of a process that writes: its number, and where.
const NUMBER: &str = "PRESENCE_TEST_WRITER";
const PLACE: &str = "PRESENCE_TEST_PLACE";

#[test]
fn a_file_takes_several_writers_at_once() {
    let place = Place::off_disk();
    drop(place.writer());
    threads(&place);
    processes(&place, &place.path().display().to_string());
}

#[test]
#[ignore = "needs redis"]
fn a_redis_takes_several_writers_at_once() {
    let server = Redis::start(&[]);
    let place = Remote::at(&server.url());
    threads(&place);
    processes(&place, &server.url());
}

#[test]
#[ignore = "needs redis"]
fn a_redis_cluster_takes_several_writers_at_once() {
    let cluster = Cluster::start(0);
    let place = Remote::at(&cluster.url(3));
    threads(&place);
    processes(&place, &cluster.url(2));
}

#[test]
#[ignore = "needs postgresql"]
fn a_postgres_takes_several_writers_at_once() {
    let server = Postgres::start();
    let place = Remote::at(&server.url());
    threads(&place);
    processes(&place, &server.url());
}

/// Writers of one process, who listen to each other meanwhile, and in the end know the same.
fn threads(place: &dyn Stores) {
    let (expected, together) = (all_written(), &Barrier::new(WRITERS));
    std::thread::scope(|scope| {
        let writers: Vec<_> = (0..WRITERS)
            .map(|number| {
                scope.spawn(move || {
                    let mut store = place.a_writer();
                    let mut known = store.load(BROKER).expect("loaded");
                    write(store.as_mut(), number, together, |store| {
                        known.join(&store.others(BROKER).expect("heard"), &POLICY);
                    });
                    (store, known)
                })
            })
            .collect();
        let writers: Vec<_> = writers.into_iter().map(|w| w.join().expect("it wrote")).collect();
        for (mut store, mut known) in writers {
            known.join(&store.others(BROKER).expect("heard"), &POLICY);
            // What it wrote itself it need not be told.
            known.join(&store.load(BROKER).expect("loaded"), &POLICY);
            same(&known, &expected);
            assert_eq!(store.others(BROKER).expect("heard").clients.len(), 0);
        }
    });
    same(&place.a_reader().load(BROKER).expect("loaded"), &expected);
}

/// The same writers as processes, into another instance.
fn processes(place: &dyn Stores, name: &str) {
    let mut listener = place.a_writer();
    let mut heard = listener.load(ELSEWHERE).expect("loaded");
    let writers: Vec<Child> = (0..WRITERS).map(|number| start(number, name)).collect();
    for mut writer in writers {
        let out = BufReader::new(writer.stdout.take().expect("piped"));
        let said: Vec<String> = out.lines().map_while(Result::ok).collect();
        heard.join(&listener.others(ELSEWHERE).expect("heard"), &POLICY);
        assert!(writer.wait().expect("it ended").success(), "{}", said.join("\n"));
    }
    heard.join(&listener.others(ELSEWHERE).expect("heard"), &POLICY);
    let expected = all_written();
    same(&heard, &expected);
    same(&place.a_reader().load(ELSEWHERE).expect("loaded"), &expected);
}

const ELSEWHERE: &str = "elsewhere:1883";

fn start(number: usize, place: &str) -> Child {
    Command::new(std::env::current_exe().expect("this binary"))
        .args(["--exact", "several::one_of_several", "--nocapture", "--test-threads=1"])
        .env(NUMBER, number.to_string())
        .env(PLACE, place)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("a writer")
}

/// Not a test of its own: what each process runs.
#[test]
fn one_of_several() {
    let Ok(number) = std::env::var(NUMBER) else { return };
    let place = std::env::var(PLACE).expect("a place");
    let mut store = if place.contains("://") {
        Remote::at(&place).a_writer()
    } else {
        let access = presence::store::Access::Write;
        presence::store::open(&presence::store::Place::File(place.into()), access, &POLICY)
            .expect("a store")
    };
    let number = number.parse().expect("a number");
    for round in 0..ROUNDS {
        let clients = written(number, round);
        store.commit(ELSEWHERE, &batch(clients.clients.iter())).expect("committed");
    }
}

fn write(
    store: &mut dyn Store,
    number: usize,
    together: &Barrier,
    mut meanwhile: impl FnMut(&mut dyn Store),
) {
    for round in 0..ROUNDS {
        let clients = written(number, round);
        together.wait();
        store.commit(BROKER, &batch(clients.clients.iter())).expect("committed");
        if round % 3 == 0 {
            meanwhile(store);
        }
    }
}

/// What a writer writes in a round: clients of its own, and one channel of clients that all of them write
/// in this round, and never again: whoever overwrote one would lose what others know.
fn written(number: usize, round: usize) -> Fleet {
    let mut fleet = Fleet::default();
    let ms = 1_000_000 + i64::try_from(round).expect("small") * 5_000;
    for own in 0..20 {
        open_channel(&mut fleet, &format!("own-{number}-{round}-{own}"), "x", ms);
    }
    for shared in 0..20 {
        open_channel(&mut fleet, &format!("shared-{round}-{shared}"), &format!("ch-{number}"), ms);
    }
    fleet
}

fn all_written() -> Fleet {
    let mut all = Fleet::default();
    for number in 0..WRITERS {
        for round in 0..ROUNDS {
            all.join(&written(number, round), &POLICY);
        }
    }
    all
}

#[track_caller]
fn same(found: &Fleet, expected: &Fleet) {
    assert_eq!(found.clients.len(), expected.clients.len());
    for client in expected.clients.iter() {
        let place = found.clients.find(client.id()).expect("it is there");
        let mut joined = found.clients.at(place).clone();
        assert!(!joined.join(client, POLICY.channels_max).anything(), "{}", client.id());
        let mut joined = client.clone();
        let found = found.clients.at(place);
        assert!(!joined.join(found, POLICY.channels_max).anything(), "{}", client.id());
    }
}

#[test]
fn what_was_folded_before_anybody_was_told_is_told_all_the_same() {
    let place = Place::off_disk();
    let mut listener = place.a_writer();
    listener.load(BROKER).expect("loaded");
    let mut other = place.a_writer();
    let own = client("own", "x", 1_000_000);
    listener.commit(BROKER, &batch([&own])).expect("committed");
    other.commit(BROKER, &batch([&client("theirs", "x", 1_000_000)])).expect("committed");
    // Closing folds all of the journal.
    other.close().expect("closed");
    let heard = listener.others(BROKER).expect("heard");
    assert!(heard.clients.find("theirs").is_some());
    assert_eq!(listener.others(BROKER).expect("heard").clients.len(), 0);
    // Its own fold takes rows of others with it that it was not told of.
    let mut other = place.a_writer();
    other.commit(BROKER, &batch([&client("late", "x", 1_000_000)])).expect("committed");
    listener.compact().expect("folded");
    let heard = listener.others(BROKER).expect("heard");
    let ids: Vec<&str> = heard.clients.iter().map(presence::state::packed::Client::id).collect();
    assert_eq!(ids, ["late"]);
}

#[test]
fn a_file_keeps_what_belongs_to_an_instance() {
    keeps_what_belongs_to_an_instance(&Place::off_disk());
}

#[test]
#[ignore = "needs redis"]
fn a_redis_keeps_what_belongs_to_an_instance() {
    let server = Redis::start(&[]);
    keeps_what_belongs_to_an_instance(&Remote::at(&server.url()));
}

#[test]
#[ignore = "needs postgresql"]
fn a_postgres_keeps_what_belongs_to_an_instance() {
    let server = Postgres::start();
    keeps_what_belongs_to_an_instance(&Remote::at(&server.url()));
}

/// What an engine keeps beside the clients, through the interface alone.
fn keeps_what_belongs_to_an_instance(place: &dyn Stores) {
    let source = SourceKey { voice: LMQ.name.to_owned(), ear: "presence-1".to_owned() };
    let told = |heard: i64, author| {
        let mut account = Member::new(12_000);
        account.begin_epoch(Timestamp(1_000_000));
        account.heard = Timestamp(heard);
        let account = &account;
        let accounts = vec![Account { source: &source, member: "m \"1\"", account, author }];
        let batch = Batch { accounts, ..Batch::default() };
        place.a_writer().commit(BROKER, &batch).expect("committed");
        let fleet = place.a_reader().fleet_of(BROKER, &[]).expect("read");
        fleet.coverage.source(&source).expect("kept").members["m \"1\""].heard.0
    };
    assert_eq!(told(3_000_000, Author::Itself), 3_000_000);
    assert_eq!(told(2_000_000, Author::Itself), 2_000_000, "its clock may step back");
    assert_eq!(told(1_500_000, Author::Another), 2_000_000, "others are joined");

    let mut store = place.a_writer();
    let restart = |ms| Some(crate::support::at(ms));
    let first = Batch { tie: 9, restart: restart(500), dropped: Some(70), ..Batch::default() };
    store.commit(BROKER, &first).expect("committed");
    let second = Batch { tie: 4, restart: restart(400), dropped: Some(2), ..Batch::default() };
    place.a_writer().commit(BROKER, &second).expect("committed");
    store.commit(BROKER, &Batch::default()).expect("committed");
    assert_eq!(store.tie(BROKER), Ok(9));
    assert_eq!(store.dropped(BROKER), Ok(Some(2)));
    assert_eq!(store.load(BROKER).expect("loaded").restart(), restart(500));
    assert_eq!(store.tie("nowhere"), Ok(0));

    for positions in [&[("b/1", 9), ("a/0", 7)][..], &[("a/0", 3)], &[]] {
        let position = |(queue, next): &(&'static str, i64)| Position { queue, next: *next };
        let positions = positions.iter().map(position).collect();
        store.commit(BROKER, &Batch { positions, ..Batch::default() }).expect("committed");
    }
    let kept = [("a/0".to_owned(), 3), ("b/1".to_owned(), 9)].into();
    assert_eq!(place.a_reader().positions(BROKER), Ok(kept));
    assert_eq!(place.a_reader().positions("nowhere"), Ok(BTreeMap::new()));
    assert_eq!(store.forget_positions("nowhere"), Ok(0));
    assert_eq!(store.forget_positions(BROKER), Ok(2));
    assert_eq!(store.forget_positions(BROKER), Ok(0));
    assert_eq!(place.a_reader().positions(BROKER), Ok(BTreeMap::new()));

    assert_eq!(store.forget_member(BROKER, "nobody", Timestamp(4_000_000)), Ok(0));
    assert_eq!(store.forget_member(BROKER, "m \"1\"", Timestamp(4_000_000)), Ok(1));
    assert_eq!(store.forget_member(BROKER, "m \"1\"", Timestamp(4_000_000)), Ok(0));
    let coverage = store.others(BROKER).expect("heard").coverage;
    assert!(coverage.source(&source).is_none_or(|source| source.epoch() == 2));

    let judged = ["a", "b", "\u{1f4a5}:{}"].map(|id| client(id, "x", 1_000_000));
    store.commit(BROKER, &batch(&judged)).expect("committed");
    place.a_writer().commit(BROKER, &batch([&client("b", "y", 2_000_000)])).expect("committed");
    let all: Vec<_> = judged.iter().collect();
    assert_eq!(store.forget_clients(BROKER, &all), Ok(2), "one was heard of since");
    assert_eq!(store.load(BROKER).expect("loaded").clients.len(), 1);
    assert_eq!(store.names(), Ok(vec![BROKER.to_owned()]));
    // What was forgotten is new when it is heard of again.
    store.commit(BROKER, &batch([&judged[0]])).expect("committed");
    let instances = store.instances().expect("listed");
    assert_eq!((instances.len(), instances[0].clients), (1, 2));
    assert_eq!(instances[0].restart, restart(500));
}
