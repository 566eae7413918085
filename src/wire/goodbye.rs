//! DISCONNECT, and AUTH, which is read to be refused.

use super::field::Fields;
use super::frame::{Kind, put_packet, put_sized};
use super::property::{self, put_four, read_each, skip, skip_all};
use super::{Disconnect, Malformed, Reason, Version};
use bytes::{BufMut, BytesMut};

/// Reads the body of a DISCONNECT. Version 5 leaves out what says nothing (MQTT 5.0 §3.14.2.1);
/// 3.1.1 has nothing to say.
pub(super) fn read(fields: &mut Fields<'_>, version: Version) -> Result<Disconnect, Malformed> {
    let mut disconnect = Disconnect::default();
    if version == Version::V311 || fields.is_empty() {
        return Ok(disconnect);
    }
    disconnect.reason = Reason(fields.byte("reason")?);
    if !fields.is_empty() {
        read_each(fields, OF_DISCONNECT, |number, fields| {
            if number == property::SESSION_EXPIRY {
                disconnect.session_expiry = Some(fields.four("session expiry")?);
                return Ok(());
            }
            skip(number, fields)
        })?;
    }
    Ok(disconnect)
}

/// Appends a DISCONNECT, as short as it can be said.
pub(super) fn write(
    disconnect: &Disconnect,
    version: Version,
    buffer: &mut BytesMut,
) -> Result<(), Malformed> {
    put_packet(buffer, Kind::Disconnect, |buffer| {
        let says_nothing = *disconnect == Disconnect::default();
        if version == Version::V311 || says_nothing {
            return Ok(());
        }
        buffer.put_u8(disconnect.reason.0);
        if disconnect.session_expiry.is_none() {
            return Ok(());
        }
        put_sized(buffer, |buffer| {
            put_four(buffer, property::SESSION_EXPIRY, disconnect.session_expiry);
            Ok(())
        })
    })
}

/// Reads the body of an AUTH (MQTT 5.0 §3.15) and keeps nothing of it.
pub(super) fn read_auth(fields: &mut Fields<'_>) -> Result<(), Malformed> {
    if fields.is_empty() {
        return Ok(());
    }
    fields.byte("reason")?;
    if fields.is_empty() {
        return Ok(());
    }
    skip_all(fields, OF_AUTH)
}

const OF_DISCONNECT: &[u8] = &[
    property::SESSION_EXPIRY,
    property::REASON_STRING,
    property::USER,
    property::SERVER_REFERENCE,
];
const OF_AUTH: &[u8] = &[
    property::AUTHENTICATION_METHOD,
    property::AUTHENTICATION_DATA,
    property::REASON_STRING,
    property::USER,
];
