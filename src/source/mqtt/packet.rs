//! MQTT packets from and to bytes: those that a listener receives and sends, in both versions.
//!
//! Pure: nothing here reads or writes a socket. Whatever the bytes are, reading them gives a packet
//! or [`Malformed`], never a panic. Where a broker is merely unusual (a reason without properties, a
//! refusal in the form of the older version, a code nobody knows) the packet is read all the same,
//! because what it says is what the user has to be told.

use crate::config::broker::MqttVersion;
use bytes::{Buf, BufMut, Bytes, BytesMut};
use std::fmt;

/// The first byte of every CONNACK.
pub const CONNACK: u8 = 0x20;
pub const PINGREQ: [u8; 2] = [0xC0, 0];
/// Without a reason, which both versions read as a normal end.
pub const DISCONNECT: [u8; 2] = [0xE0, 0];

/// Why bytes are no packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Malformed(pub &'static str);

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

/// What every packet starts with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    pub first: u8,
    /// Bytes of the header itself.
    pub size: usize,
    /// Bytes that follow it, at most 268,435,455.
    pub body: usize,
}

impl Header {
    /// Reads the start of a packet, `None` while more bytes are needed.
    pub fn read(bytes: &[u8]) -> Result<Option<Self>, Malformed> {
        let Some((&first, rest)) = bytes.split_first() else { return Ok(None) };
        Ok(varint(rest)?.map(|(body, size)| Self { first, size: 1 + size, body }))
    }

    #[must_use]
    pub const fn is_publish(self) -> bool {
        self.first >> 4 == 3
    }
}

/// A packet from a broker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Packet {
    ConnAck(ConnAck),
    Publish(Publish),
    SubAck {
        id: u16,
        /// One for each filter, in order.
        codes: Bytes,
        reason: Option<String>,
    },
    PubRel {
        id: u16,
    },
    PingResp,
    Disconnect {
        code: u8,
        reason: Option<String>,
    },
    /// An answer to something never asked.
    Other,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ConnAck {
    pub session_present: bool,
    /// 0 is yes.
    pub code: u8,
    pub properties: Properties,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Publish {
    pub head: PublishHead,
    pub payload: Bytes,
}

/// A PUBLISH up to its packet id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublishHead {
    pub dup: bool,
    pub qos: u8,
    pub retain: bool,
    /// Not yet known to be text.
    pub topic: Bytes,
    /// 0 at `QoS` 0.
    pub id: u16,
}

/// The properties of MQTT 5 that a listener heeds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Properties {
    pub server_keep_alive: Option<u16>,
    pub reason: Option<String>,
    pub server_reference: Option<String>,
}

impl Packet {
    /// Reads one whole packet.
    pub fn read(first: u8, mut body: Bytes, version: MqttVersion) -> Result<Self, Malformed> {
        Ok(match first >> 4 {
            2 => Self::ConnAck(ConnAck {
                session_present: byte(&mut body)? & 1 == 1,
                code: byte(&mut body)?,
                properties: Properties::read_last(body, version)?,
            }),
            3 => {
                let head = PublishHead::read(first, &mut body)?;
                if version == MqttVersion::V5 {
                    Properties::read(&mut body)?;
                    // We never allow aliases, so a topic is always there (MQTT 5.0 §3.3.2.3.4).
                    if head.topic.is_empty() {
                        return Err(Malformed("a PUBLISH without topic"));
                    }
                }
                Self::Publish(Publish { head, payload: body })
            }
            4 | 5 | 7 | 11 => Self::Other,
            6 => Self::PubRel { id: short(&mut body)? },
            9 => {
                let id = short(&mut body)?;
                let reason = match version {
                    MqttVersion::V311 => None,
                    MqttVersion::V5 => Properties::read(&mut body)?.reason,
                };
                Self::SubAck { id, codes: body, reason }
            }
            13 => Self::PingResp,
            14 => Self::Disconnect {
                code: if body.is_empty() { 0 } else { byte(&mut body)? },
                reason: Properties::read_last(body, version)?.reason,
            },
            15 => return Err(Malformed("an AUTH, which was not agreed on")),
            _ => return Err(Malformed("a packet that only a client sends")),
        })
    }
}

