//! The address of a broker, read from a URL.
//!
//! Split by hand rather than by `url::Url`: that type treats `ws:` and `mqtt:` hosts differently and
//! forgets a port that is the default of the scheme. A host is still judged by `url::Host`.

pub use crate::cli::connection::MqttVersion;

use crate::config::secret::Secret;
use crate::failure::Failure;
use percent_encoding::percent_decode_str;
use std::borrow::Cow;
use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use url::Host;

/// Where MQTT lives on a WebSocket server when the URL does not say.
const WEBSOCKET_PATH: &str = "/mqtt";

/// What carries MQTT.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    Mqtt,
    Mqtts,
    Ws,
    Wss,
}

impl Scheme {
    fn read(name: &str) -> Option<Self> {
        Some(match name.to_ascii_lowercase().as_str() {
            "mqtt" | "tcp" => Self::Mqtt,
            "mqtts" | "ssl" | "tls" => Self::Mqtts,
            "ws" => Self::Ws,
            "wss" => Self::Wss,
            _ => return None,
        })
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Mqtt => "mqtt",
            Self::Mqtts => "mqtts",
            Self::Ws => "ws",
            Self::Wss => "wss",
        }
    }

    const fn port(self) -> u16 {
        match self {
            Self::Mqtt => 1883,
            Self::Mqtts => 8883,
            Self::Ws => 80,
            Self::Wss => 443,
        }
    }

    #[must_use]
    pub const fn is_tls(self) -> bool {
        matches!(self, Self::Mqtts | Self::Wss)
    }

    #[must_use]
    pub const fn is_websocket(self) -> bool {
        matches!(self, Self::Ws | Self::Wss)
    }

    /// Returns the same carrier with or without encryption, for advice.
    #[must_use]
    pub const fn other_encryption(self) -> &'static str {
        match self {
            Self::Mqtt => "mqtts://",
            Self::Mqtts => "mqtt://",
            Self::Ws => "wss://",
            Self::Wss => "ws://",
        }
    }
}

/// The address of one broker. Shown without user, password and query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broker {
    pub scheme: Scheme,
    host: Host,
    pub port: u16,
    /// Of a WebSocket; empty otherwise.
    path: String,
    /// Of a WebSocket. A secret, because clouds put signatures there.
    query: Option<Secret>,
}

/// Who a URL says to connect as.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UserInfo {
    pub username: Option<String>,
    pub password: Option<Secret>,
}

impl Broker {
    /// Reads `[scheme://][user[:password]@]host[:port][/path[?query]]`.
    pub fn read(url: &str) -> Result<(Self, UserInfo), Failure> {
        let refuse = |cause: &str, next: &str| {
            Failure::misuse(format!("`--broker {}` is no address of a broker", redacted(url)))
                .because(cause)
                .next(next)
        };
        let (scheme, rest) = match url.split_once("://") {
            Some((name, rest)) => {
                (Scheme::read(name).ok_or_else(|| refuse(SCHEMES.0, SCHEMES.1))?, rest)
            }
            None => (Scheme::Mqtt, url),
        };
        let Authority { user, host, port, tail } =
            Authority::read(rest, "write `mqtt://HOST:PORT`", refuse)?;
        let (path, query) =
            split_path(scheme, tail).map_err(|(cause, next)| refuse(cause, next))?;
        let port = port.unwrap_or(scheme.port());
        Ok((Self { scheme, host, port, path, query }, user))
    }

    /// Tells whether the broker is on this machine, as far as its name says so.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        is_loopback(&self.host)
    }

    /// Returns the name that stores and output know the broker by: host and port. All loopback
    /// addresses are one machine, this one.
    #[must_use]
    pub fn instance(&self) -> String {
        known_as(&self.host, self.port)
    }

    /// Returns the host as resolvers and certificates name it: an IPv6 address without brackets.
    #[must_use]
    pub fn host_name(&self) -> String {
        host_name(&self.host)
    }

    /// Returns the URL to open a WebSocket at, with its query: never for a message.
    #[must_use]
    pub fn websocket_url(&self) -> Secret {
        let query = self.query.as_ref().map(|query| format!("?{}", query.reveal()));
        Secret::from(format!("{self}{}", query.unwrap_or_default()))
    }
}

