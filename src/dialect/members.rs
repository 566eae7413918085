//! The members of a JSON object that a reader asks for, as they stand there.
//!
//! A number where text should be spoils only its own member, and of what nobody asked for nothing is
//! looked at but that it is JSON.

use super::lmq::{stamp_of, text_of, unreadable};
use super::scan::{self, Paths};
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
    pub const NONE: Self = Self(None);

    /// Returns one whose JSON text this is.
    pub const fn of(json: &'a str) -> Self {
        Self(Some(json))
    }

    /// Returns the text that it is, unless it is empty or no text.
    pub fn text(self) -> Option<Cow<'a, str>> {
        let json = self.0.filter(|json| json.starts_with('"'))?;
        let text = match scan::text(json) {
            Some((text, _)) => Cow::Borrowed(text),
            None => Cow::Owned(serde_json::from_str(json).ok()?),
        };
        (!text.is_empty()).then_some(text)
    }

    /// Returns the text that it is as it is written, with what is escaped in it.
    pub fn written(self) -> Option<&'a str> {
        self.0?.strip_prefix('"')?.strip_suffix('"')
    }

    /// Returns the text that it is, or nothing where there is none; `None` for anything else: what only some
    /// messages have may still be a part of the client's name.
    pub fn text_if_any(self) -> Option<Cow<'a, str>> {
        match self.0 {
            None | Some("null" | r#""""#) => Some(Cow::Borrowed("")),
            Some(_) => self.text(),
        }
    }

    /// Returns the time that it is, as a number or as text; its size tells the unit.
    pub fn time(self) -> Option<Stamp> {
        let json = self.0?;
        let inner = json.strip_prefix('"').and_then(|json| json.strip_suffix('"'));
        stamp_of(inner.map_or(json, trimmed))
    }

    /// Returns the time that it is in ms, as text, and as a time: the name of a connection that has no other.
    pub fn time_as_name(self) -> Option<(Cow<'a, str>, Stamp)> {
        let stamp = self.time()?;
        let name = match self.number() {
            Some(digits) if stamp.resolution == 0 && digits.len() == MS_DIGITS => digits.into(),
            _ => stamp.time.0.to_string().into(),
        };
        Some((name, stamp))
    }

    /// Returns the JSON text that it is, whatever that is.
    pub const fn json(self) -> Option<&'a str> {
        self.0
    }

    /// Tells whether there is one, whatever it is.
    pub const fn is_there(self) -> bool {
        self.0.is_some()
    }

    /// Tells whether it is an object.
    pub fn is_object(self) -> bool {
        self.0.is_some_and(|json| json.starts_with('{'))
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

/// A time of these centuries in ms has so many, in µs three more.
const MS_DIGITS: usize = 13;

/// Reads a body that is a JSON object. Of a name that comes twice the last one counts. Errors: it is no JSON
/// object, or longer than may be.
pub(super) fn members<'a, const COUNT: usize>(
    body: &'a [u8],
    paths: &Paths<'_, COUNT>,
) -> Result<[Member<'a>; COUNT], Malformed<'static>> {
    members_if_any(body, paths).ok_or_else(|| unreadable(body))
}

/// The same for a body that may be anything.
pub(super) fn members_if_any<'a, const COUNT: usize>(
    body: &'a [u8],
    paths: &Paths<'_, COUNT>,
) -> Option<[Member<'a>; COUNT]> {
    text_of(body).and_then(|text| members_of(text, paths))
}

/// Reads a text that is a JSON object.
pub(super) fn members_of<'a, const COUNT: usize>(
    text: &'a str,
    paths: &Paths<'_, COUNT>,
) -> Option<[Member<'a>; COUNT]> {
    scan::members(text, paths).or_else(|| {
        let is_object = text.trim_ascii_start().starts_with('{');
        is_object.then(|| by_grammar(text, *paths.all())).flatten()
    })
}

fn by_grammar<'k, 'a, const COUNT: usize>(
    text: &'a str,
    paths: [&'k str; COUNT],
) -> Option<[Member<'a>; COUNT]> {
    let head = |path: &'k str| path.split_once('/').map_or(path, |(head, _)| head);
    let mut found = object(text, paths.map(head))?;
    for (member, path) in found.iter_mut().zip(paths) {
        if let Some((_, tail)) = path.split_once('/') {
            let inner = member.nested().and_then(|json| by_grammar(json, [tail]));
            *member = inner.map_or(Member::default(), |[inner]| inner);
        }
    }
    Some(found)
}

/// Reads one level. Two keys may be the same.
fn object<'a, const COUNT: usize>(
    text: &'a str,
    keys: [&str; COUNT],
) -> Option<[Member<'a>; COUNT]> {
    let mut json = serde_json::Deserializer::from_str(text);
    let members = Keys(keys).deserialize(&mut json).ok()?;
    json.end().ok()?;
    Some(members)
}

