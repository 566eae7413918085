//! Lines of a file or of standard input, however long, torn or binary they are.

use memchr::memchr;
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
        }
    }

    /// Returns how many bytes were handed out.
    pub const fn bytes(&self) -> u64 {
        self.bytes
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
                return Ok(Some(self.hand_out(searched + found, 1, false)));
            }
            searched = unread.len();
            if searched > LINE_MAX {
                return self.pass_over().map(Some);
            }
            if self.finished {
                return Ok((searched > 0).then(|| self.hand_out(searched, 0, true)));
            }
            self.fill()?;
        }
    }

    fn hand_out(&mut self, length: usize, newline: usize, unended: bool) -> (u64, Text<'_>) {
        let start = self.start;
        self.start += length + newline;
        self.bytes += (length + newline) as u64;
        self.number += 1;
        let line = &self.buffer[start..start + length];
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        (self.number, if unended { Text::Unended(line) } else { Text::Whole(line) })
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

    #[test]
    fn a_line_of_several_chunks_arrives_whole() {
        let mut input = vec![b'y'; 3 * CHUNK + 7];
        input.push(b'\n');

        assert_eq!(texts(&input)[0].1.len(), 3 * CHUNK + 7);
    }
}
