//! What is kept beside the clients' records, and how it is joined.

use crate::support::{BROKER, LMQ, POLICY, Place, at, batch, client, status};
use presence::event::{Channel, ChannelEvent, EventKind, Timestamp};
use presence::state::coverage::{Member, SourceKey};
use presence::state::fleet::{Fleet, Hearsay};
use presence::state::verdict::Status;
use presence::store::{Account, Author, Batch, Session};

fn source() -> SourceKey {
    SourceKey { voice: LMQ.name.to_owned(), ear: "presence-1".to_owned() }
}

/// Returns a listener in its `epoch`th epoch.
fn member(epoch: u64, heard: i64) -> Member {
    let mut member = Member::new(12_000);
    for number in 0..epoch {
        member.begin_epoch(Timestamp(1_000_000 + i64::try_from(number).expect("small") * 1_000));
    }
    member.heard = Timestamp(heard);
    member
}

fn told(account: &Member, author: Author, source: &SourceKey, place: &Place) -> Member {
    let account = Account { source, member: "presence-1", account, author };
    let batch = Batch { accounts: vec![account], ..Batch::default() };
    place.writer().commit(BROKER, &batch).expect("committed");
    let fleet = place.reader().load(BROKER).expect("loaded");
    fleet.coverage.source(source).expect("a source").members["presence-1"].clone()
}

#[test]
fn a_listener_may_set_its_own_clock_back() {
    let (place, source) = (Place::new(), source());
    told(&member(3, 2_000_000), Author::Itself, &source, &place);
    let earlier = member(3, 1_900_000);
    assert_eq!(told(&earlier, Author::Itself, &source, &place), earlier);
}

#[test]
fn an_older_epoch_never_replaces_a_newer_one() {
    let (place, source) = (Place::new(), source());
    let newer = member(3, 1_500_000);
    told(&newer, Author::Itself, &source, &place);
    assert_eq!(told(&member(2, 2_000_000), Author::Itself, &source, &place), newer);
}

#[test]
fn what_others_say_of_a_listener_is_joined() {
    let (place, source) = (Place::new(), source());
    let newer = member(3, 2_000_000);
    told(&newer, Author::Itself, &source, &place);
    let mut older = member(3, 1_900_000);
    older.lossy = true;
    let joined = told(&older, Author::Another, &source, &place);
    assert_eq!(joined, Member { lossy: true, ..newer });
}

#[test]
fn a_verdict_is_covered_for_another_process_while_its_watcher_listens() {
    let (place, source, mut fleet) = (Place::new(), source(), Fleet::default());
    let now = Timestamp(1_000_000);
    fleet.coverage.member_mut(&source, "presence-1", 12_000).begin_epoch(now);
    let by = Hearsay { voice: LMQ, mark: fleet.coverage.mark(&source), received: now };
    let event =
        ChannelEvent::new("a", Channel::Strong("x".into()), EventKind::Opened, Some(at(999_000)));
    fleet.take(&event, &by, &POLICY);
    let account = &fleet.coverage.source(&source).expect("made").members["presence-1"];
    let author = Author::Itself;
    let batch = Batch {
        clients: fleet.clients.iter().collect(),
        accounts: vec![Account { source: &source, member: "presence-1", account, author }],
        ..Batch::default()
    };
    place.writer().commit(BROKER, &batch).expect("committed");
    let reader = place.reader();
    for asked in [now, now.plus(12_000), now.plus(12_001)] {
        let found = reader.fleet_of(BROKER, &["a"]).expect("looked up");
        assert_eq!(found.verdict("a", asked, &POLICY), fleet.verdict("a", asked, &POLICY));
    }
    assert!(fleet.verdict("a", now, &POLICY).covered);
}

#[test]
fn a_dead_member_is_taken_out_with_a_new_epoch() {
    let (place, source) = (Place::new(), source());
    told(&member(3, 2_000_000), Author::Itself, &source, &place);
    let forget = |name: &str| place.writer().forget_member(BROKER, name, Timestamp(3_000_000));
    assert_eq!(forget("nobody"), Ok(0));
    assert_eq!(forget("presence-1"), Ok(1));
    assert_eq!(forget("presence-1"), Ok(0));
    let fleet = place.reader().load(BROKER).expect("loaded");
    let source = fleet.coverage.source(&source).expect("kept");
    assert_eq!(source.epoch(), 4);
    assert!(source.members["presence-1"].left);
}

#[test]
fn ties_and_starts_only_grow_and_the_count_of_drops_follows_the_broker() {
    let place = Place::new();
    let mut store = place.writer();
    let first = Batch { tie: 9, restart: Some(at(500)), dropped: Some(70), ..Batch::default() };
    store.commit(BROKER, &first).expect("committed");
    let second = Batch { tie: 4, restart: Some(at(400)), dropped: Some(2), ..Batch::default() };
    store.commit(BROKER, &second).expect("committed");
    store.commit(BROKER, &Batch::default()).expect("committed");
    let reader = place.reader();
    assert_eq!(reader.tie(BROKER), Ok(9));
    assert_eq!(reader.dropped(BROKER), Ok(Some(2)));
    assert_eq!(reader.load(BROKER).expect("loaded").restart(), Some(at(500)));
    assert_eq!(reader.tie("nowhere"), Ok(0));
}

