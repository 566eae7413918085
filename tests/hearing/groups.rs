//! Watchers that share their work, each on a machine of its own with one store between them.
//!
//! The broker here gives each notice to one of the sessions that are subscribed, keeps it until it is
//! acknowledged, and throws away what does not fit. Whatever happens to the members, a covered verdict is
//! the truth once all that can arrive has arrived.

use super::{PATIENCE, SECOND, START};
use fastrand::Rng;
use presence::event::{Channel, ChannelEvent, EventKind, Stamp, Timestamp};
use presence::state::coverage::{Coverage, SourceKey};
use presence::state::fleet::{Fleet, Hearsay};
use presence::state::hearing::{Hearing, Moment, Terms};
use presence::state::packed::VoiceKey;
use presence::state::policy::Policy;
use presence::state::verdict::{Blind, Status, Verdict};
use std::collections::{BTreeMap, VecDeque};

const LMQ: &str = "lmq";
const EAR: &str = "share:g";
/// What the broker queues for one session.
const QUEUE: u64 = 6;
const TERMS: Terms =
    Terms { keep_alive_ms: 5 * SECOND, broker_queue: QUEUE, bridge_gaps_ms: 0, is_kept: false };
/// The longest that a message is under way to somebody who is there, ms.
const MOMENT: i64 = 100;
const CLIENTS: usize = 6;
const WORLDS: u64 = 120;

#[derive(Clone)]
struct Notice {
    client: String,
    kind: EventKind,
    channel: String,
    time: Timestamp,
}

/// What the broker keeps for one member.
#[derive(Default)]
struct Session {
    subscribed: bool,
    queue: VecDeque<Notice>,
    unacknowledged: VecDeque<Notice>,
}

/// A running member.
struct Member {
    hearing: Hearing,
    fleet: Fleet,
    connected: bool,
    /// By how much its clock is wrong, ms.
    skew: i64,
    begun: i64,
}

/// Everything: broker, store, and members by name.
struct World {
    now: i64,
    terms: Terms,
    /// For how long something may have been under way already, ms.
    under_way: i64,
    sessions: BTreeMap<String, Session>,
    store: Fleet,
    members: BTreeMap<String, Member>,
    /// The last channel of each client, and whether it is open.
    truth: BTreeMap<String, (u64, bool)>,
    rng: Rng,
}

fn key() -> SourceKey {
    SourceKey { voice: LMQ.to_owned(), ear: EAR.to_owned() }
}

impl World {
    fn new(seed: u64) -> Self {
        Self {
            now: START,
            terms: TERMS,
            under_way: 0,
            sessions: BTreeMap::new(),
            store: Fleet::default(),
            members: BTreeMap::new(),
            truth: BTreeMap::new(),
            rng: Rng::with_seed(seed),
        }
    }

    fn moment(&self, member: &Member) -> Moment {
        let wall = Timestamp(self.now + member.skew);
        Moment { wall, steady_ms: self.now - member.begun }
    }

    /// Time passes. What a broker has for somebody who is there it hands over at once: nothing is under way
    /// for longer than a moment.
    fn pass(&mut self, ms: i64) {
        self.under_way += ms;
        if self.under_way >= MOMENT {
            self.under_way = 0;
            for name in self.members.keys().cloned().collect::<Vec<_>>() {
                while self.take_one(&name) {}
            }
        }
        self.now += ms;
    }

    /// A client comes or goes, and the broker tells one of those who are subscribed.
    fn publish(&mut self, client: &str) {
        // What it drops for a listener that is there a broker says, and that is another story.
        let is_full = |session: &Session| {
            (session.queue.len() + session.unacknowledged.len()) as u64 >= QUEUE
        };
        let mut there = self.members.iter().filter(|(_, member)| member.connected);
        if there.any(|(name, _)| self.sessions.get(name).is_some_and(is_full)) {
            return;
        }
        let (channel, is_open) = self.truth.get(client).copied().unwrap_or_default();
        let next = if is_open { (channel, false) } else { (channel + 1, true) };
        self.truth.insert(client.to_owned(), next);
        let notice = Notice {
            client: client.to_owned(),
            kind: if is_open { EventKind::Closed } else { EventKind::Opened },
            channel: format!("{client}-{}", next.0),
            time: Timestamp(self.now),
        };
        let subscribed = self.sessions.iter_mut().filter(|(_, session)| session.subscribed);
        let mut subscribed: Vec<_> = subscribed.collect();
        if subscribed.is_empty() {
            return;
        }
        let chosen = self.rng.usize(..subscribed.len());
        let (_, session) = &mut subscribed[chosen];
        if (session.queue.len() as u64) < QUEUE {
            session.queue.push_back(notice);
        }
    }

