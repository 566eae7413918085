//! Any bytes as packets of both versions: reading must not panic, and what was read is written and
//! read again as the same.

#![no_main]

use bytes::BytesMut;
use libfuzzer_sys::fuzz_target;
use presence::wire::{Packet, Version, read, read_connect, write};

const PACKET_MAX: usize = 1 << 16;

fuzz_target!(|bytes: &[u8]| {
    let connect = read_connect(&mut BytesMut::from(bytes), PACKET_MAX);
    if let Ok(Some(connect)) = connect {
        let version = connect.version;
        again(&Packet::Connect(Box::new(connect)), version);
    }
    for version in [Version::V311, Version::V5] {
        let mut buffer = BytesMut::from(bytes);
        let mut left = buffer.len();
        while let Ok(Some(packet)) = read(&mut buffer, version, PACKET_MAX) {
            assert!(buffer.len() < left);
            left = buffer.len();
            again(&packet, version);
        }
        assert_eq!(buffer.len(), left);
    }
});

fn again(packet: &Packet, version: Version) {
    let mut buffer = BytesMut::new();
    write(packet, version, &mut buffer).expect("what was read can be written");
    let written = buffer.clone();
    let found = read(&mut buffer, version, PACKET_MAX * 2).expect("what is written can be read");
    let found = found.expect("what is written is whole");
    assert!(buffer.is_empty());
    write(&found, version, &mut buffer).expect("it was written before");
    assert_eq!(buffer, written);
    // Some brokers answer 3.1.1 in words that it does not have, and they are read, not written.
    let is_answer = matches!(packet, Packet::ConnAck(_) | Packet::SubAck(_));
    if version == Version::V5 || !is_answer {
        assert_eq!(*packet, found, "{written:02x?}");
    }
}
