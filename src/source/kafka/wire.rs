//! Requests and answers of Kafka, as bytes.
//!
//! Big endian. A frame is its length in four bytes, then a header and a body; texts have two bytes of length,
//! lists four. Each request has one version here, which brokers from 1.0 to 4 understand.
//! Source: `clients/src/main/resources/common/message` of apache/kafka (4.3), and KIP-896 for what 4.0 dropped.

use bytes::{Buf as _, Bytes};

/// What can be asked, with the version in which it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Api {
    pub key: i16,
    pub version: i16,
    pub name: &'static str,
}

pub const FETCH: Api = Api { key: 1, version: 4, name: "Fetch" };
pub const LIST_OFFSETS: Api = Api { key: 2, version: 2, name: "ListOffsets" };
pub const METADATA: Api = Api { key: 3, version: 4, name: "Metadata" };
pub const SASL_HANDSHAKE: Api = Api { key: 17, version: 1, name: "SaslHandshake" };
pub const API_VERSIONS: Api = Api { key: 18, version: 0, name: "ApiVersions" };
pub const SASL_AUTHENTICATE: Api = Api { key: 36, version: 0, name: "SaslAuthenticate" };

/// In place of a time: the offset after the last message, and that of the first.
pub const LATEST: i64 = -1;
pub const EARLIEST: i64 = -2;

/// Longer frames are nobody's: an answer to a fetch has little more than was asked for, or one batch.
pub const FRAME_MAX: usize = 128 << 20;
/// Items that are read of one list. Nobody has as many.
const ITEMS_MAX: usize = 100_000;

/// Whoever reads is no broker.
const NO_REPLICA: i32 = -1;
/// What is not committed yet, or never will be, is not sent.
const READ_COMMITTED: u8 = 1;

/// Begins a request: room for the length, the header, and then what `body` writes.
pub fn request(api: Api, number: i32, body: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut bytes = vec![0; 4];
    bytes.extend(api.key.to_be_bytes());
    bytes.extend(api.version.to_be_bytes());
    bytes.extend(number.to_be_bytes());
    text(&mut bytes, CLIENT);
    body(&mut bytes);
    let length = u32::try_from(bytes.len() - 4).unwrap_or(u32::MAX);
    bytes[..4].copy_from_slice(&length.to_be_bytes());
    bytes
}

/// How we are called in logs and quotas of brokers.
const CLIENT: &str = "presence";

pub fn text(bytes: &mut Vec<u8>, text: &str) {
    let length = u16::try_from(text.len()).unwrap_or(u16::MAX >> 1).min(u16::MAX >> 1);
    bytes.extend(length.to_be_bytes());
    bytes.extend(&text.as_bytes()[..length.into()]);
}

/// Writes bytes with four of length.
pub fn block(bytes: &mut Vec<u8>, block: &[u8]) {
    bytes.extend(u32::try_from(block.len()).unwrap_or(u32::MAX).to_be_bytes());
    bytes.extend(block);
}

/// Asks about one topic, and has none made.
pub fn metadata(bytes: &mut Vec<u8>, topic: &str) {
    bytes.extend(1_u32.to_be_bytes());
    text(bytes, topic);
    let makes_topics = 0;
    bytes.push(makes_topics);
}

/// Asks for the first offset with a message of this time or later, ms.
pub fn list_offsets(bytes: &mut Vec<u8>, topic: &str, partition: i32, time: i64) {
    bytes.extend(NO_REPLICA.to_be_bytes());
    bytes.push(READ_COMMITTED);
    of_partition(bytes, topic, partition);
    bytes.extend(time.to_be_bytes());
}

/// What is asked of a partition.
#[derive(Clone, Copy, Debug)]
pub struct Wanted {
    pub partition: i32,
    pub offset: i64,
    /// How long the broker is to wait until there is something.
    pub wait_ms: i32,
    /// How much it is to send, unless one batch has more.
    pub bytes: i32,
}

pub fn fetch(bytes: &mut Vec<u8>, topic: &str, wanted: Wanted) {
    let least: i32 = 1;
    bytes.extend(NO_REPLICA.to_be_bytes());
    bytes.extend(wanted.wait_ms.to_be_bytes());
    bytes.extend(least.to_be_bytes());
    bytes.extend(wanted.bytes.to_be_bytes());
    bytes.push(READ_COMMITTED);
    of_partition(bytes, topic, wanted.partition);
    bytes.extend(wanted.offset.to_be_bytes());
    bytes.extend(wanted.bytes.to_be_bytes());
}

