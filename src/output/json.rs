//! JSON Lines. The value is always the true one, and still safe to look at: what could act on a
//! terminal is written as a JSON escape, which every reader turns back.

use crate::output::sanitize::is_unsafe;
use serde::Serialize;
use serde_json::ser::{CompactFormatter, Formatter, Serializer};
use std::io;

/// Appends `value` and a newline.
///
/// Errors: whatever `value` itself cannot be turned into; what was appended so far is taken back.
pub fn append_line(into: &mut Vec<u8>, value: &impl Serialize) -> serde_json::Result<()> {
    let before = into.len();
    let written = value.serialize(&mut Serializer::with_formatter(&mut *into, Visible));
    match written {
        Ok(()) => into.push(b'\n'),
        Err(_) => into.truncate(before),
    }
    written
}

/// Escapes what JSON itself lets pass: DEL, C1, marks of direction, and all else that is unsafe.
struct Visible;

impl Formatter for Visible {
    fn write_string_fragment<W>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()>
    where
        W: ?Sized + io::Write,
    {
        // As nearly all of it is.
        if fragment.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
            return CompactFormatter.write_string_fragment(writer, fragment);
        }
        let mut done = 0;
        for (at, c) in fragment.char_indices() {
            if !is_unsafe(c) {
                continue;
            }
            CompactFormatter.write_string_fragment(writer, &fragment[done..at])?;
            for unit in c.encode_utf16(&mut [0; 2]) {
                write!(writer, "\\u{unit:04x}")?;
            }
            done = at + c.len_utf8();
        }
        CompactFormatter.write_string_fragment(writer, &fragment[done..])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn line(value: &impl Serialize) -> String {
        let mut bytes = Vec::new();
        append_line(&mut bytes, value).expect("the value has string keys");
        String::from_utf8(bytes).expect("JSON is UTF-8")
    }

    #[test]
    fn a_value_is_one_line() {
        let value = json!({"type": "verdict", "client": "a\"b\\c\nd", "online": null});
        assert_eq!(
            line(&value),
            "{\"client\":\"a\\\"b\\\\c\\nd\",\"online\":null,\"type\":\"verdict\"}\n"
        );
    }

    #[test]
    fn what_acts_on_a_terminal_is_escaped_and_keeps_its_value() {
        let id = "\x1b[2J\x7f\u{9b}31m\u{202e}\u{10ffff}泵🚰";
        let text = line(&json!({ "client": id, id: 1 }));
        assert!(!text.trim_end().chars().any(is_unsafe), "{text}");
        assert!(text.contains(r"\u001b[2J\u007f\u009b31m\u202e\udbff\udfff泵🚰"), "{text}");
        let read: serde_json::Value = serde_json::from_str(&text).expect("it is JSON");
        assert_eq!(read["client"], id);
        assert_eq!(read[id], 1);
    }

    #[test]
    fn a_value_that_is_no_json_leaves_no_trace() {
        let mut bytes = b"before\n".to_vec();
        let keyed = std::collections::BTreeMap::from([((1, 2), 3)]);
        append_line(&mut bytes, &keyed).expect_err("a key must be a string");
        assert_eq!(bytes, b"before\n");
    }
}
