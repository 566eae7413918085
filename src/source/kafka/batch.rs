//! Records as brokers store and send them: batches of version 2, which 0.11 brought, expanded.
//!
//! A batch: base offset, length, epoch, magic, checksum, attributes, last offset, base time, latest time, producer,
//! its epoch and sequence, count, records. Whoever reads at an offset gets the batch that holds it.
//! Source: apache/kafka `DefaultRecordBatch`, `DefaultRecord`, `ControlRecordType`, and for who gave up a
//! transaction `CompletedFetch` (4.3).

use crate::source::kept::{Message, Unreadable};
use crate::source::origin::Place;
use bytes::{Buf as _, Bytes};
use compact_str::CompactString;
use crc::{CRC_32_ISCSI, Crc, Table};
use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;
use std::io::Read;
use std::sync::Arc;

/// Records of an answer, in order.
#[derive(Debug, Default)]
pub struct Records {
    pieces: Vec<Piece>,
    /// What comes before it is not wanted.
    from: i64,
}

/// One batch.
#[derive(Debug)]
enum Piece {
    Read(Expanded),
    Unreadable(String),
}

#[derive(Debug)]
struct Expanded {
    base_offset: i64,
    base_ms: i64,
    /// The broker's time, where the topic has that.
    stored_ms: Option<i64>,
    records: Bytes,
}

/// One record. All of it comes from strangers.
#[derive(Clone, Copy, Debug)]
pub struct Record<'a> {
    offset: i64,
    born_ms: i64,
    stored_ms: i64,
    key: Option<&'a [u8]>,
    value: Option<&'a [u8]>,
    within: &'a Bytes,
}

const MAGIC: u8 = 2;
/// What stands before the length counts: offset and length themselves.
const BEFORE: usize = 12;
/// Of a batch without its records.
const HEAD: usize = 61;
/// Where the magic is, in batches and in what was there before them.
const MAGIC_AT: usize = 16;
/// Where the checked part begins.
const CHECKED_AT: usize = 21;

const COMPRESSION: i16 = 0b111;
const STORED_TIME: i16 = 1 << 3;
const TRANSACTIONAL: i16 = 1 << 4;
const CONTROL: i16 = 1 << 5;
/// The kind of a control record that gives up a transaction.
const ABORT: i16 = 0;

/// The longest batch once it is expanded, in bytes. Brokers take in 1 MiB, unless told otherwise.
const EXPANDED_MAX: usize = 64 << 20;
/// What follows once there is this much, expanded, is left for the next time, in bytes.
const ENOUGH: usize = 1 << 20;
/// The longest key that is handed out, in bytes.
const KEY_MAX: usize = 255;

const CHECKSUM: Crc<u32, Table<16>> = Crc::<u32, Table<16>>::new(&CRC_32_ISCSI);

impl Records {
    /// Reads what a fetch brought, or as much of it as is [`ENOUGH`], and where to go on: `None` if there is no whole batch. `from`: what was
    /// asked for; `aborted`: producers that gave up a transaction, and its first offset.
    pub fn read(mut bytes: Bytes, from: i64, aborted: Vec<(i64, i64)>) -> (Self, Option<i64>) {
        let mut records = Self { pieces: Vec::new(), from };
        let mut transactions = Transactions::new(aborted);
        let (mut next, mut size) = (None, 0);
        while size < ENOUGH
            && let Some(batch) = split(&mut bytes)
        {
            let head = Head::read(&batch);
            if let Head::Batch { last, .. } | Head::Old { last } = head
                && last < from
            {
                // Kept from an older segment than the one that was asked for.
                continue;
            }
            match head {
                Head::Old { last } => {
                    next = last.checked_add(1);
                    let cause =
                        format!("the message at {last} is of a form from before Kafka 0.11");
                    records.pieces.push(Piece::Unreadable(cause));
                }
                Head::Damaged => {
                    records.pieces.push(Piece::Unreadable("a batch is damaged".to_owned()));
                    break;
                }
                Head::Batch { base_offset, last, attributes, base_ms, latest_ms, producer } => {
                    next = last.checked_add(1);
                    let is_control = attributes & CONTROL != 0;
                    let is_over =
                        transactions.is_given_up(base_offset, producer, attributes, &batch);
                    if is_control || is_over {
                        continue;
                    }
                    let stored_ms = (attributes & STORED_TIME != 0).then_some(latest_ms);
                    let piece = match expanded(&batch, attributes) {
                        Ok(records) => {
                            size += records.len();
                            Piece::Read(Expanded { base_offset, base_ms, stored_ms, records })
                        }
                        Err(cause) => Piece::Unreadable(format!(
                            "the messages {} to {last} were skipped: {cause}",
                            base_offset.max(from)
                        )),
                    };
                    records.pieces.push(piece);
                }
            }
        }
        (records, next)
    }

