//! HiveMQ CE 2025.5: it writes who comes and goes to a log, which is followed.

use crate::life::Telling;
use crate::scene::Watch;
use crate::support::hivemq::HiveMq;
use crate::support::process::Presence;

/// Neither of whole hours nor that of anybody who runs the tests.
const ZONE: &str = "Asia/Kathmandu";

#[test]
#[ignore = "needs hivemq"]
fn its_log_tells_who_comes_and_goes() {
    let broker = HiveMq::start(ZONE);
    let log = broker.event_log().to_str().expect("it is text").to_owned();
    let line = ["replay", "--follow", "--json", "--time-zone", ZONE, &log];
    let mut watch = Watch::of(Presence::start(line));
    watch.said("going on");
    let telling =
        Telling { voice: "hivemq", instance: "", has_channels: false, has_goodbyes: true };
    let (_, summary) = telling.holds(broker.port(), watch);
    assert_eq!(summary["take_overs"], 1, "{summary}");
}

#[test]
#[ignore = "needs hivemq"]
fn its_wills_come_at_every_end_but_a_goodbye() {
    let broker = HiveMq::start("UTC");
    crate::wills_are_right(broker.port(), "hivemq", (4_000, 5_100));
}
