//! MQTT on the wire: the bytes of every packet, and what becomes of bytes that are none.

#[path = "wire/bytes.rs"]
mod bytes;
#[path = "wire/hostile.rs"]
mod hostile;
#[path = "wire/random.rs"]
mod random;
#[path = "wire/round_trip.rs"]
mod round_trip;
#[path = "wire/second_opinion.rs"]
mod second_opinion;

use ::bytes::BytesMut;
use presence::wire::{Malformed, Packet, Version, read, read_connect, write};

const VERSIONS: [Version; 2] = [Version::V311, Version::V5];
const PACKET_MAX: usize = 1 << 20;

/// Reads the only packet of these bytes, the way a CONNECT is read if it looks like one.
fn read_one(bytes: &[u8], version: Version) -> Result<Option<Packet>, Malformed> {
    let mut buffer = BytesMut::from(bytes);
    let packet = read(&mut buffer, version, PACKET_MAX)?;
    let left = if packet.is_some() { 0 } else { bytes.len() };
    assert_eq!(buffer.len(), left, "after {bytes:02x?}");
    if bytes.first() == Some(&0x10) {
        let mut buffer = BytesMut::from(bytes);
        let connect = read_connect(&mut buffer, PACKET_MAX)?;
        assert_eq!(connect.map(|connect| Packet::Connect(Box::new(connect))), packet);
    }
    Ok(packet)
}

fn written(packet: &Packet, version: Version) -> Vec<u8> {
    let mut buffer = BytesMut::from(&b"before"[..]);
    write(packet, version, &mut buffer).unwrap_or_else(|error| panic!("{packet:?}: {error:?}"));
    assert_eq!(buffer[..6], *b"before");
    buffer[6..].to_vec()
}
