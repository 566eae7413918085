//! How devices behave while they live: what they send and read, when they ping, whether they come back.

use super::server::{Habits, How, Seen, Server, ends};
use super::{Run, fleet, life, message, template, whats};
use presence::simulate::deed::{Deed, What};
use presence::simulate::fleet::{Names, Traffic};
use presence::simulate::pinging::Pinging;
use presence::simulate::plan::Death;
use presence::wire::{ConnAck, Packet, Publish, Qos, Reason};
use std::sync::Arc;
use std::time::Duration;

const HOUR_MS: u64 = 3_600_000;

fn is_connected(what: &What) -> bool {
    matches!(what, What::Connected { .. })
}

/// Returns the packets of a client in what a broker sees until there are `count` of a kind.
async fn packets(server: &mut Server, is_it: fn(&Packet) -> bool, count: usize) -> Vec<Packet> {
    let mut packets = Vec::new();
    while packets.iter().filter(|packet| is_it(packet)).count() < count {
        if let Seen::Packet(_, packet) = server.next().await {
            packets.push(packet);
        }
    }
    packets
}

#[tokio::test]
async fn who_does_not_read_goes_on_speaking() {
    // More than socket buffers hold, so that it is left lying at the broker too.
    let gift = Publish {
        topic: "commands/all".into(),
        payload: vec![7; 1_000_000].into(),
        ..Publish::default()
    };
    let mut server =
        Server::start(Habits { gift: Some(gift), is_patient: true, ..Habits::default() }).await;
    let mut fleet = fleet(&server.url(), "--keepalive 1");
    fleet.conduct.reads = false;
    fleet.conduct.subscribe = vec![(template("commands/all"), Qos::AtMostOnce)];
    fleet.conduct.traffic = Some(Traffic {
        every: Duration::from_millis(100),
        message: message("{n}", Qos::AtLeastOnce),
    });
    let mut run = Run::start(fleet, vec![vec![life(0, HOUR_MS, Death::Disconnect)]]);
    run.until(is_connected).await;
    // Its birth and messages, though it has read no answer to the first of them.
    packets(&mut server, |packet| matches!(packet, Packet::Publish(_)), 5).await;
    server.die();
    let lost = run.deed().await;
    assert!(matches!(lost.what, What::Lost { .. }), "{lost:?}");
}

#[tokio::test]
async fn who_does_not_read_pings_and_never_gives_up() {
    let mut server =
        Server::start(Habits { answers_pings: false, is_patient: true, ..Habits::default() }).await;
    let mut fleet = fleet(&server.url(), "--keepalive 1");
    (fleet.conduct.reads, fleet.conduct.birth) = (false, None);
    let run = Run::start(fleet, vec![vec![life(0, HOUR_MS, Death::Disconnect)]]);
    // The third would come after one has given up that waits for answers.
    packets(&mut server, |packet| *packet == Packet::PingReq, 3).await;
    let (_, deeds) = run.stop().await;
    assert_eq!(whats(&deeds, 0), ["0 connected false", "0 stopped"]);
    assert_eq!(ends(&server.finish().await, "sim-3fa9-0"), [How::Goodbye]);
}

#[tokio::test]
async fn who_never_pings_is_ended_by_the_broker() {
    let server = Server::start(Habits::default()).await;
    let mut fleet = fleet(&server.url(), "--keepalive 1");
    fleet.conduct.pinging = Pinging::NeverPings;
    let (_, deeds) = Run::start(fleet, vec![vec![life(0, HOUR_MS, Death::Fin)]]).end().await;
    let done = whats(&deeds, 0);
    assert!(done.len() == 2 && done[1].starts_with("0 lost: "), "{done:?}");
    let seen = server.finish().await;
    assert_eq!(ends(&seen, "sim-3fa9-0"), [How::Silence]);
    assert!(!seen.iter().any(|seen| matches!(seen, Seen::Packet(_, Packet::PingReq))));
}

#[tokio::test]
async fn a_half_open_connection_carries_nothing_and_comes_back_as_another() {
    let server = Server::start(Habits { takes_over: true, ..Habits::default() }).await;
    let mut fleet = fleet(&server.url(), "--keepalive 1");
    fleet.conduct.pinging = Pinging::HalfOpen;
    fleet.conduct.reconnect = Some(Duration::from_millis(10));
    let mut run = Run::start(fleet, vec![vec![life(0, HOUR_MS, Death::Disconnect)]]);
    let mut deeds = Vec::new();
    while deeds.iter().filter(|deed: &&Deed| is_connected(&deed.what)).count() < 2 {
        deeds.push(run.deed().await);
    }
    let (ended, rest) = run.stop().await;
    deeds.extend(rest);
    let expected =
        ["0 connected false", "0 NatDrop", "0 gave up", "0 connected false", "0 NatDrop"];
    assert_eq!(whats(&deeds, 0), expected);
    let connections: Vec<_> = deeds.iter().map(|deed| deed.connection).collect();
    assert_eq!(connections, [0, 0, 0, 1, 1]);
    for deed in &deeds[..3] {
        assert_eq!(deed.last_sent, deeds[0].last_sent, "nothing was sent after CONNECT");
    }
    assert!(ended.expect("it ran").traces[0].is_abrupt);
    let seen = server.finish().await;
    assert!(!seen.iter().any(|seen| matches!(seen, Seen::Packet(..))), "{seen:?}");
}

