//! Any payload under any topic, in every dialect of the table: reading must not panic,
//! and no client may be made up.

#![no_main]

use libfuzzer_sys::fuzz_target;
use presence::dialect::{Message, Reading, plain};
use presence::event::{Event, Timestamp};

fuzz_target!(|data: &[u8]| {
    let mut parts = data.splitn(2, |byte| *byte == b'\n');
    let head = String::from_utf8_lossy(parts.next().unwrap_or_default()).into_owned();
    let payload = parts.next().unwrap_or(data);
    for dialect in plain::ALL {
        // Its own topics, with what was given in the place of each wildcard.
        let own = dialect.filters.iter().map(|filter| filter.replace(['+', '#'], &head));
        for topic in own.chain([head.clone()]) {
            // Whole, and line by line: some remember what they read before.
            let mut reader = plain::Reader::new(dialect, None);
            let lines = payload.split(|byte| *byte == b'\n');
            for (payload, tie) in lines.chain([payload]).zip(1..) {
                let message = Message {
                    topic: &topic,
                    payload,
                    tag: None,
                    qos: 1,
                    retain: false,
                    received: Timestamp(1_760_000_000_000),
                    tie,
                };
                let Reading::Events(events) = reader.read(&message) else { continue };
                for event in events.iter() {
                    if let Event::Channel(event) = event {
                        assert!(!event.client.is_empty(), "{}: {topic}", dialect.name);
                    }
                }
            }
        }
    }
});
