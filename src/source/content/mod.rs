//! What a file or standard input holds: opened, told apart by its first bytes, and expanded on a
//! thread of its own if it is compressed.
//!
//! Here are bytes only. [`Lines`](super::lines::Lines) makes lines of them, and what a line says is
//! none of the business of either.

mod chunks;
mod coding;
mod expand;

pub use chunks::Chunks;
use coding::{Coding, HEAD_MAX};
use std::fmt;
use std::fs::File;
use std::io::{self, Chain, Cursor, Read};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// The bytes of one input, expanded.
pub struct Content {
    bytes: Box<dyn Read + Send>,
    taken: Taken,
}

/// How many bytes were taken from where they lie, compressed or not. Clones count the same ones.
#[derive(Clone, Debug, Default)]
pub struct Taken(Arc<AtomicU64>);

/// Why bytes could not be read on, where more is to be said of it than the system does.
#[derive(Debug)]
pub struct Unreadable {
    pub cause: String,
    pub next: String,
}

impl Content {
    /// Opens a file.
    pub fn open(path: &Path) -> io::Result<Self> {
        let file = File::open(path)?;
        let about = file.metadata()?;
        if about.is_dir() {
            return Err(io::ErrorKind::IsADirectory.into());
        }
        let length = if about.is_file() { about.len() } else { 0 };
        Self::of(Whole { file, length, read: 0 })
    }

    /// Returns how a file is compressed, by its first bytes; `None` where it holds lines, or is no file.
    ///
    /// Errors: [`Unreadable`] for what nobody could make lines of.
    pub fn coding_of(path: &Path) -> io::Result<Option<&'static str>> {
        if !std::fs::metadata(path)?.is_file() {
            return Ok(None);
        }
        let mut head = Vec::with_capacity(HEAD_MAX);
        File::open(path)?.take(HEAD_MAX as u64).read_to_end(&mut head)?;
        Ok(Coding::of(&head)?.map(Coding::name))
    }

    /// Returns what a stream holds. Waits for its first bytes, for they tell what it is.
    pub fn of(input: impl Read + Send + 'static) -> io::Result<Self> {
        let taken = Taken::default();
        let mut input = Counted { input, taken: taken.clone() };
        let mut head = Vec::with_capacity(HEAD_MAX);
        input.by_ref().take(HEAD_MAX as u64).read_to_end(&mut head)?;
        let coding = Coding::of(&head)?;
        let input: Chain<_, _> = Cursor::new(head).chain(input);
        let bytes: Box<dyn Read + Send> = match coding {
            None => Box::new(input),
            Some(coding) => Box::new(expand::begin(coding, input, taken.clone())?),
        };
        Ok(Self { bytes, taken })
    }

    /// Returns what a stream holds, read by a thread of its own: where nothing is there yet, reading
    /// would block.
    pub fn awaited(input: impl Read + Send + 'static) -> io::Result<Chunks> {
        let made = Chunks::made_by("await", |sender| match Self::of(input) {
            Ok(mut content) => chunks::hand_over(|buffer| content.read(buffer), sender),
            Err(error) => {
                let _ = sender.send(Err(error));
            }
        });
        made.map(Chunks::impatient)
    }

    pub fn taken(&self) -> Taken {
        self.taken.clone()
    }
}

impl Read for Content {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.bytes.read(buffer)
    }
}

impl fmt::Debug for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Content").field("taken", &self.taken).finish_non_exhaustive()
    }
}

impl Taken {
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

impl Unreadable {
    /// Returns what is behind an error, if it is one of ours.
    #[must_use]
    pub fn behind(error: &io::Error) -> Option<&Self> {
        error.get_ref()?.downcast_ref()
    }
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.cause)
    }
}

impl std::error::Error for Unreadable {}

impl From<Unreadable> for io::Error {
    fn from(unreadable: Unreadable) -> Self {
        Self::other(unreadable)
    }
}

/// A reader whose bytes are counted.
struct Counted<R> {
    input: R,
    taken: Taken,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.input.read(buffer)?;
        self.taken.0.fetch_add(count as u64, Ordering::Relaxed);
        Ok(count)
    }
}

/// A file that is to hold at least what it held when it was opened. What it grows by is read as well.
struct Whole {
    file: File,
    length: u64,
    read: u64,
}

impl Read for Whole {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.file.read(buffer)?;
        self.read += count as u64;
        if count == 0 && self.read < self.length && !buffer.is_empty() {
            let Self { read, length, .. } = self;
            return Err(Unreadable {
                cause: format!(
                    "it shrank while it was read: {read} of its {length} bytes could be read"
                ),
                next: "read it again once nobody writes to it, or a copy of it".to_owned(),
            }
            .into());
        }
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;

