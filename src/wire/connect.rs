//! CONNECT and CONNACK.

use super::field::{Fields, check_topic, nonzero, put_binary, put_text, qos};
use super::frame::{Kind, put_packet, put_sized};
use super::property::{self, put_byte, put_four, put_string, put_two, read_each, skip};
use super::{ConnAck, Connect, Malformed, MoreProperties, Qos, Reason, Version, Will};
use bytes::{BufMut, Bytes, BytesMut};

/// Reads the body of a CONNECT of either version.
pub(super) fn read(fields: &mut Fields<'_>) -> Result<Connect, Malformed> {
    let version = read_version(fields)?;
    let flags = fields.byte("connect flags")?;
    check_flags(flags, version)?;
    let mut connect = Connect::new(version, "");
    connect.clean_start = flags & CLEAN_START != 0;
    connect.keep_alive = fields.two("keep alive")?;
    if version == Version::V5 {
        read_properties(fields, &mut connect)?;
    }
    fields.text("client id")?.clone_into(&mut connect.client_id);
    if flags & WILL != 0 {
        connect.will = Some(read_will(fields, flags, version)?);
    }
    if flags & USERNAME != 0 {
        connect.username = Some(fields.text("user name")?.to_owned());
    }
    if flags & PASSWORD != 0 {
        connect.password = Some(Bytes::copy_from_slice(fields.binary("password")?));
    }
    Ok(connect)
}

/// Reads the protocol's name and level. Nothing behind them is known to be what it looks like
/// unless they are ours.
fn read_version(fields: &mut Fields<'_>) -> Result<Version, Malformed> {
    let name = fields.binary("protocol name")?;
    let level = fields.byte("protocol level")?;
    let cause = match (name, level) {
        (b"MQTT", 4) => return Ok(Version::V311),
        (b"MQTT", 5) => return Ok(Version::V5),
        (b"MQIsdp", 3) => "MQTT 3.1; 3.1.1 and 5 are spoken here".to_owned(),
        (b"MQTT" | b"MQIsdp", level) => {
            format!("protocol level {level}; 4 (MQTT 3.1.1) and 5 are spoken here")
        }
        _ => return Err(Malformed::new("the protocol's name is not MQTT")),
    };
    Err(Malformed { reason: Reason::UNSUPPORTED_VERSION, cause })
}

/// Errors: flags that contradict each other (MQTT 3.1.1 §3.1.2.3 to §3.1.2.9).
fn check_flags(flags: u8, version: Version) -> Result<(), Malformed> {
    let cause = if flags & RESERVED != 0 {
        "the reserved flag is set"
    } else if flags & WILL == 0 && flags & (WILL_QOS | WILL_RETAIN) != 0 {
        "QoS or retain of a will, and no will"
    } else if version == Version::V311 && flags & (USERNAME | PASSWORD) == PASSWORD {
        PASSWORD_ALONE
    } else {
        return Ok(());
    };
    Err(Malformed::new(cause))
}

fn read_properties(fields: &mut Fields<'_>, connect: &mut Connect) -> Result<(), Malformed> {
    let mut has_data = false;
    read_each(fields, OF_CONNECT, |number, fields| {
        match number {
            property::SESSION_EXPIRY => connect.session_expiry = fields.four("session expiry")?,
            property::RECEIVE_MAXIMUM => {
                let messages = fields.two(RECEIVE_MAXIMUM)?;
                connect.receive_maximum = Some(nonzero(messages, RECEIVE_MAXIMUM)?);
            }
            property::PACKET_MAX => {
                connect.packet_max = Some(nonzero(fields.four(PACKET_MAX)?, PACKET_MAX)?);
            }
            property::AUTHENTICATION_METHOD => {
                connect.authentication = Some(fields.text("authentication method")?.to_owned());
            }
            property::AUTHENTICATION_DATA => {
                has_data = true;
                skip(number, fields)?;
            }
            other => skip(other, fields)?,
        }
        Ok(())
    })?;
    if has_data && connect.authentication.is_none() {
        return Err(Malformed::protocol("authentication data without a method"));
    }
    Ok(())
}

