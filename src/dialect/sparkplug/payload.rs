//! The payload of Sparkplug B, as far as presence needs it: is it one, and what is its `bdSeq`?
//!
//! Read by hand: of some fifty fields two levels of messages and three numbers matter, and bytes of strangers
//! are walked through in place, without a copy.

use crate::dialect::excerpt;

/// What matters in a payload.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Payload {
    /// The metric `bdSeq`, the first if there are several.
    pub number: Option<u64>,
}

impl Payload {
    /// Reads a payload (`sparkplug_b.proto`: `Payload.metrics` = 2, `uuid` = 4; `Metric.name` = 1, `is_null` = 7,
    /// `int_value` = 10, `long_value` = 11).
    ///
    /// Errors: why it is none, with what was found.
    pub fn parse(bytes: &[u8]) -> Result<Self, String> {
        if bytes.len() > LENGTH_MAX {
            return Err(format!("{} bytes, of which at most {LENGTH_MAX} are read", bytes.len()));
        }
        let broken = || {
            let what = match bytes {
                [0x1f, 0x8b, ..] => "gzip, which is not read",
                [b'{' | b'[', ..] => "JSON, which is not read here",
                _ => "no payload of Sparkplug B",
            };
            format!("{what}: `{}`", excerpt(bytes))
        };
        let mut payload = Self::default();
        let mut fields = Fields(bytes);
        while let Some(field) = fields.next().map_err(|Broken| broken())? {
            match field {
                (2, Value::Bytes(metric)) if payload.number.is_none() => {
                    payload.number = number_of(metric).map_err(|Broken| broken())?;
                }
                (4, Value::Bytes(b"SPBV1.0_COMPRESSED")) => {
                    return Err("a compressed payload, which is not read".to_owned());
                }
                _ => {}
            }
        }
        Ok(payload)
    }
}

/// Returns the value of a metric that is called `bdSeq`.
fn number_of(metric: &[u8]) -> Result<Option<u64>, Broken> {
    let (mut is_it, mut is_null, mut number) = (false, false, None);
    let mut fields = Fields(metric);
    while let Some(field) = fields.next()? {
        match field {
            (1, Value::Bytes(name)) => is_it = name == b"bdSeq",
            (7, Value::Number(null)) => is_null = null != 0,
            (10 | 11, Value::Number(value)) => number = Some(value),
            _ => {}
        }
    }
    Ok(number.filter(|_| is_it && !is_null))
}

/// The bytes are no protobuf.
#[derive(Clone, Copy, Debug)]
struct Broken;

/// Fields of a message, in the order in which they stand.
struct Fields<'a>(&'a [u8]);

#[derive(Clone, Copy, Debug)]
enum Value<'a> {
    Number(u64),
    Bytes(&'a [u8]),
    /// Four or eight bytes.
    Fixed,
}

impl<'a> Fields<'a> {
    fn next(&mut self) -> Result<Option<(u64, Value<'a>)>, Broken> {
        if self.0.is_empty() {
            return Ok(None);
        }
        let key = self.varint()?;
        let number = key >> 3;
        if !(1..=FIELD_MAX).contains(&number) {
            return Err(Broken);
        }
        let value = match key & 7 {
            0 => Value::Number(self.varint()?),
            1 => self.bytes(8).map(|_| Value::Fixed)?,
            2 => {
                let length = self.varint()?;
                Value::Bytes(self.bytes(length)?)
            }
            5 => self.bytes(4).map(|_| Value::Fixed)?,
            // Groups were gone before Sparkplug came.
            _ => return Err(Broken),
        };
        Ok(Some((number, value)))
    }

    fn bytes(&mut self, length: u64) -> Result<&'a [u8], Broken> {
        let length = usize::try_from(length).map_err(|_| Broken)?;
        let (bytes, rest) = self.0.split_at_checked(length).ok_or(Broken)?;
        self.0 = rest;
        Ok(bytes)
    }

    /// Takes seven bits of every byte, the lowest first. Ten bytes hold 64 bits; what is beyond is cut off.
    fn varint(&mut self) -> Result<u64, Broken> {
        let mut number = 0;
        for place in 0..10 {
            let (byte, rest) = self.0.split_first().ok_or(Broken)?;
            self.0 = rest;
            number |= u64::from(byte & 0x7f) << (7 * place);
            if byte & 0x80 == 0 {
                return Ok(number);
            }
        }
        Err(Broken)
    }
}

/// The birth of a node lists all of its metrics, which may be thousands: it is walked through, not kept.
const LENGTH_MAX: usize = 1 << 20;

/// The greatest number that a field can have.
const FIELD_MAX: u64 = (1 << 29) - 1;