impl fmt::Display for Broker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}:{}{}", self.scheme.name(), self.host, self.port, self.path)
    }
}

impl UserInfo {
    /// Reads `user[:password]`, percent-encoded; `None` if it decodes to no text.
    fn read(text: &str) -> Option<Self> {
        let decode = |part: &str| percent_decode_str(part).decode_utf8().ok().map(Cow::into_owned);
        let (user, password) = match text.split_once(':') {
            Some((user, password)) => (user, Some(Secret::from(decode(password)?))),
            None => (text, None),
        };
        let username = decode(user)?;
        Some(Self { username: Some(username).filter(|name| !name.is_empty()), password })
    }
}

/// What stands between the scheme of a URL and its path.
pub(super) struct Authority<'u> {
    pub user: UserInfo,
    pub host: Host,
    pub port: Option<u16>,
    /// Path, query and fragment.
    pub tail: &'u str,
}

impl<'u> Authority<'u> {
    /// Reads what follows the `://`. `refuse` makes a failure of a cause and what to do next.
    pub(super) fn read(
        rest: &'u str,
        example: &str,
        refuse: impl Fn(&str, &str) -> Failure,
    ) -> Result<Self, Failure> {
        let (authority, tail) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
        let (user, host) = authority.rsplit_once('@').unwrap_or(("", authority));
        let (host, port) = split_port(host).map_err(|(cause, next)| {
            // The text before an unescaped `/` was taken for host and port.
            if tail.contains('@') { refuse(cause, ESCAPES) } else { refuse(cause, next) }
        })?;
        let host =
            Host::parse(host).map_err(|error| refuse(&format!("its host: {error}"), example))?;
        if let Host::Domain(name) = &host
            && without_root(name).split('.').any(str::is_empty)
        {
            return Err(refuse("its host has an empty part", example));
        }
        let user = UserInfo::read(user)
            .ok_or_else(|| refuse("its user or password, percent-decoded, is no UTF-8", ESCAPES))?;
        Ok(Self { user, host, port, tail })
    }
}

fn address(host: &Host) -> Option<IpAddr> {
    match host {
        Host::Domain(_) => None,
        Host::Ipv4(address) => Some(IpAddr::V4(*address)),
        // `::ffff:127.0.0.1` is 127.0.0.1.
        Host::Ipv6(address) => Some(IpAddr::V6(*address).to_canonical()),
    }
}

fn is_loopback(host: &Host) -> bool {
    match address(host) {
        Some(address) => address.is_loopback(),
        None => host_name(host) == "localhost",
    }
}

/// Returns host and port as names hold them: all loopback addresses are one machine, this one.
pub(super) fn known_as(host: &Host, port: u16) -> String {
    if is_loopback(host) {
        return format!("localhost:{port}");
    }
    match address(host) {
        Some(IpAddr::V6(address)) => format!("[{address}]:{port}"),
        Some(IpAddr::V4(address)) => format!("{address}:{port}"),
        None => format!("{}:{port}", host_name(host)),
    }
}

/// Returns a host as resolvers and certificates name it: an IPv6 address without brackets.
pub(super) fn host_name(host: &Host) -> String {
    match host {
        Host::Domain(name) => without_root(name).to_owned(),
        Host::Ipv4(address) => address.to_string(),
        Host::Ipv6(address) => address.to_string(),
    }
}

/// Returns a host name without the dot that stands for the root of all names.
fn without_root(name: &str) -> &str {
    name.strip_suffix('.').unwrap_or(name)
}

/// A cause, and what to do next.
type Advice = (&'static str, &'static str);

const SCHEMES: Advice = (
    "what stands before `://` is none of `mqtt`, `mqtts`, `ws`, `wss` (or `tcp`, `ssl`, `tls`)",
    "write `mqtt://HOST:PORT`, or `mqtts://HOST:PORT` for TLS",
);
const ESCAPES: &str = "write `@ : / ? # %` in a user or password as `%40 %3A %2F %3F %23 %25`";

