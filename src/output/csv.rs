//! Objects as comma-separated values (RFC 4180): a header, and a row for each object of the first kind.

use super::sanitize::sanitize;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use std::fmt;

/// A table that is written row by row.
#[derive(Debug, Default)]
pub struct Csv {
    /// The columns, known with the first object; `type` is none of them.
    columns: Vec<String>,
    kind: Option<String>,
}

impl Csv {
    /// Appends the row of an object that was written as JSON. One of another kind has other columns, and is
    /// left out.
    ///
    /// Errors: what is no object.
    pub fn append(&mut self, into: &mut Vec<u8>, json: &[u8]) -> serde_json::Result<()> {
        let Fields(fields) = serde_json::from_slice(json)?;
        let kind = fields.iter().find(|(name, _)| name == TYPE).map(|(_, value)| value.to_string());
        if self.columns.is_empty() {
            self.kind.clone_from(&kind);
            self.columns = fields.iter().map(|(name, _)| name.clone()).collect();
            self.columns.retain(|name| name != TYPE);
            row(into, self.columns.iter().cloned());
        }
        if self.kind == kind {
            let value = |column: &String| fields.iter().find(|(name, _)| name == column);
            row(
                into,
                self.columns
                    .iter()
                    .map(|column| value(column).map_or_else(String::new, |(_, value)| cell(value))),
            );
        }
        Ok(())
    }
}

const TYPE: &str = "type";

fn row(into: &mut Vec<u8>, cells: impl Iterator<Item = String>) {
    for (at, cell) in cells.enumerate() {
        if at > 0 {
            into.push(b',');
        }
        into.extend_from_slice(quoted(&cell).as_bytes());
    }
    into.extend_from_slice(b"\n");
}

fn cell(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text_cell(text),
        Value::Array(values) if values.iter().all(Value::is_string) => {
            let words: Vec<&str> = values.iter().filter_map(Value::as_str).collect();
            text_cell(&words.join(" "))
        }
        other => sanitize(&other.to_string(), usize::MAX).into_owned(),
    }
}

/// Returns a text that acts neither on a terminal nor, as a formula, in a spreadsheet.
fn text_cell(text: &str) -> String {
    let safe = sanitize(text, usize::MAX);
    if safe.starts_with(['=', '+', '-', '@']) { format!("'{safe}") } else { safe.into_owned() }
}

fn quoted(cell: &str) -> String {
    if cell.contains(['"', ',', '\n', '\r']) {
        format!("\"{}\"", cell.replace('"', "\"\""))
    } else {
        cell.to_owned()
    }
}

/// The fields of an object in their order.
struct Fields(Vec<(String, Value)>);

impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder;
        impl<'de> Visitor<'de> for InOrder {
            type Value = Fields;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields, A::Error> {
                let mut fields = Vec::new();
                while let Some(field) = map.next_entry()? {
                    fields.push(field);
                }
                Ok(Fields(fields))
            }
        }
        deserializer.deserialize_map(InOrder)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn csv(lines: &[&str]) -> String {
        let (mut csv, mut text) = (Csv::default(), Vec::new());
        for line in lines {
            csv.append(&mut text, line.as_bytes()).expect("it is an object");
        }
        String::from_utf8(text).expect("it is text")
    }

    #[test]
    fn columns_are_the_fields_in_their_order() {
        let lines = [
            r#"{"type":"a","z":1,"b":null,"c":["x","y"],"d":true,"e":{"f":1}}"#,
            r#"{"type":"a","z":-2.5,"b":"t","c":[],"d":false,"e":null}"#,
            r#"{"type":"summary","z":3}"#,
        ];
        assert_eq!(csv(&lines), "z,b,c,d,e\n1,,x y,true,\"{\"\"f\"\":1}\"\n-2.5,t,,false,\n");
    }

    #[test]
    fn hostile_text_stays_in_its_cell() {
        let line = r#"{"type":"a","id":"a,\"b\"\nc\u001b[2J","formula":"=1+1","at":"@x"}"#;
        let text = csv(&[line]);
        assert_eq!(text.lines().count(), 2, "{text}");
        assert!(!text.contains('\u{1b}'), "{text}");
        assert!(text.ends_with(",'=1+1,'@x\n"), "{text}");
    }

    #[test]
    fn what_is_no_object_is_refused() {
        Csv::default().append(&mut Vec::new(), b"[1]").expect_err("it is a list");
    }
}
