//! Where the built-in broker listens, and whom it lets in.

use crate::config::connection::TEXT_MAX;
use crate::config::secret::Secret;
use crate::failure::Failure;
use std::collections::BTreeMap;
use std::fmt;
use std::fs::File;
use std::io::Read as _;
use std::net::Ipv6Addr;
use std::path::Path;

const LOOPBACK: &str = "127.0.0.1";
/// The port of MQTT.
const PORT: u16 = 1883;

/// An address to listen on. Port 0 is a free one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// A name or an address; IPv6 without brackets.
    pub host: String,
    pub port: u16,
}

impl Address {
    /// Returns an address that only this machine can reach.
    pub fn loopback(port: u16) -> Self {
        Self { host: LOOPBACK.to_owned(), port }
    }

    /// Reads `PORT`, `HOST`, `HOST:PORT`, `mqtt://HOST:PORT` or `ws://HOST:PORT`.
    pub fn read(typed: &str) -> Result<Self, Failure> {
        let refuse = |cause: &str, next: &str| {
            Failure::misuse(format!("`--listen {}` is no address", typed.escape_debug()))
                .because(cause)
                .next(next)
        };
        let rest = match typed.split_once("://") {
            Some(("mqtt" | "tcp" | "ws", rest)) => rest,
            Some(("mqtts" | "ssl" | "tls" | "wss", _)) => {
                return Err(refuse(
                    "the built-in broker does not encrypt",
                    "leave the scheme out; every port takes MQTT over TCP and WebSocket",
                ));
            }
            Some(_) => return Err(refuse("its scheme is unknown", EXAMPLE)),
            None => typed,
        };
        let rest = rest.split('/').next().unwrap_or_default();
        if let Ok(port) = rest.parse() {
            return Ok(Self::loopback(port));
        }
        let port = |text: &str| {
            text.parse().map_err(|_| refuse("its port is no number from 0 to 65535", EXAMPLE))
        };
        let (host, port) = match rest.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            Some((host, "")) => (host, PORT),
            Some((host, after)) => match after.strip_prefix(':') {
                Some(text) => (host, port(text)?),
                None => return Err(refuse("text follows the `]`", EXAMPLE)),
            },
            None if rest.parse::<Ipv6Addr>().is_ok() => (rest, PORT),
            None => match rest.rsplit_once(':') {
                Some((host, _)) if host.contains(':') => {
                    return Err(refuse(
                        "an IPv6 address without brackets cannot be told from its port",
                        "write the address in brackets, as in `--listen [::1]:1883`",
                    ));
                }
                Some((host, text)) => (host, port(text)?),
                None => (rest, PORT),
            },
        };
        // Some systems take a bare number for an address.
        if host.bytes().all(|byte| byte.is_ascii_digit()) && !host.is_empty() {
            return Err(refuse("it is no port: there are 0 to 65535", EXAMPLE));
        }
        if host.is_empty() || host.chars().any(|c| c.is_whitespace() || c.is_control()) {
            return Err(refuse("it names no host", EXAMPLE));
        }
        Ok(Self { host: host.to_owned(), port })
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

/// Reads the passwords of those who may come in: lines `user:password`. Empty lines and those that
/// begin with `#` do not count.
pub fn logins(path: &Path) -> Result<BTreeMap<String, Secret>, Failure> {
    let place = path.display();
    let refuse = || Failure::new(format!("could not read the passwords in `{place}`"));
    let mut bytes = Vec::new();
    File::open(path).and_then(|file| file.take(FILE_MAX + 1).read_to_end(&mut bytes)).map_err(
        |error| refuse().because(error).next("check the path and who may read the file"),
    )?;
    if bytes.len() as u64 > FILE_MAX {
        return Err(refuse()
            .because("it is longer than 16 MiB")
            .next("check that this is the file of passwords"));
    }
    let text = String::from_utf8(bytes)
        .map_err(|_| refuse().because("it is no UTF-8 text").next("store it as UTF-8"))?;
    read_logins(&text, &place.to_string())
}

fn read_logins(text: &str, place: &str) -> Result<BTreeMap<String, Secret>, Failure> {
    let mut logins = BTreeMap::new();
    for (at, line) in text.lines().enumerate() {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        // Never the line itself: it may be a password.
        let refuse = |cause: &str| {
            Failure::misuse(format!("`{place}`, line {}: no user with a password", at + 1))
                .because(cause)
                .next("write `user:password`, one a line")
        };
        let (user, password) = line.split_once(':').ok_or_else(|| refuse("the line has no `:`"))?;
        let cause = if user.is_empty() {
            "no user stands before the `:`"
        } else if password.is_empty() {
            "no password stands behind the `:`"
        } else if user.len() > TEXT_MAX || password.len() > TEXT_MAX {
            "it is longer than the 65,535 bytes MQTT can carry"
        } else if logins.insert(user.to_owned(), Secret::from(password)).is_some() {
            "the user has a password already, further up"
        } else {
            continue;
        };
        return Err(refuse(cause));
    }
    if logins.is_empty() {
        return Err(Failure::misuse(format!("`{place}` names nobody"))
            .because("it has no line `user:password`")
            .next("write one for everybody who may connect"));
    }
    Ok(logins)
}

const EXAMPLE: &str = "write `--listen HOST:PORT`, as in `--listen 127.0.0.1:1883`";
const FILE_MAX: u64 = 16 << 20;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_to_write_an_address_is_read() {
        for (typed, expected) in [
            ("1884", "127.0.0.1:1884"),
            ("0", "127.0.0.1:0"),
            ("127.0.0.1:0", "127.0.0.1:0"),
            ("0.0.0.0", "0.0.0.0:1883"),
            ("localhost", "localhost:1883"),
            ("mqtt://broker.example:1884", "broker.example:1884"),
            ("ws://127.0.0.1:80/mqtt", "127.0.0.1:80"),
            ("mqtt://127.0.0.1", "127.0.0.1:1883"),
            ("[::1]:1884", "[::1]:1884"),
            ("[::1]", "[::1]:1883"),
            ("::1", "[::1]:1883"),
        ] {
            let address = Address::read(typed).unwrap_or_else(|failure| panic!("{failure}"));
            assert_eq!(address.to_string(), expected, "{typed}");
        }
    }