/// Splits `host[:port]`. An IPv6 address keeps its brackets.
fn split_port(text: &str) -> Result<(&str, Option<u16>), Advice> {
    let (host, port) = match text.find(']') {
        Some(end) if text.starts_with('[') => {
            let (host, rest) = text.split_at(end + 1);
            match rest.strip_prefix(':') {
                None if rest.is_empty() => (host, None),
                None => return Err(("text follows the `]`", "write `[ADDRESS]:PORT`")),
                Some(port) => (host, Some(port)),
            }
        }
        _ if text.parse::<Ipv6Addr>().is_ok() || text.matches(':').count() > 1 => {
            return Err((
                "an IPv6 address without brackets cannot be told from its port",
                "write the address in brackets, as in `mqtt://[::1]:1883`",
            ));
        }
        _ => match text.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (text, None),
        },
    };
    if host.is_empty() {
        return Err(("it names no host", "write `mqtt://HOST:PORT`"));
    }
    match port.map(str::parse::<u16>) {
        None => Ok((host, None)),
        Some(Ok(port)) if port > 0 => Ok((host, Some(port))),
        Some(_) => Err((
            "its port is no number from 1 to 65535",
            "leave the port out for the usual one, or correct it",
        )),
    }
}

/// Splits what follows the host; only a WebSocket has a path and a query.
fn split_path(scheme: Scheme, tail: &str) -> Result<(String, Option<Secret>), Advice> {
    if !scheme.is_websocket() {
        return match tail {
            "" | "/" => Ok((String::new(), None)),
            _ => Err((
                "it has a path, which only a WebSocket has",
                "leave the path out, or use `ws://` or `wss://`",
            )),
        };
    }
    if !tail.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'#') {
        return Err((
            "its path or query holds a space, a `#`, or a letter beyond ASCII",
            "percent-encode it, as in `%20`",
        ));
    }
    let (path, query) = match tail.split_once('?') {
        Some((path, query)) => (path, Some(Secret::from(query))),
        None => (tail, None),
    };
    let path = if path.is_empty() { WEBSOCKET_PATH } else { path };
    Ok((path.to_owned(), query))
}

