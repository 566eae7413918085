//! Lines of a file or of standard input, however long, torn or binary they are; and rows of tables, which
//! may be several.

use super::rows::end_of_row;
use memchr::{memchr, memchr_iter, memrchr};
use std::io::{self, Read};

/// Longest line that is read, in bytes: a recorded message of 1 MiB in the least favourable escaping
/// fits. Longer ones are passed over and counted.
pub const LINE_MAX: usize = 8 * 1024 * 1024;

const CHUNK: usize = 256 * 1024;

/// Reads a stream line by line without copying more than it must.
#[derive(Debug)]
pub struct Lines<R> {
    input: R,
    buffer: Vec<u8>,
    /// What of the buffer is read and not yet handed out.
    start: usize,
    end: usize,
    number: u64,
    bytes: u64,
    finished: bool,
    /// Bytes that were passed over of a line that is too long and has not ended yet.
    passed: u64,
    /// Why nothing more can be read, to be told once all that came before it was handed out.
    failed: Option<io::Error>,
    /// What separates the cells of rows, where these are rows of a table.
    delimiter: Option<u8>,
    /// So many bytes were seen to hold a cell that is never closed: a row is one line until then.
    single_until: u64,
}

/// One line, without its newline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Text<'a> {
    Whole(&'a [u8]),
    /// The last line of the input had no newline: it may be torn.
    Unended(&'a [u8]),
    /// Longer than `LINE_MAX`; its length in bytes.
    TooLong(u64),
}

impl<'a> Text<'a> {
    /// Returns what stood before a newline, or before the end of the input.
    fn of(line: &'a [u8], is_ended: bool) -> Self {
        if line.len() > LINE_MAX {
            return Self::TooLong(line.len() as u64);
        }
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if is_ended { Self::Whole(line) } else { Self::Unended(line) }
    }
}

/// Lines that were read together, for whoever takes them apart elsewhere.
#[derive(Debug, PartialEq, Eq)]
pub enum Block {
    /// Each but the last one of the input ends in a newline.
    Lines(Vec<u8>),
    /// One line longer than `LINE_MAX`; its length in bytes.
    TooLong(u64),
}

/// Takes a block apart.
pub fn texts(mut lines: &[u8]) -> impl Iterator<Item = Text<'_>> {
    std::iter::from_fn(move || {
        let (first, others) = split_first(lines)?;
        lines = others;
        Some(first)
    })
}

/// Returns the first line of a block and what follows it; `None` after the last one.
#[must_use]
pub fn split_first(lines: &[u8]) -> Option<(Text<'_>, &[u8])> {
    match memchr(b'\n', lines) {
        Some(end) => Some((Text::of(&lines[..end], true), &lines[end + 1..])),
        None => (!lines.is_empty()).then(|| (Text::of(lines, false), &[][..])),
    }
}

impl<R: Read> Lines<R> {
    pub const fn new(input: R) -> Self {
        Self {
            input,
            buffer: Vec::new(),
            start: 0,
            end: 0,
            number: 0,
            bytes: 0,
            finished: false,
            passed: 0,
            failed: None,
            delimiter: None,
            single_until: 0,
        }
    }

    /// Hands out rows of a table from now on: lines that a quoted cell holds together are one, under the
    /// number of the first. A cell that does not end within [`LINE_MAX`], or never, holds nothing together.
    pub const fn hand_out_rows(&mut self, delimiter: u8) {
        self.delimiter = Some(delimiter);
    }

    /// Returns how many bytes were handed out.
    pub const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Returns the number of the line that was handed out last, 0 before the first one.
    pub const fn number(&self) -> u64 {
        self.number
    }

