//! How bytes are compressed, told by how they begin.

use super::Unreadable;
use std::io::{self, BufRead, Read};

/// A way of compressing that is read here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Coding {
    Gzip,
    Zstd,
}

impl Coding {
    /// Returns how these bytes are compressed, `None` if they are not. Fails for what nobody could
    /// make lines of.
    pub fn of(head: &[u8]) -> Result<Option<Self>, Unreadable> {
        if let Some((_, name, expand)) =
            FOREIGN.iter().find(|(magic, _, _)| head.starts_with(magic))
        {
            return Err(Unreadable {
                cause: format!("it is {name}, which is not read here"),
                next: format!("turn it into lines first: `{expand} FILE | presence replay -`"),
            });
        }
        Ok(match head {
            // The third byte names the only method there is (RFC 1952 §2.3).
            [0x1f, 0x8b, 0x08, ..] => Some(Self::Gzip),
            // Or a frame to be skipped, with which parallel compressors begin (RFC 8878 §3.1.2).
            [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Some(Self::Zstd),
            _ => None,
        })
    }

    /// Returns a reader of what was compressed. Several files, compressed apart and concatenated, are
    /// read as one, as `zcat` and `zstdcat` do.
    pub fn decoder(self, input: impl BufRead + Send + 'static) -> io::Result<Box<dyn Read + Send>> {
        Ok(match self {
            Self::Gzip => Box::new(flate2::bufread::MultiGzDecoder::new(input)),
            // It refuses windows beyond 128 MiB, so what it allocates is bounded.
            Self::Zstd => Box::new(zstd::Decoder::with_buffer(input)?),
        })
    }

    pub const fn name(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
        }
    }

    /// Returns the program that expands it.
    pub const fn program(self) -> &'static str {
        match self {
            Self::Gzip => "zcat",
            Self::Zstd => "zstdcat --long=31",
        }
    }
}

/// Bytes that are enough to tell.
pub const HEAD_MAX: usize = 6;

/// How bytes begin that are no lines: what they are, and what makes lines of them.
const FOREIGN: [(&[u8], &str, &str); 6] = [
    (b"BZh", "compressed with bzip2", "bzcat"),
    (b"\xfd7zXZ\0", "compressed with xz", "xzcat"),
    (b"PK\x03\x04", "a ZIP archive", "unzip -p"),
    (b"\x04\x22\x4d\x18", "compressed with lz4", "lz4cat"),
    (b"\xff\xfe", "UTF-16 text", "iconv -f UTF-16 -t UTF-8"),
    (b"\xfe\xff", "UTF-16 text", "iconv -f UTF-16 -t UTF-8"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_read_is_named_with_the_way_out() {
        for (head, cause, next) in [
            (&b"BZh91A"[..], "bzip2", "`bzcat FILE | presence replay -`"),
            (b"\xfd7zXZ\0", "xz", "`xzcat FILE"),
            (b"PK\x03\x04..", "ZIP", "`unzip -p FILE"),
            (b"\xff\xfe{\0", "UTF-16", "`iconv -f UTF-16 -t UTF-8 FILE"),
        ] {
            let unreadable = Coding::of(head).expect_err("it is not read");
            assert!(unreadable.cause.contains(cause), "{unreadable:?}");
            assert!(unreadable.next.contains(next), "{unreadable:?}");
        }
        for lines in [&b"{\"clie"[..], b"179531", b"", b"PK", b"\x1f\x8b\x09"] {
            assert_eq!(Coding::of(lines).expect("it may hold lines"), None);
        }
    }
}
