//! Texts with gaps, which parts of a message fill: `{site}/{/device/id}`.

use super::topics::Parts;
use crate::dialect::eventgrid;
use crate::dialect::lmq::stamp_of;
use crate::dialect::pointer::{Json, Wanted};
use crate::event::{Stamp, Timestamp};
use regex::Captures;
use std::borrow::Cow;

/// The parts of one message. `'r` is the life of the rule that found them.
#[derive(Debug)]
pub(super) struct Found<'r, 'a> {
    topic: Option<Parts<'r, 'a>>,
    payload: Option<Captures<'a>>,
    text: Option<&'a str>,
    json: Option<Json<'r, 'a>>,
}

impl<'r, 'a> Found<'r, 'a> {
    /// `payload` holds the groups of a regular expression.
    pub fn new(
        topic: Option<Parts<'r, 'a>>,
        payload: Option<Captures<'a>>,
        text: Option<&'a str>,
        wanted: &'r Wanted,
    ) -> Self {
        Self { topic, payload, text, json: text.map(|text| Json::of(text, wanted)) }
    }

    pub const fn is_text(&self) -> bool {
        self.text.is_some()
    }

    pub fn is_json(&self) -> bool {
        self.json.as_ref().is_some_and(Json::is_json)
    }

    fn part(&self, name: &str) -> Option<&'a str> {
        let of_payload = || Some(self.payload.as_ref()?.name(name)?.as_str());
        self.topic.as_ref().and_then(|parts| parts.get(name)).or_else(of_payload)
    }
}

/// What a key says about a part of an event: texts with gaps, of which the first counts whose gaps can all be
/// filled.
#[derive(Debug)]
pub(super) struct Field(Vec<Text>);

impl Field {
    /// Reads texts with gaps. Errors: a clause that says what is wrong with one.
    pub fn parse(texts: &[&str]) -> Result<Self, String> {
        if texts.is_empty() || texts.len() > TEXTS_MAX {
            return Err(format!("it has {} texts, and 1 to {TEXTS_MAX} are possible", texts.len()));
        }
        texts.iter().map(|text| Text::parse(text)).collect::<Result<_, _>>().map(Self)
    }

    pub fn fill<'a>(&self, found: &Found<'_, 'a>) -> Option<Cow<'a, str>> {
        self.0.iter().find_map(|text| text.fill(found))
    }

    /// Returns the names of parts that it asks for.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        let pieces = self.0.iter().flat_map(|text| &text.pieces);
        pieces.filter_map(|piece| match piece {
            Piece::Part(name) => Some(name.as_str()),
            Piece::Fixed(_) | Piece::Pointer(_) | Piece::Payload => None,
        })
    }

    /// Returns where it looks into JSON.
    pub fn pointers(&self) -> impl Iterator<Item = &str> {
        let pieces = self.0.iter().flat_map(|text| &text.pieces);
        pieces.filter_map(|piece| match piece {
            Piece::Pointer(pointer) => Some(pointer.as_str()),
            Piece::Fixed(_) | Piece::Part(_) | Piece::Payload => None,
        })
    }

    /// Tells whether nothing but JSON can fill it.
    pub fn needs_json(&self) -> bool {
        let is_pointer = |piece: &Piece| matches!(piece, Piece::Pointer(_));
        self.0.iter().all(|text| text.pieces.iter().any(is_pointer))
    }

    /// Returns what a person would call it.
    pub fn name(&self) -> &str {
        match self.0.first().map(|text| text.pieces.as_slice()) {
            Some([Piece::Part(name)]) => name,
            Some([Piece::Pointer(pointer)]) => pointer.trim_start_matches('/'),
            _ => self.0.first().map_or("", |text| text.shown.as_str()),
        }
    }

    /// Returns its texts as they were written.
    pub fn shown(&self) -> String {
        let texts: Vec<_> = self.0.iter().map(|text| format!("`{}`", text.shown)).collect();
        texts.join(" or ")
    }
}

#[derive(Debug)]
struct Text {
    shown: String,
    pieces: Vec<Piece>,
}

#[derive(Debug)]
enum Piece {
    Fixed(String),
    /// A part of the topic, or a group of the regular expression.
    Part(String),
    /// RFC 6901, into a payload that is JSON.
    Pointer(String),
    /// All of it.
    Payload,
}

