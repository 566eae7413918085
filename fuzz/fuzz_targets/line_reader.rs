//! Any bytes in pieces of any length, with interruptions: the lines are those of the bytes in one piece.

#![no_main]

use libfuzzer_sys::fuzz_target;
use presence::source::lines::{Lines, Text};
use std::io::{self, Read};

/// Hands out pieces whose lengths are told in turn; a length of 0 is an interruption.
struct Pieces<'a> {
    rest: &'a [u8],
    lengths: std::iter::Cycle<std::slice::Iter<'a, u8>>,
}

impl Read for Pieces<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = usize::from(*self.lengths.next().unwrap_or(&255));
        if length == 0 {
            return Err(io::ErrorKind::Interrupted.into());
        }
        let length = length.min(self.rest.len()).min(buffer.len());
        let (piece, rest) = self.rest.split_at(length);
        buffer[..length].copy_from_slice(piece);
        self.rest = rest;
        Ok(length)
    }
}

fuzz_target!(|data: &[u8]| {
    let Some((count, data)) = data.split_first() else { return };
    let (lengths, data) = data.split_at(usize::from(*count).min(data.len()));
    if !lengths.is_empty() && lengths.iter().all(|length| *length == 0) {
        return;
    }
    let mut lines = Lines::new(Pieces { rest: data, lengths: lengths.iter().cycle() });
    let mut rest = data;
    let mut expected = 0;
    while let Some((number, text)) = lines.next_line().expect("nothing fails") {
        expected += 1;
        assert_eq!(number, expected);
        let end = rest.iter().position(|byte| *byte == b'\n');
        let (line, after) = match end {
            Some(end) => (&rest[..end], &rest[end + 1..]),
            None => (rest, &rest[rest.len()..]),
        };
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let whole = if end.is_some() { Text::Whole(line) } else { Text::Unended(line) };
        assert_eq!(text, whole);
        rest = after;
    }
    assert!(rest.is_empty(), "{} bytes were left", rest.len());
    assert_eq!(lines.bytes(), data.len() as u64);
});
