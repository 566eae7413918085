//! Frames of STOMP 1.2 as bytes.
//!
//! Pure. What was read comes from strangers: every length is checked before it is used.
//!
//! Source: STOMP 1.2 specification (stomp.github.io/stomp-specification-1.2.html).

use bytes::{Buf, Bytes, BytesMut};
use memchr::memchr;

/// The longest command with its headers, in bytes.
pub const HEAD_MAX: usize = 64 << 10;
/// The longest body, in bytes.
pub const BODY_MAX: usize = 1 << 20;
/// The most headers of a frame.
const HEADERS_MAX: usize = 1_000;

/// What says that we are there.
pub const BEAT: &[u8] = b"\n";

/// What is read next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// The end of a line between frames.
    Beat,
    Frame(Frame),
}

/// A frame. What its headers hold need not be text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    pub command: Vec<u8>,
    /// In the order in which they came. Of several with one name the first counts.
    pub headers: Vec<(Vec<u8>, Vec<u8>)>,
    pub body: Bytes,
}

impl Frame {
    /// Returns the value of a header, if it is text.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(key, _)| key == name.as_bytes())?;
        std::str::from_utf8(&found.1).ok()
    }
}

/// Why bytes are no frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Malformed(pub &'static str);

/// Takes what is next out of the buffer; `None` if it is not there as a whole yet.
pub fn read(input: &mut BytesMut) -> Result<Option<Part>, Malformed> {
    match **input {
        [] | [b'\r'] => return Ok(None),
        [b'\n', ..] => {
            input.advance(1);
            return Ok(Some(Part::Beat));
        }
        [b'\r', b'\n', ..] => {
            input.advance(2);
            return Ok(Some(Part::Beat));
        }
        // Else the words of a stranger would be a frame that is still on its way.
        [first, ..] if !first.is_ascii_uppercase() => return Err(FOREIGN),
        _ if input.starts_with(b"HTTP/") => {
            return Err(Malformed("what answered speaks HTTP, not STOMP"));
        }
        _ => {}
    }
    let Some(head) = head(&input[..input.len().min(HEAD_MAX)])? else {
        return if input.len() < HEAD_MAX { Ok(None) } else { Err(LONG) };
    };
    let rest = &input[head.length..];
    let size = match head.size {
        Some(size) if size > BODY_MAX => return Err(LONG_BODY),
        Some(size) => match rest.get(size) {
            None => return Ok(None),
            Some(0) => size,
            Some(_) => return Err(Malformed("a frame does not end where it says")),
        },
        None => match memchr(0, &rest[..rest.len().min(BODY_MAX + 1)]) {
            Some(size) => size,
            None if rest.len() > BODY_MAX => return Err(LONG_BODY),
            None => return Ok(None),
        },
    };
    input.advance(head.length);
    let body = input.split_to(size).freeze();
    input.advance(1);
    Ok(Some(Part::Frame(Frame { command: head.command, headers: head.headers, body })))
}

struct Head {
    command: Vec<u8>,
    headers: Vec<(Vec<u8>, Vec<u8>)>,
    /// Where the body begins.
    length: usize,
    size: Option<usize>,
}

/// Reads a command and its headers, if the empty line behind them is there.
fn head(bytes: &[u8]) -> Result<Option<Head>, Malformed> {
    let mut at = 0;
    let mut next = || {
        let line = &bytes[at..];
        let length = memchr(b'\n', line)?;
        at += length + 1;
        let line = &line[..length];
        Some((line.strip_suffix(b"\r").unwrap_or(line), at))
    };
    let Some((command, _)) = next() else {
        return if bytes.len() > COMMAND_MAX { Err(FOREIGN) } else { Ok(None) };
    };
    if command.len() > COMMAND_MAX || !command.iter().all(u8::is_ascii_uppercase) {
        return Err(FOREIGN);
    }
    // These two do not escape, so that older versions understand them.
    let is_escaped = !matches!(command, b"CONNECT" | b"CONNECTED");
    let mut headers: Vec<(Vec<u8>, Vec<u8>)> = Vec::new();
    let mut size = None;
    loop {
        let Some((line, length)) = next() else { return Ok(None) };
        if line.is_empty() {
            let command = command.to_vec();
            return Ok(Some(Head { command, headers, length, size }));
        }
        let colon = memchr(b':', line).ok_or(Malformed("a header has no `:`"))?;
        if headers.len() >= HEADERS_MAX {
            return Err(LONG);
        }
        let (name, value) = (&line[..colon], &line[colon + 1..]);
        if name == b"content-length" && size.is_none() {
            let text = std::str::from_utf8(value).ok().and_then(|text| text.trim().parse().ok());
            size = Some(text.ok_or(Malformed("`content-length` is no number"))?);
        }
        headers.push(if is_escaped {
            (unescaped(name), unescaped(value))
        } else {
            (name.to_vec(), value.to_vec())
        });
    }
}

/// Undoes the escapes of a header. What is none stays as it is: brokers that forget to escape a backslash
/// would else be cut off by any client with one in its id.
fn unescaped(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.iter().copied().peekable();
    while let Some(byte) = bytes.next() {
        let meant = match (byte, bytes.peek()) {
            (b'\\', Some(b'n')) => b'\n',
            (b'\\', Some(b'r')) => b'\r',
            (b'\\', Some(b'c')) => b':',
            (b'\\', Some(b'\\')) => b'\\',
            _ => {
                out.push(byte);
                continue;
            }
        };
        bytes.next();
        out.push(meant);
    }
    out
}

