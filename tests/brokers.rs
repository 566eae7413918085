//! The whole program at real brokers that are met nowhere else: by their own notices, by what they post or
//! write to a log, and by the wills that they send. Mosquitto and RabbitMQ have files of their own, ActiveMQ
//! and Artemis are among what is heard beside MQTT.

mod support;

#[path = "brokers/aedes.rs"]
mod aedes;
#[path = "brokers/hivemq.rs"]
mod hivemq;
#[path = "brokers/life.rs"]
mod life;
#[path = "brokers/mochi.rs"]
mod mochi;
#[path = "mosquitto/scene.rs"]
#[allow(dead_code, reason = "shared with the tests at Mosquitto")]
mod scene;

use support::verification::{Told, verify};

/// Verifies the wills of a broker with this window, and that it is done with a keep alive of 3 s after four:
/// both ends of the window matter, for half of an odd number is rounded.
#[track_caller]
fn wills_are_right(port: u16, window: &str, silence_ms: (u64, u64)) {
    let url = format!("mqtt://127.0.0.1:{port}");
    let line = format!("--count 60 --duration 5s -k 3s --expect-window {window} --dialect status");
    let told = Told::by(verify(&url, &line));
    // Who serves connections side by side may tell of the old one's end behind the new one's beginning.
    let behind = told.count("status", Some("takeover"), "wrong-order");
    told.ended_with(i32::from(behind > 0), behind);
    let mut outcomes = [
        "connect reported 70",
        "disconnect withheld 20",
        "fin reported 10",
        "nat-drop reported 10",
        "rst reported 10",
        "silence reported 10",
    ]
    .map(str::to_owned)
    .to_vec();
    outcomes.extend((behind < 10).then(|| format!("takeover reported {}", 10 - behind)));
    outcomes.extend((behind > 0).then(|| format!("takeover wrong-order {behind}")));
    assert_eq!(told.outcomes("status"), outcomes);
    for act in ["silence", "nat-drop"] {
        assert_eq!(told.window("status", act), silence_ms, "{act}");
    }
    assert!(told.of("state").all(|state| state["wrong"] == 0), "{}", told.shown());
}
