//! Expanding what is compressed, on a thread of its own: it takes longer than making lines of it.

use super::chunks::{CHUNK, Chunks, hand_over};
use super::coding::Coding;
use super::{Taken, Unreadable};
use std::io::{self, BufReader, Read};
use std::sync::mpsc::SyncSender;

/// Begins to expand `input`, of which `taken` counts what was taken.
pub fn begin(
    coding: Coding,
    input: impl Read + Send + 'static,
    taken: Taken,
) -> io::Result<Chunks> {
    let decoder = coding.decoder(BufReader::with_capacity(CHUNK, input))?;
    Chunks::made_by("expand", move |sender| expand(decoder, coding, &taken, sender))
}

/// Hands out chunks until the end, an error, or until nobody takes them any more.
fn expand(
    mut decoder: impl Read,
    coding: Coding,
    taken: &Taken,
    sender: &SyncSender<io::Result<Vec<u8>>>,
) {
    let mut expanded = 0;
    let read = |buffer: &mut [u8]| {
        let count = decoder.read(buffer).map_err(|error| explained(error, coding))?;
        expanded += count as u64;
        if is_bomb(taken.bytes(), expanded) {
            return Err(bomb(taken.bytes(), expanded, coding).into());
        }
        Ok(count)
    };
    hand_over(read, sender);
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
