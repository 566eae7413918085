//! Every way to die, seen from both sides of the line.

use super::server::{Habits, How, Seen, Server, ends};
use super::{Run, fleet, life, whats};
use presence::simulate::deed::What;
use presence::simulate::driver::Stop;
use presence::simulate::plan::Death;
use presence::wire::Packet;

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
