//! Chunks of bytes that another thread hands over.

use std::io::{self, Read};
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, sync_channel};
use std::thread;

/// A reader of what another thread makes or waits for.
#[derive(Debug)]
pub struct Chunks {
    receiver: Receiver<io::Result<Vec<u8>>>,
    chunk: Vec<u8>,
    start: usize,
    /// Waits for the next chunk, instead of saying that it would block.
    is_patient: bool,
}

/// Bytes of a chunk, and chunks that wait to be read.
pub const CHUNK: usize = 256 * 1024;
const AHEAD_MAX: usize = 4;

impl Chunks {
    /// Returns what a new thread hands over: chunks, then perhaps an error. `make` ends when there is
    /// nobody left to take them.
    pub fn made_by(
        name: &str,
        make: impl FnOnce(&SyncSender<io::Result<Vec<u8>>>) + Send + 'static,
    ) -> io::Result<Self> {
        let (sender, receiver) = sync_channel(AHEAD_MAX);
        thread::Builder::new().name(name.to_owned()).spawn(move || make(&sender))?;
        Ok(Self { receiver, chunk: Vec::new(), start: 0, is_patient: true })
    }

    /// Returns the same, but where the next chunk is not there yet, reading would block.
    #[must_use]
    pub fn impatient(self) -> Self {
        Self { is_patient: false, ..self }
    }

    /// Returns the next chunk, empty at the end.
    fn next(&self) -> io::Result<Vec<u8>> {
        if self.is_patient {
            return self.receiver.recv().unwrap_or_else(|_| Ok(Vec::new()));
        }
        match self.receiver.try_recv() {
            Ok(chunk) => chunk,
            Err(TryRecvError::Empty) => Err(io::ErrorKind::WouldBlock.into()),
            Err(TryRecvError::Disconnected) => Ok(Vec::new()),
        }
    }
}

impl Read for Chunks {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.start == self.chunk.len() {
            (self.chunk, self.start) = (self.next()?, 0);
        }
        let count = (&self.chunk[self.start..]).read(buffer)?;
        self.start += count;
        Ok(count)
    }
}

/// Hands over what `read` fills buffers with, until its end, an error, or until nobody takes it.
pub fn hand_over(
    mut read: impl FnMut(&mut [u8]) -> io::Result<usize>,
    sender: &SyncSender<io::Result<Vec<u8>>>,
) {
    loop {
        let mut chunk = vec![0; CHUNK];
        let filled = match read(&mut chunk) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Ok(0) => return,
            filled => filled,
        };
        let is_over = filled.is_err();
        let handed = filled.map(|count| {
            chunk.truncate(count);
            chunk
        });
        if sender.send(handed).is_err() || is_over {
            return;
        }
    }
}