/// One topic with one partition.
fn of_partition(bytes: &mut Vec<u8>, topic: &str, partition: i32) {
    bytes.extend(1_u32.to_be_bytes());
    text(bytes, topic);
    bytes.extend(1_u32.to_be_bytes());
    bytes.extend(partition.to_be_bytes());
}

/// What can be asked of a broker: key, least and greatest version.
type Spoken = (i16, i16, i16);

/// Returns the code, and what can be asked.
pub fn read_versions(mut body: Bytes) -> Option<(i16, Vec<Spoken>)> {
    let body = &mut body;
    let code = body.try_get_i16().ok()?;
    let apis = list(body, |body| {
        let key = body.try_get_i16().ok()?;
        Some((key, body.try_get_i16().ok()?, body.try_get_i16().ok()?))
    });
    Some((code, apis?))
}

/// What a broker knows of a topic.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Metadata {
    /// Number, host and port.
    pub brokers: Vec<(i32, String, u16)>,
    pub code: i16,
    /// Number and leader.
    pub partitions: Vec<(i32, i32)>,
}

/// Reads what is said of a topic; the others are left out.
pub fn read_metadata(mut body: Bytes, topic: &str) -> Option<Metadata> {
    let body = &mut body;
    let _throttle = body.try_get_i32().ok()?;
    let brokers = list(body, |body| {
        let (number, host) = (body.try_get_i32().ok()?, read_text(body)?);
        let port = u16::try_from(body.try_get_i32().ok()?).ok()?;
        let _rack = read_text(body)?;
        Some((number, host, port))
    })?;
    let _cluster = read_text(body)?;
    let _controller = body.try_get_i32().ok()?;
    let topics = list(body, |body| {
        let (code, name) = (body.try_get_i16().ok()?, read_text(body)?);
        let _is_internal = body.try_get_u8().ok()?;
        let partitions = list(body, |body| {
            let _code = body.try_get_i16().ok()?;
            let (number, leader) = (body.try_get_i32().ok()?, body.try_get_i32().ok()?);
            for _copies in 0..2 {
                list(body, |body| body.try_get_i32().ok())?;
            }
            Some((number, leader))
        })?;
        Some((code, name, partitions))
    })?;
    let (code, _, mut partitions) = topics.into_iter().find(|(_, name, _)| name == topic)?;
    partitions.retain(|(number, _)| *number >= 0);
    partitions.sort_unstable();
    partitions.dedup_by_key(|(number, _)| *number);
    Some(Metadata { brokers, code, partitions })
}

/// What is said of the one partition that was asked about.
fn answer<T>(
    body: &mut Bytes,
    partition: i32,
    read: impl Fn(&mut Bytes) -> Option<T>,
) -> Option<(i32, T)> {
    let throttle = body.try_get_i32().ok()?;
    let topics = list(body, |body| {
        let _name = read_text(body)?;
        list(body, |body| Some((body.try_get_i32().ok()?, read(body)?)))
    })?;
    let (number, said) = topics.into_iter().flatten().next()?;
    (number == partition).then_some((throttle, said))
}

/// Returns the code and the offset; the latter is -1 where no message is as late.
pub fn read_offset(mut body: Bytes, partition: i32) -> Option<(i16, i64)> {
    let read = |body: &mut Bytes| {
        let code = body.try_get_i16().ok()?;
        let _time = body.try_get_i64().ok()?;
        Some((code, body.try_get_i64().ok()?))
    };
    answer(&mut body, partition, read).map(|(_, said)| said)
}

/// What a fetch brought.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fetched {
    /// How long the broker wants to be left alone, ms.
    pub throttle_ms: i32,
    pub code: i16,
    /// The offset up to which all is settled.
    pub end: i64,
    /// Who gave up a transaction, and the first offset of it.
    pub aborted: Vec<(i64, i64)>,
    pub records: Bytes,
}

pub fn read_fetched(mut body: Bytes, partition: i32) -> Option<Fetched> {
    let read = |body: &mut Bytes| {
        let code = body.try_get_i16().ok()?;
        let _high_watermark = body.try_get_i64().ok()?;
        let end = body.try_get_i64().ok()?;
        let aborted = list(body, |body| Some((body.try_get_i64().ok()?, body.try_get_i64().ok()?)));
        let records = read_block(body)?;
        Some(Fetched { throttle_ms: 0, code, end, aborted: aborted?, records })
    };
    let (throttle_ms, fetched) = answer(&mut body, partition, read)?;
    Some(Fetched { throttle_ms, ..fetched })
}

