//! A thousand devices at a broker in use.

use super::support::mosquitto::Mosquitto;
use super::support::process::{DEADLINE, Process};
use super::{Run, bounded, fleet, life, whats};
use presence::simulate::cleaning::{self, Cleaned};
use presence::simulate::deed::{Deed, What};
use presence::simulate::driver::{Ended, Stop};
use presence::simulate::fleet::Fleet;
use presence::simulate::plan::{Death, Life, WITH_WILL};
use std::sync::Arc;
use tokio::sync::watch;

const DEVICES: u32 = 1000;

/// A thousand come within a second; each way to die takes a quarter of them.
fn plan(returns: bool) -> Vec<Vec<Life>> {
    let deaths = [Death::Disconnect, Death::Fin, Death::Rst, Death::Silence];
    (0..DEVICES)
        .zip(deaths.into_iter().cycle())
        .map(|(number, death)| {
            let begin = u64::from(number);
            let mut lives = vec![life(begin, begin + 1500, death)];
            if returns {
                lives.push(life(begin + 2000, begin + 3000, death));
            }
            lives
        })
        .collect()
}

async fn clean(fleet: &Arc<Fleet>, ended: &Ended) -> Cleaned {
    let (_stop, asked) = watch::channel(Stop::Run);
    bounded(cleaning::run(fleet, ended, asked)).await
}

/// Makes sure that nothing of the run is left: no retained message, no session.
async fn assert_spotless(broker: &Mosquitto, cleaned: &Cleaned, flags: &str) {
    assert!(cleaned.left.is_empty(), "{cleaned:?}");
    let mut client = broker.client("mosquitto_sub");
    client.args(["-t", "devices/#", "--retained-only", "-W", "1"]);
    let ended = Process::start(&mut client).ended(DEADLINE);
    assert_eq!(ended.out, "", "retained messages are left");
    // The same once more: each asks for its session.
    let mut again = fleet(&broker.url(), flags);
    (again.conduct.persistent, again.conduct.will, again.conduct.birth) = (true, None, None);
    let run = Run::start(again, vec![vec![life(0, 2_000, Death::Disconnect)]; DEVICES as usize]);
    let (_, deeds) = run.end().await;
    let is_new = |what: &What| matches!(what, What::Connected { session_present: false, .. });
    assert_eq!(count(&deeds, is_new), 1000, "sessions are left");
}

fn count(deeds: &[Deed], is_it: impl Fn(&What) -> bool) -> usize {
    deeds.iter().filter(|deed| is_it(&deed.what)).count()
}

#[tokio::test]
#[ignore = "needs mosquitto"]
async fn a_thousand_live_and_die_and_nothing_is_left() {
    for (version, persistent) in [("3.1.1", false), ("5", true), ("3.1.1", true)] {
        let broker = Mosquitto::start(&[]);
        let flags = format!("--mqtt-version {version} --keepalive 1");
        let mut fleet = fleet(&broker.url(), &flags);
        fleet.conduct.persistent = persistent;
        let run = Run::start_until(fleet, plan(false), 12_000);
        let fleet = Arc::clone(&run.fleet);
        let (ended, deeds) = run.end().await;
        let ended = ended.expect("the broker is there");
        assert_eq!(count(&deeds, |what| matches!(what, What::Connected { .. })), 1000);
        for death in [Death::Disconnect, Death::Fin, Death::Rst, Death::Silence] {
            assert_eq!(count(&deeds, |what| *what == What::Died(death)), 250, "{death:?}");
        }
        assert_eq!(count(&deeds, |what| *what == What::Noticed), 250);
        let log = broker.log();
        let said = |words: &str| {
            let lines = log.lines().filter(|line| line.contains("sim-3fa9-"));
            lines.filter(|line| line.contains(words)).count()
        };
        assert_eq!(said("Received DISCONNECT"), 250);
        // It has the same words for FIN and RST.
        assert_eq!(said("closed its connection"), 500);
        assert_eq!(said("has exceeded timeout"), 250);
        let cleaned = clean(&fleet, &ended).await;
        assert_eq!(cleaned.topics, 1000);
        assert_spotless(&broker, &cleaned, &flags).await;
    }
}

