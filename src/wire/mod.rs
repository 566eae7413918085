//! MQTT packets as bytes: what the built-in broker and the simulated devices speak.
//!
//! It never touches a socket: bytes come in and go out. They are read and written by hand. rumqttc's
//! codec reads an ordinary DISCONNECT, a CONNACK in the words of 3.1.1 and a subscription identifier
//! of version 5 wrongly, takes a password for text, lets NUL and trailing bytes pass, and refuses
//! reasons that it does not know; mending that from outside takes more than reading a packet does.
//! `tests/wire.rs` holds the two against each other where that codec is right.

mod connect;
mod field;
mod frame;
mod goodbye;
mod message;
mod packet;
mod property;
mod subscription;

pub use packet::{
    Ack, ConnAck, Connect, Disconnect, Filter, MoreProperties, Packet, Properties, Publish, Qos,
    Reason, RetainedWanted, SubAck, Subscribe, Unsubscribe, Version, Will,
};

use bytes::{Buf, Bytes, BytesMut};
use field::Fields;
use frame::{Head, Kind, put_packet};

/// Why bytes are no packet. A reader gives the connection up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Malformed {
    /// What the peer is told, where its version has words for it.
    pub reason: Reason,
    /// What is wrong, for people. It holds no text of the peer's.
    pub cause: String,
}

impl Malformed {
    /// Bytes that cannot be read as a packet.
    fn new(cause: impl Into<String>) -> Self {
        Self { reason: Reason::MALFORMED_PACKET, cause: cause.into() }
    }

    /// Bytes that can be read, and say what may not be said.
    fn protocol(cause: impl Into<String>) -> Self {
        Self { reason: Reason::PROTOCOL_ERROR, cause: cause.into() }
    }

    fn too_long(cause: impl Into<String>) -> Self {
        Self { reason: Reason::PACKET_TOO_LARGE, cause: cause.into() }
    }

    fn within(self, kind: Kind) -> Self {
        Self { cause: format!("{}: {}", kind.name(), self.cause), ..self }
    }
}

/// Takes the next packet out of the buffer; `None` if it is not there as a whole yet.
///
/// `packet_max` is the longest packet taken in, in bytes with its header. A long payload is a part
/// of the buffer, and keeps the buffer's memory; a short one is a copy.
///
/// Errors: bytes that are no packet of this version, or a longer one. The buffer is then as before.
pub fn read(
    buffer: &mut BytesMut,
    version: Version,
    packet_max: usize,
) -> Result<Option<Packet>, Malformed> {
    let Some(head) = Head::read(buffer, Some(version), packet_max)? else { return Ok(None) };
    let mut fields = Fields::new(&buffer[head.body..head.end]);
    let mut packet =
        read_body(head, &mut fields, version).map_err(|malformed| malformed.within(head.kind))?;
    match &mut packet {
        Packet::Publish(publish) => {
            let payload_len = fields.len();
            publish.payload = take_payload(payload_len, head.end, buffer);
        }
        _ => buffer.advance(head.end),
    }
    Ok(Some(packet))
}

fn take_payload(len: usize, end: usize, buffer: &mut BytesMut) -> Bytes {
    let start = end - len;
    if len < SHARED_MIN {
        let payload = Bytes::copy_from_slice(&buffer[start..end]);
        buffer.advance(end);
        return payload;
    }
    buffer.advance(start);
    buffer.split_to(len).freeze()
}

/// Reads all of a body but the payload of a PUBLISH.
fn read_body(head: Head, fields: &mut Fields<'_>, version: Version) -> Result<Packet, Malformed> {
    let kind = head.kind;
    let packet = match kind {
        Kind::Connect => {
            let connect = connect::read(fields)?;
            if connect.version != version {
                return Err(Malformed::protocol("it speaks another version than before"));
            }
            Packet::Connect(Box::new(connect))
        }
        Kind::ConnAck => Packet::ConnAck(connect::read_ack(fields, version)?),
        Kind::Publish => return message::read(head.flags, fields, version).map(Packet::Publish),
        Kind::PubAck => Packet::PubAck(message::read_ack(fields, version)?),
        Kind::PubRec => Packet::PubRec(message::read_ack(fields, version)?),
        Kind::PubRel => Packet::PubRel(message::read_ack(fields, version)?),
        Kind::PubComp => Packet::PubComp(message::read_ack(fields, version)?),
        Kind::Subscribe => Packet::Subscribe(subscription::read(fields, version)?),
        Kind::SubAck => Packet::SubAck(subscription::read_ack(kind, fields, version)?),
        Kind::Unsubscribe => Packet::Unsubscribe(subscription::read_end(fields, version)?),
        Kind::UnsubAck => Packet::UnsubAck(subscription::read_ack(kind, fields, version)?),
        Kind::PingReq => Packet::PingReq,
        Kind::PingResp => Packet::PingResp,
        Kind::Disconnect => Packet::Disconnect(goodbye::read(fields, version)?),
        Kind::Auth => {
            goodbye::read_auth(fields)?;
            Packet::Auth
        }
    };
    fields.finish()?;
    Ok(packet)
}