fn read_will(fields: &mut Fields<'_>, flags: u8, version: Version) -> Result<Will, Malformed> {
    let qos = qos((flags & WILL_QOS) >> WILL_QOS_AT)?;
    let mut delay = 0;
    let mut more = MoreProperties::default();
    if version == Version::V5 {
        read_each(fields, OF_WILL, |number, fields| {
            if number == property::WILL_DELAY {
                delay = fields.four("will delay")?;
                return Ok(());
            }
            property::read_of_message(number, fields, &mut more)
        })?;
    }
    let topic = fields.text(WILL_TOPIC)?;
    check_topic(topic, WILL_TOPIC)?;
    Ok(Will {
        topic: topic.to_owned(),
        payload: Bytes::copy_from_slice(fields.binary(WILL_PAYLOAD)?),
        qos,
        retain: flags & WILL_RETAIN != 0,
        delay,
        properties: more.into(),
    })
}

/// Appends a CONNECT.
pub(super) fn write(
    connect: &Connect,
    version: Version,
    buffer: &mut BytesMut,
) -> Result<(), Malformed> {
    if connect.version != version {
        return Err(Malformed::new("a CONNECT of the other version"));
    }
    put_packet(buffer, Kind::Connect, |buffer| {
        buffer.put_slice(b"\0\x04MQTT");
        buffer.put_u8(if version == Version::V5 { 5 } else { 4 });
        buffer.put_u8(flags_of(connect)?);
        buffer.put_u16(connect.keep_alive);
        if version == Version::V5 {
            put_sized(buffer, |buffer| put_properties(buffer, connect))?;
        }
        put_text(buffer, &connect.client_id, "client id")?;
        if let Some(will) = &connect.will {
            put_will(buffer, will, version)?;
        }
        if let Some(username) = &connect.username {
            put_text(buffer, username, "user name")?;
        }
        if let Some(password) = &connect.password {
            put_binary(buffer, password, "password")?;
        }
        Ok(())
    })
}

fn flags_of(connect: &Connect) -> Result<u8, Malformed> {
    let mut flags = 0;
    for (flag, is_set) in [
        (CLEAN_START, connect.clean_start),
        (WILL, connect.will.is_some()),
        (WILL_RETAIN, connect.will.as_ref().is_some_and(|will| will.retain)),
        (USERNAME, connect.username.is_some()),
        (PASSWORD, connect.password.is_some()),
    ] {
        if is_set {
            flags |= flag;
        }
    }
    if let Some(will) = &connect.will {
        flags |= (will.qos as u8) << WILL_QOS_AT;
    }
    check_flags(flags, connect.version)?;
    Ok(flags)
}

fn put_properties(buffer: &mut BytesMut, connect: &Connect) -> Result<(), Malformed> {
    // 0 is what a missing one means.
    let session_expiry = Some(connect.session_expiry).filter(|seconds| *seconds > 0);
    put_four(buffer, property::SESSION_EXPIRY, session_expiry);
    put_limits(buffer, connect.receive_maximum, connect.packet_max)?;
    put_string(buffer, property::AUTHENTICATION_METHOD, connect.authentication.as_deref())
}

fn put_limits(
    buffer: &mut BytesMut,
    receive_maximum: Option<u16>,
    packet_max: Option<u32>,
) -> Result<(), Malformed> {
    let messages =
        receive_maximum.map(|messages| nonzero(messages, RECEIVE_MAXIMUM)).transpose()?;
    put_two(buffer, property::RECEIVE_MAXIMUM, messages);
    let bytes = packet_max.map(|bytes| nonzero(bytes, PACKET_MAX)).transpose()?;
    put_four(buffer, property::PACKET_MAX, bytes);
    Ok(())
}

fn put_will(buffer: &mut BytesMut, will: &Will, version: Version) -> Result<(), Malformed> {
    if version == Version::V5 {
        put_sized(buffer, |buffer| {
            let delay = Some(will.delay).filter(|seconds| *seconds > 0);
            put_four(buffer, property::WILL_DELAY, delay);
            let Some(more) = will.properties.get() else { return Ok(()) };
            if more.topic_alias.is_some() || !more.subscription_ids.is_empty() {
                return Err(Malformed::new("a will with a topic alias or a subscription id"));
            }
            property::put_message(buffer, more)
        })?;
    }
    check_topic(&will.topic, WILL_TOPIC)?;
    put_text(buffer, &will.topic, WILL_TOPIC)?;
    put_binary(buffer, &will.payload, WILL_PAYLOAD)
}