    /// Returns how many bytes they take, expanded.
    pub fn size(&self) -> usize {
        let size = |piece: &Piece| match piece {
            Piece::Read(expanded) => expanded.records.len(),
            Piece::Unreadable(cause) => cause.len(),
        };
        self.pieces.iter().map(size).sum()
    }

    pub fn iter(&self) -> impl Iterator<Item = Result<Record<'_>, Unreadable>> {
        let records = self.pieces.iter().flat_map(|piece| match piece {
            Piece::Read(expanded) => Each::Of { expanded, rest: &expanded.records },
            Piece::Unreadable(cause) => Each::Unreadable(cause),
        });
        let from = self.from;
        records.filter(move |record| record.as_ref().map_or(true, |record| record.offset >= from))
    }
}

/// The records of a batch, one after the other.
enum Each<'a> {
    Of { expanded: &'a Expanded, rest: &'a [u8] },
    Unreadable(&'a str),
    End,
}

impl<'a> Iterator for Each<'a> {
    type Item = Result<Record<'a>, Unreadable>;

    fn next(&mut self) -> Option<Self::Item> {
        match *self {
            Self::Of { rest: [], .. } | Self::End => None,
            Self::Unreadable(cause) => {
                *self = Self::End;
                Some(Err(Unreadable(cause.to_owned())))
            }
            Self::Of { expanded, rest } => {
                let mut left = rest;
                let Some(record) = expanded.next(&mut left) else {
                    *self = Self::End;
                    let from = expanded.base_offset;
                    let cause =
                        format!("a message of the batch at {from} is damaged, and the rest of it");
                    return Some(Err(Unreadable(cause)));
                };
                *self = Self::Of { expanded, rest: left };
                Some(Ok(record))
            }
        }
    }
}

impl Expanded {
    fn next<'a>(&'a self, rest: &mut &'a [u8]) -> Option<Record<'a>> {
        let length = number(rest)?;
        let mut bytes = piece(rest, length)?;
        let _attributes = piece(&mut bytes, 1)?;
        let born_ms = self.base_ms.checked_add(number(&mut bytes)?)?;
        let offset = self.base_offset.checked_add(number(&mut bytes)?)?;
        let key = nullable(&mut bytes)?;
        let value = nullable(&mut bytes)?;
        let stored_ms = self.stored_ms.unwrap_or(born_ms);
        Some(Record { offset, born_ms, stored_ms, key, value, within: &self.records })
    }
}

/// Reads a number of a few bytes, the sign in the lowest bit.
fn number(bytes: &mut &[u8]) -> Option<i64> {
    let mut value = 0_u64;
    for shift in (0..64).step_by(7) {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some((value >> 1).cast_signed() ^ -(value & 1).cast_signed());
        }
    }
    None
}

fn piece<'a>(bytes: &mut &'a [u8], length: i64) -> Option<&'a [u8]> {
    let (piece, rest) = bytes.split_at_checked(usize::try_from(length).ok()?)?;
    *bytes = rest;
    Some(piece)
}

#[expect(clippy::option_option, reason = "not readable, null, and what is there")]
fn nullable<'a>(bytes: &mut &'a [u8]) -> Option<Option<&'a [u8]>> {
    match number(bytes)? {
        -1 => Some(None),
        length => piece(bytes, length).map(Some),
    }
}