/// Returns the URL with everything cut out that can be a secret, however broken it is.
pub(super) fn redacted(url: &str) -> String {
    let (scheme, rest) = match url.split_once("://") {
        Some((scheme, rest)) if scheme.bytes().all(|byte| byte.is_ascii_alphanumeric()) => {
            (format!("{scheme}://"), rest)
        }
        _ => (String::new(), url),
    };
    let (user, rest) = match rest.rsplit_once('@') {
        Some((_, rest)) => ("…@", rest),
        None => ("", rest),
    };
    let (rest, query) = match rest.split_once('?') {
        Some((rest, _)) => (rest, "?…"),
        None => (rest, ""),
    };
    format!("{scheme}{user}{}{query}", rest.escape_debug())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(url: &str) -> Broker {
        Broker::read(url).unwrap_or_else(|failure| panic!("{url}: {failure}")).0
    }

    #[test]
    fn every_way_to_write_an_address_is_read() {
        for (url, shown, instance) in [
            ("localhost", "mqtt://localhost:1883", "localhost:1883"),
            ("Broker.Example:1884", "mqtt://broker.example:1884", "broker.example:1884"),
            ("broker.example.", "mqtt://broker.example.:1883", "broker.example:1883"),
            ("mqtt://10.0.0.5", "mqtt://10.0.0.5:1883", "10.0.0.5:1883"),
            ("tcp://h", "mqtt://h:1883", "h:1883"),
            ("MQTTS://H/", "mqtts://h:8883", "h:8883"),
            ("ssl://h:8884", "mqtts://h:8884", "h:8884"),
            ("tls://h", "mqtts://h:8883", "h:8883"),
            ("ws://h", "ws://h:80/mqtt", "h:80"),
            ("wss://h/", "wss://h:443/", "h:443"),
            ("wss://h:9/a/b?token=t", "wss://h:9/a/b", "h:9"),
            ("ws://h?token=t", "ws://h:80/mqtt", "h:80"),
            ("mqtt://h:80", "mqtt://h:80", "h:80"),
            ("mqtt://[2001:DB8::1]", "mqtt://[2001:db8::1]:1883", "[2001:db8::1]:1883"),
            ("[::1]:1884", "mqtt://[::1]:1884", "localhost:1884"),
            ("mqtt://127.9.8.7", "mqtt://127.9.8.7:1883", "localhost:1883"),
            ("mqtt://[::ffff:127.0.0.1]", "mqtt://[::ffff:7f00:1]:1883", "localhost:1883"),
            ("mqtt://LOCALHOST", "mqtt://localhost:1883", "localhost:1883"),
            (
                "mqtt://bücher.example",
                "mqtt://xn--bcher-kva.example:1883",
                "xn--bcher-kva.example:1883",
            ),
            ("mqtt://ann:p%40ss@h:1", "mqtt://h:1", "h:1"),
        ] {
            let broker = read(url);
            assert_eq!(
                (broker.to_string().as_str(), broker.instance().as_str()),
                (shown, instance),
                "{url}"
            );
        }
    }

    #[test]
    fn user_and_password_are_decoded() {
        let user = |url| Broker::read(url).expect("the address is fine").1;
        assert_eq!(user("mqtt://h"), UserInfo::default());
        assert_eq!(user("mqtt://ann@h").username.as_deref(), Some("ann"));
        let both = user("mqtt://a%3Ab:c%40d%C3%A9:e@h");
        assert_eq!(both.username.as_deref(), Some("a:b"));
        assert_eq!(both.password.expect("it has one").reveal(), "c@dé:e");
        assert_eq!(user("mqtt://:token@h").username, None);
    }

    #[test]
    fn a_query_reaches_the_socket_but_no_message() {
        let broker = read("wss://h/mqtt?X-Amz-Signature=s3cret");
        assert_eq!(broker.websocket_url().reveal(), "wss://h:443/mqtt?X-Amz-Signature=s3cret");
        assert!(!format!("{broker} {broker:?}").contains("s3cret"));
    }

    #[test]
    fn a_bad_address_is_refused_with_its_cause() {
        for (url, cause) in [
            ("", "no host"),
            ("mqtt://", "no host"),
            ("mqtt://:1883", "no host"),
            ("http://h", "none of `mqtt`"),
            ("mqtt://h:", "no number from 1"),
            ("mqtt://h:0", "no number from 1"),
            ("mqtt://h:65536", "no number from 1"),
            ("mqtt://h:1883x", "no number from 1"),
            ("::1", "without brackets"),
            ("mqtt://2001:db8::1:1883", "without brackets"),
            ("mqtt://[::1", "without brackets"),
            ("mqtt://[::1]x", "follows the `]`"),
            ("mqtt://[zz]", "its host"),
            ("mqtt://.", "an empty part"),
            ("mqtt://h..", "an empty part"),
            ("mqtt://a..b:1883", "an empty part"),
            ("mqtt://a b", "its host"),
            ("mqtt://h/topic", "only a WebSocket"),
            ("mqtt://h?x=1", "only a WebSocket"),
            ("ws://h/a b", "holds a space"),
            ("ws://h/#x", "a `#`"),
            ("mqtt://%ff@h", "no UTF-8"),
        ] {
            let failure = Broker::read(url).expect_err(url);
            assert_eq!(failure.outcome, crate::failure::Outcome::Misused, "{url}");
            let found = failure.cause.unwrap_or_default();
            assert!(found.contains(cause), "{url}: {found}");
        }
    }

    #[test]
    fn no_error_echoes_a_password() {
        for url in [
            "http://ann:hunter2@h",
            "mqtt://ann:hunter2@h:x",
            "mqtt://ann:hunter2/x@h",
            "mqtt://ann:hunter2#x@h",
            "mqtt://ann:hunter2@h/topic",
            "mqtt://ann:%ffhunter2@h",
            "ann:hunter2@h:x",
            "ann:hunter2://x@h:y",
            "ws://h/ ?token=hunter2",
        ] {
            let failure = Broker::read(url).expect_err(url).to_string();
            assert!(!failure.contains("hunter2"), "{failure}");
        }
        let failure = Broker::read("mqtt://ann:hunter2/x@h").expect_err("the slash is bare");
        assert!(failure.next.is_some_and(|next| next.contains("%2F")));
    }
}
