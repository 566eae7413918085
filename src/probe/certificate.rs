//! What a certificate says of itself: until when it holds, and for which hosts.
//!
//! Only that much of DER and X.509 is read. Whether a certificate is to be believed is decided elsewhere:
//! nothing here looks at a signature. The bytes come from a stranger; none of them makes reading panic.

use crate::event::Timestamp;
use jiff::civil::date;
use std::net::Ipv6Addr;

/// What is read of a certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    pub not_before: Timestamp,
    pub not_after: Timestamp,
    /// Host names and addresses, at most [`NAMES_MAX`] of them.
    pub names: Vec<String>,
}

/// Names that are read.
pub const NAMES_MAX: usize = 20;

/// Reads a certificate; `None` if it is none.
///
/// Shape: DER of `Certificate` (RFC 5280 §4.1). Names are those of the extension `subjectAltName`, the only
/// ones that count (RFC 9525 §2).
#[must_use]
pub fn read(der: &[u8]) -> Option<Certificate> {
    let mut whole = Reader(der).inside(SEQUENCE)?;
    let mut signed = whole.inside(SEQUENCE)?;
    if signed.tag() == Some(VERSION) {
        signed.next()?;
    }
    for _ in ["serial number", "algorithm", "issuer"] {
        signed.next()?;
    }
    let mut validity = signed.inside(SEQUENCE)?;
    let (not_before, not_after) = (time(validity.next()?)?, time(validity.next()?)?);
    let mut names = Vec::new();
    while let Some((tag, content)) = signed.next() {
        if tag == EXTENSIONS {
            names = names_in(Reader(content)).unwrap_or_default();
        }
    }
    Some(Certificate { not_before, not_after, names })
}

fn names_in(mut extensions: Reader<'_>) -> Option<Vec<String>> {
    let mut extensions = extensions.inside(SEQUENCE)?;
    while let Some((SEQUENCE, extension)) = extensions.next() {
        let mut extension = Reader(extension);
        if extension.next()? != (OBJECT_ID, SUBJECT_ALT_NAME) {
            continue;
        }
        if extension.tag() == Some(BOOLEAN) {
            extension.next()?;
        }
        let (_, value) = extension.next()?;
        let mut listed = Reader(value).inside(SEQUENCE)?;
        let names = std::iter::from_fn(|| listed.next()).filter_map(name);
        return Some(names.take(NAMES_MAX).collect());
    }
    Some(Vec::new())
}

fn name((tag, content): (u8, &[u8])) -> Option<String> {
    match tag {
        DNS_NAME => String::from_utf8(content.to_vec()).ok(),
        IP_ADDRESS => match *content {
            [a, b, c, d] => Some(format!("{a}.{b}.{c}.{d}")),
            _ => {
                <[u8; 16]>::try_from(content).ok().map(|octets| Ipv6Addr::from(octets).to_string())
            }
        },
        _ => None,
    }
}

/// Reads a time, always in UTC: `YYMMDDHHMMSSZ` or `YYYYMMDDHHMMSSZ` (RFC 5280 §4.1.2.5).
fn time((tag, content): (u8, &[u8])) -> Option<Timestamp> {
    let text = std::str::from_utf8(content).ok()?.strip_suffix('Z')?;
    let (year, rest) = match tag {
        UTC_TIME => {
            let (year, rest) = text.split_at_checked(2)?;
            let year: i16 = year.parse().ok()?;
            (if year < 50 { 2000 + year } else { 1900 + year }, rest)
        }
        GENERALIZED_TIME => {
            let (year, rest) = text.split_at_checked(4)?;
            (year.parse().ok()?, rest)
        }
        _ => return None,
    };
    let field = |at: usize| rest.get(at..at + 2)?.parse::<i8>().ok();
    if rest.len() != 10 || !rest.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let day = jiff::civil::Date::new(year, field(0)?, field(2)?).ok()?;
    let clock = jiff::civil::Time::new(field(4)?, field(6)?, field(8)?, 0).ok()?;
    let seconds = day.to_datetime(clock).duration_since(EPOCH.to_datetime(jiff::civil::Time::MIN));
    Some(Timestamp(i64::try_from(seconds.as_millis()).ok()?))
}

const EPOCH: jiff::civil::Date = date(1970, 1, 1);

/// Values in the order in which they come.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    /// Returns the next value: its tag and its content.
    fn next(&mut self) -> Option<(u8, &'a [u8])> {
        let (tag, rest) = self.0.split_first()?;
        let (first, rest) = rest.split_first()?;
        let (length, rest) = match first {
            0..=0x7F => (usize::from(*first), rest),
            // No certificate has 16 MiB.
            0x81..=0x83 => {
                let (bytes, rest) = rest.split_at_checked(usize::from(first & 0x7F))?;
                (bytes.iter().fold(0, |length, byte| length << 8 | usize::from(*byte)), rest)
            }
            _ => return None,
        };
        let (content, rest) = rest.split_at_checked(length)?;
        self.0 = rest;
        Some((*tag, content))
    }

    fn tag(&self) -> Option<u8> {
        self.0.first().copied()
    }

    /// Returns the values inside the next one, which has to be of this kind.
    fn inside(&mut self, tag: u8) -> Option<Self> {
        self.next().filter(|(found, _)| *found == tag).map(|(_, content)| Self(content))
    }
}

const BOOLEAN: u8 = 0x01;
const OBJECT_ID: u8 = 0x06;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;
const SEQUENCE: u8 = 0x30;
const DNS_NAME: u8 = 0x82;
const IP_ADDRESS: u8 = 0x87;
const VERSION: u8 = 0xA0;
const EXTENSIONS: u8 = 0xA3;
/// 2.5.29.17
const SUBJECT_ALT_NAME: &[u8] = &[0x55, 0x1D, 0x11];

#[cfg(test)]
mod tests {
    use super::*;
    use rcgen::{CertificateParams, KeyPair, date_time_ymd};

    fn made(from: (i32, u8, u8), until: (i32, u8, u8)) -> Vec<u8> {
        let names = ["broker.example", "127.0.0.1", "::1"].map(str::to_owned).to_vec();
        let mut params = CertificateParams::new(names).expect("they are names");
        params.not_before = date_time_ymd(from.0, from.1, from.2);
        params.not_after = date_time_ymd(until.0, until.1, until.2);
        let key = KeyPair::generate().expect("there is randomness");
        params.self_signed(&key).expect("it signs").der().to_vec()
    }

    #[test]
    fn a_certificate_tells_its_time_and_its_hosts() {
        let read = read(&made((2024, 2, 29), (2060, 1, 1))).expect("it is one");
        assert_eq!(read.not_before, Timestamp(1_709_164_800_000));
        assert_eq!(
            read.not_after,
            Timestamp(2_840_140_800_000),
            "years from 2050 on are written out"
        );
        assert_eq!(read.names, ["broker.example", "127.0.0.1", "::1"]);
    }

    #[test]
    fn what_is_cut_or_changed_is_none_and_nothing_panics() {
        let whole = made((2024, 2, 29), (2030, 1, 1));
        for length in 0..whole.len() {
            assert_eq!(read(&whole[..length]), None, "{length}");
        }
        for at in 0..whole.len() {
            for value in [0x00, 0x30, 0x7F, 0x80, 0x83, 0x84, 0xFF] {
                let mut changed = whole.clone();
                changed[at] = value;
                // Most changes are in what nobody here reads.
                let _ = read(&changed);
            }
        }
    }
}