    #[test]
    fn what_is_no_address_is_refused_with_its_cause() {
        for (typed, cause) in [
            ("", "no host"),
            (":1883", "no host"),
            ("a b:1883", "no host"),
            ("host:65536", "no number"),
            ("host:", "no number"),
            ("70000", "no port"),
            ("2001:db8::1:1883x", "without brackets"),
            ("[::1]x", "follows the `]`"),
            ("mqtts://localhost", "does not encrypt"),
            ("http://localhost", "unknown"),
        ] {
            let found = Address::read(typed).expect_err(typed).cause.unwrap_or_default();
            assert!(found.contains(cause), "{typed}: {found}");
        }
    }

    #[test]
    fn passwords_are_read_line_by_line() {
        let logins = read_logins("# who may\n\nann:a:b\r\nbob:ü \n", "f").expect("it is fine");
        let shown: Vec<(&str, &str)> =
            logins.iter().map(|(user, password)| (user.as_str(), password.reveal())).collect();
        assert_eq!(shown, [("ann", "a:b"), ("bob", "ü ")]);
    }

    #[test]
    fn a_line_that_is_none_is_named_by_its_number_and_not_shown() {
        for (text, line, cause) in [
            ("ann:a\nhunter2", "line 2", "no `:`"),
            (":hunter2", "line 1", "no user"),
            ("ann:", "line 1", "no password"),
            ("ann:a\n\nann:hunter2", "line 3", "already"),
        ] {
            let failure = read_logins(text, "f").expect_err(text).to_string();
            assert!(failure.contains(line) && failure.contains(cause), "{failure}");
            assert!(!failure.contains("hunter2"), "{failure}");
        }
        assert!(read_logins("# nobody\n", "f").is_err());
    }
}
