//! The members of a JSON object that a reader asks for, as they stand there.
//!
//! A number where text should be spoils only its own member, and of what nobody asked for nothing is
//! looked at but that it is JSON.

use super::lmq::{stamp_of, text_of, unreadable};
use super::{Malformed, trimmed};
use crate::event::Stamp;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::fmt;

/// The JSON text of a member, where there is one.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Member<'a>(Option<&'a str>);

impl<'a> Member<'a> {
    /// Returns the text that it is, unless it is empty or no text.
    pub fn text(self) -> Option<Cow<'a, str>> {
        let json = self.0?;
        let inner = json.strip_prefix('"')?.strip_suffix('"')?;
        let text = if inner.contains('\\') {
            Cow::Owned(serde_json::from_str(json).ok()?)
        } else {
            Cow::Borrowed(inner)
        };
        (!text.is_empty()).then_some(text)
    }

    /// Returns the time that it is, as a number or as text; its size tells the unit.
    pub fn time(self) -> Option<Stamp> {
        let json = self.0?;
        let inner = json.strip_prefix('"').and_then(|json| json.strip_suffix('"'));
        stamp_of(inner.map_or(json, trimmed))
    }

    /// Tells whether there is one, whatever it is.
    pub const fn is_there(self) -> bool {
        self.0.is_some()
    }

    /// Returns the JSON that it is, where that is an object or a list.
    pub fn nested(self) -> Option<&'a str> {
        self.0.filter(|json| json.starts_with(['{', '[']))
    }

    /// Returns the number that it is, as it is written.
    pub fn number(self) -> Option<&'a str> {
        self.0.filter(|_| self.is_number())
    }

    /// Tells whether it is a number.
    pub fn is_number(self) -> bool {
        self.0.is_some_and(|json| json.starts_with(|c: char| c == '-' || c.is_ascii_digit()))
    }

    /// Returns the truth value that it is.
    pub fn truth(self) -> Option<bool> {
        match self.0? {
            "true" => Some(true),
            "false" => Some(false),
            _ => None,
        }
    }
}

/// Reads a body that is a JSON object. Of a key that comes twice the last one counts.
pub(super) fn members<'a, const COUNT: usize>(
    body: &'a [u8],
    keys: [&str; COUNT],
) -> Result<[Member<'a>; COUNT], Malformed<'static>> {
    let parsed = text_of(body).and_then(|text| {
        let mut json = serde_json::Deserializer::from_str(text);
        let members = Wanted(keys).deserialize(&mut json).ok()?;
        json.end().ok()?;
        Some(members)
    });
    parsed.ok_or_else(|| unreadable(body))
}

/// The keys that are asked for.
struct Wanted<'k, const COUNT: usize>([&'k str; COUNT]);

impl<'de, const COUNT: usize> DeserializeSeed<'de> for Wanted<'_, COUNT> {
    type Value = [Member<'de>; COUNT];

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de, const COUNT: usize> Visitor<'de> for Wanted<'_, COUNT> {
    type Value = [Member<'de>; COUNT];

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members = [Member::default(); COUNT];
        while let Some(place) = map.next_key_seed(Place(&self.0))? {
            match place.and_then(|place| members.get_mut(place)) {
                Some(member) => *member = Member(Some(map.next_value::<&RawValue>()?.get())),
                None => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(members)
    }
}

/// Finds out which of some keys a key is.
struct Place<'k>(&'k [&'k str]);

impl<'de> DeserializeSeed<'de> for Place<'_> {
    type Value = Option<usize>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_identifier(self)
    }
}

impl Visitor<'_> for Place<'_> {
    type Value = Option<usize>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E>(self, found: &str) -> Result<Self::Value, E> {
        Ok(self.0.iter().position(|key| *key == found))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialect::{PAYLOAD_MAX, Reason};

    #[test]
    fn a_member_of_another_type_spoils_only_itself() {
        let keys = ["a", "b", "c", "d"];
        let body = br#" {"b":1760000000000,"x":[{"a":2}],"a":"e\u0301\n","c":null,"d":true} "#;

        let [a, b, c, d] = members(body, keys).unwrap();

        assert_eq!(a.text().as_deref(), Some("e\u{301}\n"));
        assert_eq!((a.time(), a.truth()), (None, None));
        assert_eq!(b.time().map(|stamp| stamp.time.0), Some(1_760_000_000_000));
        assert_eq!((b.text(), c.text(), d.text()), (None, None, None));
        assert_eq!((c.truth(), d.truth()), (None, Some(true)));
        assert_eq!([a, b, c, d].map(Member::is_number), [false, true, false, false]);
        assert_eq!(b.number(), Some("1760000000000"));
        assert!([a, b, c, d].iter().all(|member| member.nested().is_none()));
        let [list] = members(body, ["x"]).unwrap();
        assert_eq!(list.nested(), Some(r#"[{"a":2}]"#));
    }

    #[test]
    fn the_last_of_a_key_that_comes_twice_counts() {
        let body = br#"{"a":"first","\u0061":"last","b":" 1760000000 ","c":""}"#;
        let [a, b, c, d] = members(body, ["a", "b", "c", "d"]).unwrap();
        assert_eq!(a.text().as_deref(), Some("last"));
        assert_eq!(
            b.time().map(|stamp| (stamp.time.0, stamp.resolution)),
            Some((1_760_000_000_000, 1_000))
        );
        assert_eq!((c.text(), d.text()), (None, None));
    }

    #[test]
    fn what_is_no_object_is_unreadable() {
        let deep = "[".repeat(10_000);
        let nested = format!(r#"{{"a":{deep}"#);
        let long = format!(r#"{{"a":"{}"}}"#, "x".repeat(PAYLOAD_MAX));
        for body in ["", "null", "[]", "1", r#"{"a":1"#, r#"{"a":1}{"#, &nested, &long] {
            let found = members(body.as_bytes(), ["a"]).map(|_| ());
            let reason = found.map_err(|malformed| malformed.reason);
            assert_eq!(reason, Err(Reason::Unreadable), "{body:.40}");
        }
        assert!(members(b"{\"a\":\"\xff\"}", ["a"]).is_err());
        // A number that is out of all bounds and half of a pair are JSON, but nothing of use.
        let [a, b] = members(br#"{"a":1e999,"b":"\ud800"}"#, ["a", "b"]).unwrap();
        assert_eq!((a.time(), b.text()), (None, None));
    }
}