/// Reads a text that is a JSON list of objects.
pub(super) fn list_of<'a, const COUNT: usize>(
    text: &'a str,
    paths: &Paths<'_, COUNT>,
) -> Option<Vec<[Member<'a>; COUNT]>> {
    let mut list = Vec::with_capacity(1);
    match scan::list(text, paths, |found| list.push(found)) {
        Some(()) => Some(list),
        None => elements(text)?.into_iter().map(|json| members_of(json, paths)).collect(),
    }
}

/// Reads a text that is a JSON list. Returns the JSON texts of its values.
pub(super) fn elements(text: &str) -> Option<Vec<&str>> {
    scan::elements(text).or_else(|| {
        let elements: Vec<&RawValue> = serde_json::from_str(text).ok()?;
        Some(elements.into_iter().map(RawValue::get).collect())
    })
}

/// The keys that are asked for.
struct Keys<'k, const COUNT: usize>([&'k str; COUNT]);

impl<'de, const COUNT: usize> DeserializeSeed<'de> for Keys<'_, COUNT> {
    type Value = [Member<'de>; COUNT];

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de, const COUNT: usize> Visitor<'de> for Keys<'_, COUNT> {
    type Value = [Member<'de>; COUNT];

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members = [Member::default(); COUNT];
        while let Some(places) = map.next_key_seed(Places(self.0))? {
            if places == [false; COUNT] {
                map.next_value::<IgnoredAny>()?;
                continue;
            }
            let json = map.next_value::<&RawValue>()?.get();
            for (member, is_it) in members.iter_mut().zip(places) {
                if is_it {
                    *member = Member(Some(json));
                }
            }
        }
        Ok(members)
    }
}

/// Finds out which of some keys a key is.
struct Places<'k, const COUNT: usize>([&'k str; COUNT]);

impl<'de, const COUNT: usize> DeserializeSeed<'de> for Places<'_, COUNT> {
    type Value = [bool; COUNT];

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_identifier(self)
    }
}

