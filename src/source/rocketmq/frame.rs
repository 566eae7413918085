//! Frames of RocketMQ's remoting protocol: requests as bytes, bytes as answers.
//!
//! A frame is the length of the rest (u32), the length of the header (24 bits) with the header's format in
//! the byte before it, the header, and a body. We send headers in JSON; servers answer in the format of
//! their own choice. Source: apache/rocketmq `RemotingCommand`, `RocketMQSerializable` (5.3), and as 4.9.7
//! and 5.3.3 were seen to answer.

use bytes::{Buf as _, Bytes, BytesMut};
use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

/// The longest frame that is taken in, in bytes: what servers take in themselves.
const FRAME_MAX: usize = 16 << 20;
/// The longest text of an answer that is kept, in bytes.
const TEXT_MAX: usize = 1_000;
/// Below 401 (4.9.4) servers write integer keys without quotes; this is 5.3.3.
const VERSION: u16 = 479;
/// The bit of `flag` that tells an answer from a request.
const IS_ANSWER: i64 = 1;

/// The fields of a request or an answer, in the order in which a signature reads them.
pub type Fields = BTreeMap<Cow<'static, str>, String>;

/// What a server said: an answer to one of our requests, or a request of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    pub is_answer: bool,
    /// What an answer means, or what a request is for.
    pub code: i64,
    /// The number of the request.
    pub opaque: i64,
    pub remark: String,
    pub fields: Fields,
    pub body: Bytes,
}

impl Frame {
    /// Returns a field that is a number.
    pub fn number(&self, name: &str) -> Option<i64> {
        self.fields.get(name)?.parse().ok()
    }
}

/// Bytes that are no frame, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Malformed(pub String);

impl Malformed {
    fn new(why: impl Into<String>) -> Self {
        Self(why.into())
    }
}

/// Returns a request as bytes. An answer to it carries the number `opaque`.
pub fn request(code: u16, opaque: u32, fields: &Fields, body: &[u8]) -> Vec<u8> {
    let header =
        RequestHeader { code, language: "OTHER", version: VERSION, opaque, flag: 0, fields };
    let header = serde_json::to_vec(&header).expect("texts and numbers are always JSON");
    let mut bytes = Vec::with_capacity(8 + header.len() + body.len());
    // Requests are short: a topic, a group, a few numbers, or a heart-beat.
    bytes.extend(word(4 + header.len() + body.len()));
    bytes.extend(word(header.len()));
    bytes.extend(header);
    bytes.extend(body);
    bytes
}

#[derive(Serialize)]
struct RequestHeader<'a> {
    code: u16,
    language: &'static str,
    version: u16,
    opaque: u32,
    flag: u8,
    #[serde(rename = "extFields")]
    fields: &'a Fields,
}

fn word(length: usize) -> [u8; 4] {
    u32::try_from(length).unwrap_or(u32::MAX).to_be_bytes()
}