/// Reads the body of a CONNACK.
///
/// A broker that has never heard of version 5 refuses it in the words of 3.1.1: two bytes, without
/// properties (MQTT 5.0 §3.1.2.2 leaves it no other way).
pub(super) fn read_ack(fields: &mut Fields<'_>, version: Version) -> Result<ConnAck, Malformed> {
    let flags = fields.byte("acknowledge flags")?;
    if flags & !SESSION_PRESENT != 0 {
        return Err(Malformed::new(format!("reserved flags {flags:#04x}")));
    }
    let code = fields.byte("reason")?;
    let is_old = version == Version::V311 || fields.is_empty();
    let mut ack = ConnAck {
        session_present: flags & SESSION_PRESENT != 0,
        reason: if is_old { reason_of(code) } else { Reason(code) },
        ..ConnAck::default()
    };
    if !is_old {
        read_ack_properties(fields, &mut ack)?;
    } else if version == Version::V5 && !ack.reason.is_error() {
        return Err(Malformed::protocol("a welcome in the words of MQTT 3.1.1"));
    }
    Ok(ack)
}

fn read_ack_properties(fields: &mut Fields<'_>, ack: &mut ConnAck) -> Result<(), Malformed> {
    read_each(fields, OF_CONNACK, |number, fields| {
        match number {
            property::SESSION_EXPIRY => ack.session_expiry = Some(fields.four("session expiry")?),
            property::RECEIVE_MAXIMUM => {
                let messages = fields.two(RECEIVE_MAXIMUM)?;
                ack.receive_maximum = Some(nonzero(messages, RECEIVE_MAXIMUM)?);
            }
            property::PACKET_MAX => {
                ack.packet_max = Some(nonzero(fields.four(PACKET_MAX)?, PACKET_MAX)?);
            }
            property::ASSIGNED_CLIENT_ID => {
                ack.assigned_client_id = Some(fields.text("assigned client id")?.to_owned());
            }
            property::SERVER_KEEP_ALIVE => {
                ack.server_keep_alive = Some(fields.two("server keep alive")?);
            }
            property::QOS_MAX => {
                let is_one = fields.flag("maximum QoS")?;
                ack.qos_max = Some(if is_one { Qos::AtLeastOnce } else { Qos::AtMostOnce });
            }
            property::RETAIN_AVAILABLE => {
                ack.retain_available = Some(fields.flag("retain available")?);
            }
            property::REASON_STRING => {
                ack.reason_string = Some(fields.text("reason string")?.to_owned());
            }
            other => skip(other, fields)?,
        }
        Ok(())
    })
}

/// Appends a CONNACK.
pub(super) fn write_ack(
    ack: &ConnAck,
    version: Version,
    buffer: &mut BytesMut,
) -> Result<(), Malformed> {
    put_packet(buffer, Kind::ConnAck, |buffer| {
        buffer.put_u8(u8::from(ack.session_present));
        if version == Version::V311 {
            buffer.put_u8(code_of(ack.reason));
            return Ok(());
        }
        buffer.put_u8(ack.reason.0);
        put_sized(buffer, |buffer| put_ack_properties(buffer, ack))
    })
}

fn put_ack_properties(buffer: &mut BytesMut, ack: &ConnAck) -> Result<(), Malformed> {
    put_four(buffer, property::SESSION_EXPIRY, ack.session_expiry);
    put_limits(buffer, ack.receive_maximum, ack.packet_max)?;
    // 2 is what a missing one means, and may not be said (MQTT 5.0 §3.2.2.3.4).
    let qos_max = ack.qos_max.filter(|qos| *qos != Qos::ExactlyOnce);
    put_byte(buffer, property::QOS_MAX, qos_max.map(|qos| qos as u8));
    put_byte(buffer, property::RETAIN_AVAILABLE, ack.retain_available.map(u8::from));
    put_string(buffer, property::ASSIGNED_CLIENT_ID, ack.assigned_client_id.as_deref())?;
    put_two(buffer, property::SERVER_KEEP_ALIVE, ack.server_keep_alive);
    put_string(buffer, property::REASON_STRING, ack.reason_string.as_deref())
}