    /// Returns as many whole lines as are there, or the next ones, in one block; `None` at the end of the
    /// input, and before a row of several lines, which [`next_line`](Self::next_line) returns. `spare` is a
    /// buffer to be used again. They are not numbered: to count them is left to whoever takes them apart.
    pub fn next_block(&mut self, spare: Vec<u8>) -> io::Result<Option<Block>> {
        let mut searched = 0;
        loop {
            let unread = &self.buffer[self.start..self.end];
            if unread.len() >= CHUNK || self.finished {
                if let Some(last) = memrchr(b'\n', &unread[searched..]) {
                    let end = searched + last + 1;
                    let whole = self.single_lines(end);
                    return Ok((whole > 0).then(|| self.hand_out_block(whole, spare)));
                }
                searched = unread.len();
            }
            if searched > LINE_MAX {
                let (_, text) = self.pass_over()?;
                let Text::TooLong(length) = text else { unreachable!("it returns nothing else") };
                return Ok(Some(Block::TooLong(length)));
            }
            if self.finished {
                return Ok((searched > 0).then(|| self.hand_out_block(searched, spare)));
            }
            if let Err(error) = self.fill() {
                // What came before it is handed out first.
                let unread = &self.buffer[self.start..self.end];
                let Some(last) = memrchr(b'\n', unread) else { return Err(error) };
                self.failed = Some(error);
                let whole = self.single_lines(last + 1);
                return Ok((whole > 0).then(|| self.hand_out_block(whole, spare)));
            }
        }
    }

    /// Returns how many of the next bytes, which end with a line, are rows of one line each.
    fn single_lines(&self, length: usize) -> usize {
        let Some(delimiter) = self.delimiter else { return length };
        let bytes = &self.buffer[self.start..self.start + length];
        let known = usize::try_from(self.single_until.saturating_sub(self.bytes));
        let mut at = known.unwrap_or(length).min(length);
        while let Some(quote) = memchr(b'"', &bytes[at..]).map(|found| at + found) {
            let line = memrchr(b'\n', &bytes[at..quote]).map_or(at, |newline| at + newline + 1);
            let end = memchr(b'\n', &bytes[quote..]).map_or(length, |newline| quote + newline + 1);
            if end_of_row(&bytes[line..end], delimiter).is_none() {
                return line;
            }
            at = end;
        }
        length
    }

    /// Returns the next bytes as a block, and goes on with the rest of them in `spare`.
    fn hand_out_block(&mut self, length: usize, mut spare: Vec<u8>) -> Block {
        let rest = &self.buffer[self.start + length..self.end];
        let rest_length = rest.len();
        if spare.len() < rest_length {
            spare.resize(rest_length, 0);
        }
        spare[..rest_length].copy_from_slice(rest);
        let mut block = std::mem::replace(&mut self.buffer, spare);
        block.truncate(self.start + length);
        block.drain(..self.start);
        if self.delimiter.is_some() {
            self.number += memchr_iter(b'\n', &block).count() as u64;
        }
        (self.start, self.end) = (0, rest_length);
        self.bytes += length as u64;
        Block::Lines(block)
    }

    /// Returns the next line with its number, counted from 1; `None` at the end of the input. After an
    /// error it may be asked again, and goes on where it was.
    pub fn next_line(&mut self) -> io::Result<Option<(u64, Text<'_>)>> {
        if self.passed > 0 {
            return self.pass_over().map(Some);
        }
        let mut searched = 0;
        loop {
            let unread = &self.buffer[self.start..self.end];
            if let Some(found) = memchr(b'\n', &unread[searched..]) {
                let length = searched + found;
                if self.is_row_of_one(length) {
                    return Ok(Some(self.hand_out(length, 1)));
                }
                return self.next_row(length).map(Some);
            }
            searched = unread.len();
            if searched > LINE_MAX {
                return self.pass_over().map(Some);
            }
            if self.finished {
                return Ok((searched > 0).then(|| self.hand_out(searched, 0)));
            }
            self.fill()?;
        }
    }

    /// Tells whether the next line, which is so long, is no part of a longer row.
    fn is_row_of_one(&self, length: usize) -> bool {
        let Some(delimiter) = self.delimiter.filter(|_| self.bytes >= self.single_until) else {
            return true;
        };
        let line = &self.buffer[self.start..=self.start + length];
        memchr(b'"', line).is_none() || end_of_row(line, delimiter).is_some()
    }

