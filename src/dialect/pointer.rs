//! Where a word stands in a payload that is JSON (RFC 6901).

use super::members::Member;
use super::scan::{self, Paths};
use serde_json::{Number, Value};
use std::borrow::Cow;
use std::cell::OnceCell;

/// Places that are asked for of every payload.
#[derive(Debug, Default)]
pub(super) struct Wanted(Vec<String>);

impl Wanted {
    /// Returns those of some places that can be looked up together. The others are looked up one by one.
    pub fn new<'p>(pointers: impl Iterator<Item = &'p str>) -> Self {
        let mut paths: Vec<String> = Vec::new();
        for path in pointers.filter_map(path_of) {
            if !paths.iter().any(|known| known == path) && paths.len() < WANTED_MAX {
                paths.push(path.to_owned());
            }
        }
        Self(paths)
    }

    /// Returns what stands there, `None` for a text of another shape.
    fn found_in<'a>(&self, text: &'a str) -> Option<[Member<'a>; WANTED_MAX]> {
        // No name has a NUL that is not escaped.
        let mut paths = ["\0"; WANTED_MAX];
        paths.iter_mut().zip(&self.0).for_each(|(place, path)| *place = path);
        scan::members(text, &Paths::new(paths))
    }
}

const WANTED_MAX: usize = 4;

/// A payload of which parts are asked for.
#[derive(Debug)]
pub(super) struct Json<'r, 'a> {
    text: &'a str,
    wanted: &'r Wanted,
    found: OnceCell<Option<[Member<'a>; WANTED_MAX]>>,
    /// Where the usual shape is not enough.
    value: OnceCell<Option<Value>>,
}

impl<'r, 'a> Json<'r, 'a> {
    pub const fn of(text: &'a str, wanted: &'r Wanted) -> Self {
        Self { text, wanted, found: OnceCell::new(), value: OnceCell::new() }
    }

    /// Tells whether it is JSON at all.
    pub fn is_json(&self) -> bool {
        self.found().is_some() || self.value().is_some()
    }

    fn found(&self) -> Option<&[Member<'a>; WANTED_MAX]> {
        self.found.get_or_init(|| self.wanted.found_in(self.text)).as_ref()
    }

    fn value(&self) -> Option<&Value> {
        self.value.get_or_init(|| serde_json::from_str(self.text).ok()).as_ref()
    }

    /// Returns the text, the number or the truth value at a place, as text; `None` for anything else.
    pub fn at(&self, pointer: &str) -> Option<Cow<'a, str>> {
        if let Some(path) = path_of(pointer) {
            let found = match self.wanted.0.iter().position(|known| known == path) {
                Some(place) => self.found().map(|found| found[place]),
                None => scan::members(self.text, &Paths::new([path])).map(|[found]| found),
            };
            if let Some(found) = found {
                return word(found.json()?);
            }
        }
        match self.value()?.pointer(pointer)? {
            Value::String(text) => Some(Cow::Owned(text.clone())),
            Value::Bool(truth) => Some(Cow::Owned(truth.to_string())),
            Value::Number(number) => Some(Cow::Owned(number.to_string())),
            Value::Null | Value::Array(_) | Value::Object(_) => None,
        }
    }
}

/// Returns the path that a pointer is, `None` where it may lead through lists, or something is escaped in it.
fn path_of(pointer: &str) -> Option<&str> {
    let path = pointer.strip_prefix('/').filter(|path| path.len() <= scan::NAME_MAX)?;
    let is_plain = |byte: u8| byte != b'~' && !byte.is_ascii_digit();
    path.bytes().all(is_plain).then_some(path)
}

/// Returns what a JSON text of the usual shape says as a word.
fn word(json: &str) -> Option<Cow<'_, str>> {
    match json.as_bytes() {
        [b'"', ..] => match scan::text(json) {
            Some((text, _)) => Some(Cow::Borrowed(text)),
            None => serde_json::from_str(json).ok().map(Cow::Owned),
        },
        [b't' | b'f', ..] => Some(Cow::Borrowed(json)),
        [b'n' | b'[' | b'{', ..] => None,
        digits if digits.len() <= DIGITS_MAX && digits.iter().all(u8::is_ascii_digit) => {
            Some(Cow::Borrowed(json))
        }
        // As the other way writes it: 1.50 is 1.5.
        _ => serde_json::from_str::<Number>(json).ok().map(|number| Cow::Owned(number.to_string())),
    }
}

/// So many digits are a whole number, whatever they are.
const DIGITS_MAX: usize = 18;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_the_same_whichever_way_the_payload_was_read() {
        let texts = [
            r#"{"a":{"b~/c":"x","n":[1,{"d":"y"},[]]},"t":true,"f":false,"null":null}"#,
            r#" { "n" : 7 , "n" : 1.50, "z":0, "m":-0, "big":123456789012345678901, "e":-12 } "#,
            r#"{"":{"":"empty"},"a":{"x":1},"b":{},"a/b":"slash","a/n":"slash","ä":"ö","a":2}"#,
            r#"{"a":"li\"ne\n","t":{"a":"b\\"}}"#,
            "{}",
            r#"{"a":"esc\u0061ped","e":1e3}"#,
            r#"["a",{"b":2}]"#,
            r#""a""#,
            "7",
        ];
        let places = [
            "",
            "/",
            "//",
            "/a",
            "/a/b~0~1c",
            "/a/n/0",
            "/a/n/1/d",
            "/a/n/2",
            "/a/n/3",
            "/a/n/01",
            "/a/n/-1",
            "/a/n/+1",
            "/a/n/-",
            "/t",
            "/f",
            "/null",
            "/n",
            "/z",
            "/m",
            "/big",
            "/e",
            "/a~1b",
            "/ä",
            "/none",
            "a",
            "/0",
            "/1/b",
            "/t/a",
            "/n/0",
        ];
        for text in texts {
            let value: Value = serde_json::from_str(text).expect(text);
            let [none, wanted] = [Wanted::default(), Wanted::new(places.iter().copied())];
            let [json, other] = [&none, &wanted].map(|wanted| Json::of(text, wanted));
            assert!(json.is_json(), "{text}");
            for place in places {
                let expected = value.pointer(place).and_then(|value| match value {
                    Value::Null | Value::Array(_) | Value::Object(_) => None,
                    Value::String(text) => Some(text.clone()),
                    other => Some(other.to_string()),
                });
                for json in [&json, &other] {
                    assert_eq!(json.at(place).as_deref(), expected.as_deref(), "{text} {place}");
                }
            }
        }
        for text in ["", "{", r#"{"a":1}}"#, r#"{"a":01}"#, "online", r#"{"a":[1,]}"#] {
            let wanted = Wanted::new(["/a"].into_iter());
            let json = Json::of(text, &wanted);
            assert!(!json.is_json() && json.at("/a").is_none(), "{text}");
        }
    }
}