/// Takes a whole batch off. The last one of an answer may be cut off: it is asked for again.
fn split(bytes: &mut Bytes) -> Option<Bytes> {
    let length = i32::from_be_bytes(*bytes.get(8..BEFORE)?.first_chunk()?);
    let length = usize::try_from(length).ok()?.checked_add(BEFORE)?;
    (length <= bytes.len()).then(|| bytes.split_to(length))
}

/// What stands before the records of a batch.
enum Head {
    Batch {
        base_offset: i64,
        last: i64,
        attributes: i16,
        base_ms: i64,
        latest_ms: i64,
        producer: i64,
    },
    /// Messages from before there were batches.
    Old {
        last: i64,
    },
    Damaged,
}

impl Head {
    fn read(batch: &Bytes) -> Self {
        let read = || {
            let base_offset = i64::from_be_bytes(*batch.first_chunk()?);
            if *batch.get(MAGIC_AT)? < MAGIC {
                return Some(Self::Old { last: base_offset });
            }
            let mut bytes = batch.get(CHECKED_AT..HEAD)?;
            let attributes = bytes.get_i16();
            let last = base_offset.checked_add(bytes.get_i32().into())?;
            let (base_ms, latest_ms) = (bytes.get_i64(), bytes.get_i64());
            let producer = bytes.get_i64();
            Some(Self::Batch { base_offset, last, attributes, base_ms, latest_ms, producer })
        };
        read().unwrap_or(Self::Damaged)
    }
}

/// Returns the records of a batch. Errors: why they cannot be read.
fn expanded(batch: &Bytes, attributes: i16) -> Result<Bytes, String> {
    if batch[MAGIC_AT] != MAGIC {
        return Err(format!("their form, {}, is not known here", batch[MAGIC_AT]));
    }
    let mut told = &batch[MAGIC_AT + 1..CHECKED_AT];
    // Whoever tries any bytes would never come further.
    if told.get_u32() != CHECKSUM.checksum(&batch[CHECKED_AT..]) && !cfg!(fuzzing) {
        return Err("their checksum is wrong".to_owned());
    }
    let records = &batch[HEAD..];
    match attributes & COMPRESSION {
        0 => Ok(batch.slice(HEAD..)),
        1 => expand("gzip", flate2::read::MultiGzDecoder::new(records)),
        2 => snappy(records),
        3 => expand("LZ4", lz4_flex::frame::FrameDecoder::new(records)),
        4 => match zstd::Decoder::with_buffer(records) {
            Ok(decoder) => expand("Zstandard", decoder),
            Err(error) => Err(damaged("Zstandard", &error)),
        },
        other => Err(format!("they are compressed in a way that is not known here (kind {other})")),
    }
}

fn expand(name: &str, decoder: impl Read) -> Result<Bytes, String> {
    let mut expanded = Vec::new();
    let limit = EXPANDED_MAX as u64 + 1;
    decoder.take(limit).read_to_end(&mut expanded).map_err(|error| damaged(name, &error))?;
    if expanded.len() > EXPANDED_MAX {
        return Err(too_long(name));
    }
    Ok(expanded.into())
}

/// What Java's clients put before blocks of Snappy, with two versions behind it; others send one block.
const XERIAL: &[u8] = b"\x82SNAPPY\0";
const XERIAL_HEAD: usize = 16;

fn snappy(records: &[u8]) -> Result<Bytes, String> {
    const NAME: &str = "Snappy";
    let mut expanded = Vec::new();
    let mut add = |block: &[u8]| {
        let length = snap::raw::decompress_len(block).map_err(|error| damaged(NAME, &error))?;
        let begin = expanded.len();
        if length > EXPANDED_MAX - begin {
            return Err(too_long(NAME));
        }
        expanded.resize(begin + length, 0);
        let decoded = snap::raw::Decoder::new().decompress(block, &mut expanded[begin..]);
        decoded.map(|_| ()).map_err(|error| damaged(NAME, &error))
    };
    if records.starts_with(XERIAL) {
        let mut rest = records.get(XERIAL_HEAD..).unwrap_or_default();
        while !rest.is_empty() {
            let length = rest.try_get_u32().ok().and_then(|length| usize::try_from(length).ok());
            let block = length.and_then(|length| rest.split_at_checked(length));
            let Some((block, left)) = block else { return Err(damaged(NAME, &"it is cut off")) };
            add(block)?;
            rest = left;
        }
    } else {
        add(records)?;
    }
    Ok(expanded.into())
}