/// Returns what a return code of 3.1.1 says (MQTT 3.1.1 §3.2.2.3).
fn reason_of(code: u8) -> Reason {
    match OLD_CODES.iter().find(|(known, _)| *known == code) {
        Some((_, reason)) => *reason,
        // Some brokers send the words of version 5.
        None if Reason(code).is_error() => Reason(code),
        None => Reason::UNSPECIFIED,
    }
}

impl Reason {
    /// Returns what stands in a CONNACK of this version for the reason.
    #[must_use]
    pub fn in_connack(self, version: Version) -> u8 {
        match version {
            Version::V311 => code_of(self),
            Version::V5 => self.0,
        }
    }
}

/// Returns the nearest return code of 3.1.1.
fn code_of(reason: Reason) -> u8 {
    match OLD_CODES.iter().find(|(_, known)| *known == reason) {
        Some((code, _)) => *code,
        None if reason == Reason::BAD_AUTHENTICATION_METHOD => 4,
        None if !reason.is_error() => 0,
        None => SERVER_UNAVAILABLE,
    }
}

const SERVER_UNAVAILABLE: u8 = 3;
const OLD_CODES: [(u8, Reason); 6] = [
    (0, Reason::SUCCESS),
    (1, Reason::UNSUPPORTED_VERSION),
    (2, Reason::CLIENT_ID_NOT_VALID),
    (SERVER_UNAVAILABLE, Reason::SERVER_UNAVAILABLE),
    (4, Reason::BAD_USER_OR_PASSWORD),
    (5, Reason::NOT_AUTHORIZED),
];

const RESERVED: u8 = 0b0000_0001;
const CLEAN_START: u8 = 0b0000_0010;
const WILL: u8 = 0b0000_0100;
const WILL_QOS: u8 = 0b0001_1000;
const WILL_QOS_AT: u32 = 3;
const WILL_RETAIN: u8 = 0b0010_0000;
const PASSWORD: u8 = 0b0100_0000;
const USERNAME: u8 = 0b1000_0000;
const SESSION_PRESENT: u8 = 0b0000_0001;

const OF_CONNECT: &[u8] = &[
    property::SESSION_EXPIRY,
    property::RECEIVE_MAXIMUM,
    property::PACKET_MAX,
    property::TOPIC_ALIAS_MAX,
    property::WANTS_RESPONSE,
    property::WANTS_PROBLEM,
    property::USER,
    property::AUTHENTICATION_METHOD,
    property::AUTHENTICATION_DATA,
];
const OF_WILL: &[u8] = &[
    property::WILL_DELAY,
    property::PAYLOAD_FORMAT,
    property::MESSAGE_EXPIRY,
    property::CONTENT_TYPE,
    property::RESPONSE_TOPIC,
    property::CORRELATION_DATA,
    property::USER,
];
const OF_CONNACK: &[u8] = &[
    property::SESSION_EXPIRY,
    property::RECEIVE_MAXIMUM,
    property::QOS_MAX,
    property::RETAIN_AVAILABLE,
    property::PACKET_MAX,
    property::ASSIGNED_CLIENT_ID,
    property::TOPIC_ALIAS_MAX,
    property::REASON_STRING,
    property::USER,
    property::WILDCARDS_AVAILABLE,
    property::SUBSCRIPTION_IDS_AVAILABLE,
    property::SHARED_AVAILABLE,
    property::SERVER_KEEP_ALIVE,
    property::RESPONSE_INFORMATION,
    property::SERVER_REFERENCE,
    property::AUTHENTICATION_METHOD,
    property::AUTHENTICATION_DATA,
];

const RECEIVE_MAXIMUM: &str = "receive maximum";
const PACKET_MAX: &str = "maximum packet size";
const WILL_TOPIC: &str = "will topic";
const WILL_PAYLOAD: &str = "will payload";
const PASSWORD_ALONE: &str = "a password without a user name";
