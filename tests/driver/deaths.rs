//! Every way to die, seen from both sides of the line.

use super::server::{Habits, How, Seen, Server, ends};
use super::{Run, fleet, life, message, whats};
use presence::simulate::deed::{Deed, What};
use presence::simulate::driver::Stop;
use presence::simulate::fleet::Traffic;
use presence::simulate::plan::{Death, WITH_WILL};
use presence::wire::{ConnAck, Disconnect, Packet, Qos, Reason};
use std::sync::Arc;
use std::time::Duration;

const HOUR_MS: u64 = 3_600_000;

#[tokio::test]
async fn the_broker_sees_each_death_as_what_it_is() {
    for version in ["3.1.1", "5"] {
        let mut server = Server::start(Habits::default()).await;
        let fleet = fleet(&server.url(), &format!("--mqtt-version {version}"));
        let deaths = [Death::Disconnect, Death::Fin, Death::Rst, Death::Silence];
        let plan = deaths.iter().map(|death| vec![life(0, 200, *death)]).collect();
        let run = Run::start_until(fleet, plan, 10_000);
        let mut seen = Vec::new();
        while seen.iter().filter(|seen| matches!(seen, Seen::Ended(..))).count() < 4 {
            seen.push(server.next().await);
        }
        let (ended, deeds) = run.end().await;
        let traces = ended.expect("the broker is there").traces;

        for (number, (death, how)) in
            (0..).zip(deaths.iter().zip([How::Goodbye, How::Fin, How::Rst, How::Silence]))
        {
            assert_eq!(ends(&seen, &format!("sim-3fa9-{number}")), [how], "MQTT {version}");
            let mut expected = vec!["0 connected false".to_owned(), format!("0 {death:?}")];
            if *death == Death::Silence {
                expected.push("0 noticed".into());
            }
            assert_eq!(whats(&deeds, number), expected);
        }
        let abrupt: Vec<_> = traces.iter().map(|trace| trace.is_abrupt).collect();
        assert_eq!(abrupt, [false, true, true, true]);
    }
}

#[tokio::test]
async fn a_silent_one_says_goodbye_when_the_run_is_over() {
    let server = Server::start(Habits::default()).await;
    let fleet = fleet(&server.url(), "--keepalive 60");
    let run = Run::start_until(fleet, vec![vec![life(0, 50, Death::Silence)]], 200);
    let (ended, deeds) = run.end().await;
    assert_eq!(whats(&deeds, 0), ["0 connected false", "0 Silence"]);
    assert!(!ended.expect("it ran").traces[0].is_abrupt);
    assert_eq!(ends(&server.finish().await, "sim-3fa9-0"), [How::Goodbye]);
}

#[tokio::test]
async fn a_return_takes_the_silent_connection_over() {
    let server = Server::start(Habits::default()).await;
    let fleet = fleet(&server.url(), "--keepalive 60");
    let lives = vec![life(0, 50, Death::Silence), life(200, 300, Death::Disconnect)];
    let (ended, deeds) = Run::start(fleet, vec![lives]).end().await;
    ended.expect("it ran");
    // This broker does not throw the old one out: it ends when the new one is accepted.
    let expected = ["0 connected false", "0 Silence", "1 connected false", "1 Disconnect"];
    assert_eq!(whats(&deeds, 0), expected);
    let seen = server.finish().await;
    assert_eq!(ends(&seen, "sim-3fa9-0"), [How::Fin, How::Goodbye]);
    let second = seen.iter().rposition(|seen| matches!(seen, Seen::Connect(_)));
    let first_end = seen.iter().position(|seen| matches!(seen, Seen::Ended(..)));
    assert!(second < first_end, "{seen:?}");
}

#[tokio::test]
async fn a_goodbye_can_ask_for_the_will() {
    for (version, code, is_abrupt) in [("5", WITH_WILL, true), ("3.1.1", 0, false)] {
        let server = Server::start(Habits::default()).await;
        let mut fleet = fleet(&server.url(), &format!("--mqtt-version {version}"));
        fleet.conduct.persistent = true;
        let plan = vec![vec![life(0, 50, Death::DisconnectWith(WITH_WILL))]];
        let (ended, deeds) = Run::start(fleet, plan).end().await;
        assert_eq!(whats(&deeds, 0), ["0 connected false", "0 DisconnectWith(4)"]);
        let trace = ended.expect("it ran").traces[0];
        assert_eq!((trace.is_abrupt, trace.has_session), (is_abrupt, version == "3.1.1"));
        let seen = server.finish().await;
        assert_eq!(ends(&seen, "sim-3fa9-0"), [How::Goodbye]);
        let said = |seen: &Seen| {
            matches!(seen, Seen::Packet(_, Packet::Disconnect(Disconnect { reason, .. }))
                if *reason == Reason(code))
        };
        assert!(seen.iter().any(said), "MQTT {version}: {seen:?}");
    }
}