fn damaged(name: &str, error: &dyn fmt::Display) -> String {
    format!("what is compressed with {name} is damaged: {error}")
}

fn too_long(name: &str) -> String {
    format!("compressed with {name}, they have more than {EXPANDED_MAX} bytes")
}

/// Who is giving up a transaction at some place of an answer.
struct Transactions {
    /// First offset and producer, the last one first.
    to_come: Vec<(i64, i64)>,
    producers: HashSet<i64>,
}

impl Transactions {
    fn new(aborted: Vec<(i64, i64)>) -> Self {
        let mut to_come: Vec<_> =
            aborted.into_iter().map(|(producer, first)| (first, producer)).collect();
        to_come.sort_unstable_by(|one, other| other.cmp(one));
        Self { to_come, producers: HashSet::new() }
    }

    /// Tells whether a batch belongs to a transaction that was given up.
    fn is_given_up(
        &mut self,
        base_offset: i64,
        producer: i64,
        attributes: i16,
        batch: &Bytes,
    ) -> bool {
        if self.to_come.is_empty() && self.producers.is_empty() || attributes & TRANSACTIONAL == 0 {
            return false;
        }
        while let Some((_, producer)) = self.to_come.pop_if(|(first, _)| *first <= base_offset) {
            self.producers.insert(producer);
        }
        if attributes & CONTROL != 0 {
            if control_kind(batch) == Some(ABORT) {
                self.producers.remove(&producer);
            }
            return false;
        }
        self.producers.contains(&producer)
    }
}

/// Returns what a control record says; its key is a version and a kind.
fn control_kind(batch: &Bytes) -> Option<i16> {
    let expanded =
        Expanded { base_offset: 0, base_ms: 0, stored_ms: None, records: batch.slice(HEAD..) };
    let key = expanded.next(&mut &*expanded.records)?.key?;
    Some(i16::from_be_bytes(*key.get(2..)?.first_chunk()?))
}