/// Returns a frame without a body, to be sent.
#[must_use]
pub fn write(command: &str, headers: &[(&str, &str)]) -> Vec<u8> {
    let mut bytes = Vec::from(command);
    bytes.push(b'\n');
    for (name, value) in headers {
        bytes.extend_from_slice(name.as_bytes());
        bytes.push(b':');
        for byte in value.bytes() {
            match byte {
                // CONNECT does not escape: whoever calls it sees to it that there is nothing to escape.
                _ if command == "CONNECT" => bytes.push(byte),
                b'\n' => bytes.extend(b"\\n"),
                b'\r' => bytes.extend(b"\\r"),
                b':' => bytes.extend(b"\\c"),
                b'\\' => bytes.extend(b"\\\\"),
                byte => bytes.push(byte),
            }
        }
        bytes.push(b'\n');
    }
    bytes.extend(b"\n\0");
    bytes
}

/// Longer than every command there is.
const COMMAND_MAX: usize = 32;
const FOREIGN: Malformed = Malformed("what answered does not speak STOMP");
const LONG: Malformed = Malformed("the headers of a frame are longer than is taken in");
const LONG_BODY: Malformed = Malformed("the body of a frame is longer than is taken in");

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(bytes: &[u8]) -> Result<Vec<Part>, Malformed> {
        let mut input = BytesMut::from(bytes);
        let mut parts = Vec::new();
        while let Some(part) = read(&mut input)? {
            parts.push(part);
        }
        Ok(parts)
    }

    fn frame(command: &str, headers: &[(&str, &str)], body: &'static [u8]) -> Part {
        let bytes = |text: &str| text.as_bytes().to_vec();
        let headers = headers.iter().map(|(name, value)| (bytes(name), bytes(value))).collect();
        Part::Frame(Frame { command: bytes(command), headers, body: Bytes::from_static(body) })
    }

    #[test]
    fn frames_and_beats_are_read_one_after_the_other_and_in_pieces() {
        let bytes =
            b"CONNECTED\nversion:1.2\nserver:a\\cb\n\n\0\n\r\nMESSAGE\r\na\\cb:c\\nd\\\\\\t\r\n\
                      content-length:3\r\n\r\nx\0y\0MESSAGE\na:1\na:2\n\nbody\0";
        let expected = [
            frame("CONNECTED", &[("version", "1.2"), ("server", "a\\cb")], b""),
            Part::Beat,
            Part::Beat,
            frame("MESSAGE", &[("a:b", "c\nd\\\\t"), ("content-length", "3")], b"x\0y"),
            frame("MESSAGE", &[("a", "1"), ("a", "2")], b"body"),
        ];
        assert_eq!(parts(bytes), Ok(expected.to_vec()));
        for cut in 0..bytes.len() {
            let found = parts(&bytes[..cut]).unwrap_or_else(|wrong| panic!("{cut}: {wrong:?}"));
            assert!(expected.starts_with(&found), "{cut}");
        }
        let Part::Frame(last) = &expected[4] else { panic!("it is one") };
        assert_eq!((last.header("a"), last.header("b")), (Some("1"), None));
    }

    #[test]
    fn what_is_no_frame_is_told() {
        let long_head = [b"MESSAGE\na:"[..].to_vec(), vec![b'x'; HEAD_MAX]].concat();
        let long_body = [b"MESSAGE\n\n"[..].to_vec(), vec![b'x'; BODY_MAX + 1]].concat();
        let many = [&b"MESSAGE\n"[..], &b"a:\n".repeat(HEADERS_MAX + 1)].concat();
        for (bytes, cause) in [
            (&b"HTTP/1.1 400 Bad Request\r\n"[..], "speaks HTTP"),
            (b"\x15\x03\x01\x00", "does not speak STOMP"),
            (b"MESSAGE x\n", "does not speak STOMP"),
            (&[b'A'; 40], "does not speak STOMP"),
            (b"MESSAGE\nnothing\n", "no `:`"),
            (b"MESSAGE\ncontent-length:-1\n\n", "no number"),
            (b"MESSAGE\ncontent-length:99999999\n\n", "body"),
            (b"MESSAGE\ncontent-length:1\n\nxy\0", "does not end"),
            (&long_head, "headers"),
            (&long_body, "body"),
            (&many, "headers"),
        ] {
            let Malformed(found) = parts(bytes).expect_err(cause);
            assert!(found.contains(cause), "{found}");
        }
    }

    #[test]
    fn what_is_written_is_read_again() {
        for seed in 0..5_000 {
            let mut random = fastrand::Rng::with_seed(seed);
            let mut text = || -> String {
                let length = random.usize(0..8);
                (0..length)
                    .map(|_| *random.choice(b":\\\n\rcn x\xc3").map_or(&b'x', |b| b))
                    .map(char::from)
                    .collect()
            };
            let headers: Vec<(String, String)> =
                (0..3).map(|number| (format!("h{number}"), text())).collect();
            let given: Vec<(&str, &str)> =
                headers.iter().map(|(name, value)| (&**name, &**value)).collect();
            let written = write("MESSAGE", &given);
            assert_eq!(parts(&written), Ok(vec![frame("MESSAGE", &given, b"")]), "seed {seed}");
        }
    }

    #[test]
    fn no_bytes_make_it_panic() {
        for seed in 0..20_000 {
            let mut random = fastrand::Rng::with_seed(seed);
            let pieces: [&[u8]; 9] =
                [b"MESSAGE", b"\n", b"\r\n", b":", b"content-length:", b"3", b"\0", b"\\", b"\xff"];
            let bytes: Vec<u8> = (0..random.usize(0..20))
                .flat_map(|_| pieces[random.usize(..pieces.len())].to_vec())
                .collect();
            let _ = parts(&bytes);
        }
    }
}
