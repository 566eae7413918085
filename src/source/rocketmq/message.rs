//! Messages as a broker of RocketMQ stores and sends them.
//!
//! Big endian: size, magic, checksum, queue, flag, offset in the queue, offset in the log, system flag, born at
//! and where, stored at and where, times of redelivery, offset of a transaction, body, topic, properties.
//! Source: apache/rocketmq `MessageDecoder` (5.3), and what brokers of 4.9.7 and 5.3.3 were seen to send.

use crate::source::kept::Unreadable;
use std::borrow::Cow;
use std::fmt;
use std::io::Read;

/// One message. All texts come from strangers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stored<'a> {
    pub queue: u32,
    /// Its place in the queue.
    pub offset: i64,
    /// On the sender's clock, ms.
    pub born_ms: i64,
    /// On the broker's clock, ms.
    pub stored_ms: i64,
    /// How often somebody took it and gave it back.
    pub reconsumed: i32,
    flags: u32,
    /// Where the broker that stored it is: address and port, as they came.
    store_host: &'a [u8],
    log_offset: i64,
    body: &'a [u8],
    properties: &'a [u8],
}

/// The messages of an answer, one after the other.
#[derive(Clone, Debug)]
pub struct Messages<'a> {
    rest: &'a [u8],
}

const MAGIC: u32 = 0xDAA3_20A7;
/// Of messages whose topic has two bytes of length.
const MAGIC_LONG_TOPIC: u32 = 0xDAA3_20A8;

const COMPRESSED: u32 = 1;
const BORN_V6: u32 = 1 << 4;
const STORED_V6: u32 = 1 << 5;
/// Several messages as one, which only clients of such queues take apart.
const INNER_BATCH: u32 = 1 << 7;
const COMPRESSION_SHIFT: u32 = 8;
const COMPRESSION_MASK: u32 = 0b111;

/// The longest body once it is expanded, in bytes. Brokers take in no longer message unless told to.
const BODY_MAX: usize = 4 << 20;
/// The longest name or key that is handed out, in bytes.
pub const NAME_MAX: usize = 255;

impl<'a> Messages<'a> {
    pub const fn of(body: &'a [u8]) -> Self {
        Self { rest: body }
    }
}

impl<'a> Iterator for Messages<'a> {
    type Item = Result<Stored<'a>, Unreadable>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let split = |rest: &'a [u8]| {
            let size = usize::try_from(u32::from_be_bytes(*rest.first_chunk()?)).ok()?;
            (size >= 4).then(|| rest.split_at_checked(size))?
        };
        let Some((message, rest)) = split(self.rest) else {
            self.rest = &[];
            return Some(Err(Unreadable("a message is cut off".to_owned())));
        };
        self.rest = rest;
        Some(read(message).unwrap_or_else(|| {
            Err(Unreadable("a message is not in the form of RocketMQ's".to_owned()))
        }))
    }
}

fn read(message: &[u8]) -> Option<Result<Stored<'_>, Unreadable>> {
    let mut bytes = Cursor(message.get(4..)?);
    let magic = u32::from_be_bytes(bytes.take()?);
    if ![MAGIC, MAGIC_LONG_TOPIC].contains(&magic) {
        return Some(Err(Unreadable(format!("a message has the unknown form {magic:08x}"))));
    }
    let _checksum: [u8; 4] = bytes.take()?;
    let queue = u32::from_be_bytes(bytes.take()?);
    let _flag: [u8; 4] = bytes.take()?;
    let offset = i64::from_be_bytes(bytes.take()?);
    let log_offset = i64::from_be_bytes(bytes.take()?);
    let flags = u32::from_be_bytes(bytes.take()?);
    let born_ms = i64::from_be_bytes(bytes.take()?);
    bytes.piece(host_length(flags & BORN_V6 != 0))?;
    let stored_ms = i64::from_be_bytes(bytes.take()?);
    let store_host = bytes.piece(host_length(flags & STORED_V6 != 0))?;
    let reconsumed = i32::from_be_bytes(bytes.take()?);
    let _transaction: [u8; 8] = bytes.take()?;
    let length = u32::from_be_bytes(bytes.take()?);
    let body = bytes.piece(usize::try_from(length).ok()?)?;
    let topic_length = if magic == MAGIC_LONG_TOPIC {
        u16::from_be_bytes(bytes.take()?)
    } else {
        u8::from_be_bytes(bytes.take()?).into()
    };
    bytes.piece(topic_length.into())?;
    let length = u16::from_be_bytes(bytes.take()?);
    let properties = bytes.piece(length.into())?;
    Some(Ok(Stored {
        queue,
        offset,
        born_ms,
        stored_ms,
        reconsumed,
        flags,
        store_host,
        log_offset,
        body,
        properties,
    }))
}

