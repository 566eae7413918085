//! Bytes of strangers that are text nearly always.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Map, Value};

/// Returns bytes as a text of JSON; what is no text is `{"base64": …}`, so that two that differ stay apart.
pub fn as_json(bytes: &[u8]) -> Value {
    if let Ok(text) = std::str::from_utf8(bytes) {
        return text.into();
    }
    let encoded = BASE64_STANDARD.encode(bytes);
    Value::Object(Map::from_iter([("base64".to_owned(), encoded.into())]))
}
