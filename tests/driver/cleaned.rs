//! What is removed when a run is over, as the broker sees it.

use super::server::{Habits, Seen, Server};
use super::{Run, bounded, fleet, life, template};
use presence::simulate::cleaning::{self, Cleaned, Kind};
use presence::simulate::deed::What;
use presence::simulate::driver::Stop;
use presence::simulate::fleet::{Credentials, Fleet, Login};
use presence::simulate::plan::{Death, WITH_WILL};
use presence::wire::{Connect, Packet, Publish, Qos, Reason};
use std::sync::Arc;
use tokio::sync::watch;

/// Lets two devices live and die, and cleans up after them.
async fn clean(fleet: Fleet, death: Death) -> Cleaned {
    let run = Run::start(fleet, vec![vec![life(0, 50, death)]; 2]);
    let fleet = Arc::clone(&run.fleet);
    let ended = run.end().await.0.expect("the broker is there");
    let (_stop, asked) = watch::channel(Stop::Run);
    bounded(cleaning::run(&fleet, &ended, asked)).await
}

/// Returns the client ids and CONNECTs of those who came after the devices.
fn visitors(seen: &[Seen]) -> Vec<&Connect> {
    let connects = seen.iter().filter_map(|seen| match seen {
        Seen::Connect(connect) => Some(&**connect),
        _ => None,
    });
    connects.skip(2).collect()
}

/// Returns who emptied which topics.
fn emptied(seen: &[Seen]) -> Vec<(&str, &str)> {
    let mut emptied: Vec<_> =
        seen.iter()
            .filter_map(|seen| match seen {
                Seen::Packet(
                    client,
                    Packet::Publish(Publish { topic, payload, retain: true, .. }),
                ) if payload.is_empty() => Some((client.as_str(), topic.as_str())),
                _ => None,
            })
            .collect();
    emptied.sort_unstable();
    emptied
}

const TOPICS: [&str; 2] = ["devices/sim-3fa9-0/status", "devices/sim-3fa9-1/status"];

#[tokio::test]
async fn one_client_empties_all_topics() {
    let server = Server::start(Habits::default()).await;
    let cleaned = clean(fleet(&server.url(), ""), Death::Disconnect).await;
    assert_eq!(cleaned, Cleaned { topics: 2, ..Cleaned::default() });
    let seen = server.finish().await;
    let visitors = visitors(&seen);
    assert_eq!(visitors.len(), 1);
    assert_eq!(visitors[0].client_id, "sim-3fa9-cleaner");
    assert!(visitors[0].will.is_none() && visitors[0].clean_start);
    assert_eq!(emptied(&seen), TOPICS.map(|topic| ("sim-3fa9-cleaner", topic)));
}

#[tokio::test]
async fn a_will_is_waited_for_before_its_topic_is_emptied() {
    let will = |topic: &str| Publish {
        topic: topic.into(),
        payload: "offline".into(),
        ..Publish::default()
    };
    // One of the two comes.
    let habits = Habits { gift: Some(will(TOPICS[0])), ..Habits::default() };
    let server = Server::start(habits).await;
    let cleaned = clean(fleet(&server.url(), ""), Death::Fin).await;
    assert_eq!(cleaned.topics, 2);
    let [left] = &cleaned.left[..] else { panic!("{cleaned:?}") };
    assert_eq!((left.kind, left.count, &left.first[..]), (Kind::Will, 1, &[TOPICS[1].into()][..]));
    let seen = server.finish().await;
    let asked = seen.iter().position(|seen| matches!(seen, Seen::Packet(_, Packet::Subscribe(_))));
    let first_emptied = seen.iter().position(|seen| {
        matches!(seen, Seen::Packet(_, Packet::Publish(publish)) if publish.payload.is_empty())
    });
    assert!(asked.is_some() && asked < first_emptied, "{seen:?}");
}

#[tokio::test]
async fn sessions_are_ended_by_the_devices_themselves() {
    let server = Server::start(Habits::default()).await;
    let mut fleet = fleet(&server.url(), "");
    (fleet.conduct.persistent, fleet.conduct.birth, fleet.conduct.will) = (true, None, None);
    let cleaned = clean(fleet, Death::Disconnect).await;
    assert_eq!(cleaned, Cleaned { sessions: 2, ..Cleaned::default() });
    let seen = server.finish().await;
    let mut visitors = visitors(&seen);
    visitors.sort_by_key(|connect| connect.client_id.clone());
    let ids: Vec<_> = visitors.iter().map(|connect| connect.client_id.as_str()).collect();
    assert_eq!(ids, ["sim-3fa9-0", "sim-3fa9-1"]);
    assert!(visitors.iter().all(|connect| connect.clean_start && connect.session_expiry == 0));
}