impl Text {
    fn parse(text: &str) -> Result<Self, String> {
        let mut pieces = Vec::new();
        let mut fixed = String::new();
        let mut rest = text;
        while let Some(at) = rest.find(['{', '}']) {
            let (before, tail) = rest.split_at(at);
            fixed.push_str(before);
            if let Some(tail) = tail.strip_prefix("{{").or_else(|| tail.strip_prefix("}}")) {
                fixed.push_str(&rest[at..=at]);
                rest = tail;
                continue;
            }
            let gap = tail.strip_prefix('{').and_then(|tail| tail.split_once('}'));
            let Some((gap, tail)) = gap else {
                return Err(format!("`{text}` has a brace that stands alone: write it twice"));
            };
            if !fixed.is_empty() {
                pieces.push(Piece::Fixed(std::mem::take(&mut fixed)));
            }
            pieces.push(match gap {
                "" => Piece::Payload,
                gap if gap.starts_with('/') && is_pointer(gap) => Piece::Pointer(gap.to_owned()),
                gap if gap.starts_with('/') => {
                    return Err(format!("`{gap}` is no JSON pointer (RFC 6901): `~` is `~0` there"));
                }
                gap if is_name(gap) => Piece::Part(gap.to_owned()),
                gap => {
                    return Err(format!(
                        "`{{{gap}}}` is no gap: one is `{{name}}`, `{{/pointer/into/json}}` or `{{}}`"
                    ));
                }
            });
            rest = tail;
        }
        fixed.push_str(rest);
        if !fixed.is_empty() {
            pieces.push(Piece::Fixed(fixed));
        }
        if pieces.is_empty() {
            return Err("it is empty".to_owned());
        }
        if pieces.len() > PIECES_MAX {
            return Err(format!("`{text}` has more than {PIECES_MAX} parts"));
        }
        Ok(Self { shown: text.to_owned(), pieces })
    }

    fn fill<'a>(&self, found: &Found<'_, 'a>) -> Option<Cow<'a, str>> {
        if let [only] = self.pieces.as_slice() {
            return only.fill(found);
        }
        let mut filled = String::new();
        for piece in &self.pieces {
            filled.push_str(&piece.fill(found)?);
        }
        Some(Cow::Owned(filled))
    }
}

impl Piece {
    fn fill<'a>(&self, found: &Found<'_, 'a>) -> Option<Cow<'a, str>> {
        match self {
            Self::Fixed(text) => Some(Cow::Owned(text.clone())),
            Self::Part(name) => found.part(name).map(Cow::Borrowed),
            Self::Payload => found.text.map(Cow::Borrowed),
            Self::Pointer(pointer) => found.json.as_ref()?.at(pointer),
        }
    }
}

/// Tells whether a text can be the name of a part.
pub(super) fn is_name(name: &str) -> bool {
    let is_first = |c: char| c.is_ascii_lowercase() || c == '_';
    name.starts_with(is_first)
        && name.len() <= NAME_MAX
        && name.chars().all(|c| is_first(c) || c.is_ascii_digit())
}

fn is_pointer(pointer: &str) -> bool {
    pointer.split('~').skip(1).all(|tail| tail.starts_with(['0', '1']))
}

/// How a time is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unit {
    /// A number, whose size tells the unit, or RFC 3339.
    Auto,
    Seconds,
    Milliseconds,
    Microseconds,
    Rfc3339,
}

impl Unit {
    pub const ALL: [(&'static str, Self); 5] = [
        ("auto", Self::Auto),
        ("seconds", Self::Seconds),
        ("milliseconds", Self::Milliseconds),
        ("microseconds", Self::Microseconds),
        ("rfc3339", Self::Rfc3339),
    ];

    /// Reads a time. Zero and what lies before it is none that a clock shows.
    pub fn read(self, text: &str) -> Option<Stamp> {
        let stamp = |ms: i64, resolution| {
            (ms > 0).then_some(Stamp { time: Timestamp(ms), tie: 0, resolution })
        };
        match self {
            Self::Auto => stamp_of(text).or_else(|| eventgrid::stamp(text)),
            Self::Rfc3339 => eventgrid::stamp(text),
            Self::Milliseconds => stamp(whole(text)?, 0),
            Self::Microseconds => stamp(whole(text)? / 1_000, 0),
            Self::Seconds => {
                let (seconds, fraction) = text.split_once('.').unwrap_or((text, ""));
                let ms = whole(seconds)?.checked_mul(1_000)?;
                if fraction.is_empty() {
                    return stamp(ms, 1_000);
                }
                let digits = fraction.get(..fraction.len().min(3))?;
                let thousandths = whole(&format!("{digits:0<3}"))?;
                let is_number = fraction.bytes().all(|byte| byte.is_ascii_digit());
                is_number.then(|| stamp(ms.checked_add(thousandths)?, 0)).flatten()
            }
        }
    }
}

/// Returns a number that is written in digits alone.
fn whole(text: &str) -> Option<i64> {
    let is_digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    is_digits.then(|| text.parse().ok()).flatten()
}

/// Texts of a key.
const TEXTS_MAX: usize = 8;
/// Gaps of a text and what stands between them: a payload may fill each of them.
const PIECES_MAX: usize = 16;
const NAME_MAX: usize = 32;

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(texts: &[&str], payload: &str) -> Option<String> {
        let field = Field::parse(texts).expect("valid");
        field
            .fill(&Found::new(None, None, Some(payload), &Wanted::new(field.pointers())))
            .map(Cow::into_owned)
    }

