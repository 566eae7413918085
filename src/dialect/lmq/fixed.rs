//! Notices in the shape in which brokers write them, read without a JSON parser.
//!
//! The shape: an object without blanks, whose keys and values are text without escapes or whole
//! numbers. Whatever differs is left to the parser, which says the same of this shape, only later;
//! tests and a fuzz target hold that.

use super::{DIGITS_MAX, Field, Notice};
use std::borrow::Cow;

/// Returns the notice, `None` if it has another shape.
pub(super) fn read(body: &str) -> Option<Notice<'_>> {
    let mut notice = Notice::default();
    let mut rest = body.strip_prefix('{')?;
    loop {
        rest = read_member(rest, &mut notice)?;
        match rest {
            "}" => return Some(notice),
            _ => rest = rest.strip_prefix(',')?,
        }
    }
}

/// Reads a key and its value, and returns what follows. Of a key that comes twice the last one counts.
fn read_member<'a>(text: &'a str, notice: &mut Notice<'a>) -> Option<&'a str> {
    let (field, rest) = match text.as_bytes().get(1)? {
        b'c' => {
            if let Some(rest) = after(text, br#""clientId":"#) {
                (&mut notice.client, rest)
            } else if let Some(rest) = after(text, br#""channelId":"#) {
                (&mut notice.channel, rest)
            } else if let Some(rest) = after(text, br#""clientIp":"#) {
                (&mut notice.address, rest)
            } else {
                return read_other(text);
            }
        }
        b'e' => match after(text, br#""eventType":"#) {
            Some(rest) => (&mut notice.event, rest),
            None => return read_other(text),
        },
        b't' => match after(text, br#""time":"#) {
            Some(rest) => {
                let (number, rest) = read_number(rest)?;
                notice.time = Some(number);
                return Some(rest);
            }
            None => return read_other(text),
        },
        _ => return read_other(text),
    };
    let (value, rest) = read_text(rest)?;
    *field = Field::Text(Cow::Borrowed(value));
    Some(rest)
}

/// Returns what follows a key, if it is this one. Of a length that is known it is compared as a number.
fn after<'a, const LENGTH: usize>(text: &'a str, key: &[u8; LENGTH]) -> Option<&'a str> {
    (text.as_bytes().first_chunk() == Some(key)).then(|| &text[LENGTH..])
}

/// Reads over a member that says nothing here.
fn read_other(text: &str) -> Option<&str> {
    let (_, rest) = read_text(text)?;
    let rest = rest.strip_prefix(':')?;
    let (_, rest) = read_text(rest).or_else(|| read_number(rest))?;
    Some(rest)
}

/// Cuts a text off in which nothing is escaped.
fn read_text(text: &str) -> Option<(&str, &str)> {
    let text = text.strip_prefix('"')?;
    let end = end_of_text(text.as_bytes())?;
    Some((&text[..end], &text[end + 1..]))
}

/// Returns where a text ends; `None` where something is escaped in it, or ought to be.
///
/// Eight bytes are looked at together: texts are so short that whatever looks at more at once has not
/// yet begun when this is done.
fn end_of_text(bytes: &[u8]) -> Option<usize> {
    let mut rest = bytes;
    while let Some((word, after)) = rest.split_first_chunk() {
        let special = special_in(u64::from_le_bytes(*word));
        if special != 0 {
            let at = special.trailing_zeros() as usize / 8;
            return (word[at] == b'"').then(|| bytes.len() - rest.len() + at);
        }
        rest = after;
    }
    let at = rest.iter().position(|byte| matches!(byte, b'"' | b'\\' | ..b' '))?;
    (rest[at] == b'"').then(|| bytes.len() - rest.len() + at)
}

/// Returns the high bit of the first byte that is a quote, a backslash or below a blank.
const fn special_in(word: u64) -> u64 {
    below(word, b' ') | below(word ^ each(b'"'), 1) | below(word ^ each(b'\\'), 1)
}

/// Returns the high bit of the first byte below a limit; bits of later bytes mean nothing.
const fn below(word: u64, limit: u8) -> u64 {
    word.wrapping_sub(each(limit)) & !word & each(0x80)
}

/// Returns eight times the same byte.
const fn each(byte: u8) -> u64 {
    u64::from_le_bytes([byte; 8])
}

/// Cuts a whole number off. JSON knows none that begins with 0 and goes on.
fn read_number(text: &str) -> Option<(&str, &str)> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let is_plain = (1..=DIGITS_MAX).contains(&digits) && !text.starts_with('0');
    is_plain.then(|| text.split_at(digits))
}