#[tokio::test]
async fn where_nothing_passes_any_more_somebody_comes_in_the_devices_name() {
    let server = Server::start(Habits::default()).await;
    let mut fleet = fleet(&server.url(), "--keepalive 60");
    (fleet.conduct.persistent, fleet.conduct.birth, fleet.conduct.will) = (true, None, None);
    let cleaned = clean(fleet, Death::NatDrop).await;
    assert_eq!(cleaned, Cleaned { sessions: 2, ..Cleaned::default() });
    let seen = server.finish().await;
    assert_eq!(visitors(&seen).len(), 2);
}

#[tokio::test]
async fn a_will_that_a_goodbye_asked_for_is_waited_for() {
    let server = Server::start(Habits::default()).await;
    let death = Death::DisconnectWith(WITH_WILL);
    let cleaned = clean(fleet(&server.url(), "--mqtt-version 5"), death).await;
    assert_eq!(cleaned.topics, 2);
    // This broker publishes none.
    let [left] = &cleaned.left[..] else { panic!("{cleaned:?}") };
    assert_eq!((left.kind, left.count), (Kind::Will, 2));
}

#[tokio::test]
async fn a_will_that_the_broker_holds_back_is_settled_by_a_visit() {
    let server = Server::start(Habits::default()).await;
    let mut fleet = fleet(&server.url(), "--mqtt-version 5");
    fleet.conduct.will.as_mut().expect("there is one").delay = 3600;
    let cleaned = clean(fleet, Death::Rst).await;
    assert_eq!(cleaned, Cleaned { topics: 2, ..Cleaned::default() });
    let seen = server.finish().await;
    assert_eq!(visitors(&seen).len(), 3, "two devices, then the cleaner");
}

#[tokio::test]
async fn with_credentials_of_its_own_each_device_cleans_up_itself() {
    let server = Server::start(Habits::default()).await;
    let mut fleet = fleet(&server.url(), "");
    let login = |name: &str| Login { username: name.into(), password: Some("secret".into()) };
    fleet.credentials = Credentials::Table(vec![login("a"), login("b")]);
    let cleaned = clean(fleet, Death::Disconnect).await;
    assert_eq!(cleaned, Cleaned { topics: 2, ..Cleaned::default() });
    let seen = server.finish().await;
    let ids = ["sim-3fa9-0", "sim-3fa9-1"];
    assert_eq!(emptied(&seen), [(ids[0], TOPICS[0]), (ids[1], TOPICS[1])]);
    let mut names: Vec<_> = visitors(&seen).iter().map(|visit| visit.username.clone()).collect();
    names.sort();
    assert_eq!(names, [Some("a".into()), Some("b".into())]);
}

#[tokio::test]
async fn what_the_broker_does_not_allow_is_told() {
    let habits = Habits { reason: Reason::NOT_AUTHORIZED, ..Habits::default() };
    let server = Server::start(habits).await;
    let cleaned = clean(fleet(&server.url(), "--mqtt-version 5"), Death::Disconnect).await;
    let [left] = &cleaned.left[..] else { panic!("{cleaned:?}") };
    assert_eq!((left.kind, left.count, left.first.len()), (Kind::Retained, 2, 2));
    assert_eq!(left.cause, "the broker refused an empty message: 0x87, not authorized");
}

#[tokio::test]
async fn a_broker_that_is_gone_leaves_everything_with_the_cause() {
    let server = Server::start(Habits::default()).await;
    let mut fleet = fleet(&server.url(), "");
    fleet.conduct.persistent = true;
    let mut run = Run::start(fleet, vec![vec![life(0, 60_000, Death::Disconnect)]; 200]);
    let fleet = Arc::clone(&run.fleet);
    for _ in 0..200 {
        run.until(|what| matches!(what, What::Connected { .. })).await;
    }
    run.stop.send(Stop::Goodbye).expect("the run listens");
    let ended = run.end().await.0.expect("the broker is there");
    server.finish().await;
    let (_stop, asked) = watch::channel(Stop::Run);
    let cleaned = bounded(cleaning::run(&fleet, &ended, asked)).await;
    assert_eq!((cleaned.topics, cleaned.sessions), (0, 0));
    let count =
        |kind| cleaned.left.iter().filter(move |left| left.kind == kind).map(|left| left.count);
    assert_eq!(count(Kind::Session).sum::<u32>(), 200);
    assert_eq!(count(Kind::Retained).sum::<u32>(), 200);
    assert!(cleaned.left.iter().any(|left| left.cause.contains("connection refused")));
}

#[tokio::test]
async fn nothing_made_is_nothing_to_do() {
    let server = Server::start(Habits::default()).await;
    let mut fleet = fleet(&server.url(), "");
    (fleet.conduct.birth, fleet.conduct.will) = (None, None);
    fleet.conduct.subscribe = vec![(template("a"), Qos::AtMostOnce)];
    assert_eq!(clean(fleet, Death::Fin).await, Cleaned::default());
    assert!(visitors(&server.finish().await).is_empty());
}