#[test]
fn a_tick_writes_one_page_and_a_commit_that_changes_nothing_writes_none() {
    let (place, source) = (Place::new(), source());
    let mut store = place.writer();
    let mut tick = |heard| {
        let account = &member(1, heard);
        let author = Author::Itself;
        let accounts = vec![Account { source: &source, member: "presence-1", account, author }];
        store.commit(BROKER, &Batch { accounts, tie: 5, ..Batch::default() }).expect("committed");
        store.size().expect("a size")
    };
    let (before, after) = (tick(1_000_000), tick(1_002_000));
    assert_eq!(after.wal_bytes - before.wal_bytes, 4_096 + 24);
    assert_eq!(after.journal_rows, 0);
    store.commit(BROKER, &Batch { tie: 5, ..Batch::default() }).expect("committed");
    assert_eq!(store.size().expect("a size").wal_bytes, after.wal_bytes);
}

#[test]
fn any_text_may_be_an_instance_or_a_client() {
    let place = Place::new();
    let long = "x".repeat(65_535);
    let odd = ["", "\0", "a\0b", "'; DROP TABLE clients; --", "\u{1f4a5}", "%", &long];
    let clients: Vec<_> = odd.iter().map(|id| client(id, "x", 1_000_000)).collect();
    let mut store = place.writer();
    for instance in odd {
        store.commit(instance, &batch(&clients)).expect("committed");
    }
    // Once from the journal, once from the table.
    for _ in 0..2 {
        for instance in odd {
            for id in odd {
                let fleet = store.fleet_of(instance, &[id, id]).expect("looked up");
                assert_eq!(status(fleet, id), Status::Online);
            }
            assert_eq!(store.load(instance).expect("loaded").clients.len(), odd.len());
        }
        assert_eq!(store.names().expect("asked").len(), odd.len());
        store.fold().expect("folded");
    }
}

#[test]
fn instances_are_kept_apart() {
    let place = Place::new();
    let mut store = place.writer();
    store.commit("one", &batch([&client("a", "x", 1_000_000)])).expect("committed");
    store.fold().expect("folded");
    let both = ["a", "b"].map(|id| client(id, "x", 1_000_000));
    store.commit("two", &batch(&both)).expect("committed");
    store.commit("one", &batch([&client("a", "y", 1_000_000)])).expect("committed");
    let counts: Vec<(String, u64)> = store
        .instances()
        .expect("listed")
        .into_iter()
        .map(|instance| (instance.name, instance.clients))
        .collect();
    assert_eq!(counts, [("one".to_owned(), 1), ("two".to_owned(), 2)]);
    assert_eq!(store.names().expect("asked"), ["one", "two"]);
    assert_eq!(store.fleet_of("one", &["b"]).expect("looked up").clients.len(), 0);
    assert_eq!(store.load("three").expect("loaded").clients.len(), 0);
}

#[test]
fn sessions_are_kept_per_instance() {
    let place = Place::new();
    let mut store = place.writer();
    let session = Session {
        client_id: "presence-0123456789abcdef".to_owned(),
        made: Timestamp(1_000_000),
        expiry_s: Some(86_400),
    };
    assert_eq!(store.session(BROKER), Ok(None));
    store.remember_session(BROKER, &session).expect("kept");
    let other = Session { client_id: "other".to_owned(), expiry_s: None, ..session.clone() };
    store.remember_session("elsewhere", &session).expect("kept");
    store.remember_session("elsewhere", &other).expect("kept");
    let reader = place.reader();
    assert_eq!(reader.session(BROKER), Ok(Some(session)));
    assert_eq!(reader.session("elsewhere"), Ok(Some(other)));
    assert_eq!(store.forget_session(BROKER), Ok(true));
    assert_eq!(store.forget_session(BROKER), Ok(false));
    assert_eq!(reader.session(BROKER), Ok(None));
}

#[test]
fn a_client_heard_of_since_it_was_judged_is_not_forgotten() {
    let place = Place::new();
    let mut store = place.writer();
    let judged = ["a", "b"].map(|id| client(id, "x", 1_000_000));
    store.commit(BROKER, &batch(&judged)).expect("committed");
    place.writer().commit(BROKER, &batch([&client("b", "y", 2_000_000)])).expect("committed");
    assert_eq!(store.forget_clients(BROKER, &[&judged[0], &judged[1]]), Ok(1));
    let fleet = store.load(BROKER).expect("loaded");
    assert!(fleet.clients.find("a").is_none() && fleet.clients.find("b").is_some());
}

#[test]
fn compacting_loses_nothing() {
    let place = Place::new();
    let mut store = place.writer();
    let clients: Vec<_> = (0..500).map(|n| client(&format!("c{n}"), "x", 1_000_000)).collect();
    store.commit(BROKER, &batch(&clients)).expect("committed");
    store.compact().expect("compacted");
    assert_eq!(store.size().expect("a size").journal_rows, 0);
    drop(store);
    assert_eq!(place.reader().load(BROKER).expect("loaded").clients.len(), 500);
}

#[test]
fn whoever_is_handed_the_clients_can_stop() {
    let place = Place::new();
    let mut store = place.writer();
    let clients = ["a", "b", "c"].map(|id| client(id, "x", 1_000_000));
    store.commit(BROKER, &batch(&clients)).expect("committed");
    let mut seen = 0;
    let stop = presence::failure::Failure::new("could not go on");
    let stopped = store.each_client(BROKER, |_| {
        seen += 1;
        if seen == 2 { Err(stop.clone()) } else { Ok(()) }
    });
    assert_eq!((stopped, seen), (Err(stop), 2));
}
