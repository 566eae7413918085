//! Expanding what is compressed, on a thread of its own: it takes longer than making lines of it.

use super::coding::Coding;
use super::{Taken, Unreadable};
use std::io::{self, BufReader, Read};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

/// Bytes that another thread expands.
pub struct Expanding {
    chunks: Receiver<io::Result<Vec<u8>>>,
    chunk: Vec<u8>,
    start: usize,
}

/// Begins to expand `input`, of which `taken` counts what was taken.
pub fn begin(
    coding: Coding,
    input: impl Read + Send + 'static,
    taken: Taken,
) -> io::Result<Expanding> {
    let (sender, chunks) = sync_channel(CHUNKS_AHEAD_MAX);
    let decoder = coding.decoder(BufReader::with_capacity(CHUNK, input))?;
    let work = move || expand(decoder, coding, &taken, &sender);
    thread::Builder::new().name("expand".to_owned()).spawn(work)?;
    Ok(Expanding { chunks, chunk: Vec::new(), start: 0 })
}

/// Hands out chunks until the end, an error, or until nobody takes them any more.
fn expand(
    mut decoder: impl Read,
    coding: Coding,
    taken: &Taken,
    sender: &SyncSender<io::Result<Vec<u8>>>,
) {
    let mut expanded = 0;
    loop {
        let mut chunk = vec![0; CHUNK];
        let read = decoder.read(&mut chunk).map_err(|error| explained(error, coding));
        let read = read.and_then(|count| {
            expanded += count as u64;
            if is_bomb(taken.bytes(), expanded) {
                return Err(bomb(taken.bytes(), expanded, coding).into());
            }
            chunk.truncate(count);
            Ok(chunk)
        });
        match read {
            Ok(chunk) if chunk.is_empty() => return,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            read => {
                let is_over = read.is_err();
                if sender.send(read).is_err() || is_over {
                    return;
                }
            }
        }
    }
}

impl Read for Expanding {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.start == self.chunk.len() {
            let Ok(chunk) = self.chunks.recv() else { return Ok(0) };
            (self.chunk, self.start) = (chunk?, 0);
        }
        let count = (&self.chunk[self.start..]).read(buffer)?;
        self.start += count;
        Ok(count)
    }
}

fn explained(error: io::Error, coding: Coding) -> io::Error {
    if Unreadable::behind(&error).is_some() || error.kind() == io::ErrorKind::Interrupted {
        return error;
    }
    let name = coding.name();
    if error.kind() == io::ErrorKind::UnexpectedEof {
        return Unreadable {
            cause: format!("its {name} data ends too early"),
            next: "copy it again; if it is still written to, wait for its end".to_owned(),
        }
        .into();
    }
    let next = format!("try `{} FILE`: what that can read can be piped in", coding.program());
    Unreadable { cause: format!("it is damaged, or no whole {name} file: {error}"), next }.into()
}

/// Tells whether so few bytes expand to so many that somebody means harm. Lines with stamps in them
/// shrink to a hundredth at best, gzip can do a thousandth.
const fn is_bomb(taken: u64, expanded: u64) -> bool {
    expanded > EXPANDED_FREE && expanded / RATIO_MAX > taken
}

fn bomb(taken: u64, expanded: u64, coding: Coding) -> Unreadable {
    Unreadable {
        cause: format!(
            "{taken} bytes of it expand to more than {expanded}, beyond {RATIO_MAX} times their size"
        ),
        next: format!(
            "if it is a log all the same: `{} FILE | presence replay -`",
            coding.program()
        ),
    }
}

/// Bytes that are expanded at a time, and chunks that wait to be read.
const CHUNK: usize = 256 * 1024;
const CHUNKS_AHEAD_MAX: usize = 4;
/// Bytes that may come of next to nothing, and how many may come of one byte beyond them.
const EXPANDED_FREE: u64 = 64 * 1024 * 1024;
const RATIO_MAX: u64 = 250;

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Cursor;

    #[test]
    fn a_bomb_is_told_by_how_much_comes_of_how_little() {
        for (taken, expanded, expected) in [
            (0, EXPANDED_FREE, false),
            (1_000, EXPANDED_FREE + 1, true),
            (EXPANDED_FREE / 100, EXPANDED_FREE + 1, false),
            (10 << 30, 1_000 << 30, false),
            (10 << 30, 3_000 << 30, true),
        ] {
            assert_eq!(is_bomb(taken, expanded), expected, "{taken} to {expanded}");
        }
    }

    #[test]
    fn a_bomb_is_put_out() {
        let zeros = io::repeat(0).take(4 * EXPANDED_FREE);
        let packed = zstd::encode_all(zeros, 1).expect("memory takes it");
        let content = super::super::Content::of(Cursor::new(packed)).expect("it can be opened");
        let mut content = content;

        let error = io::copy(&mut content, &mut io::sink()).expect_err("it is a bomb");

        let unreadable = Unreadable::behind(&error).expect("it is one of ours");
        assert!(unreadable.cause.contains("beyond 250 times their size"), "{unreadable}");
        assert!(unreadable.next.contains("`zstdcat --long=31 FILE | presence replay -`"));
    }
}