#[tokio::test]
async fn a_forgotten_flow_carries_nothing_and_the_device_finds_out() {
    let mut server = Server::start(Habits::default()).await;
    let fleet = fleet(&server.url(), "--keepalive 1");
    let plan = vec![vec![life(0, 200, Death::NatDrop)]];
    let mut run = Run::start_until(fleet, plan, HOUR_MS);
    let connected = run.deed().await;
    let died = run.deed().await;
    assert_eq!(died.what, What::Died(Death::NatDrop));
    let gave_up = run.deed().await;
    assert_eq!(gave_up.what, What::GaveUp);
    assert!(died.last_sent <= died.at && died.last_sent >= connected.last_sent);
    assert_eq!(gave_up.last_sent, died.last_sent, "what it said since was not sent");
    // Not by the device, though it has closed it for its part.
    let mut seen = Vec::new();
    while ends(&seen, "sim-3fa9-0").is_empty() {
        seen.push(server.next().await);
    }
    assert_eq!(ends(&seen, "sim-3fa9-0"), [How::Silence]);
    let (ended, deeds) = run.stop().await;
    assert!(deeds.is_empty(), "{deeds:?}");
    assert!(ended.expect("it ran").traces[0].is_abrupt);
}

#[tokio::test]
async fn a_return_after_a_forgotten_flow_takes_its_connection_over() {
    let server = Server::start(Habits { takes_over: true, ..Habits::default() }).await;
    let fleet = fleet(&server.url(), "--keepalive 60");
    let lives = vec![life(0, 50, Death::NatDrop), life(100, 150, Death::Disconnect)];
    let (ended, deeds) = Run::start(fleet, vec![lives]).end().await;
    assert!(!ended.expect("it ran").traces[0].is_abrupt);
    let expected = ["0 connected false", "0 NatDrop", "1 connected false", "1 Disconnect"];
    assert_eq!(whats(&deeds, 0), expected);
    let seen = server.finish().await;
    assert_eq!(ends(&seen, "sim-3fa9-0"), [How::TakenOver, How::Goodbye]);
}

#[tokio::test]
async fn who_is_taken_over_lives_until_the_newcomer_is_there() {
    for (takes_over, how) in [(true, How::TakenOver), (false, How::Fin)] {
        let server = Server::start(Habits { takes_over, ..Habits::default() }).await;
        let mut fleet = fleet(&server.url(), "--keepalive 60");
        // Only a living one has something to say after its time.
        let (every, message) = (Duration::from_millis(100), message("{n}", Qos::AtMostOnce));
        fleet.conduct.traffic = Some(Traffic { every, message });
        let lives = vec![life(0, 20, Death::TakeOver), life(2_000, 2_050, Death::Disconnect)];
        let (_, deeds) = Run::start(fleet, vec![lives]).end().await;
        let expected = ["0 connected false", "0 TakeOver", "1 connected false", "1 Disconnect"];
        assert_eq!(whats(&deeds, 0), expected);
        let What::Connected { asked, .. } = deeds[2].what else { panic!("{deeds:?}") };
        assert_eq!(deeds[1].at, asked);
        assert!(deeds[1].last_sent < asked && asked <= deeds[2].at);
        let connections: Vec<_> = deeds.iter().map(|deed| deed.connection).collect();
        assert_eq!(connections, [0, 0, 1, 1]);
        let seen = server.finish().await;
        assert_eq!(ends(&seen, "sim-3fa9-0"), [how, How::Goodbye]);
        let second = seen.iter().rposition(|seen| matches!(seen, Seen::Connect(_)));
        let is_message = |seen: &&Seen| matches!(seen, Seen::Packet(_, Packet::Publish(_)));
        let before = seen.iter().take(second.unwrap_or(0)).filter(is_message).count();
        assert!(before > 1, "its birth, and more: {seen:?}");
    }
}

#[tokio::test]
async fn a_newcomer_that_is_refused_leaves_the_old_one_alive() {
    let habits = Habits {
        greet: Arc::new(|count, _| {
            let reason = if count == 1 { Reason::SERVER_BUSY } else { Reason::SUCCESS };
            Some(ConnAck { reason, ..ConnAck::default() })
        }),
        takes_over: true,
        ..Habits::default()
    };
    for has_third in [false, true] {
        let server = Server::start(habits.clone()).await;
        let fleet = fleet(&server.url(), "--keepalive 60 --mqtt-version 5");
        let mut lives = vec![life(0, 20, Death::TakeOver), life(50, 100, Death::Fin)];
        lives.extend(has_third.then(|| life(150, 200, Death::Disconnect)));
        let (ended, deeds) = Run::start(fleet, vec![lives]).end().await;
        let done = whats(&deeds, 0);
        assert!(done[1].starts_with("1 refused: "), "{done:?}");
        // It is the next one that takes over, or the end of the run.
        let expected: &[&str] = if has_third {
            &["0 TakeOver", "2 connected false", "2 Disconnect"]
        } else {
            &["0 stopped"]
        };
        assert_eq!(done[2..], *expected);
        assert!(!ended.expect("it ran").traces[0].is_abrupt);
        let how = if has_third { How::TakenOver } else { How::Goodbye };
        assert_eq!(ends(&server.finish().await, "sim-3fa9-0")[0], how);
    }
}

