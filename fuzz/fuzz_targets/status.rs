//! Any payload under a status topic, as a word and as JSON: reading must not panic.

#![no_main]

use libfuzzer_sys::fuzz_target;
use presence::dialect::status::{Status, Words};
use presence::dialect::topic::Template;
use presence::dialect::{Message, Reading};
use presence::event::Timestamp;

fuzz_target!(|data: &[u8]| {
    // The pointer is the user's own text, but it meets a stranger's JSON.
    let mut parts = data.splitn(2, |byte| *byte == 0);
    let payload = parts.next().unwrap_or_default();
    let pointer = parts.next().map(|pointer| String::from_utf8_lossy(pointer).into_owned());
    for pointer in [None, Some("/state".to_owned()), pointer] {
        let template = Template::parse("devices/{client}/status").expect("valid");
        let status = Status { template, words: Words { pointer, ..Words::default() } };
        let topic = "devices/a/status";
        let received = Timestamp(1_760_000_000_000);
        let message =
            Message { topic, payload, tag: None, qos: 1, retain: false, received, tie: 1 };
        assert_ne!(status.read(&message), Reading::NotMine);
    }
});
