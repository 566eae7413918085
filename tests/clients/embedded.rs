//! At the built-in broker, which speaks both on one port.

use crate::support::clients::Library::{self, MqttJs, Paho};
use crate::support::clients::Version::{self, V5, V311};
use crate::support::process::{DEADLINE, Presence};
use crate::works;

#[track_caller]
fn works_over(scheme: &str, library: Library, version: Version) {
    let broker = Presence::start(["broker", "--listen", "127.0.0.1:0"]);
    let said = broker.wait_line(|line| line.starts_with("listening on mqtt://"), DEADLINE);
    let address = said.trim_start_matches("listening on mqtt://").split(' ').next();
    works(library, version, &format!("{scheme}://{}", address.expect("it is said")), &[]);
}

#[test]
#[ignore = "needs paho-mqtt"]
fn paho_over_tcp_in_3_1_1() {
    works_over("mqtt", Paho, V311);
}

#[test]
#[ignore = "needs paho-mqtt"]
fn paho_over_tcp_in_5() {
    works_over("mqtt", Paho, V5);
}

#[test]
#[ignore = "needs paho-mqtt"]
fn paho_over_websocket_in_3_1_1() {
    works_over("ws", Paho, V311);
}

#[test]
#[ignore = "needs paho-mqtt"]
fn paho_over_websocket_in_5() {
    works_over("ws", Paho, V5);
}

#[test]
#[ignore = "needs mqtt.js"]
fn mqtt_js_over_tcp_in_3_1_1() {
    works_over("mqtt", MqttJs, V311);
}

#[test]
#[ignore = "needs mqtt.js"]
fn mqtt_js_over_tcp_in_5() {
    works_over("mqtt", MqttJs, V5);
}

#[test]
#[ignore = "needs mqtt.js"]
fn mqtt_js_over_websocket_in_3_1_1() {
    works_over("ws", MqttJs, V311);
}

#[test]
#[ignore = "needs mqtt.js"]
fn mqtt_js_over_websocket_in_5() {
    works_over("ws", MqttJs, V5);
}
