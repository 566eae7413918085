//! What every HTTP client here shares: whom it believes, what it never follows, and how it says that it
//! got no answer.

use crate::failure::Failure;
use crate::secret::Secret;
use crate::source::mqtt::tls;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use jiff::fmt::rfc2822;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use ureq::Agent;
use ureq::tls::{Certificate, RootCerts, TlsConfig};

/// Whom an HTTP client believes.
#[derive(Clone, Copy, Debug)]
pub struct Trust<'a> {
    pub encrypted: bool,
    /// `None` believes whom the operating system believes.
    pub cafile: Option<&'a Path>,
    /// Believe anyone.
    pub insecure: bool,
}

/// Returns a client that follows no redirect: credentials go to nobody but the host that was named.
/// `timeout` bounds an exchange from its name being resolved to the last byte of its answer.
///
/// Errors: certificates that cannot be read (exit 4).
pub fn agent(trust: Trust<'_>, timeout: Option<Duration>) -> Result<Agent, Failure> {
    // Named even where they are not needed: a proxy may be reached by TLS, and without them the library
    // would panic.
    let roots = if trust.encrypted && !trust.insecure {
        tls::certificates(trust.cafile)?
    } else {
        Vec::new()
    };
    let roots = roots.iter().map(|der| Certificate::from_der(der).to_owned());
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let tls = TlsConfig::builder()
        .root_certs(RootCerts::Specific(Arc::new(roots.collect())))
        .disable_verification(trust.insecure)
        .unversioned_rustls_crypto_provider(provider)
        .build();
    let config = Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .user_agent(concat!("presence/", env!("CARGO_PKG_VERSION")))
        .timeout_global(timeout)
        .tls_config(tls);
    Ok(config.build().new_agent())
}

/// Says why nobody answered. The library's texts may hold the URL, and with it a secret.
#[must_use]
pub fn cause(error: &ureq::Error) -> String {
    use ureq::Error;
    match error {
        Error::Timeout(_) => "no answer in time".into(),
        Error::HostNotFound => "there is no such host".into(),
        Error::ConnectionFailed => "could not connect".into(),
        Error::Io(error) => error.to_string(),
        Error::Rustls(error) => format!("TLS: {error}"),
        Error::Protocol(_) => "the answer is no HTTP".into(),
        _ => "the request could not be made".into(),
    }
}

/// Reads `Retry-After`: seconds, or a date. `now` is in s since 1970.
#[must_use]
pub fn read_after(text: &str, now: i64) -> Option<Duration> {
    if let Ok(seconds) = text.trim().parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = rfc2822::DateTimeParser::new().parse_timestamp(text.trim()).ok()?;
    Some(Duration::from_secs(u64::try_from(date.as_second() - now).unwrap_or(0)))
}

/// Returns the value of a header that names a user and a password (RFC 7617).
#[must_use]
pub fn basic(user: &[u8], password: &[u8]) -> Secret {
    let pair = [user, b":", password].concat();
    Secret::from(format!("Basic {}", BASE64_STANDARD.encode(pair)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_later_time_is_seconds_or_a_date() {
        let now = 1_445_412_470;
        for (text, seconds) in [
            ("7", Some(7)),
            (" 0 ", Some(0)),
            ("Wed, 21 Oct 2015 07:28:00 GMT", Some(10)),
            ("Wed, 21 Oct 2015 07:20:00 GMT", Some(0)),
            ("soon", None),
            ("-1", None),
        ] {
            assert_eq!(read_after(text, now), seconds.map(Duration::from_secs), "{text}");
        }
    }

    #[test]
    fn a_user_goes_into_a_header() {
        assert_eq!(basic(b"me", b"p@ss").reveal(), "Basic bWU6cEBzcw==");
    }
}
