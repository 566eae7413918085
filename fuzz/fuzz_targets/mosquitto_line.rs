//! Any lines, as a file, over MQTT, with a zone and without: reading must not panic. A line that is a
//! client's own must never be about another client.

#![no_main]

use libfuzzer_sys::fuzz_target;
use presence::dialect::mosquitto::Mosquitto;
use presence::dialect::{Message, Reading, sniff};
use presence::event::{Event, Timestamp};

fuzz_target!(|data: &[u8]| {
    let zone = jiff::tz::TimeZone::fixed(jiff::tz::offset(1));
    for topic in ["", "$SYS/broker/log/N"] {
        for zone in [None, Some(zone.clone())] {
            let mut reader = Mosquitto::new(zone);
            for (line, tie) in data.split(|byte| *byte == b'\n').zip(1..) {
                let _ = reader.read(&message(topic, line, tie));
                let _ = sniff(line);
            }
        }
    }
    // The input once more, as a hostile client id in the broker's own words.
    let Ok(id) = str::from_utf8(data) else { return };
    if id.is_empty() || id.len() > 60_000 || id.contains(['\r', '\n']) {
        return;
    }
    for line in [
        format!("1: New client connected from 192.0.2.1:7 as {id} (p2, c1, k60)."),
        format!("2: Client {id} closed its connection."),
        format!("3: Client {id} disconnected: Connection reset by peer."),
        format!("4: Client {id} [192.0.2.1:7] disconnected."),
    ] {
        let mut reader = Mosquitto::new(None);
        let Reading::Events(events) = reader.read(&message("", line.as_bytes(), 1)) else {
            panic!("{line:?} is known")
        };
        for event in events.iter() {
            // Up to 2.1.0 an id may end in what looks like an address; told only by a connect line.
            let Event::Channel(event) = event else { panic!("{event:?}") };
            assert!(event.client == id || id.ends_with(']'), "{:?}", event.client);
        }
    }
});

fn message<'a>(topic: &'a str, payload: &'a [u8], tie: u64) -> Message<'a> {
    let received = Timestamp(1_760_000_000_000);
    Message { topic, payload, tag: None, qos: 1, retain: false, received, tie }
}
