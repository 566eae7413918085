//! Notices in the shape in which brokers write them, read without a JSON parser.
//!
//! The shape: an object without blanks, whose keys and values are text without escapes or whole
//! numbers. Whatever differs is left to the parser, which says the same of this shape, only later;
//! tests and a fuzz target hold that.

use super::super::scan::{self, each};
use super::{CLIENT_ID_MAX, DIGITS_MAX, Field, KINDS, MILLISECONDS_END, Notice, SECONDS_END};
use crate::event::{Timestamp, Usual};
use std::borrow::Cow;

/// The members of a notice of the usual shape, as they stand there.
#[derive(Clone, Copy, Default)]
struct Members<'a> {
    client: Option<&'a str>,
    event: Option<&'a str>,
    channel: Option<&'a str>,
    address: Option<&'a str>,
    time: Option<&'a str>,
}

/// Returns the notice, `None` if it has another shape.
pub(super) fn read(body: &str) -> Option<Notice<'_>> {
    let (Members { client, event, channel, address, time }, "") = Members::of(body)? else {
        return None;
    };
    let field =
        |text: Option<_>| text.map_or(Field::Absent, |text| Field::Text(Cow::Borrowed(text)));
    let [client, event, channel, address] = [client, event, channel, address].map(field);
    Some(Notice { client, event, channel, address, time })
}

/// Returns what the notice says with which a text begins, and what follows it; `None` if it is not quite
/// usual.
pub(super) fn read_usual(text: &str) -> Option<(Usual<'_>, &str)> {
    let (Members { client, event, channel, address, time }, rest) = Members::of(text)?;
    let (client, channel) = (client?, channel?);
    let fits = |text: &str, max| (1..=max).contains(&text.len());
    let is_usual = fits(client, CLIENT_ID_MAX) && fits(channel, usize::MAX);
    let event = event?;
    let (_, kind) = *KINDS.iter().find(|(known, _)| event == *known)?;
    let time = milliseconds(time?)?;
    let address = address.unwrap_or_default();
    is_usual.then_some((Usual { client, channel, kind, time, address }, rest))
}

impl<'a> Members<'a> {
    /// Reads the object with which a text begins. Returns what follows it, too.
    fn of(text: &'a str) -> Option<(Self, &'a str)> {
        let mut members = Self::default();
        let mut rest = text.strip_prefix('{')?;
        loop {
            rest = members.read_one(rest)?;
            if let Some(rest) = rest.strip_prefix('}') {
                return Some((members, rest));
            }
            rest = rest.strip_prefix(',')?;
        }
    }

    /// Reads a key and its value, and returns what follows. Of a key that comes twice the last one
    /// counts.
    fn read_one(&mut self, text: &'a str) -> Option<&'a str> {
        let (member, rest) = match text.as_bytes().get(1)? {
            b'c' => {
                if let Some(rest) = after(text, br#""clientId":"#) {
                    (&mut self.client, rest)
                } else if let Some(rest) = after(text, br#""channelId":"#) {
                    (&mut self.channel, rest)
                } else if let Some(rest) = after(text, br#""clientIp":"#) {
                    (&mut self.address, rest)
                } else {
                    return read_other(text);
                }
            }
            b'e' => match after(text, br#""eventType":"#) {
                Some(rest) => (&mut self.event, rest),
                None => return read_other(text),
            },
            b't' => match after(text, br#""time":"#) {
                Some(rest) => {
                    let (number, rest) = read_number(rest)?;
                    self.time = Some(number);
                    return Some(rest);
                }
                None => return read_other(text),
            },
            _ => return read_other(text),
        };
        let (value, rest) = scan::text(rest)?;
        *member = Some(value);
        Some(rest)
    }
}

/// Returns what follows a key, if it is this one. Of a length that is known it is compared as a number.
fn after<'a, const LENGTH: usize>(text: &'a str, key: &[u8; LENGTH]) -> Option<&'a str> {
    (text.as_bytes().first_chunk() == Some(key)).then(|| &text[LENGTH..])
}

/// Reads over a member that says nothing here.
fn read_other(text: &str) -> Option<&str> {
    let (_, rest) = scan::text(text)?;
    let rest = rest.strip_prefix(':')?;
    let (_, rest) = scan::text(rest).or_else(|| read_number(rest))?;
    Some(rest)
}

/// Cuts a whole number off. JSON knows none that begins with 0 and goes on.
fn read_number(text: &str) -> Option<(&str, &str)> {
    let digits = scan::count_digits(text.as_bytes());
    let is_plain = (1..=DIGITS_MAX).contains(&digits) && !text.starts_with('0');
    is_plain.then(|| text.split_at(digits))
}

/// Reads digits as a time in ms, `None` if their number says that their unit is another, or if they are none.
pub(super) fn milliseconds(digits: &str) -> Option<Timestamp> {
    let digits: &[u8; MILLISECOND_DIGITS] = digits.as_bytes().try_into().ok()?;
    if scan::count_digits(digits) < MILLISECOND_DIGITS {
        return None;
    }
    // The upper eight digits overlap the lower eight in three.
    let (upper, lower) = (digits.first_chunk()?, digits.last_chunk()?);
    let time = eight_digits(*upper) / 1_000 * 100_000_000 + eight_digits(*lower);
    let time = i64::try_from(time).ok()?;
    (SECONDS_END..MILLISECONDS_END).contains(&time).then_some(Timestamp(time))
}

/// Digits of a time in ms of these centuries.
const MILLISECOND_DIGITS: usize = 13;

/// Returns the number that eight digits are: neighbours are put together, three times.
const fn eight_digits(digits: [u8; 8]) -> u64 {
    let ones = u64::from_le_bytes(digits) & each(0x0f);
    let pairs = (ones * 10 + (ones >> 8)) & 0x00ff_00ff_00ff_00ff;
    let fours = (pairs * 100 + (pairs >> 16)) & 0x0000_ffff_0000_ffff;
    (fours * 10_000 + (fours >> 32)) & 0xffff_ffff
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_counted_and_read_as_the_numbers_that_they_are() {
        for seed in 0..10_000 {
            let mut rng = fastrand::Rng::with_seed(seed);
            let shift = rng.u8(..60);
            let number = rng.u64(1..=u64::MAX >> shift);
            let text = format!("{number}{}", ["", "}", ",\"", "/:", "\u{e9}"][rng.usize(..5)]);

            assert_eq!(read_number(&text).map(|(digits, _)| digits), Some(&*number.to_string()));

            let time = rng.i64(1_000_000_000_000..10_000_000_000_000);
            assert_eq!(milliseconds(&time.to_string()), Some(Timestamp(time)));
        }
        for other in ["99999999999", "17600000000000", "0099999999999", ""] {
            assert_eq!(milliseconds(other), None, "{other}");
        }
    }
}
