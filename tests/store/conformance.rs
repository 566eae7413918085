//! Whatever the layout: for random histories, split at random among writers that restart, the verdict
//! from the store is the verdict in memory.

use crate::shared::postgres::Postgres;
use crate::shared::redis::{Cluster, Redis};
use crate::support::{
    BROKER, LMQ, POLICY, Place, Remote, STATUS, Stores, batch, hearsay, open_channel,
};
use fastrand::Rng;
use presence::event::{Channel, ChannelEvent, EventKind, Flags, Stamp, Timestamp};
use presence::state::fleet::Fleet;
use presence::state::packed::{Client, VoiceKey};
use presence::state::verdict::Verdict;
use presence::store::{Batch, Store};
use std::collections::BTreeSet;

const SEEDS: u64 = 300;
/// Where every step goes over a line and back.
const SEEDS_REMOTE: u64 = 40;
const START: i64 = 1_000_000;

/// One thing heard, by the voice that said it.
#[derive(Clone)]
enum Heard {
    Channel(VoiceKey<'static>, ChannelEvent<'static>),
    Restarted(Stamp),
}

/// A watcher or an import: its memory, what it has yet to hear, and what it did not commit yet.
struct Writer {
    store: Option<Box<dyn Store>>,
    /// The instance that all of them write about.
    instance: String,
    fleet: Fleet,
    ahead: Vec<Heard>,
    uncommitted: Vec<Heard>,
}

#[test]
fn the_store_says_what_memory_says() {
    for seed in 0..SEEDS {
        conforms(&Place::off_disk(), seed);
    }
}

#[test]
#[ignore = "needs redis"]
fn a_redis_says_what_memory_says() {
    let server = Redis::start(&[]);
    let place = Remote::at(&server.url());
    for seed in 0..SEEDS_REMOTE {
        conforms(&place, seed);
    }
}

#[test]
#[ignore = "needs redis"]
fn a_redis_cluster_says_what_memory_says() {
    let cluster = Cluster::start(0);
    let place = Remote::at(&cluster.url(1));
    for seed in 0..SEEDS_REMOTE {
        conforms(&place, seed);
    }
}

#[test]
#[ignore = "needs postgresql"]
fn a_postgres_says_what_memory_says() {
    let server = Postgres::start();
    let place = Remote::at(&server.url());
    for seed in 0..SEEDS_REMOTE {
        conforms(&place, seed);
    }
}

/// Lets writers take a random history in, each its part, and compares what the store says of it.
fn conforms(place: &dyn Stores, seed: u64) {
    let mut rng = Rng::with_seed(seed);
    let instance = format!("{BROKER}#{seed}");
    let history = random_history(&mut rng);
    let mut writers = random_writers(&mut rng, place, &instance, &history);
    let mut committed = Fleet::default();
    while writers.iter().any(Writer::is_busy) {
        let busy: Vec<&mut Writer> = writers.iter_mut().filter(|writer| writer.is_busy()).collect();
        let writer = rng.choice(busy).expect("one is busy");
        match rng.u8(0..9) {
            0..3 => writer.hear(&mut rng),
            3..6 => writer.commit(&mut committed),
            6 => writer.restart(&mut rng, place),
            7 => writer.hear_of_others(&committed, seed),
            _ => compare(place.a_reader().as_mut(), &instance, &committed, &mut rng, seed),
        }
    }
    let mut memory = Fleet::default();
    for heard in &history {
        take(&mut memory, heard);
    }
    compare(place.a_reader().as_mut(), &instance, &memory, &mut rng, seed);
    for writer in &mut writers {
        writer.hear_of_others(&memory, seed);
    }
    for writer in writers {
        writer.store.expect("open").close().expect("closed");
    }
    compare(place.a_reader().as_mut(), &instance, &memory, &mut rng, seed);
}

