//! Frames of AMQP 0-9-1 as bytes: as much of them as a listener needs.
//!
//! Pure. What was read comes from strangers: every length is checked before it is used.
//!
//! Source: AMQP 0-9-1 specification §4.2, and RabbitMQ's errata of its field types.

use super::table::{self, Properties};
use bytes::{Buf, Bytes, BytesMut};
use serde_json::{Map, Value};

/// What a client sends first.
pub const GREETING: &[u8] = b"AMQP\x00\x00\x09\x01";
/// A frame that says only that we are there.
pub const HEARTBEAT: &[u8] = &[8, 0, 0, 0, 0, 0, 0, END];

/// One frame, or what it holds.
#[derive(Clone, Debug, PartialEq)]
pub enum Frame {
    Method(Method),
    /// What comes before a body: its size, and what is said beside it.
    Header {
        size: u64,
        properties: Properties,
    },
    Body(Bytes),
    Heartbeat,
}

/// What a broker says.
#[derive(Clone, Debug, PartialEq)]
pub enum Method {
    Start {
        mechanisms: String,
    },
    Tune {
        channel_max: u16,
        frame_max: u32,
        heartbeat: u16,
    },
    OpenOk,
    /// The end of the connection, or of the channel.
    Close {
        of_channel: bool,
        code: u16,
        text: String,
    },
    ChannelOpenOk,
    QueueDeclareOk {
        queue: String,
    },
    QueueBindOk,
    QosOk,
    ConsumeOk,
    /// The broker has taken the subscription back.
    Cancel,
    Deliver(Delivery),
    /// Another one, by class and method.
    Other(u16, u16),
}

/// Where a message comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    pub tag: u64,
    pub redelivered: bool,
    pub exchange: String,
    pub routing_key: String,
}

/// Why bytes are no frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Malformed(pub &'static str);

/// Takes the next frame out of the buffer; `None` if it is not there as a whole yet.
pub fn read(input: &mut BytesMut, frame_max: usize) -> Result<Option<Frame>, Malformed> {
    // What a broker says to whom it does not understand, in place of a frame.
    if input.first().is_some_and(|first| !matches!(first, 1..=3 | 8)) {
        return Err(Malformed(if input.starts_with(b"AMQP") {
            "it speaks another version of AMQP"
        } else if input.starts_with(b"HTTP") {
            "what answered speaks HTTP, not AMQP"
        } else {
            "what answered does not speak AMQP"
        }));
    }
    let Some(head) = input.get(..HEAD) else { return Ok(None) };
    let kind = head[0];
    let size = u32::from_be_bytes([head[3], head[4], head[5], head[6]]);
    let size = usize::try_from(size).unwrap_or(usize::MAX);
    if size > frame_max {
        return Err(Malformed("a frame is longer than was agreed on"));
    }
    if input.len() <= HEAD + size {
        return Ok(None);
    }
    input.advance(HEAD);
    let payload = input.split_to(size).freeze();
    if input.get_u8() != END {
        return Err(Malformed("a frame does not end where it says"));
    }
    let mut fields = Fields(&payload);
    Ok(Some(match kind {
        1 => Frame::Method(fields.method()?),
        2 => {
            let (_class, _weight) = (fields.u16()?, fields.u16()?);
            Frame::Header { size: fields.u64()?, properties: table::properties(&mut fields)? }
        }
        3 => Frame::Body(payload),
        _ => Frame::Heartbeat,
    }))
}

/// What is left of a payload.
#[derive(Debug)]
pub(super) struct Fields<'a>(pub &'a [u8]);