    /// Returns a row of several lines, of which the first one is so long; or that line alone, where no row
    /// comes of it.
    fn next_row(&mut self, first: usize) -> io::Result<(u64, Text<'_>)> {
        let delimiter = self.delimiter.expect("only tables have rows");
        loop {
            let unread = &self.buffer[self.start..self.end];
            if let Some(length) = end_of_row(unread, delimiter).filter(|length| *length <= LINE_MAX)
            {
                return Ok(self.hand_out(length, 1));
            }
            if self.finished && end_of_row(&[unread, b"\n"].concat(), delimiter).is_some() {
                return Ok(self.hand_out(unread.len(), 0));
            }
            if unread.len() > LINE_MAX || self.finished {
                self.single_until = self.bytes + unread.len() as u64;
                return Ok(self.hand_out(first, 1));
            }
            self.fill()?;
        }
    }

    fn hand_out(&mut self, length: usize, newline: usize) -> (u64, Text<'_>) {
        let start = self.start;
        self.start += length + newline;
        self.bytes += (length + newline) as u64;
        let text = &self.buffer[start..start + length];
        let number = self.number + 1;
        self.number = number;
        if self.delimiter.is_some() {
            self.number += memchr_iter(b'\n', text).count() as u64;
        }
        (number, Text::of(text, newline > 0))
    }

    /// Skips the rest of a line that is longer than may be held.
    fn pass_over(&mut self) -> io::Result<(u64, Text<'static>)> {
        let newline = loop {
            let unread = &self.buffer[self.start..self.end];
            if let Some(found) = memchr(b'\n', unread) {
                self.passed += found as u64;
                self.start += found + 1;
                break 1;
            }
            self.passed += unread.len() as u64;
            self.start = self.end;
            if self.finished {
                break 0;
            }
            self.fill()?;
        };
        let length = std::mem::take(&mut self.passed);
        self.bytes += length + newline;
        self.number += 1;
        Ok((self.number, Text::TooLong(length)))
    }

