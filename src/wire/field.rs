//! The fields that packets are made of: numbers, texts, bytes.

use super::frame::{variable, variable_len};
use super::{Malformed, Qos, Reason};
use bytes::{BufMut, BytesMut};
use memchr::{memchr, memchr3};

/// The part of a packet that has not been read yet. Nothing reads behind its end.
#[derive(Debug)]
pub(super) struct Fields<'a> {
    rest: &'a [u8],
}

impl<'a> Fields<'a> {
    pub(super) const fn new(rest: &'a [u8]) -> Self {
        Self { rest }
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    pub(super) const fn len(&self) -> usize {
        self.rest.len()
    }

    /// Takes all that is left.
    pub(super) fn rest(&mut self) -> &'a [u8] {
        std::mem::take(&mut self.rest)
    }

    pub(super) fn byte(&mut self, what: &str) -> Result<u8, Malformed> {
        self.take::<1>(what).map(|[byte]| byte)
    }

    pub(super) fn two(&mut self, what: &str) -> Result<u16, Malformed> {
        self.take(what).map(u16::from_be_bytes)
    }

    pub(super) fn four(&mut self, what: &str) -> Result<u32, Malformed> {
        self.take(what).map(u32::from_be_bytes)
    }

    /// Reads a byte that says no or yes.
    pub(super) fn flag(&mut self, what: &str) -> Result<bool, Malformed> {
        match self.byte(what)? {
            0 => Ok(false),
            1 => Ok(true),
            other => Err(Malformed::protocol(format!("{what} is {other}, not 0 or 1"))),
        }
    }

    pub(super) fn variable(&mut self, what: &str) -> Result<u32, Malformed> {
        let (value, len) = variable(self.rest)?.ok_or_else(|| cut(what))?;
        if len > variable_len(value) {
            return Err(Malformed::new(format!("{what} takes more bytes than it needs")));
        }
        self.rest = &self.rest[len..];
        Ok(value)
    }

    /// Reads the packet id of a packet that has to have one.
    pub(super) fn packet_id(&mut self) -> Result<u16, Malformed> {
        let id = self.two("packet id")?;
        nonzero(id, "packet id")
    }

    /// Reads bytes with their length before them.
    pub(super) fn binary(&mut self, what: &str) -> Result<&'a [u8], Malformed> {
        let len = usize::from(self.two(what)?);
        let (binary, rest) = self.rest.split_at_checked(len).ok_or_else(|| cut(what))?;
        self.rest = rest;
        Ok(binary)
    }

    /// Reads a text. U+0000 has no place in it (MQTT 3.1.1 §1.5.3).
    pub(super) fn text(&mut self, what: &str) -> Result<&'a str, Malformed> {
        let text = str::from_utf8(self.binary(what)?)
            .map_err(|_| Malformed::new(format!("{what} is not UTF-8")))?;
        without_nul(text, what)?;
        Ok(text)
    }

    /// Takes out a part with its length before it.
    pub(super) fn part(&mut self, what: &str) -> Result<Self, Malformed> {
        let len = self.variable(what)? as usize;
        let (part, rest) = self.rest.split_at_checked(len).ok_or_else(|| cut(what))?;
        self.rest = rest;
        Ok(Self::new(part))
    }

    /// Errors: anything left.
    pub(super) fn finish(&self) -> Result<(), Malformed> {
        if self.is_empty() {
            return Ok(());
        }
        Err(Malformed::new(format!("{} bytes behind its end", self.len())))
    }

    fn take<const N: usize>(&mut self, what: &str) -> Result<[u8; N], Malformed> {
        let (bytes, rest) = self.rest.split_first_chunk().ok_or_else(|| cut(what))?;
        self.rest = rest;
        Ok(*bytes)
    }
}

fn cut(what: &str) -> Malformed {
    Malformed::new(format!("it ends within {what}"))
}

fn without_nul(text: &str, what: &str) -> Result<(), Malformed> {
    match memchr(0, text.as_bytes()) {
        Some(_) => Err(Malformed::new(format!("{what} has a NUL"))),
        None => Ok(()),
    }
}

/// Errors: a number that may not be 0.
pub(super) fn nonzero<T: Default + PartialEq>(number: T, what: &str) -> Result<T, Malformed> {
    if number == T::default() {
        return Err(Malformed::protocol(format!("{what} is 0")));
    }
    Ok(number)
}

pub(super) fn qos(bits: u8) -> Result<Qos, Malformed> {
    match bits {
        0 => Ok(Qos::AtMostOnce),
        1 => Ok(Qos::AtLeastOnce),
        2 => Ok(Qos::ExactlyOnce),
        _ => Err(Malformed::new("QoS is 3")),
    }
}

/// Errors: a topic that nobody can publish to (MQTT 3.1.1 §4.7). NUL is checked here as well.
pub(super) fn check_topic(topic: &str, what: &str) -> Result<(), Malformed> {
    let wrong = if topic.is_empty() {
        "is empty"
    } else {
        match memchr3(0, b'+', b'#', topic.as_bytes()).and_then(|at| topic.as_bytes().get(at)) {
            None => return Ok(()),
            Some(0) => "has a NUL",
            Some(_) => "has a wildcard",
        }
    };
    Err(Malformed { reason: Reason::TOPIC_NAME_INVALID, cause: format!("{what} {wrong}") })
}

pub(super) fn put_binary(buffer: &mut BytesMut, bytes: &[u8], what: &str) -> Result<(), Malformed> {
    let len = u16::try_from(bytes.len()).map_err(|_| {
        Malformed::too_long(format!("{what} of {} bytes, and {} fit", bytes.len(), u16::MAX))
    })?;
    buffer.put_u16(len);
    buffer.put_slice(bytes);
    Ok(())
}

pub(super) fn put_text(buffer: &mut BytesMut, text: &str, what: &str) -> Result<(), Malformed> {
    without_nul(text, what)?;
    put_binary(buffer, text.as_bytes(), what)
}