    #[test]
    fn the_first_text_counts_whose_gaps_can_all_be_filled() {
        let body = r#"{"a":{"b~/c":"x"},"n":7,"t":true,"null":null,"list":[1,"y"]}"#;
        for (texts, expected) in [
            (&["{/a/b~0~1c}"][..], Some("x")),
            (&["{/n}-{/t}/{{{/list/1}}}"], Some("7-true/{y}")),
            (&["{/null}", "{/list}", "{/list/0}"], Some("1")),
            (&["{/none}{}", "{/a}"], None),
            (&["{/none}", "fixed"], Some("fixed")),
            (&["{}"], Some(body)),
            (&["{part}"], None),
        ] {
            assert_eq!(filled(texts, body).as_deref(), expected, "{texts:?}");
        }
        assert_eq!(filled(&["{/a}", "{}"], "no JSON").as_deref(), Some("no JSON"));
    }

    #[test]
    fn what_is_no_text_with_gaps_is_refused() {
        for text in ["", "{", "}", "a}b", "{a", "{A}", "{a b}", "{/a~2}", "{/~}", "{1}", "{*}"] {
            assert!(Field::parse(&[text]).is_err(), "{text}");
        }
        assert!(Field::parse(&[]).is_err());
        assert!(Field::parse(&["{}"; TEXTS_MAX + 1]).is_err());
        assert!(Field::parse(&[&"{}".repeat(PIECES_MAX)]).is_ok());
        assert!(Field::parse(&[&"{}".repeat(PIECES_MAX + 1)]).is_err());
    }

    #[test]
    fn a_time_is_read_in_its_unit() {
        const MS: i64 = 1_760_000_000_123;
        for (unit, text, expected) in [
            (Unit::Auto, "1760000000", Some((1_760_000_000_000, 1_000))),
            (Unit::Auto, "1760000000123", Some((MS, 0))),
            (Unit::Auto, "1760000000123456", Some((MS, 0))),
            (Unit::Auto, "2025-10-09T08:53:20.123Z", Some((MS, 0))),
            (Unit::Auto, "2025-10-09T08:53:20", None),
            (Unit::Seconds, "1760000000", Some((1_760_000_000_000, 1_000))),
            (Unit::Seconds, "1760000000.1234567", Some((MS, 0))),
            (Unit::Seconds, "1760000000.1", Some((1_760_000_000_100, 0))),
            (Unit::Seconds, "1760000000.", Some((1_760_000_000_000, 1_000))),
            (Unit::Seconds, "1.é", None),
            (Unit::Seconds, "1.2é", None),
            (Unit::Seconds, "9223372036854775807", None),
            (Unit::Seconds, "9223372036854775.999", None),
            (Unit::Milliseconds, "1760000000123", Some((MS, 0))),
            (Unit::Milliseconds, "+1", None),
            (Unit::Milliseconds, "-1", None),
            (Unit::Milliseconds, "0", None),
            (Unit::Milliseconds, "", None),
            (Unit::Microseconds, "1760000000123456", Some((MS, 0))),
            (Unit::Microseconds, "1", None),
            (Unit::Rfc3339, "2025-10-09T10:53:20.123+02:00", Some((MS, 0))),
            (Unit::Rfc3339, "1760000000", None),
        ] {
            let found = unit.read(text).map(|stamp| (stamp.time.0, stamp.resolution));
            assert_eq!(found, expected, "{unit:?} {text}");
        }
    }
}
