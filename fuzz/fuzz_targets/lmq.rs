//! Any body and any tag, cut at the first NUL: reading must not panic, and the short cuts for the usual
//! shape say what the grammar of JSON says.

#![no_main]

use libfuzzer_sys::fuzz_target;
use presence::dialect::lmq::Lmq;
use presence::dialect::{Events, Message, Reading, Sniffed, sniff};
use presence::event::{Event, Timestamp};
use presence::source::lines::{Text, split_first};

fuzz_target!(|data: &[u8]| {
    let mut parts = data.splitn(2, |byte| *byte == 0);
    let payload = parts.next().unwrap_or_default();
    let tag = parts.next().and_then(|tag| str::from_utf8(tag).ok());
    let received = Timestamp(1_760_000_000_000);
    let message =
        Message { topic: "$presence/a", payload, tag, qos: 1, retain: false, received, tie: 1 };
    let reading = Lmq.read(&message);
    assert_eq!(reading, Lmq.read_by_grammar(&message));
    if let Some((usual, rest)) = str::from_utf8(payload).ok().and_then(Lmq::read_usual_line) {
        let (first, others) = split_first(payload).expect("there is a line");
        let (Text::Whole(line) | Text::Unended(line)) = first else { panic!("{first:?}") };
        let events = Events::one(Event::Channel(usual.event()));
        let alone = Message { payload: line, tag: None, ..message };
        assert_eq!(Lmq.read_by_grammar(&alone), Reading::Events(events));
        assert_eq!(rest.as_bytes(), others);
    }
    if let Reading::Events(events) = &reading {
        let Some(Event::Channel(event)) = &events.first else { panic!("{reading:?}") };
        assert!(!event.client.is_empty());
        assert!(event.stamp.is_none_or(|stamp| stamp.time.0 > 0 && stamp.tie == 0));
        assert!(!matches!(sniff(payload), Sniffed::Nothing));
    }
});
