//! What is said beside a body: a table of AMQP's own types, as JSON.

use super::frame::{DEEP, Fields, Malformed, UNKNOWN};
use crate::source::text::as_json;
use serde_json::{Map, Value};

/// What a header frame says, as far as it is of use.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Properties {
    pub headers: Map<String, Value>,
    /// In s since 1970.
    pub timestamp: Option<u64>,
}

/// Tables within tables.
const DEPTH_MAX: u32 = 32;

/// Reads the properties of a message (AMQP 0-9-1 §4.2.6.1): a bit for each that is there, the highest for
/// the first.
pub(super) fn properties(fields: &mut Fields<'_>) -> Result<Properties, Malformed> {
    let flags = fields.u16()?;
    let mut properties = Properties::default();
    for bit in (2..16).rev().filter(|bit| flags & (1 << bit) != 0) {
        match bit {
            13 => properties.headers = table(fields, 0)?,
            // How it is delivered, and how soon.
            12 | 11 => drop(fields.u8()?),
            6 => properties.timestamp = Some(fields.u64()?),
            _ => drop(fields.short()?),
        }
    }
    Ok(properties)
}

fn table(fields: &mut Fields<'_>, depth: u32) -> Result<Map<String, Value>, Malformed> {
    let mut inner = Fields(fields.long()?);
    let mut table = Map::new();
    while !inner.0.is_empty() {
        let key = String::from_utf8_lossy(inner.short()?).into_owned();
        table.insert(key, value(&mut inner, depth)?);
    }
    Ok(table)
}

/// Reads a value behind the letter of its type, as RabbitMQ has them.
fn value(fields: &mut Fields<'_>, depth: u32) -> Result<Value, Malformed> {
    if depth >= DEPTH_MAX {
        return Err(DEEP);
    }
    Ok(match fields.u8()? {
        b't' => Value::Bool(fields.u8()? != 0),
        b'b' => fields.u8()?.cast_signed().into(),
        b'B' => fields.u8()?.into(),
        b's' => fields.u16()?.cast_signed().into(),
        b'u' => fields.u16()?.into(),
        b'I' => fields.u32()?.cast_signed().into(),
        b'i' => fields.u32()?.into(),
        b'l' | b'L' => fields.u64()?.cast_signed().into(),
        b'T' => fields.u64()?.into(),
        // What is no number has no place in JSON.
        b'f' => f64::from(f32::from_bits(fields.u32()?)).into(),
        b'd' => f64::from_bits(fields.u64()?).into(),
        b'D' => {
            let (scale, digits) = (fields.u8()?, fields.u32()?.cast_signed());
            (f64::from(digits) / 10_f64.powi(scale.into())).into()
        }
        b'S' | b'x' => as_json(fields.long()?),
        b'A' => {
            let mut inner = Fields(fields.long()?);
            let mut array = Vec::new();
            while !inner.0.is_empty() {
                array.push(value(&mut inner, depth + 1)?);
            }
            Value::Array(array)
        }
        b'F' => Value::Object(table(fields, depth + 1)?),
        b'V' => Value::Null,
        _ => return Err(UNKNOWN),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(bytes: &[u8]) -> Result<Value, Malformed> {
        value(&mut Fields(bytes), 0)
    }

    #[test]
    fn every_type_has_its_form_in_json() {
        for (bytes, expected) in [
            (&b"t\x01"[..], json!(true)),
            (b"b\xff", json!(-1)),
            (b"B\xff", json!(255)),
            (b"s\xff\xfe", json!(-2)),
            (b"u\xff\xfe", json!(65534)),
            (b"I\xff\xff\xff\xfd", json!(-3)),
            (b"i\x00\x00\x00\x03", json!(3)),
            (b"l\x00\x00\x01\xa2\x05\x0c\x81\x57", json!(1_795_381_035_351_i64)),
            (b"T\x00\x00\x00\x00\x00\x00\x00\x09", json!(9)),
            (b"d\x3f\xf8\x00\x00\x00\x00\x00\x00", json!(1.5)),
            (b"f\x7f\xc0\x00\x00", json!(null)),
            (b"D\x02\x00\x00\x00\x7d", json!(1.25)),
            (b"S\x00\x00\x00\x02\xc3\xa9", json!("é")),
            (b"x\x00\x00\x00\x01\xff", json!({"base64": "/w=="})),
            (b"V", json!(null)),
            (b"A\x00\x00\x00\x04t\x00t\x01", json!([false, true])),
            (b"F\x00\x00\x00\x05\x01kB\x07\x00", json!(null)),
            (b"F\x00\x00\x00\x04\x01kB\x07", json!({"k": 7})),
        ] {
            match read(bytes) {
                Ok(found) => assert_eq!(found, expected, "{bytes:?}"),
                Err(_) => assert_eq!(expected, json!(null), "{bytes:?}"),
            }
        }
    }

    #[test]
    fn tables_without_end_are_given_up() {
        let mut bytes = Vec::new();
        for depth in (1..=40_u32).rev() {
            bytes.extend(b"A");
            bytes.extend((5 * (depth - 1)).to_be_bytes());
        }
        assert_eq!(read(&bytes), Err(DEEP));
    }
}
