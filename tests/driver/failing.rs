//! Brokers that are not there, refuse, stumble, fall silent or die.

use super::server::{Habits, How, Seen, Server, ends};
use super::{Run, fleet, life, message, template, whats};
use presence::failure::Outcome;
use presence::simulate::deed::What;
use presence::simulate::driver::Stop;
use presence::simulate::fleet::{Credentials, Names, Traffic};
use presence::simulate::plan::Death;
use presence::wire::{ConnAck, Packet, Properties, Publish, Qos, Reason};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;

/// Three devices that die by goodbye after a while.
fn plan(until: u64) -> Vec<Vec<super::Life>> {
    vec![vec![life(0, until, Death::Disconnect)]; 3]
}

#[tokio::test]
async fn a_broker_that_is_not_there_ends_the_run() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("loopback has a free port");
    let url = format!("mqtt://{}", listener.local_addr().expect("it is bound"));
    drop(listener);
    let (ended, deeds) = Run::start(fleet(&url, ""), plan(60_000)).end().await;
    let failure = ended.expect_err("nobody is there");
    assert_eq!(failure.outcome, Outcome::CouldNotAsk);
    assert!(failure.cause.unwrap_or_default().contains("connection refused by 127.0.0.1"));
    let next = failure.next.unwrap_or_default();
    assert!(next.contains("`presence broker`") && next.contains("`presence demo`"), "{next}");
    assert!(deeds.is_empty());
}

#[tokio::test]
async fn an_unknown_host_ends_the_run() {
    let (ended, _) = Run::start(fleet("mqtt://nowhere.invalid", ""), plan(60_000)).end().await;
    let failure = ended.expect_err("nobody is there");
    assert!(failure.cause.unwrap_or_default().contains("nowhere.invalid"));
    assert_eq!(failure.outcome, Outcome::CouldNotAsk);
}

#[tokio::test]
async fn someone_else_than_a_broker_ends_the_run() {
    for (says, expected) in [
        (&b"HTTP/1.1 400 Bad Request\r\n\r\n"[..], "speaks HTTP"),
        (&[0x15, 3, 1, 0, 2, 2, 40][..], "expects TLS"),
        (&b"220 ready\r\n"[..], "does not speak MQTT"),
    ] {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("loopback has a free port");
        let url = format!("mqtt://{}", listener.local_addr().expect("it is bound"));
        let run = Run::start(fleet(&url, ""), plan(60_000));
        let (mut stream, _) = listener.accept().await.expect("the first device comes");
        stream.write_all(says).await.expect("it reads");
        let (ended, _) = run.end().await;
        let cause = ended.expect_err("that is no broker").cause.unwrap_or_default();
        assert!(cause.contains(expected), "{cause}");
    }
}

#[tokio::test]
async fn a_broker_that_does_not_answer_ends_the_run_in_time() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("loopback has a free port");
    let mut fleet = fleet(&format!("mqtt://{}", listener.local_addr().expect("it is bound")), "");
    fleet.connect_timeout = Duration::from_millis(200);
    let (ended, _) = Run::start(fleet, plan(60_000)).end().await;
    assert!(
        ended.expect_err("it is silent").cause.unwrap_or_default().contains("no answer in time")
    );
}

#[tokio::test]
async fn refusals_are_counted_and_others_go_on() {
    let habits = Habits {
        greet: Arc::new(|_, connect| {
            let is_refused = !connect.client_id.ends_with('1');
            let reason = if is_refused { Reason::NOT_AUTHORIZED } else { Reason::SUCCESS };
            Some(ConnAck { reason, ..ConnAck::default() })
        }),
        ..Habits::default()
    };
    for version in ["3.1.1", "5"] {
        let server = Server::start(habits.clone()).await;
        let fleet = fleet(&server.url(), &format!("--mqtt-version {version}"));
        let (ended, deeds) = Run::start(fleet, plan(50)).end().await;
        let refused = &whats(&deeds, 0)[0];
        assert!(refused.starts_with("0 refused: ") && refused.contains("not authorized"));
        assert_eq!(whats(&deeds, 1), ["0 connected false", "0 Disconnect"]);
        assert_eq!(whats(&deeds, 2), whats(&deeds, 0));
        let traces = ended.expect("one could connect").traces;
        assert!(!traces[0].is_abrupt, "a device that was refused has left no will");
    }
}

#[tokio::test]
async fn a_call_lost_in_a_crowd_is_made_again() {
    let habits = Habits {
        greet: Arc::new(|count, _| (count >= 3).then(ConnAck::default)),
        ..Habits::default()
    };
    let server = Server::start(habits).await;
    let (ended, deeds) = Run::start(fleet(&server.url(), ""), plan(50)).end().await;
    ended.expect("the fourth call is answered");
    for number in 0..3 {
        assert_eq!(whats(&deeds, number), ["0 connected false", "0 Disconnect"]);
    }
}

