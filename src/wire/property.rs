//! Properties of version 5 (MQTT 5.0 §2.2.2.2): which there are, and which stand where.

use super::field::{Fields, check_topic, nonzero, put_binary, put_text};
use super::frame::put_variable;
use super::{Malformed, MoreProperties, Properties, Reason};
use bytes::{BufMut, Bytes, BytesMut};

pub(super) const PAYLOAD_FORMAT: u8 = 0x01;
pub(super) const MESSAGE_EXPIRY: u8 = 0x02;
pub(super) const CONTENT_TYPE: u8 = 0x03;
pub(super) const RESPONSE_TOPIC: u8 = 0x08;
pub(super) const CORRELATION_DATA: u8 = 0x09;
pub(super) const SUBSCRIPTION_ID: u8 = 0x0b;
pub(super) const SESSION_EXPIRY: u8 = 0x11;
pub(super) const ASSIGNED_CLIENT_ID: u8 = 0x12;
pub(super) const SERVER_KEEP_ALIVE: u8 = 0x13;
pub(super) const AUTHENTICATION_METHOD: u8 = 0x15;
pub(super) const AUTHENTICATION_DATA: u8 = 0x16;
pub(super) const WANTS_PROBLEM: u8 = 0x17;
pub(super) const WILL_DELAY: u8 = 0x18;
pub(super) const WANTS_RESPONSE: u8 = 0x19;
pub(super) const RESPONSE_INFORMATION: u8 = 0x1a;
pub(super) const SERVER_REFERENCE: u8 = 0x1c;
pub(super) const REASON_STRING: u8 = 0x1f;
pub(super) const RECEIVE_MAXIMUM: u8 = 0x21;
pub(super) const TOPIC_ALIAS_MAX: u8 = 0x22;
pub(super) const TOPIC_ALIAS: u8 = 0x23;
pub(super) const QOS_MAX: u8 = 0x24;
pub(super) const RETAIN_AVAILABLE: u8 = 0x25;
pub(super) const USER: u8 = 0x26;
pub(super) const PACKET_MAX: u8 = 0x27;
pub(super) const WILDCARDS_AVAILABLE: u8 = 0x28;
pub(super) const SUBSCRIPTION_IDS_AVAILABLE: u8 = 0x29;
pub(super) const SHARED_AVAILABLE: u8 = 0x2a;

/// Those of PUBLISH.
pub(super) const OF_MESSAGE: &[u8] = &[
    PAYLOAD_FORMAT,
    MESSAGE_EXPIRY,
    CONTENT_TYPE,
    RESPONSE_TOPIC,
    CORRELATION_DATA,
    SUBSCRIPTION_ID,
    TOPIC_ALIAS,
    USER,
];
/// Those of every answer that says no more than yes or no.
pub(super) const OF_ACK: &[u8] = &[REASON_STRING, USER];

/// Reads the properties that come next: hands `take` the number of each, to read its value.
///
/// A packet without a word of `allowed` but `USER` may have that one as often as it likes; a PUBLISH
/// may also name several subscriptions.
///
/// Errors: properties that have no place here, and such that come twice.
pub(super) fn read_each<'a>(
    fields: &mut Fields<'a>,
    allowed: &[u8],
    mut take: impl FnMut(u8, &mut Fields<'a>) -> Result<(), Malformed>,
) -> Result<(), Malformed> {
    let mut properties = fields.part("properties")?;
    let mut seen = 0_u64;
    while !properties.is_empty() {
        let number = properties.byte("property")?;
        if !allowed.contains(&number) {
            return Err(Malformed::new(format!("property {number:#04x} has no place here")));
        }
        let is_many = number == USER || (number == SUBSCRIPTION_ID && allowed == OF_MESSAGE);
        let bit = 1 << number;
        if seen & bit != 0 && !is_many {
            return Err(Malformed::protocol(format!("property {number:#04x} comes twice")));
        }
        seen |= bit;
        take(number, &mut properties)?;
    }
    Ok(())
}

/// Reads the value of a property that nobody here asks for.
pub(super) fn skip(number: u8, fields: &mut Fields<'_>) -> Result<(), Malformed> {
    const WHAT: &str = "property";
    match number {
        WANTS_PROBLEM
        | WANTS_RESPONSE
        | QOS_MAX
        | RETAIN_AVAILABLE
        | WILDCARDS_AVAILABLE
        | SUBSCRIPTION_IDS_AVAILABLE
        | SHARED_AVAILABLE => fields.flag(WHAT).map(drop),
        PAYLOAD_FORMAT => fields.byte(WHAT).map(drop),
        SERVER_KEEP_ALIVE | RECEIVE_MAXIMUM | TOPIC_ALIAS_MAX | TOPIC_ALIAS => {
            fields.two(WHAT).map(drop)
        }
        MESSAGE_EXPIRY | SESSION_EXPIRY | WILL_DELAY | PACKET_MAX => fields.four(WHAT).map(drop),
        SUBSCRIPTION_ID => fields.variable(WHAT).map(drop),
        CORRELATION_DATA | AUTHENTICATION_DATA => fields.binary(WHAT).map(drop),
        USER => {
            fields.text(WHAT)?;
            fields.text(WHAT).map(drop)
        }
        CONTENT_TYPE
        | RESPONSE_TOPIC
        | ASSIGNED_CLIENT_ID
        | AUTHENTICATION_METHOD
        | RESPONSE_INFORMATION
        | SERVER_REFERENCE
        | REASON_STRING => fields.text(WHAT).map(drop),
        other => Err(Malformed::new(format!("property {other:#04x} is not known"))),
    }
}