/// Returns the bytes of an address and its port.
const fn host_length(is_v6: bool) -> usize {
    if is_v6 { 20 } else { 8 }
}

/// Bytes of which some are taken after the other.
struct Cursor<'a>(&'a [u8]);

impl<'a> Cursor<'a> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (taken, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*taken)
    }

    fn piece(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }
}

impl<'a> Stored<'a> {
    /// Returns the tag; none is as good as an empty one.
    pub fn tag(&self) -> Option<Cow<'a, str>> {
        self.property(b"TAGS").filter(|tag| !tag.is_empty())
    }

    /// Returns the keys, separated by blanks.
    pub fn keys(&self) -> Option<Cow<'a, str>> {
        self.property(b"KEYS").filter(|keys| !keys.is_empty())
    }

    /// Returns the id that its sender gave it, or else the one of where it is stored, as RocketMQ's own tools
    /// show it.
    pub fn id(&self) -> Cow<'a, str> {
        self.property(b"UNIQ_KEY").unwrap_or_else(|| {
            let offset = self.log_offset.to_be_bytes();
            let digits = |byte: &u8| format!("{byte:02X}");
            Cow::Owned(self.store_host.iter().chain(&offset).map(digits).collect())
        })
    }

    /// Returns a property, cut to [`NAME_MAX`].
    fn property(&self, name: &[u8]) -> Option<Cow<'a, str>> {
        let mut pairs = self.properties.split(|byte| *byte == PAIR_END);
        let value = pairs.find_map(|pair| pair.strip_prefix(name)?.strip_prefix(&[NAME_END]))?;
        Some(String::from_utf8_lossy(&value[..value.len().min(NAME_MAX)]))
    }

    /// Returns the body, expanded.
    ///
    /// Errors: compressed in a way that is not known, damaged, or too long.
    pub fn body(&self) -> Result<Cow<'a, [u8]>, Unreadable> {
        if self.flags & INNER_BATCH != 0 {
            return Err(Unreadable("it is several messages in one".to_owned()));
        }
        if self.flags & COMPRESSED == 0 {
            return Ok(Cow::Borrowed(self.body));
        }
        match self.flags >> COMPRESSION_SHIFT & COMPRESSION_MASK {
            // Clients before 4.9.4 do not say it.
            0 | 3 => expand("zlib", flate2::read::ZlibDecoder::new(self.body)),
            1 => expand("LZ4", lz4_flex::frame::FrameDecoder::new(self.body)),
            2 => match zstd::Decoder::with_buffer(self.body) {
                Ok(decoder) => expand("Zstandard", decoder),
                Err(error) => Err(damaged("Zstandard", &error)),
            },
            other => Err(Unreadable(format!(
                "its body is compressed in a way that is not known here (kind {other})"
            ))),
        }
    }
}

fn expand(name: &str, decoder: impl Read) -> Result<Cow<'static, [u8]>, Unreadable> {
    let mut body = Vec::new();
    decoder
        .take(BODY_MAX as u64 + 1)
        .read_to_end(&mut body)
        .map_err(|error| damaged(name, &error))?;
    if body.len() > BODY_MAX {
        return Err(Unreadable(format!(
            "its body, compressed with {name}, has more than {BODY_MAX} bytes"
        )));
    }
    Ok(Cow::Owned(body))
}

fn damaged(name: &str, error: &dyn fmt::Display) -> Unreadable {
    Unreadable(format!("its body, compressed with {name}, is damaged: {error}"))
}

/// What ends the name of a property, and what ends its value.
const NAME_END: u8 = 1;
const PAIR_END: u8 = 2;

#[cfg(test)]
mod tests {
    use super::*;

    const PROPERTIES: &[u8] = b"UNIQ_KEY\x01ID\x02TAGS\x01connect\x02KEYS\x01a b";

