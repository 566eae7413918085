//! Appending to a recording so that nothing in it is ever torn.

use super::line::Line;
use crate::failure::Failure;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// A recording that is being written. It holds a lock on the file for as long as it lives.
#[derive(Debug)]
pub struct Recorder {
    file: File,
    path: PathBuf,
    /// Lines that are not on the disk yet.
    pending: Vec<u8>,
    /// Up to where the file is known to be whole.
    whole: u64,
}

impl Recorder {
    /// Opens a recording to append to, readable by its owner only. Returns also whether its last line
    /// was torn; it is given its newline, so that only that line is lost.
    pub fn open(path: &Path) -> Result<(Self, bool), Failure> {
        let failed = |cause: &dyn std::fmt::Display| {
            Failure::new(format!("could not open the recording `{}`", path.display()))
                .because(cause)
                .next("name a file that can be written with `--record`")
        };
        let mut options = OpenOptions::new();
        options.read(true).append(true).create(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(path).map_err(|error| failed(&error))?;
        match file.try_lock() {
            // Some file systems know no locks; a recording there is better than none.
            Ok(()) | Err(TryLockError::Error(_)) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(Failure::new(format!("could not record into `{}`", path.display()))
                    .because("another process is recording into it")
                    .next("name another file: recordings can be joined afterwards"));
            }
        }
        let metadata = file.metadata().map_err(|error| failed(&error))?;
        if keeps_nothing(&metadata) {
            return Err(failed(&"it is a pipe, which keeps nothing"));
        }
        let length = metadata.len();
        let torn = length > 0 && last_byte(&mut file).map_err(|error| failed(&error))? != b'\n';
        let pending = if torn { vec![b'\n'] } else { Vec::new() };
        Ok((Self { file, path: path.to_owned(), pending, whole: length }, torn))
    }

    /// Adds a line. It is not on the disk before `commit`.
    pub fn add(&mut self, line: &Line<'_>) {
        let before = self.pending.len();
        if serde_json::to_writer(&mut self.pending, line).is_err() {
            // Cannot happen with these types; a torn line would be worse than a missing one.
            self.pending.truncate(before);
            return;
        }
        self.pending.push(b'\n');
    }

    /// Returns how many bytes wait for `commit`.
    #[must_use]
    pub const fn pending(&self) -> usize {
        self.pending.len()
    }

    /// Returns how many bytes are in the file.
    #[must_use]
    pub const fn written(&self) -> u64 {
        self.whole
    }

    /// Makes every line added so far durable. After an error nothing of them is in the file, all of
    /// them are kept, and it may be tried again.
    pub fn commit(&mut self) -> Result<(), Failure> {
        if self.pending.is_empty() {
            return Ok(());
        }
        let written = self.file.write_all(&self.pending).and_then(|()| self.file.sync_data());
        if let Err(error) = written {
            // Half a line must not stay: the next attempt writes it whole.
            let _ = self.file.set_len(self.whole);
            return Err(Failure::new(format!("could not write to `{}`", self.path.display()))
                .because(error)
                .next("make room or mend the disk; nothing heard is acknowledged until then"));
        }
        self.whole += self.pending.len() as u64;
        self.pending.clear();
        Ok(())
    }
}

/// A pipe takes lines, but never says that they are durable, and so nothing could be acknowledged.
fn keeps_nothing(metadata: &std::fs::Metadata) -> bool {
    #[cfg(unix)]
    return std::os::unix::fs::FileTypeExt::is_fifo(&metadata.file_type());
    #[cfg(not(unix))]
    return !(metadata.is_file() || metadata.is_dir());
}

fn last_byte(file: &mut File) -> std::io::Result<u8> {
    let mut byte = [0];
    file.seek(SeekFrom::End(-1))?;
    file.read_exact(&mut byte)?;
    Ok(byte[0])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::recording::line::JudgedLine;

    fn judged(now_ms: i64) -> Line<'static> {
        Line::Judged(JudgedLine { instance: "h:1883".to_owned(), now_ms })
    }

    #[test]
    fn a_torn_last_line_is_mended_and_reported() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("night.jsonl");
        std::fs::write(&path, "{\"type\":\"judged\",\"inst").unwrap();

        let (mut recorder, torn) = Recorder::open(&path).unwrap();
        recorder.add(&judged(7));
        recorder.commit().unwrap();

        assert!(torn);
        let text = std::fs::read_to_string(&path).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[0], "{\"type\":\"judged\",\"inst");
        assert_eq!(serde_json::from_str::<Line<'_>>(lines[1]).unwrap(), judged(7));
    }

    #[test]
    fn a_second_recorder_of_one_file_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("night.jsonl");
        let (_first, _) = Recorder::open(&path).unwrap();

        let failure = Recorder::open(&path).unwrap_err();

        assert_eq!(failure.cause.as_deref(), Some("another process is recording into it"));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_full_disk_loses_nothing_and_may_be_tried_again() {
        let (mut recorder, _) = Recorder::open(Path::new("/dev/full")).unwrap();
        recorder.add(&judged(7));
        let pending = recorder.pending();

        let failure = recorder.commit().unwrap_err();

        assert!(failure.cause.unwrap().contains("No space left"));
        assert!(pending > 0);
        assert_eq!(recorder.pending(), pending);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_pipe_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("night.jsonl");
        assert!(std::process::Command::new("mkfifo").arg(&path).status().unwrap().success());

        let failure = Recorder::open(&path).unwrap_err();

        assert_eq!(failure.cause.as_deref(), Some("it is a pipe, which keeps nothing"));
    }

    #[cfg(unix)]
    #[test]
    fn a_recording_is_readable_by_its_owner_only() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("night.jsonl");
        let _recorder = Recorder::open(&path).unwrap();

        let mode = std::fs::metadata(&path).unwrap().permissions().mode();

        assert_eq!(mode & 0o777, 0o600);
    }
}