/// Takes the first frame out of what came in, `None` until it is whole.
///
/// Errors: a length that no server sends, a header that is none. What follows cannot be read then.
pub fn read(input: &mut BytesMut) -> Result<Option<Frame>, Malformed> {
    let Some((length, rest)) = input.split_first_chunk::<4>() else { return Ok(None) };
    let length = u32::from_be_bytes(*length) as usize;
    if !(4..=FRAME_MAX).contains(&length) {
        return Err(Malformed::new(format!("it began a frame of {length} bytes")));
    }
    if rest.len() < length {
        input.reserve(4 + length - input.len());
        return Ok(None);
    }
    let mut frame = input.split_to(4 + length).freeze();
    frame.advance(4);
    let word = frame.get_u32();
    let header_length = (word & 0x00ff_ffff) as usize;
    if header_length > frame.len() {
        return Err(Malformed::new("the header of a frame is longer than the frame"));
    }
    let header = frame.split_to(header_length);
    let header = match word >> 24 {
        0 => json_header(&header)?,
        1 => binary_header(&header)
            .ok_or_else(|| Malformed::new("the header of a frame is cut off"))?,
        other => {
            return Err(Malformed::new(format!("the header of a frame is of the kind {other}")));
        }
    };
    let Header { code, opaque, flag, remark, fields } = header;
    Ok(Some(Frame { is_answer: flag & IS_ANSWER != 0, code, opaque, remark, fields, body: frame }))
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Header {
    code: i64,
    opaque: i64,
    flag: i64,
    #[serde(deserialize_with = "text")]
    remark: String,
    #[serde(rename = "extFields", deserialize_with = "fields")]
    fields: Fields,
}

fn json_header(header: &[u8]) -> Result<Header, Malformed> {
    serde_json::from_slice(header).map_err(|error| {
        Malformed::new(format!("the header of a frame is no JSON of RocketMQ: {error}"))
    })
}

/// Reads u16 code, u8 language, u16 version, u32 opaque, u32 flag, a remark and fields, each with its length.
fn binary_header(mut header: &[u8]) -> Option<Header> {
    let code = header.try_get_i16().ok()?;
    let _language = header.try_get_u8().ok()?;
    let _version = header.try_get_u16().ok()?;
    let opaque = header.try_get_i32().ok()?;
    let flag = header.try_get_i32().ok()?;
    let remark = piece(&mut header, 4)?;
    let length = usize::try_from(header.try_get_u32().ok()?).ok()?;
    let mut rest = header.split_at_checked(length)?.0;
    let mut fields = Fields::new();
    while !rest.is_empty() {
        let name = piece(&mut rest, 2)?;
        let value = piece(&mut rest, 4)?;
        fields.insert(bounded(name).into_owned().into(), bounded(value).into_owned());
    }
    Some(Header {
        code: code.into(),
        opaque: opaque.into(),
        flag: flag.into(),
        remark: bounded(remark).into_owned(),
        fields,
    })
}

/// Takes bytes whose length stands before them, in so many bytes.
fn piece<'a>(rest: &mut &'a [u8], width: usize) -> Option<&'a [u8]> {
    let length = usize::try_from(rest.try_get_uint(width).ok()?).ok()?;
    let (piece, after) = rest.split_at_checked(length)?;
    *rest = after;
    Some(piece)
}

fn bounded(text: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(&text[..text.len().min(TEXT_MAX)])
}

/// Reads a text that may be missing or `null`.
fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let text = Option::<Cow<'de, str>>::deserialize(deserializer)?.unwrap_or_default();
    Ok(bounded(text.as_bytes()).into_owned())
}