impl PublishHead {
    /// Reads topic and packet id, and leaves what follows them.
    pub fn read(first: u8, body: &mut Bytes) -> Result<Self, Malformed> {
        let qos = first >> 1 & 3;
        let topic = text(body)?;
        let id = if qos > 0 { short(body)? } else { 0 };
        match (qos, id) {
            (3, _) => Err(Malformed("a PUBLISH of QoS 3")),
            (1.., 0) => Err(Malformed("a PUBLISH with the packet id 0")),
            _ => Ok(Self { dup: first & 8 != 0, qos, retain: first & 1 != 0, topic, id }),
        }
    }

    /// The most bytes that topic and packet id can take.
    pub const SIZE_MAX: usize = 2 + u16::MAX as usize + 2;
}

impl Properties {
    /// Reads properties at the end of a packet, where they may be missing altogether. A broker that
    /// does not know MQTT 5 refuses it with a CONNACK without them (MQTT 3.1.1 §3.2).
    fn read_last(mut body: Bytes, version: MqttVersion) -> Result<Self, Malformed> {
        if version == MqttVersion::V311 || body.is_empty() {
            return Ok(Self::default());
        }
        Self::read(&mut body)
    }

    /// Reads properties, and leaves what follows them (MQTT 5.0 §2.2.2).
    fn read(body: &mut Bytes) -> Result<Self, Malformed> {
        let length = take_varint(body)?;
        let mut bytes = split(body, length)?;
        let mut found = Self::default();
        while bytes.has_remaining() {
            match byte(&mut bytes)? {
                1 | 23 | 25 | 36 | 37 | 40 | 41 | 42 => drop(byte(&mut bytes)?),
                19 => found.server_keep_alive = Some(short(&mut bytes)?),
                33..=35 => drop(short(&mut bytes)?),
                2 | 17 | 24 | 39 => drop(split(&mut bytes, 4)?),
                11 => drop(take_varint(&mut bytes)?),
                28 => found.server_reference = Some(lossy(&text(&mut bytes)?)),
                31 => found.reason = Some(lossy(&text(&mut bytes)?)),
                3 | 8 | 9 | 18 | 21 | 22 | 26 => drop(text(&mut bytes)?),
                38 => {
                    text(&mut bytes)?;
                    text(&mut bytes)?;
                }
                // Its length is unknown, so those behind it are lost too; the packet is not.
                _ => break,
            }
        }
        Ok(found)
    }
}

/// What a CONNECT says. Texts are at most 65,535 bytes long.
#[derive(Debug)]
pub struct Connect<'a> {
    pub version: MqttVersion,
    pub client_id: &'a str,
    pub username: Option<&'a str>,
    pub password: Option<&'a str>,
    pub clean: bool,
    /// Seconds, 0 for none.
    pub keep_alive: u16,
    /// Seconds that the session outlives the connection. Only MQTT 5 says it.
    pub session_expiry: u32,
}

impl Connect<'_> {
    pub fn write(&self, out: &mut BytesMut) {
        let mut body = BytesMut::new();
        put_text(&mut body, "MQTT");
        body.put_u8(if self.version == MqttVersion::V5 { 5 } else { 4 });
        let flag = |set: bool, bit: u8| u8::from(set) << bit;
        body.put_u8(
            flag(self.username.is_some(), 7)
                | flag(self.password.is_some(), 6)
                | flag(self.clean, 1),
        );
        body.put_u16(self.keep_alive);
        if self.version == MqttVersion::V5 {
            // Absent means 0: the session would end with the connection. No alias is allowed and no
            // packet size named: a broker drops what is larger without a word.
            body.put_u8(5);
            body.put_u8(17);
            body.put_u32(self.session_expiry);
        }
        put_text(&mut body, self.client_id);
        for text in [self.username, self.password].into_iter().flatten() {
            put_text(&mut body, text);
        }
        put_packet(out, 0x10, &body);
    }
}