impl<const COUNT: usize> Visitor<'_> for Places<'_, COUNT> {
    type Value = [bool; COUNT];

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E>(self, found: &str) -> Result<Self::Value, E> {
        Ok(self.0.map(|key| key == found))
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

        let [a, b, c, d] = members(body, &Paths::new(keys)).unwrap();

        assert_eq!(a.text().as_deref(), Some("e\u{301}\n"));
        assert_eq!((a.time(), a.truth()), (None, None));
        assert_eq!(b.time().map(|stamp| stamp.time.0), Some(1_760_000_000_000));
        assert_eq!((b.text(), c.text(), d.text()), (None, None, None));
        assert_eq!((c.truth(), d.truth()), (None, Some(true)));
        assert_eq!([a, b, c, d].map(Member::is_number), [false, true, false, false]);
        assert_eq!(b.number(), Some("1760000000000"));
        assert!([a, b, c, d].iter().all(|member| member.nested().is_none()));
        let [list] = members(body, &Paths::new(["x"])).unwrap();
        assert_eq!(list.nested(), Some(r#"[{"a":2}]"#));
    }

    #[test]
    fn the_last_of_a_key_that_comes_twice_counts() {
        let body = br#"{"a":"first","\u0061":"last","b":" 1760000000 ","c":""}"#;
        let [a, b, c, d] = members(body, &Paths::new(["a", "b", "c", "d"])).unwrap();
        assert_eq!(a.text().as_deref(), Some("last"));
        assert_eq!(
            b.time().map(|stamp| (stamp.time.0, stamp.resolution)),
            Some((1_760_000_000_000, 1_000))
        );
        assert_eq!((c.text(), d.text()), (None, None));
    }

    #[test]
    fn members_of_members_are_found_by_their_paths() {
        let body = br#"{"a":{"b":1,"c":{"d":"x"}},"a/b":"no","e":{"d":[{"b":2}]},"a":{"c":{"d":"y","":0}}}"#;
        let paths = Paths::new(["a", "a/b", "a/c/d", "e/d", "e/d/b", "a/c/", "a/c", "none/a"]);
        let found = members(body, &paths).unwrap().map(|member| member.0);
        let expected = [
            Some(r#"{"c":{"d":"y","":0}}"#),
            // Of a name that comes twice the last one counts, with all that is in it.
            None,
            Some(r#""y""#),
            Some(r#"[{"b":2}]"#),
            None,
            Some("0"),
            Some(r#"{"d":"y","":0}"#),
            None,
        ];
        assert_eq!(found, expected);
        assert_eq!(
            by_grammar(str::from_utf8(body).unwrap(), *paths.all())
                .map(|found| found.map(|member| member.0)),
            Some(expected)
        );
    }

    /// Returns some JSON, more or less.
    fn json(rng: &mut fastrand::Rng, depth: usize) -> String {
        const WORDS: &[&str] = &[
            r#""a""#,
            r#""b/c""#,
            r#""""#,
            r#""a\n\"""#,
            r#""\u0061""#,
            r#""\ud800""#,
            r#""ä 设备 longer than words""#,
            "0",
            "-7",
            "1.50",
            "1e9",
            "01",
            "1760000000000",
            "true",
            "null",
            "tru",
            "\"\u{1}\"",
            "",
        ];
        const NAMES: &[&str] =
            &[r#""a""#, r#""a""#, r#""b""#, r#""c""#, r#""a/b""#, r#""""#, r#""\u0061""#];
        let blank = |rng: &mut fastrand::Rng| *rng.choice(&["", "", "", " ", "\n\t"]).unwrap();
        let mut inner = Vec::new();
        let kind = rng.u8(..if depth > 9 { 2 } else { 10 });
        for _ in 0..if kind < 4 { 0 } else { rng.usize(..4) } {
            let name = *rng.choice(NAMES).unwrap();
            let [before, between, behind, after] = [(); 4].map(|()| blank(rng));
            let value = json(rng, depth + 1);
            let name = if kind == 4 { String::new() } else { format!("{name}{between}:{behind}") };
            inner.push(format!("{before}{name}{value}{after}"));
        }
        match kind {
            0..4 if depth > 0 => (*rng.choice(WORDS).unwrap()).to_owned(),
            4 => format!("[{}]", inner.join(",")),
            _ => format!("{{{}}}", inner.join(",")),
        }
    }

    #[test]
    fn what_is_read_without_a_parser_is_what_the_parser_reads() {
        let paths = Paths::new(["a", "b", "a/b", "a/a/c", "a/", "", "c/a", "a/b/a"]);
        let mut usual = 0;
        for seed in 0..20_000 {
            let mut rng = fastrand::Rng::with_seed(seed);
            let mut text = json(&mut rng, 0);
            if seed % 4 == 0 {
                let places: Vec<usize> = text.char_indices().map(|(at, _)| at).collect();
                if let Some(at) = rng.choice(places) {
                    text.truncate(at);
                }
            }
            let parsed = by_grammar(&text, *paths.all()).map(|found| found.map(|member| member.0));
            if let Some(found) = scan::members(&text, &paths) {
                assert_eq!(Some(found.map(Member::json)), parsed, "{text}");
                usual += 1;
            }
            let list = format!("[{text}, {text}]");
            if let Some(found) = scan::elements(&list) {
                let parsed: Vec<&RawValue> = serde_json::from_str(&list).expect(&list);
                assert_eq!(found, parsed.iter().map(|json| json.get()).collect::<Vec<_>>());
            }
            let mut objects = Vec::new();
            if scan::list(&list, &paths, |found| objects.push(found.map(Member::json))).is_some() {
                assert_eq!(
                    objects.into_iter().map(Some).collect::<Vec<_>>(),
                    [parsed, parsed],
                    "{list}"
                );
            }
        }
        assert!(usual > 2_000, "{usual}");
    }

    #[test]
    fn what_is_no_object_is_unreadable() {
        let deep = "[".repeat(10_000);
        let nested = format!(r#"{{"a":{deep}"#);
        let long = format!(r#"{{"a":"{}"}}"#, "x".repeat(PAYLOAD_MAX));
        for body in ["", "null", "[]", "1", r#"{"a":1"#, r#"{"a":1}{"#, &nested, &long] {
            let found = members(body.as_bytes(), &Paths::new(["a"])).map(|_| ());
            let reason = found.map_err(|malformed| malformed.reason);
            assert_eq!(reason, Err(Reason::Unreadable), "{body:.40}");
        }
        assert!(members(b"{\"a\":\"\xff\"}", &Paths::new(["a"])).is_err());
        // A number that is out of all bounds and half of a pair are JSON, but nothing of use.
        let [a, b] = members(br#"{"a":1e999,"b":"\ud800"}"#, &Paths::new(["a", "b"])).unwrap();
        assert_eq!((a.time(), b.text()), (None, None));
    }
}
