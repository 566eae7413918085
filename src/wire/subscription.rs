//! SUBSCRIBE, UNSUBSCRIBE and their answers.

use super::field::{Fields, nonzero, put_text, qos};
use super::frame::{Kind, put_packet, put_sized};
use super::property::{self, put_subscription_id, read_each, skip, skip_all};
use super::{Filter, Malformed, Reason, RetainedWanted, SubAck, Subscribe, Unsubscribe, Version};
use bytes::{BufMut, BytesMut};

/// Reads the body of a SUBSCRIBE.
pub(super) fn read(fields: &mut Fields<'_>, version: Version) -> Result<Subscribe, Malformed> {
    let id = fields.packet_id()?;
    let mut subscription_id = None;
    if version == Version::V5 {
        read_each(fields, &[property::SUBSCRIPTION_ID, property::USER], |number, fields| {
            if number == property::SUBSCRIPTION_ID {
                let id = fields.variable("subscription id")?;
                subscription_id = Some(nonzero(id, "subscription id")?);
                return Ok(());
            }
            skip(number, fields)
        })?;
    }
    let mut filters = Vec::new();
    while !fields.is_empty() {
        let filter = read_filter(fields)?.to_owned();
        filters.push(with_options(filter, fields.byte("options")?, version)?);
    }
    some(&filters, NO_FILTER)?;
    Ok(Subscribe { id, subscription_id, filters })
}

fn read_filter<'a>(fields: &mut Fields<'a>) -> Result<&'a str, Malformed> {
    let filter = fields.text("filter")?;
    check_filter(filter)?;
    Ok(filter)
}

/// Errors: an empty filter (MQTT 3.1.1 §4.7.3). Misplaced wildcards have an answer of their own in
/// SUBACK, and are left to the broker.
fn check_filter(filter: &str) -> Result<(), Malformed> {
    if filter.is_empty() { Err(Malformed::new("a filter is empty")) } else { Ok(()) }
}

/// Reads the options of a filter (MQTT 5.0 §3.8.3.1). 3.1.1 knows the QoS alone.
fn with_options(filter: String, options: u8, version: Version) -> Result<Filter, Malformed> {
    let known = if version == Version::V5 { QOS | NO_LOCAL | AS_PUBLISHED | RETAINED } else { QOS };
    if options & !known != 0 {
        return Err(Malformed::new(format!("reserved bits in the options {options:#04x}")));
    }
    let retained = match (options & RETAINED) >> RETAINED_AT {
        0 => RetainedWanted::Always,
        1 => RetainedWanted::IfNew,
        2 => RetainedWanted::Never,
        _ => return Err(Malformed::protocol("retain handling is 3")),
    };
    Ok(Filter {
        filter,
        qos: qos(options & QOS)?,
        no_local: options & NO_LOCAL != 0,
        retain_as_published: options & AS_PUBLISHED != 0,
        retained,
    })
}

/// Appends a SUBSCRIBE.
pub(super) fn write(
    subscribe: &Subscribe,
    version: Version,
    buffer: &mut BytesMut,
) -> Result<(), Malformed> {
    put_packet(buffer, Kind::Subscribe, |buffer| {
        buffer.put_u16(nonzero(subscribe.id, "packet id")?);
        if version == Version::V5 {
            put_sized(buffer, |buffer| match subscribe.subscription_id {
                Some(id) => put_subscription_id(buffer, id),
                None => Ok(()),
            })?;
        }
        for filter in some(&subscribe.filters, NO_FILTER)? {
            check_filter(&filter.filter)?;
            put_text(buffer, &filter.filter, "filter")?;
            buffer.put_u8(options_of(filter, version));
        }
        Ok(())
    })
}

fn options_of(filter: &Filter, version: Version) -> u8 {
    let mut options = filter.qos as u8;
    if version == Version::V5 {
        options |= if filter.no_local { NO_LOCAL } else { 0 };
        options |= if filter.retain_as_published { AS_PUBLISHED } else { 0 };
        options |= match filter.retained {
            RetainedWanted::Always => 0,
            RetainedWanted::IfNew => 1 << RETAINED_AT,
            RetainedWanted::Never => 2 << RETAINED_AT,
        };
    }
    options
}

/// Reads the body of an UNSUBSCRIBE.
pub(super) fn read_end(
    fields: &mut Fields<'_>,
    version: Version,
) -> Result<Unsubscribe, Malformed> {
    let id = fields.packet_id()?;
    if version == Version::V5 {
        skip_all(fields, &[property::USER])?;
    }
    let mut filters = Vec::new();
    while !fields.is_empty() {
        filters.push(read_filter(fields)?.to_owned());
    }
    some(&filters, NO_FILTER)?;
    Ok(Unsubscribe { id, filters })
}

/// Appends an UNSUBSCRIBE.
pub(super) fn write_end(
    unsubscribe: &Unsubscribe,
    version: Version,
    buffer: &mut BytesMut,
) -> Result<(), Malformed> {
    put_packet(buffer, Kind::Unsubscribe, |buffer| {
        buffer.put_u16(nonzero(unsubscribe.id, "packet id")?);
        if version == Version::V5 {
            buffer.put_u8(0);
        }
        for filter in some(&unsubscribe.filters, NO_FILTER)? {
            check_filter(filter)?;
            put_text(buffer, filter, "filter")?;
        }
        Ok(())
    })
}

/// Reads the body of a SUBACK or an UNSUBACK. That of 3.1.1's UNSUBACK says no more than its id.
pub(super) fn read_ack(
    kind: Kind,
    fields: &mut Fields<'_>,
    version: Version,
) -> Result<SubAck, Malformed> {
    let id = fields.packet_id()?;
    if version == Version::V5 {
        skip_all(fields, property::OF_ACK)?;
    }
    let mut reasons = Vec::new();
    if has_reasons(kind, version) {
        reasons.extend(fields.rest().iter().copied().map(Reason));
        some(&reasons, NO_REASON)?;
    }
    Ok(SubAck { id, reasons })
}

/// Appends a SUBACK or an UNSUBACK. 3.1.1 has one word for every refusal.
pub(super) fn write_ack(
    kind: Kind,
    ack: &SubAck,
    version: Version,
    buffer: &mut BytesMut,
) -> Result<(), Malformed> {
    put_packet(buffer, kind, |buffer| {
        buffer.put_u16(nonzero(ack.id, "packet id")?);
        if version == Version::V5 {
            buffer.put_u8(0);
        }
        if has_reasons(kind, version) {
            for reason in some(&ack.reasons, NO_REASON)? {
                let is_refusal = version == Version::V311 && reason.is_error();
                buffer.put_u8(if is_refusal { Reason::UNSPECIFIED.0 } else { reason.0 });
            }
        }
        Ok(())
    })
}

fn has_reasons(kind: Kind, version: Version) -> bool {
    version == Version::V5 || kind == Kind::SubAck
}

fn some<'a, T>(list: &'a [T], otherwise: &str) -> Result<&'a [T], Malformed> {
    if list.is_empty() { Err(Malformed::protocol(otherwise)) } else { Ok(list) }
}

const QOS: u8 = 0b0000_0011;
const NO_LOCAL: u8 = 0b0000_0100;
const AS_PUBLISHED: u8 = 0b0000_1000;
const RETAINED: u8 = 0b0011_0000;
const RETAINED_AT: u32 = 4;

const NO_FILTER: &str = "it has no filter";
const NO_REASON: &str = "it answers nothing";