    fn fill(&mut self) -> io::Result<()> {
        if let Some(error) = self.failed.take() {
            return Err(error);
        }
        if self.start > 0 {
            self.buffer.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
        }
        if self.buffer.len() - self.end < CHUNK {
            self.buffer.resize(self.end + CHUNK, 0);
        }
        loop {
            match self.input.read(&mut self.buffer[self.end..]) {
                Ok(0) => self.finished = true,
                Ok(count) => self.end += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            }
            return Ok(());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(input: &[u8]) -> Vec<(u64, String)> {
        let mut lines = Lines::new(input);
        let mut all = Vec::new();
        while let Some((number, text)) = lines.next_line().unwrap() {
            all.push((number, format!("{text:?}")));
        }
        assert_eq!(lines.bytes(), input.len() as u64);
        all
    }

    fn texts(input: &[u8]) -> Vec<(u64, Vec<u8>, bool)> {
        let mut lines = Lines::new(input);
        let mut all = Vec::new();
        while let Some((number, text)) = lines.next_line().unwrap() {
            match text {
                Text::Whole(line) => all.push((number, line.to_vec(), true)),
                Text::Unended(line) => all.push((number, line.to_vec(), false)),
                Text::TooLong(_) => all.push((number, Vec::new(), false)),
            }
        }
        all
    }

    #[test]
    fn lines_are_numbered_from_one_and_lose_either_line_end() {
        let found = texts(b"a\r\n\nb\n");
        assert_eq!(
            found,
            [(1, b"a".to_vec(), true), (2, Vec::new(), true), (3, b"b".to_vec(), true)]
        );
    }

    #[test]
    fn a_last_line_without_newline_is_told_apart() {
        assert_eq!(texts(b"a\nb"), [(1, b"a".to_vec(), true), (2, b"b".to_vec(), false)]);
        assert_eq!(texts(b""), []);
    }

    #[test]
    fn a_line_beyond_the_bound_is_passed_over_and_its_length_told() {
        let mut input = vec![b'x'; LINE_MAX + CHUNK];
        input.extend_from_slice(b"\nnext\n");

        let found = all(&input);

        assert_eq!(found[0], (1, format!("TooLong({})", LINE_MAX + CHUNK)));
        assert_eq!(found.len(), 2);
    }

    /// Hands out these parts, and would block after each.
    struct Dripping(Vec<Vec<u8>>, bool);

    impl Read for Dripping {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            self.1 = !self.1;
            if self.1 && !self.0.is_empty() {
                return Err(io::ErrorKind::WouldBlock.into());
            }
            let Some(part) = self.0.first_mut() else { return Ok(0) };
            let count = (&**part).read(buffer)?;
            part.drain(..count);
            if part.is_empty() {
                self.0.remove(0);
            }
            Ok(count)
        }
    }

    #[test]
    fn what_would_block_is_asked_again_and_nothing_is_lost() {
        let long = vec![b'x'; LINE_MAX + 1];
        let parts =
            vec![b"on".to_vec(), b"e\ntwo".to_vec(), b"\n".to_vec(), long, b"y\nz".to_vec()];
        let mut lines = Lines::new(Dripping(parts, false));
        let mut found = Vec::new();
        loop {
            match lines.next_line() {
                Ok(Some((number, Text::TooLong(length)))) => {
                    found.push(format!("{number}: {length}"));
                }
                Ok(Some((number, Text::Whole(line) | Text::Unended(line)))) => {
                    found.push(format!("{number}: {}", String::from_utf8_lossy(line)));
                }
                Ok(None) => break,
                Err(error) => assert_eq!(error.kind(), io::ErrorKind::WouldBlock),
            }
        }
        assert_eq!(found, ["1: one", "2: two", &format!("3: {}", LINE_MAX + 2), "4: z"]);
    }

    /// Hands out pieces of these sizes, then an error where there is one.
    struct Pieces<'a>(&'a [u8], fastrand::Rng, bool);

