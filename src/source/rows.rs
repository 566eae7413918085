//! Where rows of a table end: a quoted cell may hold ends of lines (RFC 4180).

use memchr::{memchr, memchr2};

/// Returns the place of the newline that ends the first row; `None` if it goes on.
///
/// A quote counts where a cell begins with it, as for `csv-core`: elsewhere it is a character like others.
#[must_use]
pub fn end_of_row(bytes: &[u8], delimiter: u8) -> Option<usize> {
    let mut at = 0;
    loop {
        if bytes.get(at) == Some(&b'"') {
            at = end_of_cell(bytes, at + 1)?;
        }
        at += memchr2(delimiter, b'\n', &bytes[at..])?;
        if bytes[at] == b'\n' {
            return Some(at);
        }
        at += 1;
    }
}

/// Returns the place behind the quote that closes a cell, which is not followed by another one: two of them
/// are one character of it.
fn end_of_cell(bytes: &[u8], mut at: usize) -> Option<usize> {
    loop {
        at += memchr(b'"', &bytes[at..])? + 1;
        if bytes.get(at) != Some(&b'"') {
            return Some(at);
        }
        at += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use csv_core::{ReadRecordResult, Reader};

    #[test]
    fn a_row_ends_where_no_cell_is_open() {
        for (bytes, expected) in [
            ("a,b\nc", Some(3)),
            ("a,b", None),
            ("", None),
            ("\"a\nb\",c\nd", Some(7)),
            ("\"a\"\"\nb\",\"\n\"\n", Some(11)),
            ("a 5\" pipe,b\n", Some(11)),
            ("a,\"b\nc", None),
            ("\"a\"b\n\"\n", Some(4)),
            ("a;\"\n", Some(3)),
        ] {
            assert_eq!(end_of_row(bytes.as_bytes(), b','), expected, "{bytes}");
        }
        assert_eq!(end_of_row(b"a;\"\n\";b\n", b';'), Some(7));
    }

    /// Returns where the first row ends for the reader of its cells.
    fn end_for_reader(bytes: &[u8]) -> Option<usize> {
        let (mut text, mut ends) = (vec![0; bytes.len() + 1], vec![0; bytes.len() + 1]);
        let (result, read, ..) = Reader::new().read_record(bytes, &mut text, &mut ends);
        (result == ReadRecordResult::Record).then(|| read - 1)
    }

    #[test]
    fn rows_end_where_they_end_for_the_reader_of_cells() {
        for seed in 0..20_000 {
            let mut rng = fastrand::Rng::with_seed(seed);
            // It passes over blank lines, so that a row begins with something.
            let mut bytes = vec![[b'a', b'"', b','][rng.usize(..3)]];
            bytes.extend((0..rng.usize(..12)).map(|_| [b'a', b'"', b',', b'\n'][rng.usize(..4)]));
            let shown = String::from_utf8_lossy(&bytes).into_owned();
            assert_eq!(end_of_row(&bytes, b','), end_for_reader(&bytes), "seed {seed}: {shown:?}");
        }
    }
}