    /// Returns a message as a broker of 4.9 stores it.
    fn stored(flags: u32, body: &[u8], properties: &[u8]) -> Vec<u8> {
        let mut message = Vec::new();
        message.extend(MAGIC.to_be_bytes());
        message.extend([0; 4]);
        message.extend(3_u32.to_be_bytes());
        message.extend([0; 4]);
        message.extend(41_i64.to_be_bytes());
        message.extend(0x1234_i64.to_be_bytes());
        message.extend(flags.to_be_bytes());
        message.extend(1_000_i64.to_be_bytes());
        message.extend(vec![9; host_length(flags & BORN_V6 != 0)]);
        message.extend(1_002_i64.to_be_bytes());
        message.extend([127, 0, 0, 1, 0, 0, 0x2a, 0x9f]);
        message.extend(2_i32.to_be_bytes());
        message.extend([0; 8]);
        message.extend(u32::try_from(body.len()).expect("it is short").to_be_bytes());
        message.extend(body);
        message.extend(b"\x05topic");
        message.extend(u16::try_from(properties.len()).expect("they are short").to_be_bytes());
        message.extend(properties);
        let size = u32::try_from(message.len() + 4).expect("it is short");
        [&size.to_be_bytes()[..], &message].concat()
    }

    fn only(message: &[u8]) -> Stored<'_> {
        let mut messages = Messages::of(message);
        let stored = messages.next().expect("there is one").expect("it can be read");
        assert_eq!(messages.next(), None);
        stored
    }

    #[test]
    fn all_of_a_message_is_read() {
        for flags in [0, BORN_V6] {
            let message = stored(flags, b"body", PROPERTIES);
            let stored = only(&message);
            assert_eq!((stored.queue, stored.offset, stored.reconsumed), (3, 41, 2));
            assert_eq!((stored.born_ms, stored.stored_ms), (1_000, 1_002));
            assert_eq!(
                (stored.tag().as_deref(), stored.keys().as_deref()),
                (Some("connect"), Some("a b"))
            );
            assert_eq!((&*stored.id(), stored.body().as_deref()), ("ID", Ok(&b"body"[..])));
        }
    }

    #[test]
    fn a_message_without_properties_is_called_by_its_place() {
        let message = stored(0, b"", b"");
        let stored = only(&message);
        assert_eq!((stored.tag(), stored.keys()), (None, None));
        assert_eq!(stored.id(), "7F00000100002A9F0000000000001234");
    }

    #[test]
    fn several_are_read_one_after_the_other_up_to_one_that_is_cut_off() {
        let two = [stored(0, b"one", PROPERTIES), stored(0, b"two", PROPERTIES)].concat();
        assert_eq!(Messages::of(&two).flatten().count(), 2);
        for length in 0..two.len() {
            let read: Vec<_> = Messages::of(&two[..length]).collect();
            assert!(read.len() <= 2, "{length}");
            let whole = usize::from(length >= two.len() / 2);
            assert_eq!(read.iter().filter(|one| one.is_ok()).count(), whole, "{length}");
            assert_eq!(read.len() > whole, !length.is_multiple_of(two.len() / 2), "{length}");
        }
    }

    #[test]
    fn whatever_stands_in_a_message_it_is_read_or_refused() {
        let whole = stored(COMPRESSED | 0x300, b"body", PROPERTIES);
        for at in 4..whole.len() {
            for byte in [0, 1, 0x7f, 0xff] {
                let mut message = whole.clone();
                message[at] = byte;
                for stored in Messages::of(&message).flatten() {
                    let _ = (stored.tag(), stored.keys(), stored.id(), stored.body());
                }
            }
        }
    }

    #[test]
    fn what_is_compressed_is_expanded_or_said_to_be_so() {
        for (flags, body, why) in [
            (COMPRESSED, &b"no zlib"[..], "zlib, is damaged"),
            (COMPRESSED | 0x300, b"no zlib", "zlib, is damaged"),
            (COMPRESSED | 0x100, b"no lz4", "LZ4, is damaged"),
            (COMPRESSED | 0x200, b"no zstd", "Zstandard, is damaged"),
            (COMPRESSED | 0x500, b"", "not known here (kind 5)"),
            (INNER_BATCH, b"", "several messages in one"),
        ] {
            let message = stored(flags, body, b"");
            let unreadable = only(&message).body().expect_err(why);
            assert!(unreadable.0.contains(why), "{unreadable}");
        }
        let bomb = zstd::encode_all(&vec![b' '; BODY_MAX + 1][..], 1).expect("it is in memory");
        let message = stored(COMPRESSED | 0x200, &bomb, b"");
        assert!(only(&message).body().is_err_and(|why| why.0.contains("more than")));
    }
}