/// Takes a CONNECT of either version out of the buffer, as a broker does with the first bytes of a
/// connection; `None` if it is not there as a whole yet.
///
/// Errors: anything else than a CONNECT. `reason` is `UNSUPPORTED_VERSION` for one of another version.
pub fn read_connect(
    buffer: &mut BytesMut,
    packet_max: usize,
) -> Result<Option<Connect>, Malformed> {
    if buffer.first().is_some_and(|first| *first != Kind::Connect.first()) {
        return Err(Malformed::protocol("the first packet is no CONNECT"));
    }
    let Some(head) = Head::read(buffer, None, packet_max)? else { return Ok(None) };
    let mut fields = Fields::new(&buffer[head.body..head.end]);
    let connect = connect::read(&mut fields)
        .and_then(|connect| fields.finish().map(|()| connect))
        .map_err(|malformed| malformed.within(head.kind))?;
    buffer.advance(head.end);
    Ok(Some(connect))
}

/// Appends a packet to the buffer.
///
/// What the version has no words for is left out.
///
/// Errors: what the peer could not read: text longer than its field or with NUL, a packet longer than
/// MQTT can say, a packet id of 0, a topic with wildcards. The buffer is then as before.
pub fn write(packet: &Packet, version: Version, buffer: &mut BytesMut) -> Result<(), Malformed> {
    let before = buffer.len();
    write_packet(packet, version, buffer).map_err(|malformed| {
        buffer.truncate(before);
        malformed.within(kind_of(packet))
    })
}

fn write_packet(packet: &Packet, version: Version, buffer: &mut BytesMut) -> Result<(), Malformed> {
    let kind = kind_of(packet);
    match packet {
        Packet::Connect(connect) => connect::write(connect, version, buffer),
        Packet::ConnAck(ack) => connect::write_ack(ack, version, buffer),
        Packet::Publish(publish) => message::write(publish, version, buffer),
        Packet::PubAck(ack) | Packet::PubRec(ack) | Packet::PubRel(ack) | Packet::PubComp(ack) => {
            message::write_ack(kind, *ack, version, buffer)
        }
        Packet::Subscribe(subscribe) => subscription::write(subscribe, version, buffer),
        Packet::SubAck(ack) | Packet::UnsubAck(ack) => {
            subscription::write_ack(kind, ack, version, buffer)
        }
        Packet::Unsubscribe(unsubscribe) => subscription::write_end(unsubscribe, version, buffer),
        Packet::Disconnect(disconnect) => goodbye::write(disconnect, version, buffer),
        Packet::Auth if version == Version::V311 => {
            Err(Malformed::new("MQTT 3.1.1 has no such packet"))
        }
        Packet::PingReq | Packet::PingResp | Packet::Auth => put_packet(buffer, kind, |_| Ok(())),
    }
}

const fn kind_of(packet: &Packet) -> Kind {
    match packet {
        Packet::Connect(_) => Kind::Connect,
        Packet::ConnAck(_) => Kind::ConnAck,
        Packet::Publish(_) => Kind::Publish,
        Packet::PubAck(_) => Kind::PubAck,
        Packet::PubRec(_) => Kind::PubRec,
        Packet::PubRel(_) => Kind::PubRel,
        Packet::PubComp(_) => Kind::PubComp,
        Packet::Subscribe(_) => Kind::Subscribe,
        Packet::SubAck(_) => Kind::SubAck,
        Packet::Unsubscribe(_) => Kind::Unsubscribe,
        Packet::UnsubAck(_) => Kind::UnsubAck,
        Packet::PingReq => Kind::PingReq,
        Packet::PingResp => Kind::PingResp,
        Packet::Disconnect(_) => Kind::Disconnect,
        Packet::Auth => Kind::Auth,
    }
}

/// Payloads from this length on share the buffer's memory. Below, a copy costs no more than sharing
/// does, and a short message that is kept for long does not keep a whole buffer with it.
const SHARED_MIN: usize = 512;
