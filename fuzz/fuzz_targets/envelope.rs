//! Any bytes as an envelope: it opens or stays closed, and what was inside may be anything again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use presence::dialect::envelope::open;

fuzz_target!(|bytes: &[u8]| {
    if let Some(envelope) = open(bytes) {
        assert!(envelope.body.len() <= bytes.len());
        let _ = open(&envelope.body);
    }
});
