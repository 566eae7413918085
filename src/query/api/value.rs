//! Takes values out of a stranger's JSON.

use crate::event::Timestamp;
use crate::query::asked::Details;
use crate::query::exchange::Trouble;
use serde_json::Value;

/// Returns a text that is not empty, cut where it is longer than anything that is shown.
pub fn text(value: &Value, key: &str) -> Option<String> {
    value.get(key)?.as_str().filter(|text| !text.is_empty()).map(cut)
}

/// Returns a client id: it may be as long as MQTT allows, and is compared, not shown.
pub fn id<'a>(value: &'a Value, key: &str) -> Option<&'a str> {
    value.get(key)?.as_str()
}

/// Returns such a text, or a number or a truth value as it is written.
pub fn word(value: &Value, key: &str) -> Option<String> {
    match value.get(key)? {
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(truth) => Some(truth.to_string()),
        _ => text(value, key),
    }
}

fn cut(text: &str) -> String {
    let mut end = text.len().min(TEXT_MAX);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text[..end].to_owned()
}

const TEXT_MAX: usize = 1_024;

pub fn number(value: &Value, key: &str) -> Option<u64> {
    value.get(key)?.as_u64()
}

/// Returns a truth value, also where it is written as text or as 0 and 1.
pub fn truth(value: &Value, key: &str) -> Option<bool> {
    match value.get(key)? {
        Value::Bool(truth) => Some(*truth),
        Value::String(text) if text == "true" => Some(true),
        Value::String(text) if text == "false" => Some(false),
        Value::Number(number) => match number.as_u64()? {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        },
        _ => None,
    }
}

/// Returns a time in ms since 1970; 0 stands for none.
pub fn ms(value: &Value, key: &str) -> Option<Timestamp> {
    let ms = value.get(key)?;
    let ms = ms.as_i64().or_else(|| ms.as_str()?.parse().ok())?;
    Some(Timestamp(ms)).filter(|time| time.0 > 0)
}

/// Returns a time in s since 1970, with or without a fraction; 0 stands for none.
pub fn seconds(value: &Value, key: &str) -> Option<Timestamp> {
    let seconds = value.get(key)?.as_f64()?;
    let is_time = seconds > 0.0 && seconds < 1.0e11;
    #[expect(clippy::cast_possible_truncation, reason = "it lies far within what fits")]
    is_time.then(|| Timestamp((seconds * 1_000.0).round() as i64))
}

/// Returns a time of RFC 3339, whose zone is always written.
pub fn rfc3339(value: &Value, key: &str) -> Option<Timestamp> {
    let time: jiff::Timestamp = value.get(key)?.as_str()?.parse().ok()?;
    Some(Timestamp(time.as_millisecond())).filter(|time| time.0 > 0)
}

/// Notes times without a zone: they are a stranger's wall clock, and no moment can be made of them.
pub fn note_local(details: &mut Details, value: &Value, keys: &[&str]) {
    for key in keys {
        if let Some(time) = text(value, key) {
            details
                .notes
                .push(format!("`{key}` {time} is local time of the broker, without a zone"));
        }
    }
}

/// Joins an address and a port.
pub fn address(value: &Value, host: &str, port: &str) -> Option<String> {
    let host = text(value, host)?;
    match word(value, port) {
        Some(port) if host.contains(':') => Some(format!("[{host}]:{port}")),
        Some(port) => Some(format!("{host}:{port}")),
        None => Some(host),
    }
}

pub fn list<'a>(value: &'a Value, key: &str) -> Result<&'a Vec<Value>, Trouble> {
    value.get(key).and_then(Value::as_array).ok_or_else(|| Trouble::shape(&format!("list `{key}`")))
}