#[tokio::test]
async fn the_ends_of_the_range_of_keep_alives_are_said_and_kept() {
    for (keep_alive, server_keep_alive, holds) in
        [(0, None, 0), (65_535, None, 65_535), (0, Some(60), 60), (65_535, Some(0), 0)]
    {
        let habits = Habits {
            greet: Arc::new(move |_, _| Some(ConnAck { server_keep_alive, ..ConnAck::default() })),
            ..Habits::default()
        };
        let server = Server::start(habits).await;
        let mut fleet = fleet(&server.url(), "--mqtt-version 5");
        fleet.conduct.keep_alive = keep_alive;
        let (_, deeds) = Run::start(fleet, vec![vec![life(0, 50, Death::Disconnect)]]).end().await;
        let What::Connected { keep_alive: held, .. } = deeds[0].what else { panic!("{deeds:?}") };
        assert_eq!(held, holds);
        let seen = server.finish().await;
        let Seen::Connect(connect) = &seen[0] else { panic!("{seen:?}") };
        assert_eq!(connect.keep_alive, keep_alive);
    }
}

#[tokio::test]
async fn devices_come_back_when_the_broker_does() {
    let server = Server::start(Habits::default()).await;
    let address = server.address;
    let mut fleet = fleet(&server.url(), "--keepalive 60");
    fleet.conduct.reconnect = Some(Duration::from_millis(10));
    let mut run = Run::start(fleet, vec![vec![life(0, HOUR_MS, Death::Disconnect)]; 3]);
    let mut deeds = Vec::new();
    for _ in 0..3 {
        deeds.push(run.until(is_connected).await);
    }
    drop(server.finish().await);
    // Every device is lost, and fails once however often it tries.
    for _ in 0..6 {
        deeds.push(run.deed().await);
    }
    let server = Server::at(address, Habits::default()).await;
    for _ in 0..3 {
        deeds.push(run.deed().await);
    }
    let (_, rest) = run.stop().await;
    deeds.extend(rest);
    for number in 0..3 {
        let done = whats(&deeds, number);
        assert_eq!(done.len(), 5, "{done:?}");
        assert!(done[1].starts_with("0 lost: ") && done[2].starts_with("0 failed: "), "{done:?}");
        assert_eq!(done[3..], ["0 connected false", "0 stopped"]);
        let of_device = deeds.iter().filter(|deed| deed.device == number);
        let connections: Vec<_> = of_device.map(|deed| deed.connection).collect();
        assert_eq!(connections, [0, 0, 1, 1, 1]);
    }
    assert_eq!(ends(&server.finish().await, "sim-3fa9-0"), [How::Goodbye]);
}

#[tokio::test]
async fn a_life_that_cannot_begin_begins_later_where_devices_come_back() {
    let habits = Habits {
        greet: Arc::new(|count, connect| {
            let is_refused = count < 5 && connect.client_id.ends_with('1');
            let reason = if is_refused { Reason::SERVER_UNAVAILABLE } else { Reason::SUCCESS };
            Some(ConnAck { reason, ..ConnAck::default() })
        }),
        ..Habits::default()
    };
    let server = Server::start(habits).await;
    let mut fleet = fleet(&server.url(), "--mqtt-version 5");
    fleet.conduct.reconnect = Some(Duration::from_millis(1));
    let mut run = Run::start(fleet, vec![vec![life(0, HOUR_MS, Death::Disconnect)]; 2]);
    let mut deeds = Vec::new();
    while deeds.iter().filter(|deed: &&Deed| is_connected(&deed.what)).count() < 2 {
        deeds.push(run.deed().await);
    }
    let (_, rest) = run.stop().await;
    deeds.extend(rest);
    let done = whats(&deeds, 1);
    assert!(done[0].starts_with("0 refused: "), "{done:?}");
    assert_eq!(done[1..], ["0 connected false", "0 stopped"]);
}

#[tokio::test]
async fn two_of_one_name_take_each_other_over_for_ever() {
    let server = Server::start(Habits { takes_over: true, ..Habits::default() }).await;
    let mut fleet = fleet(&server.url(), "--keepalive 60");
    fleet.client_id = Names::Table(vec!["twin".into(), "twin".into()]);
    fleet.conduct.reconnect = Some(Duration::from_millis(20));
    let mut run = Run::start(fleet, vec![vec![life(0, HOUR_MS, Death::Disconnect)]; 2]);
    let mut deeds = Vec::new();
    while !deeds.iter().any(|deed: &Deed| deed.connection == 3) {
        deeds.push(run.deed().await);
    }
    run.stop().await.0.expect("it ran");
    assert!(deeds.iter().all(|deed| deed.life == 0));
    let taken = ends(&server.finish().await, "twin");
    assert!(taken.iter().filter(|how| **how == How::TakenOver).count() >= 5, "{taken:?}");
}

#[tokio::test]
async fn a_profile_gives_up_when_its_library_does() {
    // Paho C 1.2 looks again a second after its ping, and has heard nothing for a keep alive by then.
    let server =
        Server::start(Habits { answers_pings: false, is_patient: true, ..Habits::default() }).await;
    let mut fleet = fleet(&server.url(), "--keepalive 2");
    (fleet.conduct.pinging, fleet.conduct.birth) = (Pinging::PahoC12, None);
    let (_, deeds) = Run::start(fleet, vec![vec![life(0, HOUR_MS, Death::Fin)]]).end().await;
    assert_eq!(whats(&deeds, 0), ["0 connected false", "0 gave up"]);
    let gave_up = &deeds[1];
    assert!(gave_up.last_sent > deeds[0].at, "the last packet was the ping");
    let waited = gave_up.at.saturating_sub(gave_up.last_sent);
    assert!(waited >= Duration::from_millis(900), "{waited:?}");
}