#[tokio::test]
async fn who_waits_to_be_taken_over_may_end_before() {
    let server =
        Server::start(Habits { answers_pings: false, is_patient: true, ..Habits::default() }).await;
    let fleet = fleet(&server.url(), "--keepalive 1");
    let lives = vec![life(0, 20, Death::TakeOver), life(HOUR_MS, HOUR_MS + 1, Death::Fin)];
    let mut run = Run::start(fleet, vec![lives]);
    let gave_up = run.until(|what| *what == What::GaveUp).await;
    assert_eq!((gave_up.life, gave_up.connection), (0, 0));
    let (ended, deeds) = run.stop().await;
    assert!(deeds.is_empty() && ended.expect("it ran").traces[0].is_abrupt, "{deeds:?}");
    assert_eq!(ends(&server.finish().await, "sim-3fa9-0"), [How::Fin]);
}

#[tokio::test]
async fn who_stays_says_goodbye_when_the_run_is_over() {
    let server = Server::start(Habits::default()).await;
    let plan = vec![vec![life(0, 50, Death::Stay)], vec![life(0, 10, Death::Disconnect)]];
    let (ended, deeds) = Run::start_until(fleet(&server.url(), ""), plan, 300).end().await;
    assert!(!ended.expect("it ran").traces[0].is_abrupt);
    assert_eq!(whats(&deeds, 0), ["0 connected false", "0 Stay"]);
    // The run began a moment before the first deed was told.
    let stay = deeds.iter().find(|deed| deed.what == What::Died(Death::Stay));
    let stayed = stay.map(|deed| deed.at.saturating_sub(deeds[0].at));
    assert!(stayed >= Some(Duration::from_millis(295)), "{stayed:?}");
    assert_eq!(ends(&server.finish().await, "sim-3fa9-0"), [How::Goodbye]);
}

#[tokio::test]
async fn a_run_that_is_held_goes_on_until_it_is_told() {
    let server = Server::start(Habits::default()).await;
    let plan = vec![
        vec![life(0, 50, Death::Stay)],
        vec![life(0, 50, Death::Silence)],
        vec![life(0, 600, Death::Disconnect)],
    ];
    let fleet = fleet(&server.url(), "--keepalive 60");
    let mut run = Run::start_asked(Stop::Hold, fleet, plan, 100);
    let mut deeds = Vec::new();
    while !deeds.iter().any(|deed: &Deed| deed.what == What::Died(Death::Disconnect)) {
        deeds.push(run.deed().await);
    }
    assert!(!run.task.is_finished());
    let (_, rest) = run.stop().await;
    assert!(whats(&deeds, 0).len() == 1 && whats(&deeds, 1).len() == 2, "{deeds:?}");
    assert_eq!(whats(&rest, 0), ["0 Stay"]);
    let seen = server.finish().await;
    for number in 0..3 {
        assert_eq!(ends(&seen, &format!("sim-3fa9-{number}")), [How::Goodbye]);
    }
}

#[tokio::test]
async fn a_stop_before_the_end_of_the_run_is_not_what_was_planned() {
    for asked in [Stop::Run, Stop::Hold] {
        let server = Server::start(Habits::default()).await;
        let plan = vec![vec![life(0, HOUR_MS, Death::Stay)]];
        let mut run = Run::start_asked(asked, fleet(&server.url(), ""), plan, HOUR_MS);
        run.until(|what| matches!(what, What::Connected { .. })).await;
        let (_, deeds) = run.stop().await;
        assert_eq!(whats(&deeds, 0), ["0 stopped"]);
    }
}

