//! Any bytes as what brokers of Kafka send: reading must not panic, and always comes further.

#![no_main]

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use presence::source::kafka::batch::Records;
use presence::source::kafka::wire;
use presence::source::kept::Message;

fuzz_target!(|bytes: &[u8]| {
    let bytes = Bytes::copy_from_slice(bytes);
    let _ = wire::read_versions(bytes.clone());
    let _ = wire::read_metadata(bytes.clone(), "t");
    let _ = wire::read_offset(bytes.clone(), 0);
    let _ = wire::read_handshake(bytes.clone());
    let _ = wire::read_authenticated(bytes.clone());
    let fetched = wire::read_fetched(bytes.clone(), 0);
    let aborted = fetched.map(|fetched| fetched.aborted).unwrap_or_default();
    let (records, next) = Records::read(bytes, 0, aborted);
    assert!(next.is_none_or(|next| next > 0));
    for record in records.iter().flatten() {
        assert!(record.offset() >= 0);
        if let Ok(body) = record.body() {
            let _ = record.within().slice_ref(&body);
        }
    }
});
