//! At Mosquitto.

use crate::support::clients::Library::{self, MqttJs, Paho};
use crate::support::clients::Version::{self, V5, V311};
use crate::support::mosquitto::Mosquitto;
use crate::{TOLD, works};

#[track_caller]
fn works_over_tcp(library: Library, version: Version) {
    let broker = Mosquitto::start(&[]);
    works(library, version, &broker.url(), BUT);
}

#[track_caller]
fn works_over_websocket(library: Library, version: Version) {
    let broker = Mosquitto::start(&["listener {port} 127.0.0.1", "protocol websockets"]);
    works(library, version, &format!("ws://127.0.0.1:{}/mqtt", broker.second_port()), BUT);
}

/// Mosquitto 2.0.11 closes without a word.
const BUT: &[&str] = &[TOLD];

#[test]
#[ignore = "needs paho-mqtt and mosquitto"]
fn paho_over_tcp_in_3_1_1() {
    works_over_tcp(Paho, V311);
}

#[test]
#[ignore = "needs paho-mqtt and mosquitto"]
fn paho_over_tcp_in_5() {
    works_over_tcp(Paho, V5);
}

#[test]
#[ignore = "needs paho-mqtt and mosquitto"]
fn paho_over_websocket_in_3_1_1() {
    works_over_websocket(Paho, V311);
}

#[test]
#[ignore = "needs paho-mqtt and mosquitto"]
fn paho_over_websocket_in_5() {
    works_over_websocket(Paho, V5);
}

#[test]
#[ignore = "needs mqtt.js and mosquitto"]
fn mqtt_js_over_tcp_in_3_1_1() {
    works_over_tcp(MqttJs, V311);
}

#[test]
#[ignore = "needs mqtt.js and mosquitto"]
fn mqtt_js_over_tcp_in_5() {
    works_over_tcp(MqttJs, V5);
}

#[test]
#[ignore = "needs mqtt.js and mosquitto"]
fn mqtt_js_over_websocket_in_3_1_1() {
    works_over_websocket(MqttJs, V311);
}

#[test]
#[ignore = "needs mqtt.js and mosquitto"]
fn mqtt_js_over_websocket_in_5() {
    works_over_websocket(MqttJs, V5);
}