    impl Read for Pieces<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            if self.0.is_empty() && self.2 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            let most = buffer.len().min(self.0.len());
            let count = if most == 0 { 0 } else { self.1.usize(1..=most) };
            let (piece, rest) = self.0.split_at(count);
            buffer[..count].copy_from_slice(piece);
            self.0 = rest;
            Ok(count)
        }
    }

    /// Returns all lines as they are handed out one by one until so many were, and in blocks from there.
    fn told(input: Pieces<'_>, one_by_one: usize) -> Vec<String> {
        let mut lines = Lines::new(input);
        let mut told = Vec::new();
        loop {
            let block = if told.len() < one_by_one {
                match lines.next_line() {
                    Ok(Some((_, text))) => {
                        told.push(format!("{text:?}"));
                        continue;
                    }
                    Ok(None) => Ok(None),
                    Err(error) => Err(error),
                }
            } else {
                lines.next_block(Vec::new())
            };
            match block {
                Ok(Some(Block::Lines(block))) => {
                    told.extend(super::texts(&block).map(|text| format!("{text:?}")));
                }
                Ok(Some(Block::TooLong(length))) => told.push(format!("TooLong({length})")),
                Ok(None) => return told,
                Err(error) => {
                    told.push(format!("{:?}", error.kind()));
                    return told;
                }
            }
        }
    }

    #[test]
    fn blocks_hold_the_same_lines_however_they_are_cut() {
        for seed in 0..60 {
            let mut rng = fastrand::Rng::with_seed(seed);
            let mut input = Vec::new();
            for _ in 0..rng.usize(..40) {
                let length = match rng.u8(..200) {
                    0 => LINE_MAX + rng.usize(..3),
                    1..8 => rng.usize(..2 * CHUNK),
                    _ => rng.usize(..20),
                };
                input.extend(std::iter::repeat_n(b'x', length));
                input.extend_from_slice([&b"\n"[..], b"\r\n", b"\n\n"][rng.usize(..3)]);
            }
            input.truncate(input.len() - rng.usize(..2).min(input.len()));
            let breaks = rng.bool();
            let mut pieces = || Pieces(&input, rng.fork(), breaks);

            let expected = told(pieces(), usize::MAX);

            for one_by_one in [0, 1, 7] {
                assert!(told(pieces(), one_by_one) == expected, "seed {seed} after {one_by_one}");
            }
        }
    }

    /// Returns the rows of a table with their numbers, read one by one or as far as it goes in blocks.
    fn rows(input: Pieces<'_>, in_blocks: bool) -> Vec<(u64, Vec<u8>)> {
        let bytes = |text: Text<'_>| match text {
            Text::Whole(line) | Text::Unended(line) => line.to_vec(),
            Text::TooLong(_) => b"too long".to_vec(),
        };
        let mut lines = Lines::new(input);
        lines.hand_out_rows(b',');
        let mut rows = Vec::new();
        loop {
            let mut number = lines.number();
            while in_blocks && let Some(Block::Lines(block)) = lines.next_block(Vec::new()).unwrap()
            {
                rows.extend(super::texts(&block).map(|text| {
                    number += 1;
                    (number, bytes(text))
                }));
            }
            match lines.next_line().unwrap() {
                Some((number, text)) => rows.push((number, bytes(text))),
                None => return rows,
            }
        }
    }

    #[test]
    fn rows_of_several_lines_are_one_and_counted_by_their_lines() {
        for seed in 0..400 {
            let mut rng = fastrand::Rng::with_seed(seed);
            let cells = ["a", "5\" b", "\"c,\n d\"", "\"\"", "\"e\"\"\n\n\"", "\"never"];
            let kinds = if rng.bool() { 5 } else { 6 };
            let mut input = String::new();
            for _ in 0..rng.usize(..60) {
                let cell = cells[if rng.u8(..9) > 0 { 0 } else { rng.usize(..kinds) }];
                input += cell;
                input += if rng.bool() { "," } else { "\n" };
            }
            let (mut rest, mut number, mut expected) = (input.as_bytes(), 1, Vec::new());
            let mut is_open = false;
            while !rest.is_empty() {
                // The end of the file ends the last row as well.
                let row = end_of_row(&[rest, b"\n"].concat(), b',').filter(|_| !is_open);
                is_open |= row.is_none();
                let end = row.or_else(|| memchr(b'\n', rest)).unwrap_or(rest.len());
                expected.push((number, rest[..end].to_vec()));
                number += memchr_iter(b'\n', &rest[..end]).count() as u64 + 1;
                rest = rest.get(end + 1..).unwrap_or_default();
            }
            for in_blocks in [false, true] {
                let found = rows(Pieces(input.as_bytes(), rng.fork(), false), in_blocks);
                assert_eq!(found, expected, "seed {seed}, in blocks: {in_blocks}: {input:?}");
            }
        }
    }

    #[test]
    fn a_row_beyond_the_bound_is_its_first_line_and_the_rest_is_read() {
        let mut input = b"\"open\n".to_vec();
        input.resize(LINE_MAX + 100, b'x');
        input.extend_from_slice(b"\nnext,\"\n\"\nlast\n");
        for in_blocks in [false, true] {
            let found = rows(Pieces(&input, fastrand::Rng::with_seed(1), false), in_blocks);
            let heads: Vec<_> = found.iter().map(|(number, row)| (*number, row[0])).collect();
            assert_eq!(heads[0], (1, b'"'), "{in_blocks}");
            assert_eq!(heads.last(), Some(&(5, b'l')), "{in_blocks}: {heads:?}");
        }
    }

    #[test]
    fn a_line_of_several_chunks_arrives_whole() {
        let mut input = vec![b'y'; 3 * CHUNK + 7];
        input.push(b'\n');

        assert_eq!(texts(&input)[0].1.len(), 3 * CHUNK + 7);
    }
}