#[test]
fn many_small_commits_are_folded_on_the_way() {
    let place = Place::off_disk();
    let (mut store, mut memory) = (place.writer(), Fleet::default());
    let mut rng = Rng::with_seed(7);
    let mut longest = 0;
    // 700 commits of up to 90 clients: a fold takes several slices, and new commits come between.
    for round in 0..700_u32 {
        let names: BTreeSet<String> =
            (0..rng.usize(1..90)).map(|_| format!("c{}", rng.u32(0..20_000))).collect();
        for name in &names {
            let ms = START + i64::from(round) * 5_000;
            open_channel(&mut memory, name, &format!("{name}-{}", round / 200), ms);
        }
        let changed = names
            .iter()
            .map(|name| memory.clients.at(memory.clients.find(name).expect("taken in")));
        store.commit(BROKER, &batch(changed)).expect("committed");
        longest = longest.max(store.size().expect("a size").journal_rows);
        if [250, 520, 560].contains(&round) {
            compare(&mut place.reader(), BROKER, &memory, &mut rng, round.into());
        }
    }
    assert!((512..=640).contains(&longest), "{longest} rows");
    drop(store);
    compare(&mut place.writer(), BROKER, &memory, &mut rng, 0);
}

impl Writer {
    fn is_busy(&self) -> bool {
        !self.ahead.is_empty() || !self.uncommitted.is_empty()
    }

    fn hear(&mut self, rng: &mut Rng) {
        for _ in 0..rng.usize(1..12) {
            let Some(heard) = self.ahead.pop() else { return };
            take(&mut self.fleet, &heard);
            self.uncommitted.push(heard);
        }
    }

    fn commit(&mut self, committed: &mut Fleet) {
        let touched: BTreeSet<&str> = self
            .uncommitted
            .iter()
            .filter_map(|heard| match heard {
                Heard::Channel(_, event) => Some(&*event.client),
                Heard::Restarted(_) => None,
            })
            .collect();
        let place = |id: &&str| self.fleet.clients.find(id).expect("taken in");
        let clients = touched.iter().map(|id| self.fleet.clients.at(place(id))).collect();
        let batch = Batch { clients, restart: self.fleet.restart(), ..Batch::default() };
        self.store.as_mut().expect("open").commit(&self.instance, &batch).expect("committed");
        for heard in self.uncommitted.drain(..) {
            take(committed, &heard);
        }
    }

    /// Ends in order or by a crash, and comes back. What was not committed was not acknowledged, so it
    /// is heard again.
    fn restart(&mut self, rng: &mut Rng, place: &dyn Stores) {
        self.ahead.append(&mut self.uncommitted);
        rng.shuffle(&mut self.ahead);
        let store = self.store.take().expect("open");
        if rng.bool() {
            store.close().expect("closed");
        } else {
            drop(store);
        }
        let mut store = place.a_writer();
        self.fleet = store.load(&self.instance).expect("loaded");
        self.store = Some(store);
    }

    /// Asks for what others have stored: with it the writer knows all that is committed.
    fn hear_of_others(&mut self, committed: &Fleet, seed: u64) {
        let store = self.store.as_mut().expect("open");
        let others = store.others(&self.instance).expect("read");
        self.fleet.join(&others, &POLICY);
        let mut expected = committed.clone();
        for heard in &self.uncommitted {
            take(&mut expected, heard);
        }
        let now = Timestamp(START + 200_000);
        for client in expected.clients.iter() {
            let id = client.id();
            assert_eq!(
                judge(&self.fleet, id, now),
                judge(&expected, id, now),
                "seed {seed}, heard"
            );
        }
        let nothing = store.others(&self.instance).expect("read");
        assert_eq!(nothing.clients.len(), 0, "seed {seed}, heard twice");
    }
}

