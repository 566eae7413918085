//! The head of a request, taken apart.

use percent_encoding::percent_decode_str;

/// What stands before the body of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    pub method: String,
    /// As it was sent: nothing is decoded.
    pub path: String,
    query: String,
    /// Names in lower case.
    headers: Vec<(String, String)>,
}

/// How the end of a body is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Length {
    None,
    Known(usize),
    Chunked,
    /// In a way that is not read here.
    Other,
}

const HEADERS_MAX: usize = 100;

impl Head {
    /// Reads everything up to the empty line; `None` if it is no request.
    #[must_use]
    pub fn read(bytes: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(bytes).ok()?;
        let mut lines = text.split("\r\n");
        let mut words = lines.next()?.split(' ');
        let (method, target, version) = (words.next()?, words.next()?, words.next()?);
        let is_token = |text: &str| !text.is_empty() && text.bytes().all(is_token_byte);
        if words.next().is_some()
            || !is_token(method)
            || !version.starts_with("HTTP/1.")
            || !target.starts_with('/')
            || target.bytes().any(|byte| !byte.is_ascii_graphic())
        {
            return None;
        }
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let mut headers = Vec::new();
        for line in lines {
            let (name, value) = line.split_once(':')?;
            // A name with a space before the colon, or a line that goes on another, is how requests are
            // smuggled.
            if !is_token(name) || headers.len() >= HEADERS_MAX || value.contains(['\r', '\n', '\0'])
            {
                return None;
            }
            headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
        }
        let (path, query) = (path.to_owned(), query.to_owned());
        Some(Self { method: method.to_owned(), path, query, headers })
    }

    /// Returns the first header of this name, which is in lower case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.all(name).next()
    }

    /// Returns a value of the query, decoded.
    #[must_use]
    pub fn query(&self, name: &str) -> Option<String> {
        let pairs = self.query.split('&').filter_map(|pair| pair.split_once('='));
        let mut values = pairs.filter(|(key, _)| *key == name).map(|(_, value)| value);
        percent_decode_str(values.next()?).decode_utf8().ok().map(Into::into)
    }

    fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.headers.iter().filter(move |(key, _)| key == name).map(|(_, value)| &**value)
    }

    /// Returns how long the body is; `None` if the head contradicts itself.
    pub(super) fn length(&self) -> Option<Length> {
        let mut codings = self.all("transfer-encoding");
        let mut lengths = self.all("content-length");
        match (codings.next(), codings.next(), lengths.next()) {
            (None, _, None) => Some(Length::None),
            (None, _, Some(length)) => {
                let is_number = !length.is_empty() && length.bytes().all(|b| b.is_ascii_digit());
                // A number that does not fit is too long in any case.
                let number = length.parse().unwrap_or(usize::MAX);
                (is_number && lengths.next().is_none()).then_some(Length::Known(number))
            }
            // Two ways to find the end are how requests are smuggled (RFC 9112 §6.3).
            (Some(_), _, Some(_)) => None,
            (Some(coding), None, None) if coding.eq_ignore_ascii_case("chunked") => {
                Some(Length::Chunked)
            }
            (Some(_), _, None) => Some(Length::Other),
        }
    }
}

/// Reads the line before a chunk.
pub(super) fn chunk_size(line: &[u8]) -> Option<usize> {
    let digits = line.split(|byte| *byte == b';').next()?.trim_ascii_end();
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    let text = std::str::from_utf8(digits).ok()?;
    Some(usize::from_str_radix(text, 16).unwrap_or(usize::MAX))
}

/// RFC 9110 §5.6.2.
const fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(
            byte,
            b'!' | b'#'
                | b'$'
                | b'%'
                | b'&'
                | b'\''
                | b'*'
                | b'+'
                | b'-'
                | b'.'
                | b'^'
                | b'_'
                | b'`'
                | b'|'
                | b'~'
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_taken_apart() {
        let head = Head::read(
            b"POST /a/b?x=1&secret=a%20b HTTP/1.1\r\nHost: h\r\nX-Y:  z \r\nContent-Length: 3",
        )
        .expect("it is one");
        assert_eq!((&*head.method, &*head.path), ("POST", "/a/b"));
        assert_eq!(head.query("secret").as_deref(), Some("a b"));
        assert_eq!((head.query("y"), head.header("x-y")), (None, Some("z")));
        assert_eq!(head.length(), Some(Length::Known(3)));
    }

    #[test]
    fn what_is_no_request_is_none() {
        for bytes in [
            &b""[..],
            b"GET",
            b"GET / HTTP/2",
            b"GET x HTTP/1.1",
            b"GET  / HTTP/1.1",
            b"G\xc3\xa9T / HTTP/1.1",
            b"GET /\xff HTTP/1.1",
            b"GET /\x1b HTTP/1.1",
            b"GET / HTTP/1.1\r\nname : value",
            b"GET / HTTP/1.1\r\na: b\r\n folded",
            b"GET / HTTP/1.1\r\nno colon",
            b"GET / HTTP/1.1\r\na: b\nc: d",
        ] {
            assert_eq!(Head::read(bytes), None, "{bytes:?}");
        }
        let many = [b"GET / HTTP/1.1"[..].to_vec(), b"\r\na: b".repeat(HEADERS_MAX + 1)].concat();
        assert_eq!(Head::read(&many), None);
    }

    #[test]
    fn the_end_of_a_body_is_found_in_one_way_only() {
        for (headers, expected) in [
            ("", Some(Length::None)),
            ("\r\nContent-Length: 18446744073709551616", Some(Length::Known(usize::MAX))),
            ("\r\nContent-Length: -1", None),
            ("\r\nContent-Length: +1", None),
            ("\r\nContent-Length: 1\r\nContent-Length: 1", None),
            ("\r\nContent-Length: 1\r\nTransfer-Encoding: chunked", None),
            ("\r\nTransfer-Encoding: Chunked", Some(Length::Chunked)),
            ("\r\nTransfer-Encoding: gzip, chunked", Some(Length::Other)),
            ("\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked", Some(Length::Other)),
        ] {
            let head = Head::read(format!("POST / HTTP/1.1{headers}").as_bytes()).expect(headers);
            assert_eq!(head.length(), expected, "{headers}");
        }
        for (line, size) in [
            (&b"a"[..], Some(10)),
            (b"1F ;x=y", Some(31)),
            (b"ffffffffffffffffff", Some(usize::MAX)),
            (b"", None),
            (b"-1", None),
            (b"0x1", None),
        ] {
            assert_eq!(chunk_size(line), size, "{line:?}");
        }
    }
}