    /// A client that is online goes, and comes again: of an end alone, soon after a hole, nothing follows.
    fn comes_back(&mut self, client: &str) {
        for _ in 0..2 {
            self.publish(client);
            self.calm_down();
        }
    }

    fn start(&mut self, name: &str) {
        let skew = self.rng.i64(-900..900);
        let hearing = Hearing::new(name, EAR, self.terms, &[(LMQ, None)], None);
        let fleet = self.store.clone();
        let mut member = Member { hearing, fleet, connected: false, skew, begun: self.now };
        if !member.hearing.is_known(&member.fleet.coverage) {
            self.sessions.remove(name);
        }
        let now = Timestamp(self.now + skew);
        member.hearing.register(now, &mut member.fleet.coverage);
        self.members.insert(name.to_owned(), member);
        self.commit(name);
    }

    /// The broker accepts the connection and the subscription; then, or a little later, we hear of it.
    fn connect(&mut self, name: &str) {
        let session_present = self.sessions.contains_key(name);
        self.sessions.entry(name.to_owned()).or_default().subscribed = true;
        if self.rng.bool() {
            self.something_small();
        }
        let Some(member) = self.members.get(name) else { return };
        let now = self.moment(member);
        let member = self.members.get_mut(name).expect("it was there");
        member.hearing.connected(session_present);
        if session_present {
            member.hearing.heed_backlog(&member.fleet.coverage);
        }
        member.hearing.uptime(1_000_000, now);
        member.hearing.subscribed(&[(LMQ, 1)], now, &mut member.fleet.coverage);
        member.connected = true;
        self.look(name);
    }

    fn take_one(&mut self, name: &str) -> bool {
        let Some(member) = self.members.get(name).filter(|member| member.connected) else {
            return false;
        };
        let now = self.moment(member);
        let Some(session) = self.sessions.get_mut(name) else { return false };
        let Some(notice) = session.queue.pop_front() else { return false };
        session.unacknowledged.push_back(notice.clone());
        let member = self.members.get_mut(name).expect("it was there");
        member.hearing.message(Some(LMQ), 1, false, now, &mut member.fleet.coverage);
        let mark = member.hearing.mark(LMQ, &member.fleet.coverage);
        let voice = VoiceKey { authority: 1, name: LMQ };
        let by = Hearsay { voice, mark, received: now.wall };
        let stamp = Stamp { time: notice.time, tie: 0, resolution: 0 };
        let channel = Channel::Strong(notice.channel.into());
        let event = ChannelEvent::new(notice.client, channel, notice.kind, Some(stamp));
        member.fleet.take(&event, &by, &Policy::DEFAULT);
        true
    }

    /// Makes all that a member knows durable, and acknowledges it.
    fn commit(&mut self, name: &str) {
        let Some(member) = self.members.get(name) else { return };
        let mut told = member.fleet.clone();
        let own = told.coverage.source(&key()).and_then(|source| source.members.get(name)).cloned();
        told.coverage = Coverage::default();
        self.store.join(&told, &Policy::DEFAULT);
        let own = own.expect("it registered");
        let kept = self.store.coverage.member_mut(&key(), name, own.patience_ms);
        if own.epoch >= kept.epoch {
            *kept = own;
        }
        if let Some(session) = self.sessions.get_mut(name) {
            session.unacknowledged.clear();
        }
    }

    fn look(&mut self, name: &str) {
        let Some(member) = self.members.get(name) else { return };
        let now = self.moment(member);
        let member = self.members.get_mut(name).expect("it was there");
        let Member { hearing, fleet, .. } = member;
        hearing.join_others(&self.store.coverage, now, &mut fleet.coverage);
        for client in self.store.clients.iter() {
            fleet.join_client(client, &Policy::DEFAULT);
        }
        if member.connected {
            hearing.settle_joining(now, &mut fleet.coverage);
            hearing.heed_others(now, &fleet.coverage);
        }
    }

    /// What a member does by itself again and again.
    fn tick(&mut self, name: &str) {
        let Some(member) = self.members.get(name).filter(|member| member.connected) else { return };
        let now = self.moment(member);
        let member = self.members.get_mut(name).expect("it was there");
        member.hearing.received(now, &mut member.fleet.coverage);
        member.hearing.settle(now, &mut member.fleet.coverage);
        self.commit(name);
        self.look(name);
    }

    fn kill(&mut self, name: &str) {
        self.members.remove(name);
        if let Some(session) = self.sessions.get_mut(name) {
            while let Some(notice) = session.unacknowledged.pop_back() {
                session.queue.push_front(notice);
            }
        }
    }