/// Compares the verdicts about every client: of all that is loaded, and of each that is looked up.
fn compare(store: &mut dyn Store, instance: &str, memory: &Fleet, rng: &mut Rng, seed: u64) {
    let now = Timestamp(START + rng.i64(-10_000..200_000));
    let loaded = store.load(instance).expect("loaded");
    assert_eq!(loaded.clients.len(), memory.clients.len(), "seed {seed}");
    let ids: Vec<&str> = memory.clients.iter().map(Client::id).collect();
    let found = store.fleet_of(instance, &ids).expect("looked up");
    for client in memory.clients.iter() {
        let expected = judge(memory, client.id(), now);
        assert_eq!(judge(&loaded, client.id(), now), expected, "seed {seed}, loaded");
        assert_eq!(judge(&found, client.id(), now), expected, "seed {seed}, looked up");
    }
    let mut listed = Vec::new();
    let each = store.each_client(instance, &mut |client| {
        listed.push(client.id().to_owned());
        Ok(())
    });
    each.expect("listed");
    let mut sorted = ids;
    sorted.sort_unstable();
    assert_eq!(listed, sorted, "seed {seed}, listed");
}

fn judge(fleet: &Fleet, client: &str, now: Timestamp) -> Verdict {
    let mut alone = Fleet::default();
    if let Some(restart) = fleet.restart() {
        alone.join_restart(restart);
    }
    alone.coverage.hear_whole(LMQ.name);
    alone.coverage.hear_whole(STATUS.name);
    if let Some(place) = fleet.clients.find(client) {
        alone.join_client(fleet.clients.at(place), &POLICY);
    }
    alone.verdict(client, now, &POLICY)
}

fn take(fleet: &mut Fleet, heard: &Heard) {
    match heard {
        Heard::Channel(voice, event) => {
            fleet.take(event, &hearsay(*voice), &POLICY);
        }
        Heard::Restarted(stamp) => {
            fleet.join_restart(*stamp);
        }
    }
}

/// Each event goes to one writer at least, to some twice, and in any order.
fn random_writers(
    rng: &mut Rng,
    place: &dyn Stores,
    instance: &str,
    history: &[Heard],
) -> Vec<Writer> {
    let mut writers: Vec<Writer> = (0..rng.usize(1..4))
        .map(|_| Writer {
            store: Some(place.a_writer()),
            instance: instance.to_owned(),
            fleet: Fleet::default(),
            ahead: Vec::new(),
            uncommitted: Vec::new(),
        })
        .collect();
    for heard in history {
        for _ in 0..=rng.usize(0..10) / 7 {
            rng.choice(writers.iter_mut()).expect("a writer").ahead.push(heard.clone());
        }
    }
    for writer in &mut writers {
        rng.shuffle(&mut writer.ahead);
    }
    writers
}

fn random_history(rng: &mut Rng) -> Vec<Heard> {
    (0..rng.usize(5..60)).map(|_| random_heard(rng)).collect()
}

fn random_heard(rng: &mut Rng) -> Heard {
    let resolution = if rng.u8(0..6) == 0 { 1_000 } else { 0 };
    let ms = START + rng.i64(0..100_000);
    let time = Timestamp(if resolution == 0 { ms } else { ms / 1_000 * 1_000 });
    let stamp = Stamp { time, tie: rng.u64(0..3), resolution };
    if rng.u8(0..30) == 0 {
        return Heard::Restarted(stamp);
    }
    let kinds = [
        EventKind::Opened,
        EventKind::Opened,
        EventKind::Closed,
        EventKind::Farewell,
        EventKind::Seen,
    ];
    let kind = rng.choice(kinds).expect("a kind");
    let client = format!("GID@@@d{}", rng.u8(0..5));
    let strong = rng.u8(0..3) > 0;
    // Within `channels_max`: beyond it, anomalies may depend on the order.
    let channel = if strong {
        Channel::Strong(format!("ch{}", rng.u8(0..8)).into())
    } else {
        Channel::Weak(None)
    };
    let stamp = (rng.u8(0..12) > 0).then_some(stamp);
    let mut event = ChannelEvent::new(client, channel, kind, stamp);
    event.address = format!("10.0.0.{}:5000", rng.u8(0..3)).into();
    if rng.u8(0..10) == 0 {
        event.flags = Flags::TAG_MISMATCH;
    }
    Heard::Channel(if strong { LMQ } else { STATUS }, event)
}
