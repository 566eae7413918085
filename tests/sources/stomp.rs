//! ActiveMQ Classic and Artemis tell of connections.

use crate::life::{PATIENCE, Telling, device, replayed};
use crate::scene::Watch;
use crate::support::activemq::ActiveMq;
use crate::support::artemis::Artemis;
use crate::support::authority::Authority;
use crate::support::process::{DEADLINE, Presence};
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

#[test]
#[ignore = "needs artemis"]
fn what_comes_encrypted_is_believed_of_whom_the_authority_vouches_for() {
    let broker = Artemis::start();
    let port = broker.stomps_port();
    let url = format!("stomp+ssl://127.0.0.1:{port}");
    let ca = |authority: &Authority| authority.path("ca.pem").display().to_string();
    let ours = ca(&broker.authority);
    let line = ["watch", "--json", "--source", &url, "--cafile", &ours];
    let mut watch = Watch::of(Presence::start(line));
    watch.within(PATIENCE).said("is known yet");
    let _pump = device(broker.port(), "pump-1");
    let online = watch.change("pump-1", "online");
    assert_eq!(online["instance"], format!("stomp+ssl://localhost:{port}"), "{online}");
    watch.finish();

    let other = Authority::named("someone");
    let theirs = ca(&other);
    for more in [&["--cafile", &*theirs][..], &[]] {
        let line = [&["watch", "--source", &url, "--store", "memory"], more].concat();
        let ended = Presence::start(line).ended(DEADLINE);
        assert_eq!(ended.code, Some(4), "{ended:?}");
        assert!(ended.err.contains("certificate"), "{}", ended.err);
        assert!(ended.err.contains("`--cafile`"), "{}", ended.err);
    }
}