/// Writes one SUBSCRIBE for several filters, at least one.
pub fn write_subscribe<'a>(
    out: &mut BytesMut,
    version: MqttVersion,
    id: u16,
    filters: impl IntoIterator<Item = &'a str>,
    qos: u8,
) {
    let mut body = BytesMut::new();
    body.put_u16(id);
    if version == MqttVersion::V5 {
        body.put_u8(0);
    }
    for filter in filters {
        put_text(&mut body, filter);
        // The other options of MQTT 5 stay 0: retained messages come at every subscription.
        body.put_u8(qos);
    }
    put_packet(out, 0x82, &body);
}

/// What answers a message, or a packet about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Ack {
    /// PUBACK, the only answer at `QoS` 1.
    Taken = 0x40,
    /// PUBREC, the first at `QoS` 2.
    Received = 0x50,
    /// PUBCOMP, the last at `QoS` 2.
    Complete = 0x70,
}

/// Writes an answer. Its short form is the same in both versions.
pub fn write_ack(out: &mut BytesMut, ack: Ack, id: u16) {
    let [high, low] = id.to_be_bytes();
    out.extend_from_slice(&[ack as u8, 2, high, low]);
}

fn put_packet(out: &mut BytesMut, first: u8, body: &[u8]) {
    out.put_u8(first);
    let mut rest = body.len();
    loop {
        let low = u8::try_from(rest & 0x7F).expect("seven bits fit");
        rest >>= 7;
        out.put_u8(if rest > 0 { low | 0x80 } else { low });
        if rest == 0 {
            break;
        }
    }
    out.extend_from_slice(body);
}

fn put_text(out: &mut BytesMut, text: &str) {
    out.put_u16(u16::try_from(text.len()).expect("lengths are checked when a session is made"));
    out.extend_from_slice(text.as_bytes());
}

const SHORT: Malformed = Malformed("a packet shorter than it says");

/// Reads a number of up to four bytes and their count, `None` while bytes are missing (§2.2.3).
fn varint(bytes: &[u8]) -> Result<Option<(usize, usize)>, Malformed> {
    let mut value = 0;
    for (place, &byte) in bytes.iter().take(4).enumerate() {
        value |= usize::from(byte & 0x7F) << (7 * place);
        if byte & 0x80 == 0 {
            return Ok(Some((value, place + 1)));
        }
    }
    if bytes.len() < 4 { Ok(None) } else { Err(Malformed("a length of more than four bytes")) }
}

fn take_varint(bytes: &mut Bytes) -> Result<usize, Malformed> {
    let (value, size) = varint(bytes)?.ok_or(SHORT)?;
    bytes.advance(size);
    Ok(value)
}

fn split(bytes: &mut Bytes, length: usize) -> Result<Bytes, Malformed> {
    if bytes.len() < length { Err(SHORT) } else { Ok(bytes.split_to(length)) }
}

fn byte(bytes: &mut Bytes) -> Result<u8, Malformed> {
    bytes.try_get_u8().map_err(|_| SHORT)
}

fn short(bytes: &mut Bytes) -> Result<u16, Malformed> {
    bytes.try_get_u16().map_err(|_| SHORT)
}

/// Reads bytes behind their length.
fn text(bytes: &mut Bytes) -> Result<Bytes, Malformed> {
    let length = short(bytes)?;
    split(bytes, length.into())
}

fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rumqttc::mqttbytes::v4;
    use rumqttc::v5::mqttbytes::v5;

    fn read(bytes: &[u8], version: MqttVersion) -> Result<Packet, Malformed> {
        let header = Header::read(bytes)?.expect("the test gives a whole packet");
        let body = Bytes::copy_from_slice(&bytes[header.size..]);
        assert_eq!(body.len(), header.body);
        Packet::read(header.first, body, version)
    }

    fn connect(version: MqttVersion) -> BytesMut {
        let mut out = BytesMut::new();
        let connect = Connect {
            version,
            client_id: "presence-1",
            username: Some("ann"),
            password: Some("pw"),
            clean: false,
            keep_alive: 3,
            session_expiry: 86_400,
        };
        connect.write(&mut out);
        out
    }

    /// The codec of another hand reads what is written here.
    #[test]
    fn what_is_written_is_what_the_standard_says() {
        let v4::Packet::Connect(read) =
            v4::Packet::read(&mut connect(MqttVersion::V311), 1 << 20).expect("it is well-formed")
        else {
            panic!("no CONNECT")
        };
        assert_eq!(
            (read.client_id.as_str(), read.clean_session, read.keep_alive),
            ("presence-1", false, 3)
        );
        assert_eq!(read.login, Some(v4::Login::new("ann", "pw")));

        let v5::Packet::Connect(read, None, Some(login)) =
            v5::Packet::read(&mut connect(MqttVersion::V5), None).expect("it is well-formed")
        else {
            panic!("no CONNECT with login and without will")
        };
        assert_eq!(
            (read.client_id.as_str(), read.clean_start, read.keep_alive),
            ("presence-1", false, 3)
        );
        let properties = read.properties.expect("it has some");
        assert_eq!(properties.session_expiry_interval, Some(86_400));
        assert_eq!(properties.topic_alias_max, None);
        assert_eq!((login.username.as_str(), login.password.as_str()), ("ann", "pw"));

        let long = "x".repeat(65_535);
        let filters = ["a/+", "$SYS/#", &long];
        let mut out = BytesMut::new();
        write_subscribe(&mut out, MqttVersion::V311, 7, filters, 1);
        let v4::Packet::Subscribe(read) = v4::Packet::read(&mut out, 1 << 20).expect("well-formed")
        else {
            panic!("no SUBSCRIBE")
        };
        assert!(read.filters.iter().map(|filter| filter.path.as_str()).eq(filters));
        assert_eq!(read.pkid, 7);
        write_subscribe(&mut out, MqttVersion::V5, 8, filters, 1);
        let v5::Packet::Subscribe(read) = v5::Packet::read(&mut out, None).expect("well-formed")
        else {
            panic!("no SUBSCRIBE")
        };
        assert!(read.filters.iter().map(|filter| filter.path.as_str()).eq(filters));

        write_ack(&mut out, Ack::Taken, 0x1234);
        let read = v5::Packet::read(&mut out, None).expect("it is well-formed");
        assert!(matches!(read, v5::Packet::PubAck(ack) if ack.pkid == 0x1234));
        assert!(out.is_empty());
    }

    #[test]
    fn a_refusal_in_the_old_form_is_read_by_the_new_version() {
        let refusal = ConnAck { code: 1, ..ConnAck::default() };
        assert_eq!(read(&[0x20, 2, 0, 1], MqttVersion::V5), Ok(Packet::ConnAck(refusal)));
    }

    #[test]
    fn a_disconnect_is_read_in_each_of_its_lengths() {
        let packet = |code, reason: Option<&str>| {
            Ok(Packet::Disconnect { code, reason: reason.map(ToOwned::to_owned) })
        };
        assert_eq!(read(&[0xE0, 0], MqttVersion::V5), packet(0, None));
        assert_eq!(read(&[0xE0, 1, 0x8E], MqttVersion::V5), packet(0x8E, None));
        assert_eq!(read(&[0xE0, 2, 0x8E, 0], MqttVersion::V5), packet(0x8E, None));
        let with_reason = [0xE0, 7, 0x8B, 5, 31, 0, 2, b'b', b'y'];
        assert_eq!(read(&with_reason, MqttVersion::V5), packet(0x8B, Some("by")));
    }

    #[test]
    fn properties_of_every_kind_are_stepped_over() {
        let properties: &[u8] = &[
            17, 0, 0, 0, 9, 33, 0, 20, 36, 1, 37, 1, 39, 0, 1, 0, 0, 18, 0, 1, b'i', 34, 0, 5, 38,
            0, 1, b'k', 0, 1, b'v', 40, 1, 41, 1, 42, 1, 26, 0, 0, 21, 0, 0, 22, 0, 0, 28, 0, 1,
            b's', 31, 0, 1, b'r', 19, 0, 7,
        ];
        let mut bytes = vec![0x20, u8::try_from(properties.len()).expect("short") + 3, 1, 0];
        bytes.push(u8::try_from(properties.len()).expect("short"));
        bytes.extend_from_slice(properties);
        let Ok(Packet::ConnAck(ack)) = read(&bytes, MqttVersion::V5) else { panic!("no CONNACK") };
        assert!(ack.session_present);
        assert_eq!(ack.properties.server_keep_alive, Some(7));
        assert_eq!(ack.properties.server_reference.as_deref(), Some("s"));
        assert_eq!(ack.properties.reason.as_deref(), Some("r"));
    }

    #[test]
    fn a_publish_is_read_in_both_versions() {
        let publish = |payload: &'static [u8]| {
            let topic = Bytes::from_static(b"a/b");
            let head = PublishHead { dup: true, qos: 1, retain: true, topic, id: 10 };
            Ok(Packet::Publish(Publish { head, payload: Bytes::from_static(payload) }))
        };
        let old = [0x3B, 9, 0, 3, b'a', b'/', b'b', 0, 10, 1, 2];
        assert_eq!(read(&old, MqttVersion::V311), publish(&[1, 2]));
        let new = [0x3B, 12, 0, 3, b'a', b'/', b'b', 0, 10, 2, 11, 5, 1, 2];
        assert_eq!(read(&new, MqttVersion::V5), publish(&[1, 2]));
    }

    #[test]
    fn no_bytes_make_reading_panic() {
        let samples: [&[u8]; 9] = [
            &[0x20, 2, 0, 0],
            &[0x20, 6, 0, 0, 3, 19, 0, 7],
            &[0x3B, 9, 0, 3, b'a', b'/', b'b', 0, 10, 1, 2],
            &[0x32, 12, 0, 3, b'a', b'/', b'b', 0, 10, 2, 11, 5, 1, 2],
            &[0x90, 5, 0, 1, 0, 1, 0x87],
            &[0x62, 2, 0, 9],
            &[0xD0, 0],
            &[0xE0, 7, 0x8B, 5, 31, 0, 2, b'b', b'y'],
            &[0xFF, 0xFF, 0xFF, 0xFF, 0xFF],
        ];
        let mut rng = fastrand::Rng::with_seed(7);
        for seed in 0..200_000 {
            let mut bytes = samples[rng.usize(..samples.len())].to_vec();
            for _ in 0..rng.usize(..4) {
                let place = rng.usize(..bytes.len());
                bytes[place] = rng.u8(..);
            }
            bytes.truncate(rng.usize(..=bytes.len()));
            let Ok(Some(header)) = Header::read(&bytes) else { continue };
            let body = Bytes::from(bytes).slice(header.size..);
            for version in [MqttVersion::V311, MqttVersion::V5] {
                let read = Packet::read(header.first, body.clone(), version);
                assert!(read.is_ok() || !read.expect_err("it failed").0.is_empty(), "seed {seed}");
            }
        }
    }

    #[test]
    fn a_length_ends_after_four_bytes() {
        assert_eq!(Header::read(&[]), Ok(None));
        assert_eq!(Header::read(&[0x30]), Ok(None));
        assert_eq!(Header::read(&[0x30, 0xFF, 0xFF, 0xFF]), Ok(None));
        let largest = Header { first: 0x30, size: 5, body: 268_435_455 };
        assert_eq!(Header::read(&[0x30, 0xFF, 0xFF, 0xFF, 0x7F, 9]), Ok(Some(largest)));
        assert!(Header::read(&[0x30, 0xFF, 0xFF, 0xFF, 0xFF]).is_err());
    }
}
