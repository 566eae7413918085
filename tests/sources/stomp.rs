//! ActiveMQ Classic and Artemis tell of connections.

use crate::life::{Telling, replayed};
use crate::scene::Watch;
use crate::support::activemq::ActiveMq;
use crate::support::artemis::Artemis;
use crate::support::process::Presence;
use tempfile::TempDir;

/// Holds what is told by STOMP against what clients do, live and replayed.
fn tells(port: u16, stomp_port: u16, voice: &str) {
    let home = TempDir::new().expect("a temporary folder can be made");
    let url = format!("stomp://127.0.0.1:{stomp_port}");
    let line = ["watch", "--json", "--source", &url, "--record", "heard.jsonl"];
    let mut watch = Watch::of(Presence::start_in(home.path(), line, &[]));
    watch.said("is known yet");
    let instance = &format!("stomp://localhost:{stomp_port}");
    let telling = Telling { voice, instance, has_channels: true, has_goodbyes: false };
    let (believed, _) = telling.holds(port, watch);
    assert_eq!(replayed(home.path(), "heard.jsonl"), believed);
}

#[test]
#[ignore = "needs activemq"]
fn activemq_tells_who_comes_and_goes() {
    let broker = ActiveMq::start();
    tells(broker.port(), broker.stomp_port(), "activemq");
}

#[test]
#[ignore = "needs artemis"]
fn artemis_tells_who_comes_and_goes() {
    let broker = Artemis::start();
    tells(broker.port(), broker.stomp_port(), "artemis");
}