/// Returns the code and the ways to say who one is.
pub fn read_handshake(mut body: Bytes) -> Option<(i16, Vec<String>)> {
    let body = &mut body;
    Some((body.try_get_i16().ok()?, list(body, read_text)?))
}

/// Returns the code, what is said of it, and what the mechanism says.
pub fn read_authenticated(mut body: Bytes) -> Option<(i16, String, Bytes)> {
    let body = &mut body;
    Some((body.try_get_i16().ok()?, read_text(body)?, read_block(body)?))
}

/// Reads a list; one that is null is as good as empty.
fn list<T>(body: &mut Bytes, mut item: impl FnMut(&mut Bytes) -> Option<T>) -> Option<Vec<T>> {
    let count = usize::try_from(body.try_get_i32().ok()?.max(0)).ok()?;
    if count > ITEMS_MAX {
        return None;
    }
    (0..count).map(|_| item(body)).collect()
}

/// Reads a text; null is as good as an empty one. What is no UTF-8 is none of ours, and shown as far as it can be.
fn read_text(body: &mut Bytes) -> Option<String> {
    let length = usize::try_from(body.try_get_i16().ok()?.max(0)).ok()?;
    let text = (length <= body.len()).then(|| body.split_to(length))?;
    Some(String::from_utf8_lossy(&text).into_owned())
}

/// Reads bytes; null ones are as good as none.
fn read_block(body: &mut Bytes) -> Option<Bytes> {
    let length = usize::try_from(body.try_get_i32().ok()?.max(0)).ok()?;
    (length <= body.len()).then(|| body.split_to(length))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Big endian numbers and texts, as answers hold them.
    fn bytes(parts: &[&[u8]]) -> Bytes {
        parts.concat().into()
    }

    const NO_TIME: &[u8] = &[0, 0, 0, 0];
    const ONE: &[u8] = &[0, 0, 0, 1];

    #[test]
    fn a_request_is_a_frame_with_a_header() {
        let request = request(METADATA, 7, |bytes| metadata(bytes, "t"));
        let header = b"\0\0\0\x1a\0\x03\0\x04\0\0\0\x07\0\x08presence";
        assert_eq!(request, [&header[..], b"\0\0\0\x01\0\x01t\0"].concat());
    }

    #[test]
    fn partitions_are_known_with_who_leads_them() {
        let broker = b"\0\0\0\x05\0\x01h\0\0\x23\x84\xff\xff";
        let topic = b"\0\0\0\x01t\0\0\0\0\x02";
        let second = b"\0\0\0\0\0\x01\xff\xff\xff\xff\0\0\0\x01\0\0\0\x05\0\0\0\0";
        let first = b"\0\0\0\0\0\0\0\0\0\x05\0\0\0\0\xff\xff\xff\xff";
        let body = [NO_TIME, ONE, broker, b"\xff\xff\0\0\0\x05", ONE, topic, second, first];
        let body = bytes(&body);
        let metadata = read_metadata(body.clone(), "t").expect("it is one");
        assert_eq!(metadata.brokers, [(5, "h".to_owned(), 9092)]);
        assert_eq!((metadata.code, metadata.partitions), (0, vec![(0, 5), (1, -1)]));
        assert_eq!(read_metadata(body.clone(), "other"), None);
        for length in 0..body.len() {
            assert_eq!(read_metadata(body.slice(..length), "t"), None, "{length}");
        }
    }

    #[test]
    fn what_a_fetch_brings_is_that_of_the_partition() {
        let head = [NO_TIME, ONE, b"\0\x01t", ONE, &[0, 0, 0, 3], &[0, 1], &[0; 7], &[9], &[0; 7]];
        let head = head.concat();
        let body = bytes(&[&head, &[8], &[0xff; 4], &[0, 0, 0, 2], b"ab"]);
        let fetched = read_fetched(body.clone(), 3).expect("it is one");
        assert_eq!((fetched.code, fetched.end, &*fetched.records), (1, 8, &b"ab"[..]));
        assert_eq!(read_fetched(body, 4), None);
        let many = bytes(&[&head, &[8], &[0x7f; 4]]);
        assert_eq!(read_fetched(many, 3), None, "nobody has as many");
    }
}
