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
    told.ended_with(0, 0);
    let outcomes = [
        "connect reported 70",
        "disconnect withheld 20",
        "fin reported 10",
        "nat-drop reported 10",
        "rst reported 10",
        "silence reported 10",
        "takeover reported 10",
    ];
    assert_eq!(told.outcomes("status"), outcomes);
    for act in ["silence", "nat-drop"] {
        assert_eq!(told.window("status", act), silence_ms, "{act}");
    }
    assert!(told.of("state").all(|state| state["wrong"] == 0), "{}", told.shown());
}
