//! A file that is still being written to: at its end reading would block, for there may be more.

use std::fs::{self, File, Metadata};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// A file that somebody writes to. Goes on with its successor when it was rotated.
///
/// It was rotated if another file has its name by now, or if it is shorter than what was read of it.
/// A file that was emptied and filled again beyond that between two looks cannot be told from one that
/// grew.
#[derive(Debug)]
pub struct Tail {
    path: PathBuf,
    file: File,
    read: u64,
    /// The last byte was no end of a line.
    is_within_line: bool,
}

impl Tail {
    pub fn open(path: &Path) -> io::Result<Self> {
        let file = File::open(path)?;
        if file.metadata()?.is_dir() {
            return Err(io::ErrorKind::IsADirectory.into());
        }
        Ok(Self { path: path.to_owned(), file, read: 0, is_within_line: false })
    }

    fn is_rotated(&self) -> io::Result<bool> {
        match fs::metadata(&self.path) {
            Ok(named) => Ok(named.len() < self.read || !is_same(&self.file.metadata()?, &named)),
            // Renamed already, and its successor is not there yet.
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }

    fn read_on(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.file.read(buffer)?;
        self.read += count as u64;
        if let Some(last) = buffer[..count].last() {
            self.is_within_line = *last != b'\n';
        }
        Ok(count)
    }
}

impl Read for Tail {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.read_on(buffer)?;
        if count > 0 || buffer.is_empty() {
            return Ok(count);
        }
        if !self.is_rotated()? {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        // Something may have been added after its end was reached and before it was rotated.
        let count = self.read_on(buffer)?;
        if count > 0 {
            return Ok(count);
        }
        self.file = match File::open(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(io::ErrorKind::WouldBlock.into());
            }
            opened => opened?,
        };
        self.read = 0;
        if std::mem::take(&mut self.is_within_line) {
            // A line that was torn must not swallow the first one of the successor.
            buffer[0] = b'\n';
            return Ok(1);
        }
        self.read(buffer)
    }
}

#[cfg(unix)]
fn is_same(one: &Metadata, other: &Metadata) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    (one.dev(), one.ino()) == (other.dev(), other.ino())
}

/// Elsewhere a file has no identity that can be had; one that is emptied is noticed all the same.
#[cfg(not(unix))]
fn is_same(_: &Metadata, _: &Metadata) -> bool {
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;
    use tempfile::TempDir;

    struct Scene {
        folder: TempDir,
        tail: Tail,
    }

    impl Scene {
        fn new(text: &str) -> Self {
            let folder = TempDir::new().expect("a temporary folder can be made");
            let path = folder.path().join("live.log");
            fs::write(&path, text).expect("writable");
            let tail = Tail::open(&path).expect("it is there");
            Self { folder, tail }
        }

        fn path(&self, name: &str) -> PathBuf {
            self.folder.path().join(name)
        }

        fn append(&self, name: &str, text: &str) {
            let mut file = File::options().append(true).open(self.path(name)).expect("it is there");
            file.write_all(text.as_bytes()).expect("writable");
        }

        /// Returns what can be read until reading would block.
        fn read(&mut self) -> String {
            let mut bytes = Vec::new();
            let error = self.tail.read_to_end(&mut bytes).expect_err("it has no end");
            assert_eq!(error.kind(), io::ErrorKind::WouldBlock);
            String::from_utf8(bytes).expect("it is text")
        }
    }

    #[test]
    fn what_is_added_is_read() {
        let mut scene = Scene::new("one\n");
        assert_eq!(scene.read(), "one\n");
        assert_eq!(scene.read(), "");
        scene.append("live.log", "tw");
        assert_eq!(scene.read(), "tw");
        scene.append("live.log", "o\n");
        assert_eq!(scene.read(), "o\n");
    }

    #[cfg(unix)]
    #[test]
    fn a_file_that_was_renamed_is_read_to_its_end_and_then_its_successor() {
        let mut scene = Scene::new("one\n");
        assert_eq!(scene.read(), "one\n");

        fs::rename(scene.path("live.log"), scene.path("live.log.1")).expect("writable");
        scene.append("live.log.1", "two\n");
        assert_eq!(scene.read(), "two\n");
        scene.append("live.log.1", "three\n");
        fs::write(scene.path("live.log"), "four\n").expect("writable");

        assert_eq!(scene.read(), "three\nfour\n");
    }

    #[test]
    fn a_file_that_was_emptied_is_read_from_its_beginning() {
        let mut scene = Scene::new("one\ntwo\n");
        assert_eq!(scene.read(), "one\ntwo\n");
        let file = File::options().write(true).open(scene.path("live.log")).expect("it is there");
        file.set_len(0).expect("writable");
        scene.append("live.log", "new\n");
        assert_eq!(scene.read(), "new\n");
    }

    #[cfg(unix)]
    #[test]
    fn a_line_that_rotation_tore_ends_there() {
        let mut scene = Scene::new("one\ntor");
        assert_eq!(scene.read(), "one\ntor");
        fs::rename(scene.path("live.log"), scene.path("live.log.1")).expect("writable");
        fs::write(scene.path("live.log"), "two\n").expect("writable");
        assert_eq!(scene.read(), "\ntwo\n");
    }
}