#[tokio::test]
async fn a_broker_that_never_answers_a_connect_is_given_up() {
    let habits = Habits { greet: Arc::new(|_, _| None), ..Habits::default() };
    let server = Server::start(habits).await;
    let (ended, _) = Run::start(fleet(&server.url(), ""), plan(60_000)).end().await;
    let cause = ended.expect_err("it hangs up every time").cause.unwrap_or_default();
    assert!(cause.contains("without answering CONNECT"), "{cause}");
    assert_eq!(server.finish().await.len(), 5);
}

#[tokio::test]
async fn a_broker_that_dies_loses_everybody_and_ends_the_run_early() {
    let server = Server::start(Habits::default()).await;
    let mut plan = plan(3_600_000);
    plan.push(vec![life(0, 20, Death::Silence)]);
    let mut run = Run::start_until(fleet(&server.url(), "--keepalive 60"), plan, 3_600_000);
    run.until(|what| *what == What::Died(Death::Silence)).await;
    server.die();
    let (ended, deeds) = run.end().await;
    ended.expect("it had begun");
    for number in 0..3 {
        let lost = whats(&deeds, number).pop().unwrap_or_default();
        assert!(lost.starts_with("0 lost: "), "{lost}");
    }
    assert_eq!(whats(&deeds, 3), ["0 noticed"]);
}

#[tokio::test]
async fn who_is_lost_comes_back_with_the_next_life_only() {
    let server = Server::start(Habits::default()).await;
    let lives = vec![life(0, 60_000, Death::Disconnect), life(60_100, 60_200, Death::Disconnect)];
    let mut run = Run::start(fleet(&server.url(), ""), vec![lives]);
    run.until(|what| matches!(what, What::Connected { .. })).await;
    server.die();
    let lost = run.until(|what| matches!(what, What::Lost { .. })).await;
    assert_eq!(lost.life, 0);
    run.stop.send(Stop::Goodbye).expect("the run listens");
    let (_, deeds) = run.end().await;
    assert!(deeds.is_empty(), "{deeds:?}");
}

#[tokio::test]
async fn a_slow_first_answer_delays_no_ping() {
    // A broker that hears nothing for one and a half keep alives would end the connection.
    let server = Server::start(Habits { delay: Duration::from_secs(3), ..Habits::default() }).await;
    let fleet = fleet(&server.url(), "--keepalive 1");
    let plan = vec![vec![life(0, 3_000, Death::Disconnect)]; 2];
    let (_, deeds) = Run::start(fleet, plan).end().await;
    for number in 0..2 {
        assert_eq!(whats(&deeds, number), ["0 connected false", "0 Disconnect"]);
    }
}

#[tokio::test]
async fn who_finds_no_answer_to_a_ping_gives_up_without_a_goodbye() {
    let habits = Habits { answers_pings: false, is_patient: true, ..Habits::default() };
    let server = Server::start(habits).await;
    let fleet = fleet(&server.url(), "--keepalive 1");
    let (_, deeds) = Run::start(fleet, vec![vec![life(0, 60_000, Death::Fin)]]).end().await;
    assert_eq!(whats(&deeds, 0), ["0 connected false", "0 gave up"]);
    assert_eq!(ends(&server.finish().await, "sim-3fa9-0"), [How::Fin]);
}

#[tokio::test]
async fn what_is_refused_while_connected_is_told_once() {
    let habits = Habits { reason: Reason::NOT_AUTHORIZED, ..Habits::default() };
    let server = Server::start(habits).await;
    let mut fleet = fleet(&server.url(), "--mqtt-version 5");
    fleet.conduct.subscribe = vec![(template("commands/{client}"), Qos::AtLeastOnce)];
    let plan = vec![vec![life(0, 100, Death::Disconnect)]];
    let (_, deeds) = Run::start(fleet, plan).end().await;
    let expected = "0 objected: a subscription was refused: 0x87, not authorized";
    assert_eq!(whats(&deeds, 0), ["0 connected false", expected, "0 Disconnect"]);
}

