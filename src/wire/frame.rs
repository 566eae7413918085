//! Where a packet begins and ends: the fixed header, and lengths that are written afterwards.

use super::{Malformed, Reason, Version};
use bytes::{BufMut, BytesMut};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Connect = 1,
    ConnAck,
    Publish,
    PubAck,
    PubRec,
    PubRel,
    PubComp,
    Subscribe,
    SubAck,
    Unsubscribe,
    UnsubAck,
    PingReq,
    PingResp,
    Disconnect,
    Auth,
}

impl Kind {
    /// Returns the kind that the first byte of a packet names. 0 is forbidden (MQTT 3.1.1 §2.2.1).
    fn of(first: u8) -> Option<Self> {
        KINDS.get(usize::from(first >> 4).checked_sub(1)?).map(|(kind, _)| *kind)
    }

    pub(super) fn name(self) -> &'static str {
        KINDS[self as usize - 1].1
    }

    /// Returns the flags that a packet of this kind always has; `None` if they say something.
    const fn flags(self) -> Option<u8> {
        match self {
            Self::Publish => None,
            Self::PubRel | Self::Subscribe | Self::Unsubscribe => Some(0b0010),
            _ => Some(0),
        }
    }

    /// Returns the first byte of a packet whose flags say nothing.
    pub(super) fn first(self) -> u8 {
        (self as u8) << 4 | self.flags().unwrap_or(0)
    }
}

/// The fixed header of a packet that is there as a whole.
#[derive(Clone, Copy, Debug)]
pub(super) struct Head {
    pub kind: Kind,
    pub flags: u8,
    /// Where the body begins, and where the next packet does.
    pub body: usize,
    pub end: usize,
}

impl Head {
    /// Reads the fixed header; `None` if the packet is not there as a whole yet.
    ///
    /// What is wrong is said as early as it can be seen: nothing is gathered for a packet that will
    /// be refused. `version` is not known before a CONNECT.
    pub(super) fn read(
        bytes: &[u8],
        version: Option<Version>,
        packet_max: usize,
    ) -> Result<Option<Self>, Malformed> {
        let Some((first, rest)) = bytes.split_first() else { return Ok(None) };
        let kind = Kind::of(*first)
            .filter(|kind| !matches!((kind, version), (Kind::Auth, Some(Version::V311))));
        let kind =
            kind.ok_or_else(|| Malformed::new(format!("no packet begins with {first:#04x}")))?;
        let flags = first & 0x0f;
        if kind.flags().is_some_and(|reserved| flags != reserved) {
            return Err(Malformed::new(format!("{}: reserved flags {flags:#x}", kind.name())));
        }
        let Some((length, length_len)) = variable(rest)? else { return Ok(None) };
        if version == Some(Version::V5) && length_len > variable_len(length) {
            return Err(Malformed::new("a length takes more bytes than it needs"));
        }
        let body = 1 + length_len;
        let end = body + length as usize;
        if end > packet_max {
            let cause = format!("{} of {end} bytes, and {packet_max} are taken", kind.name());
            return Err(Malformed { reason: Reason::PACKET_TOO_LARGE, cause });
        }
        Ok((bytes.len() >= end).then_some(Self { kind, flags, body, end }))
    }
}

/// Reads a variable byte integer (MQTT 5.0 §1.5.5) with the bytes that it takes; `None` if it goes
/// on behind the end.
pub(super) fn variable(bytes: &[u8]) -> Result<Option<(u32, usize)>, Malformed> {
    let mut value = 0;
    for (at, byte) in bytes.iter().take(VARIABLE_LEN_MAX).enumerate() {
        value |= u32::from(byte & 0x7f) << (7 * at);
        if byte & 0x80 == 0 {
            return Ok(Some((value, at + 1)));
        }
    }
    if bytes.len() < VARIABLE_LEN_MAX {
        return Ok(None);
    }
    Err(Malformed::new("a length goes on behind its fourth byte"))
}

pub(super) const fn variable_len(value: u32) -> usize {
    match value {
        0..0x80 => 1,
        0x80..0x4000 => 2,
        0x4000..0x20_0000 => 3,
        _ => 4,
    }
}

/// Appends a variable byte integer.
pub(super) fn put_variable(buffer: &mut BytesMut, value: usize) -> Result<(), Malformed> {
    let mut rest = u32::try_from(value)
        .ok()
        .filter(|value| *value <= VARIABLE_MAX)
        .ok_or_else(|| Malformed::too_long(format!("{value} is more than a length can say")))?;
    loop {
        let low = rest.to_le_bytes()[0] & 0x7f;
        rest >>= 7;
        if rest == 0 {
            buffer.put_u8(low);
            return Ok(());
        }
        buffer.put_u8(low | 0x80);
    }
}

/// Appends what `write` appends, with its length before it.
pub(super) fn put_sized(
    buffer: &mut BytesMut,
    write: impl FnOnce(&mut BytesMut) -> Result<(), Malformed>,
) -> Result<(), Malformed> {
    let at = buffer.len();
    // Most lengths take one byte; what follows is moved for the others.
    buffer.put_u8(0);
    write(buffer)?;
    let end = buffer.len();
    let length = end - at - 1;
    if let Ok(short @ 0..0x80) = u8::try_from(length) {
        buffer[at] = short;
        return Ok(());
    }
    put_variable(buffer, length)?;
    let length_len = buffer.len() - end;
    buffer[at + 1..].rotate_right(length_len);
    buffer.copy_within(at + 1.., at);
    buffer.truncate(end + length_len - 1);
    Ok(())
}

/// Appends a packet whose flags say nothing.
pub(super) fn put_packet(
    buffer: &mut BytesMut,
    kind: Kind,
    write: impl FnOnce(&mut BytesMut) -> Result<(), Malformed>,
) -> Result<(), Malformed> {
    buffer.put_u8(kind.first());
    put_sized(buffer, write)
}

/// In the order of their numbers, from 1.
const KINDS: [(Kind, &str); 15] = [
    (Kind::Connect, "CONNECT"),
    (Kind::ConnAck, "CONNACK"),
    (Kind::Publish, "PUBLISH"),
    (Kind::PubAck, "PUBACK"),
    (Kind::PubRec, "PUBREC"),
    (Kind::PubRel, "PUBREL"),
    (Kind::PubComp, "PUBCOMP"),
    (Kind::Subscribe, "SUBSCRIBE"),
    (Kind::SubAck, "SUBACK"),
    (Kind::Unsubscribe, "UNSUBSCRIBE"),
    (Kind::UnsubAck, "UNSUBACK"),
    (Kind::PingReq, "PINGREQ"),
    (Kind::PingResp, "PINGRESP"),
    (Kind::Disconnect, "DISCONNECT"),
    (Kind::Auth, "AUTH"),
];
const VARIABLE_LEN_MAX: usize = 4;
pub(super) const VARIABLE_MAX: u32 = 0x0fff_ffff;