impl<'a> Fields<'a> {
    fn method(&mut self) -> Result<Method, Malformed> {
        Ok(match (self.u16()?, self.u16()?) {
            (10, 10) => {
                let (_major, _minor) = (self.u8()?, self.u8()?);
                self.long()?;
                Method::Start { mechanisms: lossy(self.long()?) }
            }
            (10, 30) => Method::Tune {
                channel_max: self.u16()?,
                frame_max: self.u32()?,
                heartbeat: self.u16()?,
            },
            (10, 41) => Method::OpenOk,
            (class @ (10 | 20), 40 | 50) => Method::Close {
                of_channel: class == 20,
                code: self.u16()?,
                text: lossy(self.short()?),
            },
            (20, 11) => Method::ChannelOpenOk,
            (50, 11) => Method::QueueDeclareOk { queue: lossy(self.short()?) },
            (50, 21) => Method::QueueBindOk,
            (60, 11) => Method::QosOk,
            (60, 21) => Method::ConsumeOk,
            (60, 30) => Method::Cancel,
            (60, 60) => {
                self.short()?;
                Method::Deliver(Delivery {
                    tag: self.u64()?,
                    redelivered: self.u8()? & 1 == 1,
                    exchange: lossy(self.short()?),
                    routing_key: lossy(self.short()?),
                })
            }
            (class, method) => Method::Other(class, method),
        })
    }

    pub(super) fn take(&mut self, count: usize) -> Result<&'a [u8], Malformed> {
        let (taken, rest) = self.0.split_at_checked(count).ok_or(SHORT)?;
        self.0 = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Malformed> {
        self.take(N)?.try_into().map_err(|_| SHORT)
    }

    pub(super) fn u8(&mut self) -> Result<u8, Malformed> {
        self.array().map(u8::from_be_bytes)
    }

    pub(super) fn u16(&mut self) -> Result<u16, Malformed> {
        self.array().map(u16::from_be_bytes)
    }

    pub(super) fn u32(&mut self) -> Result<u32, Malformed> {
        self.array().map(u32::from_be_bytes)
    }

    pub(super) fn u64(&mut self) -> Result<u64, Malformed> {
        self.array().map(u64::from_be_bytes)
    }

    /// A text of at most 255 bytes.
    pub(super) fn short(&mut self) -> Result<&'a [u8], Malformed> {
        let length = self.u8()?;
        self.take(length.into())
    }

    pub(super) fn long(&mut self) -> Result<&'a [u8], Malformed> {
        let length = self.u32()?;
        self.take(usize::try_from(length).unwrap_or(usize::MAX))
    }
}

/// A method that we send.
#[derive(Debug)]
pub struct Sent(Vec<u8>);

impl Sent {
    fn new(channel: u16, class: u16, method: u16) -> Self {
        let mut bytes = vec![1];
        bytes.extend(channel.to_be_bytes());
        bytes.extend([0; 4]);
        bytes.extend(class.to_be_bytes());
        bytes.extend(method.to_be_bytes());
        Self(bytes)
    }

    /// Answers a greeting with who we are, and with more that is said of the client. No text holds a NUL.
    #[must_use]
    pub fn start_ok(name: &str, user: &str, password: &str, more: &[(&str, &str)]) -> Vec<u8> {
        let capabilities = Map::from_iter([
            ("consumer_cancel_notify".to_owned(), Value::Bool(true)),
            // Else a wrong password is told by the end of the connection alone.
            ("authentication_failure_close".to_owned(), Value::Bool(true)),
        ]);
        let mut properties = Map::from_iter([
            ("product".to_owned(), "presence".into()),
            ("version".to_owned(), env!("CARGO_PKG_VERSION").into()),
            ("connection_name".to_owned(), name.into()),
            ("capabilities".to_owned(), Value::Object(capabilities)),
        ]);
        properties.extend(more.iter().map(|(key, value)| ((*key).to_owned(), (*value).into())));
        let sent = Self::new(0, 10, 11).table(&properties).short("PLAIN");
        sent.long(format!("\0{user}\0{password}").as_bytes()).short("en_US").done()
    }

    #[must_use]
    pub fn tune_ok(channel_max: u16, frame_max: u32, heartbeat: u16) -> Vec<u8> {
        let sent = Self::new(0, 10, 31).u16(channel_max);
        sent.bytes(&frame_max.to_be_bytes()).u16(heartbeat).done()
    }

    #[must_use]
    pub fn open(vhost: &str) -> Vec<u8> {
        Self::new(0, 10, 40).short(vhost).short("").bytes(&[0]).done()
    }

    /// Ends the connection.
    #[must_use]
    pub fn close() -> Vec<u8> {
        Self::new(0, 10, 50).u16(200).short("done").u16(0).u16(0).done()
    }