/// Reads an object of texts. Whatever else stands in it is left out; it may be missing or `null`.
fn fields<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Fields, D::Error> {
    struct Texts;
    impl<'de> Visitor<'de> for Texts {
        type Value = Fields;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object of texts")
        }

        fn visit_unit<E>(self) -> Result<Fields, E> {
            Ok(Fields::new())
        }

        fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Fields, A::Error> {
            let mut fields = Fields::new();
            while let Some(name) = members.next_key::<Cow<'de, str>>()? {
                match members.next_value::<Field<'de>>()? {
                    Field::Text(value) => {
                        let value = bounded(value.as_bytes()).into_owned();
                        fields.insert(bounded(name.as_bytes()).into_owned().into(), value);
                    }
                    Field::Other(IgnoredAny) => {}
                }
            }
            Ok(fields)
        }
    }

    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Field<'a> {
        Text(#[serde(borrow)] Cow<'a, str>),
        Other(IgnoredAny),
    }

    deserializer.deserialize_any(Texts)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields_of(pairs: &[(&'static str, &str)]) -> Fields {
        pairs.iter().map(|(name, value)| (Cow::from(*name), (*value).to_owned())).collect()
    }

    /// Returns a frame of this kind with a header and a body.
    fn frame(kind: u32, header: &[u8], body: &[u8]) -> BytesMut {
        let mut bytes = BytesMut::new();
        bytes.extend_from_slice(&word(4 + header.len() + body.len()));
        let header_length = u32::try_from(header.len()).expect("it is short");
        bytes.extend_from_slice(&(kind << 24 | header_length).to_be_bytes());
        bytes.extend_from_slice(header);
        bytes.extend_from_slice(body);
        bytes
    }

    #[test]
    fn a_request_is_a_frame_with_its_fields_as_texts() {
        let fields = fields_of(&[("topic", "GID_a_MQTT"), ("queueId", "3")]);
        let bytes = request(11, 7, &fields, b"body");
        let read = read(&mut BytesMut::from(&bytes[..])).expect("it is one").expect("it is whole");
        assert!(!read.is_answer);
        assert_eq!((read.code, read.opaque, read.number("queueId")), (11, 7, Some(3)));
        assert_eq!((read.fields, &read.body[..]), (fields, &b"body"[..]));
    }

    #[test]
    fn an_answer_is_read_once_it_is_whole_and_leaves_what_follows() {
        let header = br#"{"code":19,"flag":1,"opaque":4,"remark":null,"extFields":{"a":"1","b":2,"c":null}}"#;
        let whole = frame(0, header, b"xy");
        for length in 0..whole.len() {
            let mut input = BytesMut::from(&whole[..length]);
            assert_eq!(read(&mut input), Ok(None), "{length}");
            assert_eq!(input.len(), length);
        }
        let mut input = whole.clone();
        input.extend_from_slice(&whole[..5]);
        let answer = read(&mut input).expect("it is one").expect("it is whole");
        assert!(answer.is_answer && answer.remark.is_empty());
        assert_eq!(answer.fields, fields_of(&[("a", "1")]));
        assert_eq!((answer.code, answer.opaque, input.len()), (19, 4, 5));
    }

    #[test]
    fn a_binary_header_says_the_same() {
        let mut header = vec![0, 19, 0, 1, 151, 0, 0, 0, 4, 0, 0, 0, 1];
        header.extend([0, 0, 0, 2, b'n', b'o']);
        header.extend([0, 0, 0, 8, 0, 1, b'a', 0, 0, 0, 1, b'1']);
        let answer = read(&mut frame(1, &header, b"")).expect("it is one").expect("it is whole");
        assert_eq!((answer.code, answer.opaque, &*answer.remark), (19, 4, "no"));
        assert_eq!(answer.fields, fields_of(&[("a", "1")]));
        for length in 0..header.len() {
            assert!(read(&mut frame(1, &header[..length], b"")).is_err(), "{length}");
        }
    }

    #[test]
    fn what_is_no_frame_is_refused() {
        for (bytes, why) in [
            (&b"\x7f\xff\xff\xff"[..], "2147483647 bytes"),
            (b"\x00\x00\x00\x03abc", "3 bytes"),
            (b"HTTP/1.1 400", "bytes"),
            (b"\x15\x03\x01\x00\x02\x02\x50", "bytes"),
            (b"\x00\x00\x00\x04\x00\x00\x00\x01", "longer than the frame"),
            (b"\x00\x00\x00\x04\x02\x00\x00\x00", "kind 2"),
            (b"\x00\x00\x00\x04\x00\x00\x00\x00", "no JSON"),
            (b"\x00\x00\x00\x06\x00\x00\x00\x02{]", "no JSON"),
        ] {
            let malformed = read(&mut BytesMut::from(bytes)).expect_err(why);
            assert!(malformed.0.contains(why), "{malformed:?}");
        }
    }

    #[test]
    fn texts_of_a_server_are_bounded() {
        let header = format!(
            r#"{{"flag":1,"remark":"{0}","extFields":{{"{0}":"{0}"}}}}"#,
            "x".repeat(5_000)
        );
        let answer =
            read(&mut frame(0, header.as_bytes(), b"")).expect("it is one").expect("it is whole");
        let (name, value) = answer.fields.first_key_value().expect("it has one");
        assert_eq!([answer.remark.len(), name.len(), value.len()], [TEXT_MAX; 3]);
    }
}