    fn all(mut content: Content) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        content.read_to_end(&mut bytes).map(|_| bytes)
    }

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(bytes).expect("memory takes it");
        encoder.finish().expect("memory takes it")
    }

    fn zstd(bytes: &[u8]) -> Vec<u8> {
        zstd::encode_all(bytes, 1).expect("memory takes it")
    }

    /// Text that does not repeat itself.
    fn text() -> Vec<u8> {
        let mut text = Vec::new();
        for number in 0..200_000_u32 {
            let _ = writeln!(text, "{number} {:08x}", number.wrapping_mul(2_654_435_761));
        }
        text
    }

    #[test]
    fn the_first_bytes_tell_what_is_compressed() {
        let text = text();
        for (name, packed) in
            [("plain", text.clone()), ("gzip", gzip(&text)), ("zstd", zstd(&text))]
        {
            let length = packed.len() as u64;
            let content = Content::of(Cursor::new(packed)).expect("it can be opened");
            let taken = content.taken();
            assert!(all(content).expect("it can be read") == text, "{name}");
            assert_eq!(taken.bytes(), length, "{name}");
        }
        for short in [&b""[..], b"a", b"\x1f\x8b", b"\x28\xb5\x2f"] {
            let content = Content::of(short).expect("it can be opened");
            assert_eq!(all(content).expect("it can be read"), short);
        }
    }

    #[test]
    fn files_that_were_compressed_apart_and_joined_are_read_to_the_end() {
        let joined = [gzip(b"one\n"), gzip(b""), gzip(b"two\n")].concat();
        let content = Content::of(Cursor::new(joined)).expect("it can be opened");
        assert_eq!(all(content).expect("it can be read"), b"one\ntwo\n");

        // As pzstd does: a frame to be skipped comes first.
        let skipped = b"\x50\x2a\x4d\x18\x04\0\0\0abcd".to_vec();
        let joined = [skipped, zstd(b"one\n"), zstd(b"two\n")].concat();
        let content = Content::of(Cursor::new(joined)).expect("it can be opened");
        assert_eq!(all(content).expect("it can be read"), b"one\ntwo\n");
    }

    #[test]
    fn what_comes_before_a_torn_end_is_handed_out() {
        for (name, mut packed) in [("gzip", gzip(&text())), ("zstd", zstd(&text()))] {
            packed.truncate(packed.len() / 2);
            let mut content = Content::of(Cursor::new(packed)).expect("it can be opened");
            let mut bytes = Vec::new();
            let error = content.read_to_end(&mut bytes).expect_err("it is torn");
            let unreadable = Unreadable::behind(&error).expect("it is one of ours");
            assert!(unreadable.cause.contains("ends too early"), "{name}: {unreadable}");
            assert!(!bytes.is_empty() && text().starts_with(&bytes), "{name}");
        }
    }

    #[test]
    fn damage_is_told_from_a_torn_end() {
        let mut packed = gzip(&text());
        let middle = packed.len() / 2;
        packed[middle..middle + 64].fill(0xff);
        let content = Content::of(Cursor::new(packed)).expect("it can be opened");
        let error = all(content).expect_err("it is damaged");
        let unreadable = Unreadable::behind(&error).expect("it is one of ours");
        assert!(unreadable.cause.starts_with("it is damaged"), "{unreadable}");
    }

    #[test]
    fn a_file_that_shrinks_while_it_is_read_is_noticed_and_one_that_grows_is_read() {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let path = folder.path().join("a");
        std::fs::write(&path, "0123456789").expect("it can be written");

        let content = Content::open(&path).expect("it is there");
        File::options().write(true).open(&path).and_then(|file| file.set_len(7)).expect("writable");
        let error = all(content).expect_err("it shrank");
        assert_eq!(
            error.to_string(),
            "it shrank while it was read: 7 of its 10 bytes could be read"
        );

        let content = Content::open(&path).expect("it is there");
        let mut file = File::options().append(true).open(&path).expect("it can be written");
        file.write_all(b"abc").expect("it can be written");
        assert_eq!(all(content).expect("it grew"), b"0123456abc");
    }

    #[test]
    fn what_is_awaited_would_block_until_it_is_there() {
        let (reader, mut writer) = io::pipe().expect("there are pipes");
        let mut content = Content::awaited(reader).expect("a thread can be started");
        let mut buffer = [0; 16];
        let error = content.read(&mut buffer).expect_err("nothing is there");
        assert_eq!(error.kind(), io::ErrorKind::WouldBlock);

        writer.write_all(b"0123456789").expect("somebody reads");
        drop(writer);
        let mut bytes = Vec::new();
        while bytes.len() < 10 {
            match content.read(&mut buffer) {
                Ok(count) => bytes.extend_from_slice(&buffer[..count]),
                Err(_) => std::thread::yield_now(),
            }
        }
        assert_eq!(bytes, b"0123456789");
        while content.read(&mut buffer).is_err() {
            std::thread::yield_now();
        }
        assert_eq!(content.read(&mut buffer).expect("it is over"), 0);
    }

    #[test]
    fn whoever_stops_reading_ends_the_thread_that_expands() {
        /// Endless, and tells when it is dropped.
        struct Endless(std::sync::mpsc::Sender<()>);
        impl Read for Endless {
            fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
                buffer.fill(b'x');
                Ok(buffer.len())
            }
        }
        impl Drop for Endless {
            fn drop(&mut self) {
                let _ = self.0.send(());
            }
        }
        let (sender, ended) = std::sync::mpsc::channel();
        let head = zstd(&[b'x'; 100]);
        let content = Content::of(Cursor::new(head).chain(Endless(sender))).expect("opened");
        drop(content);
        assert!(ended.recv().is_ok());
    }
}
