//! Any payload to all dialects at once: at a place of one of them, and at a topic that was chosen for all. Reading
//! must not panic, and no client may be made up.

#![no_main]

use libfuzzer_sys::fuzz_target;
use presence::config::reading::usual;
use presence::dialect::terms::Terms;
use presence::dialect::{Message, Reading};
use presence::event::{Event, Timestamp};

fuzz_target!(|data: &[u8]| {
    let Some((choice, data)) = data.split_first() else { return };
    let mut parts = data.splitn(2, |byte| *byte == b'\n');
    let head = String::from_utf8_lossy(parts.next().unwrap_or_default()).into_owned();
    let payload = parts.next().unwrap_or(data);
    for topics in [Vec::new(), vec!["#".to_owned()]] {
        let dialects = Terms::names().map(str::to_owned).collect();
        let terms = Terms { dialects, topics, ..usual() };
        let mut dialects = terms.dialects(None).expect("all of them are known");
        let filters = dialects.filters();
        let filter = &filters[usize::from(*choice) % filters.len()];
        let topic = filter.replace(['+', '#'], &head);
        // Whole, and line by line: some remember what they read before.
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
            let (index, reading) = dialects.read(&message);
            let Reading::Events(events) = reading else { continue };
            let name = dialects.get(index.expect("somebody's")).expect("listened to").name();
            for event in events.iter() {
                if let Event::Channel(event) = event {
                    assert!(!event.client.is_empty(), "{name}: {topic}");
                }
            }
        }
    }
});
