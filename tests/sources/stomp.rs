//! ActiveMQ Classic and Artemis tell of connections.

use crate::scene::Watch;
use crate::support::activemq::ActiveMq;
use crate::support::artemis::Artemis;
use crate::support::authority::Authority;
use crate::support::process::{DEADLINE, Presence, Process};
use std::process::Command;
use std::time::Duration;
use tempfile::TempDir;

/// They take their time to notice, on a busy machine.
const PATIENCE: Duration = Duration::from_mins(1);

fn device(port: u16, id: &str) -> Process {
    let mut command = Command::new("mosquitto_sub");
    command.args(["-V", "311", "-h", "127.0.0.1", "-p", &port.to_string(), "-t", "nothing"]);
    Process::start(command.args(["-i", id]))
}

/// Has clients come, be killed and be taken over, and holds what is told of them against it.
fn comes_and_goes(port: u16, stomp_port: u16, voice: &str) {
    let home = TempDir::new().expect("a temporary folder can be made");
    let url = format!("stomp://127.0.0.1:{stomp_port}");
    let line = ["watch", "--json", "--source", &url, "--record", "heard.jsonl"];
    let mut watch = Watch::of(Presence::start_in(home.path(), line, &[]));
    watch.within(PATIENCE).said("is known yet");

    let mut pump = device(port, "pump-1");
    let online = watch.change("pump-1", "online");
    assert_eq!((&online["from"], &online["voice"]), (&"unknown".into(), &voice.into()), "{online}");
    assert_eq!(online["instance"], format!("stomp://localhost:{stomp_port}"), "{online}");
    pump.kill();
    watch.change("pump-1", "offline");

    let mut old = device(port, "valve-1");
    let first = watch.change("valve-1", "online");
    let _new = device(port, "valve-1");
    let second = watch.object(|line| {
        line["client"] == "valve-1" && line["to"] == "online" && line["channel"] != first["channel"]
    });
    assert_ne!(second["channel"], first["channel"]);
    old.kill();
    let _marker = device(port, "marker");
    watch.change("marker", "online");

    let (believed, summary, _) = watch.finish();
    assert_eq!(summary["malformed"], 0, "{summary}");
    let state = |client: &str| believed[client].0.clone();
    assert_eq!([state("pump-1"), state("valve-1")], ["offline", "online"], "{believed:?}");
    // Nobody else is told of: the listener itself is no client of MQTT.
    assert_eq!(believed.len(), 3, "{believed:?}");

    let replay = ["replay", "--json", "--quiet", "heard.jsonl"];
    let replayed = Presence::start_in(home.path(), replay, &[]).ended(DEADLINE);
    let again = crate::scene::believed(&crate::scene::objects(&replayed.out));
    assert_eq!(again, believed);
}

#[test]
#[ignore = "needs activemq"]
fn activemq_tells_who_comes_and_goes() {
    let broker = ActiveMq::start();
    comes_and_goes(broker.port(), broker.stomp_port(), "activemq");
}

#[test]
#[ignore = "needs artemis"]
fn artemis_tells_who_comes_and_goes() {
    let broker = Artemis::start();
    comes_and_goes(broker.port(), broker.stomp_port(), "artemis");
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