impl Message for Record<'_> {
    fn offset(&self) -> i64 {
        self.offset
    }

    fn stored_ms(&self) -> i64 {
        self.stored_ms
    }

    fn tag(&self) -> Option<Cow<'_, str>> {
        None
    }

    /// A record without a value, which has others removed, is as good as an empty one.
    fn body(&self) -> Result<Cow<'_, [u8]>, Unreadable> {
        Ok(Cow::Borrowed(self.value.unwrap_or_default()))
    }

    fn within(&self) -> &Bytes {
        self.within
    }

    fn place(&self, queue: &Arc<str>, unread: i64) -> Place {
        let key = self.key.map(|key| String::from_utf8_lossy(&key[..key.len().min(KEY_MAX)]));
        Place {
            queue: Arc::clone(queue),
            offset: self.offset,
            message_id: None,
            keys: key.map(CompactString::from),
            reconsumed: 0,
            born_ms: self.born_ms,
            stored_ms: self.stored_ms,
            unread,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A number as records hold it.
    fn varint(value: i64) -> Vec<u8> {
        let mut left = ((value << 1) ^ (value >> 63)).cast_unsigned();
        let mut bytes = Vec::new();
        loop {
            let byte = u8::try_from(left & 0x7f).expect("seven bits");
            left >>= 7;
            if left == 0 {
                bytes.push(byte);
                return bytes;
            }
            bytes.push(byte | 0x80);
        }
    }

    fn record(at: i64, key: Option<&[u8]>, value: Option<&[u8]>) -> Vec<u8> {
        let part = |part: Option<&[u8]>| match part {
            None => varint(-1),
            Some(bytes) => {
                let length = i64::try_from(bytes.len()).expect("it is short");
                [varint(length), bytes.to_vec()].concat()
            }
        };
        let body = [&[0][..], &varint(at * 10), &varint(at), &part(key), &part(value), &varint(0)];
        let body = body.concat();
        [varint(i64::try_from(body.len()).expect("it is short")), body].concat()
    }

    /// Returns a batch from this offset on, of a producer, with the time 1,000.
    fn batch(base: i64, last: i32, attributes: i16, producer: i64, records: &[u8]) -> Vec<u8> {
        let mut checked = Vec::new();
        checked.extend(attributes.to_be_bytes());
        checked.extend(last.to_be_bytes());
        checked.extend(1_000_i64.to_be_bytes());
        checked.extend(9_000_i64.to_be_bytes());
        checked.extend(producer.to_be_bytes());
        checked.extend([0; 10]);
        checked.extend(records);
        let mut batch = Vec::from(base.to_be_bytes());
        let length = checked.len() + CHECKED_AT - BEFORE;
        batch.extend(u32::try_from(length).expect("it is short").to_be_bytes());
        batch.extend([0, 0, 0, 0, MAGIC]);
        batch.extend(CHECKSUM.checksum(&checked).to_be_bytes());
        batch.extend(checked);
        batch
    }

    fn two() -> Vec<u8> {
        [record(0, Some(b"k"), Some(b"one")), record(1, None, None)].concat()
    }

    /// Reads batches from an offset on: offsets with bodies, and where to go on. A cause why something cannot be
    /// read stands at -1.
    fn read(batches: &[u8], from: i64) -> (Vec<(i64, String)>, Option<i64>) {
        let (records, next) = Records::read(Bytes::copy_from_slice(batches), from, Vec::new());
        let each = records.iter().map(|record| match record {
            Ok(record) => {
                let body = record.body().expect("it is expanded");
                told(record.offset(), &String::from_utf8_lossy(&body))
            }
            Err(unreadable) => (-1, unreadable.0),
        });
        (each.collect(), next)
    }

    fn told(offset: i64, body: &str) -> (i64, String) {
        (offset, body.to_owned())
    }

    #[test]
    fn records_are_read_from_the_one_that_was_asked_for() {
        let batches = [batch(40, 1, 0, 0, &two()), batch(42, 1, 0, 0, &two())].concat();
        let all = [told(40, "one"), told(41, ""), told(42, "one"), told(43, "")];
        assert_eq!(read(&batches, 40), (all.to_vec(), Some(44)));
        assert_eq!(read(&batches, 41), (all[1..].to_vec(), Some(44)));
        assert_eq!(read(&batches, 42), (all[2..].to_vec(), Some(44)));
        assert_eq!(read(&batches, 44), (Vec::new(), None), "older than what was asked for");
        // The last one is cut off.
        assert_eq!(read(&batches[..batches.len() - 1], 40), (all[..2].to_vec(), Some(42)));
        // All but the first were removed since.
        let sparse = batch(40, 9, 0, 0, &record(0, None, Some(b"x")));
        assert_eq!(read(&sparse, 40), (vec![told(40, "x")], Some(50)));
    }

    #[test]
    fn times_are_the_senders_or_the_brokers() {
        for (attributes, stored_ms) in [(0, 1_010), (STORED_TIME, 9_000)] {
            let bytes = batch(5, 1, attributes, 0, &two()).into();
            let (records, _) = Records::read(bytes, 6, Vec::new());
            let record = records.iter().next().expect("there is one").expect("it can be read");
            let place = record.place(&"3".into(), 7);
            assert_eq!((place.born_ms, place.stored_ms, place.unread), (1_010, stored_ms, 7));
            assert_eq!((place.offset, place.keys), (6, None));
        }
    }

    #[test]
    fn both_forms_of_snappy_are_expanded() {
        let block = snap::raw::Encoder::new().compress_vec(&two()).expect("it is short");
        let length = u32::try_from(block.len()).expect("it is short").to_be_bytes();
        let xerial = [XERIAL, &[0, 0, 0, 1, 0, 0, 0, 1], &length, &block].concat();
        for records in [&block, &xerial] {
            let read = read(&batch(0, 1, 2, 0, records), 0);
            assert_eq!(read, (vec![told(0, "one"), told(1, "")], Some(2)));
        }
    }

    #[test]
    fn what_cannot_be_read_is_said_and_left_behind() {
        let mut wrong = batch(3, 1, 0, 0, &two());
        wrong[HEAD] ^= 1;
        let mut old = batch(3, 0, 0, 0, &two());
        old[MAGIC_AT] = 1;
        let mut new = batch(3, 1, 0, 0, &two());
        new[MAGIC_AT] = 3;
        let bomb = [&[0xff, 0xff, 0xff, 0xff, 0x0f][..], &[0; 8]].concat();
        for (bytes, cause, next) in [
            (wrong, "3 to 4 were skipped: their checksum is wrong", 5),
            (old, "from before Kafka 0.11", 4),
            (new, "their form, 3, is not known", 5),
            (batch(3, 1, 1, 0, b"no gzip"), "with gzip is damaged", 5),
            (batch(3, 1, 2, 0, b"\x05no"), "with Snappy is damaged", 5),
            (batch(3, 1, 2, 0, XERIAL), "", 5),
            (batch(3, 1, 2, 0, &bomb), "with Snappy, they have more than", 5),
            (batch(3, 1, 3, 0, b"no lz4"), "with LZ4 is damaged", 5),
            (batch(3, 1, 4, 0, b"no zstd"), "with Zstandard is damaged", 5),
            (batch(3, 1, 5, 0, b""), "not known here (kind 5)", 5),
            (batch(3, 1, 0, 0, &two()[..4]), "of the batch at 3 is damaged", 5),
            (batch(3, 1, 0, 0, &[0xff; 20]), "of the batch at 3 is damaged", 5),
        ] {
            let (read, there) = read(&bytes, 3);
            assert_eq!(there, Some(next), "{cause}");
            let causes: Vec<String> =
                read.into_iter().filter(|(at, _)| *at == -1).map(|(_, it)| it).collect();
            assert_eq!(causes.len(), usize::from(!cause.is_empty()), "{cause}: {causes:?}");
            assert!(causes.concat().contains(cause), "{causes:?}");
        }
        let (read, next) = read(&[0; 40], 0);
        assert_eq!((read.len(), next), (1, None), "a batch of nothing");
    }

    #[test]
    fn transactions_that_were_given_up_are_left_out_and_no_others() {
        let data = |base, producer| batch(base, 1, TRANSACTIONAL, producer, &two());
        let mark = |base, producer, kind: i16| {
            let key = [&[0, 0][..], &kind.to_be_bytes()].concat();
            batch(base, 0, TRANSACTIONAL | CONTROL, producer, &record(0, Some(&key), None))
        };
        let batches = [
            data(0, 7),
            data(2, 8),
            batch(4, 1, 0, -1, &two()),
            mark(6, 7, ABORT),
            data(7, 7),
            mark(9, 8, 1),
            mark(10, 7, 1),
        ];
        let (records, next) = Records::read(batches.concat().into(), 0, vec![(7, 0)]);
        let offsets: Vec<i64> = records.iter().flatten().map(|record| record.offset()).collect();
        assert_eq!((offsets, next), (vec![2, 3, 4, 5, 7, 8], Some(11)));
    }

    #[test]
    fn whatever_stands_in_a_batch_it_is_read_or_refused() {
        let whole = batch(9, 1, 0, 0, &two());
        for at in 0..whole.len() {
            for byte in [0, 1, 0x7f, 0x80, 0xff] {
                let mut bytes = whole.clone();
                bytes[at] = byte;
                let (_, next) = read(&bytes, 9);
                assert!(next.is_none_or(|next| next > 9), "{at} {byte}");
            }
        }
    }
}
