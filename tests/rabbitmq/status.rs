//! Births and wills of single devices.

use crate::fleet::Fleet;
use crate::support::process::DEADLINE;
use crate::{broker, device, watch};

/// RabbitMQ gives up a device after one and a half times its keep alive. Beside other tests it may take in
/// a ping more than a second late.
const KEEP_ALIVE_S: u64 = 4;
/// Where others want the processor too, it needs nine seconds to connect a thousand devices that come within
/// one. Who is to die before that has no birth, but a will.
const LIFE_MS: u64 = 12_000;

#[test]
#[ignore = "needs rabbitmq"]
fn a_birth_and_a_will_are_told_life_after_life() {
    let broker = broker();
    let mut watch = watch(&broker, "lives/{client}/status");
    for from in ["unknown", "offline"] {
        let mut lamp = device(&broker, "lamp", "lives/lamp/status", &[]);
        broker.publish("lives/lamp/status", "online", &["-r"]);
        let born = watch.change("lamp", "online");
        assert_eq!((&born["from"], &born["voice"]), (&from.into(), &"status".into()), "{born}");
        lamp.kill();
        let died = watch.change("lamp", "offline");
        assert_eq!(died["voice"], "status", "{died}");
    }
    let (believed, summary, _) = watch.finish();
    assert_eq!(believed["lamp"].0, "offline");
    assert_eq!((&summary["events"], &summary["malformed"]), (&4.into(), &0.into()), "{summary}");
}

#[test]
#[ignore = "needs rabbitmq"]
fn silence_is_told_once_the_broker_notices() {
    let broker = broker();
    let mut watch = watch(&broker, "silent/{client}/status");
    let pump = device(&broker, "pump", "silent/pump/status", &["-k", "5"]);
    broker.publish("silent/pump/status", "online", &["-r"]);
    watch.change("pump", "online");
    pump.suspend();
    // After at most three times the keep alive.
    watch.change("pump", "offline");
    broker.wait_log(|log| log.contains("(keepalive timeout)"));
}

#[test]
#[ignore = "needs rabbitmq"]
fn a_goodbye_leaves_the_birth_standing() {
    let broker = broker();
    let mut watch = watch(&broker, "goodbye/{client}/status");
    let mut lamp = device(&broker, "polite", "goodbye/polite/status", &[]);
    broker.publish("goodbye/polite/status", "online", &["-r"]);
    watch.change("polite", "online");
    lamp.terminate();
    lamp.ended(DEADLINE);
    broker.publish("goodbye/marker/status", "online", &[]);
    watch.change("marker", "online");
    let (believed, _, _) = watch.finish();
    assert_eq!(believed["polite"].0, "online");
}

#[test]
#[ignore = "needs rabbitmq"]
fn a_thousand_devices_are_told_right_after_each_of_three_lives() {
    let broker = broker();
    let mut watch = watch(&broker, "devices/{client}/status");
    let mut fleet = Fleet::start(&broker.url(), KEEP_ALIVE_S, LIFE_MS);
    fleet.is_told_by(&mut watch);
    fleet.ends_well(watch);
}