#[tokio::test]
async fn deeds_tell_when_the_last_packet_was_sent() {
    let server = Server::start(Habits::default()).await;
    let mut fleet = fleet(&server.url(), "--keepalive 60");
    (fleet.conduct.birth, fleet.conduct.will) = (None, None);
    let deaths = [Death::Disconnect, Death::Fin, Death::Rst, Death::Silence];
    let plan = deaths.iter().map(|death| vec![life(0, 300, *death)]).collect();
    let (_, deeds) = Run::start(fleet, plan).end().await;
    for (number, death) in (0..).zip(deaths) {
        let of_device: Vec<_> = deeds.iter().filter(|deed| deed.device == number).collect();
        let [connected, died] = of_device[..] else { panic!("{of_device:?}") };
        let What::Connected { asked, .. } = connected.what else { panic!("{connected:?}") };
        assert_eq!(connected.last_sent, asked);
        if death == Death::Disconnect {
            assert_eq!(died.last_sent, died.at, "DISCONNECT is the last packet");
            assert!(died.at > asked);
        } else {
            assert_eq!(died.last_sent, asked, "{death:?}");
            assert!(died.at > asked, "{death:?}");
        }
    }
}

#[tokio::test]
async fn nobody_dies_or_comes_before_the_time() {
    let server = Server::start(Habits::default()).await;
    let lives = vec![life(100, 200, Death::Fin), life(300, 400, Death::Rst)];
    let (ended, deeds) =
        Run::start(fleet(&server.url(), ""), vec![vec![life(0, 50, Death::Disconnect)], lives])
            .end()
            .await;
    ended.expect("it ran");
    let begun = deeds[0].at;
    let times: Vec<_> = deeds
        .iter()
        .filter(|deed| deed.device == 1)
        .map(|deed| deed.at.saturating_sub(begun).as_millis())
        .collect();
    // The run began a moment before the first deed was told.
    for (time, due) in times.iter().zip([100, 200, 300, 400]) {
        assert!(*time >= due - 5, "{times:?}");
    }
    assert_eq!(times.len(), 4);
}

#[tokio::test]
async fn a_stop_makes_everybody_say_goodbye() {
    let server = Server::start(Habits::default()).await;
    let plan = vec![
        vec![life(0, 60_000, Death::Fin)],
        vec![life(0, 60_000, Death::Rst)],
        vec![life(0, 10, Death::Silence), life(50_000, 60_000, Death::Fin)],
        vec![life(50_000, 60_000, Death::Fin)],
    ];
    let mut run = Run::start(fleet(&server.url(), "--keepalive 60"), plan);
    run.until(|what| *what == What::Died(Death::Silence)).await;
    run.stop.send(Stop::Goodbye).expect("the run listens");
    let (ended, deeds) = run.end().await;
    let ended = ended.expect("it ran");
    assert!(!ended.was_aborted);
    assert!(ended.traces.iter().all(|trace| !trace.is_abrupt), "{ended:?}");
    assert_eq!(deeds.iter().filter(|deed| deed.what == What::Stopped).count(), 2);
    let seen = server.finish().await;
    for number in 0..3 {
        assert_eq!(ends(&seen, &format!("sim-3fa9-{number}")), [How::Goodbye]);
    }
    assert!(ends(&seen, "sim-3fa9-3").is_empty());
}

#[tokio::test]
async fn an_abort_ends_at_once() {
    let server = Server::start(Habits::default()).await;
    let plan = vec![vec![life(0, 60_000, Death::Disconnect)]; 3];
    let mut run = Run::start(fleet(&server.url(), ""), plan);
    for _ in 0..3 {
        run.until(|what| matches!(what, What::Connected { .. })).await;
    }
    run.stop.send(Stop::Abort).expect("the run listens");
    let (ended, _) = run.end().await;
    assert!(ended.expect("it ran").was_aborted);
    let seen = server.finish().await;
    assert!(!seen.iter().any(|seen| matches!(seen, Seen::Packet(_, Packet::Disconnect(_)))));
}

#[tokio::test]
async fn the_last_goodbye_ends_a_kept_session_where_it_can() {
    for (version, expected) in [("5", [None, Some(0)]), ("3.1.1", [None, None])] {
        let server = Server::start(Habits::default()).await;
        let mut fleet = fleet(&server.url(), &format!("--mqtt-version {version}"));
        fleet.conduct.persistent = true;
        let lives = vec![life(0, 20, Death::Disconnect), life(40, 60, Death::Disconnect)];
        let (ended, _) = Run::start(fleet, vec![lives]).end().await;
        let trace = ended.expect("it ran").traces[0];
        assert_eq!(trace.has_session, version == "3.1.1");
        let seen = server.finish().await;
        let goodbyes: Vec<_> = seen
            .iter()
            .filter_map(|seen| match seen {
                Seen::Packet(_, Packet::Disconnect(goodbye)) => Some(goodbye.session_expiry),
                _ => None,
            })
            .collect();
        assert_eq!(goodbyes, expected, "MQTT {version}");
        let asks_for_old = |seen: &&Seen| matches!(seen, Seen::Connect(c) if !c.clean_start);
        assert_eq!(seen.iter().filter(asks_for_old).count(), 2);
    }
}