    /// A member hands its part over and goes, while other things happen.
    fn leave(&mut self, name: &str) {
        if !self.members.get(name).is_some_and(|member| member.connected) {
            return;
        }
        self.commit(name);
        self.member(name).hearing.begin_to_leave();
        self.something_small();
        self.sessions.get_mut(name).expect("it is connected").subscribed = false;
        loop {
            self.something_small();
            let came = self.take_one(name);
            self.commit(name);
            if !came && self.sessions.get(name).is_none_or(|session| session.queue.is_empty()) {
                break;
            }
        }
        let Member { hearing, fleet, .. } = self.member(name);
        hearing.leave(&mut fleet.coverage);
        self.commit(name);
        self.something_small();
        self.members.remove(name);
        self.sessions.remove(name);
    }

    /// Somebody takes a dead member out.
    fn forget(&mut self, name: &str) {
        self.sessions.remove(name);
        let known = self.store.coverage.source(&key());
        if known.and_then(|source| source.members.get(name)).is_some_and(|member| !member.left) {
            let member = self.store.coverage.member_mut(&key(), name, PATIENCE);
            member.begin_epoch(Timestamp(self.now));
            member.left = true;
        }
    }

    fn member(&mut self, name: &str) -> &mut Member {
        self.members.get_mut(name).expect("it runs")
    }

    fn someone(&mut self) -> String {
        ["a", "b", "c"][self.rng.usize(..3)].to_owned()
    }

    /// Messages, heartbeats, and time.
    fn something_small(&mut self) {
        let name = self.someone();
        match self.rng.u8(..10) {
            0..3 => {
                let client = format!("c{}", self.rng.usize(..CLIENTS));
                self.publish(&client);
            }
            3..6 => _ = self.take_one(&name),
            6 => self.look(&name),
            7 | 8 => self.tick(&name),
            _ => {
                let ms = if self.rng.bool() { 60 } else { self.rng.i64(1..1_500) };
                self.pass(ms);
            }
        }
    }

    fn something_big(&mut self) {
        let name = self.someone();
        let runs = self.members.get(&name).map(|member| member.connected);
        match (runs, self.rng.u8(..10)) {
            (None, 0..6) => self.start(&name),
            (None, 6) => self.forget(&name),
            (None, 7) => _ = self.sessions.remove(&name),
            (Some(false), 0..8) => self.connect(&name),
            (Some(_), 8) => self.kill(&name),
            (Some(true), 9) => self.leave(&name),
            (Some(true), 7) => {
                self.member(&name).hearing.lost();
                self.member(&name).connected = false;
            }
            _ => {}
        }
    }

    /// Time passes until all that can arrive has arrived, and whoever is silent is missed.
    fn calm_down(&mut self) {
        let names: Vec<String> = self.members.keys().cloned().collect();
        for name in &names {
            if !self.members[name].connected {
                self.connect(name);
            }
        }
        for _ in 0..16 {
            for name in &names {
                while self.take_one(name) {}
                self.tick(name);
            }
            self.pass(SECOND);
        }
    }

    fn verdict(&self, client: &str) -> Verdict {
        self.store.verdict(client, Timestamp(self.now), &Policy::DEFAULT)
    }

    fn is_true(&self, client: &str) -> bool {
        let verdict = self.verdict(client);
        let (_, is_open) = self.truth[client];
        !verdict.covered || (verdict.status == Status::Online) == is_open
    }
}

#[test]
fn whatever_happens_to_the_members_a_covered_verdict_is_the_truth() {
    let (mut covered, mut worlds) = (0, 0);
    for seed in 0..WORLDS {
        let mut world = World::new(seed);
        for _ in 0..40 {
            world.something_big();
            for _ in 0..world.rng.usize(..12) {
                world.something_small();
            }
        }
        world.calm_down();
        for client in world.truth.keys() {
            assert!(world.is_true(client), "seed {seed}: {client} {:#?}", world.verdict(client));
            covered += usize::from(world.verdict(client).covered);
        }
        let source = world.store.coverage.source(&key()).cloned().unwrap_or_default();
        if world.members.is_empty() || source.staying().any(|(m, _)| !world.members.contains_key(m))
        {
            continue;
        }
        // All members are there: whoever is heard of now is known to everybody. Of an end alone, whose
        // beginning was lost, nothing would follow.
        worlds += 1;
        for number in 0..2 * CLIENTS {
            world.publish(&format!("c{}", number / 2));
            let names: Vec<String> = world.members.keys().cloned().collect();
            for name in &names {
                while world.take_one(name) {}
            }
            for name in &names {
                world.tick(name);
            }
        }
        world.calm_down();
        for client in world.truth.keys() {
            assert!(world.is_true(client), "seed {seed}: {client}");
            let verdict = world.verdict(client);
            assert!(verdict.covered, "seed {seed}: {client} {verdict:#?}");
            for (name, member) in &world.members {
                let now = Timestamp(world.now);
                let told = member.fleet.verdict(client, now, &Policy::DEFAULT);
                assert_eq!(told, verdict, "seed {seed}: as {name} sees it");
            }
        }
    }
    assert!(covered > 40 && worlds > 12, "{covered} verdicts, {worlds} worlds");
}

