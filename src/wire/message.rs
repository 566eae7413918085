//! PUBLISH and its answers: PUBACK, PUBREC, PUBREL, PUBCOMP.

use super::field::{Fields, check_topic, nonzero, put_binary, qos};
use super::frame::{Kind, put_sized, put_variable};
use super::property;
use super::{Ack, Malformed, Properties, Publish, Qos, Reason, Version};
use bytes::{BufMut, Bytes, BytesMut};

/// Reads the body of a PUBLISH up to its payload, which is what is left.
pub(super) fn read(
    flags: u8,
    fields: &mut Fields<'_>,
    version: Version,
) -> Result<Publish, Malformed> {
    let dup = flags & DUP != 0;
    let qos = qos((flags & QOS) >> QOS_AT)?;
    if dup && qos == Qos::AtMostOnce {
        return Err(Malformed::new("sent again at QoS 0"));
    }
    let topic = fields.text("topic")?.to_owned();
    let id = if qos == Qos::AtMostOnce { 0 } else { fields.packet_id()? };
    let properties = match version {
        Version::V311 => Properties::default(),
        Version::V5 => property::read_message(fields)?,
    };
    check(&topic, &properties)?;
    let retain = flags & RETAIN != 0;
    Ok(Publish { dup, qos, retain, topic, id, payload: Bytes::new(), properties })
}

/// Errors: a topic that nobody can publish to. One that stands in an alias may be empty.
fn check(topic: &str, properties: &Properties) -> Result<(), Malformed> {
    let has_alias = properties.get().is_some_and(|more| more.topic_alias.is_some());
    if topic.is_empty() && has_alias { Ok(()) } else { check_topic(topic, "topic") }
}

/// Appends a PUBLISH.
pub(super) fn write(
    publish: &Publish,
    version: Version,
    buffer: &mut BytesMut,
) -> Result<(), Malformed> {
    let mut first = (Kind::Publish as u8) << 4 | (publish.qos as u8) << QOS_AT;
    let has_id = publish.qos != Qos::AtMostOnce;
    if publish.dup && has_id {
        first |= DUP;
    }
    if publish.retain {
        first |= RETAIN;
    }
    if has_id {
        nonzero(publish.id, "packet id")?;
    }
    let more = if version == Version::V5 { publish.properties.get() } else { None };
    let body = |buffer: &mut BytesMut| {
        // `check_topic` has seen that there is no NUL.
        put_binary(buffer, publish.topic.as_bytes(), "topic")?;
        if has_id {
            buffer.put_u16(publish.id);
        }
        match more {
            Some(more) => put_sized(buffer, |buffer| property::put_message(buffer, more))?,
            None if version == Version::V5 => buffer.put_u8(0),
            None => {}
        }
        buffer.put_slice(&publish.payload);
        Ok(())
    };
    if more.is_some() {
        check(&publish.topic, &publish.properties)?;
        buffer.reserve(HEADER_MAX + publish.topic.len() + publish.payload.len());
        buffer.put_u8(first);
        return put_sized(buffer, body);
    }
    // The usual case: the length is known beforehand, so that no payload is moved.
    check_topic(&publish.topic, "topic")?;
    let lengths = [TEXT_LEN, ID_LEN * usize::from(has_id), usize::from(version == Version::V5)];
    let length = lengths.iter().sum::<usize>() + publish.topic.len() + publish.payload.len();
    buffer.reserve(HEADER_MAX + length);
    buffer.put_u8(first);
    put_variable(buffer, length)?;
    body(buffer)
}

/// Reads the body of an answer.
pub(super) fn read_ack(fields: &mut Fields<'_>, version: Version) -> Result<Ack, Malformed> {
    let id = fields.packet_id()?;
    // Version 5 leaves out what says nothing (MQTT 5.0 §3.4.2.1).
    let mut reason = Reason::SUCCESS;
    if version == Version::V5 && !fields.is_empty() {
        reason = Reason(fields.byte("reason")?);
        if !fields.is_empty() {
            property::skip_all(fields, property::OF_ACK)?;
        }
    }
    Ok(Ack { id, reason })
}

/// Appends an answer. 3.1.1 has no words for what is wrong.
pub(super) fn write_ack(
    kind: Kind,
    ack: Ack,
    version: Version,
    buffer: &mut BytesMut,
) -> Result<(), Malformed> {
    let [high, low] = nonzero(ack.id, "packet id")?.to_be_bytes();
    if version == Version::V311 || ack.reason == Reason::SUCCESS {
        buffer.put_slice(&[kind.first(), 2, high, low]);
    } else {
        buffer.put_slice(&[kind.first(), 3, high, low, ack.reason.0]);
    }
    Ok(())
}

const RETAIN: u8 = 0b0001;
const QOS: u8 = 0b0110;
const QOS_AT: u32 = 1;
const DUP: u8 = 0b1000;

/// First byte and length.
const HEADER_MAX: usize = 5;
const TEXT_LEN: usize = 2;
const ID_LEN: usize = 2;