#[tokio::test]
async fn traffic_of_every_kind_flows() {
    for qos in [Qos::AtMostOnce, Qos::AtLeastOnce, Qos::ExactlyOnce] {
        let gift = Publish {
            qos,
            topic: "commands/all".into(),
            id: u16::from(qos != Qos::AtMostOnce),
            payload: vec![7; 100_000].into(),
            ..Publish::default()
        };
        let server = Server::start(Habits { gift: Some(gift), ..Habits::default() }).await;
        let mut fleet = fleet(&server.url(), "");
        fleet.conduct.birth = None;
        fleet.conduct.subscribe = vec![(template("commands/all"), qos)];
        let traffic = message("{n}", qos);
        fleet.conduct.traffic =
            Some(Traffic { every: Duration::from_millis(50), message: traffic });
        let plan = vec![vec![life(0, 500, Death::Disconnect)]];
        let (_, deeds) = Run::start(fleet, plan).end().await;
        assert_eq!(whats(&deeds, 0), ["0 connected false", "0 Disconnect"], "{qos:?}");
        let seen = server.finish().await;
        let count = |is_it: fn(&Packet) -> bool| {
            seen.iter().filter(|seen| matches!(seen, Seen::Packet(_, p) if is_it(p))).count()
        };
        let published = count(|packet| matches!(packet, Packet::Publish(_)));
        assert!((5..=10).contains(&published), "{qos:?}: {published}");
        let answered = match qos {
            Qos::AtMostOnce => 0,
            Qos::AtLeastOnce => count(|packet| matches!(packet, Packet::PubAck(_))),
            Qos::ExactlyOnce => count(|packet| matches!(packet, Packet::PubComp(_))),
        };
        assert_eq!(answered, usize::from(qos != Qos::AtMostOnce));
        assert_eq!(ends(&seen, "sim-3fa9-0"), [How::Goodbye]);
    }
}

#[tokio::test]
async fn a_local_address_is_used_when_asked_for() {
    let server = Server::start(Habits::default()).await;
    let mut fleet = fleet(&server.url(), "");
    fleet.local_addresses =
        ["::1", "127.0.0.1", "127.0.0.2"].map(|ip| ip.parse().expect("it is one")).into();
    let (ended, deeds) = Run::start(fleet, plan(50)).end().await;
    ended.expect("these are addresses of this machine");
    let mut locals = Vec::new();
    for deed in deeds {
        if let What::Connected { local: Some(local), .. } = deed.what {
            locals.push((deed.device, local.ip().to_string()));
        }
    }
    locals.sort();
    let expected = [(0, "127.0.0.1"), (1, "127.0.0.2"), (2, "127.0.0.1")];
    assert_eq!(locals, expected.map(|(number, ip)| (number, ip.to_owned())));
}

#[tokio::test]
async fn devices_say_that_their_token_expired_and_come_back_with_another() {
    let tokens = tempfile::NamedTempFile::new().expect("the temporary folder is writable");
    std::fs::write(tokens.path(), "RW|old").expect("it can be written");
    let path = tokens.path().to_owned();
    let habits = Habits {
        greet: Arc::new(move |_, _| {
            std::fs::write(&path, "RW|new").expect("it can be written");
            Some(ConnAck::default())
        }),
        last_word: Some((
            0,
            Publish {
                dup: false,
                qos: Qos::AtMostOnce,
                retain: false,
                topic: "$SYS/tokenInvalidNotice".into(),
                id: 0,
                payload: br#"{"code":2,"type":"RW"}"#[..].into(),
                properties: Properties::default(),
            },
        )),
        ..Habits::default()
    };
    let mut server = Server::start(habits).await;
    let flags = format!(
        "--auth aliyun-token --access-key-id Y --aliyun-instance i --auth-token-file {}",
        tokens.path().display()
    );
    let mut fleet = fleet(&server.url(), &flags);
    fleet.client_id = Names::Template(template("GID_demo@@@sim-{run}-{n}"));
    fleet.credentials = Credentials::Derived;
    fleet.conduct.will = None;
    fleet.conduct.birth = None;
    fleet.conduct.reconnect = Some(Duration::from_millis(10));
    let run = Run::start(fleet, vec![vec![life(0, 60_000, Death::Disconnect)]]);
    for (user, password) in [("Token|Y|i", "RW|old"), ("Token|Y|i", "RW|new")] {
        let Seen::Connect(connect) = server.next().await else { panic!("a CONNECT it is") };
        assert_eq!(connect.client_id, "GID_demo@@@sim-3fa9-0");
        assert_eq!(connect.username.as_deref(), Some(user));
        assert_eq!(connect.password.as_deref(), Some(password.as_bytes()));
    }
    run.stop.send_replace(Stop::Goodbye);
    let (_, deeds) = run.end().await;
    let lost = deeds.iter().find_map(|deed| match &deed.what {
        What::Lost { reason } => Some(reason.clone()),
        _ => None,
    });
    let lost = lost.expect("the first connection was lost");
    assert!(lost.starts_with("the token `RW` expired (code 2), and"), "{lost}");
}