/// A group of these, one after the other, with one client that is online.
fn group(names: &[&str]) -> World {
    group_under(TERMS, names)
}

fn group_under(terms: Terms, names: &[&str]) -> World {
    let mut world = World { terms, ..World::new(1) };
    for name in names {
        world.start(name);
        world.connect(name);
        world.calm_down();
    }
    world.publish("pump");
    world.calm_down();
    assert_eq!(world.verdict("pump").status, Status::Online);
    world
}

fn epoch(world: &World) -> u64 {
    world.store.coverage.source(&key()).map_or(0, presence::state::coverage::Source::epoch)
}

#[test]
fn whoever_joins_leaves_or_comes_back_in_time_costs_nobody_anything() {
    let mut world = group(&["a", "b"]);
    assert_eq!(epoch(&world), 1, "the first member of a group has missed nothing");
    world.start("c");
    world.connect("c");
    world.calm_down();
    world.leave("a");
    world.calm_down();
    world.kill("b");
    world.pass(SECOND);
    world.start("b");
    world.calm_down();
    world.start("a");
    world.calm_down();
    assert_eq!((epoch(&world), world.verdict("pump").status), (1, Status::Online));
}

#[test]
fn a_group_that_all_have_left_begins_anew() {
    let mut world = group(&["a"]);
    world.leave("a");
    assert_eq!(world.verdict("pump").status, Status::Unknown);
    world.publish("pump");
    world.start("a");
    world.calm_down();
    let verdict = world.verdict("pump");
    assert_eq!(verdict.status, Status::Unknown, "its end went unheard");
    assert!(matches!(verdict.last_known.expect("it was").blind, Blind::Away { .. }));
}

#[test]
fn a_dead_member_is_named_until_it_is_taken_out() {
    let mut world = group(&["a", "b"]);
    world.kill("b");
    world.calm_down();
    for fleet in [&world.store, &world.members["a"].fleet] {
        let verdict = fleet.verdict("pump", Timestamp(world.now), &Policy::DEFAULT);
        let blind = verdict.last_known.expect("it was known").blind;
        assert!(
            matches!(&blind, Blind::MemberSilent { member, .. } if &**member == "b"),
            "{blind:?}"
        );
    }
    world.forget("b");
    world.calm_down();
    assert_eq!((epoch(&world), world.verdict("pump").status), (2, Status::Unknown));
    world.comes_back("pump");
    assert_eq!(world.verdict("pump").status, Status::Online);
}

#[test]
fn a_member_that_was_taken_out_while_it_listens_comes_in_again() {
    let mut world = group(&["a", "b"]);
    let session = world.sessions.remove("b").expect("it has one");
    world.forget("b");
    world.sessions.insert("b".to_owned(), session);
    world.calm_down();
    world.comes_back("pump");
    assert_eq!(world.verdict("pump").status, Status::Online);
    world.kill("b");
    world.calm_down();
    assert_eq!(world.verdict("pump").status, Status::Unknown, "it is missed again");
}

#[test]
fn what_was_under_way_before_a_hole_of_another_member_counts_for_before() {
    let mut world = group(&["a", "b"]);
    // The end of `pump` goes to the member that loses it; what the other one still has to read is older.
    world.sessions.get_mut("b").expect("there").subscribed = false;
    world.publish("lamp");
    world.sessions.get_mut("b").expect("there").subscribed = true;
    world.forget("b");
    world.kill("b");
    world.look("a");
    assert!(world.take_one("a"), "it was published before the hole");
    world.tick("a");
    assert_eq!(world.verdict("lamp").status, Status::Unknown, "its end may have been lost");
    world.calm_down();
    world.comes_back("lamp");
    assert_eq!(world.verdict("lamp").status, Status::Online);
}

/// Lets so many messages reach `a` after a hole of `b`, with no silence between them that tells what is
/// old, and returns what is believed then.
fn under_load(broker_queue: u64, messages: u64) -> Status {
    let mut world = group_under(Terms { broker_queue, ..TERMS }, &["a", "b"]);
    world.forget("b");
    world.kill("b");
    world.look("a");
    for _ in 0..messages {
        world.pass(60);
        world.publish("lamp");
        world.take_one("a");
        world.tick("a");
    }
    world.verdict("lamp").status
}

#[test]
fn a_hole_of_another_member_is_heeded_under_unbroken_load() {
    assert_eq!(under_load(QUEUE, QUEUE - 1), Status::Unknown);
    assert_ne!(under_load(QUEUE, QUEUE + 2), Status::Unknown);
    let minute = 60 * SECOND as u64 / 60;
    assert_eq!(under_load(0, minute - 1), Status::Unknown);
    assert_ne!(under_load(0, minute + 2), Status::Unknown);
}