#[tokio::test]
#[ignore = "needs mosquitto"]
async fn take_overs_and_goodbyes_with_a_will_are_what_the_broker_sees() {
    let broker = Mosquitto::start(&[]);
    let wills = broker.subscribe("devices/+/status", &[]);
    let run_fleet = fleet(&broker.url(), "--mqtt-version 5 --keepalive 1");
    let plan = vec![
        vec![life(0, 300, Death::TakeOver), life(1_000, 1_500, Death::Disconnect)],
        vec![life(0, 300, Death::DisconnectWith(WITH_WILL))],
        vec![life(0, 300, Death::NatDrop)],
    ];
    let mut run = Run::start_until(run_fleet, plan, 3_600_000);
    let fleet = Arc::clone(&run.fleet);
    let mut deeds = Vec::new();
    let is_done = |deeds: &[Deed]| {
        let goodbye = |what: &What| *what == What::Died(Death::Disconnect);
        count(deeds, goodbye) == 1 && count(deeds, |what| *what == What::GaveUp) == 1
    };
    while !is_done(&deeds) {
        deeds.push(run.deed().await);
    }
    assert_eq!(
        whats(&deeds, 0),
        ["0 connected false", "0 TakeOver", "1 connected false", "1 Disconnect"]
    );
    assert_eq!(whats(&deeds, 1), ["0 connected false", "0 DisconnectWith(4)"]);
    assert_eq!(whats(&deeds, 2), ["0 connected false", "0 NatDrop", "0 gave up"]);
    // Nobody closed that connection: it is the broker that has waited long enough.
    broker.wait_log(|log| log.contains("Client sim-3fa9-2 has exceeded timeout"));
    let log = broker.log();
    assert!(log.contains("Client sim-3fa9-0 already connected, closing old connection"), "{log}");
    assert!(log.contains("Received DISCONNECT from sim-3fa9-1"), "{log}");
    for number in 1..3 {
        let will = format!("devices/sim-3fa9-{number}/status offline");
        wills.wait_line(|line| line == will, DEADLINE);
    }
    let (ended, _) = run.stop().await;
    let cleaned = clean(&fleet, &ended.expect("the broker is there")).await;
    assert_eq!((cleaned.topics, cleaned.left.len()), (3, 0), "{cleaned:?}");
}

#[tokio::test]
#[ignore = "needs mosquitto"]
async fn a_run_stopped_in_the_middle_leaves_nothing() {
    for (version, persistent) in [("3.1.1", true), ("5", true), ("5", false)] {
        let broker = Mosquitto::start(&[]);
        let flags = format!("--mqtt-version {version} --keepalive 60");
        let mut fleet = fleet(&broker.url(), &flags);
        fleet.conduct.persistent = persistent;
        fleet.conduct.will.as_mut().expect("there is one").delay = u32::from(version == "5");
        let mut run = Run::start(fleet, plan(true));
        // Some have returned, some are silent, some are just coming back.
        run.until(|what| *what == What::Died(Death::Silence)).await;
        let is_second = |deed: &Deed| deed.life == 1;
        while !is_second(&run.deed().await) {}
        for _ in 0..200 {
            run.until(|what| matches!(what, What::Connected { .. })).await;
        }
        run.stop.send(Stop::Goodbye).expect("the run listens");
        let fleet = Arc::clone(&run.fleet);
        let (ended, deeds) = run.end().await;
        assert!(count(&deeds, |what| *what == What::Stopped) > 0);
        let cleaned = clean(&fleet, &ended.expect("the broker is there")).await;
        assert_eq!(cleaned.topics, 1000);
        assert_spotless(&broker, &cleaned, &flags).await;
    }
}