/// Reads properties that say nothing to anybody here.
pub(super) fn skip_all(fields: &mut Fields<'_>, allowed: &[u8]) -> Result<(), Malformed> {
    read_each(fields, allowed, skip)
}

/// Reads the properties of a message.
pub(super) fn read_message(fields: &mut Fields<'_>) -> Result<Properties, Malformed> {
    let mut properties = Properties::default();
    read_each(fields, OF_MESSAGE, |number, fields| {
        read_of_message(number, fields, properties.get_mut())
    })?;
    Ok(properties)
}

/// Reads the value of one property of a message.
pub(super) fn read_of_message(
    number: u8,
    fields: &mut Fields<'_>,
    into: &mut MoreProperties,
) -> Result<(), Malformed> {
    match number {
        PAYLOAD_FORMAT => {
            into.payload_format = Some(u8::from(fields.flag("payload format")?));
        }
        MESSAGE_EXPIRY => into.message_expiry = Some(fields.four("message expiry")?),
        CONTENT_TYPE => into.content_type = Some(fields.text("content type")?.to_owned()),
        RESPONSE_TOPIC => {
            let topic = fields.text("response topic")?;
            check_topic(topic, "response topic")?;
            into.response_topic = Some(topic.to_owned());
        }
        CORRELATION_DATA => {
            let data = fields.binary("correlation data")?;
            into.correlation_data = Some(Bytes::copy_from_slice(data));
        }
        USER => {
            let name = fields.text("user property")?.to_owned();
            into.user.push((name, fields.text("user property")?.to_owned()));
        }
        SUBSCRIPTION_ID => {
            let id = fields.variable("subscription id")?;
            into.subscription_ids.push(nonzero(id, "subscription id")?);
        }
        TOPIC_ALIAS => into.topic_alias = Some(check_alias(fields.two("topic alias")?)?),
        other => skip(other, fields)?,
    }
    Ok(())
}

fn check_alias(alias: u16) -> Result<u16, Malformed> {
    nonzero(alias, "topic alias")
        .map_err(|malformed| Malformed { reason: Reason::TOPIC_ALIAS_INVALID, ..malformed })
}

/// Appends the properties of a message, without their length.
pub(super) fn put_message(buffer: &mut BytesMut, from: &MoreProperties) -> Result<(), Malformed> {
    if let Some(format) = from.payload_format {
        if format > 1 {
            return Err(Malformed::protocol(format!("payload format is {format}, not 0 or 1")));
        }
        put_byte(buffer, PAYLOAD_FORMAT, Some(format));
    }
    put_four(buffer, MESSAGE_EXPIRY, from.message_expiry);
    put_string(buffer, CONTENT_TYPE, from.content_type.as_deref())?;
    if let Some(topic) = &from.response_topic {
        check_topic(topic, "response topic")?;
        put_string(buffer, RESPONSE_TOPIC, Some(topic))?;
    }
    if let Some(data) = &from.correlation_data {
        buffer.put_u8(CORRELATION_DATA);
        put_binary(buffer, data, "correlation data")?;
    }
    for (name, value) in &from.user {
        put_string(buffer, USER, Some(name))?;
        put_text(buffer, value, "user property")?;
    }
    for id in &from.subscription_ids {
        put_subscription_id(buffer, *id)?;
    }
    put_two(buffer, TOPIC_ALIAS, from.topic_alias.map(check_alias).transpose()?);
    Ok(())
}

pub(super) fn put_subscription_id(buffer: &mut BytesMut, id: u32) -> Result<(), Malformed> {
    buffer.put_u8(SUBSCRIPTION_ID);
    put_variable(buffer, nonzero(id, "subscription id")? as usize)
}

pub(super) fn put_byte(buffer: &mut BytesMut, number: u8, value: Option<u8>) {
    if let Some(value) = value {
        buffer.put_slice(&[number, value]);
    }
}

pub(super) fn put_two(buffer: &mut BytesMut, number: u8, value: Option<u16>) {
    if let Some(value) = value {
        buffer.put_u8(number);
        buffer.put_u16(value);
    }
}

pub(super) fn put_four(buffer: &mut BytesMut, number: u8, value: Option<u32>) {
    if let Some(value) = value {
        buffer.put_u8(number);
        buffer.put_u32(value);
    }
}

pub(super) fn put_string(
    buffer: &mut BytesMut,
    number: u8,
    value: Option<&str>,
) -> Result<(), Malformed> {
    let Some(value) = value else { return Ok(()) };
    buffer.put_u8(number);
    put_text(buffer, value, "a property")
}