    /// Answers the end of the connection, or of the channel.
    #[must_use]
    pub fn close_ok(of_channel: bool) -> Vec<u8> {
        if of_channel { Self::new(CHANNEL, 20, 41).done() } else { Self::new(0, 10, 51).done() }
    }

    #[must_use]
    pub fn channel_open() -> Vec<u8> {
        Self::new(CHANNEL, 20, 10).short("").done()
    }

    /// Asks for a queue that the broker names, that nobody else can read, and that goes with the connection.
    #[must_use]
    pub fn queue_declare() -> Vec<u8> {
        const EXCLUSIVE_AND_AUTO_DELETE: u8 = 0b0000_1100;
        let sent = Self::new(CHANNEL, 50, 10).u16(0).short("");
        sent.bytes(&[EXCLUSIVE_AND_AUTO_DELETE]).table(&Map::new()).done()
    }

    #[must_use]
    pub fn queue_bind(queue: &str, exchange: &str, routing_key: &str) -> Vec<u8> {
        let sent = Self::new(CHANNEL, 50, 20).u16(0).short(queue).short(exchange);
        sent.short(routing_key).bytes(&[0]).table(&Map::new()).done()
    }

    /// Says how many messages may be on their way to us.
    #[must_use]
    pub fn qos(count: u16) -> Vec<u8> {
        Self::new(CHANNEL, 60, 10).bytes(&[0; 4]).u16(count).bytes(&[0]).done()
    }

    /// Asks for what is in a queue, and to be the only one that gets it.
    #[must_use]
    pub fn consume(queue: &str) -> Vec<u8> {
        const EXCLUSIVE: u8 = 0b0000_0100;
        let sent = Self::new(CHANNEL, 60, 20).u16(0).short(queue).short("");
        sent.bytes(&[EXCLUSIVE]).table(&Map::new()).done()
    }

    /// Asks for what is in a queue that others may read as well, with a word about which of it.
    #[must_use]
    pub fn consume_some(queue: &str, (key, value): (&str, &str)) -> Vec<u8> {
        let which = Map::from_iter([(key.to_owned(), value.into())]);
        let sent = Self::new(CHANNEL, 60, 20).u16(0).short(queue).short("");
        sent.bytes(&[0]).table(&which).done()
    }

    /// Says that everything up to this message is here.
    #[must_use]
    pub fn ack(tag: u64) -> Vec<u8> {
        Self::new(CHANNEL, 60, 80).bytes(&tag.to_be_bytes()).bytes(&[1]).done()
    }

    /// Gives a message up: it is not to come again, to nobody.
    #[must_use]
    pub fn reject(tag: u64) -> Vec<u8> {
        Self::new(CHANNEL, 60, 90).bytes(&tag.to_be_bytes()).bytes(&[0]).done()
    }

    fn bytes(mut self, bytes: &[u8]) -> Self {
        self.0.extend_from_slice(bytes);
        self
    }

    fn u16(self, value: u16) -> Self {
        self.bytes(&value.to_be_bytes())
    }

    fn short(self, text: &str) -> Self {
        // Names that we send are short, or were checked.
        let length = u8::try_from(text.len()).unwrap_or(u8::MAX);
        self.bytes(&[length]).bytes(&text.as_bytes()[..length.into()])
    }

    fn long(self, bytes: &[u8]) -> Self {
        let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
        self.bytes(&length.to_be_bytes()).bytes(bytes)
    }

    /// A table of texts, of yes and no, and of such tables.
    fn table(self, entries: &Map<String, Value>) -> Self {
        let mut inner = Self(Vec::new());
        for (key, value) in entries {
            inner = inner.short(key);
            inner = match value {
                Value::Bool(value) => inner.bytes(&[b't', u8::from(*value)]),
                Value::Object(table) => inner.bytes(b"F").table(table),
                value => inner.bytes(b"S").long(value.as_str().unwrap_or_default().as_bytes()),
            };
        }
        self.long(&inner.0)
    }

    fn done(mut self) -> Vec<u8> {
        let size = u32::try_from(self.0.len() - HEAD).unwrap_or(u32::MAX);
        self.0[3..HEAD].copy_from_slice(&size.to_be_bytes());
        self.0.push(END);
        self.0
    }
}

fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// The one channel that is used.
const CHANNEL: u16 = 1;
const HEAD: usize = 7;
const END: u8 = 0xCE;
const SHORT: Malformed = Malformed("a frame ends before what it should hold");
pub(super) const DEEP: Malformed = Malformed("tables within tables are too deep");
pub(super) const UNKNOWN: Malformed = Malformed("a table holds a value of an unknown kind");

#[cfg(test)]
mod tests {
    use super::*;

    fn frames(bytes: &[u8]) -> Result<Vec<Frame>, Malformed> {
        let mut input = BytesMut::from(bytes);
        let mut frames = Vec::new();
        while let Some(frame) = read(&mut input, 4096)? {
            frames.push(frame);
        }
        Ok(frames)
    }

    #[test]
    fn frames_are_read_one_after_the_other_and_in_pieces() {
        let deliver = [1, 0, 1, 0, 0, 0, 22, 0, 60, 0, 60, 1, b't', 0, 0, 0, 0, 0, 0, 0, 7, 1]
            .into_iter()
            .chain([2, b'e', b'x', 3, b'a', b'.', b'b', END]);
        let bytes: Vec<u8> = deliver.chain(HEARTBEAT.iter().copied()).collect();
        let delivery = Delivery {
            tag: 7,
            redelivered: true,
            exchange: "ex".to_owned(),
            routing_key: "a.b".to_owned(),
        };
        let expected = [Frame::Method(Method::Deliver(delivery)), Frame::Heartbeat];
        assert_eq!(frames(&bytes), Ok(expected.to_vec()));
        for cut in 0..bytes.len() {
            assert!(frames(&bytes[..cut]).is_ok(), "{cut}");
        }
    }

    #[test]
    fn what_is_no_frame_is_told() {
        for (bytes, cause) in [
            (&b"AMQP\x00\x01\x00\x00"[..], "another version"),
            (b"HTTP/1.1 400 ", "speaks HTTP"),
            (b"\x15\x03\x01", "does not speak AMQP"),
            (&[8, 0, 0, 0, 0, 0, 0, 0], "does not end"),
            (&[1, 0, 0, 0xFF, 0, 0, 0], "longer"),
            (&[1, 0, 0, 0, 0, 0, 2, 0, 10, END], "ends before"),
        ] {
            let Malformed(found) = frames(bytes).expect_err(cause);
            assert!(found.contains(cause), "{found}");
        }
    }

    #[test]
    fn a_method_that_is_sent_says_how_long_it_is() {
        let mut sent = BytesMut::from(&Sent::queue_bind("q", "e", "k.*")[..]);
        assert_eq!(read(&mut sent, 4096), Ok(Some(Frame::Method(Method::Other(50, 20)))));
        assert!(sent.is_empty());
        let start = Sent::start_ok("me", "u", "p", &[("signKey", "17")]);
        let holds = |part: &[u8]| start.windows(part.len()).any(|found| found == part);
        assert!(holds(b"\0u\0p") && holds(b"\x07signKeyS\0\0\0\x0217"));
        let consume = Sent::consume_some("STATUS", ("GROUP_ID", "GID_a"));
        let expected = b"\x06STATUS\0\0\0\0\0\x13\x08GROUP_IDS\0\0\0\x05GID_a\xCE";
        assert!(consume.ends_with(expected), "{consume:?}");
        assert_eq!(Sent::reject(7)[7..], [0, 60, 0, 90, 0, 0, 0, 0, 0, 0, 0, 7, 0, END]);
    }

    /// Bytes that are nearly frames, from a seed.
    #[test]
    fn no_bytes_make_it_panic() {
        for seed in 0..20_000 {
            let mut random = fastrand::Rng::with_seed(seed);
            let size = random.u8(0..80);
            let mut bytes = vec![random.u8(1..=3), 0, 1, 0, 0, 0, size];
            bytes.extend(
                std::iter::repeat_with(|| match random.u8(0..4) {
                    0 => random.u8(..),
                    1 => *b"tSFAlVx".get(usize::from(random.u8(0..7))).unwrap_or(&0),
                    _ => random.u8(0..70),
                })
                .take(size.into()),
            );
            bytes.push(END);
            let _ = frames(&bytes);
        }
    }
}
