//! Any file that describes a dialect, and any payload in it: neither parsing nor reading may panic, and no
//! client may be made up. Payloads are read by every convention as well.

#![no_main]

use libfuzzer_sys::fuzz_target;
use presence::dialect::described::{CONVENTIONS, Described, convention};
use presence::dialect::{Message, Reading};
use presence::event::{Event, Timestamp};

fuzz_target!(|data: &[u8]| {
    let mut parts = data.splitn(2, |byte| *byte == 0);
    let file = String::from_utf8_lossy(parts.next().unwrap_or_default()).into_owned();
    let payload = parts.next().unwrap_or_default();
    if let Ok(described) = Described::parse(&file) {
        read(&described, payload);
    }
    for (name, _) in CONVENTIONS {
        read(convention(name).expect("it is one"), payload);
    }
});

fn read(described: &Described, payload: &[u8]) {
    // Its own topics, and the one of a line.
    let own = described.filters.iter().map(|filter| filter.replace(['+', '#'], "x"));
    for topic in own.chain([String::new()]) {
        let received = Timestamp(1_760_000_000_000);
        let (tag, qos, retain, tie) = (None, 1, false, 1);
        let message = Message { topic: &topic, payload, tag, qos, retain, received, tie };
        let Reading::Events(events) = described.read(&message) else { continue };
        for event in events.iter() {
            if let Event::Channel(event) = event {
                assert!(!event.client.is_empty(), "{}: {topic}", described.name);
            }
        }
    }
}
